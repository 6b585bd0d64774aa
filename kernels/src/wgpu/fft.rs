//! Transforms and the quotient: on the device throughout where vectors fit, else pass by pass in ranges of columns that
//! do. Nothing here may reorder a vector: passes are self-sorting, so input and output are in natural order.

use super::context::{Batch, Buffer, Context};
use super::shader::{Limbs, Pass, words};
use super::tables::{LOG_STAGES, Powers, Roots, log_low};
use super::vectors::{self, ELEMENT};
use crate::domain::{coset_shift, vanishing};
use crate::error::KernelError;
use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// log2 of the elements in one workgroup's tile, as in `fft.wgsl`.
const LOG_TILE: u32 = 9;

const SCALE_INPUT: u32 = 1;
const SCALE_OUTPUT: u32 = 2;

/// What a transform does beside transforming. A forward transform may multiply its input by powers, an inverse one its
/// output, which is where `1 / n` and the coset shifts go.
pub struct Transform<'a> {
    pub roots: &'a Roots,
    pub inverse: bool,
    pub powers: Option<&'a Powers>,
}

/// One pass of a transform over some columns.
struct Columns {
    log_s: u32,
    log_r: u32,
    log_columns: u32,
    first: u32,
}

impl Transform<'_> {
    /// The passes: log2 of the product of earlier radices, and log2 of the radix. As few passes as possible and as even
    /// as possible. With seven levels a tile has 4 neighbouring columns, hence reads and writes of 128 bytes; more levels
    /// would save passes and shorten those. Not measured on a GPU.
    fn passes(&self) -> Vec<(u32, u32)> {
        let log_n = self.roots.log_n;
        let passes = log_n.div_ceil(LOG_STAGES);
        let mut log_s = 0;
        (0..passes)
            .map(|pass| {
                let log_r = log_n / passes + u32::from(pass < log_n % passes);
                log_s += log_r;
                (log_s - log_r, log_r)
            })
            .collect()
    }

    fn dispatch(
        &self,
        batch: &mut Batch<'_>,
        columns: &Columns,
        input: &Buffer,
        output: &Buffer,
    ) -> Result<(), KernelError> {
        let log_n = self.roots.log_n;
        let Columns { log_s, log_r, log_columns, first } = *columns;
        let flags = match self.powers {
            Some(_) if !self.inverse && log_s == 0 => SCALE_INPUT,
            Some(_) if self.inverse && log_s + log_r == log_n => SCALE_OUTPUT,
            _ => 0,
        };
        let roots = self.roots.table(self.inverse);
        let powers = self.powers.map_or(roots, |powers| &powers.0);
        let params = [log_n, log_s, log_r, log_columns, first, flags, log_low(log_n)];
        // A workgroup takes a tile and two elements of it per thread.
        let threads = (1u64 << log_columns).div_ceil(1 << (LOG_TILE - log_r)) << (LOG_TILE - 1);
        batch.dispatch(Pass::Fft, &params, &[input, output, roots, powers], threads)
    }

    /// Records the transform of `data`; returns the buffer that will hold the result and the spare one. Both hold a
    /// vector of the domain's size. A domain of size 1 needs no pass: its only factor is 1.
    fn record(
        &self,
        batch: &mut Batch<'_>,
        mut data: Buffer,
        mut spare: Buffer,
    ) -> Result<(Buffer, Buffer), KernelError> {
        for (log_s, log_r) in self.passes() {
            let columns = Columns { log_s, log_r, log_columns: self.roots.log_n - log_r, first: 0 };
            self.dispatch(batch, &columns, &data, &spare)?;
            (data, spare) = (spare, data);
        }
        Ok((data, spare))
    }

    /// With all of the vector on the device.
    fn resident(&self, context: &Context, values: &mut [Fr]) -> Result<(), KernelError> {
        let data = vectors::upload(context, values)?;
        let spare = context.alloc(values.len() as u64 * ELEMENT)?;
        let mut batch = context.batch();
        let (result, spare) = self.record(&mut batch, data, spare)?;
        batch.submit()?;
        drop(spare);
        vectors::read(context, &result, values)
    }

    /// With buffers of at most `bytes` in all, hence as many columns at a time as they hold; at least one.
    fn streamed(&self, context: &Context, values: &mut [Fr], bytes: u64) -> Result<(), KernelError> {
        let mut source = values.to_vec();
        let mut target = vec![Fr::ZERO; values.len()];
        for (log_s, log_r) in self.passes() {
            let log_all = self.roots.log_n - log_r;
            // Input, output, and the output on its way back.
            let room = (bytes / 3).min(context.largest_buffer()) / (ELEMENT << log_r);
            let log_columns = room.max(1).ilog2().min(log_all);
            let local = 1usize << (log_columns + log_r);
            let input = context.alloc(local as u64 * ELEMENT)?;
            let output = context.alloc(local as u64 * ELEMENT)?;
            let mut tile = vec![Fr::ZERO; local];
            for first in (0..1usize << log_all).step_by(1 << log_columns) {
                let width = 1 << log_columns;
                for (j, row) in tile.chunks_exact_mut(width).enumerate() {
                    let start = first + (j << log_all);
                    row.copy_from_slice(&source[start..start + width]);
                }
                vectors::write(context, &input, &tile)?;
                let mut batch = context.batch();
                let columns = Columns { log_s, log_r, log_columns, first: first as u32 };
                self.dispatch(&mut batch, &columns, &input, &output)?;
                batch.submit()?;
                vectors::read(context, &output, &mut tile)?;
                // Column q + s p gives the places q + s (R p + k): runs of s, or of all columns here if those are fewer.
                let near = log_s.min(log_columns);
                for (run, piece) in tile.chunks_exact(1 << near).enumerate() {
                    let (p, k) = (run >> log_r, run & ((1 << log_r) - 1));
                    let t = first + (p << near);
                    let (q, p) = (t & ((1 << log_s) - 1), t >> log_s);
                    let start = q + (((p << log_r) + k) << log_s);
                    target[start..start + piece.len()].copy_from_slice(piece);
                }
            }
            std::mem::swap(&mut source, &mut target);
        }
        values.copy_from_slice(&source);
        Ok(())
    }

    /// In the memory there is; where the device refuses what its budget promised, in less and less of it.
    fn run(&self, context: &Context, values: &mut [Fr]) -> Result<(), KernelError> {
        let vector = values.len() as u64 * ELEMENT;
        // Twice on the device, and once on its way back.
        if fits(context, vector, 3) {
            match self.resident(context, values) {
                Err(KernelError::OutOfDeviceMemory { .. }) => {}
                done => return done,
            }
        }
        let mut bytes = context.available();
        loop {
            match self.streamed(context, values, bytes) {
                Err(KernelError::OutOfDeviceMemory { .. }) if bytes >= (3 * ELEMENT) << LOG_STAGES => {
                    bytes /= 2
                }
                done => return done,
            }
        }
    }
}

fn fits(context: &Context, vector: u64, vectors: u64) -> bool {
    vector <= context.largest_buffer() && vectors * vector <= context.available()
}

/// The four transforms of the interface.
#[derive(Clone, Copy)]
pub enum Kind {
    Forward,
    Inverse,
    CosetForward,
    CosetInverse,
}

/// `1 / 2^log_n`.
fn size_inverse(log_n: u32) -> Fr {
    Fr::TWO_INV.pow_vartime([u64::from(log_n)])
}

/// The coset shift's inverse.
fn unshift() -> Fr {
    // The shift generates the multiplicative group, so it is invertible.
    coset_shift().invert().unwrap_or(Fr::ZERO)
}

/// Runs one transform.
pub fn run(context: &Context, roots: &Roots, values: &mut [Fr], kind: Kind) -> Result<(), KernelError> {
    let log_n = roots.log_n;
    let (inverse, powers) = match kind {
        Kind::Forward => (false, None),
        Kind::Inverse => (true, Some((size_inverse(log_n), Fr::ONE))),
        Kind::CosetForward => (false, Some((Fr::ONE, coset_shift()))),
        Kind::CosetInverse => (true, Some((size_inverse(log_n), unshift()))),
    };
    let powers = powers.map(|(constant, base)| Powers::new(context, log_n, constant, base)).transpose()?;
    Transform { roots, inverse, powers: powers.as_ref() }.run(context, values)
}

/// The quotient: each vector goes to the coset by an inverse transform, whose output factors also apply the shift, and a
/// forward one; then `(a b - c) / Z` pointwise, and back.
pub fn quotient(context: &Context, roots: &Roots, mut vectors: [Vec<Fr>; 3]) -> Result<Vec<Fr>, KernelError> {
    let (n, log_n) = (vectors[0].len(), roots.log_n);
    let shift = Powers::new(context, log_n, size_inverse(log_n), coset_shift())?;
    let back = Powers::new(context, log_n, size_inverse(log_n), unshift())?;
    let steps = [
        Transform { roots, inverse: true, powers: Some(&shift) },
        Transform { roots, inverse: false, powers: None },
        Transform { roots, inverse: true, powers: Some(&back) },
    ];
    // Z is constant on the coset, and not zero there: the shift is in no subgroup of size 2^k.
    let z = vanishing(n, coset_shift()).invert().unwrap_or(Fr::ZERO);
    // Three vectors and a spare one; two of these are gone when the result is on its way back.
    if fits(context, n as u64 * ELEMENT, 4) {
        match resident_quotient(context, &steps, z, &vectors) {
            Err(KernelError::OutOfDeviceMemory { .. }) => {}
            done => return done,
        }
    }
    // Vectors that come and go anyway are multiplied where they are.
    for values in &mut vectors {
        steps[0].run(context, values)?;
        steps[1].run(context, values)?;
    }
    let [mut h, b, c] = vectors;
    h.par_iter_mut().zip(&b).zip(&c).for_each(|((h, b), c)| *h = (*h * b - c) * z);
    steps[2].run(context, &mut h)?;
    Ok(h)
}

/// The quotient with all vectors on the device from the first transform to the last.
fn resident_quotient(
    context: &Context,
    [to_shifted, to_coset, back]: &[Transform<'_>; 3],
    z: Fr,
    vectors: &[Vec<Fr>; 3],
) -> Result<Vec<Fr>, KernelError> {
    let n = vectors[0].len();
    let mut spare = context.alloc(n as u64 * ELEMENT)?;
    let mut evaluations = Vec::with_capacity(3);
    for values in vectors {
        let mut batch = context.batch();
        let data = vectors::upload(context, values)?;
        let (data, other) = to_shifted.record(&mut batch, data, spare)?;
        let (data, other) = to_coset.record(&mut batch, data, other)?;
        batch.submit()?;
        evaluations.push(data);
        spare = other;
    }
    let mut params = words(z.limbs()).to_vec();
    params.push(n as u32);
    let mut batch = context.batch();
    let buffers: Vec<&Buffer> = evaluations.iter().collect();
    batch.dispatch(Pass::Pointwise, &params, &buffers, n as u64)?;
    let product = evaluations.swap_remove(0);
    drop(evaluations);
    let (h, spare) = back.record(&mut batch, product, spare)?;
    batch.submit()?;
    drop(spare);
    let mut out = vec![Fr::ZERO; n];
    vectors::read(context, &h, &mut out)?;
    Ok(out)
}
