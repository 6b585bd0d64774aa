//! The posted batch, format 1, as `docs/batch.md` lays it out: a version byte, then records with their lengths.
//! Reading refuses with its offset what the kernel could not walk; what is inside a record is the kernel's to judge.
use super::keccak;
use super::transaction::{SIGNATURE, is_signed};
use sha3::{Digest, Keccak256};

/// The first byte.
pub const VERSION: u8 = 1;
/// Bytes of a record before its body.
pub const HEADER: usize = 3;
/// Most bytes of a body.
pub const MAX_BODY: usize = (1 << 24) - 1;

/// Most records: the kernel hashes three words for each, and 2^24 bytes at once.
pub const MAX_RECORDS: usize = (1 << 24) / 96;

/// Why records or bytes are no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// No bytes at all.
    #[error("no bytes; a batch begins with its version, {VERSION:#04x}")]
    Empty,
    /// Another format.
    #[error("the batch has version {0:#04x}, expected {VERSION:#04x}")]
    Version(u8),
    /// The bytes end inside a record.
    #[error("record {index} at byte {offset} needs {need} bytes, {left} are left")]
    Truncated {
        /// Position in the batch.
        index: usize,
        /// First byte of the record.
        offset: usize,
        /// Bytes of the whole record, or of its header if that is cut.
        need: usize,
        /// Bytes there are.
        left: usize,
    },
    /// A record without a body.
    #[error("record {index} at byte {offset} is empty; a body has at least one byte")]
    EmptyBody {
        /// Position in the batch.
        index: usize,
        /// First byte of the record.
        offset: usize,
    },
    /// A signed type without room for its signature.
    #[error(
        "record {index} at byte {offset} has {len} bytes, a signed transaction has more than {SIGNATURE}"
    )]
    NoSignature {
        /// Position in the batch.
        index: usize,
        /// First byte of the record.
        offset: usize,
        /// Bytes of the body.
        len: usize,
    },
    /// More records than the kernel can hash.
    #[error("a batch has at most {MAX_RECORDS} records")]
    TooMany,
    /// More bytes than the length can say.
    #[error("record {index} has {len} bytes, at most {MAX_BODY} can be posted")]
    TooLong {
        /// Position in the batch.
        index: usize,
        /// Bytes of the body.
        len: usize,
    },
}

/// That a record can hold a body.
pub(super) fn check_body(index: usize, offset: usize, body: &[u8]) -> Result<(), BatchError> {
    match body.first() {
        _ if body.len() > MAX_BODY => Err(BatchError::TooLong { index, len: body.len() }),
        None => Err(BatchError::EmptyBody { index, offset }),
        Some(first) if is_signed(*first) && body.len() <= SIGNATURE => {
            Err(BatchError::NoSignature { index, offset, len: body.len() })
        }
        Some(_) => Ok(()),
    }
}

/// Writes bodies as a batch.
///
/// # Errors
/// A body that is empty, too long, or too short for its signature.
pub fn encode<B: AsRef<[u8]>>(bodies: &[B]) -> Result<Vec<u8>, BatchError> {
    let mut out = vec![VERSION];
    if bodies.len() > MAX_RECORDS {
        return Err(BatchError::TooMany);
    }
    for (index, body) in bodies.iter().enumerate() {
        let body = body.as_ref();
        check_body(index, out.len(), body)?;
        out.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
        out.extend_from_slice(body);
    }
    Ok(out)
}

/// The bodies of a batch, in order; the inverse of [`encode`].
///
/// # Errors
/// Bytes that the kernel cannot walk, with the record and where it begins.
pub fn decode(bytes: &[u8]) -> Result<Vec<&[u8]>, BatchError> {
    match bytes.first() {
        None => return Err(BatchError::Empty),
        Some(&VERSION) => {}
        Some(&other) => return Err(BatchError::Version(other)),
    }
    let mut bodies = Vec::new();
    let mut offset = 1;
    while offset < bytes.len() {
        let (index, rest) = (bodies.len(), &bytes[offset..]);
        let cut = |need| BatchError::Truncated { index, offset, need, left: rest.len() };
        let (length, rest) = rest.split_first_chunk::<HEADER>().ok_or_else(|| cut(HEADER))?;
        let length = length.iter().fold(0, |acc, b| acc << 8 | usize::from(*b));
        let body = rest.get(..length).ok_or_else(|| cut(HEADER + length))?;
        check_body(index, offset, body)?;
        if index == MAX_RECORDS {
            return Err(BatchError::TooMany);
        }
        bodies.push(body);
        offset += HEADER + length;
    }
    Ok(bodies)
}

/// The three words that a body stands for in `batchDataHash`: for a signed type the hash of what was signed, and the
/// signature; for any other the hash of the body and zeros.
fn words(body: &[u8]) -> [[u8; 32]; 3] {
    match body.split_last_chunk::<SIGNATURE>() {
        Some((payload, signature)) if payload.first().is_some_and(|first| is_signed(*first)) => {
            let mut out = [keccak(&[payload]), [0; 32], [0; 32]];
            out[1].copy_from_slice(&signature[..32]);
            out[2].copy_from_slice(&signature[32..]);
            out
        }
        _ => [keccak(&[body]), [0; 32], [0; 32]],
    }
}

/// `batchDataHash`: Keccak-256 over three words per record.
///
/// # Errors
/// Those of [`decode`].
pub fn batch_data_hash(bytes: &[u8]) -> Result<[u8; 32], BatchError> {
    let mut hasher = Keccak256::new();
    decode(bytes)?.into_iter().flat_map(words).for_each(|word| hasher.update(word));
    Ok(hasher.finalize().into())
}

/// `priorityOpsHash`: `chain = keccak(chain | operation hash)` from zero, over those that come before the first other
/// record, whatever becomes of them.
pub fn priority_ops_hash(operations: impl IntoIterator<Item = [u8; 32]>) -> [u8; 32] {
    operations.into_iter().fold([0; 32], |chain, operation| keccak(&[&chain, &operation]))
}
