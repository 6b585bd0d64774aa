//! Contracts that act for people: a multisig, and accounts in the manner of ERC-4337 with a paymaster.
use crate::abi::Value;
use crate::chain::pair::Chains;
use crate::chain::wallet::Wallet;
use crate::draw::{ACCOUNTS, address_word};
use crate::evm::Log;
use crate::stage::{Deployed, Reply, Scene, Stage, address, bytes, number};
use lathe_vm::sandbox::contract_address_salted;
use lathe_vm::word::Word;
use sha3::{Digest, Keccak256};

/// Three owners, two of whom must agree: on payments, calls, changes of the wallet itself, and calls that fail.
pub fn a_multisig_executes_what_enough_confirm<S: Stage>(s: &mut Scene<S>) {
    let owners = || Value::List(ACCOUNTS[..3].iter().map(|owner| address(*owner)).collect());
    assert!(s.try_deploy(0, "Multisig", &[owners(), number(4)], 0).is_none());
    let twice = Value::List(vec![address(ACCOUNTS[1]), address(ACCOUNTS[1])]);
    assert!(s.try_deploy(0, "Multisig", &[twice, number(1)], 5).is_none());
    let safe = s.deploy("Multisig", &[owners(), number(2)], 500);
    let token = s.deploy("OzErc20", &[number(1000)], 0);
    assert!(s.pay(3, safe.address, 1000));
    s.ok(0, token, "transfer", &[address(safe.address), number(900)]);
    let propose = |s: &mut Scene<S>, to: [u8; 20], value: u128, data: &[u8]| {
        s.ok(0, safe, "submit", &[address(to), number(value), bytes(data)]).lo
    };
    s.fails(3, safe, "submit", &[address(ACCOUNTS[3]), number(1), bytes(&[])]);

    let payment = propose(s, ACCOUNTS[3], 700, &[]);
    s.fails(0, safe, "execute", &[number(payment)]);
    s.ok(1, safe, "confirm", &[number(payment)]);
    s.fails(1, safe, "confirm", &[number(payment)]);
    s.fails(2, safe, "revoke", &[number(payment)]);
    s.ok(1, safe, "revoke", &[number(payment)]);
    for owner in [0, 2] {
        s.ok(owner, safe, "confirm", &[number(payment)]);
    }
    s.fails(3, safe, "execute", &[number(payment)]);
    s.ok(1, safe, "execute", &[number(payment)]);
    s.fails(1, safe, "execute", &[number(payment)]);

    let agree = |s: &mut Scene<S>, to: [u8; 20], value: u128, data: &[u8]| {
        let id = propose(s, to, value, data);
        for owner in [1, 2] {
            s.ok(owner, safe, "confirm", &[number(id)]);
        }
        s.send(0, safe.address, 0, safe, "execute", &[number(id)]).succeeded
    };
    assert!(agree(s, token.address, 0, &token.data("transfer", &[address(ACCOUNTS[1]), number(900)])));
    assert!(!agree(s, token.address, 0, &token.data("transfer", &[address(ACCOUNTS[1]), number(1)])));
    assert!(!agree(s, ACCOUNTS[2], 801, &[]), "more than it has");
    assert!(agree(s, safe.address, 0, &safe.data("changeRequired", &[number(3)])));
    s.fails(0, safe, "changeRequired", &[number(1)]);
    assert!(!agree(s, ACCOUNTS[2], 800, &[]), "two are no longer enough");
    s.ok(0, safe, "proposals", &[number(payment)]);
}

/// An operation before it is signed.
struct Draft {
    sender: [u8; 20],
    nonce: u128,
    init: Vec<u8>,
    call: Vec<u8>,
    fee: u128,
    paymaster: [u8; 20],
}

impl Draft {
    fn value(&self, signature: &[u8]) -> Value {
        Value::List(vec![
            address(self.sender),
            number(self.nonce),
            bytes(&self.init),
            bytes(&self.call),
            number(self.fee),
            address(self.paymaster),
            bytes(signature),
        ])
    }

    /// Signed by the wallet of a number, over the hash that the entry point says.
    fn signed(&self, s: &mut Scene<Chains>, entry: Deployed, wallet: usize) -> Value {
        let hash = s.ok(3, entry, "hashOf", &[self.value(&[])]);
        let prefixed = Keccak256::new()
            .chain_update("\x19Ethereum Signed Message:\n32")
            .chain_update(hash.to_be_bytes())
            .finalize();
        self.value(&Wallet::new(wallet).sign_digest(prefixed.into()))
    }
}

fn handle(s: &mut Scene<Chains>, entry: Deployed, ops: Vec<Value>) -> Reply {
    s.send(3, entry.address, 0, entry, "handle", &[Value::List(ops), address([0xbe; 20])])
}

/// How many operations an event of the entry point says were carried out, and how many failed.
fn handled(logs: &[Log]) -> (usize, usize) {
    let topic = |text: &str| Word::from_be_bytes(Keccak256::digest(text).into());
    let with = |topic: Word| logs.iter().filter(move |log| log.topics.first() == Some(&topic)).count();
    (with(topic("Handled(bytes32,address,address,bool,uint256)")), with(topic("Failed(bytes32,bytes)")))
}

/// Where a factory makes an account: `create2` over its creation code and arguments.
fn address_of(s: &Scene<Chains>, factory: Deployed, entry: Deployed, owner: usize, salt: u128) -> [u8; 20] {
    let hash = s.deploy_hash("Account").to_be_bytes();
    let arguments = [entry.address, ACCOUNTS[owner]].map(|address| address_word(address).to_be_bytes());
    let code = [hash, arguments[0], arguments[1]].concat();
    contract_address_salted(factory.address, Word::from(salt), &code)
}

/// Accounts made on the way, operations in one transaction, and every reason for which an entry point refuses one.
pub fn accounts_validate_operations_of_an_entry_point(s: &mut Scene<Chains>) {
    let entry = s.deploy("EntryPoint", &[], 0);
    let factory = s.deploy("AccountFactory", &[address(entry.address)], 0);
    let token = s.deploy("SoladyErc20", &[number(1000)], 0);
    let account = Deployed::at(address_of(s, factory, entry, 2, 9), "Account");
    let pay = account.data("execute", &[address(ACCOUNTS[0]), number(77), bytes(&[])]);
    let draft = |nonce, call: &[u8]| Draft {
        sender: account.address,
        nonce,
        init: Vec::new(),
        call: call.to_vec(),
        fee: 100,
        paymaster: [0; 20],
    };
    let make = |owner: usize| {
        let call = factory.data("make", &[address(ACCOUNTS[owner]), number(9)]);
        [&factory.address[..], &call].concat()
    };
    assert!(s.pay(0, account.address, 10_000), "there is no code yet to refuse it");
    let missing = draft(0, &pay).signed(s, entry, 2);
    assert!(!handle(s, entry, vec![missing]).succeeded, "no account");
    let other = Draft { init: make(1), ..draft(0, &pay) }.signed(s, entry, 2);
    assert!(!handle(s, entry, vec![other]).succeeded, "the factory makes another account");
    let first = Draft { init: make(2), ..draft(0, &pay) }.signed(s, entry, 2);
    let wrong = Draft { init: make(2), ..draft(0, &pay) }.signed(s, entry, 1);
    assert!(!handle(s, entry, vec![wrong]).succeeded, "another's signature");
    let reply = handle(s, entry, vec![first.clone()]);
    assert_eq!((reply.succeeded, handled(&reply.logs)), (true, (1, 0)));
    assert!(!handle(s, entry, vec![first]).succeeded, "it is made already");

    let again = draft(0, &pay).signed(s, entry, 2);
    assert!(!handle(s, entry, vec![again]).succeeded, "the nonce is used");
    let dear = Draft { fee: 1 << 80, ..draft(1, &pay) }.signed(s, entry, 2);
    assert!(!handle(s, entry, vec![dear]).succeeded, "it cannot pay");

    // A call that fails is paid for all the same, and what follows is carried out.
    let fails = account.data("execute", &[address(ACCOUNTS[0]), number(1 << 70), bytes(&[])]);
    let ops = vec![draft(1, &fails).signed(s, entry, 2), draft(2, &pay).signed(s, entry, 2)];
    let reply = handle(s, entry, ops);
    assert_eq!((reply.succeeded, handled(&reply.logs)), (true, (2, 1)));

    // Paid from a deposit; two transfers, of which the second is too much once.
    s.send(0, entry.address, 5000, entry, "depositTo", &[address(account.address)]);
    s.ok(0, token, "transfer", &[address(account.address), number(500)]);
    let transfers = |first: u128, second: u128| {
        let one = |amount| bytes(&token.data("transfer", &[address(ACCOUNTS[3]), number(amount)]));
        let to = Value::List(vec![address(token.address), address(token.address)]);
        account.data("executeBatch", &[to, Value::List(vec![one(first), one(second)])])
    };
    for (nonce, second, failed) in [(3, 301, 1), (4, 300, 0)] {
        let call = transfers(200, second);
        let op = draft(nonce, &call).signed(s, entry, 2);
        let reply = handle(s, entry, vec![op]);
        assert_eq!((reply.succeeded, handled(&reply.logs)), (true, (1, failed)));
    }

    // The account changes its owner by an operation.
    let owner = account.data("setOwner", &[address(ACCOUNTS[0])]);
    let call = account.data("execute", &[address(account.address), number(0), bytes(&owner)]);
    let op = draft(5, &call).signed(s, entry, 2);
    assert!(handle(s, entry, vec![op]).succeeded);
    let late = draft(6, &call).signed(s, entry, 2);
    assert!(!handle(s, entry, vec![late]).succeeded, "no longer the owner");
    s.fails(2, account, "execute", &[address(ACCOUNTS[1]), number(1), bytes(&[])]);
    s.ok(0, account, "execute", &[address(ACCOUNTS[1]), number(5), bytes(&[])]);
}

/// A paymaster that pays for whom it has on its list, as often as the list says.
pub fn a_paymaster_pays_for_accounts(s: &mut Scene<Chains>) {
    let entry = s.deploy("EntryPoint", &[], 0);
    let account = s.deploy("Account", &[address(entry.address), address(ACCOUNTS[1])], 0);
    let paymaster = s.deploy("Paymaster", &[address(entry.address)], 1000);
    let receiver = s.deploy("Receiver", &[], 0);
    let call = account.data("execute", &[address(receiver.address), number(0), bytes(b"hello, receiver")]);
    let fails = account.data("execute", &[address(receiver.address), number(1), bytes(&[])]);
    let op = |s: &mut Scene<Chains>, nonce, call: &[u8], fee| {
        let (sender, paymaster, call) = (account.address, paymaster.address, call.to_vec());
        Draft { sender, nonce, init: Vec::new(), call, fee, paymaster }.signed(s, entry, 1)
    };
    let early = op(s, 0, &call, 300);
    assert!(!handle(s, entry, vec![early]).succeeded, "not on the list");
    s.ok(2, paymaster, "allow", &[address(account.address), number(3)]);
    let ops = vec![op(s, 0, &call, 300), op(s, 1, &fails, 300)];
    let reply = handle(s, entry, ops);
    assert_eq!((reply.succeeded, handled(&reply.logs)), (true, (2, 1)));
    let dear = op(s, 2, &call, 401);
    assert!(!handle(s, entry, vec![dear]).succeeded, "the deposit is spent");
    let last = op(s, 2, &call, 400);
    assert!(handle(s, entry, vec![last]).succeeded);
    let free = op(s, 3, &call, 0);
    assert!(!handle(s, entry, vec![free]).succeeded, "the list is used up");
    assert_eq!(s.ok(0, paymaster, "succeeded", &[]), Word::from(2));
    assert_eq!(s.ok(0, paymaster, "failed", &[]), Word::from(1));
}
