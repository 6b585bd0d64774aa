//! What the server needs of a prover. The worker and the acceptor see this trait only, so that they can be
//! tested without keys; a proof that `verify` did not accept must never leave this boundary.
use lathe_prover::batch_verify::BatchProof;
use lathe_prover::system::{self, System};
use lathe_vm::trace::BatchTrace;
use serde::{Deserialize, Serialize};

/// The L1 side that a proof is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct L1Binding {
    /// L1 chain id; 0 when the appliance has no L1.
    pub chain_id: u64,
    /// Address of the rollup contract; zero when the appliance has no L1.
    #[serde(with = "hex::serde")]
    pub contract: [u8; 20],
}

impl L1Binding {
    /// Proofs for no L1: they verify off-chain and no contract accepts them.
    pub const NONE: L1Binding = L1Binding { chain_id: 0, contract: [0; 20] };
}

/// The parts of a proof's making, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofStage {
    /// Trace to rows and witness.
    Assign,
    /// One commitment per circuit.
    Commit,
    /// Bus challenges.
    Challenge,
    /// Groth16 per circuit.
    Prove,
    /// Verification of the whole batch proof.
    Check,
}

/// One circuit of the layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CircuitInfo {
    /// Name of its shape.
    pub shape: String,
    /// R1CS constraints.
    pub constraints: usize,
    /// Wires under the commitment.
    pub committed_wires: usize,
}

/// A verified proof.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The batch proof as L1 and `lathe verify` read it.
    pub proof: Vec<u8>,
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProverError {
    /// The batch does not fit the installed shapes; the text names chip, need and capacity.
    #[error("{0}")]
    Capacity(String),
    /// Proving failed.
    #[error("proving failed: {0}")]
    Failed(String),
    /// The proof does not prove the statement.
    #[error("the proof was rejected: {0}")]
    Rejected(String),
}

/// Receives the current stage and how much of it is done, in 0..=1.
pub type OnStage<'a> = &'a (dyn Fn(ProofStage, f64) + Sync);

/// A prover with its keys.
pub trait Prover: Send + Sync {
    /// Whether the batch fits the installed shapes.
    ///
    /// # Errors
    /// [`ProverError::Capacity`].
    fn capacity(&self, trace: &BatchTrace) -> Result<(), ProverError>;

    /// Proves a batch and verifies the proof. CPU bound; call it on a thread of its own.
    ///
    /// # Errors
    /// Any [`ProverError`].
    fn prove(&self, trace: &BatchTrace, l1: &L1Binding, on_stage: OnStage<'_>)
    -> Result<Proved, ProverError>;

    /// Verifies proof bytes, which may come from anywhere.
    ///
    /// # Errors
    /// [`ProverError::Rejected`].
    fn verify(&self, l1: &L1Binding, statement: [u8; 32], proof: &[u8]) -> Result<(), ProverError>;

    /// The circuits of the layout, in order.
    fn circuits(&self) -> Vec<CircuitInfo>;

    /// Id of the layout, as the contract's `proveBatch` takes it.
    fn layout_id(&self) -> u64;

    /// The device in words.
    fn device(&self) -> String;

    /// Whether any key comes from a development setup.
    fn development(&self) -> bool;
}

impl Prover for System {
    fn capacity(&self, trace: &BatchTrace) -> Result<(), ProverError> {
        System::capacity(self, trace).map_err(|e| ProverError::Capacity(e.to_string()))
    }

    fn prove(
        &self,
        trace: &BatchTrace,
        l1: &L1Binding,
        on_stage: OnStage<'_>,
    ) -> Result<Proved, ProverError> {
        let on_stage = |stage, fraction| on_stage(stage_of(stage), fraction);
        let (proof, _) = System::prove(self, trace, &l1.into(), &on_stage)
            .map_err(|e| ProverError::Failed(e.to_string()))?;
        Ok(Proved { proof: proof.to_bytes() })
    }

    fn verify(&self, l1: &L1Binding, statement: [u8; 32], proof: &[u8]) -> Result<(), ProverError> {
        let rejected = |e: &dyn std::fmt::Display| ProverError::Rejected(e.to_string());
        let proof = BatchProof::from_bytes(self.layout(), proof).map_err(|e| rejected(&e))?;
        System::verify(self, &l1.into(), statement, &proof).map_err(|e| rejected(&e))
    }

    fn circuits(&self) -> Vec<CircuitInfo> {
        let shapes = System::circuits(self);
        let info = |s: &usize| CircuitInfo {
            shape: shapes[*s].shape.clone(),
            constraints: shapes[*s].constraints,
            committed_wires: shapes[*s].committed_wires,
        };
        self.layout().shapes.iter().map(info).collect()
    }

    fn layout_id(&self) -> u64 {
        System::layout_id(self)
    }

    fn device(&self) -> String {
        System::device(self)
    }

    fn development(&self) -> bool {
        System::development(self)
    }
}

impl From<&L1Binding> for system::L1Binding {
    fn from(l1: &L1Binding) -> system::L1Binding {
        system::L1Binding { chain_id: l1.chain_id, contract: l1.contract }
    }
}

fn stage_of(stage: system::Stage) -> ProofStage {
    match stage {
        system::Stage::Assign => ProofStage::Assign,
        system::Stage::Commit => ProofStage::Commit,
        system::Stage::Challenge => ProofStage::Challenge,
        system::Stage::Prove => ProofStage::Prove,
        system::Stage::Check => ProofStage::Check,
    }
}
