//! Steps as the machine records them. One that only computes or jumps is not kept: who reads the steps runs it again, over
//! slots of his own. Of every other it is kept what it brings in: its result, its effect, and where it goes on.
use super::{Access, Effect, Executed, Flow, JournalEntry, Page, Regs, StateAccess, Step, space};
use crate::isa::{Status, op};
use crate::machine::memory::Memory;
use crate::machine::stretch::{Point, Went, indices, operands};
use crate::word::Word;
use std::sync::Arc;

/// Entries of a chunk.
const CHUNK: usize = 1 << 15;

/// A list in pieces, of which nothing is moved once it is written.
#[derive(Clone, Debug)]
struct Chunks<T> {
    full: Vec<Vec<T>>,
    open: Vec<T>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Chunks<T> {
        Chunks { full: Vec::new(), open: Vec::new() }
    }
}

impl<T> Chunks<T> {
    /// Adds an entry; answers how many there are now.
    fn push(&mut self, entry: T) -> u32 {
        if self.open.len() == CHUNK {
            self.full.push(std::mem::replace(&mut self.open, Vec::with_capacity(CHUNK)));
        }
        self.open.push(entry);
        (self.full.len() * CHUNK + self.open.len()) as u32
    }

    fn get(&self, index: usize) -> Option<&T> {
        let open = || self.open.get(index - self.full.len() * CHUNK);
        self.full.get(index / CHUNK).map_or_else(open, |chunk| chunk.get(index % CHUNK))
    }

    /// Host memory held, in bytes.
    fn bytes(&self) -> usize {
        (self.full.len() * CHUNK + self.open.capacity()) * size_of::<T>()
    }
}

/// A step that does more than compute or jump, or that halts.
#[derive(Clone, Copy, Debug)]
struct Kept {
    clock: u32,
    /// Registers after it: these, and the index of the others.
    pc: u32,
    gas: u32,
    run: u32,
    /// Index of its result plus one, or zero.
    result: u32,
    /// Index of its effect plus one, or zero.
    note: u32,
}

/// An effect; what has several accesses finds them in the lists.
#[derive(Clone, Debug)]
enum Note {
    Select,
    NearReturn,
    NearCall(Access),
    Heap(Access),
    Context(Access),
    Keccak { window: Access, call: usize },
    Executed { accesses: [u32; 2], cells: [u32; 2], journal: [u32; 2], flow: Flow },
    Other(Box<Effect>),
}

/// Accesses and entries of a step that is not complete yet.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    accesses: usize,
    cells: usize,
    journal: usize,
}

/// Recorded steps.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// How many there are, kept or not.
    steps: u32,
    kept: Chunks<Kept>,
    results: Chunks<Word>,
    /// Registers besides pc and gas, as often as they change.
    runs: Vec<Regs>,
    notes: Chunks<Note>,
    /// How many of them are [`Note::Other`].
    boxed: usize,
    accesses: Vec<Access>,
    cells: Vec<StateAccess>,
    journal: Vec<JournalEntry>,
    /// Ends of the lists at the last complete step.
    marks: Marks,
    pending: Option<Note>,
}

impl Recorded {
    /// A memory access of the step to come.
    pub fn access(&mut self, access: Access) {
        self.accesses.push(access);
    }

    /// A state access of the step to come.
    pub fn cell(&mut self, access: StateAccess) {
        self.cells.push(access);
    }

    /// A journal entry of the step to come.
    pub fn entry(&mut self, entry: JournalEntry) {
        self.journal.push(entry);
    }

    /// The effect of the step to come.
    pub fn effect(&mut self, effect: Effect) {
        self.pending = match effect {
            Effect::None => None,
            Effect::Select => Some(Note::Select),
            Effect::NearReturn => Some(Note::NearReturn),
            Effect::NearCall(a) => Some(Note::NearCall(a)),
            Effect::Heap(a) => Some(Note::Heap(a)),
            Effect::Context(a) => Some(Note::Context(a)),
            Effect::Keccak { window, call } => Some(Note::Keccak { window, call }),
            other => {
                self.boxed += 1;
                Some(Note::Other(Box::new(other)))
            }
        };
    }

    /// The step to come is an [`Effect::Executed`] of the accesses and entries told since the last step.
    pub fn executed(&mut self, flow: Flow) {
        let range = |from: usize, to: usize| [from as u32, to as u32];
        self.pending = Some(Note::Executed {
            accesses: range(self.marks.accesses, self.accesses.len()),
            cells: range(self.marks.cells, self.cells.len()),
            journal: range(self.marks.journal, self.journal.len()),
            flow,
        });
    }

    /// Adds a step that does more than compute or jump: the registers after it, and what it writes to `d`.
    pub fn step(&mut self, clock: u32, next: &Regs, result: Option<Word>) {
        let run = Regs { pc: 0, gas: 0, ..*next };
        if self.runs.last() != Some(&run) {
            self.runs.push(run);
        }
        let kept = Kept {
            clock,
            pc: next.pc,
            gas: next.gas,
            run: self.runs.len() as u32 - 1,
            result: result.map_or(0, |value| self.results.push(value)),
            note: self.settle(),
        };
        self.kept.push(kept);
    }

    /// Files what is pending; what was told for an effect that has it all itself is dropped.
    fn settle(&mut self) -> u32 {
        if !matches!(self.pending, Some(Note::Executed { .. })) {
            self.accesses.truncate(self.marks.accesses);
            self.cells.truncate(self.marks.cells);
            self.journal.truncate(self.marks.journal);
        }
        self.marks =
            Marks { accesses: self.accesses.len(), cells: self.cells.len(), journal: self.journal.len() };
        self.pending.take().map_or(0, |note| self.notes.push(note))
    }

    /// Says how many steps there were.
    pub fn ended(&mut self, steps: u32) {
        self.steps = steps;
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.steps as usize
    }

    /// Host memory held, in bytes.
    pub fn bytes(&self) -> u64 {
        fn of<T>(list: &Vec<T>) -> usize {
            list.capacity() * size_of::<T>()
        }
        let chunks = self.kept.bytes() + self.results.bytes() + self.notes.bytes();
        let lists = of(&self.accesses) + of(&self.cells) + of(&self.journal) + of(&self.runs);
        (chunks + lists + self.boxed * size_of::<Effect>()) as u64
    }

    /// The steps, of a run over these pages.
    pub(super) fn iter<'a>(&'a self, pages: &'a [Arc<Page>]) -> Rerun<'a> {
        Rerun {
            steps: self,
            pages,
            slots: Memory::new(&[]),
            newest: 0,
            regs: Regs::default(),
            clock: 0,
            at: 0,
        }
    }

    fn effect_of(&self, kept: &Kept) -> Effect {
        let found = kept.note.checked_sub(1).and_then(|at| self.notes.get(at as usize));
        let Some(note) = found else { return Effect::None };
        let range = |r: &[u32; 2]| r[0] as usize..r[1] as usize;
        match note {
            Note::Select => Effect::Select,
            Note::NearReturn => Effect::NearReturn,
            Note::NearCall(a) => Effect::NearCall(*a),
            Note::Heap(a) => Effect::Heap(*a),
            Note::Context(a) => Effect::Context(*a),
            Note::Keccak { window, call } => Effect::Keccak { window: *window, call: *call },
            Note::Executed { accesses, cells, journal, flow } => Effect::Executed(Box::new(Executed {
                accesses: self.accesses[range(accesses)].to_vec(),
                cells: self.cells[range(cells)].to_vec(),
                journal: self.journal[range(journal)].to_vec(),
                flow: *flow,
            })),
            Note::Other(effect) => (**effect).clone(),
        }
    }

    /// The registers after a kept step.
    fn regs(&self, kept: &Kept) -> Regs {
        Regs { pc: kept.pc, gas: kept.gas, ..self.runs[kept.run as usize] }
    }

    fn result(&self, kept: &Kept) -> Option<Word> {
        self.results.get(kept.result.checked_sub(1)? as usize).copied()
    }
}

/// The effect of a step that only computes or jumps.
#[inline(always)]
fn plain_effect(opcode: u16) -> Effect {
    match opcode {
        op::SELECT => Effect::Select,
        op::ADDMOD | op::MULMOD => Effect::Executed(Box::default()),
        _ => Effect::None,
    }
}

/// Gives out recorded steps in order, and runs those that are not kept.
pub(super) struct Rerun<'a> {
    steps: &'a Recorded,
    pages: &'a [Arc<Page>],
    /// Slots of the contexts that live.
    slots: Memory<u64>,
    /// The context opened last.
    newest: u32,
    regs: Regs,
    clock: u32,
    /// Kept steps so far.
    at: usize,
}

impl<'a> Rerun<'a> {
    /// The step under way, if it is kept.
    #[inline(always)]
    fn kept(&mut self) -> Option<&'a Kept> {
        let kept = self.steps.kept.get(self.at).filter(|kept| kept.clock == self.clock)?;
        self.at += 1;
        Some(kept)
    }

    /// Puts a slot in the state in which an access left it.
    fn leave(&mut self, a: &Access) {
        if a.space == space::SLOT
            && let Some(mut slots) = self.slots.slots(a.ctx)
        {
            let cell = slots.cell(a.index);
            (cell.value, cell.stamp) = (a.new, a.time);
        }
    }

    /// Opens the context that begins, or forgets the one that has ended.
    fn turn(&mut self, next: Regs) {
        let then = std::mem::replace(&mut self.regs, next);
        if next.ctx > self.newest && next.ctx != u32::MAX {
            self.slots.open(next.ctx);
            self.newest = next.ctx;
        } else if next.ctx < then.ctx {
            self.slots.forget(space::SLOT, then.ctx);
        }
    }
}

impl Iterator for Rerun<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.clock == self.steps.steps {
            return None;
        }
        self.clock += 1;
        let (clock, then, kept) = (self.clock, self.regs, self.kept());
        let mut at = Point::new(self.pages, Status::Executed, &then, clock);
        // Beyond the page a step is that of a word of zero.
        let word = at.word().unwrap_or_default();
        let places = indices(word, then.fp);
        let mut slots = self.slots.slots(then.ctx).expect("a context that runs was opened");
        let s = operands(&mut slots, word, then.fp, clock);
        let (next, result) = match kept {
            Some(kept) => (self.steps.regs(kept), self.steps.result(kept)),
            None => {
                let went = at.step(word, || s.a, || s.b, || s.old);
                let Went { pc, result } = went.unwrap_or_else(|_| panic!("step {clock} is not kept"));
                (Regs { pc, gas: at.gas, ..then }, result)
            }
        };
        if let Some(value) = result {
            slots.cell(places[2]).value = value;
        }
        let access = |k: usize, old: Word, new: Word| Access {
            space: space::SLOT,
            ctx: then.ctx,
            index: places[k - 1],
            time: 16 * u64::from(clock) + k as u64,
            old_time: s.before[k - 1],
            old,
            new,
        };
        let step = |effect: Effect| Step {
            clock,
            regs: then,
            next,
            word,
            a: access(1, s.a, s.a),
            b: access(2, s.b, s.b),
            d: access(3, s.old, result.unwrap_or(s.old)),
            effect,
        };
        let Some(kept) = kept else {
            self.regs = next;
            return Some(step(plain_effect(s.i.opcode)));
        };
        let effect = self.steps.effect_of(kept);
        effect.accesses().for_each(|a| self.leave(a));
        self.turn(next);
        Some(step(effect))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.steps.steps - self.clock) as usize;
        (left, Some(left))
    }
}
