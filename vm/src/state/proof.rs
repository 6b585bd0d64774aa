//! Proofs about single keys against a root, for clients that do not hold the tree.
//! Verifying needs the state root only; a malformed proof is rejected, never a panic.

use halo2curves::bn256::Fr;

use super::cell::OrdKey;
use super::tree::{DEPTH, Leaf, Tree, node_hash, state_root};
use crate::Word;

/// Shows that a leaf is in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipProof {
    /// Index of the leaf.
    pub index: u32,
    /// The leaf.
    pub leaf: Leaf,
    /// The sibling at each level, leaf level first; exactly [`DEPTH`] of them.
    pub siblings: Vec<Fr>,
    /// Number of leaves of the tree, to which the state root commits.
    pub leaf_count: u64,
}

impl MembershipProof {
    /// True if the state with root `root` holds `key` with `value`.
    pub fn verify(&self, root: &Fr, key: &Fr, value: &Word) -> bool {
        self.leaf.key == *key && self.leaf.value == *value && self.leads_to(root)
    }

    fn leads_to(&self, root: &Fr) -> bool {
        if self.siblings.len() != DEPTH {
            return false;
        }
        let top = self.siblings.iter().enumerate().fold(self.leaf.hash(), |node, (level, sibling)| {
            if self.index >> level & 1 == 0 { node_hash(node, *sibling) } else { node_hash(*sibling, node) }
        });
        state_root(top, self.leaf_count) == *root
    }
}

/// Shows that a key is not in the tree: a leaf whose key is below it and whose pointer is above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsenceProof {
    /// The low leaf.
    pub low: MembershipProof,
}

impl AbsenceProof {
    /// True if the state with root `root` has no leaf for `key`.
    pub fn verify(&self, root: &Fr, key: &Fr) -> bool {
        let key = OrdKey::new(key);
        OrdKey::new(&self.low.leaf.key) < key
            && key < OrdKey::new(&self.low.leaf.next)
            && self.low.leads_to(root)
    }
}

impl Tree {
    /// Proof that `key` is in the tree; `None` if it is not.
    pub fn prove_membership(&self, key: &Fr) -> Option<MembershipProof> {
        self.leaf_index(key).map(|index| self.prove_leaf(index))
    }

    /// Proof that `key` is not in the tree; `None` if it is, or is p - 1, which no leaf can have.
    pub fn prove_absence(&self, key: &Fr) -> Option<AbsenceProof> {
        if self.leaf_index(key).is_some() || *key == super::key_infinity() {
            return None;
        }
        Some(AbsenceProof { low: self.prove_leaf(self.low_leaf(OrdKey::new(key))) })
    }

    fn prove_leaf(&self, index: u32) -> MembershipProof {
        let siblings = (0..DEPTH).map(|level| self.node(level, (index >> level) ^ 1)).collect();
        MembershipProof { index, leaf: self.leaves[index as usize], siblings, leaf_count: self.leaf_count() }
    }
}
