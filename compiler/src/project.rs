//! A program from its sources to compiled contracts: one run of solc, then this compiler on the Yul of each contract.
mod selection;

pub use selection::Selection;

use crate::compile::{Contract, Options, compile};
use crate::diagnostic::{Diagnostic, Loc};
use crate::solc::evm::{self, EVM_VERSION};
use crate::solc::paths::{Closure, Paths, Remapping, close, load};
use crate::solc::{Solc, SolcError};
use serde_json::{Map, Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Stack of a thread that compiles: trees are walked recursively, and solc's can be deep.
const STACK: usize = 256 << 20;

/// In what the sources are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Read by solc.
    Solidity,
    /// Read by us.
    Yul,
}

/// What to compile.
#[derive(Clone, Debug)]
pub struct Project {
    /// Of all sources.
    pub language: Language,
    /// As in standard JSON: by source unit name, with `content` or `urls`.
    pub sources: Map<String, Value>,
    /// As in standard JSON, for solc.
    pub settings: Map<String, Value>,
    /// What is wanted of which contract.
    pub selection: Selection,
    /// Where imports are looked for.
    pub paths: Paths,
    /// How contracts are compiled.
    pub options: Options,
}

/// A contract and what became of it.
#[derive(Debug)]
pub struct Compiled {
    /// Its source unit.
    pub file: String,
    /// Its name.
    pub name: String,
    /// What solc said of it.
    pub front: Map<String, Value>,
    /// Its Yul; empty for an interface or an abstract contract.
    pub yul: String,
    /// The pages. `None`: no code was asked for or there is none.
    pub result: Option<Result<Contract, Vec<Diagnostic>>>,
    /// What compiling it took, solc's part aside.
    pub time: Duration,
}

impl Compiled {
    /// solc's selectors of the methods; null if they were not asked for.
    pub fn methods(&self) -> &Value {
        self.front.get("evm").map_or(&Value::Null, |evm| &evm["methodIdentifiers"])
    }
}

/// All that came out.
#[derive(Debug)]
pub struct Output {
    /// solc's version; `None` if it was not needed.
    pub solc: Option<Solc>,
    /// solc's errors and warnings, as it gave them.
    pub errors: Vec<Value>,
    /// Ids and syntax trees of the sources, as solc gave them.
    pub source_info: Map<String, Value>,
    /// The sources with their content.
    pub sources: Map<String, Value>,
    /// Contracts in solc's order.
    pub contracts: Vec<Compiled>,
    /// What solc's run took.
    pub solc_time: Duration,
    /// What we took, all contracts together, by the clock.
    pub own_time: Duration,
}

impl Project {
    /// Compiles everything. What is wrong with the sources is in the output.
    ///
    /// # Errors
    /// solc is needed and cannot be run.
    pub fn compile(&self) -> Result<Output, SolcError> {
        let mut output = match self.language {
            Language::Solidity => self.front_end()?,
            Language::Yul => self.yul_sources(),
        };
        let start = Instant::now();
        self.compile_all(&mut output.contracts);
        output.own_time = start.elapsed();
        if self.language == Language::Solidity {
            let find = || self.find_places(&mut output);
            std::thread::scope(|scope| {
                let spawned = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, find);
                // Whatever becomes of it, the errors themselves are there already.
                spawned.map(|thread| drop(thread.join()))
            })
            .unwrap_or_default();
        }
        Ok(output)
    }

    /// solc's optimiser forgets where most of its Yul comes from. For contracts that we refuse, its unoptimised Yul is asked
    /// which line it was.
    fn find_places(&self, output: &mut Output) {
        let Some(solc) = &output.solc else { return };
        let refused = |c: &&mut Compiled| matches!(c.result, Some(Err(_)));
        let mut selection = Map::new();
        for contract in output.contracts.iter_mut().filter(refused) {
            let file = selection.entry(contract.file.clone()).or_insert_with(|| json!({}));
            file[&contract.name] = json!(["ir"]);
        }
        if selection.is_empty() {
            return;
        }
        let mut settings = self.solc_settings();
        settings["outputSelection"] = Value::Object(selection);
        settings["optimizer"] = json!({ "enabled": false });
        let input = json!({ "language": "Solidity", "sources": output.sources, "settings": settings });
        // Without an answer the places stay what they were.
        let Ok(answer) = solc.run(&input) else { return };
        for contract in output.contracts.iter_mut().filter(refused) {
            let ir = answer["contracts"][&contract.file][&contract.name]["ir"].as_str().unwrap_or_default();
            let Ok(object) = crate::yul::parse(ir) else { continue };
            let Err(plain) =
                compile(ir, &Options { level: crate::compile::Level::O0, ..self.options.clone() })
            else {
                continue;
            };
            let Some(Err(diagnostics)) = &mut contract.result else { continue };
            for diagnostic in diagnostics {
                let same = plain.iter().find(|other| other.message == diagnostic.message);
                if let (Some(Loc { src, .. }), Some(found)) =
                    (&mut diagnostic.loc, same.and_then(|other| object.blame(other.loc?)))
                {
                    *src = Some(found);
                }
            }
        }
    }

    /// One run of solc for all contracts.
    fn front_end(&self) -> Result<Output, SolcError> {
        let solc = Solc::find()?;
        let remappings = self.settings.get("remappings").and_then(Value::as_array);
        let remappings: Vec<Remapping> =
            remappings.into_iter().flatten().filter_map(|r| Remapping::parse(r.as_str()?)).collect();
        let mut paths = self.paths.clone();
        paths.allowed.extend(remappings.iter().map(|r| paths.base.join(&r.target)));
        let Closure { sources, missing } = close(&self.sources, &remappings, &paths);
        let input = json!({ "language": "Solidity", "sources": sources, "settings": self.solc_settings() });
        let start = Instant::now();
        let mut answer = solc.run(&input)?;
        let solc_time = start.elapsed();
        let mut errors = match answer["errors"].take() {
            Value::Array(errors) => errors,
            _ => Vec::new(),
        };
        for (name, reason) in &missing {
            errors.iter_mut().for_each(|error| explain(error, name, reason));
        }
        errors.extend(self.old_evm());
        Ok(Output {
            solc: Some(solc),
            errors,
            source_info: object(answer["sources"].take()),
            sources,
            contracts: contracts(object(answer["contracts"].take())),
            solc_time,
            own_time: Duration::ZERO,
        })
    }

    /// The settings with what this compiler needs of solc, and without what it does itself.
    fn solc_settings(&self) -> Value {
        let mut settings = self.settings.clone();
        settings.remove("lathe");
        settings.insert("viaIR".into(), true.into());
        settings.entry("evmVersion").or_insert_with(|| EVM_VERSION.into());
        settings.insert("outputSelection".into(), self.selection.for_solc());
        let debug = settings.entry("debug").or_insert_with(|| json!({}));
        if let Value::Object(debug) = debug {
            debug.insert("debugInfo".into(), json!(["location"]));
        }
        Value::Object(settings)
    }

    /// A warning if solc is told of an EVM whose rules are not the machine's.
    fn old_evm(&self) -> Option<Value> {
        let version =
            self.settings.get("evmVersion")?.as_str().filter(|version| evm::is_before_the_merge(version))?;
        let message = format!(
            "The code is compiled for the EVM of \"{version}\" but runs by the rules of \"{EVM_VERSION}\": block.difficulty is \
             the beacon chain's random value, and selfdestruct follows EIP-6780."
        );
        let mut warning = general_error("Warning", &message);
        warning["severity"] = "warning".into();
        Some(warning)
    }

    /// Every source is the object of one contract.
    fn yul_sources(&self) -> Output {
        let Closure { sources, missing } = load(&self.sources, &self.paths);
        let unread =
            |(name, reason)| general_error("IOError", &format!("Cannot import url (\"{name}\"): {reason}"));
        let errors = missing.into_iter().map(unread).collect();
        let contract = |(file, source): (&String, &Value)| {
            Some(Compiled {
                file: file.clone(),
                name: String::new(),
                front: Map::new(),
                yul: source["content"].as_str()?.to_string(),
                result: None,
                time: Duration::ZERO,
            })
        };
        let contracts = sources.iter().filter_map(contract).collect();
        let info = |(index, name): (usize, &String)| (name.clone(), json!({ "id": index }));
        let source_info = sources.keys().enumerate().map(info).collect();
        let (solc_time, own_time) = (Duration::ZERO, Duration::ZERO);
        Output { solc: None, errors, source_info, sources, contracts, solc_time, own_time }
    }

    /// Compiles what code is wanted of, on all cores.
    fn compile_all(&self, contracts: &mut [Compiled]) {
        let wanted: Vec<Mutex<&mut Compiled>> = contracts
            .iter_mut()
            .filter(|contract| !contract.yul.is_empty())
            .filter(|contract| {
                self.language == Language::Yul || self.selection.wants_code(&contract.file, &contract.name)
            })
            .map(Mutex::new)
            .collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(contract) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Ok(mut contract) = contract.lock() {
                    self.compile_one(&mut contract);
                }
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores.min(wanted.len()) {
                let spawned = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
                if spawned.is_err() {
                    // No memory for another thread: the work is done on this one.
                    work();
                }
            }
        });
    }

    fn compile_one(&self, contract: &mut Compiled) {
        let start = Instant::now();
        let guarded = std::panic::catch_unwind(|| compile(&contract.yul, &self.options));
        let result = guarded.unwrap_or_else(|_| {
            let text = "internal error of lathec: please report it with the source that caused it";
            Err(vec![Diagnostic::general(text)])
        });
        if let (Language::Yul, Ok(compiled)) = (self.language, &result) {
            contract.name = compiled.deploy.name.clone();
        }
        contract.result = Some(result);
        contract.time = start.elapsed();
    }
}

/// An error without a place, in solc's shape.
pub fn general_error(kind: &str, message: &str) -> Value {
    json!({
        "component": "general",
        "severity": "error",
        "type": kind,
        "message": message,
        "formattedMessage": format!("{kind}: {message}\n"),
    })
}

/// Says in solc's error about a source that it was not given why it was not.
fn explain(error: &mut Value, name: &str, reason: &str) {
    // The first is a native solc's, the second the npm package's.
    const UNKNOWN: [&str; 2] = ["File not supplied initially.", "File import callback not supported"];
    let about = format!("Source \"{name}\" not found");
    if !error["message"].as_str().is_some_and(|message| message.contains(&about)) {
        return;
    }
    for field in ["message", "formattedMessage"] {
        if let Some(text) = error[field].as_str() {
            error[field] = text.replace(UNKNOWN[0], reason).replace(UNKNOWN[1], reason).into();
        }
    }
}

fn contracts(files: Map<String, Value>) -> Vec<Compiled> {
    let mut all = Vec::new();
    for (file, contracts) in files {
        for (name, front) in object(contracts) {
            let mut front = object(front);
            let yul = front.get("irOptimized").and_then(Value::as_str).unwrap_or_default().to_string();
            front.remove("irOptimized");
            all.push(Compiled { file: file.clone(), name, front, yul, result: None, time: Duration::ZERO });
        }
    }
    all
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
