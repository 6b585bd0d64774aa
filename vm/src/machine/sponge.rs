//! Keccak-256 of words as memory holds them: each is four lanes, so no bytes are moved on the way.
use crate::word::Word;

/// Lanes of a block; the other eight of 25 are the capacity.
const RATE: usize = 17;

/// A sponge that has taken in whole words.
#[derive(Default)]
pub(super) struct Sponge {
    lanes: [u64; 25],
    /// Lanes of the open block that are filled.
    filled: usize,
}

impl Sponge {
    /// Takes in the 32 bytes of a word, big-endian.
    #[inline(always)]
    pub fn absorb(&mut self, w: Word) {
        lanes(w).into_iter().for_each(|lane| self.lane(lane));
    }

    #[inline(always)]
    fn lane(&mut self, lane: u64) {
        self.lanes[self.filled] ^= lane;
        self.filled += 1;
        if self.filled == RATE {
            keccak::f1600(&mut self.lanes);
            self.filled = 0;
        }
    }

    /// Takes in the first `bytes` of a word, at most 31, and Keccak's padding; answers the digest.
    #[inline(always)]
    pub fn finish(&mut self, w: Word, bytes: u32) -> Word {
        let whole = bytes as usize / 8;
        let lanes = lanes(w);
        lanes[..whole].iter().for_each(|lane| self.lane(*lane));
        let bits = 8 * (bytes % 8);
        self.lanes[self.filled] ^= lanes[whole] & ((1 << bits) - 1) | 1 << bits;
        self.lanes[RATE - 1] ^= 1 << 63;
        keccak::f1600(&mut self.lanes);
        let half = |first: usize| {
            let [left, right] = [self.lanes[first], self.lanes[first + 1]].map(u64::swap_bytes);
            u128::from(left) << 64 | u128::from(right)
        };
        Word::new(half(0), half(2))
    }
}

/// A lane is eight bytes, the first of them the least significant.
#[inline(always)]
fn lanes(w: Word) -> [u64; 4] {
    [(w.hi >> 64) as u64, w.hi as u64, (w.lo >> 64) as u64, w.lo as u64].map(u64::swap_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha3::{Digest, Keccak256};

    proptest! {
        #[test]
        fn it_is_keccak_256(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
            let mut sponge = Sponge::default();
            let mut words = bytes.chunks_exact(32);
            words.by_ref().for_each(|w| sponge.absorb(Word::from_first_bytes(w).unwrap()));
            // What lies behind the last byte in its word does not count.
            let mut last = [0xa5; 32];
            last[..words.remainder().len()].copy_from_slice(words.remainder());
            let digest = sponge.finish(Word::from_be_bytes(last), words.remainder().len() as u32);
            prop_assert_eq!(digest, Word::from_be_bytes(Keccak256::digest(&bytes).into()));
        }
    }
}
