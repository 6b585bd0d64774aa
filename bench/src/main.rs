//! The command line of `prover-bench`. It only parses and dispatches.

use clap::{Parser, Subcommand};
use prover_bench::{batch, kernels};
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
    /// Time MSM, FFT and quotient over sizes, threads and backends, beside other libraries.
    #[command(after_help = KERNELS_HELP)]
    Kernels(kernels::Args),
    /// Prove a batch of token transfers and show the time of each stage.
    #[command(after_help = "Example:\n  prover-bench batch --txs 16 --runs 3 --json target/bench.json")]
    Batch(batch::Args),
}

const KERNELS_HELP: &str = "Examples:
  prover-bench kernels --ops msmG1,fft --log-size 16,18
  prover-bench kernels --ops msmG2 --log-size 18 --scalars full --threads 1,2 --rivals arkworks
  prover-bench kernels --backend portable --no-rivals --json target/bench/portable.json";

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Kernels(args) => kernels::run(&args),
        Command::Batch(args) => batch::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("prover-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
