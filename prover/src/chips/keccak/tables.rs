//! Spread numbers: the bits of a lane as digits in base 12 of one field element, and the one table Keccak needs.
//! A sum of lanes is a sum digit by digit as long as no digit reaches 12; nothing here may let one grow beyond 11.
use crate::circuit::chip::AssignError;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use std::sync::LazyLock;

/// The base. `12^64 < 2^230`, far below the field's order, so 64 digits never wrap.
pub const BASE: u64 = 12;

/// Entries of the table.
pub const TABLE_ROWS: usize = 1 << 16;

/// The bits of `x` as digits; below `12^16 < 2^58`.
pub fn spread16(x: u16) -> u64 {
    (0..16).rev().fold(0, |acc, i| acc * BASE + u64::from(x >> i & 1))
}

/// The bits of a lane as 64 digits.
pub fn spread64(x: u64) -> Fr {
    (0..4).rev().fold(Fr::ZERO, |acc, i| acc * digit(16) + Fr::from(spread16((x >> (16 * i)) as u16)))
}

fn powers(base: Fr) -> [Fr; 64] {
    let mut next = Fr::ONE;
    std::array::from_fn(|_| {
        let power = next;
        next *= base;
        power
    })
}

/// A row takes thousands of powers; an inversion for each would dominate its assignment.
static POWERS: LazyLock<[[Fr; 64]; 2]> = LazyLock::new(|| {
    let base = Fr::from(BASE);
    [powers(base), powers(base.invert().expect("twelve is not zero"))]
});

/// `12^k` for k below 64.
pub fn digit(k: u32) -> Fr {
    POWERS[0][k as usize]
}

/// `12^-k` for k below 64.
pub fn undigit(k: u32) -> Fr {
    POWERS[1][k as usize]
}

/// Looks up 16 binary digits, whose bits are `x`.
pub fn look(b: &mut RowBuilder<'_>, on: &Com, digits: &Com, x: u16) {
    b.lookup(Tag::KeccakBits, on, digits, usize::from(x));
}

/// The table: row `x` offers `spread16(x)` with a free multiplicity. Its capacity must be [`TABLE_ROWS`].
pub struct KeccakTable;

impl Chip for KeccakTable {
    type Row = u32;

    fn name(&self) -> &'static str {
        "keccak bits"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<u32>, AssignError> {
        Ok((0..TABLE_ROWS).map(|x| input.counts.get(Tag::KeccakBits, x)).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&u32>) {
        let multiplicity = b.commit(Fr::from(u64::from(row.copied().unwrap_or(0))));
        let entry = b.fixed(0);
        b.provide(Tag::KeccakBits, &multiplicity, &[(0, entry)]);
    }

    fn fixed(&self, index: usize) -> Vec<Fr> {
        // Rows beyond the table repeat the entry of zero, which is valid.
        vec![Fr::from(spread16(u16::try_from(index).unwrap_or(0)))]
    }
}
