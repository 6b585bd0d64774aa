//! What a program can ask about its block and transaction. The machine only hands it on; who runs the batch vouches
//! for it.
use crate::word::Word;

/// Block and transaction values.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Environment {
    /// Block number.
    pub number: u64,
    /// Seconds.
    pub timestamp: u64,
    /// Wei per gas.
    pub base_fee: Word,
    /// Block gas limit; also what `gas` answers in a contract that is not metered.
    pub gas_limit: u64,
    /// Randomness of the beacon chain.
    pub prevrandao: Word,
    /// Who is paid.
    pub fee_recipient: [u8; 20],
    /// L2 chain id.
    pub chain_id: u64,
    /// Wei per blob gas.
    pub blob_base_fee: Word,
    /// Wei per gas of the transaction.
    pub gas_price: Word,
    /// Hashes of the blocks before this one, the newest first; those beyond the 256th are never answered.
    pub block_hashes: Vec<Word>,
}

/// How many past blocks have a hash.
const PAST_BLOCKS: usize = 256;

impl Environment {
    /// `blockvalue`: the value with this number.
    pub(super) fn block_value(&self, number: u16) -> Option<Word> {
        let small = |x: u64| Word::from(u128::from(x));
        Some(match number {
            0 => small(self.number),
            1 => small(self.timestamp),
            2 => self.base_fee,
            3 => small(self.gas_limit),
            4 => self.prevrandao,
            5 => address_word(self.fee_recipient),
            6 => small(self.chain_id),
            7 => self.blob_base_fee,
            _ => return None,
        })
    }

    /// The hash of a block, 0 unless it is one of the last 256.
    pub(super) fn block_hash(&self, number: Word) -> Word {
        let number = u64::try_from(number.lo).ok().filter(|_| number.hi == 0);
        let back = number.and_then(|n| self.number.checked_sub(n)?.checked_sub(1));
        let known = &self.block_hashes[..self.block_hashes.len().min(PAST_BLOCKS)];
        back.and_then(|i| known.get(usize::try_from(i).ok()?)).copied().unwrap_or_default()
    }
}

/// An address as a word.
pub(super) fn address_word(address: [u8; 20]) -> Word {
    let mut be = [0; 32];
    be[12..].copy_from_slice(&address);
    Word::from_be_bytes(be)
}
