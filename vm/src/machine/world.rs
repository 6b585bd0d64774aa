//! State cells as the batch sees them: the tree's values under what the batch has written.
//! The tree itself is never changed here.
use super::tracer::{Stamp, Tracer};
use super::{Halt, Machine};
use crate::state::{CellId, kind};
use crate::trace::{StateAccess, TransientFinal};
use crate::word::Word;
use foldhash::fast::RandomState;
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
}

/// Room for cells at the start: what a simple transaction accesses.
const CELLS: usize = 28;

/// The overlay.
pub struct World<'a, V, S> {
    view: &'a V,
    cells: HashMap<CellId, StateCell<S>, RandomState>,
    /// Cells of kind 5 of the running transaction.
    transient: HashMap<CellId, StateCell<S>, RandomState>,
    transaction: u32,
    /// Those of the transactions before; kept only with stamps.
    ended: Vec<TransientFinal>,
}

impl<'a, V: StateRead, S: Stamp> World<'a, V, S> {
    /// Nothing accessed yet.
    pub fn new(view: &'a V) -> Self {
        let cells = HashMap::with_capacity_and_hasher(CELLS, RandomState::default());
        World { view, cells, transient: HashMap::default(), transaction: 0, ended: Vec::new() }
    }

    /// Transient cells are zero from here on.
    pub fn begin_transaction(&mut self, clock: u32) {
        let mut ended: Vec<TransientFinal> = self.transient().collect();
        ended.sort_by_key(|t| t.cell);
        self.ended.extend(ended);
        self.transient.clear();
        self.transaction = clock;
    }

    /// The transient cells of the running transaction; none in the fast mode.
    fn transient(&self) -> impl Iterator<Item = TransientFinal> {
        let stamped = self.transient.iter().filter(|(_, c)| c.stamp.time() != 0);
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
        self.cells.len() + self.transient.len()
    }

    fn access(&mut self, id: CellId, time: u64, new: Option<Word>) -> StateAccess {
        let view = self.view;
        let (cells, fresh) = match id.kind {
            kind::TRANSIENT => (&mut self.transient, true),
            _ => (&mut self.cells, false),
        };
        let cell = cells.entry(id).or_insert_with(|| {
            let value = if fresh { Word::ZERO } else { view.read(&id) };
            StateCell { first: value, value, stamp: S::default() }
        });
        let (old, old_time) = (cell.value, cell.stamp.time());
        cell.value = new.unwrap_or(old);
        cell.stamp = S::at(time);
        StateAccess { cell: id, time, old_time, old, new: cell.value }
    }

    /// A cell's value, without being an access, and whether the batch has accessed it; a transient cell, the transaction.
    pub fn look(&self, id: &CellId) -> (Word, bool) {
        let cells = if id.kind == kind::TRANSIENT { &self.transient } else { &self.cells };
        match cells.get(id) {
            Some(cell) => (cell.value, true),
            None if id.kind == kind::TRANSIENT => (Word::ZERO, false),
            None => (self.view.read(id), false),
        }
    }

    /// A cell's value, without being an access.
    pub fn peek(&self, id: &CellId) -> Word {
        self.look(id).0
    }

    /// All cells accessed, in no order.
    pub fn touched(&self) -> Vec<Touched> {
        let of = |(cell, c): (&CellId, &StateCell<S>)| Touched {
            cell: *cell,
            old: c.first,
            new: c.value,
            time: c.stamp.time(),
        };
        self.cells.iter().map(of).collect()
    }
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// A state access at time `k` of this step.
    pub(super) fn state(&mut self, cell: CellId, k: u64, new: Option<Word>) -> Result<StateAccess, Halt> {
        let time = self.time(k);
        let access = self.world.access(cell, time, new);
        self.tracer.cell(access);
        Ok(access)
    }
}
