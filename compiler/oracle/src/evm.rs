//! The EVM, as revm runs it: the judge of what a contract must do. Nothing in here knows Lathe's machine.
use lathe_vm::word::Word;
use revm::context::result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction, Output};
use revm::context::{BlockEnv, CfgEnv, Context, TxEnv};
use revm::context_interface::CreateScheme;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{CacheDB, EmptyDB};
use revm::inspector::Inspector;
use revm::interpreter::{
    CallInputs, CallOutcome, CreateInputs, CreateOutcome, InstructionResult, Interpreter, InterpreterTypes,
};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use revm::state::{AccountInfo, Bytecode};
use revm::{InspectCommitEvm, MainBuilder, MainContext};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// What both machines tell a contract about the block and the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// `number()`.
    pub number: u64,
    /// `timestamp()`.
    pub timestamp: u64,
    /// `basefee()`; the gas price equals it.
    pub base_fee: u64,
    /// `gaslimit()`, and the gas of every call.
    pub gas_limit: u64,
    /// `prevrandao()`.
    pub prevrandao: Word,
    /// `coinbase()`.
    pub coinbase: [u8; 20],
    /// `chainid()`.
    pub chain_id: u64,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It returned.
    Success,
    /// It reverted.
    Reverted,
    /// An exceptional halt.
    Halted,
    /// It ran out of gas or memory: limits that Lathe's machine does not share.
    OutOfResources,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Who emitted it.
    pub address: [u8; 20],
    /// Its topics.
    pub topics: Vec<Word>,
    /// Its data.
    pub data: Vec<u8>,
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub status: Status,
    /// Return or revert data.
    pub output: Vec<u8>,
    /// Events of a success.
    pub logs: Vec<Log>,
    /// Opcodes executed.
    pub opcodes: u64,
    /// Some call within ran out of gas, even if its caller went on.
    pub starved: bool,
}

/// A transaction that the EVM does not even begin: no balance, a wrong nonce.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("revm refuses the transaction: {0}")]
pub struct Refused(pub EVMError<Infallible, InvalidTransaction>);

/// What a transaction gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Its answer.
    pub answer: Answer,
    /// The contract it made.
    pub created: Option<[u8; 20]>,
    /// Gas that its sender paid for.
    pub gas: u64,
}

/// An EVM with its state.
pub struct Evm {
    /// The block that the next transaction is in.
    pub block: Block,
    config: CfgEnv,
    db: CacheDB<EmptyDB>,
    stand_ins: Vec<StandIn>,
}

/// Bytes that stand for creation code when `create2` works out an address.
struct StandIn {
    initcode: Vec<u8>,
    bytes: [u8; 32],
}

/// An account as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its wei.
    pub balance: Word,
    /// Its nonce.
    pub nonce: u64,
    /// Whether it has code.
    pub code: bool,
    /// Its slots that are not zero.
    pub storage: BTreeMap<Word, Word>,
}

/// Counts executed opcodes, and notes whether any call within the transaction ran out of gas. Puts what `create2` makes
/// where its stand-in belongs.
struct Counter<'a> {
    opcodes: u64,
    starved: bool,
    stand_ins: &'a [StandIn],
}

impl Counter<'_> {
    /// The address that a creation gets by the bytes that stand for its code.
    fn address(&self, inputs: &CreateInputs) -> Option<Address> {
        let CreateScheme::Create2 { salt } = inputs.scheme() else { return None };
        let code = inputs.init_code();
        let fits = self.stand_ins.iter().filter(|known| code.starts_with(&known.initcode));
        let known = fits.max_by_key(|known| known.initcode.len())?;
        let arguments = &code[known.initcode.len()..];
        let hash = keccak256([&known.bytes, arguments].concat());
        Some(inputs.caller().create2(salt.to_be_bytes(), hash))
    }

    fn ended(&mut self, result: InstructionResult) {
        use InstructionResult::{InvalidOperandOOG, MemoryLimitOOG, MemoryOOG, OutOfGas, PrecompileOOG};
        self.starved |=
            matches!(result, OutOfGas | MemoryOOG | MemoryLimitOOG | PrecompileOOG | InvalidOperandOOG);
    }
}

impl<CTX, INTR: InterpreterTypes> Inspector<CTX, INTR> for Counter<'_> {
    fn step(&mut self, _: &mut Interpreter<INTR>, _: &mut CTX) {
        self.opcodes += 1;
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        self.ended(outcome.result.result);
    }

    fn create(&mut self, _: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        if let Some(address) = self.address(inputs) {
            inputs.set_scheme(CreateScheme::Custom { address });
        }
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.ended(outcome.result.result);
    }
}

impl Evm {
    /// An empty state in a block, for calls.
    pub fn new(block: Block) -> Evm {
        Evm::of(block, SpecId::CANCUN)
    }

    /// An empty state in a block of a fork, for transactions.
    pub fn of(block: Block, fork: SpecId) -> Evm {
        let config = limits(block.chain_id, fork);
        Evm { block, config, db: CacheDB::new(EmptyDB::new()), stand_ins: Vec::new() }
    }

    /// From now on `create2` of this code, with arguments behind it, works out the address as if the code were these
    /// bytes: the creation code of another machine.
    pub fn stand_for(&mut self, initcode: &[u8], bytes: [u8; 32]) {
        if !self.stand_ins.iter().any(|known| known.initcode == initcode) {
            self.stand_ins.push(StandIn { initcode: initcode.to_vec(), bytes });
        }
    }

    /// An account's nonce.
    pub fn nonce(&self, account: [u8; 20]) -> u64 {
        self.info(account).nonce
    }

    /// Gives an account a nonce; its wei stay.
    pub fn set_nonce(&mut self, account: [u8; 20], nonce: u64) {
        let info = AccountInfo { nonce, ..self.info(account) };
        self.db.insert_account_info(account.into(), info);
    }

    /// Gives an account wei; its nonce stays.
    pub fn set_balance(&mut self, account: [u8; 20], wei: Word) {
        let info = AccountInfo { balance: number(wei), ..self.info(account) };
        self.db.insert_account_info(account.into(), info);
    }

    /// Gives an account code; its nonce and wei stay.
    pub fn set_code(&mut self, account: [u8; 20], code: &[u8]) {
        let code = Bytecode::new_legacy(Bytes::copy_from_slice(code));
        let info = self.info(account);
        let info = AccountInfo { code_hash: code.hash_slow(), code: Some(code), ..info };
        self.db.insert_account_info(account.into(), info);
    }

    /// Writes one storage slot.
    pub fn set_storage(&mut self, account: [u8; 20], slot: Word, value: Word) {
        // An EmptyDB answers every question.
        let _ = self.db.insert_account_storage(account.into(), number(slot), number(value));
    }

    /// All accounts that are not empty.
    pub fn accounts(&self) -> BTreeMap<[u8; 20], Account> {
        let mut accounts = BTreeMap::new();
        for (address, known) in &self.db.cache.accounts {
            let set = known.storage.iter().filter(|(_, value)| !value.is_zero());
            let account = Account {
                balance: word(known.info.balance),
                nonce: known.info.nonce,
                code: !known.info.is_empty_code_hash(),
                storage: set.map(|(slot, value)| (word(*slot), word(*value))).collect(),
            };
            if account != Account::default() {
                accounts.insert(address.into_array(), account);
            }
        }
        accounts
    }

    /// Runs creation code; the address it made, if it succeeded.
    ///
    /// # Errors
    /// A transaction that the EVM does not begin.
    pub fn deploy(
        &mut self,
        from: [u8; 20],
        value: Word,
        initcode: &[u8],
    ) -> Result<(Answer, Option<[u8; 20]>), Refused> {
        self.free(from, TxKind::Create, value, initcode).map(|done| (done.answer, done.created))
    }

    /// Calls an account.
    ///
    /// # Errors
    /// A transaction that the EVM does not begin.
    pub fn call(
        &mut self,
        from: [u8; 20],
        to: [u8; 20],
        value: Word,
        data: &[u8],
    ) -> Result<Answer, Refused> {
        self.free(from, TxKind::Call(to.into()), value, data).map(|done| done.answer)
    }

    fn info(&self, account: [u8; 20]) -> AccountInfo {
        let known = self.db.cache.accounts.get(&Address::from(account));
        known.map(|account| account.info.clone()).unwrap_or_default()
    }

    /// One transaction, committed. Gas is free: the sender's balance is made up for the price beforehand.
    fn free(&mut self, from: [u8; 20], kind: TxKind, value: Word, data: &[u8]) -> Result<Executed, Refused> {
        let price = u128::from(self.block.base_fee);
        let before = self.info(from);
        let fee = U256::from(self.block.gas_limit) * U256::from(price);
        let paid = before.balance.saturating_add(fee);
        self.db.insert_account_info(from.into(), AccountInfo { balance: paid, ..before.clone() });

        let done = self.transact(TxEnv {
            caller: from.into(),
            gas_limit: self.block.gas_limit,
            gas_price: price,
            kind,
            value: number(value),
            data: Bytes::copy_from_slice(data),
            nonce: before.nonce,
            chain_id: Some(self.block.chain_id),
            ..TxEnv::default()
        });

        // Take back what the made-up fee left behind; the beneficiary gets nothing when the price is the base fee.
        let done = done.inspect_err(|_| self.db.insert_account_info(from.into(), before.clone()))?;
        let mut after = self.info(from);
        let spent = U256::from(done.gas) * U256::from(price);
        after.balance = after.balance.saturating_sub(fee - spent);
        self.db.insert_account_info(from.into(), after);
        Ok(done)
    }

    /// One transaction as it is, committed.
    ///
    /// # Errors
    /// One that the EVM does not begin; nothing has changed then.
    pub fn transact(&mut self, tx: TxEnv) -> Result<Executed, Refused> {
        let context = Context::mainnet().with_db(&mut self.db).with_block(environment(&self.block));
        let counter = Counter { opcodes: 0, starved: false, stand_ins: &self.stand_ins };
        let mut evm = context.with_cfg(self.config.clone()).build_mainnet_with_inspector(counter);
        let result = evm.inspect_tx_commit(tx).map_err(Refused)?;
        let Counter { opcodes, starved, .. } = evm.inspector;
        let gas = result.tx_gas_used();
        let (answer, created) = answer(result, opcodes);
        Ok(Executed { answer: Answer { starved, ..answer }, created, gas })
    }
}

/// The configuration: no limits on code and on the gas of a transaction, since Lathe's own are others.
fn limits(chain_id: u64, fork: SpecId) -> CfgEnv {
    let mut config = CfgEnv::new_with_spec(fork);
    config.chain_id = chain_id;
    config.limit_contract_code_size = Some(usize::MAX);
    config.limit_contract_initcode_size = Some(usize::MAX);
    config.tx_gas_limit_cap = Some(u64::MAX);
    config
}

fn environment(block: &Block) -> BlockEnv {
    BlockEnv {
        number: U256::from(block.number),
        beneficiary: block.coinbase.into(),
        timestamp: U256::from(block.timestamp),
        gas_limit: block.gas_limit,
        basefee: block.base_fee,
        prevrandao: Some(B256::from(block.prevrandao.to_be_bytes())),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 1 }),
        ..BlockEnv::default()
    }
}

fn answer(result: ExecutionResult, opcodes: u64) -> (Answer, Option<[u8; 20]>) {
    let made = |status, output: Bytes| {
        let (output, logs) = (output.to_vec(), Vec::new());
        Answer { status, output, logs, opcodes, starved: false }
    };
    match result {
        ExecutionResult::Success { logs, output, .. } => {
            let address = match &output {
                Output::Create(_, address) => address.map(|address| address.into_array()),
                Output::Call(_) => None,
            };
            let logs = logs.into_iter().map(|log| Log {
                address: log.address.into_array(),
                topics: log.topics().iter().map(|topic| Word::from_be_bytes(topic.0)).collect(),
                data: log.data.data.to_vec(),
            });
            (Answer { logs: logs.collect(), ..made(Status::Success, output.into_data()) }, address)
        }
        ExecutionResult::Revert { output, .. } => (made(Status::Reverted, output), None),
        ExecutionResult::Halt { reason, .. } => {
            let status = match reason {
                HaltReason::OutOfGas(_) => Status::OutOfResources,
                _ => Status::Halted,
            };
            (made(status, Bytes::new()), None)
        }
    }
}

/// A word as revm's number.
pub(crate) fn number(word: Word) -> U256 {
    U256::from_be_bytes(word.to_be_bytes())
}

/// revm's number as a word.
pub(crate) fn word(number: U256) -> Word {
    Word::from_be_bytes(number.to_be_bytes())
}
