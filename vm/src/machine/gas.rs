//! Gas: what a step takes from its context, what a callee gets, what comes back. Everything that a step will cost is
//! taken before the step changes anything, so that a step that cannot be paid has done nothing.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{HaltKind, Machine};
use crate::isa::price;
use crate::state::{CellId, kind};
use crate::trace::mode;
use crate::word::Word;

/// A state cell that a step is about to access: the value that it writes, if it does.
pub(super) type Planned = (CellId, Option<Word>);

/// Takes a price if the context is metered and has as much; false if it has not.
#[inline(always)]
pub(super) fn pay(gas: &mut u32, metered: bool, price: u32) -> bool {
    let due = if metered { price } else { 0 };
    let (left, short) = gas.overflowing_sub(due);
    if !short {
        *gas = left;
    }
    !short
}

/// Takes a price that depends on operands.
pub(super) fn charge(gas: &mut u32, metered: bool, price: u64) -> Result<(), HaltKind> {
    // More than any context can have is as good as the most.
    let price = u32::try_from(price).unwrap_or(u32::MAX);
    if pay(gas, metered, price) { Ok(()) } else { Err(HaltKind::OutOfGas) }
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// True if the running context pays.
    pub(super) fn metered(&self) -> bool {
        self.regs.mode & mode::METERED != 0
    }

    /// [`charge`] to the running context.
    pub(super) fn charge(&mut self, price: u64) -> Result<(), HaltKind> {
        let metered = self.metered();
        charge(&mut self.regs.gas, metered, price)
    }

    /// Takes the price of a cell that the step will access, and no other.
    #[inline(always)]
    pub(super) fn charge_cell(&mut self, cell: &CellId, new: Option<Word>) -> Result<(), HaltKind> {
        if !self.metered() {
            return Ok(());
        }
        let (old, touched) = self.world.look(cell);
        self.charge(cell_price(cell, !touched, old, new))
    }

    /// Takes the price of cells that the step will access in this order.
    pub(super) fn charge_cells(&mut self, cells: &[Planned]) -> Result<(), HaltKind> {
        if !self.metered() {
            return Ok(());
        }
        let mut sum = 0;
        for (i, (cell, new)) in cells.iter().enumerate() {
            let earlier = cells[..i].iter().rev().find(|(c, _)| c == cell);
            let written = cells[..i].iter().rev().find_map(|(c, new)| new.filter(|_| c == cell));
            let (now, touched) = self.world.look(cell);
            let old = written.unwrap_or(now);
            let cold = earlier.is_none() && !touched;
            sum += cell_price(cell, cold, old, *new);
        }
        self.charge(sum)
    }

    /// Takes the price of a page's first run.
    pub(super) fn charge_page(&mut self, hash: Word) -> Result<(), HaltKind> {
        self.charge(self.page_price(hash))
    }

    /// What running the page with this hash costs besides its steps: nothing after the first time in a batch.
    pub(super) fn page_price(&self, hash: Word) -> u64 {
        self.fresh_code(hash).map_or(0, |page| price::page(page.words.len()))
    }

    /// Takes the gas that a callee gets from the running context: what is asked for, but at most 63 of 64 parts of what
    /// there is (EIP-150). The kernel, which pays nothing, gives what it asks for.
    pub(super) fn forward(&mut self, asked: Word) -> u32 {
        let asked = u32::try_from(asked.lo).ok().filter(|_| asked.hi == 0).unwrap_or(u32::MAX);
        if self.frames.is_empty() {
            self.regs.gas = 0;
            return asked;
        }
        let given = asked.min(self.regs.gas - self.regs.gas / 64);
        self.regs.gas -= given;
        given
    }

    /// Gives back what a callee has left.
    pub(super) fn give_back(&mut self, gas: u32) {
        self.regs.gas = self.regs.gas.saturating_add(gas);
    }
}

/// What an access to a state cell costs besides its instruction.
#[inline(always)]
pub(crate) fn cell_price(cell: &CellId, cold: bool, old: Word, new: Option<Word>) -> u64 {
    if cell.kind == kind::TRANSIENT {
        return 0;
    }
    let first = if cold { price::COLD_CELL } else { 0 };
    let fills = old.is_zero() && new.is_some_and(|new| !new.is_zero());
    u64::from(first) + u64::from(if fills { price::NEW_CELL } else { 0 })
}
