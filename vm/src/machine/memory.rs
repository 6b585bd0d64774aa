//! Memory cells of all contexts, each with its last value and the time of its last access.
//! Cells open at zero; only the batch input opens with other values, and it is never written.
use super::tracer::Stamp;
use crate::trace::{Access, CellFinal, space};
use crate::word::Word;
use std::collections::BTreeMap;

/// Registers of a context.
const REGISTERS: usize = 6;
const CHUNK: usize = 64;
/// Chunks below this index lie in a vector, those above in a map: memory stays proportional to what is touched.
const DENSE: usize = 256;

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
    dense: Vec<Option<Chunk<S>>>,
    rest: BTreeMap<u32, Chunk<S>>,
}

impl<S: Stamp> Sparse<S> {
    fn new() -> Self {
        Sparse { dense: Vec::new(), rest: BTreeMap::new() }
    }

    fn get(&self, index: u32) -> Option<&Cell<S>> {
        let (chunk, place) = (index as usize / CHUNK, index as usize % CHUNK);
        let cells = match self.dense.get(chunk) {
            Some(cells) => cells.as_ref(),
            None => self.rest.get(&(chunk as u32)),
        };
        Some(&cells?[place])
    }

    fn cell(&mut self, index: u32, opened: &mut u64) -> &mut Cell<S> {
        let (chunk, place) = (index as usize / CHUNK, index as usize % CHUNK);
        let fresh = || {
            *opened += 1;
            Box::new([Cell::default(); CHUNK])
        };
        if chunk >= DENSE {
            return &mut self.rest.entry(chunk as u32).or_insert_with(fresh)[place];
        }
        if chunk >= self.dense.len() {
            self.dense.resize_with(chunk + 1, || None);
        }
        &mut self.dense[chunk].get_or_insert_with(fresh)[place]
    }

    /// Touched cells in order of index.
    fn touched(&self) -> impl Iterator<Item = (u32, &Cell<S>)> {
        let dense = self.dense.iter().enumerate().filter_map(|(i, c)| Some((i as u32, c.as_ref()?)));
        let rest = self.rest.iter().map(|(i, c)| (*i, c));
        dense.chain(rest).flat_map(|(chunk, cells)| {
            let base = chunk * CHUNK as u32;
            cells
                .iter()
                .enumerate()
                .map(move |(i, c)| (base + i as u32, c))
                .filter(|(_, c)| c.stamp.time() != 0)
        })
    }
}

#[derive(Debug)]
struct Context<S> {
    id: u32,
    slots: Sparse<S>,
    heap: Sparse<S>,
    regs: [Cell<S>; REGISTERS],
}

/// All memory of a batch.
#[derive(Debug)]
pub struct Memory<S> {
    /// In order of id.
    contexts: Vec<Context<S>>,
    input: Vec<Cell<S>>,
    /// Chunks held.
    opened: u64,
}

impl<S: Stamp> Memory<S> {
    /// Context 0 with `input` as the posted bytes: words `0 .. len / 32 + 2`.
    pub fn new(input: &[u8]) -> Self {
        let mut bytes = input.to_vec();
        bytes.resize((input.len() / 32 + 2) * 32, 0);
        let word = |c: &[u8]| {
            let mut be = [0; 32];
            be.copy_from_slice(c);
            Cell { value: Word::from_be_bytes(be), stamp: S::default() }
        };
        let input = bytes.chunks_exact(32).map(word).collect();
        let mut memory = Memory { contexts: Vec::new(), input, opened: 0 };
        memory.open(0);
        memory
    }

    /// Opens a context; ids must rise.
    pub fn open(&mut self, id: u32) {
        self.contexts.push(Context {
            id,
            slots: Sparse::new(),
            heap: Sparse::new(),
            regs: [Cell::default(); REGISTERS],
        });
    }

    /// Bytes of the cells held, as the fast mode holds them.
    pub fn bytes(&self) -> u64 {
        self.opened * (CHUNK * size_of::<Cell<()>>()) as u64
    }

    /// Where a context lies in the list.
    fn place(&self, ctx: u32) -> Option<usize> {
        match self.contexts.last() {
            Some(last) if last.id == ctx => Some(self.contexts.len() - 1),
            _ => self.contexts.binary_search_by_key(&ctx, |c| c.id).ok(),
        }
    }

    fn cell(&mut self, space: u8, ctx: u32, index: u32) -> Option<&mut Cell<S>> {
        if space == space::INPUT {
            return self.input.get_mut(index as usize);
        }
        let place = self.place(ctx)?;
        let context = &mut self.contexts[place];
        match space {
            space::SLOT => Some(context.slots.cell(index, &mut self.opened)),
            space::HEAP => Some(context.heap.cell(index, &mut self.opened)),
            space::REG => context.regs.get_mut(index as usize),
            _ => None,
        }
    }

    /// Reads a cell, or writes it when `new` is given, and stamps it with `time`.
    /// `None` if there is no such cell: a context never opened, input beyond its end.
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

    /// Changes the value that the latest access of a cell left, without being an access itself.
    pub fn patch(&mut self, space: u8, ctx: u32, index: u32, value: Word) {
        if let Some(cell) = self.cell(space, ctx, index) {
            cell.value = value;
        }
    }

    /// Reads a value without leaving a trace, and without holding more than before.
    pub fn peek(&self, space: u8, ctx: u32, index: u32) -> Word {
        let found = || {
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
