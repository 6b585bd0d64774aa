//! Whole batches through every chip, without proving: all constraints hold and the bus cancels.
use lathe_prover::circuit::Tag;
use lathe_prover::circuit::check::{Bus, Unsatisfied, check_circuits};
use lathe_prover::system::{assign, early_publics};
use lathe_prover::transcript::Context;
use lathe_prover::{shapes, system};
use lathe_vm::fixtures::{self, Fixture};
use lathe_vm::machine::Limits;
use lathe_vm::replay::replay;
use lathe_vm::state::RowKind;
use lathe_vm::trace::BatchTrace;
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
