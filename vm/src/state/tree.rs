//! The tree itself: leaves in insertion order, a dense vector of hashes per level, an ordered index of keys.
//! The vectors always agree with the leaves; only `batch.rs` changes them, and only by whole batches.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

use super::cell::{CellId, OrdKey, half};
use super::error::StateError;
use crate::Word;
use crate::poseidon2::compress;

/// Levels above the leaves.
pub const DEPTH: usize = 32;

/// Hashes given to one rayon task, so that small levels are not split for nothing.
pub(super) const HASHES_PER_TASK: usize = 16;

/// p - 1, the pointer of the leaf with the largest key.
pub fn key_infinity() -> Fr {
    -Fr::ONE
}

/// A leaf: a key, the next larger key in the tree, and the key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// State key.
    pub key: Fr,
    /// The next larger key, or p - 1.
    pub next: Fr,
    /// The value.
    pub value: Word,
}

impl Leaf {
    /// `compress(compress(compress(key, next), value.lo), value.hi)`.
    pub fn hash(&self) -> Fr {
        compress(compress(compress(self.key, self.next), half(self.value.lo)), half(self.value.hi))
    }

    /// The leaf at index 0 of a tree without cells.
    pub(super) fn genesis() -> Leaf {
        Leaf { key: Fr::ZERO, next: key_infinity(), value: Word::ZERO }
    }
}

/// Hash of an inner node.
pub fn node_hash(left: Fr, right: Fr) -> Fr {
    compress(left, right)
}

/// The state root: `compress(tree root, number of leaves)`, the genesis leaf counted. The count fixes which index
/// the next insert takes, so that a root follows from the batches alone.
pub fn state_root(tree_root: Fr, leaf_count: u64) -> Fr {
    compress(tree_root, Fr::from(leaf_count))
}

static EMPTY: LazyLock<[Fr; DEPTH + 1]> = LazyLock::new(|| {
    let mut hashes = [Fr::ZERO; DEPTH + 1];
    for level in 1..=DEPTH {
        hashes[level] = node_hash(hashes[level - 1], hashes[level - 1]);
    }
    hashes
});

/// Hash of a subtree without leaves whose root is at `level` (0: the empty leaf, zero). `level` is at most
/// [`DEPTH`]; larger ones give the root's.
pub fn empty_subtree(level: usize) -> Fr {
    EMPTY[level.min(DEPTH)]
}

/// The state tree in memory.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(super) leaves: Vec<Leaf>,
    /// `levels[0]` are leaf hashes, `levels[DEPTH]` is the tree root; nodes past the end are empty subtrees.
    pub(super) levels: Vec<Vec<Fr>>,
    /// Leaf index by key.
    pub(super) index: BTreeMap<OrdKey, u32>,
}

impl Default for Tree {
    fn default() -> Tree {
        Tree::new()
    }
}

impl Tree {
    /// A tree without cells: only the genesis leaf.
    pub fn new() -> Tree {
        Tree::from_leaves(vec![Leaf::genesis()], BTreeMap::from([(OrdKey::ZERO, 0)]))
    }

    /// A tree that holds these cells, as one batch of inserts into an empty tree would leave it: leaves in
    /// the order of their keys, cells with value zero left out.
    ///
    /// # Errors
    /// [`StateError::DuplicateKey`] if a cell occurs twice.
    pub fn from_cells(cells: impl IntoIterator<Item = (CellId, Word)>) -> Result<Tree, StateError> {
        let cells: Vec<(CellId, Word)> = cells.into_iter().collect();
        let mut entries: Vec<(OrdKey, Fr, Word)> = cells
            .par_iter()
            .map(|(cell, value)| {
                let key = cell.key();
                (OrdKey::new(&key), key, *value)
            })
            .collect();
        entries.par_sort_unstable_by_key(|e| e.0);
        if let Some(twice) = entries.windows(2).find(|w| w[0].0 == w[1].0) {
            return Err(StateError::DuplicateKey { key: twice[0].1 });
        }
        let present = entries.into_iter().filter(|e| !e.2.is_zero());
        Tree::from_entries(present.map(|(_, key, value)| (key, value)))
    }

    /// A tree with these keys and values at leaf indices 1, 2, and so on; pointers follow from the keys.
    ///
    /// # Errors
    /// [`StateError::DuplicateKey`], [`StateError::ReservedKey`], [`StateError::TreeFull`].
    pub fn from_entries(entries: impl IntoIterator<Item = (Fr, Word)>) -> Result<Tree, StateError> {
        let mut leaves = vec![Leaf::genesis()];
        let mut sorted = vec![(OrdKey::ZERO, 0u32)];
        for (key, value) in entries {
            let ord = checked_key(&key)?;
            let full = StateError::TreeFull { leaves: leaves.len() as u64, inserts: 1 };
            sorted.push((ord, u32::try_from(leaves.len()).map_err(|_| full)?));
            leaves.push(Leaf { key, next: Fr::ZERO, value });
        }
        sorted.par_sort_unstable();
        for pair in sorted.windows(2) {
            let (low, high) = (pair[0].1 as usize, pair[1].1 as usize);
            if pair[0].0 == pair[1].0 {
                return Err(StateError::DuplicateKey { key: leaves[low].key });
            }
            leaves[low].next = leaves[high].key;
        }
        if let Some((_, last)) = sorted.last() {
            leaves[*last as usize].next = key_infinity();
        }
        Ok(Tree::from_leaves(leaves, sorted.into_iter().collect()))
    }

    /// Hashes all levels over leaves whose pointers are right.
    fn from_leaves(leaves: Vec<Leaf>, index: BTreeMap<OrdKey, u32>) -> Tree {
        let mut levels: Vec<Vec<Fr>> = Vec::with_capacity(DEPTH + 1);
        levels.push(leaves.par_iter().with_min_len(HASHES_PER_TASK).map(Leaf::hash).collect());
        for level in 0..DEPTH {
            let parents = levels[level]
                .par_chunks(2)
                .with_min_len(HASHES_PER_TASK)
                .map(|pair| node_hash(pair[0], pair.get(1).copied().unwrap_or(EMPTY[level])))
                .collect();
            levels.push(parents);
        }
        Tree { leaves, levels, index }
    }

    /// The state root ([`state_root`]): what the statement, the store and proofs name.
    pub fn root(&self) -> Fr {
        state_root(self.tree_root(), self.leaf_count())
    }

    /// Hash of the topmost node.
    pub fn tree_root(&self) -> Fr {
        self.node(DEPTH, 0)
    }

    /// Number of leaves, the genesis leaf included; the index that the next insert takes.
    pub fn leaf_count(&self) -> u64 {
        self.leaves.len() as u64
    }

    /// The value under a key; zero if the key is absent.
    pub fn get(&self, key: &Fr) -> Word {
        self.leaf_index(key).map_or(Word::ZERO, |i| self.leaves[i as usize].value)
    }

    /// The value of a cell; zero if it is absent.
    pub fn get_cell(&self, cell: &CellId) -> Word {
        self.get(&cell.key())
    }

    /// Leaf index of a key, if it is in the tree.
    pub fn leaf_index(&self, key: &Fr) -> Option<u32> {
        self.index.get(&OrdKey::new(key)).copied()
    }

    /// The leaves in index order, the genesis leaf first.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Hash of a node; an empty subtree's beyond the last leaf.
    pub(super) fn node(&self, level: usize, index: u32) -> Fr {
        self.levels[level].get(index as usize).copied().unwrap_or(EMPTY[level])
    }

    /// The existing leaf with the largest key below `key`; the genesis leaf if there is no other.
    pub(super) fn low_leaf(&self, key: OrdKey) -> u32 {
        self.index.range(..key).next_back().map_or(0, |(_, i)| *i)
    }
}

/// The key as an integer, if it may name a cell.
pub(super) fn checked_key(key: &Fr) -> Result<OrdKey, StateError> {
    if *key == Fr::ZERO || *key == key_infinity() {
        return Err(StateError::ReservedKey { key: *key });
    }
    Ok(OrdKey::new(key))
}
