//! Attempts to hash something else than what memory holds. Forged rows are replayed to a consistent state and digest,
//! so a forgery is caught only if a constraint, a table or the bus refuses it, never for its digest alone.
use super::absorb::{HashRow, KeccakHash, KeccakWords, WordRow};
use super::block::{BlockRow, KeccakF};
use super::tables::{digit, undigit};
use super::tests::{call, judge};
use super::witness::{add_lanes, permute};
use super::*;
use crate::chips::testing::{Fixture, Message, empty_trace};
use crate::circuit::lc::{Var, pow2};
use crate::circuit::{Chip, Counts, Tag};
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;

/// The rows of several hashes, as a prover may choose them.
#[derive(Clone)]
struct Rows {
    words: Vec<WordRow>,
    blocks: Vec<BlockRow>,
    hashes: Vec<HashRow>,
}

impl Rows {
    fn new(calls: &[KeccakCall]) -> Rows {
        let mut trace = empty_trace();
        trace.keccaks = calls.to_vec();
        let input = ProverInput { trace: &trace, counts: &Counts::default() };
        Rows {
            words: Chip::rows(&KeccakWords, &input).unwrap(),
            blocks: Chip::rows(&KeccakF, &input).unwrap(),
            hashes: Chip::rows(&KeccakHash, &input).unwrap(),
        }
    }

    /// Recomputes the states of the first hash's blocks in the order they stand, and its digest.
    fn replay(&mut self) {
        let id = self.hashes[0].id;
        let mut state = [0; 25];
        for row in self.blocks.iter_mut().filter(|r| r.id == id) {
            row.state = state;
            state = state_after(row);
        }
        self.hashes[0].digest = std::array::from_fn(|t| state[t]);
    }

    fn fixtures(&self) -> [Fixture; 3] {
        [
            Fixture::new(KeccakWords, &self.words, 1),
            Fixture::new(KeccakF, &self.blocks, 1),
            Fixture::new(KeccakHash, &self.hashes, 1),
        ]
    }

    fn refused_by(&self, calls: &[KeccakCall], reason: &str) {
        let got = judge(&self.fixtures(), calls).expect_err("a forgery passed");
        assert!(got.contains(reason), "expected '{reason}', got {got}");
    }
}

fn state_after(row: &BlockRow) -> [u64; 25] {
    let end = u64::from(row.last) << 63;
    let at = |i: usize| row.lanes.get(i).copied().unwrap_or(0);
    let lane = |i| add_lanes(&[row.state[i], at(i), if i == RATE_LANES - 1 { end } else { 0 }]);
    permute(&std::array::from_fn(lane)).last.p
}

/// Two hashes: 300 bytes (three blocks) and 100 bytes (one). The second block ends in a clear bit, so that the
/// padding's last bit fits there and a message cut short is not refused for its digits already.
fn two() -> (Vec<KeccakCall>, Rows) {
    let fits = |c: &KeccakCall| padded_lanes(c)[2 * RATE_LANES - 1] >> 63 == 0;
    let calls = vec![(11..).map(|id| call(id, 300)).find(fits).unwrap(), call(9, 100)];
    let rows = Rows::new(&calls);
    assert_eq!((rows.words.len(), rows.blocks.len()), (12, 4));
    (calls, rows)
}

#[test]
fn replaying_honest_rows_changes_nothing() {
    let (calls, mut rows) = two();
    rows.replay();
    let digests: Vec<Word> = calls.iter().map(|c| c.digest).collect();
    assert_eq!(judge(&rows.fixtures(), &calls).unwrap(), digests);
}

#[test]
fn padding_bits_cannot_change() {
    let (calls, honest) = two();
    // 300 = 9 * 32 + 12: the first padding bit is bit 32 of the second lane of the last word.
    let mut rows = honest.clone();
    rows.hashes[0].lanes[1] ^= 1 << 32;
    rows.refused_by(&calls, "lane = sum");
    rows.blocks[2].lanes.last_mut().map(|l| *l ^= 1 << 32).unwrap();
    rows.replay();
    rows.refused_by(&calls, "lane = sum");
    // In the block alone, and in lanes behind the last one.
    let mut rows = honest.clone();
    rows.blocks[2].lanes.last_mut().map(|l| *l ^= 1 << 32).unwrap();
    rows.replay();
    rows.refused_by(&calls, "KeccakLane");
    let mut rows = honest.clone();
    rows.blocks[2].lanes.push(1);
    rows.replay();
    rows.refused_by(&calls, "KeccakLane");
    // Without the last bit, the block is not the last.
    let mut rows = honest;
    rows.blocks[2].last = false;
    rows.replay();
    rows.refused_by(&calls, "(on - last) * (1 - has[16])");
}

#[test]
fn length_and_padding_cannot_move() {
    let (calls, honest) = two();
    for len in [0, 299, 301, 268, 332] {
        let mut forged = calls.clone();
        forged[0].len = len;
        forged[0].words.resize(len.div_ceil(32) as usize, calls[0].words[0]);
        let rows = Rows::new(&forged);
        judge(&rows.fixtures(), &calls).expect_err("another length passed");
        let mut mixed = honest.clone();
        (mixed.words, mixed.blocks) = (rows.words, rows.blocks);
        mixed.replay();
        mixed.refused_by(&calls, "left over");
    }
}

#[test]
fn blocks_cannot_be_dropped_doubled_or_swapped() {
    let (calls, honest) = two();
    let mut dropped = honest.clone();
    dropped.blocks.remove(1);
    dropped.blocks[1].block = 1;
    dropped.replay();
    dropped.refused_by(&calls, "left over");
    let mut short = honest.clone();
    short.blocks.remove(2);
    short.blocks[1].last = true;
    short.replay();
    short.refused_by(&calls, "left over");

    let mut doubled = honest.clone();
    doubled.blocks.insert(1, honest.blocks[1].clone());
    (0..4).for_each(|k| doubled.blocks[k].block = k as u32);
    doubled.replay();
    doubled.refused_by(&calls, "left over");
    let mut twice = honest.clone();
    twice.blocks.push(honest.blocks[2].clone());
    twice.refused_by(&calls, "left over");

    let mut swapped = honest.clone();
    swapped.blocks.swap(0, 1);
    swapped.replay();
    swapped.refused_by(&calls, "left over");
    (0..2).for_each(|k| swapped.blocks[k].block = k as u32);
    swapped.replay();
    swapped.refused_by(&calls, "KeccakLane");
    // A block of nothing but the last padding bit, behind the real last one.
    let mut longer = honest.clone();
    longer.blocks[2].lanes.resize(RATE_LANES, 0);
    longer.blocks[2].last = false;
    longer.blocks.insert(3, BlockRow { block: 3, lanes: Vec::new(), last: true, ..honest.blocks[2].clone() });
    longer.replay();
    longer.refused_by(&calls, "left over");
}

#[test]
fn lanes_and_states_of_another_call_do_not_fit() {
    let calls = vec![call(7, 300), call(9, 300)];
    let honest = Rows::new(&calls);
    for i in [0, 16] {
        let mut rows = honest.clone();
        let (a, b) = rows.blocks.split_at_mut(3);
        std::mem::swap(&mut a[1].lanes[i], &mut b[1].lanes[i]);
        rows.replay();
        rows.refused_by(&calls, "left over");
    }
    let mut rows = honest.clone();
    let (a, b) = rows.blocks.split_at_mut(3);
    std::mem::swap(&mut a[1].state, &mut b[1].state);
    rows.refused_by(&calls, "KeccakState");
    // The digests of two calls of equal length exchanged.
    let mut rows = honest;
    let (a, b) = rows.hashes.split_at_mut(1);
    std::mem::swap(&mut a[0].digest, &mut b[0].digest);
    rows.refused_by(&calls, "KeccakState");
}

#[test]
fn bytes_beyond_the_length_are_dropped() {
    for len in [1, 8, 31, 33, 100, 135] {
        let calls = vec![call(5, len)];
        let whole = len / 32 * 32;
        let word = calls[0].words.last().unwrap().old.to_be_bytes();
        assert_ne!(word[len - whole], 0, "the byte behind the message is dirty");
        let mut rows = Rows::new(&calls);
        // The byte that the padding replaces keeps its memory content.
        let dirty = u64::from(word[len - whole] ^ 1) << (8 * (len % 8));
        *rows.hashes[0].lanes.last_mut().unwrap() ^= dirty;
        *rows.blocks[0].lanes.last_mut().unwrap() ^= dirty;
        rows.replay();
        rows.refused_by(&calls, "lane = sum");
    }
}

#[test]
fn words_cannot_be_exchanged_or_read_elsewhere() {
    let (calls, honest) = two();
    let mut swapped = honest.clone();
    swapped.words.swap(2, 3);
    (swapped.words[2].number, swapped.words[3].number) = (2, 3);
    let flat: Vec<u64> = (0..3).flat_map(|k| honest.blocks[k].lanes.clone()).collect();
    let mut lanes = flat.clone();
    (8..12).for_each(|i| lanes.swap(i, i + 4));
    lanes.chunks(RATE_LANES).enumerate().for_each(|(k, l)| swapped.blocks[k].lanes = l.to_vec());
    swapped.replay();
    swapped.refused_by(&calls, "KeccakState");
    let mut elsewhere = honest.clone();
    elsewhere.words[4].access.index += 1;
    elsewhere.refused_by(&calls, "left over");
    let mut later = honest;
    later.words[4].access.time += 16;
    later.refused_by(&calls, "left over");
}

#[test]
fn halves_of_the_digest_cannot_be_swapped() {
    let (calls, rows) = two();
    let mut fixtures = rows.fixtures();
    let [lo, hi] = [3, 4].map(|k| fixtures[2].message_wire(Tag::KeccakCall, k));
    let (l, h) =
        (crate::circuit::lc::fr_u128(calls[0].digest.lo), crate::circuit::lc::fr_u128(calls[0].digest.hi));
    fixtures[2].change(0, &[(lo, h - l), (hi, l - h)]);
    let got = judge(&fixtures, &calls).expect_err("swapped halves passed");
    assert!(got.contains("digest.hi = sum of its bits"), "{got}");
}

/// What a row takes in; a change that leaves all of it alone must leave everything else it says alone.
fn inputs(messages: &[Message]) -> Vec<&Message> {
    messages.iter().filter(|m| m.2 == -Fr::ONE && m.1.0 != Tag::KeccakCall).collect()
}

fn faithful(honest: &[Message], now: &[Message]) -> bool {
    now == honest || inputs(now) != inputs(honest)
}

#[test]
fn no_single_wire_of_word_and_hash_rows_can_change() {
    let [mut words, _, mut hashes] = Rows::new(&[call(5, 77)]).fixtures();
    for f in [&mut words, &mut hashes] {
        for row in 0..f.block.capacity {
            let honest = f.messages(row);
            let (tried, rejected) = f.mutate(row, |m| faithful(&honest, m));
            assert!(rejected * 3 > tried, "row {row}: {rejected} of {tried}");
        }
    }
}

/// All wires outside the permutation, and some of every round.
#[test]
fn no_single_wire_of_a_block_row_can_change() {
    let rows = Rows::new(&[call(5, 200)]);
    let mut f = Fixture::new(KeccakF, &rows.blocks, 0);
    let wires = f.block.templates[1].committed;
    let mut rejected = 0;
    for row in 0..2 {
        let honest = f.messages(row);
        for i in (0..wires).filter(|i| *i < 80 || i % 139 == row as u32) {
            for by in [-Fr::ONE, digit(15), pow2(200) + Fr::from(u64::from(i))] {
                f.change(row, &[(Var::Committed(i), by)]);
                match f.failures(row).is_empty() {
                    true => assert!(faithful(&honest, &f.messages(row)), "wire {i} of row {row}"),
                    false => rejected += 1,
                }
                f.change(row, &[(Var::Committed(i), -by)]);
            }
        }
    }
    assert!(rejected > 500, "{rejected}");
}

/// Two windows of one lane that trade digits leave the lane's sum alone.
#[test]
fn windows_cannot_trade_digits() {
    let rows = Rows::new(&[call(5, 200)]);
    let mut f = Fixture::new(KeccakF, &rows.blocks[..1], 0);
    // Behind on, last, id, block, 25 lanes of state, 17 of message and 16 flags.
    for i in (62..462).step_by(7) {
        let pair = [(Var::Committed(i), digit(16)), (Var::Committed(i + 1), -Fr::ONE)];
        f.change(0, &pair);
        assert!(!f.failures(0).is_empty(), "wires {i} and {}", i + 1);
        f.change(0, &pair.map(|(v, by)| (v, -by)));
    }
    // Torn windows: a digit moved over the cut, up or down, and fractions.
    for i in (62..182).step_by(3) {
        for by in [digit(1), digit(4), digit(12), undigit(1), undigit(9)] {
            f.change(0, &[(Var::Committed(i), by)]);
            assert!(!f.failures(0).is_empty(), "wire {i}");
            f.change(0, &[(Var::Committed(i), -by)]);
        }
    }
}
