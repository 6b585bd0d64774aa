//! `prover-bench vm`: what the machine and its state do without a proof, each with what it must reach: arithmetic,
//! ERC-20 transfers beside revm, the Ethereum kernel's work for one, the state tree on disk.
//!
//! What runs on one thread is timed by that thread's processor time, so that other load does not count; the tree, which
//! uses two threads and the disk, by the wall clock.
mod arithmetic;
mod clock;
pub mod erc20;
mod kernel;
mod tree;

use crate::machine::Machine;
use crate::{Failure, results, rivals};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Cells of the state tree. The target is for a million.
    #[arg(long, default_value_t = KEYS, value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    pub keys: u64,
    /// Runs of each timing; the medians are shown.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub runs: u16,
    /// The folder of the tree, which must not be there; removed afterwards.
    #[arg(long, default_value = "target/bench/tree")]
    pub folder: PathBuf,
    /// Exit with an error unless every target is reached. Needs a build with feature `rivals`.
    #[arg(long)]
    pub require: bool,
    /// Write the figures as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Cells of the tree that the target is for.
const KEYS: u64 = 1_000_000;
/// Threads of the tree.
const TREE_THREADS: usize = 2;
/// Steps per second without a trace, at least.
const STEPS: f64 = 20e6;
/// With a trace, as part of those.
const TRACED: f64 = 0.5;
/// Updates of the tree per second, at least.
const UPDATES: f64 = 2000.0;
/// Steps of the kernel per ERC-20 transfer, at most.
const KERNEL_STEPS: u32 = 600;
/// Keccak permutations of the kernel per ERC-20 transfer, at most.
const KERNEL_PERMUTATIONS: f64 = 5.0;

/// What the command writes.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Of a loop over 256-bit values in a metered contract, without a trace.
    pub arithmetic_steps_per_second: f64,
    /// The same with a trace.
    pub traced_steps_per_second: f64,
    /// One transfer of OpenZeppelin's ERC-20 on our machine, metered.
    pub erc20_transfer_micros: f64,
    /// On revm; none in a build without rivals.
    pub revm_erc20_transfer_micros: Option<f64>,
    /// Cells written to the tree on disk.
    pub tree_updates_per_second: f64,
    /// Cells in the tree.
    pub tree_keys: u64,
    /// Steps of one transfer in a batch of Ethereum transactions.
    pub steps_per_erc20_transfer: Steps,
}

/// Steps by who runs them.
#[derive(Clone, Debug, Serialize)]
pub struct Steps {
    /// The kernel.
    pub kernel: u32,
    /// The contract.
    pub contract: u32,
}

/// A line of the table.
#[derive(Debug)]
struct Line {
    what: &'static str,
    measured: String,
    target: String,
    /// None where the target does not apply.
    met: Option<bool>,
}

/// Measures and prints.
///
/// # Errors
/// What a part says; with `--require` a target that is missed or cannot be judged.
pub fn run(args: &Args) -> Result<(), Failure> {
    if args.require && !cfg!(feature = "rivals") {
        return Err(rivals::NOT_BUILT.into());
    }
    println!("{}", Machine::here().line());
    let runs = usize::from(args.runs);
    eprintln!("  arithmetic");
    let rates = arithmetic::measure(runs)?;
    eprintln!("  ERC-20 transfers");
    let times = erc20::measure(runs)?;
    eprintln!("  the kernel");
    let transfer = kernel::measure()?;
    eprintln!("  a tree of {} cells", args.keys);
    let updates = tree::measure(args.keys, args.runs.into(), TREE_THREADS, &args.folder)?;
    let figures = Figures {
        arithmetic_steps_per_second: rates.plain,
        traced_steps_per_second: rates.traced,
        erc20_transfer_micros: times.ours,
        revm_erc20_transfer_micros: times.revm,
        tree_updates_per_second: updates,
        tree_keys: args.keys,
        steps_per_erc20_transfer: Steps { kernel: transfer.kernel_steps, contract: transfer.contract_steps },
    };
    let lines = lines(&figures, rates.read, &transfer);
    print!("{}", text(&lines));
    if let Some(file) = &args.json {
        results::write(file, &figures)?;
    }
    let missed: Vec<&str> = lines.iter().filter(|l| l.met == Some(false)).map(|l| l.what).collect();
    match args.require && !missed.is_empty() {
        true => Err(format!("not reached: {}", missed.join("; ")).into()),
        false => Ok(()),
    }
}

fn lines(f: &Figures, read: f64, transfer: &kernel::PerTransfer) -> Vec<Line> {
    let line = |what, measured, target, met| Line { what, measured, target, met };
    let traced = f.traced_steps_per_second / f.arithmetic_steps_per_second;
    let millions = |rate: f64| format!("{:.1} M/s", rate / 1e6);
    let revm = f.revm_erc20_transfer_micros;
    let steps = &f.steps_per_erc20_transfer;
    let free = String::new;
    vec![
        line(
            "arithmetic steps, metered",
            millions(f.arithmetic_steps_per_second),
            format!("at least {}", millions(STEPS)),
            Some(f.arithmetic_steps_per_second >= STEPS),
        ),
        line(
            "the same, traced",
            format!("{} ({traced:.2})", millions(f.traced_steps_per_second)),
            format!("at least {TRACED} of those"),
            Some(traced >= TRACED),
        ),
        line("the trace read, once", millions(read), free(), None),
        line(
            "ERC-20 transfer",
            format!("{:.2} us", f.erc20_transfer_micros),
            "no slower than revm".into(),
            revm.map(|revm| f.erc20_transfer_micros <= revm),
        ),
        line(
            "the same, revm",
            revm.map_or("not in this build".into(), |us| format!("{us:.2} us")),
            free(),
            None,
        ),
        line("kernel steps of it", steps.kernel.to_string(), format!("at most {KERNEL_STEPS}"), {
            Some(steps.kernel <= KERNEL_STEPS)
        }),
        line("contract steps of it", steps.contract.to_string(), free(), None),
        line(
            "kernel permutations of it",
            format!("{:.2}", transfer.kernel_permutations),
            format!("at most {KERNEL_PERMUTATIONS}"),
            Some(transfer.kernel_permutations <= KERNEL_PERMUTATIONS),
        ),
        line("contract permutations of it", format!("{:.2}", transfer.contract_permutations), free(), None),
        line(
            "tree updates, durable",
            format!("{:.0}/s", f.tree_updates_per_second),
            format!("at least {UPDATES}/s at {KEYS} keys"),
            (f.tree_keys == KEYS).then_some(f.tree_updates_per_second >= UPDATES),
        ),
    ]
}

/// The table for people.
fn text(lines: &[Line]) -> String {
    let mut text = format!("\n{:<28} {:>20}  {:<32} met\n", "", "measured", "target");
    for l in lines {
        let met = match l.met {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "-",
        };
        text += &format!("{:<28} {:>20}  {:<32} {met}\n", l.what, l.measured, l.target);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(figures: &Figures, permutations: f64) -> Vec<&'static str> {
        let transfer = kernel::PerTransfer {
            kernel_steps: figures.steps_per_erc20_transfer.kernel,
            contract_steps: figures.steps_per_erc20_transfer.contract,
            kernel_permutations: permutations,
            contract_permutations: 3.0,
        };
        let missed = |l: Line| (l.met == Some(false)).then_some(l.what);
        lines(figures, 1e6, &transfer).into_iter().filter_map(missed).collect()
    }

    #[test]
    fn each_target_is_judged_at_its_bound() {
        let good = Figures {
            arithmetic_steps_per_second: STEPS,
            traced_steps_per_second: STEPS * TRACED,
            erc20_transfer_micros: 2.0,
            revm_erc20_transfer_micros: Some(2.0),
            tree_updates_per_second: UPDATES,
            tree_keys: KEYS,
            steps_per_erc20_transfer: Steps { kernel: KERNEL_STEPS, contract: 50 },
        };
        assert!(judged(&good, KERNEL_PERMUTATIONS).is_empty());
        let bad = Figures {
            arithmetic_steps_per_second: STEPS - 2.0,
            traced_steps_per_second: STEPS * TRACED - 2.0,
            erc20_transfer_micros: 2.1,
            tree_updates_per_second: UPDATES - 1.0,
            steps_per_erc20_transfer: Steps { kernel: KERNEL_STEPS + 1, contract: 50 },
            ..good.clone()
        };
        assert_eq!(judged(&bad, KERNEL_PERMUTATIONS + 0.1).len(), 6);
        let unjudged = Figures { revm_erc20_transfer_micros: None, tree_keys: 1000, ..bad };
        assert_eq!(judged(&unjudged, KERNEL_PERMUTATIONS).len(), 3);
    }
}
