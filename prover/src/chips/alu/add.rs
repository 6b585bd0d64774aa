//! Addition, subtraction and order: `add sub lt addi subi jlt jge`, all from one sum with carries.
//! The sum's halves are range-checked here; nothing else bounds the carries.
use super::{Choice, PureRow, commit_t, jump, operands, pure_rows};
use crate::chips::gadgets::{WordCom, checked_word};
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, RowBuilder};
use crate::input::ProverInput;
use lathe_vm::Word;
use lathe_vm::isa::op;

/// The opcodes this chip proves.
pub const OPCODES: [u16; 7] = [op::ADD, op::SUB, op::LT, op::ADDI, op::SUBI, op::JLT, op::JGE];

/// See the module.
pub struct AddChip;

/// `x + y` or `x - y` with the carry (borrow) out of each half.
fn sum(plus: bool, x: Word, y: Word) -> (Word, bool, bool) {
    let op = if plus { u128::overflowing_add } else { u128::overflowing_sub };
    let (lo, carry) = op(x.lo, y.lo);
    let (hi, c1) = op(x.hi, y.hi);
    let (hi, c2) = op(hi, u128::from(carry));
    (Word::new(hi, lo), carry, c1 || c2)
}

impl Chip for AddChip {
    type Row = PureRow;

    fn name(&self) -> &'static str {
        "add"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<PureRow>, AssignError> {
        Ok(pure_rows(input.trace, &OPCODES))
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&PureRow>) {
        let choice = Choice::pure(b, &OPCODES, row.map(|r| r.opcode));
        let mut alu = operands(b, row);
        alu.t = commit_t(b, row);
        let plus = choice.any(&[op::ADD, op::ADDI]);
        let imm = choice.any(&[op::ADDI, op::SUBI]);

        let (mut w, mut borrow, mut carry) = (Word::ZERO, false, false);
        if let Some(r) = row {
            let y = if [op::ADDI, op::SUBI].contains(&r.opcode) { Word::from(u128::from(r.t)) } else { r.b };
            (w, borrow, carry) = sum([op::ADD, op::ADDI].contains(&r.opcode), r.a, y);
        }
        let w = checked_word(b, &choice.on, w);
        let c_lo = b.boolean("carry * carry = carry", borrow);
        let c_hi = b.boolean("carry * carry = carry", carry);

        // y = b, or T: y_lo = b_lo + imm (T - b_lo), y_hi = b_hi - imm b_hi
        let t_for_b = b.product("imm * (T - b.lo)", &imm, &alu.t - &alu.b.lo);
        let drop_hi = b.product("imm * b.hi", &imm, &alu.b.hi);
        // With s = 1 or -1: w_lo = a_lo + s (y_lo - 2^128 c_lo), w_hi = a_hi + s (y_hi + c_lo - 2^128 c_hi).
        // All of a, y, w are below 2^128 and c is 0 or 1, so both hold over the integers and determine w and c.
        let sign = plus * 2u64 - &choice.on;
        let lo = t_for_b + (&alu.b.lo - &c_lo * pow2(128)).lc();
        b.enforce("s * (y.lo - 2^128 c.lo) = w.lo - a.lo", &sign, lo, &w.lo - &alu.a.lo);
        let hi = (&alu.b.hi + &c_lo - &c_hi * pow2(128)).lc() - drop_hi;
        b.enforce("s * (y.hi + c.lo - 2^128 c.hi) = w.hi - a.hi", &sign, hi, &w.hi - &alu.a.hi);

        alu.new = result(b, &choice, &w, &c_hi);
        // jlt jumps with a borrow, jge without: taken = jge + (jlt - jge) c
        let (jlt, jge) = (choice.any(&[op::JLT]), choice.any(&[op::JGE]));
        let flip = b.product("(jlt - jge) * c.hi", &jlt - &jge, &c_hi);
        alu.delta = jump(b, flip + jge.lc(), &alu.t);
        choice.provide(b, alu, &Com::zero(), row);
    }
}

/// `w` for arithmetic, the borrow for `lt`, zero for jumps.
fn result(b: &mut RowBuilder<'_>, choice: &Choice, w: &WordCom, borrow: &Com) -> WordCom {
    let arithmetic = choice.any(&[op::ADD, op::SUB, op::ADDI, op::SUBI]);
    let less = b.product_committed("lt * c.hi", choice.any(&[op::LT]), borrow);
    let lo = b.product_committed("arithmetic * w.lo", &arithmetic, &w.lo);
    let hi = b.product_committed("arithmetic * w.hi", &arithmetic, &w.hi);
    WordCom { lo: lo + less, hi }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::oracle::{any_word, check_rows, mutate_all, row};
    use ff::Field;
    use halo2curves::bn256::Fr;
    use proptest::prelude::*;

    fn t_of(opcode: u16, t: u64) -> u64 {
        if [op::ADDI, op::SUBI, op::JLT, op::JGE].contains(&opcode) { t } else { 0 }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_instruction_agrees_with_big_integers(x in any_word(), y in any_word(), t in 0u64..1 << 14) {
            let pairs = [(x, y), (y, x), (x, x)];
            let rows: Vec<_> = OPCODES
                .iter()
                .flat_map(|o| pairs.map(|(a, b)| row(*o, 0, t_of(*o, t), a, b)))
                .collect();
            check_rows(AddChip, &rows);
        }
    }

    #[test]
    fn no_single_wire_can_change() {
        let (x, y) = (Word::new(7, u128::MAX), Word::new(u128::MAX - 3, 9));
        let rows: Vec<_> = OPCODES.iter().map(|o| row(*o, 0, t_of(*o, 8200), x, y)).collect();
        mutate_all(&mut check_rows(AddChip, &rows));
    }

    #[test]
    fn a_carry_that_is_no_bit_is_rejected() {
        // With c.lo + 2^-128 and c.hi + 2^-256 both sums hold for a word that is one too small.
        let mut f = check_rows(AddChip, &[row(op::LT, 0, 0, Word::from(1000), Word::from(5))]);
        let carries = f.wires("carry * carry = carry");
        let chunk = f.lookup_wire(crate::circuit::Tag::Range16, 0);
        let by = pow2(128).invert().expect("not zero");
        f.change(0, &[(carries[0], by), (carries[1], by * by), (chunk, Fr::ONE)]);
        let bad = f.failures(0);
        assert!(bad.iter().all(|b| b.contains("carry * carry")) && bad.len() == 2, "{bad:?}");
    }

    #[test]
    fn opcodes_cannot_be_mixed_or_left_out() {
        let mut f = check_rows(AddChip, &[row(op::ADD, 0, 0, Word::ZERO, Word::ZERO)]);
        let selectors = f.wires("selector * selector = selector");
        // sub and lt (2 + 4) would pass for xor's neighbour 6, which is `and`.
        f.change(0, &[(selectors[0], -Fr::ONE), (selectors[1], Fr::ONE), (selectors[2], Fr::ONE)]);
        assert!(f.failures(0).iter().any(|b| b.contains("on * on = on")));
        let mut f = check_rows(AddChip, &[row(op::ADD, 0, 0, Word::ZERO, Word::ZERO)]);
        f.change(0, &[(selectors[0], -Fr::ONE)]);
        assert!(f.failures(0).iter().any(|b| b.contains("m * (1 - on)")));
    }
}
