//! Transforms and the quotient on the device: plans of passes, twiddle tables and powers.
//! Nothing here may reorder a vector: passes are self-sorting, so input and output are in natural order.

use super::context::{Batch, Buffer, Context};
use super::shader::{Limbs, Pass, THREADS, words};
use crate::domain::{coset_shift, root_of_unity, vanishing};
use crate::error::KernelError;
use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// log2 of the elements in one workgroup's tile, as in `fft.wgsl`.
const LOG_TILE: u32 = 9;
/// Levels per pass at most. With 7, a tile has 4 neighbouring columns, hence reads and writes of 128 bytes; more levels
/// would save passes and shorten those. Not measured on a GPU.
const MAX_LEVELS: u32 = 7;
/// Bytes of an element.
pub const ELEMENT: u64 = 32;

const INVERSE: u32 = 1;
const SCALE_INPUT: u32 = 2;
const SCALE_OUTPUT: u32 = 4;

/// Elements as the device stores them.
fn encode(values: &[Fr]) -> Vec<[u64; 4]> {
    values.iter().map(|v| v.limbs()).collect()
}

/// A resident vector of `values`.
pub fn upload(context: &Context, values: &[Fr]) -> Result<Buffer, KernelError> {
    let buffer = context.alloc(values.len() as u64 * ELEMENT)?;
    write(context, &buffer, values)?;
    Ok(buffer)
}

/// Overwrites the start of a resident vector.
pub fn write(context: &Context, to: &Buffer, values: &[Fr]) -> Result<(), KernelError> {
    context.upload(to, bytemuck::cast_slice(&encode(values)))
}

/// Copies a resident vector to `values`.
pub fn read(context: &Context, from: &Buffer, values: &mut [Fr]) -> Result<(), KernelError> {
    let bytes = std::mem::size_of_val(values);
    let mut slots = values.iter_mut();
    context.download(from, bytes, |piece| {
        for (chunk, slot) in piece.chunks_exact(ELEMENT as usize).zip(slots.by_ref()) {
            *slot = Fr(bytemuck::pod_read_unaligned(chunk));
        }
    })
}

/// `start * step^i` for i below `count`.
fn powers(start: Fr, step: Fr, count: usize) -> Vec<Fr> {
    const CHUNK: usize = 1 << 12;
    let mut out = vec![Fr::ZERO; count];
    out.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, out)| {
        let mut power = start * step.pow_vartime([(chunk * CHUNK) as u64]);
        for slot in out {
            *slot = power;
            power *= step;
        }
    });
    out
}

/// Resident powers of the domain's root of unity: the first half, the second is its negative.
pub struct Twiddles {
    log_n: u32,
    table: Buffer,
}

impl Twiddles {
    pub fn new(context: &Context, log_n: u32) -> Result<Self, KernelError> {
        let half = 1usize << log_n.saturating_sub(1);
        let table = upload(context, &powers(Fr::ONE, root_of_unity(log_n), half))?;
        Ok(Self { log_n, table })
    }
}

/// Resident factors `constant * base^i` for i below 2^log_n, as products of two entries of a table of twice the
/// square root's length.
pub struct Powers {
    log_low: u32,
    table: Buffer,
}

impl Powers {
    pub fn new(context: &Context, log_n: u32, constant: Fr, base: Fr) -> Result<Self, KernelError> {
        let log_low = log_n.div_ceil(2);
        let mut table = powers(constant, base, 1 << log_low);
        table.extend(powers(Fr::ONE, base.pow_vartime([1u64 << log_low]), 1 << (log_n - log_low)));
        Ok(Self { log_low, table: upload(context, &table)? })
    }
}

/// What a transform does beside transforming.
#[derive(Clone, Copy)]
pub enum Scale<'a> {
    Nothing,
    Input(&'a Powers),
    Output(&'a Powers),
}

/// log2 of the radix of each pass: as few passes as possible, as even as possible.
fn levels(log_n: u32) -> Vec<u32> {
    let passes = log_n.div_ceil(MAX_LEVELS);
    (0..passes).map(|pass| log_n / passes + u32::from(pass < log_n % passes)).collect()
}

/// Records the transform of `data` and returns the buffer that will hold the result and the spare one.
/// Both hold a vector of the domain's size. A domain of size 1 needs no work: its only scale factor is 1.
pub fn transform(
    batch: &mut Batch<'_>,
    twiddles: &Twiddles,
    mut data: Buffer,
    mut spare: Buffer,
    inverse: bool,
    scale: Scale<'_>,
) -> Result<(Buffer, Buffer), KernelError> {
    let log_n = twiddles.log_n;
    let levels = levels(log_n);
    let mut log_s = 0;
    for (pass, &log_r) in levels.iter().enumerate() {
        let mut flags = if inverse { INVERSE } else { 0 };
        let mut table = (0, &twiddles.table);
        match scale {
            Scale::Input(powers) if pass == 0 => {
                flags |= SCALE_INPUT;
                table = (powers.log_low, &powers.table);
            }
            Scale::Output(powers) if pass + 1 == levels.len() => {
                flags |= SCALE_OUTPUT;
                table = (powers.log_low, &powers.table);
            }
            _ => {}
        }
        let params = [log_n, log_s, log_r, flags, table.0];
        let groups = (1u64 << (log_n - log_r)).div_ceil(1 << (LOG_TILE - log_r));
        batch.dispatch(Pass::Fft, &params, &[&data, &spare, &twiddles.table, table.1], groups)?;
        (data, spare) = (spare, data);
        log_s += log_r;
    }
    Ok((data, spare))
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

/// Runs one transform with all of the vector on the device.
pub fn run(context: &Context, twiddles: &Twiddles, values: &mut [Fr], kind: Kind) -> Result<(), KernelError> {
    let log_n = twiddles.log_n;
    let (inverse, powers) = match kind {
        Kind::Forward => (false, None),
        Kind::Inverse => (true, Some((size_inverse(log_n), Fr::ONE))),
        Kind::CosetForward => (false, Some((Fr::ONE, coset_shift()))),
        Kind::CosetInverse => (true, Some((size_inverse(log_n), unshift()))),
    };
    let powers = powers.map(|(constant, base)| Powers::new(context, log_n, constant, base)).transpose()?;
    let scale = match &powers {
        None => Scale::Nothing,
        Some(powers) if inverse => Scale::Output(powers),
        Some(powers) => Scale::Input(powers),
    };
    let data = upload(context, values)?;
    let spare = context.alloc(values.len() as u64 * ELEMENT)?;
    let mut batch = context.batch();
    let (result, spare) = transform(&mut batch, twiddles, data, spare, inverse, scale)?;
    batch.submit()?;
    drop(spare);
    read(context, &result, values)
}

/// The quotient with all three vectors on the device throughout: each goes to the coset by an inverse transform, whose
/// output scaling also applies the shift, and a forward one; then `(a b - c) / Z` pointwise, and back.
pub fn quotient(
    context: &Context,
    twiddles: &Twiddles,
    a: &[Fr],
    b: &[Fr],
    c: &[Fr],
) -> Result<Vec<Fr>, KernelError> {
    let (n, log_n) = (a.len(), twiddles.log_n);
    let shift = Powers::new(context, log_n, size_inverse(log_n), coset_shift())?;
    let back = Powers::new(context, log_n, size_inverse(log_n), unshift())?;
    let mut spare = context.alloc(n as u64 * ELEMENT)?;
    let mut evaluations = Vec::with_capacity(3);
    for values in [a, b, c] {
        let mut batch = context.batch();
        let data = upload(context, values)?;
        let (data, other) = transform(&mut batch, twiddles, data, spare, true, Scale::Output(&shift))?;
        let (data, other) = transform(&mut batch, twiddles, data, other, false, Scale::Nothing)?;
        batch.submit()?;
        evaluations.push(data);
        spare = other;
    }
    // Z is constant on the coset, and not zero there: the shift is in no subgroup of size 2^k.
    let z = vanishing(n, coset_shift()).invert().unwrap_or(Fr::ZERO);
    let mut params = words(z.limbs()).to_vec();
    params.push(n as u32);
    let mut batch = context.batch();
    let buffers: Vec<&Buffer> = evaluations.iter().collect();
    batch.dispatch(Pass::Pointwise, &params, &buffers, (n as u64).div_ceil(THREADS))?;
    let product = evaluations.swap_remove(0);
    let (h, _spare) = transform(&mut batch, twiddles, product, spare, true, Scale::Output(&back))?;
    batch.submit()?;
    let mut out = vec![Fr::ZERO; n];
    read(context, &h, &mut out)?;
    Ok(out)
}
