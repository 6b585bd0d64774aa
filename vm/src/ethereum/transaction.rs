//! Transactions as a batch posts them: three of Ethereum's types, account transactions and priority operations.
//! Reading is strict: what is read encodes to the same bytes again, and the kernel applies the same rules.
mod account;
mod payload;
mod priority;
mod sign;
mod signature;
mod signed;

pub use account::{AccountPayload, AccountTransaction};
pub(super) use payload::access_list_bytes;
pub use payload::{AccessItem, Fees, Kind, Payload};
pub use priority::PriorityOperation;
pub use sign::Key;
pub use signature::Signature;
pub use signed::{RawError, SIGNATURE, Signed};

use super::reason::Reason;
use super::rlp::Malformed;
use super::{Address, keccak};
use crate::word::Word;

/// First bytes of bodies. A legacy transaction is a bare list and begins with 0xc0 or above.
pub mod kind {
    /// EIP-2930.
    pub const EIP2930: u8 = 0x01;
    /// EIP-1559.
    pub const EIP1559: u8 = 0x02;
    /// Account transactions, this rollup's own.
    pub const ACCOUNT: u8 = 0x4c;
    /// Operations requested on L1.
    pub const PRIORITY: u8 = 0x7e;
    /// The least first byte of a list.
    pub const LEGACY: u8 = 0xc0;
}

/// True if bodies that begin with this byte end with a signature of [`SIGNATURE`] bytes.
pub fn is_signed(first: u8) -> bool {
    matches!(first, kind::EIP2930 | kind::EIP1559 | kind::LEGACY..)
}

/// A transaction of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// One of Ethereum's.
    Signed(Signed),
    /// From an account that may validate it itself.
    Account(AccountTransaction),
    /// Requested on L1.
    Priority(PriorityOperation),
}

/// Why a body is no transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No bytes.
    #[error("a transaction has at least one byte")]
    Empty,
    /// A type that does not exist here.
    #[error("transaction type {0:#04x} is not supported")]
    Unsupported(u8),
    /// Too short for its signature.
    #[error("{0} bytes hold no payload and {SIGNATURE} bytes of signature")]
    Short(usize),
    /// A field.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl DecodeError {
    /// What the kernel skips it for.
    pub fn reason(&self) -> Reason {
        match self {
            DecodeError::Unsupported(_) => Reason::UnsupportedType,
            DecodeError::Empty | DecodeError::Short(_) | DecodeError::Malformed(_) => Reason::Malformed,
        }
    }
}

impl Transaction {
    /// Reads the body of a record.
    ///
    /// # Errors
    /// [`DecodeError`]; the kernel skips exactly these bodies as malformed or unsupported.
    pub fn decode(body: &[u8]) -> Result<Transaction, DecodeError> {
        match body.first() {
            None => Err(DecodeError::Empty),
            Some(&first) if is_signed(first) => Signed::decode(body).map(Transaction::Signed),
            Some(&kind::ACCOUNT) => Ok(Transaction::Account(AccountTransaction::decode(body)?)),
            Some(&kind::PRIORITY) => Ok(Transaction::Priority(PriorityOperation::decode(body)?)),
            Some(&first) => Err(DecodeError::Unsupported(first)),
        }
    }

    /// Reads what a wallet sends: Ethereum's signed bytes, or the body of an account transaction.
    ///
    /// # Errors
    /// [`RawError`]; priority operations come from L1 alone.
    pub fn from_raw(raw: &[u8]) -> Result<Transaction, RawError> {
        match raw.first() {
            Some(&kind::ACCOUNT) => Ok(Transaction::decode(raw)?),
            Some(&first @ kind::PRIORITY) => Err(DecodeError::Unsupported(first).into()),
            _ => Signed::from_raw(raw).map(Transaction::Signed),
        }
    }

    /// The body of its record.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Transaction::Signed(t) => t.encode(),
            Transaction::Account(t) => t.encode(),
            Transaction::Priority(t) => t.encode(),
        }
    }

    /// The transaction's hash: Ethereum's for its types, else Keccak-256 of the body.
    pub fn hash(&self) -> [u8; 32] {
        match self {
            Transaction::Signed(t) => t.hash(),
            Transaction::Account(_) | Transaction::Priority(_) => keccak(&[&self.encode()]),
        }
    }

    /// EIP-2718's type, 0 for legacy transactions.
    pub fn kind(&self) -> u8 {
        match self {
            Transaction::Signed(t) => t.payload.kind.number(),
            Transaction::Account(_) => kind::ACCOUNT,
            Transaction::Priority(_) => kind::PRIORITY,
        }
    }

    /// Who sends it; `None` if the signature is not valid.
    pub fn sender(&self) -> Option<Address> {
        match self {
            Transaction::Signed(t) => t.sender(),
            Transaction::Account(t) => Some(t.payload.from),
            Transaction::Priority(t) => Some(t.from),
        }
    }

    /// Callee; `None` for a creation.
    pub fn to(&self) -> Option<Address> {
        match self {
            Transaction::Signed(t) => t.payload.to,
            Transaction::Account(t) => Some(t.payload.to),
            Transaction::Priority(t) => Some(t.to),
        }
    }

    /// The most gas it may use.
    pub fn gas_limit(&self) -> u64 {
        match self {
            Transaction::Signed(t) => t.payload.gas_limit,
            Transaction::Account(t) => t.payload.gas_limit,
            Transaction::Priority(t) => t.gas_limit,
        }
    }

    /// Wei per gas in a block with this base fee; gas of priority operations is paid for on L1.
    pub fn gas_price(&self, base_fee: Word) -> Word {
        match self {
            Transaction::Signed(t) => t.payload.kind.fees().effective(base_fee),
            Transaction::Account(t) => t.payload.fees.effective(base_fee),
            Transaction::Priority(_) => Word::ZERO,
        }
    }
}
