//! Equality: `eq eqi jeq jne jeqi jnei`, by one is-zero test per half.
//! The 14-bit parts of a K-class immediate are range-checked here, so that a jump cannot trade target for immediate.
use super::{Choice, PureRow, jump, operands, pure_rows};
use crate::chips::gadgets::{WordCom, is_zero, lookup16};
use crate::circuit::chip::AssignError;
use crate::circuit::{Chip, Com, RowBuilder};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::isa::{FIELD_LIMIT, op};

/// The opcodes this chip proves.
pub const OPCODES: [u16; 6] = [op::EQ, op::EQI, op::JEQ, op::JNE, op::JEQI, op::JNEI];

/// See the module.
pub struct EqualChip;

impl Chip for EqualChip {
    type Row = PureRow;

    fn name(&self) -> &'static str {
        "equal"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<PureRow>, AssignError> {
        Ok(pure_rows(input.trace, &OPCODES))
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&PureRow>) {
        let choice = Choice::pure(b, &OPCODES, row.map(|r| r.opcode));
        let mut alu = operands(b, row);
        let k_class = choice.any(&[op::JEQI, op::JNEI]);

        // T = first + 2^14 second. Class K: target and immediate, both below 2^14. Elsewhere second is 0 and first is T:
        // without that a jump could split T = first + 2^14 second as it likes and land anywhere.
        let t = row.map_or(0, |r| r.t);
        let first = b.commit(Fr::from(t % FIELD_LIMIT));
        let second = b.commit(Fr::from(t / FIELD_LIMIT));
        for part in [&first, &second] {
            lookup16(b, &k_class, part);
            lookup16(b, &k_class, &(part * 4u64));
        }
        b.enforce("(1 - k_class) * second = 0", Com::int(1) - &k_class, &second, 0u64);
        alu.t = &first + &second * FIELD_LIMIT;

        // y = b, or the immediate: eqi takes T whole.
        let immediate = choice.any(&[op::EQI]) + &k_class;
        let from_t = b.product("eqi * (T - second)", choice.any(&[op::EQI]), &alu.t - &second);
        let y = b.commit(y_lo(row));
        // immediate * (second - b.lo) + eqi * (T - second) = y - b.lo
        b.enforce("y = b.lo or immediate", &immediate, &second - &alu.b.lo, (&y - &alu.b.lo).lc() - from_t);
        let y_hi = b.product_committed("(1 - immediate) * b.hi", Com::int(1) - &immediate, &alu.b.hi);

        // Halves are below 2^128 and T below 2^28: differences do not wrap, they are 0 exactly if equal.
        let lo = is_zero(b, &(&alu.a.lo - y));
        let hi = is_zero(b, &(&alu.a.hi - y_hi));
        let equal = b.product("lo * hi", lo, hi);

        let new = b.product_committed("(eq + eqi) * equal", choice.any(&[op::EQ, op::EQI]), &equal);
        alu.new = WordCom::low(new);
        // jne and jnei jump where jeq and jeqi do not: taken = ne + (eq - ne) equal
        let (eq, ne) = (choice.any(&[op::JEQ, op::JEQI]), choice.any(&[op::JNE, op::JNEI]));
        let flip = b.product("(jeq - jne) * equal", &eq - &ne, equal);
        alu.delta = jump(b, flip + ne.lc(), &first);
        choice.provide(b, alu, &Com::zero(), row);
    }
}

/// The low half that `a` is compared with.
fn y_lo(row: Option<&PureRow>) -> Fr {
    use crate::circuit::lc::fr_u128;
    row.map_or(fr_u128(0), |r| match r.opcode {
        op::EQI => Fr::from(r.t),
        op::JEQI | op::JNEI => Fr::from(r.t / FIELD_LIMIT),
        _ => fr_u128(r.b.lo),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::oracle::{any_word, check_rows, mutate_all, row};
    use crate::circuit::Tag;
    use ff::Field;
    use lathe_vm::Word;
    use proptest::prelude::*;

    fn t_of(opcode: u16, target: u64, imm: u64) -> u64 {
        match opcode {
            op::EQ => 0,
            op::JEQI | op::JNEI => target + (imm << 14),
            op::EQI => imm,
            _ => target,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_instruction_agrees_with_big_integers(
            x in any_word(), y in any_word(), target in 0u64..1 << 14, imm in 0u64..1 << 14,
        ) {
            let small = Word::from(u128::from(imm));
            let pairs = [(x, y), (x, x), (small, y), (Word::new(1, small.lo), small), (x, Word::new(x.hi, y.lo))];
            let rows: Vec<_> = OPCODES
                .iter()
                .flat_map(|o| pairs.map(|(a, b)| row(*o, 0, t_of(*o, target, imm), a, b)))
                .collect();
            check_rows(EqualChip, &rows);
        }
    }

    #[test]
    fn no_single_wire_can_change() {
        let x = Word::new(7, u128::MAX);
        let mut rows: Vec<_> = OPCODES.iter().map(|o| row(*o, 0, t_of(*o, 8200, 0), x, x)).collect();
        rows.extend(OPCODES.map(|o| row(o, 0, t_of(o, 3, 9), Word::from(9), x)));
        mutate_all(&mut check_rows(EqualChip, &rows));
    }

    #[test]
    fn target_and_immediate_cannot_trade_bits() {
        // jeqi with immediate 5 and target 3, proven as immediate 4 and target 3 + 2^14: the same T.
        let honest = row(op::JEQI, 0, 3 + (5 << 14), Word::from(4), Word::ZERO);
        let mut f = check_rows(EqualChip, &[honest]);
        let first = f.lookup_wire(Tag::Range16, 0);
        let second = f.lookup_wire(Tag::Range16, 2);
        f.change(0, &[(first, Fr::from(1 << 14)), (second, -Fr::ONE)]);
        assert!(f.failures(0).iter().any(|b| b.contains("lookup")));
    }

    #[test]
    fn a_plain_jump_cannot_split_its_target() {
        // jeq with target 8200, claimed as first = 8200 - 2^14 and second = 1.
        let mut f = check_rows(EqualChip, &[row(op::JEQ, 0, 8200, Word::from(4), Word::from(4))]);
        let first = f.lookup_wire(Tag::Range16, 0);
        let second = f.lookup_wire(Tag::Range16, 2);
        f.change(0, &[(first, -Fr::from(1 << 14)), (second, Fr::ONE)]);
        assert!(f.failures(0).iter().any(|b| b.contains("k_class")));
    }

    #[test]
    fn inequality_cannot_be_claimed_of_equal_words() {
        let mut f = check_rows(EqualChip, &[row(op::JNE, 0, 8192 + 5, Word::from(4), Word::from(4))]);
        let zero = f.wires("lo * hi")[0];
        f.change(0, &[(zero, -Fr::ONE)]);
        assert!(f.failures(0).iter().any(|b| b.contains("is_zero")));
    }
}
