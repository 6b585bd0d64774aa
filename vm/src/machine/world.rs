//! State cells as the batch sees them: the tree's values under what the batch has written.
//! The tree itself is never changed here.
use super::tracer::{Stamp, Tracer};
use super::{Halt, Machine};
use crate::state::CellId;
use crate::trace::StateAccess;
use crate::word::Word;
use std::collections::HashMap;

/// Anything that answers the value of a state cell before the batch; zero if absent.
pub trait StateRead {
    /// The value.
    fn read(&self, cell: &CellId) -> Word;
}

impl StateRead for HashMap<CellId, Word> {
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

/// The overlay.
pub struct World<'a, V, S> {
    view: &'a V,
    cells: HashMap<CellId, StateCell<S>>,
}

impl<'a, V: StateRead, S: Stamp> World<'a, V, S> {
    /// Nothing accessed yet.
    pub fn new(view: &'a V) -> Self {
        World { view, cells: HashMap::new() }
    }

    fn access(&mut self, id: CellId, time: u64, new: Option<Word>) -> StateAccess {
        let view = self.view;
        let cell = self.cells.entry(id).or_insert_with(|| {
            let value = view.read(&id);
            StateCell { first: value, value, stamp: S::default() }
        });
        let (old, old_time) = (cell.value, cell.stamp.time());
        cell.value = new.unwrap_or(old);
        cell.stamp = S::at(time);
        StateAccess { cell: id, time, old_time, old, new: cell.value }
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
        Ok(self.world.access(cell, time, new))
    }
}
