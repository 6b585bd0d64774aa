//! One contract on both machines. Whatever a call gives on one must be what it gives on the other: how it ends, its data,
//! its logs, and all of the storage behind it.
use crate::draw::{ACCOUNTS, Call};
use crate::evm::{self, Block, Evm};
use lathe_compiler::compile::Contract;
use lathe_vm::sandbox::{self, Message, Sandbox};
use lathe_vm::word::Word;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Gas of every call on the EVM and the block's limit on both.
const GAS: u64 = 1 << 36;
/// What every account of [`ACCOUNTS`] has.
const WEALTH: u128 = 1 << 100;

/// A contract twice, at one address.
pub struct Twin {
    evm: Evm,
    vm: Sandbox,
    address: [u8; 20],
}

/// What both machines agree on.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The EVM's answer.
    pub evm: evm::Answer,
    /// Steps of Lathe's machine.
    pub steps: u64,
}

/// How a call went.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// One machine gave up for want of gas, memory or steps; their states no longer go together.
    #[error("out of resources: {0}")]
    OutOfResources(String),
    /// The machines differ.
    #[error("{0}")]
    Different(String),
}

/// The block that both machines run in.
pub fn block() -> Block {
    Block {
        number: 1_234_567,
        timestamp: 1_700_000_000,
        base_fee: 7,
        gas_limit: GAS,
        prevrandao: Word::new(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210),
        coinbase: [0xcb; 20],
        chain_id: 0x1a74e,
    }
}

/// Both machines, empty but for the wealth of the accounts.
fn machines() -> (Evm, Sandbox) {
    let block = block();
    let mut vm = Sandbox::new();
    vm.environment = lathe_vm::environment::Environment {
        number: block.number,
        timestamp: block.timestamp,
        base_fee: block.base_fee.into(),
        gas_limit: block.gas_limit,
        prevrandao: block.prevrandao,
        coinbase: block.coinbase,
        chain_id: block.chain_id,
        ..vm.environment.clone()
    };
    let mut evm = Evm::new(block);
    for account in ACCOUNTS {
        evm.set_balance(account, WEALTH.into());
        vm.set_balance(account, WEALTH.into());
    }
    (evm, vm)
}
