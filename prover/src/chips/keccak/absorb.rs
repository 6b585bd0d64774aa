//! From memory to lanes, and from lanes to the digest: a row per whole word, and one row per hash for its last
//! bytes, the padding and the digest. Bytes beyond the length must never reach a lane.
use super::tables::{digit, spread64};
use super::{
    Kind, block::block_rows, calls, first_address, lane_elements, padded_lanes, read_time, state_elements,
    word_elements,
};
use crate::chips::gadgets::{WordCom, checked_uint, mem_read};
use crate::circuit::chip::AssignError;
use crate::circuit::lc::{fr_u128, pow2};
use crate::circuit::{Chip, Com, Lc, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::trace::{Access, KeccakCall};

/// A 256-bit word taken apart into booleans: its halves and, per byte (most significant first), its digits.
struct Bits {
    hi: Lc,
    lo: Lc,
    bytes: Vec<Lc>,
}

/// 256 booleans. They bind nothing until the halves or the digits are constrained.
fn bits(b: &mut RowBuilder<'_>, word: Word) -> Bits {
    let values = word.to_be_bytes();
    let mut halves = [Lc::default(), Lc::default()];
    let mut bytes = Vec::with_capacity(32);
    for (j, value) in values.iter().enumerate() {
        let mut byte = Lc::default();
        for i in 0..8u32 {
            let bit = b.wire(Fr::from(u64::from(value >> i & 1)));
            b.enforce("bit^2 = bit", &bit, &bit, &bit);
            let weight = pow2(8 * (15 - j as u32 % 16) + i);
            halves[j / 16] = &halves[j / 16] + &bit * weight;
            byte = byte + bit * digit(i);
        }
        bytes.push(byte);
    }
    let [hi, lo] = halves;
    Bits { hi, lo, bytes }
}

/// Bits of a word that came from memory.
fn memory_bits(b: &mut RowBuilder<'_>, access: Option<&Access>, word: &WordCom) -> Bits {
    let bits = bits(b, access.map_or(Word::ZERO, |a| a.old));
    b.zero("hi = sum of its bits", &bits.hi - Lc::from(&word.hi));
    b.zero("lo = sum of its bits", &bits.lo - Lc::from(&word.lo));
    bits
}

/// Commits lane `t` of a word whose bytes are given as digits.
fn lane_of(b: &mut RowBuilder<'_>, bytes: &[Lc], t: usize, value: u64) -> Com {
    let lane = b.commit(spread64(value));
    let sum = (0..8).fold(Lc::default(), |sum, k| sum + &bytes[8 * t + k] * digit(8 * k as u32));
    b.zero("lane = sum of its bytes' digits", sum - Lc::from(&lane));
    lane
}

/// A whole word of a message.
#[derive(Clone, Copy, Debug)]
pub struct WordRow {
    /// Clock of the hash.
    pub id: u32,
    /// Number of the word in the message.
    pub number: u32,
    /// The read.
    pub access: Access,
}

/// The chip of whole words.
pub struct KeccakWords;

impl Chip for KeccakWords {
    type Row = WordRow;

    fn name(&self) -> &'static str {
        "keccak words"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<WordRow>, AssignError> {
        let whole = |c: &KeccakCall| {
            let id = c.clock;
            let words = c.words.iter().take(c.len as usize / 32).enumerate();
            words.map(|(k, a)| WordRow { id, number: k as u32, access: *a }).collect::<Vec<_>>()
        };
        Ok(calls(self.name(), input)?.iter().flat_map(whole).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&WordRow>) {
        let on = b.boolean("on^2 = on", row.is_some());
        let int = |f: fn(&WordRow) -> u64| Fr::from(row.map_or(0, f));
        let id = b.commit(int(|r| u64::from(r.id)));
        let number = b.commit(int(|r| u64::from(r.number)));
        let address = b.commit(row.map_or(Fr::ZERO, |r| cell_address(&r.access)));
        let time = b.commit(int(|r| r.access.time));
        b.receive(Tag::KeccakState, &on, &word_elements(&id, &number, &address, &time));
        let one = Com::int(1);
        b.send(Tag::KeccakState, &on, &word_elements(&id, &(&number + &one), &(&address + &one), &time));

        let access = row.map(|r| &r.access);
        let word = mem_read(b, &on, &address, &time, access);
        let bits = memory_bits(b, access, &word);
        let value = access.map_or([0; 32], |a| a.old.to_be_bytes());
        for t in 0..4 {
            let lane = lane_of(b, &bits.bytes, t, lane_value(&value, t));
            let number = &number * 4 + Com::int(t as u64);
            b.send(Tag::KeccakLane, &on, &lane_elements(&id, &number, &lane));
        }
    }
}

fn cell_address(a: &Access) -> Fr {
    pow2(64) * Fr::from(u64::from(a.space))
        + pow2(32) * Fr::from(u64::from(a.ctx))
        + Fr::from(u64::from(a.index))
}

fn lane_value(bytes: &[u8; 32], t: usize) -> u64 {
    u64::from_le_bytes(bytes[8 * t..8 * t + 8].try_into().expect("eight bytes"))
}

/// One hash.
#[derive(Clone, Debug)]
pub struct HashRow {
    /// Clock of the hash.
    pub id: u32,
    /// Address of its first word.
    pub address: Fr,
    /// Length in bytes.
    pub len: u32,
    /// Time of the reads.
    pub time: u64,
    /// The read of the last word, if the length is not a multiple of 32.
    pub tail: Option<Access>,
    /// The last one to four lanes, first bit of the padding included.
    pub lanes: Vec<u64>,
    /// The first four lanes of the last state.
    pub digest: [u64; 4],
}

impl HashRow {
    /// The row of a hash.
    pub fn new(call: &KeccakCall) -> HashRow {
        let whole = call.len as usize / 32;
        let state = block_rows(call).1;
        HashRow {
            id: call.clock,
            address: first_address(call),
            len: call.len,
            time: read_time(call),
            tail: call.words.get(whole).copied(),
            lanes: padded_lanes(call).split_off(4 * whole),
            digest: std::array::from_fn(|t| state[t]),
        }
    }
}

/// The chip of hashes.
pub struct KeccakHash;

impl Chip for KeccakHash {
    type Row = HashRow;

    fn name(&self) -> &'static str {
        "keccak hashes"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<HashRow>, AssignError> {
        Ok(calls(self.name(), input)?.iter().map(HashRow::new).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&HashRow>) {
        let on = b.boolean("on^2 = on", row.is_some());
        let id = b.commit(Fr::from(u64::from(row.map_or(0, |r| r.id))));
        let address = b.commit(row.map_or(Fr::ZERO, |r| r.address));
        let time = b.commit(Fr::from(row.map_or(0, |r| r.time)));
        let len = row.map_or(0, |r| r.len);
        // len = 32 * whole + rest, whole below 2^27 and rest below 32: unique, and below 2^32.
        let whole = checked_uint(b, &on, u128::from(len / 32), 27);
        let rest = one_hot(b, &on, row.map(|r| r.len as usize % 32));

        b.send(Tag::KeccakState, &on, &word_elements(&id, &Com::zero(), &address, &time));
        let end = &address + &whole;
        b.receive(Tag::KeccakState, &on, &word_elements(&id, &whole, &end, &time));
        tail(b, row, &on, [&id, &whole, &end, &time], &rest);

        for kind in [Kind::Left, Kind::Right] {
            let zeros: [Com; 25] = Default::default();
            b.send(Tag::KeccakState, &on, &state_elements(kind, &id, &Com::zero(), &zeros));
        }
        let digest = digest(b, row, &on, &id);
        let rest = (1..32).fold(Com::zero(), |sum, k| sum + &rest[k] * k as u64);
        let len = whole * 32 + rest;
        let call = [(0, id), (1, address), (2, len), (3, digest.lo), (4, digest.hi), (5, time)];
        b.receive(Tag::KeccakCall, &on, &call);
    }
}

/// `rest[k]` is 1 for exactly one `k`, none in a row that is off.
fn one_hot(b: &mut RowBuilder<'_>, on: &Com, at: Option<usize>) -> Vec<Com> {
    let rest: Vec<Com> = (0..32).map(|k| b.boolean("rest[k]^2 = rest[k]", at == Some(k))).collect();
    let sum = rest.iter().fold(Com::zero(), |sum, r| sum + r);
    b.zero("sum of rest[k] = on", sum - on);
    rest
}

/// Sum of `rest[k]` for `k` from `from` on: 1 if at least that many bytes are left.
fn at_least(rest: &[Com], from: usize) -> Com {
    rest[from..].iter().fold(Com::zero(), |sum, r| sum + r)
}

/// Reads the last, partial word (none if no byte is left), drops the bytes beyond the length, sets the padding's first
/// bit and sends the lanes up to the one with that bit.
fn tail(
    b: &mut RowBuilder<'_>,
    row: Option<&HashRow>,
    on: &Com,
    [id, whole, end, time]: [&Com; 4],
    rest: &[Com],
) {
    let access = row.and_then(|r| r.tail.as_ref());
    let word = mem_read(b, &at_least(rest, 1), end, time, access);
    let bits = memory_bits(b, access, &word);
    let bytes: Vec<Lc> = (0..32)
        .map(|j| {
            let pad = Lc::from(&rest[j]);
            match j {
                // Byte 31 is never part of a partial word.
                31 => pad,
                _ => b.product("byte j counts if j < rest", &bits.bytes[j], at_least(rest, j + 1)) + pad,
            }
        })
        .collect();
    for t in 0..4 {
        let value = row.and_then(|r| r.lanes.get(t)).copied().unwrap_or(0);
        let lane = lane_of(b, &bytes, t, value);
        let sent = if t == 0 { on.clone() } else { at_least(rest, 8 * t) };
        let number = whole * 4 + Com::int(t as u64);
        b.send(Tag::KeccakLane, &sent, &lane_elements(id, &number, &lane));
    }
}

/// Receives the last state's first four lanes and reads them as a big-endian word, bit by bit.
fn digest(b: &mut RowBuilder<'_>, row: Option<&HashRow>, on: &Com, id: &Com) -> WordCom {
    let lanes = row.map_or([0; 4], |r| r.digest);
    let mut bytes = [0; 32];
    lanes.iter().zip(bytes.chunks_exact_mut(8)).for_each(|(l, out)| out.copy_from_slice(&l.to_le_bytes()));
    let word = Word::from_be_bytes(bytes);
    let bits = bits(b, word);
    let digits: Vec<Com> = (0..4).map(|t| lane_of(b, &bits.bytes, t, lanes[t])).collect();
    b.receive(Tag::KeccakState, on, &state_elements(Kind::Digest, id, &Com::zero(), &digits));
    let out = WordCom { lo: b.commit(fr_u128(word.lo)), hi: b.commit(fr_u128(word.hi)) };
    b.zero("digest.hi = sum of its bits", &bits.hi - Lc::from(&out.hi));
    b.zero("digest.lo = sum of its bits", &bits.lo - Lc::from(&out.lo));
    out
}
