//! The contracts that the compiler is held to, compiled for both machines: `compiler/corpus`, our own and thin ones over
//! packages from npm.
use crate::abi::{Abi, Function};
use crate::draw::ACCOUNTS;
use crate::solc::{self, SolcError};
use crate::stage::Stage;
use crate::world::{Agreed, Trouble, World};
use lathe_compiler::compile::{Contract, Level, Options, compile};
use lathe_compiler::diagnostic::Diagnostic;
use lathe_vm::sandbox::contract_address;
use lathe_vm::word::Word;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

/// What of a contract is called with drawn arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// All of it.
    All,
    /// Nothing, as no drawn call would succeed: it needs certain contracts around it, which scenarios put there.
    InScenarios,
}

/// A contract of the corpus.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its file below `compiler/corpus`.
    pub file: &'static str,
    /// Its name, unique in the corpus.
    pub name: &'static str,
    /// What of it is called with drawn arguments.
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
    entry("Libraries.sol", "Libraries", Runs::All),
    entry("Libraries.sol", "Sums", Runs::InScenarios),
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
    entry("Factory.sol", "Factory", Runs::All),
    entry("Pair.sol", "Pair", Runs::All),
    entry("Pair.sol", "PairFactory", Runs::All),
    entry("Calls.sol", "Leaf", Runs::InScenarios),
    entry("Calls.sol", "Nest", Runs::InScenarios),
    entry("Multisig.sol", "Multisig", Runs::InScenarios),
    entry("Accounts.sol", "EntryPoint", Runs::InScenarios),
    entry("Accounts.sol", "Account", Runs::InScenarios),
    entry("Accounts.sol", "AccountFactory", Runs::InScenarios),
    entry("Accounts.sol", "Paymaster", Runs::InScenarios),
    entry("Limits.sol", "Limits", Runs::InScenarios),
    entry("Limits.sol", "Doomed", Runs::InScenarios),
    entry("Heists.sol", "NaiveBank", Runs::InScenarios),
    entry("Heists.sol", "GuardedBank", Runs::InScenarios),
    entry("Heists.sol", "TransientBank", Runs::InScenarios),
    entry("Heists.sol", "StipendBank", Runs::InScenarios),
    entry("Heists.sol", "Thief", Runs::InScenarios),
    entry("Wills.sol", "Mortal", Runs::InScenarios),
    entry("Wills.sol", "Undertaker", Runs::InScenarios),
    entry("npm/OpenZeppelin.sol", "OzErc20", Runs::All),
    entry("npm/OpenZeppelin.sol", "OzErc20Full", Runs::All),
    entry("npm/OpenZeppelin.sol", "OzErc721", Runs::All),
    entry("npm/OpenZeppelin.sol", "OzErc1155", Runs::All),
    entry("npm/OpenZeppelin.sol", "OzAccessControl", Runs::All),
    entry("npm/OpenZeppelin.sol", "OzVault", Runs::InScenarios),
    entry("npm/Proxies.sol", "OzProxy", Runs::InScenarios),
    entry("npm/Proxies.sol", "OzTransparentProxy", Runs::InScenarios),
    entry("npm/Proxies.sol", "OzBeacon", Runs::InScenarios),
    entry("npm/Proxies.sol", "OzBeaconProxy", Runs::InScenarios),
    entry("npm/Proxies.sol", "OzUpgradeable", Runs::All),
    entry("npm/Solmate.sol", "SolmateErc20", Runs::All),
    entry("npm/Solmate.sol", "SolmateErc721", Runs::All),
    entry("npm/Solmate.sol", "SolmateErc1155", Runs::All),
    entry("npm/Solmate.sol", "SolmateVault", Runs::InScenarios),
    entry("npm/Solmate.sol", "SolmateWeth", Runs::All),
    entry("npm/Solady.sol", "SoladyErc20", Runs::All),
    entry("npm/Solady.sol", "SoladyErc721", Runs::All),
    entry("npm/Solady.sol", "SoladyErc1155", Runs::All),
    entry("npm/Solady.sol", "SoladyVault", Runs::All),
    entry("npm/Solady.sol", "SoladyLibraries", Runs::All),
];

/// Where the library `Sums` is linked to: what the first account deploys first is there.
fn sums() -> [u8; 20] {
    contract_address(ACCOUNTS[0], 0)
}

/// A world in which that library is, so that the first account's next contract can call it.
///
/// # Errors
/// A text that says what went wrong.
pub fn world_with_libraries(level: Level) -> Result<World, String> {
    let (library, pages) = built("Sums", level)?;
    let mut world = World::new();
    let deployed = library.deploy(&mut world, ACCOUNTS[0], &pages, &[], Word::ZERO);
    match deployed.map_err(|trouble| trouble.to_string())? {
        (_, Some(address)) if address == sums() => Ok(world),
        (_, address) => Err(format!("the library is deployed at {address:02x?}")),
    }
}

/// A contract as solc made it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its name.
    pub name: String,
    /// What of it is called with drawn arguments.
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
    /// The functions to call with drawn arguments.
    pub fn functions(&self) -> Vec<&Function> {
        match self.runs {
            Runs::All => self.abi.functions.iter().collect(),
            Runs::InScenarios => Vec::new(),
        }
    }

    /// Deploys in a world, with everything known that it creates; `None` if both machines refuse.
    ///
    /// # Errors
    /// A difference, or a machine that gives up.
    pub fn deploy(
        &self,
        world: &mut World,
        from: [u8; 20],
        pages: &Contract,
        arguments: &[u8],
        value: Word,
    ) -> Result<(Agreed, Option<[u8; 20]>), Trouble> {
        announce_created(world, pages)?;
        world.deploy(from, &self.initcode, pages, arguments, value)
    }

    /// Our compiler's code at a level.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn pages(&self, level: Level) -> Result<Contract, Vec<Diagnostic>> {
        let libraries = BTreeMap::from([("Libraries.sol:Sums".to_string(), sums())]);
        compile(&self.yul, &Options { level, libraries, ..Options::default() })
    }
}

/// Announces what a contract creates, and what that creates.
///
/// # Errors
/// Code that is no page.
pub fn announce_created(stage: &mut impl Stage, pages: &Contract) -> Result<(), Trouble> {
    for created in &pages.created {
        // An object's name is the contract's with a number behind it.
        let name = created.deploy.name.rsplit_once('_').map_or("", |(name, _)| name);
        if let Some(initcode) = corpus().ok().and_then(|known| known.initcodes.get(name)) {
            stage.announce(initcode, created)?;
        }
        announce_created(stage, created)?;
    }
    Ok(())
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
    corpus().map(|corpus| &corpus.contracts[..])
}

/// What solc made of the corpus.
struct Corpus {
    contracts: Vec<Compiled>,
    /// EVM creation code of everything with code, what the packages bring included, by the contract's name.
    initcodes: BTreeMap<String, Vec<u8>>,
}

fn corpus() -> Result<&'static Corpus, &'static SolcError> {
    static KNOWN: OnceLock<Result<Corpus, SolcError>> = OnceLock::new();
    KNOWN.get_or_init(compile_all).as_ref()
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

fn compile_all() -> Result<Corpus, SolcError> {
    let packages = folder().join("node_modules");
    if !packages.is_dir() {
        return Err(SolcError::Packages(packages));
    }
    let mut sources = BTreeMap::new();
    for entry in CORPUS {
        sources.insert(entry.file.to_string(), read(&folder().join(entry.file))?);
    }
    let settings =
        json!({ "libraries": { "Libraries.sol": { "Sums": format!("0x{}", hex::encode(sums())) } } });
    let output = solc::solidity(sources, &packages, &settings)?;
    let contracts = CORPUS.iter().map(|entry| one(entry, &output["contracts"][entry.file][entry.name]));
    let contracts = contracts.collect::<Result<_, _>>()?;
    let files = output["contracts"].as_object().into_iter().flatten();
    let all = files.flat_map(|(_, file)| file.as_object().into_iter().flatten());
    let initcode = |contract: &serde_json::Value| {
        let text = contract["evm"]["bytecode"]["object"].as_str()?;
        hex::decode(text).ok().filter(|code| !code.is_empty())
    };
    let initcodes = all.filter_map(|(name, contract)| Some((name.clone(), initcode(contract)?))).collect();
    Ok(Corpus { contracts, initcodes })
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
