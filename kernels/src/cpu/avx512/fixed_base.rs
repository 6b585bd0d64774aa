//! One base times many scalars on the eight-lane additions, for setup. A table of the base's
//! multiples per window, filled by doubling its length; then one addition per scalar and window.

use super::Ifma;
use super::batch::{Adder, Entries, InOrder, NONE};
use super::curve::PackedCurve;
use crate::cpu::fixed_base::SCALAR_BITS;
use crate::cpu::scalars::{NEGATIVE, booth_digit, to_limbs};
use group::{Curve, Group};
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// Scalars whose products are summed together.
const BLOCK: usize = 1 << 10;
/// At this width a window's row is 512 KiB in G1: it stays in the second-level cache.
const MAX_WINDOW: u32 = 14;

/// `scalars[i] * base` for each i.
pub(crate) fn multiply<P: PackedCurve>(ifma: Ifma, base: P, scalars: &[Fr]) -> Vec<P> {
    if base.is_neutral() {
        return vec![base; scalars.len()];
    }
    let c = scalars.len().max(64).ilog2().saturating_sub(4).clamp(2, MAX_WINDOW);
    let rows = table::<P>(ifma, base, c);
    let mut out = vec![P::neutral(); scalars.len()];
    out.par_chunks_mut(BLOCK).zip(scalars.par_chunks(BLOCK)).for_each_init(
        || Adder::<P>::new(ifma),
        |adder, (out, scalars)| {
            let limbs: Vec<[u64; 4]> = scalars.iter().map(to_limbs).collect();
            let mut sums = Vec::new();
            adder.clear(&mut sums, scalars.len().div_ceil(8));
            let mut list = vec![NONE; 8 * sums.len()];
            for (w, row) in rows.iter().enumerate() {
                for (entry, limbs) in list.iter_mut().zip(&limbs) {
                    *entry = match booth_digit(limbs, w as u32 * c, c) {
                        0 => NONE,
                        digit => digit.unsigned_abs() | if digit < 0 { NEGATIVE } else { 0 },
                    };
                }
                adder.add(&mut sums, &Entries { points: row, list: &list, at: InOrder });
            }
            for (out, sums) in out.chunks_mut(8).zip(&sums) {
                for (out, sum) in out.iter_mut().zip(&adder.points(sums)) {
                    *out = P::unpack(sum);
                }
            }
        },
    );
    out
}

/// `rows[w][d] = d * 2^(c w) * base` for d in 0..=2^(c-1).
fn table<P: PackedCurve>(ifma: Ifma, base: P, c: u32) -> Vec<Vec<P::Packed>> {
    let mut power = base.to_projective();
    let starts: Vec<P::Curve> = (0..SCALAR_BITS.div_ceil(c))
        .map(|_| {
            let start = power;
            (0..c).for_each(|_| power = power.double());
            start
        })
        .collect();
    let mut affine = vec![P::neutral(); starts.len()];
    P::Curve::batch_normalize(&starts, &mut affine);
    affine.into_par_iter().map(|start| row(ifma, &start, 1 << (c - 1))).collect()
}

/// The multiples 0 to `count` of a point; `count` is a power of two.
fn row<P: PackedCurve>(ifma: Ifma, start: &P, count: usize) -> Vec<P::Packed> {
    let mut adder = Adder::<P>::new(ifma);
    let mut row = vec![P::IDENTITY, P::pack(start)];
    while row.len() <= count {
        // Multiples up to `last` are there: the next ones are `last + 1 ..= 2 last`.
        let last = row.len() as u32 - 1;
        let padded = last.next_multiple_of(8);
        let each: Vec<u32> = (1..=padded).map(|i| if i <= last { i } else { NONE }).collect();
        let same: Vec<u32> = each.iter().map(|&i| if i == NONE { NONE } else { last }).collect();
        let mut sums = Vec::new();
        adder.clear(&mut sums, padded as usize / 8);
        adder.load(&mut sums, &Entries { points: &row, list: &each, at: InOrder });
        adder.add(&mut sums, &Entries { points: &row, list: &same, at: InOrder });
        row.extend(sums.iter().flat_map(|sums| adder.points(sums)).take(last as usize));
    }
    row
}
