//! Why a transaction is refused before the batch, or skipped if it is in one all the same.
//! Kernel and host use the same numbers; the kernel's outcome of a skipped transaction is `0x100` plus the number.
use serde::{Deserialize, Serialize};

/// What the kernel adds to the number of a reason.
pub const SKIPPED: u64 = 0x100;

/// A rule that a transaction breaks; the first one, in the order of `docs/batch.md`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum Reason {
    /// The bytes are no transaction of their type.
    #[error("malformed: the bytes are no canonical encoding of their transaction type")]
    Malformed = 1,
    /// A first byte that stands for no type known here.
    #[error("unsupported transaction type; sign a legacy (EIP-155), EIP-2930 or EIP-1559 transaction")]
    UnsupportedType = 2,
    /// Signed for another chain.
    #[error("wrong chain id; sign for the chain id of this rollup")]
    WrongChainId = 3,
    /// No key made this signature, or its `s` is in the upper half (EIP-2).
    #[error("bad signature; sign again, with s in the lower half of the order")]
    BadSignature = 4,
    /// An Ethereum transaction from an account with code (EIP-3607).
    #[error("the sender has code; send an account transaction (type 0x4c) from it")]
    SenderHasCode = 5,
    /// Used already.
    #[error("nonce too low; sign with the sender's next nonce")]
    NonceTooLow = 6,
    /// Ahead of the state.
    #[error("nonce too high; send the transactions before it first")]
    NonceTooHigh = 7,
    /// `maxFeePerGas` or `gasPrice`.
    #[error("fee cap below the block's base fee; raise maxFeePerGas")]
    FeeCapBelowBaseFee = 8,
    /// Only EIP-1559 and account transactions can.
    #[error("priority fee above the fee cap; lower maxPriorityFeePerGas")]
    PriorityFeeAboveFeeCap = 9,
    /// See [`super::intrinsic`].
    #[error("gas limit below the intrinsic gas; raise the gas limit")]
    GasLimitBelowIntrinsic = 10,
    /// Gas used by the transactions before it counts.
    #[error("gas limit above what the block has left; lower it or wait for the next block")]
    GasLimitAboveBlock = 11,
    /// For the value and the most the gas can cost.
    #[error("balance too low for value and fee")]
    BalanceTooLow = 12,
    /// The account's own validation failed.
    #[error("the account refused the transaction")]
    AccountRefused = 13,
    /// The paymaster has no code, no funds, or does not want to pay.
    #[error("the paymaster refused to pay")]
    PaymasterRefused = 14,
    /// Behind a record of another type.
    #[error("priority operation out of order; such operations come first")]
    PriorityOutOfOrder = 15,
    /// 2^64 - 1 (EIP-2681).
    #[error("the nonce is at its maximum; the account can send nothing more")]
    NonceAtMaximum = 16,
}

/// All reasons, in order of their numbers.
pub const REASONS: [Reason; 16] = [
    Reason::Malformed,
    Reason::UnsupportedType,
    Reason::WrongChainId,
    Reason::BadSignature,
    Reason::SenderHasCode,
    Reason::NonceTooLow,
    Reason::NonceTooHigh,
    Reason::FeeCapBelowBaseFee,
    Reason::PriorityFeeAboveFeeCap,
    Reason::GasLimitBelowIntrinsic,
    Reason::GasLimitAboveBlock,
    Reason::BalanceTooLow,
    Reason::AccountRefused,
    Reason::PaymasterRefused,
    Reason::PriorityOutOfOrder,
    Reason::NonceAtMaximum,
];

impl Reason {
    /// Its number, from 1 on.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// What the kernel logs as the outcome of a transaction skipped for this reason.
    pub fn outcome(self) -> u64 {
        SKIPPED + u64::from(self.number())
    }

    /// The reason with this number.
    pub fn from_number(number: u64) -> Option<Reason> {
        REASONS.into_iter().find(|r| u64::from(r.number()) == number)
    }
}
