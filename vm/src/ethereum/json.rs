//! Numbers and bytes as Ethereum's JSON-RPC writes them: `0x` quantities without leading zeros, `0x` data.
//! For serde's `with`; reading refuses anything that writing would not give.
use crate::word::Word;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

/// A number that is written as a quantity.
pub trait Number: Sized {
    fn to_word(&self) -> Word;
    fn from_word(word: Word) -> Option<Self>;
}

impl Number for u64 {
    fn to_word(&self) -> Word {
        super::small(*self)
    }

    fn from_word(word: Word) -> Option<u64> {
        u64::try_from(word.lo).ok().filter(|_| word.hi == 0)
    }
}

impl Number for u8 {
    fn to_word(&self) -> Word {
        super::small((*self).into())
    }

    fn from_word(word: Word) -> Option<u8> {
        u64::from_word(word).and_then(|x| x.try_into().ok())
    }
}

impl Number for bool {
    fn to_word(&self) -> Word {
        super::small((*self).into())
    }

    fn from_word(word: Word) -> Option<bool> {
        match u8::from_word(word)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Number for Word {
    fn to_word(&self) -> Word {
        *self
    }

    fn from_word(word: Word) -> Option<Word> {
        Some(word)
    }
}

fn quantity_text(word: Word) -> String {
    let digits = hex::encode(word.to_be_bytes());
    match digits.trim_start_matches('0') {
        "" => "0x0".into(),
        digits => format!("0x{digits}"),
    }
}

fn data_bytes(text: &str) -> Option<Vec<u8>> {
    let bytes = hex::decode(text.strip_prefix("0x")?).ok()?;
    (data_text(&bytes) == text).then_some(bytes)
}

fn data_text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Quantities.
pub mod quantity {
    use super::*;

    pub fn serialize<N: Number, S: Serializer>(number: &N, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&quantity_text(number.to_word()))
    }

    pub fn deserialize<'de, N: Number, D: Deserializer<'de>>(deserializer: D) -> Result<N, D::Error> {
        let text = String::deserialize(deserializer)?;
        let word = text.parse::<Word>().ok().filter(|w| quantity_text(*w) == text);
        word.and_then(N::from_word)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is no quantity in range")))
    }
}

/// Byte strings, of any or of fixed length.
pub mod data {
    use super::*;

    pub fn serialize<B: AsRef<[u8]>, S: Serializer>(bytes: &B, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_text(bytes.as_ref()))
    }

    pub fn deserialize<'de, B: TryFrom<Vec<u8>>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<B, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = data_bytes(&text).and_then(|bytes| B::try_from(bytes).ok());
        bytes.ok_or_else(|| D::Error::custom(format!("`{text}` is no 0x data of the right length")))
    }
}

/// Addresses that may be absent, then `null`.
pub mod address {
    use super::super::Address;
    use super::*;

    pub fn serialize<S: Serializer>(address: &Option<Address>, serializer: S) -> Result<S::Ok, S::Error> {
        address.map(|a| data_text(&a)).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Address>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let address = data_bytes(&text).and_then(|bytes| bytes.try_into().ok());
        address.map(Some).ok_or_else(|| D::Error::custom(format!("`{text}` is no address")))
    }
}

/// Words as 32 bytes.
pub mod words {
    use super::*;

    pub fn serialize<S: Serializer>(words: &[Word], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(words.iter().map(|w| data_text(&w.to_be_bytes())))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Word>, D::Error> {
        let word = |text: &String| {
            let bytes = data_bytes(text).and_then(|bytes| bytes.try_into().ok());
            bytes.map(Word::from_be_bytes).ok_or_else(|| D::Error::custom(format!("`{text}` is no word")))
        };
        Vec::<String>::deserialize(deserializer)?.iter().map(word).collect()
    }
}
