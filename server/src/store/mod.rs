//! The durable store: one redb file with batches, progress, proofs and L1 transactions.
//! A write returns only after its commit is on disk. A row that does not carry its own digest is an error that
//! names the file; it is never served, proven or posted.
mod rows;
pub use rows::{
    BatchRow, ExecutedRow, L1Step, L1Tx, Mined, Phase, ProgressRow, ProofRow, StatementHex, TxRow,
};

use crate::prover::L1Binding;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Serialize, de::DeserializeOwned};
use sha3::{Digest, Keccak256};
use std::path::{Path, PathBuf};

/// File name inside the data folder.
pub const FILE: &str = "lathe.redb";
const FORMAT: u32 = 1;
const DIGEST: usize = 32;

type Rows<'a> = TableDefinition<'a, u64, &'static [u8]>;
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const BATCHES: Rows<'_> = TableDefinition::new("batches");
const PROGRESS: Rows<'_> = TableDefinition::new("progress");
const PROOFS: Rows<'_> = TableDefinition::new("proofs");
const EXECUTED: Rows<'_> = TableDefinition::new("executed");
const L1_TXS: TableDefinition<(u64, u8), &[u8]> = TableDefinition::new("l1_txs");

/// What a data folder belongs to. Opening it for anything else is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Layout of the rows.
    pub format: u32,
    /// L2 chain id.
    pub chain_id: u64,
    /// State root before batch 1, hex.
    pub genesis_root: String,
    /// Hash of the kernel's code, hex.
    pub kernel_hash: String,
}

impl Identity {
    /// Of the format this version writes.
    pub fn new(chain_id: u64, genesis_root: String, kernel_hash: String) -> Identity {
        Identity { format: FORMAT, chain_id, genesis_root, kernel_hash }
    }
}

/// Why the store refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database engine failed; nothing of the write is visible.
    #[error("store {file}: {source}; check that the disk is writable and not full, or restore a backup")]
    Engine {
        /// The file.
        file: PathBuf,
        /// The engine's error.
        #[source]
        source: Box<redb::Error>,
    },
    /// A row is not what this store wrote.
    #[error("store {file} is damaged: {table} of batch {batch}: {what}; restore a backup")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Table.
        table: &'static str,
        /// Batch number of the row; 0 for rows of no batch.
        batch: u64,
        /// What was found.
        what: String,
    },
    /// The folder holds another chain.
    #[error("store {file} belongs to {found}, not to {wanted}; use another data folder or the old settings")]
    Identity {
        /// The file.
        file: PathBuf,
        /// Stored.
        found: String,
        /// Asked for.
        wanted: String,
    },
    /// A batch out of order.
    #[error("store {file}: batch {got} does not follow batch {last}")]
    Order {
        /// The file.
        file: PathBuf,
        /// Last batch stored.
        last: u64,
        /// The batch given.
        got: u64,
    },
}

/// The open store; clone-free, share it behind an `Arc`.
pub struct Store {
    file: PathBuf,
    db: Database,
}

impl Store {
    /// Opens or begins the store in `dir`.
    ///
    /// # Errors
    /// [`StoreError::Identity`] for another chain's folder, [`StoreError::Engine`], [`StoreError::Damaged`].
    pub fn open(dir: &Path, identity: &Identity) -> Result<Store, StoreError> {
        let file = dir.join(FILE);
        let io = |e: std::io::Error| engine(&file, redb::Error::Io(e));
        std::fs::create_dir_all(dir).map_err(io)?;
        let db = Database::create(&file).map_err(|e| engine(&file, e.into()))?;
        let store = Store { file, db };
        store.create_tables()?;
        store.bind("identity", identity)?;
        Ok(store)
    }

    fn create_tables(&self) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.open_table(META)?;
            for table in [BATCHES, PROGRESS, PROOFS, EXECUTED] {
                tx.open_table(table)?;
            }
            tx.open_table(L1_TXS)?;
            Ok(())
        })
    }

    /// Binds all proofs of this store to one L1 contract, for ever.
    ///
    /// # Errors
    /// [`StoreError::Identity`] if it is bound to another one.
    pub fn bind_l1(&self, binding: &L1Binding) -> Result<(), StoreError> {
        self.bind("l1", binding)
    }

    /// The L1 contract the store is bound to, if any.
    ///
    /// # Errors
    /// As every read.
    pub fn l1_binding(&self) -> Result<Option<L1Binding>, StoreError> {
        self.meta("l1")
    }

    fn bind<T: Serialize + DeserializeOwned + PartialEq>(
        &self,
        key: &'static str,
        wanted: &T,
    ) -> Result<(), StoreError> {
        match self.meta::<T>(key)? {
            Some(found) if found == *wanted => Ok(()),
            Some(found) => Err(StoreError::Identity {
                file: self.file.clone(),
                found: text(&found),
                wanted: text(wanted),
            }),
            None => self.write(|tx| {
                tx.open_table(META)?.insert(key, seal(wanted).as_slice())?;
                Ok(())
            }),
        }
    }

    fn meta<T: DeserializeOwned>(&self, key: &'static str) -> Result<Option<T>, StoreError> {
        let bytes = self.read(|tx| Ok(tx.open_table(META)?.get(key)?.map(|v| v.value().to_vec())))?;
        bytes.map(|b| self.unseal("meta", 0, &b)).transpose()
    }

    /// Stores an accepted batch and its first progress in one durable commit.
    ///
    /// # Errors
    /// [`StoreError::Order`] unless the number follows the last one.
    pub fn insert_batch(&self, row: &BatchRow) -> Result<(), StoreError> {
        let last = self.last_accepted()?;
        if row.number != last + 1 {
            return Err(StoreError::Order { file: self.file.clone(), last, got: row.number });
        }
        self.write(|tx| {
            tx.open_table(BATCHES)?.insert(row.number, seal(row).as_slice())?;
            let progress = ProgressRow::default();
            tx.open_table(PROGRESS)?.insert(row.number, seal(&progress).as_slice())?;
            Ok(())
        })
    }

    /// Stores a verified proof and the progress that goes with it in one durable commit.
    ///
    /// # Errors
    /// As every write.
    pub fn insert_proof(
        &self,
        number: u64,
        proof: &ProofRow,
        progress: &ProgressRow,
    ) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.open_table(PROOFS)?.insert(number, seal(proof).as_slice())?;
            tx.open_table(PROGRESS)?.insert(number, seal(progress).as_slice())?;
            Ok(())
        })
    }

    /// Stores progress.
    ///
    /// # Errors
    /// As every write.
    pub fn put_progress(&self, number: u64, progress: &ProgressRow) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.open_table(PROGRESS)?.insert(number, seal(progress).as_slice())?;
            Ok(())
        })
    }

    /// Stores an L1 transaction; to be called before it is sent, and again once it is mined.
    ///
    /// # Errors
    /// As every write.
    pub fn put_l1_tx(&self, number: u64, step: L1Step, tx_row: &L1Tx) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.open_table(L1_TXS)?.insert((number, step as u8), seal(tx_row).as_slice())?;
            Ok(())
        })
    }

    /// Stores that L1 reports the batch as executed, with the progress that goes with it.
    ///
    /// # Errors
    /// As every write.
    pub fn insert_executed(
        &self,
        number: u64,
        executed: &ExecutedRow,
        progress: &ProgressRow,
    ) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.open_table(EXECUTED)?.insert(number, seal(executed).as_slice())?;
            tx.open_table(PROGRESS)?.insert(number, seal(progress).as_slice())?;
            Ok(())
        })
    }

    /// The batch, if accepted.
    ///
    /// # Errors
    /// As every read.
    pub fn batch(&self, number: u64) -> Result<Option<BatchRow>, StoreError> {
        self.row(BATCHES, "batches", number)
    }

    /// Its progress.
    ///
    /// # Errors
    /// As every read.
    pub fn progress(&self, number: u64) -> Result<Option<ProgressRow>, StoreError> {
        self.row(PROGRESS, "progress", number)
    }

    /// Its proof, once verified.
    ///
    /// # Errors
    /// As every read.
    pub fn proof(&self, number: u64) -> Result<Option<ProofRow>, StoreError> {
        self.row(PROOFS, "proofs", number)
    }

    /// What L1 said when it was executed.
    ///
    /// # Errors
    /// As every read.
    pub fn executed(&self, number: u64) -> Result<Option<ExecutedRow>, StoreError> {
        self.row(EXECUTED, "executed", number)
    }

    /// The L1 transaction of a step, if one was ever made.
    ///
    /// # Errors
    /// As every read.
    pub fn l1_tx(&self, number: u64, step: L1Step) -> Result<Option<L1Tx>, StoreError> {
        let key = (number, step as u8);
        let bytes = self.read(|tx| Ok(tx.open_table(L1_TXS)?.get(key)?.map(|v| v.value().to_vec())))?;
        bytes.map(|b| self.unseal("l1_txs", number, &b)).transpose()
    }

    /// Number of the last accepted batch; 0 for none.
    ///
    /// # Errors
    /// As every read.
    pub fn last_accepted(&self) -> Result<u64, StoreError> {
        self.last(BATCHES)
    }

    /// Number of the last proven batch; 0 for none. Batches are proven in order.
    ///
    /// # Errors
    /// As every read.
    pub fn last_proven(&self) -> Result<u64, StoreError> {
        self.last(PROOFS)
    }

    /// Number of the last batch that L1 executed; 0 for none.
    ///
    /// # Errors
    /// As every read.
    pub fn last_executed(&self) -> Result<u64, StoreError> {
        self.last(EXECUTED)
    }

    /// The file, for error texts.
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn last(&self, table: Rows<'static>) -> Result<u64, StoreError> {
        self.read(|tx| Ok(tx.open_table(table)?.last()?.map_or(0, |(k, _)| k.value())))
    }

    fn row<T: DeserializeOwned>(
        &self,
        table: Rows<'static>,
        name: &'static str,
        number: u64,
    ) -> Result<Option<T>, StoreError> {
        let bytes = self.read(|tx| Ok(tx.open_table(table)?.get(number)?.map(|v| v.value().to_vec())))?;
        bytes.map(|b| self.unseal(name, number, &b)).transpose()
    }

    fn unseal<T: DeserializeOwned>(
        &self,
        table: &'static str,
        batch: u64,
        bytes: &[u8],
    ) -> Result<T, StoreError> {
        let damaged = |what: String| StoreError::Damaged { file: self.file.clone(), table, batch, what };
        let payload = bytes.get(DIGEST..).ok_or_else(|| damaged(format!("{} bytes", bytes.len())))?;
        if Keccak256::digest(payload)[..] != bytes[..DIGEST] {
            return Err(damaged("the row's digest does not match".into()));
        }
        serde_json::from_slice(payload).map_err(|e| damaged(e.to_string()))
    }

    fn read<T>(
        &self,
        f: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let run = || f(&self.db.begin_read()?);
        run().map_err(|e| engine(&self.file, e))
    }

    /// One write transaction; redb's default durability syncs the file before `commit` returns.
    fn write(
        &self,
        f: impl FnOnce(&redb::WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), StoreError> {
        let run = || {
            let tx = self.db.begin_write()?;
            f(&tx)?;
            Ok(tx.commit()?)
        };
        run().map_err(|e| engine(&self.file, e))
    }
}

fn engine(file: &Path, source: redb::Error) -> StoreError {
    StoreError::Engine { file: file.to_path_buf(), source: Box::new(source) }
}

/// Digest, then JSON.
fn seal<T: Serialize>(row: &T) -> Vec<u8> {
    // Rows are plain structs with string keys: JSON of these cannot fail.
    let payload = serde_json::to_vec(row).expect("rows serialise");
    let mut out = Keccak256::digest(&payload).to_vec();
    out.extend_from_slice(&payload);
    out
}

fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
