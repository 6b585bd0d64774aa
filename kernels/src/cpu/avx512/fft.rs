//! FFT over eight lanes in two passes over memory (Bailey's four steps). A vector of n = rows x columns
//! elements is a matrix; columns are transformed eight at a time in a tile that stays in cache,
//! multiplied by powers of the root, then rows likewise, and results leave at their transposed place.
//!
//! Every transform of a tile goes from natural to bit-reversed order or back, and reversed places are
//! undone by the addresses of a tile's loads and stores: nothing is ever permuted in memory.

use super::Ifma;
use super::fft_tables::{Block, Factor, Joining, Splitting, limbs_of, powers, ramp, reverse};
use super::fft_tiles::{self as tiles, Shape, Shared, Step};
use crate::domain::{coset_shift, root_of_unity, vanishing};
use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::cell::RefCell;
use std::sync::{Mutex, OnceLock};

/// Smallest transform: eight rows of eight.
const LEAST: u32 = 6;
/// A transform keeps its intermediate vector for the next call up to this many elements: 128 MiB.
const KEPT: usize = 1 << 22;

/// One cache line of an intermediate vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([Fr; 2]);

/// Tables of one direction.
struct Direction {
    /// The root's powers, by columns.
    ramp: Vec<Block>,
    columns: Splitting,
    rows: Splitting,
}

/// Tables for the coset.
struct Coset {
    /// The shift's powers, by columns.
    lanes: Vec<Block>,
    /// Evaluation at the shift's multiples, by columns.
    columns: Splitting,
    /// Back from bit-reversed coefficients along rows, onto the coset.
    rows_back: Joining,
    /// Back from bit-reversed order along columns.
    columns_back: Joining,
    /// Powers of the shift's inverse for what leaves a pass over rows, at bit-reversed places.
    away: Vec<Factor>,
}

/// Tables for one size.
pub(crate) struct Transform {
    ifma: Ifma,
    shape: Shape,
    forward: Direction,
    inverse: Direction,
    coset: OnceLock<Coset>,
    /// The intermediate vector, while no call uses it.
    scratch: Mutex<Vec<Line>>,
}

thread_local! {
    /// Blocks a thread transforms: at most two tiles, 640 KiB for a vector of 2^20.
    static TILE: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f` on two tiles of this thread. `f` must not call into rayon, which might call back here.
fn with_tiles<T>(blocks: usize, f: impl FnOnce([&mut [Block]; 2]) -> T) -> T {
    TILE.with_borrow_mut(|tile| {
        if tile.len() < 2 * blocks {
            tile.resize(2 * blocks, Block([[0; 8]; 5]));
        }
        let (left, right) = tile.split_at_mut(blocks);
        f([left, &mut right[..blocks]])
    })
}

impl Direction {
    fn new(w: Fr, shape: Shape) -> Self {
        Self {
            ramp: ramp(w, shape.columns),
            columns: Splitting::new(w.pow_vartime([shape.columns as u64]), shape.rows, Fr::ONE),
            rows: Splitting::new(w.pow_vartime([shape.rows as u64]), shape.columns, Fr::ONE),
        }
    }

    /// The powers between a pass over columns and one over rows.
    fn step(&self, factor: Fr, ratio: Fr) -> Step<'_> {
        Step { ramp: &self.ramp, ratio: limbs_of(&ratio), factor: limbs_of(&factor), lanes: None }
    }
}

impl Coset {
    fn new(w: Fr, shape: Shape) -> Self {
        let g = coset_shift();
        // A generator of the multiplicative group is not zero.
        let away = g.invert().unwrap_or(Fr::ZERO).pow_vartime([shape.rows as u64]);
        let away = powers(away, shape.columns);
        let row_root = w.pow_vartime([shape.rows as u64]);
        let column_root = w.pow_vartime([shape.columns as u64]);
        Self {
            lanes: ramp(g, shape.columns),
            columns: Splitting::new(column_root, shape.rows, g.pow_vartime([shape.columns as u64])),
            rows_back: Joining::new(row_root, shape.columns, g.pow_vartime([shape.rows as u64])),
            columns_back: Joining::new(column_root, shape.rows, Fr::ONE),
            away: (0..shape.columns).map(|q| Factor::new(&away[reverse(q, shape.columns)])).collect(),
        }
    }
}

impl Transform {
    /// None where the size is too small for this path.
    pub(crate) fn new(ifma: Ifma, log_size: u32) -> Option<Self> {
        if log_size < LEAST {
            return None;
        }
        let shape = Shape { rows: 1 << (log_size / 2), columns: 1 << log_size.div_ceil(2) };
        let w = root_of_unity(log_size);
        let w_inverse = w.pow_vartime([(1u64 << log_size) - 1]);
        Some(Self {
            ifma,
            shape,
            forward: Direction::new(w, shape),
            inverse: Direction::new(w_inverse, shape),
            coset: OnceLock::new(),
            scratch: Mutex::default(),
        })
    }

    fn size(&self) -> usize {
        self.shape.rows * self.shape.columns
    }

    fn coset(&self) -> &Coset {
        let log_size = self.size().ilog2();
        self.coset.get_or_init(|| Coset::new(root_of_unity(log_size), self.shape))
    }

    fn size_inverse(&self) -> Fr {
        // The size is a power of two, the field's characteristic odd.
        Fr::from(self.size() as u64).invert().unwrap_or(Fr::ZERO)
    }

    /// Coefficients to evaluations; natural order.
    pub(crate) fn fft(&self, values: &mut [Fr]) {
        let direction = &self.forward;
        self.both(values, direction, &direction.columns, &direction.step(Fr::ONE, Fr::ONE), None);
    }

    /// Evaluations to coefficients; natural order.
    pub(crate) fn ifft(&self, values: &mut [Fr]) {
        let direction = &self.inverse;
        let step = direction.step(self.size_inverse(), Fr::ONE);
        self.both(values, direction, &direction.columns, &step, None);
    }

    /// Coefficients to evaluations on the coset. With g the shift, coefficient (i, j) is due
    /// `(g^columns)^i g^j`: the first goes into the factors of the pass over columns.
    pub(crate) fn coset_fft(&self, values: &mut [Fr]) {
        let (coset, direction) = (self.coset(), &self.forward);
        let step = Step { lanes: Some(&coset.lanes), ..direction.step(Fr::ONE, Fr::ONE) };
        self.both(values, direction, &coset.columns, &step, None);
    }

    /// Evaluations on the coset to coefficients. Coefficient k + rows l is due `g^-k (g^-rows)^l`.
    pub(crate) fn coset_ifft(&self, values: &mut [Fr]) {
        let direction = &self.inverse;
        let step = direction.step(self.size_inverse(), coset_shift().invert().unwrap_or(Fr::ZERO));
        self.both(values, direction, &direction.columns, &step, Some(&self.coset().away));
    }

    fn both(
        &self,
        values: &mut [Fr],
        direction: &Direction,
        columns: &Splitting,
        step: &Step<'_>,
        scale: Option<&[Factor]>,
    ) {
        self.with_scratch(|scratch| {
            self.columns(values, columns, step, scratch);
            let out = Shared::new(values);
            scratch.par_chunks(8 * self.shape.columns).enumerate().for_each(|(tile, source)| {
                let Ifma(()) = self.ifma;
                with_tiles(self.shape.columns, |[z, _]| {
                    // SAFETY: the token in `self.ifma` exists only where the features do; each tile
                    // writes its own columns of the transposed matrix.
                    unsafe { tiles::rows(z, source, (self.shape, tile), &direction.rows, scale, &out) }
                });
            });
        });
    }

    /// The pass over columns, from natural to tiled layout.
    fn columns(&self, source: &[Fr], table: &Splitting, step: &Step<'_>, out: &mut [Fr]) {
        let out = Shared::new(out);
        (0..self.shape.columns / 8).into_par_iter().for_each(|tile| {
            let Ifma(()) = self.ifma;
            with_tiles(self.shape.rows, |[z, _]| {
                // SAFETY: as in `both`; each tile writes its own columns.
                unsafe { tiles::columns(z, source, (self.shape, tile), table, step, &out) }
            });
        });
    }

    /// Lends the intermediate vector; what it holds is left from before.
    fn with_scratch<T>(&self, f: impl FnOnce(&mut [Fr]) -> T) -> T {
        // A poisoned lock means a panic elsewhere; the lines are plain memory.
        let lock = || self.scratch.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut lines = std::mem::take(&mut *lock());
        lines.resize(self.size() / 2, Line([Fr::ZERO; 2]));
        // SAFETY: a line is two scalars and nothing else, so n / 2 lines are n scalars.
        let scalars = unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), self.size()) };
        let result = f(scalars);
        if self.size() <= KEPT {
            *lock() = lines;
        }
        result
    }

    /// See [`crate::Backend::quotient`] and the portable path's account of the formula. Seven passes
    /// over columns or rows of one vector or two: a and b to coefficients and on to the coset, their
    /// product and back, c to coefficients.
    pub(crate) fn quotient(&self, mut a: Vec<Fr>, mut b: Vec<Fr>, mut c: Vec<Fr>) -> Vec<Fr> {
        let (scale, shift) = (self.size_inverse(), coset_shift());
        let (inverse, coset) = (&self.inverse, self.coset());
        // g^n is not 1, see the portable path.
        let z_inverse = vanishing(self.size(), shift).invert().unwrap_or(Fr::ZERO);
        let shift_inverse = shift.invert().unwrap_or(Fr::ZERO);
        self.with_scratch(|x| {
            let to_coset = inverse.step(scale, shift);
            self.columns(&a, &inverse.columns, &to_coset, x);
            self.columns(&b, &inverse.columns, &to_coset, &mut a);
            self.columns(&c, &inverse.columns, &inverse.step(scale * z_inverse, Fr::ONE), &mut b);
            self.there_and_back(x);
            self.there_and_back(&mut a);
            // Products come short of 2^4: 2^256 x 2^256 / 2^260.
            let factor = scale * z_inverse * Fr::from(16);
            self.product(x, &mut a, &inverse.step(factor, shift_inverse));
            let out = Shared::new(&mut c);
            let width = 8 * self.shape.columns;
            x.par_chunks(width).zip(b.par_chunks(width)).enumerate().for_each(|(tile, (x, y))| {
                let (Ifma(()), at) = (self.ifma, (self.shape, tile));
                with_tiles(self.shape.columns, |z| {
                    // SAFETY: as in `both`.
                    unsafe { tiles::difference(z, [x, y], at, &inverse.rows, &coset.away, &out) }
                });
            });
        });
        c
    }

    /// Along rows: to coefficients and back to values on the coset.
    fn there_and_back(&self, x: &mut [Fr]) {
        let (coset, there) = (self.coset(), &self.inverse.rows);
        let step = self.forward.step(Fr::ONE, Fr::ONE);
        x.par_chunks_mut(8 * self.shape.columns).enumerate().for_each(|(tile, rows)| {
            let Ifma(()) = self.ifma;
            with_tiles(self.shape.columns, |[z, _]| {
                // SAFETY: the token in `self.ifma` exists only where the features do.
                unsafe { tiles::there_and_back(z, rows, tile, there, &coset.rows_back, &step) }
            });
        });
    }

    /// Along columns: evaluations on the coset, their products, and back.
    fn product(&self, x: &mut [Fr], y: &mut [Fr], step: &Step<'_>) {
        let (there, back) = (&self.coset().columns_back, &self.inverse.columns);
        let (x, y) = (Shared::new(x), Shared::new(y));
        (0..self.shape.columns / 8).into_par_iter().for_each(|tile| {
            let (Ifma(()), at) = (self.ifma, (self.shape, tile));
            with_tiles(self.shape.rows, |z| {
                // SAFETY: as in `both`; each tile reads and writes its own columns.
                unsafe { tiles::product(z, [&x, &y], at, there, back, step) }
            });
        });
    }
}
