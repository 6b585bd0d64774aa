//! The state before batch 1: read from a file, or the embedded development genesis.
//! Two servers with the same file have the same genesis root; anything the file does not say is refused, not guessed.
use crate::batchgen;
use lathe_vm::code::CodeStore;
use lathe_vm::fixtures::{self, word};
use lathe_vm::replay::BlockParams;
use lathe_vm::state::{CellId, StateError, Tree};
use lathe_vm::trace::Page;
use lathe_vm::{Word, programs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// L2 chain id of the development genesis.
pub const DEV_CHAIN_ID: u64 = 4207;
/// Senders that the development genesis funds.
pub const DEV_SENDERS: u8 = 16;

/// A genesis file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Genesis {
    /// L2 chain id.
    pub chain_id: u64,
    /// Contracts with code and storage.
    #[serde(default)]
    pub contracts: Vec<Contract>,
    /// Accounts with a nonce other than 0.
    #[serde(default)]
    pub accounts: Vec<Account>,
}

/// A contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// 0x and 40 hex digits.
    pub address: String,
    /// Name of an embedded program (`token`, `mapping`), or 0x hex of whole 64-bit instruction words.
    pub code: String,
    /// Slot to value, both 0x and 64 hex digits.
    #[serde(default)]
    pub storage: BTreeMap<String, String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// 0x and 40 hex digits.
    pub address: String,
    /// Its nonce.
    pub nonce: u64,
}

/// Why a genesis is refused.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// The file cannot be read.
    #[error("genesis file {file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not a genesis.
    #[error("genesis file {file}: {source}")]
    Json {
        /// The file.
        file: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// A field has a value that it cannot have.
    #[error("genesis field {field}: {what}")]
    Field {
        /// Path of the field.
        field: String,
        /// What is wrong and expected.
        what: String,
    },
    /// The cells make no tree.
    #[error("genesis: {0}")]
    State(#[from] StateError),
}

/// A genesis as the machine reads it.
#[derive(Debug)]
pub struct GenesisState {
    /// L2 chain id.
    pub chain_id: u64,
    /// State.
    pub tree: Tree,
    /// Code that it names.
    pub codes: CodeStore,
}

impl Genesis {
    /// The token and the mapping program of `lathe_vm::fixtures`, with the senders of [`batchgen`] as holders.
    pub fn development() -> Genesis {
        let slot = |w: Word| w.to_string();
        let mut storage = BTreeMap::from([(slot(fixtures::OWNER_SLOT), slot(word(fixtures::OWNER)))]);
        let mut accounts = Vec::new();
        for i in 0..DEV_SENDERS {
            let address = batchgen::sender_address(i);
            storage.insert(slot(word(address)), slot(Word::from(fixtures::START_BALANCE)));
            accounts.push(Account { address: address_text(&address), nonce: batchgen::first_nonce(i) });
        }
        let contract = |address, code: &str, storage| Contract { address: address_text(address), code: code.into(), storage };
        let contracts = vec![
            contract(&fixtures::TOKEN, "token", storage),
            contract(&fixtures::MAPPING, "mapping", BTreeMap::new()),
        ];
        Genesis { chain_id: DEV_CHAIN_ID, contracts, accounts }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`GenesisError::Io`], [`GenesisError::Json`].
    pub fn read(file: &Path) -> Result<Genesis, GenesisError> {
        let io = |source| GenesisError::Io { file: file.to_path_buf(), source };
        let text = std::fs::read_to_string(file).map_err(io)?;
        serde_json::from_str(&text).map_err(|source| GenesisError::Json { file: file.to_path_buf(), source })
    }

    /// Builds tree and code store.
    ///
    /// # Errors
    /// [`GenesisError::Field`], [`GenesisError::State`] (an address or slot given twice, for one).
    pub fn build(&self) -> Result<GenesisState, GenesisError> {
        let mut codes = CodeStore::new();
        let mut cells = Vec::new();
        for (i, contract) in self.contracts.iter().enumerate() {
            let address = bytes(&format!("contracts[{i}].address"), &contract.address)?;
            let field = format!("contracts[{i}].code");
            cells.push((CellId::code_hash(address), codes.insert(page(&field, &contract.code)?)));
            for (slot, value) in &contract.storage {
                let field = format!("contracts[{i}].storage[{slot}]");
                let cell = CellId::storage(address, Word::from_be_bytes(bytes(&field, slot)?));
                cells.push((cell, Word::from_be_bytes(bytes(&field, value)?)));
            }
        }
        for (i, account) in self.accounts.iter().enumerate() {
            let address = bytes(&format!("accounts[{i}].address"), &account.address)?;
            cells.push((CellId::nonce(address), Word::from(u128::from(account.nonce))));
        }
        Ok(GenesisState { chain_id: self.chain_id, tree: Tree::from_cells(cells)?, codes })
    }
}

/// The block environment of a batch. All of it but number and timestamp is fixed in protocol version 0.
pub fn block_params(chain_id: u64, number: u64, timestamp: u64) -> BlockParams {
    BlockParams { protocol_version: 0, chain_id, number, timestamp, gas_limit: 30_000_000, ..BlockParams::default() }
}

fn page(field: &str, code: &str) -> Result<Page, GenesisError> {
    if let Some(page) = programs::by_name(code) {
        return Ok(page.clone());
    }
    let refuse = |what: String| GenesisError::Field { field: field.into(), what };
    if !code.starts_with("0x") {
        return Err(refuse(format!("{code:?} is neither 0x hex nor an embedded program (token, mapping)")));
    }
    Page::from_hex(code).map_err(|e| refuse(e.to_string()))
}

fn bytes<const N: usize>(field: &str, text: &str) -> Result<[u8; N], GenesisError> {
    let refuse = |what: String| GenesisError::Field { field: field.into(), what };
    let digits = text.strip_prefix("0x").ok_or_else(|| refuse(format!("{text:?} has no 0x")))?;
    let mut out = [0; N];
    hex::decode_to_slice(digits, &mut out)
        .map_err(|e| refuse(format!("{text:?}: {e}; 0x and {} hex digits expected", 2 * N)))?;
    Ok(out)
}

fn address_text(address: &[u8; 20]) -> String {
    format!("0x{}", hex::encode(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_genesis_survives_json_and_has_the_fixtures_size() {
        let genesis = Genesis::development();
        let text = serde_json::to_string(&genesis).unwrap();
        let back: Genesis = serde_json::from_str(&text).unwrap();
        assert_eq!(back, genesis);
        let built = back.build().unwrap();
        let (twin, _) = fixtures::genesis().unwrap();
        assert_eq!(built.tree.leaves().len(), twin.leaves().len());
        assert_ne!(built.tree.root(), twin.root());
    }

    #[test]
    fn a_bad_field_is_named() {
        let mut genesis = Genesis::development();
        genesis.accounts[3].address.pop();
        assert!(genesis.build().unwrap_err().to_string().contains("accounts[3].address"));
        let mut genesis = Genesis::development();
        genesis.contracts[1].code = "nosuch".into();
        assert!(genesis.build().unwrap_err().to_string().contains("contracts[1].code"));
        let unknown = r#"{"chainId":1,"balances":[]}"#;
        assert!(serde_json::from_str::<Genesis>(unknown).unwrap_err().to_string().contains("balances"));
    }
}
