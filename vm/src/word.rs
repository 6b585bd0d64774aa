//! The 256-bit machine word, held as the two 128-bit halves in which it travels on the bus.
//! Arithmetic lives in `machine/alu.rs`; this type never wraps or reduces anything silently.
use serde::{Deserialize, Serialize};

/// A 256-bit word: value = `hi * 2^128 + lo`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Word {
    /// Low 128 bits.
    pub lo: u128,
    /// High 128 bits.
    pub hi: u128,
}

impl Word {
    /// Zero.
    pub const ZERO: Word = Word { lo: 0, hi: 0 };

    /// Builds a word from its halves.
    #[inline(always)]
    pub const fn new(hi: u128, lo: u128) -> Word {
        Word { lo, hi }
    }

    /// Reads 32 big-endian bytes.
    #[inline(always)]
    pub fn from_be_bytes(b: [u8; 32]) -> Word {
        let (mut hi, mut lo) = ([0; 16], [0; 16]);
        hi.copy_from_slice(&b[..16]);
        lo.copy_from_slice(&b[16..]);
        Word { hi: u128::from_be_bytes(hi), lo: u128::from_be_bytes(lo) }
    }

    /// From the first 32 of some bytes, big-endian; `None` if there are fewer.
    pub fn from_first_bytes(bytes: &[u8]) -> Option<Word> {
        bytes.first_chunk().map(|b| Word::from_be_bytes(*b))
    }

    /// Writes 32 big-endian bytes.
    #[inline(always)]
    pub fn to_be_bytes(self) -> [u8; 32] {
        let mut out = [0u8; 32];
        out[..16].copy_from_slice(&self.hi.to_be_bytes());
        out[16..].copy_from_slice(&self.lo.to_be_bytes());
        out
    }

    /// `self * radix + digit` for a small radix, if it fits.
    fn append(self, radix: u128, digit: u128) -> Option<Word> {
        const LOW: u128 = u64::MAX as u128;
        let low = (self.lo & LOW) * radix + digit;
        let mid = (self.lo >> 64) * radix + (low >> 64);
        let hi = self.hi.checked_mul(radix)?.checked_add(mid >> 64)?;
        Some(Word::new(hi, mid << 64 | low & LOW))
    }

    /// Bits up to the highest that is set; 0 for zero.
    pub const fn bits(self) -> u32 {
        let half = if self.hi == 0 { self.lo } else { self.hi };
        128 - half.leading_zeros() + if self.hi == 0 { 0 } else { 128 }
    }

    /// `self == other` by halves: as one comparison of 32 bytes it would wait for the stores that made them.
    #[inline(always)]
    pub fn same(self, other: Word) -> bool {
        (self.lo ^ other.lo) | (self.hi ^ other.hi) == 0
    }

    /// True if the word is zero.
    #[inline(always)]
    pub fn is_zero(self) -> bool {
        self.lo | self.hi == 0
    }
}

impl From<u128> for Word {
    #[inline(always)]
    fn from(lo: u128) -> Word {
        Word { lo, hi: 0 }
    }
}

/// Text that is no number below 2^256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no number below 2^256 (decimal, or hex after 0x)")]
pub struct ParseWordError(pub String);

impl std::str::FromStr for Word {
    type Err = ParseWordError;

    fn from_str(text: &str) -> Result<Word, ParseWordError> {
        let fault = || ParseWordError(text.to_string());
        let (digits, radix) = match text.strip_prefix("0x") {
            Some(hex) => (hex, 16u32),
            None => (text, 10),
        };
        if digits.is_empty() {
            return Err(fault());
        }
        digits.chars().try_fold(Word::ZERO, |value, c| {
            let digit = c.to_digit(radix).ok_or_else(fault)?;
            value.append(radix.into(), digit.into()).ok_or_else(fault)
        })
    }
}

impl PartialOrd for Word {
    #[inline(always)]
    fn partial_cmp(&self, other: &Word) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Word {
    #[inline(always)]
    fn cmp(&self, other: &Word) -> std::cmp::Ordering {
        (self.hi, self.lo).cmp(&(other.hi, other.lo))
    }
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0x{:032x}{:032x}", self.hi, self.lo)
    }
}
