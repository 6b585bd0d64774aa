//! What one batch did to the tree, as the rows a prover needs: one multi-proof that shares upper levels.
//! The rows are complete: [`TreeWitness::check`] accepts them knowing nothing else, and must reject any
//! rows that a correct tree could not have produced for this pair of roots.

use std::collections::BTreeMap;

use halo2curves::bn256::Fr;
use rayon::prelude::*;

use super::cell::OrdKey;
use super::error::WitnessError;
use super::tree::{DEPTH, Leaf, node_hash, state_root};
use crate::Word;
use ff::Field;

/// A key read or written in a batch, with its value at the batch's end (a read leaves the old value).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// State key, neither 0 nor p-1.
    pub key: Fr,
    /// Value after the batch; zero for a key that stays absent.
    pub new_value: Word,
}

/// What a [`LeafRow`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowKind {
    /// The leaf was there before the batch.
    Existing,
    /// The batch made the leaf.
    Inserted,
    /// There is no leaf, before or after: the key read as zero and stays zero.
    Absent,
}

/// One touched key, or the low leaf under which inserted or absent keys lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafRow {
    /// State key; rows increase strictly by it (as integers).
    pub key: Fr,
    /// What the row is about.
    pub kind: RowKind,
    /// False for an existing leaf that is here only as a low leaf; its value does not change.
    pub accessed: bool,
    /// Leaf index; 0 for absent rows.
    pub index: u32,
    /// The leaf's pointer before the batch; 0 unless existing.
    pub old_next: Fr,
    /// Value before the batch.
    pub old_value: Word,
    /// Value after the batch.
    pub new_value: Word,
    /// End of the gap this row lies in before the batch: `old_next` of the last existing row up to here.
    pub gap_end: Fr,
    /// The leaf's pointer after the batch: `carry`; 0 for absent rows, which have no leaf.
    pub new_next: Fr,
    /// The pointer that a leaf at this key has after the batch: the next inserted key in the same gap,
    /// or the gap's end.
    pub carry: Fr,
}

impl LeafRow {
    /// Hash of the leaf before the batch; 0 (the empty leaf) unless existing.
    pub fn old_hash(&self) -> Fr {
        match self.kind {
            RowKind::Existing => Leaf { key: self.key, next: self.old_next, value: self.old_value }.hash(),
            RowKind::Inserted | RowKind::Absent => Fr::ZERO,
        }
    }

    /// Hash of the leaf after the batch; 0 for absent rows.
    pub fn new_hash(&self) -> Fr {
        match self.kind {
            RowKind::Existing | RowKind::Inserted => {
                Leaf { key: self.key, next: self.new_next, value: self.new_value }.hash()
            }
            RowKind::Absent => Fr::ZERO,
        }
    }
}

/// One inner node on a touched path, with its children before and after. An untouched child is the same
/// in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Level of this node, 1 (above the leaves) to 32 (the root).
    pub level: u8,
    /// Index within the level.
    pub index: u32,
    /// Left child before the batch.
    pub left_old: Fr,
    /// Right child before the batch.
    pub right_old: Fr,
    /// Left child after the batch.
    pub left_new: Fr,
    /// Right child after the batch.
    pub right_new: Fr,
    /// The left child lies on a touched path.
    pub left_touched: bool,
    /// The right child lies on a touched path.
    pub right_touched: bool,
}

/// The multi-proof of one batch. No key touched: no rows, no nodes and equal roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeWitness {
    /// State root before the batch, as in the statement.
    pub old_root: Fr,
    /// State root after the batch.
    pub new_root: Fr,
    /// Hash of the topmost node before the batch.
    pub old_tree_root: Fr,
    /// Hash of the topmost node after the batch.
    pub new_tree_root: Fr,
    /// Number of leaves before the batch, the genesis leaf included; the index of the first inserted leaf.
    pub old_count: u64,
    /// Number of leaves after the batch.
    pub new_count: u64,
    /// Leaf rows by strictly increasing key.
    pub rows: Vec<LeafRow>,
    /// Union of the touched paths, by level, then by index; the last is the root's.
    pub nodes: Vec<NodeRow>,
}

impl TreeWitness {
    /// The touched keys by increasing key, as [`Tree::apply`](super::Tree::apply) took them.
    pub fn touched(&self) -> impl Iterator<Item = Touched> + '_ {
        self.rows.iter().filter(|r| r.accessed).map(|r| Touched { key: r.key, new_value: r.new_value })
    }

    /// Checks every relation between rows, nodes, counts and roots from scratch, all hashes included. Inserted
    /// leaves take the indices from the old count on, in key order, so that the new root has no alternative.
    ///
    /// # Errors
    /// The first [`WitnessError`] found.
    pub fn check(&self) -> Result<(), WitnessError> {
        self.check_state_roots()?;
        self.check_rows()?;
        self.check_carries()?;
        let leaves = self.leaf_changes()?;
        self.check_nodes(leaves)
    }

    fn check_state_roots(&self) -> Result<(), WitnessError> {
        if state_root(self.old_tree_root, self.old_count) != self.old_root {
            return Err(WitnessError::StateRoot { which: "old" });
        }
        if state_root(self.new_tree_root, self.new_count) != self.new_root {
            return Err(WitnessError::StateRoot { which: "new" });
        }
        Ok(())
    }

    /// Rows by themselves and in order; at the end, the number of leaves.
    fn check_rows(&self) -> Result<(), WitnessError> {
        let infinity = OrdKey::new(&super::key_infinity());
        // Gap end of the last existing row.
        let mut gap_end: Option<Fr> = None;
        let mut previous: Option<OrdKey> = None;
        let mut count = self.old_count;
        for (row, r) in self.rows.iter().enumerate() {
            let wrong = |field| WitnessError::Row { row, field };
            let key = OrdKey::new(&r.key);
            if previous.is_some_and(|p| p >= key) {
                return Err(WitnessError::KeyOrder { row });
            }
            previous = Some(key);
            match r.kind {
                RowKind::Existing => {
                    if let Some(end) = gap_end
                        && OrdKey::new(&end) > key
                    {
                        // The list says that nothing lies between the low leaf and its successor.
                        return Err(WitnessError::OutsideGap { row });
                    }
                    gap_end = Some(r.old_next);
                    self.check_existing(row, r, key)?;
                }
                RowKind::Inserted | RowKind::Absent => {
                    let end = gap_end.ok_or(WitnessError::NoLowLeaf { row })?;
                    if r.gap_end != end {
                        return Err(wrong("gap_end"));
                    }
                    check_new(row, r, &mut count)?;
                }
            }
            let end = OrdKey::new(&r.gap_end);
            if key >= end || end > infinity {
                return Err(WitnessError::OutsideGap { row });
            }
        }
        if self.new_count != count {
            return Err(WitnessError::LeafCount { new: self.new_count, expected: count });
        }
        Ok(())
    }

    fn check_existing(&self, row: usize, r: &LeafRow, key: OrdKey) -> Result<(), WitnessError> {
        let wrong = |field| WitnessError::Row { row, field };
        if r.gap_end != r.old_next {
            return Err(wrong("gap_end"));
        }
        if r.accessed && key == OrdKey::ZERO {
            return Err(wrong("key"));
        }
        if !r.accessed {
            let has_guest = self.rows.get(row + 1).is_some_and(|n| n.kind != RowKind::Existing);
            if !has_guest {
                return Err(wrong("accessed"));
            }
            if r.new_value != r.old_value {
                return Err(wrong("new_value"));
            }
        }
        Ok(())
    }

    fn check_carries(&self) -> Result<(), WitnessError> {
        let mut above: Option<&LeafRow> = None;
        for (row, r) in self.rows.iter().enumerate().rev() {
            let carry = match above {
                Some(n) if n.kind == RowKind::Inserted => n.key,
                Some(n) if n.kind == RowKind::Absent => n.carry,
                _ => r.gap_end,
            };
            if r.carry != carry {
                return Err(WitnessError::Row { row, field: "carry" });
            }
            let next = if r.kind == RowKind::Absent { Fr::ZERO } else { carry };
            if r.new_next != next {
                return Err(WitnessError::Row { row, field: "new_next" });
            }
            above = Some(r);
        }
        Ok(())
    }

    /// Leaf hashes before and after, by index.
    fn leaf_changes(&self) -> Result<Vec<Change>, WitnessError> {
        let hashed: Vec<Change> = self
            .rows
            .par_iter()
            .filter(|r| r.kind != RowKind::Absent)
            .map(|r| Change { index: r.index, old: r.old_hash(), new: r.new_hash() })
            .collect();
        let mut by_index = BTreeMap::new();
        for change in hashed {
            if by_index.insert(change.index, change).is_some() {
                return Err(WitnessError::IndexReused { index: change.index });
            }
        }
        Ok(by_index.into_values().collect())
    }

    fn check_nodes(&self, mut below: Vec<Change>) -> Result<(), WitnessError> {
        if below.is_empty() {
            if !self.rows.is_empty() || !self.nodes.is_empty() {
                return Err(WitnessError::SurplusNodes { surplus: self.nodes.len() });
            }
            return if self.old_tree_root == self.new_tree_root {
                Ok(())
            } else {
                Err(WitnessError::Root { which: "new" })
            };
        }
        let mut nodes = self.nodes.as_slice();
        for level in 1..=DEPTH as u8 {
            below = self.check_level(level, &below, &mut nodes)?;
        }
        if !nodes.is_empty() {
            return Err(WitnessError::SurplusNodes { surplus: nodes.len() });
        }
        // One node is left: every path ends at index 0 of the last level.
        match below.as_slice() {
            [root] if root.old != self.old_tree_root => Err(WitnessError::Root { which: "old" }),
            [root] if root.new != self.new_tree_root => Err(WitnessError::Root { which: "new" }),
            [_] => Ok(()),
            _ => Err(WitnessError::Root { which: "old" }),
        }
    }

    /// Consumes the node rows of one level; returns that level's changes.
    fn check_level(
        &self,
        level: u8,
        below: &[Change],
        nodes: &mut &[NodeRow],
    ) -> Result<Vec<Change>, WitnessError> {
        let groups: Vec<&[Change]> = below.chunk_by(|a, b| a.index >> 1 == b.index >> 1).collect();
        let start = self.nodes.len() - nodes.len();
        let mine = nodes.get(..groups.len()).unwrap_or(nodes);
        *nodes = &nodes[mine.len()..];
        groups
            .par_iter()
            .enumerate()
            .map(|(i, group)| {
                let index = group[0].index >> 1;
                match mine.get(i) {
                    Some(n) if n.level == level && n.index == index => check_node(n, group),
                    _ => Err(WitnessError::NodeOrder { node: start + i, level, index }),
                }
            })
            .collect()
    }
}

/// Hash of a node before and after a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) index: u32,
    pub(super) old: Fr,
    pub(super) new: Fr,
}

/// What an inserted or absent row must satisfy on its own; an inserted one takes index `count`.
fn check_new(row: usize, r: &LeafRow, count: &mut u64) -> Result<(), WitnessError> {
    let wrong = |field| WitnessError::Row { row, field };
    if !r.accessed {
        return Err(wrong("accessed"));
    }
    if r.old_next != Fr::ZERO {
        return Err(wrong("old_next"));
    }
    if !r.old_value.is_zero() {
        return Err(wrong("old_value"));
    }
    let inserted = r.kind == RowKind::Inserted;
    if r.new_value.is_zero() == inserted {
        return Err(wrong("new_value"));
    }
    let expected = if inserted { *count } else { 0 };
    if u64::from(r.index) != expected {
        return Err(wrong("index"));
    }
    if inserted {
        // The count equals a 32-bit index here, so this does not overflow.
        *count += 1;
    }
    Ok(())
}

/// Checks one node row against the one or two changes below it.
fn check_node(n: &NodeRow, group: &[Change]) -> Result<Change, WitnessError> {
    let wrong = |field| WitnessError::Node { level: n.level, index: n.index, field };
    let child = |bit: u32| group.iter().find(|c| c.index & 1 == bit);
    let sides = [
        (child(0), n.left_touched, n.left_old, n.left_new, ["left_touched", "left_old", "left_new"]),
        (child(1), n.right_touched, n.right_old, n.right_new, ["right_touched", "right_old", "right_new"]),
    ];
    for (change, touched, old, new, names) in sides {
        if change.is_some() != touched {
            return Err(wrong(names[0]));
        }
        if change.is_some_and(|c| c.old != old) {
            return Err(wrong(names[1]));
        }
        if change.map_or(old, |c| c.new) != new {
            return Err(wrong(names[2]));
        }
    }
    Ok(Change {
        index: n.index,
        old: node_hash(n.left_old, n.right_old),
        new: node_hash(n.left_new, n.right_new),
    })
}
