//! Checks a whole trace from scratch, as the prover's bus will: accesses as a multiset, code, registers, journal.
//! Knows nothing of the machine that made the trace; a trace it accepts is consistent in itself.
mod contexts;
mod executed;
mod gas;
mod hash;
mod known_code;
mod precompile;

use crate::code::{CodeError, word_of};
use crate::isa::Instruction;
use crate::replay::hash_statement;
use crate::state::{CellId, WitnessError, kind};
use crate::trace::{
    Access, BatchTrace, CellFinal, Effect, Flow, Frame, JournalEntry, Page, Regs, StateAccess, Step,
    TransientFinal, mode, space,
};
use crate::word::Word;
use sha3::{Digest, Keccak256};
use std::collections::HashMap;
use std::hash::Hash;

/// What is wrong with a trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A step's registers, clock, word or slots do not fit.
    #[error("step {clock}: {what}")]
    Step {
        /// Its clock.
        clock: u32,
        /// The fault.
        what: &'static str,
    },
    /// Sums of sent and received tuples that do not cancel.
    #[error("{bus}: {count} tuples do not cancel, among them {example}")]
    Bus {
        /// Memory, state, journal or frames.
        bus: &'static str,
        /// How many.
        count: usize,
        /// One of them.
        example: String,
    },
    /// A list out of order.
    #[error("{0} are not strictly increasing")]
    Order(&'static str),
    /// A part that does not follow from the rest.
    #[error("{0}")]
    Part(&'static str),
    /// The tree's rows.
    #[error(transparent)]
    Tree(#[from] WitnessError),
    /// A page.
    #[error(transparent)]
    Code(#[from] CodeError),
}

/// A multiset with signs.
struct Bus<K> {
    name: &'static str,
    sum: HashMap<K, i64>,
}

impl<K: Hash + Eq + std::fmt::Debug> Bus<K> {
    fn new(name: &'static str) -> Self {
        Bus { name, sum: HashMap::new() }
    }

    fn add(&mut self, tuple: K, n: i64) {
        *self.sum.entry(tuple).or_default() += n;
    }

    fn finish(self) -> Result<(), TraceError> {
        let left: Vec<(K, i64)> = self.sum.into_iter().filter(|(_, n)| *n != 0).collect();
        match left.first() {
            None => Ok(()),
            Some(x) => Err(TraceError::Bus { bus: self.name, count: left.len(), example: format!("{x:?}") }),
        }
    }
}

type MemoryTuple = (u8, u32, u32, u64, Word);

struct Checker<'a> {
    trace: &'a BatchTrace,
    memory: Bus<MemoryTuple>,
    state: Bus<(CellId, u64, Word)>,
    /// The same with the transaction, for cells that live no longer.
    transient: Bus<(u32, CellId, u64, Word)>,
    transaction: u32,
    journal: Bus<(u32, u32, CellId, Word)>,
    frames: Bus<(u32, Regs, u32)>,
    calls: Vec<(u32, usize)>,
    /// Pages that have run.
    pages_run: u32,
}

/// Checks a trace.
///
/// # Errors
/// The first fault found.
pub fn check(trace: &BatchTrace) -> Result<(), TraceError> {
    let mut c = Checker {
        trace,
        memory: Bus::new("memory"),
        state: Bus::new("state"),
        transient: Bus::new("transient state"),
        transaction: 0,
        journal: Bus::new("journal"),
        frames: Bus::new("frames"),
        calls: Vec::new(),
        pages_run: 1,
    };
    c.boundaries()?;
    c.access(&trace.boot, 0, 1)?;
    let (mut regs, mut last) = (Regs::default(), Effect::None);
    for (i, step) in trace.steps.iter().enumerate() {
        if step.clock as usize != i + 1 {
            return Err(step_fault(&step, "clock does not count up from 1"));
        }
        if step.regs != regs {
            return Err(step_fault(&step, "registers differ from what the step before left"));
        }
        c.step(&step)?;
        c.gas(&step)?;
        regs = step.next;
        last = step.effect;
    }
    let Effect::Final(words) = last else {
        return Err(TraceError::Part("the last step is not the final return"));
    };
    c.hashes()?;
    for e in &trace.journal {
        c.entry(e, -1);
    }
    c.memory.finish()?;
    c.state.finish()?;
    c.transient.finish()?;
    c.journal.finish()?;
    c.frames.finish()?;
    parts(trace, &words)
}

fn step_fault(step: &Step, what: &'static str) -> TraceError {
    TraceError::Step { clock: step.clock, what }
}

impl Checker<'_> {
    /// Opens and closes every cell.
    fn boundaries(&mut self) -> Result<(), TraceError> {
        let t = self.trace;
        let place = |c: &CellFinal| (c.space, c.ctx, c.index);
        if !t.cells.is_sorted_by(|a, b| place(a) < place(b)) || t.cells.iter().any(|c| c.space > space::REG) {
            return Err(TraceError::Order("memory cells"));
        }
        for c in &t.cells {
            self.memory.add((c.space, c.ctx, c.index, 0, Word::ZERO), 1);
            self.memory.add((c.space, c.ctx, c.index, c.time, c.value), -1);
        }
        let mut bytes = t.input.clone();
        bytes.resize((t.input.len() / 32 + 2) * 32, 0);
        if bytes.len() != 32 * t.input_cells.len() {
            return Err(TraceError::Part("input cells do not cover the posted bytes and the words beyond"));
        }
        for (i, (chunk, c)) in bytes.chunks_exact(32).zip(&t.input_cells).enumerate() {
            if place(c) != (space::INPUT, 0, i as u32) || c.value.to_be_bytes() != chunk {
                return Err(TraceError::Part("an input cell does not hold the posted bytes"));
            }
            self.memory.add((c.space, 0, c.index, 0, c.value), 1);
            self.memory.add((c.space, 0, c.index, c.time, c.value), -1);
        }
        for (i, w) in t.statement.words().into_iter().enumerate() {
            self.memory.add((space::STATEMENT, 0, i as u32, 0, w), 1);
            self.memory.add((space::STATEMENT, 0, i as u32, 1, w), -1);
        }
        if !t.state_cells.is_sorted_by(|a, b| word_of(a.key) < word_of(b.key)) {
            return Err(TraceError::Order("state cells"));
        }
        for c in &t.state_cells {
            if c.key != c.cell.key() {
                return Err(TraceError::Part("a state cell's key is not its cell's"));
            }
            self.state.add((c.cell, 0, c.old), 1);
            if c.cell.kind == kind::TRANSIENT {
                return Err(TraceError::Part("a transient cell is in the tree"));
            }
            self.state.add((c.cell, c.time, c.new), -1);
        }
        let place = |c: &TransientFinal| (c.transaction, c.cell);
        if !t.transient.is_sorted_by(|a, b| place(a) < place(b)) {
            return Err(TraceError::Order("transient cells"));
        }
        for c in &t.transient {
            self.transient.add((c.transaction, c.cell, 0, Word::ZERO), 1);
            self.transient.add((c.transaction, c.cell, c.time, c.value), -1);
        }
        Ok(())
    }

    fn access(&mut self, a: &Access, clock: u32, k: u64) -> Result<(), TraceError> {
        if a.time != 16 * u64::from(clock) + k || a.old_time >= a.time {
            return Err(TraceError::Step { clock, what: "an access at the wrong time" });
        }
        self.memory.add((a.space, a.ctx, a.index, a.old_time, a.old), -1);
        self.memory.add((a.space, a.ctx, a.index, a.time, a.new), 1);
        Ok(())
    }

    fn read(&mut self, a: &Access, clock: u32, k: u64) -> Result<(), TraceError> {
        if a.old != a.new {
            return Err(TraceError::Step { clock, what: "a read changes its cell" });
        }
        self.access(a, clock, k)
    }

    fn cell(&mut self, a: &StateAccess, clock: u32, k: u64) -> Result<(), TraceError> {
        if a.time != 16 * u64::from(clock) + k || a.old_time >= a.time {
            return Err(TraceError::Step { clock, what: "a state access at the wrong time" });
        }
        if a.cell.kind == kind::TRANSIENT {
            self.transient.add((self.transaction, a.cell, a.old_time, a.old), -1);
            self.transient.add((self.transaction, a.cell, a.time, a.new), 1);
        } else {
            self.state.add((a.cell, a.old_time, a.old), -1);
            self.state.add((a.cell, a.time, a.new), 1);
        }
        Ok(())
    }

    fn entry(&mut self, e: &JournalEntry, n: i64) {
        self.journal.add((e.id, e.prev, e.cell, e.old), n);
    }

    fn frame(&mut self, f: &Frame, n: i64) {
        self.frames.add((f.ctx, f.caller, f.dest), n);
    }

    fn step(&mut self, s: &Step) -> Result<(), TraceError> {
        let page = self.trace.pages.get(s.regs.code as usize);
        let word = page.and_then(|p| p.words.get(s.regs.pc as usize)).copied();
        // Beyond the page a called context halts, and its step is that of a word of zero.
        let halts =
            matches!(&s.effect, Effect::Executed(e) if matches!(e.flow, Flow::Undo(_) | Flow::End { .. }));
        if word.or(halts.then_some(0)) != Some(s.word) {
            return Err(step_fault(s, "the word is not the page's"));
        }
        let (a, b, d) = Instruction::decode(s.word).slots();
        for (access, offset) in [(&s.a, a), (&s.b, b), (&s.d, d)] {
            let place = (space::SLOT, s.regs.ctx, s.regs.fp + u32::from(offset));
            if (access.space, access.ctx, access.index) != place {
                return Err(step_fault(s, "an operand is not the slot that the word names"));
            }
        }
        self.read(&s.a, s.clock, 1)?;
        self.read(&s.b, s.clock, 2)?;
        self.access(&s.d, s.clock, 3)?;
        self.effect(s)
    }

    fn effect(&mut self, s: &Step) -> Result<(), TraceError> {
        let clock = s.clock;
        match &s.effect {
            Effect::None | Effect::Select | Effect::NearReturn => Ok(()),
            Effect::NearCall(a) | Effect::Heap(a) => self.access(a, clock, 4),
            Effect::Context(a) => self.read(a, clock, 4),
            Effect::Calldata { window, words } => {
                self.read(window, clock, 4)?;
                self.read(&words[0], clock, 5)?;
                self.read(&words[1], clock, 6)
            }
            Effect::Storage { reg, cell, journal } => {
                if let Some(reg) = reg {
                    self.read(reg, clock, 4)?;
                }
                self.cell(cell, clock, 5)?;
                let head = self.written(s, std::slice::from_ref(cell), journal.as_slice())?;
                Self::keeps(s, head)
            }
            Effect::Keccak { window, call } => {
                self.calls.push((clock, *call));
                self.read(window, clock, 4)
            }
            Effect::Call { len, caller, window, code, regs, frame } => {
                self.read(len, clock, 4)?;
                self.read(caller, clock, 5)?;
                self.read(window, clock, 6)?;
                self.cell(code, clock, 7)?;
                for (access, k) in regs.iter().zip(8..) {
                    self.access(access, clock, k)?;
                }
                self.called(s, code.old, s.regs.jhead, frame)?;
                let Regs { jhead, mode, depth, .. } = s.regs;
                match (s.next.jhead, s.next.mode, s.next.depth) == (jhead, mode, depth) {
                    true => Ok(()),
                    false => Err(step_fault(s, "the call changes more than the context")),
                }
            }
            Effect::Return { frame, status, window } => {
                self.access(status, clock, 4)?;
                self.access(window, clock, 5)?;
                self.ended(s, frame, !status.new.is_zero(), s.regs.jhead)
            }
            Effect::Undo { entry, cell } => {
                self.undone(s, entry, cell)?;
                self.cell(cell, clock, 4)
            }
            Effect::Executed(e) => self.executed(s, e),
            Effect::Final(words) => words.iter().zip(4..).try_for_each(|(w, k)| self.read(w, clock, k)),
        }
    }

    /// The journal entries of a step's state accesses, one for each write, in order; answers the head they leave.
    fn written(&mut self, s: &Step, cells: &[StateAccess], made: &[JournalEntry]) -> Result<u32, TraceError> {
        let mut head = s.regs.jhead;
        let mut made = made.iter().zip(0..).peekable();
        for cell in cells {
            let entry = made.next_if(|(e, _)| (e.cell, e.old) == (cell.cell, cell.old));
            let Some((entry, j)) = entry else {
                if cell.old != cell.new {
                    return Err(step_fault(s, "a state write without its journal entry"));
                }
                continue;
            };
            if s.regs.mode & mode::STATIC != 0 {
                return Err(step_fault(s, "a state write in a static context"));
            }
            if (entry.id, entry.prev) != (s.clock + (j << 28), head) {
                return Err(step_fault(s, "the journal entry is not that of the write"));
            }
            head = entry.id;
            self.entry(entry, 1);
        }
        match made.next() {
            None => Ok(head),
            Some(_) => Err(step_fault(s, "a journal entry without a write")),
        }
    }

    /// A step that stays in its context, with this journal head.
    fn keeps(s: &Step, jhead: u32) -> Result<(), TraceError> {
        match s.next == (Regs { jhead, pc: s.next.pc, gas: s.next.gas, ..s.regs }) {
            true => Ok(()),
            false => Err(step_fault(s, "the instruction leaves its context")),
        }
    }

    /// A call of the code with this hash; a failure undoes down to `jhead`.
    fn called(&mut self, s: &Step, code: Word, jhead: u32, frame: &Frame) -> Result<(), TraceError> {
        let hash = self.trace.pages.get(s.next.code as usize).map(Page::hash_word);
        if hash != Some(code) || s.next.ctx != s.clock || frame.ctx != s.clock {
            return Err(step_fault(s, "the callee is not the code of its address"));
        }
        // Gas has its own rules, see `gas.rs`.
        let gas = frame.caller.gas;
        if frame.caller != (Regs { pc: s.regs.pc + 1, jhead, gas, ..s.regs }) {
            return Err(step_fault(s, "the call does not save the caller"));
        }
        let goes_on = Instruction::decode(s.word).imm & contexts::MIMIC_SAME != 0;
        if s.regs.ctx == 0 && !goes_on {
            self.transaction = s.clock;
        }
        self.frame(frame, 1);
        Ok(())
    }

    /// The end of a context, with this journal head.
    fn ended(&mut self, s: &Step, frame: &Frame, success: bool, jhead: u32) -> Result<(), TraceError> {
        if frame.ctx != s.regs.ctx || s.next != (Regs { jhead, gas: s.next.gas, ..frame.caller }) {
            return Err(step_fault(s, "the return does not restore the caller"));
        }
        if !success && jhead != frame.caller.jhead {
            return Err(step_fault(s, "the revert leaves writes behind"));
        }
        self.frame(frame, -1);
        Ok(())
    }

    /// The undo of an entry.
    fn undone(&mut self, s: &Step, entry: &JournalEntry, cell: &StateAccess) -> Result<(), TraceError> {
        if entry.id != s.regs.jhead || s.next != (Regs { jhead: entry.prev, gas: s.next.gas, ..s.regs }) {
            return Err(step_fault(s, "the undone entry is not the newest"));
        }
        if cell.cell != entry.cell || cell.new != entry.old {
            return Err(step_fault(s, "the undo does not restore the entry's value"));
        }
        self.entry(entry, -1);
        Ok(())
    }

    /// Keccak calls: their reads, their digests, and that each belongs to its step.
    fn hashes(&mut self) -> Result<(), TraceError> {
        let t = self.trace;
        let made: Vec<(u32, usize)> =
            t.keccaks.iter().enumerate().skip(1).map(|(i, k)| (k.clock, i)).collect();
        if made != self.calls {
            return Err(TraceError::Part("the keccak calls are not those of the steps"));
        }
        for k in &t.keccaks {
            let mut bytes = Vec::new();
            for (j, w) in k.words.iter().enumerate() {
                if (w.space, w.ctx, w.index) != (k.space, k.ctx, k.first + j as u32) {
                    return Err(TraceError::Part("a keccak call reads a word out of its range"));
                }
                let (clock, at) = if k.clock == 0 { (0, 1) } else { (k.clock, 5) };
                self.read(w, clock, at)?;
                bytes.extend_from_slice(&w.old.to_be_bytes());
            }
            if bytes.len() != (k.len as usize).next_multiple_of(32) {
                return Err(TraceError::Part("a keccak call reads too many or too few words"));
            }
            let digest: [u8; 32] = Keccak256::digest(&bytes[..k.len as usize]).into();
            if Word::from_be_bytes(digest) != k.digest {
                return Err(TraceError::Part("a keccak digest is wrong"));
            }
        }
        Ok(())
    }
}

/// Pages, tree and statement.
fn parts(t: &BatchTrace, words: &[Access; 3]) -> Result<(), TraceError> {
    for page in &t.pages {
        if Page::new(page.words.clone())?.hash != page.hash {
            return Err(TraceError::Part("a page's hash is not that of its words"));
        }
    }
    t.tree.check()?;
    let rows: Vec<_> = t.tree.rows.iter().filter(|r| r.accessed).collect();
    let same = rows.len() == t.state_cells.len()
        && rows
            .iter()
            .zip(&t.state_cells)
            .all(|(r, c)| (r.key, r.old_value, r.new_value) == (c.key, c.old, c.new));
    if !same {
        return Err(TraceError::Part("the tree's rows are not the state cells"));
    }
    let s = &t.statement;
    let roots = (s.previous_state_root, s.new_state_root);
    if roots != (word_of(t.tree.old_root), word_of(t.tree.new_root)) {
        return Err(TraceError::Part("the statement's roots are not the tree's"));
    }
    if words.map(|w| w.old) != [s.batch_data_hash, s.priority_ops_hash, s.l2_to_l1_root] {
        return Err(TraceError::Part("the statement's hashes are not what the kernel returned"));
    }
    if t.pages.first().map(Page::hash_word) != Some(s.kernel_hash) {
        return Err(TraceError::Part("the statement's kernel hash is not that of page 0"));
    }
    let (hash, call) = hash_statement(s);
    let first = t.keccaks.first().map(|k| (k.clock, k.space, k.len, k.digest));
    if hash != t.statement_hash || first != Some((call.clock, call.space, call.len, call.digest)) {
        return Err(TraceError::Part("the statement's hash is wrong"));
    }
    Ok(())
}
