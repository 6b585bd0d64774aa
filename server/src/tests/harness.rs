//! A whole server on a free loopback port and a folder of its own. The prover's place is taken by one that asks
//! the real circuits for capacity and hands out a digest as proof, so that these tests need no keys.
use crate::app::{App, Server};
use crate::batchgen::{self, NewBatch};
use crate::config::{Config, L1Config};
use crate::device::DeviceArgs;
use crate::error::ErrorDetail;
use crate::genesis::DEV_CHAIN_ID;
use crate::progress::unix_seconds;
use crate::prover::{CircuitInfo, L1Binding, OnStage, ProofStage, Proved, Prover, ProverError};
use crate::view::BatchView;
use lathe_prover::circuit::Circuit;
use lathe_prover::{shapes, system};
use lathe_vm::trace::BatchTrace;
use reqwest::StatusCode;
use sha3::{Digest, Keccak256};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

static CIRCUITS: LazyLock<Vec<Circuit>> = LazyLock::new(|| vec![shapes::head(), shapes::body()]);

/// Stands in for a prover with keys.
#[derive(Default)]
pub struct DigestProver {
    /// Attempts that fail before one succeeds.
    pub failures: AtomicU32,
    /// Whether the next attempt panics.
    pub panics: AtomicBool,
    /// Proofs made.
    pub proofs: AtomicU32,
    /// How long one takes.
    pub pause: Duration,
}

fn digest(l1: &L1Binding, statement: [u8; 32]) -> Vec<u8> {
    Keccak256::digest([&l1.contract[..], &statement].concat()).to_vec()
}

impl Prover for DigestProver {
    fn capacity(&self, trace: &BatchTrace) -> Result<(), ProverError> {
        system::capacity(&CIRCUITS, trace).map_err(|e| ProverError::Capacity(e.to_string()))
    }

    fn prove(
        &self,
        trace: &BatchTrace,
        l1: &L1Binding,
        on_stage: OnStage<'_>,
    ) -> Result<Proved, ProverError> {
        on_stage(ProofStage::Assign, 0.0);
        std::thread::sleep(self.pause);
        if self.panics.swap(false, Ordering::SeqCst) {
            panic!("a panic for the test");
        }
        if self.failures.load(Ordering::SeqCst) > 0 {
            self.failures.fetch_sub(1, Ordering::SeqCst);
            return Err(ProverError::Failed("out of memory".into()));
        }
        on_stage(ProofStage::Prove, 0.5);
        self.proofs.fetch_add(1, Ordering::SeqCst);
        Ok(Proved { proof: digest(l1, trace.statement_hash) })
    }

    fn verify(&self, l1: &L1Binding, statement: [u8; 32], proof: &[u8]) -> Result<(), ProverError> {
        let same = proof == digest(l1, statement);
        same.then_some(()).ok_or_else(|| ProverError::Rejected("another digest".into()))
    }

    fn circuits(&self) -> Vec<CircuitInfo> {
        Vec::new()
    }

    fn layout_id(&self) -> u64 {
        1
    }

    fn device(&self) -> String {
        "none".into()
    }

    fn development(&self) -> bool {
        true
    }
}

/// Settings for `dir`.
pub fn config(dir: &Path) -> Config {
    Config {
        data_dir: dir.to_path_buf(),
        keys_dir: None,
        listen: ([127, 0, 0, 1], 0).into(),
        genesis: None,
        chain_id: DEV_CHAIN_ID,
        max_body_bytes: 1 << 20,
        max_steps: 1 << 20,
        drain_seconds: 5,
        device: DeviceArgs::default(),
        l1: L1Config {
            l1_rpc: "http://127.0.0.1:9".into(),
            l1_contract: None,
            l1_key_file: None,
            l1_confirmations: 1,
            l1_bump_seconds: 5,
        },
    }
}

/// A running server.
pub struct TestServer {
    /// `http://127.0.0.1:port`
    pub url: String,
    /// Its insides.
    pub app: Arc<App>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl TestServer {
    /// Starts on `dir` with a prover that always succeeds at once.
    pub async fn start(dir: &Path) -> TestServer {
        TestServer::start_with(config(dir), Arc::new(DigestProver::default())).await
    }

    /// Starts with given settings and prover.
    pub async fn start_with(config: Config, prover: Arc<DigestProver>) -> TestServer {
        let server = Server::open(config, prover).await.unwrap();
        let url = format!("http://{}", server.address().unwrap());
        let app = server.app();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(async move { server.run(shutdown).await.unwrap() });
        TestServer { url, app, stop, task }
    }

    /// Stops and waits until everything is drained.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }

    /// Posts a body.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> (StatusCode, serde_json::Value) {
        let client = crate::http_client(Duration::from_secs(20)).unwrap();
        let answer = client.post(format!("{}/v1/batches", self.url)).body(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// Posts a batch.
    pub async fn submit(&self, batch: &NewBatch) -> (StatusCode, serde_json::Value) {
        self.post(serde_json::to_string(batch).unwrap()).await
    }

    /// Posts a body that must be refused.
    pub async fn refused(&self, body: impl Into<reqwest::Body>) -> (StatusCode, ErrorDetail) {
        let (status, json) = self.post(body).await;
        assert!(status.is_client_error(), "{status}: {json}");
        (status, serde_json::from_value(json["error"].clone()).unwrap())
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> (StatusCode, serde_json::Value) {
        let client = crate::http_client(Duration::from_secs(20)).unwrap();
        let answer = client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// Waits until a batch has a status.
    pub async fn wait_for(&self, number: u64, status: &str) -> BatchView {
        for _ in 0..600 {
            let (_, json) = self.get(&format!("/v1/batches/{number}")).await;
            let view: BatchView = serde_json::from_value(json).unwrap();
            if view.status == status {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("batch {number} did not become {status}");
    }
}

/// Batch `number` of `count` transfers, now.
pub fn batch(number: u64, count: usize) -> NewBatch {
    batchgen::transfers(DEV_CHAIN_ID, number, unix_seconds(), count).unwrap()
}
