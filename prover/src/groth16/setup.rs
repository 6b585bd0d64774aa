//! Generates keys. Circuits of one system share tau, alpha, beta and gamma; delta and eta are fresh
//! per circuit. The secrets never leave this module except inside group elements.

use super::keys::{KeyError, KeyInfo, ProvingKey, Section, VerifyingKey};
use crate::r1cs::{Matrix, R1cs};
use ff::{BatchInvert, Field};
use halo2curves::bn256::{Fr, G1Affine, G2Affine};
use lathe_kernels::{Backend, CurvePoint, KernelError, domain};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, RngCore, SeedableRng};
use rayon::prelude::*;
use std::sync::Arc;

/// Why no key could be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The domain is too large.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The generated key breaks a rule; with random secrets this means a circuit without public row.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A committed wire that no row uses: its commitment would bind nothing.
    #[error("committed wire in column {column} appears in no constraint; constrain or remove it")]
    UnconstrainedCommitted {
        /// The column.
        column: usize,
    },
    /// The circuit's name does not fit the key file's header.
    #[error("circuit name {name:?} is longer than 64 bytes")]
    NameTooLong {
        /// The name.
        name: String,
    },
    /// tau is a root of unity of the domain, which no honest randomness yields.
    #[error("the secret evaluation point lies in the domain; use another seed")]
    DegenerateSecret,
}

/// The secrets that all circuits of a system share, and the root of each circuit's own.
pub struct SystemSecrets {
    tau: Fr,
    alpha: Fr,
    beta: Fr,
    gamma: Fr,
    root: [u8; 32],
    development: bool,
}

impl SystemSecrets {
    /// Secrets derived from a public seed: reproducible, insecure, and marked so in every key.
    pub fn development(seed: &[u8]) -> Self {
        Self {
            development: true,
            ..Self::derive(blake3::derive_key("lathe 1 groth16 development seed", seed))
        }
    }

    /// Secrets from a cryptographic generator, forgotten when this value is dropped. One party runs
    /// this setup, and whoever could read its memory could forge.
    pub fn random(mut rng: impl RngCore + CryptoRng) -> Self {
        let mut root = [0; 32];
        rng.fill_bytes(&mut root);
        Self::derive(root)
    }

    fn derive(root: [u8; 32]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(blake3::derive_key("lathe 1 groth16 system", &root));
        let [tau, alpha, beta, gamma] = std::array::from_fn(|_| nonzero(&mut rng));
        Self { tau, alpha, beta, gamma, root, development: false }
    }

    /// delta and eta of one circuit.
    fn circuit(&self, name: &str, digest: &[u8; 32]) -> [Fr; 2] {
        let material = [&self.root[..], digest, name.as_bytes()].concat();
        let mut rng = ChaCha20Rng::from_seed(blake3::derive_key("lathe 1 groth16 circuit", &material));
        std::array::from_fn(|_| nonzero(&mut rng))
    }
}

fn nonzero(rng: &mut ChaCha20Rng) -> Fr {
    loop {
        let value = Fr::random(&mut *rng);
        if value != Fr::ZERO {
            return value;
        }
    }
}

/// `base^i * factor` for i below `count`.
fn powers(base: Fr, factor: Fr, count: usize) -> Vec<Fr> {
    const CHUNK: usize = 1 << 12;
    let mut out = vec![Fr::ZERO; count];
    out.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, out)| {
        let mut power = base.pow_vartime([(chunk * CHUNK) as u64]) * factor;
        for value in out {
            *value = power;
            power *= base;
        }
    });
    out
}

/// The value at tau of each column's polynomial: `sum over rows of coefficient * L_row(tau)`.
fn columns_at_tau(matrix: &Matrix, coeffs: &[Fr], lagrange: &[Fr], columns: usize) -> Vec<Fr> {
    let mut sums = vec![Fr::ZERO; columns];
    for (row, at_tau) in lagrange.iter().enumerate().take(matrix.rows()) {
        for (col, coeff) in matrix.row(row) {
            sums[col as usize] += coeffs[coeff as usize] * at_tau;
        }
    }
    sums
}

fn raw<P: CurvePoint>(points: Vec<P>) -> Arc<Section<P::Raw>> {
    Arc::new(Section::Owned(points.par_iter().map(P::to_raw).collect()))
}

/// The nonzero entries of a column vector and where they stand.
fn dense(values: &[Fr]) -> (Vec<u32>, Vec<Fr>) {
    (0u32..).zip(values).filter(|(_, v)| **v != Fr::ZERO).map(|(i, v)| (i, *v)).unzip()
}

/// Makes the proving key (and in it the verifying key) of one circuit.
///
/// `name` tells the circuits of a system apart in files and logs. Formulas: Groth16, ePrint 2016/260,
/// section 3.2, with the committed wires' bases divided by eta.
pub fn setup(
    backend: &dyn Backend,
    r1cs: &R1cs,
    name: &str,
    secrets: &SystemSecrets,
) -> Result<ProvingKey, SetupError> {
    if name.len() > 64 {
        return Err(SetupError::NameTooLong { name: name.to_string() });
    }
    let n = r1cs.domain_size();
    domain::log_size(n)?;
    let z_at_tau = domain::vanishing(n, secrets.tau);
    let circuit_digest = r1cs.digest();
    let mut inverses =
        [vec![z_at_tau, secrets.gamma], secrets.circuit(name, &circuit_digest).to_vec()].concat();
    let (delta, eta) = (inverses[2], inverses[3]);
    if z_at_tau == Fr::ZERO {
        return Err(SetupError::DegenerateSecret);
    }
    inverses.iter_mut().batch_invert();
    let [_, gamma_inv, delta_inv, eta_inv] = [inverses[0], inverses[1], inverses[2], inverses[3]];

    let mut lagrange = powers(secrets.tau, Fr::ONE, n);
    backend.ifft(&mut lagrange)?;
    let columns = r1cs.num_columns();
    let at_tau = |m: &Matrix| columns_at_tau(m, &r1cs.coeffs, &lagrange, columns);
    let ((mut u, v), w) =
        rayon::join(|| rayon::join(|| at_tau(&r1cs.a), || at_tau(&r1cs.b)), || at_tau(&r1cs.c));
    for input in 0..=r1cs.num_public {
        u[input] += lagrange[r1cs.num_rows() + input];
    }
    drop(lagrange);

    let scaled = |range: std::ops::Range<usize>, inverse: Fr| -> Vec<Fr> {
        range.into_par_iter().map(|i| (secrets.beta * u[i] + secrets.alpha * v[i] + w[i]) * inverse).collect()
    };
    let committed = r1cs.committed_columns();
    let ck = scaled(committed.clone(), eta_inv);
    if let Some(i) = ck.iter().position(|f| *f == Fr::ZERO) {
        return Err(SetupError::UnconstrainedCommitted { column: committed.start + i });
    }
    let ic = scaled(0..committed.start, gamma_inv);
    let l = scaled(committed.end..columns, delta_inv);
    drop(w);

    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    let in_g1 = |scalars: &[Fr]| backend.fixed_base_g1(g1, scalars);
    let singles = in_g1(&[secrets.alpha, secrets.beta, delta])?;
    let singles_g2 = backend.fixed_base_g2(g2, &[secrets.beta, secrets.gamma, delta, eta])?;
    let (a_columns, a) = dense(&u);
    let (b_columns, b) = dense(&v);
    drop((u, v));
    let info = KeyInfo {
        name: name.to_string(),
        circuit_digest,
        development: secrets.development,
        num_public: r1cs.num_public as u32,
        num_committed: r1cs.num_committed as u32,
        num_rest: r1cs.num_rest as u32,
        num_rows: r1cs.num_rows() as u32,
    };
    let vk = VerifyingKey {
        alpha_g1: singles[0],
        beta_g2: singles_g2[0],
        gamma_g2: singles_g2[1],
        delta_g2: singles_g2[2],
        eta_g2: singles_g2[3],
        ic: in_g1(&ic)?,
        info,
    };
    let key = ProvingKey {
        vk,
        beta_g1: singles[1],
        delta_g1: singles[2],
        h: raw(in_g1(&powers(secrets.tau, z_at_tau * delta_inv, n - 1))?),
        l: raw(in_g1(&l)?),
        ck: raw(in_g1(&ck)?),
        a: raw(in_g1(&a)?),
        a_columns: Arc::new(Section::Owned(a_columns)),
        b_g1: raw(in_g1(&b)?),
        b_g2: raw(backend.fixed_base_g2(g2, &b)?),
        b_columns: Arc::new(Section::Owned(b_columns)),
    };
    key.check()?;
    Ok(key)
}
