//! Makes the pages of a kernel folder from their sources, or checks that they are what the sources compile to.
use clap::Parser;
use lathe_compiler::kernel::{self, KernelError};
use std::path::PathBuf;
use std::process::ExitCode;

/// Compiles a folder's kernels (NAME.yul) and system contracts (system/NAME.sol) to pages beside them.
#[derive(Debug, Parser)]
#[command(name = "lathec-kernel", version, about, after_help = "Example:\n  lathec-kernel vm/kernel")]
struct Arguments {
    /// The folder.
    folder: PathBuf,
    /// Writes nothing; says what differs, and fails if anything does.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("lathec-kernel: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether the folder is as it should be.
fn run(arguments: &Arguments) -> Result<bool, KernelError> {
    let files = kernel::build(&arguments.folder)?;
    if !arguments.check {
        kernel::write(&arguments.folder, &files)?;
        print!("{}", files.get(std::path::Path::new(kernel::HASHES)).map_or("", String::as_str));
        return Ok(true);
    }
    let differences = kernel::differences(&arguments.folder, &files)?;
    for difference in &differences {
        eprintln!("{difference}");
    }
    if !differences.is_empty() {
        eprintln!("run `make kernel`, and commit what it changes if that was meant");
    }
    Ok(differences.is_empty())
}
