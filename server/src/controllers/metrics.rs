//! `GET /metrics` in Prometheus' text format.
use crate::error::ApiError;
use crate::metrics::METRICS;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// All counters of this process.
pub async fn metrics() -> Result<impl IntoResponse, ApiError> {
    let body = METRICS.render().map_err(ApiError::internal)?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], body))
}
