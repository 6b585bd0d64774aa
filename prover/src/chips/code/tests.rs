use super::*;
use crate::chips::testing::{Fixture, Message, element, empty_trace, mutate_committed};
use crate::circuit::check::{Bus, check_block};
use crate::circuit::lc::halves;
use crate::circuit::{MessageKind, Var};
use ff::Field;
use lathe_vm::trace::{Access, Regs, Step};

/// Words of every class with all fields in use, from a fixed generator.
fn words(n: usize, seed: u64) -> Vec<u64> {
    let mut x = seed | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let mut out: Vec<u64> = (0..n).map(|_| next()).collect();
    let edges = [0, u64::MAX];
    out.iter_mut().zip(edges).for_each(|(w, e)| *w = e);
    for (class, w) in out.iter_mut().skip(2).take(8).enumerate() {
        *w = *w & !(7 << 7) | (class as u64) << 7;
    }
    out
}

fn pages() -> Vec<Page> {
    [(12, 1), (36, 2), (24, 3)].map(|(n, seed)| Page::new(words(n, seed)).unwrap()).to_vec()
}

/// Rows in which everything is used, each part a different number of times.
fn rows() -> Vec<CodeRow> {
    let uses = Uses { fetches: HashMap::new(), constants: HashMap::new(), calls: HashMap::new() };
    let mut rows: Vec<CodeRow> =
        pages().iter().enumerate().flat_map(|(n, p)| page_rows(n as u32, p, &uses)).collect();
    for r in &mut rows {
        r.fetches = std::array::from_fn(|i| i as u64 + 1);
        r.constants = [5, 6, 7];
        r.calls = if r.last { 3 } else { 0 };
    }
    rows
}

fn failures(rows: &[CodeRow], padding: usize) -> Vec<String> {
    let f = Fixture::new(CodeChip, rows, padding);
    let mut out: Vec<String> = (0..f.block.capacity).flat_map(|i| f.failures(i)).collect();
    let border = check_block(&f.block, &f.values, [Fr::ZERO; 4], &mut Bus::new());
    out.extend(border.into_iter().filter(|u| u.template != 1).map(|u| u.name.to_string()));
    out
}

fn assert_rejected(rows: &[CodeRow], by: &str) {
    let found = failures(rows, 1);
    assert!(found.iter().any(|f| f.contains(by)), "expected '{by}', found {found:?}");
}

fn of(messages: &[Message], tag: Tag) -> Vec<&Message> {
    messages.iter().filter(|m| m.1.0 == tag).collect()
}

#[test]
fn pages_are_provided_as_the_machine_decodes_them() {
    let rows = rows();
    for padding in [0, 2] {
        assert_eq!(failures(&rows, padding), Vec::<String>::new());
    }
    let f = Fixture::new(CodeChip, &rows, 1);
    let pages = pages();
    for (i, r) in rows.iter().enumerate() {
        let messages = f.messages(i);
        let (number, page) = (r.number - 1, &pages[r.number as usize - 1]);
        for (k, m) in of(&messages, Tag::Fetch).into_iter().enumerate() {
            let pc = r.place as usize * PAGE_UNIT + k;
            let x = Instruction::decode(page.words[pc]);
            let (a, b, d) = x.slots();
            let t = x.t() + if x.class() == lathe_vm::isa::Class::C { u64::from(number) << 14 } else { 0 };
            let said = [0, 8, 13, 16, 17, 18, 19].map(|p| element(&m.1, p));
            let low22 = page.words[pc] & 0x3f_ffff;
            let expected = [low22, t, number.into(), pc as u64, d.into(), a.into(), b.into()].map(Fr::from);
            assert_eq!(said, expected, "word {:x} of page {number}", page.words[pc]);
            assert_eq!(m.2, Fr::from(k as u64 + 1));
        }
        for (k, m) in of(&messages, Tag::Const).into_iter().enumerate() {
            let index = r.place as usize * CONSTANTS + k;
            let w = &page.words[4 * index..];
            let half = |i: usize| crate::circuit::lc::fr_u128(u128::from(w[i + 1]) << 64 | u128::from(w[i]));
            let at = Fr::from(index as u64 + (u64::from(number) << 14));
            assert_eq!([0, 1, 2].map(|p| element(&m.1, p)), [at, half(0), half(2)]);
        }
        let called = of(&messages, Tag::Page);
        assert_eq!(called.len(), usize::from(r.last));
        if let [m] = called.as_slice() {
            let (lo, hi) = halves(page.hash);
            let half = crate::circuit::lc::fr_u128;
            assert_eq!(
                [0, 1, 2].map(|p| element(&m.1, p)),
                [Fr::from(u64::from(number)), half(lo), half(hi)]
            );
        }
    }
    assert!(f.messages(rows.len()).is_empty());
}

#[test]
fn changing_any_committed_wire_changes_nothing_but_how_often_a_true_message_is_offered() {
    let rows = rows();
    let mut f = Fixture::new(CodeChip, &rows, 2);
    let tuples = |m: &[Message]| -> Vec<_> { m.iter().map(|m| m.1.clone()).collect() };
    for row in [0, 1, 2] {
        let before = f.messages(row);
        assert!(before.iter().all(|m| m.0 == MessageKind::Provide));
        let before = tuples(&before);
        mutate_committed(&mut f, row, |m| tuples(m).iter().all(|t| before.contains(t)));
    }
    // A padding row speaks, if at all, of page -1, where no code runs.
    mutate_committed(&mut f, rows.len(), |m| {
        let page = |m: &Message| match m.1.0 {
            Tag::Fetch => element(&m.1, 13) == -Fr::ONE,
            Tag::Const => -element(&m.1, 0) <= Fr::from(1 << 14),
            _ => false,
        };
        m.iter().all(page)
    });
}

#[test]
fn a_word_has_one_split_into_fields() {
    // The same word with a bit moved from a into d, from b into a, from imm into the class.
    let mut f = Fixture::new(CodeChip, &[rows()[0].clone()], 0);
    // Committed in order: 5 of the position, then per word sub, c0..c2, imm, d, a, b, five parts.
    let first = 5 + 2 * 13;
    let wire = |k: u32| Var::Committed(first + k);
    let two = |k: u32| Fr::from(1 << k);
    for (up, by, down) in [(5, two(14), 6), (6, two(14), 7), (0, two(7), 1), (4, two(12), 5)] {
        let saved = f.values.clone();
        f.change(0, &[(wire(up), by), (wire(down), -Fr::ONE)]);
        let found = f.failures(0);
        let hashed = found.iter().any(|x| x.contains("hi * 2^128 + lo = x"));
        assert!(!hashed, "the word is the same, so its page's hash is");
        assert!(found.iter().any(|x| x.contains("lookup") || x.contains("class bit")), "{found:?}");
        f.values = saved;
    }
}

#[test]
fn a_wrong_length_is_rejected() {
    for (row, len) in [(0, 24), (0, 0), (1, 24), (2, 48)] {
        let mut rows = rows();
        rows[row].len = len;
        assert!(!failures(&rows, 1).is_empty(), "row {row} with length {len}");
    }
    let mut longer = rows();
    longer.iter_mut().skip(1).take(3).for_each(|r| r.len = 48);
    assert_rejected(&longer, "12 (place + 1) - len");
}

#[test]
fn pages_are_numbered_once_and_never_cut() {
    let mut same = rows();
    same.iter_mut().for_each(|r| r.number = 1);
    assert_rejected(&same, "number");
    let mut skipped = rows();
    skipped.iter_mut().skip(1).for_each(|r| r.number += 1);
    assert_rejected(&skipped, "number");
    let mut cut = rows();
    cut.truncate(3);
    assert_rejected(&cut, "cut short");
    assert!(failures(&cut, 0).iter().any(|f| f.contains("has ended")));
    let mut restarted = rows();
    restarted[2].place = 0;
    assert_rejected(&restarted, "place");
}

#[test]
fn a_page_is_offered_only_when_it_is_whole() {
    let mut rows = rows();
    rows[1].last = true;
    assert_rejected(&rows, "12 (place + 1) - len");
    rows[1].last = false;
    let mut f = Fixture::new(CodeChip, &rows, 0);
    let name = "only a whole page may be called: calls * (1 - last) = 0";
    let calls = f.block.templates[1].constraints.iter().find(|c| c.name == name).unwrap().a.terms[0].0;
    f.change(1, &[(calls, Fr::ONE)]);
    assert!(f.failures(1).iter().any(|x| x.contains("whole page")));
}

#[test]
fn uses_are_counted_from_the_steps() {
    let access = |old: u128| {
        let old = lathe_vm::Word::from(old);
        Access { space: 0, ctx: 0, index: 0, time: 0, old_time: 0, old, new: old }
    };
    let step = |pc: u32, a: u128| Step {
        clock: 1,
        regs: Regs { code: 1, pc, ..Regs::default() },
        next: Regs::default(),
        word: u64::from(op::CONST) | 2 << 36,
        a: access(a),
        b: access(0),
        d: access(0),
        effect: Effect::None,
    };
    let mut trace = empty_trace();
    trace.pages = pages();
    // Twice the same look at constant 2, once with another word in the unused operand.
    trace.steps = vec![step(4, 7), step(5, 7), step(4, 8)].into();
    let counts = crate::circuit::Counts::default();
    let rows = Chip::rows(&CodeChip, &ProverInput { trace: &trace, counts: &counts }).unwrap();
    assert_eq!(rows.len(), 1 + 3 + 2);
    assert_eq!((rows[1].fetches[4], rows[1].fetches[5], rows[1].constants), (2, 1, [0, 0, 2]));
    assert_eq!(rows.iter().map(|r| r.fetches.iter().sum::<u64>()).sum::<u64>(), 3);
    assert_eq!((rows[0].calls, rows[3].calls), (1, 0));
}

#[test]
fn cost_per_row() {
    let f = Fixture::new(CodeChip, &[], 1);
    assert_eq!(f.block.templates[1].constraint_count(), 1154);
}
