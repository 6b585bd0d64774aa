//! `lathe setup`: makes and caches keys, and deploys the contracts if asked.
use super::{CommandError, print_json};
use crate::app::load_genesis_file;
use crate::device::DeviceArgs;
use crate::genesis::DEV_CHAIN_ID;
use crate::keys;
use crate::relayer::deploy::{Deployment, deploy};
use crate::relayer::read_key;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use lathe_prover::system::System;
use lathe_vm::code::word_of;
use lathe_vm::programs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Arguments.
#[derive(Debug, Args)]
pub struct Setup {
    /// Folder for the keys.
    #[arg(long, env = "LATHE_KEYS_DIR", default_value = "lathe-data/keys")]
    pub keys_dir: PathBuf,
    /// Deploy verifier and rollup to L1.
    #[arg(long, requires = "l1_key_file")]
    pub deploy: bool,
    /// JSON-RPC URL of an L1 node.
    #[arg(long, env = "LATHE_L1_RPC", default_value = "http://127.0.0.1:8545")]
    pub l1_rpc: String,
    /// File with the operator's private key, 0x hex.
    #[arg(long, env = "LATHE_L1_KEY_FILE")]
    pub l1_key_file: Option<PathBuf>,
    /// Compiled contracts.
    #[arg(long, env = "LATHE_CONTRACTS", default_value = "contracts/out")]
    pub contracts: PathBuf,
    /// Genesis file; the embedded development genesis if left out.
    #[arg(long, env = "LATHE_GENESIS")]
    pub genesis: Option<PathBuf>,
    /// Chain id of this L2.
    #[arg(long, env = "LATHE_CHAIN_ID", default_value_t = DEV_CHAIN_ID)]
    pub chain_id: u64,
    /// Deploy for production: L1 then refuses development keys and protocolVersion 0.
    #[arg(long)]
    pub production: bool,
    /// Check every point of the keys, subgroups included, as one should with keys that somebody else made.
    #[arg(long)]
    pub check_points: bool,
    /// The device that makes the keys.
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Makes keys, deploys.
///
/// # Errors
/// A damaged key file, or what L1 answers.
pub async fn run(args: Setup) -> Result<(), CommandError> {
    let start = Instant::now();
    let (dir, device) = (args.keys_dir.clone(), args.device);
    let system = tokio::task::spawn_blocking(move || open(&dir, device)).await??;
    if args.check_points {
        system.check_points()?;
    }
    let circuits = system.circuits();
    let seconds = start.elapsed().as_secs_f64();
    let mut report = serde_json::json!({
        "keysDir": args.keys_dir, "seconds": seconds, "circuits": circuits, "developmentKeys": system.development(), "pointsChecked": args.check_points,
    });
    if !args.json {
        if args.check_points {
            println!("every point of every key is in its group");
        }
        println!("keys ready in {} after {seconds:.1} s", args.keys_dir.display());
        for c in &circuits {
            println!(
                "  {:<8} {:>9} constraints, {:>9} committed wires, domain {}",
                c.shape, c.constraints, c.committed_wires, c.domain
            );
        }
    }
    if args.deploy {
        let file = args.l1_key_file.as_deref().ok_or("--deploy needs --l1-key-file")?;
        let deployment = deployment(&system, args.genesis.as_deref(), args.chain_id, args.production)?;
        let deployed = deploy(&args.l1_rpc, &read_key(file)?, &args.contracts, &deployment).await?;
        report["verifier"] = deployed.verifier.to_string().into();
        report["rollup"] = deployed.rollup.to_string().into();
        if !args.json {
            println!("verifier {}\nrollup   {}", deployed.verifier, deployed.rollup);
        }
    }
    if args.json { print_json(&report) } else { Ok(()) }
}

/// What the contracts are deployed with.
///
/// # Errors
/// Those of the genesis file.
pub fn deployment(
    system: &System,
    genesis: Option<&Path>,
    chain_id: u64,
    production: bool,
) -> Result<Deployment, CommandError> {
    let (tree, _) = load_genesis_file(genesis)?;
    let layout = system.layout();
    Ok(Deployment {
        keys: system.verifying_keys_evm(),
        development: system.development(),
        layout_id: layout.id,
        layout: layout.shapes.iter().map(|s| u8::try_from(*s)).collect::<Result<_, _>>()?,
        genesis_root: word_of(tree.root()).to_be_bytes(),
        kernel_hash: programs::kernel().hash_word().to_be_bytes(),
        chain_id,
        production,
    })
}

/// Opens the keys with a spinner, or with plain lines where stderr is no terminal.
///
/// # Errors
/// See [`keys::KeysError`].
pub fn open(dir: &Path, device: DeviceArgs) -> Result<System, keys::KeysError> {
    let backend = device.open()?;
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(120));
    let last = Mutex::new(String::new());
    let system = keys::open(dir, backend, &|what, done| {
        let mut last = crate::progress::lock(&last);
        if *last != what {
            *last = what.to_string();
            if bar.is_hidden() {
                eprintln!("  keys {:>3.0}%  {what}", done * 100.0);
            }
        }
        bar.set_message(format!("keys {:.0}%: {what}", done * 100.0));
    });
    bar.finish_and_clear();
    system
}
