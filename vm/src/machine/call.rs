//! Far calls and their ends: one frame is saved per call and restored once, by return or by revert.
//! A revert takes back the newest journal entry per step until the head is where it was at the call.
use super::storage::account;
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Event, Halt, HaltKind, MAX_OUTPUT, Machine, Operands, Window};
use crate::state::CellId;
use crate::trace::{Effect, Frame, Regs, space};
use crate::word::Word;
use std::sync::Arc;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// Opens a context for the callee; its id is the clock.
    pub(super) fn mimiccall(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        if self.regs.ctx != 0 {
            return Err(HaltKind::KernelOnly.into());
        }
        let address = account(s.a)?;
        let (ctx, block) = (self.regs.ctx, u32::from(s.i.b));
        let len = self.slot(block + 1, 4)?;
        let caller = self.slot(block + 2, 5)?;
        account(caller.old)?;
        let window = self.register(0, 6)?;
        let calldata = self.window(s.i.imm, s.b, len.old, Window::unpack(window.old))?;
        let code = self.state(CellId { kind: 3, address, slot: Word::ZERO }, 7, None)?;
        if code.old.is_zero() {
            return Err(HaltKind::NoCode.into());
        }
        let page = self.page(code.old)?;
        let callee = self.clock;
        self.mem.open(callee);
        let regs = [
            self.access(space::REG, callee, 0, 8, Some(calldata.pack()))?,
            self.access(space::REG, callee, 2, 9, Some(s.a))?,
            self.access(space::REG, callee, 3, 10, Some(caller.old))?,
        ];
        let dest = self.regs.fp + u32::from(s.i.d);
        let frame = Frame { ctx: callee, caller: Regs { ctx, pc: self.regs.pc + 1, ..self.regs }, dest };
        self.frames.push(frame);
        self.tracer.effect(|| Effect::Call { len, caller, window, code, regs, frame });
        *next = Regs { ctx: callee, code: page, pc: 0, fp: 0, jhead: self.regs.jhead };
        Ok(())
    }

    /// The number of the page with this hash, in order of first call.
    fn page(&mut self, hash: Word) -> Result<u32, Halt> {
        if let Some(number) = self.numbers.get(&hash) {
            return Ok(*number);
        }
        let page = self.codes.get(hash).ok_or(Halt::CodeMissing(hash))?;
        let number = self.pages.len() as u32;
        self.pages.push(Arc::clone(page));
        self.numbers.insert(hash, number);
        Ok(number)
    }

    /// `return a, b`.
    pub(super) fn ret(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        match self.frames.last().copied() {
            Some(frame) => self.leave(s, frame, true, next),
            None => self.end(s, next),
        }
    }

    /// `revert a, b`: one undo, or, when nothing is left to undo, the end of the context.
    pub(super) fn revert(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        let frame = self.frames.last().copied().ok_or(Halt::KernelReverted)?;
        if self.regs.jhead == frame.caller.jhead {
            return self.leave(s, frame, false, next);
        }
        // The head differs from the call's, so an entry made since the call is on top.
        let entry = self.journal.pop().ok_or(HaltKind::MemoryRange)?;
        let cell = self.state(entry.cell, 4, Some(entry.old))?;
        self.tracer.effect(|| Effect::Undo { entry, cell });
        *next = Regs { jhead: entry.prev, ..self.regs };
        Ok(())
    }

    fn leave(&mut self, s: &Operands, frame: Frame, success: bool, next: &mut Regs) -> Result<(), Halt> {
        let handed = self.window(0, s.a, s.b, Window::unpack(Word::ZERO))?;
        self.frames.pop();
        let status = Word::from(u128::from(success));
        let status = self.access(space::SLOT, frame.caller.ctx, frame.dest, 4, Some(status))?;
        let window = self.access(space::REG, frame.caller.ctx, 1, 5, Some(handed.pack()))?;
        self.tracer.effect(|| Effect::Return { frame, status, window });
        *next = Regs { jhead: self.regs.jhead, ..frame.caller };
        let output = self.output(handed);
        self.events.push(Event::CallEnd { success, output });
        Ok(())
    }

    fn output(&mut self, w: Window) -> Vec<u8> {
        let want = (w.length as usize).min(MAX_OUTPUT);
        let skip = w.base as usize % 32;
        let mut bytes = Vec::with_capacity(want + 64);
        for j in 0..(skip + want).div_ceil(32) as u32 {
            bytes.extend_from_slice(&self.mem.peek(w.space, w.ctx, w.base / 32 + j).to_be_bytes());
        }
        bytes.truncate(skip + want);
        bytes.split_off(skip)
    }

    /// The kernel's return: three words, and registers that no step can continue from.
    fn end(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        if s.b != Word::from(96) {
            return Err(HaltKind::FinalReturn.into());
        }
        let source = self.window(0, s.a, s.b, Window::unpack(Word::ZERO))?;
        if source.base % 32 != 0 {
            return Err(HaltKind::Unaligned.into());
        }
        let first = source.base / 32;
        let word = |m: &mut Self, j: u32| m.access(space::HEAP, 0, first + j, 4 + u64::from(j), None);
        let words = [word(self, 0)?, word(self, 1)?, word(self, 2)?];
        self.tracer.effect(|| Effect::Final(words));
        self.result = Some(words.map(|w| w.old));
        *next = Regs { ctx: u32::MAX, code: u32::MAX, pc: 0, fp: 0, jhead: self.regs.jhead };
        Ok(())
    }
}
