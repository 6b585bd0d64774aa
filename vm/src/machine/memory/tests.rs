//! Cells hold what was written to them wherever they lie, and take room as they are touched.
use super::{CHUNK, Cell, Memory};
use crate::trace::space;
use crate::word::Word;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Indices near the start, behind one another, and far away.
fn index() -> impl Strategy<Value = u32> {
    prop_oneof![0..80u32, 0..600u32, 0..5000u32, 0..1u32 << 27, Just((1 << 27) - 1)]
}

/// Bytes that one touched cell stands for at most: its chunk, or the vector that a quarter of chunks makes double.
const EACH: u64 = (4 * CHUNK * size_of::<Cell<()>>()) as u64;
/// Bytes of an opened context with nothing far away.
const BASE: u64 = 4096;

proptest! {
    #[test]
    fn cells_hold_what_was_written(touches in prop::collection::vec((index(), any::<bool>(), 1..9u32), 1..60)) {
        let mut memory = Memory::<u64>::new(&[]);
        let mut oracle = BTreeMap::new();
        let mut time = 0;
        for (first, write, run) in touches {
            for i in first..(first + run).min(1 << 27) {
                time += 1;
                let new = write.then(|| Word::from(u128::from(time)));
                let (old, before) = oracle.get(&i).copied().unwrap_or_default();
                let access = memory.access(space::HEAP, 0, i, time, new).unwrap();
                prop_assert_eq!((access.old, access.old_time, access.new), (old, before, new.unwrap_or(old)));
                oracle.insert(i, (access.new, time));
                prop_assert_eq!(memory.peek(space::HEAP, 0, i), access.new);
            }
        }
        let cells: Vec<_> = memory.cells().iter().map(|c| (c.index, (c.value, c.time))).collect();
        prop_assert_eq!(cells, oracle.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn room_is_taken_as_cells_are_touched(touches in prop::collection::vec(index(), 1..200)) {
        let mut memory = Memory::<()>::new(&[]);
        for (i, index) in touches.iter().enumerate() {
            memory.access(space::HEAP, 0, *index, 1, None);
            prop_assert!(memory.bytes() <= BASE + (i as u64 + 1) * EACH, "{} bytes", memory.bytes());
        }
        memory.forget(space::HEAP, 0);
        prop_assert!(memory.bytes() <= BASE);
    }
}

#[test]
fn doubling_from_afar_takes_no_more_room_than_is_touched() {
    let mut memory = Memory::<()>::new(&[]);
    for i in 0..20 {
        memory.access(space::SLOT, 0, (128 << i) - 1, 1, None);
        assert!(memory.bytes() <= BASE + (i + 1) * EACH, "{} bytes after {i}", memory.bytes());
    }
}

#[test]
fn what_is_touched_densely_is_held_in_one_piece() {
    let mut memory = Memory::<()>::new(&[]);
    let count = 100_000u32;
    for i in 0..count {
        memory.access(space::SLOT, 0, i, 1, None);
    }
    let slots = &memory.contexts[0].slots;
    assert!(slots.rest.len() < 10, "{} chunks beyond {}", slots.rest.len(), slots.dense.len());
    assert!(memory.bytes() <= 2 * u64::from(count) * size_of::<Cell<()>>() as u64 + BASE);
}
