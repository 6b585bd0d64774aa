//! Steps per second of a loop that only computes, with 256-bit values, in a contract that a transaction calls and so is metered:
//! without and with a trace.
use super::clock::ThreadTime;
use super::kernel::Chain;
use crate::Failure;
use crate::measure::median;
use lathe_vm::asm::assemble;
use lathe_vm::ethereum::receipt::Receipt;

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
/// Gas of the call: about half of it is used.
const GAS: u64 = 300_000_000;

/// Steps per second, the medians of interleaved runs.
pub struct Rates {
    /// Without a trace.
    pub plain: f64,
    /// With all that a prover reads.
    pub traced: f64,
    /// Whole steps that the trace gives out.
    pub read: f64,
}

/// Times a batch of one transaction that calls the loop, on this thread.
///
/// # Errors
/// A batch that stops, a call that fails, steps that differ.
pub fn measure(runs: usize) -> Result<Rates, Failure> {
    let chain = Chain::new(CONTRACT, assemble(LOOP)?, [])?;
    let bytes = chain.batch(1, CONTRACT, GAS, &[])?;
    let (mut plain, mut traced, mut read) = (Vec::new(), Vec::new(), Vec::new());
    let mut steps = 0;
    // The first round fills caches.
    for _ in 0..=runs {
        let clock = ThreadTime::now();
        let outcome = chain.execute(&bytes)?;
        plain.push(clock.seconds());
        steps = outcome.steps;
        succeeds(&outcome.receipts)?;
        let clock = ThreadTime::now();
        let full = chain.replay(&bytes)?;
        traced.push(clock.seconds());
        let clock = ThreadTime::now();
        let count = full.trace.steps.iter().inspect(|step| _ = std::hint::black_box(step)).count();
        read.push(clock.seconds());
        if full.receipts != outcome.receipts || count != steps as usize {
            return Err("the arithmetic loop: the modes differ, so there is no figure".into());
        }
    }
    let rate = |times: &[f64]| f64::from(steps) / median(&times[1..]);
    Ok(Rates { plain: rate(&plain), traced: rate(&traced), read: rate(&read) })
}

fn succeeds(receipts: &[Receipt]) -> Result<(), Failure> {
    match receipts.iter().find(|r| !r.status) {
        Some(failed) => Err(format!("the arithmetic loop fails: {failed:?}").into()),
        None => Ok(()),
    }
}
