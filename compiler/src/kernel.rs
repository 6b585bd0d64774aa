//! The pages of a kernel folder: kernels in Yul (`NAME.yul`) and the contracts that come with them (`system/NAME.sol`).
//! Each page is checked in beside its source as `NAME.hex`, and [`HASHES`] has every hash, so that what runs can be read
//! and made again.
use crate::compile::{Options, Part};
use crate::project::{Language, Output, Project, Selection};
use crate::solc::SolcError;
use crate::solc::evm::EVM_VERSION;
use crate::solc::paths::Paths;
use crate::standard_json;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file with the hashes of all pages and the version of the solc that made them.
pub const HASHES: &str = "hashes.json";
/// The folder of the contracts.
const SYSTEM: &str = "system";
/// How a page's file ends.
const PAGE: &str = "hex";

/// Why there are no pages.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// A file or folder that cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// solc is needed and cannot be run.
    #[error(transparent)]
    Solc(#[from] SolcError),
    /// What is wrong with a source.
    #[error("{0}: {1}")]
    Source(PathBuf, String),
}

/// What a kernel folder must hold beside its sources, by path within it: the pages in hex, and [`HASHES`].
/// Nothing if there are no sources.
pub type Files = BTreeMap<PathBuf, String>;

/// Compiles all sources of a folder: kernels with [`Options::kernel`], contracts to their runtime pages, both with
/// everything else as it is by default. A Solidity file must have a contract of its own name; one that nobody can call, as an
/// interface or a library of internal functions, makes no page. What several sources import may lie in folders further down.
///
/// # Errors
/// Files that cannot be read, a missing solc, or faulty sources.
pub fn build(folder: &Path) -> Result<Files, KernelError> {
    let mut files = Files::new();
    let mut hashes = Map::new();
    let mut solc = None;
    for (language, within, ending) in [(Language::Yul, "", "yul"), (Language::Solidity, SYSTEM, "sol")] {
        for name in names(&folder.join(within), ending)? {
            let source = folder.join(within).join(format!("{name}.{ending}"));
            let output = project(language, &source, &name)?.compile()?;
            solc = output.solc.as_ref().map(|solc| solc.version.to_string()).or(solc);
            let page = Path::new(within).join(format!("{name}.{PAGE}"));
            if let Some(part) = part(&output, &source, &name)? {
                let hash = part.hash_hex().filter(|_| part.immutables.is_empty());
                let hash = hash.ok_or_else(|| {
                    let needs =
                        "it needs a library's address or a constructor's immutables, which nobody gives it";
                    KernelError::Source(source, needs.into())
                })?;
                hashes.insert(page.with_extension("").to_string_lossy().replace('\\', "/"), hash.into());
                files.insert(page, lines(part));
            }
        }
    }
    if !files.is_empty() {
        files.insert(HASHES.into(), format!("{:#}\n", json!({ "solc": solc, "pages": hashes })));
    }
    Ok(files)
}

/// What in a folder differs from `files`, in words, one line per file; pages without a source included.
///
/// # Errors
/// A folder that cannot be read.
pub fn differences(folder: &Path, files: &Files) -> Result<Vec<String>, KernelError> {
    let mut found = Vec::new();
    for (path, text) in files {
        match std::fs::read_to_string(folder.join(path)) {
            Ok(there) if there == *text => {}
            Ok(_) => found.push(format!("{} is not what its source compiles to", path.display())),
            Err(error) => found.push(format!("{}: {error}", path.display())),
        }
    }
    for path in without_source(folder, files)? {
        found.push(format!("{} has no source", path.display()));
    }
    Ok(found)
}

/// Writes `files` into a folder and removes pages that have no source there.
///
/// # Errors
/// What cannot be written.
pub fn write(folder: &Path, files: &Files) -> Result<(), KernelError> {
    let failed = |path: &Path| {
        let path = folder.join(path);
        move |error| KernelError::File(path, error)
    };
    for path in without_source(folder, files)? {
        std::fs::remove_file(folder.join(&path)).map_err(failed(&path))?;
    }
    for (path, text) in files {
        std::fs::write(folder.join(path), text).map_err(failed(path))?;
    }
    Ok(())
}

/// Pages in a folder that are not among `files`.
fn without_source(folder: &Path, files: &Files) -> Result<Vec<PathBuf>, KernelError> {
    let mut found = Vec::new();
    for within in ["", SYSTEM] {
        for name in names(&folder.join(within), PAGE)? {
            let path = Path::new(within).join(format!("{name}.{PAGE}"));
            if !files.contains_key(&path) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// The names of a folder's files with this ending, in order; none if there is no folder.
fn names(folder: &Path, ending: &str) -> Result<Vec<String>, KernelError> {
    let failed = |error| KernelError::File(folder.to_owned(), error);
    let mut names = Vec::new();
    if !folder.is_dir() {
        return Ok(names);
    }
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == ending) {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// One source as a project of its own: what it compiles to depends on nothing but what it imports.
fn project(language: Language, source: &Path, name: &str) -> Result<Project, KernelError> {
    let text =
        std::fs::read_to_string(source).map_err(|error| KernelError::File(source.to_owned(), error))?;
    let file = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = source.parent().unwrap_or(Path::new("")).to_owned();
    let settings = json!({ "optimizer": { "enabled": true }, "evmVersion": EVM_VERSION });
    Ok(Project {
        language,
        selection: Selection::new(&json!({ &file: { name: ["*"] } })),
        sources: Map::from_iter([(file, json!({ "content": text }))]),
        settings: settings.as_object().cloned().unwrap_or_default(),
        paths: Paths { base: folder.clone(), allowed: vec![folder], ..Paths::default() },
        options: Options { kernel: language == Language::Yul, ..Options::default() },
    })
}

/// Whether a contract's ABI has anything to call.
fn can_be_called(front: &Map<String, Value>) -> bool {
    let entries = front.get("abi").and_then(Value::as_array);
    let calls = ["function", "fallback", "receive"];
    entries.into_iter().flatten().any(|entry| calls.iter().any(|call| entry["type"] == *call))
}

/// A page in hex, six words to a line: what changes in it is not the whole file.
fn lines(part: &Part) -> String {
    let line = |words: &[u64]| {
        words.iter().map(|word| format!("{word:016x}")).chain(["\n".into()]).collect::<String>()
    };
    part.words.chunks(6).map(line).collect()
}

/// The page that a source is for, if it has code.
fn part<'a>(output: &'a Output, source: &Path, name: &str) -> Result<Option<&'a Part>, KernelError> {
    let errors = standard_json::errors(output);
    let errors = errors.iter().filter(|error| error["severity"] == "error");
    let errors: Vec<&str> = errors.filter_map(|error| error["formattedMessage"].as_str()).collect();
    if !errors.is_empty() {
        return Err(KernelError::Source(source.to_owned(), errors.join("\n")));
    }
    let is_yul = output.solc.is_none();
    let contract = output.contracts.iter().find(|contract| is_yul || contract.name == name);
    let contract = contract.ok_or_else(|| {
        let message =
            format!("it has no contract `{name}`; what others import belongs in a folder further down");
        KernelError::Source(source.to_owned(), message)
    })?;
    let code = contract.result.as_ref().and_then(|result| result.as_ref().ok());
    let code = code.filter(|_| is_yul || can_be_called(&contract.front));
    Ok(code.map(|code| code.runtime.as_ref().unwrap_or(&code.deploy)))
}
