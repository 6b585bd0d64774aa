//! What a chain does for a test, whichever machine runs it: blocks of raw transactions in, receipts and accounts out.
use crate::chain::wallet::Fee;
use crate::evm::{Account, Block, Log};
use crate::world::Trouble;
use lathe_compiler::compile::Contract;
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use std::collections::BTreeMap;

/// Why a transaction is not begun: no rule of one machine but Ethereum's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not an encoding of a transaction.
    Malformed,
    /// A type that the chain does not have.
    UnsupportedType,
    /// For another chain.
    ChainId,
    /// No key made the signature.
    Signature,
    /// EIP-3607: the sender is a contract.
    SenderHasCode,
    /// Already used.
    NonceTooLow,
    /// Not yet to be used.
    NonceTooHigh,
    /// EIP-2681: 2^64 - 1 is not a nonce to be used.
    NonceAtMaximum,
    /// The block asks for more.
    FeeBelowBase,
    /// More for the fee recipient than is paid at all.
    PriorityAboveFee,
    /// Less gas than the transaction takes before it runs.
    IntrinsicGas,
    /// More gas than the block has.
    BlockGas,
    /// The sender cannot pay gas and value.
    Balance,
    /// Anything else, in words.
    Other(&'static str),
}

/// How a transaction went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned.
    Success,
    /// It reverted, halted or ran out of gas; it is paid for.
    Failed,
    /// It was not begun, and costs nothing.
    Refused(Refusal),
}

/// What is known of a transaction afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// How it went.
    pub outcome: Outcome,
    /// Return or revert data; nothing where a creation succeeded, as it is code.
    pub output: Vec<u8>,
    /// Its events, if it succeeded.
    pub logs: Vec<Log>,
    /// The contract it made.
    pub created: Option<[u8; 20]>,
    /// Gas that its sender paid for.
    pub gas: u64,
    /// Whether any call within ran out of gas, where the chain knows.
    pub starved: bool,
}

impl Receipt {
    /// Of a transaction that was not begun.
    pub fn refused(why: Refusal) -> Receipt {
        let (output, logs) = (Vec::new(), Vec::new());
        Receipt { outcome: Outcome::Refused(why), output, logs, created: None, gas: 0, starved: false }
    }

    /// Whether it returned.
    pub fn succeeded(&self) -> bool {
        self.outcome == Outcome::Success
    }
}

/// A chain.
pub trait Ledger {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// The data of a creation transaction for this chain.
    ///
    /// # Errors
    /// Code that is no page.
    fn creation(&self, initcode: &[u8], pages: &Contract, arguments: &[u8]) -> Result<Vec<u8>, Trouble>;

    /// Hears of a contract that others create: its EVM creation code and its pages.
    ///
    /// # Errors
    /// Code that is no page.
    fn announce(&mut self, initcode: &[u8], pages: &Contract) -> Result<(), Trouble>;

    /// Gives an account wei and a nonce before the first block.
    fn endow(&mut self, account: [u8; 20], wei: Word, nonce: u64);

    /// Puts code at an account before the first block: these bytes on the EVM, this page here.
    fn install(&mut self, account: [u8; 20], code: &[u8], page: &Page);

    /// Runs one block; a receipt for each transaction.
    ///
    /// # Errors
    /// A machine that gives up.
    fn execute(&mut self, block: &Block, raw: &[Vec<u8>]) -> Result<Vec<Receipt>, Trouble>;

    /// All accounts that are not empty.
    fn accounts(&self) -> BTreeMap<[u8; 20], Account>;

    /// What a unit of gas leaves with the fee recipient.
    fn tip(&self, fee: &Fee, base_fee: u64) -> u128;
}
