//! `prover-bench compiler`: the same contracts on the EVM and on Lathe's machine. Every call runs on both and its answer, logs
//! and storage are compared; a call that differs, or that a script says must succeed and does not, is an error, never a row.
mod scripts;

use crate::measure::median;
use crate::results;
use crate::{Failure, machine::Machine};
use lathe_compiler::compile::{Contract, Level};
use lathe_oracle::corpus::{self, Compiled, Runs};
use lathe_oracle::draw::{ACCOUNTS, Call, Draw};
use lathe_oracle::evm::Status;
use lathe_oracle::twin::{Agreed, Trouble, Twin};
use lathe_oracle::world::World;
use lathe_vm::word::Word;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Optimisation level: 0, 1, 2, 3 or z.
    #[arg(long, short = 'O', default_value = "3", value_parser = level)]
    pub level: Level,
    /// Only contracts whose name contains this.
    #[arg(long)]
    pub filter: Option<String>,
    /// Times each contract is compiled; the table shows the median.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    /// Fail unless the targets of the compiler are met.
    #[arg(long)]
    pub require: bool,
    /// Write the figures as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

fn level(text: &str) -> Result<Level, String> {
    match text {
        "0" => Ok(Level::O0),
        "1" => Ok(Level::O1),
        "2" => Ok(Level::O2),
        "3" => Ok(Level::O3),
        "z" => Ok(Level::Oz),
        other => Err(format!("`{other}`: expected 0, 1, 2, 3 or z")),
    }
}

/// Steps per opcode over all calls, at most.
const STEPS: f64 = 0.6;
/// The same for an ERC-20 transfer.
const TRANSFER_STEPS: f64 = 0.5;
/// Bytes of a runtime page per byte of EVM code, at most.
const BYTES: f64 = 2.5;
/// OpenZeppelin's ERC-20 in milliseconds, at most.
const ERC20_MS: f64 = 2000.0;
/// Calls drawn for each function that no script names, and how many that succeed are counted.
const DRAWN: (usize, usize) = (64, 8);

/// One function of one contract.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The contract.
    pub contract: String,
    /// The call.
    pub call: String,
    /// Steps on Lathe's machine.
    pub vm_steps: u64,
    /// Opcodes on the EVM.
    pub evm_opcodes: u64,
    /// Steps per opcode.
    pub ratio: f64,
    /// Bytes of the runtime page.
    pub vm_bytes: usize,
    /// Bytes of the EVM's runtime code.
    pub evm_bytes: usize,
    /// Milliseconds from Yul to pages.
    pub compile_ms: f64,
}

/// What all rows together say.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Means {
    /// Geometric mean of the rows' ratios.
    pub steps_ratio: f64,
    /// Of the rows that are an ERC-20 `transfer`.
    pub erc20_transfer_ratio: f64,
    /// Of page bytes to EVM bytes, a contract counted once; contracts that only compile are counted too.
    pub bytes_ratio: f64,
    /// Compiling OpenZeppelin's ERC-20.
    pub open_zeppelin_erc20_compile_ms: f64,
}

/// A contract's sizes, rows or not.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// The contract.
    pub contract: String,
    /// Bytes of the runtime page.
    pub vm_bytes: usize,
    /// Bytes of the EVM's runtime code.
    pub evm_bytes: usize,
    /// Milliseconds from Yul to pages.
    pub compile_ms: f64,
}

/// What the command gives.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// The machine.
    pub machine: Machine,
    /// The level.
    pub level: String,
    /// Calls.
    pub rows: Vec<Row>,
    /// Contracts.
    pub contracts: Vec<Size>,
    /// All together.
    pub means: Means,
}

/// Measures and prints.
///
/// # Errors
/// solc or the packages missing, a contract that does not compile, a call that differs, with `--require` a target missed.
pub fn run(args: &Args) -> Result<(), Failure> {
    let figures = measure(args)?;
    print(&figures);
    if let Some(file) = &args.json {
        results::write(file, &figures)?;
    }
    let missed = missed(&figures.means);
    match args.require && !missed.is_empty() {
        true => Err(missed.join("; ").into()),
        false => Ok(()),
    }
}

/// Compiles and runs the corpus.
///
/// # Errors
/// As [`run`], but for the targets.
pub fn measure(args: &Args) -> Result<Figures, Failure> {
    eprintln!("  solc compiles the corpus");
    let all = corpus::compiled().map_err(ToString::to_string)?;
    let wanted = |c: &&Compiled| args.filter.as_ref().is_none_or(|f| c.name.contains(f.as_str()));
    let (mut rows, mut contracts) = (Vec::new(), Vec::new());
    for contract in all.iter().filter(wanted) {
        eprintln!("  {}", contract.name);
        let (pages, size) = compile(contract, args)?;
        rows.extend(calls(contract, &pages, &size)?);
        contracts.push(size);
    }
    if rows.is_empty() {
        return Err("no contract of that name has a call that runs".into());
    }
    let means = means(&rows, &contracts);
    let level = format!("{:?}", args.level);
    Ok(Figures { machine: Machine::here(), level, rows, contracts, means })
}

fn compile(contract: &Compiled, args: &Args) -> Result<(Contract, Size), Failure> {
    let (mut times, mut pages) = (Vec::new(), None);
    for _ in 0..args.runs {
        let clock = Instant::now();
        let made = contract.pages(args.level).map_err(|errors| format!("{}: {errors:?}", contract.name))?;
        times.push(clock.elapsed().as_secs_f64() * 1000.0);
        pages = Some(made);
    }
    let pages = pages.ok_or("no run")?;
    let page = pages.runtime.as_ref().unwrap_or(&pages.deploy);
    let size = Size {
        contract: contract.name.clone(),
        vm_bytes: page.words.len() * 8,
        evm_bytes: contract.evm_bytes,
        compile_ms: median(&times),
    };
    Ok((pages, size))
}

/// The rows of a contract: its script's calls, and drawn calls of the functions that no script names.
fn calls(contract: &Compiled, pages: &Contract, size: &Size) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let script = scripts::of(&contract.name);
    if let Some(script) = script {
        let arguments = script.constructor(contract);
        let failed = || format!("{}: the scripted constructor fails", contract.name);
        let mut twin = deploy(contract, pages, &arguments)?.ok_or_else(failed)?;
        for step in script.calls {
            let agreed = twin.call(&step.call(contract)?).map_err(|t| told(contract, &t))?;
            if agreed.evm.status != Status::Success {
                return Err(format!("{}: the scripted call of {} fails", contract.name, step.function).into());
            }
            rows.push(row(size, step.function, agreed.steps, agreed.evm.opcodes));
        }
    }
    if contract.runs == Runs::InScenarios {
        return Ok(rows);
    }
    let scripted = |name: &str| script.is_some_and(|s| s.calls.iter().any(|c| c.function == name));
    for function in contract.functions() {
        let name = function.signature.split('(').next().unwrap_or_default();
        if !scripted(name) {
            rows.extend(drawn(contract, pages, size, function)?);
        }
    }
    Ok(rows)
}

/// One function with drawn arguments: the sums over the calls that succeed.
fn drawn(
    contract: &Compiled,
    pages: &Contract,
    size: &Size,
    function: &lathe_oracle::abi::Function,
) -> Result<Option<Row>, Failure> {
    let mut draw = Draw::new(1);
    let mut twin = None;
    let (mut steps, mut opcodes, mut counted) = (0, 0, 0);
    for _ in 0..DRAWN.0 {
        if twin.is_none() {
            twin = deploy(contract, pages, &draw.constructor(&contract.abi))?;
        }
        let Some(machines) = twin.as_mut() else { continue };
        let data = function.call(&draw.values(&function.inputs));
        let from = ACCOUNTS[0];
        let call = Call { name: function.signature.clone(), from, value: Word::ZERO, data };
        match machines.call(&call) {
            Ok(Agreed { evm, steps: taken }) if evm.status == Status::Success => {
                steps += taken;
                opcodes += evm.opcodes;
                counted += 1;
            }
            Ok(_) => {}
            // Arguments that ask for too much; the machines' states have parted.
            Err(Trouble::OutOfResources(_)) => twin = None,
            Err(trouble) => return Err(told(contract, &trouble)),
        }
        if counted == DRAWN.1 {
            break;
        }
    }
    let name = function.signature.split('(').next().unwrap_or_default();
    Ok((counted > 0).then(|| row(size, name, steps, opcodes)))
}

fn deploy(contract: &Compiled, pages: &Contract, arguments: &[u8]) -> Result<Option<Twin>, Failure> {
    let mut world = World::new();
    match contract.deploy(&mut world, ACCOUNTS[0], pages, arguments, Word::ZERO) {
        Ok((_, address)) => Ok(address.map(|address| Twin { world, address })),
        Err(Trouble::OutOfResources(_)) => Ok(None),
        Err(trouble) => Err(told(contract, &trouble)),
    }
}

fn told(contract: &Compiled, trouble: &Trouble) -> Failure {
    format!("{}: {trouble}", contract.name).into()
}

fn row(size: &Size, call: &str, steps: u64, opcodes: u64) -> Row {
    Row {
        contract: size.contract.clone(),
        call: call.into(),
        vm_steps: steps,
        evm_opcodes: opcodes,
        ratio: steps as f64 / opcodes.max(1) as f64,
        vm_bytes: size.vm_bytes,
        evm_bytes: size.evm_bytes,
        compile_ms: size.compile_ms,
    }
}

/// The geometric mean; not a number for an empty list.
fn geometric(values: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = values.map(f64::ln).collect();
    (logs.iter().sum::<f64>() / logs.len() as f64).exp()
}

fn means(rows: &[Row], contracts: &[Size]) -> Means {
    let transfers =
        rows.iter().filter(|r| r.call == "transfer" && r.contract.to_lowercase().contains("erc20"));
    let erc20 = contracts.iter().find(|c| c.contract == "OzErc20");
    Means {
        steps_ratio: geometric(rows.iter().map(|r| r.ratio)),
        erc20_transfer_ratio: geometric(transfers.map(|r| r.ratio)),
        bytes_ratio: geometric(contracts.iter().map(|c| c.vm_bytes as f64 / c.evm_bytes.max(1) as f64)),
        open_zeppelin_erc20_compile_ms: erc20.map_or(f64::NAN, |c| c.compile_ms),
    }
}

/// The targets, those that are not met. What was filtered out is not a number and misses nothing.
fn missed(m: &Means) -> Vec<String> {
    let targets = [
        ("steps per opcode", m.steps_ratio, STEPS),
        ("steps per opcode of an ERC-20 transfer", m.erc20_transfer_ratio, TRANSFER_STEPS),
        ("page bytes per EVM byte", m.bytes_ratio, BYTES),
        ("ms to compile OpenZeppelin's ERC-20", m.open_zeppelin_erc20_compile_ms, ERC20_MS),
    ];
    let over = targets.iter().filter(|(_, value, most)| value > most);
    over.map(|(what, value, most)| format!("{what}: {value:.2}, at most {most}")).collect()
}

fn print(f: &Figures) {
    println!("{}, -{}", f.machine.line(), f.level);
    println!("\n{:<18} {:<28} {:>9} {:>9} {:>6}", "contract", "call", "steps", "opcodes", "ratio");
    for r in &f.rows {
        println!("{:<18} {:<28} {:>9} {:>9} {:>6.2}", r.contract, r.call, r.vm_steps, r.evm_opcodes, r.ratio);
    }
    println!(
        "\n{:<18} {:>10} {:>10} {:>6} {:>11}",
        "contract", "page bytes", "EVM bytes", "ratio", "compile ms"
    );
    for c in &f.contracts {
        let ratio = c.vm_bytes as f64 / c.evm_bytes.max(1) as f64;
        println!(
            "{:<18} {:>10} {:>10} {ratio:>6.2} {:>11.0}",
            c.contract, c.vm_bytes, c.evm_bytes, c.compile_ms
        );
    }
    let m = &f.means;
    println!("\ngeometric means (at most)");
    println!("  steps per opcode                 {:>6.3}  ({STEPS})", m.steps_ratio);
    println!("  the same, ERC-20 transfer        {:>6.3}  ({TRANSFER_STEPS})", m.erc20_transfer_ratio);
    println!("  page bytes per EVM byte          {:>6.3}  ({BYTES})", m.bytes_ratio);
    println!("OpenZeppelin's ERC-20 compiles in {:.0} ms ({ERC20_MS:.0})", m.open_zeppelin_erc20_compile_ms);
}
