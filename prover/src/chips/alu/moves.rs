//! `mov seti const not jmp`: results that are linear in the operands, or a constant of the page.
//! A constant is whatever the code chip offers for `T`; nothing here decides it.
use super::{Choice, PureRow, commit_t, jump, operands, pure_rows};
use crate::chips::gadgets::opaque_word;
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::isa::op;

/// The opcodes this chip proves.
pub const OPCODES: [u16; 5] = [op::MOV, op::SETI, op::CONST, op::NOT, op::JMP];

/// See the module.
pub struct MovesChip;

impl Chip for MovesChip {
    type Row = PureRow;

    fn name(&self) -> &'static str {
        "moves"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<PureRow>, AssignError> {
        Ok(pure_rows(input.trace, &OPCODES))
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&PureRow>) {
        let choice = Choice::pure(b, &OPCODES, row.map(|r| r.opcode));
        let mut alu = operands(b, row);
        alu.t = commit_t(b, row);
        alu.new = opaque_word(b, row.map_or(Word::ZERO, |r| r.new));

        // new = (mov - not) a + not (2^128 - 1) + seti T, half by half; a constant is what the page says.
        // Halves of a are below 2^128, so those of `not` are as well; T is below 2^28; the code chip checks constants.
        let (mov, not, constant) = (choice.any(&[op::MOV]), choice.any(&[op::NOT]), choice.any(&[op::CONST]));
        let seti = b.product("seti * T", choice.any(&[op::SETI]), &alu.t);
        let ones = &not * (pow2(128) - Fr::ONE);
        for (a, new, extra) in [(&alu.a.lo, &alu.new.lo, seti), (&alu.a.hi, &alu.new.hi, 0u64.into())] {
            let from_a = b.product("(mov - not) * a", &mov - &not, a);
            let rest = (new - &ones).lc() - from_a - extra;
            b.enforce("(1 - const) * (new - result) = 0", Com::int(1) - &constant, rest, 0u64);
        }
        b.take(
            Tag::Const,
            &constant,
            &[(0, alu.t.clone()), (1, alu.new.lo.clone()), (2, alu.new.hi.clone())],
        );
        alu.delta = jump(b, choice.any(&[op::JMP]), &alu.t);
        choice.provide(b, alu, &Com::zero(), row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::oracle::{any_word, check_rows, row, truth};
    use crate::chips::testing::{Fixture, Message, element};
    use crate::circuit::MessageKind;
    use proptest::prelude::*;

    fn t_of(opcode: u16, t: u64) -> u64 {
        match opcode {
            op::SETI => t,
            op::JMP => t % (1 << 14),
            _ => 0,
        }
    }

    const WITHOUT_CONST: [u16; 4] = [op::MOV, op::SETI, op::NOT, op::JMP];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_instruction_agrees_with_big_integers(x in any_word(), y in any_word(), t in 0u64..1 << 28) {
            let rows: Vec<_> = WITHOUT_CONST.iter().map(|o| row(*o, 0, t_of(*o, t), x, y)).collect();
            check_rows(MovesChip, &rows);
        }
    }

    #[test]
    fn no_single_wire_can_change() {
        let (x, y) = (Word::new(7, u128::MAX), Word::from(3));
        let rows: Vec<_> = WITHOUT_CONST.iter().map(|o| row(*o, 0, t_of(*o, 8200), x, y)).collect();
        let mut f = check_rows(MovesChip, &rows);
        for i in 0..f.block.capacity {
            let (tried, rejected) = f.mutate(i, constant_truth);
            assert!(rejected * 2 > tried || i == rows.len(), "row {i}: {rejected} of {tried}");
        }
    }

    fn constant() -> PureRow {
        let new = Word::new(5, u128::MAX);
        PureRow {
            opcode: op::CONST,
            imm: 0,
            t: 6 + (2 << 14),
            a: Word::from(1),
            b: Word::from(2),
            new,
            count: 4,
        }
    }

    /// What a row with a constant says: the page's constant `T` is what it offers as result of opcode `const T`.
    fn constant_truth(messages: &[Message]) -> bool {
        let take = messages.iter().find(|m| m.1.0 == Tag::Const);
        let offer = messages.iter().find(|m| m.1.0 == Tag::Alu);
        match (take, offer) {
            (Some((kind, t, m)), Some((_, o, _))) => {
                assert_eq!(*kind, MessageKind::Lookup);
                *m == -Fr::ONE
                    && element(o, 0) == Fr::from(u64::from(op::CONST))
                    && element(o, 7) == Fr::ZERO
                    && [(0, 8), (1, 5), (2, 6)].iter().all(|(i, k)| element(t, *i) == element(o, *k))
            }
            (None, Some(_)) => truth(messages),
            (_, None) => true,
        }
    }

    #[test]
    fn a_constant_is_the_one_of_the_page() {
        let mut f = Fixture::new(MovesChip, &[constant()], 1);
        f.assert_satisfied();
        let messages = f.messages(0);
        let take = messages.iter().find(|m| m.1.0 == Tag::Const).expect("a look at the page");
        assert_eq!(element(&take.1, 0), Fr::from(6 + (2 << 14)));
        assert_eq!(element(&take.1, 1), pow2(128) - Fr::ONE);
        let (tried, rejected) = f.mutate(0, constant_truth);
        assert!(rejected * 2 > tried, "{rejected} of {tried}");
    }

    #[test]
    fn a_constant_cannot_pass_for_a_move() {
        let mut f = Fixture::new(MovesChip, &[constant()], 0);
        let s = f.wires("selector * selector = selector");
        f.change(0, &[(s[2], -Fr::ONE), (s[0], Fr::ONE)]);
        assert!(f.failures(0).iter().any(|b| b.contains("(1 - const)")));
    }
}
