//! revm with OpenZeppelin's ERC-20 as solc compiles it, over a state in memory.
use crate::Failure;
use crate::vm::erc20::{GAS, Machine, OWNER, SUPPLY, TokenCall};
use revm::context::result::{ExecutionResult, Output};
use revm::context::{CfgEnv, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::handler::MainnetEvm;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, Bytes, TxKind};
use revm::{Context, ExecuteCommitEvm, MainBuilder, MainContext};
use std::collections::HashMap;

/// The fork that solc compiles for.
const FORK: SpecId = SpecId::CANCUN;

type Memory = CacheDB<EmptyDB>;

struct Revm {
    evm: MainnetEvm<revm::handler::MainnetContext<Memory>>,
    token: Address,
    nonces: HashMap<[u8; 20], u64>,
}

/// revm after the token's constructor.
///
/// # Errors
/// A constructor that fails.
pub fn token() -> Result<Box<dyn Machine>, Failure> {
    let context = Context::mainnet().with_db(Memory::new(EmptyDB::new()));
    let evm = context.with_cfg(CfgEnv::new_with_spec(FORK)).build_mainnet();
    let mut revm = Revm { evm, token: Address::ZERO, nonces: HashMap::new() };
    let mut code = hex::decode(include_str!("../../fixtures/OzErc20.evm.hex").trim())?;
    code.extend([0; 16]);
    code.extend(SUPPLY.to_be_bytes());
    match revm.transact(OWNER, TxKind::Create, &code)? {
        Output::Create(_, Some(token)) => revm.token = token,
        other => return Err(format!("revm answers a creation with {other:?}").into()),
    }
    Ok(Box::new(revm))
}

impl Revm {
    fn transact(&mut self, from: [u8; 20], kind: TxKind, data: &[u8]) -> Result<Output, Failure> {
        let nonce = self.nonces.entry(from).or_default();
        let tx = TxEnv {
            caller: from.into(),
            gas_limit: GAS.into(),
            kind,
            data: Bytes::copy_from_slice(data),
            nonce: *nonce,
            ..TxEnv::default()
        };
        *nonce += 1;
        match self.evm.transact_commit(tx)? {
            ExecutionResult::Success { output, .. } => Ok(output),
            other => Err(format!("revm ends a transaction with {other:?}").into()),
        }
    }
}

impl Machine for Revm {
    fn calls(&mut self, calls: &[TokenCall]) -> Result<Vec<u8>, Failure> {
        let mut output = Bytes::new();
        for call in calls {
            output = self.transact(call.from, TxKind::Call(self.token), &call.data)?.into_data();
        }
        Ok(output.to_vec())
    }
}
