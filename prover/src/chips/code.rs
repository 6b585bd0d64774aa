//! Code pages: twelve words per row, decoded into fetches and constants, hashed page by page.
//! Two codes under one (page, pc) would let a program run what is not its code: pages and words are numbered
//! consecutively, so that each number is used once.
use super::alu::pure_rows;
use super::gadgets::{WordCom, checked_uint};
use super::poseidon::{canonical_halves, compress, value};
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, Lc, RowBuilder, Tag};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::isa::{Instruction, PAGE_UNIT, op};
use lathe_vm::trace::{BatchTrace, Effect, Page};
use std::collections::HashMap;

/// Words per constant.
const CONSTANT: usize = 4;
/// Constants per row.
const CONSTANTS: usize = PAGE_UNIT / CONSTANT;
/// Words per absorbed element.
const ELEMENT: usize = 3;
/// Most rows a code chip may have: page numbers and indices of constants stay below 2^14 and cannot borrow from
/// each other in `T = index + 2^14 page`, however the words are spread over pages.
pub const MAX_ROWS: usize = (1 << 14) / CONSTANTS;

/// The code chip (a singleton: head circuit only).
pub struct CodeChip;

/// Twelve words of a page, and how often they are used.
#[derive(Clone, Debug, Default)]
pub struct CodeRow {
    /// Page, counted from 1; 0 marks padding.
    pub number: u32,
    /// Row within the page.
    pub place: u32,
    /// Words of the page, as absorbed.
    pub len: u32,
    /// True for the last row of the page.
    pub last: bool,
    /// The words.
    pub words: [u64; PAGE_UNIT],
    /// Steps executed at each word.
    pub fetches: [u64; PAGE_UNIT],
    /// Rows of the const chip for each constant.
    pub constants: [u64; CONSTANTS],
    /// Calls of the page; counts on its last row.
    pub calls: u64,
}

/// What a row hands to the next: imports and exports in this order.
struct Progress {
    on: Com,
    last: Com,
    number: Com,
    place: Com,
    len: Com,
    hash: WordCom,
}

impl Progress {
    fn import(b: &mut RowBuilder<'_>) -> Progress {
        let [on, last, number, place, len, lo, hi] = [0, 1, 2, 3, 4, 5, 6].map(|i| b.import(i));
        Progress { on, last, number, place, len, hash: WordCom { lo, hi } }
    }

    fn export(&self, b: &mut RowBuilder<'_>) {
        for c in [&self.on, &self.last, &self.number, &self.place, &self.len, &self.hash.lo, &self.hash.hi] {
            b.export(c);
        }
    }

    /// 1 within a page that goes on, else 0 (`last <= on`).
    fn open(&self) -> Com {
        &self.on - &self.last
    }
}

/// A decoded word.
struct Decoded {
    /// The word itself, below 2^64.
    word: Com,
    low22: Com,
    t: Com,
    d: Com,
    a: Com,
    b: Com,
}

impl Chip for CodeChip {
    type Row = CodeRow;

    fn name(&self) -> &'static str {
        "code"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<CodeRow>, AssignError> {
        let uses = Uses::count(input.trace);
        let pages = input.trace.pages.iter().enumerate();
        Ok(pages.flat_map(|(number, page)| page_rows(number as u32, page, &uses)).collect())
    }

    /// Before the first row: a page numbered -1 (0 counted from 1) has just ended.
    fn header(&self, b: &mut RowBuilder<'_>, _input: Option<&ProverInput<'_>>) {
        let [on, last, number, place, len, lo, hi] = [1, 1, 0, 0, 0, 0, 0u64].map(|x| {
            let c = b.commit(Fr::from(x));
            b.zero("the progress before the first row is a constant", &c - Com::int(x));
            c
        });
        Progress { on, last, number, place, len, hash: WordCom { lo, hi } }.export(b);
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&CodeRow>) {
        let before = Progress::import(b);
        let (on, last, number, place, len) = position(b, &before, row);
        // As the bus knows it: from 0, and -1, which no code register holds, on a padding row.
        let page = &number - Com::int(1);

        let decoded: [Decoded; PAGE_UNIT] =
            std::array::from_fn(|i| decode(b, &on, &page, row.map_or(0, |r| r.words[i])));
        for (i, x) in decoded.iter().enumerate() {
            let pc = &place * PAGE_UNIT as u64 + Com::int(i as u64);
            let elements =
                [(0, &x.low22), (8, &x.t), (13, &page), (16, &pc), (17, &x.d), (18, &x.a), (19, &x.b)];
            let uses = b.commit(Fr::from(row.map_or(0, |r| r.fetches[i])));
            b.provide(Tag::Fetch, &uses, &elements.map(|(k, e)| (k, e.clone())));
        }
        for (i, x) in decoded.chunks_exact(CONSTANT).enumerate() {
            let index = &place * CONSTANTS as u64 + Com::int(i as u64) + &page * (1u64 << 14);
            let lo = &x[0].word + &x[1].word * pow2(64);
            let hi = &x[2].word + &x[3].word * pow2(64);
            let uses = b.commit(Fr::from(row.map_or(0, |r| r.constants[i])));
            b.provide(Tag::Const, &uses, &[(0, index), (1, lo), (2, hi)]);
        }

        let hash = absorb(b, &before, &len, &decoded);
        let hash = canonical_halves(b, &last, hash);
        let calls = b.commit(Fr::from(row.filter(|r| r.last).map_or(0, |r| r.calls)));
        b.enforce(
            "only a whole page may be called: calls * (1 - last) = 0",
            &calls,
            Com::int(1) - &last,
            0u64,
        );
        b.provide(Tag::Page, &calls, &[(0, page), (1, hash.lo.clone()), (2, hash.hi.clone())]);
        Progress { on, last, number, place, len, hash }.export(b);
    }

    fn footer(&self, b: &mut RowBuilder<'_>, _input: Option<&ProverInput<'_>>) {
        let end = Progress::import(b);
        b.zero("the last page has ended", end.open());
    }

    /// No constants; the place to refuse a capacity beyond [`MAX_ROWS`] when a shape is made.
    fn fixed(&self, index: usize) -> Vec<Fr> {
        assert!(index < MAX_ROWS, "a code chip has at most {MAX_ROWS} rows");
        Vec::new()
    }
}

/// `on`, `last`, page number from 1, row within the page and declared length of this row.
fn position(b: &mut RowBuilder<'_>, before: &Progress, row: Option<&CodeRow>) -> (Com, Com, Com, Com, Com) {
    let int = |f: fn(&CodeRow) -> u32| Fr::from(u64::from(row.map_or(0, f)));
    let on = b.boolean("on is a bit", row.is_some());
    b.enforce("on * (1 - on_before) = 0", &on, Com::int(1) - &before.on, 0u64);
    let last = b.boolean("last is a bit", row.is_some_and(|r| r.last));
    b.enforce("last * (1 - on) = 0", &last, Com::int(1) - &on, 0u64);
    let number = b.commit(int(|r| r.number));
    let place = b.commit(int(|r| r.place));
    let len = b.commit(int(|r| r.len));

    // A new page after the last row of one, else the same; padding rows have number 0.
    let next = &before.number + &before.last;
    b.enforce("on * (number_before + last_before) = number", &on, next, &number);
    // Rows count from 0 within a page; the first one starts where `open` is 0.
    let open = before.open();
    b.enforce("open_before * (1 - on) = 0: no page is cut short", &open, Com::int(1) - &on, 0u64);
    b.enforce("open_before * (place_before + 1) = place", &open, &before.place + Com::int(1), &place);
    b.enforce("open_before * (len - len_before) = 0", &open, &len - &before.len, 0u64);
    let words = (&place + Com::int(1)) * PAGE_UNIT as u64;
    b.enforce("last * (12 (place + 1) - len) = 0", &last, words - &len, 0u64);
    (on, last, number, place, len)
}

/// Absorbs twelve words in four elements. A page starts from its length.
fn absorb(b: &mut RowBuilder<'_>, before: &Progress, len: &Com, words: &[Decoded; PAGE_UNIT]) -> Lc {
    let start = b.product("open_before * (hash_before - len)", before.open(), value(&before.hash) - len)
        + Lc::from(len);
    words.chunks_exact(ELEMENT).fold(start, |h, w| {
        let element = &w[0].word + &w[1].word * pow2(64) + &w[2].word * pow2(128);
        compress(b, h, element)
    })
}

/// Splits a word into fields and applies its class. 22 constraints.
///
/// Fields are integers below their widths, so a word below 2^64 < p has exactly one split. With the bits
/// `c = c0 + 2 c1 + 4 c2` of the class (J 1, I 2, B 3, C 4, K 5; R 0, 6, 7):
///
/// | | d reads as 0, `T += d` | a reads as 0, `T += a` | b reads as 0 | `T +=` |
/// |---|---|---|---|---|
/// | classes | J, K | I, C | I, B, K | I, K: 2^14 b; B: b; C: 2^14 page |
fn decode(b: &mut RowBuilder<'_>, on: &Com, page: &Com, word: u64) -> Decoded {
    let i = Instruction::decode(word);
    let sub = checked_uint(b, on, u128::from(i.opcode & 127), 7);
    let [c0, c1, c2] = [0, 1, 2].map(|k| b.boolean("a class bit", i.opcode >> (7 + k) & 1 == 1));
    let imm = checked_uint(b, on, u128::from(i.imm), 12);
    let [d, a, bb] = [i.d, i.a, i.b].map(|x| checked_uint(b, on, u128::from(x), 14));
    let low22 = sub + (&c0 + &c1 * 2u64 + &c2 * 4u64) * (1u64 << 7) + imm * (1u64 << 10);
    let word = &low22 + &d * pow2(22) + &a * pow2(36) + &bb * pow2(50);

    let (c0, c1, c2) = (Lc::from(c0), Lc::from(c1), Lc::from(c2));
    let c12 = b.product("c1 * c2", &c1, &c2);
    let c01 = b.product("c0 * c1", &c0, &c1);
    let in_ibck = &c1 + &c2 - &c12 * 2;
    let in_bk = b.product("classes B, K: (c1 xor c2) * c0", &in_ibck, &c0);
    let in_b = b.product("class B: BK * c1", &in_bk, &c1);
    let in_jk = &c0 - &c01;
    let in_ic = &in_ibck - &in_bk;
    let in_i = &c1 - &c12 - &in_b;
    let in_c = &in_ic - &in_i;
    let in_k = in_bk - &in_b;
    let in_ibk = in_ibck - &in_c;

    let d_of_t = b.product_committed("d part of T", in_jk, &d);
    let a_of_t = b.product_committed("a part of T", in_ic, &a);
    let b_of_t = b.product_committed("b part of T", (in_i + in_k) * (1 << 14) + in_b, &bb);
    let page_of_t = b.product_committed("page part of T", in_c * (1 << 14), page);
    let b_unread = b.product_committed("b where it is no operand", in_ibk, &bb);
    Decoded {
        word,
        low22,
        t: &d_of_t + &a_of_t + b_of_t + page_of_t,
        d: d - d_of_t,
        a: a - a_of_t,
        b: bb - b_unread,
    }
}

/// How often each part of the code is used.
struct Uses {
    fetches: HashMap<(u32, u32), u64>,
    constants: HashMap<(u32, u32), u64>,
    calls: HashMap<u32, u64>,
}

impl Uses {
    /// Steps by (page, pc), rows of the const chip by (page, constant), calls by page; the statement takes page 0.
    fn count(trace: &BatchTrace) -> Uses {
        let mut uses =
            Uses { fetches: HashMap::new(), constants: HashMap::new(), calls: HashMap::from([(0, 1)]) };
        // `const` takes its constant once per row of its chip, and that chip merges equal steps.
        for row in pure_rows(trace, &[op::CONST]) {
            let (index, page) = (row.t as u32 & 0x3fff, (row.t >> 14) as u32);
            *uses.constants.entry((page, index)).or_default() += 1;
        }
        for s in trace.steps.iter() {
            *uses.fetches.entry((s.regs.code, s.regs.pc)).or_default() += 1;
            if let Effect::Call { .. } = s.effect {
                // The call takes the fetch of its own instruction again, for the operand offsets.
                *uses.fetches.entry((s.regs.code, s.regs.pc)).or_default() += 1;
                *uses.calls.entry(s.next.code).or_default() += 1;
            }
        }
        uses
    }
}

fn page_rows(number: u32, page: &Page, uses: &Uses) -> Vec<CodeRow> {
    let rows = page.words.chunks(PAGE_UNIT).enumerate().map(|(place, chunk)| {
        let at =
            |map: &HashMap<(u32, u32), u64>, i: usize| map.get(&(number, i as u32)).copied().unwrap_or(0);
        let mut words = [0; PAGE_UNIT];
        words[..chunk.len()].copy_from_slice(chunk);
        CodeRow {
            number: number + 1,
            place: place as u32,
            len: page.words.len() as u32,
            last: (place + 1) * PAGE_UNIT >= page.words.len(),
            words,
            fetches: std::array::from_fn(|i| at(&uses.fetches, place * PAGE_UNIT + i)),
            constants: std::array::from_fn(|i| at(&uses.constants, place * CONSTANTS + i)),
            calls: uses.calls.get(&number).copied().unwrap_or(0),
        }
    });
    rows.collect()
}

#[cfg(test)]
mod tests;
