//! Two machines with the same contracts at the same addresses. Whatever a call gives on one must be what it gives on the
//! other: how it ends, its data, its logs, and afterwards every account with its nonce, wei and storage.
use crate::draw::{ACCOUNTS, Call};
use crate::evm::{self, Account, Block, Evm};
use lathe_compiler::compile::{Contract, Part};
use lathe_vm::machine::{Halt, HaltKind};
use lathe_vm::sandbox::{self, Environment, Message, Sandbox, Stopped};
use lathe_vm::state::{CellId, kind};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use std::collections::{BTreeMap, BTreeSet};

/// Gas of every call on the EVM and the block's limit on both.
const GAS: u64 = 1 << 30;
/// What every account of [`ACCOUNTS`] has.
pub(crate) const WEALTH: u128 = 1 << 100;

/// Both machines.
pub struct World {
    evm: Evm,
    vm: Sandbox,
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

/// What both machines agree on.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The EVM's answer.
    pub evm: evm::Answer,
    /// Steps of Lathe's machine.
    pub steps: u64,
}

impl Agreed {
    /// Whether the call succeeded.
    pub fn succeeded(&self) -> bool {
        self.evm.status == evm::Status::Success
    }
}

/// How a call went.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// One machine gave up: it ran out of gas, memory or steps, or has no such precompile. Their states no longer go
    /// together.
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

impl World {
    /// Both machines, empty but for the wealth of the accounts.
    pub fn new() -> World {
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
        World { evm, vm }
    }

    /// The same, with every run of Lathe's machine traced and its trace checked.
    pub fn traced() -> World {
        let mut world = World::new();
        world.vm.traced = true;
        world
    }

    /// Makes a contract that others create known to both: its pages, and that its EVM code is that of its deploy page
    /// when `create2` works out an address. Without this, contracts made by `create2` would differ in their addresses.
    ///
    /// # Errors
    /// Code that is no page.
    pub fn announce(&mut self, initcode: &[u8], pages: &Contract) -> Result<(), Trouble> {
        self.make_known(pages)?;
        self.evm.stand_for(initcode, page(&pages.deploy)?.hash_word().to_be_bytes());
        Ok(())
    }

    /// Deploys on both machines; `None` if both refuse, the constructor having failed.
    ///
    /// # Errors
    /// A difference, or a machine that gives up.
    pub fn deploy(
        &mut self,
        from: [u8; 20],
        initcode: &[u8],
        pages: &Contract,
        arguments: &[u8],
        value: Word,
    ) -> Result<(Agreed, Option<[u8; 20]>), Trouble> {
        self.make_known(pages)?;
        let theirs = self.evm.deploy(from, value, &[initcode, arguments].concat());
        let (theirs, evm_address) = theirs.map_err(|refused| Trouble::Different(refused.to_string()))?;
        let ours = self.vm.deploy(from, value, &page(&pages.deploy)?, arguments);
        let (ours, vm_address) = ours.map_err(|stopped| gave_up(&stopped))?;
        let mut theirs_shown = theirs;
        // What a deployment returns is code, which is not the same.
        if theirs_shown.status == evm::Status::Success {
            theirs_shown.output = ours.output.clone();
        }
        let agreed = agree(&theirs_shown, &ours)?;
        if evm_address != vm_address {
            return Err(Trouble::Different(format!(
                "deployed at {evm_address:02x?} by revm and at {vm_address:02x?} by us"
            )));
        }
        self.same_state().map_err(|trouble| starved(&agreed, trouble))?;
        Ok((agreed, vm_address))
    }

    /// Everything that the contract, and what it creates, can put somewhere.
    fn make_known(&mut self, pages: &Contract) -> Result<(), Trouble> {
        for part in pages.runtime.iter().chain([&pages.deploy]) {
            self.vm.add_code(page(part)?);
        }
        pages.created.iter().try_for_each(|created| self.make_known(created))
    }

    /// Puts a plain Yul object on both machines: EVM creation code that deploys it, and its only page.
    ///
    /// # Errors
    /// The EVM's deployment fails, or the page is none.
    pub fn install(&mut self, initcode: &[u8], pages: &Contract) -> Result<[u8; 20], Trouble> {
        let deployed = self.evm.deploy(ACCOUNTS[0], Word::ZERO, initcode);
        let (_, address) = deployed.map_err(|refused| Trouble::Different(refused.to_string()))?;
        let address = address.ok_or_else(|| Trouble::Different("the EVM's deployment fails".into()))?;
        self.vm.install(address, page(&pages.deploy)?);
        self.vm.set_nonce(ACCOUNTS[0], self.vm.nonce(ACCOUNTS[0]) + 1);
        Ok(address)
    }

    /// Writes a slot on both machines.
    pub fn set_storage(&mut self, address: [u8; 20], slot: Word, value: Word) {
        self.evm.set_storage(address, slot, value);
        self.vm.set_storage(address, slot, value);
    }

    /// Calls on both machines.
    ///
    /// # Errors
    /// A difference, or a machine that gives up; the world is of no more use then.
    pub fn call(&mut self, to: [u8; 20], call: &Call) -> Result<Agreed, Trouble> {
        let theirs = self
            .evm
            .call(call.from, to, call.value, &call.data)
            .map_err(|refused| Trouble::Different(refused.to_string()))?;
        let message = Message { from: call.from, to, value: call.value, data: &call.data };
        let ours = self.vm.call(&message).map_err(|stopped| gave_up(&stopped))?;
        let agreed = agree(&theirs, &ours)?;
        self.same_state().map_err(|trouble| starved(&agreed, trouble))?;
        Ok(agreed)
    }

    fn same_state(&self) -> Result<(), Trouble> {
        same_accounts(&self.evm.accounts(), &accounts(self.vm.cells()))
    }
}

/// Whether all accounts are the same, fees and all.
pub(crate) fn same_accounts(
    theirs: &BTreeMap<[u8; 20], Account>,
    ours: &BTreeMap<[u8; 20], Account>,
) -> Result<(), Trouble> {
    if theirs == ours {
        return Ok(());
    }
    let mut text = String::from("accounts differ (revm, here)");
    for address in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
        let (a, b) = (theirs.get(address), ours.get(address));
        if a != b {
            let (a, b) = (a.cloned().unwrap_or_default(), b.cloned().unwrap_or_default());
            text.push_str(&format!("\n  0x{}:{}", hex::encode(address), differences(&a, &b)));
        }
    }
    Err(Trouble::Different(text))
}

/// The accounts of Lathe's machine that are not empty.
pub(crate) fn accounts<'a>(
    cells: impl Iterator<Item = (&'a CellId, &'a Word)>,
) -> BTreeMap<[u8; 20], Account> {
    let mut accounts: BTreeMap<[u8; 20], Account> = BTreeMap::new();
    // Immutables are code on the EVM, and which code is known is not there at all.
    let elsewhere = [kind::IMMUTABLE, kind::KNOWN_CODE];
    for (cell, value) in cells.filter(|(cell, _)| !elsewhere.contains(&cell.kind)) {
        let account = accounts.entry(cell.address).or_default();
        match cell.kind {
            kind::NONCE => account.nonce = value.lo as u64,
            kind::BALANCE => account.balance = *value,
            kind::CODE_HASH => account.code = true,
            _ => {
                account.storage.insert(cell.slot, *value);
            }
        }
    }
    accounts
}

fn differences(a: &Account, b: &Account) -> String {
    let mut text = String::new();
    if (a.balance, a.nonce, a.code) != (b.balance, b.nonce, b.code) {
        text.push_str(&format!(
            " {} wei, nonce {}, code {}; {} wei, nonce {}, code {}",
            a.balance, a.nonce, a.code, b.balance, b.nonce, b.code
        ));
    }
    for slot in a.storage.keys().chain(b.storage.keys()).collect::<BTreeSet<_>>() {
        let shown = |account: &Account| account.storage.get(slot).map_or("-".into(), Word::to_string);
        if a.storage.get(slot) != b.storage.get(slot) {
            text.push_str(&format!("\n    slot {slot}: {}, {}", shown(a), shown(b)));
        }
    }
    text
}

/// A part as a page.
pub(crate) fn page(part: &Part) -> Result<Page, Trouble> {
    part.page().map_err(|error| Trouble::Different(format!("{}: {error}", part.name)))
}

/// A limit or a missing precompile is no difference; everything else that stops the machine is.
pub(crate) fn gave_up(stopped: &Stopped) -> Trouble {
    match &stopped.halt {
        Halt::Limit { .. } | Halt::Unsupported(_) => Trouble::OutOfResources(stopped.to_string()),
        _ => Trouble::Different(stopped.to_string()),
    }
}

/// A difference after a call within which the EVM ran out of gas is none.
fn starved(agreed: &Agreed, trouble: Trouble) -> Trouble {
    match agreed.evm.starved {
        true => Trouble::OutOfResources("a call within ran out of gas on the EVM".into()),
        false => trouble,
    }
}

/// Both answers must be the same, but that a halt is as good as another and leaves no data.
fn agree(theirs: &evm::Answer, ours: &sandbox::Answer) -> Result<Agreed, Trouble> {
    let succeeded = (theirs.status == evm::Status::Success, ours.status == sandbox::Status::Success);
    let logs: Vec<evm::Log> = ours.logs.iter().map(log).collect();
    if succeeded.0 == succeeded.1 && theirs.output == ours.output && theirs.logs == logs {
        return Ok(Agreed { evm: theirs.clone(), steps: ours.steps.into() });
    }
    if theirs.starved || theirs.status == evm::Status::OutOfResources {
        return Err(Trouble::OutOfResources("the EVM ran out of gas".into()));
    }
    if ours.status == sandbox::Status::Halted(HaltKind::RangeTooLong) {
        return Err(Trouble::OutOfResources("a range of more bytes than the machine takes".into()));
    }
    Err(Trouble::Different(format!(
        "revm: {}\nhere: {}",
        side(&theirs.status, &theirs.output, &theirs.logs),
        side(&ours.status, &ours.output, &logs)
    )))
}

/// One side of a difference.
pub(crate) fn side(status: &dyn std::fmt::Debug, output: &[u8], logs: &[evm::Log]) -> String {
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
}

fn log(log: &sandbox::Log) -> evm::Log {
    evm::Log { address: log.address, topics: log.topics.clone(), data: log.data.clone() }
}
