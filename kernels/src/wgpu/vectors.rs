//! Vectors of scalars between host and device. The device stores them as the host does, in Montgomery form.

use super::context::{Buffer, Context};
use crate::error::KernelError;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// Bytes of an element.
pub const ELEMENT: u64 = 32;

/// A resident vector of `values`.
pub fn upload(context: &Context, values: &[Fr]) -> Result<Buffer, KernelError> {
    let buffer = context.alloc(values.len() as u64 * ELEMENT)?;
    write(context, &buffer, values)?;
    Ok(buffer)
}

/// Overwrites the start of a resident vector.
pub fn write(context: &Context, to: &Buffer, values: &[Fr]) -> Result<(), KernelError> {
    let limbs: Vec<[u64; 4]> = values.par_iter().map(|v| v.0).collect();
    context.upload(to, bytemuck::cast_slice(&limbs))
}

/// Copies the start of a resident vector to `values`.
pub fn read(context: &Context, from: &Buffer, values: &mut [Fr]) -> Result<(), KernelError> {
    context.download(from, size_of_val(values), |offset, piece| {
        let slots = values[offset / ELEMENT as usize..].par_iter_mut();
        slots.zip(piece.par_chunks_exact(ELEMENT as usize)).for_each(|(slot, limbs)| {
            *slot = Fr(bytemuck::pod_read_unaligned(limbs));
        });
    })
}
