//! Priority operations, type 0x7e: requested on L1, bound to its queue by their hashes, without a signature.
use super::super::rlp::{Fields, Malformed, Problem, Writer};
use super::super::{Address, keccak};
use super::kind;
use crate::word::Word;

/// An operation as L1 queued it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PriorityOperation {
    /// Its position in L1's queue, from 0.
    pub id: u64,
    /// Who is the caller on L2.
    pub from: Address,
    /// Callee.
    pub to: Address,
    /// Wei locked on L1 and made on L2; below 2^128.
    pub minted: u128,
    /// Wei sent along.
    pub value: Word,
    /// The most gas it may use.
    pub gas_limit: u64,
    /// Who gets the minted wei if the call fails.
    pub refund_recipient: Address,
    /// Calldata.
    pub data: Vec<u8>,
}

impl PriorityOperation {
    /// Reads a body.
    ///
    /// # Errors
    /// The field that is not as it should be.
    pub fn decode(body: &[u8]) -> Result<PriorityOperation, Malformed> {
        let first = body.first().copied().unwrap_or_default();
        if first != kind::PRIORITY {
            return Err(Problem::Value(first.into()).of("type"));
        }
        let mut f = Fields::of_list(&body[1..], "transaction")?;
        let out = PriorityOperation {
            id: f.u64("id")?,
            from: f.address("from")?,
            to: f.address("to")?,
            minted: f.u128("minted")?,
            value: f.word("value")?,
            gas_limit: f.u64("gasLimit")?,
            refund_recipient: f.address("refundRecipient")?,
            data: f.bytes("data")?.to_vec(),
        };
        f.end()?;
        Ok(out)
    }

    /// The body of its record: what L1 hashes.
    pub fn encode(&self) -> Vec<u8> {
        let fields = Writer::default().u64(self.id).bytes(&self.from).bytes(&self.to).u128(self.minted);
        let fields = fields.word(self.value).u64(self.gas_limit).bytes(&self.refund_recipient);
        fields.bytes(&self.data).finish(&[kind::PRIORITY])
    }

    /// The operation's hash in L1's queue.
    pub fn hash(&self) -> [u8; 32] {
        keccak(&[&self.encode()])
    }
}
