//! Drawn values and calls: mostly well-formed, leaning towards the edges where compilers go wrong. The same seed draws the
//! same things on every machine.
use crate::abi::{Abi, Function, Type, Value, encode};
use lathe_vm::word::Word;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// Accounts that calls come from; arguments name them too. Wallets of the same numbers sign for them.
pub const ACCOUNTS: [[u8; 20]; 4] = [
    *b"\xf5\x5c\xd1\x2b\x7d\x4f\x19\x78\xa6\x91\xfc\x0e\x96\x9e\x67\xfe\x67\x33\x18\xaf",
    *b"\x13\x28\x40\xf5\x7e\x9f\xb9\x76\xf3\xfe\x21\x21\xc9\x54\x0e\x5d\xe0\x44\x13\x1f",
    *b"\x02\x31\x13\x66\xd6\xf6\x0f\xae\x7e\xae\xc7\x9e\x5e\x13\x1b\x67\x25\x88\x4d\xcd",
    *b"\xe6\x5a\xd8\x98\x3b\x64\xdc\xb8\xb2\xf9\x46\x8f\x62\x02\x51\x54\xc4\x4a\x6f\xea",
];

/// A source of values.
pub struct Draw(ChaCha8Rng);

/// A call without its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was meant, for a report.
    pub name: String,
    /// Who calls.
    pub from: [u8; 20],
    /// Wei sent along.
    pub value: Word,
    /// Calldata.
    pub data: Vec<u8>,
}

impl Draw {
    /// A source that the seed alone decides.
    pub fn new(seed: u64) -> Draw {
        Draw(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// Random bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        self.0.fill_bytes(&mut out);
        out
    }

    /// Any word: small ones, powers of two and their neighbours, negative ones, runs of ones, noise.
    pub fn word(&mut self) -> Word {
        match self.below(8) {
            0 | 1 => Word::from(self.below(300) as u128),
            2 => {
                let exponent = self.below(256);
                self.near(power(exponent))
            }
            3 => self.near(Word::ZERO),
            4 => self.near(power(255)),
            5 => masked(Word::new(u128::MAX, u128::MAX), self.below(256) as u16 + 1),
            6 => {
                let bits = self.below(256) as u16 + 1;
                masked(self.noise(), bits)
            }
            _ => self.noise(),
        }
    }

    fn noise(&mut self) -> Word {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        Word::from_be_bytes(bytes)
    }

    /// A word at most three away, around the end of the range.
    fn near(&mut self, word: Word) -> Word {
        let offset = self.below(4) as u128;
        if self.once_in(2) {
            wrapping_add(word, Word::from(offset))
        } else {
            wrapping_sub(word, Word::from(offset))
        }
    }

    /// A value of a type, clean as the ABI wants it.
    pub fn value(&mut self, kind: &Type) -> Value {
        match kind {
            Type::Uint(bits) => Value::Word(masked(self.word(), *bits)),
            Type::Int(bits) => Value::Word(sign_extended(self.word(), *bits)),
            Type::Address => Value::Word(self.address()),
            Type::Bool => Value::Word(Word::from(self.below(2) as u128)),
            Type::FixedBytes(length) => {
                let mut bytes = self.word().to_be_bytes();
                if self.once_in(2) {
                    bytes.rotate_left(self.below(32));
                }
                bytes[usize::from(*length).min(32)..].fill(0);
                Value::Word(Word::from_be_bytes(bytes))
            }
            Type::Bytes => {
                let length = self.length();
                Value::Bytes(self.bytes(length))
            }
            Type::String => {
                let length = self.length();
                Value::Bytes((0..length).map(|_| b' ' + self.below(95) as u8).collect())
            }
            Type::FixedArray(element, length) => {
                Value::List((0..*length).map(|_| self.value(element)).collect())
            }
            Type::Array(element) => {
                let length = self.below(6);
                Value::List((0..length).map(|_| self.value(element)).collect())
            }
            Type::Tuple(members) => Value::List(self.values(members)),
        }
    }

    /// A value of each type.
    pub fn values(&mut self, kinds: &[Type]) -> Vec<Value> {
        kinds.iter().map(|kind| self.value(kind)).collect()
    }

    /// Constructor arguments, well-formed.
    pub fn constructor(&mut self, abi: &Abi) -> Vec<u8> {
        encode(&abi.constructor, &self.values(&abi.constructor))
    }

    /// A call of one of these functions; now and then of none of them, or with calldata that is not what the ABI asks for.
    pub fn call(&mut self, functions: &[&Function]) -> Call {
        let from = *self.pick(&ACCOUNTS);
        if functions.is_empty() || self.once_in(20) {
            let most = if self.once_in(2) { 9 } else { 70 };
            let length = self.below(most);
            let data = self.bytes(length);
            return Call { name: "(any bytes)".into(), from, value: self.wei(), data };
        }
        let function = *self.pick(functions);
        let mut data = function.call(&self.values(&function.inputs));
        let mut name = function.signature.clone();
        if self.once_in(8) {
            name.push_str(self.spoil(&mut data));
        }
        let value = if function.payable || self.once_in(16) { self.wei() } else { Word::ZERO };
        Call { name, from, value, data }
    }

    /// Makes calldata malformed; says how.
    fn spoil(&mut self, data: &mut Vec<u8>) -> &'static str {
        let words = (data.len() - 4) / 32;
        match self.below(4) {
            0 => {
                data.truncate(self.below(data.len() + 1));
                ", cut short"
            }
            1 => {
                let length = self.below(40) + 1;
                data.extend(self.bytes(length));
                ", with bytes behind"
            }
            2 if words > 0 => {
                let at = 4 + 32 * self.below(words);
                data[at..at + 32].copy_from_slice(&self.word().to_be_bytes());
                ", one word replaced"
            }
            _ if words > 0 => {
                let at = 4 + 32 * self.below(words) + self.below(32);
                data[at] ^= 1 << self.below(8);
                ", one bit flipped"
            }
            _ => "",
        }
    }

    fn wei(&mut self) -> Word {
        Word::from([0, 0, 1, 1_000, 1_000_000][self.below(5)])
    }

    fn address(&mut self) -> Word {
        match self.below(8) {
            0 => Word::from(self.below(3) as u128),
            1 => masked(self.word(), 160),
            _ => address_word(*self.pick(&ACCOUNTS)),
        }
    }

    /// Lengths around those where the layout changes.
    fn length(&mut self) -> usize {
        match self.below(4) {
            0 => self.below(4),
            1 => 30 + self.below(5),
            2 => 62 + self.below(5),
            _ => self.below(100),
        }
    }
}

/// An address as a word.
pub fn address_word(address: [u8; 20]) -> Word {
    let mut bytes = [0; 32];
    bytes[12..].copy_from_slice(&address);
    Word::from_be_bytes(bytes)
}

/// `2^exponent`, which is below 256.
fn power(exponent: usize) -> Word {
    match exponent {
        0..128 => Word::from(1 << exponent),
        _ => Word::new(1 << (exponent - 128), 0),
    }
}

fn wrapping_add(a: Word, b: Word) -> Word {
    let (lo, carry) = a.lo.overflowing_add(b.lo);
    Word::new(a.hi.wrapping_add(b.hi).wrapping_add(u128::from(carry)), lo)
}

fn wrapping_sub(a: Word, b: Word) -> Word {
    let (lo, borrow) = a.lo.overflowing_sub(b.lo);
    Word::new(a.hi.wrapping_sub(b.hi).wrapping_sub(u128::from(borrow)), lo)
}

/// The low bits of a word; `bits` is 1..=256.
fn masked(word: Word, bits: u16) -> Word {
    let mask = |bits: u32| 1u128.checked_shl(bits).map_or(u128::MAX, |bit| bit - 1);
    let bits = u32::from(bits);
    Word::new(word.hi & mask(bits.saturating_sub(128)), word.lo & mask(bits))
}

/// The low bits of a word as a signed number.
fn sign_extended(word: Word, bits: u16) -> Word {
    let low = masked(word, bits);
    let sign = masked(power(usize::from(bits) - 1), bits);
    let negative = low.hi & sign.hi | low.lo & sign.lo != 0;
    let ones = Word::new(u128::MAX, u128::MAX);
    let above = wrapping_sub(ones, masked(ones, bits));
    if negative { Word::new(low.hi | above.hi, low.lo | above.lo) } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_integers_fit_their_types() {
        let mut draw = Draw::new(1);
        let ones = Word::new(u128::MAX, u128::MAX);
        for _ in 0..1000 {
            let Value::Word(byte) = draw.value(&Type::Uint(8)) else { unreachable!() };
            assert!(byte < Word::from(256), "{byte}");
            let Value::Word(signed) = draw.value(&Type::Int(136)) else { unreachable!() };
            let top = signed.hi >> 7;
            assert!(top == 0 || top == u128::MAX >> 7, "{signed}");
            let Value::Word(tag) = draw.value(&Type::FixedBytes(4)) else { unreachable!() };
            assert_eq!(tag.to_be_bytes()[4..], [0; 28]);
        }
        assert_eq!(masked(ones, 256), ones);
        assert_eq!(sign_extended(Word::from(0x80), 8), wrapping_sub(Word::ZERO, Word::from(0x80)));
    }

    #[test]
    fn a_seed_decides_everything() {
        let abi = Abi::default();
        let calls = |seed| (0..20).map(|_| Draw::new(seed).call(&[])).collect::<Vec<_>>();
        assert_eq!(calls(7), calls(7));
        assert_eq!(Draw::new(7).constructor(&abi), Vec::<u8>::new());
    }
}
