//! `/healthz`, `/metrics` and what is no route.
use crate::tests::harness::{TestServer, batch};
use reqwest::StatusCode;

#[tokio::test(flavor = "multi_thread")]
async fn health_counts_batches_and_says_that_settlement_is_off() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(dir.path()).await;
    server.submit(&batch(1, 1)).await;
    server.wait_for(1, "proven").await;
    let (status, health) = server.get("/healthz").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(health["status"], "ok");
    assert_eq!((&health["lastAccepted"], &health["lastProven"]), (&1.into(), &1.into()));
    assert_eq!(health["lastExecuted"], 0);
    assert_eq!(health["l1"]["configured"], false);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_in_prometheus_text() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(dir.path()).await;
    server.submit(&batch(1, 1)).await;
    server.refused("{").await;
    let text = reqwest::get(format!("{}/metrics", server.url)).await.unwrap().text().await.unwrap();
    assert!(text.contains("# TYPE lathe_batches_accepted_total counter"), "{text}");
    assert!(text.contains("lathe_requests_rejected_total{code=\"malformed_json\"}"), "{text}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_routes_and_methods_answer_json() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(dir.path()).await;
    let (status, body) = server.get("/v2/nothing").await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::NOT_FOUND, &"no_such_route".into()));
    let (status, body) = server.get("/v1/batches").await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"method_not_allowed".into())
    );
    server.stop().await;
}
