//! Settings of the server. Everything has a default, so that `lathe serve` alone works; a setting that cannot
//! be right is refused at start with its name.
use crate::device::DeviceArgs;
use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Settings of `lathe serve`, from flags or environment.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// Folder for batches, state and proofs.
    #[arg(long, env = "LATHE_DATA_DIR", default_value = "lathe-data")]
    pub data_dir: PathBuf,

    /// Folder for proving keys; `keys` inside the data folder if left out.
    #[arg(long, env = "LATHE_KEYS_DIR")]
    pub keys_dir: Option<PathBuf>,

    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env = "LATHE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Genesis file; the embedded development genesis if left out.
    #[arg(long, env = "LATHE_GENESIS")]
    pub genesis: Option<PathBuf>,

    /// Chain id of this L2, which every transaction must name.
    #[arg(long, env = "LATHE_CHAIN_ID", default_value_t = crate::genesis::DEV_CHAIN_ID)]
    pub chain_id: u64,

    /// Largest request body in bytes.
    #[arg(long, env = "LATHE_MAX_BODY_BYTES", default_value_t = 4 << 20)]
    pub max_body_bytes: usize,

    /// Most machine steps in one batch.
    #[arg(long, env = "LATHE_MAX_STEPS", default_value_t = 1 << 20)]
    pub max_steps: u32,

    /// Seconds that a stop waits for the proof in work. A proof cut off is made again after the next start.
    #[arg(long, env = "LATHE_DRAIN_SECONDS", default_value_t = 20)]
    pub drain_seconds: u64,

    /// The proving device.
    #[command(flatten)]
    pub device: DeviceArgs,

    /// Settlement.
    #[command(flatten)]
    pub l1: L1Config,
}

/// Settlement on L1. Off unless a contract is given.
#[derive(Clone, Debug, Args)]
pub struct L1Config {
    /// JSON-RPC URL of an L1 node.
    #[arg(long, env = "LATHE_L1_RPC", default_value = "http://127.0.0.1:8545")]
    pub l1_rpc: String,

    /// Address of the rollup contract. Without it batches are proven and not settled.
    #[arg(long, env = "LATHE_L1_CONTRACT")]
    pub l1_contract: Option<String>,

    /// File with the operator's private key, 0x hex.
    #[arg(long, env = "LATHE_L1_KEY_FILE")]
    pub l1_key_file: Option<PathBuf>,

    /// L1 blocks, its own included, before a transaction counts as mined.
    #[arg(long, env = "LATHE_L1_CONFIRMATIONS", default_value_t = 1)]
    pub l1_confirmations: u64,

    /// Seconds until an unmined transaction is sent again with higher fees.
    #[arg(long, env = "LATHE_L1_BUMP_SECONDS", default_value_t = 90)]
    pub l1_bump_seconds: u64,
}

impl Config {
    /// The keys folder.
    pub fn keys_dir(&self) -> PathBuf {
        self.keys_dir.clone().unwrap_or_else(|| self.data_dir.join("keys"))
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// How long a stop waits.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}
