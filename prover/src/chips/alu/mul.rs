//! `mul`: the low 256 bits of a product, from 64-bit limbs.
//! Operands arrive as halves below 2^128; their limbs are range-checked here, or the limbs would not be theirs.
use super::{Choice, PureRow, pure_rows};
use crate::chips::gadgets::{WordCom, checked_uint, checked_word};
use crate::chips::message::Alu;
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, Lc, RowBuilder};
use crate::input::ProverInput;
use lathe_vm::Word;
use lathe_vm::isa::op;

/// The opcodes this chip proves.
pub const OPCODES: [u16; 1] = [op::MUL];

/// See the module.
pub struct MulChip;

/// Four range-checked limbs, least significant first, and the word they make.
fn limbs(b: &mut RowBuilder<'_>, on: &Com, w: Word) -> ([Com; 4], WordCom) {
    let mask = u128::from(u64::MAX);
    let x = [w.lo & mask, w.lo >> 64, w.hi & mask, w.hi >> 64].map(|x| checked_uint(b, on, x, 64));
    let half = |i: usize| &x[i] + &x[i + 1] * pow2(64);
    let word = WordCom { lo: half(0), hi: half(2) };
    (x, word)
}

/// The product's low 256 bits and the two carries that the constraints below name `k` and `l`.
fn product(a: Word, b: Word) -> (Word, u128, u128) {
    let (lo, carry) = accumulate(&[(a.lo, b.lo as u64 as u128, 0), (a.lo as u64 as u128, b.lo >> 64, 64)]);
    let (hi, l) = accumulate(&[
        (carry, 1, 0),
        (a.lo >> 64, b.lo >> 64, 0),
        (a.lo, b.hi as u64 as u128, 0),
        (a.hi, b.lo as u64 as u128, 0),
        (a.lo as u64 as u128, b.hi >> 64, 64),
        (a.hi as u64 as u128, b.lo >> 64, 64),
    ]);
    (Word::new(hi, lo), carry, l)
}

/// The sum of `x * y * 2^shift` (each below 2^192) as `(low 128 bits, the rest)`.
fn accumulate(terms: &[(u128, u128, u32)]) -> (u128, u128) {
    let (mut lo, mut high) = (0u128, 0u128);
    for (x, y, shift) in terms {
        // With y below 2^64: x y = p0 + 2^64 p1, both products fit 128 bits.
        let mask = u128::from(u64::MAX);
        let p0 = (x & mask) * y;
        let p1 = (x >> 64) * y + (p0 >> 64);
        for (part, at) in [(p0 & mask, *shift), (p1, 64 + *shift)] {
            let low = if at >= 128 { 0 } else { part << at };
            high += if at == 0 { 0 } else { part >> (128 - at) };
            let (sum, carry) = lo.overflowing_add(low);
            lo = sum;
            high += u128::from(carry);
        }
    }
    (lo, high)
}

impl Chip for MulChip {
    type Row = PureRow;

    fn name(&self) -> &'static str {
        "mul"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<PureRow>, AssignError> {
        Ok(pure_rows(input.trace, &OPCODES))
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&PureRow>) {
        let choice = Choice::pure(b, &OPCODES, row.map(|r| r.opcode));
        let on = &choice.on;
        let (va, vb) = row.map_or((Word::ZERO, Word::ZERO), |r| (r.a, r.b));
        let (value, vk, vl) = product(va, vb);
        let (a, aw) = limbs(b, on, va);
        let (y, bw) = limbs(b, on, vb);
        let new = checked_word(b, on, value);
        let k = checked_uint(b, on, vk, 80);
        let l = checked_uint(b, on, vl, 80);

        // new.lo + 2^128 k = a.lo b0 + 2^64 a0 b1, below 2^193; the left side is below 2^209: no wrap modulo p,
        // so new.lo and k are quotient and remainder by 2^128. What is missing of a.lo b.lo is 2^128 a1 b1.
        let low = b.product("2^64 a0 * b1", &a[0] * pow2(64), &y[1]);
        let left = Lc::from(&new.lo + &k * pow2(128)) - low;
        b.enforce("a.lo * b0 = new.lo + 2^128 k - 2^64 a0 b1", &aw.lo, &y[0], left);

        // new.hi + 2^128 l = k + a1 b1 + a.lo b2 + a.hi b0 + 2^64 (a0 b3 + a2 b1), below 2^196. Terms left out are
        // multiples of 2^256.
        let mut rest: Lc = (&new.hi + &l * pow2(128) - &k).into();
        rest = rest - b.product("a1 * b1", &a[1], &y[1]);
        rest = rest - b.product("a.lo * b2", &aw.lo, &y[2]);
        rest = rest - b.product("2^64 a0 * b3", &a[0] * pow2(64), &y[3]);
        rest = rest - b.product("2^64 a2 * b1", &a[2] * pow2(64), &y[1]);
        b.enforce("a.hi * b0 = the rest of new.hi", &aw.hi, &y[0], rest);
        choice.provide(b, Alu { a: aw, b: bw, new, ..Alu::default() }, &Com::zero(), row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::oracle::{any_word, check_rows, mutate_all, row};
    use crate::circuit::Tag;
    use ff::Field;
    use halo2curves::bn256::Fr;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn agrees_with_big_integers(x in any_word(), y in any_word()) {
            check_rows(MulChip, &[row(op::MUL, 0, 0, x, y), row(op::MUL, 0, 0, y, y)]);
        }
    }

    #[test]
    fn no_single_wire_can_change() {
        let (x, y) = (Word::new(u128::MAX, u128::MAX), Word::new(1 << 100, u128::MAX - 5));
        mutate_all(&mut check_rows(MulChip, &[row(op::MUL, 0, 0, x, y), row(op::MUL, 0, 0, Word::ZERO, y)]));
    }

    #[test]
    fn limbs_cannot_trade_bits() {
        // a0 + 2^64 and a1 - 1 are the same half: the last chunk of a0 would leave its range.
        let mut f = check_rows(MulChip, &[row(op::MUL, 0, 0, Word::from(5 << 64), Word::ZERO)]);
        let (top_of_a0, bottom_of_a1) = (f.lookup_wire(Tag::Range16, 3), f.lookup_wire(Tag::Range16, 4));
        f.change(0, &[(top_of_a0, Fr::from(1 << 16)), (bottom_of_a1, -Fr::ONE)]);
        let bad = f.failures(0);
        assert!(bad.len() == 1 && bad[0].contains("lookup"), "{bad:?}");
    }

    #[test]
    fn the_result_cannot_borrow_from_the_carry() {
        // new.lo - 1 with k + 2^-128 keeps the sum; k is then no 16-bit sum.
        let mut f = check_rows(MulChip, &[row(op::MUL, 0, 0, Word::from(7), Word::from(9))]);
        let (new, k) = (f.lookup_wire(Tag::Range16, 32), f.lookup_wire(Tag::Range16, 48));
        let step = pow2(128).invert().expect("not zero");
        f.change(0, &[(new, -Fr::ONE), (k, step)]);
        assert!(f.failures(0).iter().any(|b| b.contains("lookup")));
    }
}
