//! Drawn programs for `corpus/Calls.sol`: calls of every kind within each other, creations, value, failures caught and
//! not, to the contract itself and back.
use crate::draw::{ACCOUNTS, Draw};
use crate::evm::Log;
use crate::stage::{Deployed, Scene, Stage, address, bytes};
use crate::world::Trouble;
use lathe_compiler::compile::Level;
use lathe_vm::sandbox::contract_address;
use lathe_vm::word::Word;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use sha3::{Digest, Keccak256};
use std::cell::Cell;

/// Operations that only act.
const PLAIN: [u8; 9] = [0, 1, 7, 8, 9, 10, 11, 12, 13];
/// Those that run another program.
const NESTING: [u8; 6] = [2, 3, 4, 5, 6, 14];
const STATICCALL: u8 = 3;
/// Those that only read, or fail.
const READS: [u8; 4] = [13, 7, 8, 13];

/// What programs are drawn from.
pub struct Acts {
    /// Operations that only act; the first takes the place of most failures.
    pub plain: &'static [u8],
    /// How often a program that may not write is one that does, which takes all gas of its call: once in so many times.
    pub writes_in_static: usize,
}

/// For calls, where gas is no matter.
pub const OF_CALLS: Acts = Acts { plain: &PLAIN, writes_in_static: 1 };

/// A program of a few instructions; inner ones become shorter.
pub fn program(draw: &mut Draw, depth: usize, acts: &Acts) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..draw.below(4) + 1 {
        let nests = depth > 0 && !draw.once_in(3);
        let operation = if nests { *draw.pick(&NESTING) } else { *draw.pick(acts.plain) };
        // Failures are rare, or nothing else would be seen.
        let rare = (7..=9).contains(&operation) && !draw.once_in(3);
        let operation = if rare { acts.plain[0] } else { operation };
        let reads = operation == STATICCALL && !draw.once_in(acts.writes_in_static);
        let inner = match nests {
            true if reads => program(draw, 0, &Acts { plain: &READS, ..*acts }),
            true => program(draw, depth - 1, acts),
            false => draw.below(5).to_be_bytes()[8 - 3..].to_vec(),
        };
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

/// What drawn calls came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Calls made.
    pub calls: Cell<usize>,
    /// Those that returned.
    pub successes: Cell<usize>,
    /// Sequences that ended early, as a machine had no more of something.
    pub given_up: Cell<usize>,
    /// Logs of contracts that were created.
    pub created: Cell<usize>,
    /// Logs that tell of a failure caught.
    pub caught: Cell<usize>,
}

/// Adds to a counter.
pub(crate) fn count(counter: &Cell<usize>, more: usize) {
    counter.set(counter.get() + more);
}

impl Tally {
    /// Counts a call.
    pub(crate) fn add(&self, succeeded: bool, logs: &[Log], known: &[Deployed]) {
        count(&self.calls, 1);
        count(&self.successes, usize::from(succeeded));
        let created = logs.iter().filter(|log| known.iter().all(|c| c.address != log.address));
        let caught = logs.iter().filter(|log| log.topics.first() == Some(&came()));
        count(&self.created, created.count());
        count(&self.caught, caught.filter(|log| log.data.starts_with(&[0; 32])).count());
    }

    /// Whether the draw tests anything.
    ///
    /// # Panics
    /// It does not.
    pub fn check(&self) {
        let (calls, successes) = (self.calls.get(), self.successes.get());
        assert!(successes * 4 > calls && successes < calls, "{successes} of {calls} calls succeeded");
        let (created, caught) = (self.created.get(), self.caught.get());
        assert!(created * 10 > calls, "{created} logs of created contracts in {calls} calls");
        assert!(caught * 10 > calls, "{caught} failures caught in {calls} calls");
        let given_up = self.given_up.get();
        assert!(given_up * 4 <= calls, "{given_up} of {calls} calls ran out of resources");
    }
}

/// Two contracts that create, and one that does not, each with two of them as peers: the first account's next three.
pub fn contracts<S: Stage>(s: &mut Scene<S>) -> [Deployed; 3] {
    let at = |nonce| address(contract_address(ACCOUNTS[0], nonce));
    [
        s.deploy("Nest", &[at(1), at(2), bytes(&[])], 1000),
        s.deploy("Nest", &[at(2), at(0), bytes(&[])], 1000),
        s.deploy("Leaf", &[at(0), at(1), bytes(&[])], 1000),
    ]
}

/// Sequences that a function plays, drawn and shrunk to the calls that matter.
///
/// # Errors
/// What the function says of the shortest sequence that fails.
pub fn shrunk(cases: u32, calls: usize, play: impl Fn(&[u64]) -> Result<(), String>) -> Result<(), String> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let seeds = prop::collection::vec(any::<u64>().no_shrink(), 1..=calls);
    let result = TestRunner::new(config).run(&seeds, |seeds| play(&seeds).map_err(TestCaseError::fail));
    result.map_err(|error| match error {
        TestError::Fail(reason, seeds) => format!("seeds {seeds:?}\n{reason}"),
        TestError::Abort(reason) => reason.to_string(),
    })
}

/// Drawn calls, one after the other.
///
/// # Errors
/// A difference, with the calls that lead to it.
pub fn calls<S: Stage>(stage: S, level: Level, seeds: &[u64], tally: &Tally) -> Result<(), String> {
    let mut s = Scene::new(stage, level);
    let all = contracts(&mut s);
    let mut history = Vec::new();
    for seed in seeds {
        let mut draw = Draw::new(*seed);
        let to = *draw.pick(&all);
        let data = to.data("run", &[bytes(&program(&mut draw, 4, &OF_CALLS))]);
        let from = draw.below(ACCOUNTS.len());
        let value = Word::from(draw.below(50) as u128);
        history.push(format!("0x{}: 0x{}", hex::encode(to.address), hex::encode(&data)));
        match s.stage.call(from, to.address, value, &data) {
            Ok(reply) => tally.add(reply.succeeded, &reply.logs, &all),
            Err(Trouble::OutOfResources(_)) => {
                count(&tally.given_up, 1);
                return Ok(());
            }
            Err(Trouble::Different(text)) => {
                return Err(format!("{level:?}:\n  {}\n{text}", history.join("\n  ")));
            }
        }
    }
    Ok(())
}
