//! Questions about constants: which immediate form they fit.
use lathe_vm::Word;
use lathe_vm::machine::alu;

/// All bits set.
pub const MAX: Word = Word::new(u128::MAX, u128::MAX);
/// One.
pub const ONE: Word = Word::new(0, 1);

/// The word as a number, if it is below the limit.
pub fn below(w: Word, limit: u64) -> Option<u32> {
    (w.hi == 0 && w.lo < u128::from(limit)).then_some(w.lo as u32)
}

/// `-w`
pub fn negated(w: Word) -> Word {
    alu::sub(Word::ZERO, w)
}

/// Zero bits below the lowest one; 256 for zero.
pub fn trailing_zeros(w: Word) -> u32 {
    if w.lo != 0 { w.lo.trailing_zeros() } else { 128 + w.hi.trailing_zeros() }
}

/// Bits up to the highest one; 0 for zero.
pub fn bit_length(w: Word) -> u32 {
    if w.hi != 0 { 256 - w.hi.leading_zeros() } else { 128 - w.lo.leading_zeros() }
}

/// `n` if the word is `2^n`.
pub fn power_of_two(w: Word) -> Option<u32> {
    (w.hi.count_ones() + w.lo.count_ones() == 1).then(|| trailing_zeros(w))
}

/// `n` in 1..=256 if the word is `2^n - 1`.
pub fn low_mask(w: Word) -> Option<u32> {
    let ones = w.hi.count_ones() + w.lo.count_ones();
    (ones != 0 && ones == bit_length(w)).then_some(ones)
}

/// The word as a shift: `n` below 256.
pub fn shift(w: Word) -> Option<u32> {
    below(w, 256)
}
