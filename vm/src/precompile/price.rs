//! What precompiles cost in gas: the constraints that a chip is budgeted for, or the steps that a program of the machine
//! would take, since none is proven yet. Eight constraints are one gas.
use super::Precompile;
use crate::isa::price::{COPY_WORD, gas};
use num_bigint::BigUint;

/// A block of 64 bytes through SHA-256 or RIPEMD-160.
const HASH_BLOCK: u64 = gas(20_000) as u64;
/// Two modular multiplications and what a loop around them takes.
const EXPONENT_BIT: u64 = gas(800) as u64;
/// 16 modular multiplications in steps.
const POINT_ADDITION: u64 = gas(8_000) as u64;
/// 256 doublings and 128 additions of points.
const POINT_MULTIPLICATION: u64 = 384 * POINT_ADDITION;

/// The gas of a call with this input, whatever comes out. Nothing for what is not computed.
pub(super) fn of(precompile: &Precompile, input: &[u8]) -> u64 {
    let length = input.len() as u64;
    match precompile.number {
        1 => ECRECOVER,
        2 | 3 => ((length + 9).div_ceil(64)) * HASH_BLOCK,
        4 => 20 + length.div_ceil(32) * u64::from(COPY_WORD),
        5 => 2_000 + exponent_bits(input) * EXPONENT_BIT,
        6 => POINT_ADDITION,
        7 => POINT_MULTIPLICATION,
        // Two multiplications with shared doublings.
        0x100 => POINT_MULTIPLICATION + POINT_MULTIPLICATION / 3,
        _ => 0,
    }
}

/// A public key from a signature.
pub const ECRECOVER: u64 = gas(60_000) as u64;
/// SHA-256 of so many bytes.
pub const fn sha256(bytes: u32) -> u64 {
    (bytes as u64 + 9).div_ceil(64) * HASH_BLOCK
}

/// Bits of `modexp`'s exponent; those of the longest that is computed if it is longer.
fn exponent_bits(input: &[u8]) -> u64 {
    let word = |i: usize| {
        let mut bytes = [0; 32];
        let part = input.get(32 * i..).unwrap_or_default();
        let n = part.len().min(32);
        bytes[..n].copy_from_slice(&part[..n]);
        BigUint::from_bytes_be(&bytes)
    };
    let small = |n: BigUint| usize::try_from(n).ok().filter(|n| *n <= usize::from(super::MAX_MODEXP_OPERAND));
    let (Some(base), Some(length)) = (small(word(0)), small(word(1))) else {
        return 8 * u64::from(super::MAX_MODEXP_OPERAND);
    };
    let start = 96 + base;
    let bytes: Vec<u8> = (start..start + length).map(|i| input.get(i).copied().unwrap_or(0)).collect();
    BigUint::from_bytes_be(&bytes).bits()
}

#[cfg(test)]
mod tests {
    use crate::precompile::ALL;

    fn gas(number: u16, input: &[u8]) -> u64 {
        ALL.iter().find(|p| p.number == number).expect("there is one").gas(input)
    }

    #[test]
    fn longer_inputs_and_exponents_cost_more() {
        assert!(gas(2, &[0; 55]) < gas(2, &[0; 56]));
        assert_eq!(gas(4, &[0; 33]) - gas(4, &[0; 32]), 25);
        let mut input = [0; 96 + 3];
        (input[31], input[63], input[95]) = (1, 1, 1);
        input[97] = 0x80;
        assert_eq!(gas(5, &input), 2_000 + 8 * 100);
        input[97] = 1;
        assert_eq!(gas(5, &input), 2_000 + 100);
        assert_eq!(gas(5, &[0xff; 96]), 2_000 + 256 * 100);
        assert_eq!(gas(5, &[]), 2_000);
    }

    #[test]
    fn what_is_computed_has_a_price() {
        for p in ALL {
            assert_eq!(p.gas(&[]) > 0, p.is_supported(), "{}", p.name());
        }
    }
}
