//! What the sequencer refuses before a batch, rule by rule and in the kernel's order; creation data; genesis.
use lathe_vm::Word;
use lathe_vm::ethereum::creation::{CreationData, CreationError, MAX_PAGES};
use lathe_vm::ethereum::genesis::Genesis;
use lathe_vm::ethereum::intake::Intake;
use lathe_vm::ethereum::transaction::{
    AccountPayload, AccountTransaction, Fees, Key, Kind, Payload, PriorityOperation, Signed,
};
use lathe_vm::ethereum::{Reason, Receipt, receipt};
use lathe_vm::machine::{Event, Log, StateRead};
use lathe_vm::programs;
use lathe_vm::replay::BlockParams;
use lathe_vm::state::CellId;
use lathe_vm::system;
use lathe_vm::trace::Page;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashMap;

const CHAIN: u64 = 4207;
const GAS: u64 = 100_000;
const MAX_FEE: u128 = 500;
const WEI: u128 = GAS as u128 * MAX_FEE + 7;
const CONTRACT: [u8; 20] = [0xcc; 20];
const PAYMASTER: [u8; 20] = [0xda; 20];

fn key() -> Key {
    Key::new([5; 32]).unwrap()
}

fn params() -> BlockParams {
    BlockParams { chain_id: CHAIN, base_fee: Word::from(100), gas_limit: 1_000_000, ..Default::default() }
}

/// The key's account has sent three transactions and has just enough wei; the contract as well.
fn state() -> HashMap<CellId, Word> {
    let mut cells = HashMap::new();
    for account in [key().address(), CONTRACT] {
        cells.insert(CellId::nonce(account), Word::from(3));
        cells.insert(CellId::balance(account), Word::from(WEI));
    }
    cells.insert(CellId::balance(PAYMASTER), Word::from(WEI));
    for account in [CONTRACT, PAYMASTER] {
        cells.insert(CellId::code_hash(account), Word::from(1));
    }
    cells
}

fn payload() -> Payload {
    let fees = Fees { max_priority: 10, max: MAX_FEE };
    Payload {
        kind: Kind::Eip1559 { fees, access_list: Vec::new() },
        chain_id: CHAIN,
        nonce: 3,
        gas_limit: GAS,
        to: Some([9; 20]),
        value: Word::from(7),
        data: vec![1, 2, 3],
    }
}

fn with_fees(max_priority: u128, max: u128) -> Payload {
    Payload { kind: Kind::Eip1559 { fees: Fees { max_priority, max }, access_list: Vec::new() }, ..payload() }
}

fn sign(payload: Payload) -> Vec<u8> {
    key().sign(payload).unwrap().encode()
}

fn reason_in(state: &HashMap<CellId, Word>, body: &[u8]) -> Option<Reason> {
    Intake::new(&params()).check(state, body).err().map(|r| r.reason)
}

fn reason(body: &[u8]) -> Option<Reason> {
    reason_in(&state(), body)
}

#[test]
fn a_transaction_that_the_kernel_runs_passes() {
    assert_eq!(reason(&sign(payload())), None);
    let exact = Payload { kind: Kind::Legacy { gas_price: MAX_FEE }, ..payload() };
    assert_eq!(reason(&sign(exact)), None);
}

#[test]
fn each_rule_of_signed_transactions_has_its_reason() {
    let p = payload;
    let bad = Signed {
        signature: lathe_vm::ethereum::transaction::Signature { r: [0; 32], ys: [1; 32] },
        ..key().sign(p()).unwrap()
    };
    let cases = [
        (vec![3], Reason::UnsupportedType),
        (vec![], Reason::Malformed),
        (vec![2; 64], Reason::Malformed),
        (vec![2; 65], Reason::Malformed),
        (sign(Payload { chain_id: 1, ..p() }), Reason::WrongChainId),
        (bad.encode(), Reason::BadSignature),
        (sign(Payload { nonce: 2, ..p() }), Reason::NonceTooLow),
        (sign(Payload { nonce: 4, ..p() }), Reason::NonceTooHigh),
        (sign(with_fees(MAX_FEE + 1, MAX_FEE)), Reason::PriorityFeeAboveFeeCap),
        (sign(with_fees(1, 99)), Reason::FeeCapBelowBaseFee),
        (sign(Payload { gas_limit: 21_047, ..p() }), Reason::GasLimitBelowIntrinsic),
        (sign(Payload { gas_limit: 1_000_001, ..p() }), Reason::GasLimitAboveBlock),
        (sign(Payload { value: Word::from(8), ..p() }), Reason::BalanceTooLow),
        (sign(Payload { value: Word::new(u128::MAX, u128::MAX), ..p() }), Reason::BalanceTooLow),
        (sign(with_fees(1, u128::MAX)), Reason::BalanceTooLow),
    ];
    for (body, want) in cases {
        assert_eq!(reason(&body), Some(want), "{}", hex::encode(&body));
    }
    assert_eq!(reason(&sign(Payload { gas_limit: 21_048, ..p() })), None);
    assert_eq!(reason(&sign(with_fees(1, 100))), None);
}

#[test]
fn the_first_broken_rule_is_the_one_told() {
    // All wrong at once, mended one by one.
    let sender = CellId::code_hash(key().address());
    let mut state = state();
    state.insert(sender, Word::from(1));
    let mut p = Payload {
        chain_id: 1,
        nonce: 1,
        gas_limit: 1,
        to: None,
        value: Word::new(1, 0),
        ..with_fees(MAX_FEE, 99)
    };
    let tell = |p: &Payload, want, state: &HashMap<CellId, Word>| {
        assert_eq!(reason_in(state, &sign(p.clone())), Some(want));
    };
    tell(&p, Reason::WrongChainId, &state);
    p.chain_id = CHAIN;
    tell(&p, Reason::SenderHasCode, &state);
    state.remove(&sender);
    tell(&p, Reason::NonceTooLow, &state);
    p.nonce = u64::MAX;
    tell(&p, Reason::NonceTooHigh, &state);
    state.insert(CellId::nonce(key().address()), Word::from(u128::from(u64::MAX)));
    tell(&p, Reason::NonceAtMaximum, &state);
    p.nonce = 3;
    state.insert(CellId::nonce(key().address()), Word::from(3));
    tell(&p, Reason::PriorityFeeAboveFeeCap, &state);
    p.kind = with_fees(1, 99).kind;
    tell(&p, Reason::FeeCapBelowBaseFee, &state);
    p.kind = payload().kind;
    tell(&p, Reason::GasLimitBelowIntrinsic, &state);
    p.gas_limit = 2_000_000;
    tell(&p, Reason::GasLimitAboveBlock, &state);
    p.gas_limit = GAS;
    tell(&p, Reason::BalanceTooLow, &state);
    p.value = Word::ZERO;
    assert_eq!(Intake::new(&params()).check(&state, &sign(p)).err(), None);
}

#[test]
fn refusals_say_the_values() {
    let check = |body: &[u8]| Intake::new(&params()).check(&state(), body).unwrap_err().to_string();
    let nonce = check(&sign(Payload { nonce: 9, ..payload() }));
    assert_eq!(nonce, "nonce too high; send the transactions before it first (nonce 9, expected 3)");
    let chain = check(&sign(Payload { chain_id: 1, ..payload() }));
    assert!(chain.ends_with("(chain id 1, expected 4207)"), "{chain}");
}

#[test]
fn account_transactions_are_checked_as_far_as_that_goes_without_running_them() {
    let fees = Fees { max_priority: 10, max: MAX_FEE };
    let of = |from| AccountPayload {
        chain_id: CHAIN,
        nonce: 3,
        fees,
        gas_limit: GAS,
        from,
        value: Word::from(7),
        ..Default::default()
    };
    let any = |payload| AccountTransaction { payload, signature: vec![1, 2, 3] }.encode();
    let signed = |payload| key().sign_account(payload).unwrap().encode();
    assert_eq!(reason(&any(of(CONTRACT))), None);
    assert_eq!(reason(&any(of(key().address()))), Some(Reason::BadSignature));
    assert_eq!(reason(&signed(of(key().address()))), None);
    let poor = |p: AccountPayload| AccountPayload { value: Word::from(8), ..p };
    assert_eq!(reason(&any(poor(of(CONTRACT)))), Some(Reason::BalanceTooLow));
    let paid = AccountPayload { paymaster: Some(PAYMASTER), ..poor(of(CONTRACT)) };
    assert_eq!(reason(&any(paid.clone())), None);
    let unpaid = AccountPayload { paymaster: Some([1; 20]), ..paid };
    assert_eq!(reason(&any(unpaid)), Some(Reason::PaymasterRefused));
    let cases = [
        (AccountPayload { chain_id: 1, ..of(CONTRACT) }, Reason::WrongChainId),
        (AccountPayload { nonce: 2, ..of(CONTRACT) }, Reason::NonceTooLow),
        (AccountPayload { nonce: 4, ..of(CONTRACT) }, Reason::NonceTooHigh),
        (AccountPayload { gas_limit: 31_047, ..of(CONTRACT) }, Reason::GasLimitBelowIntrinsic),
    ];
    for (payload, want) in cases {
        assert_eq!(reason(&any(payload)), Some(want));
    }
    assert_eq!(reason(&any(AccountPayload { gas_limit: 31_048, ..of(CONTRACT) })), None);
}

fn ran(body: &[u8], gas_used: u128, outcome: u64) -> Receipt {
    let topics = vec![Word::from(u128::from(outcome)), Word::from(gas_used), Word::ZERO];
    let end = Event::Log(Log { address: [0; 20], topics, data: Vec::new() });
    receipt::receipts(&params(), &[body], &[end]).unwrap().remove(0)
}

#[test]
fn priority_operations_come_first() {
    let op = |id| PriorityOperation { id, gas_limit: GAS, ..Default::default() }.encode();
    let params = params();
    let mut intake = Intake::new(&params);
    let reason = |intake: &Intake, body: &[u8]| intake.check(&state(), body).err().map(|r| r.reason);
    assert_eq!(reason(&intake, &op(7)), None);
    intake.include(&op(7), &ran(&op(7), 0, 1));
    assert_eq!(reason(&intake, &op(8)), None);
    intake.include(&[3], &ran(&[3], 0, Reason::UnsupportedType.outcome()));
    assert_eq!(reason(&intake, &op(8)), Some(Reason::PriorityOutOfOrder));
}

#[test]
fn the_gas_that_is_left_shrinks_by_what_was_used() {
    let (params, state) = (params(), state());
    let mut intake = Intake::new(&params);
    let body = sign(payload());
    intake.include(&body, &ran(&body, 900_000, 1));
    assert!(intake.check(&state, &body).is_ok());
    intake.include(&body, &ran(&body, 1, 1));
    assert_eq!(intake.check(&state, &body).unwrap_err().reason, Reason::GasLimitAboveBlock);
}

fn creation() -> CreationData {
    let pages = vec![programs::token().clone(), programs::mapping().clone()];
    CreationData { deploy: pages[1].hash_word(), pages, arguments: vec![4, 5] }
}

#[test]
fn creation_data_is_read_strictly() {
    let data = creation();
    let bytes = data.encode().unwrap();
    let read = CreationData::decode(&bytes).unwrap();
    assert_eq!((read.deploy, &read.arguments), (data.deploy, &data.arguments));
    assert_eq!(read.encode().unwrap(), bytes);
    let hashes = |d: &CreationData| d.pages.iter().map(Page::hash_word).collect::<Vec<_>>();
    assert_eq!(hashes(&read), hashes(&data));
    let error = |bytes: &[u8]| CreationData::decode(bytes).unwrap_err();
    assert_eq!(error(&[]), CreationError::Truncated("version"));
    assert_eq!(error(&[0x60, 0x80]), CreationError::Version(0x60));
    assert_eq!(error(&[1]), CreationError::Truncated("number of pages"));
    assert_eq!(error(&[1, 1, 0]), CreationError::Truncated("page lengths"));
    for words in [0u16, 11, 13, 16380 + 12] {
        let bytes = [&[1, 1][..], &words.to_be_bytes(), &[0; 200_000]].concat();
        assert_eq!(error(&bytes), CreationError::Length { index: 0, words });
    }
    assert_eq!(error(&[&[1, 1, 0, 12][..], &[0; 95]].concat()), CreationError::Truncated("pages"));
    assert_eq!(error(&[&[1, 0][..], &[0; 31]].concat()), CreationError::Truncated("hash of the deploy page"));
    let many = CreationData { pages: vec![programs::token().clone(); MAX_PAGES + 1], ..creation() };
    assert_eq!(many.encode(), Err(CreationError::Count(256)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_creation_data_is_read_as_it_stands_or_not_at_all(
        count in 0u8..3,
        rest in vec(prop_oneof![Just(0u8), Just(12), any::<u8>()], 0..400),
    ) {
        let bytes = [&[1, count][..], &rest].concat();
        if let Ok(data) = CreationData::decode(&bytes) {
            prop_assert_eq!(data.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn the_check_never_panics(first in any::<u8>(), rest in vec(any::<u8>(), 0..150), nonce in any::<u64>(), value in any::<[u8; 32]>()) {
        let params = params();
        let intake = Intake::new(&params);
        prop_assert!(intake.check(&state(), &[&[first], &rest[..]].concat()).is_err());
        let p = Payload { nonce, value: Word::from_be_bytes(value), ..payload() };
        let passes = nonce == 3 && Word::from_be_bytes(value) <= Word::from(7);
        prop_assert_eq!(intake.check(&state(), &sign(p)).is_ok(), passes);
    }
}

#[test]
fn a_genesis_has_its_contracts_known() {
    let page = programs::token();
    let genesis = Genesis::new()
        .contract(system::MESSENGER, page.clone())
        .contract(system::NONCES, page.clone())
        .page(programs::mapping().clone())
        .balance([1; 20], Word::from(5))
        .storage(system::NONCES, Word::from(2), Word::from(3));
    let (tree, codes) = genesis.build().unwrap();
    let hash = page.hash_word();
    for address in [system::MESSENGER, system::NONCES] {
        assert_eq!(tree.read(&CellId::code_hash(address)), hash);
        assert_eq!(tree.read(&CellId::nonce(address)), Word::from(1));
    }
    let words = |page: &Page| Word::from(page.words.len() as u128);
    assert_eq!(tree.read(&CellId::known_code(hash)), words(page));
    let mapping = programs::mapping();
    assert_eq!(tree.read(&CellId::known_code(mapping.hash_word())), words(mapping));
    assert!(codes.get(hash).is_some() && codes.get(mapping.hash_word()).is_some());
    assert_eq!(tree.read(&CellId::balance([1; 20])), Word::from(5));
    assert_eq!(tree.read(&CellId::storage(system::NONCES, Word::from(2))), Word::from(3));
}
