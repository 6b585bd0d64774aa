//! The kernel's calls, and what every call does: one frame is saved and restored once, when the context ends.
use super::storage::account;
use super::tracer::Tracer;
use super::window::small;
use super::world::StateRead;
use super::{CallStatus, Halt, HaltKind, Machine, Operands, Window};
use crate::state::CellId;
use crate::trace::{Effect, Flow, Frame, Page, Regs, mode, space};
use crate::word::Word;
use std::sync::Arc;

/// `mimiccall`'s `imm`: calldata from the own calldata, not the own heap.
const CALL_CALLDATA: u16 = 1;
/// `mimiccall`'s `imm`: with value.
const CALL_VALUE: u16 = 2;
/// `mimiccall`'s `imm`: in deploy mode.
const CALL_DEPLOY: u16 = 4;
/// `mimiccall`'s `imm`: with gas, origin and gas price.
const CALL_METERED: u16 = 8;
/// `mimiccall`'s `imm`: the transaction that the call before began goes on.
const CALL_SAME: u16 = 16;
/// `mimiccall`'s `imm`: in a static context.
const CALL_STATIC: u16 = 32;
/// Those that have a chip.
const CALL_PROVEN: u16 = CALL_CALLDATA;

/// A called context that has not ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// What the call saved.
    pub frame: Frame,
    /// Events before it: its logs are behind them.
    pub events: usize,
    /// Why it is halting, if it is: its steps take writes back.
    pub halting: Option<HaltKind>,
}

/// Registers of context 0 that `txvalue` reads in a metered context.
pub(super) const ORIGIN: u32 = 6;
pub(super) const GAS_PRICE: u32 = 7;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// Opens a context for the callee; its id is the clock.
    pub(super) fn mimiccall(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
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
        if deploys {
            self.unproven(|| "mimiccall in deploy mode".into())?;
        }
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
        self.begin_transaction(s, caller.old);
        let mut gas = 0;
        let metered = s.i.imm & CALL_METERED != 0;
        if metered {
            // What a first run costs comes off the callee's gas; a page that cannot be paid does not run.
            let given = self.transaction_values(block)?;
            self.regs.gas = 0;
            let left = u64::from(given).checked_sub(self.page_price(hash));
            let Some(left) = left else {
                self.tell(CallStatus::Halted(HaltKind::OutOfGas), &[], 0);
                return self.done(s, Word::ZERO, self.nothing());
            };
            gas = left as u32;
        }
        let callee = self.clock;
        self.mem.open(callee);
        let regs = [
            self.access(space::REG, callee, 0, 8, Some(calldata.pack()))?,
            self.access(space::REG, callee, 2, 9, Some(s.a))?,
            self.access(space::REG, callee, 3, 10, Some(caller.old))?,
        ];
        let dest = self.regs.fp + u32::from(s.i.d);
        let page = self.page(hash)?;
        let flag = |on: bool, bit: u32| if on { bit } else { 0 };
        let mode = flag(deploys, mode::DEPLOY)
            | flag(s.i.imm & CALL_STATIC != 0, mode::STATIC)
            | flag(metered, mode::METERED);
        let frame = Frame { ctx: callee, caller: Regs { ctx, pc: self.regs.pc + 1, ..self.regs }, dest };
        match code {
            Some(code) if s.i.imm & !CALL_PROVEN == 0 => {
                self.tracer.effect(|| Effect::Call { len, caller, window, code, regs, frame });
            }
            _ => self.flagged_call(s, callee, frame)?,
        }
        *next = Regs { ctx: callee, code: page, pc: 0, fp: 0, mode, gas, ..self.regs };
        self.tell_opened(*next);
        self.frames.push(Open { frame, events: self.events.len(), halting: None });
        Ok(())
    }

    /// Gas, origin and gas price of a metered call: the last two become registers 6 and 7 of context 0.
    fn transaction_values(&mut self, block: u32) -> Result<u32, Halt> {
        self.unproven(|| "mimiccall with gas or other flags".into())?;
        let gas = self.slot(block + 5, 7)?.old;
        let origin = self.slot(block + 6, 8)?.old;
        let price = self.slot(block + 7, 9)?.old;
        account(origin)?;
        self.access(space::REG, 0, ORIGIN, 11, Some(origin))?;
        self.access(space::REG, 0, GAS_PRICE, 12, Some(price))?;
        Ok(small(gas)?)
    }

    /// The calldata of `mimiccall`: part of the own heap, or (imm bit 0) of the own calldata.
    fn call_window(&self, s: &Operands<T::Stamp>, len: Word, calldata: Window) -> Result<Window, Halt> {
        let (window, astray) = match s.i.imm {
            0..=63 if s.i.imm & CALL_CALLDATA == 0 => self.heap_range(s.b, len)?,
            0..=63 => self.part(calldata, s.b, len)?,
            _ => return Err(HaltKind::Mode.into()),
        };
        if astray { Err(HaltKind::MemoryRange.into()) } else { Ok(window) }
    }

    /// The rest of a `mimiccall` with value or in deploy mode: register 4 of the new context.
    fn flagged_call(&mut self, s: &Operands<T::Stamp>, callee: u32, frame: Frame) -> Result<(), Halt> {
        if s.i.imm & CALL_VALUE != 0 {
            self.unproven(|| "mimiccall with value".into())?;
            let value = self.slot(u32::from(s.i.b) + 3, 12)?.old;
            self.access(space::REG, callee, 4, 11, Some(value))?;
        }
        self.unproven(|| "mimiccall with gas or other flags".into())?;
        self.tracer.executed(Flow::Call(frame));
        Ok(())
    }

    /// Every call of the kernel begins a transaction, unless it says that it goes on with the one before.
    fn begin_transaction(&mut self, s: &Operands<T::Stamp>, origin: Word) {
        if s.i.imm & CALL_SAME == 0 {
            self.world.begin_transaction(self.clock);
        }
        self.origin = origin;
    }

    /// The page with this hash: of the store, made known by this batch, or the kernel's.
    pub(super) fn code(&self, hash: Word) -> Option<&Arc<Page>> {
        let kernel = || self.pages.first().filter(|page| page.hash_word() == hash);
        self.codes.get(hash).or_else(|| self.hashed_pages.get(&hash)).or_else(kernel)
    }

    /// The page with this hash, if it has not run in this batch.
    pub(super) fn fresh_code(&self, hash: Word) -> Option<&Arc<Page>> {
        match self.numbers.contains_key(&hash) {
            true => None,
            false => self.code(hash).filter(|page| !self.is_kernel(page)),
        }
    }

    fn is_kernel(&self, page: &Page) -> bool {
        self.pages.first().is_some_and(|kernel| kernel.hash == page.hash)
    }

    /// The number of the page with this hash, in order of first call; the kernel's is 0.
    pub(super) fn page(&mut self, hash: Word) -> Result<u32, Halt> {
        if let Some(number) = self.numbers.get(&hash) {
            return Ok(*number);
        }
        let page = Arc::clone(self.code(hash).ok_or(Halt::CodeMissing(hash))?);
        let mut number = 0;
        if !self.is_kernel(&page) {
            number = self.pages.len() as u32;
            self.pages.push(page);
        }
        self.numbers.insert(hash, number);
        Ok(number)
    }
}
