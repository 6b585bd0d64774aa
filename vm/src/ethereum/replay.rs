//! From posted bytes to their outcome, or to the trace that a proof starts from, under the Ethereum kernel.
//! The tree and the code store stay as they are: what changes is handed back.
use super::batch::{self, BatchError};
use super::reason::Reason;
use super::receipt::{Receipt, ReceiptError, receipts};
use crate::code::CodeStore;
use crate::machine::tracer::{NoTrace, Recorder, Tracer};
use crate::machine::{self, Finished, Limits, Seen, Stopped, Watch};
use crate::replay::{self, BlockParams};
use crate::state::{StateError, Touched, Tree};
use crate::trace::{BatchTrace, Page};
use crate::word::Word;
use std::sync::Arc;

/// 20 million steps; 64 MiB hashed, 256 MiB moved, 1 GiB held and 4 GiB of trace; 16 MiB posted; outputs kept up to 16 MiB.
pub const LIMITS: Limits = Limits {
    unproven: true,
    max_steps: 20_000_000,
    max_hashed_bytes: 1 << 26,
    max_moved_bytes: 1 << 28,
    max_memory_bytes: 1 << 30,
    max_trace_bytes: 1 << 32,
    max_input_bytes: 1 << 24,
    max_output_bytes: 1 << 24,
};

/// Why a batch has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The kernel could not walk the bytes.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The machine stopped before the kernel's return.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The kernel's logs make no receipts.
    #[error(transparent)]
    Receipts(#[from] ReceiptError),
    /// The state tree refused the cells.
    #[error("state tree: {0}")]
    State(#[from] StateError),
}

/// What a batch does, without a trace.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// One per record.
    pub receipts: Vec<Receipt>,
    /// Cells accessed, strictly increasing by key, with their new values: for [`Tree::apply`].
    pub touched: Vec<Touched>,
    /// Pages that the batch made known and the store lacks: for [`CodeStore::insert`].
    pub published: Vec<Arc<Page>>,
    /// Steps run.
    pub steps: u32,
    /// `batchDataHash`, `priorityOpsHash`, `l2ToL1Root`, as the kernel has them.
    pub result: [Word; 3],
}

/// A replayed batch.
#[derive(Clone, Debug)]
pub struct Replay {
    /// For the prover.
    pub trace: BatchTrace,
    /// One per record.
    pub receipts: Vec<Receipt>,
    /// As [`Outcome::published`].
    pub published: Vec<Arc<Page>>,
}

/// Runs posted bytes without a trace.
///
/// # Errors
/// See [`ReplayError`].
pub fn execute(
    tree: &Tree,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    params: &BlockParams,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Outcome, ReplayError> {
    let bodies = batch::decode(bytes)?;
    outcome(params, &bodies, replay::run::<NoTrace>(tree, codes, kernel, params, bytes, limits)?)
}

/// [`execute`], with every step told to `tell`. A transaction ends with the kernel's `log` of three topics in context 0.
///
/// # Errors
/// See [`ReplayError`].
pub fn execute_watched(
    tree: &Tree,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    params: &BlockParams,
    bytes: &[u8],
    limits: &Limits,
    tell: &mut dyn FnMut(&Seen),
) -> Result<Outcome, ReplayError> {
    let bodies = batch::decode(bytes)?;
    let run = machine::run_with(tree, codes, kernel, &params.into(), bytes, limits, Watch::new(tell))?;
    outcome(params, &bodies, run)
}

fn outcome<T: Tracer>(
    params: &BlockParams,
    bodies: &[&[u8]],
    run: Finished<T>,
) -> Result<Outcome, ReplayError> {
    let receipts = receipts(params, bodies, &run.events)?;
    let touched = replay::touched_by(&run);
    Ok(Outcome { receipts, touched, published: run.published, steps: run.steps, result: run.result })
}

/// Runs posted bytes to a trace.
///
/// # Errors
/// See [`ReplayError`].
pub fn replay(
    tree: &Tree,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    params: &BlockParams,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Replay, ReplayError> {
    let bodies = batch::decode(bytes)?;
    let mut run = replay::run::<Recorder>(tree, codes, kernel, params, bytes, limits)?;
    let receipts = receipts(params, &bodies, &std::mem::take(&mut run.events))?;
    let published = std::mem::take(&mut run.published);
    let trace = replay::trace(tree, kernel, params, bytes.to_vec(), run)?;
    Ok(Replay { trace, receipts, published })
}

/// A batch in which nothing is skipped.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The bytes to post.
    pub bytes: Vec<u8>,
    /// What they do.
    pub outcome: Outcome,
    /// Positions in the given list that were left out, and why, in the order in which that was found.
    pub refused: Vec<(usize, Reason)>,
}

/// Leaves out what the kernel would skip, which the operator would pay for, until it skips nothing. One round runs the
/// whole batch; there are as many as refusals follow from one another, so [`super::intake`] should have passed the bodies.
///
/// # Errors
/// See [`ReplayError`].
pub fn select<B: AsRef<[u8]> + Sync>(
    tree: &Tree,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    params: &BlockParams,
    bodies: &[B],
    limits: &Limits,
) -> Result<Selection, ReplayError> {
    let mut kept: Vec<usize> = (0..bodies.len()).collect();
    let mut refused = Vec::new();
    loop {
        let chosen: Vec<&[u8]> = kept.iter().map(|i| bodies[*i].as_ref()).collect();
        let bytes = batch::encode(&chosen)?;
        let outcome = execute(tree, codes, kernel, params, &bytes, limits)?;
        let skipped: Vec<(usize, Reason)> =
            kept.iter().zip(&outcome.receipts).filter_map(|(i, r)| Some((*i, r.skip_reason?))).collect();
        // Without the others there may be gas enough.
        let full = |reason: &Reason| *reason == Reason::GasLimitAboveBlock;
        let others = skipped.iter().any(|(_, reason)| !full(reason));
        let before = refused.len();
        refused.extend(skipped.into_iter().filter(|(_, reason)| !others || !full(reason)));
        if refused.len() == before {
            return Ok(Selection { bytes, outcome, refused });
        }
        kept.retain(|i| !refused[before..].iter().any(|(out, _)| out == i));
    }
}
