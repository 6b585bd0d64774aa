//! Scalars sorted by size: most of a witness is zero, one, a byte or a limb, and a scalar takes part
//! only in the windows its bits reach. Values just below the modulus count as small negatives.

use super::pages::Zeroed;
use ff::PrimeField;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// Bit lengths of the classes, the longest first: no absolute value is above half the modulus.
pub(crate) const CLASS_BITS: [u32; 8] = [253, 192, 128, 64, 32, 16, 8, 1];

const MODULUS: [u64; 4] = {
    // Little-endian limbs of the order of BN254's groups (EIP-197).
    [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029]
};

/// Top bit of an entry: the scalar stands for its negative.
pub(crate) const NEGATIVE: u32 = 1 << 31;

/// Absolute values, limb by limb, so that a window reads no more than the one or two limbs it needs.
pub(crate) struct Magnitudes([Zeroed; 4]);

impl Magnitudes {
    /// The Booth digits (see [`booth_digit`]) of the entries at bit `offset`.
    pub(crate) fn digits(&self, entries: &[u32], offset: u32, width: u32, digits: &mut Vec<i32>) {
        let mask = (1 << (width + 1)) - 1;
        let digit = |bits: u64| {
            let bits = bits as u32 & mask;
            bits.div_ceil(2) as i32 - ((bits >> width) << width) as i32
        };
        let index = |entry: &u32| (entry & !NEGATIVE) as usize;
        digits.clear();
        // One bit below the window is its carry; below bit 0 there is a zero.
        let limbs: [&[u64]; 4] = self.0.each_ref().map(|limb| &**limb);
        let Some(low) = offset.checked_sub(1) else {
            digits.extend(entries.iter().map(|entry| digit(limbs[0][index(entry)] << 1)));
            return;
        };
        let (limb, shift) = ((low / 64) as usize, low % 64);
        match limbs.get(limb..) {
            Some([this, next, ..]) if shift + width >= 64 => digits
                .extend(entries.iter().map(index).map(|i| digit(this[i] >> shift | next[i] << (64 - shift)))),
            Some([this, ..]) => digits.extend(entries.iter().map(|entry| digit(this[index(entry)] >> shift))),
            _ => digits.resize(entries.len(), 0),
        }
    }

    #[cfg(test)]
    fn get(&self, i: usize) -> [u64; 4] {
        std::array::from_fn(|k| self.0[k][i])
    }
}

/// Absolute values of the scalars, and the indices (with sign) of those not zero, by class.
pub(crate) struct Classified {
    pub(crate) magnitude: Magnitudes,
    entries: Vec<u32>,
    /// Where in `entries` each class ends.
    ends: [usize; CLASS_BITS.len()],
}

impl Classified {
    /// The entries whose digits at bit `offset` or above are not all zero, as far as classes tell:
    /// the carry into that digit comes from the bit below.
    pub(crate) fn reaching(&self, offset: u32) -> &[u32] {
        let classes = CLASS_BITS.iter().take_while(|&&bits| bits >= offset).count();
        &self.entries[..classes.checked_sub(1).map_or(0, |last| self.ends[last])]
    }

    /// Bit length of the longest class that has an entry; zero if there is none.
    pub(crate) fn bits(&self) -> u32 {
        CLASS_BITS.iter().zip(self.ends).find(|(_, end)| *end > 0).map_or(0, |(&bits, _)| bits)
    }
}

/// Splits scalars into classes, without those to `skip`. There are fewer than 2^31 of them;
/// `canonical` gives the canonical values of a run of them.
pub(crate) fn classify(
    scalars: &[Fr],
    canonical: impl Fn(&[Fr]) -> Vec<[u64; 4]> + Sync,
    skip: impl Fn(usize) -> bool + Sync,
) -> Classified {
    const CHUNK: usize = 1 << 14;
    let mut limbs: [Zeroed; 4] = std::array::from_fn(|_| Zeroed::new(scalars.len()));
    let [l0, l1, l2, l3] = &mut limbs;
    let parts: Vec<[Vec<u32>; CLASS_BITS.len()]> = l0
        .par_chunks_mut(CHUNK)
        .zip(l1.par_chunks_mut(CHUNK))
        .zip(l2.par_chunks_mut(CHUNK))
        .zip(l3.par_chunks_mut(CHUNK))
        .zip(scalars.par_chunks(CHUNK))
        .enumerate()
        .map(|(chunk, ((((l0, l1), l2), l3), scalars))| {
            let mut entries: [Vec<u32>; CLASS_BITS.len()] = Default::default();
            for (i, value) in canonical(scalars).into_iter().enumerate() {
                let index = chunk * CHUNK + i;
                let Some((class, negative, value)) = classify_one(value) else { continue };
                if skip(index) {
                    continue;
                }
                for (limb, value) in [&mut l0[i], &mut l1[i], &mut l2[i], &mut l3[i]].into_iter().zip(value) {
                    if value != 0 {
                        *limb = value;
                    }
                }
                entries[class].push(if negative { index as u32 | NEGATIVE } else { index as u32 });
            }
            entries
        })
        .collect();
    let mut entries = Vec::with_capacity(parts.iter().flatten().map(Vec::len).sum());
    let ends = std::array::from_fn(|class| {
        parts.iter().for_each(|part| entries.extend_from_slice(&part[class]));
        entries.len()
    });
    Classified { magnitude: Magnitudes(limbs), entries, ends }
}

/// Class, sign and absolute value of a canonical value other than zero.
fn classify_one(value: [u64; 4]) -> Option<(usize, bool, [u64; 4])> {
    if value == [0; 4] {
        return None;
    }
    let negated = subtract(&MODULUS, &value);
    let negative = negated.iter().rev().lt(value.iter().rev());
    let value = if negative { negated } else { value };
    let bits = bit_length(&value);
    let class = CLASS_BITS.iter().rposition(|&limit| bits <= limit)?;
    Some((class, negative, value))
}

/// The canonical values, one by one.
pub(crate) fn canonical(scalars: &[Fr]) -> Vec<[u64; 4]> {
    scalars.iter().map(to_limbs).collect()
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

/// Booth digit of `c` bits (at most 20) from bit `offset`: in [-2^(c-1), 2^(c-1)]. For windows that
/// partition the bits up to one above the value's top bit, `value = sum digit 2^offset`.
#[inline(always)]
pub(crate) fn booth_digit(limbs: &[u64; 4], offset: u32, c: u32) -> i32 {
    let v = if offset == 0 { (limbs[0] << 1) as u32 } else { bits_at(limbs, offset - 1) };
    let v = v & ((1 << (c + 1)) - 1);
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
    use rand_core::{RngCore, SeedableRng};

    #[test]
    fn booth_digits_recompose_the_scalar() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        for c in 1..=20u32 {
            let shift = Fr::from(1u64 << c);
            for scalar in [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::random(&mut rng), Fr::random(&mut rng)] {
                let limbs = to_limbs(&scalar);
                let mut sum = Fr::ZERO;
                for w in (0..255u32.div_ceil(c)).rev() {
                    let d = booth_digit(&limbs, w * c, c);
                    assert!(d.unsigned_abs() <= 1 << (c - 1));
                    sum = sum * shift + if d < 0 { -Fr::from(-d as u64) } else { Fr::from(d as u64) };
                }
                assert_eq!(sum, scalar, "window width {c}");
            }
        }
    }

    #[test]
    fn digits_of_unequal_windows_recompose_the_scalar() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4);
        for _ in 0..200 {
            let scalar = Fr::random(&mut rng);
            let classified = classify(&[scalar, -scalar], canonical, |_| false);
            let (mut offset, mut sum, mut digits) = (0, Fr::ZERO, Vec::new());
            while offset < 255 {
                let c = 1 + rng.next_u32() % 20;
                let d = booth_digit(&to_limbs(&scalar), offset, c);
                classified.magnitude.digits(&[0, 1 | NEGATIVE], offset, c, &mut digits);
                let magnitude = classified.magnitude.get(0);
                assert_eq!(digits, [booth_digit(&magnitude, offset, c); 2], "{c} bits from {offset}");
                let digit = if d < 0 { -Fr::from(-d as u64) } else { Fr::from(d as u64) };
                sum += digit * Fr::from(2).pow([u64::from(offset)]);
                offset += c;
            }
            assert_eq!(sum, scalar);
        }
    }

    #[test]
    fn classes_hold_the_absolute_value_and_the_sign() {
        let values =
            [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(65535), -Fr::from(65536), Fr::from(2).pow([128u64])];
        let c = classify(&values, canonical, |_| false);
        assert_eq!(c.entries, vec![5, 4 | NEGATIVE, 3, 1, 2 | NEGATIVE]);
        assert_eq!(c.ends, [0, 1, 1, 1, 2, 3, 3, 5]);
        assert_eq!(c.bits(), 192);
        assert_eq!(c.reaching(0), &c.entries[..]);
        assert_eq!(c.reaching(1), &c.entries[..]);
        assert_eq!(c.reaching(16), &[5, 4 | NEGATIVE, 3]);
        assert_eq!(c.reaching(17), &[5, 4 | NEGATIVE]);
        assert_eq!(c.reaching(193), &[0u32; 0]);
        assert_eq!(c.magnitude.get(4), [65536, 0, 0, 0]);
        assert_eq!(c.magnitude.get(5), [0, 0, 1, 0]);
        assert_eq!(Fr::from_repr((-Fr::ONE).to_repr()).unwrap() + Fr::ONE, Fr::ZERO);
        assert_eq!(classify(&values, canonical, |i| i != 3).entries, vec![3]);
    }

    #[test]
    fn no_absolute_value_exceeds_half_the_modulus() {
        let half = Fr::from(2).invert().unwrap();
        let values = [half, half - Fr::ONE, half + Fr::ONE, -half];
        let c = classify(&values, canonical, |_| false);
        assert!((0..values.len()).all(|i| bit_length(&c.magnitude.get(i)) <= CLASS_BITS[0]));
        assert_eq!(c.entries.len(), 4);
    }
}
