//! The hot loop: instructions that touch a thread's frame alone, with the arithmetic they need. It allocates nothing and
//! looks nothing up by name.

use super::code::{Insn, Op};
use super::memory::{Refusal, refuse};

/// Why the straight loop handed over.
pub enum Outcome {
    Exit,
    Turn,
    Memory,
    Call,
    Ret,
    Wait,
}

/// Runs instructions that touch the frame alone, until one needs more; `pc` is then at that one.
#[allow(clippy::too_many_lines)] // One line per instruction, in one place.
pub fn straight(
    code: &[Insn],
    frame: &mut [u64],
    pc: &mut u32,
    carry: &mut u64,
    left: &mut u64,
) -> Result<(Outcome, Insn), Refusal> {
    let mut at = *pc as usize;
    let mut flag = *carry;
    let mut turns = *left;
    macro_rules! r {
        ($slot:expr) => {
            frame[$slot as usize]
        };
    }
    let result = loop {
        let i = code[at];
        if turns == 0 {
            break Ok((Outcome::Turn, i));
        }
        turns -= 1;
        macro_rules! set {
            ($value:expr) => {{
                let value = $value;
                frame[i.d as usize] = value;
            }};
        }
        /// Writes the sum and, for `cc`, the carry.
        macro_rules! sum {
            ($width:literal, $a:expr, $b:expr, $carry:expr) => {{
                let (value, _) = adc($width, $a, $b, $carry);
                frame[i.d as usize] = value;
            }};
            ($width:literal, $a:expr, $b:expr, $carry:expr, cc) => {{
                let (value, out) = adc($width, $a, $b, $carry);
                flag = out;
                frame[i.d as usize] = value;
            }};
        }
        macro_rules! difference {
            ($width:literal, $carry:expr) => {{
                let (value, _) = sbb($width, r!(i.a), r!(i.b), $carry);
                frame[i.d as usize] = value;
            }};
            ($width:literal, $carry:expr, cc) => {{
                let (value, out) = sbb($width, r!(i.a), r!(i.b), $carry);
                flag = out;
                frame[i.d as usize] = value;
            }};
        }
        match i.op {
            Op::Mov => set!(r!(i.a)),
            Op::Add32 => set!(low32(r!(i.a).wrapping_add(r!(i.b)))),
            Op::AddCc32 => sum!(32, r!(i.a), r!(i.b), 0, cc),
            Op::AddC32 => sum!(32, r!(i.a), r!(i.b), flag),
            Op::AddCCc32 => sum!(32, r!(i.a), r!(i.b), flag, cc),
            Op::Sub32 => set!(low32(r!(i.a).wrapping_sub(r!(i.b)))),
            Op::SubCc32 => difference!(32, 0, cc),
            Op::SubC32 => difference!(32, flag),
            Op::SubCCc32 => difference!(32, flag, cc),
            Op::Add64 => set!(r!(i.a).wrapping_add(r!(i.b))),
            Op::AddCc64 => sum!(64, r!(i.a), r!(i.b), 0, cc),
            Op::AddC64 => sum!(64, r!(i.a), r!(i.b), flag),
            Op::AddCCc64 => sum!(64, r!(i.a), r!(i.b), flag, cc),
            Op::Sub64 => set!(r!(i.a).wrapping_sub(r!(i.b))),
            Op::SubCc64 => difference!(64, 0, cc),
            Op::SubC64 => difference!(64, flag),
            Op::SubCCc64 => difference!(64, flag, cc),
            Op::MulLo32 => set!(low32(r!(i.a).wrapping_mul(r!(i.b)))),
            Op::MulHiU32 => set!((low32(r!(i.a)) * low32(r!(i.b))) >> 32),
            Op::MulHiS32 => {
                set!(low32((sext(r!(i.a), 32, 64).wrapping_mul(sext(r!(i.b), 32, 64)) as i64 >> 32) as u64))
            }
            Op::MulWideU32 => set!(low32(r!(i.a)) * low32(r!(i.b))),
            Op::MulWideS32 => set!(sext(r!(i.a), 32, 64).wrapping_mul(sext(r!(i.b), 32, 64))),
            Op::MulLo64 => set!(r!(i.a).wrapping_mul(r!(i.b))),
            Op::MulHiU64 => set!(hi64(r!(i.a), r!(i.b))),
            Op::MulHiS64 => set!(((i128::from(r!(i.a) as i64) * i128::from(r!(i.b) as i64)) >> 64) as u64),
            Op::MadLo32 => set!(low32(r!(i.a).wrapping_mul(r!(i.b)).wrapping_add(r!(i.c)))),
            Op::MadLoCc32 => sum!(32, low32(r!(i.a).wrapping_mul(r!(i.b))), r!(i.c), 0, cc),
            Op::MadLoC32 => sum!(32, low32(r!(i.a).wrapping_mul(r!(i.b))), r!(i.c), flag),
            Op::MadLoCCc32 => sum!(32, low32(r!(i.a).wrapping_mul(r!(i.b))), r!(i.c), flag, cc),
            Op::MadHiU32 => set!(low32(((r!(i.a) * r!(i.b)) >> 32) + r!(i.c))),
            Op::MadHiCc32 => sum!(32, (r!(i.a) * r!(i.b)) >> 32, r!(i.c), 0, cc),
            Op::MadHiC32 => sum!(32, (r!(i.a) * r!(i.b)) >> 32, r!(i.c), flag),
            Op::MadHiCCc32 => sum!(32, (r!(i.a) * r!(i.b)) >> 32, r!(i.c), flag, cc),
            Op::MadHiS32 => {
                let high = sext(r!(i.a), 32, 64).wrapping_mul(sext(r!(i.b), 32, 64)) as i64 >> 32;
                set!(low32((high as u64).wrapping_add(r!(i.c))));
            }
            Op::MadWideU32 => set!((low32(r!(i.a)) * low32(r!(i.b))).wrapping_add(r!(i.c))),
            Op::MadWideS32 => {
                set!(sext(r!(i.a), 32, 64).wrapping_mul(sext(r!(i.b), 32, 64)).wrapping_add(r!(i.c)))
            }
            Op::MadLo64 => set!(r!(i.a).wrapping_mul(r!(i.b)).wrapping_add(r!(i.c))),
            Op::MadLoCc64 => sum!(64, r!(i.a).wrapping_mul(r!(i.b)), r!(i.c), 0, cc),
            Op::MadLoC64 => sum!(64, r!(i.a).wrapping_mul(r!(i.b)), r!(i.c), flag),
            Op::MadLoCCc64 => sum!(64, r!(i.a).wrapping_mul(r!(i.b)), r!(i.c), flag, cc),
            Op::MadHiU64 => set!(hi64(r!(i.a), r!(i.b)).wrapping_add(r!(i.c))),
            Op::MadHiCc64 => sum!(64, hi64(r!(i.a), r!(i.b)), r!(i.c), 0, cc),
            Op::MadHiC64 => sum!(64, hi64(r!(i.a), r!(i.b)), r!(i.c), flag),
            Op::MadHiCCc64 => sum!(64, hi64(r!(i.a), r!(i.b)), r!(i.c), flag, cc),
            Op::DivU | Op::RemU | Op::DivS32 | Op::RemS32 | Op::DivS64 | Op::RemS64 => {
                match divide(i.op, r!(i.a), r!(i.b)) {
                    Some(value) => set!(value),
                    None => break refuse("divides by zero".into()),
                }
            }
            Op::MinU => set!(r!(i.a).min(r!(i.b))),
            Op::MaxU => set!(r!(i.a).max(r!(i.b))),
            Op::MinS32 => set!(u64::from((r!(i.a) as i32).min(r!(i.b) as i32) as u32)),
            Op::MaxS32 => set!(u64::from((r!(i.a) as i32).max(r!(i.b) as i32) as u32)),
            Op::MinS64 => set!((r!(i.a) as i64).min(r!(i.b) as i64) as u64),
            Op::MaxS64 => set!((r!(i.a) as i64).max(r!(i.b) as i64) as u64),
            Op::And => set!(r!(i.a) & r!(i.b)),
            Op::Or => set!(r!(i.a) | r!(i.b)),
            Op::Xor => set!(r!(i.a) ^ r!(i.b)),
            Op::Not32 => set!(low32(!r!(i.a))),
            Op::Not64 => set!(!r!(i.a)),
            Op::NotPred => set!(r!(i.a) ^ 1),
            Op::Shl32 => set!(if r!(i.b) > 31 { 0 } else { low32(r!(i.a) << r!(i.b)) }),
            Op::Shl64 => set!(if r!(i.b) > 63 { 0 } else { r!(i.a) << r!(i.b) }),
            Op::ShrU32 => set!(if r!(i.b) > 31 { 0 } else { r!(i.a) >> r!(i.b) }),
            Op::ShrU64 => set!(if r!(i.b) > 63 { 0 } else { r!(i.a) >> r!(i.b) }),
            Op::ShrS32 => set!(u64::from((r!(i.a) as i32 >> r!(i.b).min(31)) as u32)),
            Op::ShrS64 => set!((r!(i.a) as i64 >> r!(i.b).min(63)) as u64),
            Op::ShfLClamp => set!(((r!(i.a) | r!(i.b) << 32) << r!(i.c).min(32)) >> 32),
            Op::ShfLWrap => set!(((r!(i.a) | r!(i.b) << 32) << (r!(i.c) & 31)) >> 32),
            Op::ShfRClamp => set!(low32((r!(i.a) | r!(i.b) << 32) >> r!(i.c).min(32))),
            Op::ShfRWrap => set!(low32((r!(i.a) | r!(i.b) << 32) >> (r!(i.c) & 31))),
            Op::Lop3 => {
                at += 1;
                set!(lop3(r!(i.a), r!(i.b), r!(i.c), code[at].d));
            }
            Op::Popc => set!(u64::from(r!(i.a).count_ones())),
            Op::Clz32 => set!(u64::from((r!(i.a) as u32).leading_zeros())),
            Op::Clz64 => set!(u64::from(r!(i.a).leading_zeros())),
            Op::Brev32 => set!(u64::from((r!(i.a) as u32).reverse_bits())),
            Op::Brev64 => set!(r!(i.a).reverse_bits()),
            Op::Bfind => set!(bfind(r!(i.a), i.b, i.c == 1)),
            Op::BfeU32 => set!(bfe(r!(i.a), r!(i.b), r!(i.c), 32, false)),
            Op::BfeS32 => set!(bfe(r!(i.a), r!(i.b), r!(i.c), 32, true)),
            Op::BfeU64 => set!(bfe(r!(i.a), r!(i.b), r!(i.c), 64, false)),
            Op::BfeS64 => set!(bfe(r!(i.a), r!(i.b), r!(i.c), 64, true)),
            Op::Bfi32 | Op::Bfi64 => {
                at += 1;
                let bits = if i.op == Op::Bfi32 { 32 } else { 64 };
                set!(bfi(r!(i.a), r!(i.b), r!(i.c), r!(code[at].d), bits));
            }
            Op::Prmt => set!(prmt(r!(i.a), r!(i.b), r!(i.c))),
            Op::Sext => set!(sext(r!(i.a), i.b, i.c)),
            Op::Eq => set!(u64::from(r!(i.a) == r!(i.b))),
            Op::Ne => set!(u64::from(r!(i.a) != r!(i.b))),
            Op::LtU => set!(u64::from(r!(i.a) < r!(i.b))),
            Op::LeU => set!(u64::from(r!(i.a) <= r!(i.b))),
            Op::LtS32 => set!(u64::from((r!(i.a) as i32) < r!(i.b) as i32)),
            Op::LeS32 => set!(u64::from(r!(i.a) as i32 <= r!(i.b) as i32)),
            Op::LtS64 => set!(u64::from((r!(i.a) as i64) < r!(i.b) as i64)),
            Op::LeS64 => set!(u64::from(r!(i.a) as i64 <= r!(i.b) as i64)),
            Op::Select => set!(if r!(i.c) == 0 { r!(i.b) } else { r!(i.a) }),
            Op::Join => set!(low32(r!(i.a)) | r!(i.b) << 32),
            Op::Split => {
                let value = r!(i.a);
                frame[i.d as usize] = low32(value);
                frame[i.b as usize] = value >> 32;
            }
            Op::Bra => {
                at = i.b as usize;
                continue;
            }
            Op::BraIf if r!(i.a) != 0 => {
                at = i.b as usize;
                continue;
            }
            Op::BraUnless if r!(i.a) == 0 => {
                at = i.b as usize;
                continue;
            }
            Op::BraIf | Op::BraUnless => {}
            Op::SkipIf => at += if r!(i.a) == 0 { 0 } else { i.b as usize },
            Op::SkipUnless => at += if r!(i.a) == 0 { i.b as usize } else { 0 },
            Op::Call => break Ok((Outcome::Call, i)),
            Op::Ret => break Ok((Outcome::Ret, i)),
            Op::Exit => break Ok((Outcome::Exit, i)),
            Op::Barrier | Op::BarrierReduce | Op::Warp => break Ok((Outcome::Wait, i)),
            _ => break Ok((Outcome::Memory, i)),
        }
        at += 1;
    };
    (*pc, *carry, *left) = (at as u32, flag, turns);
    result
}

/// Division by kind; nothing if the divisor is zero.
fn divide(op: Op, a: u64, b: u64) -> Option<u64> {
    let narrow = |value: i64| u64::from(value as i32 as u32);
    match op {
        Op::DivU => a.checked_div(b),
        Op::RemU => a.checked_rem(b),
        _ if b == 0 => None,
        Op::DivS32 => Some(narrow(i64::from(a as i32) / i64::from(b as i32))),
        Op::RemS32 => Some(narrow(i64::from(a as i32) % i64::from(b as i32))),
        Op::DivS64 => Some((a as i64).wrapping_div(b as i64) as u64),
        _ => Some((a as i64).wrapping_rem(b as i64) as u64),
    }
}

fn adc(width: u32, a: u64, b: u64, carry: u64) -> (u64, u64) {
    if width == 32 {
        let sum = a + b + carry;
        (sum & 0xffff_ffff, sum >> 32)
    } else {
        let sum = u128::from(a) + u128::from(b) + u128::from(carry);
        (sum as u64, (sum >> 64) as u64)
    }
}

fn sbb(width: u32, a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let difference = i128::from(a) - i128::from(b) - i128::from(borrow);
    let cut = if width == 32 { difference as u64 & 0xffff_ffff } else { difference as u64 };
    (cut, u64::from(difference < 0))
}

fn low32(value: u64) -> u64 {
    value & 0xffff_ffff
}

fn hi64(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

pub fn sext(value: u64, from: u32, to: u32) -> u64 {
    let wide = ((value << (64 - from)) as i64 >> (64 - from)) as u64;
    super::decode::cut(wide, to)
}

fn lop3(a: u64, b: u64, c: u64, table: u32) -> u64 {
    let mut out = 0;
    for row in 0..8 {
        if table >> row & 1 == 1 {
            let x = if row & 4 == 0 { !a } else { a };
            let y = if row & 2 == 0 { !b } else { b };
            let z = if row & 1 == 0 { !c } else { c };
            out |= x & y & z;
        }
    }
    low32(out)
}

fn prmt(a: u64, b: u64, selectors: u64) -> u64 {
    let bytes = a | b << 32;
    (0..4).fold(0, |out, at| {
        let selector = selectors >> (4 * at) & 0xf;
        let byte = bytes >> (8 * (selector & 7)) & 0xff;
        let byte = if selector & 8 == 0 {
            byte
        } else if byte & 0x80 == 0 {
            0
        } else {
            0xff
        };
        out | byte << (8 * at)
    })
}

/// `bfe`: bits from `start` on, `length` of them, of a value of `bits` bits; position and length are taken modulo 256.
fn bfe(value: u64, start: u64, length: u64, bits: u32, signed: bool) -> u64 {
    let (start, length, bits64) = (start & 0xff, length & 0xff, u64::from(bits));
    let sign_at = (start + length).saturating_sub(1).min(bits64 - 1);
    let sign = signed && length > 0 && value >> sign_at & 1 == 1;
    let mut out = if start >= bits64 { 0 } else { value >> start };
    let kept = length.min(bits64.saturating_sub(start));
    out = super::decode::cut(out, kept as u32);
    if sign {
        out |= super::decode::cut(u64::MAX, bits) & !super::decode::cut(u64::MAX, kept as u32);
    }
    out
}

/// `bfi`: `value` with `length` of its bits from `start` on replaced by those of `insert`.
fn bfi(insert: u64, value: u64, start: u64, length: u64, bits: u32) -> u64 {
    let (start, length) = (start & 0xff, length & 0xff);
    if start >= u64::from(bits) || length == 0 {
        return value;
    }
    let mask = super::decode::cut(super::decode::cut(u64::MAX, length.min(64) as u32) << start, bits);
    (value & !mask) | (insert << start & mask)
}

fn bfind(value: u64, bits: u32, shift_amount: bool) -> u64 {
    if value == 0 {
        return 0xffff_ffff;
    }
    let at = 63 - u64::from(value.leading_zeros());
    if shift_amount { u64::from(bits) - 1 - at } else { at }
}
