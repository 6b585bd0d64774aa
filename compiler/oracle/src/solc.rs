//! solc, run once for many sources, with its Yul for us and its EVM bytecode for the oracle. Its answers are kept in
//! `target/solc-cache`, named by what was asked, since solc in WebAssembly takes half a minute for the whole corpus.
use lathe_compiler::solc::paths::{self, Paths};
use lathe_compiler::solc::{self, Solc};
use serde_json::{Map, Value as Json, json};
use sha3::{Digest, Keccak256};
use std::path::{Path, PathBuf};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SolcError {
    /// A file that cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// There is no solc, or it did not run.
    #[error("{0}; `make -C contracts install` installs one")]
    Run(#[from] solc::SolcError),
    /// solc refuses the sources.
    #[error("solc refuses the sources:\n{0}")]
    Refused(String),
    /// The packages that the sources import are not installed.
    #[error("there is no {0}: `make -C compiler install` installs what the corpus imports")]
    Packages(PathBuf),
    /// An answer without the code that was asked for.
    #[error("{0}: no bytecode in solc's answer")]
    NoCode(String),
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compiles Solidity: `sources` are names and texts, imports that are none of them are looked up in `packages`.
/// `settings` go over what every run has: the IR pipeline, the optimiser, Cancun.
///
/// # Errors
/// No solc, or sources that it refuses.
pub fn solidity(
    sources: impl IntoIterator<Item = (String, String)>,
    packages: &Path,
    settings: &Json,
) -> Result<Json, SolcError> {
    let sources: Map<String, Json> =
        sources.into_iter().map(|(name, content)| (name, json!({ "content": content }))).collect();
    let folder = Paths { base: packages.to_owned(), ..Paths::default() };
    let mut input = json!({
        "language": "Solidity",
        "sources": paths::close(&sources, &[], &folder).sources,
        "settings": {
            "viaIR": true,
            "evmVersion": "cancun",
            "optimizer": { "enabled": true, "runs": 200 },
            "metadata": { "appendCBOR": false },
            "outputSelection": { "*": { "*": [
                "abi", "irOptimized", "evm.bytecode.object", "evm.deployedBytecode.object",
            ] } },
        },
    });
    for (key, value) in settings.as_object().into_iter().flatten() {
        input["settings"][key] = value.clone();
    }
    standard_json(&input)
}

/// Assembles one Yul object to EVM bytecode, without solc's own optimiser.
///
/// # Errors
/// No solc, or a text that it refuses.
pub fn yul(text: &str) -> Result<Vec<u8>, SolcError> {
    let input = json!({
        "language": "Yul",
        "sources": { "input.yul": { "content": text } },
        "settings": {
            "evmVersion": "cancun",
            "optimizer": { "enabled": false },
            "outputSelection": { "*": { "*": ["evm.bytecode.object"] } },
        },
    });
    let output = standard_json(&input)?;
    let contracts = output["contracts"]["input.yul"].as_object().into_iter().flatten();
    let code = contracts.filter_map(|(_, contract)| contract["evm"]["bytecode"]["object"].as_str()).next();
    let code = code.and_then(|text| hex::decode(text).ok());
    code.ok_or_else(|| SolcError::NoCode("input.yul".into()))
}

/// One run of solc on standard JSON, or what it answered before.
///
/// # Errors
/// No solc, or sources that it refuses.
pub fn standard_json(input: &Json) -> Result<Json, SolcError> {
    let solc = Solc::find()?;
    let name = Keccak256::new().chain_update(&solc.long_version).chain_update(input.to_string()).finalize();
    let folder = root().join("target/solc-cache");
    let file = folder.join(format!("{}.json", hex::encode(&name[..16])));
    if let Some(known) = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(known);
    }
    let output = solc.run(input)?;
    let messages = output["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let errors: Vec<&str> = messages
        .iter()
        .filter(|message| message["severity"] == "error")
        .filter_map(|message| message["formattedMessage"].as_str())
        .collect();
    if !errors.is_empty() {
        return Err(SolcError::Refused(errors.join("\n")));
    }
    keep(&folder, &file, &output.to_string())?;
    Ok(output)
}

/// Writes under a name of its own first: another test may be reading.
fn keep(folder: &Path, file: &Path, text: &str) -> Result<(), SolcError> {
    let draft = file.with_extension(std::process::id().to_string());
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&draft, text));
    written.and_then(|()| std::fs::rename(&draft, file)).map_err(|error| SolcError::File(file.into(), error))
}
