//! The kernel of Ethereum transactions on the machine: what transactions do to accounts, what they cost, and that nothing
//! stops a batch.
use lathe_vm::ethereum::genesis::Genesis;
use lathe_vm::ethereum::replay::{self, LIMITS, Outcome};
use lathe_vm::ethereum::transaction::{Fees, Key, Kind, Payload};
use lathe_vm::ethereum::{batch, intrinsic};
use lathe_vm::programs;
use lathe_vm::replay::BlockParams;
use lathe_vm::state::{CellId, Tree};
use lathe_vm::trace_check;
use lathe_vm::word::Word;

const CHAIN: u64 = 4207;
const TOKEN: [u8; 20] = [0x70; 20];
const OPERATOR: [u8; 20] = [0xfe; 20];
const BOB: [u8; 20] = [0xb0; 20];
const BASE_FEE: u128 = 7;
const ETHER: u128 = 1_000_000_000_000_000_000;

fn num(x: u128) -> Word {
    Word::from(x)
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
    let fees = Fees { max_priority: 2, max: 100 };
    Payload {
        kind: Kind::Eip1559 { fees, access_list: Vec::new() },
        chain_id: CHAIN,
        nonce,
        gas_limit: 1_000_000,
        to: Some(BOB),
        value: num(5),
        data: Vec::new(),
    }
}

/// Runs a batch both ways, checks the trace, and answers what it did with the state after it.
fn run(genesis: Genesis, bodies: &[Vec<u8>]) -> (Outcome, Tree) {
    let (mut tree, codes) = genesis.build().unwrap();
    let bytes = batch::encode(bodies).unwrap();
    let kernel = programs::ethereum();
    let outcome = replay::execute(&tree, &codes, kernel, &params(), &bytes, &LIMITS).unwrap();
    let full = replay::replay(&tree, &codes, kernel, &params(), &bytes, &LIMITS).unwrap();
    trace_check::check(&full.trace).unwrap();
    assert_eq!(full.receipts, outcome.receipts);
    let hash = batch::batch_data_hash(&bytes).unwrap();
    assert_eq!(outcome.result[0], Word::from_be_bytes(hash));
    tree.apply(&outcome.touched).unwrap();
    (outcome, tree)
}

#[test]
fn a_transfer_moves_wei_and_pays_the_operator() {
    let body = alice().sign(payload(0)).unwrap().encode();
    let (outcome, tree) = run(genesis(), &[body]);
    let receipt = &outcome.receipts[0];
    assert!(receipt.status, "{receipt:?}");
    assert_eq!(receipt.gas_used, intrinsic::TRANSACTION);
    let fee = u128::from(receipt.gas_used) * (BASE_FEE + 2);
    let balance = |a| tree.get_cell(&CellId::balance(a));
    assert_eq!(balance(alice().address()), num(ETHER - 5 - fee));
    assert_eq!((balance(BOB), balance(OPERATOR)), (num(5), num(fee)));
    assert_eq!(tree.get_cell(&CellId::nonce(alice().address())), num(1));
}

/// `transfer(BOB, 0)` on the token.
fn token_transfer(nonce: u64) -> Vec<u8> {
    let mut data = vec![0xa9, 0x05, 0x9c, 0xbb];
    data.extend([0; 12]);
    data.extend(BOB);
    data.extend([0; 32]);
    let p = Payload { to: Some(TOKEN), value: num(0), data, ..payload(nonce) };
    alice().sign(p).unwrap().encode()
}

#[test]
fn a_token_transfer_takes_at_most_600_steps_of_the_kernel() {
    let steps = |n: u64| {
        let bodies: Vec<_> = (0..n).map(token_transfer).collect();
        let (outcome, _) = run(genesis(), &bodies);
        assert!(outcome.receipts.iter().all(|r| r.status));
        outcome.steps
    };
    // Of which the token takes some 30.
    let one = steps(3) - steps(2);
    assert!(one <= 600, "{one}");
}
