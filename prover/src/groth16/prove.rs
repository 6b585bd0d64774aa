//! The prover, in two steps whose types allow no other order: `commit` fixes the committed wires and
//! yields D; only its result can be turned into a proof. It never outputs a proof of a false witness.

use super::Proof;
use super::keys::{KeyError, ProvingKey, Section};
use crate::r1cs::{R1cs, R1csError};
use group::Curve;
use halo2curves::bn256::{Fr, G1, G1Affine, G2};
use lathe_kernels::{Backend, G1Bases, G2Bases, KernelError};
use rayon::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The backend refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The key is malformed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The assignment has the wrong shape.
    #[error(transparent)]
    Assignment(#[from] R1csError),
    /// Key and circuit do not belong together.
    #[error(
        "proving key `{key}` was made for another circuit (digest {expected}, circuit has {got}); run setup again"
    )]
    WrongCircuit {
        /// Name of the key.
        key: String,
        /// The key's digest.
        expected: String,
        /// The circuit's digest.
        got: String,
    },
    /// A number of committed values that does not fit the circuit.
    #[error("{got} committed values given, circuit `{circuit}` has {expected}")]
    CommittedLength {
        /// Name of the circuit.
        circuit: String,
        /// Committed wires of the circuit.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// A commitment made under another key.
    #[error("the commitment belongs to another circuit than `{circuit}`")]
    ForeignCommitment {
        /// Name of the circuit proving.
        circuit: String,
    },
    /// The assignment's committed part is not what was committed.
    #[error("the committed wires of circuit `{circuit}` changed after they were committed")]
    CommittedChanged {
        /// Name of the circuit.
        circuit: String,
    },
    /// The witness is wrong.
    #[error("circuit `{circuit}`: row {row} is not satisfied")]
    Unsatisfied {
        /// Name of the circuit.
        circuit: String,
        /// First row that fails.
        row: usize,
    },
}

/// Where the time of a proof went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Evaluation of A z, B z, C z and the check of every row.
    pub rows: Duration,
    /// The quotient's FFTs.
    pub fft: Duration,
    /// MSM of the quotient.
    pub msm_h: Duration,
    /// MSM of the remaining wires.
    pub msm_l: Duration,
    /// MSM of the left polynomials.
    pub msm_a: Duration,
    /// MSM of the right polynomials in G1.
    pub msm_b_g1: Duration,
    /// MSM of the right polynomials in G2.
    pub msm_b_g2: Duration,
}

/// A proof and where its time went.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The proof.
    pub proof: Proof,
    /// Time per part.
    pub timings: Timings,
}

/// A circuit whose key is resident on a backend.
pub struct Prover {
    backend: Arc<dyn Backend>,
    key: Arc<ProvingKey>,
    r1cs: Arc<R1cs>,
    h: G1Bases,
    l: G1Bases,
    ck: G1Bases,
    a: G1Bases,
    b_g1: G1Bases,
    b_g2: G2Bases,
}

/// The first step's result: the committed wires are fixed. The witness may be dropped and recomputed
/// before the second step, which compares it with what was committed.
#[derive(Debug)]
pub struct Committed {
    commitment: G1Affine,
    circuit_digest: [u8; 32],
    values_digest: [u8; 32],
}

impl Committed {
    /// The commitment D, which the transcript absorbs.
    pub fn commitment(&self) -> G1Affine {
        self.commitment
    }
}

/// Binds the values: a hash of hashes, so that all cores take part.
fn digest_values(values: &[Fr]) -> [u8; 32] {
    const CHUNK: usize = 1 << 10;
    let digest = |values: &[Fr]| {
        let mut bytes = [0; 32 * CHUNK];
        for (out, limb) in bytes.chunks_exact_mut(8).zip(values.iter().flat_map(|v| v.0)) {
            // Montgomery limbs are as canonical as the value.
            out.copy_from_slice(&limb.to_le_bytes());
        }
        *blake3::hash(&bytes[..32 * values.len()]).as_bytes()
    };
    let parts: Vec<[u8; 32]> = values.par_chunks(CHUNK).map(digest).collect();
    blake3::Hasher::new()
        .update(&(values.len() as u64).to_le_bytes())
        .update(&parts.concat())
        .finalize()
        .into()
}

fn gather(z: &[Fr], columns: &Section<u32>) -> Vec<Fr> {
    columns.as_ref().par_iter().with_min_len(1 << 12).map(|&column| z[column as usize]).collect()
}

fn timed<T>(slot: &mut Duration, f: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let value = f();
    *slot = start.elapsed();
    value
}

impl Prover {
    /// Checks that key and circuit belong together and makes the key's bases resident.
    pub fn new(backend: Arc<dyn Backend>, key: Arc<ProvingKey>, r1cs: Arc<R1cs>) -> Result<Self, ProveError> {
        key.check()?;
        let got = r1cs.digest();
        let info = &key.vk.info;
        if info.circuit_digest != got
            || info.num_rest as usize != r1cs.num_rest
            || info.num_committed as usize != r1cs.num_committed
            || info.num_rows as usize != r1cs.num_rows()
        {
            let (key, expected) = (info.name.clone(), hex::encode(info.circuit_digest));
            return Err(ProveError::WrongCircuit { key, expected, got: hex::encode(got) });
        }
        Ok(Self {
            h: backend.upload_g1(key.h.clone())?,
            l: backend.upload_g1(key.l.clone())?,
            ck: backend.upload_g1(key.ck.clone())?,
            a: backend.upload_g1(key.a.clone())?,
            b_g1: backend.upload_g1(key.b_g1.clone())?,
            b_g2: backend.upload_g2(key.b_g2.clone())?,
            backend,
            key,
            r1cs,
        })
    }

    /// The key in use.
    pub fn key(&self) -> &ProvingKey {
        &self.key
    }

    /// The circuit.
    pub fn r1cs(&self) -> &R1cs {
        &self.r1cs
    }

    fn circuit(&self) -> String {
        self.key.vk.info.name.clone()
    }

    /// Step one: `D = sum d_i ck_i` over the committed wires, in column order. D is not blinded: it
    /// binds the committed values but does not hide a guessable one.
    pub fn commit(&self, committed: &[Fr]) -> Result<Committed, ProveError> {
        let expected = self.r1cs.num_committed;
        if committed.len() != expected {
            let circuit = self.circuit();
            return Err(ProveError::CommittedLength { circuit, expected, got: committed.len() });
        }
        Ok(Committed {
            commitment: self.backend.msm_g1(&self.ck, committed)?.to_affine(),
            circuit_digest: self.key.vk.info.circuit_digest,
            values_digest: digest_values(committed),
        })
    }

    /// Step two: the proof for the whole assignment `z` (ONE first). `r` and `s` blind the proof:
    /// fresh and uniform for each, except in tests that compare bytes.
    pub fn prove(&self, committed: Committed, z: &[Fr], r: Fr, s: Fr) -> Result<Proven, ProveError> {
        let mut timings = Timings::default();
        if committed.circuit_digest != self.key.vk.info.circuit_digest {
            return Err(ProveError::ForeignCommitment { circuit: self.circuit() });
        }
        let [a, b, c] = timed(&mut timings.rows, || self.evaluate(&committed, z))?;
        let mut h = timed(&mut timings.fft, || self.backend.quotient(a, b, c))?;
        // The quotient's degree is at most n - 2.
        h.pop();
        let backend = &self.backend;
        let h = timed(&mut timings.msm_h, || backend.msm_g1(&self.h, &h))?;
        let rest = self.r1cs.committed_columns().end;
        let l = timed(&mut timings.msm_l, || backend.msm_g1(&self.l, &z[rest..]))?;
        let a = timed(&mut timings.msm_a, || backend.msm_g1(&self.a, &gather(z, &self.key.a_columns)))?;
        let b = gather(z, &self.key.b_columns);
        let b_g1 = timed(&mut timings.msm_b_g1, || backend.msm_g1(&self.b_g1, &b))?;
        let b_g2 = timed(&mut timings.msm_b_g2, || backend.msm_g2(&self.b_g2, &b))?;
        let proof = self.assemble([h, l, a, b_g1], b_g2, r, s);
        Ok(Proven { proof, timings })
    }

    /// The polynomials' evaluations on the domain, for an assignment that satisfies every row.
    fn evaluate(&self, committed: &Committed, z: &[Fr]) -> Result<[Vec<Fr>; 3], ProveError> {
        self.r1cs.check_assignment(z)?;
        if digest_values(&z[self.r1cs.committed_columns()]) != committed.values_digest {
            return Err(ProveError::CommittedChanged { circuit: self.circuit() });
        }
        let (evaluations, unsatisfied) = self.r1cs.eval_on_domain(z)?;
        match unsatisfied {
            Some(row) => Err(ProveError::Unsatisfied { circuit: self.circuit(), row }),
            None => Ok(evaluations),
        }
    }

    /// `A = alpha + a + r delta`, `B = beta + b + s delta`, `C = l + h + s A + r B - r s delta`.
    fn assemble(&self, [h, l, a, b_g1]: [G1; 4], b_g2: G2, r: Fr, s: Fr) -> Proof {
        let vk = &self.key.vk;
        let delta = G1::from(self.key.delta_g1);
        let proof_a = delta * r + vk.alpha_g1 + a;
        let proof_b_g1 = delta * s + self.key.beta_g1 + b_g1;
        let proof_b = G2::from(vk.delta_g2) * s + vk.beta_g2 + b_g2;
        let proof_c = h + l + proof_a * s + proof_b_g1 * r - delta * (r * s);
        Proof { a: proof_a.to_affine(), b: proof_b.to_affine(), c: proof_c.to_affine() }
    }
}
