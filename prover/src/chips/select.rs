//! `select d, a, b`: `a` if the old value of `[d]` is not zero, else `b`.
//! The old value is what the CPU read at this clock; this chip never looks at memory itself.
use super::gadgets::{WordCom, is_zero};
use super::message::Keyed;
use crate::circuit::chip::AssignError;
use crate::circuit::{Chip, Com, RowBuilder};
use crate::input::ProverInput;
use lathe_vm::isa::op;
use lathe_vm::trace::{Effect, Step};

/// See the module.
pub struct SelectChip;

impl Chip for SelectChip {
    type Row = Step;

    fn name(&self) -> &'static str {
        "select"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<Step>, AssignError> {
        let steps = input.trace.steps.iter();
        Ok(steps.filter(|s| matches!(s.effect, Effect::Select)).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, step: Option<&Step>) {
        let on = b.boolean("on is boolean", step.is_some());
        let mut m = Keyed::receive_operands(b, step, false);
        m.alu.op = Com::int(op::SELECT.into());
        // Both halves are below 2^128: their sum is zero exactly if both are.
        let zero = is_zero(b, &(&m.old.lo + &m.old.hi));
        // new = a + zero (b - a)
        let lo = b.product_committed("zero * (b.lo - a.lo)", &zero, &m.alu.b.lo - &m.alu.a.lo);
        let hi = b.product_committed("zero * (b.hi - a.hi)", &zero, &m.alu.b.hi - &m.alu.a.hi);
        m.alu.new = WordCom { lo: &m.alu.a.lo + lo, hi: &m.alu.a.hi + hi };
        m.receive(b, &on);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::keyed::{Said, pair, step};
    use crate::chips::alu::oracle::any_word;
    use crate::chips::testing::{Fixture, Message};
    use lathe_vm::Word;
    use proptest::prelude::*;

    fn truth(messages: &[Message]) -> bool {
        let Some(said) = Said::of(messages) else { return true };
        let (Some(a), Some(b), Some(old)) = (said.word(1), said.word(3), said.word(9)) else { return true };
        let new = if old.is_zero() { b } else { a };
        said.plain_opcode() == Some(op::SELECT) && said.result() == pair(new) && said.mem.is_empty()
    }

    fn row(a: Word, b: Word, old: Word) -> Step {
        step(op::SELECT, 0, [a, b, old, if old.is_zero() { b } else { a }], Effect::Select)
    }

    fn check(rows: &[Step]) -> Fixture {
        let f = Fixture::new(SelectChip, rows, 1);
        f.assert_satisfied();
        for (i, r) in rows.iter().enumerate() {
            let messages = f.messages(i);
            assert!(truth(&messages));
            let said = Said::of(&messages).expect("a used row speaks");
            assert_eq!(said.result(), pair(r.d.new));
            assert_eq!(
                (said.word(1), said.word(3), said.word(9)),
                (Some(r.a.old), Some(r.b.old), Some(r.d.old))
            );
        }
        assert!(f.messages(rows.len()).is_empty());
        f
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn select_depends_on_the_old_word(a in any_word(), b in any_word(), old in any_word()) {
            check(&[row(a, b, old), row(a, b, Word::ZERO), row(a, b, Word::new(old.lo, 0))]);
        }
    }

    #[test]
    fn no_single_wire_can_change() {
        let (a, b) = (Word::new(1, 2), Word::new(3, 4));
        let mut f = check(&[row(a, b, Word::ZERO), row(a, b, Word::from(5)), row(a, b, Word::new(5, 0))]);
        for i in 0..4 {
            let (tried, rejected) = f.mutate(i, truth);
            assert!(rejected > 0 && tried > rejected);
        }
    }
}
