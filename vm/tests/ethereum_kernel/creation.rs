//! Transactions that create contracts: pages that come along, pages that are known, data that are neither, and addresses.
use super::*;
use lathe_vm::ethereum::creation::CreationData;
use lathe_vm::machine::contract_address;
use std::slice;

/// Hands back its calldata's first word less one.
const RUNTIME: &str =
    "cdload [1], [90]\n subi [1], [1], 1\n st [1], [90], 0\n seti [2], 32\n return [90], [2]";

fn runtime() -> Page {
    text(RUNTIME)
}

/// Writes its argument to slot 0 and becomes [`RUNTIME`].
fn deploy() -> Page {
    deploy_after("cdload [1], [90]\n sstore [90], [1]")
}

fn deploy_after(constructor: &str) -> Page {
    let hash = runtime().hash_word();
    text(&format!(
        ".const HASH {hash}\n {constructor}\n const [1], HASH\n st [1], [90], 0\n seti [2], 32\n return [90], [2]"
    ))
}

fn data(pages: &[Page], deploy: Word, argument: u128) -> Vec<u8> {
    let arguments = num(argument).to_be_bytes().to_vec();
    CreationData { pages: pages.to_vec(), deploy, arguments }.encode().unwrap()
}

fn create(nonce: u64, data: Vec<u8>) -> Vec<u8> {
    sign(Payload { to: None, data, ..payload(nonce) })
}

fn at(nonce: u64) -> [u8; 20] {
    contract_address(alice().address(), nonce)
}

/// Code hash, nonce, wei, slot 0.
fn contract(chain: &Chain, address: [u8; 20]) -> (Word, Word, u128, Word) {
    let cell = |c: &CellId| chain.tree.get_cell(c);
    let slot = cell(&CellId::storage(address, Word::ZERO));
    (cell(&CellId::code_hash(address)), chain.nonce(address), chain.wei(address), slot)
}

fn is_known(chain: &Chain, page: &Page) -> bool {
    let words = chain.tree.get_cell(&CellId::known_code(page.hash_word()));
    assert!(words.is_zero() || words == num(page.words.len() as u128));
    !words.is_zero()
}

const NOBODY: (Word, Word, u128, Word) = (Word::ZERO, Word::ZERO, 0, Word::ZERO);

#[test]
fn a_contract_is_made_of_pages_that_come_along_and_then_of_known_ones() {
    let mut chain = Chain::new(genesis());
    let outcome = chain.batch(&[
        create(0, data(&[deploy(), runtime()], deploy().hash_word(), 77)),
        create(1, data(&[], deploy().hash_word(), 78)),
    ]);
    for (i, slot) in [(0, 77), (1, 78)] {
        let receipt = &outcome.receipts[i as usize];
        assert_eq!((receipt.status, receipt.contract_address), (true, Some(at(i))), "{receipt:?}");
        assert_eq!(contract(&chain, at(i)), (runtime().hash_word(), num(1), 5, num(slot)));
    }
    // Both pages are paid for once.
    assert!(outcome.receipts[0].gas_used > outcome.receipts[1].gas_used + 2 * 4000);
    assert_eq!(outcome.published.len(), 2);
    // In the next batch they are code like any other.
    let call = sign(Payload { to: Some(at(1)), data: num(10).to_be_bytes().to_vec(), ..payload(2) });
    let outcome = chain.batch(&[call, create(3, data(&[], deploy().hash_word(), 79))]);
    assert_eq!(outcome.receipts[0].output, num(9).to_be_bytes());
    assert!(outcome.receipts[1].status && outcome.published.is_empty());
}

/// A creation that fails takes all gas, moves the nonce and no value; the address stays empty.
fn fails(chain: &mut Chain, data: Vec<u8>) {
    let nonce = chain.nonce(alice().address()).lo as u64;
    let before = [alice().address(), OPERATOR].map(|a| chain.wei(a));
    let taken = contract(chain, at(nonce));
    let outcome = chain.batch(&[create(nonce, data)]);
    let receipt = &outcome.receipts[0];
    assert_eq!((receipt.status, receipt.skip_reason, receipt.gas_used), (false, None, 1_000_000));
    assert_eq!((receipt.contract_address, &receipt.output[..]), (None, &[][..]));
    let fee = 1_000_000 * PRICE;
    let after = [alice().address(), OPERATOR].map(|a| chain.wei(a));
    assert_eq!(after, [before[0] - fee, before[1] + fee]);
    assert_eq!(chain.nonce(alice().address()), num(u128::from(nonce) + 1));
    assert_eq!(contract(chain, at(nonce)), taken);
}

#[test]
fn data_that_are_not_well_formed_take_all_gas() {
    let good = data(&[deploy(), runtime()], deploy().hash_word(), 1);
    let hash = deploy().hash_word();
    let mut chain = Chain::new(genesis());
    let with = |at: usize, byte: u8| {
        let mut out = good.clone();
        out[at] = byte;
        out
    };
    let pages = 2 + 4 + deploy().to_bytes().len() + runtime().to_bytes().len();
    let malformed = [
        vec![],
        vec![1],
        vec![1, 0],
        good[..1].to_vec(),
        good[..5].to_vec(),
        good[..pages - 1].to_vec(),
        good[..pages + 31].to_vec(),
        // Version; lengths of zero, of no whole groups, beyond the end.
        with(0, 0),
        with(0, 2),
        with(3, 0),
        with(3, good[3] - 1),
        with(4, 0xff),
        // 65,535 words, and one group more than a page has.
        [&[1, 1, 0xff, 0xff][..], &vec![0; 8 * 65_535]].concat()[..200].to_vec(),
        // No page is known by this hash, or by zero.
        data(&[], num(7), 1),
        data(&[], Word::ZERO, 1),
    ];
    for data in malformed {
        fails(&mut chain, data);
    }
    assert_eq!([deploy(), runtime()].map(|p| is_known(&chain, &p)), [true, true]);
    // What was made known before the fault stays so.
    fails(&mut chain, data(&[], hash, 1)[..33].to_vec());
    let outcome = chain.batch(&[create(chain.nonce(alice().address()).lo as u64, data(&[], hash, 1))]);
    assert!(outcome.receipts[0].status);
}

#[test]
fn pages_stay_known_whatever_comes_after_them() {
    let revert = deploy_after("revert [90], [90]");
    let mut cut = data(&[runtime(), deploy()], deploy().hash_word(), 1);
    cut[5] -= 1;
    for (data, known) in [
        (cut, vec![runtime()]),
        (data(&[runtime()], deploy().hash_word(), 1), vec![runtime()]),
        (data(slice::from_ref(&revert), revert.hash_word(), 1), vec![revert]),
    ] {
        let mut chain = Chain::new(genesis());
        let outcome = chain.batch(&[create(0, data)]);
        assert!(!outcome.receipts[0].status);
        let published: Vec<_> = outcome.published.iter().map(|p| p.hash_word()).collect();
        assert_eq!(published, known.iter().map(Page::hash_word).collect::<Vec<_>>());
        assert!(known.iter().all(|page| is_known(&chain, page)) && !is_known(&chain, &deploy()));
    }
}

#[test]
fn a_page_is_known_once_its_gas_is_paid() {
    let page = deploy();
    let data = data(slice::from_ref(&page), page.hash_word(), 1);
    let due = 4000 + 12 * page.words.len() as u64;
    let paid = intrinsic::TRANSACTION + intrinsic::CREATION + intrinsic::DATA_BYTE * data.len() as u64;
    for (gas_limit, known) in [(paid, false), (paid + due - 1, false), (paid + due, true)] {
        let mut chain = Chain::new(genesis());
        let body = sign(Payload { to: None, data: data.clone(), gas_limit, ..payload(0) });
        let receipt = &chain.batch(&[body]).receipts[0];
        assert_eq!((receipt.status, receipt.skip_reason, receipt.gas_used), (false, None, gas_limit));
        assert_eq!(is_known(&chain, &page), known, "{gas_limit}");
    }
}

#[test]
fn an_address_that_is_taken_takes_all_gas() {
    let creation = || data(&[deploy(), runtime()], deploy().hash_word(), 1);
    fails(&mut Chain::new(genesis().nonce(at(0), 1)), creation());
    fails(&mut Chain::new(genesis().contract(at(0), runtime())), creation());
    // Wei alone do not take it; they stay.
    let mut chain = Chain::new(genesis().balance(at(0), num(100)));
    assert!(chain.batch(&[create(0, creation())]).receipts[0].status);
    assert_eq!(chain.wei(at(0)), 105);
}

#[test]
fn a_constructor_that_reverts_gives_back_value_and_gas() {
    let page = deploy_after("seti [1], 9\n sstore [90], [1]\n seti [2], 3\n revert [90], [2]");
    let mut chain = Chain::new(genesis());
    let outcome = chain.batch(&[create(0, data(slice::from_ref(&page), page.hash_word(), 1))]);
    let receipt = &outcome.receipts[0];
    assert_eq!((receipt.status, &receipt.output[..]), (false, &[0; 3][..]));
    assert!(receipt.gas_used < 200_000, "{}", receipt.gas_used);
    assert_eq!(chain.wei(alice().address()), ETHER - u128::from(receipt.gas_used) * PRICE);
    assert_eq!(contract(&chain, at(0)), NOBODY);
    assert_eq!(chain.nonce(alice().address()), num(1));
    // One that halts has nothing to give back.
    for constructor in ["l: jmp l", "aload [1], [90], 1"] {
        let page = deploy_after(constructor);
        fails(&mut Chain::new(genesis()), data(slice::from_ref(&page), page.hash_word(), 1));
    }
    // The runtime page is not known.
    fails(&mut Chain::new(genesis()), data(&[deploy()], deploy().hash_word(), 1));
}

#[test]
fn contracts_are_where_ethereum_puts_them() {
    for nonce in [0, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 32, u64::MAX - 1] {
        let address = alloy_primitives::Address::from(alice().address()).create(nonce).into_array();
        let mut chain = Chain::new(genesis().nonce(alice().address(), nonce));
        let outcome = chain.batch(&[create(nonce, data(&[deploy(), runtime()], deploy().hash_word(), 3))]);
        assert_eq!(outcome.receipts[0].contract_address, Some(address), "{nonce}");
        assert_eq!(contract(&chain, address), (runtime().hash_word(), num(1), 5, num(3)));
    }
}
