//! Other libraries, on the very input our kernels get. Compiled in with feature `rivals`; a build without it has none.

#[cfg(feature = "rivals")]
pub mod arkworks;
#[cfg(feature = "rivals")]
mod bellman;
#[cfg(feature = "rivals")]
mod halo2;

use crate::measure::Way;
use crate::workload::Scalars;
use clap::ValueEnum;
use halo2curves::bn256::{Fr, G1Affine, G2Affine};

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
