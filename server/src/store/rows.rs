//! The rows of the store, as JSON. Fields may be added with a default; none may change its meaning.
use lathe_vm::Word;
use lathe_vm::receipt::Receipt;
use lathe_vm::trace::Statement;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One transaction as accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxRow {
    /// Ethereum transaction hash, 0x hex.
    pub hash: String,
    /// Recovered sender, 0x hex.
    pub from: String,
    /// Callee, 0x hex.
    pub to: String,
    /// Sender's nonce.
    pub nonce: u64,
    /// The signed bytes, 0x hex.
    pub raw: String,
}

/// An accepted batch: immutable once stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRow {
    /// Batch number, from 1.
    pub number: u64,
    /// Seconds.
    pub timestamp: u64,
    /// Keccak-256 of timestamp and transactions, 0x hex: what "same content" means.
    pub content: String,
    /// Transactions in order.
    pub transactions: Vec<TxRow>,
    /// The bytes posted to L1, 0x hex.
    pub posted: String,
    /// The statement's words.
    pub statement: StatementHex,
    /// Its Keccak-256, 0x hex.
    pub statement_hash: String,
    /// One per transaction.
    pub receipts: Vec<Receipt>,
    /// Machine steps.
    pub steps: u64,
    /// Unix time in milliseconds.
    pub accepted_at_ms: u64,
}

/// How far a batch is, as stored. Live stages are finer and lost in a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Waits for the worker.
    #[default]
    Accepted,
    /// A verified proof is stored.
    Proven,
    /// L1 reports the new state root as executed.
    Executed,
    /// Proving failed; the text says why. The worker tries again after a restart.
    Failed,
}

/// Progress of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressRow {
    /// Phase.
    pub phase: Phase,
    /// Milliseconds per finished stage.
    pub stages_ms: BTreeMap<String, u64>,
    /// Last error, if any.
    pub error: Option<String>,
}

/// A verified proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProofRow {
    /// Layout.
    pub layout_id: u64,
    /// The bytes, hex.
    #[serde(with = "hex::serde")]
    pub proof: Vec<u8>,
    /// Peak memory of the process when the proof was done, bytes.
    pub peak_memory_bytes: u64,
    /// Milliseconds the verification took.
    pub verified_ms: f64,
}

/// A step of settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum L1Step {
    /// `commitBatch`
    Commit = 0,
    /// `proveBatch`
    Prove = 1,
    /// `executeBatch`
    Execute = 2,
}

impl L1Step {
    /// In the order in which L1 takes them.
    pub const ALL: [L1Step; 3] = [L1Step::Commit, L1Step::Prove, L1Step::Execute];

    /// Lower-case name.
    pub fn name(self) -> &'static str {
        ["commit", "prove", "execute"][self as usize]
    }
}

/// A signed L1 transaction, stored before it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct L1Tx {
    /// Hash, 0x hex.
    pub hash: String,
    /// Account nonce it occupies.
    pub nonce: u64,
    /// The signed bytes: sending them again cannot post twice.
    #[serde(with = "hex::serde")]
    pub raw: Vec<u8>,
    /// Hashes of earlier transactions with the same nonce and smaller fees.
    #[serde(default)]
    pub replaced: Vec<String>,
    /// Its receipt.
    pub mined: Option<Mined>,
}

/// What the receipt said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mined {
    /// L1 block.
    pub block: u64,
    /// Gas used.
    pub gas_used: u64,
}

/// L1's word that a batch is executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutedRow {
    /// The contract's state root for this batch, 0x hex.
    pub root: String,
}

/// The statement's words as 0x hex, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)] // the names are those of `Statement`
pub struct StatementHex {
    pub protocol_version: String,
    pub chain_id: String,
    pub batch_number: String,
    pub timestamp: String,
    pub previous_state_root: String,
    pub new_state_root: String,
    pub batch_data_hash: String,
    pub priority_ops_hash: String,
    pub l2_to_l1_root: String,
    pub kernel_hash: String,
    pub base_fee: String,
    pub gas_limit: String,
    pub prevrandao: String,
    pub l1_gas_price: String,
    pub past_block_hashes: String,
    pub fee_recipient: String,
}

impl StatementHex {
    /// Writes the words.
    pub fn of(statement: &Statement) -> StatementHex {
        let s = statement.words().map(|w| w.to_string());
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = s;
        StatementHex {
            protocol_version: a,
            chain_id: b,
            batch_number: c,
            timestamp: d,
            previous_state_root: e,
            new_state_root: f,
            batch_data_hash: g,
            priority_ops_hash: h,
            l2_to_l1_root: i,
            kernel_hash: j,
            base_fee: k,
            gas_limit: l,
            prevrandao: m,
            l1_gas_price: n,
            past_block_hashes: o,
            fee_recipient: p,
        }
    }

    /// Reads the words back.
    ///
    /// # Errors
    /// The name of the first field that is not 32 bytes of 0x hex.
    pub fn parse(&self) -> Result<Statement, String> {
        let word = |name: &str, text: &str| {
            let mut bytes = [0; 32];
            let digits = text.strip_prefix("0x").unwrap_or(text);
            hex::decode_to_slice(digits, &mut bytes)
                .map_err(|e| format!("statement.{name}: {e}; 0x and 64 hex digits expected"))?;
            Ok::<Word, String>(Word::from_be_bytes(bytes))
        };
        Ok(Statement {
            protocol_version: word("protocolVersion", &self.protocol_version)?,
            chain_id: word("chainId", &self.chain_id)?,
            batch_number: word("batchNumber", &self.batch_number)?,
            timestamp: word("timestamp", &self.timestamp)?,
            previous_state_root: word("previousStateRoot", &self.previous_state_root)?,
            new_state_root: word("newStateRoot", &self.new_state_root)?,
            batch_data_hash: word("batchDataHash", &self.batch_data_hash)?,
            priority_ops_hash: word("priorityOpsHash", &self.priority_ops_hash)?,
            l2_to_l1_root: word("l2ToL1Root", &self.l2_to_l1_root)?,
            kernel_hash: word("kernelHash", &self.kernel_hash)?,
            base_fee: word("baseFee", &self.base_fee)?,
            gas_limit: word("gasLimit", &self.gas_limit)?,
            prevrandao: word("prevrandao", &self.prevrandao)?,
            l1_gas_price: word("l1GasPrice", &self.l1_gas_price)?,
            past_block_hashes: word("pastBlockHashes", &self.past_block_hashes)?,
            fee_recipient: word("feeRecipient", &self.fee_recipient)?,
        })
    }
}
