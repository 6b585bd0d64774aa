//! Code pages and the store that finds them by hash.
//! A page never changes once hashed, and a store never answers a hash with other code.
use crate::isa::{MAX_PAGE, PAGE_UNIT};
use crate::poseidon2::chain_with_length;
use crate::trace::Page;
use crate::word::Word;
use ff::PrimeField;
use foldhash::fast::RandomState;
use halo2curves::bn256::Fr;
use std::collections::HashMap;
use std::sync::Arc;

/// Why words are no code page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Nothing to run.
    #[error("the code is empty; a page holds at least one instruction")]
    Empty,
    /// Longer than a page may be.
    #[error("the code has {0} words, a page at most {MAX_PAGE}; split the contract")]
    TooLong(usize),
    /// Text that is not a sequence of 64-bit words in hex.
    #[error("code must be hex of whole 64-bit words (16 digits each): {0}")]
    Hex(String),
}

/// The canonical integer of a field element as a word.
pub fn word_of(value: Fr) -> Word {
    let repr = value.to_repr();
    let mut be = [0u8; 32];
    be.copy_from_slice(repr.as_ref());
    be.reverse();
    Word::from_be_bytes(be)
}

impl Page {
    /// Pads `words` with zeros to a multiple of twelve and hashes them:
    /// from the padded length, one compression per three words (`w0 + 2^64 w1 + 2^128 w2`).
    ///
    /// # Errors
    /// Empty code, or code beyond [`MAX_PAGE`] words.
    pub fn new(mut words: Vec<u64>) -> Result<Page, CodeError> {
        if words.is_empty() {
            return Err(CodeError::Empty);
        }
        words.resize(words.len().next_multiple_of(PAGE_UNIT), 0);
        if words.len() > MAX_PAGE {
            return Err(CodeError::TooLong(words.len()));
        }
        let shift = Fr::from_u128(1 << 64);
        let packed = words
            .chunks_exact(3)
            .map(|w| Fr::from(w[0]) + shift * Fr::from(w[1]) + shift * shift * Fr::from(w[2]));
        Ok(Page { hash: chain_with_length(words.len() as u64, packed), words })
    }

    /// Reads hex, 16 digits per word, `0x` optional, blanks ignored.
    ///
    /// # Errors
    /// Anything but whole words, or what [`Page::new`] refuses.
    pub fn from_hex(text: &str) -> Result<Page, CodeError> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let digits = digits.strip_prefix("0x").unwrap_or(&digits);
        let bytes = hex::decode(digits).map_err(|e| CodeError::Hex(e.to_string()))?;
        if bytes.len() % 8 != 0 {
            return Err(CodeError::Hex(format!("{} bytes, not a multiple of 8", bytes.len())));
        }
        let word = |c: &[u8]| c.iter().fold(0u64, |acc, x| acc << 8 | u64::from(*x));
        Page::new(bytes.chunks_exact(8).map(word).collect())
    }

    /// Reads bytes, 8 per word, big-endian. `None` for what is no whole page: no bytes, more than a page has, or no
    /// multiple of twelve words.
    pub fn from_bytes(bytes: &[u8]) -> Option<Page> {
        if !Page::is_length(bytes.len() as u64) {
            return None;
        }
        let word = |c: &[u8]| c.iter().fold(0u64, |acc, x| acc << 8 | u64::from(*x));
        Page::new(bytes.chunks_exact(8).map(word).collect()).ok()
    }

    /// True if a page can have this many bytes.
    pub fn is_length(bytes: u64) -> bool {
        bytes != 0 && bytes <= 8 * MAX_PAGE as u64 && bytes.is_multiple_of(8 * PAGE_UNIT as u64)
    }

    /// The words in bytes, as [`Page::from_bytes`] reads them.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|w| w.to_be_bytes()).collect()
    }

    /// The words in hex, as [`Page::from_hex`] reads them.
    pub fn to_hex(&self) -> String {
        self.words.iter().map(|w| format!("{w:016x}")).collect()
    }

    /// The hash as kept in a state cell.
    pub fn hash_word(&self) -> Word {
        word_of(self.hash)
    }
}

/// Code pages by hash.
#[derive(Clone, Debug, Default)]
pub struct CodeStore {
    pages: HashMap<Word, Arc<Page>, RandomState>,
}

impl CodeStore {
    /// An empty store.
    pub fn new() -> CodeStore {
        CodeStore::default()
    }

    /// Keeps a page and answers its hash.
    pub fn insert(&mut self, page: Page) -> Word {
        let hash = page.hash_word();
        self.pages.entry(hash).or_insert_with(|| Arc::new(page));
        hash
    }

    /// The page with this hash.
    pub fn get(&self, hash: Word) -> Option<&Arc<Page>> {
        self.pages.get(&hash)
    }

    /// All pages, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Page>> {
        self.pages.values()
    }
}
