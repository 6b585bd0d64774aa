//! A local L1 for tests: a real anvil, the real rollup contract, and a proxy that fails on demand. The verifier is
//! one that accepts everything: these tests are about settlement, `make demo` and the contracts' own tests are
//! about proofs.
use crate::config::Config;
use crate::demo::anvil::{self, Anvil};
use crate::genesis::{DEV_CHAIN_ID, development};
use crate::relayer::contract::LatheRollup;
use crate::relayer::deploy::{create, create_raw};
use crate::relayer::provider;
use crate::tests::harness::config;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::Provider;
use alloy::sol_types::SolValue;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use lathe_vm::programs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// Creation code of a contract that answers every call with the word 1:
/// PUSH10 (PUSH1 1, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN), PUSH1 0, MSTORE, PUSH1 10, PUSH1 22, RETURN.
const ACCEPTS_EVERYTHING: &str = "69600160005260206000f3600052600a6016f3";

/// What the proxy does with the next calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Answers every call with 503 before the node sees it.
    Down,
    /// The n-th `eth_sendRawTransaction` from now, 0 for the next one, never reaches the node.
    LoseTransaction(usize),
    /// The n-th one reaches the node, and from then on nothing does: as if the relayer died before the answer.
    LoseAnswer(usize),
    /// The next n receipts are not there yet.
    LateReceipts(usize),
}

/// Anvil, a rollup on it, and a proxy before it.
pub struct L1 {
    _anvil: Anvil,
    /// URL of anvil itself.
    pub direct: String,
    /// URL of the proxy.
    pub proxied: String,
    /// The rollup.
    pub rollup: Address,
    fault: Arc<Mutex<Fault>>,
    nonce_before: u64,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl L1 {
    /// Starts anvil, deploys, starts the proxy.
    pub async fn start() -> L1 {
        let given = std::env::var_os("LATHE_ANVIL").map(PathBuf::from);
        let program = anvil::find(given.as_deref(), &root()).unwrap();
        let artefacts =
            std::env::var_os("LATHE_CONTRACTS").map_or(root().join("contracts/out"), PathBuf::from);
        let node = Anvil::start(&program, &[]).await.unwrap();
        let operator = anvil::operator().unwrap();
        let code = hex::decode(ACCEPTS_EVERYTHING).unwrap();
        let verifier = create_raw(&node.url(), &operator, "BatchVerifier", code).await.unwrap();
        let (tree, _) = development().build(Path::new(".")).unwrap();
        let arguments = (
            B256::from(lathe_vm::code::word_of(tree.root()).to_be_bytes()),
            verifier,
            B256::from(programs::kernel().hash_word().to_be_bytes()),
            U256::from(DEV_CHAIN_ID),
            U256::ZERO,
            operator.address(),
            false,
        );
        let arguments = arguments.abi_encode_params();
        let rollup = create(&node.url(), &operator, &artefacts, "LatheRollup", arguments).await.unwrap();
        let fault = Arc::new(Mutex::new(Fault::None));
        let proxied = start_proxy(node.url(), fault.clone()).await;
        let (direct, nonce_before) = (node.url(), 0);
        let mut l1 = L1 { _anvil: node, direct, proxied, rollup, fault, nonce_before };
        l1.nonce_before = l1.nonce().await;
        l1
    }

    /// Server settings that settle here, through the proxy.
    pub fn config(&self, dir: &Path) -> Config {
        let key = dir.join("operator.key");
        std::fs::write(&key, anvil::OPERATOR_KEY).unwrap();
        let mut config = config(&dir.join("data"));
        config.l1.l1_rpc = self.proxied.clone();
        config.l1.l1_contract = Some(self.rollup.to_string());
        config.l1.l1_key_file = Some(key);
        config
    }

    /// Sets what the proxy does.
    pub fn fault(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    async fn nonce(&self) -> u64 {
        let operator = anvil::operator().unwrap().address();
        provider(&self.direct).unwrap().get_transaction_count(operator).await.unwrap()
    }

    /// Transactions of the operator since the deployment.
    pub async fn transactions(&self) -> u64 {
        self.nonce().await - self.nonce_before
    }

    /// Executed batches and the executed root, as the contract says.
    pub async fn executed(&self) -> (u64, String) {
        let rollup = LatheRollup::new(self.rollup, provider(&self.direct).unwrap());
        let total = rollup.totalBatchesExecuted().call().await.unwrap();
        (total, rollup.executedStateRoot().call().await.unwrap().to_string())
    }
}

type Shared = (String, Arc<Mutex<Fault>>, reqwest::Client);

async fn start_proxy(target: String, fault: Arc<Mutex<Fault>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = crate::http_client(Duration::from_secs(20)).unwrap();
    let app = Router::new().route("/", post(forward)).with_state((target, fault, client));
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn forward(State((target, fault, client)): State<Shared>, body: Bytes) -> impl IntoResponse {
    let lost = (StatusCode::SERVICE_UNAVAILABLE, "down for the test".to_string());
    let asks = String::from_utf8_lossy(&body).contains("eth_getTransactionReceipt");
    let sends = String::from_utf8_lossy(&body).contains("eth_sendRawTransaction");
    let now = {
        let mut fault = fault.lock().unwrap();
        let now = fault.clone();
        *fault = match now {
            Fault::LoseTransaction(n) | Fault::LoseAnswer(n) if sends && n == 0 => Fault::Down,
            Fault::LoseTransaction(n) if sends => Fault::LoseTransaction(n - 1),
            Fault::LoseAnswer(n) if sends => Fault::LoseAnswer(n - 1),
            Fault::LateReceipts(n) if asks && n > 0 => Fault::LateReceipts(n - 1),
            ref other => other.clone(),
        };
        now
    };
    if now == Fault::Down || (sends && now == Fault::LoseTransaction(0)) {
        return lost;
    }
    if asks && matches!(now, Fault::LateReceipts(1..)) {
        let call: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let answer = serde_json::json!({"jsonrpc": "2.0", "id": call["id"], "result": null});
        return (StatusCode::OK, answer.to_string());
    }
    let request = client.post(target).header("content-type", "application/json").body(body);
    let text = request.send().await.unwrap().text().await.unwrap();
    if sends && now == Fault::LoseAnswer(0) {
        return lost;
    }
    (StatusCode::OK, text)
}
