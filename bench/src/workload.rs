//! Inputs of the kernels: the operations, random points and scalars. Deterministic, so that two runs, and all libraries,
//! work on the same numbers.

use crate::Failure;
use clap::ValueEnum;
use ff::Field;
use halo2curves::bn256::{Fr, G1Affine, G2Affine};
use lathe_kernels::{Backend, CpuBackend};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
#[value(rename_all = "camelCase")]
pub enum Op {
    /// Multi-scalar multiplication in G1, bases resident.
    MsmG1,
    /// Multi-scalar multiplication in G2, bases resident.
    MsmG2,
    /// Coefficients to evaluations.
    Fft,
    /// Coefficients to evaluations on the coset.
    CosetFft,
    /// Evaluations of A, B, C to the coefficients of (AB - C) / Z.
    Quotient,
    /// Making G1 bases resident, in the backend's own form.
    #[value(skip)]
    UploadG1,
    /// Making G2 bases resident.
    #[value(skip)]
    UploadG2,
    /// A whole Groth16 proof from a full assignment.
    #[value(skip)]
    Groth16,
    /// Making a Groth16 key; not compared, but what a newcomer waits for.
    #[value(skip)]
    Groth16Setup,
    /// A whole batch of transfers.
    #[value(skip)]
    Batch,
}

impl Op {
    /// The name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Op::MsmG1 => "msmG1",
            Op::MsmG2 => "msmG2",
            Op::Fft => "fft",
            Op::CosetFft => "cosetFft",
            Op::Quotient => "quotient",
            Op::UploadG1 => "uploadG1",
            Op::UploadG2 => "uploadG2",
            Op::Groth16 => "groth16",
            Op::Groth16Setup => "groth16Setup",
            Op::Batch => "batch",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Op::MsmG1 => "MSM G1",
            Op::MsmG2 => "MSM G2",
            Op::Fft => "FFT",
            Op::CosetFft => "coset FFT",
            Op::Quotient => "quotient",
            Op::UploadG1 => "upload G1",
            Op::UploadG2 => "upload G2",
            Op::Groth16 => "Groth16 prove",
            Op::Groth16Setup => "Groth16 setup",
            Op::Batch => "batch proof",
        }
    }

    /// The operation of this name.
    pub fn of(name: &str) -> Option<Op> {
        use Op::*;
        let all = [MsmG1, MsmG2, Fft, CosetFft, Quotient, UploadG1, UploadG2, Groth16, Groth16Setup, Batch];
        all.into_iter().find(|op| op.name() == name)
    }

    /// Whether the operation multiplies points by scalars.
    pub fn is_msm(self) -> bool {
        matches!(self, Op::MsmG1 | Op::MsmG2)
    }
}

/// How large the scalars of an MSM are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "camelCase")]
pub enum Scalars {
    /// Uniform in the field.
    Full,
    /// Uniform 16-bit numbers.
    U16,
    /// As in a witness: a third bits, two fifths 16-bit limbs, some 64- and 128-bit words, a tenth uniform.
    Witness,
}

impl Scalars {
    /// The name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Scalars::Full => "full",
            Scalars::U16 => "u16",
            Scalars::Witness => "witness",
        }
    }

    /// `n` of them.
    pub fn draw(self, n: usize) -> Vec<Fr> {
        let rng = &mut ChaCha8Rng::seed_from_u64(2 + self as u64);
        (0..n).map(|_| self.one(rng)).collect()
    }

    fn one(self, rng: &mut ChaCha8Rng) -> Fr {
        match self {
            Scalars::Full => Fr::random(rng),
            Scalars::U16 => Fr::from(u64::from(rng.next_u32() & 0xffff)),
            Scalars::Witness => match rng.next_u32() % 10 {
                0..=2 => Fr::from(u64::from(rng.next_u32() & 1)),
                3..=6 => Fr::from(u64::from(rng.next_u32() & 0xffff)),
                7 => Fr::from(rng.next_u64()),
                8 => Fr::from(rng.next_u64()) * Fr::from(u64::MAX),
                _ => Fr::random(rng),
            },
        }
    }
}

/// Distinct random points of both groups, made once for the largest size asked for.
#[derive(Default)]
pub struct Points {
    g1: Vec<G1Affine>,
    g2: Vec<G2Affine>,
}

impl Points {
    /// So many points of each group.
    ///
    /// # Errors
    /// The CPU backend's.
    pub fn draw(g1: usize, g2: usize) -> Result<Self, Failure> {
        let cpu = CpuBackend::new();
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let exponents: Vec<Fr> = (0..g1.max(g2)).map(|_| Fr::random(&mut *rng)).collect();
        Ok(Points {
            g1: cpu.fixed_base_g1(G1Affine::generator(), &exponents[..g1])?,
            g2: cpu.fixed_base_g2(G2Affine::generator(), &exponents[..g2])?,
        })
    }

    /// The first `n` in G1; `n` is at most the number drawn.
    pub fn g1(&self, n: usize) -> &[G1Affine] {
        &self.g1[..n]
    }

    /// The first `n` in G2.
    pub fn g2(&self, n: usize) -> &[G2Affine] {
        &self.g2[..n]
    }
}

/// Evaluations a, b and c = a b, for the quotient.
pub fn products(n: usize) -> [Vec<Fr>; 3] {
    let a = Scalars::Full.draw(n);
    let b = Scalars::Witness.draw(n);
    let c = a.iter().zip(&b).map(|(a, b)| a * b).collect();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_the_same_in_every_run_and_of_the_size_they_say() {
        assert_eq!(Scalars::Full.draw(9), Scalars::Full.draw(9));
        assert!(Scalars::U16.draw(100).iter().all(|v| v.to_bytes()[2..].iter().all(|byte| *byte == 0)));
        let small = Scalars::Witness.draw(1000).iter().filter(|v| v.to_bytes()[2..] == [0; 30]).count();
        assert!((600..800).contains(&small), "{small} of 1000 fit 16 bits");
    }

    #[test]
    fn points_are_distinct_and_none_is_neutral() {
        let points = Points::draw(32, 4).unwrap();
        let mut seen: Vec<_> = points.g1(32).iter().map(|p| format!("{p:?}")).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 32);
        assert!(points.g2(4).iter().all(|p| *p != G2Affine::default()));
    }
}
