//! Settlement on a real anvil: order, idempotence through every crash point, and an L1 that is away.
use super::harness::{DigestProver, TestServer, batch};
use super::l1::{Fault, L1};
use crate::app::Server;
use crate::demo::anvil;
use crate::relayer::contract::LatheRollup;
use crate::relayer::provider;
use crate::store::L1Step;
use alloy::network::EthereumWallet;
use alloy::primitives::U256;
use alloy::providers::ProviderBuilder;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_executed_in_order_with_three_transactions_each() {
    let (l1, dir) = (L1::start().await, tempfile::tempdir().unwrap());
    let server = TestServer::start_with(l1.config(dir.path()), Arc::default()).await;
    server.submit(&batch(1, 2)).await;
    server.submit(&batch(2, 2)).await;
    let second = server.wait_for(2, "executed").await;
    let first = server.wait_for(1, "executed").await;
    assert_eq!(l1.executed().await, (2, second.new_root.clone()));
    assert_eq!(l1.transactions().await, 6);
    assert_eq!(first.l1.executed_root, Some(first.new_root));
    for tx in [first.l1.commit, first.l1.prove, first.l1.execute, second.l1.execute] {
        let tx = tx.unwrap();
        assert!(tx.gas_used.unwrap() > 21_000 && tx.block.unwrap() > 0, "{tx:?}");
    }
    let (_, health) = server.get("/healthz").await;
    assert_eq!((&health["status"], &health["l1"]["reachable"]), (&"ok".into(), &true.into()));
    assert_eq!(health["lastExecuted"], 2);
    server.stop().await;
}

/// Stops the server at a fault of L1 and starts another one on the same folder, as after a crash at that point.
async fn crash_and_resume(fault: Fault, step: L1Step) {
    let (l1, dir) = (L1::start().await, tempfile::tempdir().unwrap());
    let server = TestServer::start_with(l1.config(dir.path()), Arc::default()).await;
    l1.fault(fault.clone());
    server.submit(&batch(1, 2)).await;
    // The transaction is stored before it is sent, hence before the fault.
    while server.app.store.l1_tx(1, step).unwrap().is_none() || server.app.l1.health().reachable {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stored = server.app.store.l1_tx(1, step).unwrap().unwrap();
    assert!(stored.mined.is_none(), "{fault:?}");
    server.stop().await;
    l1.fault(Fault::None);
    let server = TestServer::start_with(l1.config(dir.path()), Arc::default()).await;
    let view = server.wait_for(1, "executed").await;
    assert_eq!(l1.executed().await, (1, view.new_root), "{fault:?}");
    assert_eq!(l1.transactions().await, 3, "{fault:?} at {step:?} posted twice");
    assert_eq!(server.app.store.l1_tx(1, step).unwrap().unwrap().hash, stored.hash, "{fault:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_never_left_is_sent_after_the_restart() {
    for (n, step) in L1Step::ALL.into_iter().enumerate() {
        crash_and_resume(Fault::LoseTransaction(n), step).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_answer_was_lost_is_not_posted_again() {
    for (n, step) in L1Step::ALL.into_iter().enumerate() {
        crash_and_resume(Fault::LoseAnswer(n), step).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_comes_after_the_nonce_was_used_is_waited_for() {
    let (l1, dir) = (L1::start().await, tempfile::tempdir().unwrap());
    l1.fault(Fault::LateReceipts(4));
    let server = TestServer::start_with(l1.config(dir.path()), Arc::default()).await;
    server.submit(&batch(1, 2)).await;
    let view = server.wait_for(1, "executed").await;
    for tx in [view.l1.commit, view.l1.prove, view.l1.execute] {
        assert!(tx.unwrap().gas_used.is_some());
    }
    assert_eq!(l1.transactions().await, 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_is_kept_while_l1_is_away_and_settled_once_it_is_back() {
    let (l1, dir) = (L1::start().await, tempfile::tempdir().unwrap());
    let server = TestServer::start_with(l1.config(dir.path()), Arc::default()).await;
    while server.app.binding().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    l1.fault(Fault::Down);
    server.submit(&batch(1, 2)).await;
    server.wait_for(1, "proven").await;
    while server.app.l1.health().reachable {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (_, health) = server.get("/healthz").await;
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["l1"]["reachable"], false);
    assert!(health["l1"]["since"].as_u64().is_some() && health["l1"]["lastError"].as_str().is_some());
    assert_eq!(server.get("/v1/batches/1/proof").await.0, 200);
    l1.fault(Fault::None);
    server.wait_for(1, "executed").await;
    assert_eq!(server.get("/healthz").await.1["l1"]["reachable"], true);
    assert_eq!(l1.transactions().await, 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_accepted_while_l1_was_never_seen() {
    let (l1, dir) = (L1::start().await, tempfile::tempdir().unwrap());
    l1.fault(Fault::Down);
    let server = TestServer::start_with(l1.config(dir.path()), Arc::default()).await;
    assert_eq!(server.submit(&batch(1, 2)).await.0, 202);
    tokio::time::sleep(Duration::from_millis(500)).await;
    // Proofs are bound to the L1 chain, whose id is not known yet.
    assert_eq!(server.get("/v1/batches/1").await.1["status"], "accepted");
    l1.fault(Fault::None);
    server.wait_for(1, "executed").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_somebody_else_took_are_not_taken_again() {
    let (l1, dir) = (L1::start().await, tempfile::tempdir().unwrap());
    let server = TestServer::start_with(l1.config(dir.path()), Arc::default()).await;
    l1.fault(Fault::LoseTransaction(2));
    server.submit(&batch(1, 2)).await;
    while server.app.store.l1_tx(1, L1Step::Execute).unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Executing is open to anybody; here it is done with the operator's own nonce.
    let wallet = EthereumWallet::from(anvil::operator().unwrap());
    let client = crate::http_client(Duration::from_secs(20)).unwrap();
    let other = ProviderBuilder::new().wallet(wallet).connect_reqwest(client, l1.direct.parse().unwrap());
    let rollup = LatheRollup::new(l1.rollup, other);
    let sent = rollup.executeBatch(U256::ONE).send().await.unwrap();
    sent.get_receipt().await.unwrap();
    l1.fault(Fault::None);
    server.wait_for(1, "executed").await;
    assert_eq!(l1.transactions().await, 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_batch_under_the_same_number_on_l1_stops_settlement_and_is_said() {
    let (l1, dir) = (L1::start().await, tempfile::tempdir().unwrap());
    let server = TestServer::start_with(l1.config(dir.path()), Arc::default()).await;
    while server.app.binding().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    l1.fault(Fault::Down);
    server.submit(&batch(1, 2)).await;
    server.wait_for(1, "proven").await;
    // Another appliance with the same key commits another batch 1.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut config = l1.config(elsewhere.path());
    config.l1.l1_rpc = l1.direct.clone();
    let rival = TestServer::start_with(config, Arc::default()).await;
    rival.submit(&batch(1, 3)).await;
    rival.wait_for(1, "executed").await;
    rival.stop().await;
    l1.fault(Fault::None);
    while server.app.settle_error().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (_, health) = server.get("/healthz").await;
    assert_eq!(health["status"], "degraded");
    assert!(health["settleError"].as_str().unwrap().contains("statement"), "{health}");
    assert_eq!(l1.transactions().await, 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_of_another_chain_is_refused_by_name() {
    let (l1, dir) = (L1::start().await, tempfile::tempdir().unwrap());
    let mut config = l1.config(dir.path());
    config.chain_id += 1;
    let server = TestServer::start_with(config, Arc::default()).await;
    while server.app.settle_error().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(server.app.settle_error().unwrap().contains("L2 chain id"));
    assert!(server.app.binding().is_none());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_bound_to_another_contract_stops_the_start() {
    let (l1, dir) = (L1::start().await, tempfile::tempdir().unwrap());
    let server = TestServer::start_with(l1.config(dir.path()), Arc::default()).await;
    while server.app.binding().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.stop().await;
    let mut config = l1.config(dir.path());
    config.l1.l1_contract = Some("0x00000000000000000000000000000000000000aa".into());
    let error = Server::open(config, Arc::new(DigestProver::default())).await.err().unwrap();
    assert!(error.to_string().contains("another data folder"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_named_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = super::harness::config(dir.path());
    config.l1.l1_contract = Some("0x12".into());
    let start = |config| Server::open(config, Arc::new(DigestProver::default()));
    assert!(start(config.clone()).await.err().unwrap().to_string().contains("l1-contract"));
    config.l1.l1_contract = Some("0x00000000000000000000000000000000000000aa".into());
    assert!(start(config.clone()).await.err().unwrap().to_string().contains("l1-key-file"));
    let file = dir.path().join("key");
    std::fs::write(&file, "0x1234secret").unwrap();
    config.l1.l1_key_file = Some(file);
    let error = start(config).await.err().unwrap().to_string();
    assert!(error.contains("key file") && !error.contains("1234"), "{error}");
    assert!(provider("not a url").is_err());
}

/// The Rust bindings against the compiled contract: every function's selector must be in the artefact.
#[test]
fn the_bindings_match_the_compiled_contract() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/out");
    let artefacts = std::env::var_os("LATHE_CONTRACTS").map_or(root, Into::into);
    let text = std::fs::read_to_string(artefacts.join("LatheRollup.sol/LatheRollup.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let compiled: Vec<String> =
        json["methodIdentifiers"].as_object().unwrap().values().map(|v| v.as_str().unwrap().into()).collect();
    use alloy::sol_types::SolInterface;
    for selector in LatheRollup::LatheRollupCalls::selectors() {
        assert!(compiled.contains(&hex::encode(selector)), "{}", hex::encode(selector));
    }
}
