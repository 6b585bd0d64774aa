//! Products and quotients on 64-bit limbs, least significant first: what 256-bit division and 512-bit intermediates
//! are made of. Everything here is total; a divisor of zero answers zero, as `docs/isa.md` wants it.
use crate::word::Word;

/// The limbs of a word.
pub(super) fn limbs(w: Word) -> [u64; 4] {
    [w.lo as u64, (w.lo >> 64) as u64, w.hi as u64, (w.hi >> 64) as u64]
}

/// The word of four limbs.
pub(super) fn word(l: [u64; 4]) -> Word {
    let half = |lo: u64, hi: u64| u128::from(hi) << 64 | u128::from(lo);
    Word::new(half(l[2], l[3]), half(l[0], l[1]))
}

/// The 512-bit product.
pub(super) fn product(a: Word, b: Word) -> [u64; 8] {
    let (x, y) = (limbs(a), limbs(b));
    let mut out = [0u64; 8];
    for i in 0..4 {
        let mut carry = 0u64;
        for j in 0..4 {
            // (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1: the sum cannot overflow.
            let t = u128::from(x[i]) * u128::from(y[j]) + u128::from(out[i + j]) + u128::from(carry);
            out[i + j] = t as u64;
            carry = (t >> 64) as u64;
        }
        out[i + 4] = carry;
    }
    out
}

/// The high 256 bits of `a * b`
pub fn mulhi(a: Word, b: Word) -> Word {
    let p = product(a, b);
    word([p[4], p[5], p[6], p[7]])
}

/// `a / b` and `a mod b`; both 0 if `b = 0`
pub fn div_rem(a: Word, b: Word) -> (Word, Word) {
    if b.is_zero() {
        return (Word::ZERO, Word::ZERO);
    }
    if a < b {
        return (Word::ZERO, a);
    }
    if a.hi == 0 {
        return (Word::from(a.lo / b.lo), Word::from(a.lo % b.lo));
    }
    let (q, r) = divide(limbs(a), limbs(b));
    (word(q), word(r))
}

/// `(a + b) mod m` of the 257-bit sum; 0 if `m = 0`
pub fn addmod(a: Word, b: Word, m: Word) -> Word {
    let sum = super::add(a, b);
    let carry = sum < a;
    match carry {
        false => div_rem(sum, m).1,
        true if m.is_zero() => Word::ZERO,
        true => {
            let [w, x, y, z] = limbs(sum);
            word(divide([w, x, y, z, 1], limbs(m)).1)
        }
    }
}

/// `(a * b) mod m` of the 512-bit product; 0 if `m = 0`
pub fn mulmod(a: Word, b: Word, m: Word) -> Word {
    match m.is_zero() {
        true => Word::ZERO,
        false => word(divide(product(a, b), limbs(m)).1),
    }
}

/// `a ** n` by squaring, from the exponent's highest bit down.
pub fn exp(a: Word, n: Word) -> Word {
    let bits = match n.hi {
        0 => 128 - n.lo.leading_zeros(),
        hi => 256 - hi.leading_zeros(),
    };
    (0..bits).rev().fold(Word::from(1), |power, i| {
        let square = super::mul(power, power);
        let half = if i < 128 { n.lo >> i } else { n.hi >> (i - 128) };
        if half & 1 == 1 { super::mul(square, a) } else { square }
    })
}

/// `floor((2^128 - 1) / d) - 2^64` for a `d` with its top bit set: the reciprocal of Moeller and Granlund,
/// "Improved division by invariant integers" (2011).
fn reciprocal(d: u64) -> u64 {
    (u128::MAX / u128::from(d)) as u64
}

/// Quotient and remainder of `high * 2^64 + low` by `d`, whose reciprocal is `v`; `high < d` (algorithm 4 there).
fn divide_limb(high: u64, low: u64, d: u64, v: u64) -> (u64, u64) {
    let q = (u128::from(v) * u128::from(high)).wrapping_add(u128::from(high) << 64 | u128::from(low));
    let mut quotient = ((q >> 64) as u64).wrapping_add(1);
    let mut rest = low.wrapping_sub(quotient.wrapping_mul(d));
    if rest > q as u64 {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(d);
    }
    if rest >= d {
        quotient = quotient.wrapping_add(1);
        rest -= d;
    }
    (quotient, rest)
}

/// Limbs up to the highest that is not zero.
fn significant(x: &[u64]) -> usize {
    x.iter().rposition(|l| *l != 0).map_or(0, |i| i + 1)
}

/// Limb `i` of `x << shift`, where limbs beyond the end are zero and `shift < 64`.
fn shifted(x: &[u64], i: usize, shift: u32) -> u64 {
    let at = |i: usize| x.get(i).copied().unwrap_or(0);
    match (shift, i) {
        (0, _) => at(i),
        (_, 0) => at(0) << shift,
        _ => at(i) << shift | at(i - 1) >> (64 - shift),
    }
}

/// Quotient and remainder by Knuth's algorithm D (The Art of Computer Programming, 4.3.1); `v` is not zero.
fn divide<const N: usize>(u: [u64; N], v: [u64; 4]) -> ([u64; N], [u64; 4]) {
    let (m, n) = (significant(&u), significant(&v));
    let mut quotient = [0; N];
    let mut rest = [0; 4];
    if m < n {
        rest[..m].copy_from_slice(&u[..m]);
        return (quotient, rest);
    }
    let shift = v[n - 1].leading_zeros();
    let divisor: [u64; 4] = std::array::from_fn(|i| shifted(&v, i, shift));
    // At most eight limbs and the one that the shift pushes out.
    let mut x: [u64; 9] = std::array::from_fn(|i| shifted(&u, i, shift));
    let top = divisor[n - 1];
    let inverse = reciprocal(top);
    for j in (0..=m - n).rev() {
        let digit = estimate(&x[j..=j + n], &divisor[..n], inverse);
        quotient[j] = subtract_multiple(&mut x[j..=j + n], &divisor[..n], digit);
    }
    for i in 0..n {
        let above = if i + 1 < n { x[i + 1] } else { 0 };
        rest[i] = if shift == 0 { x[i] } else { x[i] >> shift | above << (64 - shift) };
    }
    (quotient, rest)
}

/// A digit that is right or one too large: steps D3 of the algorithm.
fn estimate(x: &[u64], divisor: &[u64], inverse: u64) -> u64 {
    let n = divisor.len();
    let top = divisor[n - 1];
    let (mut digit, mut rest) = match x[n] < top {
        true => divide_limb(x[n], x[n - 1], top, inverse),
        // No digit is larger than 2^64 - 1; if what it leaves of the two limbs is 2^64 or more, it is not too large.
        false => match top.checked_add(x[n - 1]) {
            Some(rest) => (u64::MAX, rest),
            None => return u64::MAX,
        },
    };
    if n == 1 {
        return digit;
    }
    let (second, below) = (u128::from(divisor[n - 2]), u128::from(x[n - 2]));
    while u128::from(digit) * second > (u128::from(rest) << 64 | below) {
        digit -= 1;
        match rest.checked_add(top) {
            Some(sum) => rest = sum,
            None => break,
        }
    }
    digit
}

/// `x -= digit * divisor`, with one divisor added back if that was too much; answers the digit that was right.
fn subtract_multiple(x: &mut [u64], divisor: &[u64], digit: u64) -> u64 {
    let n = divisor.len();
    let (mut carry, mut borrow) = (0u64, false);
    for i in 0..n {
        let t = u128::from(digit) * u128::from(divisor[i]) + u128::from(carry);
        carry = (t >> 64) as u64;
        (x[i], borrow) = minus(x[i], t as u64, borrow);
    }
    (x[n], borrow) = minus(x[n], carry, borrow);
    if !borrow {
        return digit;
    }
    let mut carry = false;
    for i in 0..n {
        (x[i], carry) = plus(x[i], divisor[i], carry);
    }
    x[n] = x[n].wrapping_add(u64::from(carry));
    digit - 1
}

/// `x - y - borrow`, and whether that went below zero.
fn minus(x: u64, y: u64, borrow: bool) -> (u64, bool) {
    let (difference, one) = x.overflowing_sub(y);
    let (difference, two) = difference.overflowing_sub(u64::from(borrow));
    (difference, one || two)
}

/// `x + y + carry`, and whether that went beyond a limb.
fn plus(x: u64, y: u64, carry: bool) -> (u64, bool) {
    let (sum, one) = x.overflowing_add(y);
    let (sum, two) = sum.overflowing_add(u64::from(carry));
    (sum, one || two)
}
