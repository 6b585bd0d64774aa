//! Lathe's side: the Ethereum kernel over posted batches, as a node runs it, with a state tree of its own.
use crate::chain::ledger::{Ledger, Outcome, Receipt, Refusal};
use crate::chain::wallet::Fee;
use crate::evm::{Account, Block, Log};
use crate::world::{Trouble, accounts, gave_up, page};
use alloy_consensus::{SignableTransaction, TxEnvelope};
use alloy_eips::Decodable2718;
use lathe_compiler::compile::Contract;
use lathe_vm::code::CodeStore;
use lathe_vm::ethereum::creation::CreationData;
use lathe_vm::ethereum::receipt::receipts;
use lathe_vm::ethereum::replay::{self, LIMITS};
use lathe_vm::ethereum::{self, Reason, Transaction, batch};
use lathe_vm::machine::tracer::NoTrace;
use lathe_vm::machine::{self, Environment};
use lathe_vm::programs;
use lathe_vm::replay::BlockParams;
use lathe_vm::state::{CellId, Tree};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The chain.
pub struct Lathe {
    cells: HashMap<CellId, Word>,
    /// The tree of these cells, once a block has run.
    tree: Option<Tree>,
    codes: CodeStore,
}

impl Default for Lathe {
    fn default() -> Lathe {
        Lathe::new()
    }
}

impl Lathe {
    /// A chain with nothing but the system contracts.
    pub fn new() -> Lathe {
        let mut chain = Lathe { cells: HashMap::new(), tree: None, codes: CodeStore::new() };
        for (address, page) in programs::system() {
            chain.endow(*address, Word::ZERO, 1);
            chain.install(*address, &[], page);
        }
        chain
    }

    /// The same batch over the state tree, as nodes have it: it must come to the same.
    fn as_a_node(
        &mut self,
        params: &BlockParams,
        posted: &[u8],
        receipts: &[ethereum::Receipt],
        result: [Word; 3],
    ) -> Result<(), Trouble> {
        let mut tree = match self.tree.take() {
            Some(tree) => tree,
            None => {
                Tree::from_cells(self.cells.iter().map(|(cell, value)| (*cell, *value))).map_err(different)?
            }
        };
        let run = replay::execute(&tree, &self.codes, programs::ethereum(), params, posted, &LIMITS)
            .map_err(different)?;
        if (&run.receipts[..], run.result) != (receipts, result) {
            return Err(different("the state tree gives other receipts than its cells"));
        }
        tree.apply(&run.touched).map_err(different)?;
        self.tree = Some(tree);
        Ok(())
    }

    fn set(&mut self, cell: CellId, value: Word) {
        match value.is_zero() {
            true => self.cells.remove(&cell),
            false => self.cells.insert(cell, value),
        };
    }
}

impl Ledger for Lathe {
    fn name(&self) -> &'static str {
        "here"
    }

    fn creation(&self, _: &[u8], pages: &Contract, arguments: &[u8]) -> Result<Vec<u8>, Trouble> {
        let mut all = Vec::new();
        collect(pages, &mut BTreeSet::new(), &mut all)?;
        let deploy = page(&pages.deploy)?.hash_word();
        let data = CreationData { pages: all, deploy, arguments: arguments.to_vec() };
        data.encode().map_err(different)
    }

    /// What a contract creates is in its own creation data.
    fn announce(&mut self, _: &[u8], _: &Contract) -> Result<(), Trouble> {
        Ok(())
    }

    fn endow(&mut self, account: [u8; 20], wei: Word, nonce: u64) {
        self.tree = None;
        self.set(CellId::balance(account), wei);
        self.set(CellId::nonce(account), u128::from(nonce).into());
    }

    fn install(&mut self, account: [u8; 20], _: &[u8], page: &Page) {
        let words = Word::from(page.words.len() as u128);
        let hash = self.codes.insert(page.clone());
        self.set(CellId::known_code(hash), words);
        self.set(CellId::code_hash(account), hash);
    }

    fn execute(&mut self, block: &Block, raw: &[Vec<u8>]) -> Result<Vec<Receipt>, Trouble> {
        let bodies = raw.iter().map(|raw| body(raw)).collect::<Result<Vec<_>, _>>()?;
        let posted = batch::encode(&bodies).map_err(different)?;
        let params = params(block);
        let environment = Environment::from(&params);
        let run = machine::run::<_, NoTrace>(
            &self.cells,
            &self.codes,
            programs::ethereum(),
            &environment,
            &posted,
            &LIMITS,
        );
        let run = run.map_err(|stopped| gave_up(&stopped))?;
        let receipts = receipts(&params, &bodies, &run.events).map_err(different)?;
        self.as_a_node(&params, &posted, &receipts, run.result)?;
        for touched in run.touched {
            self.set(touched.cell, touched.new);
        }
        for page in run.published {
            self.codes.insert(Page::clone(&page));
        }
        Ok(receipts.into_iter().map(receipt).collect())
    }

    /// Ethereum has no system contracts.
    fn accounts(&self) -> BTreeMap<[u8; 20], Account> {
        let mut accounts = accounts(self.cells.iter());
        programs::system().iter().for_each(|(address, _)| drop(accounts.remove(address)));
        accounts
    }

    /// Nothing is burnt.
    fn tip(&self, fee: &Fee, base_fee: u64) -> u128 {
        fee.price(base_fee)
    }
}

fn different(reason: impl std::fmt::Display) -> Trouble {
    Trouble::Different(reason.to_string())
}

/// Every page that a contract needs, each once.
fn collect(contract: &Contract, known: &mut BTreeSet<Word>, pages: &mut Vec<Page>) -> Result<(), Trouble> {
    for part in contract.runtime.iter().chain([&contract.deploy]) {
        let page = page(part)?;
        if known.insert(page.hash_word()) {
            pages.push(page);
        }
    }
    contract.created.iter().try_for_each(|created| collect(created, known, pages))
}

/// The body of a transaction's record, made by alloy: what was signed, r, and s with the parity of y on top. Bytes that
/// are no transaction, or with a signature that has no such form, are posted as they are, for the kernel to skip.
fn body(raw: &[u8]) -> Result<Vec<u8>, Trouble> {
    let Ok(tx) = TxEnvelope::decode_2718_exact(raw) else { return Ok(raw.to_vec()) };
    let payload = match &tx {
        TxEnvelope::Legacy(tx) => tx.tx().encoded_for_signing(),
        TxEnvelope::Eip2930(tx) => tx.tx().encoded_for_signing(),
        TxEnvelope::Eip1559(tx) => tx.tx().encoded_for_signing(),
        _ => return Ok(raw.to_vec()),
    };
    let mut s = tx.signature().s().to_be_bytes::<32>();
    if s[0] >> 7 != 0 {
        return Ok(raw.to_vec());
    }
    s[0] |= u8::from(tx.signature().v()) << 7;
    let body = [&payload[..], &tx.signature().r().to_be_bytes::<32>(), &s].concat();
    match Transaction::from_raw(raw) {
        Ok(ours) if ours.encode() != body => Err(different("alloy and Lathe make different records")),
        _ => Ok(body),
    }
}

fn params(block: &Block) -> BlockParams {
    BlockParams {
        chain_id: block.chain_id,
        number: block.number,
        timestamp: block.timestamp,
        base_fee: u128::from(block.base_fee).into(),
        gas_limit: block.gas_limit,
        prevrandao: block.prevrandao,
        fee_recipient: block.coinbase,
        ..BlockParams::default()
    }
}

fn receipt(receipt: ethereum::Receipt) -> Receipt {
    let outcome = match (receipt.skip_reason, receipt.status) {
        (Some(reason), _) => Outcome::Refused(refusal(reason)),
        (None, true) => Outcome::Success,
        (None, false) => Outcome::Failed,
    };
    let success = outcome == Outcome::Success;
    let created = receipt.contract_address.filter(|_| success);
    let logs =
        receipt.logs.into_iter().map(|log| Log { address: log.address, topics: log.topics, data: log.data });
    Receipt {
        outcome,
        output: if created.is_some() { Vec::new() } else { receipt.output },
        logs: logs.collect(),
        created,
        gas: receipt.gas_used,
        starved: false,
    }
}

fn refusal(reason: Reason) -> Refusal {
    match reason {
        Reason::Malformed => Refusal::Malformed,
        Reason::UnsupportedType => Refusal::UnsupportedType,
        Reason::WrongChainId => Refusal::ChainId,
        Reason::BadSignature => Refusal::Signature,
        Reason::SenderHasCode => Refusal::SenderHasCode,
        Reason::NonceTooLow => Refusal::NonceTooLow,
        Reason::NonceTooHigh => Refusal::NonceTooHigh,
        Reason::NonceAtMaximum => Refusal::NonceAtMaximum,
        Reason::FeeCapBelowBaseFee => Refusal::FeeBelowBase,
        Reason::PriorityFeeAboveFeeCap => Refusal::PriorityAboveFee,
        Reason::GasLimitBelowIntrinsic => Refusal::IntrinsicGas,
        Reason::GasLimitAboveBlock => Refusal::BlockGas,
        Reason::BalanceTooLow => Refusal::Balance,
        _ => Refusal::Other("a rule that Ethereum does not have"),
    }
}
