//! Operations from L1: minted wei always end somewhere, nothing but their form can be refused, and all that come first are
//! in the chain.
use super::*;
use lathe_vm::ethereum::Reason;
use lathe_vm::ethereum::transaction::PriorityOperation;

const DEPOSITOR: [u8; 20] = [0xde; 20];
const REFUND: [u8; 20] = [0x4e; 20];
const CONTRACT: [u8; 20] = [0xcc; 20];

fn operation() -> PriorityOperation {
    PriorityOperation {
        id: 3,
        from: DEPOSITOR,
        to: BOB,
        minted: 1000,
        value: num(600),
        gas_limit: 100_000,
        refund_recipient: REFUND,
        data: Vec::new(),
    }
}

fn world(code: &str) -> Chain {
    Chain::new(genesis().contract(CONTRACT, text(code)))
}

fn wei(chain: &Chain) -> [u128; 4] {
    [DEPOSITOR, BOB, CONTRACT, REFUND].map(|a| chain.wei(a))
}

#[test]
fn what_is_minted_reaches_the_sender_and_the_value_the_callee() {
    let mut chain = world("return [90], [90]");
    let outcome = chain.batch(&[operation().encode()]);
    let receipt = &outcome.receipts[0];
    assert_eq!((receipt.status, receipt.gas_used, receipt.effective_gas_price), (true, 0, Word::ZERO));
    assert_eq!(wei(&chain), [400, 600, 0, 0]);
    assert_eq!((chain.nonce(DEPOSITOR), chain.wei(OPERATOR)), (Word::ZERO, 0));
}

#[test]
fn a_contract_sees_the_sender_and_pays_no_price() {
    let source = "caller [1]\n callvalue [2]\n txvalue [3], 0\n txvalue [4], 1\n seti [5], 9
        sstore [90], [1]\n seti [6], 1\n sstore [6], [2]\n seti [6], 2\n sstore [6], [3]\n seti [6], 3
        add [4], [4], [5]\n sstore [6], [4]\n return [90], [90]";
    let mut chain = world(source);
    let outcome = chain.batch(&[PriorityOperation { to: CONTRACT, ..operation() }.encode()]);
    assert!(outcome.receipts[0].status && outcome.receipts[0].gas_used > 0);
    let slot = |n: u128| chain.tree.get_cell(&CellId::storage(CONTRACT, num(n)));
    let from = lathe_vm::fixtures::word(DEPOSITOR);
    assert_eq!([0, 1, 2, 3].map(slot), [from, num(600), from, num(9)]);
    assert_eq!(wei(&chain), [400, 0, 600, 0]);
}

#[test]
fn a_call_that_fails_gives_all_that_was_minted_to_the_refund_recipient() {
    for (code, gas) in
        [("seti [1], 7\n sstore [1], [1]\n revert [90], [90]", None), ("l: jmp l", Some(100_000))]
    {
        let mut chain = world(code);
        let outcome = chain.batch(&[PriorityOperation { to: CONTRACT, ..operation() }.encode()]);
        let receipt = &outcome.receipts[0];
        assert_eq!((receipt.status, receipt.skip_reason), (false, None));
        assert!(gas.is_none_or(|gas| receipt.gas_used == gas) && receipt.gas_used <= 100_000);
        assert_eq!(wei(&chain), [0, 0, 0, 1000]);
        assert_eq!(chain.tree.get_cell(&CellId::storage(CONTRACT, num(7))), Word::ZERO);
    }
}

#[test]
fn a_sender_who_lacks_the_value_keeps_its_own_wei() {
    let genesis = genesis().balance(DEPOSITOR, num(50));
    let mut chain = Chain::new(genesis);
    let lacks = PriorityOperation { value: num(1051), ..operation() };
    let outcome = chain.batch(&[lacks.encode()]);
    assert_eq!((outcome.receipts[0].status, outcome.receipts[0].gas_used), (false, 0));
    assert_eq!(wei(&chain), [50, 0, 0, 1000]);
    let all = PriorityOperation { value: num(1050), id: 4, ..operation() };
    let most = PriorityOperation { value: Word::new(u128::MAX, u128::MAX), id: 5, ..operation() };
    let outcome = chain.batch(&[all.encode(), most.encode()]);
    assert_eq!(outcome.receipts.iter().map(|r| r.status).collect::<Vec<_>>(), [true, false]);
    assert_eq!(wei(&chain), [0, 1050, 0, 2000]);
}

#[test]
fn the_refund_recipient_may_be_anyone_of_those_involved() {
    for recipient in [DEPOSITOR, CONTRACT, BOB, OPERATOR] {
        let mut chain = world("revert [90], [90]");
        let o = PriorityOperation { to: CONTRACT, refund_recipient: recipient, ..operation() };
        chain.batch(&[o.encode()]);
        assert_eq!(chain.wei(recipient), 1000);
        assert_eq!([DEPOSITOR, CONTRACT, BOB, OPERATOR].iter().map(|a| chain.wei(*a)).sum::<u128>(), 1000);
    }
}

#[test]
fn no_gas_limit_is_too_large() {
    let mut chain = world("gas [1]\n sstore [90], [1]\n return [90], [90]");
    let huge = |id, gas_limit| PriorityOperation { id, gas_limit, to: CONTRACT, ..operation() }.encode();
    let outcome = chain.batch(&[huge(0, u64::MAX), huge(1, u32::MAX.into()), huge(2, 0)]);
    let [largest, large, none] = &outcome.receipts[..] else { panic!() };
    assert!(largest.status && large.status && !none.status);
    assert!(
        chain.tree.get_cell(&CellId::storage(CONTRACT, Word::ZERO)) > num(u128::from(u32::MAX) - 100_000)
    );
    // What operations use beyond the block's gas leaves none for others, and stops none of their kind.
    let mut chain = world("l: jmp l");
    chain.params.gas_limit = 300_000;
    let burn = |id| PriorityOperation { id, gas_limit: 200_000, to: CONTRACT, ..operation() }.encode();
    let outcome = chain.batch(&[burn(0), burn(1), operation().encode(), sign(payload(0))]);
    let reasons: Vec<_> = outcome.receipts.iter().map(|r| r.skip_reason).collect();
    assert_eq!(reasons, [None, None, None, Some(Reason::GasLimitAboveBlock)]);
    assert!(outcome.receipts[2].status);
}

#[test]
fn those_that_come_late_or_malformed_are_skipped() {
    let good = operation().encode();
    let malformed = [&good[..], &[0]].concat();
    let mut chain = Chain::new(genesis());
    // `Chain::batch` compares the hashes: the malformed one is in the chain, the late ones are not.
    let outcome = chain.batch(&[
        malformed.clone(),
        good.clone(),
        vec![0x03],
        good.clone(),
        malformed.clone(),
        sign(payload(0)),
        good.clone(),
    ]);
    let reasons: Vec<_> = outcome.receipts.iter().map(|r| r.skip_reason).collect();
    let (bad, late) = (Some(Reason::Malformed), Some(Reason::PriorityOutOfOrder));
    assert_eq!(reasons, [bad, None, Some(Reason::UnsupportedType), late, bad, None, late]);
    assert_eq!(wei(&chain), [400, 605, 0, 0]);
}

#[test]
fn nothing_is_minted_beyond_2_to_the_128() {
    let most = PriorityOperation { minted: u128::MAX, value: num(u128::MAX), ..operation() }.encode();
    let mut chain = Chain::new(genesis());
    assert!(chain.batch(std::slice::from_ref(&most)).receipts[0].status);
    assert_eq!(chain.wei(BOB), u128::MAX);
    // One byte more: 17 of them.
    let sixteen = [&[0x90][..], &[0xff; 16]].concat();
    let at = most.windows(17).position(|w| w == sixteen).unwrap();
    let mut body = most;
    body.splice(at..at + 17, [&[0x91, 1][..], &[0; 16]].concat());
    assert_eq!(body[1], 0xf8);
    body[2] += 1;
    assert_eq!(chain.batch(&[body]).receipts[0].skip_reason, Some(Reason::Malformed));
}
