//! The loops of the eight-lane FFT over one tile: up to 2^14 blocks that stay in the second-level
//! cache, every lane a transform of its own under the same factors. Nothing here spawns work.
//!
//! Bounds: input below 2 p. A pass of radix 4 adds at most 6 p, the plain first one included; one of
//! radix 2 at most 3 p. Seven passes (2^14 blocks) give below 44 p.

use super::fft_butterfly::{Fr8, butterflies, butterflies_plain, butterfly};
use super::fft_tables::{Block, Factor, Joining, Splitting};

/// Blocks up to which a tile is transformed pass by pass: they fit the first-level cache (20 KiB).
/// 16 and 256 measure the same on an AMD EPYC of family 26.
const SMALL: usize = 64;

#[inline(always)]
fn quarters(z: &mut [Block]) -> [&mut [Block]; 4] {
    let q = z.len() / 4;
    let (left, right) = z.split_at_mut(2 * q);
    let ((a, b), (c, d)) = (left.split_at_mut(q), right.split_at_mut(q));
    [a, b, c, d]
}

#[inline(always)]
fn write4([a, b, c, d]: [&mut Block; 4], values: [Fr8; 4]) {
    values[0].write(a);
    values[1].write(b);
    values[2].write(c);
    values[3].write(d);
}

/// From natural to bit-reversed order: see [`Splitting`]. A plain table asks for input below 2 p.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn split(z: &mut [Block], table: &Splitting) {
    split_block(z, table, 1);
}

/// The passes below the block whose factor stands at `place`.
#[target_feature(enable = "avx512f,avx512ifma")]
fn split_block(z: &mut [Block], table: &Splitting, place: usize) {
    let size = z.len();
    if size > SMALL {
        split4(z, table, place);
        for (b, part) in z.chunks_exact_mut(size / 4).enumerate() {
            split_block(part, table, 4 * place + b);
        }
        return;
    }
    let (mut part, mut place) = (size, place);
    while part >= 4 {
        for (b, z) in z.chunks_exact_mut(part).enumerate() {
            split4(z, table, place + b);
        }
        (part, place) = (part / 4, 4 * place);
    }
    if part == 2 {
        for (pair, f) in z.chunks_exact_mut(2).zip(&table.factors[place..]) {
            let (a, b) = (Fr8::read(&pair[0]), Fr8::read(&pair[1]));
            let [a, b] = butterfly(&a, &b, f);
            a.write(&mut pair[0]);
            b.write(&mut pair[1]);
        }
    }
}

/// Two levels over one block.
#[target_feature(enable = "avx512f,avx512ifma")]
fn split4(z: &mut [Block], table: &Splitting, place: usize) {
    let f = &table.factors;
    let [qa, qb, qc, qd] = quarters(z);
    let rows = qa.iter_mut().zip(qb).zip(qc).zip(qd);
    if table.plain && place == 1 {
        for (((a, b), c), d) in rows {
            let v = [Fr8::read(a), Fr8::read(b), Fr8::read(c), Fr8::read(d)];
            write4([a, b, c, d], butterflies_plain(v, &f[3]));
        }
    } else {
        let f = [f[place], f[2 * place], f[2 * place + 1]];
        for (((a, b), c), d) in rows {
            let v = [Fr8::read(a), Fr8::read(b), Fr8::read(c), Fr8::read(d)];
            write4([a, b, c, d], butterflies(v, &f));
        }
    }
}

/// From bit-reversed to natural order: see [`Joining`]. A plain table asks for input below 2 p.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn join(z: &mut [Block], table: &Joining) {
    let Some(last) = &table.last else { return join_block(z, table) };
    let (left, right) = z.split_at_mut(last.len());
    if left.len() > 1 {
        join_block(left, table);
        join_block(right, table);
    }
    for ((a, b), f) in left.iter_mut().zip(right).zip(last) {
        let [x, y] = butterfly(&Fr8::read(a), &Fr8::read(b), f);
        x.write(a);
        y.write(b);
    }
}

/// The passes of radix 4 over a block whose size is a power of four.
#[target_feature(enable = "avx512f,avx512ifma")]
fn join_block(z: &mut [Block], table: &Joining) {
    let size = z.len();
    if size > SMALL {
        for part in z.chunks_exact_mut(size / 4) {
            join_block(part, table);
        }
        return join4(z, &table.quarters[size.ilog2() as usize / 2 - 1]);
    }
    for (pass, factors) in table.quarters.iter().enumerate().take(size.ilog2() as usize / 2) {
        for part in z.chunks_exact_mut(4 << (2 * pass)) {
            if table.plain && pass == 0 {
                let [qa, qb, qc, qd] = quarters(part);
                let (a, b, c, d) = (&mut qa[0], &mut qb[0], &mut qc[0], &mut qd[0]);
                let v = [Fr8::read(a), Fr8::read(c), Fr8::read(b), Fr8::read(d)];
                write4([a, c, b, d], butterflies_plain(v, &factors[0][2]));
            } else {
                join4(part, factors);
            }
        }
    }
}

/// Two levels over one block: quarters (0, 1) and (2, 3), then (0, 2) and (1, 3).
#[target_feature(enable = "avx512f,avx512ifma")]
fn join4(z: &mut [Block], factors: &[[Factor; 3]]) {
    let [qa, qb, qc, qd] = quarters(z);
    for ((((a, b), c), d), f) in qa.iter_mut().zip(qb).zip(qc).zip(qd).zip(factors) {
        let v = [Fr8::read(a), Fr8::read(c), Fr8::read(b), Fr8::read(d)];
        write4([a, c, b, d], butterflies(v, f));
    }
}
