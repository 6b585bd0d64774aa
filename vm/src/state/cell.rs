//! Names of state cells and their keys in the tree.
//! Two different cells never share a key unless Poseidon2 collides: every part is absorbed unreduced.

use ff::PrimeField;
use halo2curves::bn256::Fr;

use crate::Word;
use crate::poseidon2::compress;

/// The kinds of state cells ([`CellId::kind`]).
pub mod kind {
    /// A storage slot of a contract.
    pub const STORAGE: u8 = 0;
    /// An account's nonce (slot 0).
    pub const NONCE: u8 = 1;
    /// An account's balance in wei (slot 0).
    pub const BALANCE: u8 = 2;
    /// The Poseidon2 hash of an account's code (slot 0).
    pub const CODE_HASH: u8 = 3;
    /// An immutable of an account's code.
    pub const IMMUTABLE: u8 = 4;
    /// A transient storage slot: zero when a transaction begins, and never in the tree.
    pub const TRANSIENT: u8 = 5;
    /// A code page that is known: its length in words (the slot is its hash, the address zero).
    pub const KNOWN_CODE: u8 = 6;
}

/// One state cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellId {
    /// One of the constants in [`kind`].
    pub kind: u8,
    /// The account, as 20 big-endian bytes.
    pub address: [u8; 20],
    /// The slot of storage, permanent or transient, the number of an immutable, or the hash of a known page; zero for
    /// the other kinds.
    pub slot: Word,
}

/// All fields in few pieces: maps of cells are what a program waits for.
impl std::hash::Hash for CellId {
    #[inline]
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let mut account = [0; 24];
        account[..20].copy_from_slice(&self.address);
        account[20] = self.kind;
        let part = |i: usize| u64::from_le_bytes(account[8 * i..8 * i + 8].try_into().unwrap_or_default());
        state.write_u128(u128::from(part(0)) << 64 | u128::from(part(1)));
        state.write_u64(part(2));
        state.write_u128(self.slot.lo);
        state.write_u128(self.slot.hi);
    }
}

impl CellId {
    /// Storage slot `slot` of `address`.
    pub const fn storage(address: [u8; 20], slot: Word) -> CellId {
        CellId { kind: kind::STORAGE, address, slot }
    }

    /// Nonce of `address`.
    pub const fn nonce(address: [u8; 20]) -> CellId {
        CellId { kind: kind::NONCE, address, slot: Word::ZERO }
    }

    /// Balance of `address`.
    pub const fn balance(address: [u8; 20]) -> CellId {
        CellId { kind: kind::BALANCE, address, slot: Word::ZERO }
    }

    /// Code hash of `address`.
    pub const fn code_hash(address: [u8; 20]) -> CellId {
        CellId { kind: kind::CODE_HASH, address, slot: Word::ZERO }
    }

    /// Immutable `number` of the code of `address`.
    pub const fn immutable(address: [u8; 20], number: Word) -> CellId {
        CellId { kind: kind::IMMUTABLE, address, slot: number }
    }

    /// Transient slot `slot` of `address`.
    pub const fn transient(address: [u8; 20], slot: Word) -> CellId {
        CellId { kind: kind::TRANSIENT, address, slot }
    }

    /// Length of the page with this hash, zero unless it is known.
    pub const fn known_code(hash: Word) -> CellId {
        CellId { kind: kind::KNOWN_CODE, address: [0; 20], slot: hash }
    }

    /// The tree key: `compress(compress(kind * 2^160 + address, slot.lo), slot.hi)`.
    pub fn key(&self) -> Fr {
        compress(compress(self.tag(), half(self.slot.lo)), half(self.slot.hi))
    }

    /// `kind * 2^160 + address` as a field element; 168 bits, hence below p.
    pub fn tag(&self) -> Fr {
        let be = |bytes: &[u8]| bytes.iter().fold(0u128, |acc, b| acc << 8 | u128::from(*b));
        let hi = u128::from(self.kind) << 32 | be(&self.address[..4]);
        // hi * 2^128 + lo
        half(hi) * half(1 << 127).double() + half(be(&self.address[4..]))
    }
}

/// A 128-bit half of a word as a field element.
pub(super) fn half(x: u128) -> Fr {
    Fr::from_u128(x)
}

/// A field element as an integer in `[0, p)`, most significant limb first, so that the derived order is
/// the order of the integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct OrdKey([u64; 4]);

impl OrdKey {
    pub(super) const ZERO: OrdKey = OrdKey([0; 4]);

    pub(super) fn new(key: &Fr) -> OrdKey {
        let repr = key.to_repr();
        let mut limbs = [0u64; 4];
        for (limb, bytes) in limbs.iter_mut().rev().zip(repr.as_ref().chunks_exact(8)) {
            *limb = bytes.iter().rev().fold(0, |acc, b| acc << 8 | u64::from(*b));
        }
        OrdKey(limbs)
    }
}
