//! From a posted batch to what the prover reads, or just to its outcome.
//! Both entry points run the same machine; a batch that cannot be proven is refused here, by name.
use crate::batch::{self, BatchError, Record};
use crate::code::{CodeStore, word_of};
use crate::machine::tracer::{NoTrace, Recorder, Tracer};
use crate::machine::{self, Environment, Event, Finished, Limits, Seen, StateRead, Stopped, Watch};
use crate::receipt::{Receipt, receipts};
use crate::state::{CellId, StateError, Touched, Tree};
use crate::trace::{Access, BatchTrace, KeccakCall, Page, StateFinal, Statement, Steps, space};
use crate::word::Word;
use ff::PrimeField;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};
use std::sync::Arc;

/// What the statement says about the block besides what the replay finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BlockParams {
    /// Protocol version.
    pub protocol_version: u64,
    /// L2 chain id.
    pub chain_id: u64,
    /// Batch number.
    pub number: u64,
    /// Seconds.
    pub timestamp: u64,
    /// Wei per gas.
    pub base_fee: Word,
    /// Block gas limit.
    pub gas_limit: u64,
    /// Randomness of the beacon chain.
    pub prevrandao: Word,
    /// Wei per L1 gas.
    pub l1_gas_price: Word,
    /// Hash over past block hashes.
    pub past_block_hashes: Word,
    /// Who is paid.
    pub fee_recipient: [u8; 20],
}

/// Why a batch cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The machine stopped before the kernel's return: an instruction or halt that is not provable yet,
    /// a limit, missing code.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// A batch without records touches no state, and the proof of the state tree needs something touched.
    #[error("the batch has no records; post at least one")]
    Empty,
    /// The records do not encode.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The state tree refused the cells.
    #[error("state tree: {0}")]
    State(#[from] StateError),
    /// The kernel did not treat the records one by one.
    #[error("the kernel turned to {seen} records of {posted}; receipts cannot be told apart")]
    Kernel {
        /// Records that left events.
        seen: usize,
        /// Records posted.
        posted: usize,
    },
}

/// What programs can ask about the block of a posted batch. There are no blobs, no gas price but the base fee, and
/// no hashes of past blocks yet.
impl From<&BlockParams> for Environment {
    fn from(p: &BlockParams) -> Environment {
        Environment {
            number: p.number,
            timestamp: p.timestamp,
            base_fee: p.base_fee,
            gas_limit: p.gas_limit,
            prevrandao: p.prevrandao,
            fee_recipient: p.fee_recipient,
            chain_id: p.chain_id,
            blob_base_fee: Word::ZERO,
            gas_price: p.base_fee,
            block_hashes: Vec::new(),
        }
    }
}

impl StateRead for Tree {
    fn read(&self, cell: &CellId) -> Word {
        self.get_cell(cell)
    }
}

/// What a batch does, without a trace.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// One per record.
    pub receipts: Vec<Receipt>,
    /// Cells accessed, strictly increasing by key, with their new values: for [`Tree::apply`].
    pub touched: Vec<Touched>,
    /// Steps run.
    pub steps: u32,
    /// The kernel's three words.
    pub result: [Word; 3],
}

/// A replayed batch with its receipts.
#[derive(Clone, Debug)]
pub struct Replay {
    /// For the prover.
    pub trace: BatchTrace,
    /// One per record.
    pub receipts: Vec<Receipt>,
}

/// Replays a batch to its trace; `tree` stays as it is.
///
/// # Errors
/// See [`ReplayError`].
pub fn replay(
    tree: &Tree,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    params: &BlockParams,
    records: &[Record],
    limits: &Limits,
) -> Result<BatchTrace, ReplayError> {
    Ok(replay_with_receipts(tree, codes, kernel, params, records, limits)?.trace)
}

/// [`replay`], and what became of each record.
///
/// # Errors
/// See [`ReplayError`].
pub fn replay_with_receipts(
    tree: &Tree,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    params: &BlockParams,
    records: &[Record],
    limits: &Limits,
) -> Result<Replay, ReplayError> {
    if records.is_empty() {
        return Err(ReplayError::Empty);
    }
    let input = batch::encode(records)?;
    let mut run = run::<Recorder>(tree, codes, kernel, params, &input, limits)?;
    let receipts = receipts(records, &std::mem::take(&mut run.events))?;
    Ok(Replay { trace: trace(tree, kernel, params, input, run)?, receipts })
}

/// Runs any kernel over posted bytes.
pub(crate) fn run<T: Tracer + Default>(
    tree: &Tree,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    params: &BlockParams,
    input: &[u8],
    limits: &Limits,
) -> Result<Finished<T>, Stopped> {
    machine::run::<_, T>(tree, codes, kernel, &params.into(), input, limits)
}

/// The trace of a finished run over `input`, with the tree's witness and the statement.
pub(crate) fn trace(
    tree: &Tree,
    kernel: &Arc<Page>,
    params: &BlockParams,
    input: Vec<u8>,
    run: Finished<Recorder>,
) -> Result<BatchTrace, StateError> {
    let state_cells = state_cells(&run);
    let tree = tree.preview(&touched(&state_cells))?;
    let statement = statement(params, kernel, run.result, tree.old_root, tree.new_root);
    let (statement_hash, own) = hash_statement(&statement);
    let mut keccaks = vec![own];
    keccaks.extend(run.tracer.keccaks);
    Ok(BatchTrace {
        input,
        boot: run.boot,
        steps: Steps::recorded(run.tracer.steps, run.pages.clone()),
        keccaks,
        cells: run.cells,
        input_cells: run.input_cells,
        state_cells,
        transient: run.transient,
        tree,
        journal: run.journal,
        pages: run.pages.iter().map(|p| Page::clone(p)).collect(),
        statement,
        statement_hash,
    })
}

/// Runs a batch without a trace; `tree` stays as it is.
///
/// # Errors
/// See [`ReplayError`].
pub fn execute(
    tree: &Tree,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    params: &BlockParams,
    records: &[Record],
    limits: &Limits,
) -> Result<Outcome, ReplayError> {
    let input = batch::encode(records)?;
    let run = run::<NoTrace>(tree, codes, kernel, params, &input, limits)?;
    let receipts = receipts(records, &run.events)?;
    Ok(Outcome { receipts, touched: touched_by(&run), steps: run.steps, result: run.result })
}

/// [`execute`], with every step told to `tell`; answers the events of the run too.
///
/// # Errors
/// See [`ReplayError`].
pub fn execute_watched(
    tree: &Tree,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    params: &BlockParams,
    records: &[Record],
    limits: &Limits,
    tell: &mut dyn FnMut(&Seen),
) -> Result<(Outcome, Vec<Event>), ReplayError> {
    let input = batch::encode(records)?;
    let run = machine::run_with(tree, codes, kernel, &params.into(), &input, limits, Watch::new(tell))?;
    let (receipts, touched) = (receipts(records, &run.events)?, touched_by(&run));
    Ok((Outcome { receipts, touched, steps: run.steps, result: run.result }, run.events))
}

/// The cells a run accessed, for [`Tree::apply`].
pub(crate) fn touched_by<T: Tracer>(run: &Finished<T>) -> Vec<Touched> {
    touched(&state_cells(run))
}

/// Touched cells by increasing key, the key as an integer.
fn state_cells<T: Tracer>(run: &Finished<T>) -> Vec<StateFinal> {
    let mut cells: Vec<StateFinal> = run
        .touched
        .par_iter()
        .map(|t| StateFinal { cell: t.cell, key: t.cell.key(), old: t.old, new: t.new, time: t.time })
        .collect();
    cells.sort_by_key(|c| word_of(c.key));
    cells
}

fn touched(cells: &[StateFinal]) -> Vec<Touched> {
    cells.iter().map(|c| Touched { key: c.key, new_value: c.new }).collect()
}

fn statement(p: &BlockParams, kernel: &Page, result: [Word; 3], old: Fr, new: Fr) -> Statement {
    let word = |x: u64| Word::from(u128::from(x));
    let mut recipient = [0; 32];
    recipient[12..].copy_from_slice(&p.fee_recipient);
    Statement {
        protocol_version: word(p.protocol_version),
        chain_id: word(p.chain_id),
        batch_number: word(p.number),
        timestamp: word(p.timestamp),
        previous_state_root: word_of(old),
        new_state_root: word_of(new),
        batch_data_hash: result[0],
        priority_ops_hash: result[1],
        l2_to_l1_root: result[2],
        kernel_hash: kernel.hash_word(),
        base_fee: p.base_fee,
        gas_limit: word(p.gas_limit),
        prevrandao: p.prevrandao,
        l1_gas_price: p.l1_gas_price,
        past_block_hashes: p.past_block_hashes,
        fee_recipient: Word::from_be_bytes(recipient),
    }
}

/// Keccak-256 of the statement's 512 bytes, and the call that reads them at time 1.
pub fn hash_statement(statement: &Statement) -> ([u8; 32], KeccakCall) {
    let read = |(index, w): (usize, Word)| Access {
        space: space::STATEMENT,
        ctx: 0,
        index: index as u32,
        time: 1,
        old_time: 0,
        old: w,
        new: w,
    };
    let mut hasher = Keccak256::new();
    statement.words().iter().for_each(|w| hasher.update(w.to_be_bytes()));
    let hash: [u8; 32] = hasher.finalize().into();
    let words = statement.words().into_iter().enumerate().map(read).collect();
    let digest = Word::from_be_bytes(hash);
    let call = KeccakCall { clock: 0, space: space::STATEMENT, ctx: 0, first: 0, len: 512, words, digest };
    (hash, call)
}

/// A word as a field element, if it is the canonical integer of one.
pub fn fr_of(w: Word) -> Option<Fr> {
    let mut le = w.to_be_bytes();
    le.reverse();
    Option::from(Fr::from_repr(le.into()))
}
