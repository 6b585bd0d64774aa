//! Runs a folder of tests in the format of Solidity's semantic tests and says what passed, failed and was skipped.
use clap::Parser;
use lathe_compiler::semantic::skips::{MANIFEST, Skips};
use lathe_compiler::semantic::suite::run_folder;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs tests in the format of Solidity's `test/libsolidity/semanticTests`.
#[derive(Debug, Parser)]
#[command(
    name = "lathec-tests",
    version,
    about,
    after_help = "Example:\n  lathec-tests solidity/test/libsolidity/semanticTests --json target/semantic.json"
)]
struct Arguments {
    /// The folder; folders within it are run too.
    folder: PathBuf,
    /// Writes `{passed, failed, skipped, byReason}` into this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Names each skipped test too.
    #[arg(long, short)]
    verbose: bool,
    /// Another manifest of reasons to skip than the built-in one.
    #[arg(long, value_name = "FILE")]
    skips: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("lathec-tests: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing failed.
fn run(arguments: &Arguments) -> Result<bool, String> {
    let manifest = match &arguments.skips {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => MANIFEST.to_string(),
    };
    let skips = Skips::read(&manifest).map_err(|error| format!("the manifest of skips: {error}"))?;
    let report = run_folder(&arguments.folder, &skips).map_err(|error| error.to_string())?;
    for (path, message) in report.failures() {
        println!("FAILED {}\n  {message}", path.display());
    }
    for (path, reason) in report.skipped().filter(|_| arguments.verbose) {
        println!("SKIPPED {} {reason}", path.display());
    }
    let (failed, reasons) = (report.failures().count(), report.by_reason());
    println!("{} passed, {failed} failed, {} skipped", report.passed(), reasons.values().sum::<usize>());
    for (reason, count) in reasons {
        println!("  {count} {reason}");
    }
    if let Some(path) = &arguments.json {
        let text = format!("{:#}\n", report.json());
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(failed == 0)
}
