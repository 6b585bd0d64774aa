//! Gas of every step: that a metered one pays what `isa::price` and the table of `docs/isa.md` say for what it did, that
//! callees get what callers lose, and that what is left comes back. Computed from the trace, not from the machine.
use super::contexts::{MIMIC_DEPLOY, MIMIC_METERED, block, find};
use super::{Checker, TraceError, step_fault};
use crate::isa::{Instruction, MAX_PAGE, op, price};
use crate::machine::cell_price;
use crate::precompile;
use crate::state::kind;
use crate::system::{self, Service};
use crate::trace::{Effect, Executed, Flow, Frame, StateAccess, Step, mode, space};
use crate::word::Word;

impl Checker<'_> {
    /// The gas that a step leaves to whom.
    pub(super) fn gas(&mut self, s: &Step) -> Result<(), TraceError> {
        let i = Instruction::decode(s.word);
        let opens = matches!(&s.effect, Effect::Call { .. })
            || matches!(&s.effect, Effect::Executed(e) if matches!(e.flow, Flow::Call(_)));
        let first_run = if opens { self.first_run(s) } else { 0 };
        let due = Due { price: if metered(s) { price_of(s, i) } else { 0 }, first_run };
        let fits = match &s.effect {
            Effect::Executed(e) if i.opcode == op::MIMICCALL && e.flow == Flow::Stay => self.unpaid(s, e, i),
            Effect::Executed(e) => executed(s, e, i, due),
            Effect::Call { frame, .. } => frame.caller.gas == s.regs.gas && s.next.gas == 0,
            Effect::Return { frame, .. } => gives_back(s, frame, due.price),
            Effect::Final(_) => s.next.gas == 0,
            _ => left(s, due.price) == Some(s.next.gas.into()),
        };
        if fits { Ok(()) } else { Err(step_fault(s, "the gas is not what the step leaves")) }
    }

    /// A metered `mimiccall` that ends within the step, since its gas does not pay for the first run of the page. The trace does
    /// not have that page; it is one that has not run, and no page is longer than what the gas must fall short of.
    fn unpaid(&self, s: &Step, e: &Executed, i: Instruction) -> bool {
        let hash = match i.imm & MIMIC_DEPLOY {
            0 => e.cells.first().map(|c| c.old),
            _ => block(s, e, 4),
        };
        let ran = self.trace.pages.iter().take(self.pages_run as usize).any(|p| Some(p.hash_word()) == hash);
        let given = block(s, e, 5).filter(|w| w.hi == 0).map_or(u128::MAX, |w| w.lo);
        let status = find_last(e, (space::SLOT, s.regs.ctx, s.regs.fp + u32::from(i.d)));
        let most = u128::from(price::page(MAX_PAGE));
        let fails = i.imm & MIMIC_METERED != 0 && status == Some(Word::ZERO) && s.next.gas == 0;
        fails && !ran && given < most
    }

    /// The price of the page that a step begins to run: nothing if it has run before.
    fn first_run(&mut self, s: &Step) -> u64 {
        if s.next.code < self.pages_run {
            return 0;
        }
        self.pages_run = s.next.code.saturating_add(1);
        self.trace.pages.get(s.next.code as usize).map_or(0, |p| price::page(p.words.len()))
    }
}

/// What a step owes.
#[derive(Clone, Copy)]
struct Due {
    /// Its own price; 0 if it is not metered.
    price: u64,
    /// Of the page that it begins to run.
    first_run: u64,
}

fn metered(s: &Step) -> bool {
    s.regs.mode & mode::METERED != 0
}

/// What the step has after its price.
fn left(s: &Step, price: u64) -> Option<u64> {
    u64::from(s.regs.gas).checked_sub(price)
}

/// An end by `return` or `revert`.
fn gives_back(s: &Step, frame: &Frame, price: u64) -> bool {
    left(s, price).map(|left| left + u64::from(frame.caller.gas)) == Some(s.next.gas.into())
}

fn executed(s: &Step, e: &Executed, i: Instruction, due: Due) -> bool {
    match &e.flow {
        Flow::Undo(_) => s.next.gas == 0,
        Flow::End { frame, success } => {
            // A revert of nothing anywhere; every other end without success is a halt, which leaves nothing.
            let reverts = i.opcode == op::REVERT && i.imm == 0 && s.b.new.is_zero();
            match *success || reverts {
                true => gives_back(s, frame, due.price),
                false => s.next.gas == frame.caller.gas,
            }
        }
        Flow::Call(frame) if i.opcode == op::MIMICCALL => {
            if i.imm & MIMIC_METERED == 0 {
                return (frame.caller.gas, s.next.gas) == (s.regs.gas, 0);
            }
            let given = block(s, e, 5).filter(|w| w.hi == 0 && w.lo < 1 << 32).map(|w| w.lo as u64);
            let rest = given.and_then(|given| given.checked_sub(due.first_run));
            frame.caller.gas == 0 && rest == Some(s.next.gas.into())
        }
        Flow::Call(frame) => {
            let Some(left) = left(s, if metered(s) { due.price + due.first_run } else { 0 }) else {
                return false;
            };
            let given = if metered(s) { forwarded(s, e, i, left) } else { 0 };
            (u64::from(frame.caller.gas), u64::from(s.next.gas)) == (left - given, given + stipend(s, e, i))
        }
        Flow::Stay => stays(s, e, i, due.price) == Some(s.next.gas.into()),
    }
}

/// The gas after a step that stays in its context.
fn stays(s: &Step, e: &Executed, i: Instruction, price: u64) -> Option<u64> {
    let left = left(s, price)?;
    let calls = matches!(i.opcode, op::CALL | op::STATICCALL | op::DELEGATECALL);
    let kernel = calls && s.regs.ctx == 0;
    if i.opcode == op::CREATE && metered(s) {
        // Nonce, known code, and the two cells of the account that is there.
        let taken = e.cells.len() == 4;
        return Some(if taken { left / 64 } else { left });
    }
    if !calls || !(metered(s) || kernel) {
        return Some(left);
    }
    let status = find_last(e, (space::SLOT, s.regs.ctx, s.regs.fp + u32::from(i.d)))?;
    let reads = e.accesses.iter().any(|a| a.space == space::HEAP && a.ctx == s.regs.ctx);
    let length = block(s, e, 1)?;
    let called = precompile::find(super::contexts::address(s.a.new));
    // Done before the precompile was asked, or an account without code.
    let asked = called.filter(|_| reads || length.is_zero()).filter(|_| !refused(s, e, i));
    let Some(precompile) = asked else { return Some(left + stipend(s, e, i)) };
    // The cells of a transfer are paid for out of what the caller keeps.
    let cells = if metered(s) { cells(s) } else { 0 };
    let given = forwarded(s, e, i, left + cells);
    let kept = if kernel { 0 } else { (left + cells - given).checked_sub(cells)? };
    match status.is_zero() {
        true => Some(kept),
        false => {
            let cost = precompile.gas(&super::precompile::input(s, e)?);
            Some(kept + (given + stipend(s, e, i)).checked_sub(cost)?)
        }
    }
}

/// True if a call of a precompile with this price has the gas for it.
pub(super) fn affords(s: &Step, e: &Executed, cost: u64) -> bool {
    let i = Instruction::decode(s.word);
    let counts = metered(s) || s.regs.ctx == 0;
    let left = left(s, if metered(s) { price_of(s, i) - cells(s) } else { 0 }).unwrap_or_default();
    !counts || forwarded(s, e, i, left) + stipend(s, e, i) >= cost
}

/// True if a call was not made: too deep, or too little wei.
fn refused(s: &Step, e: &Executed, i: Instruction) -> bool {
    let value = if i.opcode == op::CALL { block(s, e, 3).unwrap_or_default() } else { Word::ZERO };
    let lacks =
        matches!(&e.cells[..], [c] if c.cell.kind == kind::BALANCE && c.old == c.new && c.old < value);
    lacks || s.regs.depth >= crate::machine::MAX_DEPTH
}

fn find_last(e: &Executed, place: (u8, u32, u32)) -> Option<Word> {
    find(e, place)?;
    e.accesses.iter().rfind(|a| (a.space, a.ctx, a.index) == place).map(|a| a.new)
}

/// What a callee gets of what is left, without the stipend.
fn forwarded(s: &Step, e: &Executed, i: Instruction, left: u64) -> u64 {
    let most = left - left / 64;
    if i.opcode == op::CREATE {
        return most;
    }
    let asked = block(s, e, 2).unwrap_or_default();
    let asked = if asked.hi == 0 { u32::try_from(asked.lo).unwrap_or(u32::MAX) } else { u32::MAX };
    if s.regs.ctx == 0 { asked.into() } else { most.min(asked.into()) }
}

fn stipend(s: &Step, e: &Executed, i: Instruction) -> u64 {
    let sends = i.opcode == op::CALL && block(s, e, 3).is_some_and(|value| !value.is_zero());
    if sends && metered(s) { price::STIPEND.into() } else { 0 }
}

/// The price of a metered step that does not halt, without the first run of a page.
fn price_of(s: &Step, i: Instruction) -> u64 {
    let length = |w: Word| u32::try_from(w.lo).unwrap_or(u32::MAX);
    let base = u64::from(price::base(i.opcode));
    let more = match (&s.effect, i.opcode) {
        (_, op::EXP) => price::exp(s.b.new.bits()),
        (_, op::SHA256) => precompile::sha256_gas(length(s.b.new)),
        (_, op::PAGEHASH) if !s.d.new.is_zero() => price::page_hash(length(s.b.new)),
        (_, op::KECCAK) => price::keccak(length(s.b.new)),
        (Effect::Executed(e), op::LD | op::ST) if e.accesses.len() == 2 => price::STRADDLE.into(),
        (_, op::COPY) => price::copy(length(s.b.new)),
        (_, op::LOG) => price::log(length(s.b.new), i.imm.into()),
        (Effect::Executed(e), op::CALL | op::STATICCALL | op::DELEGATECALL) => {
            let value = if i.opcode == op::CALL { block(s, e, 3).unwrap_or_default() } else { Word::ZERO };
            let sends = if value.is_zero() { 0 } else { price::VALUE.into() };
            let precompile = precompile::find(super::contexts::address(s.a.new)).is_some();
            let reads = precompile && !refused(s, e, i);
            let input = length(block(s, e, 1).unwrap_or_default());
            let copied = if reads { price::copy(input) } else { 0 };
            sends + copied + if value.is_zero() { service(s, e, input) } else { 0 }
        }
        (Effect::Executed(e), op::CREATE) if !e.journal.is_empty() => match i.imm {
            0 => price::keccak(32),
            _ => price::keccak(length(s.b.new)) + price::keccak(85),
        },
        _ => 0,
    };
    base + more + cells(s)
}

/// The price of what a system contract asks the machine for.
fn service(s: &Step, e: &Executed, input: u32) -> u64 {
    let own = super::contexts::register(s, e, 2).map(super::contexts::address);
    let service = own.and_then(|own| system::service(own, super::contexts::address(s.a.new)));
    match service.filter(|_| s.regs.depth < crate::machine::MAX_DEPTH) {
        None => 0,
        Some(Service::Cell) => price::copy(input),
        Some(Service::PageHash) => price::copy(input) + price::page_hash(input),
    }
}

/// The price of the state cells that a step accesses.
fn cells(s: &Step) -> u64 {
    let one = |c: &StateAccess| cell_price(&c.cell, c.old_time == 0, c.old, Some(c.new));
    match &s.effect {
        Effect::Storage { cell, .. } => one(cell),
        Effect::Executed(e) => e.cells.iter().map(one).sum(),
        _ => 0,
    }
}
