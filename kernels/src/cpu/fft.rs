//! Radix-2 FFT, recursive so that small blocks stay in cache, and the fused quotient.
//! Inside, coefficients stand in bit-reversed order so that most transforms need no permutation.

use crate::domain::{coset_shift, root_of_unity, vanishing};
use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// Blocks up to this size run on one thread.
const SERIAL: usize = 1 << 12;

/// Powers of the root of unity for each level of a transform.
pub(crate) struct Twiddles {
    log_size: u32,
    /// `levels[k][j] = w_k^j` for j < 2^(k-1), where w_k has order 2^k; level 0 is empty.
    levels: Vec<Vec<Fr>>,
    size_inverse: Fr,
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Inverse,
}

/// Multiplies `values[i]` by `base^i * factor` (natural order).
pub(crate) fn scale_powers(values: &mut [Fr], base: Fr, factor: Fr) {
    values.par_chunks_mut(SERIAL).enumerate().for_each(|(chunk, values)| {
        let mut power = base.pow_vartime([(chunk * SERIAL) as u64]) * factor;
        for v in values {
            *v *= power;
            power *= base;
        }
    });
}

/// Multiplies the value at position i by `base^bitreverse(i)`.
fn scale_powers_reversed(values: &mut [Fr], powers_by_bit: &[Fr]) {
    // The low bits of the position are the high bits of the exponent: within a chunk only those vary.
    let block = SERIAL.min(values.len());
    let log_block = block.trailing_zeros() as usize;
    let bits = powers_by_bit.len();
    let expand = |bits_range: std::ops::Range<usize>, position_bit: &dyn Fn(usize) -> usize| {
        let mut table = vec![Fr::ONE];
        for p in bits_range {
            let power = powers_by_bit[position_bit(p)];
            let upper: Vec<Fr> = table.iter().map(|t| *t * power).collect();
            table.extend(upper);
        }
        table
    };
    // Position bit p stands for exponent bit (bits - 1 - p).
    let reversed = |p: usize| bits - 1 - p;
    let low = expand(0..log_block, &reversed);
    let high = expand(log_block..bits, &reversed);
    values.par_chunks_mut(block).zip(high.par_iter()).for_each(|(values, high)| {
        for (v, low) in values.iter_mut().zip(&low) {
            *v *= *low * high;
        }
    });
}

fn bit_reverse_permute(values: &mut [Fr], log_size: u32) {
    if log_size == 0 {
        return;
    }
    for i in 0..values.len() {
        let j = i.reverse_bits() >> (usize::BITS - log_size);
        if i < j {
            values.swap(i, j);
        }
    }
}

impl Twiddles {
    pub(crate) fn new(log_size: u32) -> Self {
        let levels = (0..=log_size)
            .map(|k| {
                if k == 0 {
                    return Vec::new();
                }
                let mut level = vec![Fr::ONE; 1 << (k - 1)];
                scale_powers(&mut level, root_of_unity(k), Fr::ONE);
                level
            })
            .collect();
        // 2 is invertible in a field of odd characteristic.
        let size_inverse = Fr::from(1u64 << log_size).invert().unwrap_or(Fr::ZERO);
        Self { log_size, levels, size_inverse }
    }

    /// Natural to bit-reversed order, decimation in frequency; unscaled.
    fn dif(&self, values: &mut [Fr], direction: Direction) {
        let n = values.len();
        if n < 2 {
            return;
        }
        let half = n / 2;
        let level = &self.levels[n.trailing_zeros() as usize];
        let (left, right) = values.split_at_mut(half);
        butterflies(left, right, |j, a, b| {
            let diff = match direction {
                Direction::Forward => *a - *b,
                Direction::Inverse => *b - *a,
            };
            *a += *b;
            // w^-j = -w^(n/2 - j), which saves a second table.
            *b = match (direction, j) {
                (Direction::Forward, _) => diff * level[j],
                (Direction::Inverse, 0) => -diff,
                (Direction::Inverse, _) => diff * level[half - j],
            };
        });
        if n > SERIAL {
            rayon::join(|| self.dif(left, direction), || self.dif(right, direction));
        } else {
            self.dif(left, direction);
            self.dif(right, direction);
        }
    }

    /// Bit-reversed to natural order, decimation in time; unscaled.
    fn dit(&self, values: &mut [Fr], direction: Direction) {
        let n = values.len();
        if n < 2 {
            return;
        }
        let half = n / 2;
        let (left, right) = values.split_at_mut(half);
        if n > SERIAL {
            rayon::join(|| self.dit(left, direction), || self.dit(right, direction));
        } else {
            self.dit(left, direction);
            self.dit(right, direction);
        }
        let level = &self.levels[n.trailing_zeros() as usize];
        butterflies(left, right, |j, a, b| {
            let t = match (direction, j) {
                (Direction::Forward, _) => *b * level[j],
                (Direction::Inverse, 0) => *b,
                (Direction::Inverse, _) => -(*b * level[half - j]),
            };
            *b = *a - t;
            *a += t;
        });
    }

    fn scale(&self, values: &mut [Fr], factor: Fr) {
        values.par_iter_mut().with_min_len(SERIAL).for_each(|v| *v *= factor);
    }

    pub(crate) fn fft(&self, values: &mut [Fr]) {
        self.dif(values, Direction::Forward);
        bit_reverse_permute(values, self.log_size);
    }

    pub(crate) fn ifft(&self, values: &mut [Fr]) {
        self.dif(values, Direction::Inverse);
        bit_reverse_permute(values, self.log_size);
        self.scale(values, self.size_inverse);
    }

    /// Evaluations on the domain to evaluations on the coset, times `size`.
    fn to_coset(&self, values: &mut [Fr], powers_by_bit: &[Fr]) {
        self.dif(values, Direction::Inverse);
        scale_powers_reversed(values, powers_by_bit);
        self.dit(values, Direction::Forward);
    }

    /// See [`crate::Backend::quotient`]; lengths equal the domain size.
    ///
    /// With `A B = C + h Z` and deg C < n: on the coset Z is the constant `z = g^n - 1`, so the
    /// interpolation of A B there is `C + z h`, and C's own coefficients come from the domain. Six
    /// transforms instead of the usual seven, and the same h.
    pub(crate) fn quotient(&self, mut a: Vec<Fr>, mut b: Vec<Fr>, mut c: Vec<Fr>) -> Vec<Fr> {
        let shift = coset_shift();
        let powers: Vec<Fr> =
            std::iter::successors(Some(shift), |p| Some(p.square())).take(self.log_size as usize).collect();
        let inverse_shift = shift.invert().unwrap_or(Fr::ZERO);
        self.to_coset(&mut a, &powers);
        self.to_coset(&mut b, &powers);
        a.par_iter_mut().with_min_len(SERIAL).zip(b.par_iter()).for_each(|(a, b)| *a *= b);
        drop(b);
        self.dif(&mut a, Direction::Inverse);
        self.dif(&mut c, Direction::Inverse);
        // a carries size^3 and the shift's powers, c carries size.
        let inverse_powers: Vec<Fr> = std::iter::successors(Some(inverse_shift), |p| Some(p.square()))
            .take(self.log_size as usize)
            .collect();
        scale_powers_reversed(&mut a, &inverse_powers);
        let n = 1usize << self.log_size;
        // g^n is not 1: g generates the whole group and n divides a proper part of its order.
        let z_inverse = vanishing(n, shift).invert().unwrap_or(Fr::ZERO);
        let c_factor = self.size_inverse * z_inverse;
        let a_factor = c_factor * self.size_inverse.square();
        a.par_iter_mut().with_min_len(SERIAL).zip(c.par_iter()).for_each(|(a, c)| {
            *a = *a * a_factor - *c * c_factor;
        });
        drop(c);
        bit_reverse_permute(&mut a, self.log_size);
        a
    }
}

fn butterflies(left: &mut [Fr], right: &mut [Fr], op: impl Fn(usize, &mut Fr, &mut Fr) + Sync) {
    if left.len() >= SERIAL {
        left.par_chunks_mut(SERIAL / 4).zip(right.par_chunks_mut(SERIAL / 4)).enumerate().for_each(
            |(chunk, (left, right))| {
                for (i, (a, b)) in left.iter_mut().zip(right).enumerate() {
                    op(chunk * (SERIAL / 4) + i, a, b);
                }
            },
        );
    } else {
        for (j, (a, b)) in left.iter_mut().zip(right).enumerate() {
            op(j, a, b);
        }
    }
}
