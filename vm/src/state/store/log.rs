//! The append log: one record per batch, each with its own digest and its roots before and after.
//! A record cut short at the end of the file is a batch that was never acknowledged and is dropped; any
//! other mismatch is damage.
//!
//! Layout (integers little-endian): header = type, genesis root, base batch u64, base root, Keccak-256 of
//! that. Record = body length u32, 8 bytes of Keccak-256 over file offset and length, body, Keccak-256 of the
//! record so far. Body = batch u64, old root, new root, count u32, `count` times key and value by key.
//! The length has a digest of its own so that a damaged length cannot pass for a record cut short.

use std::fs::File;
use std::path::{Path, PathBuf};

use halo2curves::bn256::Fr;

use super::disk;
use super::files::{ENTRY, Reader, digest, hex_root, io_error, put_entry, put_field};
use crate::state::error::StateError;
use crate::state::witness::{Touched, TreeWitness};

pub(super) const NAME: &str = "log";
const MAGIC: &[u8; 8] = b"LATHLOG2";
/// Length and its digest.
const HEAD: usize = 12;
/// Body without its entries.
const FIXED: usize = 8 + 32 + 32 + 4;
const SUM: usize = 32;

pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join(NAME)
}

/// The state that the first record follows.
pub(super) struct LogHeader {
    pub(super) genesis_root: Fr,
    pub(super) batch: u64,
    pub(super) root: Fr,
}

impl LogHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put_field(&mut out, &self.genesis_root);
        out.extend_from_slice(&self.batch.to_le_bytes());
        put_field(&mut out, &self.root);
        let sum = digest(&[&out]);
        out.extend_from_slice(&sum);
        out
    }

    fn read(r: &mut Reader<'_>) -> Result<LogHeader, StateError> {
        r.magic(MAGIC)?;
        let genesis_root = r.field()?;
        let batch = r.u64()?;
        let root = r.field()?;
        r.digest_since(0)?;
        Ok(LogHeader { genesis_root, batch, root })
    }
}

/// One batch.
pub(super) struct Record {
    pub(super) batch: u64,
    pub(super) old_root: Fr,
    pub(super) new_root: Fr,
    pub(super) touched: Vec<Touched>,
}

impl Record {
    pub(super) fn of(batch: u64, witness: &TreeWitness) -> Record {
        Record {
            batch,
            old_root: witness.old_root,
            new_root: witness.new_root,
            touched: witness.touched().collect(),
        }
    }

    /// The bytes of the record at this offset of the log.
    pub(super) fn encode(&self, offset: u64) -> Result<Vec<u8>, StateError> {
        let too_long = || StateError::BatchTooLarge { batch: self.batch, keys: self.touched.len() as u64 };
        let length = u32::try_from(FIXED + self.touched.len() * ENTRY).map_err(|_| too_long())?;
        let mut out = Vec::with_capacity(HEAD + length as usize + SUM);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&head_digest(offset, length));
        out.extend_from_slice(&self.batch.to_le_bytes());
        put_field(&mut out, &self.old_root);
        put_field(&mut out, &self.new_root);
        // Below 2^32, since its 64-fold is.
        out.extend_from_slice(&(self.touched.len() as u32).to_le_bytes());
        for t in &self.touched {
            put_entry(&mut out, &t.key, &t.new_value);
        }
        let sum = digest(&[&out]);
        out.extend_from_slice(&sum);
        Ok(out)
    }

    /// The next record; `None` at the end and before a record cut short.
    fn read(r: &mut Reader<'_>) -> Result<Option<Record>, StateError> {
        let start = r.at;
        let rest = r.rest();
        // Blocks that a crash left unwritten read as zero; no record begins with a zero length.
        if rest.len() < HEAD || rest.iter().all(|b| *b == 0) {
            return Ok(None);
        }
        let length = r.u32()?;
        if r.take::<8>()? != head_digest(start as u64, length) {
            return Err(r.damaged(start, "the record's length does not match its digest"));
        }
        let whole = HEAD + length as usize + SUM;
        if rest.len() < whole || (rest.len() == whole && rest[whole - SUM..].iter().all(|b| *b == 0)) {
            r.at = start;
            return Ok(None);
        }
        let batch = r.u64()?;
        let old_root = r.field()?;
        let new_root = r.field()?;
        let count = r.u32()? as usize;
        if length as usize != FIXED + count * ENTRY {
            return Err(r.damaged(start, format!("{count} keys do not fit a record of {length} bytes")));
        }
        let touched = (0..count).map(|_| r.entry()).collect::<Result<Vec<Touched>, StateError>>()?;
        r.digest_since(start)?;
        Ok(Some(Record { batch, old_root, new_root, touched }))
    }
}

fn head_digest(offset: u64, length: u32) -> [u8; 8] {
    let sum = digest(&[&offset.to_le_bytes(), &length.to_le_bytes()]);
    std::array::from_fn(|i| sum[i])
}

/// The log as read: header, records with their offsets, and where the whole records end.
pub(super) struct Log {
    pub(super) file: PathBuf,
    header: LogHeader,
    pub(super) records: Vec<(u64, Record)>,
    end: usize,
    length: usize,
}

/// Reads and verifies the log, and that its batches follow each other.
pub(super) fn read(dir: &Path) -> Result<Log, StateError> {
    let file = path(dir);
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let what = "the file is missing but there is a snapshot".to_string();
            return Err(StateError::Damaged { file, offset: 0, what });
        }
        Err(e) => return Err(io_error(&file)(e)),
    };
    let mut r = Reader { file: &file, bytes: &bytes, at: 0 };
    let header = LogHeader::read(&mut r)?;
    let mut records: Vec<(u64, Record)> = Vec::new();
    let (mut batch, mut root) = (header.batch, header.root);
    loop {
        let start = r.at;
        let Some(record) = Record::read(&mut r)? else { break };
        if batch.checked_add(1) != Some(record.batch) || record.old_root != root {
            let what = format!("the record of batch {} does not follow batch {batch}", record.batch);
            return Err(r.damaged(start, what));
        }
        (batch, root) = (record.batch, record.new_root);
        records.push((start as u64, record));
    }
    let end = r.at;
    Ok(Log { header, records, end, length: bytes.len(), file })
}

impl Log {
    /// True if it is as [`super::begin`] wrote it.
    pub(super) fn is_untouched(&self) -> bool {
        self.header.batch == 0 && self.end == self.length && self.records.is_empty()
    }

    /// Checks that the snapshot after `batch` with `root` lies on the log's chain.
    pub(super) fn check_base(&self, genesis_root: Fr, batch: u64, root: Fr) -> Result<(), StateError> {
        let damaged = |what| Err(StateError::Damaged { file: self.file.clone(), offset: 0, what });
        if self.header.genesis_root != genesis_root {
            let (found, expected) = (hex_root(&self.header.genesis_root), hex_root(&genesis_root));
            return damaged(format!("the log began from genesis root {found}, expected {expected}"));
        }
        let on_chain = if batch == self.header.batch {
            Some(self.header.root)
        } else {
            self.records.iter().find(|(_, r)| r.batch == batch).map(|(_, r)| r.new_root)
        };
        match on_chain {
            Some(logged) if logged == root => Ok(()),
            Some(logged) => {
                let (logged, stated) = (hex_root(&logged), hex_root(&root));
                damaged(format!("batch {batch} ends in root {logged}, the snapshot of it has {stated}"))
            }
            None => damaged(format!("the log does not reach the snapshot's batch {batch}")),
        }
    }

    /// Cuts off a record cut short and returns the handle for appending.
    pub(super) fn into_appendable(self) -> Result<File, StateError> {
        let cut = || {
            let handle = File::options().append(true).open(&self.file)?;
            if self.end < self.length {
                disk::cut(&handle, &self.file, self.end as u64)?;
                disk::sync(&handle, &self.file)?;
            }
            Ok(handle)
        };
        cut().map_err(io_error(&self.file))
    }
}

/// Handle for appending to the folder's log.
pub(super) fn append_handle(dir: &Path) -> Result<File, StateError> {
    let file = path(dir);
    File::options().append(true).open(&file).map_err(io_error(&file))
}
