//! `ld` and `st`: one aligned word of the running context's heap.
//! An address that is not a multiple of 32 below 2^32 - 32 must never find a row: its index would be another cell's.
use super::alu::Choice;
use super::gadgets::{address, mem_write, opaque_word, range};
use super::message::Keyed;
use crate::circuit::chip::AssignError;
use crate::circuit::{Chip, RowBuilder};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::isa::{Instruction, op};
use lathe_vm::trace::{Access, Effect, Step, space};

/// The opcodes this chip proves.
pub const OPCODES: [u16; 2] = [op::LD, op::ST];

/// See the module.
pub struct HeapChip;

impl Chip for HeapChip {
    type Row = (Step, Access);

    fn name(&self) -> &'static str {
        "heap"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<Self::Row>, AssignError> {
        let row = |s: Step| match s.effect {
            Effect::Heap(access) => Some((s, access)),
            _ => None,
        };
        Ok(input.trace.steps.iter().filter_map(row).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&Self::Row>) {
        let step = row.map(|r| &r.0);
        let i = step.map(|s| Instruction::decode(s.word));
        let choice = Choice::keyed(b, &OPCODES, i.map(|i| i.opcode));
        let mut m = Keyed::receive_operands(b, step, false);
        m.alu.op = choice.op.clone();
        m.alu.t = b.commit(Fr::from(i.map_or(0, Instruction::t)));

        // 32 index = a + T, over the integers: a.hi = 0, a.lo < 2^128, T < 2^14. index + 1 < 2^27 leaves index = -1 open,
        // which would need a.lo + T = -32.
        b.zero("a.hi = 0", &m.alu.a.hi);
        let sum = &m.alu.a.lo + &m.alu.t;
        let index = sum * Fr::from(32).invert().expect("32 is not zero");
        range(b, &choice.on, &(&index + &choice.on), 27);

        // ld leaves the cell's value v and hands it out, st leaves old and keeps it: both write `new` to the cell.
        let new = opaque_word(b, row.map_or_else(Default::default, |r| r.1.new));
        let cell = address(space::HEAP, &m.regs.ctx, &index);
        let v = mem_write(b, &choice.on, &cell, &m.time(4), &new, row.map(|r| &r.1));
        // new = v + st (old - v)
        let st = choice.any(&[op::ST]);
        b.enforce("st * (old.lo - v.lo) = new.lo - v.lo", &st, &m.old.lo - &v.lo, &new.lo - &v.lo);
        b.enforce("st * (old.hi - v.hi) = new.hi - v.hi", &st, &m.old.hi - &v.hi, &new.hi - &v.hi);
        m.alu.new = new;
        m.receive(b, &choice.on);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::keyed::{CTX, Said, access, pair, step};
    use crate::chips::alu::oracle::any_word;
    use crate::chips::testing::{Fixture, Message, element_int};
    use crate::circuit::Tag;
    use lathe_vm::Word;
    use proptest::prelude::*;

    fn truth(messages: &[Message]) -> bool {
        let Some(said) = Said::of(messages) else { return true };
        let t = element_int(&messages.iter().find(|m| m.1.0 == Tag::Keyed).expect("one").1, 8);
        let (Some(a), Some(t @ 0..=0x3fff)) = (said.word(1), t) else { return true };
        let address = (a.hi == 0).then(|| a.lo.checked_add(t)).flatten();
        let Some(index) = address.filter(|x| *x < (1 << 32) - 32 && x % 32 == 0).map(|x| x / 32) else {
            return false;
        };
        let [mem] = said.mem.as_slice() else { return false };
        let old = [said.at(9), said.at(10)];
        let value = match said.plain_opcode() {
            Some(op::LD) => mem.old,
            Some(op::ST) => old,
            _ => return false,
        };
        mem.address == said.own(space::HEAP, index as u64)
            && mem.k == Fr::from(4)
            && (mem.new, said.result()) == (value, value)
    }

    fn row(opcode: u16, a: u32, t: u16, cell: Word, old: Word) -> (Step, Access) {
        let new = if opcode == op::ST { old } else { cell };
        let index = (u64::from(a) + u64::from(t)) / 32;
        let heap = access(space::HEAP, CTX, index as u32, 4, cell, new);
        (step(opcode, t, [Word::from(u128::from(a)), Word::from(8), old, new], Effect::Heap(heap)), heap)
    }

    fn check(rows: &[(Step, Access)]) -> Fixture {
        let f = Fixture::new(HeapChip, rows, 1);
        f.assert_satisfied();
        for (i, r) in rows.iter().enumerate() {
            let messages = f.messages(i);
            assert!(truth(&messages), "{messages:?}");
            let said = Said::of(&messages).expect("a used row speaks");
            assert_eq!(said.result(), pair(r.0.d.new));
            assert_eq!((said.mem[0].old, said.mem[0].new), (pair(r.1.old), pair(r.1.new)));
        }
        assert!(f.messages(rows.len()).is_empty());
        f
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn aligned_words_are_read_and_written(
            index in 1024u32..(1 << 27) - 1, t in 0u16..1 << 14, cell in any_word(), old in any_word(),
        ) {
            let a = index * 32 - u32::from(t);
            let last = u32::MAX - 63 - u32::from(t);
            check(&[row(op::LD, a, t, cell, old), row(op::ST, a, t, cell, old), row(op::LD, last, t, cell, old)]);
        }
    }

    #[test]
    fn no_single_wire_can_change() {
        let (cell, old) = (Word::new(1, 2), Word::new(3, 4));
        let mut f = check(&[row(op::LD, 0, 0, cell, old), row(op::ST, 32, 64, cell, old)]);
        for i in 0..3 {
            let (tried, rejected) = f.mutate(i, truth);
            assert!(rejected > 0 && tried > rejected);
        }
    }

    fn refused(a: Word, t: u16) {
        let (mut step, heap) = row(op::LD, 64, t, Word::ZERO, Word::ZERO);
        step.a.old = a;
        let f = Fixture::new(HeapChip, &[(step, heap)], 0);
        assert!(!f.failures(0).is_empty(), "{a:?} + {t}");
    }

    #[test]
    fn unaligned_and_far_addresses_have_no_row() {
        for lo in [1, 31, 33, (1 << 32) - 32, 1 << 32, 1 << 40, u128::MAX, u128::MAX - 31] {
            refused(Word::from(lo), 0);
        }
        refused(Word::from(32), 1);
        refused(Word::from((1 << 32) - 64), 32);
        refused(Word::new(1, 64), 0);
        // With this T the sum a.lo + T is 2^128: no wrap back to 0.
        refused(Word::from(u128::MAX - 31), 32);
    }
}
