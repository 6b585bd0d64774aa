//! `prover-bench batch`: keys, replay and proof of one batch of transfers. Every proof is verified by the prover
//! itself; a run whose proof is refused is an error, never a figure.
use crate::Failure;
use crate::groth16;
use crate::kernels::processors;
use crate::machine::peak_memory_bytes;
use crate::measure::{Compared, Stats, median};
use crate::results::{self, Results, Stage, Subject};
use crate::workload::Op;
use lathe_kernels::{BackendChoice, DeviceOptions, detect};
use lathe_prover::groth16::Timings;
use lathe_prover::system::{CircuitInfo, L1Binding, ProveReport, System};
use lathe_vm::machine::Limits;
use lathe_vm::trace::BatchTrace;
use lathe_vm::{fixtures, programs, replay};
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Token transfers in the batch.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub txs: u8,
    /// Proofs to make; the table shows the median of each stage.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    /// Folder for the keys; kept between runs.
    #[arg(long, default_value = "target/keys")]
    pub keys_dir: PathBuf,
    /// Where the kernels run: auto, cuda, wgpu or cpu, as for `lathe serve`.
    #[arg(long, default_value_t)]
    pub backend: BackendChoice,
    /// Write the figures as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// What a batch's run gives.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// What all files share: the machine, the proof's row, the stages.
    #[serde(flatten)]
    pub results: Results,
    /// The device the kernels ran on.
    pub device: String,
    /// Transfers in the batch.
    pub transactions: u8,
    /// Machine steps of the batch.
    pub steps: usize,
    /// The circuits.
    pub circuits: Vec<CircuitInfo>,
    /// Whether the keys were made in this run, or loaded.
    pub keys_made: bool,
    /// Making or loading the keys.
    pub setup_ms: f64,
    /// Assign to check, median over the runs.
    pub total_ms: f64,
    /// Size of the proof.
    pub proof_bytes: usize,
    /// Most memory this process held.
    pub peak_memory_bytes: u64,
}

/// Measures and prints.
///
/// # Errors
/// Keys that cannot be opened, a proof that fails, a file that cannot be written.
pub fn run(args: &Args) -> Result<(), Failure> {
    let figures = measure(args)?;
    print(&figures);
    if let Some(file) = &args.json {
        results::write(file, &figures)?;
    }
    Ok(())
}

/// Opens or makes the keys, proves the batch and verifies it.
///
/// # Errors
/// Keys that cannot be opened, a proof that fails.
pub fn measure(args: &Args) -> Result<Figures, Failure> {
    let mut results = Results::new("batch");
    let keys_made = !has_keys(args);
    let clock = Instant::now();
    let progress = |what: &str, done| eprintln!("  keys {:>3.0}%  {what}", done * 100.0);
    let system =
        System::open(&args.keys_dir, detect(args.backend, &DeviceOptions::default())?.backend, &progress)?;
    let setup_ms = ms(clock.elapsed());
    let clock = Instant::now();
    let trace = trace(args.txs)?;
    let replay_ms = ms(clock.elapsed());

    let l1 = L1Binding { chain_id: 1, contract: [0; 20] };
    let mut reports = Vec::new();
    let mut proof_bytes = 0;
    for run in 0..args.runs {
        eprintln!("  proof {} of {}", run + 1, args.runs);
        let (proof, report) = system.prove(&trace, &l1, &|_, _| {})?;
        proof_bytes = proof.to_bytes().len();
        reports.push(report);
    }
    let circuits = system.circuits();
    let totals: Vec<f64> = reports.iter().map(|r| r.stages.iter().map(|(_, t)| ms(*t)).sum()).collect();
    let of = format!("batch of {}", args.txs);
    results.stages = vec![Stage::new(&of, "replay", vec![replay_ms])];
    results.stages.extend(stages_of(&of, &reports)?);
    for (i, circuit) in circuits.iter().enumerate() {
        let timings: Vec<Timings> =
            reports.iter().filter_map(|r| r.circuits.get(i)).map(|(_, t)| *t).collect();
        results.stages.extend(groth16::stages_of(&format!("{of}, circuit {}", circuit.shape), &timings));
    }
    let seconds = totals.iter().map(|ms| ms / 1000.0).collect();
    let device = system.device();
    let subject = Subject {
        op: Op::Batch.name().into(),
        log_size: circuits.iter().map(|c| c.domain.ilog2()).max().unwrap_or(0),
        scalars: Some(format!("{} transfers", args.txs)),
        threads: processors(),
        backend: device.split(' ').next().unwrap_or_default().into(),
        device: device.clone(),
    };
    results.rows = subject.rows(&Compared { ours: Stats::of(seconds), rivals: Vec::new() });
    Ok(Figures {
        results,
        device,
        transactions: args.txs,
        steps: trace.steps.len(),
        circuits,
        keys_made,
        setup_ms,
        total_ms: median(&totals),
        proof_bytes,
        peak_memory_bytes: peak_memory_bytes(),
    })
}

fn has_keys(args: &Args) -> bool {
    let files = std::fs::read_dir(&args.keys_dir).into_iter().flatten().flatten();
    files.filter(|f| f.path().extension().is_some_and(|e| e == "key")).count() > 0
}

fn trace(txs: u8) -> Result<BatchTrace, Failure> {
    let f = fixtures::transfers(txs)?;
    Ok(replay::replay(&f.tree, &f.codes, programs::kernel(), &f.params, &f.records, &Limits::default())?)
}

fn stages_of(of: &str, reports: &[ProveReport]) -> Result<Vec<Stage>, Failure> {
    let first = reports.first().ok_or("no run")?;
    let stage = |i: usize| -> Result<Stage, Failure> {
        let runs_ms: Vec<f64> = reports.iter().map(|r| ms(r.stages[i].1)).collect();
        let name = serde_json::to_value(first.stages[i].0)?.as_str().unwrap_or_default().to_string();
        Ok(Stage::new(of, &name, runs_ms))
    };
    (0..first.stages.len()).map(stage).collect()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn print(f: &Figures) {
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    println!("{}, {}", f.results.machine.line(), f.device);
    println!("{} transfers, {} machine steps", f.transactions, f.steps);
    println!("\n{:<10} {:>12} {:>16} {:>10}", "circuit", "constraints", "committed wires", "domain");
    for c in &f.circuits {
        println!("{:<10} {:>12} {:>16} {:>10}", c.shape, c.constraints, c.committed_wires, c.domain);
    }
    println!("\n{:<10} {:>12}", "stage", "seconds");
    let setup = if f.keys_made { "setup" } else { "load keys" };
    println!("{setup:<10} {:>12.3}", f.setup_ms / 1000.0);
    let own = format!("batch of {}", f.transactions);
    for stage in f.results.stages.iter().filter(|stage| stage.of == own) {
        println!("{:<10} {:>12.3}", stage.name, stage.ms / 1000.0);
    }
    println!("{:<10} {:>12.3}", "proof", f.total_ms / 1000.0);
    println!("\nproof {} bytes, peak memory {:.2} GiB", f.proof_bytes, gib(f.peak_memory_bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_every_size_has_a_trace_that_grows_with_it() {
        let steps = |txs| trace(txs).unwrap().steps.len();
        assert!(steps(1) < steps(2) && steps(2) < steps(16));
    }
}
