//! Every contract of the corpus does on Lathe's machine what it does on the EVM: drawn sequences of calls end the same way,
//! with the same data, logs, balance and storage. `PROPTEST_CASES` draws more of them.
use lathe_compiler::compile::Level;
use lathe_oracle::corpus::{self, CORPUS, Runs};
use lathe_oracle::draw::{ACCOUNTS, Call, Draw};
use lathe_oracle::evm::Status;
use lathe_oracle::twin::{Trouble, Twin};
use lathe_oracle::world::World;
use lathe_vm::word::Word;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use std::cell::Cell;

/// Sequences for each contract where nothing else is said.
const CASES: u32 = 100;

/// What a contract's sequences came to.
#[derive(Default)]
struct Tally {
    calls: Cell<u32>,
    successes: Cell<u32>,
    given_up: Cell<u32>,
}

fn count(counter: &Cell<u32>) {
    counter.set(counter.get() + 1);
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES)
}

fn shown(call: &Call) -> String {
    format!(
        "{} from 0x{} with {} wei: 0x{}",
        call.name,
        hex::encode(call.from),
        call.value.lo,
        hex::encode(&call.data)
    )
}

/// One sequence: a deployment with drawn arguments, then drawn calls.
fn sequence(name: &str, level: Level, seed: u64, calls: &[u64], tally: &Tally) -> Result<(), String> {
    let (contract, pages) = corpus::built(name, level)?;
    let mut draw = Draw::new(seed);
    let arguments = draw.constructor(&contract.abi);
    let value = if draw.once_in(8) { Word::from(5) } else { Word::ZERO };
    let mut world = match name {
        "Libraries" => corpus::world_with_libraries(level)?,
        _ => World::new(),
    };
    let deployed = contract.deploy(&mut world, ACCOUNTS[0], &pages, &arguments, value);
    let (_, address) = deployed.map_err(|trouble| {
        format!(
            "{name} at {level:?}, deployed with {} wei and 0x{}:\n{trouble}",
            value.lo,
            hex::encode(&arguments)
        )
    })?;
    let Some(address) = address else { return Ok(()) };
    let mut twin = Twin { world, address };
    let functions = contract.functions();
    let mut history = Vec::new();
    for seed in calls {
        let call = Draw::new(*seed).call(&functions);
        history.push(shown(&call));
        match twin.call(&call) {
            Ok(agreed) => {
                count(&tally.calls);
                if agreed.evm.status == Status::Success {
                    count(&tally.successes);
                }
            }
            // The states go apart, rightly; what was agreed until here counts.
            Err(Trouble::OutOfResources(_)) => {
                count(&tally.given_up);
                return Ok(());
            }
            Err(Trouble::Different(text)) => {
                let arguments = hex::encode(&arguments);
                let history = history.join("\n  ");
                return Err(format!(
                    "{name} at {level:?}, deployed with {} wei and 0x{arguments}:\n  {history}\n{text}",
                    value.lo
                ));
            }
        }
    }
    Ok(())
}

/// Draws sequences and shrinks one that fails to the calls that matter.
fn sequences(name: &str, level: Level, cases: u32) -> Tally {
    let tally = Tally::default();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let calls = prop::collection::vec(any::<u64>().no_shrink(), 1..12);
    let result = TestRunner::new(config).run(&(any::<u64>().no_shrink(), calls), |(seed, calls)| {
        sequence(name, level, seed, &calls, &tally).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => tally,
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{name}: {error}"),
    }
}

/// A contract at the usual level and, with fewer sequences, for size.
fn check(name: &str) {
    let tally = sequences(name, Level::O3, cases());
    sequences(name, Level::Oz, cases().div_ceil(4));
    let (calls, successes, given_up) = (tally.calls.get(), tally.successes.get(), tally.given_up.get());
    assert!(successes * 20 > calls, "{name}: {successes} of {calls} calls succeeded: the draw tests nothing");
    assert!(given_up * 10 <= calls, "{name}: {given_up} of {calls} calls ran out of resources");
}

macro_rules! like_the_evm {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            check($name);
        })*

        const TESTED: &[&str] = &[$($name),*];
    };
}

like_the_evm! {
    token: "Token",
    arithmetic: "Arithmetic",
    structures: "Structures",
    strings: "Strings",
    immutables: "Immutables",
    libraries: "Libraries",
    assembly: "Assembly",
    transient: "Transient",
    errors: "Errors",
    receiver: "Receiver",
    closed: "Closed",
    events: "Events",
    inheritance: "Inheritance",
    left: "Left",
    codec: "Codec",
    pointers: "Pointers",
    bits: "Bits",
    loops: "Loops",
    environment: "Environment",
    child: "Child",
    factory: "Factory",
    pair: "Pair",
    pair_factory: "PairFactory",
    openzeppelin_erc20: "OzErc20",
    openzeppelin_erc20_full: "OzErc20Full",
    openzeppelin_erc721: "OzErc721",
    openzeppelin_erc1155: "OzErc1155",
    openzeppelin_access_control: "OzAccessControl",
    openzeppelin_upgradeable: "OzUpgradeable",
    solmate_erc20: "SolmateErc20",
    solmate_erc721: "SolmateErc721",
    solmate_erc1155: "SolmateErc1155",
    solmate_weth: "SolmateWeth",
    solady_erc20: "SoladyErc20",
    solady_erc721: "SoladyErc721",
    solady_erc1155: "SoladyErc1155",
    solady_vault: "SoladyVault",
    solady_libraries: "SoladyLibraries",
}

#[test]
fn every_contract_whose_calls_are_drawn_is_tested() {
    let runs = CORPUS.iter().filter(|entry| entry.runs != Runs::InScenarios);
    let missing: Vec<&str> = runs.map(|entry| entry.name).filter(|name| !TESTED.contains(name)).collect();
    assert!(missing.is_empty(), "no differential test of {missing:?}");
}

#[test]
fn another_contract_is_found_out() {
    let (token, _) = corpus::built("Token", Level::O3).unwrap_or_else(|message| panic!("{message}"));
    let (_, other) = corpus::built("SolmateErc20", Level::O3).unwrap_or_else(|message| panic!("{message}"));
    let arguments = Word::from(5).to_be_bytes();
    let outcome = Twin::deploy(&token.initcode, &other, &arguments, Word::ZERO);
    assert!(
        matches!(outcome, Err(Trouble::Different(_))),
        "one emits an event and stores a supply, the other does not"
    );
}

#[test]
fn every_contract_compiles() {
    for entry in CORPUS {
        if let Err(message) = corpus::built(entry.name, Level::O3) {
            panic!("{message}");
        }
    }
}
