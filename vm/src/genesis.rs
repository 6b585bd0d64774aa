//! The state before the first batch, from JSON: accounts with nonce, balance, code and storage.
//! Reading is strict: unknown fields, doubled accounts and code that does not assemble are refused by name.
//!
//! ```json
//! { "known_code": true,
//!   "accounts": [ { "address": "0x70..70", "nonce": 1, "balance": "1000000", "code": "program:token",
//!                   "storage": { "0x8000..00": "0x0a..0a" } } ] }
//! ```
use crate::asm::{AsmError, assemble};
use crate::code::{CodeError, CodeStore};
use crate::programs;
use crate::state::{CellId, StateError, Tree};
use crate::trace::Page;
use crate::word::Word;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// `0x` and 40 hex digits.
    pub address: String,
    /// Next nonce, below 2^48.
    #[serde(default)]
    pub nonce: u64,
    /// Wei: decimal, or hex after `0x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
    /// `0x` and hex of 64-bit words; `program:NAME` for an embedded program; or the path of a `.lasm` source or
    /// a hex file, relative to the genesis file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Slot to value, numbers as in `balance`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub storage: BTreeMap<String, String>,
}

/// A genesis file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The accounts, each once.
    pub accounts: Vec<Account>,
    /// True if the accounts' code is known code, which the records kernel has no use for: `create`, deploy pages and
    /// `extcodesize` look there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known_code: bool,
}

/// What is wrong with a genesis.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not the JSON expected.
    #[error("genesis: {0}")]
    Json(#[from] serde_json::Error),
    /// A field of an account.
    #[error("genesis account {index}, {field}: {message}")]
    Field {
        /// Position in the list.
        index: usize,
        /// Which field.
        field: &'static str,
        /// What was found and what was expected.
        message: String,
    },
    /// A source that does not assemble.
    #[error("{file}:{source}")]
    Assembly {
        /// The source.
        file: PathBuf,
        /// Where and why.
        source: AsmError,
    },
    /// Words that are no page.
    #[error("genesis account {index}, code: {source}")]
    Code {
        /// Position in the list.
        index: usize,
        /// Why.
        source: CodeError,
    },
    /// The tree refused the cells.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Genesis {
    /// Reads JSON.
    ///
    /// # Errors
    /// Malformed JSON, with line, column and field.
    pub fn parse(text: &str) -> Result<Genesis, GenesisError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Reads a file and builds its state; paths of code are relative to the file.
    ///
    /// # Errors
    /// See [`GenesisError`].
    pub fn load(file: &Path) -> Result<(Tree, CodeStore), GenesisError> {
        let text = read(file)?;
        Genesis::parse(&text)?.build(file.parent().unwrap_or(Path::new(".")))
    }

    /// The tree and the code of these accounts; paths of code are relative to `folder`.
    ///
    /// # Errors
    /// See [`GenesisError`].
    pub fn build(&self, folder: &Path) -> Result<(Tree, CodeStore), GenesisError> {
        let mut codes = CodeStore::new();
        let mut cells = Vec::new();
        let mut seen = HashSet::new();
        let mut known = HashSet::new();
        for (index, account) in self.accounts.iter().enumerate() {
            let fault = |field, message| GenesisError::Field { index, field, message };
            let address = parse_address(&account.address).map_err(|m| fault("address", m))?;
            if !seen.insert(address) {
                return Err(fault("address", format!("{} is there twice", account.address)));
            }
            if account.nonce >> 48 != 0 {
                return Err(fault("nonce", format!("{} does not fit in 48 bits", account.nonce)));
            }
            cells.push((CellId::nonce(address), Word::from(u128::from(account.nonce))));
            let number = |field, text: &str| {
                text.parse::<Word>().map_err(|e| GenesisError::Field { index, field, message: e.to_string() })
            };
            if let Some(balance) = &account.balance {
                cells.push((CellId::balance(address), number("balance", balance)?));
            }
            if let Some(code) = &account.code {
                let page = page(code, folder, index)?;
                let words = Word::from(page.words.len() as u128);
                let hash = codes.insert(page);
                cells.push((CellId::code_hash(address), hash));
                if self.known_code && known.insert(hash) {
                    cells.push((CellId::known_code(hash), words));
                }
            }
            let mut slots = HashSet::new();
            for (slot, value) in &account.storage {
                let slot = number("storage", slot)?;
                if !slots.insert(slot) {
                    return Err(fault("storage", format!("slot {slot} is there twice")));
                }
                cells.push((CellId::storage(address, slot), number("storage", value)?));
            }
        }
        Ok((Tree::from_cells(cells)?, codes))
    }
}

/// Reads `0x` and 40 hex digits.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_address(text: &str) -> Result<[u8; 20], String> {
    let mut out = [0; 20];
    let digits = text.strip_prefix("0x").filter(|d| d.len() == 40);
    match digits.map(|d| hex::decode_to_slice(d, &mut out)) {
        Some(Ok(())) => Ok(out),
        _ => Err(format!("found `{text}`, expected 0x and 40 hex digits")),
    }
}

fn read(file: &Path) -> Result<String, GenesisError> {
    std::fs::read_to_string(file).map_err(|source| GenesisError::Io { file: file.to_path_buf(), source })
}

fn page(code: &str, folder: &Path, index: usize) -> Result<Page, GenesisError> {
    let hex = |text: &str| Page::from_hex(text).map_err(|source| GenesisError::Code { index, source });
    if code.starts_with("0x") {
        return hex(code);
    }
    if let Some(name) = code.strip_prefix("program:") {
        let message = format!("no embedded program `{name}`; there are token and mapping");
        return programs::by_name(name).cloned().ok_or(GenesisError::Field { index, field: "code", message });
    }
    let file = folder.join(code);
    let text = read(&file)?;
    match code.ends_with(".lasm") {
        true => assemble(&text).map_err(|source| GenesisError::Assembly { file, source }),
        false => hex(&text),
    }
}
