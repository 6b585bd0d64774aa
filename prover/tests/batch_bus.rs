//! Whole batches through every chip, without proving: all constraints hold and the bus cancels.
use lathe_prover::circuit::Tag;
use lathe_prover::circuit::check::{Bus, Unsatisfied, check_circuits};
use lathe_prover::system::{assign, early_publics};
use lathe_prover::transcript::Context;
use lathe_prover::{shapes, system};
use lathe_vm::asm::assemble;
use lathe_vm::batch::Record;
use lathe_vm::code::CodeStore;
use lathe_vm::fixtures::{self, Fixture};
use lathe_vm::machine::Limits;
use lathe_vm::replay::replay;
use lathe_vm::state::{CellId, RowKind, Tree};
use lathe_vm::trace::BatchTrace;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn trace(f: &Fixture) -> BatchTrace {
    replay(&f.tree, &f.codes, lathe_vm::programs::kernel(), &f.params, &f.records, &Limits::default())
        .expect("the fixture replays")
}

/// Assigns a trace to the layout: constraints that fail, and messages left over by tag.
fn judge(trace: &BatchTrace) -> (Vec<Unsatisfied>, Bus) {
    let circuits = [shapes::head(), shapes::body()];
    system::capacity(&circuits, trace).expect("the fixture fits the shapes");
    let layout = shapes::layout();
    let context =
        Context { l1_chain_id: 1, contract: [0; 20], statement: trace.statement_hash, layout_id: layout.id };
    let early = early_publics(&layout, &context);
    let values = assign(&circuits, &layout, trace, &early).expect("the trace can be assigned");
    let parts: Vec<_> =
        layout.shapes.iter().zip(&values).zip(&early).map(|((s, v), e)| (&circuits[*s], v, *e)).collect();
    check_circuits(&parts)
}

fn accept(f: &Fixture) {
    let (bad, bus) = judge(&trace(f));
    assert!(bad.is_empty(), "{} constraints fail, first: {:?}", bad.len(), bad.first());
    let mut left: BTreeMap<_, usize> = BTreeMap::new();
    bus.keys().for_each(|(tag, _)| *left.entry(*tag).or_default() += 1);
    assert!(bus.is_empty(), "messages that do not cancel: {left:?}, for example {:?}", bus.iter().next());
}

#[test]
fn one_transfer_balances() {
    accept(&fixtures::transfers(1).expect("fixture"));
}

#[test]
fn sixteen_transfers_balance() {
    accept(&fixtures::transfers(16).expect("fixture"));
}

#[test]
fn a_mixed_batch_balances() {
    accept(&fixtures::mixed().expect("fixture"));
}

#[test]
fn another_leaf_count_does_not_balance() {
    let honest = trace(&fixtures::mixed().expect("fixture"));
    assert!(honest.tree.rows.iter().any(|r| r.kind == RowKind::Inserted));
    let left = |bus: &Bus, tag| bus.keys().filter(|k| k.0 == tag).count();

    // Every insert five places further, old and new count to match: the leaf chip holds, but the old root in the
    // statement becomes another one.
    let mut moved = honest.clone();
    moved.tree.rows.iter_mut().filter(|r| r.kind == RowKind::Inserted).for_each(|r| r.index += 5);
    (moved.tree.old_count, moved.tree.new_count) = (moved.tree.old_count + 5, moved.tree.new_count + 5);
    let (bad, bus) = judge(&moved);
    assert_eq!(bad, []);
    assert_eq!(left(&bus, Tag::LeafCount), 0);
    // The two words of the statement with the roots: opened with another value than read and hashed.
    assert_eq!(left(&bus, Tag::Mem), 8, "{bus:?}");

    // The same without the counts: no row may leave the first free index.
    (moved.tree.old_count, moved.tree.new_count) = (honest.tree.old_count, honest.tree.new_count);
    let (bad, _) = judge(&moved);
    assert!(bad.iter().any(|u| u.name == "inserted * (index - count_before) = 0"), "{bad:?}");

    // A new count of the prover's choice is not the one that the leaves add up to.
    let mut more = honest;
    more.tree.new_count += 1;
    let (bad, bus) = judge(&more);
    assert_eq!(bad, []);
    assert_eq!(left(&bus, Tag::LeafCount), 2);
}

/// A batch that calls one contract, given as assembly, once per calldata.
fn program(source: &str, calldata: &[Vec<u8>]) -> Fixture {
    let mut codes = CodeStore::new();
    let hash = codes.insert(assemble(source).expect("the program assembles"));
    let at = [0x77; 20];
    let tree = Tree::from_cells([(CellId::code_hash(at), hash)]).expect("one cell");
    let record = |(i, data): (usize, &Vec<u8>)| Record {
        nonce: i as u64,
        from: [0x33; 20],
        to: at,
        data: data.clone(),
    };
    let records = calldata.iter().enumerate().map(record).collect();
    Fixture { tree, codes, records, params: fixtures::params() }
}

#[test]
fn one_constant_in_two_slots_balances() {
    accept(&program(".const K 0x1234567890\n const [2], K\n const [3], K\n return [1], [1]\n", &[vec![]]));
}

/// Words at which carries, halves, windows and the field's order turn.
const EDGES: [&str; 16] = [
    "0x0",
    "0x1",
    "0x1f",
    "0x20",
    "0x40",
    "0xff",
    "0x100",
    "0x101",
    "0xffffffff",
    "0x100000000",
    "0xffffffffffffffffffffffffffffffff",
    "0x100000000000000000000000000000000",
    "0xffffffffffffffffffffffffffffffff00000000000000000000000000000000",
    "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0x8000000000000000000000000000000000000000000000000000000000000000",
    "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001",
];

/// Constants into slots 1..=12, then instructions over them, `kinds` choosing which, then the end.
fn random_program(constants: &[usize], kinds: &[(u8, u8, u8, u8, u16)], reverts: bool) -> String {
    let mut out: String = EDGES.iter().enumerate().map(|(i, e)| format!(".const K{i} {e}\n")).collect();
    constants.iter().enumerate().for_each(|(i, k)| out += &format!(" const [{}], K{k}\n", i + 1));
    for (n, (kind, d, a, b, t)) in kinds.iter().enumerate() {
        let t8 = t % 256;
        out += &match kind {
            0 => format!(" add [{d}], [{a}], [{b}]\n"),
            1 => format!(" sub [{d}], [{a}], [{b}]\n"),
            2 => format!(" mul [{d}], [{a}], [{b}]\n"),
            3 => format!(" lt [{d}], [{a}], [{b}]\n"),
            4 => format!(" xor [{d}], [{a}], [{b}]\n"),
            5 => format!(" shl [{d}], [{a}], [{b}]\n"),
            6 => format!(" shr [{d}], [{a}], [{b}]\n"),
            7 => format!(" bits [{d}], [{a}], {t8}, {}\n", t % 255 + 1),
            8 => format!(" shli [{d}], [{a}], {t}\n"),
            9 => format!(" select [{d}], [{a}], [{b}]\n"),
            10 => format!(" cdload [{d}], [{a}]\n"),
            11 => format!(" sstore [{a}], [{b}]\n"),
            12 => format!(" sload [{d}], [{a}]\n"),
            13 => format!(" jlt [{a}], [{b}], L{n}\n addi [{d}], [{a}], {t}\nL{n}:\n"),
            14 => format!(" jne [{a}], [{b}], L{n}\n not [{d}], [{a}]\nL{n}:\n"),
            _ => format!(" eq [{d}], [{a}], [{b}]\n or [{a}], [{d}], [{b}]\n"),
        };
    }
    out + if reverts { " seti [1], 0\n revert [1], [1]\n" } else { " seti [1], 0\n return [1], [1]\n" }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// What the machine executes, the chips prove: untrusted code must never make a batch unprovable.
    #[test]
    fn random_programs_balance(
        constants in prop::collection::vec(0..EDGES.len(), 12),
        kinds in prop::collection::vec((0u8..16, 1u8..13, 1u8..13, 1u8..13, 0u16..16384), 1..48),
        calldata in prop::collection::vec(any::<u8>(), 0..70),
        reverts in any::<bool>(),
    ) {
        accept(&program(&random_program(&constants, &kinds, reverts), &[calldata]));
    }
}
