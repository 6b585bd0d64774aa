//! One batch of reads and writes on the tree, with the multi-proof that shows it.
//! A batch is planned against an unchanged tree and committed afterwards; a refused batch changes nothing.

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

use super::cell::OrdKey;
use super::error::StateError;
use super::tree::{DEPTH, HASHES_PER_TASK, Leaf, Tree, checked_key, empty_subtree, node_hash, state_root};
use super::witness::{Change, LeafRow, NodeRow, RowKind, Touched, TreeWitness};
use crate::Word;

impl Tree {
    /// Applies a batch: `touched` names every key read or written once, in any order, with its value at
    /// the end. New leaves take the next free indices in the order of their keys, so that the result does
    /// not depend on the order of `touched`.
    ///
    /// # Errors
    /// [`StateError::DuplicateKey`], [`StateError::ReservedKey`] and [`StateError::TreeFull`]; the tree is
    /// then unchanged.
    pub fn apply(&mut self, touched: &[Touched]) -> Result<TreeWitness, StateError> {
        let witness = self.preview(touched)?;
        self.commit(&witness);
        Ok(witness)
    }

    /// The witness that [`Tree::apply`] would return, without changing the tree.
    ///
    /// # Errors
    /// As [`Tree::apply`].
    pub fn preview(&self, touched: &[Touched]) -> Result<TreeWitness, StateError> {
        let mut rows = self.leaf_rows(touched)?;
        fill_pointers(&mut rows);
        let (nodes, new_tree_root) = self.node_rows(&rows);
        let inserted = rows.iter().filter(|r| r.kind == RowKind::Inserted).count() as u64;
        let (old_count, new_count) = (self.leaf_count(), self.leaf_count() + inserted);
        Ok(TreeWitness {
            old_root: self.root(),
            new_root: state_root(new_tree_root, new_count),
            old_tree_root: self.tree_root(),
            new_tree_root,
            old_count,
            new_count,
            rows,
            nodes,
        })
    }

    /// Rows with everything but `gap_end`, `carry` and `new_next`.
    pub(super) fn leaf_rows(&self, touched: &[Touched]) -> Result<Vec<LeafRow>, StateError> {
        let mut sorted = Vec::with_capacity(touched.len());
        for t in touched {
            sorted.push((checked_key(&t.key)?, *t));
        }
        sorted.sort_unstable_by_key(|(ord, _)| *ord);
        if let Some(twice) = sorted.windows(2).find(|w| w[0].0 == w[1].0) {
            return Err(StateError::DuplicateKey { key: twice[0].1.key });
        }
        let mut rows: Vec<LeafRow> = Vec::with_capacity(sorted.len() * 2);
        let mut inserts = 0u64;
        // The last existing leaf among the rows: keys of one gap share it.
        let mut low_done: Option<u32> = None;
        for (ord, t) in sorted {
            if let Some(index) = self.index.get(&ord) {
                low_done = Some(*index);
                rows.push(self.existing_row(*index, true, t.new_value));
                continue;
            }
            let low = self.low_leaf(ord);
            if low_done != Some(low) {
                low_done = Some(low);
                rows.push(self.existing_row(low, false, self.leaves[low as usize].value));
            }
            rows.push(self.new_row(&t, &mut inserts)?);
        }
        Ok(rows)
    }

    fn existing_row(&self, index: u32, accessed: bool, new_value: Word) -> LeafRow {
        let leaf = &self.leaves[index as usize];
        LeafRow {
            key: leaf.key,
            kind: RowKind::Existing,
            accessed,
            index,
            old_next: leaf.next,
            old_value: leaf.value,
            new_value,
            gap_end: leaf.next,
            new_next: Fr::ZERO,
            carry: Fr::ZERO,
        }
    }

    /// Row of a key without a leaf; takes the next free index if the key gets a value.
    fn new_row(&self, t: &Touched, inserts: &mut u64) -> Result<LeafRow, StateError> {
        let leaves = self.leaf_count();
        let (kind, index) = if t.new_value.is_zero() {
            (RowKind::Absent, 0)
        } else {
            let index = leaves + *inserts;
            *inserts += 1;
            let full = StateError::TreeFull { leaves, inserts: *inserts };
            (RowKind::Inserted, u32::try_from(index).map_err(|_| full)?)
        };
        Ok(LeafRow {
            key: t.key,
            kind,
            accessed: true,
            index,
            old_next: Fr::ZERO,
            old_value: Word::ZERO,
            new_value: t.new_value,
            gap_end: Fr::ZERO,
            new_next: Fr::ZERO,
            carry: Fr::ZERO,
        })
    }

    /// The node rows above the rows' leaves, and the new tree root.
    pub(super) fn node_rows(&self, rows: &[LeafRow]) -> (Vec<NodeRow>, Fr) {
        let mut changes: Vec<Change> = rows
            .par_iter()
            .with_min_len(HASHES_PER_TASK)
            .filter(|r| r.kind != RowKind::Absent)
            .map(|r| Change { index: r.index, old: self.node(0, r.index), new: r.new_hash() })
            .collect();
        if changes.is_empty() {
            return (Vec::new(), self.tree_root());
        }
        changes.par_sort_unstable_by_key(|c| c.index);
        let mut nodes = Vec::new();
        for level in 1..=DEPTH {
            let start = nodes.len();
            for pair in changes.chunk_by(|a, b| a.index >> 1 == b.index >> 1) {
                nodes.push(self.node_row(level, pair));
            }
            let rows: &[NodeRow] = &nodes[start..];
            changes = rows
                .par_iter()
                .with_min_len(HASHES_PER_TASK)
                .map(|n| Change {
                    index: n.index,
                    old: self.node(level, n.index),
                    new: node_hash(n.left_new, n.right_new),
                })
                .collect();
        }
        (nodes, changes[0].new)
    }

    /// The row of the node above one or two changed siblings.
    fn node_row(&self, level: usize, below: &[Change]) -> NodeRow {
        let index = below[0].index >> 1;
        let child = |bit: u32| {
            let at = index << 1 | bit;
            match below.iter().find(|c| c.index == at) {
                Some(c) => (c.old, c.new, true),
                None => {
                    let same = self.node(level - 1, at);
                    (same, same, false)
                }
            }
        };
        let (left_old, left_new, left_touched) = child(0);
        let (right_old, right_new, right_touched) = child(1);
        NodeRow {
            level: level as u8,
            index,
            left_old,
            right_old,
            left_new,
            right_new,
            left_touched,
            right_touched,
        }
    }

    /// Takes over a witness planned on exactly this tree.
    pub(super) fn commit(&mut self, witness: &TreeWitness) {
        for r in &witness.rows {
            let leaf = Leaf { key: r.key, next: r.new_next, value: r.new_value };
            match r.kind {
                RowKind::Existing => self.leaves[r.index as usize] = leaf,
                RowKind::Inserted => {
                    self.leaves.push(leaf);
                    self.index.insert(OrdKey::new(&r.key), r.index);
                }
                RowKind::Absent => {}
            }
        }
        for n in &witness.nodes {
            let level = usize::from(n.level) - 1;
            if n.left_touched {
                self.set_node(level, n.index << 1, n.left_new);
            }
            if n.right_touched {
                self.set_node(level, n.index << 1 | 1, n.right_new);
            }
        }
        self.set_node(DEPTH, 0, witness.new_tree_root);
    }

    fn set_node(&mut self, level: usize, index: u32, hash: Fr) {
        let nodes = &mut self.levels[level];
        let at = index as usize;
        if at >= nodes.len() {
            nodes.resize(at + 1, empty_subtree(level));
        }
        nodes[at] = hash;
    }
}

/// Fills `gap_end` forwards, then `carry` and `new_next` backwards.
pub(super) fn fill_pointers(rows: &mut [LeafRow]) {
    let mut gap_end = Fr::ZERO;
    for r in rows.iter_mut() {
        if r.kind == RowKind::Existing {
            gap_end = r.old_next;
        }
        r.gap_end = gap_end;
    }
    // Kind, key and carry of the row above.
    let mut above: Option<(RowKind, Fr, Fr)> = None;
    for r in rows.iter_mut().rev() {
        r.carry = match above {
            Some((RowKind::Inserted, key, _)) => key,
            Some((RowKind::Absent, _, carry)) => carry,
            _ => r.gap_end,
        };
        if r.kind != RowKind::Absent {
            r.new_next = r.carry;
        }
        above = Some((r.kind, r.key, r.carry));
    }
}
