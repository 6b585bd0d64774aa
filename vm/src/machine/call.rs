//! Far calls and their ends: one frame is saved per call and restored once, by return or by revert.
//! A revert takes back the newest journal entry per step until the head is where it was at the call.
use super::storage::account;
use super::tracer::Tracer;
use super::world::StateRead;
use super::{CallStatus, Event, Halt, HaltKind, Machine, Operands, Window};
use crate::state::CellId;
use crate::trace::{Access, Effect, Flow, Frame, JournalEntry, Regs, StateAccess, space};
use crate::word::Word;
use std::sync::Arc;

/// `mimiccall`'s `imm`: calldata from the own calldata, not the own heap.
const CALL_CALLDATA: u16 = 1;
/// `mimiccall`'s `imm`: with value.
const CALL_VALUE: u16 = 2;
/// `mimiccall`'s `imm`: in deploy mode.
const CALL_DEPLOY: u16 = 4;

/// A called context that has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// What the call saved.
    pub frame: Frame,
    /// Events before it: its logs are behind them.
    events: usize,
    /// Its page is a deploy page.
    deploys: bool,
}

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
        let calldata = self.call_window(s, len.old, Window::unpack(window.old))?;
        // A constructor runs before its account has code, so its hash comes from the block.
        let deploys = s.i.imm & CALL_DEPLOY != 0;
        let code = match deploys {
            true => None,
            false => Some(self.state(CellId { kind: 3, address, slot: Word::ZERO }, 7, None)?),
        };
        let hash = match code {
            Some(cell) => cell.old,
            None => self.slot(block + 4, 14)?.old,
        };
        if hash.is_zero() {
            return Err(HaltKind::NoCode.into());
        }
        let page = self.page(hash)?;
        let callee = self.clock;
        self.mem.open(callee);
        let regs = [
            self.access(space::REG, callee, 0, 8, Some(calldata.pack()))?,
            self.access(space::REG, callee, 2, 9, Some(s.a))?,
            self.access(space::REG, callee, 3, 10, Some(caller.old))?,
        ];
        let dest = self.regs.fp + u32::from(s.i.d);
        let frame = Frame { ctx: callee, caller: Regs { ctx, pc: self.regs.pc + 1, ..self.regs }, dest };
        match code {
            Some(code) if s.i.imm & CALL_VALUE == 0 => {
                self.tracer.effect(|| Effect::Call { len, caller, window, code, regs, frame });
            }
            _ => self.flagged_call(s, callee, frame)?,
        }
        self.frames.push(Open { frame, events: self.events.len(), deploys });
        self.begin_transaction(caller.old);
        *next = Regs { ctx: callee, code: page, pc: 0, fp: 0, jhead: self.regs.jhead };
        Ok(())
    }

    /// The calldata of `mimiccall`: part of the own heap, or (imm bit 0) of the own calldata.
    fn call_window(&self, s: &Operands, len: Word, calldata: Window) -> Result<Window, Halt> {
        let (window, astray) = match s.i.imm {
            0..=7 if s.i.imm & CALL_CALLDATA == 0 => self.heap_range(s.b, len)?,
            0..=7 => self.part(calldata, s.b, len)?,
            _ => return Err(HaltKind::Mode.into()),
        };
        if astray { Err(HaltKind::MemoryRange.into()) } else { Ok(window) }
    }

    /// The rest of a `mimiccall` with value or in deploy mode: registers 4 and 5 of the new context.
    fn flagged_call(&mut self, s: &Operands, callee: u32, frame: Frame) -> Result<(), Halt> {
        if s.i.imm & CALL_VALUE != 0 {
            self.unproven(|| "mimiccall with value".into())?;
            let value = self.slot(u32::from(s.i.b) + 3, 12)?.old;
            self.access(space::REG, callee, 4, 11, Some(value))?;
        }
        if s.i.imm & CALL_DEPLOY != 0 {
            self.unproven(|| "mimiccall in deploy mode".into())?;
            self.access(space::REG, callee, 5, 13, Some(Word::from(1)))?;
        }
        self.tracer.executed(None, Flow::Call(frame));
        Ok(())
    }

    /// Until contracts call each other, every call is the kernel's and begins a transaction.
    fn begin_transaction(&mut self, origin: Word) {
        self.world.begin_transaction(self.clock);
        self.origin = origin;
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
        let Some(open) = self.frames.last().copied() else { return self.end(s, next) };
        if open.deploys {
            self.register(5, 6)?;
            if s.b != Word::from(32) {
                return Err(HaltKind::DeployReturn.into());
            }
        }
        self.leave(s, open, true, next)
    }

    /// `revert a, b`: one undo, or, when nothing is left to undo, the end of the context.
    pub(super) fn revert(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        let open = self.frames.last().copied().ok_or(Halt::KernelReverted)?;
        if self.regs.jhead == open.frame.caller.jhead {
            return self.leave(s, open, false, next);
        }
        let (entry, cell) = self.undo(next)?;
        self.tracer.effect(|| Effect::Undo { entry, cell });
        Ok(())
    }

    /// Takes back the newest journal entry; the machine stays at this instruction.
    fn undo(&mut self, next: &mut Regs) -> Result<(JournalEntry, StateAccess), Halt> {
        // The head differs from the call's, so an entry made since the call is on top.
        let entry = self.journal.pop().ok_or(HaltKind::MemoryRange)?;
        let cell = self.state(entry.cell, 4, Some(entry.old))?;
        *next = Regs { jhead: entry.prev, ..self.regs };
        Ok((entry, cell))
    }

    /// A step of a called context that halts exceptionally: like `revert 0, 0`, the undo steps included. No halt
    /// depends on a state cell, so the same instruction halts again until everything is undone.
    pub(super) fn halt(&mut self, kind: HaltKind, next: &mut Regs) -> Result<(), Halt> {
        let open = self.frames.last().copied().ok_or(kind)?;
        if self.regs.jhead != open.frame.caller.jhead {
            let (entry, _) = self.undo(next)?;
            self.tracer.executed(None, Flow::Undo(entry));
            return Ok(());
        }
        let nothing = Window { space: space::HEAP, ctx: self.regs.ctx, base: 0, length: 0 };
        self.close(open, CallStatus::Halted(kind), nothing, next)?;
        self.tracer.executed(None, Flow::End { frame: open.frame, success: false });
        Ok(())
    }

    fn leave(&mut self, s: &Operands, open: Open, success: bool, next: &mut Regs) -> Result<(), Halt> {
        let (handed, astray) = self.heap_range(s.a, s.b)?;
        if astray {
            self.unproven(|| {
                format!("{} of an empty range beyond the heap", if success { "return" } else { "revert" })
            })?;
        }
        let status = if success { CallStatus::Success } else { CallStatus::Reverted };
        let [status, window] = self.close(open, status, handed, next)?;
        let frame = open.frame;
        match astray || open.deploys {
            true => self.tracer.executed(None, Flow::End { frame, success }),
            false => self.tracer.effect(|| Effect::Return { frame, status, window }),
        }
        Ok(())
    }

    /// Ends the context: its status and what it hands back go to the caller, whose registers are restored.
    fn close(
        &mut self,
        open: Open,
        status: CallStatus,
        handed: Window,
        next: &mut Regs,
    ) -> Result<[Access; 2], Halt> {
        let frame = open.frame;
        self.frames.pop();
        let success = status == CallStatus::Success;
        let word = Word::from(u128::from(success));
        let written = self.access(space::SLOT, frame.caller.ctx, frame.dest, 4, Some(word))?;
        let window = self.access(space::REG, frame.caller.ctx, 1, 5, Some(handed.pack()))?;
        *next = Regs { jhead: self.regs.jhead, ..frame.caller };
        if !success {
            let mut place = 0..;
            self.events.retain(|e| place.next() < Some(open.events) || !matches!(e, Event::Log(_)));
        }
        let output = self.output(handed);
        self.events.push(Event::CallEnd { status, output, steps: self.clock - frame.ctx });
        Ok([written, window])
    }

    fn output(&self, w: Window) -> Vec<u8> {
        let want = (w.length as usize).min(self.limits.max_output_bytes);
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
        let source = self.heap_range(s.a, s.b)?.0;
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
