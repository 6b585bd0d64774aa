//! Wei, and where accounts begin and end.
use crate::chain::pair::{Action, Chains};
use crate::chain::wallet::Wallet;
use crate::draw::ACCOUNTS;
use crate::stage::{Deployed, Reply, Scene, address, bytes, low160, number};
use lathe_vm::sandbox::contract_address;
use lathe_vm::word::Word;

/// A transaction with calldata of any bytes.
fn raw(s: &mut Scene<Chains>, from: usize, to: [u8; 20], value: u128, data: &[u8]) -> Reply {
    let action = Action::Call { to, data: data.to_vec() };
    let receipt = s.stage.run_one(s.stage.intent(from, value.into(), action));
    receipt.unwrap_or_else(|trouble| panic!("{trouble}")).into()
}

/// An address of a small number.
fn low(number: u8) -> [u8; 20] {
    let mut out = [0; 20];
    out[19] = number;
    out
}

/// To accounts with and without keys, to oneself, to contracts that take wei and that do not, to precompiles.
pub fn wei_go_to_accounts_contracts_and_precompiles(s: &mut Scene<Chains>) {
    let (open, closed) = (s.deploy("Receiver", &[], 0), s.deploy("Closed", &[], 0));
    for to in [ACCOUNTS[1], ACCOUNTS[0], [0xab; 20], [0; 20], low(2), low(4), open.address] {
        assert!(s.pay(0, to, 1000));
        assert!(s.pay(0, to, 0));
    }
    assert!(!s.pay(0, closed.address, 1));
    assert!(s.pay(0, closed.address, 0));
    assert!(!raw(s, 0, closed.address, 0, b"more than eight bytes").succeeded);
    assert_eq!(s.stage.account(low(4)).balance, Word::from(1000));
    // Calldata for an account without code, and for precompiles called by the transaction itself.
    assert!(raw(s, 1, [0xab; 20], 3, b"not read by anyone").succeeded);
    for precompile in [1, 2, 3, 4] {
        assert!(raw(s, 1, low(precompile), 7, b"some input").succeeded);
    }
    assert_eq!(raw(s, 1, low(4), 0, b"the same").output, b"the same");
    raw(s, 2, open.address, 21, b"a fallback that answers");
    let data = open.data("balance", &[address([0xab; 20])]);
    assert_eq!(Word::from_first_bytes(&raw(s, 2, open.address, 0, &data).output), Some(Word::from(1003)));
    s.send(2, open.address, 5, open, "paid", &[]);
    assert!(!s.send(2, open.address, 5, open, "free", &[]).succeeded);
    let environment = s.deploy("Environment", &[], 0);
    for function in ["blockValues", "transaction", "self", "data", "hasGas"] {
        s.ok(1, environment, function, &[]);
    }
}

/// Banks that pay before they book: one is robbed, those with guards are not.
pub fn thieves_reenter_banks(s: &mut Scene<Chains>) {
    for name in ["NaiveBank", "GuardedBank", "TransientBank"] {
        let bank = s.deploy(name, &[], 0);
        let thief = s.deploy("Thief", &[address(bank.address)], 0);
        s.send(1, bank.address, 1000, bank, "deposit", &[]);
        let robbed = |s: &mut Scene<Chains>, quiet: u128| {
            s.send(2, thief.address, 100, thief, "rob", &[number(5), number(quiet)]).succeeded
        };
        assert_eq!(robbed(s, 0), name == "NaiveBank");
        assert!(robbed(s, 1));
        let loot = s.stage.account(thief.address).balance;
        let expected = if name == "NaiveBank" { 1000 } else { 100 };
        assert_eq!(loot, Word::from(expected), "{name}");
        s.send(1, bank.address, 0, bank, "withdraw", &[]);
        s.fails(3, bank, "withdraw", &[]);
    }
}

/// The 2,300 gas of `send` and `transfer` are enough for an event and for nothing that writes.
pub fn a_stipend_pays_for_an_event(s: &mut Scene<Chains>) {
    let bank = s.deploy("StipendBank", &[], 0);
    let writer = s.deploy("Limits", &[], 0);
    let teller = s.deploy("Leaf", &[address(bank.address), address(bank.address), bytes(&[])], 0);
    for (to, takes) in [(ACCOUNTS[2], true), (teller.address, true), (writer.address, false)] {
        let reply = s.send(1, bank.address, 50, bank, "trySend", &[address(to)]);
        assert_eq!(Word::from_first_bytes(&reply.output), Some(Word::from(u128::from(takes))));
    }
    s.send(2, bank.address, 70, bank, "deposit", &[]);
    s.ok(2, bank, "withdraw", &[]);
    let thief = s.deploy("Thief", &[address(bank.address)], 0);
    assert!(!s.send(1, thief.address, 9, thief, "rob", &[number(1), number(1)]).succeeded);
}

/// `selfdestruct` moves all wei, at once and again, and leaves the account: EIP-6780.
pub fn contracts_give_all_away(s: &mut Scene<Chains>) {
    let undertaker = s.deploy("Undertaker", &[], 0);
    assert!(s.pay(0, undertaker.address, 100));
    let mortals: Vec<Deployed> = (0..3)
        .map(|salt| {
            let args = [number(salt)];
            let reply = s.send(1, undertaker.address, 40, undertaker, "make", &args);
            let made = Word::from_first_bytes(&reply.output).unwrap_or_default();
            Deployed::at(low160(made), "Mortal")
        })
        .collect();
    let end = |s: &mut Scene<Chains>, mortal: Deployed, heir: [u8; 20], fail: u128| {
        let args = [address(mortal.address), address(heir), number(fail)];
        s.send(2, undertaker.address, 0, undertaker, "end", &args).succeeded
    };
    assert!(!end(s, mortals[0], [0xae; 20], 1));
    assert!(end(s, mortals[0], [0xae; 20], 0));
    assert!(end(s, mortals[0], [0xae; 20], 0), "it is still there");
    s.ok(1, mortals[1], "end", &[address(mortals[1].address)]);
    assert_eq!(s.stage.account(mortals[1].address).balance, Word::from(40), "it is its own heir");
    s.ok(1, mortals[1], "touch", &[]);
    let data = [address(mortals[2].address), address(mortals[1].address)];
    s.ok(3, undertaker, "borrow", &data);
    assert_eq!(s.stage.account(undertaker.address).balance, Word::ZERO);
    s.ok(3, undertaker, "rounds", &[]);
}

/// A creation where an account has a nonce fails and takes all its gas; wei alone are no obstacle.
pub fn a_taken_address_is_not_created_at(s: &mut Scene<Chains>) {
    s.stage.endow(contract_address(ACCOUNTS[3], 0), Word::from(5), 1);
    s.stage.endow(contract_address(ACCOUNTS[3], 1), Word::from(6), 0);
    assert!(s.try_deploy(3, "Receiver", &[], 0).is_none());
    assert_eq!(s.stage.next_nonce(3), 1);
    let made = s.try_deploy(3, "Receiver", &[], 0).map(|address| Deployed::at(address, "Receiver"));
    let made = made.unwrap_or_else(|| panic!("wei are in the way"));
    let reply = s.send(0, made.address, 10, made, "paid", &[]);
    assert_eq!(Word::from_first_bytes(&reply.output[32..]), Some(Word::from(16)));
}

/// Where contracts come to be, at nonces whose encodings have every length.
pub fn created_addresses_follow_the_nonce(s: &mut Scene<Chains>) {
    let nonces = [1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 1 << 32, (1 << 56) - 1, 1 << 56, u64::MAX - 1];
    for (i, nonce) in nonces.into_iter().enumerate() {
        s.stage.endow(Wallet::new(10 + i).address(), Word::from(1 << 60), nonce);
    }
    for (i, nonce) in nonces.into_iter().enumerate() {
        let made = s.try_deploy(10 + i, "Receiver", &[], 0);
        assert_eq!(made, Some(contract_address(Wallet::new(10 + i).address(), nonce)));
    }
}

/// Calldata, answers and events of many bytes, and of lengths around whole words.
pub fn large_data_go_in_and_out(s: &mut Scene<Chains>) {
    let receiver = s.deploy("Receiver", &[], 0);
    let factory = s.deploy("Factory", &[], 0);
    for length in [0, 1, 31, 32, 33, 4095, 20_000] {
        let data: Vec<u8> = (0..length).map(|i: u32| 0xc0 ^ (i * 7) as u8).collect();
        let reply = raw(s, 1, receiver.address, 2, &data);
        assert!(reply.succeeded);
        let args = [address(receiver.address), bytes(&data)];
        for way in ["forward", "borrow"] {
            assert!(s.send(2, factory.address, 0, factory, way, &args).succeeded);
        }
    }
}

/// `create2` twice with the same salt and code; with wei sent there before; after a failure.
pub fn salted_addresses_are_taken_once(s: &mut Scene<Chains>) {
    let factory = s.deploy("Factory", &[], 0);
    let make = |s: &mut Scene<Chains>, seed: u128, salt: u128| {
        low160(s.ok(1, factory, "make2", &[number(seed), number(salt)]))
    };
    let first = make(s, 4, 1);
    assert_eq!(make(s, 4, 1), [0; 20]);
    assert_ne!(make(s, 5, 1), first);
    assert_ne!(make(s, 4, 2), first);
    assert_eq!(make(s, 13, 3), [0; 20], "its constructor refuses");
    let other = s.deploy("Factory", &[], 0);
    assert_ne!(low160(s.ok(1, other, "make2", &[number(4), number(1)])), first);
    let child = Deployed::at(first, "Child");
    s.ok(2, child, "set", &[number(6)]);
    assert!(s.send(2, first, 12, child, "set", &[number(6)]).succeeded);
    for seed in [1, 13, 2] {
        s.send(3, factory.address, 9, factory, "make", &[number(seed)]);
    }
}

/// Transient storage, locks and warm slots end with their transaction, however many are in a block.
pub fn blocks_share_no_transient_state(s: &mut Scene<Chains>) {
    let contract = s.deploy("Transient", &[], 0);
    let environment = s.deploy("Environment", &[], 0);
    let call = |s: &Scene<Chains>, from: usize, to: Deployed, data: Vec<u8>| {
        s.stage.intent(from, Word::ZERO, Action::Call { to: to.address, data })
    };
    let mut block = Vec::new();
    for i in 0..3 {
        block.push(call(s, i, contract, contract.data("deposit", &[number(7)])));
        block.push(call(s, i, contract, contract.data("raw", &[number(1), number(99)])));
        block.push(call(s, 3 - i, contract, contract.data("relock", &[])));
        block.push(call(s, 3 - i, contract, contract.data("leftovers", &[])));
        block.push(call(s, i, environment, environment.data("transaction", &[])));
        block.push(call(s, i, environment, environment.data("blockValues", &[])));
    }
    for _ in 0..2 {
        let receipts = s.stage.run(&block).unwrap_or_else(|trouble| panic!("{trouble}"));
        let succeeded = receipts.iter().filter(|receipt| receipt.succeeded()).count();
        assert_eq!(succeeded, block.len() - 3, "all but the locks that are locked");
    }
    assert_eq!(s.ok(0, contract, "total", &[]), Word::from(42));
}
