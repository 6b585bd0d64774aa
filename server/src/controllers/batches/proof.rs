//! `GET /v1/batches/{number}/proof`: the proof with everything that `lathe verify` needs. Only a verified
//! proof is ever stored, so only a verified proof is ever served.
use super::{no_such_batch, number};
use crate::app::App;
use crate::error::ApiError;
use crate::prover::L1Binding;
use crate::view::ProofView;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use std::sync::Arc;

/// 200, or 404 while there is no proof.
pub async fn show(
    State(app): State<Arc<App>>,
    Path(text): Path<String>,
) -> Result<Json<ProofView>, ApiError> {
    let number = number(&text)?;
    let Some(batch) = app.store.batch(number).map_err(ApiError::internal)? else {
        return Err(no_such_batch(number, app.store.last_accepted().map_err(ApiError::internal)?));
    };
    let Some(row) = app.store.proof(number).map_err(ApiError::internal)? else {
        let message = format!("batch {number} is not proven yet; ask again later");
        return Err(ApiError::new(StatusCode::NOT_FOUND, "proof_not_ready", message).field("number"));
    };
    let binding = app.store.l1_binding().map_err(ApiError::internal)?.unwrap_or(L1Binding::NONE);
    Ok(Json(ProofView {
        number,
        l1: binding.into(),
        statement: batch.statement,
        statement_hash: batch.statement_hash,
        layout_id: row.layout_id,
        circuits: app.prover.circuits(),
        proof: format!("0x{}", hex::encode(row.proof)),
        verified_ms: row.verified_ms,
        peak_memory_bytes: row.peak_memory_bytes,
        device: app.prover.device(),
    }))
}
