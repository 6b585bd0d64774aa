//! Resident tables of powers for the transforms. Small by construction, a power being the product of two entries, so no
//! plan needs to count them nor to drop them.

use super::context::{Buffer, Context};
use super::vectors;
use crate::domain::root_of_unity;
use crate::error::KernelError;
use ff::Field;
use halo2curves::bn256::Fr;

/// log2 of the largest radix of a pass, and of the order of the roots its butterflies use; as in `fft.wgsl`.
pub const LOG_STAGES: u32 = 7;

/// log2 of the length of the low part of a table for exponents below 2^log_n.
pub fn log_low(log_n: u32) -> u32 {
    log_n.div_ceil(2)
}

/// `constant * base^i` for i below 2^log_n, as products of two entries.
fn factors(log_n: u32, constant: Fr, base: Fr) -> Vec<Fr> {
    let powers =
        |start, step, count| std::iter::successors(Some(start), move |p| Some(*p * step)).take(count);
    let low = log_low(log_n);
    let mut table: Vec<Fr> = powers(constant, base, 1usize << low).collect();
    table.extend(powers(Fr::ONE, base.pow_vartime([1u64 << low]), 1usize << (log_n - low)));
    table
}

/// Resident factors `constant * base^i` for i below a domain's size.
pub struct Powers(pub Buffer);

impl Powers {
    /// For i below 2^log_n.
    pub fn new(context: &Context, log_n: u32, constant: Fr, base: Fr) -> Result<Self, KernelError> {
        vectors::upload(context, &factors(log_n, constant, base)).map(Self)
    }
}

/// The roots of unity that a domain's transforms need, for both directions.
pub struct Roots {
    /// log2 of the domain's size.
    pub log_n: u32,
    forward: Buffer,
    inverse: Buffer,
}

impl Roots {
    /// For the domain of size 2^log_n.
    pub fn new(context: &Context, log_n: u32) -> Result<Self, KernelError> {
        let table = |direction: fn(Fr) -> Fr| {
            let stage = direction(root_of_unity(LOG_STAGES));
            let mut table: Vec<Fr> = (0..1u64 << (LOG_STAGES - 1)).map(|i| stage.pow_vartime([i])).collect();
            table.extend(factors(log_n, Fr::ONE, direction(root_of_unity(log_n))));
            vectors::upload(context, &table)
        };
        // Roots of unity are invertible.
        let invert = |root: Fr| root.invert().unwrap_or(Fr::ZERO);
        Ok(Self { log_n, forward: table(|root| root)?, inverse: table(invert)? })
    }

    /// The table of one direction.
    pub fn table(&self, inverse: bool) -> &Buffer {
        if inverse { &self.inverse } else { &self.forward }
    }
}
