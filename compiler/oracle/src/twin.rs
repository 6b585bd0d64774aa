//! One contract on both machines. Whatever a call gives on one must be what it gives on the other: how it ends, its data,
//! its logs, and all of the storage behind it.
use crate::draw::{ACCOUNTS, Call};
use crate::evm::{self, Block, Evm};
use lathe_compiler::compile::{Contract, Part};
use lathe_vm::machine::{Halt, HaltKind};
use lathe_vm::sandbox::{self, Environment, Message, Sandbox, Stopped};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use std::collections::{BTreeMap, BTreeSet};

/// Gas of every call on the EVM and the block's limit on both.
const GAS: u64 = 1 << 30;
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
    vm.environment = Environment {
        number: block.number,
        timestamp: block.timestamp,
        base_fee: u128::from(block.base_fee).into(),
        gas_limit: block.gas_limit,
        prevrandao: block.prevrandao,
        fee_recipient: block.coinbase,
        chain_id: block.chain_id,
        gas_price: u128::from(block.base_fee).into(),
        ..vm.environment
    };
    let mut evm = Evm::new(block);
    for account in ACCOUNTS {
        evm.set_balance(account, WEALTH.into());
        vm.set_balance(account, WEALTH.into());
    }
    (evm, vm)
}

impl Twin {
    /// Deploys on both machines. The first account deploys; `None` if both refuse, the constructor having failed.
    ///
    /// # Errors
    /// A difference, or a machine that gives up.
    pub fn deploy(
        initcode: &[u8],
        pages: &Contract,
        arguments: &[u8],
        value: Word,
    ) -> Result<(Agreed, Option<Twin>), Trouble> {
        let (mut evm, mut vm) = machines();
        let runtime = pages.runtime.as_ref().map(page).transpose()?;
        if let Some(runtime) = runtime {
            vm.add_code(runtime);
        }
        let from = ACCOUNTS[0];
        let (theirs, evm_address) = evm
            .deploy(from, value, &[initcode, arguments].concat())
            .map_err(|refused| Trouble::Different(refused.to_string()))?;
        let ours = vm.deploy(from, value, &page(&pages.deploy)?, arguments);
        let (ours, vm_address) = ours.map_err(|stopped| gave_up(&stopped))?;
        let mut theirs_shown = theirs.clone();
        // What a deployment returns is code, which is not the same.
        if theirs.status == evm::Status::Success {
            theirs_shown.output = ours.output.clone();
        }
        let agreed = agree(&theirs_shown, &ours)?;
        let twin = match (evm_address, vm_address) {
            (None, None) => return Ok((agreed, None)),
            (Some(a), Some(b)) if a == b => Twin { evm, vm, address: a },
            (a, b) => {
                return Err(Trouble::Different(format!(
                    "deployed at {a:02x?} by revm and at {b:02x?} by us"
                )));
            }
        };
        twin.same_storage()?;
        Ok((agreed, Some(twin)))
    }

    /// Puts a plain Yul object on both machines: EVM creation code that deploys it, and its only page.
    ///
    /// # Errors
    /// The EVM's deployment fails, or the page is none.
    pub fn install(initcode: &[u8], pages: &Contract) -> Result<Twin, Trouble> {
        let (mut evm, mut vm) = machines();
        let deployed = evm.deploy(ACCOUNTS[0], Word::ZERO, initcode);
        let (_, address) = deployed.map_err(|refused| Trouble::Different(refused.to_string()))?;
        let address = address.ok_or_else(|| Trouble::Different("the EVM's deployment fails".into()))?;
        vm.install(address, page(&pages.deploy)?);
        Ok(Twin { evm, vm, address })
    }

    /// Writes a slot on both machines.
    pub fn set_storage(&mut self, slot: Word, value: Word) {
        self.evm.set_storage(self.address, slot, value);
        self.vm.set_storage(self.address, slot, value);
    }

    /// Calls on both machines.
    ///
    /// # Errors
    /// A difference, or a machine that gives up; the twin is of no more use then.
    pub fn call(&mut self, call: &Call) -> Result<Agreed, Trouble> {
        let theirs = self
            .evm
            .call(call.from, self.address, call.value, &call.data)
            .map_err(|refused| Trouble::Different(refused.to_string()))?;
        let message = Message { from: call.from, to: self.address, value: call.value, data: &call.data };
        let ours = self.vm.call(&message).map_err(|stopped| gave_up(&stopped))?;
        let agreed = agree(&theirs, &ours)?;
        self.same_storage()?;
        let (theirs, ours) = (self.evm.balance(self.address), self.vm.balance(self.address));
        if theirs != ours {
            return Err(Trouble::Different(format!("the contract has {theirs} wei on revm and {ours} here")));
        }
        Ok(agreed)
    }

    fn same_storage(&self) -> Result<(), Trouble> {
        let (theirs, ours) = (self.evm.storage_slots(self.address), self.vm.storage_slots(self.address));
        if theirs == ours {
            return Ok(());
        }
        let mut text = String::from("storage differs (slot: revm, here)");
        let slots: BTreeSet<&Word> = theirs.keys().chain(ours.keys()).collect();
        for slot in slots {
            let shown = |map: &BTreeMap<Word, Word>| map.get(slot).map_or("-".into(), Word::to_string);
            if theirs.get(slot) != ours.get(slot) {
                text.push_str(&format!("\n  {slot}: {}, {}", shown(&theirs), shown(&ours)));
            }
        }
        Err(Trouble::Different(text))
    }
}

fn page(part: &Part) -> Result<Page, Trouble> {
    part.page().map_err(|error| Trouble::Different(format!("{}: {error}", part.name)))
}

/// A limit is no difference; everything else that stops the machine is.
fn gave_up(stopped: &Stopped) -> Trouble {
    match stopped.halt {
        Halt::Limit { .. } => Trouble::OutOfResources(stopped.to_string()),
        _ => Trouble::Different(stopped.to_string()),
    }
}

/// Both answers must be the same, but that a halt is as good as another and leaves no data.
fn agree(theirs: &evm::Answer, ours: &sandbox::Answer) -> Result<Agreed, Trouble> {
    let succeeded = (theirs.status == evm::Status::Success, ours.status == sandbox::Status::Success);
    let logs: Vec<evm::Log> = ours.logs.iter().map(log).collect();
    if succeeded.0 == succeeded.1 && theirs.output == ours.output && theirs.logs == logs {
        return Ok(Agreed { evm: theirs.clone(), steps: ours.steps.into() });
    }
    if theirs.status == evm::Status::OutOfResources {
        return Err(Trouble::OutOfResources("the EVM ran out of gas".into()));
    }
    if ours.status == sandbox::Status::Halted(HaltKind::RangeTooLong) {
        return Err(Trouble::OutOfResources("a range of more bytes than the machine takes".into()));
    }
    let side = |status: &dyn std::fmt::Debug, output: &[u8], logs: &[evm::Log]| {
        let mut text = format!("{status:?} 0x{}", hex::encode(output));
        for log in logs {
            let topics: Vec<String> = log.topics.iter().map(Word::to_string).collect();
            text.push_str(&format!(
                "\n    log of 0x{} [{}] 0x{}",
                hex::encode(log.address),
                topics.join(", "),
                hex::encode(&log.data)
            ));
        }
        text
    };
    Err(Trouble::Different(format!(
        "revm: {}\nhere: {}",
        side(&theirs.status, &theirs.output, &theirs.logs),
        side(&ours.status, &ours.output, &logs)
    )))
}

fn log(log: &sandbox::Log) -> evm::Log {
    evm::Log { address: log.address, topics: log.topics.clone(), data: log.data.clone() }
}
