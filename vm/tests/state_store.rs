//! The store against crashes and damage: whatever happens to the files, opening gives the state before or
//! after the batch in flight, or an error that names the file.

use std::path::Path;

use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::state::{CellId, StateError, StateStore, Touched, Tree};
use proptest::prelude::*;
use tempfile::TempDir;

fn genesis() -> Tree {
    Tree::from_cells([
        (CellId::balance([1; 20]), Word::from(1_000)),
        (CellId::nonce([1; 20]), Word::from(3)),
        (CellId::storage([2; 20], Word::from(9)), Word::new(1, 2)),
    ])
    .unwrap()
}

/// Updates, inserts, a deletion and reads, different in every batch.
fn batch(n: u64) -> Vec<Touched> {
    let value = |v: u64| Word::from(u128::from(v));
    vec![
        Touched { key: CellId::balance([1; 20]).key(), new_value: value(1_000 + n) },
        Touched {
            key: CellId::nonce([1; 20]).key(),
            new_value: value(if n.is_multiple_of(2) { 0 } else { 3 }),
        },
        Touched { key: Fr::from(1_000 - n), new_value: value(n) },
        Touched { key: Fr::from(n), new_value: Word::ZERO },
    ]
}

/// Roots after genesis, batch 1, batch 2, and so on, by the tree in memory.
fn roots(count: u64) -> Vec<Fr> {
    let mut tree = genesis();
    let mut out = vec![tree.root()];
    for n in 1..=count {
        tree.apply(&batch(n)).unwrap();
        out.push(tree.root());
    }
    out
}

fn open(dir: &Path) -> Result<StateStore, StateError> {
    StateStore::open(dir, genesis())
}

/// A folder after this many batches.
fn folder(batches: u64) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path()).unwrap();
    for n in 1..=batches {
        store.apply(n, &batch(n)).unwrap().check().unwrap();
    }
    dir
}

fn read(dir: &Path, name: &str) -> Vec<u8> {
    std::fs::read(dir.join(name)).unwrap()
}

/// A new folder with exactly these files.
fn stage(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn is_damaged(result: Result<StateStore, StateError>, name: &str) -> bool {
    matches!(&result, Err(StateError::Damaged { file, .. }) if file.ends_with(name))
}

#[test]
fn a_reopened_store_has_the_state_and_the_last_witness() {
    let dir = tempfile::tempdir().unwrap();
    let expected = roots(4);
    for n in 1..=4 {
        let mut store = open(dir.path()).unwrap();
        assert_eq!((store.batch_number(), store.root()), (n - 1, expected[n as usize - 1]));
        let seen = store.preview(&batch(n)).unwrap();
        let witness = store.apply(n, &batch(n)).unwrap();
        assert_eq!(*witness, seen);
        drop(store);
        let store = open(dir.path()).unwrap();
        assert_eq!(store.root(), expected[n as usize]);
        assert_eq!(store.last_witness(), Some(witness));
    }
}

#[test]
fn a_log_cut_at_any_byte_of_its_last_record_gives_the_old_root_or_the_new() {
    let expected = roots(3);
    let (two, three) = (folder(2), folder(3));
    let (snapshot, log) = (read(three.path(), "snapshot"), read(three.path(), "log"));
    let before = read(two.path(), "log").len();
    assert_eq!(read(two.path(), "log"), log[..before]);
    for cut in before..=log.len() {
        let dir = stage(&[("snapshot", &snapshot), ("log", &log[..cut])]);
        let mut store = open(dir.path()).unwrap();
        let reached = if cut == log.len() { 3 } else { 2 };
        assert_eq!(
            (store.batch_number(), store.root()),
            (reached, expected[reached as usize]),
            "cut at {cut}"
        );
        // The batch in flight can be given again, and the file is whole afterwards.
        store.apply(3, &batch(3)).unwrap();
        assert_eq!(store.root(), expected[3]);
        drop(store);
        assert_eq!(read(dir.path(), "log"), log, "cut at {cut}");
    }
}

#[test]
fn blocks_left_unwritten_by_a_crash_count_as_a_record_cut_short() {
    let expected = roots(3);
    let (two, three) = (folder(2), folder(3));
    let (snapshot, log) = (read(three.path(), "snapshot"), read(three.path(), "log"));
    let before = read(two.path(), "log").len();
    for written in [before, before + 12, before + 200, log.len() - 32] {
        let mut zeroed = log.clone();
        zeroed[written..].fill(0);
        let dir = stage(&[("snapshot", &snapshot), ("log", &zeroed)]);
        assert_eq!(open(dir.path()).unwrap().root(), expected[2], "written up to {written}");
    }
}

#[test]
fn any_flipped_byte_is_an_error_that_names_the_file() {
    let compacted = folder(3);
    open(compacted.path()).unwrap().compact().unwrap();
    for dir in [folder(0), folder(3), compacted] {
        any_flipped_byte_is_found(&dir);
    }
}

fn any_flipped_byte_is_found(dir: &TempDir) {
    let files = [("snapshot", read(dir.path(), "snapshot")), ("log", read(dir.path(), "log"))];
    for (name, whole) in &files {
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            let mut staged: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (*n, b.as_slice())).collect();
            staged.retain(|(n, _)| n != name);
            staged.push((name, &flipped));
            let dir = stage(&staged);
            assert!(is_damaged(open(dir.path()), name), "{name} byte {at}");
            // Nothing was repaired behind the operator's back.
            assert_eq!(read(dir.path(), name), flipped);
        }
    }
}

#[test]
fn a_snapshot_cut_anywhere_is_damage() {
    let dir = folder(1);
    let (snapshot, log) = (read(dir.path(), "snapshot"), read(dir.path(), "log"));
    for cut in 0..snapshot.len() {
        let dir = stage(&[("snapshot", &snapshot[..cut]), ("log", &log)]);
        assert!(is_damaged(open(dir.path()), "snapshot"), "cut at {cut}");
    }
    let longer = [snapshot.as_slice(), &[0; 64]].concat();
    assert!(is_damaged(open(stage(&[("snapshot", &longer), ("log", &log)]).path()), "snapshot"));
}

#[test]
fn records_moved_removed_or_repeated_are_damage() {
    let (one, two, three) = (folder(1), folder(2), folder(3));
    let snapshot = read(three.path(), "snapshot");
    let log = read(three.path(), "log");
    let (a, b) = (read(one.path(), "log").len(), read(two.path(), "log").len());
    let removed = [&log[..a], &log[b..]].concat();
    let repeated = [&log[..b], &log[a..b]].concat();
    for altered in [removed, repeated] {
        assert!(is_damaged(open(stage(&[("snapshot", &snapshot), ("log", &altered)]).path()), "log"));
    }
}

#[test]
fn a_crash_at_any_step_of_compaction_opens_to_the_same_state() {
    let expected = roots(4);
    let dir = folder(4);
    let old = (read(dir.path(), "snapshot"), read(dir.path(), "log"));
    let mut store = open(dir.path()).unwrap();
    let witness = store.last_witness();
    store.compact().unwrap();
    assert!(store.log_bytes().unwrap() < old.1.len() as u64);
    store.apply(4, &batch(4)).unwrap();
    drop(store);
    let new = (read(dir.path(), "snapshot"), read(dir.path(), "log"));
    assert_ne!(old.0, new.0);
    let half_snapshot = &new.0[..new.0.len() / 2];
    let half_log = &new.1[..new.1.len() / 2];
    let steps: [Vec<(&str, &[u8])>; 5] = [
        vec![("snapshot", &old.0), ("log", &old.1), ("snapshot.tmp", half_snapshot)],
        vec![("snapshot", &old.0), ("log", &old.1), ("snapshot.tmp", &new.0)],
        vec![("snapshot", &new.0), ("log", &old.1)],
        vec![("snapshot", &new.0), ("log", &old.1), ("log.tmp", half_log)],
        vec![("snapshot", &new.0), ("log", &new.1)],
    ];
    for (step, files) in steps.iter().enumerate() {
        let dir = stage(files);
        let mut store = open(dir.path()).unwrap();
        assert_eq!((store.batch_number(), store.root()), (4, expected[4]), "step {step}");
        assert_eq!(store.last_witness(), witness, "step {step}");
        assert_eq!(Some(store.apply(4, &batch(4)).unwrap()), witness, "step {step}");
        store.apply(5, &batch(5)).unwrap().check().unwrap();
        store.compact().unwrap();
    }
    // The old snapshot with the new log lacks batches 1 to 3.
    assert!(is_damaged(open(stage(&[("snapshot", &old.0), ("log", &new.1)]).path()), "log"));
}

#[test]
fn a_crash_while_the_folder_was_begun_begins_again_and_a_lost_file_does_not() {
    let fresh = folder(0);
    let (snapshot, log) = (read(fresh.path(), "snapshot"), read(fresh.path(), "log"));
    for files in [vec![], vec![("lock", &[][..])], vec![("log.tmp", &log[..9])], vec![("log", &log[..])]] {
        let dir = stage(&files);
        assert_eq!(open(dir.path()).unwrap().root(), roots(0)[0]);
        assert_eq!(read(dir.path(), "snapshot"), snapshot);
    }
    let grown = read(folder(2).path(), "log");
    assert!(is_damaged(open(stage(&[("log", &grown)]).path()), "snapshot"));
    assert!(is_damaged(open(stage(&[("snapshot", &snapshot)]).path()), "log"));
}

#[test]
fn batches_come_in_order_and_only_the_last_may_come_again_unchanged() {
    let dir = folder(2);
    let mut store = open(dir.path()).unwrap();
    let (root, log) = (store.root(), read(dir.path(), "log"));
    let mut turned = batch(2);
    turned.reverse();
    let again = store.apply(2, &turned).unwrap();
    assert_eq!(again.new_root, root);
    for wrong in [0, 1, 4] {
        let error = store.apply(wrong, &batch(wrong)).unwrap_err();
        assert!(matches!(error, StateError::BatchOrder { expected: 3, got } if got == wrong), "{error}");
    }
    for other in [batch(1), batch(2)[1..].to_vec(), [batch(2), batch(2)].concat()] {
        assert!(matches!(store.apply(2, &other), Err(StateError::BatchConflict { batch: 2 })));
    }
    assert!(matches!(store.apply(3, &[batch(1), batch(1)].concat()), Err(StateError::DuplicateKey { .. })));
    assert_eq!((store.root(), store.batch_number()), (root, 2));
    assert_eq!(read(dir.path(), "log"), log);
}

#[test]
fn another_genesis_or_a_second_handle_is_refused() {
    let dir = folder(1);
    let other = Tree::from_cells([(CellId::nonce([7; 20]), Word::from(1))]).unwrap();
    assert!(matches!(StateStore::open(dir.path(), other), Err(StateError::GenesisMismatch { .. })));
    let store = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(StateError::Locked { .. })));
    drop(store);
    open(dir.path()).unwrap();
}

/// One step of an operator's life.
#[derive(Clone, Debug)]
enum Step {
    Apply(Vec<(u64, u64)>),
    Reopen,
    Compact,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec((1u64..30, 0u64..4), 0..8).prop_map(Step::Apply),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_life_of_a_store_equals_the_tree_in_memory(steps in prop::collection::vec(step(), 1..14)) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path()).unwrap();
        let mut tree = genesis();
        let mut number = 0;
        for s in steps {
            match s {
                Step::Apply(values) => {
                    let by_key: std::collections::BTreeMap<u64, u64> = values.into_iter().collect();
                    let touched: Vec<Touched> = by_key
                        .iter()
                        .map(|(k, v)| Touched { key: Fr::from(*k), new_value: Word::from(u128::from(*v)) })
                        .collect();
                    number += 1;
                    let expected = tree.apply(&touched).unwrap();
                    prop_assert_eq!(&*store.apply(number, &touched).unwrap(), &expected);
                    prop_assert_eq!(&*store.apply(number, &touched).unwrap(), &expected);
                }
                Step::Reopen => {
                    drop(store);
                    store = open(dir.path()).unwrap();
                }
                Step::Compact => store.compact().unwrap(),
            }
            prop_assert_eq!((store.batch_number(), store.root()), (number, tree.root()));
            prop_assert_eq!(store.tree().leaves(), tree.leaves());
        }
    }
}
