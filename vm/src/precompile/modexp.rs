//! Address 5, `modexp` (EIP-198, lengths bounded by EIP-7823): the lengths of base, exponent and modulus, then the three;
//! their power in as many bytes as the modulus has.
use super::encoding::{bytes, word};
use super::{Failed, Unsupported};
use num_bigint::BigUint;

/// Bytes of an operand that is computed with.
pub const MAX_OPERAND: u16 = 32;

/// Bytes of an operand that Ethereum takes.
const MAX_LENGTH: u16 = 1024;

pub(super) fn run(input: &[u8]) -> Result<Vec<u8>, Failed> {
    let [base, exponent, modulus] = lengths(input)?;
    if modulus == 0 {
        return Ok(Vec::new());
    }
    let longest = base.max(exponent).max(modulus);
    if longest > MAX_OPERAND {
        return Err(Unsupported::Modexp(longest).into());
    }
    let [base, exponent, modulus] = [base, exponent, modulus].map(usize::from);
    let number = |start, len| BigUint::from_bytes_be(&bytes(input, 96 + start, len));
    let of = number(base + exponent, modulus);
    let mut out = vec![0; modulus];
    if of != BigUint::ZERO {
        let power = number(0, base).modpow(&number(base, exponent), &of).to_bytes_be();
        // The power is below the modulus, hence no longer.
        let start = modulus.saturating_sub(power.len());
        out.splice(start.., power);
    }
    Ok(out)
}

fn lengths(input: &[u8]) -> Result<[u16; 3], Failed> {
    let mut out = [0; 3];
    for (i, length) in out.iter_mut().enumerate() {
        let word = word(input, i);
        let (rest, low) = word.split_at(30);
        *length = u16::from_be_bytes([low[0], low[1]]);
        if rest.iter().any(|b| *b != 0) || *length > MAX_LENGTH {
            return Err(Failed::Input);
        }
    }
    Ok(out)
}
