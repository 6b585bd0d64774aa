//! FFT over eight lanes. A transform of n = 8 m points is one radix-8 step across the eight rows of
//! m consecutive values, then eight transforms of size m, one per lane, under the same twiddles.
//!
//! Inside, `z[P]` lane s holds the coefficient 8 bitreverse(P) + s: the permutation moves whole
//! blocks on the way out. Passes are radix 4 and recursive, so that short ones stay in cache.

use super::Ifma;
use super::fft_passes::{self as passes, Fr8};
use super::fft_tables::{Block, Roots, limbs_of, powers};
use crate::domain::{coset_shift, root_of_unity, vanishing};
use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::sync::OnceLock;

/// Blocks per piece of work of a parallel pass.
const CHUNK: usize = 256;
/// Blocks of a transform that fit the second-level cache with their twiddles: 320 KiB.
const LEAF: usize = 1 << 10;
/// Blocks below which a transform is not split over threads.
const SERIAL: usize = 1 << 11;
/// Smallest m: the radix-8 step takes sixteen columns at a time.
const LEAST: usize = 16;

/// Tables for one size.
pub(crate) struct Transform {
    ifma: Ifma,
    n: usize,
    forward: Roots,
    inverse: Roots,
    /// `(g^8)^bitreverse(P)` for the coset shift g, and the same of its inverse.
    coset: OnceLock<[Vec<[u64; 5]>; 2]>,
}

/// Which way, and what the blocks are multiplied by at a leaf between the two ways.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// Natural to bit-reversed order.
    Decimate,
    /// The same, times the table, and back to natural order in the other direction.
    ThereAndBack(&'a [[u64; 5]], &'a Roots),
}

/// A radix-4 pass over some columns: their quarters, the first column's number, the twiddles.
type Columns<'a> = dyn Fn([&mut [Block]; 4], usize, &[[[u64; 5]; 3]]) + Sync + 'a;

impl Transform {
    /// None where the size is too small for this path.
    pub(crate) fn new(ifma: Ifma, log_size: u32) -> Option<Self> {
        let n = 1usize << log_size;
        if n / 8 < LEAST {
            return None;
        }
        let w = root_of_unity(log_size);
        let w_inverse = w.pow_vartime([n as u64 - 1]);
        let (forward, inverse) = (Roots::new(w, n / 8), Roots::new(w_inverse, n / 8));
        Some(Self { ifma, n, forward, inverse, coset: OnceLock::new() })
    }

    /// Coefficients to evaluations; natural order.
    pub(crate) fn fft(&self, values: &mut [Fr]) {
        let mut z = self.enter(values, &self.forward, Fr::ONE, Fr::ONE);
        self.recurse(&mut z, 0, &self.forward, Step::Decimate);
        self.leave(&z, values);
    }

    /// Evaluations to coefficients; natural order.
    pub(crate) fn ifft(&self, values: &mut [Fr]) {
        let mut z = self.enter(values, &self.inverse, self.size_inverse(), Fr::ONE);
        self.recurse(&mut z, 0, &self.inverse, Step::Decimate);
        self.leave(&z, values);
    }

    fn size_inverse(&self) -> Fr {
        // The size is a power of two, the field's characteristic odd.
        Fr::from(self.n as u64).invert().unwrap_or(Fr::ZERO)
    }

    fn coset(&self) -> &[Vec<[u64; 5]>; 2] {
        self.coset.get_or_init(|| {
            let table = |g: Fr| {
                let m = self.n / 8;
                let natural = powers(g.pow_vartime([8u64]), m);
                (0..m).into_par_iter().map(|p| limbs_of(&natural[reverse(p, m)])).collect()
            };
            [table(coset_shift()), table(coset_shift().invert().unwrap_or(Fr::ZERO))]
        })
    }

    /// The radix-8 step on values from outside. Output s is multiplied by `factor * ratio^s`.
    fn enter(&self, values: &[Fr], roots: &Roots, factor: Fr, ratio: Fr) -> Vec<Block> {
        let m = self.n / 8;
        let mut z = vec![Block([[0; 8]; 5]); m];
        // Values arrive in 2^256 form, and 2^256 x = (x / 16) 2^260: that factor goes in as well.
        let (factor, ratio) = (limbs_of(&(factor * Fr::from(16))), limbs_of(&ratio));
        let Ifma(()) = self.ifma;
        z.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, z)| {
            // SAFETY: the token in `self.ifma` exists only where the features do.
            unsafe { passes::enter(values, chunk * CHUNK, z, roots, &factor, &ratio) }
        });
        z
    }

    /// All passes over a block at `offset` of the whole.
    fn recurse(&self, z: &mut [Block], offset: usize, roots: &Roots, step: Step<'_>) {
        let Ifma(()) = self.ifma;
        if z.len() <= LEAF {
            // SAFETY: the token in `self.ifma` exists only where the features do.
            unsafe {
                passes::dif(z, roots);
                if let Step::ThereAndBack(table, back) = step {
                    passes::scale(z, &table[offset..offset + z.len()]);
                    passes::dit(z, back);
                }
            }
            return;
        }
        // SAFETY: as above.
        self.pass(z, &|q, j, twiddles| unsafe { passes::dif4(q, j, twiddles, &roots.eighth[1]) }, roots);
        let q = z.len() / 4;
        let child = |(i, z): (usize, &mut [Block])| self.recurse(z, offset + i * q, roots, step);
        if z.len() > SERIAL {
            z.par_chunks_mut(q).enumerate().for_each(child);
        } else {
            z.chunks_mut(q).enumerate().for_each(child);
        }
        if let Step::ThereAndBack(_, back) = step {
            // SAFETY: as above.
            self.pass(z, &|q, j, twiddles| unsafe { passes::dit4(q, j, twiddles, &back.eighth[1]) }, back);
        }
    }

    /// One radix-4 pass over a large block, its columns split over threads.
    fn pass(&self, z: &mut [Block], columns: &Columns<'_>, roots: &Roots) {
        let q = z.len() / 4;
        let twiddles = &roots.quarters[q.ilog2() as usize];
        let (left, right) = z.split_at_mut(2 * q);
        let ((a, b), (c, d)) = (left.split_at_mut(q), right.split_at_mut(q));
        let first = a.par_chunks_mut(CHUNK).zip(b.par_chunks_mut(CHUNK));
        let second = c.par_chunks_mut(CHUNK).zip(d.par_chunks_mut(CHUNK));
        first.zip(second).enumerate().for_each(|(chunk, ((a, b), (c, d)))| {
            columns([a, b, c, d], chunk * CHUNK, twiddles);
        });
    }

    /// Bit-reversed blocks to values in natural order.
    fn leave(&self, z: &[Block], values: &mut [Fr]) {
        let Ifma(()) = self.ifma;
        values.par_chunks_mut(8 * CHUNK).enumerate().for_each(|(chunk, values)| {
            // SAFETY: the token in `self.ifma` exists only where the features do.
            unsafe { passes::leave(values, chunk * CHUNK, z.len(), |p| Fr8::read(&z[p])) }
        });
    }

    /// See [`crate::Backend::quotient`] and the portable path's account of the formula.
    pub(crate) fn quotient(&self, mut a: Vec<Fr>, b: Vec<Fr>, c: Vec<Fr>) -> Vec<Fr> {
        let (scale, shift) = (self.size_inverse(), coset_shift());
        let [there, back] = self.coset();
        let onto = Step::ThereAndBack(there, &self.forward);
        let to_coset = |values: &[Fr]| {
            let mut z = self.enter(values, &self.inverse, scale, shift);
            self.recurse(&mut z, 0, &self.inverse, onto);
            z
        };
        let mut za = to_coset(&a);
        let zb = to_coset(&b);
        drop(b);
        // g^n is not 1, see the portable path.
        let z_inverse = vanishing(self.n, shift).invert().unwrap_or(Fr::ZERO);
        let (factor, shift_inverse) = (scale * z_inverse, shift.invert().unwrap_or(Fr::ZERO));
        self.multiply(&mut za, &zb, factor, shift_inverse);
        drop(zb);
        self.recurse(&mut za, 0, &self.inverse, Step::Decimate);
        let mut zc = self.enter(&c, &self.inverse, factor, Fr::ONE);
        drop(c);
        self.recurse(&mut zc, 0, &self.inverse, Step::Decimate);
        let Ifma(()) = self.ifma;
        a.par_chunks_mut(8 * CHUNK).enumerate().for_each(|(chunk, values)| {
            // SAFETY: the token in `self.ifma` exists only where the features do.
            unsafe {
                passes::leave(values, chunk * CHUNK, za.len(), |p| {
                    let scaled = Fr8::read(&za[p]).mul(&Fr8::splat(&back[p]));
                    scaled.sub::<2>(&Fr8::read(&zc[p]))
                });
            }
        });
        a
    }

    /// Ends two forward transforms with their radix-8 step, multiplies the evaluations and begins the
    /// inverse transform of the products, eight columns at a time. Output s gets `factor * ratio^s`.
    fn multiply(&self, a: &mut [Block], b: &[Block], factor: Fr, ratio: Fr) {
        let (factor, ratio) = (limbs_of(&factor), limbs_of(&ratio));
        let Ifma(()) = self.ifma;
        a.par_chunks_mut(CHUNK).zip(b.par_chunks(CHUNK)).enumerate().for_each(|(chunk, (a, b))| {
            // SAFETY: the token in `self.ifma` exists only where the features do.
            unsafe { passes::multiply(a, b, chunk * CHUNK, &self.forward, &self.inverse, &factor, &ratio) }
        });
    }
}

/// The bits of `p` below the power of two `m`, reversed.
pub(crate) fn reverse(p: usize, m: usize) -> usize {
    p.reverse_bits() >> (m.leading_zeros() + 1)
}
