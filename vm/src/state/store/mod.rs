//! The state tree on disk: a snapshot plus an append log of batches, both checked by digest and by root.
//! After any crash, opening gives the state before or after the batch in flight, never another; bytes that
//! this store did not write are an error that names the file, never a silent repair.
//!
//! Files in the folder: `snapshot` (leaves after some batch), `log` (the batches since), `lock`. A file is
//! replaced by writing `*.tmp`, syncing it, renaming it over the old one and syncing the folder; the log
//! grows by one write and one sync per batch. The last batch is always in the log, so that giving it again
//! after a crash returns its witness.

mod disk;
mod files;
mod log;
mod snapshot;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use halo2curves::bn256::Fr;

use super::cell::OrdKey;
use super::error::StateError;
use super::tree::Tree;
use super::witness::{RowKind, Touched, TreeWitness};
use crate::Word;
use files::{io_error, replace};
use log::{LogHeader, Record};
use snapshot::Snapshot;

/// The state tree with its folder. One handle per folder: opening locks it until the store is dropped.
#[derive(Debug)]
pub struct StateStore {
    dir: PathBuf,
    /// Held for its lock only.
    _lock: File,
    log: File,
    tree: Tree,
    batch: u64,
    genesis_root: Fr,
    /// Witness of batch `batch`; absent only at genesis.
    last: Option<Arc<TreeWitness>>,
    /// A write failed: memory and disk may differ until the folder is opened again.
    interrupted: bool,
}

impl StateStore {
    /// Opens the folder, or begins a chain in it if it is new or empty. `genesis` is the state before
    /// batch 1. The log's batches are replayed over the snapshot and every root is recomputed.
    ///
    /// # Errors
    /// [`StateError::Locked`], [`StateError::GenesisMismatch`], [`StateError::Damaged`], [`StateError::Io`].
    pub fn open(dir: impl AsRef<Path>, genesis: Tree) -> Result<StateStore, StateError> {
        let dir = dir.as_ref().to_path_buf();
        disk::create_dir(&dir).map_err(io_error(&dir))?;
        let lock = files::lock(&dir)?;
        files::remove_temporary(&dir)?;
        let genesis_root = genesis.root();
        begin(&dir, genesis)?;

        let snapshot = Snapshot::read(&dir)?;
        if snapshot.genesis_root != genesis_root {
            return Err(StateError::GenesisMismatch {
                dir,
                expected: files::hex_root(&genesis_root),
                found: files::hex_root(&snapshot.genesis_root),
            });
        }
        let (mut batch, mut tree) = (snapshot.batch, snapshot.tree);
        let log = log::read(&dir)?;
        log.check_base(genesis_root, batch, tree.root())?;
        let mut last = None;
        for (offset, record) in &log.records {
            if record.batch <= batch {
                continue;
            }
            let witness = replay(&tree, record).map_err(|what| StateError::Damaged {
                file: log.file.clone(),
                offset: *offset,
                what,
            })?;
            tree.commit(&witness);
            batch = record.batch;
            last = Some(Arc::new(witness));
        }
        let handle = log.into_appendable()?;
        Ok(StateStore { dir, _lock: lock, log: handle, tree, batch, genesis_root, last, interrupted: false })
    }

    /// Applies the next batch and makes it durable before returning its witness. The last batch may be
    /// given again with the same content, and returns the same witness without writing.
    ///
    /// # Errors
    /// [`StateError::BatchOrder`], [`StateError::BatchConflict`], [`StateError::BatchTooLarge`] and those of
    /// [`Tree::apply`], after which nothing has changed; [`StateError::Io`], after which the batch may or may
    /// not be durable until the store is reopened, and [`StateError::Interrupted`] from then on.
    pub fn apply(&mut self, batch_number: u64, touched: &[Touched]) -> Result<Arc<TreeWitness>, StateError> {
        self.refuse_if_interrupted()?;
        if let Some(last) = self.last.as_ref().filter(|_| batch_number == self.batch) {
            return if same_content(last, touched) {
                Ok(Arc::clone(last))
            } else {
                Err(StateError::BatchConflict { batch: batch_number })
            };
        }
        let expected = self.batch.saturating_add(1);
        if batch_number != expected {
            return Err(StateError::BatchOrder { expected, got: batch_number });
        }
        let witness = self.tree.preview(touched)?;
        let offset = self.log.metadata().map_err(io_error(&log::path(&self.dir)))?.len();
        let bytes = Record::of(batch_number, &witness).encode(offset)?;
        let path = log::path(&self.dir);
        let written = disk::append(&self.log, &path, &bytes).and_then(|()| disk::sync(&self.log, &path));
        if let Err(e) = written {
            self.interrupted = true;
            return Err(io_error(&path)(e));
        }
        self.tree.commit(&witness);
        self.batch = batch_number;
        let witness = Arc::new(witness);
        self.last = Some(Arc::clone(&witness));
        Ok(witness)
    }

    /// The witness that [`StateStore::apply`] would return for the next batch; changes nothing.
    ///
    /// # Errors
    /// As [`Tree::preview`].
    pub fn preview(&self, touched: &[Touched]) -> Result<TreeWitness, StateError> {
        self.tree.preview(touched)
    }

    /// Rewrites the snapshot and cuts the log down to the last batch. A crash at any point leaves a folder
    /// that opens to the same state.
    ///
    /// # Errors
    /// [`StateError::Io`], after which the store must be reopened; [`StateError::Interrupted`].
    pub fn compact(&mut self) -> Result<(), StateError> {
        self.refuse_if_interrupted()?;
        self.interrupted = true;
        let (batch, root, entries) = self.before_last();
        let bytes = snapshot::encode(batch, &self.genesis_root, &root, &entries);
        replace(&self.dir, snapshot::NAME, &bytes)?;
        let header = LogHeader { genesis_root: self.genesis_root, batch, root };
        let mut bytes = header.encode();
        if let Some(last) = &self.last {
            bytes.extend(Record::of(self.batch, last).encode(bytes.len() as u64)?);
        }
        replace(&self.dir, log::NAME, &bytes)?;
        self.log = log::append_handle(&self.dir)?;
        self.interrupted = false;
        Ok(())
    }

    /// The tree, for reads and proofs.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The root after the last batch.
    pub fn root(&self) -> Fr {
        self.tree.root()
    }

    /// Number of the last batch applied; 0 is genesis.
    pub fn batch_number(&self) -> u64 {
        self.batch
    }

    /// Witness of the last batch; `None` at genesis.
    pub fn last_witness(&self) -> Option<Arc<TreeWitness>> {
        self.last.clone()
    }

    /// Bytes in the log, for deciding when to [`StateStore::compact`].
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn log_bytes(&self) -> Result<u64, StateError> {
        Ok(self.log.metadata().map_err(io_error(&log::path(&self.dir)))?.len())
    }

    fn refuse_if_interrupted(&self) -> Result<(), StateError> {
        if self.interrupted { Err(StateError::Interrupted { dir: self.dir.clone() }) } else { Ok(()) }
    }

    /// Batch number, root and entries (in index order) of the state before the last batch. Inserted leaves
    /// are the last ones and old values are in the witness; pointers follow from the keys.
    fn before_last(&self) -> (u64, Fr, Vec<(Fr, Word)>) {
        let mut entries: Vec<(Fr, Word)> = self.tree.leaves()[1..].iter().map(|l| (l.key, l.value)).collect();
        let Some(last) = &self.last else {
            return (self.batch, self.tree.root(), entries);
        };
        let inserted = last.rows.iter().filter(|r| r.kind == RowKind::Inserted).count();
        entries.truncate(entries.len() - inserted);
        // The genesis leaf (index 0) is no entry and has no value.
        for r in last.rows.iter().filter(|r| r.kind == RowKind::Existing && r.index > 0) {
            entries[r.index as usize - 1].1 = r.old_value;
        }
        (self.batch - 1, last.old_root, entries)
    }
}

/// Writes the first files of a new chain. The log comes first: a folder with a log but no snapshot is an
/// interrupted beginning, one with a snapshot but no log has lost batches.
fn begin(dir: &Path, genesis: Tree) -> Result<(), StateError> {
    let exists = |name: &str| {
        let file = dir.join(name);
        file.try_exists().map_err(io_error(&file))
    };
    let root = genesis.root();
    match (exists(log::NAME)?, exists(snapshot::NAME)?) {
        (_, true) => return Ok(()),
        (false, false) => {
            let header = LogHeader { genesis_root: root, batch: 0, root };
            replace(dir, log::NAME, &header.encode())?;
        }
        (true, false) => {
            let log = log::read(dir)?;
            if !log.is_untouched() {
                let what = "the file is missing but the log holds batches".to_string();
                return Err(StateError::Damaged { file: dir.join(snapshot::NAME), offset: 0, what });
            }
            log.check_base(root, 0, root)?;
        }
    }
    let entries: Vec<(Fr, Word)> = genesis.leaves()[1..].iter().map(|l| (l.key, l.value)).collect();
    replace(dir, snapshot::NAME, &snapshot::encode(0, &root, &root, &entries))
}

/// Plans a logged batch on the tree; says what is wrong if the roots do not come out as logged.
fn replay(tree: &Tree, record: &Record) -> Result<TreeWitness, String> {
    let wrong = |which: &str, expected: &Fr, found: &Fr| {
        let (expected, found) = (files::hex_root(expected), files::hex_root(found));
        format!("batch {}: {which} root logged as {expected}, replay gives {found}", record.batch)
    };
    if record.old_root != tree.root() {
        return Err(wrong("old", &record.old_root, &tree.root()));
    }
    let witness = tree.preview(&record.touched).map_err(|e| format!("batch {}: {e}", record.batch))?;
    if witness.new_root != record.new_root {
        return Err(wrong("new", &record.new_root, &witness.new_root));
    }
    Ok(witness)
}

/// True if `touched`, in any order, is what the witness was made from.
fn same_content(last: &TreeWitness, touched: &[Touched]) -> bool {
    let mut sorted = touched.to_vec();
    sorted.sort_unstable_by_key(|t| OrdKey::new(&t.key));
    last.touched().eq(sorted)
}
