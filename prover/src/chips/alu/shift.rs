//! `shl shr shli`, and the splitting that `bits` and `cdload` share: a word times `2^m`, cut into 64-bit limbs.
//! `D = 2^m` comes from a packed table; nothing may use `D` without both lookups and the range of `m`.
//!
//! Shifting left by `n = m - 64 s` or right by `n = 64 s - m` takes limbs `s .. s + 4` of `a * 2^m`.
use super::{Choice, PureRow, commit_t, operands, pure_rows};
use crate::chips::gadgets::{WordCom, checked_uint, lookup16};
use crate::circuit::chip::AssignError;
use crate::circuit::lc::{halves, pow2};
use crate::circuit::{Chip, Com, Lc, RowBuilder, Tag};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::isa::op;

/// The opcodes this chip proves.
pub const OPCODES: [u16; 3] = [op::SHL, op::SHR, op::SHLI];

/// `2^(low + plus)` for a committed `low` in `0 .. 64` that this gadget range-checks; `plus` is 0 or 1. Returns `(low, power)`.
pub fn power(b: &mut RowBuilder<'_>, on: &Com, low: u64, plus: u64) -> (Com, Com) {
    let exponent = b.commit(Fr::from(low));
    lookup16(b, on, &exponent);
    lookup16(b, on, &(&exponent * 1024u64));
    let d = power_of(b, on, &(&exponent + on * plus), low + plus);
    (exponent, d)
}

/// `2^m` for an `m` in `0 ..= 64` by whoever made it; `value` is `m` on a used row.
///
/// Let D be the committed power. The lookups say `m + 2^8 D = n + 2^8 2^n` and `64 + m + 2^8 2^64 D = n' + 2^8 2^n'`.
/// Eliminating D: `2^8 (2^n' - 2^(64+n)) = 64 + m - n' + 2^64 (n - m)`, all far below p. If n' >= 56, the left side is a multiple of
/// 2^64, so m = n' - 64; then n' >= 64, the left is a multiple of 2^72, so n - m is one of 2^8, so n = m and D = 2^m. If n' < 56,
/// modulo 2^64 it says `2^(8+n') = 64 + m - n'`, impossible since m <= 64.
pub fn power_of(b: &mut RowBuilder<'_>, on: &Com, m: &Com, value: u64) -> Com {
    let used = on.value() != Fr::from(0);
    let d = b.commit(if used { pow2(value as u32) } else { Fr::from(0) });
    b.lookup(Tag::Pow2, on, &(m + &d * 256u64), value as usize);
    let high = m + Com::int(64) + &d * (pow2(64) * Fr::from(256));
    b.lookup(Tag::Pow2, on, &high, value as usize + 64);
    d
}

/// `x * d` of a half, cut: `carry * 2^128 + hi * 2^64 + lo`.
pub struct Cut {
    /// Bits 0..64.
    pub lo: Com,
    /// Bits 64..128.
    pub hi: Com,
    /// Bits from 128 on, below `d`.
    pub carry: Com,
}

/// Cuts `x * d`, where x is below 2^128 and d is a power of two up to 2^64: the product is below 2^192, as is
/// `carry * 2^128 + hi * 2^64 + lo`, so neither wraps and the cut is the only one. 13 constraints.
pub fn cut(b: &mut RowBuilder<'_>, on: &Com, x: &Com, x_lc: impl Into<Lc>, d: &Com, m: u64) -> Cut {
    let (value, _) = halves(x.value());
    let (low, carry) = match (halves(d.value()), m) {
        ((0, 0), _) => (0, 0),
        (_, 0) => (value, 0),
        _ => (value << m, value >> (128 - m)),
    };
    let lo = checked_uint(b, on, low & u128::from(u64::MAX), 64);
    let hi = checked_uint(b, on, low >> 64, 64);
    let carry = checked_uint(b, on, carry, 64);
    b.enforce("x * d = lo + 2^64 hi + 2^128 carry", x_lc, d, &lo + &hi * pow2(64) + &carry * pow2(128));
    Cut { lo, hi, carry }
}

/// Limbs of `a * d` for a word: five, least significant first. The carry of the low half fits below the high half's
/// zeros: a sum of limbs never carries.
pub fn limbs(low: &Cut, high: &Cut) -> [Com; 5] {
    [low.lo.clone(), low.hi.clone(), &high.lo + &low.carry, high.hi.clone(), high.carry.clone()]
}

/// The amount, as what the row does with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Amount {
    /// Limbs from `s - 3`, times `2^m`.
    Small { s: usize, m: u64 },
    /// 256 or more in the low half.
    Low,
    /// Something in the high half.
    High,
}

fn amount(row: &PureRow) -> Amount {
    let n = if row.opcode == op::SHLI { Word::from(u128::from(row.t)) } else { row.b };
    match (n.hi, n.lo) {
        (0, n @ 0..=255) if row.opcode == op::SHR => {
            Amount::Small { s: 3 + (n as usize).div_ceil(64), m: (n as u64).next_multiple_of(64) - n as u64 }
        }
        (0, n @ 0..=255) => Amount::Small { s: 3 - n as usize / 64, m: n as u64 % 64 },
        (0, _) => Amount::Low,
        _ => Amount::High,
    }
}

/// See the module.
pub struct ShiftChip;

/// Selectors of the row's amount: `s` in -3..=4 at index `s + 3`, then low, then high. Booleans whose sum is `on`: exactly one.
fn amount_selectors(b: &mut RowBuilder<'_>, on: &Com, amount: Option<Amount>) -> Vec<Com> {
    let index = amount.map(|a| match a {
        Amount::Small { s, .. } => s,
        Amount::Low => 8,
        Amount::High => 9,
    });
    let mut all: Vec<Com> =
        (1..10).map(|i| b.boolean("amount selector is boolean", index == Some(i))).collect();
    let first = all.iter().fold(on.clone(), |rest, s| rest - s);
    b.enforce("amount selector is boolean", &first, &first, &first);
    all.insert(0, first);
    all
}

impl Chip for ShiftChip {
    type Row = PureRow;

    fn name(&self) -> &'static str {
        "shift"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<PureRow>, AssignError> {
        Ok(pure_rows(input.trace, &OPCODES))
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&PureRow>) {
        let choice = Choice::pure(b, &OPCODES, row.map(|r| r.opcode));
        let on = &choice.on;
        let mut alu = operands(b, row);
        alu.t = commit_t(b, row);
        let size = row.map(amount);
        let is = amount_selectors(b, on, size);
        let (low, high) = (&is[8], &is[9]);
        let m_value = match size {
            Some(Amount::Small { m, .. }) => m,
            _ => 0,
        };
        let (m, d) = power(b, on, m_value, 0);

        // y = b, or T: both halves below 2^128.
        let shli = choice.any(&[op::SHLI]);
        let y_lo = b.product("shli * (T - b.lo)", &shli, &alu.t - &alu.b.lo) + alu.b.lo.lc();
        let y_hi = alu.b.hi.lc().clone() - b.product("shli * b.hi", &shli, &alu.b.hi);
        // n = m - 64 s to the left, 64 s - m to the right. A choice of s and m that makes n negative or more than 255
        // matches no y below 2^128, or (256 to the right) gives the zero it should.
        let s = (0..8u64).fold(Com::zero(), |sum, i| sum + &is[i as usize] * i) - (on - low - high) * 3u64;
        let sign = on - choice.any(&[op::SHR]) * 2u64;
        let n = b.product("sign * (m - 64 s)", sign, &m - s * 64u64);
        let small = on - low - high;
        b.enforce("small * (y.lo - n) = 0", &small, y_lo.clone() - n, 0u64);
        b.enforce("small * y.hi = 0", &small, &y_hi, 0u64);
        // high: y.hi has an inverse. low: y.lo - 256 takes a's place below, and only a number below 2^128 can.
        let inverse = b.wire(if size == Some(Amount::High) { invert(y_hi.value) } else { Fr::from(0) });
        b.enforce("y.hi * inverse = high", &y_hi, inverse, high);
        let other = y_lo - Com::int(256).lc().clone() - alu.a.lo.lc().clone();
        let swap = b.product("low * (y.lo - 256 - a.lo)", low, other);
        let x = alu.a.lo.lc().clone() + swap;
        let x_value = Com::constant(x.value);
        let cut_lo = cut(b, on, &x_value, x, &d, m_value);
        let cut_hi = cut(b, on, &alu.a.hi, &alu.a.hi, &d, m_value);
        let r = limbs(&cut_lo, &cut_hi);
        alu.new = WordCom { lo: select(b, &is, &r, 0), hi: select(b, &is, &r, 2) };
        choice.provide(b, alu, &Com::zero(), row);
    }
}

fn invert(x: Fr) -> Fr {
    use ff::Field;
    x.invert().unwrap_or(Fr::ZERO)
}

/// Limbs `at + s` and `at + s + 1` of `r` as a half, zero beyond the ends and where no small amount is selected.
fn select(b: &mut RowBuilder<'_>, is: &[Com], r: &[Com; 5], at: i32) -> Com {
    let limb = |i: i32| usize::try_from(i).ok().and_then(|i| r.get(i)).cloned().unwrap_or_default();
    let mut sum = Com::zero();
    for (i, selected) in is[..8].iter().enumerate() {
        let first = at + i as i32 - 3;
        if (-1..5).contains(&first) {
            let half = limb(first) + limb(first + 1) * pow2(64);
            sum = sum + b.product_committed("selected * limbs", selected, half);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::oracle::{any_word, check_rows, mutate_all, row};
    use ff::Field;
    use proptest::prelude::*;

    fn rows(a: Word, n: Word, other: Word) -> Vec<PureRow> {
        let mut rows = vec![row(op::SHL, 0, 0, a, n), row(op::SHR, 0, 0, a, n)];
        if n.hi == 0 && n.lo < 1 << 14 {
            rows.push(row(op::SHLI, 0, n.lo as u64, a, other));
        }
        rows
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_instruction_agrees_with_big_integers(a in any_word(), n in 0u128..300, y in any_word()) {
            check_rows(ShiftChip, &[rows(a, n.into(), y), rows(y, n.into(), a), rows(a, y, y)].concat());
        }
    }

    #[test]
    fn amounts_at_the_borders_agree_with_big_integers() {
        let amounts = [0, 1, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257, 1 << 13, u128::MAX];
        for a in [Word::new(u128::MAX, u128::MAX), Word::from(1), Word::new(1 << 127, 0)] {
            let mut all: Vec<_> = amounts.iter().flat_map(|n| rows(a, (*n).into(), a)).collect();
            all.extend(rows(a, Word::new(1, 0), a));
            all.extend(rows(a, Word::new(u128::MAX, 5), a));
            check_rows(ShiftChip, &all);
        }
    }

    #[test]
    fn no_single_wire_can_change() {
        let a = Word::new(0x77 << 100 | 5, u128::MAX - 9);
        let amounts = [Word::from(0), Word::from(3), Word::from(200), Word::from(300), Word::new(1, 3)];
        let all: Vec<_> = amounts.iter().flat_map(|n| rows(a, *n, a)).collect();
        mutate_all(&mut check_rows(ShiftChip, &all));
    }

    #[test]
    fn a_small_amount_cannot_pass_for_a_large_one() {
        let mut f = check_rows(ShiftChip, &[row(op::SHL, 0, 0, Word::from(9), Word::from(64))]);
        let is = f.wires("amount selector is boolean");
        // is[i] selects index i + 1: s = -1 is index 2, low 8, high 9.
        for large in [is[7], is[8]] {
            f.change(0, &[(is[1], -Fr::ONE), (large, Fr::ONE)]);
            assert!(!f.failures(0).is_empty());
            f.change(0, &[(is[1], Fr::ONE), (large, -Fr::ONE)]);
        }
        assert!(f.failures(0).is_empty());
    }

    #[test]
    fn quotient_and_remainder_cannot_trade() {
        // The carry one less and the top chunk of the remainder 2^16 more is the same product.
        let mut f = check_rows(ShiftChip, &[row(op::SHL, 0, 0, Word::from(1 << 127), Word::from(1))]);
        let nth = |n: usize| f.lookup_wire(Tag::Range16, n);
        // Lookups: two of m, then four each of lo, hi, carry.
        let (top, carry) = (nth(2 + 7), nth(2 + 8));
        f.change(0, &[(carry, -Fr::ONE), (top, Fr::from(1 << 16))]);
        let bad = f.failures(0);
        assert!(bad.len() == 1 && bad[0].contains("lookup"), "{bad:?}");
    }

    #[test]
    fn the_power_cannot_leave_its_exponent() {
        // m + 2^8 D stays an entry of the table for m + 1 and D - 2^-8, which the second lookup refuses.
        let mut f = check_rows(ShiftChip, &[row(op::SHL, 0, 0, Word::ZERO, Word::from(7))]);
        let m = f.lookup_wire(Tag::Range16, 0);
        let crate::circuit::lc::Var::Committed(i) = m else { panic!("committed") };
        let d = crate::circuit::lc::Var::Committed(i + 1);
        let step = Fr::from(256).invert().expect("not zero");
        f.change(0, &[(m, Fr::ONE), (d, -step)]);
        let bad = f.failures(0);
        assert!(bad.iter().any(|b| b.contains("Pow2")), "{bad:?}");
    }
}
