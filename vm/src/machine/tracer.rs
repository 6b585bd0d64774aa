//! What a run leaves behind: everything for the prover, or nothing at all.
//! The machine is generic over the tracer, so both modes are one code path; without one, the closures that
//! describe effects are never called.
use super::watch::{Closed, Opened};
use crate::trace::{Access, Effect, Executed, Flow, JournalEntry, KeccakCall, StateAccess, Step};

/// The time of a cell's last access, or nothing.
pub trait Stamp: Copy + Default + std::fmt::Debug {
    /// A stamp for an access at `time`.
    fn at(time: u64) -> Self;
    /// The time; 0 if never accessed or not kept.
    fn time(self) -> u64;
}

impl Stamp for u64 {
    fn at(time: u64) -> u64 {
        time
    }
    fn time(self) -> u64 {
        self
    }
}

impl Stamp for () {
    fn at(_: u64) {}
    fn time(self) -> u64 {
        0
    }
}

/// Receives what the machine does.
pub trait Tracer {
    /// What cells remember of their last access.
    type Stamp: Stamp;
    /// True if the trace is kept: then the memory of contexts that have ended stays too.
    const ACTIVE: bool;
    /// The effect of the step under way.
    fn effect(&mut self, make: impl FnOnce() -> Effect);
    /// A memory access of the step under way beyond its operands.
    fn access(&mut self, access: Access);
    /// A state access of the step under way.
    fn cell(&mut self, access: StateAccess);
    /// A journal entry that the step under way makes.
    fn entry(&mut self, entry: JournalEntry);
    /// Says that the step under way has no chip: its effect is the accesses and entries told so far.
    fn executed(&mut self, flow: Flow);
    /// A finished step; `make` receives the effect told before.
    fn step(&mut self, make: impl FnOnce(Effect) -> Step);
    /// A hash; answers its index.
    fn keccak(&mut self, make: impl FnOnce() -> KeccakCall) -> usize;
    /// The step under way opens a context.
    #[inline(always)]
    fn opened(&mut self, _: impl FnOnce() -> Opened) {}
    /// The step under way ends its context.
    #[inline(always)]
    fn closed(&mut self, _: impl FnOnce() -> Closed) {}
}

/// Keeps nothing.
#[derive(Debug, Default)]
pub struct NoTrace;

impl Tracer for NoTrace {
    type Stamp = ();
    const ACTIVE: bool = false;
    #[inline(always)]
    fn effect(&mut self, _: impl FnOnce() -> Effect) {}
    #[inline(always)]
    fn access(&mut self, _: Access) {}
    #[inline(always)]
    fn cell(&mut self, _: StateAccess) {}
    #[inline(always)]
    fn entry(&mut self, _: JournalEntry) {}
    #[inline(always)]
    fn executed(&mut self, _: Flow) {}
    #[inline(always)]
    fn step(&mut self, _: impl FnOnce(Effect) -> Step) {}
    #[inline(always)]
    fn keccak(&mut self, _: impl FnOnce() -> KeccakCall) -> usize {
        0
    }
}

/// Keeps every step and hash.
#[derive(Debug, Default)]
pub struct Recorder {
    /// Steps so far.
    pub steps: Vec<Step>,
    /// Hashes so far.
    pub keccaks: Vec<KeccakCall>,
    pending: Option<Effect>,
    accesses: Vec<Access>,
    cells: Vec<StateAccess>,
    entries: Vec<JournalEntry>,
}

impl Tracer for Recorder {
    type Stamp = u64;
    const ACTIVE: bool = true;
    fn effect(&mut self, make: impl FnOnce() -> Effect) {
        self.pending = Some(make());
    }
    fn access(&mut self, access: Access) {
        self.accesses.push(access);
    }
    fn cell(&mut self, access: StateAccess) {
        self.cells.push(access);
    }
    fn entry(&mut self, entry: JournalEntry) {
        self.entries.push(entry);
    }
    fn executed(&mut self, flow: Flow) {
        let accesses = std::mem::take(&mut self.accesses);
        let cells = std::mem::take(&mut self.cells);
        let journal = std::mem::take(&mut self.entries);
        self.pending = Some(Effect::Executed(Box::new(Executed { accesses, cells, journal, flow })));
    }
    fn step(&mut self, make: impl FnOnce(Effect) -> Step) {
        self.accesses.clear();
        self.cells.clear();
        self.entries.clear();
        let effect = self.pending.take().unwrap_or(Effect::None);
        self.steps.push(make(effect));
    }
    fn keccak(&mut self, make: impl FnOnce() -> KeccakCall) -> usize {
        // The statement's hash is put in front when the batch is done.
        self.keccaks.push(make());
        self.keccaks.len()
    }
}
