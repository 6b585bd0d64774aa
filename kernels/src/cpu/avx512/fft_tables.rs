//! Roots of unity and coset powers in the form the eight-lane FFT reads them.

use super::field::split;
use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// Eight scalars, limb by limb; canonical or bounded as their user says.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Block(pub(crate) [[u64; 8]; 5]);

/// A scalar's canonical limbs in 2^260 Montgomery form: as a 2^256 form they stand for 16 x.
pub(crate) fn limbs_of(x: &Fr) -> [u64; 5] {
    split(&x.double().double().double().double().0)
}

pub(crate) fn block_of(values: &[Fr; 8]) -> Block {
    let limbs = values.map(|x| limbs_of(&x));
    Block(std::array::from_fn(|k| std::array::from_fn(|lane| limbs[lane][k])))
}

/// `1, base, base^2, ..`.
pub(crate) fn powers(base: Fr, count: usize) -> Vec<Fr> {
    const CHUNK: usize = 1 << 10;
    let mut out = vec![Fr::ONE; count];
    out.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, out)| {
        let mut power = base.pow_vartime([(chunk * CHUNK) as u64]);
        for x in out {
            *x = power;
            power *= base;
        }
    });
    out
}

/// Roots of one direction for transforms of size 8 m.
pub(crate) struct Roots {
    /// `w^j` for j < m in blocks of eight of equal parity: block 2 b + e holds `16 b + 2 lane + e`.
    pub(crate) ramp: Vec<Block>,
    /// The eighth root and its square and cube.
    pub(crate) eighth: [[u64; 5]; 3],
    /// `quarters[log q][j] = [v^j, v^2j, v^3j]`, v of order 4 q; empty where no pass has that size.
    pub(crate) quarters: Vec<Vec<[[u64; 5]; 3]>>,
}

impl Roots {
    /// For the primitive root `w` of order 8 m; m is a power of two, at least 16.
    pub(crate) fn new(w: Fr, m: usize) -> Self {
        let all = powers(w, m);
        let ramp = (0..m / 8)
            .into_par_iter()
            .map(|b| block_of(&std::array::from_fn(|lane| all[16 * (b / 2) + 2 * lane + b % 2])))
            .collect();
        let e = w.pow_vartime([m as u64]);
        let eighth = [e, e.square(), e.square() * e].map(|x| limbs_of(&x));
        let mut quarters = vec![Vec::new(); m.ilog2() as usize];
        let mut size = m;
        while size >= 4 {
            let q = size / 4;
            let v = powers(w.pow_vartime([(8 * m / size) as u64]), 3 * q);
            quarters[q.ilog2() as usize] =
                (0..q).map(|j| [v[j], v[2 * j], v[3 * j]].map(|x| limbs_of(&x))).collect();
            size /= 4;
        }
        Self { ramp, eighth, quarters }
    }
}
