//! Memory cells of all contexts, each with its last value and the time of its last access.
//! Cells open at zero; only the batch input opens with other values, and it is never written.
use super::tracer::Stamp;
use crate::trace::{Access, CellFinal, space};
use crate::word::Word;
use std::collections::BTreeMap;

/// Registers of a context.
const REGISTERS: usize = 8;
/// The first cells lie in a vector, those beyond in chunks of a map. The vector doubles once a quarter of what it would
/// take in is there: what is held stays proportional to what is touched, and what is used densely is found at once.
const FIRST: usize = 32;
const CHUNK: usize = 8;

/// A cell: last value and stamp.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cell<S> {
    /// Last value.
    pub value: Word,
    /// Time of the last access.
    pub stamp: S,
}

type Chunk<S> = Box<[Cell<S>; CHUNK]>;

/// One space of one context.
#[derive(Debug)]
struct Sparse<S> {
    dense: Vec<Cell<S>>,
    rest: BTreeMap<u32, Chunk<S>>,
    /// Chunks that the vector takes in when it doubles.
    near: usize,
}

impl<S: Stamp> Sparse<S> {
    fn new() -> Self {
        Sparse { dense: Vec::new(), rest: BTreeMap::new(), near: 0 }
    }

    fn get(&self, index: u32) -> Option<&Cell<S>> {
        let i = index as usize;
        self.dense.get(i).or_else(|| Some(&self.rest.get(&(index / CHUNK as u32))?[i % CHUNK]))
    }

    #[inline(always)]
    fn cell(&mut self, index: u32, opened: &mut u64) -> &mut Cell<S> {
        if (index as usize) < self.dense.len() {
            return &mut self.dense[index as usize];
        }
        self.open(index, opened)
    }

    /// A cell beyond the vector; `opened` counts what is made room for.
    #[cold]
    fn open(&mut self, index: u32, opened: &mut u64) -> &mut Cell<S> {
        let (i, length) = (index as usize, self.dense.len());
        if i < FIRST {
            self.grow(FIRST, opened);
            return &mut self.dense[i];
        }
        let number = index / CHUNK as u32;
        if !self.rest.contains_key(&number) {
            *opened += CHUNK as u64;
            if i < 2 * length {
                self.near += 1;
            }
            self.rest.insert(number, Box::new([Cell::default(); CHUNK]));
            if i < 2 * length && 4 * self.near * CHUNK >= length {
                self.grow(2 * length, opened);
                return &mut self.dense[i];
            }
        }
        let chunk = self.rest.get_mut(&number).expect("it is there, or was inserted");
        &mut chunk[i % CHUNK]
    }

    /// Lengthens the vector, which takes in the chunks that lie there.
    fn grow(&mut self, length: usize, opened: &mut u64) {
        if self.rest.is_empty() {
            *opened += (length - self.dense.len()) as u64;
            self.dense.resize(length, Cell::default());
            return;
        }
        let beyond = self.rest.split_off(&((length / CHUNK) as u32));
        let inside = std::mem::replace(&mut self.rest, beyond);
        *opened += (length - self.dense.len() - inside.len() * CHUNK) as u64;
        self.dense.resize(length, Cell::default());
        for (chunk, cells) in inside {
            self.dense[chunk as usize * CHUNK..][..CHUNK].copy_from_slice(&*cells);
        }
        self.near = self.rest.range(..(2 * length / CHUNK) as u32).count();
    }

    /// Cells there is room for.
    fn opened(&self) -> u64 {
        (self.dense.len() + self.rest.len() * CHUNK) as u64
    }

    /// Touched cells in order of index.
    fn touched(&self) -> impl Iterator<Item = (u32, &Cell<S>)> {
        let dense = (0..).zip(&self.dense);
        let rest = self.rest.iter().flat_map(|(chunk, cells)| (chunk * CHUNK as u32..).zip(cells.iter()));
        dense.chain(rest).filter(|(_, c)| c.stamp.time() != 0)
    }
}

#[derive(Debug)]
struct Context<S> {
    id: u32,
    slots: Sparse<S>,
    heap: Sparse<S>,
    regs: [Cell<S>; REGISTERS],
}

/// The slots of one context, for the operands of steps.
pub struct Slots<'a, S> {
    cells: &'a mut Sparse<S>,
    opened: &'a mut u64,
}

impl<S: Stamp> Slots<'_, S> {
    /// The first slots, which lie side by side.
    #[inline(always)]
    pub fn first(&mut self) -> &mut [Cell<S>] {
        &mut self.cells.dense
    }

    /// A slot, wherever it lies.
    #[inline(always)]
    pub fn cell(&mut self, index: u32) -> &mut Cell<S> {
        self.cells.cell(index, self.opened)
    }
}

impl<S: Stamp> Cell<S> {
    /// Reads at `time`; answers the stamp that the cell had.
    #[inline(always)]
    pub fn read(&mut self, time: u64) -> S {
        std::mem::replace(&mut self.stamp, S::at(time))
    }
}

/// All memory of a batch.
#[derive(Debug)]
pub struct Memory<S> {
    /// In order of id.
    contexts: Vec<Context<S>>,
    input: Vec<Cell<S>>,
    /// Place of the context accessed last.
    recent: usize,
    /// Cells held.
    opened: u64,
}

impl<S: Stamp> Memory<S> {
    /// Context 0 with `input` as the posted bytes: words `0 .. len / 32 + 2`.
    pub fn new(input: &[u8]) -> Self {
        let word = |c: &[u8]| {
            let mut be = [0; 32];
            be[..c.len()].copy_from_slice(c);
            Cell { value: Word::from_be_bytes(be), stamp: S::default() }
        };
        let mut cells = Vec::with_capacity(input.len() / 32 + 2);
        cells.extend(input.chunks(32).map(word));
        cells.resize(input.len() / 32 + 2, Cell::default());
        let input = cells;
        let mut memory = Memory { contexts: Vec::with_capacity(2), input, recent: 0, opened: 0 };
        memory.open(0);
        memory
    }

    /// Opens a context; ids must rise.
    pub fn open(&mut self, id: u32) {
        // Its first step reads slots.
        let mut slots = Sparse::new();
        slots.grow(FIRST, &mut self.opened);
        self.contexts.push(Context { id, slots, heap: Sparse::new(), regs: [Cell::default(); REGISTERS] });
    }

    /// Drops a space, [`space::SLOT`] or [`space::HEAP`], of a context that has ended.
    pub fn forget(&mut self, space: u8, ctx: u32) {
        if let Some(place) = self.place(ctx) {
            let context = &mut self.contexts[place];
            let cells = if space == space::SLOT { &mut context.slots } else { &mut context.heap };
            self.opened -= cells.opened();
            *cells = Sparse::new();
        }
    }

    /// Bytes of the cells held, as the fast mode holds them.
    pub fn bytes(&self) -> u64 {
        self.opened * size_of::<Cell<()>>() as u64 + (self.contexts.len() * size_of::<Context<()>>()) as u64
    }

    /// Where a context lies in the list.
    #[inline(always)]
    fn place(&self, ctx: u32) -> Option<usize> {
        match self.contexts.get(self.recent) {
            Some(recent) if recent.id == ctx => Some(self.recent),
            _ => self.contexts.binary_search_by_key(&ctx, |c| c.id).ok(),
        }
    }

    #[inline(always)]
    fn cell(&mut self, space: u8, ctx: u32, index: u32) -> Option<&mut Cell<S>> {
        if space == space::INPUT {
            return self.input.get_mut(index as usize);
        }
        self.recent = self.place(ctx)?;
        let context = &mut self.contexts[self.recent];
        match space {
            space::SLOT => Some(context.slots.cell(index, &mut self.opened)),
            space::HEAP => Some(context.heap.cell(index, &mut self.opened)),
            space::REG => context.regs.get_mut(index as usize),
            _ => None,
        }
    }

    /// Reads a cell, or writes it when `new` is given, and stamps it with `time`.
    /// `None` if there is no such cell: a context never opened, input beyond its end.
    #[inline(always)]
    pub fn access(
        &mut self,
        space: u8,
        ctx: u32,
        index: u32,
        time: u64,
        new: Option<Word>,
    ) -> Option<Access> {
        let cell = self.cell(space, ctx, index)?;
        let (old, old_time) = (cell.value, cell.stamp.time());
        let new = new.unwrap_or(old);
        cell.value = new;
        cell.stamp = S::at(time);
        Some(Access { space, ctx, index, time, old_time, old, new })
    }

    /// The slots of a context; `None` if it was never opened.
    #[inline(always)]
    pub fn slots(&mut self, ctx: u32) -> Option<Slots<'_, S>> {
        self.recent = self.place(ctx)?;
        Some(Slots { cells: &mut self.contexts[self.recent].slots, opened: &mut self.opened })
    }

    /// Reads a value without leaving a trace, and without holding more than before.
    pub fn peek(&self, space: u8, ctx: u32, index: u32) -> Word {
        let found = || {
            if space == space::INPUT {
                return self.input.get(index as usize);
            }
            let context = self.contexts.get(self.place(ctx)?)?;
            match space {
                space::SLOT => context.slots.get(index),
                space::HEAP => context.heap.get(index),
                space::REG => context.regs.get(index as usize),
                _ => None,
            }
        };
        found().map_or(Word::ZERO, |c| c.value)
    }

    /// Touched slots, heap words and registers, strictly increasing by (space, ctx, index).
    pub fn cells(&self) -> Vec<CellFinal> {
        let mut out = Vec::new();
        let of = |space, ctx, (index, c): (u32, &Cell<S>)| CellFinal {
            space,
            ctx,
            index,
            time: c.stamp.time(),
            value: c.value,
        };
        for c in &self.contexts {
            out.extend(c.slots.touched().map(|cell| of(space::SLOT, c.id, cell)));
        }
        for c in &self.contexts {
            out.extend(c.heap.touched().map(|cell| of(space::HEAP, c.id, cell)));
        }
        for c in &self.contexts {
            let regs = c.regs.iter().enumerate().filter(|(_, r)| r.stamp.time() != 0);
            out.extend(regs.map(|(i, r)| of(space::REG, c.id, (i as u32, r))));
        }
        out
    }

    /// All input words, touched or not.
    pub fn input_cells(&self) -> Vec<CellFinal> {
        let cell = |(i, c): (usize, &Cell<S>)| CellFinal {
            space: space::INPUT,
            ctx: 0,
            index: i as u32,
            time: c.stamp.time(),
            value: c.value,
        };
        self.input.iter().enumerate().map(cell).collect()
    }
}

#[cfg(test)]
mod tests;
