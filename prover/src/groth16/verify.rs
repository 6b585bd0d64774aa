//! The off-chain verifier of one proof and the pieces the batch verifier shares with it.
//! Every point is checked for membership before it meets a pairing.

use super::Proof;
use super::encode::{DecodeError, check_g1, check_g2};
use super::keys::{KeyError, VerifyingKey};
use group::{Curve, Group};
use halo2curves::bn256::{Bn256, Fr, G1, G1Affine, G2Affine};
use pairing::{MillerLoopResult, MultiMillerLoop};

/// Why a proof is rejected, one variant per rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A value of the proof is malformed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A verifying key breaks a rule.
    #[error("verifying key of shape {shape}: {source}")]
    Key {
        /// Index of the shape.
        shape: usize,
        /// The rule.
        source: KeyError,
    },
    /// Keys of one system must share alpha, beta and gamma.
    #[error("verifying key of shape {shape} does not share alpha, beta and gamma with the first")]
    KeyNotShared {
        /// Index of the shape.
        shape: usize,
    },
    /// Keys of different circuits must not share delta or eta.
    #[error("verifying keys of shapes {left} and {right} share a delta or eta")]
    KeysNotIndependent {
        /// One shape.
        left: usize,
        /// The other.
        right: usize,
    },
    /// A number of public inputs that the key does not have.
    #[error("{got} public inputs given, the key has {expected}")]
    PublicInputs {
        /// The key's number.
        expected: usize,
        /// Number given.
        got: usize,
    },
    /// A key without committed wires was given a commitment, or the reverse is not a plain proof.
    #[error("the circuit has no committed wires, so the commitment must be infinity")]
    UnexpectedCommitment,
    /// A layout names a shape for which there is no key.
    #[error("layout {layout} needs the key of shape {shape}, only {keys} are given")]
    MissingKey {
        /// The layout's id.
        layout: u32,
        /// The shape.
        shape: usize,
        /// Number of keys.
        keys: usize,
    },
    /// A layout has its head, shape 0, exactly once and first.
    #[error(
        "layout {layout}: position {position} has shape {shape}; shape 0 stands at position 0 and nowhere else"
    )]
    LayoutHead {
        /// The layout.
        layout: u32,
        /// The position.
        position: usize,
        /// The shape there.
        shape: usize,
    },
    /// A layout without circuits.
    #[error("layout {layout} has no circuits")]
    EmptyLayout {
        /// The layout's id.
        layout: u32,
    },
    /// A proof for another layout.
    #[error("the proof is for layout {got}, expected {expected}")]
    Layout {
        /// The layout verified.
        expected: u32,
        /// The proof's.
        got: u32,
    },
    /// A circuit too many or too few.
    #[error("the proof has {got} circuits, the layout has {expected}")]
    CircuitCount {
        /// The layout's number.
        expected: usize,
        /// The proof's.
        got: usize,
    },
    /// The bus does not balance.
    #[error("the partial sums add to {got}, expected 0")]
    PartialSums {
        /// Their sum, in hexadecimal.
        got: String,
    },
    /// The pairing product is not one.
    #[error("the pairing equation does not hold")]
    Pairing,
}

/// Whether `prod e(p_i, q_i) = 1`.
pub(crate) fn pairing_product_is_one(pairs: &[(G1Affine, G2Affine)]) -> bool {
    let terms: Vec<_> = pairs.iter().map(|(p, q)| (p, q)).collect();
    Bn256::multi_miller_loop(&terms).final_exponentiation().is_identity().into()
}

/// `ic_0 + sum inputs_j ic_j`. Lengths were compared.
pub(crate) fn input_sum(vk: &VerifyingKey, inputs: &[Fr]) -> G1 {
    vk.ic[1..].iter().zip(inputs).fold(G1::from(vk.ic[0]), |sum, (ic, x)| sum + *ic * x)
}

/// Checks that a proof's points, and its commitment, belong to their groups.
pub(crate) fn check_points(
    name: impl Fn(&str) -> String,
    commitment: &G1Affine,
    proof: &Proof,
) -> Result<(), DecodeError> {
    check_g1(&name("D"), commitment)?;
    check_g1(&name("A"), &proof.a)?;
    check_g2(&name("B"), &proof.b)?;
    check_g1(&name("C"), &proof.c)
}

/// Verifies one proof: `e(A, B) = e(alpha, beta) e(IC, gamma) e(D, eta) e(C, delta)`.
///
/// `commitment` is D, infinity for a circuit without committed wires. Public inputs come in column
/// order without ONE; they are canonical by type (parse words with [`super::encode::parse_scalar`]).
/// The key has passed [`VerifyingKey::check`].
pub fn verify(
    vk: &VerifyingKey,
    public: &[Fr],
    commitment: &G1Affine,
    proof: &Proof,
) -> Result<(), VerifyError> {
    if public.len() + 1 != vk.ic.len() {
        return Err(VerifyError::PublicInputs { expected: vk.ic.len() - 1, got: public.len() });
    }
    if vk.info.num_committed == 0 && *commitment != G1Affine::default() {
        return Err(VerifyError::UnexpectedCommitment);
    }
    check_points(str::to_string, commitment, proof)?;
    let pairs = [
        (proof.a, proof.b),
        (-vk.alpha_g1, vk.beta_g2),
        ((-input_sum(vk, public)).to_affine(), vk.gamma_g2),
        (-*commitment, vk.eta_g2),
        (-proof.c, vk.delta_g2),
    ];
    match pairing_product_is_one(&pairs) {
        true => Ok(()),
        false => Err(VerifyError::Pairing),
    }
}
