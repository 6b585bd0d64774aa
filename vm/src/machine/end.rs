//! Ends of contexts: by return, by revert, by an exceptional halt, by `selfdestruct`. Each hands a status and a window to
//! the caller, whose registers it restores; a failure first takes back the newest journal entry per step until the head
//! is where it was at the call.
use super::call::Open;
use super::far::Transfer;
use super::storage::{account, low_account};
use super::tracer::Tracer;
use super::watch::peek_bytes;
use super::world::StateRead;
use super::{CallStatus, Event, Halt, HaltKind, Machine, Operands, Window};
use crate::state::CellId;
use crate::trace::{Access, Effect, Flow, JournalEntry, Regs, StateAccess, mode, space};
use crate::word::Word;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `return a, b`.
    pub(super) fn ret(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
        let Some(open) = self.frames.last().copied() else { return self.end(s, next) };
        if self.regs.mode & mode::DEPLOY != 0 {
            return self.deployed(s, open, next);
        }
        self.leave(s, open, true, next)
    }

    /// `return` of a deploy page: the runtime page's hash becomes the code of the own address, which the caller's `[d]`
    /// receives.
    fn deployed(&mut self, s: &Operands<T::Stamp>, open: Open, next: &mut Regs) -> Result<(), Halt> {
        if s.b != Word::from(32) {
            return Err(HaltKind::DeployReturn.into());
        }
        let handed = self.heap_range(s.a, s.b)?.0;
        let mut bytes = Vec::with_capacity(32);
        self.read_bytes(handed, 7, &mut bytes)?;
        let hash = Word::from_first_bytes(&bytes).ok_or(HaltKind::DeployReturn)?;
        let own = self.register(2, 6)?.old;
        let (known, cell) = (CellId::known_code(hash), CellId::code_hash(account(own)?));
        let is_known = !self.world.peek(&known).is_zero();
        self.charge_cells(&[(known, None), (cell, Some(hash))][..1 + usize::from(is_known)])?;
        self.state(known, 8, None)?;
        if !is_known {
            return Err(HaltKind::UnknownCode.into());
        }
        let code = self.state(cell, 6, Some(hash))?;
        self.enter(code, next);
        self.succeed(open, own, handed, next)
    }

    /// `selfdestruct a`: the wei go to `a`, and the context ends with success. The account stays.
    pub(super) fn selfdestruct(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
        let open = self.frames.last().copied().ok_or(HaltKind::ContractOnly)?;
        self.changes_state()?;
        let own = self.register(2, 6)?.old;
        let (from, to) = (account(own)?, low_account(s.a));
        let all = self.world.peek(&CellId::balance(from));
        match all.is_zero() || from == to {
            true => {
                self.charge_cell(&CellId::balance(from), None)?;
                self.state(CellId::balance(from), 4, None)?;
            }
            false => {
                self.charge_cells(&self.planned_transfer(Transfer { from, to, value: all }))?;
                self.transfer(from, to, all, 4, next)?;
            }
        }
        let status = if self.regs.mode & mode::DEPLOY != 0 { own } else { Word::from(1) };
        self.succeed(open, status, self.nothing(), next)
    }

    /// An end with success and without a chip. A creation hands its caller no data.
    fn succeed(&mut self, open: Open, status: Word, handed: Window, next: &mut Regs) -> Result<(), Halt> {
        self.close(open, CallStatus::Success, status, handed, next)?;
        self.tracer.executed(Flow::End { frame: open.frame, success: true });
        Ok(())
    }

    /// The empty window that an end without data hands over.
    pub(super) fn nothing(&self) -> Window {
        Window { space: space::HEAP, ctx: self.regs.ctx, base: 0, length: 0 }
    }

    /// `revert a, b`: one undo, or, when nothing is left to undo, the end of the context.
    pub(super) fn revert(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
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

    /// A step of a called context that halts exceptionally: like `revert 0, 0`, the undo steps included. Its gas is gone,
    /// and without gas the same instruction halts again until everything is undone. Where gas is not counted no halt
    /// depends on a state cell but that of a deploy page's end, whose cell of known code is zero and was so before: what is
    /// known stays known.
    pub(super) fn halt(&mut self, kind: HaltKind, next: &mut Regs) -> Result<(), Halt> {
        let open = self.frames.last_mut().ok_or(kind)?;
        let kind = *open.halting.get_or_insert(kind);
        let open = *open;
        self.regs.gas = 0;
        if self.regs.jhead != open.frame.caller.jhead {
            let (entry, _) = self.undo(next)?;
            self.tracer.executed(Flow::Undo(entry));
            return Ok(());
        }
        // What the instruction has set or told before it halted does not count.
        *next = self.regs;
        self.close(open, CallStatus::Halted(kind), Word::ZERO, self.nothing(), next)?;
        self.tracer.executed(Flow::End { frame: open.frame, success: false });
        Ok(())
    }

    fn leave(
        &mut self,
        s: &Operands<T::Stamp>,
        open: Open,
        success: bool,
        next: &mut Regs,
    ) -> Result<(), Halt> {
        let (handed, astray) = self.heap_range(s.a, s.b)?;
        if astray {
            self.unproven(|| {
                format!("{} of an empty range beyond the heap", if success { "return" } else { "revert" })
            })?;
        }
        let status = if success { CallStatus::Success } else { CallStatus::Reverted };
        let [status, window] = self.close(open, status, Word::from(u128::from(success)), handed, next)?;
        let frame = open.frame;
        match astray {
            true => self.tracer.executed(Flow::End { frame, success }),
            false => self.tracer.effect(|| Effect::Return { frame, status, window }),
        }
        Ok(())
    }

    /// Ends the context: its status and what it hands back go to the caller, whose registers are restored.
    fn close(
        &mut self,
        open: Open,
        how: CallStatus,
        status: Word,
        handed: Window,
        next: &mut Regs,
    ) -> Result<[Access; 2], Halt> {
        let frame = open.frame;
        self.frames.pop();
        let success = how == CallStatus::Success;
        // On the EVM a creation that succeeds leaves no return data.
        let window = match success && self.regs.mode & mode::DEPLOY != 0 {
            true => self.nothing(),
            false => handed,
        };
        let written = self.access(space::SLOT, frame.caller.ctx, frame.dest, 4, Some(status))?;
        let window = self.access(space::REG, frame.caller.ctx, 1, 5, Some(window.pack()))?;
        // A context that halts has none left.
        let gas = self.regs.gas;
        *next = Regs { jhead: next.jhead, gas: frame.caller.gas.saturating_add(gas), ..frame.caller };
        if !success {
            // Behind those of the callers there are only logs of this context and of those below it.
            self.events.truncate(open.events);
        }
        self.tell_closed(frame.ctx, how, handed, gas);
        if self.frames.is_empty() {
            let output = peek_bytes(&self.mem, handed, self.limits.max_output_bytes);
            self.events.push(Event::CallEnd { status: how, output, steps: self.clock - frame.ctx, gas });
        }
        if !T::ACTIVE {
            self.forget(Window::unpack(window.new), Window::unpack(window.old));
        }
        Ok([written, window])
    }

    /// Makes room when the running context has handed over `now`, in place of the caller's return data `before`: no one
    /// else knows the data that either of the two had.
    fn forget(&mut self, now: Window, before: Window) {
        let ctx = self.regs.ctx;
        self.mem.forget(space::SLOT, ctx);
        let own = Window::unpack(self.mem.peek(space::REG, ctx, 1));
        if now.length == 0 {
            self.mem.forget(space::HEAP, ctx);
        }
        self.release(own);
        self.release(before);
    }

    /// Makes room when return data is no longer anyone's. An empty window may name a heap that lives.
    pub(super) fn release(&mut self, data: Window) {
        if data.length != 0 {
            self.mem.forget(space::HEAP, data.ctx);
        }
    }

    /// The kernel's return: three words, and registers that no step can continue from.
    fn end(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
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
        *next =
            Regs { ctx: u32::MAX, code: u32::MAX, pc: 0, fp: 0, jhead: self.regs.jhead, ..Regs::default() };
        Ok(())
    }
}
