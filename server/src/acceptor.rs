//! From a posted batch to a durable record. Nothing is stored unless every check passed, and nothing is
//! acknowledged before the store's commit is on disk.
use crate::batchgen::NewBatch;
use crate::error::ApiError;
use crate::genesis::block_params;
use crate::metrics::METRICS;
use crate::progress::{lock, unix_millis};
use crate::prover::{Prover, ProverError};
use crate::store::{BatchRow, StatementHex, Store, StoreError, TxRow};
use crate::transaction::{self, Checked};
use axum::http::StatusCode;
use lathe_vm::batch::Record;
use lathe_vm::code::CodeStore;
use lathe_vm::machine::Limits;
use lathe_vm::programs;
use lathe_vm::replay::{self, Replay, ReplayError};
use lathe_vm::state::{CellId, StateError, StateStore, Touched, Tree};
use sha3::{Digest, Keccak256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Folder of the state after the last accepted batch.
pub const ACCEPTED_STATE: &str = "state-accepted";
/// Transactions that one batch may hold.
pub const MAX_TRANSACTIONS: usize = 4096;
/// Seconds that a timestamp may lie ahead of this machine's clock; below the contract's 15 minutes, so that
/// clocks that differ a little do not make a batch that L1 refuses.
pub const MAX_AHEAD: u64 = 10 * 60;

/// What batches are replayed with: fixed for the life of a data folder.
pub struct Chain {
    /// L2 chain id.
    pub chain_id: u64,
    /// Code that the state names.
    pub codes: CodeStore,
    /// Bounds on one batch.
    pub limits: Limits,
}

impl Chain {
    /// Replays `records` as batch `number` on `tree`.
    ///
    /// # Errors
    /// Those of the replay.
    pub fn replay(
        &self,
        tree: &Tree,
        number: u64,
        timestamp: u64,
        records: &[Record],
    ) -> Result<Replay, ReplayError> {
        let params = block_params(self.chain_id, number, timestamp);
        replay::replay_with_receipts(tree, &self.codes, programs::kernel(), &params, records, &self.limits)
    }
}

/// The state cells that a replay leaves behind.
pub fn touched(replay: &Replay) -> Vec<Touched> {
    replay.trace.state_cells.iter().map(|c| Touched { key: c.key, new_value: c.new }).collect()
}

/// Why the acceptor or the worker cannot open its state.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// A stored batch no longer replays to what was acknowledged.
    #[error("batch {number} of {store} does not replay: {what}; was it accepted by another version?")]
    Replay {
        /// Batch.
        number: u64,
        /// The store's file.
        store: String,
        /// Why.
        what: String,
    },
    /// State and store are not of one origin.
    #[error(
        "state folder {dir} is at batch {state}, the store only at {store}; they do not belong together: restore both from one backup, or delete the state folder to have it rebuilt"
    )]
    Ahead {
        /// State folder.
        dir: String,
        /// Its batch.
        state: u64,
        /// The store's batch.
        store: u64,
    },
}

/// Opens the state folder and brings it to batch `target` by replaying stored batches.
///
/// # Errors
/// See [`OpenError`].
pub fn open_state(
    dir: &Path,
    genesis: Tree,
    chain: &Chain,
    store: &Store,
    target: u64,
) -> Result<StateStore, OpenError> {
    let mut state = StateStore::open(dir, genesis)?;
    if state.batch_number() > target {
        let dir = dir.display().to_string();
        return Err(OpenError::Ahead { dir, state: state.batch_number(), store: target });
    }
    while state.batch_number() < target {
        let number = state.batch_number() + 1;
        let refuse =
            |what: String| OpenError::Replay { number, store: store.file().display().to_string(), what };
        let row = store.batch(number)?.ok_or_else(|| refuse("it is missing".into()))?;
        let replay = replay_stored(chain, state.tree(), &row).map_err(refuse)?;
        state.apply(number, &touched(&replay))?;
    }
    Ok(state)
}

/// Replays a stored batch and requires the statement that was acknowledged.
///
/// # Errors
/// What differs, in words.
pub fn replay_stored(chain: &Chain, tree: &Tree, row: &BatchRow) -> Result<Replay, String> {
    let posted =
        hex::decode(row.posted.trim_start_matches("0x")).map_err(|e| format!("posted bytes: {e}"))?;
    let records = lathe_vm::batch::decode(&posted).map_err(|e| e.to_string())?;
    let replay = chain.replay(tree, row.number, row.timestamp, &records).map_err(|e| e.to_string())?;
    let hash = hex0x(&replay.trace.statement_hash);
    if hash != row.statement_hash {
        return Err(format!("statement {hash}, {} was acknowledged", row.statement_hash));
    }
    Ok(replay)
}

/// Log bytes beyond which a state folder gets a new snapshot.
const COMPACT_AT: u64 = 64 << 20;

/// Cuts the log of a state folder down when it has grown large.
///
/// # Errors
/// Those of the state store.
pub fn compact_if_large(state: &mut StateStore) -> Result<(), StateError> {
    if state.log_bytes()? > COMPACT_AT { state.compact() } else { Ok(()) }
}

/// 0x hex.
pub fn hex0x(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Accepts batches one at a time.
pub struct Acceptor {
    store: Arc<Store>,
    chain: Arc<Chain>,
    prover: Arc<dyn Prover>,
    state: Mutex<StateStore>,
    genesis_root: [u8; 32],
}

impl Acceptor {
    /// State root before batch 1, big-endian.
    pub fn genesis_root(&self) -> [u8; 32] {
        self.genesis_root
    }

    /// Opens the state after the last accepted batch in `data_dir`, rebuilding what a crash left out.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        data_dir: &Path,
        genesis: Tree,
        chain: Arc<Chain>,
        store: Arc<Store>,
        prover: Arc<dyn Prover>,
    ) -> Result<Acceptor, OpenError> {
        let last = store.last_accepted()?;
        let genesis_root = lathe_vm::code::word_of(genesis.root()).to_be_bytes();
        let state = open_state(&data_dir.join(ACCEPTED_STATE), genesis, &chain, &store, last)?;
        METRICS.last_batch("accepted", last);
        Ok(Acceptor { store, chain, prover, state: Mutex::new(state), genesis_root })
    }

    /// Checks a batch and stores it; true if it is new, false if the same batch was accepted before.
    /// Blocks on disk and CPU.
    ///
    /// # Errors
    /// 409 or 422 with the reason; nothing is stored then.
    pub fn accept(&self, new: &NewBatch) -> Result<(BatchRow, bool), ApiError> {
        let timer = METRICS.accept_seconds.start_timer();
        check_size(new)?;
        let checked = self.check_transactions(new)?;
        let content = content_hash(new.timestamp, &checked);
        let mut state = lock(&self.state);
        if let Some(row) = self.existing(new.number, &content)? {
            timer.stop_and_discard();
            return Ok((row, false));
        }
        self.check_timestamp(new)?;
        check_nonces(state.tree(), &checked)?;
        let records: Vec<Record> = checked.iter().map(|c| c.record.clone()).collect();
        let replay = self.replay(state.tree(), new, &records)?;
        let row = row(new, content, &checked, &replay);
        if state.batch_number() + 1 != new.number {
            // An earlier batch is durable but its state could not be written: only reopening can mend that.
            return Err(ApiError::internal("the accepted state is behind the store; restart the server"));
        }
        self.store.insert_batch(&row).map_err(ApiError::internal)?;
        METRICS.accepted.inc();
        METRICS.last_batch("accepted", new.number);
        tracing::info!(batch = new.number, transactions = row.transactions.len(), "accepted");
        let written = state.apply(new.number, &touched(&replay)).map(drop);
        if let Err(error) = written.and_then(|()| compact_if_large(&mut state)) {
            // The batch is durable, hence accepted; later ones are refused until the state is reopened.
            tracing::error!(%error, batch = new.number, "the state could not be written");
        }
        timer.observe_duration();
        Ok((row, true))
    }

    fn check_transactions(&self, new: &NewBatch) -> Result<Vec<Checked>, ApiError> {
        let check = |(index, text): (usize, &String)| {
            transaction::check(text, self.chain.chain_id)
                .map_err(|e| ApiError::unprocessable(e.code(), e.to_string()).transaction(index))
        };
        new.transactions.iter().enumerate().map(check).collect()
    }

    /// The stored batch if it is this one; 409 if the number is not the next one otherwise.
    fn existing(&self, number: u64, content: &str) -> Result<Option<BatchRow>, ApiError> {
        let expected = self.store.last_accepted().map_err(ApiError::internal)? + 1;
        if number == expected {
            return Ok(None);
        }
        let (code, message) = match self.store.batch(number).map_err(ApiError::internal)? {
            Some(row) if row.content == content => return Ok(Some(row)),
            Some(_) => ("number_taken", format!("batch {number} is already accepted with other content")),
            None => ("number_gap", format!("batch {number} does not follow the last accepted batch")),
        };
        let message = format!("{message}; the next batch is number {expected}");
        Err(ApiError::new(StatusCode::CONFLICT, code, message).field("number").expected(expected))
    }

    fn check_timestamp(&self, new: &NewBatch) -> Result<(), ApiError> {
        let refuse = |message| Err(ApiError::unprocessable("wrong_timestamp", message).field("timestamp"));
        let previous = self.store.batch(new.number - 1).map_err(ApiError::internal)?;
        let earliest = previous.map_or(0, |row| row.timestamp);
        let latest = unix_millis() / 1000 + MAX_AHEAD;
        if new.timestamp < earliest {
            return refuse(format!("{} is before the previous batch's {earliest}", new.timestamp));
        }
        if new.timestamp > latest {
            return refuse(format!("{} is too far ahead; at most {latest} now", new.timestamp));
        }
        Ok(())
    }

    fn replay(&self, tree: &Tree, new: &NewBatch, records: &[Record]) -> Result<Replay, ApiError> {
        let replay = self.chain.replay(tree, new.number, new.timestamp, records).map_err(|e| {
            let code = if matches!(&e, ReplayError::State(_) | ReplayError::Kernel { .. }) {
                "not_replayable"
            } else {
                "not_provable"
            };
            ApiError::unprocessable(code, e.to_string()).field("transactions")
        })?;
        match self.prover.capacity(&replay.trace) {
            Ok(()) => Ok(replay),
            Err(e @ ProverError::Capacity(_)) => {
                Err(ApiError::unprocessable("capacity_exceeded", e.to_string()).field("transactions"))
            }
            Err(e) => Err(ApiError::internal(e)),
        }
    }
}

fn check_size(new: &NewBatch) -> Result<(), ApiError> {
    let count = new.transactions.len();
    if count == 0 || count > MAX_TRANSACTIONS {
        let message = format!("{count} transactions; a batch holds 1 to {MAX_TRANSACTIONS}");
        return Err(ApiError::unprocessable("transaction_count", message).field("transactions"));
    }
    Ok(())
}

/// Every sender's nonces must go on from the state without a gap: the kernel would skip others.
fn check_nonces(tree: &Tree, checked: &[Checked]) -> Result<(), ApiError> {
    let mut next: HashMap<[u8; 20], u128> = HashMap::new();
    for (index, tx) in checked.iter().enumerate() {
        let from = tx.record.from;
        let expected = next.entry(from).or_insert_with(|| tree.get_cell(&CellId::nonce(from)).lo);
        if u128::from(tx.record.nonce) != *expected {
            let message = format!("nonce {} of {}, expected {expected}", tx.record.nonce, hex0x(&from));
            return Err(ApiError::unprocessable("wrong_nonce", message).transaction(index));
        }
        *expected += 1;
    }
    Ok(())
}

/// Keccak-256 of timestamp and transaction hashes: what makes two batches of one number the same.
fn content_hash(timestamp: u64, checked: &[Checked]) -> String {
    let mut hasher = Keccak256::new();
    hasher.update(timestamp.to_be_bytes());
    checked.iter().for_each(|c| hasher.update(c.hash));
    hex0x(&hasher.finalize())
}

fn row(new: &NewBatch, content: String, checked: &[Checked], replay: &Replay) -> BatchRow {
    let tx = |c: &Checked| TxRow {
        hash: hex0x(&c.hash),
        from: hex0x(&c.record.from),
        to: hex0x(&c.record.to),
        nonce: c.record.nonce,
        raw: hex0x(&c.raw),
    };
    BatchRow {
        number: new.number,
        timestamp: new.timestamp,
        content,
        transactions: checked.iter().map(tx).collect(),
        posted: hex0x(&replay.trace.input),
        statement: StatementHex::of(&replay.trace.statement),
        statement_hash: hex0x(&replay.trace.statement_hash),
        receipts: replay.receipts.clone(),
        steps: replay.trace.steps.len() as u64,
        accepted_at_ms: unix_millis(),
    }
}
