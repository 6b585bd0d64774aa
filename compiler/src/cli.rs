//! The command line: arguments to a project, its output to text, files or JSON.
//!
//! Exit codes: 0 done; 1 the sources have errors; 2 the command line is wrong, a file cannot be read or written, or
//! solc cannot be run.
mod args;
mod emit;
mod report;

use crate::project::Output;
use crate::solc::{Solc, SolcError};
use crate::standard_json;
use args::Args;
use clap::Parser;
use serde_json::Value;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const FAILED: u8 = 1;
const UNUSABLE: u8 = 2;

/// What keeps the program from compiling anything.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error("{0}")]
    Usage(String),
    #[error("{path} cannot be read: {error}")]
    Read { path: PathBuf, error: std::io::Error },
    #[error("{path} cannot be written: {error}")]
    Write { path: PathBuf, error: std::io::Error },
    #[error("standard output cannot be written: {0}")]
    Stdout(std::io::Error),
    #[error(transparent)]
    Solc(#[from] SolcError),
    #[error(transparent)]
    Input(#[from] standard_json::InputError),
}

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        // A reader that has seen enough, as `head` has.
        Err(CliError::Stdout(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} {error}", report::severity("Error:", std::io::stderr().is_terminal()));
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Whether the sources were without errors.
fn run(args: &Args) -> Result<bool, CliError> {
    if args.version {
        print(&version()?)?;
        return Ok(true);
    }
    if let Some(file) = &args.standard_json {
        let text = read(file)?;
        // Errors are in the answer: as with solc, a run that gives one is a success.
        print(&standard_json::answer(&text, args.paths(), args.options()?).to_string())?;
        return Ok(true);
    }
    let project = args.project()?;
    let output = project.compile()?;
    let errors = standard_json::errors(&output);
    let failed = errors.iter().any(|error| error["severity"] == "error");
    if args.json {
        print(&format!("{:#}\n", report::summary(&output, &errors)))?;
        return Ok(!failed);
    }
    report::print_errors(&errors);
    if !failed {
        show(args, &output)?;
    }
    Ok(!failed)
}

/// What was asked for, or else the summary.
fn show(args: &Args, output: &Output) -> Result<(), CliError> {
    match &args.output_dir {
        Some(folder) => {
            let kinds = if args.emit.is_empty() { &emit::Kind::USUAL[..] } else { &args.emit[..] };
            let written = emit::to_folder(output, kinds, folder, args.overwrite)?;
            print(&format!("{}{written} files written to {}\n", report::text(output), folder.display()))
        }
        None if args.emit.is_empty() => print(&report::text(output)),
        None => print(&emit::to_text(output, &args.emit)),
    }
}

/// solc's two lines and ours between. The last line must be solc's version: Foundry reads that one, and takes it for
/// what pragmas ask for.
fn version() -> Result<String, CliError> {
    let own = env!("CARGO_PKG_VERSION");
    let solc = Solc::find()?;
    let (number, build) = solc.long_version.split_once('+').unwrap_or((&solc.long_version, "solc"));
    Ok(format!(
        "lathec, the Lathe compiler commandline interface\nLathe version: {own}\nVersion: {number}+{build}.lathe.{own}\n"
    ))
}

fn read(file: &std::path::Path) -> Result<String, CliError> {
    let mut text = String::new();
    let result = if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    result.map_err(|error| CliError::Read { path: file.to_owned(), error })
}

fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(CliError::Stdout)
}

/// A string within solc's output, empty if it is not there.
fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => format!("{other:#}"),
    }
}
