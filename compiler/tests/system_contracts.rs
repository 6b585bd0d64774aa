//! The system's contracts (`vm/kernel/system`), compiled by `lathec` and run on the machine at their
//! addresses, each run traced and its trace checked: what they do, what they refuse, and what they log.
use lathe_compiler::compile::{Contract, Options, compile};
use lathe_oracle::abi::{Type, Value, encode, selector};
use lathe_oracle::draw::address_word;
use lathe_oracle::solc;
use lathe_vm::sandbox::{Answer, Log, Message, Sandbox, Status, contract_address_salted};
use lathe_vm::system;
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use serde_json::json;
use sha3::{Digest, Keccak256};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const ALICE: [u8; 20] = [0xa1; 20];
const BOB: [u8; 20] = [0xb0; 20];
const PROBE: [u8; 20] = [0xc0; 20];

const SYSTEM: [(&str, [u8; 20]); 6] = [
    ("BaseToken", system::BASE_TOKEN),
    ("Nonces", system::NONCES),
    ("Deployer", system::DEPLOYER),
    ("KnownCode", system::KNOWN_CODE),
    ("Messenger", system::MESSENGER),
    ("BlockContext", system::BLOCK_CONTEXT),
];

/// Every contract of the system's folder and of the probes', by name.
static CONTRACTS: LazyLock<BTreeMap<String, Contract>> = LazyLock::new(|| {
    let folders =
        [("vm/kernel/system", ""), ("vm/kernel/system/lib", "lib/"), ("compiler/tests/system_contracts", "")];
    let mut sources = BTreeMap::new();
    for (folder, prefix) in folders {
        for entry in std::fs::read_dir(solc::root().join(folder)).expect("it is there") {
            let path = entry.expect("it can be read").path();
            if path.extension().is_some_and(|ending| ending == "sol") {
                let name = path.file_name().expect("it has one").to_string_lossy();
                let text = std::fs::read_to_string(&path).expect("it can be read");
                sources.insert(format!("{prefix}{name}"), text);
            }
        }
    }
    let output = solc::solidity(sources, &solc::root(), &json!({})).unwrap_or_else(|error| panic!("{error}"));
    let files = output["contracts"].as_object().expect("solc answers").values();
    let contracts = files.flat_map(|file| file.as_object().expect("solc answers"));
    contracts
        .filter_map(|(name, contract)| {
            let yul = contract["irOptimized"].as_str().filter(|text| !text.is_empty())?;
            let pages = compile(yul, &Options::default());
            Some((name.clone(), pages.unwrap_or_else(|errors| panic!("{name}: {errors:?}"))))
        })
        .collect()
});

fn runtime(name: &str) -> Page {
    let part = CONTRACTS[name].runtime.as_ref().expect("it has runtime code");
    part.page().expect("a page of the compiler is valid")
}

fn deploy_page(name: &str) -> Page {
    CONTRACTS[name].deploy.page().expect("a page of the compiler is valid")
}

/// All of the system, a probe, and wei for Alice and Bob.
fn world() -> Sandbox {
    let mut s = Sandbox::new();
    s.traced = true;
    for (name, address) in SYSTEM {
        s.install(address, runtime(name));
    }
    s.install(PROBE, runtime("Probe"));
    s.set_balance(ALICE, num(1_000_000));
    s.set_balance(BOB, num(1_000_000));
    s
}

fn num(x: u128) -> Word {
    Word::from(x)
}

fn hash(bytes: &[u8]) -> Word {
    Word::from_be_bytes(Keccak256::digest(bytes).into())
}

fn words(words: &[Word]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

/// Calldata of a function of words.
fn ask(signature: &str, arguments: &[Word]) -> Vec<u8> {
    [&selector(signature)[..], &words(arguments)].concat()
}

/// Calldata of a function of words and, as the last, bytes.
fn ask_bytes(signature: &str, arguments: &[Word], bytes: &[u8]) -> Vec<u8> {
    let types: Vec<Type> = arguments.iter().map(|_| Type::Uint(256)).chain([Type::Bytes]).collect();
    let values = arguments.iter().map(|w| Value::Word(*w)).chain([Value::Bytes(bytes.to_vec())]);
    [&selector(signature)[..], &encode(&types, &values.collect::<Vec<_>>())].concat()
}

fn send(s: &mut Sandbox, from: [u8; 20], to: [u8; 20], value: u128, data: &[u8]) -> Answer {
    s.call(&Message { from, to, value: num(value), data }).expect("it stays within every limit")
}

/// A call that succeeds.
fn done(s: &mut Sandbox, from: [u8; 20], to: [u8; 20], value: u128, data: &[u8]) -> Answer {
    let answer = send(s, from, to, value, data);
    assert_eq!(answer.status, Status::Success, "0x{}", hex::encode(&answer.output));
    answer
}

/// The first word that a call without wei hands back.
fn word(s: &mut Sandbox, from: [u8; 20], to: [u8; 20], data: &[u8]) -> Word {
    Word::from_first_bytes(&done(s, from, to, 0, data).output).expect("it hands back a word")
}

/// A call that reverts with this error.
fn refused(s: &mut Sandbox, call: (Sender, u128, &[u8]), signature: &str, arguments: &[Word]) {
    let (Sender(from, to), value, data) = call;
    let answer = send(s, from, to, value, data);
    assert_eq!(answer.status, Status::Reverted, "{signature}");
    assert_eq!(hex::encode(&answer.output), hex::encode(ask(signature, arguments)), "{signature}");
}

/// From whom to whom.
struct Sender([u8; 20], [u8; 20]);

/// Calldata that lets the probe run the code of another.
fn borrowed(code: [u8; 20], data: &[u8]) -> Vec<u8> {
    ask_bytes("borrow(address,bytes)", &[address_word(code)], data)
}

fn event(address: [u8; 20], signature: &str, indexed: &[Word], data: Vec<u8>) -> Log {
    let topics = [&[hash(signature.as_bytes())], indexed].concat();
    Log { address, topics, data }
}

fn leaf(number: u128, sender: [u8; 20], data: &[u8]) -> Word {
    hash(&words(&[num(number), address_word(sender), hash(data)]))
}

fn message_event(sender: [u8; 20], number: u128, data: &[u8]) -> Log {
    let indexed = [address_word(sender), num(number), leaf(number, sender, data)];
    let data = encode(&[Type::Bytes], &[Value::Bytes(data.to_vec())]);
    event(system::MESSENGER, "L1Message(address,uint256,bytes32,bytes)", &indexed, data)
}

#[test]
fn the_base_token_shows_balances() {
    let mut s = world();
    let token = system::BASE_TOKEN;
    let balance = ask("balanceOf(address)", &[address_word(BOB)]);
    assert_eq!(word(&mut s, ALICE, token, &balance), num(1_000_000));
    assert_eq!(word(&mut s, ALICE, token, &ask("decimals()", &[])), num(18));
    for (function, text) in [("name()", "Ether"), ("symbol()", "ETH")] {
        let want = encode(&[Type::String], &[Value::Bytes(text.into())]);
        assert_eq!(done(&mut s, ALICE, token, 0, &ask(function, &[])).output, want);
    }
}

#[test]
fn a_withdrawal_burns_and_tells_l1() {
    let mut s = world();
    let token = system::BASE_TOKEN;
    // What was sent to the contract by other ways is not burnt with it.
    s.set_balance(token, num(7));
    let answer = done(&mut s, ALICE, token, 500, &ask("withdraw(address)", &[address_word(BOB)]));
    let tag = selector("withdrawal(address,uint256)");
    let data = [&tag[..], &BOB, &num(500).to_be_bytes()].concat();
    let leaf = leaf(0, token, &data);
    assert_eq!((s.balance(ALICE), s.balance(token), s.balance(BOB)), (num(999_500), num(7), num(1_000_000)));
    assert_eq!(answer.output, words(&[leaf]));
    let indexed = [address_word(ALICE), address_word(BOB), leaf];
    let withdrawal =
        event(token, "Withdrawal(address,address,uint256,bytes32)", &indexed, words(&[num(500)]));
    assert_eq!(answer.logs, [message_event(token, 0, &data), withdrawal]);
}

#[test]
fn a_withdrawal_that_fails_burns_nothing() {
    let mut s = world();
    let token = system::BASE_TOKEN;
    let way = || Sender(ALICE, token);
    let withdraw = ask("withdraw(address)", &[address_word(BOB)]);
    refused(&mut s, (way(), 0, &withdraw), "NothingToWithdraw()", &[]);
    refused(&mut s, (way(), 5, &ask("withdraw(address)", &[num(0)])), "NoReceiver()", &[]);
    assert_eq!(send(&mut s, ALICE, token, 5, &[]).status, Status::Reverted);
    assert_eq!(send(&mut s, ALICE, token, 5, &ask("balanceOf(address)", &[num(0)])).status, Status::Reverted);
    // There is no mint.
    let mint = ask("mint(address,uint256)", &[address_word(ALICE), num(5)]);
    assert_eq!(send(&mut s, system::KERNEL, token, 0, &mint).status, Status::Reverted);
    // 1024 messages wait already.
    s.set_storage(system::MESSENGER, num(0), Word::new(1024, 1024));
    refused(&mut s, (way(), 5, &withdraw), "TooManyMessages(uint256)", &[num(1024)]);
    assert_eq!((s.balance(ALICE), s.balance(token)), (num(1_000_000), num(0)));
    // Its code at another address.
    let data = borrowed(token, &withdraw);
    refused(&mut s, (Sender(ALICE, PROBE), 5, &data), "NoSystemContract(address)", &[address_word(PROBE)]);
}

#[test]
fn a_nonce_is_raised_by_its_owner() {
    let mut s = world();
    let nonces = system::NONCES;
    s.set_nonce(BOB, 7);
    let of = |account| ask("nonceOf(address)", &[address_word(account)]);
    assert_eq!(word(&mut s, ALICE, nonces, &of(BOB)), num(7));
    assert_eq!(word(&mut s, ALICE, nonces, &of([9; 20])), num(0));
    // The transaction itself has nonce 7.
    let answer = done(&mut s, BOB, nonces, 0, &ask("raiseTo(uint64)", &[num(100)]));
    let raised = "NonceRaised(address,uint256,uint256)";
    assert_eq!(answer.logs, [event(nonces, raised, &[address_word(BOB)], words(&[num(8), num(100)]))]);
    assert_eq!(s.nonce(BOB), 100);
    let far = 101 + (1 << 32);
    done(&mut s, BOB, nonces, 0, &ask("raiseTo(uint64)", &[num(far)]));
    assert_eq!(u128::from(s.nonce(BOB)), far);
}

#[test]
fn a_nonce_goes_up_by_bounded_steps() {
    let mut s = world();
    let nonces = system::NONCES;
    let out = "NonceOutOfRange(uint256,uint256)";
    let raise = |nonce: u128| ask("raiseTo(uint64)", &[num(nonce)]);
    for nonce in [0, 10, 11, 12 + (1 << 32), (1 << 64) - 1] {
        s.set_nonce(BOB, 10);
        refused(&mut s, (Sender(BOB, nonces), 0, &raise(nonce)), out, &[num(11), num(nonce)]);
        assert_eq!(s.nonce(BOB), 11);
    }
    s.set_nonce(BOB, (1 << 63) - 2);
    done(&mut s, BOB, nonces, 0, &raise(1 << 63));
    let current = num(1 + (1 << 63));
    refused(&mut s, (Sender(BOB, nonces), 0, &raise(2 + (1 << 63))), out, &[current, num(2 + (1 << 63))]);
    assert_eq!(send(&mut s, BOB, nonces, 0, &raise(1 << 64)).status, Status::Reverted);
    assert_eq!(send(&mut s, BOB, nonces, 1, &raise(1 << 63)).status, Status::Reverted);
}

#[test]
fn nobody_else_moves_a_nonce() {
    let mut s = world();
    let raise = ask("raiseTo(uint64)", &[num(50)]);
    let data = borrowed(system::NONCES, &raise);
    let here = [address_word(PROBE)];
    refused(&mut s, (Sender(ALICE, PROBE), 0, &data), "NoSystemContract(address)", &here);
    // A static call changes nothing: the contract halts, with nothing to say.
    let data = ask_bytes("look(address,bytes)", &[address_word(system::NONCES)], &raise);
    let answer = send(&mut s, ALICE, PROBE, 0, &data);
    assert_eq!((answer.status, answer.output.len()), (Status::Reverted, 0));
    assert_eq!((s.nonce(ALICE), s.nonce(PROBE)), (2, 1));
}

fn creation(argument: u128) -> Vec<u8> {
    words(&[deploy_page("Child").hash_word(), num(argument)])
}

fn child_address(sender: [u8; 20], salt: Word, code: &[u8]) -> [u8; 20] {
    contract_address_salted(system::DEPLOYER, hash(&words(&[address_word(sender), salt])), code)
}

fn deploy(salt: Word, code: &[u8]) -> Vec<u8> {
    ask_bytes("deploy(bytes32,bytes)", &[salt], code)
}

#[test]
fn the_deployer_creates_where_it_says() {
    let mut s = world();
    s.add_code(runtime("Child"));
    s.add_code(deploy_page("Child"));
    let (code, deployer) = (creation(8), system::DEPLOYER);
    let mut seen = Vec::new();
    for (sender, salt) in [(ALICE, num(1)), (ALICE, num(2)), (BOB, num(1))] {
        let at = child_address(sender, salt, &code);
        let of = ask_bytes("addressOf(address,bytes32,bytes)", &[address_word(sender), salt], &code);
        assert_eq!(word(&mut s, BOB, deployer, &of), address_word(at));
        // Whatever else the sender has done.
        s.set_nonce(sender, 77);
        let answer = done(&mut s, sender, deployer, 30, &deploy(salt, &code));
        assert_eq!(answer.output, words(&[address_word(at)]));
        let indexed = [address_word(sender), salt, address_word(at)];
        assert_eq!(answer.logs, [event(deployer, "Deployed(address,bytes32,address)", &indexed, vec![])]);
        assert_eq!((s.balance(at), s.nonce(at)), (num(30), 1));
        let read = |s: &mut Sandbox, function| word(s, BOB, at, &ask(function, &[]));
        assert_eq!(read(&mut s, "creator()"), address_word(deployer));
        assert_eq!((read(&mut s, "number()"), read(&mut s, "wei_()")), (num(8), num(30)));
        seen.push(at);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

#[test]
fn a_deployment_that_fails_says_why() {
    let mut s = world();
    let failed = "DeploymentFailed(address)";
    let way = || Sender(ALICE, system::DEPLOYER);
    let wanted = |code: &[u8]| [address_word(child_address(ALICE, num(1), code))];
    // No page is known, and none can be named by fewer than 32 bytes.
    for code in [&creation(8)[..], &creation(8)[..31], &[]] {
        refused(&mut s, (way(), 5, &deploy(num(1), code)), failed, &wanted(code));
    }
    // The deploy page is known, the runtime page is not.
    s.add_code(deploy_page("Child"));
    refused(&mut s, (way(), 5, &deploy(num(1), &creation(8))), failed, &wanted(&creation(8)));
    s.add_code(runtime("Child"));
    refused(&mut s, (way(), 5, &deploy(num(1), &creation(7))), "Odd(uint256)", &[num(7)]);
    refused(&mut s, (way(), 5, &deploy(num(1), &creation(4))), failed, &wanted(&creation(4)));
    assert_eq!((s.balance(ALICE), s.nonce(system::DEPLOYER)), (num(1_000_000), 1));
    done(&mut s, ALICE, system::DEPLOYER, 0, &deploy(num(1), &creation(8)));
    refused(&mut s, (way(), 5, &deploy(num(1), &creation(8))), failed, &wanted(&creation(8)));
}

fn publish(page: &[u8]) -> Vec<u8> {
    ask_bytes("publish(bytes)", &[], page)
}

#[test]
fn published_pages_are_known_and_make_contracts() {
    let mut s = world();
    let registry = system::KNOWN_CODE;
    for page in [runtime("Child"), deploy_page("Child")] {
        let (hash, length) = (page.hash_word(), num(page.words.len() as u128));
        let known = ask("isKnown(bytes32)", &[hash]);
        let length_of = ask("lengthOf(bytes32)", &[hash]);
        assert_eq!(word(&mut s, BOB, registry, &known), num(0));
        assert_eq!(word(&mut s, BOB, registry, &length_of), num(0));
        let answer = done(&mut s, ALICE, registry, 0, &publish(&page.to_bytes()));
        assert_eq!(answer.output, words(&[hash]));
        assert_eq!(answer.logs, [event(registry, "Published(bytes32,uint256)", &[hash], words(&[length]))]);
        assert_eq!(word(&mut s, BOB, registry, &known), num(1));
        assert_eq!(word(&mut s, BOB, registry, &length_of), length);
        // Once more changes nothing and says nothing.
        let again = done(&mut s, BOB, registry, 0, &publish(&page.to_bytes()));
        assert_eq!((again.output, again.logs), (words(&[hash]), vec![]));
    }
    let answer = done(&mut s, ALICE, system::DEPLOYER, 0, &deploy(num(3), &creation(8)));
    assert_eq!(answer.output, words(&[address_word(child_address(ALICE, num(3), &creation(8)))]));
}

#[test]
fn what_is_no_page_is_not_published() {
    let mut s = world();
    let page = runtime("Child").to_bytes();
    for length in [0, 1, 95, 97, 192 + 8] {
        let data = publish(&page[..length]);
        let way = Sender(ALICE, system::KNOWN_CODE);
        refused(&mut s, (way, 0, &data), "NotAPage(uint256)", &[num(length as u128)]);
    }
    s.traced = false;
    let longest = vec![1; 8 * 12 * 1365];
    assert_eq!(done(&mut s, ALICE, system::KNOWN_CODE, 0, &publish(&longest)).logs.len(), 1);
    let longer = vec![1; 8 * 12 * 1366];
    let way = || Sender(ALICE, system::KNOWN_CODE);
    refused(&mut s, (way(), 0, &publish(&longer)), "NotAPage(uint256)", &[num(longer.len() as u128)]);
    // The code elsewhere gets no answer, whatever it is given.
    let data = borrowed(system::KNOWN_CODE, &publish(&page));
    let way = Sender(ALICE, PROBE);
    refused(&mut s, (way, 0, &data), "NotAPage(uint256)", &[num(page.len() as u128)]);
    let data = borrowed(system::KNOWN_CODE, &ask("isKnown(bytes32)", &[num(1)]));
    let here = [address_word(PROBE)];
    refused(&mut s, (Sender(ALICE, PROBE), 0, &data), "NoSystemContract(address)", &here);
}

/// The root as the messenger's description has it.
fn root(leaves: &[Word]) -> Word {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level.chunks(2).map(|c| hash(&words(&[c[0], *c.get(1).unwrap_or(&Word::ZERO)]))).collect();
    }
    level.first().copied().unwrap_or_default()
}

fn close(s: &mut Sandbox) -> Word {
    word(s, system::KERNEL, system::MESSENGER, &ask("closeBatch()", &[]))
}

#[test]
fn messages_are_leaves_of_their_batch() {
    let mut s = world();
    let messenger = system::MESSENGER;
    let mut sent = 0;
    assert_eq!(close(&mut s), num(0));
    for batch in [1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 0, 1] {
        let mut leaves = Vec::new();
        for i in 0..batch {
            let (from, data) = if i % 2 == 0 { (ALICE, vec![5; i]) } else { (BOB, vec![7; 40]) };
            let answer = done(&mut s, from, messenger, 0, &ask_bytes("sendToL1(bytes)", &[], &data));
            assert_eq!(answer.output, words(&[leaf(sent, from, &data)]));
            assert_eq!(answer.logs, [message_event(from, sent, &data)]);
            leaves.push(leaf(sent, from, &data));
            sent += 1;
        }
        assert_eq!(word(&mut s, BOB, messenger, &ask("pending()", &[])), num(batch as u128));
        assert_eq!(word(&mut s, BOB, messenger, &ask("sent()", &[])), num(sent));
        assert_eq!(close(&mut s), root(&leaves), "{batch} messages");
        assert_eq!(close(&mut s), num(0));
    }
}

/// The same root as in `contracts/test/L2Messages.t.sol`.
#[test]
fn the_root_is_what_l1_expects() {
    let mut s = world();
    for i in 0..3 {
        let mut from = [0; 20];
        from[19] = 0xa0 + i;
        done(&mut s, from, system::MESSENGER, 0, &ask_bytes("sendToL1(bytes)", &[], b"message"));
    }
    let root = hex::encode(close(&mut s).to_be_bytes());
    assert_eq!(root, "31829f5bc36348e8ac12d91d24497f29c73a3df7e101d274f46cdf249abd9061");
}

#[test]
fn a_batch_has_a_bounded_number_of_messages() {
    let mut s = world();
    s.traced = false;
    let message = ask_bytes("sendToL1(bytes)", &[], b"again");
    for i in 0..1024 {
        let answer = done(&mut s, ALICE, system::MESSENGER, 0, &message);
        assert_eq!(answer.output, words(&[leaf(i, ALICE, b"again")]));
    }
    let way = || Sender(ALICE, system::MESSENGER);
    refused(&mut s, (way(), 0, &message), "TooManyMessages(uint256)", &[num(1024)]);
    let leaves: Vec<Word> = (0..1024).map(|i| leaf(i, ALICE, b"again")).collect();
    assert_eq!(close(&mut s), root(&leaves));
    let answer = done(&mut s, ALICE, system::MESSENGER, 0, &message);
    assert_eq!(answer.output, words(&[leaf(1024, ALICE, b"again")]));
    assert_eq!(close(&mut s), leaf(1024, ALICE, b"again"));
}

#[test]
fn only_the_kernel_closes_a_batch() {
    let mut s = world();
    s.set_balance(system::KERNEL, num(1));
    let callers = [ALICE, PROBE, system::BASE_TOKEN, system::MESSENGER];
    for (address, data) in [
        (system::MESSENGER, ask("closeBatch()", &[])),
        (system::BLOCK_CONTEXT, ask("closeBatch(bytes32)", &[num(5)])),
    ] {
        for from in callers {
            refused(&mut s, (Sender(from, address), 0, &data), "NotKernel(address)", &[address_word(from)]);
        }
        assert_eq!(send(&mut s, system::KERNEL, address, 1, &data).status, Status::Reverted);
    }
}

#[test]
fn a_batch_without_messages_costs_a_handful_of_steps() {
    let mut s = world();
    let steps = |s: &mut Sandbox| {
        let answer = done(s, system::KERNEL, system::MESSENGER, 0, &ask("closeBatch()", &[]));
        answer.steps
    };
    let empty = steps(&mut s);
    assert!(empty <= 40, "{empty} steps");
    let message = ask_bytes("sendToL1(bytes)", &[], b"once");
    let mut full = Vec::new();
    for batch in [1, 8, 64] {
        for _ in 0..batch {
            done(&mut s, ALICE, system::MESSENGER, 0, &message);
        }
        full.push(steps(&mut s));
    }
    // What a message costs at the end of its batch.
    assert!((full[2] - full[1]) / 56 <= 60, "{full:?} steps");
}

#[test]
fn the_block_context_is_that_of_the_block() {
    let mut s = world();
    let environment = &mut s.environment;
    (environment.number, environment.timestamp, environment.gas_limit) = (9, 1_700_000_000, 25_000_000);
    (environment.base_fee, environment.chain_id) = (num(12), 4207);
    let values = [
        ("number()", 9),
        ("timestamp()", 1_700_000_000),
        ("gasLimit()", 25_000_000),
        ("baseFee()", 12),
        ("chainId()", 4207),
    ];
    for (function, value) in values {
        assert_eq!(word(&mut s, ALICE, system::BLOCK_CONTEXT, &ask(function, &[])), num(value), "{function}");
    }
}

#[test]
fn the_data_hashes_of_256_batches_are_remembered() {
    let mut s = world();
    s.traced = false;
    let context = system::BLOCK_CONTEXT;
    let of = |number: u64| hash(&number.to_be_bytes());
    for number in 0..600 {
        s.environment.number = number;
        if [0, 1, 255, 256, 257, 599].contains(&number) {
            for batch in 0..number + 3 {
                let known = batch < number && batch + 256 >= number;
                let answer =
                    word(&mut s, ALICE, context, &ask("batchDataHash(uint256)", &[num(batch.into())]));
                assert_eq!(answer, if known { of(batch) } else { num(0) }, "{batch} in {number}");
            }
            let max = Word::new(u128::MAX, u128::MAX);
            assert_eq!(word(&mut s, ALICE, context, &ask("batchDataHash(uint256)", &[max])), num(0));
        }
        let close = ask("closeBatch(bytes32)", &[of(number)]);
        assert!(done(&mut s, system::KERNEL, context, 0, &close).output.is_empty());
    }
}
