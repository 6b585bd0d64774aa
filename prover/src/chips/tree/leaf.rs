//! The border of the state: one row per touched leaf, by strictly increasing key. A row opens its cell with the value
//! under the old root and closes it with the value under the new one.
//! Two rows for one cell would be two histories of it: keys are canonical and increase strictly. New leaves take the
//! indices from the number of leaves on, in order of keys: another place would be another, equally plausible, root.
use super::node::node_elements;
use crate::chips::gadgets::{CellCom, WordCom, account_value, opaque_word, state_elements};
use crate::chips::poseidon::{canonical_word, chain, compress_committed, less_than, value};
use crate::circuit::chip::AssignError;
use crate::circuit::{Chip, Com, Lc, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::state::{LeafRow, RowKind};
use lathe_vm::trace::StateFinal;

/// The state border (a singleton: head circuit only).
pub struct LeafChip;

/// A leaf row, with the cell if it is accessed.
#[derive(Clone, Debug)]
pub struct BorderRow {
    /// The row of the multi-proof.
    pub leaf: LeafRow,
    /// The cell whose key it is; present if the row is accessed.
    pub cell: Option<StateFinal>,
}

/// What a row hands to the next: imports and exports in this order.
struct Border {
    on: Com,
    key: WordCom,
    gap_end: WordCom,
    carry: Com,
    /// Leaves in the tree so far; the index that the next inserted leaf takes.
    count: Com,
}

/// The bus elements of the number of leaves before (`after` false) or after the batch.
pub fn count_elements(after: bool, count: &Com) -> [(u8, Com); 2] {
    [(0, Com::int(u64::from(after))), (1, count.clone())]
}

impl Border {
    fn import(b: &mut RowBuilder<'_>) -> Border {
        let [on, key_lo, key_hi, end_lo, end_hi, carry, count] = [0, 1, 2, 3, 4, 5, 6].map(|i| b.import(i));
        let (key, gap_end) = (WordCom { lo: key_lo, hi: key_hi }, WordCom { lo: end_lo, hi: end_hi });
        Border { on, key, gap_end, carry, count }
    }

    fn export(&self, b: &mut RowBuilder<'_>) {
        let words = [&self.key.lo, &self.key.hi, &self.gap_end.lo, &self.gap_end.hi];
        b.export(&self.on);
        words.into_iter().for_each(|c| b.export(c));
        b.export(&self.carry);
        b.export(&self.count);
    }
}

/// The kind of a row as bits of which exactly one is set on a used row and none on a padding row.
struct Kind {
    inserted: Com,
    absent: Com,
    existing: Com,
    accessed: Com,
    /// Existing and not accessed.
    quiet: Com,
}

impl Kind {
    /// 4 constraints.
    fn commit(b: &mut RowBuilder<'_>, on: &Com, row: Option<&LeafRow>) -> Kind {
        let is = |kind| row.is_some_and(|r| r.kind == kind);
        let inserted = b.boolean("inserted is a bit", is(RowKind::Inserted));
        let absent = b.boolean("absent is a bit", is(RowKind::Absent));
        let quiet = b.boolean("quiet is a bit", row.is_some_and(|r| !r.accessed));
        let existing = on - &inserted - &absent;
        // An inserted or absent row is always accessed: nobody may make a leaf without naming its cell.
        let loud = &existing - &quiet;
        b.enforce("existing and accessed: on - inserted - absent - quiet is a bit", &loud, &loud, &loud);
        let accessed = on - &quiet;
        Kind { inserted, absent, existing, accessed, quiet }
    }
}

impl Chip for LeafChip {
    type Row = BorderRow;

    fn name(&self) -> &'static str {
        "tree leaf"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<BorderRow>, AssignError> {
        border_rows(&input.trace.tree.rows, &input.trace.state_cells)
            .map_err(|reason| AssignError::Trace { chip: Chip::name(self), reason })
    }

    /// Before the first row: key -1, so that any key may come first, and an empty gap, so that the first row must
    /// be an existing leaf. The number of leaves is the one in the statement's old root.
    fn header(&self, b: &mut RowBuilder<'_>, input: Option<&ProverInput<'_>>) {
        let values = [Fr::ONE, -Fr::ONE, Fr::ZERO, Fr::ZERO, Fr::ZERO, Fr::ZERO];
        let [on, key_lo, key_hi, end_lo, end_hi, carry] = values.map(|x| {
            let c = b.commit(x);
            b.zero("the border before the first row is a constant", &c - Com::constant(x));
            c
        });
        let (key, gap_end) = (WordCom { lo: key_lo, hi: key_hi }, WordCom { lo: end_lo, hi: end_hi });
        let count = b.commit(Fr::from(input.map_or(0, |i| i.trace.tree.old_count)));
        b.send(Tag::LeafCount, &Com::int(1), &count_elements(false, &count));
        Border { on, key, gap_end, carry, count }.export(b);
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&BorderRow>) {
        let leaf = row.map(|r| &r.leaf);
        let before = Border::import(b);
        let on = b.boolean("on is a bit", row.is_some());
        b.enforce("on * (1 - on_before) = 0", &on, Com::int(1) - &before.on, 0u64);
        let kind = Kind::commit(b, &on, leaf);

        // Keys and gap ends as integers: key_before < key < gap_end.
        let field = |f: fn(&LeafRow) -> Fr| leaf.map_or(Fr::ZERO, f);
        let key_word = canonical_word(b, &on, field(|r| r.key));
        less_than(b, &on, &before.key, &key_word);
        let gap_end = canonical_word(b, &on, field(|r| r.gap_end));
        less_than(b, &on, &key_word, &gap_end);
        let carry = b.commit(field(|r| r.carry));
        let key = value(&key_word);
        gap(b, &kind, &before, &key, &value(&gap_end), &carry);

        let word = |f: fn(&LeafRow) -> Word| leaf.map_or(Word::ZERO, f);
        let old = opaque_word(b, word(|r| r.old_value));
        let new = opaque_word(b, word(|r| r.new_value));
        values(b, &kind, &old, &new);

        // The leaf before and after. An inserted leaf was empty before; an absent one sends nothing.
        let index = b.commit(Fr::from(leaf.map_or(0, |r| u64::from(r.index))));
        // It takes the first free index. Only a used row can be inserted, so that padding rows keep the count.
        b.enforce("inserted * (index - count_before) = 0", &kind.inserted, &index - &before.count, 0u64);
        let count =
            b.product_committed("count = count_before + inserted", &before.count + &kind.inserted, 1u64);
        let old_hash = chain(b, &key, &[value(&gap_end), old.lo.clone(), old.hi.clone()]);
        let old_hash = b.product_committed("old leaf = existing * hash", &kind.existing, old_hash);
        let new_hash = chain(b, &key, &[carry.clone(), new.lo.clone()]);
        let new_hash = compress_committed(b, new_hash, &new.hi);
        b.send(Tag::Node, &(&on - &kind.absent), &node_elements(&Com::zero(), &index, &old_hash, &new_hash));

        open_and_close(b, &kind.accessed, &key, &old, &new, row.and_then(|r| r.cell.as_ref()));
        Border { on, key: key_word, gap_end, carry, count }.export(b);
    }

    fn footer(&self, b: &mut RowBuilder<'_>, _input: Option<&ProverInput<'_>>) {
        let last = Border::import(b);
        b.zero("carry of the last row = its gap_end", &last.carry - value(&last.gap_end));
        b.send(Tag::LeafCount, &Com::int(1), &count_elements(true, &last.count));
    }
}

/// The linked list: guests (inserted and absent rows) lie in the gap of the existing row before them, and the carry of
/// the row before is the pointer it gets.
fn gap(b: &mut RowBuilder<'_>, kind: &Kind, before: &Border, key: &Com, gap_end: &Com, carry: &Com) {
    let guest = &kind.inserted + &kind.absent;
    let end_before = value(&before.gap_end);
    b.enforce("guest * (gap_end - gap_end_before) = 0", &guest, gap_end - &end_before, 0u64);
    b.enforce("inserted * (carry_before - key) = 0", &kind.inserted, &before.carry - key, 0u64);
    b.enforce("absent * (carry_before - carry) = 0", &kind.absent, &before.carry - carry, 0u64);
    let host = Com::int(1) - guest;
    b.enforce("(1 - guest) * (carry_before - gap_end_before) = 0", host, &before.carry - end_before, 0u64);
}

/// What the values before and after may be for each kind.
fn values(b: &mut RowBuilder<'_>, kind: &Kind, old: &WordCom, new: &WordCom) {
    let guest = &kind.inserted + &kind.absent;
    b.enforce("guest * old.lo = 0", &guest, &old.lo, 0u64);
    b.enforce("guest * old.hi = 0", &guest, &old.hi, 0u64);
    let same = &kind.quiet + &kind.absent;
    b.enforce("(quiet + absent) * (new.lo - old.lo) = 0", &same, &new.lo - &old.lo, 0u64);
    b.enforce("(quiet + absent) * (new.hi - old.hi) = 0", &same, &new.hi - &old.hi, 0u64);
    // A leaf is made only for a value that is not zero; halves are below 2^128, so their sum is zero only if both are.
    let sum = &new.lo + &new.hi;
    let inverse = b.wire((sum.value().invert().unwrap_or(Fr::ZERO)) * kind.inserted.value());
    b.enforce("(new.lo + new.hi) * inverse = inserted", sum, inverse, &kind.inserted);
}

/// Opens the cell at time 0 with the old value and closes it at its last time with the new one.
fn open_and_close(
    b: &mut RowBuilder<'_>,
    accessed: &Com,
    key: &Com,
    old: &WordCom,
    new: &WordCom,
    cell: Option<&StateFinal>,
) {
    let account = b.commit(cell.map_or(Fr::ZERO, |c| account_value(&c.cell)));
    let slot = opaque_word(b, cell.map_or(Word::ZERO, |c| c.cell.slot));
    let hash = chain(b, &account, &[slot.lo.clone(), slot.hi.clone()]);
    b.enforce("accessed * (key - hash of the cell) = 0", accessed, Lc::from(key) - hash, 0u64);
    let cell_com = CellCom { account, slot };
    let time = b.commit(Fr::from(cell.map_or(0, |c| c.time)));
    b.send(Tag::State, accessed, &state_elements(&cell_com, old, &Com::zero()));
    b.receive(Tag::State, accessed, &state_elements(&cell_com, new, &time));
}

/// Joins the multi-proof's rows with the cells; both increase by key.
fn border_rows(rows: &[LeafRow], cells: &[StateFinal]) -> Result<Vec<BorderRow>, String> {
    let mut cells = cells.iter();
    let mut out = Vec::with_capacity(rows.len());
    for leaf in rows {
        let cell = if leaf.accessed { cells.next().copied() } else { None };
        if leaf.accessed && cell.is_none_or(|c| c.key != leaf.key) {
            return Err(format!(
                "leaf with key {:?} has no accessed cell at its place; replay the batch",
                leaf.key
            ));
        }
        out.push(BorderRow { leaf: *leaf, cell });
    }
    match cells.next() {
        Some(c) => Err(format!("cell {:?} has no leaf row; replay the batch", c.cell)),
        None => Ok(out),
    }
}

#[cfg(test)]
mod tests;
