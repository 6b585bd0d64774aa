//! Breaks a valid batch proof in every way the verifier must notice and counts what it noticed.
//! A change that leaves the proof valid is a survivor, and so is an attack that would prove nothing.

use super::{BatchProof, CIRCUIT_BYTES, CIRCUIT_WORDS, Layout, batch_pairs, check_keys, verify_batch};
use crate::groth16::VerifyingKey;
use crate::groth16::encode::Word;
use crate::groth16::verify::pairing_product_is_one;
use crate::transcript::Context;
use ff::Field;
use group::Curve;
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};

/// The order of the scalar field and of the base field, big-endian (EIP-197's p and q).
const P_HEX: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const Q_HEX: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

/// How many broken proofs were tried and how many were rejected.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Broken proofs and keys tried.
    pub tried: usize,
    /// Those the verifier rejected.
    pub rejected: usize,
    /// What was accepted, or was no attack to begin with.
    pub survivors: Vec<String>,
}

impl Tally {
    fn record(&mut self, what: String, rejected: bool) {
        self.tried += 1;
        self.rejected += usize::from(rejected);
        if !rejected {
            self.survivors.push(what);
        }
    }
}

/// A valid proof and what it is valid for.
pub struct Target<'a> {
    /// Its layout; at least two circuits.
    pub layout: &'a Layout,
    /// The keys of all shapes.
    pub keys: &'a [VerifyingKey],
    /// Chain, contract, statement and layout id.
    pub context: Context,
    /// The proof.
    pub proof: &'a BatchProof,
    /// A valid proof under the same keys for another statement.
    pub other: &'a BatchProof,
}

impl Target<'_> {
    fn accepts(&self, context: &Context, layout: &Layout, proof: &BatchProof) -> bool {
        let Context { l1_chain_id, contract, statement, .. } = *context;
        verify_batch(layout, self.keys, l1_chain_id, contract, statement, proof).is_ok()
    }

    fn accepts_proof(&self, proof: &BatchProof) -> bool {
        self.accepts(&self.context, self.layout, proof)
    }

    fn accepts_bytes(&self, bytes: &[u8]) -> bool {
        BatchProof::from_bytes(self.layout, bytes).is_ok_and(|proof| self.accepts_proof(&proof))
    }
}

/// Runs every attack. The unbroken proof is verified first; if that fails, all of this means nothing
/// and the tally says so.
pub fn tamper(target: &Target<'_>) -> Tally {
    let mut tally = Tally::default();
    if !target.accepts_proof(target.proof) {
        tally.survivors.push("the unbroken proof was rejected, so nothing was tested".into());
        return tally;
    }
    wire_bytes(target, &mut tally);
    context(target, &mut tally);
    structure(target, &mut tally);
    values(target, &mut tally);
    cancelling_errors(target, &mut tally);
    keys(target, &mut tally);
    tally
}

/// One bit in the first, a middle and the last byte of every word; words plus the modulus; lengths.
fn wire_bytes(target: &Target<'_>, tally: &mut Tally) {
    let bytes = target.proof.to_bytes();
    for word in 0..bytes.len() / 32 {
        let (circuit, part) = (word / CIRCUIT_WORDS, word % CIRCUIT_WORDS);
        for at in [0, 15, 31] {
            let mut broken = bytes.clone();
            broken[32 * word + at] ^= 1;
            tally
                .record(format!("circuit {circuit}, word {part}, byte {at}"), !target.accepts_bytes(&broken));
        }
        let modulus = if part == CIRCUIT_WORDS - 1 { P_HEX } else { Q_HEX };
        let mut broken = bytes.clone();
        add_modulus(&mut broken[32 * word..32 * word + 32], modulus);
        tally.record(format!("circuit {circuit}, word {part} plus modulus"), !target.accepts_bytes(&broken));
    }
    for len in [0, 1, CIRCUIT_BYTES, bytes.len() - 1, bytes.len() - CIRCUIT_BYTES] {
        tally.record(format!("proof cut to {len} bytes"), !target.accepts_bytes(&bytes[..len]));
    }
    let longer = [&bytes[..], &[0]].concat();
    tally.record("a byte appended".into(), !target.accepts_bytes(&longer));
    let doubled = [&bytes[..], &bytes[..CIRCUIT_BYTES]].concat();
    tally.record("a circuit appended".into(), !target.accepts_bytes(&doubled));
}

/// Adds the modulus to a big-endian word; both stay below 2^255, so nothing overflows.
fn add_modulus(word: &mut [u8], modulus: &str) {
    let mut modulus_bytes: Word = [0; 32];
    // The constants are 64 hexadecimal digits.
    let _ = hex::decode_to_slice(modulus, &mut modulus_bytes);
    let mut carry = 0u16;
    for (byte, m) in word.iter_mut().zip(modulus_bytes).rev() {
        let sum = u16::from(*byte) + u16::from(m) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
}

/// Everything the proof is bound to besides its circuits.
fn context(target: &Target<'_>, tally: &mut Tally) {
    let mut try_context = |what: &str, context: Context| {
        tally.record(what.into(), !target.accepts(&context, target.layout, target.proof));
    };
    for at in [0, 15, 16, 31] {
        let mut context = target.context;
        context.statement[at] ^= 1;
        try_context(&format!("statement byte {at}"), context);
    }
    let mut context = target.context;
    context.statement.rotate_left(16);
    try_context("statement halves swapped", context);
    for at in [0, 19] {
        let mut context = target.context;
        context.contract[at] ^= 1;
        try_context(&format!("contract byte {at}"), context);
    }
    let mut context = target.context;
    context.l1_chain_id += 1;
    try_context("L1 chain id", context);
    let layout = Layout { id: target.layout.id + 1, ..target.layout.clone() };
    let relabelled = BatchProof { layout_id: layout.id, ..target.proof.clone() };
    tally.record("layout id".into(), !target.accepts(&target.context, &layout, &relabelled));
    tally.record("proof of another batch".into(), !target.accepts_proof(target.other));
}

/// Circuits and commitments exchanged, dropped, doubled, replaced.
fn structure(target: &Target<'_>, tally: &mut Tally) {
    let mut try_proof = |what: String, change: &dyn Fn(&mut BatchProof)| {
        let mut proof = target.proof.clone();
        change(&mut proof);
        tally.record(what, !target.accepts_proof(&proof));
    };
    let count = target.proof.circuits.len();
    try_proof("first two circuits swapped".into(), &|p| p.circuits.swap(0, 1));
    try_proof("first two commitments swapped".into(), &|p| {
        let (first, rest) = p.circuits.split_at_mut(1);
        std::mem::swap(&mut first[0].d, &mut rest[0].d);
    });
    for k in 0..count {
        try_proof(format!("circuit {k} dropped"), &|p| {
            p.circuits.remove(k);
        });
        try_proof(format!("circuit {k} doubled"), &|p| p.circuits.insert(k, p.circuits[k].clone()));
        try_proof(format!("circuit {k} in place of the next"), &|p| {
            p.circuits[(k + 1) % count] = p.circuits[k].clone();
        });
        try_proof(format!("circuit {k} of another batch"), &|p| {
            p.circuits[k] = target.other.circuits[k].clone()
        });
        try_proof(format!("commitment {k} of another batch"), &|p| {
            p.circuits[k].d = target.other.circuits[k].d
        });
        try_proof(format!("commitment {k} at infinity"), &|p| p.circuits[k].d = G1Affine::default());
        try_proof(format!("commitment {k} negated"), &|p| p.circuits[k].d = -p.circuits[k].d);
        try_proof(format!("partial sum {k} of another batch"), &|p| {
            p.circuits[k].partial_sum = target.other.circuits[k].partial_sum;
        });
    }
}

/// Points and partial sums replaced by other valid ones.
fn values(target: &Target<'_>, tally: &mut Tally) {
    let mut try_proof = |what: String, change: &dyn Fn(&mut BatchProof)| {
        let mut proof = target.proof.clone();
        change(&mut proof);
        tally.record(what, !target.accepts_proof(&proof));
    };
    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    for k in 0..target.proof.circuits.len() {
        try_proof(format!("A {k} shifted"), &|p| {
            p.circuits[k].proof.a = (p.circuits[k].proof.a + g1).to_affine()
        });
        try_proof(format!("B {k} shifted"), &|p| {
            p.circuits[k].proof.b = (p.circuits[k].proof.b + g2).to_affine()
        });
        try_proof(format!("C {k} shifted"), &|p| {
            p.circuits[k].proof.c = (p.circuits[k].proof.c + g1).to_affine()
        });
        try_proof(format!("D {k} shifted"), &|p| p.circuits[k].d = (p.circuits[k].d + g1).to_affine());
        try_proof(format!("C and D {k} traded"), &|p| {
            let circuit = &mut p.circuits[k];
            std::mem::swap(&mut circuit.proof.c, &mut circuit.d);
        });
        try_proof(format!("A and B {k} at infinity"), &|p| {
            p.circuits[k].proof.a = G1Affine::default();
            p.circuits[k].proof.b = G2Affine::default();
        });
        try_proof(format!("partial sum {k} plus one"), &|p| p.circuits[k].partial_sum += Fr::ONE);
    }
    try_proof("one moved between partial sums".into(), &|p| {
        p.circuits[0].partial_sum += Fr::ONE;
        p.circuits[1].partial_sum -= Fr::ONE;
    });
    try_proof("partial sums exchanged".into(), &|p| {
        let (first, rest) = p.circuits.split_at_mut(1);
        std::mem::swap(&mut first[0].partial_sum, &mut rest[0].partial_sum);
    });
}

/// `A_0 - t A_1` and `B_1 + t B_0`: both equations fail, yet their plain product holds. Accepted
/// whenever the batching coefficients are known to be equal, so they must be drawn after the proofs.
fn cancelling_errors(target: &Target<'_>, tally: &mut Tally) {
    let t = Fr::from(5);
    let mut proof = target.proof.clone();
    let (a1, b0) = (proof.circuits[1].proof.a, proof.circuits[0].proof.b);
    let a0 = G1::from(proof.circuits[0].proof.a) - a1 * t;
    let b1 = G2::from(proof.circuits[1].proof.b) + b0 * t;
    proof.circuits[0].proof.a = a0.to_affine();
    proof.circuits[1].proof.b = b1.to_affine();
    let ones = vec![Fr::ONE; proof.circuits.len()];
    let fixed = batch_pairs(target.layout, target.keys, &target.context, &proof, Some(&ones));
    if !fixed.is_ok_and(|pairs| pairing_product_is_one(&pairs)) {
        tally.survivors.push("the cancelling errors do not cancel under fixed coefficients".into());
    }
    tally.record("errors that cancel under fixed coefficients".into(), !target.accepts_proof(&proof));
}

/// Keys that break a rule of the setup.
fn keys(target: &Target<'_>, tally: &mut Tally) {
    let mut try_keys = |what: &str, change: &dyn Fn(&mut [VerifyingKey])| {
        let mut keys = target.keys.to_vec();
        change(&mut keys);
        tally.record(format!("key with {what}"), check_keys(&keys).is_err());
    };
    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    try_keys("delta = gamma", &|k| k[0].delta_g2 = k[0].gamma_g2);
    try_keys("eta = gamma", &|k| k[0].eta_g2 = k[0].gamma_g2);
    try_keys("eta = delta", &|k| k[0].eta_g2 = k[0].delta_g2);
    try_keys("eta = -delta", &|k| k[0].eta_g2 = -k[0].delta_g2);
    try_keys("delta the generator", &|k| k[0].delta_g2 = g2);
    try_keys("eta the generator", &|k| k[0].eta_g2 = g2);
    try_keys("eta minus the generator", &|k| k[0].eta_g2 = -g2);
    try_keys("delta at infinity", &|k| k[0].delta_g2 = G2Affine::default());
    try_keys("gamma at infinity", &|k| k[0].gamma_g2 = G2Affine::default());
    try_keys("alpha at infinity", &|k| k[0].alpha_g1 = G1Affine::default());
    try_keys("an IC point at infinity", &|k| k[0].ic[1] = G1Affine::default());
    try_keys("an IC point off the curve", &|k| k[0].ic[1].y += halo2curves::bn256::Fq::ONE);
    try_keys("beta off the curve", &|k| k[0].beta_g2.x = g2.y);
    try_keys("an IC point missing", &|k| k[0].ic.truncate(7));
    try_keys("its own alpha", &|k| k[1].alpha_g1 = g1);
    try_keys("its own gamma", &|k| k[1].gamma_g2 = (g2 * Fr::from(3)).to_affine());
    try_keys("the delta of another circuit", &|k| k[1].delta_g2 = k[0].delta_g2);
    try_keys("the eta of another circuit", &|k| k[1].eta_g2 = k[0].eta_g2);
    try_keys("the delta of another circuit as eta", &|k| k[1].eta_g2 = k[0].delta_g2);
}
