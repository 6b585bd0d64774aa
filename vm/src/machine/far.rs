//! Calls between contracts: `call`, `staticcall`, `delegatecall`. The callee runs in a context of its own; a call that
//! cannot be made, or whose callee has no code, is done within the step.
use super::call::Open;
use super::storage::{account, low_account};
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, MAX_DEPTH, Machine, Operands, Window};
use crate::isa::{op, price};
use crate::precompile;
use crate::state::CellId;
use crate::system;
use crate::trace::{Flow, Frame, Regs, mode, space};
use crate::word::Word;

/// Wei that a call sends along.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    /// Caller.
    pub from: [u8; 20],
    /// Callee.
    pub to: [u8; 20],
    /// How many.
    pub value: Word,
}

/// What a new context finds in its registers.
pub(super) struct Surroundings {
    /// Calldata: part of the caller's heap.
    pub calldata: Window,
    /// Own address.
    pub address: Word,
    /// Caller.
    pub caller: Word,
    /// Wei.
    pub value: Word,
    /// Address of the code, if that is another's.
    pub code: Option<Word>,
    /// Bits of [`mode`].
    pub mode: u32,
    /// Gas, which the caller no longer has.
    pub gas: u32,
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `call d, a, b`, `staticcall`, `delegatecall`.
    pub(super) fn far_call(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
        let callee = low_account(s.a);
        let found = precompile::find(callee);
        if self.frames.is_empty() && found.is_none() {
            return Err(HaltKind::ContractOnly.into());
        }
        let block = u32::from(s.i.b);
        let len = self.slot(block + 1, 4)?.old;
        let calldata = self.heap_range(s.b, len)?.0;
        let asked = self.slot(block + 2, 5)?.old;
        let own = self.register(2, 6)?.old;
        let value = match s.i.opcode {
            op::CALL => self.slot(block + 3, 12)?.old,
            op::DELEGATECALL => self.register(4, 12)?.old,
            _ => Word::ZERO,
        };
        let sent = if s.i.opcode == op::CALL { value } else { Word::ZERO };
        if !sent.is_zero() {
            self.changes_state()?;
            // The kernel has no wei.
            if self.frames.is_empty() {
                return Err(HaltKind::ContractOnly.into());
            }
            self.charge(price::VALUE.into())?;
        }
        let stipend = if self.metered() && !sent.is_zero() { price::STIPEND } else { 0 };
        let wei = Transfer { from: account(own)?, to: callee, value: sent };
        if self.regs.depth >= MAX_DEPTH {
            self.give_back(stipend);
            return self.done(s, Word::ZERO, self.nothing());
        }
        if let Some(precompile) = found {
            return self.precompile(s, precompile, calldata, wei, (asked, stipend), next);
        }
        if let Some(service) = system::service(wei.from, callee) {
            self.give_back(stipend);
            return self.serve(s, service, calldata, wei.value, next);
        }
        let mut cells = self.planned_transfer(wei);
        let hash = CellId::code_hash(callee);
        if self.lacks(wei) {
            self.charge_cells(&cells)?;
        } else {
            cells.push((hash, None));
            self.charge_cells(&cells)?;
            self.charge_page(self.world.peek(&hash))?;
        }
        if !self.transfer(wei.from, wei.to, wei.value, 8, next)? {
            self.give_back(stipend);
            return self.done(s, Word::ZERO, self.nothing());
        }
        let code = self.state(hash, 7, None)?.old;
        if code.is_zero() {
            self.give_back(stipend);
            return self.done(s, Word::from(1), self.nothing());
        }
        let gas = if self.metered() { self.forward(asked) + stipend } else { 0 };
        let to = super::environment::address_word(callee);
        let mode = self.regs.mode & (mode::STATIC | mode::METERED);
        let surroundings = match s.i.opcode {
            op::DELEGATECALL => {
                let caller = self.register(3, 14)?.old;
                Surroundings { calldata, address: own, caller, value, code: Some(to), mode, gas }
            }
            op::CALL => Surroundings { calldata, address: to, caller: own, value, code: None, mode, gas },
            _ => {
                let mode = mode | mode::STATIC;
                Surroundings { calldata, address: to, caller: own, value, code: None, mode, gas }
            }
        };
        self.enter_context(s, code, surroundings, self.regs.jhead, next)
    }

    /// Opens a context that runs the page with this hash; a failure undoes down to `jhead`.
    pub(super) fn enter_context(
        &mut self,
        s: &Operands<T::Stamp>,
        code: Word,
        around: Surroundings,
        jhead: u32,
        next: &mut Regs,
    ) -> Result<(), Halt> {
        let page = self.page(code)?;
        let ctx = self.clock;
        self.mem.open(ctx);
        self.access(space::REG, ctx, 0, 8, Some(around.calldata.pack()))?;
        self.access(space::REG, ctx, 2, 9, Some(around.address))?;
        self.access(space::REG, ctx, 3, 10, Some(around.caller))?;
        self.access(space::REG, ctx, 4, 11, Some(around.value))?;
        if let Some(code) = around.code {
            self.access(space::REG, ctx, 5, 15, Some(code))?;
        }
        let dest = self.regs.fp + u32::from(s.i.d);
        let frame = Frame { ctx, caller: Regs { pc: self.regs.pc + 1, jhead, ..self.regs }, dest };
        self.frames.push(Open { frame, events: self.events.len(), halting: None });
        self.tracer.executed(Flow::Call(frame));
        let (mode, gas, depth) = (around.mode, around.gas, self.regs.depth + 1);
        *next = Regs { ctx, code: page, pc: 0, fp: 0, jhead: next.jhead, mode, depth, gas };
        self.tell_opened(*next);
        Ok(())
    }

    /// The end of a call or creation that opens no context: `[d]` and the return data.
    pub(super) fn done(
        &mut self,
        s: &Operands<T::Stamp>,
        status: Word,
        returned: Window,
    ) -> Result<(), Halt> {
        let window = self.access(space::REG, self.regs.ctx, 1, 10, Some(returned.pack()))?;
        if !T::ACTIVE {
            self.release(Window::unpack(window.old));
        }
        self.access(space::SLOT, self.regs.ctx, self.regs.fp + u32::from(s.i.d), 13, Some(status))?;
        self.tracer.executed(Flow::Stay);
        Ok(())
    }
}
