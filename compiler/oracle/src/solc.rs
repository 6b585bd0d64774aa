//! solc, run once for many sources, with its Yul for us and its EVM bytecode for the oracle. Its answers are kept in
//! `target/solc-cache`, named by what was asked, since solc in WebAssembly takes half a minute for the whole corpus.
use serde_json::{Value as Json, json};
use sha3::{Digest, Keccak256};
use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SolcError {
    /// A file that cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// `contracts/solc` did not run.
    #[error("contracts/solc did not run ({0}): `make -C contracts install` installs what it needs")]
    Run(String),
    /// solc refuses the sources.
    #[error("solc refuses the sources:\n{0}")]
    Refused(String),
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compiles Solidity: `sources` are names and texts, imports that are none of them are looked up in `packages`.
/// `settings` go over what every run has: the IR pipeline, the optimiser, Cancun.
pub fn solidity(
    sources: BTreeMap<String, String>,
    packages: Option<&Path>,
    settings: &Json,
) -> Result<Json, SolcError> {
    let sources = with_imports(sources, packages);
    let sources: serde_json::Map<String, Json> =
        sources.into_iter().map(|(name, content)| (name, json!({ "content": content }))).collect();
    let mut input = json!({
        "language": "Solidity",
        "sources": sources,
        "settings": {
            "viaIR": true,
            "evmVersion": "cancun",
            "optimizer": { "enabled": true, "runs": 200 },
            "metadata": { "appendCBOR": false },
            "outputSelection": { "*": { "*": [
                "abi", "irOptimized", "evm.bytecode.object", "evm.bytecode.linkReferences",
                "evm.deployedBytecode.object",
            ] } },
        },
    });
    for (key, value) in settings.as_object().into_iter().flatten() {
        input["settings"][key] = value.clone();
    }
    standard_json(&input)
}

/// Assembles one Yul object to EVM bytecode, without solc's own optimiser.
pub fn yul(name: &str, text: &str) -> Result<Vec<u8>, SolcError> {
    let input = json!({
        "language": "Yul",
        "sources": { name: { "content": text } },
        "settings": {
            "evmVersion": "cancun",
            "optimizer": { "enabled": false },
            "outputSelection": { "*": { "*": ["evm.bytecode.object"] } },
        },
    });
    let output = standard_json(&input)?;
    let contracts = output["contracts"][name].as_object().into_iter().flatten();
    let code = contracts.filter_map(|(_, contract)| contract["evm"]["bytecode"]["object"].as_str()).next();
    hex::decode(code.unwrap_or_default()).map_err(|error| SolcError::Run(error.to_string()))
}

/// One run of solc on standard JSON, or what it answered before.
pub fn standard_json(input: &Json) -> Result<Json, SolcError> {
    let text = input.to_string();
    let package = root().join("contracts/package.json");
    let pinned = std::fs::read(&package).map_err(|error| SolcError::File(package, error))?;
    let name = Keccak256::new().chain_update(&text).chain_update(&pinned).finalize();
    let folder = root().join("target/solc-cache");
    let file = folder.join(format!("{}.json", hex::encode(&name[..16])));
    if let Some(known) = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(known);
    }
    let output = run(&text)?;
    let parsed: Json = serde_json::from_slice(&output).map_err(|error| SolcError::Run(error.to_string()))?;
    let messages = parsed["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let errors: Vec<&str> = messages
        .iter()
        .filter(|message| message["severity"] == "error")
        .filter_map(|message| message["formattedMessage"].as_str())
        .collect();
    if !errors.is_empty() {
        return Err(SolcError::Refused(errors.join("\n")));
    }
    keep(&folder, &file, &output)?;
    Ok(parsed)
}

/// Writes under a name of its own first: another test may be reading.
fn keep(folder: &Path, file: &Path, bytes: &[u8]) -> Result<(), SolcError> {
    let draft = file.with_extension(std::process::id().to_string());
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&draft, bytes));
    written.and_then(|()| std::fs::rename(&draft, file)).map_err(|error| SolcError::File(file.into(), error))
}

fn run(input: &str) -> Result<Vec<u8>, SolcError> {
    let fault = |error: std::io::Error| SolcError::Run(error.to_string());
    let script = root().join("contracts/solc");
    let mut child = Command::new(script)
        .arg("--standard-json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fault)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(fault)?;
    }
    let output = child.wait_with_output().map_err(fault)?;
    if !output.status.success() {
        return Err(SolcError::Run(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(output.stdout)
}

/// The sources and all that they import, as far as it is found; solc names what is missing.
fn with_imports(mut sources: BTreeMap<String, String>, packages: Option<&Path>) -> BTreeMap<String, String> {
    let Some(packages) = packages else { return sources };
    let mut open: VecDeque<String> = sources.keys().cloned().collect();
    while let Some(name) = open.pop_front() {
        for import in imports(&sources[&name]) {
            let path = resolved(&name, &import);
            if sources.contains_key(&path) {
                continue;
            }
            if let Ok(text) = std::fs::read_to_string(packages.join(&path)) {
                sources.insert(path.clone(), text);
                open.push_back(path);
            }
        }
    }
    sources
}

/// The paths of a source's imports: the first string literal behind each `import` that begins a line.
fn imports(text: &str) -> Vec<String> {
    let statements = text.split("\nimport").skip(1).chain(text.strip_prefix("import"));
    let quoted = statements.filter_map(|rest| {
        let statement = rest.split(';').next()?;
        let from = statement.find(['"', '\''])?;
        let path = &statement[from + 1..];
        Some(path[..path.find(['"', '\''])?].to_string())
    });
    quoted.collect()
}

/// A relative import seen from the source that has it.
fn resolved(from: &str, import: &str) -> String {
    if !import.starts_with('.') {
        return import.to_string();
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_and_resolved() {
        let text = "import \"a.sol\";\nimport {B,\n  C} from \"../b/c.sol\";\n  string x = \"import\";\nimport * as D from './d.sol';";
        let mut found = imports(text);
        found.sort();
        assert_eq!(found, ["../b/c.sol", "./d.sol", "a.sol"]);
        assert_eq!(resolved("x/y/z.sol", "../b/c.sol"), "x/b/c.sol");
        assert_eq!(resolved("x/y/z.sol", "./d.sol"), "x/y/d.sol");
        assert_eq!(resolved("x/y/z.sol", "@p/d.sol"), "@p/d.sol");
    }
}
