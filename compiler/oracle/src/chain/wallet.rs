//! Keys of test accounts, and transactions that they sign: deterministic signatures (RFC 6979) over Ethereum's encodings.
//! The encodings are alloy's, so that nothing on this side shares code with what reads them on Lathe's.
use crate::evm::number;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_eips::Encodable2718;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, keccak256};
use k256::ecdsa::SigningKey;
use lathe_vm::word::Word;

/// An account that signs.
#[derive(Clone, Debug)]
pub struct Wallet {
    key: SigningKey,
}

/// What a transaction pays per unit of gas, which also decides its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fee {
    /// A legacy transaction with a price.
    Legacy(u128),
    /// An EIP-2930 transaction with a price and an access list.
    AccessList(u128, Vec<Access>),
    /// An EIP-1559 transaction.
    Dynamic {
        /// At most this.
        max: u128,
        /// Of it to the fee recipient.
        priority: u128,
        /// The access list.
        list: Vec<Access>,
    },
}

/// An address and slots of it that a transaction announces.
pub type Access = ([u8; 20], Vec<Word>);

/// A transaction of one side before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// The chain it is for.
    pub chain_id: u64,
    /// Its sender's nonce.
    pub nonce: u64,
    /// What it pays.
    pub fee: Fee,
    /// Gas that it may use.
    pub gas: u64,
    /// Whom it calls; nobody for a creation.
    pub to: Option<[u8; 20]>,
    /// Wei sent along.
    pub value: Word,
    /// Calldata, or what is to be created.
    pub data: Vec<u8>,
}

impl Fee {
    /// Price of a unit of gas in a block: the priority fee on top of the base fee, bounded.
    pub fn price(&self, base_fee: u64) -> u128 {
        match self {
            Fee::Legacy(price) | Fee::AccessList(price, _) => *price,
            Fee::Dynamic { max, priority, .. } => (*max).min(priority.saturating_add(base_fee.into())),
        }
    }
}

impl Wallet {
    /// The account of this number; its key is the hash of a text.
    ///
    /// # Panics
    /// Never: the hashes of these texts are keys, but for one in 2^128.
    pub fn new(number: usize) -> Wallet {
        let secret = keccak256(format!("a test account of Lathe: {number}"));
        Wallet { key: SigningKey::from_slice(secret.as_slice()).expect("below the order of the curve") }
    }

    /// Its address.
    pub fn address(&self) -> [u8; 20] {
        Address::from_public_key(self.key.verifying_key()).into_array()
    }

    /// The transaction as it is broadcast.
    pub fn sign(&self, tx: &Unsigned) -> Vec<u8> {
        let Unsigned { chain_id, nonce, gas: gas_limit, .. } = *tx;
        let to = tx.to.map_or(TxKind::Create, |to| TxKind::Call(to.into()));
        let (value, input) = (number(tx.value), Bytes::copy_from_slice(&tx.data));
        let signed = match &tx.fee {
            Fee::Legacy(gas_price) => {
                let (chain_id, gas_price) = (Some(chain_id), *gas_price);
                self.signed(TxLegacy { chain_id, nonce, gas_price, gas_limit, to, value, input })
            }
            Fee::AccessList(gas_price, list) => {
                let (gas_price, access_list) = (*gas_price, access_list(list));
                self.signed(TxEip2930 {
                    chain_id,
                    nonce,
                    gas_price,
                    gas_limit,
                    to,
                    value,
                    access_list,
                    input,
                })
            }
            Fee::Dynamic { max, priority, list } => self.signed(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: *max,
                max_priority_fee_per_gas: *priority,
                to,
                value,
                access_list: access_list(list),
                input,
            }),
        };
        signed.encoded_2718()
    }

    /// A signature of a digest as contracts take it: r, s, and 27 or 28.
    ///
    /// # Panics
    /// Never: every digest of 32 bytes is signed.
    pub fn sign_digest(&self, digest: [u8; 32]) -> [u8; 65] {
        let signed = self.key.sign_prehash_recoverable(&digest);
        Signature::from(signed.expect("a digest of 32 bytes is signed")).as_bytes()
    }

    fn signed<T>(&self, tx: T) -> TxEnvelope
    where
        T: SignableTransaction<Signature>,
        TxEnvelope: From<alloy_consensus::Signed<T>>,
    {
        let hash = tx.signature_hash();
        let signed = self.key.sign_prehash_recoverable(hash.as_slice());
        let signature = signed.expect("a digest of 32 bytes is signed");
        tx.into_signed(Signature::from(signature)).into()
    }
}

fn access_list(list: &[Access]) -> AccessList {
    let items = list.iter().map(|(address, slots)| AccessListItem {
        address: (*address).into(),
        storage_keys: slots.iter().map(|slot| B256::from(slot.to_be_bytes())).collect(),
    });
    AccessList(items.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::ACCOUNTS;

    #[test]
    fn the_accounts_that_calls_come_from_have_keys() {
        let addresses: Vec<[u8; 20]> = (0..ACCOUNTS.len()).map(|i| Wallet::new(i).address()).collect();
        assert_eq!(addresses, ACCOUNTS, "{:02x?}", addresses);
    }

    #[test]
    fn the_example_of_eip_155_is_signed_as_printed_there() {
        let wallet = Wallet { key: SigningKey::from_slice(&[0x46; 32]).unwrap() };
        let raw = wallet.sign(&Unsigned {
            chain_id: 1,
            nonce: 9,
            fee: Fee::Legacy(20_000_000_000),
            gas: 21_000,
            to: Some([0x35; 20]),
            value: Word::from(1_000_000_000_000_000_000),
            data: Vec::new(),
        });
        assert_eq!(
            hex::encode(raw),
            "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc\
             2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb19\
             66a3b6d83"
        );
    }
}
