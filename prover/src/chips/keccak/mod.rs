//! Keccak-256 of words in memory: the hash row reads the last word and takes the digest, word rows read the rest,
//! block rows absorb and permute, one table holds 16-bit spread numbers. `docs/chips/keccak.md` has the argument.
//! No row may leave the prover a choice of length, padding, order or number of anything it hands over.
mod absorb;
#[cfg(test)]
mod attacks;
mod block;
mod call;
#[cfg(test)]
mod call_tests;
mod f;
mod tables;
#[cfg(test)]
mod tests;
mod witness;

pub use absorb::{HashRow, KeccakHash, KeccakWords, WordRow};
pub use block::{BlockRow, KeccakF};
pub use call::{KeccakCallChip, KeccakCallRow};
pub use tables::{KeccakTable, TABLE_ROWS};

use crate::circuit::Com;
use crate::circuit::chip::AssignError;
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::trace::KeccakCall;

/// Lanes of a block: 136 bytes.
pub const RATE_LANES: usize = 17;

/// What a `KeccakState` message holds; a constant at position 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Lanes 0..12 before a block.
    Left = 1,
    /// Lanes 13..24 before a block.
    Right = 2,
    /// Lanes 0..3 after the last block; its number is left out.
    Digest = 3,
    /// The next word to absorb.
    Word = 4,
}

impl Kind {
    fn element(self) -> (u8, Com) {
        (23, Com::int(self as u64))
    }
}

/// `KeccakState` with lanes. 0: number of the block, 1: id, 2 and on: lanes, 23: kind.
fn state_elements(kind: Kind, id: &Com, block: &Com, lanes: &[Com]) -> Vec<(u8, Com)> {
    let part = match kind {
        Kind::Left => &lanes[..13],
        Kind::Right => &lanes[13..],
        _ => &lanes[..4],
    };
    let mut elements = vec![(0, block.clone()), (1, id.clone()), kind.element()];
    elements.extend(part.iter().enumerate().map(|(i, lane)| (2 + i as u8, lane.clone())));
    elements
}

/// `KeccakState` of kind `Word`. 0: number of the word, 1: id, 2: its address, 3: time of the read, 23: kind.
fn word_elements(id: &Com, number: &Com, address: &Com, time: &Com) -> Vec<(u8, Com)> {
    vec![(0, number.clone()), (1, id.clone()), (2, address.clone()), (3, time.clone()), Kind::Word.element()]
}

/// `KeccakLane`. 0: the lane's digits, 1: id, 2: its number.
fn lane_elements(id: &Com, number: &Com, lane: &Com) -> [(u8, Com); 3] {
    [(0, lane.clone()), (1, id.clone()), (2, number.clone())]
}

/// The hashes of a batch, checked against what the chips rely on.
fn calls<'a>(chip: &'static str, input: &ProverInput<'a>) -> Result<&'a [KeccakCall], AssignError> {
    for c in &input.trace.keccaks {
        let need = c.len.div_ceil(32) as usize;
        if c.words.len() != need {
            let (clock, len, got) = (c.clock, c.len, c.words.len());
            let reason = format!(
                "hash at clock {clock} has {len} bytes, so {need} words, but {got} reads; replay the batch"
            );
            return Err(AssignError::Trace { chip, reason });
        }
    }
    Ok(&input.trace.keccaks)
}

/// The lanes of a message up to and including the one with the padding's first bit.
fn padded_lanes(call: &KeccakCall) -> Vec<u64> {
    let mut bytes: Vec<u8> = call.words.iter().flat_map(|w| w.old.to_be_bytes()).collect();
    let len = call.len as usize;
    bytes.truncate(len);
    bytes.push(1);
    bytes.resize(8 * (len / 8 + 1), 0);
    bytes.chunks_exact(8).map(|c| u64::from_le_bytes(c.try_into().expect("eight bytes"))).collect()
}

/// When the words of a call are read.
fn read_time(call: &KeccakCall) -> u64 {
    if call.clock == 0 { 1 } else { 16 * u64::from(call.clock) + 5 }
}

/// A memory word's address as on the bus.
fn first_address(call: &KeccakCall) -> Fr {
    use crate::circuit::lc::pow2;
    pow2(64) * Fr::from(u64::from(call.space))
        + pow2(32) * Fr::from(u64::from(call.ctx))
        + Fr::from(u64::from(call.first))
}
