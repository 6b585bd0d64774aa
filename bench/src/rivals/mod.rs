//! Other libraries, on the very input our kernels get. Compiled in with feature `rivals`; a build without it has none.

#[cfg(feature = "rivals")]
mod arkworks;
#[cfg(feature = "rivals")]
mod bellman;
#[cfg(feature = "rivals")]
mod groth16;
#[cfg(feature = "rivals")]
mod halo2;
#[cfg(feature = "rivals")]
mod revm;

use crate::Failure;
use crate::measure::Way;
use crate::vm::erc20;
use crate::workload::Scalars;
use clap::ValueEnum;
use halo2curves::bn256::{Fr, G1Affine, G2Affine};
use lathe_prover::r1cs::R1cs;
use rayon::ThreadPool;
use std::time::Duration;

/// The name of the Groth16 rival in files and tables.
pub const ARK_GROTH16: &str = "ark-groth16";
/// What to do about a build without rivals.
pub const NOT_BUILT: &str = "this build has no rivals; build with `--features rivals`";

/// Libraries to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rival {
    /// ark-ec, ark-poly and ark-groth16.
    Arkworks,
    /// `msm_best` and `best_fft`.
    Halo2curves,
    /// `multiexp`.
    Bellman,
}

impl Rival {
    /// Those in this build.
    pub fn compiled() -> &'static [Rival] {
        match cfg!(feature = "rivals") {
            true => &[Rival::Arkworks, Rival::Halo2curves, Rival::Bellman],
            false => &[],
        }
    }
}

/// The input of one operation.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// Points and scalars.
    MsmG1(&'a [G1Affine], &'a [Fr], Scalars),
    /// Points and scalars.
    MsmG2(&'a [G2Affine], &'a [Fr], Scalars),
    /// Coefficients.
    Fft(&'a [Fr]),
    /// Coefficients.
    CosetFft(&'a [Fr]),
    /// Evaluations of a, b and c.
    Quotient(&'a [Vec<Fr>; 3]),
}

/// The ways these libraries have for an input; none for an operation a library lacks. Bases are converted here, before
/// any clock runs, as ours are.
#[cfg(feature = "rivals")]
pub fn ways<'a>(rivals: &[Rival], input: Input<'a>) -> Vec<Way<'a>> {
    let way = |rival: &Rival| match rival {
        Rival::Arkworks => arkworks::way(input),
        Rival::Halo2curves => halo2::way(input),
        Rival::Bellman => bellman::way(input),
    };
    rivals.iter().filter_map(way).collect()
}

/// None: this build has no rivals.
#[cfg(not(feature = "rivals"))]
pub fn ways<'a>(_: &[Rival], _: Input<'a>) -> Vec<Way<'a>> {
    Vec::new()
}

/// Another library's Groth16 prover, with a key for a circuit of ours.
pub trait RivalProver {
    /// Time its key generation took, synthesis included.
    fn setup(&self) -> Duration;
    /// Time of its synthesis down to matrices, which a proof is not charged with.
    fn synthesis(&self) -> Duration;
    /// A proof, which is verified outside the timed part.
    fn way(&self) -> Way<'_>;
}

/// ark-groth16 with keys for this circuit.
///
/// # Errors
/// arkworks', or that this build has no rivals.
#[cfg(feature = "rivals")]
pub fn groth16_prover(pool: &ThreadPool, r1cs: &R1cs, z: &[Fr]) -> Result<Box<dyn RivalProver>, Failure> {
    Ok(Box::new(groth16::Arkworks::new(pool, r1cs, z)?))
}

/// An error: this build has no rivals.
#[cfg(not(feature = "rivals"))]
pub fn groth16_prover(_: &ThreadPool, _: &R1cs, _: &[Fr]) -> Result<Box<dyn RivalProver>, Failure> {
    Err(NOT_BUILT.into())
}

/// The EVM with OpenZeppelin's ERC-20.
///
/// # Errors
/// revm's.
#[cfg(feature = "rivals")]
pub fn evm() -> Result<Option<Box<dyn erc20::Machine>>, Failure> {
    revm::token().map(Some)
}

/// None: this build has no rivals.
///
/// # Errors
/// None.
#[cfg(not(feature = "rivals"))]
pub fn evm() -> Result<Option<Box<dyn erc20::Machine>>, Failure> {
    Ok(None)
}
