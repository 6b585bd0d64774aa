//! The `lathe` binary: reads the command line, sets up logs and runs one subcommand.
use clap::Parser;
use lathe::cli::{Cli, Command};
use lathe::commands::{CommandError, debug, run, serve, setup, status, submit, verify};
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("LATHE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi).init();
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lathe: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(config) => serve::run(*config).await,
            Command::Submit(args) => submit::run(args).await,
            Command::Status(args) => status::run(args).await,
            Command::Setup(args) => setup::run(args).await,
            Command::Verify(args) => verify::run(&args),
            Command::Run(args) => run::run(&args),
            Command::Debug(args) => debug::run(&args),
            Command::Demo(args) => lathe::demo::run(args).await,
        }
    });
    // A proof cut off by a stop has nothing left to save: do not wait for its thread.
    runtime.shutdown_background();
    result
}
