//! Pieces of constraint that several chips share: range checks, words, memory and state accesses.
//! Every gadget takes the row's `on` combination: with `on = 0` it sends nothing and constrains nothing but itself.
use crate::circuit::lc::{fr_u128, halves, pow2};
use crate::circuit::{Com, RowBuilder, Tag};
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::state::CellId;
use lathe_vm::trace::{Access, StateAccess};

/// A word as two committed halves.
#[derive(Clone, Debug, Default)]
pub struct WordCom {
    /// Low 128 bits.
    pub lo: Com,
    /// High 128 bits.
    pub hi: Com,
}

impl WordCom {
    /// The constant zero.
    pub fn zero() -> WordCom {
        WordCom::default()
    }

    /// A word below 2^128 from one combination.
    pub fn low(lo: Com) -> WordCom {
        WordCom { lo, hi: Com::zero() }
    }

    /// `k` times both halves.
    pub fn minus(&self, other: &WordCom) -> WordCom {
        WordCom { lo: &self.lo - &other.lo, hi: &self.hi - &other.hi }
    }
}

/// Commits a word that somebody else range-checked (it arrives over the bus).
pub fn opaque_word(b: &mut RowBuilder<'_>, w: Word) -> WordCom {
    WordCom { lo: b.commit(fr_u128(w.lo)), hi: b.commit(fr_u128(w.hi)) }
}

/// Commits a word made here: both halves as sums of eight looked-up 16-bit chunks.
pub fn checked_word(b: &mut RowBuilder<'_>, on: &Com, w: Word) -> WordCom {
    WordCom { lo: checked_uint(b, on, w.lo, 128), hi: checked_uint(b, on, w.hi, 128) }
}

/// Looks `x` up in the table of 16-bit numbers.
pub fn lookup16(b: &mut RowBuilder<'_>, on: &Com, x: &Com) {
    let (lo, hi) = halves(x.value());
    let index = if hi == 0 && lo < 1 << 16 { lo as usize } else { 0 };
    b.lookup(Tag::Range16, on, x, index);
}

/// Commits an integer below `2^bits` (`bits <= 128`) as a sum of looked-up chunks and returns the sum.
/// Constraints: one lookup per started 16 bits, one more if `bits` is not a multiple of 16.
pub fn checked_uint(b: &mut RowBuilder<'_>, on: &Com, value: u128, bits: u32) -> Com {
    assert!((1..=128).contains(&bits));
    let mut sum = Com::zero();
    for i in 0..bits.div_ceil(16) {
        let chunk = b.commit(Fr::from((value >> (16 * i)) as u64 & 0xffff));
        lookup16(b, on, &chunk);
        if bits < 16 * (i + 1) {
            lookup16(b, on, &(&chunk * (1u64 << (16 * (i + 1) - bits))));
        }
        sum = sum + chunk * pow2(16 * i);
    }
    sum
}

/// Constrains `x` to lie in `0 .. 2^bits` (`bits <= 128`): low chunks are committed, the top one is what remains.
pub fn range(b: &mut RowBuilder<'_>, on: &Com, x: &Com, bits: u32) {
    assert!((1..=128).contains(&bits));
    let chunks = bits.div_ceil(16);
    let (value, _) = halves(x.value());
    let mut top = x.clone();
    for i in 0..chunks - 1 {
        let chunk = b.commit(Fr::from((value >> (16 * i)) as u64 & 0xffff));
        lookup16(b, on, &chunk);
        top = top - chunk * pow2(16 * i);
    }
    let top = top * pow2(16 * (chunks - 1)).invert().expect("a power of two is not zero");
    lookup16(b, on, &top);
    if bits < 16 * chunks {
        lookup16(b, on, &(top * (1u64 << (16 * chunks - bits))));
    }
}

/// A boolean that is 1 exactly if `x = 0`; costs two constraints and the inverse as a hint.
pub fn is_zero(b: &mut RowBuilder<'_>, x: &Com) -> Com {
    let inverse = x.value().invert().unwrap_or(Fr::ZERO);
    let zero = b.commit(Fr::from(u64::from(bool::from(x.value().is_zero()))));
    let inverse = b.wire(inverse);
    b.enforce("is_zero: x * inverse = 1 - zero", x, inverse, Com::int(1) - &zero);
    b.enforce("is_zero: x * zero = 0", x, &zero, 0u64);
    zero
}

/// `(space, ctx, index)` in one element: 4, 32 and 32 bits, each bounded by whoever made it.
pub fn address(space: u8, ctx: &Com, index: &Com) -> Com {
    Com::constant(pow2(64) * Fr::from(u64::from(space))) + ctx * pow2(32) + index
}

/// The bus elements of a memory cell at a time.
pub fn mem_elements(address: &Com, value: &WordCom, time: &Com) -> [(u8, Com); 4] {
    [(0, address.clone()), (1, value.lo.clone()), (2, value.hi.clone()), (3, time.clone())]
}

fn old_time(b: &mut RowBuilder<'_>, on: &Com, time: &Com, old: u64) -> Com {
    let old = b.commit(Fr::from(old));
    range(b, on, &(time - &old - Com::int(1)), 32);
    old
}

/// Reads a memory cell. `time` is `16 * clock + k` below 2^32. 7 constraints.
pub fn mem_read(
    b: &mut RowBuilder<'_>,
    on: &Com,
    address: &Com,
    time: &Com,
    access: Option<&Access>,
) -> WordCom {
    let value = opaque_word(b, access.map_or(Word::ZERO, |a| a.old));
    let old = old_time(b, on, time, access.map_or(0, |a| a.old_time));
    b.receive(Tag::Mem, on, &mem_elements(address, &value, &old));
    b.send(Tag::Mem, on, &mem_elements(address, &value, time));
    value
}

/// Writes `new` (range-checked by its maker) and returns the old value. 9 constraints.
pub fn mem_write(
    b: &mut RowBuilder<'_>,
    on: &Com,
    address: &Com,
    time: &Com,
    new: &WordCom,
    access: Option<&Access>,
) -> WordCom {
    let value = opaque_word(b, access.map_or(Word::ZERO, |a| a.old));
    let old = old_time(b, on, time, access.map_or(0, |a| a.old_time));
    b.receive(Tag::Mem, on, &mem_elements(address, &value, &old));
    b.send(Tag::Mem, on, &mem_elements(address, new, time));
    value
}

/// `kind * 2^160 + address` of a state cell, and its slot.
#[derive(Clone, Debug)]
pub struct CellCom {
    /// `kind * 2^160 + address`; kind below 2^8 and address below 2^160 by whoever made it.
    pub account: Com,
    /// The slot.
    pub slot: WordCom,
}

/// The value of `kind * 2^160 + address`.
pub fn account_value(cell: &CellId) -> Fr {
    let address = cell.address.iter().fold(Fr::ZERO, |acc, x| acc * Fr::from(256) + Fr::from(u64::from(*x)));
    address + pow2(160) * Fr::from(u64::from(cell.kind))
}

/// The bus elements of a state cell at a time.
pub fn state_elements(cell: &CellCom, value: &WordCom, time: &Com) -> [(u8, Com); 6] {
    [
        (0, cell.account.clone()),
        (1, value.lo.clone()),
        (2, value.hi.clone()),
        (3, time.clone()),
        (4, cell.slot.lo.clone()),
        (5, cell.slot.hi.clone()),
    ]
}

/// Accesses a state cell at `time`: receives the old value, sends `new` (or the old value again for a read).
/// Returns the old value.
pub fn state_access(
    b: &mut RowBuilder<'_>,
    on: &Com,
    cell: &CellCom,
    time: &Com,
    new: impl FnOnce(&mut RowBuilder<'_>, &WordCom) -> WordCom,
    access: Option<&StateAccess>,
) -> WordCom {
    let value = opaque_word(b, access.map_or(Word::ZERO, |a| a.old));
    let old = old_time(b, on, time, access.map_or(0, |a| a.old_time));
    b.receive(Tag::State, on, &state_elements(cell, &value, &old));
    let new = new(b, &value);
    b.send(Tag::State, on, &state_elements(cell, &new, time));
    value
}

/// The bus elements of a journal entry: id, predecessor, cell, old value.
pub fn journal_elements(id: &Com, prev: &Com, cell: &CellCom, old: &WordCom) -> [(u8, Com); 7] {
    [
        (0, cell.account.clone()),
        (1, old.lo.clone()),
        (2, old.hi.clone()),
        (3, id.clone()),
        (4, cell.slot.lo.clone()),
        (5, cell.slot.hi.clone()),
        (6, prev.clone()),
    ]
}
