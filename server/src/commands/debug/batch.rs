//! Batch files: what `lathe submit` posts, or a batch of the Ethereum kernel with its block; and the state that the first
//! one runs on where that is no server's.
use crate::app::load_genesis_file;
use crate::commands::CommandError;
use lathe_vm::code::CodeStore;
use lathe_vm::genesis::{Account, Genesis};
use lathe_vm::programs;
use lathe_vm::state::Tree;
use serde::Deserialize;
use std::io::Read;
use std::path::Path;

/// What runs a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kernel {
    /// The kernel that servers prove.
    #[default]
    Records,
    /// The kernel of Ethereum transactions.
    Ethereum,
}

/// The block of a batch of the Ethereum kernel, besides number and timestamp; what is left out is as on a server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Block {
    /// Chain id, in place of `--chain-id`.
    pub chain_id: Option<u64>,
    /// Wei per gas: decimal, or hex after 0x.
    pub base_fee: Option<String>,
    /// Gas of all transactions.
    pub gas_limit: Option<u64>,
    /// Who is paid, 0x and 40 hex digits.
    pub fee_recipient: Option<String>,
    /// As `base_fee`.
    pub prevrandao: Option<String>,
}

/// A batch.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// What runs it.
    #[serde(default)]
    pub kernel: Kernel,
    /// For the Ethereum kernel alone.
    pub block: Option<Block>,
    /// Batch number.
    pub number: u64,
    /// Seconds.
    pub timestamp: u64,
    /// Signed transactions, 0x hex; for the Ethereum kernel also the bodies of types 0x4c and 0x7e.
    pub transactions: Vec<String>,
    /// The state before it; paths of code are relative to the file.
    pub genesis: Option<Genesis>,
}

/// Reads a batch file.
///
/// # Errors
/// Names the file.
pub fn read(file: &Path) -> Result<Batch, CommandError> {
    let named = |error: &dyn std::fmt::Display| format!("batch file {}: {error}", file.display());
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map_err(|error| named(&error))?;
    } else {
        text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    }
    let batch: Batch = serde_json::from_str(&text).map_err(|error| named(&error))?;
    match (batch.kernel, &batch.block) {
        (Kernel::Records, Some(_)) => {
            Err(named(&"`block` needs `\"kernel\": \"ethereum\"` beside it").into())
        }
        _ => Ok(batch),
    }
}

/// The state before the first batch: its own, else the genesis file's.
///
/// # Errors
/// A genesis that is none, or two of them.
pub fn state(first: &Batch, file: &Path, genesis: Option<&Path>) -> Result<(Tree, CodeStore), CommandError> {
    match (&first.genesis, genesis) {
        (Some(_), Some(other)) => Err(format!(
            "{} has a genesis of its own: leave --genesis {} out",
            file.display(),
            other.display()
        )
        .into()),
        (Some(own), None) => build(first.kernel, own.clone(), file),
        (None, file) if first.kernel == Kernel::Records => Ok(load_genesis_file(file)?),
        (None, None) => build(first.kernel, Genesis::default(), file),
        (None, Some(other)) => {
            let text = std::fs::read_to_string(other);
            let text = text.map_err(|error| format!("genesis file {}: {error}", other.display()))?;
            build(first.kernel, Genesis::parse(&text)?, other)
        }
    }
}

/// Builds a genesis that is in a file; for the Ethereum kernel with the system contracts, with all code known, and with
/// nonces of contracts from 1 on.
fn build(kernel: Kernel, mut genesis: Genesis, file: &Path) -> Result<(Tree, CodeStore), CommandError> {
    if kernel == Kernel::Ethereum {
        genesis.known_code = true;
        for contract in genesis.accounts.iter_mut().filter(|account| account.code.is_some()) {
            contract.nonce = contract.nonce.max(1);
        }
        genesis.accounts.extend(programs::system().iter().map(|(address, page)| Account {
            address: format!("0x{}", hex::encode(address)),
            nonce: 1,
            code: Some(format!("0x{}", page.to_hex())),
            ..Account::default()
        }));
    }
    Ok(genesis.build(file.parent().unwrap_or(Path::new(".")))?)
}
