//! `prover-bench quick`: a newcomer's first run. A few kernels, one proof, then a real batch with real keys, within two
//! minutes on two cores. Where the machine is too slow for the batch in that time it says so and estimates.

use crate::Failure;
use crate::backends::{self, Engine};
use crate::batch;
use crate::groth16;
use crate::kernels::{self, Case, processors};
use crate::measure::Effort;
use crate::progress::Progress;
use crate::results::{self, Results};
use crate::rivals::Rival;
use crate::workload::{Op, Scalars};
use lathe_kernels::BackendChoice;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Transfers of the batch.
const TRANSFERS: u8 = 16;
/// Constraints of the proof measured before the batch, as a logarithm.
const PROOF: u32 = 16;
/// The time a batch's keys and proof take, over that of a proof of [`PROOF`] constraints, at most. Measured on an AMD EPYC
/// (family 26) with two cores, `prover-bench groth16 --log-size 16` and `batch` with new keys: 44, on the portable path 20.
const BATCH_OVER_PROOF: f64 = 50.0;
/// Of that, the proof alone. Measured in the same runs: 10.5, on the portable path 7.3.
const BATCH_PROOF_OVER_PROOF: f64 = 11.0;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the keys; kept, so that the next run and `prover-bench batch` find them.
    #[arg(long, default_value = "target/keys")]
    pub keys_dir: PathBuf,
    /// Write the figures as JSON here.
    #[arg(long, default_value = "target/bench/quick.json")]
    pub json: PathBuf,
    /// Seconds the run may take.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub seconds: u16,
}

/// Measures and prints.
///
/// # Errors
/// A backend that fails, a result that differs, a file that cannot be written.
pub fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let mut results = Results::new("quick");
    println!("{}", results.machine.line());
    let engines = backends::open(&backends::Args::default())?;
    // The fastest kind of device comes last.
    let best = engines.last().ok_or("no backend")?;
    results.rows = kernels::measure_all(&cases(args.seconds), &engines, &rivals())?;
    let progress = Progress::new(1);
    let proof = groth16::measure(PROOF, processors(), best, false, effort(2), &progress)?;
    drop(progress);
    let proof_seconds = proof.rows[0].seconds;
    proof.rows.iter().for_each(|row| println!("{}", kernels::line(row)));
    results.rows.extend(proof.rows);
    results.stages.extend(proof.stages);

    let left = Duration::from_secs(args.seconds.into()).saturating_sub(start.elapsed());
    let sentence = match proof_seconds * BATCH_OVER_PROOF < left.as_secs_f64() {
        true => prove_batch(args, best, &mut results)?,
        false => sentence(proof_seconds * BATCH_PROOF_OVER_PROOF, best, Some(args.seconds)),
    };
    println!("\n{sentence}");
    results.notes.push(sentence);
    results::write(&args.json, &results)?;
    println!("Figures: {}; as a page: prover-bench report {}", args.json.display(), args.json.display());
    Ok(())
}

fn effort(seconds: u64) -> Effort {
    Effort { min_rounds: 3, max_rounds: 9, budget: Duration::from_secs(seconds) }
}

/// Below half a minute the sizes are 16 times smaller.
fn cases(seconds: u16) -> Vec<Case> {
    let shrink = if seconds < 30 { 4 } else { 0 };
    let case = |op, log_size: u32, scalars| Case {
        op,
        log_size: log_size - shrink,
        scalars,
        threads: processors(),
        effort: effort(2),
    };
    vec![
        case(Op::MsmG1, 16, Scalars::Full),
        case(Op::MsmG1, 18, Scalars::Full),
        case(Op::MsmG1, 18, Scalars::Witness),
        case(Op::MsmG2, 14, Scalars::Full),
        case(Op::Fft, 16, Scalars::Full),
        case(Op::Fft, 18, Scalars::Full),
        case(Op::Quotient, 16, Scalars::Full),
    ]
}

/// bellman is left out: slowest of the three, it would take a third of the time.
fn rivals() -> Vec<Rival> {
    Rival::compiled().iter().copied().filter(|rival| *rival != Rival::Bellman).collect()
}

fn prove_batch(args: &Args, best: &Engine, results: &mut Results) -> Result<String, Failure> {
    println!("\na batch of {TRANSFERS} transfers, keys in {}", args.keys_dir.display());
    let backend = match best.name {
        "cuda" => BackendChoice::Cuda,
        "wgpu" => BackendChoice::Wgpu,
        _ => BackendChoice::Cpu,
    };
    let figures = batch::measure(&batch::Args {
        txs: TRANSFERS,
        runs: 1,
        keys_dir: args.keys_dir.clone(),
        backend,
        json: None,
    })?;
    figures.results.rows.iter().for_each(|row| println!("{}", kernels::line(row)));
    results.rows.extend(figures.results.rows);
    results.stages.extend(figures.results.stages);
    Ok(sentence(figures.total_ms / 1e3, best, None))
}

/// What the machine can do. `too_slow_for` is the time in which no batch could be proven.
fn sentence(seconds: f64, engine: &Engine, too_slow_for: Option<u16>) -> String {
    let per_hour = 3600.0 / seconds;
    let transfers = per_hour * f64::from(TRANSFERS);
    let device = engine.backend.device();
    match too_slow_for {
        None => format!(
            "This machine proves a batch of {TRANSFERS} transfers in {seconds:.1} s: {per_hour:.0} batches, or {transfers:.0} transfers, an hour on {device}."
        ),
        Some(limit) => format!(
            "Keys and proof of a batch do not fit in {limit} s here; from the proof of 2^{PROOF} constraints, one of {TRANSFERS} transfers would take about {seconds:.0} s: {per_hour:.0} batches an hour on {device}. Run `prover-bench batch` to measure it."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_batches_per_hour_and_whether_it_is_an_estimate() {
        let engine = &backends::open(&backends::Args::default()).unwrap()[0];
        let measured = sentence(3.6, engine, None);
        assert!(measured.contains("1000 batches") && measured.contains("16000 transfers"), "{measured}");
        let estimated = sentence(36.0, engine, Some(120));
        assert!(estimated.contains("about 36 s: 100 batches") && estimated.contains("prover-bench batch"));
    }
}
