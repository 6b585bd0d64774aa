//! The HTTP API, one file per resource and verb. A controller checks input and calls the parts; it keeps no state.

pub mod batches;
pub mod health;
pub mod metrics;

use crate::error::ApiError;
use axum::http::StatusCode;

/// 404 for a path that is no route.
pub async fn not_found() -> ApiError {
    let routes = "POST /v1/batches, GET /v1/batches/{number}, GET /v1/batches/{number}/proof, GET /healthz, GET /metrics";
    ApiError::new(StatusCode::NOT_FOUND, "no_such_route", format!("no such route; there are {routes}"))
}

/// 405 for a route with another method.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route has another method")
}
