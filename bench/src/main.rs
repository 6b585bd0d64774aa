//! `prover-bench`: times the stages of real proofs on this machine. It measures what `lathe serve` runs, without
//! HTTP and L1, and reports nothing that was not measured in this very run.
mod batch;
mod machine;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Measures Lathe's prover.
#[derive(Debug, Parser)]
#[command(name = "prover-bench", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prove a batch of token transfers and show the time of each stage.
    #[command(after_help = "Example:\n  prover-bench batch --txs 16 --runs 3 --json target/bench.json")]
    Batch(batch::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
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
