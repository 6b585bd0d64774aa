//! Batch files: what `lathe submit` posts, with the state that the first one runs on where that is no server's.
use crate::app::load_genesis_file;
use crate::commands::CommandError;
use lathe_vm::code::CodeStore;
use lathe_vm::genesis::Genesis;
use lathe_vm::state::Tree;
use serde::Deserialize;
use std::io::Read;
use std::path::Path;

/// A batch.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Batch number.
    pub number: u64,
    /// Seconds.
    pub timestamp: u64,
    /// Signed transactions, 0x hex.
    pub transactions: Vec<String>,
    /// The state before it; paths of code are relative to the file.
    pub genesis: Option<Genesis>,
}

/// Reads a batch file.
///
/// # Errors
/// Names the file.
pub fn read(file: &Path) -> Result<Batch, CommandError> {
    let named = |error: &dyn std::fmt::Display| format!("batch file {}: {error}", file.display());
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map_err(|error| named(&error))?;
    } else {
        text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    }
    Ok(serde_json::from_str(&text).map_err(|error| named(&error))?)
}

/// The state before the first batch: its own, else the genesis file's.
///
/// # Errors
/// A genesis that is none, or two of them.
pub fn state(first: &Batch, file: &Path, genesis: Option<&Path>) -> Result<(Tree, CodeStore), CommandError> {
    match (&first.genesis, genesis) {
        (Some(_), Some(other)) => Err(format!(
            "{} has a genesis of its own: leave --genesis {} out",
            file.display(),
            other.display()
        )
        .into()),
        (Some(own), None) => Ok(own.build(file.parent().unwrap_or(Path::new(".")))?),
        (None, file) => Ok(load_genesis_file(file)?),
    }
}
