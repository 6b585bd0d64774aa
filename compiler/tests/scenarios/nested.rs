//! Drawn programs for `corpus/Calls.sol`: calls of every kind within each other, creations, value, failures caught and
//! not, to the contract itself and back.
use super::{Deployed, Scene, address, bytes};
use lathe_compiler::compile::Level;
use lathe_oracle::draw::{ACCOUNTS, Call, Draw};
use lathe_oracle::world::Trouble;
use lathe_vm::sandbox::contract_address;
use lathe_vm::word::Word;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use sha3::{Digest, Keccak256};
use std::cell::Cell;

/// Drawn worlds where nothing else is said.
const CASES: u32 = 60;
/// Operations that only act, and those that run another program.
const PLAIN: [u8; 9] = [0, 1, 7, 8, 9, 10, 11, 12, 13];
const NESTING: [u8; 6] = [2, 3, 4, 5, 6, 14];

/// A program of a few instructions; inner ones become shorter.
fn program(draw: &mut Draw, depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..draw.below(4) + 1 {
        let nests = depth > 0 && !draw.once_in(3);
        let operation = if nests { *draw.pick(&NESTING) } else { *draw.pick(&PLAIN) };
        // Failures are rare, or nothing else would be seen.
        let operation = if (7..=9).contains(&operation) && !draw.once_in(3) { 0 } else { operation };
        let inner =
            if nests { program(draw, depth - 1) } else { draw.below(5).to_be_bytes()[8 - 3..].to_vec() };
        let inner = if inner.len() < 200 { inner } else { Vec::new() };
        let y = if draw.once_in(3) { draw.below(40) as u8 } else { 0 };
        out.extend([operation, draw.below(256) as u8, y, inner.len() as u8]);
        out.extend(inner);
    }
    out
}

/// The topic of `Came(bool,bytes)`.
fn came() -> Word {
    Word::from_be_bytes(Keccak256::digest("Came(bool,bytes)").into())
}

#[derive(Default)]
struct Tally {
    calls: Cell<u32>,
    successes: Cell<u32>,
    given_up: Cell<u32>,
    /// Logs of contracts that were created, and logs that tell of a failure caught.
    created: Cell<usize>,
    caught: Cell<usize>,
}

/// Two contracts that create, and one that does not, each with two of them as peers.
fn contracts(s: &mut Scene) -> [Deployed; 3] {
    let at = |nonce| address(contract_address(ACCOUNTS[0], nonce));
    [
        s.deploy("Nest", &[at(1), at(2), bytes(&[])], 1000),
        s.deploy("Nest", &[at(2), at(0), bytes(&[])], 1000),
        s.deploy("Leaf", &[at(0), at(1), bytes(&[])], 1000),
    ]
}

fn world(level: Level, seeds: &[u64], tally: &Tally) -> Result<(), String> {
    let mut s = Scene::new(level);
    let all = contracts(&mut s);
    let mut history = Vec::new();
    for seed in seeds {
        let mut draw = Draw::new(*seed);
        let to = *draw.pick(&all);
        let data = to.data("run", &[bytes(&program(&mut draw, 4))]);
        let call = Call {
            name: "run".into(),
            from: *draw.pick(&ACCOUNTS),
            value: Word::from(draw.below(50) as u128),
            data,
        };
        history.push(format!("0x{}: 0x{}", hex::encode(to.address), hex::encode(&call.data)));
        match s.world.call(to.address, &call) {
            Ok(agreed) => {
                tally.calls.set(tally.calls.get() + 1);
                tally.successes.set(tally.successes.get() + u32::from(agreed.succeeded()));
                let logs = &agreed.evm.logs;
                let created = logs.iter().filter(|log| all.iter().all(|c| c.address != log.address));
                let caught =
                    logs.iter().filter(|log| log.topics[0] == came() && log.data.starts_with(&[0; 32]));
                tally.created.set(tally.created.get() + created.count());
                tally.caught.set(tally.caught.get() + caught.count());
            }
            Err(Trouble::OutOfResources(_)) => {
                tally.given_up.set(tally.given_up.get() + 1);
                return Ok(());
            }
            Err(Trouble::Different(text)) => {
                return Err(format!("{level:?}:\n  {}\n{text}", history.join("\n  ")));
            }
        }
    }
    Ok(())
}

#[test]
fn nested_programs_end_alike() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for level in [Level::O3, Level::Oz] {
        let tally = Tally::default();
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
        let seeds = prop::collection::vec(any::<u64>().no_shrink(), 1..6);
        let result = TestRunner::new(config)
            .run(&seeds, |seeds| world(level, &seeds, &tally).map_err(TestCaseError::fail));
        match result {
            Ok(()) => {}
            Err(TestError::Fail(reason, _)) => panic!("{reason}"),
            Err(error) => panic!("{error}"),
        }
        let (calls, successes, given_up) = (tally.calls.get(), tally.successes.get(), tally.given_up.get());
        assert!(successes * 4 > calls && successes < calls, "{successes} of {calls} calls succeeded");
        let (created, caught) = (tally.created.get(), tally.caught.get());
        assert!(created * 10 > calls as usize, "{created} logs of created contracts in {calls} calls");
        assert!(caught * 10 > calls as usize, "{caught} failures caught in {calls} calls");
        assert!(given_up * 4 <= calls, "{given_up} of {calls} calls ran out of resources");
    }
}
