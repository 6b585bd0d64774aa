//! Files of the store: atomic replacement, the folder's lock, and checked reading of binary fields.
//! Nothing here trusts a length or a field element it reads.

use std::fs::File;
use std::path::{Path, PathBuf};

use ff::PrimeField;
use halo2curves::bn256::Fr;
use sha3::{Digest, Keccak256};

use super::disk;
use crate::Word;
use crate::state::error::StateError;
use crate::state::witness::Touched;

const LOCK: &str = "lock";
const TEMPORARY: &str = "tmp";
/// Bytes of a key and a value.
pub(super) const ENTRY: usize = 64;

/// Adds the file's name to a system error.
pub(super) fn io_error(file: &Path) -> impl FnOnce(std::io::Error) -> StateError {
    let file = file.to_path_buf();
    move |source| StateError::Io { file, source }
}

/// Takes the folder's lock; it is released when the file is closed, by a crash too.
pub(super) fn lock(dir: &Path) -> Result<File, StateError> {
    let path = dir.join(LOCK);
    let file =
        File::options().create(true).truncate(false).write(true).open(&path).map_err(io_error(&path))?;
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StateError::Locked { dir: dir.to_path_buf() }),
        Err(e) => Err(io_error(&path)(e.into())),
    }
}

/// Removes what a crash during [`replace`] left behind.
pub(super) fn remove_temporary(dir: &Path) -> Result<(), StateError> {
    for name in [super::log::NAME, super::snapshot::NAME] {
        let path = dir.join(name).with_extension(TEMPORARY);
        match disk::remove(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io_error(&path)(e)),
            _ => {}
        }
    }
    Ok(())
}

/// Replaces a file in the folder so that a crash leaves the old content or the new one.
pub(super) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), StateError> {
    let path = dir.join(name);
    let temporary = path.with_extension(TEMPORARY);
    let write = || {
        let file = disk::create(&temporary)?;
        disk::append(&file, &temporary, bytes)?;
        disk::sync(&file, &temporary)?;
        disk::rename(&temporary, &path)?;
        disk::sync_dir(dir)
    };
    write().map_err(io_error(&path))
}

/// Keccak-256 over the parts.
pub(super) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Keccak256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// A root as messages show it: `0x` and 64 digits.
pub(super) fn hex_root(root: &Fr) -> String {
    let mut bytes: [u8; 32] = root.to_repr().into();
    bytes.reverse();
    format!("0x{}", hex::encode(bytes))
}

pub(super) fn put_field(out: &mut Vec<u8>, x: &Fr) {
    out.extend_from_slice(x.to_repr().as_ref());
}

pub(super) fn put_entry(out: &mut Vec<u8>, key: &Fr, value: &Word) {
    put_field(out, key);
    out.extend_from_slice(&value.to_be_bytes());
}

/// Reads fields of a file's bytes in order; each failure names the file and the offset.
pub(super) struct Reader<'a> {
    pub(super) file: &'a Path,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn damaged(&self, at: usize, what: impl Into<String>) -> StateError {
        StateError::Damaged { file: PathBuf::from(self.file), offset: at as u64, what: what.into() }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], StateError> {
        match self.rest().first_chunk::<N>() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => {
                Err(self.damaged(self.at, format!("expected {N} more bytes, found {}", self.rest().len())))
            }
        }
    }

    pub(super) fn magic(&mut self, expected: &[u8; 8]) -> Result<(), StateError> {
        let found = self.take::<8>()?;
        if found == *expected {
            return Ok(());
        }
        let show = |b: &[u8; 8]| b.escape_ascii().to_string();
        let what = format!("expected file type {}, found {}", show(expected), show(&found));
        Err(self.damaged(self.at - 8, what))
    }

    pub(super) fn u64(&mut self) -> Result<u64, StateError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, StateError> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    pub(super) fn field(&mut self) -> Result<Fr, StateError> {
        let bytes = self.take::<32>()?;
        Option::from(Fr::from_repr(bytes.into()))
            .ok_or_else(|| self.damaged(self.at - 32, "a field element is not below the modulus"))
    }

    pub(super) fn entry(&mut self) -> Result<Touched, StateError> {
        Ok(Touched { key: self.field()?, new_value: Word::from_be_bytes(self.take()?) })
    }

    /// Takes 32 bytes that must be the digest of everything from `start` up to here.
    pub(super) fn digest_since(&mut self, start: usize) -> Result<(), StateError> {
        let end = self.at;
        if self.take::<32>()? == digest(&[&self.bytes[start..end]]) {
            Ok(())
        } else {
            Err(self.damaged(start, format!("the digest at byte {end} does not match the content")))
        }
    }
}
