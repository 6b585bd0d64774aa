//! Account transactions: validation by the account's own code, payment by a paymaster, and what both may not do.
use super::*;
use lathe_vm::ethereum::Reason;
use lathe_vm::ethereum::intrinsic::intrinsic_gas;
use lathe_vm::ethereum::transaction::{AccountPayload, AccountTransaction, Transaction};
use lathe_vm::isa::{op, price};

const ACCOUNT: [u8; 20] = [0xac; 20];
const PAYMASTER: [u8; 20] = [0xda; 20];

/// Says yes to everything it is asked.
const ACCEPTS: &str = "cdload [1], [90]\n bits [1], [1], 224, 32\n shli [1], [1], 224\n st [1], [90], 0
    seti [2], 32\n return [90], [2]";

/// What [`ACCEPTS`] costs, without the first run of its page.
fn accepting() -> u64 {
    [op::CDLOAD, op::BITS, op::SHLI, op::ST, op::SETI].map(|o| u64::from(price::base(o))).iter().sum()
}

fn first_run(source: &str) -> u64 {
    price::page(text(source).words.len())
}

/// Says yes in other ways than the one that counts, or does what nobody may do before that.
fn refusals() -> Vec<String> {
    let accept_after = |before: &str| format!("{before}\n {ACCEPTS}");
    let hands_back = |bytes: u32| ACCEPTS.replace("seti [2], 32", &format!("seti [2], {bytes}"));
    vec![
        "revert [90], [90]".into(),
        // The selector, not left-aligned.
        ACCEPTS.replace("shli [1], [1], 224\n", ""),
        ACCEPTS.replace("st [1]", "addi [1], [1], 1\n st [1]"),
        hands_back(0),
        hands_back(31),
        hands_back(64),
        ACCEPTS.replace("return", "revert"),
        accept_after("seti [1], 1\n sstore [1], [1]"),
        accept_after("seti [1], 1\n tstore [1], [1]"),
        accept_after("log [1], [90], [90], 0"),
        // Sends a wei to itself.
        accept_after("seti [20], 0\n seti [23], 1\n gas [22]\n address [5]\n call [2], [5], [20]"),
        "l: jmp l".into(),
        "aload [1], [90], 1".into(),
    ]
}

fn transaction(from: [u8; 20], nonce: u64) -> AccountPayload {
    AccountPayload {
        chain_id: CHAIN,
        nonce,
        fees: FEES,
        gas_limit: 400_000,
        from,
        to: BOB,
        value: num(5),
        data: vec![1, 2, 3],
        paymaster: None,
        paymaster_input: Vec::new(),
    }
}

fn sponsored(from: [u8; 20], nonce: u64) -> AccountPayload {
    AccountPayload { paymaster: Some(PAYMASTER), paymaster_input: vec![9; 5], ..transaction(from, nonce) }
}

fn unsigned(payload: AccountPayload) -> Vec<u8> {
    AccountTransaction { payload, signature: Vec::new() }.encode()
}

fn signed(payload: AccountPayload) -> Vec<u8> {
    alice().sign_account(payload).unwrap().encode()
}

fn intrinsic_of(body: &[u8]) -> u64 {
    intrinsic_gas(&Transaction::decode(body).unwrap())
}

/// With a contract account and a paymaster, who have an ether each.
fn world(account: &str, paymaster: &str) -> Chain {
    let genesis = genesis().contract(ACCOUNT, text(account)).balance(ACCOUNT, num(ETHER));
    Chain::new(genesis.contract(PAYMASTER, text(paymaster)).balance(PAYMASTER, num(ETHER)))
}

/// A batch of one record that is skipped for this reason and leaves nothing.
fn skipped(chain: &mut Chain, body: Vec<u8>, reason: Reason) {
    let before = chain.tree.root();
    let outcome = chain.batch(&[body]);
    assert_eq!(outcome.receipts[0].skip_reason, Some(reason));
    let receipt = &outcome.receipts[0];
    let asked = matches!(reason, Reason::AccountRefused | Reason::PaymasterRefused);
    assert!(receipt.logs.is_empty() && receipt.effective_gas_price.is_zero());
    assert!(asked || receipt.gas_used == 0);
    assert_eq!(chain.tree.root(), before);
}

#[test]
fn a_contract_sends_and_pays_to_the_wei() {
    let mut chain = world(ACCEPTS, ACCEPTS);
    let body = unsigned(transaction(ACCOUNT, 1));
    let outcome = chain.batch(&[body.clone(), body.clone()]);
    let [ran, again] = &outcome.receipts[..] else { panic!() };
    assert!(ran.status && ran.output.is_empty(), "{ran:?}");
    assert_eq!(ran.gas_used, intrinsic_of(&body) + first_run(ACCEPTS) + accepting());
    let fee = u128::from(ran.gas_used) * PRICE;
    assert_eq!(chain.wei(ACCOUNT), ETHER - 5 - fee);
    assert_eq!((chain.wei(BOB), chain.wei(OPERATOR)), (5, fee));
    assert_eq!(chain.nonce(ACCOUNT), num(2));
    assert_eq!(again.skip_reason, Some(Reason::NonceTooLow));
}

#[test]
fn a_paymaster_pays_for_a_contract_and_for_an_account_without_code() {
    let mut chain = world(ACCEPTS, ACCEPTS);
    let bodies = [unsigned(sponsored(ACCOUNT, 1)), signed(sponsored(alice().address(), 0))];
    let outcome = chain.batch(&bodies);
    let [contract, owned] = &outcome.receipts[..] else { panic!() };
    assert!(contract.status && owned.status);
    // The same page runs for both, the first time once.
    assert_eq!(contract.gas_used, intrinsic_of(&bodies[0]) + first_run(ACCEPTS) + 2 * accepting());
    assert_eq!(owned.gas_used, intrinsic_of(&bodies[1]) + accepting());
    let fee = u128::from(contract.gas_used + owned.gas_used) * PRICE;
    assert_eq!(chain.wei(PAYMASTER), ETHER - fee);
    assert_eq!((chain.wei(ACCOUNT), chain.wei(alice().address())), (ETHER - 5, ETHER - 5));
    assert_eq!((chain.wei(BOB), chain.wei(OPERATOR)), (10, fee));
    assert_eq!((chain.nonce(ACCOUNT), chain.nonce(alice().address())), (num(2), num(1)));
}

#[test]
fn an_account_of_ones_own_key_validates_the_digest() {
    // Digest, and from the signature v, r, s: what `ecrecover` reads.
    let owner = hex::encode(alice().address());
    let source = format!(
        ".const OWNER 0x{owner}
        seti [1], 4
        cdload [2], [1]
        st [2], [90], 0
        seti [1], 68
        cdload [3], [1]
        addi [3], [3], 36
        cdload [2], [3]
        st [2], [90], 64
        addi [3], [3], 32
        cdload [2], [3]
        st [2], [90], 96
        addi [3], [3], 1
        cdload [2], [3]
        bits [2], [2], 0, 8
        st [2], [90], 32
        seti [5], 1
        seti [20], 0
        seti [21], 128
        gas [22]
        staticcall [6], [5], [20]
        rdsize [7]
        jnei [7], 32, refuse
        seti [8], 0
        copy [8], [90], [7], 2
        ld [9], [90], 0
        const [10], OWNER
        jne [9], [10], refuse
        {ACCEPTS}
refuse: revert [90], [90]"
    );
    let mut chain = world(&source, ACCEPTS);
    let p = transaction(ACCOUNT, 1);
    let signature = alice().sign_account(p.clone()).unwrap().signature;
    let sign = |p: &AccountPayload| AccountTransaction { payload: p.clone(), signature: signature.clone() };
    // Of another value it is no signature.
    let other = AccountPayload { value: num(6), ..p.clone() };
    skipped(&mut chain, sign(&other).encode(), Reason::AccountRefused);
    skipped(&mut chain, unsigned(p.clone()), Reason::AccountRefused);
    let outcome = chain.batch(&[sign(&p).encode()]);
    assert!(outcome.receipts[0].status);
    assert_eq!(chain.wei(BOB), 5);
}

#[test]
fn an_account_that_does_not_say_yes_leaves_nothing() {
    for source in refusals() {
        let mut chain = world(&source, ACCEPTS);
        skipped(&mut chain, unsigned(transaction(ACCOUNT, 1)), Reason::AccountRefused);
        skipped(&mut chain, unsigned(sponsored(ACCOUNT, 1)), Reason::AccountRefused);
    }
}

#[test]
fn a_paymaster_that_does_not_say_yes_leaves_nothing() {
    for source in refusals() {
        let mut chain = world(ACCEPTS, &source);
        skipped(&mut chain, unsigned(sponsored(ACCOUNT, 1)), Reason::PaymasterRefused);
        skipped(&mut chain, signed(sponsored(alice().address(), 0)), Reason::PaymasterRefused);
    }
}

#[test]
fn validation_has_the_gas_of_the_transaction() {
    // With all of it, and with one gas less, of which nothing is left for the paymaster.
    let sponsored = sponsored(ACCOUNT, 1);
    let full = intrinsic_of(&unsigned(sponsored.clone())) + first_run(ACCEPTS) + 2 * accepting();
    for (gas_limit, reason) in [
        (full, None),
        (full - 1, Some(Reason::PaymasterRefused)),
        (full - accepting() - 1, Some(Reason::AccountRefused)),
    ] {
        let outcome =
            world(ACCEPTS, ACCEPTS).batch(&[unsigned(AccountPayload { gas_limit, ..sponsored.clone() })]);
        assert_eq!(outcome.receipts[0].skip_reason, reason, "{gas_limit}");
    }
}

#[test]
fn a_paymaster_needs_code_and_wei() {
    let most = 400_000 * FEES.max;
    let with = |wei: u128, code: bool| {
        let genesis = genesis().balance(PAYMASTER, num(wei));
        Chain::new(if code { genesis.contract(PAYMASTER, text(ACCEPTS)) } else { genesis })
    };
    let body = || signed(sponsored(alice().address(), 0));
    skipped(&mut with(most, false), body(), Reason::PaymasterRefused);
    skipped(&mut with(most - 1, true), body(), Reason::PaymasterRefused);
    assert!(with(most, true).batch(&[body()]).receipts[0].status);
}

#[test]
fn the_sender_of_a_sponsored_transaction_needs_its_value() {
    let body = || {
        let p = AccountPayload { value: num(ETHER + 1), ..sponsored(ACCOUNT, 1) };
        unsigned(p)
    };
    skipped(&mut world(ACCEPTS, ACCEPTS), body(), Reason::BalanceTooLow);
}

#[test]
fn an_account_that_pays_for_itself_as_its_paymaster_needs_wei_for_both() {
    let most = 400_000 * FEES.max;
    let own = |value: u128| {
        unsigned(AccountPayload { paymaster: Some(ACCOUNT), value: num(value), ..transaction(ACCOUNT, 1) })
    };
    let mut chain = world(ACCEPTS, ACCEPTS);
    skipped(&mut chain, own(ETHER), Reason::BalanceTooLow);
    skipped(&mut chain, own(ETHER - most + 1), Reason::BalanceTooLow);
    let outcome = chain.batch(&[own(ETHER - most)]);
    assert!(outcome.receipts[0].status);
    assert_eq!(chain.wei(ACCOUNT), most - u128::from(outcome.receipts[0].gas_used) * PRICE);
}

#[test]
fn an_account_without_code_signs_itself() {
    let from = alice().address();
    let mut chain = Chain::new(genesis().balance([0; 20], num(ETHER)));
    let good = alice().sign_account(transaction(from, 0)).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut t = good.clone();
        change(&mut t.signature);
        t.encode()
    };
    let bad = [
        with(&|s| s.clear()),
        with(&|s| s.push(0)),
        with(&|s| s.truncate(64)),
        with(&|s| s[64] = 29),
        with(&|s| s[64] ^= 7),
        with(&|s| s[0] ^= 1),
        with(&|s| s[32] |= 0x80),
        with(&|s| s[..32].fill(0)),
        signed(transaction(BOB, 0)),
    ];
    for body in bad {
        skipped(&mut chain, body, Reason::BadSignature);
    }
    // Nobody's signature is not that of the account zero.
    for r in [0, 1] {
        let signature = [&[0; 31][..], &[r], &[0; 32], &[27]].concat();
        let body = AccountTransaction { payload: transaction([0; 20], 0), signature }.encode();
        skipped(&mut chain, body, Reason::BadSignature);
    }
    let outcome = chain.batch(&[good.encode()]);
    assert!(outcome.receipts[0].status);
    assert_eq!(outcome.receipts[0].gas_used, intrinsic_of(&good.encode()));
}

#[test]
fn a_contract_runs_as_itself_with_its_own_code() {
    // Asked by the kernel it says yes; called by itself it writes down who called and what it has left to do.
    let source = format!(
        "caller [1]\n address [2]\n jne [1], [2], asked\n seti [3], 1\n sstore [3], [1]\n txvalue [4], 0
         seti [3], 2\n sstore [3], [4]\n txvalue [4], 1\n seti [3], 3\n sstore [3], [4]\n return [90], [90]
asked:   {ACCEPTS}"
    );
    let mut chain = world(&source, ACCEPTS);
    let p = AccountPayload { to: ACCOUNT, ..transaction(ACCOUNT, 1) };
    assert!(chain.batch(&[unsigned(p)]).receipts[0].status);
    let slot = |n: u128| chain.tree.get_cell(&CellId::storage(ACCOUNT, num(n)));
    let own = lathe_vm::fixtures::word(ACCOUNT);
    assert_eq!([1, 2, 3].map(slot), [own, own, num(PRICE)]);
}

#[test]
fn bytes_that_are_no_string_are_malformed_and_stop_nothing() {
    // The prefix of a list in place of that of the data, and a length with which the end of the data would wrap around to
    // where the paymaster is. Of such a length only multiples of 256 can be written.
    let body = |len| {
        let p = transaction(alice().address(), 0);
        unsigned(AccountPayload { data: vec![0x11; len], ..p })
    };
    let good = (256..600).map(body).find(|b| (batch::HEADER + 1 + b.len() - 2).is_multiple_of(256)).unwrap();
    let paymaster = batch::HEADER + 1 + good.len() - 2;
    let data = good.windows(40).position(|w| w == [0x11; 40]).unwrap() - 3;
    assert_eq!(good[data], 0xb9);
    for prefix in 0xc0..=0xffu8 {
        let mut body = good.clone();
        body[data] = prefix;
        body[data + 1..data + 25].fill(0xff);
        body[data + 25..data + 32].fill(0);
        body[data + 30..data + 32].copy_from_slice(&(paymaster as u32 >> 8).to_be_bytes()[2..]);
        skipped(&mut Chain::new(genesis()), body, Reason::Malformed);
    }
}

/// A refusal that burns all it can takes no more than a validation may, and the block has it no longer.
#[test]
fn a_refused_validation_counts_against_the_block() {
    let mut chain = world("l: jmp l", ACCEPTS);
    let body = unsigned(AccountPayload { gas_limit: 29_500_000, ..transaction(ACCOUNT, 1) });
    let outcome = chain.batch(&[body.clone(), body]);
    let skips: Vec<_> = outcome.receipts.iter().map(|r| (r.skip_reason, r.gas_used)).collect();
    let refused = (Some(Reason::AccountRefused), intrinsic::VALIDATION);
    // The block had 30 million, and has 29 left.
    assert_eq!(skips, [refused, (Some(Reason::GasLimitAboveBlock), 0)]);
}
