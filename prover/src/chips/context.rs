//! `cdsize`, `caller`, `address`: what the running context's registers say.
//! The calldata window is split here with every part range-checked: parts of a packed word are worth nothing otherwise.
use super::alu::Choice;
use super::gadgets::{WordCom, address, checked_uint, mem_read};
use super::message::Keyed;
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, RowBuilder};
use crate::input::ProverInput;
use lathe_vm::isa::{Instruction, op};
use lathe_vm::trace::{Access, Effect, Step, space};

/// The opcodes this chip proves.
pub const OPCODES: [u16; 3] = [op::CDSIZE, op::CALLER, op::ADDRESS];

/// The parts of a window (`docs/isa.md`).
pub struct WindowCom {
    /// `space * 2^32 + ctx`, below 2^36.
    pub prefix: Com,
    /// First byte, below 2^32.
    pub base: Com,
    /// Length in bytes, below 2^32.
    pub len: Com,
}

impl WindowCom {
    /// Commits the parts of `lo`, the low half of a window, each range-checked while `on`. 8 constraints.
    pub fn split(b: &mut RowBuilder<'_>, on: &Com, lo: u128) -> WindowCom {
        let part = |at: u32, bits: u32| lo >> at & ((1 << bits) - 1);
        WindowCom {
            prefix: checked_uint(b, on, part(64, 36), 36),
            base: checked_uint(b, on, part(32, 32), 32),
            len: checked_uint(b, on, part(0, 32), 32),
        }
    }

    /// `prefix * 2^64 + base * 2^32 + length`: determines the parts, since these are in range.
    pub fn packed(&self) -> Com {
        &self.prefix * pow2(64) + &self.base * pow2(32) + &self.len
    }
}

/// See the module.
pub struct ContextChip;

impl Chip for ContextChip {
    type Row = (Step, Access);

    fn name(&self) -> &'static str {
        "context"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<Self::Row>, AssignError> {
        let row = |s: Step| match s.effect {
            Effect::Context(access) => Some((s, access)),
            _ => None,
        };
        Ok(input.trace.steps.iter().filter_map(row).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&Self::Row>) {
        let step = row.map(|r| &r.0);
        let opcode = step.map(|s| Instruction::decode(s.word).opcode);
        let choice = Choice::keyed(b, &OPCODES, opcode);
        let mut m = Keyed::receive_operands(b, step, false);
        m.alu.op = choice.op.clone();

        let size = choice.any(&[op::CDSIZE]);
        let index = choice.any(&[op::CALLER]) * 3u64 + choice.any(&[op::ADDRESS]) * 2u64;
        let register = address(space::REG, &m.regs.ctx, &index);
        let value = mem_read(b, &choice.on, &register, &m.time(4), row.map(|r| &r.1));

        let window = row.filter(|_| opcode == Some(op::CDSIZE)).map_or(0, |r| r.1.old.lo);
        let window = WindowCom::split(b, &size, window);
        b.enforce("cdsize * (window - value.lo) = 0", &size, window.packed() - &value.lo, 0u64);
        // new = value, or the length
        let lo = b.product_committed("cdsize * (length - value.lo)", &size, &window.len - &value.lo);
        let hi = b.product_committed("cdsize * value.hi", &size, &value.hi);
        m.alu.new = WordCom { lo: &value.lo + lo, hi: &value.hi - hi };
        m.receive(b, &choice.on);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chips::alu::keyed::{CTX, Said, access, pair, step};
    use crate::chips::alu::oracle::any_word;
    use crate::chips::testing::{Fixture, Message};
    use crate::circuit::Tag;
    use crate::circuit::lc::halves;
    use ff::Field;
    use halo2curves::bn256::Fr;
    use lathe_vm::Word;
    use proptest::prelude::*;

    fn truth(messages: &[Message]) -> bool {
        let Some(said) = Said::of(messages) else { return true };
        let [mem] = said.mem.as_slice() else { return false };
        let length = Fr::from(halves(mem.old[0]).0 as u32 as u64);
        let (index, new) = match said.plain_opcode() {
            // A window's low half is below 2^100 by its maker.
            Some(op::CDSIZE) if halves(mem.old[0]).1 != 0 || halves(mem.old[0]).0 >> 100 != 0 => return true,
            Some(op::CDSIZE) => (0, [length, Fr::ZERO]),
            Some(op::ADDRESS) => (2, mem.old),
            Some(op::CALLER) => (3, mem.old),
            _ => return false,
        };
        mem.address == said.own(space::REG, index)
            && mem.k == Fr::from(4)
            && (mem.new, said.result()) == (mem.old, new)
            && said.at(8) == Fr::ZERO
    }

    fn row(opcode: u16, value: Word) -> (Step, Access) {
        let (index, new) = match opcode {
            op::CDSIZE => (0, Word::from(u128::from(value.lo as u32))),
            op::ADDRESS => (2, value),
            _ => (3, value),
        };
        let read = access(space::REG, CTX, index, 4, value, value);
        (step(opcode, 0, [Word::from(1), Word::from(2), Word::from(3), new], Effect::Context(read)), read)
    }

    fn window(prefix: u64, base: u32, len: u32) -> Word {
        Word::from(u128::from(prefix) << 64 | u128::from(base) << 32 | u128::from(len))
    }

    fn check(rows: &[(Step, Access)]) -> Fixture {
        let f = Fixture::new(ContextChip, rows, 1);
        f.assert_satisfied();
        for (i, r) in rows.iter().enumerate() {
            let messages = f.messages(i);
            assert!(truth(&messages), "{messages:?}");
            assert_eq!(Said::of(&messages).expect("a used row speaks").result(), pair(r.0.d.new));
        }
        assert!(f.messages(rows.len()).is_empty());
        f
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn registers_are_handed_out(v in any_word(), prefix in 0u64..1 << 36, base: u32, len: u32) {
            check(&[row(op::CALLER, v), row(op::ADDRESS, v), row(op::CDSIZE, window(prefix, base, len))]);
        }
    }

    #[test]
    fn no_single_wire_can_change() {
        let v = Word::new(7, u128::MAX);
        let mut f =
            check(&[row(op::CALLER, v), row(op::ADDRESS, v), row(op::CDSIZE, window(1 << 35, 9, u32::MAX))]);
        for i in 0..4 {
            let (tried, rejected) = f.mutate(i, truth);
            assert!(rejected > 0 && tried > rejected);
        }
    }

    #[test]
    fn a_window_cannot_be_split_another_way() {
        // The row's last eight lookups: prefix four, base two, length two.
        for (from, to) in [(0, 4), (4, 6)] {
            let mut f = check(&[row(op::CDSIZE, window(5, 6, 7))]);
            let all = f.block.templates[1].fractions.iter().filter(|x| x.tag == Tag::Range16).count();
            let first = all - 8;
            let (high, low) =
                (f.lookup_wire(Tag::Range16, first + from), f.lookup_wire(Tag::Range16, first + to));
            f.change(0, &[(high, -Fr::ONE), (low, Fr::from(1u64 << 32))]);
            let bad = f.failures(0);
            assert!(bad.len() == 1 && bad[0].contains("lookup"), "{bad:?}");
        }
    }
}
