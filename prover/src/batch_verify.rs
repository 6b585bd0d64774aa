//! The batch proof, K circuits under one challenge, and its verifier: one pairing product.
//! Computes every public input but the partial sums itself and must never take one from the proof.

pub mod tamper;

use crate::groth16::encode::{
    DecodeError, Word, g1_words, g2_words, parse_g1, parse_g2, parse_scalar, scalar_word,
};
use crate::groth16::verify::{VerifyError, check_points, pairing_product_is_one};
use crate::groth16::{Proof, VerifyingKey};
use crate::transcript::{Challenges, Context, PUBLIC_INPUTS};
use ff::Field;
use group::{Curve, Group};
use halo2curves::bn256::{Fr, G1, G1Affine};

/// Words of one circuit on the wire: D, A, B, C, partial sum.
pub const CIRCUIT_WORDS: usize = 11;
/// Bytes of one circuit on the wire.
pub const CIRCUIT_BYTES: usize = 32 * CIRCUIT_WORDS;

/// A list of shapes fixed in the verifier: circuit k uses the verifying key `shapes[k]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Absorbed in the challenge.
    pub id: u32,
    /// Index of the key of each circuit.
    pub shapes: Vec<usize>,
}

/// One circuit of a batch proof.
#[derive(Debug, Clone, PartialEq)]
pub struct CircuitProof {
    /// Commitment to the committed wires.
    pub d: G1Affine,
    /// A, B and C.
    pub proof: Proof,
    /// The circuit's share of the bus sum.
    pub partial_sum: Fr,
}

/// The proof of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchProof {
    /// The layout the circuits follow; not part of the wire form, which L1 reads with the layout.
    pub layout_id: u32,
    /// The circuits in layout order.
    pub circuits: Vec<CircuitProof>,
}

impl BatchProof {
    /// The wire form: 11 words per circuit,
    /// `D.x D.y A.x A.y B.x.c1 B.x.c0 B.y.c1 B.y.c0 C.x C.y partialSum`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut words: Vec<Word> = Vec::with_capacity(CIRCUIT_WORDS * self.circuits.len());
        for circuit in &self.circuits {
            words.extend(g1_words(&circuit.d));
            words.extend(g1_words(&circuit.proof.a));
            words.extend(g2_words(&circuit.proof.b));
            words.extend(g1_words(&circuit.proof.c));
            words.push(scalar_word(&circuit.partial_sum));
        }
        words.concat()
    }

    /// Decodes the wire form of `layout`'s proof. Strict: exact length, canonical coordinates, points
    /// on their curves and B in the subgroup, partial sums below p.
    pub fn from_bytes(layout: &Layout, bytes: &[u8]) -> Result<Self, DecodeError> {
        let expected = CIRCUIT_BYTES * layout.shapes.len();
        if bytes.len() != expected {
            return Err(DecodeError::Length { what: "batch proof".into(), expected, got: bytes.len() });
        }
        let circuits = bytes
            .chunks_exact(CIRCUIT_BYTES)
            .enumerate()
            .map(|(k, bytes)| decode_circuit(k, bytes))
            .collect::<Result<_, _>>()?;
        Ok(Self { layout_id: layout.id, circuits })
    }
}

fn decode_circuit(k: usize, bytes: &[u8]) -> Result<CircuitProof, DecodeError> {
    let word = |i: usize| -> Word { std::array::from_fn(|j| bytes[32 * i + j]) };
    let name = |part: &str| format!("circuit {k}: {part}");
    Ok(CircuitProof {
        d: parse_g1(&name("D"), &[word(0), word(1)])?,
        proof: Proof {
            a: parse_g1(&name("A"), &[word(2), word(3)])?,
            b: parse_g2(&name("B"), &[word(4), word(5), word(6), word(7)])?,
            c: parse_g1(&name("C"), &[word(8), word(9)])?,
        },
        partial_sum: parse_scalar(&name("partial sum"), &word(10))?,
    })
}

/// Checks the keys a verifier works with: each on its own, alpha, beta and gamma shared, every delta
/// and eta its own. Costs milliseconds per key; do it once, when keys are loaded.
pub fn check_keys(keys: &[VerifyingKey]) -> Result<(), VerifyError> {
    for (shape, key) in keys.iter().enumerate() {
        key.check().map_err(|source| VerifyError::Key { shape, source })?;
        let first = &keys[0];
        if (key.alpha_g1, key.beta_g2, key.gamma_g2) != (first.alpha_g1, first.beta_g2, first.gamma_g2) {
            return Err(VerifyError::KeyNotShared { shape });
        }
        for (left, other) in keys[..shape].iter().enumerate() {
            let shared =
                [&key.delta_g2, &key.eta_g2].iter().any(|p| p.x == other.delta_g2.x || p.x == other.eta_g2.x);
            if shared {
                return Err(VerifyError::KeysNotIndependent { left, right: shape });
            }
        }
    }
    Ok(())
}

/// Verifies a batch proof against the keys of all shapes. `Ok` means: every circuit of the layout
/// holds for the statement, and the bus sums to zero. Also runs [`check_keys`].
pub fn verify_batch(
    layout: &Layout,
    keys: &[VerifyingKey],
    l1_chain_id: u64,
    contract: [u8; 20],
    statement: Word,
    proof: &BatchProof,
) -> Result<(), VerifyError> {
    check_keys(keys)?;
    let context = Context { l1_chain_id, contract, statement, layout_id: layout.id };
    let pairs = batch_pairs(layout, keys, &context, proof, None)?;
    match pairing_product_is_one(&pairs) {
        true => Ok(()),
        false => Err(VerifyError::Pairing),
    }
}

/// Everything but the pairing: the checks on the proof's values and the `K + 2 + 2V` pairs whose
/// product must be one. `fixed_rho` replaces the batching coefficients in the test that shows why
/// they must be random.
pub(crate) fn batch_pairs(
    layout: &Layout,
    keys: &[VerifyingKey],
    context: &Context,
    proof: &BatchProof,
    fixed_rho: Option<&[Fr]>,
) -> Result<Vec<(G1Affine, halo2curves::bn256::G2Affine)>, VerifyError> {
    check_shape(layout, keys, proof)?;
    let circuits = &proof.circuits;
    let mut total = Fr::ZERO;
    for (k, circuit) in circuits.iter().enumerate() {
        check_points(|part| format!("circuit {k}: {part}"), &circuit.d, &circuit.proof)?;
        total += circuit.partial_sum;
    }
    if total != Fr::ZERO {
        return Err(VerifyError::PartialSums { got: format!("0x{}", hex::encode(scalar_word(&total))) });
    }
    let committed: Vec<_> = layout.shapes.iter().zip(circuits).map(|(&v, c)| (&keys[v], c.d)).collect();
    let challenges = Challenges::for_keys(context, &committed);
    let proofs: Vec<_> = circuits.iter().map(|c| (&c.proof, c.partial_sum)).collect();
    let rho = match fixed_rho {
        Some(rho) => rho.to_vec(),
        None => challenges.batching(&Challenges::proofs_hash(&proofs), circuits.len()),
    };

    let mut pairs: Vec<_> =
        circuits.iter().zip(&rho).map(|(c, rho)| ((c.proof.a * rho).to_affine(), c.proof.b)).collect();
    let first = &keys[layout.shapes[0]];
    pairs.push(((-(first.alpha_g1 * rho.iter().sum::<Fr>())).to_affine(), first.beta_g2));
    let gamma_at = pairs.len();
    let mut inputs_sum = G1::identity();
    for (v, key) in keys.iter().enumerate().filter(|(v, _)| layout.shapes.contains(v)) {
        let mut scalars = [Fr::ZERO; PUBLIC_INPUTS + 1];
        let (mut c_sum, mut d_sum) = (G1::identity(), G1::identity());
        for (k, circuit) in circuits.iter().enumerate().filter(|(k, _)| layout.shapes[*k] == v) {
            let inputs = challenges.public_inputs(context, k, circuit.partial_sum);
            scalars[0] += rho[k];
            scalars[1..].iter_mut().zip(inputs).for_each(|(sum, x)| *sum += rho[k] * x);
            c_sum += circuit.proof.c * rho[k];
            d_sum += circuit.d * rho[k];
        }
        inputs_sum = key.ic.iter().zip(scalars).fold(inputs_sum, |sum, (ic, x)| sum + *ic * x);
        pairs.push(((-c_sum).to_affine(), key.delta_g2));
        pairs.push(((-d_sum).to_affine(), key.eta_g2));
    }
    pairs.insert(gamma_at, ((-inputs_sum).to_affine(), first.gamma_g2));
    Ok(pairs)
}

fn check_shape(layout: &Layout, keys: &[VerifyingKey], proof: &BatchProof) -> Result<(), VerifyError> {
    if proof.layout_id != layout.id {
        return Err(VerifyError::Layout { expected: layout.id, got: proof.layout_id });
    }
    if layout.shapes.is_empty() {
        return Err(VerifyError::EmptyLayout { layout: layout.id });
    }
    if proof.circuits.len() != layout.shapes.len() {
        return Err(VerifyError::CircuitCount { expected: layout.shapes.len(), got: proof.circuits.len() });
    }
    for (position, &shape) in layout.shapes.iter().enumerate() {
        if (shape == 0) != (position == 0) {
            return Err(VerifyError::LayoutHead { layout: layout.id, position, shape });
        }
        let Some(key) = keys.get(shape) else {
            return Err(VerifyError::MissingKey { layout: layout.id, shape, keys: keys.len() });
        };
        if key.ic.len() != PUBLIC_INPUTS + 1 {
            return Err(VerifyError::PublicInputs {
                expected: key.ic.len().saturating_sub(1),
                got: PUBLIC_INPUTS,
            });
        }
    }
    Ok(())
}
