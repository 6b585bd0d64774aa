//! What the API answers: batches, proofs and health as JSON. Field names here are a promise to clients.
use crate::progress::{L1Health, Live};
use crate::prover::{CircuitInfo, L1Binding};
use crate::store::{BatchRow, ExecutedRow, L1Step, Phase, ProgressRow, StatementHex, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET /v1/batches/{number}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchView {
    /// Batch number.
    pub number: u64,
    /// Seconds.
    pub timestamp: u64,
    /// `accepted`, `proving`, `proven`, `settling`, `executed` or `failed`.
    pub status: String,
    /// What it is at, while `proving` or `settling`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stage: Option<String>,
    /// Part of that stage that is done, 0..=100.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub percent: Option<f64>,
    /// Milliseconds per stage so far.
    pub stages_ms: BTreeMap<String, u64>,
    /// Last error, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// State root before.
    pub old_root: String,
    /// State root after.
    pub new_root: String,
    /// Keccak-256 of the statement's words.
    pub statement_hash: String,
    /// Machine steps.
    pub steps: u64,
    /// Transactions in order.
    pub transactions: Vec<TransactionView>,
    /// Settlement, as far as it got.
    pub l1: L1View,
}

/// A transaction and its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionView {
    /// Ethereum transaction hash.
    pub hash: String,
    /// Sender.
    pub from: String,
    /// Callee.
    pub to: String,
    /// Nonce.
    pub nonce: u64,
    /// `success`, `reverted` or `skipped`.
    pub status: lathe_vm::receipt::ReceiptStatus,
    /// What the callee handed back, 0x hex.
    pub output: String,
}

/// Settlement of one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L1View {
    /// `commitBatch`
    pub commit: Option<L1TxView>,
    /// `proveBatch`
    pub prove: Option<L1TxView>,
    /// `executeBatch`
    pub execute: Option<L1TxView>,
    /// The contract's state root for this batch, once executed.
    pub executed_root: Option<String>,
}

/// One L1 transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L1TxView {
    /// Hash.
    pub hash: String,
    /// Block, once mined.
    pub block: Option<u64>,
    /// Gas used, once mined.
    pub gas_used: Option<u64>,
}

/// `GET /v1/batches/{number}/proof`: all that `lathe verify` needs besides the verifying keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProofView {
    /// Batch number.
    pub number: u64,
    /// L1 contract the proof is bound to.
    pub l1: L1BindingView,
    /// The statement's words.
    pub statement: StatementHex,
    /// Their Keccak-256.
    pub statement_hash: String,
    /// Layout.
    pub layout_id: u64,
    /// Circuits of the layout, in order.
    pub circuits: Vec<CircuitInfo>,
    /// The batch proof, 0x hex.
    pub proof: String,
    /// Milliseconds its verification took on the server.
    pub verified_ms: f64,
    /// Peak memory of the server when it was done.
    pub peak_memory_bytes: u64,
    /// The device it was made on.
    pub device: String,
}

/// [`L1Binding`] in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct L1BindingView {
    /// L1 chain id.
    pub chain_id: u64,
    /// 0x hex.
    pub contract: String,
}

/// `GET /healthz`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthView {
    /// `ok`, or `degraded` with the reason in the fields below.
    pub status: String,
    /// Version of the server.
    pub version: String,
    /// L2 chain id.
    pub chain_id: u64,
    /// Last batch accepted.
    pub last_accepted: u64,
    /// Last batch proven.
    pub last_proven: u64,
    /// Last batch executed on L1.
    pub last_executed: u64,
    /// Why the worker stands still, if it does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worker_error: Option<String>,
    /// Why L1 refuses to settle, if it does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settle_error: Option<String>,
    /// L1.
    pub l1: L1Health,
    /// The proving device.
    pub device: String,
    /// Whether the keys are development keys, which a production rollup refuses.
    pub development_keys: bool,
}

impl From<L1Binding> for L1BindingView {
    fn from(b: L1Binding) -> L1BindingView {
        L1BindingView { chain_id: b.chain_id, contract: format!("0x{}", hex::encode(b.contract)) }
    }
}

impl L1BindingView {
    /// Reads it back.
    ///
    /// # Errors
    /// The field at fault.
    pub fn parse(&self) -> Result<L1Binding, String> {
        let mut contract = [0; 20];
        hex::decode_to_slice(self.contract.trim_start_matches("0x"), &mut contract)
            .map_err(|e| format!("l1.contract: {e}; 0x and 40 hex digits expected"))?;
        Ok(L1Binding { chain_id: self.chain_id, contract })
    }
}

/// Joins what is stored about a batch with where it is right now.
///
/// # Errors
/// Those of the store.
pub fn batch(
    store: &Store,
    row: &BatchRow,
    proving: Option<Live>,
    settling: Option<Live>,
) -> Result<BatchView, StoreError> {
    let progress = store.progress(row.number)?.unwrap_or_default();
    let status = status(&progress, &proving, &settling);
    let mut stages_ms = progress.stages_ms.clone();
    let live = proving.or(settling);
    if let Some(live) = &live {
        stages_ms.extend(live.stages_ms.clone());
    }
    let transactions = row.transactions.iter().zip(&row.receipts).map(|(tx, receipt)| TransactionView {
        hash: tx.hash.clone(),
        from: tx.from.clone(),
        to: tx.to.clone(),
        nonce: tx.nonce,
        status: receipt.status,
        output: format!("0x{}", hex::encode(&receipt.output)),
    });
    Ok(BatchView {
        number: row.number,
        timestamp: row.timestamp,
        status: status.into(),
        stage: live.as_ref().map(|l| l.stage.into()),
        percent: live.as_ref().map(|l| l.percent),
        stages_ms,
        error: progress.error,
        old_root: row.statement.previous_state_root.clone(),
        new_root: row.statement.new_state_root.clone(),
        statement_hash: row.statement_hash.clone(),
        steps: row.steps,
        transactions: transactions.collect(),
        l1: l1(store, row.number, store.executed(row.number)?)?,
    })
}

fn status(progress: &ProgressRow, proving: &Option<Live>, settling: &Option<Live>) -> &'static str {
    match progress.phase {
        Phase::Executed => "executed",
        Phase::Proven if settling.is_some() => "settling",
        Phase::Proven => "proven",
        _ if proving.is_some() => "proving",
        Phase::Failed => "failed",
        Phase::Accepted => "accepted",
    }
}

fn l1(store: &Store, number: u64, executed: Option<ExecutedRow>) -> Result<L1View, StoreError> {
    let step = |step| -> Result<Option<L1TxView>, StoreError> {
        Ok(store.l1_tx(number, step)?.map(|tx| L1TxView {
            hash: tx.hash,
            block: tx.mined.as_ref().map(|m| m.block),
            gas_used: tx.mined.as_ref().map(|m| m.gas_used),
        }))
    };
    Ok(L1View {
        commit: step(L1Step::Commit)?,
        prove: step(L1Step::Prove)?,
        execute: step(L1Step::Execute)?,
        executed_root: executed.map(|e| e.root),
    })
}
