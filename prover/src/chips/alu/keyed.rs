//! Steps made by hand for the tests of keyed chips, and their messages taken apart.
use crate::chips::testing::{Message, element, element_int};
use crate::circuit::check::MessageKey;
use crate::circuit::{MessageKind, Tag};
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::isa::Instruction;
use lathe_vm::trace::{Access, Effect, Regs, Step, space};

/// Clock of [`step`].
pub const CLOCK: u32 = 77;
/// Context of [`step`].
pub const CTX: u32 = 5;

/// A step of `opcode` with immediate `t` (class B) on the operands given.
pub fn step(opcode: u16, t: u16, [a, b, old, new]: [Word; 4], effect: Effect) -> Step {
    let i = Instruction { opcode, imm: 0, d: 3, a: 1, b: t };
    let regs = Regs { ctx: CTX, code: 1, pc: 9, fp: 100, jhead: 4, ..Regs::default() };
    let slot = |index: u32, k: u64, old: Word, new: Word| access(space::SLOT, CTX, index, k, old, new);
    Step {
        clock: CLOCK,
        regs,
        next: Regs { pc: 10, ..regs },
        word: i.encode(),
        a: slot(101, 1, a, a),
        b: slot(102, 2, b, b),
        d: slot(103, 3, old, new),
        effect,
    }
}

/// An access of [`step`]'s clock.
pub fn access(space: u8, ctx: u32, index: u32, k: u64, old: Word, new: Word) -> Access {
    Access { space, ctx, index, time: 16 * u64::from(CLOCK) + k, old_time: 33, old, new }
}

/// One memory access of a row.
pub struct Mem {
    /// Element 0.
    pub address: Fr,
    /// Value before.
    pub old: [Fr; 2],
    /// Value after.
    pub new: [Fr; 2],
    /// Time after, relative to `16 * clock`.
    pub k: Fr,
}

/// The messages of a keyed row: what it received, and its memory accesses in order.
pub struct Said {
    key: MessageKey,
    /// Accesses in order.
    pub mem: Vec<Mem>,
}

impl Said {
    /// `None` for a row that says nothing.
    ///
    /// # Panics
    /// If the messages are not one `Keyed` and pairs of `Mem` in order of time, each exactly once.
    pub fn of(messages: &[Message]) -> Option<Said> {
        if messages.is_empty() {
            return None;
        }
        assert!(messages.iter().all(|m| m.0 == MessageKind::Exact));
        let keyed: Vec<&Message> = messages.iter().filter(|m| m.1.0 == Tag::Keyed).collect();
        let [(_, key, m)] = keyed.as_slice() else { panic!("one Keyed: {messages:?}") };
        assert_eq!(*m, -Fr::ONE);
        let mem: Vec<&Message> = messages.iter().filter(|m| m.1.0 == Tag::Mem).collect();
        assert_eq!(mem.len() + 1, messages.len(), "nothing but Keyed and Mem");
        let start = element(key, 11) * Fr::from(16);
        let pair = |p: &[&Message]| {
            let [(_, before, minus), (_, after, plus)] = p else { panic!("accesses come in pairs") };
            assert_eq!((*minus, *plus, element(before, 0)), (-Fr::ONE, Fr::ONE, element(after, 0)));
            let k = element(after, 3) - start;
            let value = |m| [element(m, 1), element(m, 2)];
            Mem { address: element(after, 0), old: value(before), new: value(after), k }
        };
        Some(Said { key: key.clone(), mem: mem.chunks(2).map(pair).collect() })
    }

    /// An element.
    pub fn at(&self, power: u8) -> Fr {
        element(&self.key, power)
    }

    /// A word at `power` and `power + 1`, if both are halves.
    pub fn word(&self, power: u8) -> Option<Word> {
        Some(Word::new(element_int(&self.key, power + 1)?, element_int(&self.key, power)?))
    }

    /// The word written to `[d]`.
    pub fn result(&self) -> [Fr; 2] {
        [self.at(5), self.at(6)]
    }

    /// The opcode, if element 0 is nothing but an opcode; no jump and no change of registers are claimed.
    pub fn plain_opcode(&self) -> Option<u16> {
        let still = [7, 17, 18, 19, 20].iter().all(|p| self.at(*p) == Fr::ZERO);
        element_int(&self.key, 0).filter(|_| still).and_then(|o| u16::try_from(o).ok())
    }

    /// The packed address of a cell in the row's context (whatever the context element says).
    pub fn own(&self, space: u8, index: u64) -> Fr {
        let shift = crate::circuit::lc::pow2(32);
        Fr::from(u64::from(space)) * shift * shift + self.at(12) * shift + Fr::from(index)
    }
}

/// A word as two field elements.
pub fn pair(w: Word) -> [Fr; 2] {
    [crate::circuit::lc::fr_u128(w.lo), crate::circuit::lc::fr_u128(w.hi)]
}
