//! `GET /v1/batches/{number}` and `/proof`.
use crate::tests::harness::{DigestProver, TestServer, batch, config};
use crate::view::ProofView;
use reqwest::StatusCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_shows_its_stage_while_it_is_proven_and_its_proof_after() {
    let dir = tempfile::tempdir().unwrap();
    let prover = DigestProver { pause: Duration::from_secs(1), ..DigestProver::default() };
    let server = TestServer::start_with(config(dir.path()), Arc::new(prover)).await;
    server.submit(&batch(1, 2)).await;
    let live = server.wait_for(1, "proving").await;
    assert!(live.stage.is_some() && live.percent.is_some());
    let (status, body) = server.get("/v1/batches/1/proof").await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::NOT_FOUND, &"proof_not_ready".into()));
    let proven = server.wait_for(1, "proven").await;
    for stage in ["replay", "assign", "prove", "check"] {
        assert!(proven.stages_ms.contains_key(stage), "{:?}", proven.stages_ms);
    }
    assert!(proven.stages_ms["assign"] >= 1000);
    let (status, body) = server.get("/v1/batches/1/proof").await;
    assert_eq!(status, StatusCode::OK);
    let proof: ProofView = serde_json::from_value(body).unwrap();
    assert_eq!(proof.statement_hash, proven.statement_hash);
    assert_eq!(proof.statement.new_state_root, proven.new_root);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_malformed_numbers_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(dir.path()).await;
    for path in ["/v1/batches/1", "/v1/batches/1/proof"] {
        let (status, body) = server.get(path).await;
        assert_eq!((status, &body["error"]["code"]), (StatusCode::NOT_FOUND, &"no_such_batch".into()));
    }
    for path in ["/v1/batches/one", "/v1/batches/-1/proof", "/v1/batches/99999999999999999999"] {
        let (status, body) = server.get(path).await;
        assert_eq!((status, &body["error"]["field"]), (StatusCode::BAD_REQUEST, &"number".into()), "{path}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_attempt_is_shown_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let prover = DigestProver { failures: AtomicU32::new(1), ..DigestProver::default() };
    let server = TestServer::start_with(config(dir.path()), Arc::new(prover)).await;
    server.submit(&batch(1, 1)).await;
    let failed = server.wait_for(1, "failed").await;
    assert!(failed.error.unwrap().contains("out of memory"));
    let (_, health) = server.get("/healthz").await;
    assert_eq!(health["status"], "degraded");
    assert!(health["workerError"].as_str().unwrap().contains("batch 1"));
    assert!(server.wait_for(1, "proven").await.error.is_none());
    assert_eq!(server.get("/healthz").await.1["status"], "ok");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prover_that_panics_is_a_failed_attempt_and_not_the_end_of_the_worker() {
    let dir = tempfile::tempdir().unwrap();
    let prover = DigestProver { panics: true.into(), ..DigestProver::default() };
    let server = TestServer::start_with(config(dir.path()), Arc::new(prover)).await;
    server.submit(&batch(1, 1)).await;
    let failed = server.wait_for(1, "failed").await;
    assert!(failed.error.unwrap().contains("panicked: a panic for the test"));
    server.wait_for(1, "proven").await;
    server.stop().await;
}
