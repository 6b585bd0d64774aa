//! Signing, for tests and tools. The nonce is that of RFC 6979, so that a key signs the same bytes the same way.
use super::super::{Address, keccak};
use super::account::{AccountPayload, AccountTransaction};
use super::payload::Payload;
use super::signature::Signature;
use super::signed::Signed;
use k256::ecdsa::SigningKey;

/// A secp256k1 key.
#[derive(Clone, Debug)]
pub struct Key(SigningKey);

impl Key {
    /// From 32 big-endian bytes; `None` for zero and for numbers not below the order.
    pub fn new(secret: [u8; 32]) -> Option<Key> {
        SigningKey::from_bytes(&secret.into()).ok().map(Key)
    }

    /// The account that the key is of.
    pub fn address(&self) -> Address {
        let point = self.0.verifying_key().to_encoded_point(false);
        let mut out = [0; 20];
        out.copy_from_slice(&keccak(&[&point.as_bytes()[1..]])[12..]);
        out
    }

    /// Signs a digest, with `s` in the lower half; `None` never happens for a digest anyone can find.
    pub fn sign_digest(&self, digest: [u8; 32]) -> Option<Signature> {
        let (signature, parity) = self.0.sign_prehash_recoverable(&digest).ok()?;
        let (r, s) = signature.split_bytes();
        Signature::new(r.into(), s.into(), parity.is_y_odd())
    }

    /// Signs one of Ethereum's transactions.
    pub fn sign(&self, payload: Payload) -> Option<Signed> {
        let signature = self.sign_digest(payload.signing_hash())?;
        Some(Signed { payload, signature })
    }

    /// Signs an account transaction as the owner of an account without code does.
    pub fn sign_account(&self, payload: AccountPayload) -> Option<AccountTransaction> {
        let signature = self.sign_digest(payload.digest())?.to_rsv().to_vec();
        Some(AccountTransaction { payload, signature })
    }
}
