//! One base times many scalars, for setup: a table of the base's multiples per window, and
//! batch-affine additions across scalars, so that results come out affine without normalisation.

use super::batch_affine::{BLOCK, add_assign};
use super::scalars::{booth_digit, to_limbs};
use crate::point::CurvePoint;
use group::{Curve, Group};
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// Bits of a scalar plus one for the sign of the top digit.
pub(super) const SCALAR_BITS: u32 = 255;

/// `tables[w][d - 1] = d * 2^(c w) * base`.
struct Table<P> {
    c: u32,
    windows: Vec<Vec<P>>,
}

impl<P: CurvePoint> Table<P> {
    fn new(base: P, count: usize) -> Self {
        // The table costs windows * 2^(c-1) additions, the products windows * count.
        let c = (count.max(16).ilog2() - 2).clamp(2, 16);
        let windows = SCALAR_BITS.div_ceil(c);
        let mut start = Vec::with_capacity(windows as usize);
        let mut power = base.to_projective();
        for _ in 0..windows {
            start.push(power);
            (0..c).for_each(|_| power = power.double());
        }
        let windows = start.into_par_iter().map(|start| multiples(start, 1 << (c - 1))).collect();
        Self { c, windows }
    }
}

/// `start, 2 start, .., count * start` in affine form.
fn multiples<P: CurvePoint>(start: P::Curve, count: usize) -> Vec<P> {
    let mut projective = Vec::with_capacity(count);
    let mut sum = start;
    for _ in 0..count {
        projective.push(sum);
        sum += start;
    }
    let mut affine = vec![P::neutral(); count];
    P::Curve::batch_normalize(&projective, &mut affine);
    affine
}

/// `scalars[i] * base` for each i.
pub(crate) fn multiply<P: CurvePoint>(base: P, scalars: &[Fr]) -> Vec<P> {
    let table = Table::new(base, scalars.len());
    let mut out = vec![P::neutral(); scalars.len()];
    out.par_chunks_mut(BLOCK).zip(scalars.par_chunks(BLOCK)).for_each_init(
        || (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK)),
        |(limbs, rhs, scratch), (out, scalars)| {
            limbs.clear();
            limbs.extend(scalars.iter().map(to_limbs));
            for (w, row) in table.windows.iter().enumerate() {
                rhs.clear();
                rhs.extend(limbs.iter().map(|limbs| match booth_digit(limbs, w as u32 * table.c, table.c) {
                    0 => P::neutral(),
                    d if d > 0 => row[d as usize - 1],
                    d => row[d.unsigned_abs() as usize - 1].negate(),
                }));
                add_assign(out, rhs, scratch);
            }
        },
    );
    out
}
