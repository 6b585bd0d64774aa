//! The appliance as a whole, with real keys, real proofs and the real contracts: killed at every stage, it finishes
//! its batch and posts it once; and its proof convinces `lathe verify`, until somebody touches it.
use alloy::providers::Provider;
use lathe::batchgen;
use lathe::commands::setup::deployment;
use lathe::demo::anvil::{self, Anvil};
use lathe::demo::{ServerProcess, executed_root, start_server};
use lathe::device::DeviceArgs;
use lathe::genesis::DEV_CHAIN_ID;
use lathe::keys;
use lathe::progress::unix_seconds;
use lathe::relayer::deploy::{Deployed, deploy};
use lathe::relayer::provider;
use lathe::view::{BatchView, ProofView};
use lathe_kernels::BackendChoice;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Stages at which the server is killed. The last three wait for a block, and the test decides when there is one.
const STAGES: [&str; 8] =
    ["accepted", "assign", "commit", "prove", "proven", "settleCommit", "settleProve", "settleExecute"];

/// The best device of this machine.
const DEVICE: DeviceArgs = DeviceArgs { backend: BackendChoice::Auto, device_memory: None };

struct World {
    _l1: Anvil,
    l1_url: String,
    deployed: Deployed,
    out: PathBuf,
    keys: PathBuf,
    client: reqwest::Client,
    nonce_before: u64,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

async fn nonce(url: &str) -> u64 {
    let operator = anvil::operator().unwrap().address();
    provider(url).unwrap().get_transaction_count(operator).await.unwrap()
}

impl World {
    /// Keys, anvil with a block per second, contracts.
    async fn new(out: &Path) -> World {
        let keys = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys");
        let dir = keys.clone();
        let system = tokio::task::spawn_blocking(move || {
            keys::open(&dir, DEVICE.open().unwrap(), &|_, _| {}).unwrap()
        })
        .await
        .unwrap();
        let given = std::env::var_os("LATHE_ANVIL").map(PathBuf::from);
        let program = anvil::find(given.as_deref(), &root()).unwrap();
        let artefacts =
            std::env::var_os("LATHE_CONTRACTS").map_or(root().join("contracts/out"), PathBuf::from);
        // A block per second, and none while the test decides (see `set_mining`).
        let l1 = Anvil::start(&program, &["--block-time", "1"]).await.unwrap();
        let deployment = deployment(&system, None, DEV_CHAIN_ID, false).unwrap();
        let operator = anvil::operator().unwrap();
        let deployed = deploy(&l1.url(), &operator, &artefacts, &deployment).await.unwrap();
        let (l1_url, client) = (l1.url(), lathe::http_client(Duration::from_secs(20)).unwrap());
        let nonce_before = nonce(&l1_url).await;
        World { _l1: l1, l1_url, deployed, out: out.to_path_buf(), keys, client, nonce_before }
    }

    async fn serve(&self) -> ServerProcess {
        let exe = Path::new(env!("CARGO_BIN_EXE_lathe"));
        start_server(exe, &self.out, &self.keys, DEVICE, &self.l1_url, &self.deployed).await.unwrap()
    }

    async fn view(&self, server: &ServerProcess, number: u64) -> BatchView {
        let url = format!("{}/v1/batches/{number}", server.url);
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// A block every so many seconds; none for 0.
    async fn set_mining(&self, seconds: u64) {
        let l1 = provider(&self.l1_url).unwrap();
        l1.raw_request::<_, Value>("evm_setIntervalMining".into(), [seconds]).await.unwrap();
    }

    /// One block now.
    async fn mine(&self) {
        let l1 = provider(&self.l1_url).unwrap();
        l1.raw_request::<_, Value>("evm_mine".into(), ()).await.unwrap();
    }

    /// Polls until the batch is at `stage` or past it; whether it was seen there. Where an earlier settlement step
    /// waits for its block, there is one.
    async fn reach(&self, server: &ServerProcess, number: u64, stage: &str) -> bool {
        let position = |name: &str| STAGES.iter().position(|s| *s == name);
        loop {
            let view = self.view(server, number).await;
            let now = view.stage.as_deref().unwrap_or(&view.status);
            let now = if now == "replay" { "accepted" } else { now };
            match position(now) {
                Some(at) if at == position(stage).unwrap() => return true,
                Some(at) if at > position(stage).unwrap() => return false,
                None if now == "executed" => return false,
                _ if now.starts_with("settle") => {
                    self.mine().await;
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                _ => tokio::time::sleep(Duration::from_millis(3)).await,
            }
        }
    }

    async fn wait_executed(&self, server: &ServerProcess, number: u64) -> BatchView {
        let end = Instant::now() + Duration::from_secs(300);
        while Instant::now() < end {
            let view = self.view(server, number).await;
            assert_ne!(view.status, "failed", "{:?}", view.error);
            if view.status == "executed" {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("batch {number} was not executed in time");
    }

    async fn submit(&self, server: &ServerProcess, number: u64, count: usize) {
        let batch = batchgen::transfers(DEV_CHAIN_ID, number, unix_seconds(), count).unwrap();
        let answer =
            self.client.post(format!("{}/v1/batches", server.url)).json(&batch).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_stage_it_finishes_and_posts_each_batch_once() {
    let out = tempfile::tempdir().unwrap();
    let world = World::new(out.path()).await;
    let mut server = world.serve().await;
    world.submit(&server, 1, 16).await;
    let mut seen = Vec::new();
    world.set_mining(0).await;
    for stage in STAGES {
        // The first kill follows the 202 at once, wherever the worker is by then.
        if stage == "accepted" || world.reach(&server, 1, stage).await {
            seen.push(stage);
        }
        server.kill().await.unwrap();
        server = world.serve().await;
    }
    for stage in ["accepted", "prove", "settleCommit", "settleProve", "settleExecute"] {
        assert!(seen.contains(&stage), "never killed at {stage}, only at {seen:?}");
    }
    world.set_mining(1).await;
    let first = world.wait_executed(&server, 1).await;
    assert_eq!(executed_root(&world.l1_url, &world.deployed, 1).await.unwrap(), first.new_root);
    assert_eq!(nonce(&world.l1_url).await - world.nonce_before, 3, "batch 1 was posted more than once");

    // The chain goes on, and kills at arbitrary moments change nothing.
    world.submit(&server, 2, 3).await;
    let kills = std::env::var("LATHE_KILLS").map_or(4, |n| n.parse().unwrap());
    for i in 0..kills {
        tokio::time::sleep(Duration::from_millis(300 + 1700 * i % 9000)).await;
        server.kill().await.unwrap();
        server = world.serve().await;
    }
    let second = world.wait_executed(&server, 2).await;
    assert_eq!(second.old_root, first.new_root);
    assert_eq!(executed_root(&world.l1_url, &world.deployed, 2).await.unwrap(), second.new_root);
    assert_eq!(nonce(&world.l1_url).await - world.nonce_before, 6, "batch 2 was posted more than once");

    let url = format!("{}/v1/batches/1/proof", server.url);
    let proof: ProofView = world.client.get(url).send().await.unwrap().json().await.unwrap();
    verify_takes_the_proof_and_no_other(&world, &proof);
    status_and_submit_speak_to_the_server(&world, &server);
    a_damaged_key_file_is_named_and_not_used(&world);
    server.stop().await.unwrap();
}

fn lathe(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lathe")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `lathe verify` on the proof and on the proof with each part changed.
fn verify_takes_the_proof_and_no_other(world: &World, proof: &ProofView) {
    let file = world.out.join("proof.json");
    let verify = |json: &Value| {
        std::fs::write(&file, json.to_string()).unwrap();
        lathe(&["verify", file.to_str().unwrap(), "--keys-dir", world.keys.to_str().unwrap(), "--json"])
    };
    let good = serde_json::to_value(proof).unwrap();
    let output = verify(&good);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["valid"], &answer["newRoot"]), (&true.into(), &good["statement"]["newStateRoot"]));

    let refused = |what: &str, json: &Value| {
        let output = verify(json);
        assert!(!output.status.success(), "{what} was accepted");
        assert!(text(&output.stderr).contains("proof.json"), "{what}: {}", text(&output.stderr));
    };
    let bytes = proof.proof.len();
    for at in [2, 40, 130, 300, 500, 660, bytes / 2 + 9, bytes - 1] {
        let mut json = good.clone();
        let mut digits = proof.proof.clone().into_bytes();
        digits[at] = if digits[at] == b'1' { b'2' } else { b'1' };
        json["proof"] = String::from_utf8(digits).unwrap().into();
        refused(&format!("hex digit {at}"), &json);
    }
    for name in ["newStateRoot", "previousStateRoot", "batchDataHash", "kernelHash", "protocolVersion"] {
        let mut json = good.clone();
        json["statement"][name] = format!("0x{}", "07".repeat(32)).into();
        refused(name, &json);
        // With the hash recomputed the words agree with each other, and the proof is of something else.
        let words = serde_json::from_value::<ProofView>(json.clone()).unwrap().statement.parse().unwrap();
        let (hash, _) = lathe_vm::replay::hash_statement(&words);
        json["statementHash"] = format!("0x{}", hex::encode(hash)).into();
        refused(&format!("{name} with its hash"), &json);
    }
    let mut json = good.clone();
    json["l1"]["chainId"] = 1.into();
    refused("another L1 chain", &json);
    json["l1"] = good["l1"].clone();
    json["l1"]["contract"] = format!("0x{}", "11".repeat(20)).into();
    refused("another contract", &json);
    json["l1"] = good["l1"].clone();
    json["layoutId"] = 77.into();
    refused("another layout", &json);
    std::fs::write(&file, "{").unwrap();
    let output = lathe(&["verify", file.to_str().unwrap(), "--keys-dir", world.keys.to_str().unwrap()]);
    assert!(!output.status.success() && text(&output.stderr).contains("proof.json"));
}

fn status_and_submit_speak_to_the_server(world: &World, server: &ServerProcess) {
    let output = lathe(&["status", "--url", &server.url]);
    assert!(text(&output.stdout).contains("executed 2"), "{}", text(&output.stdout));
    let output = lathe(&["status", "2", "--url", &server.url, "--json"]);
    let view: BatchView = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((view.number, view.status.as_str()), (2, "executed"));
    let file = world.out.join("batch.json");
    let gap = batchgen::transfers(DEV_CHAIN_ID, 9, unix_seconds(), 1).unwrap();
    std::fs::write(&file, serde_json::to_string(&gap).unwrap()).unwrap();
    let output = lathe(&["submit", file.to_str().unwrap(), "--url", &server.url]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("the next batch is number 3"), "{}", text(&output.stderr));
}

fn a_damaged_key_file_is_named_and_not_used(world: &World) {
    let copy = world.out.join("keys");
    std::fs::create_dir(&copy).unwrap();
    let mut damaged = None;
    for entry in std::fs::read_dir(&world.keys).unwrap() {
        let from = entry.unwrap().path();
        let to = copy.join(from.file_name().unwrap());
        std::fs::copy(&from, &to).unwrap();
        if from.extension().is_some_and(|e| e == "key") && damaged.is_none() {
            let mut bytes = std::fs::read(&to).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&to, bytes).unwrap();
            damaged = Some(to);
        }
    }
    let name = damaged.unwrap().file_name().unwrap().to_str().unwrap().to_string();
    let output =
        lathe(&["serve", "--keys-dir", copy.to_str().unwrap(), "--data-dir", copy.to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains(&name), "{name}: {}", text(&output.stderr));
}
