use super::*;
use crate::chips::testing::{Fixture, Message, element, empty_trace, mutate_committed};
use crate::circuit::check::{Bus, MessageKey, check_block};
use crate::circuit::lc::halves;
use crate::circuit::{Counts, Var};
use lathe_vm::state::{CellId, Leaf, Touched, Tree, TreeWitness, key_infinity};

fn word(x: u64) -> Word {
    Word { lo: u128::from(x), hi: u128::from(x) << 100 }
}

fn cell(i: u8) -> CellId {
    CellId {
        kind: i % 4,
        address: [i; 20],
        slot: if i.is_multiple_of(4) { word(i.into()) } else { Word::ZERO },
    }
}

/// Cells 0..8 exist; 2 and 3 are written, 4 is read, 8..14 are new (even ones stay zero).
fn batch() -> (TreeWitness, Vec<StateFinal>) {
    let old = |i: u8| if i < 8 { word(u64::from(i) + 1) } else { Word::ZERO };
    let new = |i: u8| match i {
        2 | 3 => word(77),
        8.. if i % 2 == 1 => word(u64::from(i)),
        _ => old(i),
    };
    let tree = Tree::from_cells((0..8).map(|i| (cell(i), old(i)))).unwrap();
    let mut cells: Vec<StateFinal> = [2, 3, 4, 8, 9, 10, 11, 12, 13]
        .map(|i| StateFinal {
            cell: cell(i),
            key: cell(i).key(),
            old: old(i),
            new: new(i),
            time: 160 + u64::from(i),
        })
        .to_vec();
    cells.sort_by_key(|c| (halves(c.key).1, halves(c.key).0));
    let touched: Vec<Touched> = cells.iter().map(|c| Touched { key: c.key, new_value: c.new }).collect();
    let witness = tree.preview(&touched).unwrap();
    witness.check().unwrap();
    (witness, cells)
}

fn rows() -> Vec<BorderRow> {
    let (witness, cells) = batch();
    border_rows(&witness.rows, &cells).unwrap()
}

/// The chip over rows of a tree that had `old_count` leaves.
fn fixture(old_count: u64, rows: &[BorderRow], padding: usize) -> Fixture {
    let mut trace = empty_trace();
    trace.tree.old_count = old_count;
    let counts = Counts::default();
    Fixture::with_input(LeafChip, Some(&ProverInput { trace: &trace, counts: &counts }), rows, padding)
}

/// All failures over the tree of [`batch`], which has the genesis leaf and eight more.
fn failures(rows: &[BorderRow], padding: usize) -> Vec<String> {
    failures_from(9, rows, padding)
}

/// All failures: every row, header, footer.
fn failures_from(old_count: u64, rows: &[BorderRow], padding: usize) -> Vec<String> {
    let f = fixture(old_count, rows, padding);
    let mut out: Vec<String> = (0..f.block.capacity).flat_map(|i| f.failures(i)).collect();
    let border = check_block(&f.block, &f.values, [Fr::ZERO; 4], &mut Bus::new());
    out.extend(border.into_iter().filter(|u| u.template != 1).map(|u| u.name.to_string()));
    out
}

fn assert_rejected(rows: &[BorderRow], by: &str) {
    let found = failures(rows, 1);
    assert!(found.iter().any(|f| f.contains(by)), "expected '{by}', found {found:?}");
}

/// What a row says is true for its leaf: the hashes follow from the values its cell opens and closes with.
fn truth(r: &BorderRow, messages: &[Message]) -> bool {
    let mut leaf = r.leaf;
    let (mut states, mut node) = (0, None);
    for (_, key, m) in messages {
        let lo_hi = [1, 2].map(|k| halves(element(key, k)).0);
        let value = Word { lo: lo_hi[0], hi: lo_hi[1] };
        if key.0 == Tag::Node && *m == Fr::ONE {
            node = Some([element(key, 0), element(key, 2), element(key, 3)]);
            continue;
        }
        let Some(c) = r.cell.filter(|_| key.0 == Tag::State) else { return false };
        let same = element(key, 0) == account_value(&c.cell)
            && element(key, 4) == Fr::from_raw([c.cell.slot.lo as u64, (c.cell.slot.lo >> 64) as u64, 0, 0])
            && halves(element(key, 5)).0 == c.cell.slot.hi;
        if !same {
            return false;
        }
        states += 1;
        match *m == Fr::ONE {
            // The value before is whatever hashes to the leaf below the old root.
            true if element(key, 3) == Fr::ZERO => leaf.old_value = value,
            false if *m == -Fr::ONE => leaf.new_value = value,
            _ => return false,
        }
    }
    let expected = [Fr::ZERO, leaf.old_hash(), leaf.new_hash()];
    // An unchanged leaf may also pass as one that is not accessed; its cell is then opened by nobody.
    let quiet = leaf.kind == RowKind::Existing && leaf.new_value == leaf.old_value;
    let born = leaf.kind == RowKind::Existing || leaf.old_value.is_zero();
    born && (leaf.accessed && states == 2 || quiet && states == 0)
        && match leaf.kind {
            RowKind::Absent => node.is_none() && leaf.new_value.is_zero(),
            _ => node == Some(expected),
        }
}

#[test]
fn a_batch_with_every_kind_of_row_holds() {
    let rows = rows();
    for kind in [RowKind::Existing, RowKind::Inserted, RowKind::Absent] {
        assert!(rows.iter().any(|r| r.leaf.kind == kind), "no {kind:?} row");
    }
    assert!(
        rows.iter().any(|r| !r.leaf.accessed)
            && rows.iter().any(|r| r.leaf.kind == RowKind::Existing && r.leaf.accessed)
    );
    for padding in [0, 1, 3] {
        assert_eq!(failures(&rows, padding), Vec::<String>::new());
    }
    let f = fixture(9, &rows, 2);
    for (i, r) in rows.iter().enumerate() {
        assert!(truth(r, &f.messages(i)), "row {i}: {:?}", f.messages(i));
    }
    assert!(f.messages(rows.len()).is_empty());
}

#[test]
fn the_genesis_leaf_is_an_ordinary_row_and_may_come_first() {
    let c = StateFinal { cell: cell(5), key: cell(5).key(), old: Word::ZERO, new: word(1), time: 5 };
    let w = Tree::new().preview(&[Touched { key: c.key, new_value: c.new }]).unwrap();
    assert_eq!(w.rows[0].key, Fr::ZERO);
    let rows = border_rows(&w.rows, &[c]).unwrap();
    assert_eq!(failures_from(1, &rows, 1), Vec::<String>::new());
}

#[test]
fn changing_any_committed_wire_is_rejected_or_still_true() {
    let rows = rows();
    let mut f = fixture(9, &rows, 2);
    let kinds = |r: &BorderRow| (r.leaf.kind, r.leaf.accessed);
    let mut seen = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        if !seen.contains(&kinds(row)) {
            seen.push(kinds(row));
            mutate_committed(&mut f, i, |m| truth(row, m));
        }
    }
    assert_eq!(seen.len(), 4);
    mutate_committed(&mut f, rows.len(), |m| m.is_empty());
}

#[test]
fn two_rows_for_one_cell_are_rejected() {
    let rows = rows();
    let at = rows.iter().position(|r| r.leaf.kind == RowKind::Existing && r.leaf.accessed).unwrap();
    let mut twice = rows.clone();
    twice.insert(at, rows[at].clone());
    assert_rejected(&twice, "lookup");
}

#[test]
fn a_key_plus_p_is_no_second_key() {
    // The row after the genesis leaf, again, with the key's integer raised by p where that fits into 256 bits.
    let c = |key: u64| Touched { key: Fr::from(key), new_value: word(1) };
    let w = Tree::new().preview(&[c(9)]).unwrap();
    let mut f = fixture(1, &[BorderRow { leaf: w.rows[0], cell: None }], 0);
    f.assert_satisfied();
    let (p_lo, p_hi) = halves(-Fr::ONE);
    // Key 0 of the genesis leaf as p: every chunk of the halves can be given, but not the range of p - 1 - key.
    let chunks = |x: u128, n: u32| (0..n).map(move |i| Fr::from((x >> (16 * i)) as u64 & 0xffff));
    let base = f.block.offset(|t| t.committed as usize, 1, 0) + 4;
    let half = |x: u128| crate::circuit::lc::fr_u128(x);
    for borrow in [0u64, 1] {
        let mut wires = vec![half(p_lo + 1), half(p_hi)];
        wires.extend(chunks(p_lo + 1, 7).chain(chunks(p_hi, 7)).chain([Fr::from(borrow)]));
        let lo = if borrow == 1 { u128::MAX } else { 0 };
        wires.extend(chunks(lo, 7).chain(chunks(0, 7)));
        f.values.committed[base..base + wires.len()].copy_from_slice(&wires);
        assert!(f.failures(0).iter().any(|n| n.contains("lookup")), "borrow {borrow}: {:?}", f.failures(0));
    }
}

#[test]
fn an_existing_key_cannot_be_shown_absent() {
    let mut rows = rows();
    let at = rows
        .iter()
        .position(|r| r.leaf.kind == RowKind::Existing && r.leaf.accessed && r.leaf.key != Fr::ZERO)
        .unwrap();
    // Claim it absent, in the gap of whatever comes before.
    let gap_end = if at > 0 { rows[at - 1].leaf.gap_end } else { Fr::ZERO };
    let c = rows[at].cell.as_mut().unwrap();
    (c.old, c.new) = (Word::ZERO, Word::ZERO);
    let leaf = &mut rows[at].leaf;
    *leaf = LeafRow {
        kind: RowKind::Absent,
        old_value: Word::ZERO,
        new_value: Word::ZERO,
        gap_end,
        carry: gap_end,
        index: 0,
        ..*leaf
    };
    assert_rejected(&rows, "lookup");
}

#[test]
fn a_low_leaf_cannot_be_skipped() {
    let rows = rows();
    let at =
        rows.windows(2).position(|w| !w[0].leaf.accessed && w[1].leaf.kind != RowKind::Existing).unwrap();
    let mut skipped = rows.clone();
    skipped.remove(at);
    assert_rejected(&skipped, "gap_end");
    // The same with a gap end of the prover's choice.
    skipped[at].leaf.gap_end = key_infinity();
    assert_rejected(&skipped, "gap_end");
}

#[test]
fn the_pointer_of_the_low_leaf_must_lead_to_the_inserted_key() {
    let rows = rows();
    let at = rows.windows(2).position(|w| w[1].leaf.kind == RowKind::Inserted).unwrap();
    let mut skipped = rows.clone();
    skipped[at].leaf.carry = skipped[at].leaf.gap_end;
    assert_rejected(&skipped, "carry_before - key");
    let mut last = rows.clone();
    last.truncate(at + 2);
    last[at + 1].leaf.carry = Fr::from(5);
    assert_rejected(&last, "carry_before - gap_end_before");
    assert!(failures(&last, 0).iter().any(|f| f.contains("carry of the last row")));
}

#[test]
fn an_inserted_leaf_was_empty_and_is_not_zero() {
    let mut rows = rows();
    let at = rows.iter().position(|r| r.leaf.kind == RowKind::Inserted).unwrap();
    let f = fixture(9, &rows, 0);
    let node = f.messages(at).into_iter().find(|m| m.1.0 == Tag::Node).unwrap();
    assert_eq!(element(&node.1, 2), Fr::ZERO, "an occupied index has another hash under the old root");
    let mut old = rows.clone();
    old[at].leaf.old_value = word(4);
    assert_rejected(&old, "guest * old");
    rows[at].leaf.new_value = Word::ZERO;
    assert_rejected(&rows, "inverse = inserted");
}

#[test]
fn a_cell_cannot_use_the_key_of_another() {
    let mut rows = rows();
    let at = rows.iter().position(|r| r.cell.is_some()).unwrap();
    rows[at].cell.as_mut().unwrap().cell.address[19] ^= 1;
    assert_rejected(&rows, "hash of the cell");
}

#[test]
fn a_row_that_is_not_accessed_keeps_its_value() {
    let mut rows = rows();
    let at = rows.iter().position(|r| !r.leaf.accessed).unwrap();
    rows[at].leaf.new_value.lo += 1;
    assert_rejected(&rows, "quiet + absent");
}

#[test]
fn the_hashes_are_those_of_the_tree() {
    let r = rows().into_iter().find(|r| r.leaf.kind == RowKind::Existing && r.leaf.accessed).unwrap();
    let f = fixture(9, std::slice::from_ref(&r), 0);
    let node = f.messages(0).into_iter().find(|m| m.1.0 == Tag::Node).unwrap();
    let hash = |next, value| Leaf { key: r.leaf.key, next, value }.hash();
    assert_eq!(element(&node.1, 2), hash(r.leaf.old_next, r.leaf.old_value));
    assert_eq!(element(&node.1, 3), hash(r.leaf.new_next, r.leaf.new_value));
}

/// The two counts that header and footer send.
fn counts(f: &Fixture) -> [Fr; 2] {
    let mut bus = Bus::new();
    assert!(check_block(&f.block, &f.values, [Fr::ZERO; 4], &mut bus).is_empty());
    let sent = |after| {
        let mine = |(k, m): &(&MessageKey, &Fr)| {
            k.0 == Tag::LeafCount && **m == Fr::ONE && element(k, 0) == Fr::from(after)
        };
        let mut found = bus.iter().filter(mine);
        let count = element(found.next().expect("a message").0, 1);
        assert!(found.next().is_none());
        count
    };
    [sent(0), sent(1)]
}

#[test]
fn counts_before_and_after_are_sent_once() {
    let rows = rows();
    for padding in [0, 2] {
        assert_eq!(counts(&fixture(9, &rows, padding)), [9, 12].map(Fr::from));
    }
    assert_eq!(counts(&fixture(9, &[], 2)), [9, 9].map(Fr::from));
}

#[test]
fn an_insert_at_another_empty_index_is_rejected() {
    let rows = rows();
    let inserted: Vec<usize> = (0..rows.len()).filter(|i| rows[*i].leaf.kind == RowKind::Inserted).collect();
    let indices: Vec<u32> = inserted.iter().map(|i| rows[*i].leaf.index).collect();
    assert_eq!(indices, [9, 10, 11]);
    for (i, to) in [(0, 12), (2, 1 << 31), (1, 9), (0, 0)] {
        let mut moved = rows.clone();
        moved[inserted[i]].leaf.index = to;
        assert_rejected(&moved, "index - count_before");
    }
    let mut swapped = rows.clone();
    (swapped[inserted[0]].leaf.index, swapped[inserted[1]].leaf.index) = (10, 9);
    assert_rejected(&swapped, "index - count_before");
    // All of them moved, with a count to match: the rows hold, but the statement's old root has another count.
    let mut all = rows.clone();
    inserted.iter().for_each(|i| all[*i].leaf.index += 5);
    assert_rejected(&all, "index - count_before");
    assert_eq!(counts(&fixture(14, &all, 1)), [14, 17].map(Fr::from));
}

#[test]
fn a_wrong_count_in_the_header_or_between_rows_is_rejected() {
    let rows = rows();
    assert!(failures_from(10, &rows, 1).iter().any(|f| f.contains("index - count_before")));
    // A row's own count changed: its seventh export.
    let mut f = fixture(9, &rows, 1);
    let wire = f.block.templates[1].exports[6];
    for row in 0..=rows.len() {
        let saved = f.values.clone();
        f.change(row, &[(Var::Committed(wire), Fr::ONE)]);
        assert!(f.failures(row).iter().any(|n| n.contains("count_before + inserted")), "row {row}");
        f.values = saved;
    }
}
