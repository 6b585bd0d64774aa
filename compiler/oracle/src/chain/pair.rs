//! The same transactions on every chain. What one says of them all must say: how each went, its data, events and
//! contracts; and after each block every account, fees aside.
use crate::chain::ethereum::Ethereum;
use crate::chain::here::Lathe;
use crate::chain::ledger::{Ledger, Outcome, Receipt};
use crate::chain::wallet::{Fee, Unsigned, Wallet};
use crate::draw::ACCOUNTS;
use crate::evm::{Account, Block, number, word};
use crate::world::{self, Trouble, WEALTH, side};
use lathe_compiler::compile::Contract;
use lathe_vm::programs;
use lathe_vm::word::Word;
use revm::primitives::U256;
use std::collections::BTreeMap;

/// Gas of a transaction where nothing else is said: below EIP-7825's cap.
pub const GAS: u64 = 16_000_000;
/// Gas of a block: as much as the kernel counts.
const BLOCK_GAS: u64 = u32::MAX as u64;
/// Seconds between blocks.
const SLOT: u64 = 12;

/// What a transaction is to do.
#[derive(Clone, Debug)]
pub enum Action {
    /// Call an account.
    Call {
        /// Which.
        to: [u8; 20],
        /// Calldata.
        data: Vec<u8>,
    },
    /// Create a contract, from EVM creation code there and pages here.
    Create {
        /// EVM creation code.
        initcode: Vec<u8>,
        /// Our pages.
        pages: Box<Contract>,
        /// The constructor's arguments.
        arguments: Vec<u8>,
    },
    /// These bytes in place of a signed transaction.
    Raw(Vec<u8>),
}

/// A transaction before each side signs its own.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Number of the wallet that signs.
    pub from: usize,
    /// Its nonce; the next one unless said otherwise.
    pub nonce: Option<u64>,
    /// What it pays.
    pub fee: Fee,
    /// Gas that it may use.
    pub gas: u64,
    /// Wei sent along.
    pub value: Word,
    /// The chain it is for; this one unless said otherwise.
    pub chain_id: Option<u64>,
    /// What it does.
    pub action: Action,
}

/// Chains with the same accounts.
pub struct Chains {
    /// The block that is run next.
    pub block: Block,
    sides: Vec<Side>,
    nonces: BTreeMap<usize, u64>,
    endowed: BTreeMap<[u8; 20], (Word, u64)>,
    installed: Vec<[u8; 20]>,
    announced: Vec<(Vec<u8>, Contract)>,
    history: Vec<Vec<Intent>>,
    /// What was compared.
    pub counts: Counts,
}

/// A chain, and the fees on it.
struct Side {
    ledger: Box<dyn Ledger>,
    paid: BTreeMap<[u8; 20], U256>,
    tips: U256,
}

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transactions given to every side.
    pub transactions: usize,
    /// Those that returned.
    pub succeeded: usize,
    /// Those that reverted or halted.
    pub failed: usize,
    /// Those that were not begun.
    pub refused: usize,
    /// Blocks they were in.
    pub blocks: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.transactions += more.transactions;
        self.succeeded += more.succeeded;
        self.failed += more.failed;
        self.refused += more.refused;
        self.blocks += more.blocks;
    }
}

/// The first block.
fn first_block() -> Block {
    Block { gas_limit: BLOCK_GAS, ..world::block() }
}

impl Default for Chains {
    fn default() -> Chains {
        Chains::new()
    }
}

impl Chains {
    /// All chains, empty but for the wealth of the accounts.
    pub fn new() -> Chains {
        let block = first_block();
        let ledgers: [Box<dyn Ledger>; 2] = [Box::new(Ethereum::new(block.clone())), Box::new(Lathe::new())];
        let side = |ledger| Side { ledger, paid: BTreeMap::new(), tips: U256::ZERO };
        let mut chains = Chains {
            block,
            sides: ledgers.into_iter().map(side).collect(),
            nonces: BTreeMap::new(),
            endowed: BTreeMap::new(),
            installed: Vec::new(),
            announced: Vec::new(),
            history: Vec::new(),
            counts: Counts::default(),
        };
        for account in ACCOUNTS {
            chains.endow(account, WEALTH.into(), 0);
        }
        chains
    }

    /// Gives an account wei and a nonce, before the first block.
    pub fn endow(&mut self, account: [u8; 20], wei: Word, nonce: u64) {
        self.endowed.insert(account, (wei, nonce));
        for side in &mut self.sides {
            side.ledger.endow(account, wei, nonce);
        }
    }

    /// Puts code at an account before the first block: code that stops at once, and any page.
    pub fn install(&mut self, account: [u8; 20]) {
        self.installed.push(account);
        for side in &mut self.sides {
            side.ledger.install(account, &[0], programs::token());
        }
    }

    /// Makes a contract that others create known everywhere.
    ///
    /// # Errors
    /// Code that is no page.
    pub fn announce(&mut self, initcode: &[u8], pages: &Contract) -> Result<(), Trouble> {
        if self.announced.iter().any(|(known, _)| known == initcode) {
            return Ok(());
        }
        self.announced.push((initcode.to_vec(), pages.clone()));
        self.sides.iter_mut().try_for_each(|side| side.ledger.announce(initcode, pages))
    }

    /// A transaction of ordinary gas; its type follows from the sender's nonce, so that all types occur.
    pub fn intent(&self, from: usize, value: Word, action: Action) -> Intent {
        let fee = usual_fee(self.next_nonce(from), self.block.base_fee);
        Intent { from, nonce: None, fee, gas: GAS, value, chain_id: None, action }
    }

    /// The nonce that a wallet signs next.
    pub fn next_nonce(&self, from: usize) -> u64 {
        let first = || self.endowed.get(&Wallet::new(from).address()).map_or(0, |(_, nonce)| *nonce);
        self.nonces.get(&from).copied().unwrap_or_else(first)
    }

    /// Runs one block on every side; the next one is a slot later.
    ///
    /// # Errors
    /// A difference, or a machine that gives up; the chains are of no more use then.
    pub fn run(&mut self, intents: &[Intent]) -> Result<Vec<Receipt>, Trouble> {
        let intents = self.numbered(intents);
        let mut all: Vec<Vec<Receipt>> = Vec::new();
        for at in 0..self.sides.len() {
            let raw: Result<Vec<Vec<u8>>, Trouble> =
                intents.iter().map(|intent| self.signed(&self.sides[at], intent)).collect();
            let receipts = self.sides[at].ledger.execute(&self.block, &raw?)?;
            if receipts.len() != intents.len() {
                let (got, sent) = (receipts.len(), intents.len());
                return Err(Trouble::Different(format!("{got} receipts of {sent} transactions")));
            }
            self.charge(at, &intents, &receipts);
            all.push(receipts);
        }
        let theirs = all.swap_remove(0);
        for (at, ours) in all.iter().enumerate() {
            let name = self.sides[at + 1].ledger.name();
            for (number, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
                same(theirs, ours).map_err(|text| {
                    let text = format!("transaction {number} of the block (revm, {name}):\n{text}");
                    if theirs.starved { Trouble::OutOfResources(text) } else { Trouble::Different(text) }
                })?;
            }
        }
        let accounts = self.accounts(0);
        for at in 1..self.sides.len() {
            world::same_accounts(&accounts, &self.accounts(at))?;
        }
        for (intent, receipt) in intents.iter().zip(&theirs) {
            if !matches!(receipt.outcome, Outcome::Refused(_)) {
                let next = self.next_nonce(intent.from) + 1;
                self.nonces.insert(intent.from, next);
            }
        }
        self.counts.add(&theirs);
        self.history.push(intents);
        self.block.number += 1;
        self.block.timestamp += SLOT;
        Ok(theirs)
    }

    /// A block of one transaction.
    ///
    /// # Errors
    /// As [`Chains::run`].
    pub fn run_one(&mut self, intent: Intent) -> Result<Receipt, Trouble> {
        let receipts = self.run(&[intent])?;
        receipts.into_iter().next().ok_or_else(|| Trouble::Different("no receipt".into()))
    }

    /// All transactions so far once more on fresh chains, in blocks of at most this many; what was compared.
    ///
    /// # Errors
    /// As [`Chains::run`].
    pub fn again(&self, block: usize) -> Result<Counts, Trouble> {
        let mut fresh = Chains::new();
        for (account, (wei, nonce)) in &self.endowed {
            fresh.endow(*account, *wei, *nonce);
        }
        for account in &self.installed {
            fresh.install(*account);
        }
        for (initcode, pages) in &self.announced {
            fresh.announce(initcode, pages)?;
        }
        let all: Vec<Intent> = self.history.iter().flatten().cloned().collect();
        for intents in all.chunks(block) {
            fresh.run(intents).map_err(|trouble| match trouble {
                Trouble::Different(text) => {
                    let at = fresh.counts.blocks;
                    Trouble::Different(format!("in blocks of {block}, block {at}: {text}"))
                }
                other => other,
            })?;
        }
        Ok(fresh.counts)
    }

    /// A line for every transaction so far.
    pub fn told(&self) -> String {
        let lines = self.history.iter().enumerate().flat_map(|(block, intents)| {
            intents.iter().map(move |intent| format!("  block {block}: {}\n", intent.told()))
        });
        lines.collect()
    }

    /// What every side says of an account's storage, balance and nonce, fees aside.
    pub fn account(&self, address: [u8; 20]) -> Account {
        self.accounts(0).remove(&address).unwrap_or_default()
    }

    /// Each intent with its nonce.
    fn numbered(&self, intents: &[Intent]) -> Vec<Intent> {
        let mut next = self.nonces.clone();
        let number = |intent: &Intent| {
            let known = next.entry(intent.from).or_insert_with(|| self.next_nonce(intent.from));
            let nonce = intent.nonce.unwrap_or(*known);
            if nonce == *known && intent.chain_id.is_none() && !matches!(intent.action, Action::Raw(_)) {
                *known = known.saturating_add(1);
            }
            Intent { nonce: Some(nonce), ..intent.clone() }
        };
        intents.iter().map(number).collect()
    }

    fn signed(&self, side: &Side, intent: &Intent) -> Result<Vec<u8>, Trouble> {
        let (to, data) = match &intent.action {
            Action::Raw(raw) => return Ok(raw.clone()),
            Action::Call { to, data } => (Some(*to), data.clone()),
            Action::Create { initcode, pages, arguments } => {
                (None, side.ledger.creation(initcode, pages, arguments)?)
            }
        };
        Ok(Wallet::new(intent.from).sign(&Unsigned {
            chain_id: intent.chain_id.unwrap_or(self.block.chain_id),
            nonce: intent.nonce.unwrap_or_default(),
            fee: intent.fee.clone(),
            gas: intent.gas,
            to,
            value: intent.value,
            data,
        }))
    }

    fn charge(&mut self, at: usize, intents: &[Intent], receipts: &[Receipt]) {
        let base_fee = self.block.base_fee;
        let side = &mut self.sides[at];
        for (intent, receipt) in intents.iter().zip(receipts) {
            let gas = U256::from(receipt.gas);
            let from = Wallet::new(intent.from).address();
            *side.paid.entry(from).or_default() += gas * U256::from(intent.fee.price(base_fee));
            side.tips += gas * U256::from(side.ledger.tip(&intent.fee, base_fee));
        }
    }

    /// Accounts of one side as if gas were free.
    fn accounts(&self, at: usize) -> BTreeMap<[u8; 20], Account> {
        let side = &self.sides[at];
        let mut accounts = side.ledger.accounts();
        let mut add = |address, wei: U256| {
            let account: &mut Account = accounts.entry(address).or_default();
            account.balance = word(number(account.balance).wrapping_add(wei));
        };
        side.paid.iter().for_each(|(address, wei)| add(*address, *wei));
        add(self.block.coinbase, side.tips.wrapping_neg());
        accounts.retain(|_, account| *account != Account::default());
        accounts
    }
}

impl Counts {
    /// Counts a block's receipts.
    fn add(&mut self, receipts: &[Receipt]) {
        self.blocks += 1;
        self.transactions += receipts.len();
        for receipt in receipts {
            match receipt.outcome {
                Outcome::Success => self.succeeded += 1,
                Outcome::Failed => self.failed += 1,
                Outcome::Refused(_) => self.refused += 1,
            }
        }
    }
}

impl Intent {
    /// What it is, in one line.
    pub fn told(&self) -> String {
        let data = |data: &[u8]| hex::encode(&data[..data.len().min(512)]);
        let what = match &self.action {
            Action::Call { to, data: bytes } => format!("calls 0x{} 0x{}", hex::encode(to), data(bytes)),
            Action::Create { pages, arguments, .. } => {
                format!("creates {} 0x{}", pages.deploy.name, data(arguments))
            }
            Action::Raw(raw) => format!("raw 0x{}", data(raw)),
        };
        let nonce = self.nonce.map_or("next".into(), |nonce| nonce.to_string());
        format!(
            "wallet {} nonce {nonce} gas {} value {} {:?}: {what}",
            self.from, self.gas, self.value, self.fee
        )
    }
}

/// All three types in turn, each a little above the base fee.
fn usual_fee(nonce: u64, base_fee: u64) -> Fee {
    let base = u128::from(base_fee);
    match nonce % 3 {
        0 => Fee::Dynamic { max: base + 5, priority: 2, list: Vec::new() },
        1 => Fee::Legacy(base + 1),
        _ => Fee::AccessList(base, vec![([0x70; 20], vec![Word::ZERO, Word::from(7)])]),
    }
}

fn same(theirs: &Receipt, ours: &Receipt) -> Result<(), String> {
    let seen = |receipt: &Receipt| {
        let created =
            receipt.created.map_or(String::new(), |address| format!(" made 0x{}", hex::encode(address)));
        format!("{}{created}, {} gas", side(&receipt.outcome, &receipt.output, &receipt.logs), receipt.gas)
    };
    let key =
        |receipt: &Receipt| (receipt.outcome, receipt.output.clone(), receipt.logs.clone(), receipt.created);
    if key(theirs) == key(ours) {
        return Ok(());
    }
    Err(format!("{}\n{}", seen(theirs), seen(ours)))
}
