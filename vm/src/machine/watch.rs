//! Watching a run step by step, for people who look at programs. What is watched is told and not kept, so that a run of
//! any length takes no more memory than one that nobody watches.
use super::memory::Memory;
use super::tracer::{Operands, Stamp, Tracer};
use super::world::StateRead;
use super::{CallStatus, Machine, Window};
use crate::state::CellId;
use crate::trace::{Access, Effect, Flow, JournalEntry, KeccakCall, Page, Regs, StateAccess, mode, space};
use crate::word::Word;
use std::sync::Arc;

/// Bytes told of a call's data, and of what it hands back.
pub const MAX_TOLD: usize = 4096;

/// A context that a call has opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its id.
    pub ctx: u32,
    /// Contracts above it in the chain of calls.
    pub depth: u32,
    /// The number of its code page, and the page.
    pub code: u32,
    /// The page.
    pub page: Arc<Page>,
    /// Its own address.
    pub address: [u8; 20],
    /// The address that the code was found at.
    pub code_address: [u8; 20],
    /// Who called.
    pub caller: [u8; 20],
    /// Wei that came along.
    pub value: Word,
    /// Whether it is a deployment.
    pub deploys: bool,
    /// Gas that it begins with; 0 if it is not metered.
    pub gas: u32,
    /// Gas that its caller keeps.
    pub kept: u32,
    /// The first [`MAX_TOLD`] bytes of its calldata.
    pub calldata: Vec<u8>,
}

/// A context that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Its id.
    pub ctx: u32,
    /// How it ended.
    pub status: CallStatus,
    /// Gas that its caller gets back.
    pub gas: u32,
    /// The first [`MAX_TOLD`] bytes of what it hands back.
    pub output: Vec<u8>,
}

/// One step as an onlooker sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Clock, from 1.
    pub clock: u32,
    /// Registers before it.
    pub regs: Regs,
    /// The instruction word.
    pub word: u64,
    /// What `[a]` held.
    pub a: Word,
    /// What `[b]` held.
    pub b: Word,
    /// What `[d]` held.
    pub old: Word,
    /// What `[d]` holds after it.
    pub new: Word,
    /// Gas that the step itself took; 0 in a context that is not metered. What a callee gets is not part of it, nor what
    /// an exceptional halt burns.
    pub spent: u32,
    /// State cells accessed, in order.
    pub cells: &'a [StateAccess],
    /// The cell whose last write it takes back, as a revert or a halt does one per step.
    pub undone: Option<CellId>,
    /// The context that it opens.
    pub opened: Option<&'a Opened>,
    /// The context that it ends.
    pub closed: Option<&'a Closed>,
}

/// Tells every step to a function.
pub struct Watch<'a> {
    tell: &'a mut dyn FnMut(&Seen),
    clock: u32,
    cells: Vec<StateAccess>,
    undone: Option<CellId>,
    opened: Option<Opened>,
    closed: Option<Closed>,
}

impl<'a> Watch<'a> {
    /// Tells `tell`.
    pub fn new(tell: &'a mut dyn FnMut(&Seen)) -> Watch<'a> {
        Watch { tell, clock: 0, cells: Vec::new(), undone: None, opened: None, closed: None }
    }
}

impl Tracer for Watch<'_> {
    type Stamp = ();
    const ACTIVE: bool = false;
    fn effect(&mut self, make: impl FnOnce() -> Effect) {
        if let Effect::Undo { entry, .. } = make() {
            self.undone = Some(entry.cell);
        }
    }
    fn access(&mut self, _: Access) {}
    fn cell(&mut self, access: StateAccess) {
        self.cells.push(access);
    }
    fn entry(&mut self, _: JournalEntry) {}
    fn executed(&mut self, flow: Flow) {
        if let Flow::Undo(entry) = flow {
            self.undone = Some(entry.cell);
        }
    }
    fn plain(&mut self, then: &Regs, next: &Regs, s: &Operands<()>, result: Option<Word>) {
        self.step(self.clock + 1, then, next, s, result);
    }
    fn step(&mut self, clock: u32, then: &Regs, next: &Regs, s: &Operands<()>, result: Option<Word>) {
        let regs = *then;
        self.clock = clock;
        let left = match (&self.opened, &self.closed, self.undone) {
            (Some(opened), _, _) => opened.kept.saturating_add(opened.gas),
            (_, Some(Closed { status: CallStatus::Halted(_), .. }), _) | (_, _, Some(_)) => regs.gas,
            (_, Some(closed), _) => closed.gas,
            _ => next.gas,
        };
        (self.tell)(&Seen {
            clock,
            regs,
            word: s.i.encode(),
            a: s.a,
            b: s.b,
            old: s.old,
            new: result.unwrap_or(s.old),
            spent: if regs.mode & mode::METERED == 0 { 0 } else { regs.gas.saturating_sub(left) },
            undone: self.undone,
            cells: &self.cells,
            opened: self.opened.as_ref(),
            closed: self.closed.as_ref(),
        });
        self.cells.clear();
        (self.undone, self.opened, self.closed) = (None, None, None);
    }
    fn ended(&mut self, _: u32) {}
    fn bytes(&self) -> u64 {
        0
    }
    fn keccak(&mut self, _: impl FnOnce() -> KeccakCall) -> usize {
        0
    }
    fn opened(&mut self, make: impl FnOnce() -> Opened) {
        self.opened = Some(make());
    }
    fn closed(&mut self, make: impl FnOnce() -> Closed) {
        self.closed = Some(make());
    }
}

/// The first `most` bytes of a window.
pub(super) fn peek_bytes<S: Stamp>(memory: &Memory<S>, w: Window, most: usize) -> Vec<u8> {
    let want = (w.length as usize).min(most);
    let skip = w.base as usize % 32;
    let mut bytes = Vec::with_capacity(want + 64);
    for j in 0..(skip + want).div_ceil(32) as u32 {
        bytes.extend_from_slice(&memory.peek(w.space, w.ctx, w.base / 32 + j).to_be_bytes());
    }
    bytes.truncate(skip + want);
    bytes.drain(..skip);
    bytes
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// Tells the tracer of the context whose first registers these are; the machine has written its cells.
    pub(super) fn tell_opened(&mut self, regs: Regs) {
        let (memory, pages, kept) = (&self.mem, &self.pages, self.regs.gas);
        self.tracer.opened(|| {
            let register = |index| memory.peek(space::REG, regs.ctx, index);
            let own = last20(register(2));
            let found = Some(register(5)).filter(|code| !code.is_zero());
            Opened {
                ctx: regs.ctx,
                depth: regs.depth,
                code: regs.code,
                page: Arc::clone(&pages[regs.code as usize]),
                address: own,
                code_address: found.map_or(own, last20),
                caller: last20(register(3)),
                value: register(4),
                deploys: regs.mode & mode::DEPLOY != 0,
                gas: regs.gas,
                kept,
                calldata: peek_bytes(memory, Window::unpack(register(0)), MAX_TOLD),
            }
        });
    }

    /// Tells the tracer that a context has ended.
    pub(super) fn tell_closed(&mut self, ctx: u32, status: CallStatus, handed: Window, gas: u32) {
        let memory = &self.mem;
        self.tracer.closed(|| Closed { ctx, status, gas, output: peek_bytes(memory, handed, MAX_TOLD) });
    }
}

/// The address in a word.
pub(super) fn last20(word: Word) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(&word.to_be_bytes()[12..]);
    out
}
