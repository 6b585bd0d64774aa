//! Signed transactions as they come in: strict decoding, sender recovery and the rules that need no state.
//! What this module lets through is exactly what the kernel can run; everything else is refused by reason.
use alloy::consensus::transaction::SignerRecoverable;
use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::{Decodable2718, Encodable2718};
use alloy::primitives::TxKind;
use lathe_vm::batch::Record;

/// Why a transaction is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Not 0x hex.
    #[error("not 0x-prefixed hex: {0}")]
    Hex(String),
    /// Not a transaction.
    #[error("not a signed transaction: {0}")]
    Decode(String),
    /// Decodes, but another encoding is the right one.
    #[error("the encoding is not canonical RLP; encode the transaction again")]
    NotCanonical,
    /// Not EIP-1559.
    #[error("transaction type {0} is not supported yet; sign an EIP-1559 transaction (type 2)")]
    Type(u8),
    /// No sender.
    #[error("bad signature: {0}")]
    Signature(String),
    /// For another chain, or for none.
    #[error("wrong chain id {got}, this rollup is chain {expected}")]
    ChainId {
        /// This rollup's.
        expected: u64,
        /// The transaction's.
        got: u64,
    },
    /// Transfers value.
    #[error("value {0} is not supported yet; it must be 0")]
    Value(String),
    /// Creates a contract.
    #[error("contract creation is not supported yet; `to` must be an address")]
    Creation,
    /// Has an access list.
    #[error("an access list is not supported yet; it must be empty")]
    AccessList,
    /// Cannot be posted.
    #[error("{len} bytes of data, at most 65535 can be posted")]
    Data {
        /// Its length.
        len: usize,
    },
    /// Cannot be posted.
    #[error("nonce {0} does not fit in 48 bits")]
    NonceRange(u64),
}

impl TransactionError {
    /// Stable code for API clients.
    pub fn code(&self) -> &'static str {
        match self {
            TransactionError::Hex(_) => "invalid_hex",
            TransactionError::Decode(_) | TransactionError::NotCanonical => "invalid_transaction",
            TransactionError::Signature(_) => "bad_signature",
            TransactionError::ChainId { .. } => "wrong_chain_id",
            TransactionError::Data { .. } => "data_too_long",
            TransactionError::NonceRange(_) => "wrong_nonce",
            _ => "not_supported_yet",
        }
    }
}

/// A transaction whose signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Ethereum transaction hash.
    pub hash: [u8; 32],
    /// What is posted.
    pub record: Record,
    /// The signed bytes.
    pub raw: Vec<u8>,
}

/// Decodes and checks one `0x..` transaction for chain `chain_id`.
///
/// # Errors
/// The first rule it breaks.
pub fn check(text: &str, chain_id: u64) -> Result<Checked, TransactionError> {
    let digits = text.strip_prefix("0x").ok_or_else(|| TransactionError::Hex("0x is missing".into()))?;
    let raw = hex::decode(digits).map_err(|e| TransactionError::Hex(e.to_string()))?;
    match raw.first() {
        Some(2) => {}
        Some(kind @ (1 | 3..=0x7f)) => return Err(TransactionError::Type(*kind)),
        // Legacy transactions are bare RLP lists.
        Some(0xc0..) => return Err(TransactionError::Type(0)),
        _ => return Err(TransactionError::Decode("no transaction type starts like this".into())),
    }
    let envelope =
        TxEnvelope::decode_2718_exact(&raw).map_err(|e| TransactionError::Decode(e.to_string()))?;
    if envelope.encoded_2718() != raw {
        return Err(TransactionError::NotCanonical);
    }
    let chain = envelope.chain_id().unwrap_or(0);
    if chain != chain_id {
        return Err(TransactionError::ChainId { expected: chain_id, got: chain });
    }
    // Refuses s in the upper half too: such a signature is a second form of the same one.
    let from = envelope.recover_signer().map_err(|e| TransactionError::Signature(e.to_string()))?;
    let record = record(&envelope, from.into_array())?;
    Ok(Checked { hash: envelope.tx_hash().0, record, raw })
}

fn record(tx: &TxEnvelope, from: [u8; 20]) -> Result<Record, TransactionError> {
    let TxKind::Call(to) = tx.kind() else { return Err(TransactionError::Creation) };
    if !tx.value().is_zero() {
        return Err(TransactionError::Value(tx.value().to_string()));
    }
    if tx.access_list().is_some_and(|list| !list.is_empty()) {
        return Err(TransactionError::AccessList);
    }
    if tx.input().len() > usize::from(u16::MAX) {
        return Err(TransactionError::Data { len: tx.input().len() });
    }
    if tx.nonce() >> 48 != 0 {
        return Err(TransactionError::NonceRange(tx.nonce()));
    }
    Ok(Record { nonce: tx.nonce(), from, to: to.into_array(), data: tx.input().to_vec() })
}
