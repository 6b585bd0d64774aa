//! The kernel with the system contracts that a chain has from its genesis on: messages to L1, withdrawals, data hashes.
use super::*;
use lathe_vm::fixtures::word;
use lathe_vm::system::{BASE_TOKEN, BLOCK_CONTEXT, MESSENGER};

fn chain() -> Chain {
    let genesis = programs::system().iter().fold(genesis(), |g, (a, page)| g.contract(*a, page.clone()));
    Chain::new(genesis)
}

fn selector(signature: &str) -> Vec<u8> {
    keccak(signature.as_bytes())[..4].to_vec()
}

fn call(nonce: u64, to: [u8; 20], value: u128, signature: &str, arguments: &[Word]) -> Vec<u8> {
    let mut data = selector(signature);
    arguments.iter().for_each(|w| data.extend(w.to_be_bytes()));
    sign(Payload { to: Some(to), value: num(value), data, gas_limit: 2_000_000, ..payload(nonce) })
}

/// `sendToL1` with three bytes.
fn send(nonce: u64) -> Vec<u8> {
    let message = Word::from_first_bytes(&[&b"abc"[..], &[0; 29]].concat()).unwrap();
    call(nonce, MESSENGER, 0, "sendToL1(bytes)", &[num(32), num(3), message])
}

fn withdraw(nonce: u64, wei: u128) -> Vec<u8> {
    call(nonce, BASE_TOKEN, wei, "withdraw(address)", &[word(BOB)])
}

fn leaf(number: u128, sender: [u8; 20], data: &[u8]) -> [u8; 32] {
    let words = [num(number), word(sender), Word::from_be_bytes(keccak(data))];
    keccak(&words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>())
}

fn withdrawal(wei: u128) -> Vec<u8> {
    [&selector("withdrawal(address,uint256)")[..], &BOB, &num(wei).to_be_bytes()].concat()
}

fn root(mut level: Vec<[u8; 32]>) -> Word {
    while level.len() > 1 {
        if level.len() % 2 == 1 {
            level.push([0; 32]);
        }
        level = level.chunks(2).map(|pair| keccak(&pair.concat())).collect();
    }
    level.pop().map_or(Word::ZERO, Word::from_be_bytes)
}

#[test]
fn messages_of_a_batch_have_their_root_in_its_result() {
    let mut chain = chain();
    let me = alice().address();
    let outcome = chain.batch(&[send(0), withdraw(1, 500), send(2)]);
    assert!(outcome.receipts.iter().all(|r| r.status), "{:?}", outcome.receipts);
    let leaves = vec![leaf(0, me, b"abc"), leaf(1, BASE_TOKEN, &withdrawal(500)), leaf(2, me, b"abc")];
    assert_eq!(outcome.receipts[1].output, leaves[1]);
    assert_eq!(outcome.result[2], root(leaves));
    // What was withdrawn is nobody's.
    let fees = chain.wei(OPERATOR);
    assert_eq!((chain.wei(me), chain.wei(BASE_TOKEN)), (ETHER - 500 - fees, 0));
    // The next batch goes on counting and has a root of its own.
    let outcome = chain.batch(&[send(3)]);
    assert_eq!(outcome.result[2], root(vec![leaf(3, me, b"abc")]));
    assert_eq!(chain.batch(&[sign(payload(4))]).result[2], Word::ZERO);
}

#[test]
fn a_batch_can_ask_for_the_data_hash_of_those_before_it() {
    let mut chain = chain();
    let ask = |nonce, number| call(nonce, BLOCK_CONTEXT, 0, "batchDataHash(uint256)", &[num(number)]);
    let first = chain.batch(&[ask(0, 1)]);
    assert_eq!(first.receipts[0].output, [0; 32]);
    let second = chain.batch(&[ask(1, 1), ask(2, 2)]);
    assert_eq!(second.receipts[0].output, first.result[0].to_be_bytes());
    assert_eq!(second.receipts[1].output, [0; 32]);
    let third = chain.batch(&[ask(3, 1), ask(4, 2)]);
    let outputs: Vec<_> = third.receipts.iter().map(|r| r.output.clone()).collect();
    assert_eq!(outputs, [first.result[0].to_be_bytes(), second.result[0].to_be_bytes()]);
}

#[test]
fn only_the_kernel_closes_a_batch() {
    let mut chain = chain();
    let bodies = [
        send(0),
        call(1, MESSENGER, 0, "closeBatch()", &[]),
        call(2, BLOCK_CONTEXT, 0, "closeBatch(bytes32)", &[num(7)]),
    ];
    let outcome = chain.batch(&bodies);
    let status: Vec<_> = outcome.receipts.iter().map(|r| r.status).collect();
    assert_eq!(status, [true, false, false]);
    assert_eq!(outcome.result[2], root(vec![leaf(0, alice().address(), b"abc")]));
}
