use super::*;
use crate::chips::testing::{Fixture, Message, element};
use lathe_vm::state::CellId;
use lathe_vm::trace::{Access, Regs, space};

fn entry(id: u32, prev: u32) -> JournalEntry {
    let slot = Word { lo: 1 << 90, hi: 3 };
    JournalEntry { id, prev, cell: CellId::storage([0x17; 20], slot), old: Word { lo: u128::MAX, hi: 12 } }
}

fn undo(id: u32, prev: u32) -> UndoRow {
    let clock = 2000;
    let time = 16 * u64::from(clock);
    let slot =
        |k, old| Access { space: space::SLOT, ctx: 4, index: 9, time: time + k, old_time: 77, old, new: old };
    let regs = Regs { ctx: 4, code: 1, pc: 33, fp: 8, jhead: id, ..Regs::default() };
    let [a, b, d] = [1u64, 2, 3].map(|k| slot(k, Word { lo: u128::from(k) << 70, hi: 1 }));
    let entry = entry(id, prev);
    let cell = StateAccess {
        cell: entry.cell,
        time: time + 4,
        old_time: 160,
        old: Word { lo: 4, hi: 5 },
        new: entry.old,
    };
    let next = Regs { jhead: prev, ..regs };
    UndoRow { step: Step { clock, regs, next, word: 45, a, b, d, effect: Effect::None }, entry, cell }
}

/// What an undo row must say, whatever it received.
fn truth(messages: &[Message]) -> bool {
    if messages.is_empty() {
        return true;
    }
    let find = |tag, m: Fr| messages.iter().find(|x| x.1.0 == tag && x.2 == m);
    let all = [
        find(Tag::Keyed, -Fr::ONE),
        find(Tag::Journal, -Fr::ONE),
        find(Tag::State, -Fr::ONE),
        find(Tag::State, Fr::ONE),
    ];
    let [Some(k), Some(j), Some(from), Some(to)] = all else { return false };
    let [k, j, from, to] = [k, j, from, to].map(|m| |i: u8| element(&m.1, i));
    let step = k(0) == Fr::from(45) && [k(5), k(6)] == [k(9), k(10)] && k(7) == -Fr::ONE;
    let head = k(15) == j(3) && k(20) == j(6) - j(3) && [k(17), k(18), k(19)] == [Fr::ZERO; 3];
    let cell = [0, 4, 5].iter().all(|i| j(*i) == from(*i) && j(*i) == to(*i));
    let restored = [to(1), to(2)] == [j(1), j(2)] && to(3) == k(11) * Fr::from(16) + Fr::from(4);
    step && head && cell && restored && messages.len() == 4
}

#[test]
fn an_undo_restores_what_the_entry_holds_and_no_wire_can_change_that() {
    let mut f = Fixture::new(UndoChip, &[undo(150, 90), undo(90, 0)], 1);
    f.assert_satisfied();
    for row in 0..3 {
        f.mutate(row, truth);
    }
    assert!(f.messages(2).is_empty());
}

#[test]
fn a_dropped_entry_is_received_once_as_it_was_made() {
    let e = entry(150, 90);
    let f = Fixture::new(DropChip, &[e], 1);
    f.assert_satisfied();
    let m = f.messages(0);
    assert_eq!(m.len(), 1);
    let expected = [
        account_value(&e.cell),
        crate::circuit::lc::fr_u128(e.old.lo),
        crate::circuit::lc::fr_u128(e.old.hi),
        Fr::from(150),
        crate::circuit::lc::fr_u128(e.cell.slot.lo),
        crate::circuit::lc::fr_u128(e.cell.slot.hi),
        Fr::from(90),
    ];
    assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|i| element(&m[0].1, i)), expected);
    assert_eq!(m[0].2, -Fr::ONE);
    assert!(f.messages(1).is_empty());
}

#[test]
fn an_entry_dropped_and_undone_is_received_twice() {
    let (undone, dropped) =
        (Fixture::new(UndoChip, &[undo(150, 90)], 0), Fixture::new(DropChip, &[entry(150, 90)], 0));
    let journal = |f: &Fixture| f.messages(0).into_iter().find(|m| m.1.0 == Tag::Journal).unwrap();
    let (a, b) = (journal(&undone), journal(&dropped));
    assert_eq!(a.1, b.1, "the same message");
    // The one write that made it sends it once.
    assert_eq!(a.2 + b.2 + Fr::ONE, -Fr::ONE);
}

#[test]
fn an_entry_that_is_not_the_newest_cannot_be_undone() {
    let mut row = undo(150, 90);
    row.entry.id = 149;
    let f = Fixture::new(UndoChip, &[row], 0);
    let j = f.messages(0).into_iter().find(|m| m.1.0 == Tag::Journal).unwrap();
    assert_eq!(element(&j.1, 3), Fr::from(150), "the id is the journal head, whatever the row was given");
}

#[test]
fn cost_per_row() {
    let count = |b: &crate::circuit::Block| b.templates[1].constraint_count();
    let (undo, drop) = (Fixture::new(UndoChip, &[], 1), Fixture::new(DropChip, &[], 1));
    assert_eq!([count(&undo.block), count(&drop.block)], [32, 8]);
}
