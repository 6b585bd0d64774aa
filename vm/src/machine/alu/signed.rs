//! Words as two's complement numbers, and single bytes of words.
use super::{shl, shr, sub, wide::div_rem};
use crate::word::Word;

fn negative(a: Word) -> bool {
    a.hi >> 127 == 1
}

fn negate(a: Word) -> Word {
    sub(Word::ZERO, a)
}

/// The absolute value; that of `-2^255` is `2^255`, unsigned.
fn magnitude(a: Word) -> Word {
    if negative(a) { negate(a) } else { a }
}

/// `a / b` towards zero; 0 if `b = 0`, and `-2^255 / -1 = -2^255`
pub fn sdiv(a: Word, b: Word) -> Word {
    let quotient = div_rem(magnitude(a), magnitude(b)).0;
    if negative(a) != negative(b) { negate(quotient) } else { quotient }
}

/// `a - b * (a / b)` with the sign of `a`; 0 if `b = 0`
pub fn smod(a: Word, b: Word) -> Word {
    let rest = div_rem(magnitude(a), magnitude(b)).1;
    if negative(a) { negate(rest) } else { rest }
}

/// `a < b`
pub fn slt(a: Word, b: Word) -> bool {
    (a.hi as i128, a.lo) < (b.hi as i128, b.lo)
}

/// `a >> n`, filled with the sign; all sign from 256 on
pub fn sar(a: Word, n: Word) -> Word {
    if !negative(a) {
        return shr(a, n);
    }
    let flipped = shr(Word::new(!a.hi, !a.lo), n);
    Word::new(!flipped.hi, !flipped.lo)
}

/// `value` extended from the sign bit of its byte `index`, counted from the least significant
pub fn signextend(index: Word, value: Word) -> Word {
    if index >= Word::from(31) {
        return value;
    }
    let unused = Word::from(248 - 8 * index.lo);
    sar(shl(value, unused), unused)
}

/// Byte `index` of `value`, counted from the most significant; 0 from 32 on
pub fn byte(index: Word, value: Word) -> Word {
    if index >= Word::from(32) {
        return Word::ZERO;
    }
    let shift = 248 - 8 * index.lo as u32;
    let half = if shift >= 128 { value.hi >> (shift - 128) } else { value.lo >> shift };
    Word::from(half & 0xff)
}
