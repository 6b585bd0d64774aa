//! The command line of `prover-bench`. It only parses and dispatches.

use clap::{Parser, Subcommand};
use prover_bench::{batch, compare, groth16, kernels, quick, report, table, vm};
use std::process::ExitCode;

/// Measures Lathe's kernels and prover on this machine.
#[derive(Debug, Parser)]
#[command(name = "prover-bench", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A first look at this machine, within two minutes: a few kernels, one real batch, batches per hour.
    #[command(after_help = "Example:\n  prover-bench quick")]
    Quick(quick::Args),
    /// Time MSM, FFT and quotient over sizes, threads and backends, beside other libraries.
    #[command(after_help = KERNELS_HELP)]
    Kernels(kernels::Args),
    /// Time a whole Groth16 proof and its stages, beside ark-groth16.
    #[command(after_help = GROTH16_HELP)]
    Groth16(groth16::Args),
    /// Time the comparisons this project is judged by, each with the ratio it must reach.
    #[command(after_help = TABLE_HELP)]
    Table(table::Args),
    /// Prove a batch of token transfers and show the time of each stage.
    #[command(after_help = "Example:\n  prover-bench batch --txs 16 --runs 3 --json target/bench.json")]
    Batch(batch::Args),
    /// Compile and run the corpus of contracts on the EVM and on Lathe's machine: steps, sizes, compile times.
    #[cfg(feature = "compiler")]
    #[command(
        after_help = "Examples:\n  prover-bench compiler --json target/bench/compiler.json\n  prover-bench compiler --filter Erc20 -O z"
    )]
    Compiler(prover_bench::compiler::Args),
    /// The machine without proofs: arithmetic, ERC-20 transfers beside revm, the kernel's steps, the state tree.
    #[command(after_help = VM_HELP)]
    Vm(vm::Args),
    /// Render results files as one HTML page with plots.
    #[command(
        after_help = "Examples:\n  prover-bench report target/bench/kernels.json\n  prover-bench report laptop.json server.json --out machines.html"
    )]
    Report(report::Args),
    /// What got faster or slower between two results files, beyond the noise.
    #[command(after_help = COMPARE_HELP)]
    Compare(compare::Args),
}

const KERNELS_HELP: &str = "Examples:
  prover-bench kernels --ops msmG1,fft --log-size 16,18
  prover-bench kernels --ops msmG2 --log-size 18 --scalars full --threads 1,2 --rivals arkworks
  prover-bench kernels --backend portable --no-rivals --json target/bench/portable.json";

const GROTH16_HELP: &str = "Examples:
  prover-bench groth16 --log-size 16,18
  prover-bench groth16 --log-size 18 --rival --json target/bench/groth16.json";

const TABLE_HELP: &str = "Needs a build with feature `rivals`. About 6 minutes on 2 cores.
Examples:
  prover-bench table --json target/bench/kernels.json
  prover-bench table --kernels-only --require";

const VM_HELP: &str = "revm needs a build with feature `rivals`.
Examples:
  prover-bench vm --require --json target/bench/vm.json
  prover-bench vm --keys 10000";

const COMPARE_HELP: &str = "Noise of a figure is 1.4826 times the median absolute deviation of its runs (half their range if fewer than five).
A change counts if it exceeds 2 % and three times both files' noise together, also after what the other libraries moved
is taken out: their code is the same, so that is the machine.
Examples:
  prover-bench compare main.json branch.json
  prover-bench compare main.json branch.json --fail-on-slower 5";

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Quick(args) => quick::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Kernels(args) => kernels::run(&args),
        Command::Groth16(args) => groth16::run(&args),
        Command::Table(args) => table::run(&args),
        Command::Batch(args) => batch::run(&args),
        Command::Vm(args) => vm::run(&args),
        #[cfg(feature = "compiler")]
        Command::Compiler(args) => prover_bench::compiler::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("prover-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
