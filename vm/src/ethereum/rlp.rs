//! The items of transactions in canonical RLP, read field by field through `alloy-rlp`.
//! Every value has one encoding: lengths in their shortest form, integers without leading zeros, nothing behind a list.
use super::Address;
use crate::word::Word;
use alloy_rlp::Header;

/// Where an encoding departs from the one it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Malformed {
    /// The field, as Ethereum's RPC names it.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No canonical RLP, a list in place of a string, or the other way round.
    #[error("{0}")]
    Rlp(alloy_rlp::Error),
    /// An integer written with zeros before its first digit.
    #[error("an integer begins with a zero byte")]
    LeadingZero,
    /// An integer too large.
    #[error("an integer of {got} bytes, at most {max} are allowed")]
    TooLarge {
        /// Bytes allowed.
        max: usize,
        /// Bytes found.
        got: usize,
    },
    /// A string of the wrong length.
    #[error("{got} bytes, expected {expected}")]
    Length {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        got: usize,
    },
    /// Bytes behind the last field.
    #[error("{0} bytes are left behind the last field")]
    Trailing(usize),
    /// A value that another encoding stands for, or that means nothing.
    #[error("the value {0} is not allowed here")]
    Value(u64),
}

impl Problem {
    /// With the field it is about.
    pub(super) fn of(self, field: &'static str) -> Malformed {
        Malformed { field, problem: self }
    }
}

/// The fields of a list, taken from the front.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of the one list that `bytes` are.
    pub(super) fn of_list(bytes: &'a [u8], field: &'static str) -> Result<Fields<'a>, Malformed> {
        let (fields, rest) = Fields::of_first(bytes, field)?;
        match rest.len() {
            0 => Ok(fields),
            n => Err(Problem::Trailing(n).of(field)),
        }
    }

    /// The fields of the list that `bytes` begin with, and what is behind it.
    pub(super) fn of_first(
        bytes: &'a [u8],
        field: &'static str,
    ) -> Result<(Fields<'a>, &'a [u8]), Malformed> {
        let mut outer = Fields(bytes);
        let fields = outer.list(field)?;
        Ok((fields, outer.0))
    }

    fn item(&mut self, field: &'static str, list: bool) -> Result<&'a [u8], Malformed> {
        Header::decode_bytes(&mut self.0, list).map_err(|e| Problem::Rlp(e).of(field))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        match self.0.len() {
            0 => Ok(()),
            n => Err(Problem::Trailing(n).of("transaction")),
        }
    }

    pub(super) fn list(&mut self, field: &'static str) -> Result<Fields<'a>, Malformed> {
        self.item(field, true).map(Fields)
    }

    pub(super) fn bytes(&mut self, field: &'static str) -> Result<&'a [u8], Malformed> {
        self.item(field, false)
    }

    pub(super) fn fixed<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Malformed> {
        let bytes = self.bytes(field)?;
        bytes.try_into().map_err(|_| Problem::Length { expected: N, got: bytes.len() }.of(field))
    }

    pub(super) fn address(&mut self, field: &'static str) -> Result<Address, Malformed> {
        self.fixed(field)
    }

    /// An address or nothing.
    pub(super) fn optional_address(&mut self, field: &'static str) -> Result<Option<Address>, Malformed> {
        let mut ahead = *self;
        if ahead.bytes(field)?.is_empty() {
            *self = ahead;
            return Ok(None);
        }
        self.address(field).map(Some)
    }

    /// An integer of at most `max` bytes, 32 at most.
    fn integer(&mut self, field: &'static str, max: usize) -> Result<Word, Malformed> {
        let bytes = self.bytes(field)?;
        if bytes.first() == Some(&0) {
            return Err(Problem::LeadingZero.of(field));
        }
        if bytes.len() > max {
            return Err(Problem::TooLarge { max, got: bytes.len() }.of(field));
        }
        let mut be = [0; 32];
        be[32 - bytes.len()..].copy_from_slice(bytes);
        Ok(Word::from_be_bytes(be))
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, Malformed> {
        self.integer(field, 8).map(|w| w.lo as u64)
    }

    pub(super) fn u128(&mut self, field: &'static str) -> Result<u128, Malformed> {
        self.integer(field, 16).map(|w| w.lo)
    }

    pub(super) fn word(&mut self, field: &'static str) -> Result<Word, Malformed> {
        self.integer(field, 32)
    }
}

/// Writes the fields of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        alloy_rlp::Encodable::encode(bytes, &mut self.0);
        self
    }

    pub(super) fn word(self, value: Word) -> Self {
        let be = value.to_be_bytes();
        let zeros = be.iter().take_while(|b| **b == 0).count();
        self.bytes(&be[zeros..])
    }

    pub(super) fn u128(self, value: u128) -> Self {
        self.word(Word::from(value))
    }

    pub(super) fn u64(self, value: u64) -> Self {
        self.u128(value.into())
    }

    pub(super) fn optional_address(self, address: Option<Address>) -> Self {
        self.bytes(address.as_ref().map_or(&[], |a| &a[..]))
    }

    pub(super) fn list(mut self, fields: Writer) -> Self {
        self.0.extend_from_slice(&fields.finish(&[]));
        self
    }

    /// Bytes of the fields, without the list's header.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// `prefix`, then the list.
    pub(super) fn finish(self, prefix: &[u8]) -> Vec<u8> {
        let mut out = prefix.to_vec();
        Header { list: true, payload_length: self.0.len() }.encode(&mut out);
        out.extend_from_slice(&self.0);
        out
    }
}
