//! `lathe demo`: the whole way of a batch on one machine, with nothing simulated: a local L1, the contracts,
//! `lathe serve` as its own process, signed transactions over HTTP, proof, settlement.
//! Succeeds only if the L1 contract itself reports the new state root as executed.
pub mod anvil;
pub mod report;
pub mod watch;

use crate::batchgen;
use crate::commands::setup::{deployment, open};
use crate::commands::{CommandError, call, client, print_json, verify};
use crate::device::DeviceArgs;
use crate::genesis::DEV_CHAIN_ID;
use crate::keys::Verifier;
use crate::progress::unix_seconds;
use crate::relayer::contract::LatheRollup;
use crate::relayer::deploy::{Deployed, deploy};
use crate::relayer::provider;
use crate::view::{BatchView, ProofView};
use anvil::Anvil;
use clap::Args;
use report::Report;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Arguments.
#[derive(Debug, Args)]
pub struct Demo {
    /// Token transfers in the batch, 1 to 16.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub txs: u8,
    /// Folder for the server's data, its log and the report; those of an earlier demo are replaced.
    #[arg(long, default_value = "target/demo")]
    pub out: PathBuf,
    /// Folder for the keys; kept between runs.
    #[arg(long, env = "LATHE_KEYS_DIR", default_value = "target/keys")]
    pub keys_dir: PathBuf,
    /// Compiled contracts.
    #[arg(long, env = "LATHE_CONTRACTS", default_value = "contracts/out")]
    pub contracts: PathBuf,
    /// The anvil binary; else the one on PATH, else npm's below contracts/.
    #[arg(long, env = "LATHE_ANVIL")]
    pub anvil: Option<PathBuf>,
    /// The proving device.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Print the report as JSON at the end.
    #[arg(long)]
    pub json: bool,
}

/// The server as a child process.
pub struct ServerProcess {
    child: Child,
    /// `http://127.0.0.1:port`
    pub url: String,
}

/// Runs the demo.
///
/// # Errors
/// The first thing that is not as it must be.
pub async fn run(args: Demo) -> Result<(), CommandError> {
    let start = Instant::now();
    let program = anvil::find(args.anvil.as_deref(), Path::new("."))?;
    clear(&args.out)?;

    say(&args, "keys: opening; made once if missing, which takes minutes");
    let (deployment, verifier) = {
        let (dir, device) = (args.keys_dir.clone(), args.device);
        // Closed again before the server opens the same keys: two copies need not fit in memory.
        let system = tokio::task::spawn_blocking(move || open(&dir, device)).await??;
        (deployment(&system, None, DEV_CHAIN_ID, false)?, Verifier::of(&system))
    };
    let l1 = Anvil::start(&program, &[]).await?;
    let operator = anvil::operator()?;
    let deployed = deploy(&l1.url(), &operator, &args.contracts, &deployment).await?;
    say(
        &args,
        &format!("L1: anvil at {}, verifier {}, rollup {}", l1.url(), deployed.verifier, deployed.rollup),
    );

    let exe = std::env::current_exe()?;
    let mut server = start_server(&exe, &args.out, &args.keys_dir, args.device, &l1.url(), &deployed).await?;
    say(
        &args,
        &format!("server: lathe serve at {}, log in {}", server.url, args.out.join("server.log").display()),
    );
    let batch = batchgen::transfers(DEV_CHAIN_ID, 1, unix_seconds(), usize::from(args.txs))?;
    std::fs::write(args.out.join("batch.json"), serde_json::to_string_pretty(&batch)?)?;
    let client = client()?;
    let posted = Instant::now();
    let accepted: BatchView = call(client.post(format!("{}/v1/batches", server.url)).json(&batch)).await?;
    let accept_ms = posted.elapsed().as_millis() as u64;
    say(
        &args,
        &format!("batch {}: {} signed transfers accepted in {accept_ms} ms", accepted.number, args.txs),
    );
    let url = server.url.clone();
    let view = watch::watch(&client, &url, accepted.number, || server.alive()).await?;

    let proof: ProofView = call(client.get(format!("{url}/v1/batches/{}/proof", view.number))).await?;
    std::fs::write(args.out.join("proof.json"), serde_json::to_string_pretty(&proof)?)?;
    let clock = Instant::now();
    verify::check(&proof, &verifier).map_err(|e| format!("the downloaded proof is rejected: {e}"))?;
    let verified_ms = clock.elapsed().as_secs_f64() * 1000.0;
    let root = executed_root(&l1.url(), &deployed, view.number).await?;
    let report = Report::new(&view, &proof, accept_ms, verified_ms, root.clone())?;
    std::fs::write(args.out.join("report.json"), serde_json::to_string_pretty(&report)?)?;
    server.stop().await?;
    if args.json {
        print_json(&report)?;
    } else {
        println!("\n{}", report.text());
    }
    if root != view.new_root {
        return Err(format!("L1 executed root {root}, the batch leads to {}", view.new_root).into());
    }
    say(&args, &format!("executed on L1 ({:.1} s in all)", start.elapsed().as_secs_f64()));
    Ok(())
}

/// Removes what an earlier demo left in `out`, and nothing else.
fn clear(out: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(out)?;
    let data = out.join("data");
    if data.exists() {
        std::fs::remove_dir_all(data)?;
    }
    for name in ["operator.key", "server.log", "batch.json", "proof.json", "report.json"] {
        let file = out.join(name);
        if file.exists() {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}

fn say(args: &Demo, line: &str) {
    if args.json { eprintln!("{line}") } else { println!("{line}") }
}

/// The root that the contract itself calls executed, once it counts `number` batches.
///
/// # Errors
/// Another count, or what L1 answers.
pub async fn executed_root(url: &str, deployed: &Deployed, number: u64) -> Result<String, CommandError> {
    let rollup = LatheRollup::new(deployed.rollup, provider(url)?);
    let total = rollup.totalBatchesExecuted().call().await?;
    if total != number {
        return Err(format!("L1 counts {total} executed batches, {number} expected").into());
    }
    Ok(rollup.executedStateRoot().call().await?.to_string())
}

/// Starts `exe`, a `lathe` binary, as `lathe serve` on a free port with its data in `out`, settling on `l1`.
///
/// # Errors
/// With the path of its log if it ends before it listens.
pub async fn start_server(
    exe: &Path,
    out: &Path,
    keys_dir: &Path,
    device: DeviceArgs,
    l1: &str,
    deployed: &Deployed,
) -> Result<ServerProcess, CommandError> {
    let key_file = out.join("operator.key");
    std::fs::write(&key_file, anvil::OPERATOR_KEY)?;
    let log_file = out.join("server.log");
    let log = std::fs::OpenOptions::new().create(true).append(true).open(&log_file)?;
    let mut command = Command::new(exe);
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(device.to_args());
    command.arg("--data-dir").arg(out.join("data")).arg("--keys-dir").arg(keys_dir);
    command.args(["--l1-rpc", l1, "--l1-contract", &deployed.rollup.to_string()]);
    command.arg("--l1-key-file").arg(&key_file);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::from(log)).kill_on_drop(true);
    let mut child = command.spawn()?;
    let stdout = child.stdout.take().ok_or("the server has no output")?;
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(url) = line.strip_prefix("listening on ") {
            return Ok(ServerProcess { child, url: url.to_string() });
        }
    }
    Err(format!("the server ended before it listened; its log is {}", log_file.display()).into())
}

impl ServerProcess {
    /// Fails if the process has ended.
    ///
    /// # Errors
    /// Its exit status.
    pub fn alive(&mut self) -> Result<(), CommandError> {
        match self.child.try_wait()? {
            Some(status) => Err(format!("the server ended: {status}; see server.log").into()),
            None => Ok(()),
        }
    }

    /// Asks it to stop and waits for it.
    ///
    /// # Errors
    /// An exit status other than 0.
    pub async fn stop(mut self) -> Result<(), CommandError> {
        let id = self.child.id().ok_or("the server has ended already")?;
        // The shell's own `kill`: the program of that name is missing on bare systems.
        let kill = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status().await?;
        let status = self.child.wait().await?;
        if kill.success() && status.success() {
            Ok(())
        } else {
            Err(format!("the server stopped with {status}").into())
        }
    }

    /// Kills it without warning, as a crash would.
    ///
    /// # Errors
    /// The system's.
    pub async fn kill(mut self) -> Result<(), CommandError> {
        self.child.start_kill()?;
        self.child.wait().await?;
        Ok(())
    }
}
