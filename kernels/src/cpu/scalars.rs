//! Scalars sorted by size: most of a witness is zero, one, a byte or a limb, and each class pays
//! only for the windows its bits need. Values just below the modulus count as small negatives.

use ff::PrimeField;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// Bit lengths of the classes. 1 holds exactly the scalars +1 and -1.
pub(crate) const CLASS_BITS: [u32; 5] = [1, 16, 64, 128, 254];

const MODULUS: [u64; 4] = {
    // Little-endian limbs of the order of BN254's groups (EIP-197).
    [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029]
};

/// Top bit of an entry: the scalar stands for its negative.
pub(crate) const NEGATIVE: u32 = 1 << 31;

/// Absolute values of the scalars, and for each class the indices (with sign) that belong to it.
pub(crate) struct Classified {
    pub(crate) magnitude: Vec<[u64; 4]>,
    pub(crate) entries: [Vec<u32>; CLASS_BITS.len()],
}

/// Splits scalars into classes. There are fewer than 2^31 of them.
pub(crate) fn classify(scalars: &[Fr]) -> Classified {
    const CHUNK: usize = 1 << 14;
    let mut magnitude = vec![[0u64; 4]; scalars.len()];
    let parts: Vec<[Vec<u32>; CLASS_BITS.len()]> = magnitude
        .par_chunks_mut(CHUNK)
        .zip(scalars.par_chunks(CHUNK))
        .enumerate()
        .map(|(chunk, (magnitude, scalars))| {
            let mut entries: [Vec<u32>; CLASS_BITS.len()] = Default::default();
            for (i, (out, scalar)) in magnitude.iter_mut().zip(scalars).enumerate() {
                let index = (chunk * CHUNK + i) as u32;
                if let Some((class, negative)) = classify_one(scalar, out) {
                    entries[class].push(if negative { index | NEGATIVE } else { index });
                }
            }
            entries
        })
        .collect();
    let entries = std::array::from_fn(|class| {
        let mut all = Vec::with_capacity(parts.iter().map(|p| p[class].len()).sum());
        parts.iter().for_each(|p| all.extend_from_slice(&p[class]));
        all
    });
    Classified { magnitude, entries }
}

fn classify_one(scalar: &Fr, out: &mut [u64; 4]) -> Option<(usize, bool)> {
    if scalar.0 == [0; 4] {
        return None;
    }
    let value = to_limbs(scalar);
    let negated = subtract(&MODULUS, &value);
    let (bits, negated_bits) = (bit_length(&value), bit_length(&negated));
    let negative = negated_bits < bits;
    *out = if negative { negated } else { value };
    let bits = bits.min(negated_bits);
    let class = CLASS_BITS.iter().position(|&limit| bits <= limit)?;
    Some((class, negative))
}

/// The canonical value as little-endian limbs.
pub(crate) fn to_limbs(scalar: &Fr) -> [u64; 4] {
    let repr = scalar.to_repr();
    let bytes: &[u8] = repr.as_ref();
    std::array::from_fn(|i| {
        let mut limb = [0; 8];
        limb.copy_from_slice(&bytes[8 * i..8 * i + 8]);
        u64::from_le_bytes(limb)
    })
}

fn subtract(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let mut borrow = false;
    std::array::from_fn(|i| {
        let (d, b1) = a[i].overflowing_sub(b[i]);
        let (d, b2) = d.overflowing_sub(borrow as u64);
        borrow = b1 | b2;
        d
    })
}

fn bit_length(limbs: &[u64; 4]) -> u32 {
    (0..4).rev().find(|&i| limbs[i] != 0).map_or(0, |i| 64 * i as u32 + 64 - limbs[i].leading_zeros())
}

/// Booth digit number `window` of width `c` (at most 20): in [-2^(c-1), 2^(c-1)], and
/// `value = sum digit_i 2^(c i)` over all windows up to one with a zero bit above the value's top bit.
#[inline(always)]
pub(crate) fn booth_digit(limbs: &[u64; 4], window: u32, c: u32) -> i32 {
    let low = (window * c) as i32 - 1;
    let v = if low < 0 { (limbs[0] << 1) as u32 } else { bits_at(limbs, low as u32) } & ((1 << (c + 1)) - 1);
    v.div_ceil(2) as i32 - ((v >> c) << c) as i32
}

#[inline(always)]
fn bits_at(limbs: &[u64; 4], bit: u32) -> u32 {
    let (limb, shift) = ((bit / 64) as usize, bit % 64);
    if limb >= 4 {
        return 0;
    }
    let mut v = limbs[limb] >> shift;
    if shift != 0 && limb < 3 {
        v |= limbs[limb + 1] << (64 - shift);
    }
    v as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::Field;
    use rand_core::SeedableRng;

    #[test]
    fn booth_digits_recompose_the_scalar() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        for c in 1..=20u32 {
            let shift = Fr::from(1u64 << c);
            for scalar in [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::random(&mut rng), Fr::random(&mut rng)] {
                let limbs = to_limbs(&scalar);
                let mut sum = Fr::ZERO;
                for w in (0..255u32.div_ceil(c)).rev() {
                    let d = booth_digit(&limbs, w, c);
                    assert!(d.unsigned_abs() <= 1 << (c - 1));
                    sum = sum * shift + if d < 0 { -Fr::from(-d as u64) } else { Fr::from(d as u64) };
                }
                assert_eq!(sum, scalar, "window width {c}");
            }
        }
    }

    #[test]
    fn classes_hold_the_absolute_value_and_the_sign() {
        let values =
            [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(65535), -Fr::from(65536), Fr::from(2).pow([128u64])];
        let c = classify(&values);
        assert_eq!(c.entries[0], vec![1, 2 | NEGATIVE]);
        assert_eq!(c.entries[1], vec![3]);
        assert_eq!(c.entries[2], vec![4 | NEGATIVE]);
        assert_eq!(c.entries[4], vec![5]);
        assert_eq!(c.magnitude[4], [65536, 0, 0, 0]);
        assert_eq!(Fr::from_repr((-Fr::ONE).to_repr()).unwrap() + Fr::ONE, Fr::ZERO);
    }
}
