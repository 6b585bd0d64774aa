//! Keccak against the reference crates, and attempts to hash something else than what memory holds.
//! A forgery counts as caught only if a constraint, a table or the bus refuses it, never for its digest alone.
use super::block::KeccakF;
use super::tables::{TABLE_ROWS, spread16, spread64};
use super::witness::{add_lanes, permute};
use super::*;
use crate::chips::testing::{Fixture, Message, element, element_int, empty_trace};
use crate::circuit::check::MessageKey;
use crate::circuit::{Block, Chip, Counts, MessageKind, Tag};
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::trace::{Access, space};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;
use sha3::{Digest, Keccak256};
use std::collections::HashMap;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn bytes(rng: &mut ChaCha20Rng, n: usize) -> Vec<u8> {
    let mut out = vec![0; n];
    rng.fill_bytes(&mut out);
    out
}

/// A call on random bytes; the last word's bytes beyond the length are random as well.
pub(super) fn call(clock: u32, len: usize) -> KeccakCall {
    let mut rng = rng(u64::from(clock) << 32 | len as u64);
    let data = bytes(&mut rng, len.div_ceil(32) * 32);
    let time = if clock == 0 { 1 } else { 16 * u64::from(clock) + 5 };
    let (first, ctx) = (rng.next_u32() >> 8, rng.next_u32());
    let words = data.chunks_exact(32).enumerate().map(|(k, chunk)| {
        let old = Word::from_be_bytes(chunk.try_into().unwrap());
        Access { space: space::HEAP, ctx, index: first + k as u32, time, old_time: time / 2, old, new: old }
    });
    let words = words.collect();
    let digest = Word::from_be_bytes(Keccak256::digest(&data[..len]).into());
    KeccakCall { clock, space: space::HEAP, ctx, first, len: len as u32, words, digest }
}

/// The digests that the fixtures prove for exactly these calls, or the first thing that is wrong.
pub(super) fn judge(fixtures: &[Fixture], calls: &[KeccakCall]) -> Result<Vec<Word>, String> {
    let mut bus: HashMap<MessageKey, Fr> = HashMap::new();
    for f in fixtures {
        let rows: Vec<(Vec<String>, Vec<Message>)> =
            (0..f.block.capacity).into_par_iter().map(|i| (f.failures(i), f.messages(i))).collect();
        for (bad, messages) in rows {
            if let Some(first) = bad.first() {
                return Err(format!("{}: {first}", f.block.chip.name()));
            }
            messages.into_iter().for_each(|(_, key, m)| *bus.entry(key).or_insert(Fr::ZERO) += m);
        }
    }
    bus.retain(|_, m| *m != Fr::ZERO);
    let mut expected = HashMap::new();
    for c in calls {
        expected.insert(c.clock, c);
        for a in &c.words {
            for (time, m) in [(a.old_time, Fr::ONE), (a.time, -Fr::ONE)] {
                let cell = super::first_address(&KeccakCall { first: a.index, ..c.clone() });
                let key = key(Tag::Mem, &[cell, word_half(a.old.lo), word_half(a.old.hi), Fr::from(time)]);
                *bus.entry(key).or_insert(Fr::ZERO) += m;
            }
        }
    }
    bus.retain(|_, m| *m != Fr::ZERO);
    let mut digests = HashMap::new();
    for (k, m) in &bus {
        let stray = || format!("left over: {k:?}");
        let call = Some(k).filter(|k| k.0 == Tag::KeccakCall && *m == -Fr::ONE).ok_or_else(stray)?;
        let id = element_int(call, 0).and_then(|id| u32::try_from(id).ok()).ok_or_else(stray)?;
        let c = expected.get(&id).ok_or_else(stray)?;
        let asked = [first_address(c), Fr::from(u64::from(c.len)), Fr::from(read_time(c))];
        let digest = element_int(call, 3).zip(element_int(call, 4)).map(|(lo, hi)| Word { lo, hi });
        let digest = digest.ok_or_else(|| "a half of a digest has 128 bits".to_string())?;
        if [1, 2, 5].map(|p| element(call, p)) != asked || digests.insert(id, digest).is_some() {
            return Err(format!("another call: {k:?}"));
        }
    }
    calls.iter().map(|c| digests.remove(&c.clock).ok_or(format!("no hash for {}", c.clock))).collect()
}

fn word_half(x: u128) -> Fr {
    crate::circuit::lc::fr_u128(x)
}

fn key(tag: Tag, elements: &[Fr]) -> MessageKey {
    use ff::PrimeField;
    let all = elements.iter().enumerate().filter(|e| *e.1 != Fr::ZERO);
    (tag, all.map(|(i, e)| (i as u8, e.to_repr().into())).collect())
}

#[test]
fn permutation_is_keccak_f() {
    let mut rng = rng(1);
    for _ in 0..20 {
        let state: [u64; 25] = std::array::from_fn(|_| rng.next_u64());
        let mut expected = state;
        sha3_permutation(&mut expected);
        assert_eq!(permute(&state.map(|l| add_lanes(&[l]))).last.p, expected);
    }
}

/// The permutation of the oracle crate.
fn sha3_permutation(state: &mut [u64; 25]) {
    keccak::f1600(state);
}

#[test]
fn every_length_hashes_right() {
    let lengths: Vec<usize> = (0..=300).chain([407, 408, 543, 544, 545, 1000, 1359, 1360]).collect();
    for part in lengths.chunks(40) {
        let calls: Vec<KeccakCall> = part.iter().map(|l| call(3 * *l as u32, *l)).collect();
        let mut trace = empty_trace();
        trace.keccaks = calls.clone();
        let mut counts = Counts::default();
        let none = Counts::default();
        let input = ProverInput { trace: &trace, counts: &none };
        let fixtures = [
            assigned(KeccakWords, &input, &mut counts),
            assigned(KeccakF, &input, &mut counts),
            assigned(KeccakHash, &input, &mut counts),
        ];
        let digests = judge(&fixtures, &calls).unwrap();
        assert_eq!(digests, calls.iter().map(|c| c.digest).collect::<Vec<_>>());
        assert_table_serves(&fixtures, &input, &counts);
    }
}

#[test]
fn a_replayed_batch_hashes_right() {
    use lathe_vm::{fixtures, programs, replay};
    let f = fixtures::mixed().unwrap();
    let limits = lathe_vm::machine::Limits::default();
    let trace =
        replay::replay(&f.tree, &f.codes, programs::kernel(), &f.params, &f.records, &limits).unwrap();
    let steps =
        trace.steps.iter().filter(|s| matches!(s.effect, lathe_vm::trace::Effect::Keccak { .. })).count();
    assert!(steps > 0 && steps + 1 == trace.keccaks.len());
    let (none, mut counts) = (Counts::default(), Counts::default());
    let input = ProverInput { trace: &trace, counts: &none };
    let hashes = [
        assigned(KeccakWords, &input, &mut counts),
        assigned(KeccakF, &input, &mut counts),
        assigned(KeccakHash, &input, &mut counts),
    ];
    let digests = judge(&hashes, &trace.keccaks).unwrap();
    assert_eq!(digests, trace.keccaks.iter().map(|c| c.digest).collect::<Vec<_>>());

    // What the instructions ask for is what the hash rows answer; the statement's own hash is left.
    let calls = assigned(KeccakCallChip, &input, &mut counts);
    calls.assert_satisfied();
    let mut bus: HashMap<MessageKey, Fr> = HashMap::new();
    for f in [&hashes[2], &calls] {
        for m in (0..f.block.capacity).flat_map(|i| f.messages(i)).filter(|m| m.1.0 == Tag::KeccakCall) {
            *bus.entry(m.1).or_insert(Fr::ZERO) += m.2;
        }
    }
    bus.retain(|_, m| *m != Fr::ZERO);
    let left: Vec<_> = bus.into_iter().map(|(k, m)| (element(&k, 0), m)).collect();
    assert_eq!(left, [(Fr::ZERO, -Fr::ONE)]);
}

fn assigned<C: Chip>(chip: C, input: &ProverInput<'_>, counts: &mut Counts) -> Fixture {
    let capacity = Chip::rows(&chip, input).unwrap().len() + 1;
    let block = Block::new(chip, capacity);
    let values = block.chip.assign(&block.templates, capacity, input, [Fr::ZERO; 4], counts).unwrap();
    Fixture { block, values }
}

/// The table's multiplicities are those of the lookups made.
fn assert_table_serves(fixtures: &[Fixture], input: &ProverInput<'_>, counts: &Counts) {
    let mut taken: HashMap<MessageKey, Fr> = HashMap::new();
    for f in fixtures {
        for i in 0..f.block.capacity {
            for (kind, key, m) in f.all_messages(i) {
                if kind == MessageKind::Lookup && key.0 == Tag::KeccakBits {
                    *taken.entry(key).or_insert(Fr::ZERO) += m;
                }
            }
        }
    }
    let block = Block::new(KeccakTable, TABLE_ROWS);
    let input = ProverInput { trace: input.trace, counts };
    let values = block
        .chip
        .assign(&block.templates, TABLE_ROWS, &input, [Fr::ZERO; 4], &mut Counts::default())
        .unwrap();
    let table = Fixture { block, values };
    assert!(table.block.is_table());
    for i in 0..TABLE_ROWS {
        for (_, key, m) in table.all_messages(i) {
            *taken.entry(key).or_insert(Fr::ZERO) += m;
        }
    }
    assert!(taken.values().all(|m| *m == Fr::ZERO), "the table does not match the lookups");
}

#[test]
fn table_holds_binary_digits() {
    let table = KeccakTable;
    for x in [0u16, 1, 2, 0x8000, 0xffff, 0x1234] {
        let digits = (0..16).map(|i| u64::from(x >> i & 1) * 12u64.pow(i)).sum::<u64>();
        assert_eq!(Chip::fixed(&table, usize::from(x)), vec![Fr::from(digits)]);
        assert_eq!(spread16(x), digits);
    }
    assert_eq!(spread64(1 << 63), super::tables::digit(63));
}

/// The costs that `docs/chips/keccak.md` states; a change here changes every installed shape.
#[test]
fn rows_cost_what_the_page_says() {
    let cost = |b: Block| (b.templates[1].constraint_count(), b.templates[1].committed, b.templates[1].rest);
    assert_eq!(cost(Block::new(KeccakF, 1)), (11_859, 10_217, 0));
    assert_eq!(cost(Block::new(KeccakWords, 1)), (284, 13, 256));
    assert_eq!(cost(Block::new(KeccakHash, 1)), (626, 52, 543));
    assert_eq!(cost(Block::new(KeccakCallChip, 1)), (51, 32, 0));
    assert_eq!(cost(Block::new(KeccakTable, 1)), (1, 1, 0));
}
