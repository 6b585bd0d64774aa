//! The journal's two ends: a `revert` step takes the newest entry back, or the batch ends and the entry is dropped.
//! An entry is sent once, by the write that made it, and so can be taken back or dropped but never both.
use super::gadgets::{CellCom, WordCom, account_value, journal_elements, opaque_word, state_access};
use super::message::Keyed;
use crate::circuit::chip::AssignError;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::isa::op;
use lathe_vm::trace::{Effect, JournalEntry, StateAccess, Step};

/// A step of `revert` that undoes the newest journal entry and stays at its pc.
///
/// Undoing too little is unprovable, since the step that ends the context requires the journal head of the call.
/// Undoing too much is, since every undo lowers `jhead` (an entry's predecessor is older) and no other instruction
/// runs before the context has ended: the head of the call is never seen again.
pub struct UndoChip;

/// A journal entry that outlives the batch.
pub struct DropChip;

/// An undo step.
#[derive(Clone, Debug)]
pub struct UndoRow {
    /// The step.
    pub step: Step,
    /// The entry taken back.
    pub entry: JournalEntry,
    /// The state write that restores it.
    pub cell: StateAccess,
}

/// Commits an entry's predecessor, cell and old value as they arrive over the bus.
fn commit_entry(b: &mut RowBuilder<'_>, entry: Option<&JournalEntry>) -> (Com, CellCom, WordCom) {
    let prev = b.commit(Fr::from(entry.map_or(0, |e| u64::from(e.prev))));
    let account = b.commit(entry.map_or(Fr::ZERO, |e| account_value(&e.cell)));
    let slot = opaque_word(b, entry.map_or(Word::ZERO, |e| e.cell.slot));
    let old = opaque_word(b, entry.map_or(Word::ZERO, |e| e.old));
    (prev, CellCom { account, slot }, old)
}

impl Chip for UndoChip {
    type Row = UndoRow;

    fn name(&self) -> &'static str {
        "undo"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<UndoRow>, AssignError> {
        let row = |step: Step| match step.effect {
            Effect::Undo { entry, cell } => Some(UndoRow { step, entry, cell }),
            _ => None,
        };
        Ok(input.trace.steps.iter().filter_map(row).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&UndoRow>) {
        let on = b.boolean("on is a bit", row.is_some());
        let mut m = Keyed::receive_operands(b, row.map(|r| &r.step), true);
        m.alu.op = Com::int(u64::from(op::REVERT));
        // pc' = pc.
        m.alu.delta = -Com::int(1);
        let (prev, cell, old) = commit_entry(b, row.map(|r| &r.entry));
        b.receive(Tag::Journal, &on, &journal_elements(&m.regs.jhead, &prev, &cell, &old));
        m.change.jhead = prev - &m.regs.jhead;
        state_access(b, &on, &cell, &m.time(4), |_, _| old, row.map(|r| &r.cell));
        m.receive(b, &on);
    }
}

impl Chip for DropChip {
    type Row = JournalEntry;

    fn name(&self) -> &'static str {
        "drop"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<JournalEntry>, AssignError> {
        Ok(input.trace.journal.clone())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&JournalEntry>) {
        let on = b.boolean("on is a bit", row.is_some());
        let id = b.commit(Fr::from(row.map_or(0, |e| u64::from(e.id))));
        let (prev, cell, old) = commit_entry(b, row);
        b.receive(Tag::Journal, &on, &journal_elements(&id, &prev, &cell, &old));
    }
}

#[cfg(test)]
mod tests;
