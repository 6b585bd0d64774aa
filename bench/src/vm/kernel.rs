//! What the Ethereum kernel spends on one ERC-20 transfer: the mean over transactions that a batch has more than another.
use super::erc20::{GAS, OWNER, SUPPLY, TOKEN, balance_slot, contract_steps, page, transfer};
use crate::Failure;
use lathe_vm::code::CodeStore;
use lathe_vm::ethereum::batch;
use lathe_vm::ethereum::genesis::Genesis;
use lathe_vm::ethereum::replay::{self, LIMITS, Outcome, Replay, ReplayError};
use lathe_vm::ethereum::transaction::{Fees, Key, Kind, Payload};
use lathe_vm::isa::{Instruction, op};
use lathe_vm::programs;
use lathe_vm::replay::BlockParams;
use lathe_vm::state::Tree;
use lathe_vm::trace::{BatchTrace, Page};
use lathe_vm::word::Word;

const CHAIN: u64 = 4207;
const ETHER: u128 = 1_000_000_000_000_000_000;
/// Transactions of the smaller batch, and how many more the larger one has.
const FIRST: u64 = 4;
const MORE: u64 = 64;
/// Bytes that a permutation of Keccak takes in.
const RATE: u128 = 136;

/// Per transfer.
pub struct PerTransfer {
    /// Steps of the kernel, rounded up.
    pub kernel_steps: u32,
    /// Steps of the contract.
    pub contract_steps: u32,
    /// Permutations of the kernel's Keccak, that of `ecrecover` included.
    pub kernel_permutations: f64,
    /// Those of the contract.
    pub contract_permutations: f64,
}

/// Counts; nothing is timed.
///
/// # Errors
/// A batch that stops, a transfer that fails.
pub fn measure() -> Result<PerTransfer, Failure> {
    let supply = (balance_slot(sender()?.address()), Word::from(SUPPLY));
    let chain = Chain::new(TOKEN, page()?, [supply])?;
    let contract_steps = contract_steps(chain.sender.address(), OWNER)?;
    let few = Counted::of(&chain, FIRST)?;
    let many = Counted::of(&chain, FIRST + MORE)?;
    let mean = |f: fn(&Counted) -> u64| (f(&many) - f(&few)) as f64 / MORE as f64;
    Ok(PerTransfer {
        kernel_steps: mean(|c| c.steps).ceil() as u32 - contract_steps,
        contract_steps,
        kernel_permutations: mean(|c| c.kernel_permutations),
        contract_permutations: mean(|c| c.contract_permutations),
    })
}

/// A whole batch.
struct Counted {
    steps: u64,
    kernel_permutations: u64,
    contract_permutations: u64,
}

impl Counted {
    /// A batch of so many transfers, executed and traced.
    fn of(chain: &Chain, transfers: u64) -> Result<Counted, Failure> {
        let bytes = chain.batch(transfers, TOKEN, GAS.into(), &transfer(OWNER, 1))?;
        let outcome = chain.execute(&bytes)?;
        let full = chain.replay(&bytes)?;
        if let Some(failed) = outcome.receipts.iter().find(|r| !r.status) {
            return Err(format!("the kernel does not make a transfer: {failed:?}").into());
        }
        let mut counted =
            Counted { steps: outcome.steps.into(), kernel_permutations: 0, contract_permutations: 0 };
        counted.hashes(&full.trace);
        Ok(counted)
    }

    fn hashes(&mut self, trace: &BatchTrace) {
        for step in trace.steps.iter() {
            let permutations = match Instruction::decode(step.word).opcode {
                op::KECCAK => (step.b.old.lo / RATE + 1) as u64,
                // The address of the key.
                op::ECRECOVER => 1,
                _ => 0,
            };
            match step.regs.ctx {
                0 => self.kernel_permutations += permutations,
                _ => self.contract_permutations += permutations,
            }
        }
    }
}

/// A genesis with one contract and a sender with wei.
pub(super) struct Chain {
    tree: Tree,
    codes: CodeStore,
    sender: Key,
    params: BlockParams,
}

fn sender() -> Result<Key, Failure> {
    Ok(Key::new([0xa1; 32]).ok_or("no key")?)
}

impl Chain {
    /// The contract with this code and storage.
    pub(super) fn new(
        address: [u8; 20],
        page: Page,
        storage: impl IntoIterator<Item = (Word, Word)>,
    ) -> Result<Chain, Failure> {
        let sender = sender()?;
        let genesis = Genesis::new().system().balance(sender.address(), Word::from(ETHER));
        let genesis = genesis.contract(address, page);
        let with = |g: Genesis, (slot, value)| g.storage(address, slot, value);
        let (tree, codes) = storage.into_iter().fold(genesis, with).build()?;
        let params = BlockParams {
            chain_id: CHAIN,
            number: 1,
            timestamp: 1_700_000_000,
            base_fee: Word::from(7),
            gas_limit: 1_000_000_000,
            fee_recipient: [0xfe; 20],
            ..BlockParams::default()
        };
        Ok(Chain { tree, codes, sender, params })
    }

    /// A batch of signed transactions that all make this call.
    pub(super) fn batch(&self, count: u64, to: [u8; 20], gas: u64, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let body = |nonce| {
            let payload = Payload {
                kind: Kind::Eip1559 { fees: Fees { max_priority: 2, max: 100 }, access_list: Vec::new() },
                chain_id: CHAIN,
                nonce,
                gas_limit: gas,
                to: Some(to),
                value: Word::ZERO,
                data: data.to_vec(),
            };
            self.sender.sign(payload).map(|signed| signed.encode())
        };
        let bodies: Option<Vec<_>> = (0..count).map(body).collect();
        Ok(batch::encode(&bodies.ok_or("a transaction cannot be signed")?)?)
    }

    /// Without a trace.
    pub(super) fn execute(&self, bytes: &[u8]) -> Result<Outcome, ReplayError> {
        replay::execute(&self.tree, &self.codes, programs::ethereum(), &self.params, bytes, &LIMITS)
    }

    /// With one.
    pub(super) fn replay(&self, bytes: &[u8]) -> Result<Replay, ReplayError> {
        replay::replay(&self.tree, &self.codes, programs::ethereum(), &self.params, bytes, &LIMITS)
    }
}
