//! The development genesis and the block environment of protocol version 0. The format of genesis files and
//! their reading are `lathe_vm::genesis`; this module must stay the twin of `lathe_vm::fixtures`, whose counts the
//! installed shapes are sized for.
use crate::batchgen;
use lathe_vm::fixtures::{self, word};
use lathe_vm::genesis::{Account, Genesis};
use lathe_vm::replay::BlockParams;
use std::collections::BTreeMap;

/// Default L2 chain id.
pub const DEV_CHAIN_ID: u64 = 4207;
/// Senders that the development genesis funds.
pub const DEV_SENDERS: u8 = 16;

/// The token and the mapping program of `lathe_vm::fixtures`, with the senders of [`batchgen`] as holders.
pub fn development() -> Genesis {
    let text = |address: &[u8; 20]| format!("0x{}", hex::encode(address));
    let mut storage = BTreeMap::from([(fixtures::OWNER_SLOT.to_string(), word(fixtures::OWNER).to_string())]);
    let mut accounts = Vec::new();
    for i in 0..DEV_SENDERS {
        let address = batchgen::sender_address(i);
        storage.insert(word(address).to_string(), fixtures::START_BALANCE.to_string());
        let nonce = batchgen::first_nonce(i);
        accounts.push(Account { address: text(&address), nonce, ..Account::default() });
    }
    let contract = |address: &[u8; 20], program: &str, storage| Account {
        address: text(address),
        code: Some(format!("program:{program}")),
        storage,
        ..Account::default()
    };
    accounts.push(contract(&fixtures::TOKEN, "token", storage));
    accounts.push(contract(&fixtures::MAPPING, "mapping", BTreeMap::new()));
    Genesis { accounts, ..Genesis::default() }
}

/// The block environment of a batch. All of it but number and timestamp is fixed in protocol version 0.
pub fn block_params(chain_id: u64, number: u64, timestamp: u64) -> BlockParams {
    BlockParams {
        protocol_version: 0,
        chain_id,
        number,
        timestamp,
        gas_limit: 30_000_000,
        ..BlockParams::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn development_genesis_survives_json_and_has_the_fixtures_size() {
        let text = serde_json::to_string(&development()).unwrap();
        let (tree, codes) = Genesis::parse(&text).unwrap().build(Path::new(".")).unwrap();
        let (twin, twin_codes) = fixtures::genesis().unwrap();
        assert_eq!(tree.leaves().len(), twin.leaves().len());
        assert_eq!(codes.iter().count(), twin_codes.iter().count());
        assert_ne!(tree.root(), twin.root());
    }
}
