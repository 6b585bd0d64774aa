//! `lathe debug`: runs a batch as a server would, and tells what each transaction did.
mod batch;
mod ethereum;
mod records;
mod view;
mod watch;

use super::CommandError;
use crate::genesis::DEV_CHAIN_ID;
use crate::inspect::project::{Project, Settings};
use batch::{Batch, Kernel};
use clap::Args;
use lathe_vm::machine::Limits;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, Args)]
pub struct Debug {
    /// Batches as JSON, in order; the last one is shown. `-` reads stdin.
    #[arg(required = true, value_name = "BATCH")]
    pub batches: Vec<PathBuf>,
    /// Stop after the transaction at this place, from 0.
    #[arg(long, value_name = "INDEX")]
    pub tx: Option<usize>,
    /// Print every step of the transaction that --tx names.
    #[arg(long, requires = "tx")]
    pub trace: bool,
    /// Steps that --trace prints.
    #[arg(long, default_value_t = 10_000, value_name = "STEPS")]
    pub trace_limit: u64,
    /// Genesis file, unless the first batch has a state of its own. If left out: the embedded development genesis, or the
    /// system contracts alone for batches of the Ethereum kernel.
    #[arg(long, env = "LATHE_GENESIS")]
    pub genesis: Option<PathBuf>,
    /// Chain id of the L2.
    #[arg(long, env = "LATHE_CHAIN_ID", default_value_t = DEV_CHAIN_ID)]
    pub chain_id: u64,
    /// Solidity file whose contracts, compiled with lathec, are looked for in the state: for names and lines.
    #[arg(long, value_name = "FILE")]
    pub source: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Whatever runs is run to its end; what a server would refuse for want of a proof is told.
const LIMITS: Limits = lathe_vm::ethereum::replay::LIMITS;

/// Replays and prints.
///
/// # Errors
/// A file that is no batch, a transaction that a server would refuse, or a batch without an outcome.
pub fn run(args: &Debug) -> Result<(), CommandError> {
    let project = match &args.source {
        Some(file) => Project::compile(file, &Settings::default(), &BTreeMap::new())?,
        None => Project::default(),
    };
    let batches = args.batches.iter().map(|file| batch::read(file)).collect::<Result<Vec<_>, _>>()?;
    let Some((shown, earlier)) = batches.split_last() else { return Ok(()) };
    if let Some(other) = earlier.iter().find(|batch| batch.kernel != shown.kernel) {
        return Err(format!("batches {} and {} are for different kernels", other.number, shown.number).into());
    }
    let state = batch::state(&batches[0], &args.batches[0], args.genesis.as_deref())?;
    match shown.kernel {
        Kernel::Records => records::run(args, &project, state, earlier, shown),
        Kernel::Ethereum => ethereum::run(args, &project, state, earlier, shown),
    }
}

/// The transactions to run: all, or those up to the one that `--tx` names.
fn kept<'a, T>(args: &Debug, batch: &Batch, all: &'a [T]) -> Result<&'a [T], CommandError> {
    let kept = args.tx.map_or(all.len(), |last| last.saturating_add(1));
    let missing = || format!("--tx {}: batch {} has {} transactions", kept - 1, batch.number, all.len());
    Ok(all.get(..kept).ok_or_else(missing)?)
}
