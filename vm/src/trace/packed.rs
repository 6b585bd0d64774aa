//! Steps as the machine records them, some 70 bytes each: what follows from the instruction word and the registers is
//! left out, and so are the leading zeros of words. Nothing is moved once it is written.
use super::{Access, Effect, Executed, Flow, JournalEntry, Regs, StateAccess, Step, space};
use crate::isa::Instruction;
use crate::machine::tracer::Reads;
use crate::word::Word;

/// Limbs of 64 bits in a word.
const LIMBS: usize = 4;
/// The most limbs of a step: `a`, `b`, and `d` before and after.
const STEP_LIMBS: usize = 4 * LIMBS;
/// Length of `d` after the step if it is what it was before.
const SAME: u16 = 7;
/// Rows of a chunk, and limbs of one: some megabytes each.
const ROWS: usize = 1 << 15;
const CHUNK: usize = 1 << 17;

/// The fixed part of a step.
#[derive(Clone, Copy, Debug)]
struct Row {
    word: u64,
    /// At most a page's length.
    pc: u16,
    /// Index of the registers besides pc and gas.
    run: u32,
    gas: u32,
    /// Times of the accesses to `a`, `b`, `d` before these.
    before: [u32; 3],
    /// Index of the effect plus one, or zero.
    note: u32,
    /// Where the words begin: chunk and limb.
    limbs: u32,
    /// Limbs of each word, three bits each.
    lengths: u16,
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

/// Words without their leading zeros, in chunks.
#[derive(Clone, Debug)]
struct Limbs {
    full: Vec<Box<[u64]>>,
    open: Box<[u64]>,
    used: usize,
}

impl Limbs {
    fn new() -> Limbs {
        Limbs { full: Vec::new(), open: vec![0; CHUNK].into(), used: 0 }
    }

    /// Makes room for a step; answers where it begins.
    #[inline(always)]
    fn begin(&mut self) -> u32 {
        if self.used + STEP_LIMBS > CHUNK {
            self.grow();
        }
        (self.full.len() * CHUNK + self.used) as u32
    }

    #[cold]
    fn grow(&mut self) {
        self.full.push(std::mem::replace(&mut self.open, vec![0; CHUNK].into()));
        self.used = 0;
    }

    /// Writes a word; answers its length.
    #[inline(always)]
    fn push(&mut self, w: Word) -> u16 {
        let limbs = [w.lo as u64, (w.lo >> 64) as u64, w.hi as u64, (w.hi >> 64) as u64];
        let length = length(&limbs);
        // Room for the longest word; what lies beyond this one's length is written over.
        if let Some(room) = self.open[self.used..].first_chunk_mut() {
            *room = limbs;
        }
        self.used += length;
        length as u16
    }

    fn get(&self, at: usize, length: usize) -> Word {
        let (chunk, first) = (at / CHUNK, at % CHUNK);
        let limbs = self.full.get(chunk).unwrap_or(&self.open);
        let mut word = [0; LIMBS];
        word[..length].copy_from_slice(&limbs[first..first + length]);
        let half = |lo: u64, hi: u64| u128::from(hi) << 64 | u128::from(lo);
        Word::new(half(word[2], word[3]), half(word[0], word[1]))
    }
}

/// `a == b` by halves: as one comparison of 32 bytes it would wait for the store that made them.
#[inline(always)]
fn same(a: Word, b: Word) -> bool {
    (a.lo ^ b.lo) | (a.hi ^ b.hi) == 0
}

/// Limbs up to the last that is not zero.
#[inline(always)]
fn length(limbs: &[u64; LIMBS]) -> usize {
    match (limbs[3] != 0, limbs[2] != 0, limbs[1] != 0) {
        (true, _, _) => 4,
        (_, true, _) => 3,
        (_, _, true) => 2,
        _ => usize::from(limbs[0] != 0),
    }
}

/// Recorded steps.
#[derive(Clone, Debug)]
pub struct Packed {
    full: Vec<Vec<Row>>,
    rows: Vec<Row>,
    limbs: Limbs,
    /// Registers besides pc and gas, as often as they changed.
    runs: Vec<Regs>,
    /// Registers after the last step.
    end: Regs,
    notes: Vec<Note>,
    /// How many of them are [`Note::Other`].
    boxed: usize,
    accesses: Vec<Access>,
    cells: Vec<StateAccess>,
    journal: Vec<JournalEntry>,
    /// Ends of the lists at the last complete step.
    kept: Marks,
    pending: Option<Note>,
    /// Something is pending, or the lists are longer than kept.
    busy: bool,
}

impl Default for Packed {
    fn default() -> Packed {
        Packed {
            full: Vec::new(),
            rows: Vec::new(),
            limbs: Limbs::new(),
            runs: Vec::new(),
            end: Regs::default(),
            notes: Vec::new(),
            boxed: 0,
            accesses: Vec::new(),
            cells: Vec::new(),
            journal: Vec::new(),
            kept: Marks::default(),
            pending: None,
            busy: false,
        }
    }
}

impl Packed {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.full.len() * ROWS + self.rows.len()
    }

    /// A memory access of the step to come.
    pub fn access(&mut self, access: Access) {
        self.busy = true;
        self.accesses.push(access);
    }

    /// A state access of the step to come.
    pub fn cell(&mut self, access: StateAccess) {
        self.busy = true;
        self.cells.push(access);
    }

    /// A journal entry of the step to come.
    pub fn entry(&mut self, entry: JournalEntry) {
        self.busy = true;
        self.journal.push(entry);
    }

    /// The effect of the step to come.
    pub fn effect(&mut self, effect: Effect) {
        self.busy = true;
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
        self.busy = true;
        let range = |from: usize, to: usize| [from as u32, to as u32];
        self.pending = Some(Note::Executed {
            accesses: range(self.kept.accesses, self.accesses.len()),
            cells: range(self.kept.cells, self.cells.len()),
            journal: range(self.kept.journal, self.journal.len()),
            flow,
        });
    }

    /// The registers before the next step; they stay what they are, but for pc and gas, until the next call of this.
    pub fn turn(&mut self, regs: &Regs) {
        let run = Regs { pc: 0, gas: 0, ..*regs };
        if self.runs.last() != Some(&run) {
            self.runs.push(run);
        }
    }

    /// Adds a step: the registers before it, its word and operands, and `d` after it.
    #[inline(always)]
    pub fn step(&mut self, regs: &Regs, word: u64, o: &Reads<u64>, new: Word) {
        let note = if self.busy { self.settle() } else { 0 };
        let limbs = self.limbs.begin();
        let lengths = self.limbs.push(o.a)
            | self.limbs.push(o.b) << 3
            | self.limbs.push(o.old) << 6
            | if same(new, o.old) { SAME } else { self.limbs.push(new) } << 9;
        let row = Row {
            word,
            pc: regs.pc as u16,
            gas: regs.gas,
            run: self.runs.len() as u32 - 1,
            before: [o.before[0] as u32, o.before[1] as u32, o.before[2] as u32],
            note,
            limbs,
            lengths,
        };
        if self.rows.len() < self.rows.capacity() {
            self.rows.push(row);
        } else {
            self.grow(row);
        }
    }

    #[cold]
    fn grow(&mut self, row: Row) {
        let full = std::mem::replace(&mut self.rows, Vec::with_capacity(ROWS));
        self.rows.push(row);
        if !full.is_empty() {
            self.full.push(full);
        }
    }

    /// Files what is pending; what was told for an effect that has it all itself is dropped.
    #[inline(never)]
    fn settle(&mut self) -> u32 {
        self.busy = false;
        if !matches!(self.pending, Some(Note::Executed { .. })) {
            self.accesses.truncate(self.kept.accesses);
            self.cells.truncate(self.kept.cells);
            self.journal.truncate(self.kept.journal);
        }
        self.kept =
            Marks { accesses: self.accesses.len(), cells: self.cells.len(), journal: self.journal.len() };
        let Some(note) = self.pending.take() else { return 0 };
        self.notes.push(note);
        self.notes.len() as u32
    }

    /// Host memory held, in bytes.
    pub fn bytes(&self) -> u64 {
        fn of<T>(list: &Vec<T>) -> usize {
            list.capacity() * size_of::<T>()
        }
        let rows = self.full.len() * ROWS * size_of::<Row>() + of(&self.rows);
        let limbs = (self.limbs.full.len() + 1) * CHUNK * size_of::<u64>();
        let notes = of(&self.notes) + self.boxed * size_of::<Effect>();
        let lists = of(&self.accesses) + of(&self.cells) + of(&self.journal) + of(&self.runs);
        (rows + limbs + notes + lists) as u64
    }

    /// Says what the registers are after the last step.
    pub fn ended(&mut self, regs: Regs) {
        self.end = regs;
    }

    fn row(&self, index: usize) -> Option<&Row> {
        self.full.get(index / ROWS).unwrap_or(&self.rows).get(index % ROWS)
    }

    fn regs(&self, row: &Row) -> Regs {
        Regs { pc: row.pc.into(), gas: row.gas, ..self.runs[row.run as usize] }
    }

    fn note(&self, row: &Row) -> Effect {
        let Some(at) = row.note.checked_sub(1) else { return Effect::None };
        let range = |r: &[u32; 2]| r[0] as usize..r[1] as usize;
        match &self.notes[at as usize] {
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

    /// Step `index`.
    pub(super) fn get(&self, index: usize) -> Option<Step> {
        let row = self.row(index)?;
        let clock = index as u32 + 1;
        let regs = self.regs(row);
        let mut at = row.limbs as usize;
        let mut word = |i: u16| {
            let length = usize::from(row.lengths >> (3 * i) & 7);
            let word = self.limbs.get(at, length);
            at += length;
            word
        };
        let (a, b, old) = (word(0), word(1), word(2));
        let new = if row.lengths >> 9 == SAME { old } else { word(3) };
        let slots = Instruction::decode(row.word).slots();
        let access = |slot: u16, k: usize, old: Word, new: Word| Access {
            space: space::SLOT,
            ctx: regs.ctx,
            index: regs.fp + u32::from(slot),
            time: 16 * u64::from(clock) + k as u64,
            old_time: row.before[k - 1].into(),
            old,
            new,
        };
        Some(Step {
            clock,
            regs,
            next: self.row(index + 1).map_or(self.end, |next| self.regs(next)),
            word: row.word,
            a: access(slots.0, 1, a, a),
            b: access(slots.1, 2, b, b),
            d: access(slots.2, 3, old, new),
            effect: self.note(row),
        })
    }
}
