//! To and from bellman's key types, for circuits without committed wires.
//! bellman has no eta; an imported key gets one from a hash, which only an empty commitment meets.

use super::keys::{KeyError, KeyInfo, ProvingKey, Section, VerifyingKey};
use crate::r1cs::R1cs;
use bellman::groth16;
use ff::Field;
use group::Curve;
use halo2curves::bn256::{Bn256, Fr, G1Affine, G2, G2Affine};
use lathe_kernels::{CurvePoint, RawG1};
use rand_core::SeedableRng;
use std::sync::Arc;

fn points<P: CurvePoint>(section: &Section<P::Raw>) -> Vec<P>
where
    P::Raw: bytemuck::Pod,
{
    section.as_ref().iter().map(P::from_raw).collect()
}

fn section<P: CurvePoint>(points: &[P]) -> Arc<Section<P::Raw>> {
    Arc::new(Section::Owned(points.iter().map(P::to_raw).collect()))
}

/// Columns with a term in a matrix, inputs first if `all_inputs`.
fn used_columns(r1cs: &R1cs, columns: &[u32], all_inputs: bool) -> Vec<u32> {
    let mut used = vec![false; r1cs.num_columns()];
    columns.iter().for_each(|&c| used[c as usize] = true);
    if all_inputs {
        used[..=r1cs.num_public].fill(true);
    }
    (0u32..).zip(used).filter(|(_, used)| *used).map(|(c, _)| c).collect()
}

impl VerifyingKey {
    /// bellman's verifying key; `beta_g1` and `delta_g1` come from the proving key. Refused for a
    /// circuit with committed wires, which bellman's verifier would ignore.
    fn to_bellman(
        &self,
        beta_g1: G1Affine,
        delta_g1: G1Affine,
    ) -> Result<groth16::VerifyingKey<Bn256>, KeyError> {
        if self.info.num_committed != 0 {
            let detail = "bellman's Groth16 has no committed wires".to_string();
            return Err(KeyError::Section { section: "ck", detail });
        }
        Ok(groth16::VerifyingKey {
            alpha_g1: self.alpha_g1,
            beta_g1,
            beta_g2: self.beta_g2,
            gamma_g2: self.gamma_g2,
            delta_g1,
            delta_g2: self.delta_g2,
            ic: self.ic.clone(),
        })
    }
}

impl ProvingKey {
    /// bellman's parameters of a circuit without committed wires.
    pub fn to_bellman(&self) -> Result<groth16::Parameters<Bn256>, KeyError> {
        let g1 = |s: &Section<RawG1>| Arc::new(points::<G1Affine>(s));
        Ok(groth16::Parameters {
            vk: self.vk.to_bellman(self.beta_g1, self.delta_g1)?,
            h: g1(&self.h),
            l: g1(&self.l),
            a: g1(&self.a),
            b_g1: g1(&self.b_g1),
            b_g2: Arc::new(points::<G2Affine>(&self.b_g2)),
        })
    }

    /// A key from bellman's parameters for the same circuit; `r1cs` has no committed wires. Every point is checked,
    /// subgroups included: parameters come from files that others made.
    pub fn from_bellman(
        parameters: &groth16::Parameters<Bn256>,
        r1cs: &R1cs,
        name: &str,
        development: bool,
    ) -> Result<Self, KeyError> {
        if r1cs.num_committed != 0 {
            let detail = "bellman's Groth16 has no committed wires".to_string();
            return Err(KeyError::Section { section: "ck", detail });
        }
        let vk = &parameters.vk;
        let seed = blake3::derive_key(
            "lathe 1 groth16 unused eta",
            &vk.delta_g2.to_raw().map(u64::to_le_bytes).concat(),
        );
        let eta = Fr::random(rand_chacha::ChaCha20Rng::from_seed(seed));
        let key = Self {
            vk: VerifyingKey {
                alpha_g1: vk.alpha_g1,
                beta_g2: vk.beta_g2,
                gamma_g2: vk.gamma_g2,
                delta_g2: vk.delta_g2,
                eta_g2: (G2::generator() * eta).to_affine(),
                ic: vk.ic.clone(),
                info: KeyInfo {
                    name: name.to_string(),
                    circuit_digest: r1cs.digest(),
                    development,
                    num_public: r1cs.num_public as u32,
                    num_committed: 0,
                    num_rest: r1cs.num_rest as u32,
                    num_rows: r1cs.num_rows() as u32,
                },
            },
            beta_g1: vk.beta_g1,
            delta_g1: vk.delta_g1,
            h: section(&parameters.h),
            l: section(&parameters.l),
            ck: Arc::new(Section::Owned(vec![])),
            a_columns: Arc::new(Section::Owned(used_columns(r1cs, &r1cs.a.col, true))),
            a: section(&parameters.a),
            b_columns: Arc::new(Section::Owned(used_columns(r1cs, &r1cs.b.col, false))),
            b_g1: section(&parameters.b_g1),
            b_g2: section(&parameters.b_g2),
        };
        key.check()?;
        key.check_points()?;
        Ok(key)
    }
}
