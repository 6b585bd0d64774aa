//! The state's chips on replayed batches: cells, journal and tree close among themselves, and only the tree's root and
//! its leaf counts are left for the statement.
use super::leaf::LeafChip;
use super::node::NodeChip;
use crate::chips::call::Call;
use crate::chips::code::CodeChip;
use crate::chips::journal::{DropChip, UndoChip};
use crate::chips::storage::{AccountChip, StorageChip};
use crate::chips::testing::element;
use crate::circuit::check::{Bus, check_block};
use crate::circuit::{Block, BlockValues, Counts, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::fixtures::{self, Fixture};
use lathe_vm::machine::Limits;
use lathe_vm::replay::replay;
use lathe_vm::trace::BatchTrace;

const EARLY: [Fr; 4] = [Fr::ZERO; 4];

fn trace(f: &Fixture) -> BatchTrace {
    let kernel = lathe_vm::programs::kernel();
    replay(&f.tree, &f.codes, kernel, &f.params, &f.records, &Limits::default()).expect("the fixture replays")
}

/// Every chip that touches state, with one padding row each.
fn blocks(trace: &BatchTrace) -> Vec<(Block, BlockValues)> {
    let none = Counts::default();
    let input = ProverInput { trace, counts: &none };
    let room = |make: &dyn Fn(usize) -> Block| {
        let need = make(1).chip.need(&input).expect("rows");
        let block = make(need + 1);
        let values = block
            .chip
            .assign(&block.templates, block.capacity, &input, EARLY, &mut Counts::default())
            .expect("the trace can be assigned");
        (block, values)
    };
    vec![
        room(&|n| Block::new(LeafChip, n)),
        room(&|n| Block::new(NodeChip, n)),
        room(&|n| Block::new(StorageChip, n)),
        room(&|n| Block::new(AccountChip, n)),
        room(&|n| Block::new(UndoChip, n)),
        room(&|n| Block::new(DropChip, n)),
        room(&|n| Block::new(CodeChip, n)),
        room(&|n| Block::new(Call, n)),
    ]
}

fn state_balances(f: &Fixture) {
    let trace = trace(f);
    let mut bus = Bus::new();
    for (block, values) in blocks(&trace) {
        let bad = check_block(&block, &values, EARLY, &mut bus);
        assert!(bad.is_empty(), "{}: {:?}", block.chip.name(), bad.first());
    }
    bus.retain(|_, m| *m != Fr::ZERO);
    let left = |tag| bus.iter().filter(move |(k, _)| k.0 == tag);
    assert_eq!((left(Tag::State).count(), left(Tag::Journal).count()), (0, 0));
    let root: Vec<_> = left(Tag::Node).map(|(k, m)| ([0, 1, 2, 3].map(|i| element(k, i)), *m)).collect();
    let expected = [Fr::from(32), Fr::ZERO, trace.tree.old_tree_root, trace.tree.new_tree_root];
    assert_eq!(root, [(expected, Fr::ONE)]);
    let mut counts: Vec<_> = left(Tag::LeafCount).map(|(k, m)| ([0, 1].map(|i| element(k, i)), *m)).collect();
    counts.sort();
    let count = |which, n| ([Fr::from(which), Fr::from(n)], Fr::ONE);
    assert_eq!(counts, [count(0, trace.tree.old_count), count(1, trace.tree.new_count)]);
}

#[test]
fn state_closes_over_transfers() {
    state_balances(&fixtures::transfers(4).expect("fixture"));
}

#[test]
fn state_closes_over_reverts_inserts_and_reads_of_nothing() {
    let f = fixtures::mixed().expect("fixture");
    assert!(!trace(&f).journal.is_empty());
    state_balances(&f);
}
