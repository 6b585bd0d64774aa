//! State cells as the batch sees them: the tree's values under what the batch has written.
//! The tree itself is never changed here.
use super::tracer::{Stamp, Tracer};
use super::{Halt, Machine};
use crate::state::{CellId, kind};
use crate::trace::{StateAccess, TransientFinal};
use crate::word::Word;
use foldhash::fast::RandomState;
use indexmap::IndexMap;
use std::collections::HashMap;
use std::hash::BuildHasher;

/// Anything that answers the value of a state cell before the batch; zero if absent.
pub trait StateRead {
    /// The value.
    fn read(&self, cell: &CellId) -> Word;
}

impl<H: BuildHasher> StateRead for HashMap<CellId, Word, H> {
    fn read(&self, cell: &CellId) -> Word {
        self.get(cell).copied().unwrap_or_default()
    }
}

/// A state cell that the batch accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The cell.
    pub cell: CellId,
    /// Value before the batch.
    pub old: Word,
    /// Value now.
    pub new: Word,
    /// Time of the last access; 0 in the fast mode.
    pub time: u64,
}

struct StateCell<S> {
    first: Word,
    value: Word,
    stamp: S,
    /// False while it has only been looked at.
    accessed: bool,
}

/// Cells by id, in the order in which they were first looked at.
struct Cells<S> {
    map: IndexMap<CellId, StateCell<S>, RandomState>,
    /// Place of the cell found last: who looks at a cell often accesses it next.
    recent: usize,
}

impl<S: Stamp> Cells<S> {
    fn with_capacity(cells: usize) -> Self {
        Cells { map: IndexMap::with_capacity_and_hasher(cells, RandomState::default()), recent: 0 }
    }

    /// The cell, which opens with what `read` answers.
    #[inline(always)]
    fn find(&mut self, id: &CellId, read: impl FnOnce() -> Word) -> &mut StateCell<S> {
        if self.map.get_index(self.recent).is_none_or(|(recent, _)| recent != id) {
            self.search(id, read);
        }
        &mut self.map[self.recent]
    }

    #[inline(never)]
    fn search(&mut self, id: &CellId, read: impl FnOnce() -> Word) {
        let entry = self.map.entry(*id);
        self.recent = entry.index();
        entry.or_insert_with(|| {
            let value = read();
            StateCell { first: value, value, stamp: S::default(), accessed: false }
        });
    }
}

/// Room for cells at the start: what a simple call accesses.
const CELLS: usize = 5;

/// The overlay.
pub struct World<'a, V, S> {
    view: &'a V,
    cells: Cells<S>,
    /// Cells of kind 5 of the running transaction.
    transient: Cells<S>,
    transaction: u32,
    /// Those of the transactions before; kept only with stamps.
    ended: Vec<TransientFinal>,
}

impl<'a, V: StateRead, S: Stamp> World<'a, V, S> {
    /// Nothing accessed yet.
    pub fn new(view: &'a V) -> Self {
        let (cells, transient) = (Cells::with_capacity(CELLS), Cells::with_capacity(0));
        World { view, cells, transient, transaction: 0, ended: Vec::new() }
    }

    /// Transient cells are zero from here on.
    pub fn begin_transaction(&mut self, clock: u32) {
        let mut ended: Vec<TransientFinal> = self.transient().collect();
        ended.sort_by_key(|t| t.cell);
        self.ended.extend(ended);
        self.transient.map.clear();
        self.transaction = clock;
    }

    /// The transient cells of the running transaction; none in the fast mode.
    fn transient(&self) -> impl Iterator<Item = TransientFinal> {
        let stamped = self.transient.map.iter().filter(|(_, c)| c.stamp.time() != 0);
        stamped.map(|(cell, c)| TransientFinal {
            transaction: self.transaction,
            cell: *cell,
            value: c.value,
            time: c.stamp.time(),
        })
    }

    /// All transient cells, in order of transaction; none in the fast mode.
    pub fn into_transient(mut self) -> Vec<TransientFinal> {
        self.begin_transaction(u32::MAX);
        self.ended
    }

    /// Cells held.
    pub fn len(&self) -> usize {
        self.cells.map.len() + self.transient.map.len()
    }

    #[inline(always)]
    fn find(&mut self, id: &CellId) -> &mut StateCell<S> {
        let view = self.view;
        match id.kind {
            kind::TRANSIENT => self.transient.find(id, || Word::ZERO),
            _ => self.cells.find(id, || view.read(id)),
        }
    }

    #[inline(always)]
    fn access(&mut self, id: CellId, time: u64, new: Option<Word>) -> StateAccess {
        let cell = self.find(&id);
        let (old, old_time) = (cell.value, cell.stamp.time());
        cell.value = new.unwrap_or(old);
        cell.stamp = S::at(time);
        cell.accessed = true;
        StateAccess { cell: id, time, old_time, old, new: cell.value }
    }

    /// A cell's value, without being an access, and whether the batch has accessed it; a transient cell, the transaction.
    #[inline(always)]
    pub fn look(&mut self, id: &CellId) -> (Word, bool) {
        let cell = self.find(id);
        (cell.value, cell.accessed)
    }

    /// A cell's value, without being an access.
    pub fn peek(&self, id: &CellId) -> Word {
        let (cells, fresh) = match id.kind {
            kind::TRANSIENT => (&self.transient, true),
            _ => (&self.cells, false),
        };
        match cells.map.get(id) {
            Some(cell) => cell.value,
            None if fresh => Word::ZERO,
            None => self.view.read(id),
        }
    }

    /// All cells accessed, in the order in which they were first looked at.
    pub fn touched(&self) -> Vec<Touched> {
        let of = |(cell, c): (&CellId, &StateCell<S>)| Touched {
            cell: *cell,
            old: c.first,
            new: c.value,
            time: c.stamp.time(),
        };
        self.cells.map.iter().filter(|(_, c)| c.accessed).map(of).collect()
    }
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// A state access at time `k` of this step.
    #[inline(always)]
    pub(super) fn state(&mut self, cell: CellId, k: u64, new: Option<Word>) -> Result<StateAccess, Halt> {
        let time = self.time(k);
        let access = self.world.access(cell, time, new);
        self.tracer.cell(access);
        Ok(access)
    }
}
