//! The rollup's state: one map from a field-element key to a 256-bit word, committed to by an indexed
//! Merkle tree (sorted linked list of leaves, depth 32, Poseidon2) and its number of leaves. Roots and witnesses
//! are pure functions of the cells and the order of batches; nothing here interprets what a cell means.

mod batch;
mod cell;
mod error;
mod proof;
mod store;
mod tree;
mod witness;

#[cfg(test)]
mod tests;

pub use cell::{CellId, kind};
pub use error::{StateError, WitnessError};
pub use proof::{AbsenceProof, MembershipProof};
pub use store::StateStore;
pub use tree::{DEPTH, Leaf, Tree, empty_subtree, key_infinity, node_hash, state_root};
pub use witness::{LeafRow, NodeRow, RowKind, Touched, TreeWitness};
