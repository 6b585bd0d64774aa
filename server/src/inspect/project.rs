//! A Solidity file and what it imports, compiled: contracts with their pages, interfaces and source maps.
use super::InspectError;
use super::lathec::Lathec;
use super::source::{Sources, Span, read_map};
use alloy::json_abi::JsonAbi;
use lathe_vm::Word;
use lathe_vm::ethereum::creation::CreationData;
use lathe_vm::trace::Page;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// How to compile.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Level of LLVM's optimiser, if not the usual one.
    pub level: Option<String>,
    /// Without solc's optimiser: other code, but more of its instructions know their lines.
    pub no_yul_optimizer: bool,
    /// Folders to look for imports in.
    pub include_paths: Vec<PathBuf>,
    /// `[context:]prefix=target`
    pub remappings: Vec<String>,
}

/// A code page with the place in the sources of each of its instructions.
#[derive(Clone, Debug)]
pub struct Code {
    /// The page.
    pub page: Page,
    /// By pc; constants have no place.
    pub places: Vec<Option<Span>>,
}

/// A compiled contract.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The source that it is in.
    pub file: String,
    /// Its name.
    pub name: String,
    /// Its interface.
    pub abi: JsonAbi,
    /// Its deploy page; none of an interface, an abstract contract, and one that waits for a library's address.
    pub deploy: Option<Code>,
    /// Its runtime page.
    pub runtime: Option<Code>,
    /// Whether it is a library.
    pub library: bool,
    /// Libraries, as `file:Name`, whose addresses it waits for.
    pub links: BTreeSet<String>,
}

impl Contract {
    /// `file:Name`
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.file, self.name)
    }

    /// Whether there is something to deploy.
    pub fn has_code(&self) -> bool {
        self.deploy.is_some() || !self.links.is_empty()
    }
}

/// Everything that one compilation gave.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Name of the file that was asked for.
    pub file: String,
    /// All contracts, those of imports too.
    pub contracts: Vec<Contract>,
    /// All sources.
    pub sources: Sources,
    /// Warnings, as lathec formats them.
    pub warnings: Vec<String>,
    pages: HashMap<Word, (usize, bool)>,
}

impl Project {
    /// Compiles a file; libraries that are linked by address get those in `libraries`, by `file:Name`.
    ///
    /// # Errors
    /// The file cannot be read or has errors, or there is no `lathec`.
    pub fn compile(
        file: &Path,
        settings: &Settings,
        libraries: &BTreeMap<String, [u8; 20]>,
    ) -> Result<Project, InspectError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| InspectError(format!("{} cannot be read: {error}", file.display())))?;
        let name = unit_name(file);
        let input = input(&name, &text, settings, libraries);
        let answer = Lathec::find()?.answer(&input, &arguments(file, settings))?;
        let (errors, warnings) = messages(&answer);
        if !errors.is_empty() {
            return Err(InspectError(errors.join("\n")));
        }
        let mut project = Project { file: name, warnings, ..Project::default() };
        project.read(&answer)?;
        Ok(project)
    }

    fn read(&mut self, answer: &Value) -> Result<(), InspectError> {
        let mut libraries = BTreeSet::new();
        for (file, info) in answer["sources"].as_object().into_iter().flatten() {
            let Some(id) = info["id"].as_u64().and_then(|id| u32::try_from(id).ok()) else { continue };
            let text = literal_text(answer, file).unwrap_or_default();
            self.sources.insert(id, file, text, &info["ast"]);
            for node in info["ast"]["nodes"].as_array().into_iter().flatten() {
                if node["contractKind"] == "library" {
                    libraries.insert((file.clone(), node["name"].as_str().unwrap_or_default().to_string()));
                }
            }
        }
        for (file, contracts) in answer["contracts"].as_object().into_iter().flatten() {
            for (name, output) in contracts.as_object().into_iter().flatten() {
                let library = libraries.contains(&(file.clone(), name.clone()));
                self.contracts.push(contract(file, name, output, library)?);
            }
        }
        for (number, contract) in self.contracts.iter().enumerate() {
            for (code, deploys) in [(&contract.deploy, true), (&contract.runtime, false)] {
                if let Some(code) = code {
                    self.pages.entry(code.page.hash_word()).or_insert((number, deploys));
                }
            }
        }
        Ok(())
    }

    /// The contract with this page, and the page with its places.
    pub fn by_page(&self, page: &Page) -> Option<(&Contract, &Code)> {
        let (number, deploys) = self.pages.get(&page.hash_word())?;
        let contract = self.contracts.get(*number)?;
        let code = if *deploys { &contract.deploy } else { &contract.runtime };
        Some((contract, code.as_ref()?))
    }

    /// The contract with this name (`Name` or `file:Name`); without a name, the only one of the file that can be deployed.
    ///
    /// # Errors
    /// None or several: says which there are.
    pub fn choose(&self, name: Option<&str>) -> Result<&Contract, InspectError> {
        let deployable = |c: &&Contract| c.has_code() && !c.library;
        let own: Vec<&Contract> =
            self.contracts.iter().filter(|c| c.file == self.file).filter(deployable).collect();
        let names = || own.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        let Some(name) = name else {
            return match &own[..] {
                [only] => Ok(only),
                [] => Err(InspectError(format!("{} has no contract that can be deployed", self.file))),
                _ => Err(InspectError(format!(
                    "{} has several contracts: choose one with --contract: {}",
                    self.file,
                    names()
                ))),
            };
        };
        let named = |c: &&Contract| c.name == name || c.full_name() == name;
        let of_file = own.iter().copied().find(named);
        let found = of_file.or_else(|| self.contracts.iter().filter(|c| c.has_code()).find(named));
        found.ok_or_else(|| {
            InspectError(format!(
                "there is no contract `{name}` with code; {} has: {}",
                self.file,
                if own.is_empty() { "none".into() } else { names() }
            ))
        })
    }

    /// Libraries whose addresses are missing, as `file:Name`.
    pub fn missing_libraries(&self) -> BTreeSet<String> {
        self.contracts.iter().flat_map(|c| c.links.iter().cloned()).collect()
    }
}

/// The name under which lathec knows a file: its path below the working directory, else its absolute path.
fn unit_name(file: &Path) -> String {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| absolute.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or(absolute).to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

fn input(name: &str, text: &str, settings: &Settings, libraries: &BTreeMap<String, [u8; 20]>) -> Value {
    let mut linked = Map::new();
    for (library, address) in libraries {
        let (file, name) = library.rsplit_once(':').unwrap_or(("", library));
        linked.entry(file).or_insert_with(|| json!({}))[name] = format!("0x{}", hex::encode(address)).into();
    }
    let outputs = json!(["abi", "metadata", "lathe", "evm.bytecode", "evm.deployedBytecode"]);
    let mut all = json!({
        "optimizer": { "enabled": !settings.no_yul_optimizer },
        "metadata": { "useLiteralContent": true },
        "remappings": settings.remappings,
        "libraries": linked,
        "outputSelection": { "*": { "*": outputs, "": ["ast"] } },
    });
    if let Some(level) = &settings.level {
        all["lathe"] = json!({ "optimization": level });
    }
    json!({ "language": "Solidity", "sources": { name: { "content": text } }, "settings": all })
}

fn arguments(file: &Path, settings: &Settings) -> Vec<String> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut arguments = Vec::new();
    for folder in &settings.include_paths {
        arguments.extend(["--include-path".into(), text(folder)]);
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    arguments.extend(["--allow-paths".into(), text(folder)]);
    arguments
}

/// Errors and warnings of an answer.
fn messages(answer: &Value) -> (Vec<String>, Vec<String>) {
    let all = answer["errors"].as_array().into_iter().flatten();
    let (errors, rest): (Vec<&Value>, Vec<&Value>) = all.partition(|error| error["severity"] == "error");
    let text = |error: &&Value| {
        let formatted = error["formattedMessage"].as_str().or(error["message"].as_str());
        formatted.unwrap_or_default().trim_end().to_string()
    };
    (errors.iter().map(text).collect(), rest.iter().map(text).collect())
}

/// The text of a source, which metadata of any contract that uses it carries.
fn literal_text(answer: &Value, file: &str) -> Option<String> {
    let contracts = answer["contracts"].as_object()?.values().filter_map(Value::as_object);
    contracts.flat_map(Map::values).find_map(|contract| {
        let metadata: Value = serde_json::from_str(contract["metadata"].as_str()?).ok()?;
        metadata["sources"][file]["content"].as_str().map(str::to_string)
    })
}

fn runtime_page(object: &str) -> Result<Page, String> {
    Page::from_hex(object).map_err(|error| error.to_string())
}

/// The deploy page in creation data.
fn deploy_page(object: &str) -> Result<Page, String> {
    let bytes = hex::decode(object).map_err(|error| error.to_string())?;
    let data = CreationData::decode(&bytes).map_err(|error| error.to_string())?;
    let found = data.pages.into_iter().find(|page| page.hash_word() == data.deploy);
    found.ok_or_else(|| format!("the creation data lacks its deploy page {}", data.deploy))
}

fn contract(file: &str, name: &str, output: &Value, library: bool) -> Result<Contract, InspectError> {
    let wrong =
        |what: &str, error: &dyn std::fmt::Display| InspectError(format!("{file}:{name}: {what}: {error}"));
    let abi = output.get("abi").cloned().unwrap_or_else(|| json!([]));
    let abi = serde_json::from_value(abi).map_err(|error| wrong("its ABI", &error))?;
    let mut links = BTreeSet::new();
    let mut code = |name: &str| -> Result<Option<Code>, InspectError> {
        let part = &output["evm"][name];
        for (file, names) in part["linkReferences"].as_object().into_iter().flatten() {
            // A mark without a file stands for another page of this project that waits.
            let names = names.as_object().filter(|_| !file.is_empty());
            links.extend(names.into_iter().flatten().map(|(name, _)| format!("{file}:{name}")));
        }
        let object = part["object"].as_str().unwrap_or_default();
        // A page that waits for an address has letters in it that are no hex digits.
        if object.is_empty() || object.contains('_') {
            return Ok(None);
        }
        let page = if name == "bytecode" { deploy_page(object) } else { runtime_page(object) };
        let page = page.map_err(|error| wrong("its code", &error))?;
        Ok(Some(Code { page, places: read_map(part["sourceMap"].as_str().unwrap_or_default()) }))
    };
    let (deploy, runtime) = (code("bytecode")?, code("deployedBytecode")?);
    Ok(Contract { file: file.into(), name: name.into(), abi, deploy, runtime, library, links })
}
