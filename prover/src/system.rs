//! A proving system ready for use: circuits of all shapes, their keys, and the way from a trace to a batch proof.
//! A proof leaves this module only after the batch verifier has accepted it.
use crate::batch_verify::{BatchProof, CircuitProof, Layout, verify_batch};
use crate::circuit::assemble::CircuitValues;
use crate::circuit::check::check_circuits;
use crate::circuit::chip::AssignError;
use crate::circuit::row::EarlyPublics;
use crate::circuit::{Circuit, Counts};
use crate::groth16::key_file::KeyFileError;
use crate::groth16::prove::{Committed, ProveError as CircuitError, Prover, Timings};
use crate::groth16::setup::{SetupError, SystemSecrets, setup};
use crate::groth16::verify::VerifyError;
use crate::groth16::{KeyError, ProvingKey, VerifyingKey};
use crate::input::ProverInput;
use crate::shapes;
use crate::transcript::{Challenges, Context};
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_kernels::Backend;
use lathe_vm::trace::BatchTrace;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Seed of the development keys: public, so proofs under them convince nobody who matters.
const DEVELOPMENT_SEED: &[u8] = b"lathe development keys";

/// The L1 deployment a proof is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1Binding {
    /// Chain id of the L1.
    pub chain_id: u64,
    /// Address of the rollup contract.
    pub contract: [u8; 20],
}

/// Stages of proving, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Trace to committed wires.
    Assign,
    /// Commitments of all circuits.
    Commit,
    /// Challenges.
    Challenge,
    /// Second phase and Groth16, circuit by circuit.
    Prove,
    /// Verification of the finished proof.
    Check,
}

/// What a circuit looks like from outside.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitInfo {
    /// Shape.
    pub shape: String,
    /// R1CS constraints.
    pub constraints: usize,
    /// Committed wires.
    pub committed_wires: usize,
    /// Size of the evaluation domain.
    pub domain: usize,
}

/// How long proving took.
#[derive(Clone, Debug, Default)]
pub struct ProveReport {
    /// Wall time per stage, in order.
    pub stages: Vec<(Stage, Duration)>,
    /// Groth16's own split, circuit by circuit.
    pub circuits: Vec<(String, Timings)>,
}

/// Why a system could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// A key file is damaged or unreadable.
    #[error("{0}; delete the file to have the key made anew")]
    KeyFile(#[from] KeyFileError),
    /// The key directory cannot be made.
    #[error("key directory {path}: {source}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Key generation failed.
    #[error("setup of circuit '{circuit}': {source}")]
    Setup {
        /// The circuit.
        circuit: String,
        /// Why.
        source: SetupError,
    },
    /// A key holds a bad point.
    #[error("key of circuit '{circuit}': {source}; do not use this key")]
    Points {
        /// The circuit.
        circuit: String,
        /// Which point, and what is wrong with it.
        source: KeyError,
    },
    /// A key does not fit its circuit.
    #[error("key of circuit '{circuit}': {source}")]
    Key {
        /// The circuit.
        circuit: String,
        /// Why.
        source: CircuitError,
    },
}

/// Why a batch was not proven.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The trace does not fit the circuits.
    #[error(transparent)]
    Assign(#[from] AssignError),
    /// A circuit's proof failed.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// The finished proof was refused by our own verifier; it goes no further.
    #[error("the finished proof does not verify: {0}")]
    Refused(#[from] VerifyError),
}

/// Circuits with keys.
pub struct System {
    circuits: Vec<Circuit>,
    provers: Vec<Prover>,
    keys: Vec<VerifyingKey>,
    layout: Layout,
    backend: Arc<dyn Backend>,
}

impl System {
    /// Loads the keys in `dir`; makes those that are missing (development mode, from a fixed public seed).
    /// Setup and proofs run on `backend`. `progress` is told what is going on and how far it is, 0 to 1.
    ///
    /// # Errors
    /// A damaged key file is named and never replaced silently.
    pub fn open(
        dir: &Path,
        backend: Arc<dyn Backend>,
        progress: &dyn Fn(&str, f64),
    ) -> Result<System, SystemError> {
        std::fs::create_dir_all(dir)
            .map_err(|source| SystemError::Directory { path: dir.to_path_buf(), source })?;
        let secrets = SystemSecrets::development(DEVELOPMENT_SEED);
        let circuits = vec![shapes::head(), shapes::body()];
        let (mut provers, mut keys) = (Vec::new(), Vec::new());
        for (i, circuit) in circuits.iter().enumerate() {
            let done = i as f64 / circuits.len() as f64;
            let name = circuit.name.to_string();
            progress(&format!("circuit '{name}'"), done);
            let r1cs = Arc::new(circuit.r1cs());
            let path = dir.join(format!("{name}-{}.key", &hex::encode(r1cs.digest())[..16]));
            if !path.exists() {
                progress(&format!("setup of '{name}' ({} constraints)", r1cs.num_rows()), done);
                let key = setup(backend.as_ref(), &r1cs, &name, &secrets)
                    .map_err(|source| SystemError::Setup { circuit: name.clone(), source })?;
                key.save(&path)?;
            }
            progress(&format!("loading the key of '{name}'"), done);
            let key = Arc::new(ProvingKey::load(&path)?);
            keys.push(key.vk.clone());
            let prover = Prover::new(backend.clone(), key, r1cs)
                .map_err(|source| SystemError::Key { circuit: name, source })?;
            provers.push(prover);
        }
        progress("ready", 1.0);
        Ok(System { circuits, provers, keys, layout: shapes::layout(), backend })
    }

    /// Checks every point of every key, subgroups included, which takes seconds; for keys that somebody else made.
    ///
    /// # Errors
    /// The circuit, section and index of the first bad point.
    pub fn check_points(&self) -> Result<(), SystemError> {
        self.provers.iter().zip(&self.circuits).try_for_each(|(prover, circuit)| {
            prover
                .key()
                .check_points()
                .map_err(|source| SystemError::Points { circuit: circuit.name.into(), source })
        })
    }

    /// Whether a batch can be proven: the shapes have room for it, every constraint holds and the bus cancels. Takes
    /// about a second; a batch must pass before it is accepted, because an accepted one that cannot be proven stops the rollup.
    ///
    /// # Errors
    /// Names the chip, its need and its capacity; or what does not hold.
    pub fn capacity(&self, trace: &BatchTrace) -> Result<(), AssignError> {
        capacity(&self.circuits, trace)?;
        provable(&self.circuits, &self.layout, trace)
    }

    /// Proves a batch and verifies the proof.
    ///
    /// # Errors
    /// See [`ProveError`]; an error never leaves a half-made proof behind.
    pub fn prove(
        &self,
        trace: &BatchTrace,
        l1: &L1Binding,
        progress: &(dyn Fn(Stage, f64) + Sync),
    ) -> Result<(BatchProof, ProveReport), ProveError> {
        let mut report = ProveReport::default();
        let context = self.context(l1, trace.statement_hash);
        let early = self.early_publics(&context);

        let values = timed(&mut report, Stage::Assign, progress, || {
            assign(&self.circuits, &self.layout, trace, &early)
        })?;
        let committed = timed(&mut report, Stage::Commit, progress, || self.commit(&values, progress))?;
        let challenges = timed(&mut report, Stage::Challenge, progress, || {
            let drawn: Vec<_> = (self.layout.shapes.iter().zip(&committed))
                .map(|(s, c)| (self.keys[*s].evm_hash(), c.commitment()))
                .collect();
            Ok::<_, ProveError>(Challenges::draw(&context, &drawn))
        })?;
        let start = Instant::now();
        let mut circuits = Vec::new();
        let total = values.len() as f64;
        for (k, (v, c)) in values.into_iter().zip(committed).enumerate() {
            progress(Stage::Prove, k as f64 / total);
            let (proof, timings) = self.prove_circuit(k, v, c, early[k], &challenges)?;
            circuits.push(proof);
            report.circuits.push((self.circuits[self.layout.shapes[k]].name.to_string(), timings));
        }
        report.stages.push((Stage::Prove, start.elapsed()));
        let proof = BatchProof { layout_id: self.layout.id, circuits };
        timed(&mut report, Stage::Check, progress, || self.verify(l1, trace.statement_hash, &proof))?;
        progress(Stage::Check, 1.0);
        Ok((proof, report))
    }

    fn commit(
        &self,
        values: &[CircuitValues],
        progress: &(dyn Fn(Stage, f64) + Sync),
    ) -> Result<Vec<Committed>, ProveError> {
        let total = values.len() as f64;
        (self.layout.shapes.iter().zip(values).enumerate())
            .map(|(k, (s, v))| {
                progress(Stage::Commit, k as f64 / total);
                Ok(self.provers[*s].commit(&self.circuits[*s].committed_values(v))?)
            })
            .collect()
    }

    fn prove_circuit(
        &self,
        k: usize,
        values: CircuitValues,
        committed: Committed,
        early: EarlyPublics,
        challenges: &Challenges,
    ) -> Result<(CircuitProof, Timings), ProveError> {
        let shape = self.layout.shapes[k];
        let (z, partial_sum) =
            self.circuits[shape].full_assignment(&values, early, challenges.r, challenges.c);
        drop(values);
        let mut rng = ChaCha20Rng::from_entropy();
        let d = committed.commitment();
        let (r, s) = (Fr::random(&mut rng), Fr::random(&mut rng));
        let proven = self.provers[shape].prove(committed, &z, r, s)?;
        Ok((CircuitProof { d, proof: proven.proof, partial_sum }, proven.timings))
    }

    /// Verifies a batch proof against a deployment and a statement.
    ///
    /// # Errors
    /// One variant per reason of rejection.
    pub fn verify(&self, l1: &L1Binding, statement: [u8; 32], proof: &BatchProof) -> Result<(), VerifyError> {
        verify_batch(&self.layout, &self.keys, l1.chain_id, l1.contract, statement, proof)
    }

    fn context(&self, l1: &L1Binding, statement: [u8; 32]) -> Context {
        Context { l1_chain_id: l1.chain_id, contract: l1.contract, statement, layout_id: self.layout.id }
    }

    fn early_publics(&self, context: &Context) -> Vec<EarlyPublics> {
        early_publics(&self.layout, context)
    }

    /// The shapes.
    pub fn circuits(&self) -> Vec<CircuitInfo> {
        (self.circuits.iter().zip(&self.provers))
            .map(|(c, p)| CircuitInfo {
                shape: c.name.to_string(),
                constraints: p.r1cs().num_rows(),
                committed_wires: p.r1cs().num_committed,
                domain: p.key().domain_size(),
            })
            .collect()
    }

    /// The layout in use.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The layout's id.
    pub fn layout_id(&self) -> u64 {
        self.layout.id.into()
    }

    /// One verifying key per shape.
    pub fn verifying_keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// One verifying key per shape, as the words the contract stores.
    pub fn verifying_keys_evm(&self) -> Vec<Vec<[u8; 32]>> {
        self.keys.iter().map(VerifyingKey::evm_words).collect()
    }

    /// The device the kernels run on.
    pub fn device(&self) -> String {
        self.backend.device()
    }

    /// True if any key was made from the public seed.
    pub fn development(&self) -> bool {
        self.keys.iter().any(|k| k.info.development)
    }
}

/// Statement halves, position and layout id of each circuit of a layout.
pub fn early_publics(layout: &Layout, context: &Context) -> Vec<EarlyPublics> {
    let [hi, lo] = context.statement_halves();
    let id = Fr::from(u64::from(layout.id));
    (0..layout.shapes.len()).map(|k| [hi, lo, Fr::from(k as u64), id]).collect()
}

/// Whether `circuits` have room for a batch; the first chip that has not is the error.
///
/// # Errors
/// Names the chip, its need and its capacity.
pub fn capacity(circuits: &[Circuit], trace: &BatchTrace) -> Result<(), AssignError> {
    let counts = Counts::default();
    let input = ProverInput { trace, counts: &counts };
    for circuit in circuits {
        for (chip, need, capacity) in circuit.needs(&input)? {
            if need > capacity {
                return Err(AssignError::Capacity { chip, need, capacity });
            }
        }
    }
    Ok(())
}

/// Assigns a batch and checks every constraint and the bus, without keys, challenges or proof.
///
/// # Errors
/// Names the first thing that does not hold.
pub fn provable(circuits: &[Circuit], layout: &Layout, trace: &BatchTrace) -> Result<(), AssignError> {
    // The deployment does not matter: it enters the challenges only.
    let statement = trace.statement_hash;
    let context = Context { l1_chain_id: 0, contract: [0; 20], statement, layout_id: layout.id };
    let early = early_publics(layout, &context);
    let values = assign(circuits, layout, trace, &early)?;
    let parts: Vec<_> =
        layout.shapes.iter().zip(&values).zip(&early).map(|((s, v), e)| (&circuits[*s], v, *e)).collect();
    let (bad, bus) = check_circuits(&parts);
    let what = match (bad.first(), bus.keys().next()) {
        (Some(u), _) => format!("chip '{}', row {}: '{}' does not hold", u.chip, u.row, u.name),
        (None, Some((tag, _))) => format!("{} {tag:?} messages do not cancel", bus.len()),
        (None, None) => return Ok(()),
    };
    Err(AssignError::Unprovable { what })
}

/// First phase of every circuit of a layout, tables last: they hold the lookup counts of all circuits.
///
/// # Errors
/// If the trace does not fit.
pub fn assign(
    circuits: &[Circuit],
    layout: &Layout,
    trace: &BatchTrace,
    early: &[EarlyPublics],
) -> Result<Vec<CircuitValues>, AssignError> {
    let mut counts = Counts::default();
    let mut values = Vec::new();
    for (shape, early) in layout.shapes.iter().zip(early) {
        values.push(circuits[*shape].assign(trace, *early, &mut counts)?);
    }
    for ((shape, early), v) in layout.shapes.iter().zip(early).zip(&mut values) {
        circuits[*shape].assign_tables(trace, *early, &counts, v)?;
    }
    Ok(values)
}

fn timed<T, E>(
    report: &mut ProveReport,
    stage: Stage,
    progress: &(dyn Fn(Stage, f64) + Sync),
    f: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    progress(stage, 0.0);
    let start = Instant::now();
    let out = f();
    report.stages.push((stage, start.elapsed()));
    out
}
