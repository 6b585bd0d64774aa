//! The posted batch: records back to back, as `docs/isa.md` lays them out.
//! Reading is strict: bytes that the kernel would choke on are refused here with their offset.

/// Bytes of a record before its data.
pub const HEADER: usize = 48;

/// One posted transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The sender's nonce, below 2^48.
    pub nonce: u64,
    /// Sender.
    pub from: [u8; 20],
    /// Callee.
    pub to: [u8; 20],
    /// Calldata, at most 65535 bytes.
    pub data: Vec<u8>,
}

/// Why records or bytes are no batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Nonce too large for its six bytes.
    #[error("record {index}: nonce {nonce} does not fit in 48 bits")]
    Nonce {
        /// Position in the batch.
        index: usize,
        /// The nonce.
        nonce: u64,
    },
    /// Data too long for its two bytes of length.
    #[error("record {index}: {len} bytes of data, at most 65535 can be posted")]
    Data {
        /// Position in the batch.
        index: usize,
        /// Its length.
        len: usize,
    },
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
}

/// Writes the records as posted.
///
/// # Errors
/// A nonce of 2^48 or more, or more than 65535 bytes of data.
pub fn encode(records: &[Record]) -> Result<Vec<u8>, BatchError> {
    let mut out = Vec::with_capacity(records.iter().map(|r| HEADER + r.data.len()).sum());
    for (index, r) in records.iter().enumerate() {
        if r.nonce >> 48 != 0 {
            return Err(BatchError::Nonce { index, nonce: r.nonce });
        }
        let len = u16::try_from(r.data.len()).map_err(|_| BatchError::Data { index, len: r.data.len() })?;
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&r.nonce.to_be_bytes()[2..]);
        out.extend_from_slice(&r.from);
        out.extend_from_slice(&r.to);
        out.extend_from_slice(&r.data);
    }
    Ok(out)
}

/// Reads posted bytes back; the inverse of [`encode`].
///
/// # Errors
/// A record that overruns the bytes.
pub fn decode(bytes: &[u8]) -> Result<Vec<Record>, BatchError> {
    let mut records = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let rest = &bytes[offset..];
        let cut = |need| BatchError::Truncated { index: records.len(), offset, need, left: rest.len() };
        let head = rest.get(..HEADER).ok_or_else(|| cut(HEADER))?;
        let need = HEADER + usize::from(u16::from_be_bytes([head[0], head[1]]));
        let data = rest.get(HEADER..need).ok_or_else(|| cut(need))?;
        let mut record = Record { nonce: 0, from: [0; 20], to: [0; 20], data: data.to_vec() };
        record.nonce = head[2..8].iter().fold(0, |acc, x| acc << 8 | u64::from(*x));
        record.from.copy_from_slice(&head[8..28]);
        record.to.copy_from_slice(&head[28..48]);
        records.push(record);
        offset += need;
    }
    Ok(records)
}
