//! `lathe run`: compiles a contract with `lathec`, deploys it in a sandbox and calls it.
mod calls;
mod report;

use super::{CommandError, print_json};
use crate::inspect::InspectError;
use crate::inspect::abi::{encode_call, encode_constructor, word};
use crate::inspect::flame;
use crate::inspect::profile::Profile;
use crate::inspect::project::{Contract, Project, Settings};
use crate::inspect::steps::{Listing, Row};
use alloy::primitives::{Address, U256};
use calls::{Calls, wei};
use clap::Args;
use lathe_vm::sandbox::{Answer, Message, Sandbox, Seen, Stopped, contract_address};
use report::{Called, Report};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, Args)]
pub struct Run {
    /// Solidity file.
    pub file: PathBuf,
    /// The contract, if the file has several: `Name` or `file:Name`.
    #[arg(long, value_name = "NAME")]
    pub contract: Option<String>,
    /// Arguments of the constructor.
    #[arg(long, num_args = 1.., allow_negative_numbers = true, value_name = "VALUE")]
    pub args: Vec<String>,
    /// The calls, with what belongs to each.
    #[command(flatten)]
    pub calls: Calls,
    /// Wei that the sender has before it deploys; units as in `1 ether`.
    #[arg(long, value_parser = wei, default_value = "1000000 ether", value_name = "WEI")]
    pub balance: U256,
    /// Print every step with its instruction, operands and source line.
    #[arg(long)]
    pub trace: bool,
    /// Steps that --trace prints of each call.
    #[arg(long, default_value_t = 10_000, value_name = "STEPS")]
    pub trace_limit: u64,
    /// Print where steps and proving cost go, and write a flame graph.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "profile.svg", value_name = "SVG")]
    pub profile: Option<PathBuf>,
    /// Folders to look for imports in.
    #[arg(long, value_name = "DIR")]
    pub include_path: Vec<PathBuf>,
    /// Import remappings, `[context:]prefix=target`.
    #[arg(long, value_name = "PREFIX=TARGET")]
    pub remapping: Vec<String>,
    /// Level of LLVM's optimiser: 0, 1, 2, 3 or z.
    #[arg(short = 'O', value_name = "LEVEL")]
    pub level: Option<String>,
    /// Do not optimise the Yul before LLVM does: slightly other code, more of which knows its source line.
    #[arg(long)]
    pub no_yul_optimizer: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Deploys and calls.
///
/// # Errors
/// Sources with errors, arguments that do not fit, or a call that fails.
pub fn run(args: &Run) -> Result<(), CommandError> {
    let settings = Settings {
        level: args.level.clone(),
        no_yul_optimizer: args.no_yul_optimizer,
        include_paths: args.include_path.clone(),
        remappings: args.remapping.clone(),
    };
    let (project, libraries) = compile(args, &settings)?;
    if !args.json {
        project.warnings.iter().for_each(|warning| eprintln!("{warning}\n"));
    }
    let contract = project.choose(args.contract.as_deref())?;
    let mut session = Session::new(args, &project, contract);
    let done = session.libraries(&libraries).and_then(|()| session.all());
    session.finish()?;
    done
}

/// Compiles; libraries that are called at their address get those at which [`Session::libraries`] deploys them.
fn compile(args: &Run, settings: &Settings) -> Result<(Project, Vec<String>), InspectError> {
    let project = Project::compile(&args.file, settings, &BTreeMap::new())?;
    let missing: Vec<String> = project.missing_libraries().into_iter().collect();
    if missing.is_empty() {
        return Ok((project, missing));
    }
    let addresses = (0..).zip(&missing).map(|(n, name)| (name.clone(), contract_address(LIBRARIAN, n)));
    Ok((Project::compile(&args.file, settings, &addresses.collect())?, missing))
}

/// Who deploys libraries, so that the sender's own nonces begin at 0.
const LIBRARIAN: [u8; 20] = *b"lathe run: libraries";

/// One run of the command.
struct Session<'a> {
    args: &'a Run,
    project: &'a Project,
    contract: &'a Contract,
    sandbox: Sandbox,
    profile: Option<Profile<'a>>,
    report: Report,
}

impl<'a> Session<'a> {
    fn new(args: &'a Run, project: &'a Project, contract: &'a Contract) -> Session<'a> {
        let mut sandbox = Sandbox::new();
        for code in project.contracts.iter().flat_map(|c| c.deploy.iter().chain(&c.runtime)) {
            sandbox.add_code(code.page.clone());
        }
        for from in args.calls.senders() {
            sandbox.set_balance(from.into_array(), word(args.balance));
        }
        let profile = args.profile.as_ref().map(|_| Profile::new(project));
        let report = Report::new(contract, args.json);
        Session { args, project, contract, sandbox, profile, report }
    }

    /// Deploys what is linked by address.
    fn libraries(&mut self, names: &[String]) -> Result<(), CommandError> {
        for name in names {
            let library = self.project.contracts.iter().find(|c| c.full_name() == *name);
            let code = library.and_then(|c| c.deploy.as_ref()).ok_or(format!("{name} has no code"))?;
            let (_, address) =
                self.sandbox.deploy(LIBRARIAN, lathe_vm::Word::ZERO, &code.page, &[]).map_err(stopped)?;
            address.ok_or(format!("the library {name} cannot be deployed"))?;
        }
        Ok(())
    }

    /// Encodes everything before anything runs, then deploys and calls.
    fn all(&mut self) -> Result<(), CommandError> {
        let contract = self.contract;
        let arguments = encode_constructor(contract, &self.args.args)?;
        let calls = self.args.calls.list.iter().map(|call| Ok((call, encode_call(contract, &call.words)?)));
        let calls = calls.collect::<Result<Vec<_>, InspectError>>()?;
        let page = match &contract.deploy {
            Some(code) => code.page.clone(),
            None => return Err(format!("{} has no code", contract.full_name()).into()),
        };
        let (from, value) = (self.args.calls.from.into_array(), word(self.args.calls.value));
        self.sandbox.gas = Some(self.args.calls.gas);
        let (answer, address) = self.watched("constructor", |sandbox, tell| match tell {
            Some(tell) => sandbox.deploy_watched(from, value, &page, &arguments, tell),
            None => sandbox.deploy(from, value, &page, &arguments),
        })?;
        let failed = |title: &str| CommandError::from(format!("{title} failed"));
        let deployed = Called::new(self.project, "constructor", None, &answer);
        self.report.deployed(deployed, address);
        let to = address.ok_or_else(|| failed("the constructor"))?;
        let mut worst = Ok(());
        for (call, encoded) in &calls {
            self.sandbox.gas = Some(call.gas);
            let message =
                Message { from: call.from.into_array(), to, value: word(call.value), data: &encoded.data };
            let (answer, ()) = self.watched(&encoded.title, |sandbox, tell| {
                let answer = match tell {
                    Some(tell) => sandbox.call_watched(&message, tell),
                    None => sandbox.call(&message),
                };
                Ok((answer?, ()))
            })?;
            let called = Called::new(self.project, &encoded.title, encoded.function.as_ref(), &answer);
            if !called.succeeded() && worst.is_ok() {
                worst = Err(failed(&encoded.title));
            }
            self.report.called(called);
        }
        worst
    }

    /// Runs with the onlookers that the arguments ask for.
    fn watched<R>(
        &mut self,
        title: &str,
        run: impl FnOnce(&mut Sandbox, Option<&mut dyn FnMut(&Seen)>) -> Result<(Answer, R), Stopped>,
    ) -> Result<(Answer, R), CommandError> {
        let Session { args, project, sandbox, profile, report, .. } = self;
        let mut listing = args.trace.then(|| Listing::new(project, args.trace_limit));
        if let Some(profile) = profile {
            profile.begin();
        }
        let answer = if listing.is_none() && profile.is_none() {
            run(sandbox, None)
        } else {
            run(
                sandbox,
                Some(&mut |seen: &Seen| {
                    if let Some(listing) = &mut listing {
                        listing.step(seen, &mut |row: Row| report.row(row));
                    }
                    if let Some(profile) = profile {
                        profile.step(seen);
                    }
                }),
            )
        };
        listing.and_then(|listing| listing.left()).into_iter().for_each(|row| report.row(row));
        answer.map_err(|error| format!("{title}: {}", stopped(error)).into())
    }

    /// Prints what is left to print.
    fn finish(self) -> Result<(), CommandError> {
        let mut report = self.report;
        if let (Some(profile), Some(file)) = (&self.profile, &self.args.profile) {
            let title = self.contract.full_name();
            std::fs::write(file, flame::svg(profile, &title))
                .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
            report.profiled(profile, file);
        }
        if self.args.json { print_json(&report.json()) } else { Ok(()) }
    }
}

/// What stops the machine has no answer: the run is not one that a batch could hold.
fn stopped(error: Stopped) -> String {
    format!("the machine stops: {error}")
}

/// An address in the form that people know.
fn checksummed(address: [u8; 20]) -> String {
    Address::from(address).to_string()
}
