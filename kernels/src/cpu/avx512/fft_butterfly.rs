//! Arithmetic of the eight-lane FFT: products with precomputed quotients, butterflies, reductions.
//! Every value is in [0, 84 p) and every limb in (-2^58, 2^58): "loose". Nothing here touches memory
//! beyond the blocks and factors it is given.

use super::fft_tables::{Block, Factor};
use super::field::{Lanes, MASK, Modulus, ScalarModulus};
use super::simd::*;

pub(crate) type Fr8 = Lanes<ScalarModulus>;

const P: [u64; 5] = ScalarModulus::MULTIPLES[1];

/// 2^260 - p.
const COMPLEMENT: [u64; 5] = {
    // Limb by limb 2^52 - 1 - p, plus one: p's lowest limb is not zero, so nothing carries.
    assert!(P[0] != 0);
    [MASK - P[0] + 1, MASK - P[1], MASK - P[2], MASK - P[3], MASK - P[4]]
};

/// `48 p` with loose limbs.
const MANY: [u64; 5] = {
    let eight = ScalarModulus::MULTIPLES[8];
    [6 * eight[0], 6 * eight[1], 6 * eight[2], 6 * eight[3], 6 * eight[4]]
};

/// `floor(2^305 / p)`, which is below 2^52 for p > 2^253.
const RECIPROCAL: u64 = reciprocal();

const fn reciprocal() -> u64 {
    // Long division of 2^305: remainder r < p doubles in each step. 2^253 < p is the first remainder.
    let (p, mut quotient, mut i) = (ScalarModulus::P64, 0u64, 253);
    let mut r = [0u64, 0, 0, 1 << 61];
    while i < 305 {
        let d =
            [r[0] << 1, (r[1] << 1) | (r[0] >> 63), (r[2] << 1) | (r[1] >> 63), (r[3] << 1) | (r[2] >> 63)];
        r = super::field::reduce_once(&d, &p);
        // Every doubling of a remainder below p < 2^254 fits, and it was reduced where it changed.
        let same = r[0] == d[0] && r[1] == d[1] && r[2] == d[2] && r[3] == d[3];
        quotient = 2 * quotient + !same as u64;
        i += 1;
    }
    quotient
}

impl Fr8 {
    #[inline(always)]
    pub(crate) fn read(block: &Block) -> Self {
        let b = &block.0;
        Self::new([load(&b[0]), load(&b[1]), load(&b[2]), load(&b[3]), load(&b[4])])
    }

    #[inline(always)]
    pub(crate) fn write(&self, block: &mut Block) {
        for (row, limb) in block.0.iter_mut().zip(self.limbs) {
            store(row, limb);
        }
    }

    /// Carries upwards without clearing what was carried: right in the low 52 bits of each limb,
    /// which is all that a multiply-add reads, and in the whole top limb.
    #[inline(always)]
    pub(crate) fn carried(&self) -> Self {
        let mut t = self.limbs;
        t[1] = add(t[1], sar::<52>(t[0]));
        t[2] = add(t[2], sar::<52>(t[1]));
        t[3] = add(t[3], sar::<52>(t[2]));
        t[4] = add(t[4], sar::<52>(t[3]));
        Self::new(t)
    }

    /// Carries limbs in [0, 2^62) upwards, modulo 2^260; normalised.
    #[inline(always)]
    fn wrapped(mut t: [V; 5]) -> Self {
        let m = splat(MASK);
        t[1] = add(t[1], shr::<52>(t[0]));
        t[2] = add(t[2], shr::<52>(t[1]));
        t[3] = add(t[3], shr::<52>(t[2]));
        t[4] = add(t[4], shr::<52>(t[3]));
        Self::new([and(t[0], m), and(t[1], m), and(t[2], m), and(t[3], m), and(t[4], m)])
    }

    /// `a w` for a loose value; normalised and below 3 p.
    ///
    /// With `v = floor(w R / p)`, R = 2^260: `a v / R` is in (a w / p - a / R, a w / p]. Columns 0 to 3
    /// of a v are left out; they hold at most 7 terms below 2^52 in column 3 and fewer below, so less
    /// than 2^212 in all, and the quotient's floor q loses at most 1 by it. Hence
    /// `0 <= a w - q p < (a / R + 2) p < 3 p`, and since that is below R it is enough to take it
    /// modulo R, with q (R - p) added in place of q p subtracted. A column has at most 18 terms below
    /// 2^52: far from 2^62.
    #[inline(always)]
    pub(crate) fn times(&self, factor: &Factor) -> Self {
        let a = self.carried().limbs;
        let mut high = [zero(); 6];
        let mut low = [zero(); 5];
        for j in 0..5 {
            let (w, v) = (splat(factor.value[j]), splat(factor.quotient[j]));
            for i in 0..5 {
                if i + j >= 4 {
                    high[i + j - 4] = madlo(high[i + j - 4], a[i], v);
                } else {
                    low[i + j + 1] = madhi(low[i + j + 1], a[i], w);
                }
                if i + j >= 3 {
                    high[i + j - 3] = madhi(high[i + j - 3], a[i], v);
                }
                if i + j <= 4 {
                    low[i + j] = madlo(low[i + j], a[i], w);
                }
            }
        }
        // Below R; the multiply-adds read the low 52 bits of each limb.
        for k in 0..5 {
            high[k + 1] = add(high[k + 1], shr::<52>(high[k]));
        }
        let [_, q @ ..] = high;
        for j in 0..5 {
            let c = splat(COMPLEMENT[j]);
            for i in 0..5 - j {
                low[i + j] = madlo(low[i + j], q[i], c);
                if i + j < 4 {
                    low[i + j + 1] = madhi(low[i + j + 1], q[i], c);
                }
            }
        }
        Self::wrapped(low)
    }

    /// The same modulo p for a loose value; normalised and below (1 + 2^-43) p.
    ///
    /// With t the top limb, `q = floor(t floor(2^305 / p) / 2^97)` is at most a / p and more than
    /// `(a - 2^208) / p - t / 2^97 - 1 > a / p - 1 - 2^-44`.
    #[inline(always)]
    pub(crate) fn shrunk(&self) -> Self {
        let mut t = self.carried().limbs;
        let q = shr::<45>(madhi(zero(), t[4], splat(RECIPROCAL)));
        let m = splat(MASK);
        for limb in &mut t[..4] {
            *limb = and(*limb, m);
        }
        for k in 0..5 {
            let c = splat(COMPLEMENT[k]);
            t[k] = madlo(t[k], q, c);
            if k < 4 {
                t[k + 1] = madhi(t[k + 1], q, c);
            }
        }
        Self::wrapped(t)
    }

    /// Canonical words of a loose value.
    #[inline(always)]
    pub(crate) fn canonical(&self) -> [V; 4] {
        self.shrunk().reduce::<1>().to_words()
    }

    /// `a - b` of loose values, a below 36 p and b below 48 p.
    #[inline(always)]
    pub(crate) fn minus_many(&self, b: &Self) -> Self {
        let many = Self::splat(&MANY).limbs;
        let mut difference = self.limbs;
        for ((a, b), many) in difference.iter_mut().zip(b.limbs).zip(many) {
            *a = add(sub(*a, b), many);
        }
        Self::new(difference)
    }
}

/// `a + f b` and `a - f b`; each at most 3 p above a.
#[inline(always)]
pub(crate) fn butterfly(a: &Fr8, b: &Fr8, f: &Factor) -> [Fr8; 2] {
    let t = b.times(f);
    [a.loose_add(&t), a.loose_sub::<3>(&t)]
}

/// Two levels: (a, c) and (b, d) under the first factor, then (a, b) under the second and (c, d)
/// under the third. Each result is at most 6 p above a or b.
#[inline(always)]
pub(crate) fn butterflies([a, b, c, d]: [Fr8; 4], f: &[Factor; 3]) -> [Fr8; 4] {
    let ([a, c], [b, d]) = (butterfly(&a, &c, &f[0]), butterfly(&b, &d, &f[0]));
    let ([a, b], [c, d]) = (butterfly(&a, &b, &f[1]), butterfly(&c, &d, &f[2]));
    [a, b, c, d]
}

/// The same with factors 1, 1 and a fourth root of one, on values below 2 p; results below 8 p.
#[inline(always)]
pub(crate) fn butterflies_plain([a, b, c, d]: [Fr8; 4], fourth: &Factor) -> [Fr8; 4] {
    // All below 4 p.
    let ([a, c], [b, d]) = (plain::<2>(&a, &c), plain::<2>(&b, &d));
    let ([a, b], [c, d]) = (plain::<4>(&a, &b), butterfly(&c, &d, fourth));
    [a, b, c, d]
}

/// `a + b` and `a - b + K p`, for b at most K p.
#[inline(always)]
pub(crate) fn plain<const K: usize>(a: &Fr8, b: &Fr8) -> [Fr8; 2] {
    [a.loose_add(b), a.loose_sub::<K>(b)]
}
