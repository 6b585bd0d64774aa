//! A small sequencer: batches of really signed EIP-1559 token transfers for demo, tests and benchmarks.
//! Its keys are public, derived from a fixed text; nothing here may ever hold value.
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, TxKind, U256, keccak256};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use lathe_vm::fixtures;
use serde::{Deserialize, Serialize};

/// The body of `POST /v1/batches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBatch {
    /// Batch number: one more than the last accepted.
    pub number: u64,
    /// Seconds; never below the previous batch's.
    pub timestamp: u64,
    /// Signed EIP-1559 transactions, 0x hex.
    pub transactions: Vec<String>,
}

/// Why a batch could not be generated.
#[derive(Debug, thiserror::Error)]
#[error("signing failed: {0}")]
pub struct SignError(#[from] alloy::signers::Error);

/// The `i`-th development key.
pub fn sender_key(i: u8) -> PrivateKeySigner {
    let seed = keccak256([b"lathe development sender ".as_slice(), &[i]].concat());
    // Fails with probability 2^-128 for a hash; the 256 possible ones are walked by a test.
    PrivateKeySigner::from_bytes(&seed).expect("the development keys are valid scalars")
}

/// Its address.
pub fn sender_address(i: u8) -> [u8; 20] {
    sender_key(i).address().into_array()
}

/// The nonce that the development genesis gives the `i`-th sender, as in `lathe_vm::fixtures`.
pub fn first_nonce(i: u8) -> u64 {
    u64::from(i) + 1
}

/// What a transaction says besides its signature.
#[derive(Clone, Debug)]
pub struct Call {
    /// L2 chain id.
    pub chain_id: u64,
    /// Sender's nonce.
    pub nonce: u64,
    /// Callee; `None` creates a contract, which the server refuses.
    pub to: Option<[u8; 20]>,
    /// Wei.
    pub value: u64,
    /// Calldata.
    pub data: Vec<u8>,
}

/// Signs a call as an EIP-1559 transaction, 0x hex.
///
/// # Errors
/// Those of the signer.
pub fn sign(key: &PrivateKeySigner, call: Call) -> Result<String, SignError> {
    let tx = TxEip1559 {
        chain_id: call.chain_id,
        nonce: call.nonce,
        gas_limit: 200_000,
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1_000_000,
        to: call.to.map_or(TxKind::Create, |a| TxKind::Call(Address::from(a))),
        value: U256::from(call.value),
        input: call.data.into(),
        ..TxEip1559::default()
    };
    let signature = key.sign_hash_sync(&signature_hash(&tx))?;
    Ok(format!("0x{}", hex::encode(TxEnvelope::from(tx.into_signed(signature)).encoded_2718())))
}

fn signature_hash(tx: &TxEip1559) -> B256 {
    tx.signature_hash()
}

/// Batch `number` of `count` token transfers on the development genesis. Senders take turns; nonces follow from
/// all batches before this one having had the same `count`.
///
/// # Errors
/// Those of the signer.
pub fn transfers(chain_id: u64, number: u64, timestamp: u64, count: usize) -> Result<NewBatch, SignError> {
    let senders = usize::from(crate::genesis::DEV_SENDERS);
    let mut transactions = Vec::with_capacity(count);
    for t in 0..count {
        let i = (t % senders) as u8;
        let turns_per_batch = (count - usize::from(i)).div_ceil(senders) as u64;
        let call = Call {
            chain_id,
            nonce: first_nonce(i) + number.saturating_sub(1) * turns_per_batch + (t / senders) as u64,
            to: Some(fixtures::TOKEN),
            value: 0,
            data: fixtures::transfer(fixtures::receiver(i), 1000 + t as u128),
        };
        transactions.push(sign(&sender_key(i), call)?);
    }
    Ok(NewBatch { number, timestamp, transactions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction;

    #[test]
    fn every_development_key_is_valid_and_its_own() {
        let addresses: std::collections::HashSet<_> = (0..=255).map(sender_address).collect();
        assert_eq!(addresses.len(), 256);
    }

    #[test]
    fn a_generated_transfer_checks_and_recovers_its_sender() {
        let batch = transfers(4207, 1, 7, 18).unwrap();
        for (t, text) in batch.transactions.iter().enumerate() {
            let i = (t % 16) as u8;
            let checked = transaction::check(text, 4207).unwrap();
            assert_eq!(checked.record.from, sender_address(i));
            assert_eq!(checked.record.nonce, first_nonce(i) + (t / 16) as u64);
            assert_eq!(checked.record.to, fixtures::TOKEN);
            // The bound on the posted record of a transfer.
            assert_eq!(lathe_vm::batch::HEADER + checked.record.data.len(), 116);
        }
    }

    #[test]
    fn nonces_go_on_in_the_next_batch() {
        let nonce = |number, t: usize| {
            let batch = transfers(4207, number, 7, 18).unwrap();
            transaction::check(&batch.transactions[t], 4207).unwrap().record.nonce
        };
        assert_eq!(nonce(2, 0), nonce(1, 16) + 1);
        assert_eq!(nonce(2, 2), nonce(1, 2) + 1);
    }
}
