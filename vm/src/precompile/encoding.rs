//! Bytes in and out: inputs are as if zeros went on behind them for ever, numbers are big-endian.
use ff::{FromUniformBytes, PrimeField};

/// `len` bytes of the input from byte `start`.
pub(super) fn bytes(input: &[u8], start: usize, len: usize) -> Vec<u8> {
    input.iter().skip(start).copied().chain(std::iter::repeat(0)).take(len).collect()
}

/// Word `index` of the input.
pub(super) fn word(input: &[u8], index: usize) -> [u8; 32] {
    let mut out = [0; 32];
    let rest = input.get(index * 32..).unwrap_or_default();
    let there = rest.len().min(32);
    out[..there].copy_from_slice(&rest[..there]);
    out
}

/// The element of a 256-bit field that a word stands for, if it is below the modulus.
pub(super) fn canonical<F: PrimeField>(word: [u8; 32]) -> Option<F> {
    let mut repr = F::Repr::default();
    repr.as_mut().iter_mut().zip(word.iter().rev()).for_each(|(to, from)| *to = *from);
    F::from_repr_vartime(repr)
}

/// A word modulo that of a field.
pub(super) fn reduced<F: FromUniformBytes<64>>(word: [u8; 32]) -> F {
    let mut wide = [0; 64];
    wide.iter_mut().zip(word.iter().rev()).for_each(|(to, from)| *to = *from);
    F::from_uniform_bytes(&wide)
}

/// The word that stands for an element of a 256-bit field.
pub(super) fn to_word<F: PrimeField>(element: F) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().rev().zip(element.to_repr().as_ref()).for_each(|(to, from)| *to = *from);
    out
}
