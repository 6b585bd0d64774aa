//! Eight field elements at a time: radix 2^52, five limbs, Montgomery form with R = 2^260, on the
//! 52-bit multiply-add instructions. Values are reduced lazily: each function says which multiple of
//! the modulus its inputs may reach. Nothing here is constant time.
//!
//! Layout: `limbs[k]` lane i is limb k of element i. "Normalised" means every limb is in [0, 2^52).
//! Both moduli of BN254 satisfy p < 0.1891 * 2^256, so p / R < 0.01182 and 84 p < R: any value up to
//! 84 p can be normalised.

use super::simd::*;
use std::marker::PhantomData;

/// An expression for each limb, unrolled here so that nothing is left for the optimiser to inline.
macro_rules! limbs {
    ($k:ident => $e:expr) => {
        [limbs!(@ 0, $k, $e), limbs!(@ 1, $k, $e), limbs!(@ 2, $k, $e), limbs!(@ 3, $k, $e), limbs!(@ 4, $k, $e)]
    };
    (@ $n:literal, $k:ident, $e:expr) => {{
        let $k: usize = $n;
        $e
    }};
}

pub(crate) const MASK: u64 = (1 << 52) - 1;

/// A modulus of 254 bits.
pub(crate) trait Modulus: Copy + Send + Sync + 'static {
    /// Little-endian 64-bit limbs.
    const P64: [u64; 4];
    /// Radix-2^52 limbs of k p for k in 0..=8.
    const MULTIPLES: [[u64; 5]; 9] = multiples(&Self::P64);
    /// -1 / p mod 2^52.
    const NEG_INV: u64 = neg_inverse(Self::P64[0]);
    /// `(N + 1) / 2^52` for the multiple N = k p of p, k below 2^52, that is -1 mod 2^52.
    const FRIENDLY: [u64; 5] = friendly(&Self::P64);
    /// For i in 0..8, limb by limb: the greatest multiple of p that is at most i 2^253.
    const WHOLE: [[u64; 8]; 5] = whole_multiples(&Self::P64);
    /// 1 in Montgomery form.
    const ONE: [u64; 5] = split(&power_of_two(&Self::P64, 260));
    #[cfg(test)]
    /// A product with this turns a 2^256 Montgomery form into ours: x 2^256 * 2^264 / 2^260.
    const FROM_256: [u64; 5] = split(&power_of_two(&Self::P64, 264));
    #[cfg(test)]
    /// A product with this turns our form into the 2^256 one: x 2^260 * 2^256 / 2^260.
    const TO_256: [u64; 5] = split(&power_of_two(&Self::P64, 256));
}

/// The field of coordinates.
#[derive(Clone, Copy)]
pub(crate) struct BaseModulus;
/// The field of scalars.
#[derive(Clone, Copy)]
pub(crate) struct ScalarModulus;

impl Modulus for BaseModulus {
    const P64: [u64; 4] = [0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029];
}
impl Modulus for ScalarModulus {
    const P64: [u64; 4] = [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029];
}

/// 64-bit limbs to 52-bit limbs.
pub(crate) const fn split(x: &[u64; 4]) -> [u64; 5] {
    [
        x[0] & MASK,
        ((x[0] >> 52) | (x[1] << 12)) & MASK,
        ((x[1] >> 40) | (x[2] << 24)) & MASK,
        ((x[2] >> 28) | (x[3] << 36)) & MASK,
        x[3] >> 16,
    ]
}

const fn multiples(p: &[u64; 4]) -> [[u64; 5]; 9] {
    let p = split(p);
    let mut out = [[0; 5]; 9];
    let mut k = 0;
    while k < 9 {
        let (mut carry, mut i) = (0, 0);
        while i < 5 {
            let t = p[i] * k as u64 + carry;
            out[k][i] = t & MASK;
            carry = t >> 52;
            i += 1;
        }
        k += 1;
    }
    out
}

const fn neg_inverse(p0: u64) -> u64 {
    // Newton's iteration doubles the correct low bits: 1, 2, 4, .. 64.
    let (mut x, mut i) = (1u64, 0);
    while i < 6 {
        x = x.wrapping_mul(2u64.wrapping_sub(p0.wrapping_mul(x)));
        i += 1;
    }
    x.wrapping_neg() & MASK
}

const fn friendly(p: &[u64; 4]) -> [u64; 5] {
    let (k, p) = (neg_inverse(p[0]) as u128, split(p));
    let (mut out, mut carry, mut i) = ([0; 5], 0u128, 0);
    while i < 5 {
        let t = p[i] as u128 * k + carry;
        if i > 0 {
            out[i - 1] = t as u64 & MASK;
        }
        // The lowest limb of k p is 2^52 - 1: the one added carries.
        carry = (t >> 52) + (i == 0) as u128;
        i += 1;
    }
    out[4] = carry as u64;
    out
}

const fn whole_multiples(p: &[u64; 4]) -> [[u64; 8]; 5] {
    let multiples = multiples(p);
    let (mut out, mut i) = ([[0; 8]; 5], 0);
    while i < 8 {
        let mut q = 0;
        // p is no power of two, so the top limbs decide; 2^253 has its one in bit 45 of the top limb.
        while multiples[q + 1][4] < (i as u64) << 45 {
            q += 1;
        }
        let mut k = 0;
        while k < 5 {
            out[k][i] = multiples[q][k];
            k += 1;
        }
        i += 1;
    }
    out
}

const fn power_of_two(p: &[u64; 4], exponent: u32) -> [u64; 4] {
    let (mut x, mut i) = ([1u64, 0, 0, 0], 0);
    while i < exponent {
        // x < p < 2^254, so the double fits.
        let d =
            [x[0] << 1, (x[1] << 1) | (x[0] >> 63), (x[2] << 1) | (x[1] >> 63), (x[3] << 1) | (x[2] >> 63)];
        x = reduce_once(&d, p);
        i += 1;
    }
    x
}

/// `x - p` if that is not negative, else `x`.
pub(crate) const fn reduce_once(x: &[u64; 4], p: &[u64; 4]) -> [u64; 4] {
    let (mut out, mut borrow, mut i) = ([0u64; 4], false, 0);
    while i < 4 {
        let (d, b1) = x[i].overflowing_sub(p[i]);
        let (d, b2) = d.overflowing_sub(borrow as u64);
        out[i] = d;
        borrow = b1 | b2;
        i += 1;
    }
    if borrow { *x } else { out }
}

/// Eight elements of the field with modulus M.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<M> {
    pub(crate) limbs: [V; 5],
    modulus: PhantomData<M>,
}

impl<M: Modulus> Lanes<M> {
    #[inline(always)]
    pub(crate) fn new(limbs: [V; 5]) -> Self {
        Self { limbs, modulus: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn zero() -> Self {
        Self::new([zero(); 5])
    }

    /// The same normalised limbs in every lane.
    #[inline(always)]
    pub(crate) fn splat(limbs: &[u64; 5]) -> Self {
        Self::new([splat(limbs[0]), splat(limbs[1]), splat(limbs[2]), splat(limbs[3]), splat(limbs[4])])
    }

    #[inline(always)]
    pub(crate) fn one() -> Self {
        Self::splat(&M::ONE)
    }

    /// From 64-bit words of values below 2^256; normalised.
    #[inline(always)]
    pub(crate) fn from_words(w: [V; 4]) -> Self {
        let m = splat(MASK);
        Self::new([
            and(w[0], m),
            and(or(shr::<52>(w[0]), shl::<12>(w[1])), m),
            and(or(shr::<40>(w[1]), shl::<24>(w[2])), m),
            and(or(shr::<28>(w[2]), shl::<36>(w[3])), m),
            shr::<16>(w[3]),
        ])
    }

    /// To 64-bit words; normalised and below 2^256.
    #[inline(always)]
    pub(crate) fn to_words(self) -> [V; 4] {
        let l = self.limbs;
        [
            or(l[0], shl::<52>(l[1])),
            or(shr::<12>(l[1]), shl::<40>(l[2])),
            or(shr::<24>(l[2]), shl::<28>(l[3])),
            or(shr::<36>(l[3]), shl::<16>(l[4])),
        ]
    }

    /// `b` in the lanes of the mask.
    #[inline(always)]
    pub(crate) fn select(mask: u8, a: &Self, b: &Self) -> Self {
        Self::new(limbs!(k => blend(mask, a.limbs[k], b.limbs[k])))
    }

    /// Carries limbs in (-2^62, 2^62) upwards, for a value in [0, 2^260); normalised. The shift keeps
    /// the sign, so a limb that is short by a borrow takes it from the next; the top limb of a
    /// value in that range ends in [0, 2^52).
    #[inline(always)]
    fn carry(mut t: [V; 5]) -> Self {
        let m = splat(MASK);
        t[1] = add(t[1], sar::<52>(t[0]));
        t[2] = add(t[2], sar::<52>(t[1]));
        t[3] = add(t[3], sar::<52>(t[2]));
        t[4] = add(t[4], sar::<52>(t[3]));
        Self::new([and(t[0], m), and(t[1], m), and(t[2], m), and(t[3], m), t[4]])
    }

    /// `a + b`; the sum below 84 p.
    #[inline(always)]
    pub(crate) fn add(&self, b: &Self) -> Self {
        Self::carry(limbs!(k => add(self.limbs[k], b.limbs[k])))
    }

    /// `a - b + K p`, for b at most K p; below A p + K p for a below A p. K is at most 8.
    #[inline(always)]
    pub(crate) fn sub<const K: usize>(&self, b: &Self) -> Self {
        let k = Self::splat(&M::MULTIPLES[K]).limbs;
        Self::carry(limbs!(i => add(sub(self.limbs[i], b.limbs[i]), k[i])))
    }

    /// `K p - a`, for a at most K p.
    #[inline(always)]
    pub(crate) fn neg<const K: usize>(&self) -> Self {
        Self::zero().sub::<K>(self)
    }

    /// From below 2 K p to below K p: subtracts K p where that leaves no negative value.
    #[inline(always)]
    pub(crate) fn reduce<const K: usize>(&self) -> Self {
        let k = Self::splat(&M::MULTIPLES[K]).limbs;
        // In (-K p, K p): the top limb carries the sign.
        let t = Self::carry(limbs!(i => sub(self.limbs[i], k[i])));
        Self::select(negative(t.limbs[4]), &t, self)
    }

    /// `a b / R`, for normalised a, b below A p and B p: below (1 + 0.01182 A B) p.
    ///
    /// Operand scanning: round i adds a b_i and the multiple of p that clears the lowest limb, then
    /// drops that limb. A limb takes at most 4 terms below 2^52 per round and moves down one place
    /// each round, so after 5 rounds it is below 20 * 2^52 plus carries: far from 2^63.
    #[inline(always)]
    pub(crate) fn mul(&self, b: &Self) -> Self {
        let (a, mut t) = (&self.limbs, [zero(); 5]);
        for i in 0..5 {
            let bi = b.limbs[i];
            let mut s = Self::row(t, a, bi);
            s[5] = madhi(zero(), a[4], bi);
            t = Self::clear_lowest(s);
        }
        Self::carry(t)
    }

    /// `t + a b` for one limb b, without the term of 2^260, which the caller adds.
    #[inline(always)]
    fn row(t: [V; 5], a: &[V; 5], b: V) -> [V; 6] {
        [
            madlo(t[0], a[0], b),
            madhi(madlo(t[1], a[1], b), a[0], b),
            madhi(madlo(t[2], a[2], b), a[1], b),
            madhi(madlo(t[3], a[3], b), a[2], b),
            madhi(madlo(t[4], a[4], b), a[3], b),
            zero(),
        ]
    }

    /// `(s + m p) / 2^52` with the m in [0, 2^52) that makes it whole.
    #[inline(always)]
    fn clear_lowest(s: [V; 6]) -> [V; 5] {
        let p = Self::splat(&M::MULTIPLES[1]).limbs;
        let m = madlo(zero(), s[0], splat(M::NEG_INV));
        // The low 52 bits of s0 + m p0 are zero, so the carry is s0 / 2^52 rounded up.
        let c = shr::<52>(add(s[0], splat(MASK)));
        [
            madhi(madlo(add(s[1], c), m, p[1]), m, p[0]),
            madhi(madlo(s[2], m, p[2]), m, p[1]),
            madhi(madlo(s[3], m, p[3]), m, p[2]),
            madhi(madlo(s[4], m, p[4]), m, p[3]),
            madhi(s[5], m, p[4]),
        ]
    }

    /// The columns of `a^2`, each below 10 * 2^52. The products of different limbs are taken once and
    /// doubled as sums (a doubled limb would not fit 52 bits).
    #[inline(always)]
    fn square_columns(&self) -> [V; 10] {
        let a = &self.limbs;
        let mut t = [zero(); 10];
        for i in 0..5 {
            for j in i + 1..5 {
                t[i + j] = madlo(t[i + j], a[j], a[i]);
                t[i + j + 1] = madhi(t[i + j + 1], a[j], a[i]);
            }
        }
        for column in &mut t[1..9] {
            *column = add(*column, *column);
        }
        for i in 0..5 {
            t[2 * i] = madlo(t[2 * i], a[i], a[i]);
            t[2 * i + 1] = madhi(t[2 * i + 1], a[i], a[i]);
        }
        t
    }

    /// `a b / R` without the last carries: limbs below 2^58, the value below
    /// (1.13 + 0.01182 A B) p for normalised a, b below A p and B p. See [`Self::reduce_columns`].
    #[inline(always)]
    pub(crate) fn mul_loose(&self, b: &Self) -> Self {
        let mut t = [zero(); 10];
        Self::columns(&mut t, &self.limbs, &b.limbs);
        Self::reduce_columns(t)
    }

    /// `(a b + c d) / R` as [`Self::mul_loose`]: below (1.13 + 0.01182 (A B + C D)) p.
    #[inline(always)]
    pub(crate) fn mul_sum_loose(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let mut t = [zero(); 10];
        Self::columns(&mut t, &a.limbs, &b.limbs);
        Self::columns(&mut t, &c.limbs, &d.limbs);
        Self::reduce_columns(t)
    }

    /// `a^2 / R` as [`Self::mul_loose`].
    #[inline(always)]
    pub(crate) fn square_loose(&self) -> Self {
        Self::reduce_columns(self.square_columns())
    }

    /// Adds the columns of `a b`: column i + j takes the low half of a_j b_i, the next one the high
    /// half, so at most 9 terms below 2^52 per column.
    #[inline(always)]
    fn columns(t: &mut [V; 10], a: &[V; 5], b: &[V; 5]) {
        for i in 0..5 {
            for j in 0..5 {
                t[i + j] = madlo(t[i + j], a[j], b[i]);
                t[i + j + 1] = madhi(t[i + j + 1], a[j], b[i]);
            }
        }
    }

    /// `t / R` modulo p for columns below 2^57, without the last carries.
    ///
    /// Four of the five rounds add a multiple of N = k p = -1 mod 2^52, with which the lowest limb
    /// itself is the factor that clears it: `(s + s0 N) / 2^52 = s / 2^52 + (s0 mod 2^52) (N + 1) / 2^52`,
    /// the division rounded down. The last round adds a multiple of p. For both moduli k is below
    /// 0.127 * 2^52, so the rounds add less than N 2^208 / R + p < 1.13 p. A limb takes at most 10 terms
    /// of products, 10 of reductions and five carries below 2^6: below 2^58.
    #[inline(always)]
    fn reduce_columns(t: [V; 10]) -> Self {
        let n = Self::splat(&M::FRIENDLY).limbs;
        let mut s = [t[0], t[1], t[2], t[3], t[4], t[5]];
        for next in &t[6..] {
            let m = s[0];
            s = [
                add(madlo(s[1], m, n[0]), shr::<52>(m)),
                madhi(madlo(s[2], m, n[1]), m, n[0]),
                madhi(madlo(s[3], m, n[2]), m, n[1]),
                madhi(madlo(s[4], m, n[3]), m, n[2]),
                madhi(madlo(s[5], m, n[4]), m, n[3]),
                madhi(*next, m, n[4]),
            ];
        }
        Self::new(Self::clear_lowest(s))
    }

    /// From a value in [0.1 p, 5.28 p) with limbs in (-2^62, 2^62) to the normalised one below
    /// 1.65 p: one look-up by the top limb and one carry.
    ///
    /// With limbs 0 to 3 below 2^58 in size, the value over 2^208 differs from the top limb by less
    /// than 2^7, and the value is not negative and below 8 * 2^253, so with i the bits of the top
    /// limb from 45 up, i is in 0..8 and the value within 2^215 of [i 2^253, (i + 1) 2^253). The
    /// multiple q p <= i 2^253 leaves at least 0.3 p for i > 1 and at most
    /// (i + 1) 2^253 - q p + 2^215 < 1.6452 p (reached at i = 3, q = 1; p = 1.5122 * 2^253).
    #[inline(always)]
    pub(crate) fn settle(&self) -> Self {
        let index = shr::<45>(self.limbs[4]);
        Self::carry(limbs!(k => sub(self.limbs[k], look_up(index, load(&M::WHOLE[k])))))
    }

    /// Limb-wise `-a` in the lanes of the mask, as [`Self::loose_add`].
    #[inline(always)]
    pub(crate) fn loose_negate(&self, mask: u8) -> Self {
        Self::new(limbs!(k => negate_lanes(mask, self.limbs[k])))
    }

    /// Limb-wise `a - b - b - c + K p`, as [`Self::loose_add`].
    #[inline(always)]
    pub(crate) fn loose_sub_three<const K: usize>(&self, b: &Self, c: &Self) -> Self {
        let k = Self::splat(&M::MULTIPLES[K]).limbs;
        Self::new(limbs!(i => sub(add(self.limbs[i], k[i]), add(add(b.limbs[i], b.limbs[i]), c.limbs[i]))))
    }

    /// Limb-wise `a + b` without carry; `a` and `b` may lack theirs. For [`Self::carry`] to finish.
    #[inline(always)]
    pub(crate) fn loose_add(&self, b: &Self) -> Self {
        Self::new(limbs!(k => add(self.limbs[k], b.limbs[k])))
    }

    /// Limb-wise `a - b + K p` without carry, as [`Self::loose_add`].
    #[inline(always)]
    pub(crate) fn loose_sub<const K: usize>(&self, b: &Self) -> Self {
        let k = Self::splat(&M::MULTIPLES[K]).limbs;
        Self::new(limbs!(i => add(sub(self.limbs[i], b.limbs[i]), k[i])))
    }

    /// Normalises a loose value in [0, 2^260).
    #[inline(always)]
    pub(crate) fn tight(self) -> Self {
        Self::carry(self.limbs)
    }

    /// To canonical words of the 2^256 Montgomery form, for values below 40 p: the product is below
    /// 1.5 p, so one subtraction makes it canonical.
    #[cfg(test)]
    #[inline(always)]
    pub(crate) fn export(&self) -> [V; 4] {
        self.mul(&Self::splat(&M::TO_256)).reduce::<1>().to_words()
    }
}
