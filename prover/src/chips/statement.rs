//! The singletons: boot step, last step, the statement's sixteen words and the roots of the state tree.
//! One header, no rows, head circuit only. It ties the public input `statement` to what the other chips prove.
use super::call::{RETURN, final_words};
use super::cpu::segment_elements;
use super::gadgets::{WordCom, address, checked_uint, mem_elements, mem_read, mem_write, opaque_word, range};
use super::message::{Keyed, RegsCom};
use super::poseidon::{canonical_halves, compress};
use super::tree::leaf::count_elements;
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::row::Public;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::trace::{BatchTrace, space};

/// The statement's version: transactions' signatures are not proven yet.
pub const PROTOCOL_VERSION: u64 = 0;
/// `ctx` and `code` after the last step; no context and no page has this number.
const ENDED: u64 = u32::MAX as u64;
/// Level of the state tree's root.
const ROOT_LEVEL: u64 = 32;

/// The statement chip (a singleton: head circuit only).
pub struct Statement;

impl Chip for Statement {
    type Row = ();

    fn name(&self) -> &'static str {
        "statement"
    }

    fn rows(&self, _input: &ProverInput<'_>) -> Result<Vec<()>, AssignError> {
        Ok(Vec::new())
    }

    fn header(&self, b: &mut RowBuilder<'_>, input: Option<&ProverInput<'_>>) {
        let trace = input.map(|i| i.trace);
        boot(b, trace);
        let results = last_step(b, trace);
        let roots = state_roots(b, trace);
        let kernel = kernel_hash(b, trace);
        statement_words(b, trace, results, roots, kernel);
    }

    fn row(&self, _b: &mut RowBuilder<'_>, _row: Option<&()>) {}
}

/// Clock 0: writes context 0's calldata window (the whole input) and starts the CPU at pc 0 of page 0.
fn boot(b: &mut RowBuilder<'_>, trace: Option<&BatchTrace>) {
    let one = Com::int(1);
    let len = checked_uint(b, &one, trace.map_or(0, |t| t.input.len() as u128), 32);
    let prefix = Com::constant(pow2(64) * Fr::from(u64::from(space::INPUT) << 32));
    let reg0 = address(space::REG, &Com::zero(), &Com::zero());
    mem_write(b, &one, &reg0, &one, &WordCom::low(prefix + len), trace.map(|t| &t.boot));
    let start = segment_elements(&one, &one, &RegsCom::default(), &Com::zero());
    b.send(Tag::Segment, &one, &start);
}

/// The `return` of context 0 on page 0, which ends the batch; returns the three words it hands back.
fn last_step(b: &mut RowBuilder<'_>, trace: Option<&BatchTrace>) -> [WordCom; 3] {
    let one = Com::int(1);
    let step = trace.and_then(|t| t.steps.iter().last());
    let mut m = Keyed::receive_operands(b, step.as_ref(), true);
    m.alu.op = Com::int(RETURN);
    b.zero("the batch ends in context 0", &m.regs.ctx);
    b.zero("the batch ends on page 0", &m.regs.code);
    b.zero("offset of the results has no high half", &m.alu.a.hi);
    b.zero("three words are returned", &m.alu.b.lo - Com::int(96));
    b.zero("their length has no high half", &m.alu.b.hi);
    // offset = 32 * index.
    let index = &m.alu.a.lo * Fr::from(32).invert().expect("not zero");
    range(b, &one, &index, 27);
    let accesses = final_words(step.as_ref());
    let words = [0u64, 1, 2].map(|i| {
        let at = address(space::HEAP, &Com::zero(), &(&index + Com::int(i)));
        mem_read(b, &one, &at, &m.time(4 + i), accesses.map(|a| &a[i as usize]))
    });
    m.change.ctx = Com::int(ENDED);
    m.change.code = Com::int(ENDED);
    m.change.fp = -&m.regs.fp;
    m.alu.delta = -(&m.pc + Com::int(1));
    m.receive(b, &one);

    // The registers after it are the CPU's last ones: no page is called ENDED, so no step can follow.
    let after =
        RegsCom { ctx: Com::int(ENDED), code: Com::int(ENDED), fp: Com::zero(), jhead: m.regs.jhead.clone() };
    let segments = b.commit(Fr::from(2));
    let clock = &m.clock + Com::int(1);
    b.receive(Tag::Segment, &one, &segment_elements(&segments, &clock, &after, &Com::zero()));
    words
}

/// Receives root and number of leaves of the state tree before and after; splits the two state roots canonically.
///
/// The old count is the one under the old state root, which L1 knows, or two pairs have one compression.
fn state_roots(b: &mut RowBuilder<'_>, trace: Option<&BatchTrace>) -> [WordCom; 2] {
    let one = Com::int(1);
    let old = b.commit(trace.map_or(Fr::ZERO, |t| t.tree.old_tree_root));
    let new = b.commit(trace.map_or(Fr::ZERO, |t| t.tree.new_tree_root));
    b.receive(Tag::Node, &one, &[(0, Com::int(ROOT_LEVEL)), (2, old.clone()), (3, new.clone())]);
    let counts = trace.map_or([0, 0], |t| [t.tree.old_count, t.tree.new_count]);
    [(false, old, counts[0]), (true, new, counts[1])].map(|(after, tree_root, count)| {
        let count = b.commit(Fr::from(count));
        b.receive(Tag::LeafCount, &one, &count_elements(after, &count));
        let root = compress(b, &tree_root, &count);
        canonical_halves(b, &one, root)
    })
}

/// The hash of page 0.
fn kernel_hash(b: &mut RowBuilder<'_>, trace: Option<&BatchTrace>) -> WordCom {
    let hash = opaque_word(b, trace.map_or(Word::ZERO, |t| t.statement.kernel_hash));
    b.take(Tag::Page, &Com::int(1), &[(1, hash.lo.clone()), (2, hash.hi.clone())]);
    hash
}

/// Opens the sixteen words for the absorbing chip to read at time 1, closes them, and asks for their hash.
fn statement_words(
    b: &mut RowBuilder<'_>,
    trace: Option<&BatchTrace>,
    [data, priority, messages]: [WordCom; 3],
    [old, new]: [WordCom; 2],
    kernel: WordCom,
) {
    let one = Com::int(1);
    let given = trace.map_or_else(Default::default, |t| t.statement.words());
    for (i, value) in given.into_iter().enumerate() {
        let word = match i {
            0 => WordCom::low(Com::int(PROTOCOL_VERSION)),
            4 => old.clone(),
            5 => new.clone(),
            6 => data.clone(),
            7 => priority.clone(),
            8 => messages.clone(),
            9 => kernel.clone(),
            // Chain id, number, time and block environment are what L1 says they are; no program reads them yet.
            _ => opaque_word(b, value),
        };
        let at = address(space::STATEMENT, &Com::zero(), &Com::int(i as u64));
        b.send(Tag::Mem, &one, &mem_elements(&at, &word, &Com::zero()));
        b.receive(Tag::Mem, &one, &mem_elements(&at, &word, &one));
    }
    let (hi, lo) = (b.public(Public::StatementHi), b.public(Public::StatementLo));
    let first = address(space::STATEMENT, &Com::zero(), &Com::zero());
    let call = [(1, first), (2, Com::int(512)), (3, lo), (4, hi), (5, one.clone())];
    b.send(Tag::KeccakCall, &one, &call);
}
