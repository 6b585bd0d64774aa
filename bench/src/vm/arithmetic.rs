//! Steps per second of a loop that only computes, with 256-bit values in a metered contract, with and without a trace.
use super::clock::ThreadTime;
use crate::Failure;
use crate::measure::median;
use lathe_vm::asm::assemble;
use lathe_vm::code::CodeStore;
use lathe_vm::machine::tracer::{NoTrace, Recorder, Tracer};
use lathe_vm::machine::{self, CallStatus, Environment, Event, Limits};
use lathe_vm::programs;
use lathe_vm::state::CellId;
use lathe_vm::word::Word;
use std::collections::HashMap;

/// Eleven steps a round; what it hands back depends on all of them.
const LOOP: &str = "
.const ROUNDS 131072
.const SEED 0x9e3779b97f4a7c15f39cc0605cedc8341082276bf3a27251f86c6a11d0c18e95
.slot rounds
.slot state
.slot round
.slot one
.slot sum
.slot product
.slot bits
.slot mixed
.slot zero
        const rounds, ROUNDS
        const state, SEED
        seti round, 0
        seti one, 1
loop:
        add sum, state, round
        mul product, sum, state
        xor product, product, sum
        bits bits, product, 7, 249
        sub mixed, product, bits
        shli product, mixed, 3
        and product, product, mixed
        or sum, product, bits
        add state, sum, mixed
        add round, round, one
        jlt round, rounds, loop
        st state, zero, 0
        seti one, 32
        return zero, one
";
const CONTRACT: [u8; 20] = [0xc0; 20];
const CALLER: [u8; 20] = [0xca; 20];
/// The layout of `vm/kernel/sandbox.lasm`: from, to, value, deploy page, 2^32 and the gas, gas price.
const METERED: u128 = (1 << 32) + u32::MAX as u128;
const LIMITS: Limits = Limits {
    unproven: true,
    max_steps: 1 << 24,
    max_hashed_bytes: 1 << 20,
    max_moved_bytes: 1 << 20,
    max_memory_bytes: 1 << 26,
    max_trace_bytes: 1 << 32,
    max_input_bytes: 1 << 10,
    max_output_bytes: 32,
};

/// Steps per second, the medians of interleaved runs.
pub struct Rates {
    /// Without a trace.
    pub plain: f64,
    /// With all that a prover reads.
    pub traced: f64,
}

/// Times the loop on this thread.
///
/// # Errors
/// A run that stops, or whose answer or steps differ from the first one's.
pub fn measure(runs: usize) -> Result<Rates, Failure> {
    let page = assemble(LOOP)?;
    let mut codes = CodeStore::new();
    let cells = HashMap::from([(CellId::code_hash(CONTRACT), codes.insert(page))]);
    let expected = once::<NoTrace>(&cells, &codes)?.1;
    let (mut plain, mut traced) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        for (times, (time, ended)) in
            [(&mut plain, once::<NoTrace>(&cells, &codes)?), (&mut traced, once::<Recorder>(&cells, &codes)?)]
        {
            if ended != expected {
                return Err("the arithmetic loop: the modes differ, so there is no figure".into());
            }
            times.push(time);
        }
    }
    let rate = |times: &[f64]| f64::from(expected.0) / median(times);
    Ok(Rates { plain: rate(&plain), traced: rate(&traced) })
}

/// Seconds, and the steps with the answer.
fn once<T: Tracer + Default>(
    cells: &HashMap<CellId, Word>,
    codes: &CodeStore,
) -> Result<(f64, (u32, Vec<u8>)), Failure> {
    let address = |a: [u8; 20]| [[0; 12].as_slice(), &a].concat();
    let zero = [0; 32];
    let gas = Word::from(METERED).to_be_bytes();
    let input = [&address(CALLER)[..], &address(CONTRACT), &zero, &zero, &gas, &zero].concat();
    let environment = Environment::default();
    let clock = ThreadTime::now();
    let run = machine::run::<_, T>(cells, codes, programs::sandbox(), &environment, &input, &LIMITS)?;
    let time = clock.seconds();
    match run.events.last() {
        Some(Event::CallEnd { status: CallStatus::Success, output, .. }) => {
            Ok((time, (run.steps, output.clone())))
        }
        other => Err(format!("the arithmetic loop ended with {other:?}").into()),
    }
}
