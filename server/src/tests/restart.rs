//! What a stop, a crash or a damaged file leaves behind.
use crate::acceptor::ACCEPTED_STATE;
use crate::app::Server;
use crate::tests::harness::{DigestProver, TestServer, batch, config};
use crate::worker::PROVEN_STATE;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn batches_go_on_after_a_restart_with_the_same_roots() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(dir.path()).await;
    server.submit(&batch(1, 4)).await;
    let first = server.wait_for(1, "proven").await;
    server.stop().await;
    let server = TestServer::start(dir.path()).await;
    assert_eq!(server.wait_for(1, "proven").await, first);
    let (_, second) = server.submit(&batch(2, 4)).await;
    assert_eq!(second["oldRoot"], first.new_root.as_str());
    server.wait_for(2, "proven").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_accepted_before_the_state_was_written_is_replayed_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(dir.path()).await;
    server.submit(&batch(1, 4)).await;
    let first = server.wait_for(1, "proven").await;
    server.stop().await;
    // As after a crash between the store's commit and the state's: both states are gone, the store is not.
    for state in [ACCEPTED_STATE, PROVEN_STATE] {
        std::fs::remove_dir_all(dir.path().join(state)).unwrap();
    }
    let server = TestServer::start(dir.path()).await;
    let (_, second) = server.submit(&batch(2, 4)).await;
    assert_eq!(second["oldRoot"], first.new_root.as_str());
    server.wait_for(2, "proven").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_cut_off_by_a_stop_is_made_after_the_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = config(dir.path());
    settings.drain_seconds = 0;
    let slow = Arc::new(DigestProver { pause: Duration::from_secs(2), ..DigestProver::default() });
    let server = TestServer::start_with(settings.clone(), slow.clone()).await;
    server.submit(&batch(1, 1)).await;
    server.wait_for(1, "proving").await;
    server.stop().await;
    // The thread cut off still holds the folder of the proven state; in a process of its own it would be gone.
    while Arc::strong_count(&slow) > 1 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let quick = Arc::new(DigestProver::default());
    let server = TestServer::start_with(settings, quick.clone()).await;
    server.wait_for(1, "proven").await;
    server.stop().await;
    assert_eq!(slow.proofs.load(Ordering::SeqCst) + quick.proofs.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_state_file_stops_the_start_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start(dir.path()).await;
    server.submit(&batch(1, 4)).await;
    server.wait_for(1, "proven").await;
    server.stop().await;
    let file = dir.path().join(ACCEPTED_STATE).join("snapshot");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = Server::open(config(dir.path()), Arc::new(DigestProver::default())).await.err().unwrap();
    assert!(error.to_string().contains("snapshot"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_another_chain_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    TestServer::start(dir.path()).await.stop().await;
    let mut other = config(dir.path());
    other.chain_id += 1;
    let error = Server::open(other, Arc::new(DigestProver::default())).await.err().unwrap();
    assert!(error.to_string().contains("belongs to"), "{error}");
}
