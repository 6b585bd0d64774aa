//! Ethereum's transactions with their signature: as wallets send them (`raw`) and as a batch posts them (`body`).
//! The two forms hold the same values, so either follows from the other, byte for byte.
use super::super::reason::Reason;
use super::super::rlp::{Problem, Writer};
use super::super::{Address, keccak};
use super::DecodeError;
use super::payload::{Kind, Payload};
use super::signature::Signature;
use crate::word::Word;

/// Bytes of the signature at the end of a body.
pub const SIGNATURE: usize = 64;

/// A payload and its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub payload: Payload,
    /// The signature; not checked.
    pub signature: Signature,
}

/// Why bytes are no signed transaction that could be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RawError {
    /// The encoding.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A legacy transaction for any chain: it has no form in a batch.
    #[error("a legacy transaction without a chain id could be replayed elsewhere; sign it as EIP-155 has it")]
    Unprotected,
    /// `s` has its top bit set.
    #[error("{}", Reason::BadSignature)]
    Signature,
}

impl RawError {
    /// The reason to tell the sender.
    pub fn reason(&self) -> Reason {
        match self {
            RawError::Decode(e) => e.reason(),
            RawError::Unprotected => Reason::Malformed,
            RawError::Signature => Reason::BadSignature,
        }
    }
}

impl Signed {
    /// Reads a body: the payload, then the signature.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(body: &[u8]) -> Result<Signed, DecodeError> {
        match body.split_last_chunk::<SIGNATURE>() {
            Some((payload, signature)) if !payload.is_empty() => {
                let payload = Payload::decode(payload)?;
                Ok(Signed { payload, signature: Signature::from_bytes(signature) })
            }
            _ => Err(DecodeError::Short(body.len())),
        }
    }

    /// The body of its record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.payload.encode();
        out.extend_from_slice(&self.signature.to_bytes());
        out
    }

    /// Reads the bytes that `eth_sendRawTransaction` takes.
    ///
    /// # Errors
    /// [`RawError`].
    pub fn from_raw(raw: &[u8]) -> Result<Signed, RawError> {
        let (mut payload, mut fields) = Payload::read_shared(raw)?;
        let odd = match payload.kind {
            Kind::Legacy { .. } => {
                // 35 + 2 * chain id + parity.
                let v = fields.u128("v").map_err(DecodeError::from)?;
                let protected = match v {
                    27 | 28 => return Err(RawError::Unprotected),
                    _ => v.checked_sub(35),
                };
                let chain_id = protected.and_then(|p| u64::try_from(p / 2).ok());
                payload.chain_id = chain_id.ok_or_else(|| bad_value("v", v))?;
                v % 2 == 0
            }
            _ => match fields.u128("yParity").map_err(DecodeError::from)? {
                0 => false,
                1 => true,
                v => return Err(bad_value("yParity", v)),
            },
        };
        let mut word = |field| fields.word(field).map_err(DecodeError::from);
        let (r, s) = (word("r")?, word("s")?);
        fields.end().map_err(DecodeError::from)?;
        let signature = Signature::new(r.to_be_bytes(), s.to_be_bytes(), odd).ok_or(RawError::Signature)?;
        Ok(Signed { payload, signature })
    }

    /// The bytes that `eth_sendRawTransaction` takes.
    pub fn to_raw(&self) -> Vec<u8> {
        let odd = u128::from(self.signature.odd());
        let (prefix, v) = match &self.payload.kind {
            Kind::Legacy { .. } => (None, 35 + 2 * u128::from(self.payload.chain_id) + odd),
            kind => (Some(kind.number()), odd),
        };
        let [r, s] = [self.signature.r, self.signature.s()].map(Word::from_be_bytes);
        let fields: Writer = self.payload.fields().u128(v).word(r).word(s);
        fields.finish(prefix.as_slice())
    }

    /// The transaction's hash on Ethereum: Keccak-256 of the raw bytes.
    pub fn hash(&self) -> [u8; 32] {
        keccak(&[&self.to_raw()])
    }

    /// Who signed it; `None` if the signature is not valid.
    pub fn sender(&self) -> Option<Address> {
        self.signature.signer(self.payload.signing_hash())
    }
}

fn bad_value(field: &'static str, v: u128) -> RawError {
    DecodeError::from(Problem::Value(u64::try_from(v).unwrap_or(u64::MAX)).of(field)).into()
}
