//! `POST /v1/batches`: takes a batch of signed transactions. Answers 202 only when the batch is durable.
use crate::app::App;
use crate::batchgen::NewBatch;
use crate::error::ApiError;
use crate::view::{self, BatchView};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use std::sync::Arc;

/// 202 with the new batch, 200 with the existing one if the same was accepted before.
pub async fn create(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<BatchView>), ApiError> {
    let body = body.map_err(|e| body_error(&e, app.max_body_bytes))?;
    let new = parse(&body)?;
    let task = Arc::clone(&app);
    let accepted = tokio::task::spawn_blocking(move || task.acceptor.accept(&new));
    let (row, created) = accepted.await.map_err(ApiError::internal)??;
    if created {
        app.wake_worker.notify_one();
    }
    let live = (app.proving.of(row.number), app.settling.of(row.number));
    let view = view::batch(&app.store, &row, live.0, live.1).map_err(ApiError::internal)?;
    Ok((if created { StatusCode::ACCEPTED } else { StatusCode::OK }, Json(view)))
}

fn body_error(rejection: &BytesRejection, limit: usize) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let message = format!("the body is larger than {limit} bytes; send a smaller batch");
        return ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message).field("body");
    }
    ApiError::new(StatusCode::BAD_REQUEST, "unreadable_body", rejection.body_text()).field("body")
}

/// 400 for what is no JSON, 422 with the field's path for JSON of another shape.
pub fn parse(body: &[u8]) -> Result<NewBatch, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let malformed = |e: &serde_json::Error| {
        let message = format!("malformed JSON: {e}");
        ApiError::new(StatusCode::BAD_REQUEST, "malformed_json", message).field("body")
    };
    let new: NewBatch = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let cause = e.inner();
        if !cause.is_data() {
            return malformed(cause);
        }
        let path = match e.path().to_string() {
            path if path == "." => missing_field(cause).unwrap_or_else(|| "body".into()),
            path => path,
        };
        ApiError::unprocessable("invalid_field", cause.to_string()).field(path)
    })?;
    json.end().map_err(|e| malformed(&e))?;
    Ok(new)
}

/// The name in "missing field `x`", "unknown field `x`" and "duplicate field `x`": these errors have no path.
fn missing_field(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let named = ["missing field `", "unknown field `", "duplicate field `"];
    let rest = named.iter().find_map(|prefix| text.strip_prefix(prefix))?;
    Some(rest.split('`').next()?.to_string())
}
