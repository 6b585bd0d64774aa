//! `/v1/batches`

pub mod create;
pub mod proof;
pub mod show;

use crate::error::ApiError;
use axum::http::StatusCode;

/// A batch number from a path.
fn number(text: &str) -> Result<u64, ApiError> {
    text.parse().map_err(|_| {
        let message = format!("{text:?} is no batch number; a decimal integer from 1 is expected");
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_number", message).field("number")
    })
}

fn no_such_batch(number: u64, last: u64) -> ApiError {
    let message = format!("batch {number} is not accepted; the last accepted batch is {last}");
    ApiError::new(StatusCode::NOT_FOUND, "no_such_batch", message).field("number")
}
