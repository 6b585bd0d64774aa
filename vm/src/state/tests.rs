//! The tree against two oracles: a plain map for values, a one-path-at-a-time hasher for roots.

use std::collections::BTreeMap;

use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;
use proptest::prelude::*;

use super::cell::OrdKey;
use super::*;
use crate::Word;
use crate::poseidon2::compress;

/// Keys in insertion order with their values; knows nothing of levels or batches.
#[derive(Clone, Default)]
struct Model {
    entries: Vec<(Fr, Word)>,
}

impl Model {
    fn get(&self, key: &Fr) -> Word {
        self.entries.iter().find(|e| e.0 == *key).map_or(Word::ZERO, |e| e.1)
    }

    fn apply(&mut self, touched: &[Touched]) {
        let sorted: BTreeMap<OrdKey, &Touched> = touched.iter().map(|t| (OrdKey::new(&t.key), t)).collect();
        for t in sorted.values() {
            match self.entries.iter_mut().find(|e| e.0 == t.key) {
                Some(e) => e.1 = t.new_value,
                None if !t.new_value.is_zero() => self.entries.push((t.key, t.new_value)),
                None => {}
            }
        }
    }

    /// Root by definition: each leaf points to the smallest larger key, levels are folded pair by pair, and the
    /// number of leaves is absorbed last.
    fn root(&self) -> Fr {
        let keys: Vec<Fr> = std::iter::once(Fr::ZERO).chain(self.entries.iter().map(|e| e.0)).collect();
        let mut level: Vec<Fr> = keys
            .iter()
            .map(|key| {
                let next = keys.iter().filter(|k| *k > key).min().copied().unwrap_or(-Fr::ONE);
                let value = self.get(key);
                let link = compress(*key, next);
                compress(compress(link, Fr::from_u128(value.lo)), Fr::from_u128(value.hi))
            })
            .collect();
        let mut empty = Fr::ZERO;
        for _ in 0..32 {
            if level.len() % 2 == 1 {
                level.push(empty);
            }
            level = level.chunks(2).map(|p| compress(p[0], p[1])).collect();
            empty = compress(empty, empty);
        }
        compress(level[0], Fr::from(keys.len() as u64))
    }
}

fn word() -> impl Strategy<Value = Word> {
    prop_oneof![
        2 => Just(Word::ZERO),
        3 => any::<u128>().prop_map(Word::from),
        1 => (any::<u128>(), any::<u128>()).prop_map(|(hi, lo)| Word::new(hi, lo)),
    ]
}

/// Keys close together (so that gaps of width one and shared low leaves occur), at both ends of the field.
fn key() -> impl Strategy<Value = Fr> {
    prop_oneof![
        6 => (1u64..24).prop_map(Fr::from),
        1 => (2u64..6).prop_map(|k| -Fr::from(k)),
        1 => any::<u64>().prop_map(|k| compress(Fr::from(k), Fr::ONE)),
    ]
}

/// A batch: `None` reads the key.
fn batch() -> impl Strategy<Value = BTreeMap<Fr, Option<Word>>> {
    prop::collection::btree_map(key(), prop::option::of(word()), 0..12)
}

fn touched(model: &Model, batch: &BTreeMap<Fr, Option<Word>>) -> Vec<Touched> {
    batch.iter().map(|(k, v)| Touched { key: *k, new_value: v.unwrap_or_else(|| model.get(k)) }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_agree_with_the_model(batches in prop::collection::vec(batch(), 1..6), turn in 0usize..12) {
        let (mut tree, mut model) = (Tree::new(), Model::default());
        for b in &batches {
            let mut list = touched(&model, b);
            let by = turn % list.len().max(1);
            list.rotate_left(by);
            let before = tree.root();
            let seen = tree.preview(&list).unwrap();
            prop_assert_eq!(tree.root(), before);
            let witness = tree.apply(&list).unwrap();
            prop_assert_eq!(&seen, &witness);
            model.apply(&list);
            witness.check().unwrap();
            prop_assert_eq!(witness.old_root, before);
            prop_assert_eq!(witness.new_root, model.root());
            prop_assert_eq!(tree.root(), model.root());
            prop_assert_eq!(Tree::from_entries(model.entries.clone()).unwrap().root(), tree.root());
            for k in b.keys() {
                prop_assert_eq!(tree.get(k), model.get(k));
            }
            let sorted: BTreeMap<Fr, Word> = list.iter().map(|t| (t.key, t.new_value)).collect();
            let named: BTreeMap<Fr, Word> = witness.touched().map(|t| (t.key, t.new_value)).collect();
            prop_assert_eq!(sorted, named);
        }
    }

    #[test]
    fn proofs_verify_and_altered_ones_do_not(b in batch(), probe in key(), level in 0usize..32) {
        let (mut tree, mut model) = (Tree::new(), Model::default());
        let list = touched(&model, &b);
        tree.apply(&list).unwrap();
        model.apply(&list);
        let root = tree.root();
        let present = model.entries.iter().any(|e| e.0 == probe);
        prop_assert_eq!(tree.prove_membership(&probe).is_some(), present);
        prop_assert_eq!(tree.prove_absence(&probe).is_some(), !present);
        let value = model.get(&probe);
        if let Some(proof) = tree.prove_membership(&probe) {
            prop_assert!(proof.verify(&root, &probe, &value));
            prop_assert!(!proof.verify(&(root + Fr::ONE), &probe, &value));
            prop_assert!(!proof.verify(&root, &(probe + Fr::ONE), &value));
            prop_assert!(!proof.verify(&root, &probe, &Word::new(value.hi ^ 1, value.lo)));
            for broken in alter(&proof, level) {
                prop_assert!(!broken.verify(&root, &broken.leaf.key, &broken.leaf.value));
            }
            // A present key cannot be shown absent with its own leaf or its predecessor's.
            let denied = AbsenceProof { low: proof };
            prop_assert!(!denied.verify(&root, &probe));
        }
        if let Some(proof) = tree.prove_absence(&probe) {
            prop_assert!(proof.verify(&root, &probe));
            prop_assert!(!proof.verify(&(root + Fr::ONE), &probe));
            prop_assert!(!proof.verify(&root, &proof.low.leaf.key));
            prop_assert!(!proof.verify(&root, &proof.low.leaf.next));
            for low in alter(&proof.low, level) {
                let still_below = AbsenceProof { low };
                prop_assert!(!still_below.verify(&root, &probe));
            }
        }
    }

    #[test]
    fn every_altered_witness_field_is_rejected(first in batch(), second in batch()) {
        let (mut tree, mut model) = (Tree::new(), Model::default());
        let list = touched(&model, &first);
        tree.apply(&list).unwrap();
        model.apply(&list);
        let witness = tree.apply(&touched(&model, &second)).unwrap();
        witness.check().unwrap();
        for (what, broken) in alterations(&witness) {
            prop_assert!(broken.check().is_err(), "accepted with altered {}", what);
        }
    }
}

fn alter(proof: &MembershipProof, level: usize) -> Vec<MembershipProof> {
    let mut out = vec![proof.clone(); 8];
    out[0].index ^= 1 << level;
    out[1].siblings[level] += Fr::ONE;
    out[2].siblings.pop();
    out[3].siblings.push(Fr::ZERO);
    out[4].leaf.next -= Fr::ONE;
    out[5].leaf.value.lo ^= 1;
    out[6].leaf.value.hi ^= 1 << 127;
    out[7].leaf_count += 1;
    out
}

/// Each field of each row changed alone. Left out is what gives another true statement: an absent row under
/// another key of its gap or without it, and `accessed` of an existing row that keeps its value.
fn alterations(w: &TreeWitness) -> Vec<(String, TreeWitness)> {
    let mut out = Vec::new();
    let mut change = |name: String, f: &dyn Fn(&mut TreeWitness)| {
        let mut copy = w.clone();
        f(&mut copy);
        out.push((name, copy));
    };
    let one = Fr::ONE;
    change("old_root".into(), &|w| w.old_root += one);
    change("new_root".into(), &|w| w.new_root += one);
    change("old_tree_root".into(), &|w| w.old_tree_root += one);
    change("new_tree_root".into(), &|w| w.new_tree_root += one);
    change("old_count".into(), &|w| w.old_count += 1);
    change("new_count".into(), &|w| w.new_count += 1);
    change("new_count, with its root".into(), &|w| {
        w.new_count += 1;
        w.new_root = state_root(w.new_tree_root, w.new_count);
    });
    for i in 0..w.rows.len() {
        if w.rows[i].kind != RowKind::Absent {
            change(format!("row {i} key"), &|w| w.rows[i].key += one);
            change(format!("row {i} removed"), &|w| {
                w.rows.remove(i);
            });
        }
        change(format!("row {i} index"), &|w| w.rows[i].index ^= 1);
        change(format!("row {i} old_next"), &|w| w.rows[i].old_next -= one);
        change(format!("row {i} old_value"), &|w| w.rows[i].old_value.lo ^= 1);
        change(format!("row {i} new_value"), &|w| w.rows[i].new_value.hi ^= 1);
        change(format!("row {i} gap_end"), &|w| w.rows[i].gap_end -= one);
        change(format!("row {i} new_next"), &|w| w.rows[i].new_next += one);
        change(format!("row {i} carry"), &|w| w.rows[i].carry += one);
        if w.rows[i].kind != RowKind::Existing {
            change(format!("row {i} accessed"), &|w| w.rows[i].accessed = false);
        }
        for kind in [RowKind::Existing, RowKind::Inserted, RowKind::Absent] {
            if kind != w.rows[i].kind {
                change(format!("row {i} as {kind:?}"), &|w| w.rows[i].kind = kind);
            }
        }
    }
    for i in 0..w.nodes.len() {
        change(format!("node {i} level"), &|w| w.nodes[i].level ^= 1);
        change(format!("node {i} index"), &|w| w.nodes[i].index ^= 1);
        change(format!("node {i} left_old"), &|w| w.nodes[i].left_old += one);
        change(format!("node {i} right_old"), &|w| w.nodes[i].right_old += one);
        change(format!("node {i} left_new"), &|w| w.nodes[i].left_new += one);
        change(format!("node {i} right_new"), &|w| w.nodes[i].right_new += one);
        change(format!("node {i} left_touched"), &|w| w.nodes[i].left_touched ^= true);
        change(format!("node {i} right_touched"), &|w| w.nodes[i].right_touched ^= true);
        change(format!("node {i} removed"), &|w| {
            w.nodes.remove(i);
        });
        change(format!("node {i} doubled"), &|w| w.nodes.push(w.nodes[i]));
    }
    out
}

#[test]
fn a_removed_absent_row_is_the_only_row_that_may_go() {
    // Dropping an absent row leaves a true, smaller statement as long as another guest keeps its low leaf.
    let mut tree = Tree::new();
    let list = [Fr::from(5), Fr::from(6)].map(|key| Touched { key, new_value: Word::ZERO });
    let mut witness = tree.apply(&list).unwrap();
    witness.rows.pop();
    witness.check().unwrap();
    witness.rows.pop();
    assert_eq!(witness.check(), Err(WitnessError::Row { row: 0, field: "accessed" }));
}

#[test]
fn one_gap_takes_inserted_and_absent_keys_in_one_batch() {
    let mut tree =
        Tree::from_entries([(Fr::from(10), Word::from(1)), (Fr::from(20), Word::from(2))]).unwrap();
    let values = [(14, 0u128), (12, 7), (16, 8), (18, 0)];
    let list = values.map(|(k, v)| Touched { key: Fr::from(k), new_value: Word::from(v) });
    let witness = tree.apply(&list).unwrap();
    witness.check().unwrap();
    let rows: Vec<_> = witness.rows.iter().map(|r| (r.kind, r.accessed, r.index, r.carry)).collect();
    let f = Fr::from;
    assert_eq!(
        rows,
        [
            (RowKind::Existing, false, 1, f(12)),
            (RowKind::Inserted, true, 3, f(16)),
            (RowKind::Absent, true, 0, f(16)),
            (RowKind::Inserted, true, 4, f(20)),
            (RowKind::Absent, true, 0, f(20)),
        ]
    );
    assert!(witness.rows.iter().all(|r| r.gap_end == f(20)));
    assert_eq!(witness.rows[2].new_next, Fr::ZERO);
}

#[test]
fn a_second_leaf_for_a_present_key_is_rejected() {
    // Claims that 10 is absent although it is the leaf after the low leaf.
    let tree = Tree::from_entries([(Fr::from(10), Word::from(1))]).unwrap();
    let mut witness = tree.preview(&[Touched { key: Fr::from(9), new_value: Word::from(5) }]).unwrap();
    witness.rows[1].key = Fr::from(10);
    assert_eq!(witness.check(), Err(WitnessError::OutsideGap { row: 1 }));
}

#[test]
fn a_leaf_set_to_zero_stays_and_reads_as_zero() {
    let key = Fr::from(3);
    let mut tree = Tree::from_entries([(key, Word::from(9))]).unwrap();
    tree.apply(&[Touched { key, new_value: Word::ZERO }]).unwrap().check().unwrap();
    assert_eq!((tree.get(&key), tree.leaves().len()), (Word::ZERO, 2));
    assert!(tree.prove_membership(&key).unwrap().verify(&tree.root(), &key, &Word::ZERO));
}

#[test]
fn an_empty_batch_changes_nothing_and_checks() {
    let mut tree = Tree::new();
    let mut witness = tree.apply(&[]).unwrap();
    assert_eq!(witness.nodes.len() + witness.rows.len(), 0);
    witness.check().unwrap();
    let mut other = witness.clone();
    other.new_root += Fr::ONE;
    assert_eq!(other.check(), Err(WitnessError::StateRoot { which: "new" }));
    witness.new_tree_root += Fr::ONE;
    witness.new_root = state_root(witness.new_tree_root, witness.new_count);
    assert_eq!(witness.check(), Err(WitnessError::Root { which: "new" }));
}

#[test]
fn an_insert_at_another_empty_index_is_rejected() {
    let f = Fr::from;
    let tree = Tree::from_entries([(f(10), Word::from(1)), (f(20), Word::from(2))]).unwrap();
    let list = [12, 25].map(|k| Touched { key: f(k), new_value: Word::from(7) });
    let honest = tree.preview(&list).unwrap();
    assert_eq!((honest.old_count, honest.new_count), (3, 5));
    // Everything but the indices is as a correct tree would have it: pointers, paths, hashes, new root.
    let forged = |shift: u32| {
        let mut rows = tree.leaf_rows(&list).unwrap();
        super::batch::fill_pointers(&mut rows);
        rows.iter_mut().filter(|r| r.kind == RowKind::Inserted).for_each(|r| r.index += shift);
        let (nodes, new_tree_root) = tree.node_rows(&rows);
        let new_root = state_root(new_tree_root, honest.new_count);
        TreeWitness { rows, nodes, new_tree_root, new_root, ..honest.clone() }
    };
    assert_eq!(forged(0), honest);
    for shift in [1, 1 << 20] {
        let mut w = forged(shift);
        let row = w.rows.iter().position(|r| r.kind == RowKind::Inserted).unwrap();
        assert_eq!(w.check(), Err(WitnessError::Row { row, field: "index" }));
        // With a count to match the rows hold, but under another old root than the tree's.
        w.old_count += u64::from(shift);
        w.new_count += u64::from(shift);
        assert_eq!(w.check(), Err(WitnessError::StateRoot { which: "old" }));
        w.old_root = state_root(w.old_tree_root, w.old_count);
        w.new_root = state_root(w.new_tree_root, w.new_count);
        w.check().unwrap();
        assert_ne!(w.old_root, tree.root());
    }
    let mut swapped = honest.clone();
    let at: Vec<usize> =
        (0..swapped.rows.len()).filter(|i| swapped.rows[*i].kind == RowKind::Inserted).collect();
    (swapped.rows[at[0]].index, swapped.rows[at[1]].index) = (4, 3);
    assert_eq!(swapped.check(), Err(WitnessError::Row { row: at[0], field: "index" }));
}

#[test]
fn reserved_and_repeated_keys_are_refused_and_leave_the_tree() {
    let mut tree = Tree::new();
    let root = tree.root();
    let set = |key| Touched { key, new_value: Word::from(1) };
    for key in [Fr::ZERO, -Fr::ONE] {
        assert!(matches!(tree.apply(&[set(Fr::ONE), set(key)]), Err(StateError::ReservedKey { .. })));
        assert!(matches!(Tree::from_entries([(key, Word::ZERO)]), Err(StateError::ReservedKey { .. })));
    }
    let twice = [set(Fr::ONE), set(Fr::from(2)), set(Fr::ONE)];
    assert!(matches!(tree.apply(&twice), Err(StateError::DuplicateKey { key }) if key == Fr::ONE));
    assert_eq!(tree.root(), root);
}

#[test]
fn cells_build_the_tree_that_one_batch_of_inserts_builds() {
    let cells: Vec<(CellId, Word)> = (0..40u8)
        .map(|i| {
            (
                CellId { kind: i % 4, address: [i / 4; 20], slot: Word::from(u128::from(i)) },
                Word::from(u128::from(i)),
            )
        })
        .collect();
    let built = Tree::from_cells(cells.clone()).unwrap();
    let mut tree = Tree::new();
    let list: Vec<Touched> = cells.iter().map(|(c, v)| Touched { key: c.key(), new_value: *v }).collect();
    tree.apply(&list).unwrap();
    assert_eq!((built.root(), built.leaves()), (tree.root(), tree.leaves()));
    assert_eq!(built.get_cell(&cells[7].0), cells[7].1);
    let twice = [cells[3], cells[3]];
    assert!(matches!(Tree::from_cells(twice), Err(StateError::DuplicateKey { .. })));
}

#[test]
fn cell_keys_absorb_every_part() {
    let mut address = [0u8; 20];
    address[0] = 0x80;
    address[19] = 1;
    let cell = CellId { kind: kind::BALANCE, address, slot: Word::new(7, 9) };
    // kind * 2^160 + address, by repeated doubling.
    let two_to = |n: u32| (0..n).fold(Fr::ONE, |x, _| x.double());
    let tag = Fr::from(2) * two_to(160) + two_to(159) + Fr::ONE;
    assert_eq!(cell.tag(), tag);
    assert_eq!(cell.key(), compress(compress(tag, Fr::from(9)), Fr::from(7)));
}

/// Field element as 64 big-endian digits.
fn digits(x: Fr) -> String {
    let mut bytes: [u8; 32] = x.to_repr().into();
    bytes.reverse();
    hex::encode(bytes)
}

#[test]
fn roots_and_keys_are_those_of_an_independent_implementation() {
    // From a second implementation in another language (own Keccak, own field arithmetic), written from the
    // definitions in DESIGN and this module's comments; a change here changes the protocol.
    // The state root is compress(tree root, number of leaves).
    assert_eq!(
        digits(Tree::new().tree_root()),
        "202aebae214a62aacda4be175bab96b01c6a04758bd2826b875ddf2fc0276b66"
    );
    assert_eq!(
        digits(Tree::new().root()),
        "17734127d2c023703e8f8d2214bc1e17fea93e40410f17d740fa2f629467bcc3"
    );
    let code = CellId { kind: kind::CODE_HASH, address: [2; 20], slot: Word::new(5, 7) };
    assert_eq!(digits(code.key()), "13a9eb71d505dc9064deb2101bc68e0ad0ed50acff237b24939bf2b9f8113ff2");
    let cells = [
        (CellId::balance([1; 20]), Word::from(1_000)),
        (CellId::nonce([1; 20]), Word::from(3)),
        (CellId::storage([2; 20], Word::from(9)), Word::new(1, 2)),
        (code, Word::new(1 << 127, 0)),
    ];
    let tree = Tree::from_cells(cells).unwrap();
    assert_eq!(digits(tree.tree_root()), "1c775aa3dbb35f52db58ef16cb56dee2a3d552df093565acc0f70bb1531df2dc");
    assert_eq!(tree.leaf_count(), 5);
    assert_eq!(digits(tree.root()), "233e30cc53c1f21b85d6351d94943567dd59a0e7216aa87b99b45b8837525545");
}
