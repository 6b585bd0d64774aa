//! Stretches of steps that only compute or jump: most of what programs do. Such a step touches the slots of one frame, `pc`
//! and gas and nothing else, so these are at hand until a step does more, halts or leaves the page.
use super::control;
pub(crate) use super::control::Went;
use super::gas::{charge, pay};
use super::memory::Slots;
use super::tracer::{Operands, Stamp, Tracer};
use super::world::StateRead;
use super::{Halt, HaltKind, Limits, Machine, alu};
use crate::isa::{Family, Instruction, Status, find, name_of, op, price, traits};
use crate::trace::{Page, Regs, mode};
use crate::word::Word;
use std::sync::Arc;

/// A point of a run, as far as computing and jumping are concerned.
pub(crate) struct Point<'a> {
    words: &'a [u64],
    /// The last status that runs.
    most: Status,
    metered: bool,
    clock: u32,
    pc: u32,
    /// What is left.
    pub gas: u32,
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// Steps up to and with the first that does more than compute or jump, or up to a look at the limits.
    #[inline(always)]
    pub(super) fn stretch(&mut self) -> Result<(), Halt> {
        if self.clock >= self.check_at {
            self.check_limits()?;
        }
        let check_at = self.check_at;
        let mut at = Point::new(&self.pages, most(&self.limits), &self.regs, self.clock);
        let (regs, tracer) = (&self.regs, &mut self.tracer);
        let mut slots = self.mem.slots(regs.ctx).ok_or(HaltKind::MemoryRange)?;
        let cells = slots.first();
        loop {
            if at.clock >= check_at {
                at.leave(&mut self.regs, &mut self.clock);
                return Ok(());
            }
            let Some(word) = at.word() else {
                at.leave(&mut self.regs, &mut self.clock);
                return self.step_outside();
            };
            let [a, b, d] = indices(word, regs.fp).map(|index| index as usize);
            if a >= cells.len() || b >= cells.len() || d >= cells.len() {
                at.leave(&mut self.regs, &mut self.clock);
                return self.step_far(word);
            }
            at.clock += 1;
            let time = 16 * u64::from(at.clock);
            let before = [cells[a].read(time + 1), cells[b].read(time + 2), cells[d].read(time + 3)];
            let gas = at.gas;
            let done = at.step(word, || cells[a].value, || cells[b].value, || cells[d].value);
            // Made in each branch, or they would be in memory in both.
            let s = || Operands {
                i: Instruction::decode(word),
                a: cells[a].value,
                b: cells[b].value,
                old: cells[d].value,
                before,
            };
            let then = || Regs { pc: at.pc, gas, ..*regs };
            let Went { pc, result } = match done {
                Ok(went) => went,
                Err(what) => {
                    let (s, then) = (s(), then());
                    at.leave(&mut self.regs, &mut self.clock);
                    return self.more(&s, then, what);
                }
            };
            tracer.plain(&then(), &Regs { pc, gas: at.gas, ..*regs }, &s(), result);
            if let Some(value) = result {
                cells[d].value = value;
            }
            at.pc = pc;
        }
    }

    /// A step that does more than compute or jump, or that halts before it does.
    #[inline(always)]
    fn more(&mut self, s: &Operands<T::Stamp>, then: Regs, what: Result<Family, Halt>) -> Result<(), Halt> {
        match what {
            Ok(family) => self.keyed(s, then, family),
            Err(halt) => self.halted(s, then, halt),
        }
    }

    /// One step whose slots lie anywhere.
    #[cold]
    fn step_far(&mut self, word: u64) -> Result<(), Halt> {
        self.clock += 1;
        let then = self.regs;
        let mut slots = self.mem.slots(then.ctx).ok_or(HaltKind::MemoryRange)?;
        let s = operands(&mut slots, word, then.fp, self.clock);
        let mut at = Point::new(&self.pages, most(&self.limits), &then, self.clock);
        let done = at.step(word, || s.a, || s.b, || s.old);
        self.regs.gas = at.gas;
        match done {
            Ok(Went { pc, result }) => {
                self.regs.pc = pc;
                self.tracer.plain(&then, &self.regs, &s, result);
                if let Some(value) = result {
                    slots.cell(indices(word, then.fp)[2]).value = value;
                }
                Ok(())
            }
            Err(what) => self.more(&s, then, what),
        }
    }

    /// A step beyond the page, where a called context reads zero and halts.
    #[cold]
    fn step_outside(&mut self) -> Result<(), Halt> {
        let halt = Halt::from(HaltKind::PcOutsidePage);
        if !self.outlives_halts() {
            return Err(halt);
        }
        self.clock += 1;
        let mut slots = self.mem.slots(self.regs.ctx).ok_or(HaltKind::MemoryRange)?;
        let s = operands(&mut slots, 0, self.regs.fp, self.clock);
        self.more(&s, self.regs, Err(halt))
    }
}

/// The last status that runs.
fn most(limits: &Limits) -> Status {
    if limits.unproven { Status::Executed } else { Status::Live }
}

/// Reads the operands of a step; unlike other accesses they are told with the step itself.
#[inline(always)]
pub(crate) fn operands<S: Stamp>(slots: &mut Slots<S>, word: u64, fp: u32, clock: u32) -> Operands<S> {
    let time = 16 * u64::from(clock);
    let mut read = |index: u32, k: u64| {
        let cell = slots.cell(index);
        (cell.value, cell.read(time + k))
    };
    let [a, b, d] = indices(word, fp);
    let ((a, of_a), (b, of_b), (old, of_d)) = (read(a, 1), read(b, 2), read(d, 3));
    Operands { i: Instruction::decode(word), a, b, old, before: [of_a, of_b, of_d] }
}

/// The slots of an instruction's operands `a`, `b`, `d`.
#[inline(always)]
pub(crate) fn indices(word: u64, fp: u32) -> [u32; 3] {
    // Frames begin below 2^20, and a field has fourteen bits.
    traits(opcode(word)).slots(word).map(|offset| fp.wrapping_add(offset.into()))
}

/// The opcode of an instruction word.
#[inline(always)]
fn opcode(word: u64) -> u16 {
    Instruction::decode(word).opcode
}

impl<'p> Point<'p> {
    #[inline(always)]
    pub(crate) fn new(pages: &'p [Arc<Page>], most: Status, regs: &Regs, clock: u32) -> Point<'p> {
        Point {
            words: pages.get(regs.code as usize).map_or(&[], |page| &page.words),
            most,
            metered: regs.mode & mode::METERED != 0,
            clock,
            pc: regs.pc,
            gas: regs.gas,
        }
    }

    /// The word there, if the page goes that far.
    #[inline(always)]
    pub(crate) fn word(&self) -> Option<u64> {
        self.words.get(self.pc as usize).copied()
    }

    /// Puts back what has changed.
    #[inline(always)]
    fn leave(&self, regs: &mut Regs, clock: &mut u32) {
        (regs.pc, regs.gas, *clock) = (self.pc, self.gas, self.clock);
    }

    /// Pays for an instruction and computes or jumps; if it does more, answers its family.
    #[inline(always)]
    pub(crate) fn step(
        &mut self,
        word: u64,
        a: impl Fn() -> Word,
        b: impl Fn() -> Word,
        old: impl Fn() -> Word,
    ) -> Result<Went, Result<Family, Halt>> {
        let (i, t) = (Instruction::decode(word), traits(opcode(word)));
        if t.status > self.most || t.is_stray(word) {
            return Err(Err(refusal(word)));
        }
        let halted = |kind: HaltKind| Err(kind.into());
        if !pay(&mut self.gas, self.metered, t.price) {
            return Err(halted(HaltKind::OutOfGas));
        }
        match t.family {
            Family::Alu => {
                let value = self.compute(i, a, b, old).map_err(halted)?;
                Ok(Went { pc: self.pc + 1, result: Some(value) })
            }
            Family::Control => control::run(i, a, b, self.pc, self.words.len()).map_err(halted),
            more => Err(Ok(more)),
        }
    }

    /// The result of an instruction of the family [`Family::Alu`].
    #[inline(always)]
    fn compute(
        &mut self,
        i: Instruction,
        a: impl Fn() -> Word,
        b: impl Fn() -> Word,
        old: impl Fn() -> Word,
    ) -> Result<Word, HaltKind> {
        match i.opcode {
            op::CONST => return self.constant(i.t()),
            op::EXP => charge(&mut self.gas, self.metered, price::exp(b().bits()))?,
            _ => {}
        }
        alu::eval(i, a, b, old)
    }

    /// A constant of the page.
    fn constant(&self, index: u64) -> Result<Word, HaltKind> {
        let first = index as usize * 4;
        let w = self.words.get(first..first + 4).ok_or(HaltKind::ConstantOutsidePage)?;
        let half = |lo: u64, hi: u64| u128::from(hi) << 64 | u128::from(lo);
        Ok(Word::new(half(w[2], w[3]), half(w[0], w[1])))
    }
}

/// What an instruction that does not run stops the machine with.
#[cold]
fn refusal(word: u64) -> Halt {
    let i = Instruction::decode(word);
    match find(i.opcode) {
        Some(op) if op.status != Status::Reserved && i.imm != 0 && !op.uses_imm() => {
            HaltKind::InvalidOpcode.into()
        }
        _ => name_of(i.opcode).map_or(HaltKind::InvalidOpcode.into(), Halt::NotYetProvable),
    }
}
