//! Tiles of the eight-lane FFT: eight columns or eight rows of the matrix a vector is taken for,
//! read into blocks, transformed, multiplied by their powers of the root and written back.
//! A tile touches only its own elements; which these are is said at each function.
//!
//! Two layouts. Natural: element (i, j) at `columns i + j`. Tiled: in squares of 8 x 8 elements, row
//! by row inside and outside, so that eight rows are one contiguous piece. Values in a tiled vector
//! are below 2 p, those in a natural one canonical.

use super::fft_butterfly::Fr8;
use super::fft_passes::{join, split};
use super::fft_tables::{Block, Factor, Joining, LANE, Splitting, reverse};
use super::simd::*;
use halo2curves::bn256::Fr;
use std::marker::PhantomData;

/// Rows and columns of the matrix: powers of two, at least eight.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Shape {
    /// Where the eight elements of row i that belong to the tile of columns `8 tile..` stand in the
    /// tiled layout.
    #[inline(always)]
    fn tiled(&self, i: usize, tile: usize) -> usize {
        (i / 8 * (self.columns / 8) + tile) * 64 + i % 8 * 8
    }
}

/// A vector that several tiles write, each its own elements.
pub(crate) struct Shared<'a> {
    start: *mut Fr,
    len: usize,
    vector: PhantomData<&'a mut [Fr]>,
}

// SAFETY: access is by `eight` only, whose callers keep to elements no other thread touches.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(crate) fn new(vector: &'a mut [Fr]) -> Self {
        Self { start: vector.as_mut_ptr(), len: vector.len(), vector: PhantomData }
    }

    /// Eight elements from `at`.
    ///
    /// # Safety
    /// No reference to any of them may be alive elsewhere for as long as this one is used.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "disjointness is the caller's promise")]
    unsafe fn eight(&self, at: usize) -> &mut [Fr; 8] {
        assert!(at <= self.len && self.len - at >= 8, "eight elements from {at} of {}", self.len);
        // SAFETY: within the vector by the assertion, unaliased by the caller's promise.
        unsafe { &mut *self.start.add(at).cast() }
    }
}

/// What the results of a first pass are multiplied by: place k of column j gets
/// `factor lanes[j] (ratio ramp[j])^k`. Everything canonical in 2^260 form.
pub(crate) struct Step<'a> {
    pub(crate) ramp: &'a [Block],
    pub(crate) ratio: [u64; 5],
    pub(crate) factor: [u64; 5],
    pub(crate) lanes: Option<&'a [Block]>,
}

impl Step<'_> {
    /// Base and factor of one tile; below 1.02 p.
    #[inline(always)]
    fn of(&self, tile: usize) -> [Fr8; 2] {
        let base = Fr8::read(&self.ramp[tile]).mul(&Fr8::splat(&self.ratio));
        let factor = Fr8::splat(&self.factor);
        match self.lanes {
            Some(lanes) => [base, Fr8::read(&lanes[tile]).mul(&factor)],
            None => [base, factor],
        }
    }
}

/// `factor base^k` for increasing k, as products of two short tables: no long chain of products that
/// wait for each other. Below 1.02 p.
struct Powers {
    low: [Fr8; Powers::LOW],
    high: Fr8,
    stride: Fr8,
}

impl Powers {
    const LOW: usize = 32;

    #[inline(always)]
    fn new([base, factor]: [Fr8; 2]) -> Self {
        let mut low = [Fr8::one(); Self::LOW];
        low[1] = base;
        for u in 2..Self::LOW {
            low[u] = low[u / 2].mul(&low[u - u / 2]);
        }
        Self { low, high: factor, stride: low[Self::LOW - 1].mul(&base) }
    }

    /// The block times power k, for k = 0, 1, 2, ..: normalised and below 2 p for a block below 81 p.
    #[inline(always)]
    fn times(&mut self, k: usize, block: &Block) -> Fr8 {
        if k > 0 && k.is_multiple_of(Self::LOW) {
            self.high = self.high.mul(&self.stride);
        }
        Fr8::read(block).carried().mul(&self.low[k % Self::LOW].mul(&self.high))
    }
}

/// Eight adjacent elements to lanes in the order [`LANE`].
#[inline(always)]
pub(super) fn gather(values: &[Fr; 8]) -> Fr8 {
    let v = values.as_chunks::<2>().0;
    let [a, b, c, d] = [load_scalars(&v[0]), load_scalars(&v[1]), load_scalars(&v[2]), load_scalars(&v[3])];
    // Even words of columns 0 2 1 3 in one, 4 6 5 7 in the other; odd words likewise.
    let (even, odd) = ((unpacklo(a, b), unpacklo(c, d)), (unpackhi(a, b), unpackhi(c, d)));
    Fr8::from_words([
        even_pieces(even.0, even.1),
        even_pieces(odd.0, odd.1),
        odd_pieces(even.0, even.1),
        odd_pieces(odd.0, odd.1),
    ])
}

/// The reverse of [`gather`], from words.
#[inline(always)]
pub(super) fn scatter(w: [V; 4], values: &mut [Fr; 8]) {
    // Words 0 1 of columns 0 1 4 5 and of 2 3 6 7; then words 2 3.
    let (low, high) =
        ([unpacklo(w[0], w[1]), unpackhi(w[0], w[1])], [unpacklo(w[2], w[3]), unpackhi(w[2], w[3])]);
    let pairs = values.as_chunks_mut::<2>().0;
    store_scalars(&mut pairs[0], low_pairs(low[0], high[0]));
    store_scalars(&mut pairs[1], low_pairs(low[1], high[1]));
    store_scalars(&mut pairs[2], high_pairs(low[0], high[0]));
    store_scalars(&mut pairs[3], high_pairs(low[1], high[1]));
}

/// Eight rows of a tiled vector to blocks, one per column, lanes in the order [`LANE`].
#[inline(always)]
fn load_rows(z: &mut [Block], rows: &[Fr]) {
    for (square, z) in rows.as_chunks::<64>().0.iter().zip(z.as_chunks_mut::<8>().0) {
        let pairs = square.as_chunks::<2>().0;
        for (p, z) in z.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let row = |lane: usize| &pairs[4 * LANE[lane] + p];
            let c = transpose([
                load_scalars(row(0)),
                load_scalars(row(1)),
                load_scalars(row(2)),
                load_scalars(row(3)),
                load_scalars(row(4)),
                load_scalars(row(5)),
                load_scalars(row(6)),
                load_scalars(row(7)),
            ]);
            Fr8::from_words([c[0], c[1], c[2], c[3]]).write(&mut z[0]);
            Fr8::from_words([c[4], c[5], c[6], c[7]]).write(&mut z[1]);
        }
    }
}

/// Eight columns of a tiled vector to blocks, one per row, at bit-reversed places.
///
/// # Safety
/// As [`Shared::eight`]: the tile's columns must belong to the caller.
#[inline(always)]
unsafe fn load_tiled(z: &mut [Block], source: &Shared<'_>, shape: Shape, tile: usize) {
    for i in 0..shape.rows {
        // SAFETY: the caller's promise.
        let eight = unsafe { source.eight(shape.tiled(i, tile)) };
        gather(eight).write(&mut z[reverse(i, shape.rows)]);
    }
}

/// Results of a [`split`] over columns, times their powers, to the same columns of a tiled vector.
///
/// # Safety
/// As [`Shared::eight`]: the tile's columns must belong to the caller.
#[inline(always)]
unsafe fn store_tiled(z: &[Block], step: &Step<'_>, out: &Shared<'_>, shape: Shape, tile: usize) {
    let mut powers = Powers::new(step.of(tile));
    for k in 0..shape.rows {
        let v = powers.times(k, &z[reverse(k, shape.rows)]);
        // SAFETY: the caller's promise.
        scatter(v.to_words(), unsafe { out.eight(shape.tiled(k, tile)) });
    }
}

/// First pass: columns `8 tile..` of a natural vector, transformed, to those of a tiled one.
///
/// # Safety
/// The tile's columns of `out` must belong to the caller; the features must be present.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) unsafe fn columns(
    z: &mut [Block],
    source: &[Fr],
    (shape, tile): (Shape, usize),
    table: &Splitting,
    step: &Step<'_>,
    out: &Shared<'_>,
) {
    /// Rows between a prefetch and its use; chosen by reasoning, other distances were not measured.
    const AHEAD: usize = 16;
    for (i, z) in z.iter_mut().enumerate() {
        let at = i * shape.columns + 8 * tile;
        let next = at + AHEAD * shape.columns;
        for line in 0..4 {
            if let Some(value) = source.get(next + 2 * line) {
                prefetch(value);
            }
        }
        if let Some(eight) = source[at..].first_chunk() {
            gather(eight).write(z);
        }
    }
    split(z, table);
    // SAFETY: the caller's promise.
    unsafe { store_tiled(z, step, out, shape, tile) }
}

/// Second pass: rows `8 tile..` of a tiled vector, transformed, to columns `8 tile..` of the
/// transposed natural vector, canonical; place l times `scale[reverse l]` if that is given.
///
/// # Safety
/// Elements `rows l + 8 tile..` (eight for each l) of `out` must belong to the caller; the features
/// must be present.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) unsafe fn rows(
    z: &mut [Block],
    source: &[Fr],
    (shape, tile): (Shape, usize),
    table: &Splitting,
    scale: Option<&[Factor]>,
    out: &Shared<'_>,
) {
    load_rows(z, source);
    split(z, table);
    for l in 0..shape.columns {
        let q = reverse(l, shape.columns);
        let mut v = Fr8::read(&z[q]);
        if let Some(scale) = scale {
            v = v.times(&scale[q]);
        }
        // SAFETY: the caller's promise.
        scatter(v.canonical(), unsafe { out.eight(shape.rows * l + 8 * tile) });
    }
}

/// Rows `8 tile..` of a tiled vector: there and back again by two tables, times powers, in place.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn there_and_back(
    z: &mut [Block],
    rows: &mut [Fr],
    tile: usize,
    there: &Splitting,
    back: &Joining,
    step: &Step<'_>,
) {
    load_rows(z, rows);
    // Both ways together take at most 2 p + 6 p log size: 80 p for 2^13 blocks, where the product with
    // the powers is still below 2 p. Larger tiles are reduced on the way.
    split(z, there);
    if z.len() > 1 << 13 {
        for block in z.iter_mut() {
            Fr8::read(block).shrunk().write(block);
        }
    }
    join(z, back);
    let squares = rows.as_chunks_mut::<64>().0;
    let mut powers = Powers::new(step.of(tile));
    for (eight, (square, z)) in squares.iter_mut().zip(z.as_chunks::<8>().0).enumerate() {
        let pairs = square.as_chunks_mut::<2>().0;
        for p in 0..4 {
            let k = 8 * eight + 2 * p;
            let l = powers.times(k, &z[2 * p]).to_words();
            let r = powers.times(k + 1, &z[2 * p + 1]).to_words();
            let rows = transpose([l[0], l[1], l[2], l[3], r[0], r[1], r[2], r[3]]);
            for (row, v) in LANE.into_iter().zip(rows) {
                store_scalars(&mut pairs[4 * row + p], v);
            }
        }
    }
}

/// Columns `8 tile..` of two tiled vectors: both transformed from bit-reversed order, multiplied
/// place by place, and the products transformed, times powers, into the columns of `a`.
///
/// # Safety
/// The tile's columns of both vectors must belong to the caller; the features must be present.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) unsafe fn product(
    [za, zb]: [&mut [Block]; 2],
    [a, b]: [&Shared<'_>; 2],
    (shape, tile): (Shape, usize),
    there: &Joining,
    back: &Splitting,
    step: &Step<'_>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        load_tiled(za, a, shape, tile);
        load_tiled(zb, b, shape, tile);
    }
    join(za, there);
    join(zb, there);
    for (x, y) in za.iter_mut().zip(zb.iter()) {
        // 44 p times 1.1 p: below 1.6 p.
        Fr8::read(x).carried().mul(&Fr8::read(y).shrunk()).write(x);
    }
    split(za, back);
    // SAFETY: the caller's promise.
    unsafe { store_tiled(za, step, a, shape, tile) }
}

/// As [`rows`], of two vectors: the first's results, scaled, less the second's.
///
/// # Safety
/// As for [`rows`].
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) unsafe fn difference(
    [za, zb]: [&mut [Block]; 2],
    [a, b]: [&[Fr]; 2],
    (shape, tile): (Shape, usize),
    table: &Splitting,
    scale: &[Factor],
    out: &Shared<'_>,
) {
    load_rows(za, a);
    load_rows(zb, b);
    split(za, table);
    split(zb, table);
    for l in 0..shape.columns {
        let q = reverse(l, shape.columns);
        // Below 3 p, and below 44 p.
        let v = Fr8::read(&za[q]).times(&scale[q]).minus_many(&Fr8::read(&zb[q]));
        // SAFETY: the caller's promise.
        scatter(v.canonical(), unsafe { out.eight(shape.rows * l + 8 * tile) });
    }
}
