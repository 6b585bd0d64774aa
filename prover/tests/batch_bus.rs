//! Whole batches through every chip, without proving: all constraints hold and the bus cancels.
use lathe_prover::circuit::check::check_circuits;
use lathe_prover::system::{assign, early_publics};
use lathe_prover::transcript::Context;
use lathe_prover::{shapes, system};
use lathe_vm::fixtures::{self, Fixture};
use lathe_vm::machine::Limits;
use lathe_vm::replay::replay;
use lathe_vm::trace::BatchTrace;
use std::collections::BTreeMap;

fn trace(f: &Fixture) -> BatchTrace {
    replay(&f.tree, &f.codes, &lathe_vm::programs::kernel(), &f.params, &f.records, &Limits::default())
        .expect("the fixture replays")
}

fn accept(f: &Fixture) {
    let trace = trace(f);
    let circuits = [shapes::head(), shapes::body()];
    system::capacity(&circuits, &trace).expect("the fixture fits the shapes");
    let layout = shapes::layout();
    let context =
        Context { l1_chain_id: 1, contract: [0; 20], statement: trace.statement_hash, layout_id: layout.id };
    let early = early_publics(&layout, &context);
    let values = assign(&circuits, &layout, &trace, &early).expect("the trace can be assigned");
    let parts: Vec<_> =
        layout.shapes.iter().zip(&values).zip(&early).map(|((s, v), e)| (&circuits[*s], v, *e)).collect();
    let (bad, bus) = check_circuits(&parts);
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
