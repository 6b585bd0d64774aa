//! The prover's worker: takes accepted batches in order, replays, proves and verifies them.
//! It keeps its own state, the one after the last proven batch, and calls nothing proven before the proof is
//! both verified and durable. Killed at any point, it begins the same batch again.
use crate::acceptor::{Chain, OpenError, compact_if_large, open_state, replay_stored, touched};
use crate::app::App;
use crate::metrics::METRICS;
use crate::progress::peak_memory_bytes;
use crate::prover::{L1Binding, ProofStage};
use crate::store::{BatchRow, Phase, ProgressRow, ProofRow};
use lathe_vm::state::{StateStore, Tree};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Folder of the state after the last proven batch.
pub const PROVEN_STATE: &str = "state-proven";
/// Attempts to prove one batch before the worker stands still. Proving is deterministic: more would not help,
/// but a full disk or a lack of memory may pass.
const ATTEMPTS: u32 = 3;
const RETRY: Duration = Duration::from_secs(5);

/// The worker with its state.
pub struct Worker {
    app: Arc<App>,
    chain: Arc<Chain>,
    state: StateStore,
    /// The device as last seen: a GPU that fails is replaced by the CPU in `auto` mode.
    device: String,
}

impl Worker {
    /// Opens the state after the last proven batch.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        data_dir: &Path,
        genesis: Tree,
        chain: Arc<Chain>,
        app: Arc<App>,
    ) -> Result<Worker, OpenError> {
        let last = app.store.last_proven()?;
        let state = open_state(&data_dir.join(PROVEN_STATE), genesis, &chain, &app.store, last)?;
        METRICS.last_batch("proven", last);
        let device = app.prover.device();
        Ok(Worker { app, chain, state, device })
    }

    /// Proves until `app.stopping`; runs on a thread of its own. `wait` blocks until there may be work.
    pub fn run(mut self, mut wait: impl FnMut()) {
        while !self.app.stopping() {
            match self.next() {
                Ok(Some(row)) => self.prove_with_retries(&row),
                Ok(None) => wait(),
                Err(error) => self.stand_still(error),
            }
        }
    }

    /// The batch to prove next. None before the L1 binding is known, since it is part of every proof.
    fn next(&self) -> Result<Option<BatchRow>, String> {
        if self.app.binding().is_none() {
            return Ok(None);
        }
        self.app.store.batch(self.state.batch_number() + 1).map_err(|e| e.to_string())
    }

    fn prove_with_retries(&mut self, row: &BatchRow) {
        for attempt in 1..=ATTEMPTS {
            self.app.proving.begin(row.number, "replay");
            // A panic of the prover must not end the worker without a word: it is a failed attempt like others.
            let attempt_once = AssertUnwindSafe(|| self.prove(row));
            let result = catch_unwind(attempt_once).unwrap_or_else(|panic| Err(panic_text(&*panic)));
            self.app.proving.end();
            self.note_device();
            let Err(error) = result else {
                self.app.set_worker_error(None);
                return;
            };
            METRICS.prove_failures.inc();
            tracing::error!(batch = row.number, attempt, %error, "proving failed");
            self.app.set_worker_error(Some(format!("batch {}: {error}", row.number)));
            let progress = ProgressRow { phase: Phase::Failed, error: Some(error), ..ProgressRow::default() };
            if let Err(error) = self.app.store.put_progress(row.number, &progress) {
                tracing::error!(%error, "the failure could not be stored");
            }
            if self.app.stopping() {
                return;
            }
            std::thread::sleep(RETRY);
        }
        self.stand_still(format!("batch {} failed {ATTEMPTS} times; restart to try again", row.number));
    }

    /// Says so if proving goes on with another device.
    fn note_device(&mut self) {
        let device = self.app.prover.device();
        if device != self.device {
            tracing::error!(before = self.device, now = device, "the proving device changed");
            self.device = device;
        }
    }

    /// Waits for the stop: batches after a failed one cannot be proven without it.
    fn stand_still(&self, error: String) {
        tracing::error!(%error, "the worker stands still");
        self.app.set_worker_error(Some(error));
        while !self.app.stopping() {
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn prove(&mut self, row: &BatchRow) -> Result<(), String> {
        let binding = self.app.binding().ok_or("the L1 binding is unknown")?;
        let app = Arc::clone(&self.app);
        let replay = replay_stored(&self.chain, self.state.tree(), row)?;
        let on_stage = |stage: ProofStage, fraction: f64| app.proving.at(stage_name(stage), fraction);
        let proved = app.prover.prove(&replay.trace, &binding, &on_stage).map_err(|e| e.to_string())?;
        app.proving.at(stage_name(ProofStage::Check), 1.0);
        let verified_ms = self.verify(&binding, replay.trace.statement_hash, &proved.proof)?;
        let stages_ms = app.proving.end();
        let proof = ProofRow {
            layout_id: app.prover.layout_id(),
            proof: proved.proof,
            peak_memory_bytes: peak_memory_bytes(),
            verified_ms,
        };
        let progress = ProgressRow { phase: Phase::Proven, stages_ms, error: None };
        app.store.insert_proof(row.number, &proof, &progress).map_err(|e| e.to_string())?;
        METRICS.proven.inc();
        METRICS.last_batch("proven", row.number);
        tracing::info!(batch = row.number, bytes = proof.proof.len(), "proven");
        app.wake_relayer.notify_one();
        self.state.apply(row.number, &touched(&replay)).map_err(|e| e.to_string())?;
        compact_if_large(&mut self.state).map_err(|e| e.to_string())
    }

    /// Verifies the bytes that will be stored, as a stranger would; milliseconds it took.
    fn verify(&self, binding: &L1Binding, statement: [u8; 32], proof: &[u8]) -> Result<f64, String> {
        let start = Instant::now();
        self.app.prover.verify(binding, statement, proof).map_err(|e| e.to_string())?;
        Ok(start.elapsed().as_secs_f64() * 1000.0)
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("the prover panicked: {}", text.unwrap_or("no text"))
}

/// Name of a stage in views, logs and metrics.
pub fn stage_name(stage: ProofStage) -> &'static str {
    match stage {
        ProofStage::Assign => "assign",
        ProofStage::Commit => "commit",
        ProofStage::Challenge => "challenge",
        ProofStage::Prove => "prove",
        ProofStage::Check => "check",
    }
}
