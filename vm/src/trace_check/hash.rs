//! Hashes without a chip: that the result is that of the words that were read.
use super::{TraceError, step_fault};
use crate::isa::{Instruction, op};
use crate::precompile;
use crate::trace::{Access, Executed, Page, Step, space};
use crate::word::Word;
use sha3::{Digest, Keccak256};

/// `keccak` of an unaligned or empty range, `ecrecover`, `sha256`, `pagehash`.
pub(super) fn hashed(s: &Step, e: &Executed) -> Result<(), TraceError> {
    let opcode = Instruction::decode(s.word).opcode;
    let keccak = |bytes: &[u8]| Word::from_be_bytes(Keccak256::digest(bytes).into());
    let want = match opcode {
        op::ECRECOVER => bytes(s, e, Word::from(128)).map(|b| precompile::signer(&b)),
        op::SHA256 => bytes(s, e, s.b.old).map(|b| precompile::sha256(&b)),
        op::PAGEHASH => match s.b.old.hi == 0 && u64::try_from(s.b.old.lo).is_ok_and(Page::is_length) {
            true => bytes(s, e, s.b.old).and_then(|b| Some(Page::from_bytes(&b)?.hash_word())),
            false => e.accesses.is_empty().then_some(Word::ZERO),
        },
        _ => bytes(s, e, s.b.old).map(|b| keccak(&b)),
    };
    match want == Some(s.d.new) {
        true => Ok(()),
        false => Err(step_fault(s, "a digest is wrong")),
    }
}

/// The bytes of the range, from the words that were read.
fn bytes(s: &Step, e: &Executed, length: Word) -> Option<Vec<u8>> {
    let words: Vec<&Access> = e.accesses.iter().filter(|a| a.space != space::REG).collect();
    let bytes: Vec<u8> = words.iter().flat_map(|a| a.old.to_be_bytes()).collect();
    if length.is_zero() {
        return bytes.is_empty().then(Vec::new);
    }
    // Calldata begins where its window does; what matters here is that the words are neighbours.
    let window = e.accesses.first().filter(|a| a.space == space::REG).map_or(0, |a| a.old.lo >> 32 & 31);
    let base = if Instruction::decode(s.word).imm == 0 { 0 } else { window };
    let skip = ((base + (s.a.old.lo & 31)) & 31) as usize;
    let length = usize::try_from(length.lo).ok()?;
    let neighbours = words.windows(2).all(|w| w[0].index + 1 == w[1].index);
    let whole = bytes.len() == (skip + length).next_multiple_of(32);
    bytes.get(skip..skip.checked_add(length)?).filter(|_| neighbours && whole).map(<[u8]>::to_vec)
}
