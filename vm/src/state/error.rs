//! Errors of the state tree and of its store. Each names the file, row or key at fault; none is ever a panic.

use std::path::PathBuf;

use halo2curves::bn256::Fr;

/// Why the tree or its store refused.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The key is one of the two the linked list keeps for itself.
    #[error("key {key:?} is reserved (0 and p-1 bound the list); touch only keys made by CellId::key")]
    ReservedKey {
        /// The key.
        key: Fr,
    },
    /// The same key occurs twice in one batch or one list of cells.
    #[error("key {key:?} occurs twice; give every key of a batch once, with its final value")]
    DuplicateKey {
        /// The key.
        key: Fr,
    },
    /// The tree has no room for the inserts.
    #[error("the tree holds {leaves} of 2^32 leaves and cannot take {inserts} more")]
    TreeFull {
        /// Leaves in the tree.
        leaves: u64,
        /// Inserts asked for.
        inserts: u64,
    },
    /// The batch touches more keys than one log record can hold.
    #[error("batch {batch} touches {keys} keys, a log record holds below 2^26; split the batch")]
    BatchTooLarge {
        /// The batch.
        batch: u64,
        /// Keys it touches.
        keys: u64,
    },
    /// An operation on a file failed.
    #[error("state file {file}: {source}; check that the disk is writable and not full, then reopen")]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file's content is not what this store wrote.
    #[error("state file {file} is damaged at byte {offset}: {what}; restore it from a backup")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where the damaged part starts.
        offset: u64,
        /// What was expected and found.
        what: String,
    },
    /// The folder holds a chain that began from another genesis.
    #[error("{dir} began from genesis root {found}, not {expected}; use another folder or the old genesis")]
    GenesisMismatch {
        /// The folder.
        dir: PathBuf,
        /// Root of the genesis given, hex.
        expected: String,
        /// Root of the genesis stored, hex.
        found: String,
    },
    /// Another process or handle has the folder open.
    #[error("folder {dir} is in use by another process; stop it first")]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// The batch does not follow the last one.
    #[error("expected batch {expected}, got batch {got}; apply batches in order")]
    BatchOrder {
        /// The number that comes next.
        expected: u64,
        /// The number given.
        got: u64,
    },
    /// The last batch was given again with other content.
    #[error("batch {batch} is already applied with other content; two batches claim one number")]
    BatchConflict {
        /// The batch.
        batch: u64,
    },
    /// An earlier write failed half way, so that memory and disk may differ.
    #[error("an earlier write to {dir} failed; reopen the store before applying more")]
    Interrupted {
        /// The folder.
        dir: PathBuf,
    },
}

/// Why a [`TreeWitness`](super::TreeWitness) is not consistent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// Keys do not increase strictly from the row before to this one.
    #[error("row {row}: key is not above the key of the row before")]
    KeyOrder {
        /// Row.
        row: usize,
    },
    /// The key does not lie strictly inside its gap.
    #[error("row {row}: key is not below the gap's end")]
    OutsideGap {
        /// Row.
        row: usize,
    },
    /// An inserted or absent row is not preceded by its low leaf.
    #[error("row {row}: no existing leaf before it whose gap could hold it")]
    NoLowLeaf {
        /// Row.
        row: usize,
    },
    /// A field of a leaf row has not the value that the other fields force.
    #[error("row {row}: field {field} contradicts the rows around it")]
    Row {
        /// Row.
        row: usize,
        /// The field.
        field: &'static str,
    },
    /// Two rows name one leaf.
    #[error("leaf index {index} is named by two rows")]
    IndexReused {
        /// Leaf index.
        index: u32,
    },
    /// A node row is missing, surplus, out of order or about another node.
    #[error("node row {node}: expected level {level} index {index}, found another node or none")]
    NodeOrder {
        /// Position among the node rows.
        node: usize,
        /// Level expected.
        level: u8,
        /// Index expected.
        index: u32,
    },
    /// A field of a node row contradicts its children.
    #[error("node level {level} index {index}: field {field} contradicts the level below")]
    Node {
        /// Level.
        level: u8,
        /// Index.
        index: u32,
        /// The field.
        field: &'static str,
    },
    /// There are more node rows than the touched paths have.
    #[error("{surplus} node rows lie on no touched path")]
    SurplusNodes {
        /// How many.
        surplus: usize,
    },
    /// The paths do not end in the stated tree root.
    #[error("the {which} tree root is not the one the paths lead to")]
    Root {
        /// `old` or `new`.
        which: &'static str,
    },
    /// The new leaf count is not the old one plus the inserted rows.
    #[error("{new} leaves are stated after the batch, {expected} follow from the inserted rows")]
    LeafCount {
        /// Count stated.
        new: u64,
        /// Old count plus inserted rows.
        expected: u64,
    },
    /// A state root is not that of its tree root and leaf count.
    #[error("the {which} state root does not belong to the tree root and the leaf count beside it")]
    StateRoot {
        /// `old` or `new`.
        which: &'static str,
    },
}
