//! The contracts that the compiler is held to, compiled for both machines: `compiler/corpus`, our own and thin ones over
//! packages from npm.
use crate::abi::{Abi, Function};
use crate::solc::{self, SolcError};
use lathe_compiler::compile::{Contract, Level, Options, compile};
use lathe_compiler::diagnostic::Diagnostic;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

/// What of a contract runs before contracts can call each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// All of it.
    All,
    /// All but these functions.
    Without(&'static [&'static str]),
    /// These functions.
    Only(&'static [&'static str]),
    /// Nothing: its constructor calls others. It must compile all the same.
    Nothing,
}

/// A contract of the corpus.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its file below `compiler/corpus`.
    pub file: &'static str,
    /// Its name, unique in the corpus.
    pub name: &'static str,
    /// What of it runs.
    pub runs: Runs,
}

const fn entry(file: &'static str, name: &'static str, runs: Runs) -> Entry {
    Entry { file, name, runs }
}

/// Every contract with code of the corpus.
pub const CORPUS: &[Entry] = &[
    entry("Token.sol", "Token", Runs::All),
    entry("Arithmetic.sol", "Arithmetic", Runs::All),
    entry("Structures.sol", "Structures", Runs::All),
    entry("Strings.sol", "Strings", Runs::All),
    entry("Immutables.sol", "Immutables", Runs::All),
    entry("Libraries.sol", "Libraries", Runs::Only(&["sorted"])),
    entry("Assembly.sol", "Assembly", Runs::All),
    entry("Transient.sol", "Transient", Runs::All),
    entry("Errors.sol", "Errors", Runs::All),
    entry("Receiver.sol", "Receiver", Runs::All),
    entry("Receiver.sol", "Closed", Runs::All),
    entry("Events.sol", "Events", Runs::All),
    entry("Inheritance.sol", "Inheritance", Runs::All),
    entry("Inheritance.sol", "Left", Runs::All),
    entry("Codec.sol", "Codec", Runs::All),
    entry("Pointers.sol", "Pointers", Runs::All),
    entry("Bits.sol", "Bits", Runs::All),
    entry("Loops.sol", "Loops", Runs::All),
    entry("Environment.sol", "Environment", Runs::All),
    entry("Factory.sol", "Child", Runs::All),
    entry("Factory.sol", "Factory", Runs::Only(&["count", "children"])),
    entry("Pair.sol", "Pair", Runs::Without(&["mint", "burn", "sync"])),
    entry("Pair.sol", "PairFactory", Runs::Without(&["createPair"])),
    entry("npm/OpenZeppelin.sol", "OzErc20", Runs::All),
    entry("npm/OpenZeppelin.sol", "OzErc20Full", Runs::Without(&["permit"])),
    entry("npm/OpenZeppelin.sol", "OzErc721", Runs::All),
    entry("npm/OpenZeppelin.sol", "OzErc1155", Runs::All),
    entry("npm/OpenZeppelin.sol", "OzAccessControl", Runs::All),
    entry("npm/OpenZeppelin.sol", "OzVault", Runs::Nothing),
    entry("npm/Proxies.sol", "OzProxy", Runs::Nothing),
    entry("npm/Proxies.sol", "OzTransparentProxy", Runs::Nothing),
    entry("npm/Proxies.sol", "OzBeacon", Runs::Nothing),
    entry("npm/Proxies.sol", "OzBeaconProxy", Runs::Nothing),
    entry("npm/Proxies.sol", "OzUpgradeable", Runs::All),
    entry("npm/Solmate.sol", "SolmateErc20", Runs::Without(&["permit"])),
    entry("npm/Solmate.sol", "SolmateErc721", Runs::All),
    entry("npm/Solmate.sol", "SolmateErc1155", Runs::All),
    entry("npm/Solmate.sol", "SolmateVault", Runs::Nothing),
    entry("npm/Solmate.sol", "SolmateWeth", Runs::Without(&["permit", "withdraw"])),
    entry("npm/Solady.sol", "SoladyErc20", Runs::Without(&["permit"])),
    entry("npm/Solady.sol", "SoladyErc721", Runs::All),
    entry("npm/Solady.sol", "SoladyErc1155", Runs::All),
    entry(
        "npm/Solady.sol",
        "SoladyVault",
        Runs::Only(&["asset", "name", "symbol", "approve", "balanceOf", "transfer"]),
    ),
    entry("npm/Solady.sol", "SoladyLibraries", Runs::All),
];

/// Where the library `Sums` is linked to.
const SUMS: [u8; 20] = [0x55; 20];

/// A contract as solc made it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its name.
    pub name: String,
    /// What of it runs.
    pub runs: Runs,
    /// Its ABI.
    pub abi: Abi,
    /// solc's optimised Yul.
    pub yul: String,
    /// EVM creation code.
    pub initcode: Vec<u8>,
    /// Length of the EVM's runtime code.
    pub evm_bytes: usize,
}

impl Compiled {
    /// The functions that run.
    pub fn functions(&self) -> Vec<&Function> {
        let named = |function: &Function, list: &[&str]| {
            list.iter().any(|name| function.signature.split('(').next() == Some(name))
        };
        let runs = |function: &&Function| match self.runs {
            Runs::All => true,
            Runs::Without(list) => !named(function, list),
            Runs::Only(list) => named(function, list),
            Runs::Nothing => false,
        };
        self.abi.functions.iter().filter(runs).collect()
    }

    /// Our compiler's code at a level.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn pages(&self, level: Level) -> Result<Contract, Vec<Diagnostic>> {
        let libraries = BTreeMap::from([("Libraries.sol:Sums".to_string(), SUMS)]);
        compile(&self.yul, &Options { level, libraries, ..Options::default() })
    }
}

/// The folder of the corpus.
pub fn folder() -> PathBuf {
    solc::root().join("compiler/corpus")
}

/// The whole corpus, compiled by solc once per process.
///
/// # Errors
/// A source that cannot be read or that solc refuses; packages that are not installed.
pub fn compiled() -> Result<&'static [Compiled], &'static SolcError> {
    static KNOWN: OnceLock<Result<Vec<Compiled>, SolcError>> = OnceLock::new();
    KNOWN.get_or_init(compile_all).as_ref().map(Vec::as_slice)
}

/// One contract of the corpus with our code for it; the code is made once per process and level.
///
/// # Errors
/// A text that says what went wrong: no such contract, solc, or our compiler.
pub fn built(name: &str, level: Level) -> Result<(&'static Compiled, Contract), String> {
    static KNOWN: Mutex<BTreeMap<String, Contract>> = Mutex::new(BTreeMap::new());
    let all = compiled().map_err(ToString::to_string)?;
    let contract = all.iter().find(|contract| contract.name == name);
    let contract = contract.ok_or_else(|| format!("the corpus has no contract {name}"))?;
    let key = format!("{name} {level:?}");
    let locked = || KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(pages) = locked().get(&key) {
        return Ok((contract, pages.clone()));
    }
    let pages = contract.pages(level).map_err(|errors| told(name, &errors))?;
    locked().insert(key, pages.clone());
    Ok((contract, pages))
}

fn told(name: &str, errors: &[Diagnostic]) -> String {
    let lines: Vec<String> =
        errors.iter().map(|error| format!("{name}: {error} at {:?}", error.loc)).collect();
    lines.join("\n")
}

fn compile_all() -> Result<Vec<Compiled>, SolcError> {
    let packages = folder().join("node_modules");
    if !packages.is_dir() {
        return Err(SolcError::Packages(packages));
    }
    let mut sources = BTreeMap::new();
    for entry in CORPUS {
        sources.insert(entry.file.to_string(), read(&folder().join(entry.file))?);
    }
    let settings =
        json!({ "libraries": { "Libraries.sol": { "Sums": format!("0x{}", hex::encode(SUMS)) } } });
    let output = solc::solidity(sources, &packages, &settings)?;
    CORPUS.iter().map(|entry| one(entry, &output["contracts"][entry.file][entry.name])).collect()
}

fn one(entry: &Entry, contract: &serde_json::Value) -> Result<Compiled, SolcError> {
    let code = |part: &str| {
        let text = contract["evm"][part]["object"].as_str().unwrap_or_default();
        hex::decode(text).map_err(|_| SolcError::NoCode(format!("{}: {part}", entry.name)))
    };
    Ok(Compiled {
        name: entry.name.into(),
        runs: entry.runs,
        abi: Abi::read(&contract["abi"]),
        yul: contract["irOptimized"].as_str().unwrap_or_default().into(),
        initcode: code("bytecode")?,
        evm_bytes: code("deployedBytecode")?.len(),
    })
}

fn read(path: &Path) -> Result<String, SolcError> {
    std::fs::read_to_string(path).map_err(|error| SolcError::File(path.into(), error))
}
