//! The kernel of Ethereum transactions on the machine: what transactions do to accounts, what they cost, and that nothing
//! stops a batch. Every batch here runs both ways, and its trace is checked.
mod accounts;
mod constants;
mod creation;
mod priority;
mod property;
mod system;

use lathe_vm::asm::assemble;
use lathe_vm::code::CodeStore;
use lathe_vm::ethereum::genesis::Genesis;
use lathe_vm::ethereum::replay::{self, LIMITS, Outcome};
use lathe_vm::ethereum::transaction::{Fees, Key, Kind, Payload, kind};
use lathe_vm::ethereum::{batch, intrinsic};
use lathe_vm::programs;
use lathe_vm::replay::BlockParams;
use lathe_vm::state::{CellId, Tree};
use lathe_vm::trace::Page;
use lathe_vm::trace_check;
use lathe_vm::word::Word;
use sha3::{Digest, Keccak256};

const CHAIN: u64 = 4207;
const TOKEN: [u8; 20] = [0x70; 20];
const OPERATOR: [u8; 20] = [0xfe; 20];
const BOB: [u8; 20] = [0xb0; 20];
const BASE_FEE: u128 = 7;
/// What transactions of [`payload`] pay per gas.
const PRICE: u128 = BASE_FEE + 2;
const FEES: Fees = Fees { max_priority: 2, max: 100 };
const ETHER: u128 = 1_000_000_000_000_000_000;

fn num(x: u128) -> Word {
    Word::from(x)
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// Slot 90 stays zero.
fn text(source: &str) -> Page {
    assemble(source).unwrap_or_else(|e| panic!("{e}\n{source}"))
}

fn params() -> BlockParams {
    BlockParams {
        chain_id: CHAIN,
        number: 1,
        timestamp: 1_700_000_000,
        base_fee: num(BASE_FEE),
        gas_limit: 30_000_000,
        fee_recipient: OPERATOR,
        ..BlockParams::default()
    }
}

fn alice() -> Key {
    Key::new([0xa1; 32]).unwrap()
}

fn genesis() -> Genesis {
    Genesis::new().balance(alice().address(), num(ETHER)).contract(TOKEN, programs::token().clone())
}

fn payload(nonce: u64) -> Payload {
    Payload {
        kind: Kind::Eip1559 { fees: FEES, access_list: Vec::new() },
        chain_id: CHAIN,
        nonce,
        gas_limit: 1_000_000,
        to: Some(BOB),
        value: num(5),
        data: Vec::new(),
    }
}

fn sign(payload: Payload) -> Vec<u8> {
    alice().sign(payload).unwrap().encode()
}

/// A state that batches follow upon one another in.
struct Chain {
    tree: Tree,
    codes: CodeStore,
    params: BlockParams,
}

impl Chain {
    fn new(genesis: Genesis) -> Chain {
        let (tree, codes) = genesis.build().unwrap();
        Chain { tree, codes, params: params() }
    }

    /// Runs a batch both ways, checks trace and hashes, and goes on to the state after it.
    fn batch(&mut self, bodies: &[Vec<u8>]) -> Outcome {
        let Chain { tree, codes, params } = self;
        let bytes = batch::encode(bodies).unwrap();
        let kernel = programs::ethereum();
        let outcome = replay::execute(tree, codes, kernel, params, &bytes, &LIMITS).unwrap();
        let full = replay::replay(tree, codes, kernel, params, &bytes, &LIMITS).unwrap();
        trace_check::check(&full.trace).unwrap();
        assert_eq!(full.receipts, outcome.receipts);
        let first = bodies.iter().take_while(|b| b[0] == kind::PRIORITY).map(|b| keccak(b));
        let hashes = [batch::batch_data_hash(&bytes).unwrap(), batch::priority_ops_hash(first)];
        assert_eq!(outcome.result[..2], hashes.map(Word::from_be_bytes));
        tree.apply(&outcome.touched).unwrap();
        assert_eq!(full.trace.tree.new_root, tree.root());
        outcome.published.iter().for_each(|page| {
            codes.insert(Page::clone(page));
        });
        params.number += 1;
        outcome
    }

    fn wei(&self, account: [u8; 20]) -> u128 {
        let wei = self.tree.get_cell(&CellId::balance(account));
        assert_eq!(wei.hi, 0, "{}", hex::encode(account));
        wei.lo
    }

    fn nonce(&self, account: [u8; 20]) -> Word {
        self.tree.get_cell(&CellId::nonce(account))
    }
}

#[test]
fn a_transfer_moves_wei_and_pays_the_operator() {
    let mut chain = Chain::new(genesis());
    let outcome = chain.batch(&[sign(payload(0))]);
    let receipt = &outcome.receipts[0];
    assert!(receipt.status, "{receipt:?}");
    assert_eq!(receipt.gas_used, intrinsic::TRANSACTION);
    let fee = u128::from(receipt.gas_used) * PRICE;
    assert_eq!(chain.wei(alice().address()), ETHER - 5 - fee);
    assert_eq!((chain.wei(BOB), chain.wei(OPERATOR)), (5, fee));
    assert_eq!(chain.nonce(alice().address()), num(1));
}

/// `transfer(BOB, 0)` on the token.
fn token_transfer(nonce: u64) -> Vec<u8> {
    let mut data = vec![0xa9, 0x05, 0x9c, 0xbb];
    data.extend([0; 12]);
    data.extend(BOB);
    data.extend([0; 32]);
    sign(Payload { to: Some(TOKEN), value: num(0), data, ..payload(nonce) })
}

#[test]
fn a_token_transfer_takes_at_most_600_steps_of_the_kernel() {
    let steps = |n: u64| {
        let bodies: Vec<_> = (0..n).map(token_transfer).collect();
        let outcome = Chain::new(genesis()).batch(&bodies);
        assert!(outcome.receipts.iter().all(|r| r.status));
        outcome.steps
    };
    // Of which the token takes some 30.
    let one = steps(3) - steps(2);
    assert!(one <= 600, "{one}");
}

#[test]
fn a_call_of_a_precompile_has_its_output() {
    let precompile = |number: u8| {
        let mut out = [0; 20];
        out[19] = number;
        Some(out)
    };
    let call = |nonce, number, data: &[u8]| {
        sign(Payload { to: precompile(number), data: data.to_vec(), gas_limit: 100_000, ..payload(nonce) })
    };
    let mut chain = Chain::new(genesis());
    let bodies = [
        call(0, 4, b"identity"),
        call(1, 2, b"abc"),
        // No point of the curve, then one that this host does not compute, then one without gas.
        call(2, 6, &[1; 64]),
        call(3, 8, &[]),
        sign(Payload { to: precompile(2), gas_limit: intrinsic::TRANSACTION, ..payload(4) }),
    ];
    let outcome = chain.batch(&bodies);
    let receipts = &outcome.receipts;
    assert_eq!((receipts[0].status, &receipts[0].output[..]), (true, &b"identity"[..]));
    let sha = lathe_vm::precompile::sha256(b"abc").to_be_bytes();
    assert_eq!((receipts[1].status, &receipts[1].output[..]), (true, &sha[..]));
    let paid = intrinsic::TRANSACTION + 3 * intrinsic::DATA_BYTE;
    assert_eq!(receipts[1].gas_used, paid + lathe_vm::precompile::sha256_gas(3));
    for failed in &receipts[2..4] {
        assert_eq!((failed.status, failed.output.len(), failed.gas_used), (false, 0, 100_000));
    }
    assert_eq!((receipts[4].status, receipts[4].gas_used), (false, intrinsic::TRANSACTION));
    // The wei of those that succeed stay there.
    assert_eq!([4, 2, 6, 8].map(|n| chain.wei(precompile(n).unwrap())), [5, 5, 0, 0]);
}

#[test]
fn the_kernel_walks_as_many_records_as_a_batch_has() {
    let bytes = batch::encode(&vec![[3]; batch::MAX_RECORDS]).unwrap();
    let (tree, codes) = genesis().build().unwrap();
    let outcome = replay::execute(&tree, &codes, programs::ethereum(), &params(), &bytes, &LIMITS).unwrap();
    let hash = batch::batch_data_hash(&bytes).unwrap();
    assert_eq!(outcome.result, [Word::from_be_bytes(hash), Word::ZERO, Word::ZERO]);
    assert_eq!(outcome.receipts.len(), batch::MAX_RECORDS);
}

#[test]
fn the_block_has_the_gas_that_the_transactions_before_left() {
    let with = |nonce, gas_limit| sign(Payload { gas_limit, ..payload(nonce) });
    let mut chain = Chain::new(genesis());
    chain.params.gas_limit = 100_000;
    let left = 100_000 - intrinsic::TRANSACTION;
    let outcome = chain.batch(&[with(0, 100_000), with(1, left + 1), with(1, left)]);
    let reasons: Vec<_> = outcome.receipts.iter().map(|r| r.skip_reason).collect();
    assert_eq!(reasons, [None, Some(lathe_vm::ethereum::Reason::GasLimitAboveBlock), None]);
}
