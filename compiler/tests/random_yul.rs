//! Random Yul programs do the same at O0, O3 and Oz on Lathe's machine as on the EVM. A program that fails is shrunk by
//! taking statements out, all candidates of a round in one run of solc. `PROPTEST_CASES` draws more programs.
use lathe_compiler::compile::{Contract, Level, Options, compile};
use lathe_oracle::draw::{ACCOUNTS, Call, Draw};
use lathe_oracle::evm::Status;
use lathe_oracle::program::{INPUTS, Program, batch};
use lathe_oracle::solc;
use lathe_oracle::twin::{Trouble, Twin};
use lathe_vm::word::Word;
use std::cell::Cell;

const LEVELS: [Level; 3] = [Level::O0, Level::O3, Level::Oz];
/// Programs where nothing else is said, and in one run of solc.
const PROGRAMS: usize = 225;
const BATCH: usize = 45;
/// Calls of each program.
const CALLS: u64 = 4;
/// Rounds of shrinking; each takes one statement out.
const ROUNDS: usize = 60;

fn programs() -> usize {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(PROGRAMS)
}

/// EVM code that deploys any of the programs.
fn assembled(programs: &[Program]) -> Vec<u8> {
    let objects: Vec<_> = programs.iter().map(|program| |name: &str| program.object(name)).collect();
    solc::yul(&batch(&objects)).unwrap_or_else(|error| panic!("{error}"))
}

fn compiled(program: &Program, level: Level) -> Result<Contract, String> {
    let text = program.object("P");
    compile(&text, &Options { level, ..Options::default() })
        .map_err(|errors| format!("does not compile: {errors:?}"))
}

fn calls(seed: u64) -> Vec<Call> {
    let one = |seed| {
        let mut draw = Draw::new(seed);
        let mut data: Vec<u8> = (0..INPUTS).flat_map(|_| draw.word().to_be_bytes()).collect();
        if draw.once_in(4) {
            data.truncate(draw.below(data.len()));
        }
        let from = *draw.pick(&ACCOUNTS);
        Call { name: "drawn".into(), from, value: Word::from(draw.below(3) as u128), data }
    };
    (0..CALLS).map(|i| one(seed.wrapping_mul(CALLS).wrapping_add(i))).collect()
}

/// Calls made, and those of them that succeeded.
#[derive(Default)]
struct Tally {
    calls: Cell<u32>,
    successes: Cell<u32>,
}

/// Why the program at `index` of the batch is not the same at a level, if it is not.
fn fault(
    program: &Program,
    index: usize,
    code: &[u8],
    seed: u64,
    level: Level,
    tally: &Tally,
) -> Option<String> {
    let pages = match compiled(program, level) {
        Ok(pages) => pages,
        Err(message) => return Some(message),
    };
    let initcode = [code, &Word::from(index as u128).to_be_bytes()].concat();
    let mut twin = match Twin::install(&initcode, &pages) {
        Ok(twin) => twin,
        Err(trouble) => return Some(trouble.to_string()),
    };
    for call in calls(seed) {
        tally.calls.set(tally.calls.get() + 1);
        match twin.call(&call) {
            Ok(agreed) => {
                tally.successes.set(tally.successes.get() + u32::from(agreed.evm.status == Status::Success));
            }
            Err(Trouble::OutOfResources(_)) => return None,
            Err(Trouble::Different(text)) => {
                let data = hex::encode(&call.data);
                return Some(format!("called with {} wei and 0x{data}:\n{text}", call.value.lo));
            }
        }
    }
    None
}

/// The smallest program found that still goes wrong, and how.
fn shrunk(mut program: Program, seed: u64, level: Level, mut reason: String) -> (Program, String) {
    for _ in 0..ROUNDS {
        let candidates = program.smaller();
        let smaller = candidates.chunks(BATCH).find_map(|part| {
            let code = assembled(part);
            let mut numbered = part.iter().enumerate();
            numbered.find_map(|(i, smaller)| {
                Some((smaller.clone(), fault(smaller, i, &code, seed, level, &Tally::default())?))
            })
        });
        let Some(smaller) = smaller else { break };
        (program, reason) = smaller;
    }
    (program, reason)
}

#[test]
fn random_programs_do_at_every_level_what_the_evm_does() {
    let tally = Tally::default();
    for first in (0..programs()).step_by(BATCH) {
        let seeds: Vec<u64> = (first..(first + BATCH).min(programs())).map(|seed| seed as u64).collect();
        let drawn: Vec<Program> = seeds.iter().map(|seed| Program::draw(&mut Draw::new(*seed))).collect();
        let code = assembled(&drawn);
        for (i, (program, seed)) in drawn.iter().zip(&seeds).enumerate() {
            for level in LEVELS {
                if let Some(reason) = fault(program, i, &code, *seed, level, &tally) {
                    let (program, reason) = shrunk(program.clone(), *seed, level, reason);
                    panic!("seed {seed} at {level:?}: {reason}\n{}", program.object("P"));
                }
            }
        }
    }
    let (calls, successes) = (tally.calls.get(), tally.successes.get());
    assert!(successes * 2 > calls, "{successes} of {calls} calls succeeded: the programs test little");
}
