//! Gas that a transaction pays before anything runs: for its proof of signature and nonce, and for its posted bytes.
//! The kernel has the same numbers.
use super::transaction::{Transaction, access_list_bytes};

/// Every transaction.
pub const TRANSACTION: u64 = 21_000;
/// A byte of data, whatever it is; also one of a paymaster's input and of an account's signature.
pub const DATA_BYTE: u64 = 16;
/// A byte of the access list, the header of the outermost list not counted.
pub const ACCESS_LIST_BYTE: u64 = 16;
/// A contract creation.
pub const CREATION: u64 = 32_000;
/// An account transaction.
pub const ACCOUNT: u64 = 10_000;

/// The most that an account or a paymaster may use to say yes to a transaction.
pub const VALIDATION: u64 = 1_000_000;

/// The intrinsic gas of a transaction.
pub fn intrinsic_gas(transaction: &Transaction) -> u64 {
    let data = |bytes: &[u8]| DATA_BYTE * bytes.len() as u64;
    TRANSACTION
        + match transaction {
            Transaction::Signed(t) => {
                let p = &t.payload;
                let list = ACCESS_LIST_BYTE * access_list_bytes(p.kind.access_list()) as u64;
                data(&p.data) + list + if p.to.is_none() { CREATION } else { 0 }
            }
            Transaction::Account(t) => {
                let p = &t.payload;
                ACCOUNT + data(&p.data) + data(&p.paymaster_input) + data(&t.signature)
            }
            Transaction::Priority(t) => data(&t.data),
        }
}
