//! `GET /v1/batches/{number}`: a batch, how far it is and what became of its transactions.
use super::{no_such_batch, number};
use crate::app::App;
use crate::error::ApiError;
use crate::view::{self, BatchView};
use axum::Json;
use axum::extract::{Path, State};
use std::sync::Arc;

/// 200, or 404 if the number was never accepted.
pub async fn show(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
) -> Result<Json<BatchView>, ApiError> {
    let number = number(&text)?;
    let Some(row) = app.store.batch(number).map_err(ApiError::internal)? else {
        return Err(no_such_batch(number, app.store.last_accepted().map_err(ApiError::internal)?));
    };
    let live = (app.proving.of(number), app.settling.of(number));
    Ok(Json(view::batch(&app.store, &row, live.0, live.1).map_err(ApiError::internal)?))
}
