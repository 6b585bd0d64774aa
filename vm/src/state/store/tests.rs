//! What only the inside can stage: a disk that fails during an append, and a stop between any two changes on disk.

use super::disk::tape::{self, Change, Disk, Files};
use super::*;
use std::collections::BTreeSet;

#[test]
fn a_failed_append_stops_the_store_until_it_is_reopened() {
    let dir = tempfile::tempdir().unwrap();
    let touched = [Touched { key: Fr::from(5), new_value: Word::from(6) }];
    let mut store = StateStore::open(dir.path(), Tree::new()).unwrap();
    let before = store.root();
    // A handle that cannot write stands for a full or failing disk.
    store.log = File::open(log::path(dir.path())).unwrap();
    let error = store.apply(1, &touched).unwrap_err();
    assert!(matches!(&error, StateError::Io { file, .. } if file.ends_with("log")), "{error}");
    assert!(matches!(store.apply(1, &touched), Err(StateError::Interrupted { .. })));
    assert!(matches!(store.compact(), Err(StateError::Interrupted { .. })));
    assert_eq!((store.root(), store.batch_number()), (before, 0));
    drop(store);
    let mut store = StateStore::open(dir.path(), Tree::new()).unwrap();
    assert_eq!(store.root(), before);
    store.apply(1, &touched).unwrap().check().unwrap();
}

fn genesis() -> Tree {
    Tree::from_entries((1..5).map(|i| (Fr::from(10 * i), Word::from(7)))).unwrap()
}

/// Updates, an insertion and a key that stays absent, different in every batch.
fn batch(n: u64) -> Vec<Touched> {
    let touched =
        |key: u64, value: u64| Touched { key: Fr::from(key), new_value: Word::from(u128::from(value)) };
    vec![touched(10, n), touched(20, n % 2), touched(1000 - n, n + 1), touched(n, 0)]
}

/// What an operator does with the store.
#[derive(Clone, Copy, Debug)]
enum Act {
    Open,
    Apply(u64),
    Compact,
}

/// A folder that a crash left, as a store must find it: the batches that are durable, and at most one more.
struct Left {
    files: Files,
    durable: u64,
    in_flight: bool,
}

/// Every folder that a stop during these acts can leave, on top of what `disk` holds.
fn stops(acts: &[Act]) -> Vec<Left> {
    let dir = tempfile::tempdir().unwrap();
    let mut disk = Disk::new();
    let (mut out, mut store) = (Vec::new(), None);
    let mut durable = 0;
    tape::take();
    for act in acts {
        match act {
            Act::Open => {
                drop(store.take());
                store = Some(StateStore::open(dir.path(), genesis()).unwrap());
            }
            Act::Apply(n) => {
                store.as_mut().unwrap().apply(*n, &batch(*n)).unwrap();
            }
            Act::Compact => store.as_mut().unwrap().compact().unwrap(),
        }
        let in_flight = matches!(act, Act::Apply(_));
        let mut leave = |files| out.push(Left { files, durable, in_flight });
        leave(disk.killed());
        for change in tape::take() {
            // Killed in the middle of a write: any part of it is there.
            if let Change::Append(path, bytes) = &change {
                for part in (0..bytes.len()).step_by(bytes.len().div_ceil(16)) {
                    let mut cut = disk.clone();
                    cut.apply(&Change::Append(path.clone(), bytes[..part].to_vec()));
                    leave(cut.killed());
                }
            }
            disk.apply(&change);
            leave(disk.killed());
            disk.without_power().into_iter().for_each(&mut leave);
        }
        // What has been answered is durable.
        if let Act::Apply(n) = act {
            durable = *n;
        }
        for files in disk.without_power() {
            out.push(Left { files, durable, in_flight: false });
        }
        assert_eq!(disk.killed(), on_disk(dir.path()), "the tape tells all changes");
    }
    out
}

fn on_disk(dir: &Path) -> Files {
    let files = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap());
    let all = files.map(|f| (f.file_name().into_string().unwrap(), std::fs::read(f.path()).unwrap()));
    all.filter(|(name, _)| name != "lock").collect()
}

/// Roots and witnesses after each batch, by the tree in memory.
fn states(count: u64) -> Vec<(Fr, Option<Arc<TreeWitness>>)> {
    let mut tree = genesis();
    let mut out = vec![(tree.root(), None)];
    for n in 1..=count {
        let witness = tree.apply(&batch(n)).unwrap();
        out.push((tree.root(), Some(Arc::new(witness))));
    }
    out
}

#[test]
fn a_stop_between_any_two_changes_on_disk_leaves_the_old_root_or_the_new() {
    use Act::{Apply, Compact, Open};
    let acts = [
        Open,
        Apply(1),
        Apply(2),
        Compact,
        Apply(3),
        Open,
        Compact,
        Compact,
        Apply(4),
        Apply(5),
        Open,
        Apply(6),
        Compact,
    ];
    let states = states(8);
    let mut seen = BTreeSet::new();
    let (mut old, mut new) = (0, 0);
    for (at, left) in stops(&acts).into_iter().enumerate() {
        if !seen.insert((left.files.clone(), left.durable, left.in_flight)) {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        left.files.iter().for_each(|(name, bytes)| std::fs::write(dir.path().join(name), bytes).unwrap());
        let mut store = match StateStore::open(dir.path(), genesis()) {
            Ok(store) => store,
            Err(e) => panic!("stop {at}, {:?}: {e}", left.files.keys()),
        };
        let reached = store.batch_number();
        let may = left.durable..=left.durable + u64::from(left.in_flight);
        assert!(may.contains(&reached), "stop {at}: batch {reached} and not one of {may:?}");
        old += usize::from(left.in_flight && reached == left.durable);
        new += usize::from(left.in_flight && reached > left.durable);
        let (root, witness) = &states[reached as usize];
        assert_eq!(store.root(), *root, "stop {at}");
        // After a compaction the last batch is still known, whatever was stopped.
        assert_eq!(store.last_witness().as_ref(), witness.as_ref(), "stop {at}");
        for next in reached + 1..=reached + 2 {
            store.apply(next, &batch(next)).unwrap();
        }
        store.compact().unwrap();
        drop(store);
        let store = StateStore::open(dir.path(), genesis()).unwrap();
        assert_eq!(store.root(), states[reached as usize + 2].0, "stop {at}");
    }
    tape::take();
    // Of each of the six batches all bytes were there once before it was answered.
    assert!(old > 100 && new == 6, "{old} stops before a batch was durable and {new} after");
}
