//! The snapshot file: the leaves after one batch, from which the whole tree is rebuilt and its root checked.
//! It stores keys and values only; pointers and hashes are never read from disk.
//!
//! Layout (integers little-endian): type, batch u64, genesis root, root, count u64, `count` times key and
//! value in index order (the genesis leaf left out), Keccak-256 of all that.

use std::path::Path;

use halo2curves::bn256::Fr;

use super::files::{ENTRY, Reader, digest, hex_root, io_error, put_entry, put_field};
use crate::Word;
use crate::state::error::StateError;
use crate::state::tree::Tree;

pub(super) const NAME: &str = "snapshot";
const MAGIC: &[u8; 8] = b"LATHSNP2";

/// A snapshot read and verified.
pub(super) struct Snapshot {
    pub(super) batch: u64,
    pub(super) genesis_root: Fr,
    pub(super) tree: Tree,
}

pub(super) fn encode(batch: u64, genesis_root: &Fr, root: &Fr, entries: &[(Fr, Word)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + entries.len() * ENTRY);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&batch.to_le_bytes());
    put_field(&mut out, genesis_root);
    put_field(&mut out, root);
    out.extend_from_slice(&(entries.len() as u64).to_le_bytes());
    for (key, value) in entries {
        put_entry(&mut out, key, value);
    }
    let sum = digest(&[&out]);
    out.extend_from_slice(&sum);
    out
}

impl Snapshot {
    pub(super) fn read(dir: &Path) -> Result<Snapshot, StateError> {
        let file = dir.join(NAME);
        let bytes = std::fs::read(&file).map_err(io_error(&file))?;
        let mut r = Reader { file: &file, bytes: &bytes, at: 0 };
        r.magic(MAGIC)?;
        let batch = r.u64()?;
        let genesis_root = r.field()?;
        let root = r.field()?;
        let count_at = r.at;
        let count = r.u64()?;
        // The count must explain the file's length exactly, so that it may size the allocation.
        let room = r.rest().len().saturating_sub(32);
        if count != (room / ENTRY) as u64 || r.rest().len() != room / ENTRY * ENTRY + 32 {
            let found = r.rest().len();
            return Err(
                r.damaged(count_at, format!("{count} leaves do not fit the {found} bytes after them"))
            );
        }
        let mut entries = Vec::with_capacity(room / ENTRY);
        for _ in 0..count {
            let e = r.entry()?;
            entries.push((e.key, e.new_value));
        }
        r.digest_since(0)?;
        let tree = Tree::from_entries(entries).map_err(|e| r.damaged(count_at, e.to_string()))?;
        if tree.root() != root {
            let (stated, found) = (hex_root(&root), hex_root(&tree.root()));
            return Err(r.damaged(48, format!("the root is stated as {stated}, the leaves give {found}")));
        }
        Ok(Snapshot { batch, genesis_root, tree })
    }
}
