//! The host's side of the Ethereum kernel: transactions, the posted batch (`docs/batch.md`), receipts, intake, replay.
//! Nothing here decides what a batch does: that is the kernel's, and where both state a rule they must agree.
pub mod batch;
pub mod creation;
pub mod genesis;
pub mod intake;
pub mod intrinsic;
mod json;
pub mod reason;
pub mod receipt;
pub mod replay;

mod rlp;
pub mod transaction;

pub use reason::Reason;
pub use receipt::Receipt;

pub use rlp::{Malformed, Problem};
pub use transaction::Transaction;

use crate::word::Word;
use sha3::{Digest, Keccak256};

/// An account's address.
pub type Address = [u8; 20];

/// Keccak-256 of the parts, one behind the other.
fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// An address as a word.
fn address_word(address: Address) -> Word {
    let mut be = [0; 32];
    be[12..].copy_from_slice(&address);
    Word::from_be_bytes(be)
}

/// A small number as a word.
fn small(x: u64) -> Word {
    Word::from(u128::from(x))
}
