//! Random Yul programs do the same at O0, O3 and Oz on Lathe's machine as on the EVM. A program that fails is shrunk by
//! taking statements out, all candidates of a round in one run of solc. `PROPTEST_CASES` draws more programs.
use lathe_compiler::compile::{Contract, Level, Options, compile};
use lathe_oracle::draw::{ACCOUNTS, Call, Draw};
use lathe_oracle::evm::Status;
use lathe_oracle::program::{INPUTS, Program, batch};
use lathe_oracle::solc::{self, SolcError};
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

fn objects(programs: &[Program]) -> String {
    let objects: Vec<_> = programs.iter().map(|program| |name: &str| program.object(name)).collect();
    batch(&objects)
}

/// Which of the programs solc can assemble: without its optimiser, variables that lie too deep in the EVM's stack are an
/// error.
fn fits(programs: &[Program]) -> Vec<bool> {
    match solc::yul(&objects(programs)) {
        Ok(_) => vec![true; programs.len()],
        Err(SolcError::Refused(text)) if text.contains("StackTooDeep") => match programs {
            [_] => vec![false],
            _ => {
                let (left, right) = programs.split_at(programs.len() / 2);
                [fits(left), fits(right)].concat()
            }
        },
        Err(error) => panic!("{error}"),
    }
}

/// The programs that fit, each with what belongs to it, and EVM code that deploys any of them.
fn assembled<T>(programs: Vec<(Program, T)>) -> (Vec<(Program, T)>, Vec<u8>) {
    let (all, more): (Vec<Program>, Vec<T>) = programs.into_iter().unzip();
    let fits = fits(&all);
    let fitting = all.into_iter().zip(more).zip(fits).filter_map(|(program, fits)| fits.then_some(program));
    let fitting: Vec<_> = fitting.collect();
    let all: Vec<Program> = fitting.iter().map(|(program, _)| program.clone()).collect();
    (fitting, solc::yul(&objects(&all)).unwrap_or_else(|error| panic!("{error}")))
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
            let (part, code) = assembled(part.iter().map(|smaller| (smaller.clone(), ())).collect());
            let mut numbered = part.iter().enumerate();
            numbered.find_map(|(i, (smaller, ()))| {
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
    let mut compared = 0;
    for first in (0..programs()).step_by(BATCH) {
        let seeds = (first..(first + BATCH).min(programs())).map(|seed| seed as u64);
        let (drawn, code) =
            assembled(seeds.map(|seed| (Program::draw(&mut Draw::new(seed)), seed)).collect());
        compared += drawn.len();
        for (i, (program, seed)) in drawn.iter().enumerate() {
            for level in LEVELS {
                if let Some(reason) = fault(program, i, &code, *seed, level, &tally) {
                    let (program, reason) = shrunk(program.clone(), *seed, level, reason);
                    panic!("seed {seed} at {level:?}: {reason}\n{}", program.object("P"));
                }
            }
        }
    }
    assert!(compared * 100 >= programs() * 98, "solc assembles {compared} of {} programs", programs());
    let (calls, successes) = (tally.calls.get(), tally.successes.get());
    assert!(successes * 2 > calls, "{successes} of {calls} calls succeeded: the programs test little");
}
