//! What a run leaves behind: everything for the prover, or nothing at all.
//! The machine is generic over the tracer, so both modes are one code path; without one, the closures that
//! describe effects are never called.
use super::watch::{Closed, Opened};
use crate::isa::Instruction;
use crate::trace::{Access, Effect, Flow, JournalEntry, KeccakCall, Recorded, Regs, StateAccess};
use crate::word::Word;

/// The time of a cell's last access, or nothing.
pub trait Stamp: Copy + Default + std::fmt::Debug {
    /// A stamp for an access at `time`.
    fn at(time: u64) -> Self;
    /// The time; 0 if never accessed or not kept.
    fn time(self) -> u64;
}

impl Stamp for u64 {
    #[inline(always)]
    fn at(time: u64) -> u64 {
        time
    }
    #[inline(always)]
    fn time(self) -> u64 {
        self
    }
}

impl Stamp for () {
    #[inline(always)]
    fn at(_: u64) {}
    #[inline(always)]
    fn time(self) -> u64 {
        0
    }
}

/// An instruction and what it finds in the slots that it names.
#[derive(Clone, Copy, Debug)]
pub struct Operands<S> {
    /// The instruction.
    pub i: Instruction,
    /// Value of `a`.
    pub a: Word,
    /// Value of `b`.
    pub b: Word,
    /// Value of `d`.
    pub old: Word,
    /// Stamps of the accesses to `a`, `b`, `d` before these, which are made one after the other.
    pub before: [S; 3],
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
    /// A finished step that only computed or jumped: the registers before and after it, its instruction and operands, and
    /// what it writes to `d`.
    fn plain(&mut self, then: &Regs, next: &Regs, s: &Operands<Self::Stamp>, result: Option<Word>);
    /// Any other finished step; what else there is to it was told before.
    fn step(&mut self, clock: u32, then: &Regs, next: &Regs, s: &Operands<Self::Stamp>, result: Option<Word>);
    /// All is done, after so many steps.
    fn ended(&mut self, steps: u32);
    /// Host memory held, in bytes.
    fn bytes(&self) -> u64;
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
    fn plain(&mut self, _: &Regs, _: &Regs, _: &Operands<()>, _: Option<Word>) {}
    #[inline(always)]
    fn step(&mut self, _: u32, _: &Regs, _: &Regs, _: &Operands<()>, _: Option<Word>) {}
    #[inline(always)]
    fn ended(&mut self, _: u32) {}
    #[inline(always)]
    fn bytes(&self) -> u64 {
        0
    }
    #[inline(always)]
    fn keccak(&mut self, _: impl FnOnce() -> KeccakCall) -> usize {
        0
    }
}

/// Keeps what every step and hash can be had from.
#[derive(Debug, Default)]
pub struct Recorder {
    /// Steps so far.
    pub steps: Recorded,
    /// Hashes so far.
    pub keccaks: Vec<KeccakCall>,
    /// Words that these read.
    hashed: usize,
}

impl Tracer for Recorder {
    type Stamp = u64;
    const ACTIVE: bool = true;
    fn effect(&mut self, make: impl FnOnce() -> Effect) {
        self.steps.effect(make());
    }
    fn access(&mut self, access: Access) {
        self.steps.access(access);
    }
    fn cell(&mut self, access: StateAccess) {
        self.steps.cell(access);
    }
    fn entry(&mut self, entry: JournalEntry) {
        self.steps.entry(entry);
    }
    fn executed(&mut self, flow: Flow) {
        self.steps.executed(flow);
    }
    #[inline(always)]
    fn plain(&mut self, _: &Regs, _: &Regs, _: &Operands<u64>, _: Option<Word>) {}
    fn step(&mut self, clock: u32, _: &Regs, next: &Regs, _: &Operands<u64>, result: Option<Word>) {
        self.steps.step(clock, next, result);
    }
    fn ended(&mut self, steps: u32) {
        self.steps.ended(steps);
    }
    fn bytes(&self) -> u64 {
        let hashes = self.keccaks.capacity() * size_of::<KeccakCall>() + self.hashed * size_of::<Access>();
        self.steps.bytes() + hashes as u64
    }
    fn keccak(&mut self, make: impl FnOnce() -> KeccakCall) -> usize {
        let call = make();
        self.hashed += call.words.len();
        // The statement's hash is put in front when the batch is done.
        self.keccaks.push(call);
        self.keccaks.len()
    }
}
