//! `GET /healthz`: whether the appliance does its work, and if not, which part does not.
use crate::app::App;
use crate::error::ApiError;
use crate::view::HealthView;
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// 200 while the server answers; the body says what is degraded.
pub async fn health(State(app): State<Arc<App>>) -> Result<Json<HealthView>, ApiError> {
    let l1 = app.l1.health();
    let worker_error = app.worker_error();
    let settle_error = app.settle_error();
    let degraded = worker_error.is_some() || settle_error.is_some() || (l1.configured && !l1.reachable);
    Ok(Json(HealthView {
        status: if degraded { "degraded" } else { "ok" }.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        chain_id: app.chain_id,
        last_accepted: app.store.last_accepted().map_err(ApiError::internal)?,
        last_proven: app.store.last_proven().map_err(ApiError::internal)?,
        last_executed: app.store.last_executed().map_err(ApiError::internal)?,
        worker_error,
        settle_error,
        l1,
        device: app.prover.device(),
        development_keys: app.prover.development(),
    }))
}
