//! What only the inside can stage: a disk that fails during an append.

use super::*;

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
