//! Roots of unity and coset powers in the forms the eight-lane FFT reads them.
//! Built once per size with the curve library's arithmetic; nothing here runs inside a transform.

use super::field::{Modulus, ScalarModulus, split};
use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// Eight scalars, limb by limb; canonical or bounded as their user says.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Block(pub(crate) [[u64; 8]; 5]);

/// The column a lane holds: the order in which two rounds of unpacking leave eight scalars.
pub(crate) const LANE: [usize; 8] = [0, 2, 1, 3, 4, 6, 5, 7];

/// A known factor w for products with a precomputed quotient (V. Shoup, NTL): w itself, canonical
/// and in no Montgomery form, and `floor(w 2^260 / p)`, both in radix 2^52.
#[derive(Clone, Copy)]
pub(crate) struct Factor {
    pub(crate) value: [u64; 5],
    pub(crate) quotient: [u64; 5],
}

/// -1 / p mod 2^320.
const NEGATIVE_INVERSE: [u64; 5] = negative_inverse(&ScalarModulus::P64);

impl Factor {
    pub(crate) fn new(w: &Fr) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(w.to_repr().as_ref().chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        }
        // w 2^260 = quotient p + m with m the Montgomery form below p, so quotient = -m / p mod 2^260.
        let m = w.double().double().double().double().0;
        let q = low_product(&[m[0], m[1], m[2], m[3], 0], &NEGATIVE_INVERSE);
        let mut quotient = split(&[q[0], q[1], q[2], q[3]]);
        quotient[4] |= (q[4] & 0xf) << 48;
        Self { value: split(&words), quotient }
    }
}

/// `a b mod 2^320`.
const fn low_product(a: &[u64; 5], b: &[u64; 5]) -> [u64; 5] {
    let (mut out, mut i) = ([0u64; 5], 0);
    while i < 5 {
        let (mut carry, mut j) = (0u128, 0);
        while i + j < 5 {
            // At most 2^64 - 1 + (2^64 - 1)^2 + 2^64 - 1 < 2^128.
            let t = out[i + j] as u128 + a[i] as u128 * b[j] as u128 + carry;
            out[i + j] = t as u64;
            carry = t >> 64;
            j += 1;
        }
        i += 1;
    }
    out
}

const fn negative_inverse(p: &[u64; 4]) -> [u64; 5] {
    let p = [p[0], p[1], p[2], p[3], 0];
    // Newton's iteration x (2 - p x) doubles the correct low bits: 1, 2, 4, .. 512. Negated: with
    // y = -x it is y (2 + p y).
    let (mut y, mut i) = ([u64::MAX; 5], 0);
    while i < 9 {
        let mut t = low_product(&p, &y);
        let (mut carry, mut k) = (2, 0);
        while k < 5 {
            let (sum, over) = t[k].overflowing_add(carry);
            t[k] = sum;
            carry = over as u64;
            k += 1;
        }
        y = low_product(&y, &t);
        i += 1;
    }
    y
}

/// A scalar's canonical limbs in 2^260 Montgomery form: as a 2^256 form they stand for 16 x.
pub(crate) fn limbs_of(x: &Fr) -> [u64; 5] {
    split(&x.double().double().double().double().0)
}

/// The powers `base^0..` of `8 blocks` columns, in 2^260 Montgomery form and lane order.
pub(crate) fn ramp(base: Fr, columns: usize) -> Vec<Block> {
    let all = powers(base, columns);
    all.chunks_exact(8)
        .map(|group| {
            let limbs = LANE.map(|column| limbs_of(&group[column]));
            Block(std::array::from_fn(|k| std::array::from_fn(|lane| limbs[lane][k])))
        })
        .collect()
}

/// `1, base, base^2, ..`.
pub(crate) fn powers(base: Fr, count: usize) -> Vec<Fr> {
    const CHUNK: usize = 1 << 10;
    let mut out = vec![Fr::ONE; count];
    out.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, out)| {
        let mut power = base.pow_vartime([(chunk * CHUNK) as u64]);
        for x in out {
            *x = power;
            power *= base;
        }
    });
    out
}

/// The bits of `p` below the power of two `m`, reversed.
pub(crate) fn reverse(p: usize, m: usize) -> usize {
    // m = 1 has no bits: a shift by all 64 is none.
    p.reverse_bits().checked_shr(m.leading_zeros() + 1).unwrap_or(0)
}

/// Factors of a transform from natural to bit-reversed order that evaluates at `c w^k`.
///
/// Level l splits block b, the polynomial modulo `X^s - r^2` with s = size / 2^l, into those modulo
/// `X^(s/2) - r` and `X^(s/2) + r`. One r serves the whole block: `r = (c w^reverse(b))^(s/2)`.
pub(crate) struct Splitting {
    /// r of level l, block b at place 2^l + b; place 0 is unused.
    pub(crate) factors: Vec<Factor>,
    /// c is one, so that level 0 has r = 1.
    pub(crate) plain: bool,
}

impl Splitting {
    /// For w of order `size`, a power of two.
    pub(crate) fn new(w: Fr, size: usize, c: Fr) -> Self {
        let roots = powers(w, size / 2);
        let mut factors = vec![Factor::new(&Fr::ONE)];
        let mut blocks = 1;
        while blocks < size {
            let half = size / blocks / 2;
            let power = c.pow_vartime([half as u64]);
            factors.extend((0..blocks).map(|b| Factor::new(&(roots[reverse(b, blocks) * half] * power))));
            blocks *= 2;
        }
        Self { factors, plain: c == Fr::ONE }
    }
}

/// Factors of a transform from bit-reversed to natural order whose input k is scaled by `c^k`.
///
/// A pass joins blocks of h into blocks of 2 h: `E + f O` and `E - f O` with
/// `f = (c w^j)^(size / 2h)` at place j. Radix 4 takes two passes at once.
pub(crate) struct Joining {
    /// Per pass of radix 4 on quarters of h = 1, 4, 16, ..: for j < h the factor of half h at j and
    /// those of half 2 h at j and j + h.
    pub(crate) quarters: Vec<Vec<[Factor; 3]>>,
    /// A last pass of radix 2, where the size's logarithm is odd.
    pub(crate) last: Option<Vec<Factor>>,
    /// c is one, so that the first pass has factors 1 and the fourth root of one.
    pub(crate) plain: bool,
}

impl Joining {
    /// For w of order `size`, a power of two.
    pub(crate) fn new(w: Fr, size: usize, c: Fr) -> Self {
        let roots = powers(w, size / 2);
        let factor = |half: usize, j: usize| {
            let exponent = size / 2 / half;
            Factor::new(&(roots[j * exponent] * c.pow_vartime([exponent as u64])))
        };
        let (mut quarters, mut h) = (Vec::new(), 1);
        while 4 * h <= size {
            let pass = (0..h).map(|j| [factor(h, j), factor(2 * h, j), factor(2 * h, j + h)]);
            quarters.push(pass.collect());
            h *= 4;
        }
        let last = (2 * h == size).then(|| (0..h).map(|j| factor(h, j)).collect());
        Self { quarters, last, plain: c == Fr::ONE }
    }
}
