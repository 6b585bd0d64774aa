use super::*;
use crate::chips::alu::keyed::{CTX, Said, access, pair, step};
use crate::chips::alu::oracle::any_word;
use crate::chips::testing::{Fixture, Message, element_int};
use crate::circuit::Tag;
use crate::circuit::lc::halves;
use lathe_vm::Word;
use proptest::prelude::*;

const PREFIX: u64 = 1 << 32 | 3;

/// The bytes that `cdload` must give, from the window and the bytes of words `q` and `q + 1` on.
fn expected(a: Word, base: u64, len: u64, bytes: &[u8; 64]) -> Word {
    let mut out = [0; 32];
    if a.hi == 0 && a.lo < u128::from(len) {
        let start = (base + a.lo as u64) as usize % 32;
        let rest = (u128::from(len) - a.lo).min(32) as usize;
        out[..rest].copy_from_slice(&bytes[start..start + rest]);
    }
    Word::from_be_bytes(out)
}

fn window(base: u64, len: u64) -> Word {
    Word::from(u128::from(PREFIX) << 64 | u128::from(base) << 32 | u128::from(len))
}

fn bytes_of(words: [Word; 2]) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&words[0].to_be_bytes());
    bytes[32..].copy_from_slice(&words[1].to_be_bytes());
    bytes
}

fn row(a: Word, base: u32, len: u32, words: [Word; 2]) -> CalldataRow {
    let (base, len) = (u64::from(base), u64::from(len));
    let new = expected(a, base, len, &bytes_of(words));
    let off = if a.hi == 0 && a.lo < u128::from(len) { a.lo as u64 } else { 0 };
    let q = ((base + off) / 32) as u32;
    let read = |space, ctx, index, k, w| access(space, ctx, index, k, w, w);
    let register = read(space::REG, CTX, 0, 4, window(base, len));
    let words = [read(space::HEAP, 3, q, 5, words[0]), read(space::HEAP, 3, q + 1, 6, words[1])];
    let effect = Effect::Calldata { window: register, words };
    CalldataRow {
        step: step(op::CDLOAD, 0, [a, Word::from(9), Word::from(8), new], effect),
        window: register,
        words,
    }
}

/// The row's messages say what `cdload` does, or contain what nobody can answer (halves or windows out of range).
fn truth(messages: &[Message]) -> bool {
    let Some(said) = Said::of(messages) else { return true };
    let key = &messages.iter().find(|m| m.1.0 == Tag::Keyed).expect("one").1;
    let [register, first, second] = said.mem.as_slice() else { return false };
    let half = |x: Fr| Some(halves(x)).filter(|h| h.1 == 0).map(|h| h.0);
    let word = |w: [Fr; 2]| Some(Word::new(half(w[1])?, half(w[0])?));
    let (Some(a), Some(w), Some(x), Some(y)) =
        (said.word(1), word(register.old), word(first.old), word(second.old))
    else {
        return true;
    };
    if w.lo >> 100 != 0 {
        return true;
    }
    let (base, len) = (u64::from((w.lo >> 32) as u32), u64::from(w.lo as u32));
    let off = if a.hi == 0 && a.lo < u128::from(len) { a.lo as u64 } else { 0 };
    let q = Fr::from((w.lo >> 64) as u64) * pow2(32) + Fr::from((base + off) / 32);
    let reads = said.mem.iter().zip([4, 5, 6]).all(|(m, k)| m.old == m.new && m.k == Fr::from(k));
    reads
        && said.plain_opcode() == Some(op::CDLOAD)
        && element_int(key, 8) == Some(0)
        && register.address == said.own(space::REG, 0)
        && (first.address, second.address) == (q, q + Fr::ONE)
        && said.result() == pair(expected(a, base, len, &bytes_of([x, y])))
}

fn check(rows: &[CalldataRow]) -> Fixture {
    let f = Fixture::new(CalldataChip, rows, 1);
    f.assert_satisfied();
    for (i, r) in rows.iter().enumerate() {
        let messages = f.messages(i);
        assert!(truth(&messages), "{:?} {messages:?}", r.step);
        assert_eq!(Said::of(&messages).expect("a used row speaks").result(), pair(r.step.d.new));
    }
    assert!(f.messages(rows.len()).is_empty());
    f
}

const FULL: Word = Word { lo: u128::MAX, hi: u128::MAX };

#[test]
fn every_offset_and_every_tail_agrees_with_bytes() {
    let words = [
        Word::from_be_bytes(std::array::from_fn(|i| i as u8 + 1)),
        Word::from_be_bytes(std::array::from_fn(|i| i as u8 + 101)),
    ];
    for start in 0..32 {
        let rows: Vec<_> =
            (1..=34).map(|rest| row(Word::from(u128::from(start)), 64, start + rest, words)).collect();
        check(&rows);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn windows_and_offsets_at_random_agree_with_bytes(
        base: u32, len: u32, off: u32, near in 0u32..70, x in any_word(), y in any_word(), far in any_word(),
    ) {
        let inside = if len == 0 { 0 } else { off % len };
        let close = u128::from(len).saturating_sub(near.into());
        let at = |a: u128| row(Word::from(a), base, len, [x, y]);
        check(&[at(inside.into()), at(off.into()), at(close), at(u128::from(len) + u128::from(near)), row(far, base, len, [x, y])]);
    }
}

#[test]
fn offsets_beyond_the_end_give_zero() {
    let offsets =
        [Word::from(5), Word::from(6), Word::from(1 << 32), Word::from(u128::MAX), Word::new(1, 0), FULL];
    check(&offsets.map(|a| row(a, 7, 5, [FULL, FULL])));
    check(&[
        row(Word::ZERO, u32::MAX, 0, [FULL, FULL]),
        row(Word::from(u32::MAX as u128 - 1), u32::MAX, u32::MAX, [FULL; 2]),
    ]);
}

#[test]
fn no_single_wire_can_change() {
    let words = [Word::new(3 << 99, 5 << 77 | 1), Word::new(u128::MAX - 2, 9)];
    let cases = [(0, 0, 100), (5, 3, 100), (5, 31, 20), (8, 0, 9), (40, 0, 40)];
    let mut rows: Vec<_> =
        cases.iter().map(|(a, base, len)| row(Word::from(*a), *base, *len, words)).collect();
    rows.push(row(FULL, 64, 100, words));
    let mut f = check(&rows);
    for i in 0..f.block.capacity {
        let (tried, rejected) = f.mutate(i, truth);
        assert!(rejected > 0 && tried > rejected);
    }
}

/// Reads of an honest row moved elsewhere must fail: the address follows from window and offset.
#[test]
fn the_words_read_are_those_of_the_window() {
    let honest = row(Word::from(300), 64, 1000, [FULL, FULL]);
    let messages = check(std::slice::from_ref(&honest)).messages(0);
    let said = Said::of(&messages).expect("a used row speaks");
    let prefix = Fr::from(PREFIX) * pow2(32);
    assert_eq!(said.mem[1].address, prefix + Fr::from((64 + 300) / 32));
    assert_eq!(said.mem[2].address, prefix + Fr::from((64 + 300) / 32 + 1));
    // Four limbs further and q one less is the same byte: k and m must leave their ranges.
    let mut f = check(&[honest]);
    let m = {
        let power = f.block.templates[1].fractions.iter().find(|x| x.tag == Tag::Pow2).expect("2^(8 m)");
        power.elements[0].1.terms[0].0
    };
    f.change(0, &[(m, Fr::from(32))]);
    assert!(f.failures(0).iter().any(|b| b.contains("lookup")));
}

#[test]
fn bytes_behind_the_tail_cannot_stay() {
    // 4 bytes are left; claim 5 by e - 1, which keep and more must then make up for.
    let mut f = check(&[row(Word::from(16), 0, 20, [FULL, FULL])]);
    let fractions = &f.block.templates[1].fractions;
    let scaled = |x: &&crate::circuit::template::Fraction| {
        x.tag == Tag::Range16
            && x.elements[0].1.terms.len() == 1
            && x.elements[0].1.terms[0].1 == Fr::from(1 << 13)
    };
    let e = fractions.iter().find(scaled).expect("the range of e").elements[0].1.terms[0].0;
    f.change(0, &[(e, -Fr::ONE)]);
    let bad = f.failures(0);
    assert!(bad.iter().any(|b| b.contains("len - 1 - a.lo - keep - more")), "{bad:?}");
    // more = -1 would balance that sum: it is no number below 2^128.
    let more = f.wires("more * (31 - keep) = 0 inside")[0];
    f.change(0, &[(more, -Fr::ONE)]);
    let bad = f.failures(0);
    assert!(
        bad.iter().any(|b| b.contains("lookup")) && bad.iter().any(|b| b.contains("31 - keep")),
        "{bad:?}"
    );
}

#[test]
fn window_fields_cannot_be_split_another_way() {
    // length + 2^32 and base - 1 are the same word.
    let mut f = check(&[row(Word::ZERO, 64, 20, [FULL, FULL])]);
    let chunks: Vec<_> = {
        let sum = f.block.templates[1].constraints.iter().find(|c| c.name.starts_with("the window's parts"));
        sum.expect("the split").a.terms.clone()
    };
    let wire = |k: Fr| chunks.iter().find(|t| t.1 == k).expect("a chunk").0;
    f.change(0, &[(wire(pow2(32)), -Fr::ONE), (wire(Fr::ONE), Fr::from(1 << 32))]);
    assert!(f.failures(0).iter().any(|b| b.contains("lookup")));
}
