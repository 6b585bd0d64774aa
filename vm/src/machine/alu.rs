//! Pure instructions: functions of their operands, modulo 2^256 and unsigned.
//! They touch no memory and know no clock; the prover's operation chips state the same equations.
mod signed;
mod wide;

pub use signed::{byte, sar, sdiv, signextend, slt, smod};
pub use wide::{addmod, div_rem, exp, mulhi, mulmod};

use super::HaltKind;
use crate::isa::{Instruction, op};
use crate::word::Word;

/// `a + b`
#[inline(always)]
pub fn add(a: Word, b: Word) -> Word {
    let (lo, carry) = a.lo.overflowing_add(b.lo);
    Word::new(a.hi.wrapping_add(b.hi).wrapping_add(u128::from(carry)), lo)
}

/// `a - b`
#[inline(always)]
pub fn sub(a: Word, b: Word) -> Word {
    let (lo, borrow) = a.lo.overflowing_sub(b.lo);
    Word::new(a.hi.wrapping_sub(b.hi).wrapping_sub(u128::from(borrow)), lo)
}

/// `a * b`: the low 256 bits of the schoolbook product of 64-bit limbs.
#[inline(always)]
pub fn mul(a: Word, b: Word) -> Word {
    if narrow(a, b) { Word::from(a.lo * b.lo) } else { mul_wide(a, b) }
}

fn mul_wide(a: Word, b: Word) -> Word {
    let limbs =
        |w: Word| [w.lo as u64, (w.lo >> 64) as u64, w.hi as u64, (w.hi >> 64) as u64].map(u128::from);
    let (x, y) = (limbs(a), limbs(b));
    let mut out = [0u128; 4];
    for i in 0..4 {
        let mut carry = 0u128;
        for j in 0..4 - i {
            // (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1: the sum cannot overflow.
            let t = x[i] * y[j] + out[i + j] + carry;
            out[i + j] = t & u128::from(u64::MAX);
            carry = t >> 64;
        }
    }
    Word::new(out[3] << 64 | out[2], out[1] << 64 | out[0])
}

/// True if both words are below 2^64, so that their product is below 2^128.
#[inline(always)]
fn narrow(a: Word, b: Word) -> bool {
    a.hi | b.hi == 0 && (a.lo | b.lo) >> 64 == 0
}

/// `a << n`, 0 from 256 on
#[inline(always)]
pub fn shl(a: Word, n: Word) -> Word {
    match small(n) {
        Some(0) => a,
        Some(n @ 1..=127) => Word::new(a.hi << n | a.lo >> (128 - n), a.lo << n),
        Some(n @ 128..=255) => Word::new(a.lo << (n - 128), 0),
        _ => Word::ZERO,
    }
}

/// `a >> n`, 0 from 256 on
#[inline(always)]
pub fn shr(a: Word, n: Word) -> Word {
    match small(n) {
        Some(0) => a,
        Some(n @ 1..=127) => Word::new(a.hi >> n, a.lo >> n | a.hi << (128 - n)),
        Some(n @ 128..=255) => Word::new(0, a.hi >> (n - 128)),
        _ => Word::ZERO,
    }
}

/// `(a >> from) mod 2^count` for `from` in 0..=255 and `count` in 1..=256; `None` for other values
#[inline(always)]
pub fn bits(a: Word, from: u64, count: u64) -> Option<Word> {
    if from > 255 || !(1..=256).contains(&count) {
        return None;
    }
    let shifted = shr(a, Word::from(u128::from(from)));
    Some(match count {
        256 => shifted,
        129.. => Word::new(shifted.hi & ((1 << (count - 128)) - 1), shifted.lo),
        128 => Word::from(shifted.lo),
        _ => Word::from(shifted.lo & ((1 << count) - 1)),
    })
}

/// All bits flipped.
#[inline(always)]
fn not(a: Word) -> Word {
    Word::new(!a.hi, !a.lo)
}

/// Shift amounts worth looking at.
#[inline(always)]
fn small(n: Word) -> Option<u32> {
    (n.hi == 0 && n.lo < 256).then_some(n.lo as u32)
}

#[inline(always)]
fn flag(x: bool) -> Word {
    Word::from(u128::from(x))
}

#[inline(always)]
fn zip(a: Word, b: Word, f: impl Fn(u128, u128) -> u128) -> Word {
    Word::new(f(a.hi, b.hi), f(a.lo, b.lo))
}

/// `a + b`, and whether it wrapped
#[inline(always)]
pub fn add_overflow(a: Word, b: Word) -> (Word, bool) {
    let sum = add(a, b);
    (sum, sum < a)
}

/// `a - b`, and whether it wrapped
#[inline(always)]
pub fn sub_overflow(a: Word, b: Word) -> (Word, bool) {
    (sub(a, b), a < b)
}

/// `a * b`, and whether it wrapped
pub fn mul_overflow(a: Word, b: Word) -> (Word, bool) {
    if narrow(a, b) {
        return (Word::from(a.lo * b.lo), false);
    }
    let p = wide::product(a, b);
    (wide::word([p[0], p[1], p[2], p[3]]), p[4] | p[5] | p[6] | p[7] != 0)
}

/// The result of an instruction of the family, except `const`, which needs the page. Operands are asked for when they are
/// wanted.
///
/// # Errors
/// `bits` outside its ranges, and opcodes that are none of these.
#[inline(always)]
pub fn eval(
    i: Instruction,
    a: impl Fn() -> Word,
    b: impl Fn() -> Word,
    old: impl Fn() -> Word,
) -> Result<Word, HaltKind> {
    let t = || Word::from(u128::from(i.t()));
    Ok(match i.opcode {
        op::ADD => add(a(), b()),
        op::SUB => sub(a(), b()),
        op::MUL => mul(a(), b()),
        op::LT => flag(a() < b()),
        op::EQ => flag(a().same(b())),
        op::AND => zip(a(), b(), |x, y| x & y),
        op::OR => zip(a(), b(), |x, y| x | y),
        op::XOR => zip(a(), b(), |x, y| x ^ y),
        op::NOT => not(a()),
        op::SHL => shl(a(), b()),
        op::SHR => shr(a(), b()),
        op::MOV => a(),
        op::SETI => t(),
        op::ADDI => add(a(), t()),
        op::SUBI => sub(a(), t()),
        op::EQI => flag(a().same(t())),
        op::SHLI => shl(a(), t()),
        op::BITS => bits(a(), i.t(), u64::from(i.imm)).ok_or(HaltKind::BitsRange)?,
        op::SELECT => {
            if old().is_zero() {
                b()
            } else {
                a()
            }
        }
        op::MULHI => mulhi(a(), b()),
        op::DIV => div_rem(a(), b()).0,
        op::MOD => div_rem(a(), b()).1,
        op::SDIV => sdiv(a(), b()),
        op::SMOD => smod(a(), b()),
        op::ADDMOD => addmod(a(), b(), old()),
        op::MULMOD => mulmod(a(), b(), old()),
        op::EXP => exp(a(), b()),
        op::SIGNEXTEND => signextend(a(), b()),
        op::SLT => flag(slt(a(), b())),
        op::BYTE => byte(a(), b()),
        op::SAR => sar(a(), b()),
        op::LTI => flag(a() < t()),
        op::GTI => flag(a() > t()),
        op::SETL => Word::from(u128::from(i.t()) | u128::from(i.imm) << 28),
        _ => return Err(HaltKind::InvalidOpcode),
    })
}
