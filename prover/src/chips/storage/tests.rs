use super::*;
use crate::chips::testing::{Fixture, Message, element};
use crate::circuit::Var;
use crate::circuit::lc::{fr_u128, halves};
use ff::{Field, PrimeField};
use lathe_vm::state::CellId;
use lathe_vm::trace::Regs;

fn slot_access(clock: u32, k: u64, old: Word, new: Word) -> Access {
    let time = 16 * u64::from(clock) + k;
    Access { space: space::SLOT, ctx: 7, index: 3, time, old_time: time - 9, old, new }
}

/// A step of one of the four instructions; `own` is register 2, absent for `aload`, `astore` of `kind`.
fn row(write: bool, own: Option<[u8; 20]>, kind: u8) -> StorageRow {
    let word =
        |x: u128| Word { lo: x.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835), hi: x << 90 | 5 };
    let clock = 1000;
    let (operand, kept, value) = (word(2), word(3), word(4));
    let mut account = [9; 20];
    account[19] = kind;
    let a = match own {
        Some(_) => word(1),
        None => word_of_address(account),
    };
    let new = if write { kept } else { value };
    let regs = Regs {
        ctx: if own.is_some() { 7 } else { 0 },
        code: if own.is_some() { 2 } else { 0 },
        pc: 40,
        fp: 64,
        jhead: 900,
        ..Regs::default()
    };
    let cell = match own {
        Some(address) => CellId { kind: 0, address, slot: a },
        None => CellId { kind, address: account, slot: Word::ZERO },
    };
    let time = 16 * u64::from(clock);
    let reg = own.map(|x| Access {
        space: space::REG,
        ctx: 7,
        index: 2,
        time: time + 4,
        old_time: 8,
        old: word_of_address(x),
        new: word_of_address(x),
    });
    let cell = StateAccess {
        cell,
        time: time + 5,
        old_time: time - 100,
        old: value,
        new: if write { operand } else { value },
    };
    let step = Step {
        clock,
        regs,
        next: Regs { pc: 41, jhead: if write { clock } else { 900 }, ..regs },
        word: 0,
        a: slot_access(clock, 1, a, a),
        b: slot_access(clock, 2, operand, operand),
        d: slot_access(clock, 3, kept, new),
        effect: Effect::None,
    };
    StorageRow { step, reg, cell, write }
}

fn word_of_address(address: [u8; 20]) -> Word {
    let mut be = [0; 32];
    be[12..].copy_from_slice(&address);
    Word::from_be_bytes(be)
}

/// What the messages of a row must say to be true, whatever the operands are; written against `docs/isa.md`.
fn truth(messages: &[Message]) -> bool {
    if messages.is_empty() {
        return true;
    }
    let find = |tag, sent: bool| {
        let m = if sent { Fr::ONE } else { -Fr::ONE };
        let mut found = messages.iter().filter(|x| x.1.0 == tag && x.2 == m);
        (found.next(), found.next().is_none())
    };
    let (Some(keyed), true) = find(Tag::Keyed, false) else { return false };
    let k = |i| element(&keyed.1, i);
    let low = halves(k(0)).0 as u64;
    let (opcode, imm) = (low & 0x3ff, low >> 10);
    let write = match (opcode, imm) {
        (38, 0) | (40, 1..=3) => false,
        (39, 0) | (41, 1..=3) => true,
        _ => return false,
    };
    let time = |i: u64| k(11) * Fr::from(16) + Fr::from(i);
    let (Some(from), Some(to)) = (find(Tag::State, false).0, find(Tag::State, true).0) else { return false };
    let (from, to) = (|i| element(&from.1, i), |i| element(&to.1, i));
    let account = if imm == 0 {
        let (Some(r), Some(w)) = (find(Tag::Mem, false).0, find(Tag::Mem, true).0) else { return false };
        let at = fr_u128(2 << 64) + k(12) * Fr::from(1 << 32) + Fr::from(2);
        let same = (0..3).all(|i| element(&r.1, i) == element(&w.1, i)) && element(&w.1, 3) == time(4);
        if !same || element(&r.1, 0) != at || [4, 5].map(from) != [k(1), k(2)] {
            return false;
        }
        element(&r.1, 1) + element(&r.1, 2) * pow2(128)
    } else {
        let address = k(1) + k(2) * pow2(128);
        let kernel = k(12) == Fr::ZERO && k(13) == Fr::ZERO;
        let is_address = address.to_repr().as_ref()[20..].iter().all(|x| *x == 0);
        if !kernel || !is_address || [4, 5].map(from) != [Fr::ZERO; 2] {
            return false;
        }
        address + Fr::from(imm) * pow2(160)
    };
    let old = [1, 2].map(from);
    let expected = if write { [k(3), k(4)] } else { old };
    let state = [from(0), to(0)] == [account; 2] && [1, 2].map(to) == expected && to(3) == time(5);
    let result = if write { [k(9), k(10)] } else { old };
    let jhead = if write { k(11) - k(15) } else { Fr::ZERO };
    let step = [k(5), k(6)] == result
        && [k(7), k(8), k(17), k(18), k(19), k(20)]
            == [Fr::ZERO, Fr::ZERO, Fr::ZERO, Fr::ZERO, Fr::ZERO, jhead];
    let journal = match find(Tag::Journal, true).0 {
        Some(j) => {
            let j = |i| element(&j.1, i);
            write
                && [j(0), j(1), j(2), j(3), j(4), j(5), j(6)]
                    == [account, old[0], old[1], k(11), from(4), from(5), k(15)]
        }
        None => !write,
    };
    let count = 3 + usize::from(write) + if imm == 0 { 2 } else { 0 };
    state && step && [4, 5].map(to) == [4, 5].map(from) && journal && messages.len() == count
}

fn storage_rows() -> Vec<StorageRow> {
    [false, true].map(|w| row(w, Some([0xab; 20]), 0)).to_vec()
}

fn account_rows() -> Vec<StorageRow> {
    [(false, 1), (false, 2), (true, 3), (true, 1)].map(|(w, kind)| row(w, None, kind)).to_vec()
}

fn check<C: Chip<Row = StorageRow>>(chip: C, rows: &[StorageRow]) {
    let mut f = Fixture::new(chip, rows, 1);
    f.assert_satisfied();
    assert!(f.messages(rows.len()).is_empty());
    for i in 0..=rows.len() {
        f.mutate(i, truth);
    }
}

#[test]
fn loads_and_stores_hold_and_no_wire_can_change_them() {
    check(StorageChip, &storage_rows());
    check(AccountChip, &account_rows());
}

#[test]
fn the_largest_address_is_in_range() {
    let mut r = row(true, None, 2);
    let largest = [0xff; 20];
    r.step.a = slot_access(r.step.clock, 1, word_of_address(largest), word_of_address(largest));
    r.cell.cell.address = largest;
    let f = Fixture::new(AccountChip, &[r], 0);
    f.assert_satisfied();
    assert!(truth(&f.messages(0)));
}

#[test]
fn an_address_with_high_bits_is_rejected() {
    // Bit 160 of the address would turn a nonce into a balance.
    let mut r = row(true, None, 1);
    let mut a = r.step.a.old;
    a.hi += 1 << 32;
    r.step.a = slot_access(r.step.clock, 1, a, a);
    let f = Fixture::new(AccountChip, &[r], 0);
    assert!(f.failures(0).iter().any(|x| x.contains("lookup")), "{:?}", f.failures(0));
}

#[test]
fn accounts_are_out_of_reach_outside_the_kernel() {
    for regs in [Regs { ctx: 5, ..Regs::default() }, Regs { code: 1, ..Regs::default() }] {
        let mut r = row(true, None, 1);
        r.step.regs = Regs { pc: 40, fp: 64, jhead: 900, ..regs };
        let f = Fixture::new(AccountChip, &[r], 0);
        // The row says it ran in context 0 on page 0, which is not the step the CPU handed over.
        let keyed = f.messages(0).into_iter().find(|m| m.1.0 == Tag::Keyed).unwrap();
        assert_eq!([element(&keyed.1, 12), element(&keyed.1, 13)], [Fr::ZERO; 2]);
        let t = &f.block.templates[1].fractions.iter().find(|x| x.tag == Tag::Keyed).unwrap().elements;
        assert!(t.iter().filter(|e| e.0 == 12 || e.0 == 13).all(|e| e.1.terms.is_empty()));
    }
}

#[test]
fn a_row_is_a_load_or_a_store_and_has_one_kind() {
    let mut f = Fixture::new(AccountChip, &account_rows(), 0);
    for name in ["balance is a bit", "code_hash is a bit", "store is a bit"] {
        let at = f.block.templates[1].constraints.iter().find(|c| c.name == name).unwrap();
        let bit: Var = at.a.terms[0].0;
        let saved = f.values.clone();
        f.change(0, &[(bit, Fr::ONE)]);
        let said = f.messages(0);
        assert!(!f.failures(0).is_empty() || truth(&said), "{name}");
        f.values = saved;
    }
    // balance and code hash at once
    let bits = ["balance is a bit", "code_hash is a bit"]
        .map(|n| f.block.templates[1].constraints.iter().find(|c| c.name == n).unwrap().a.terms[0].0);
    f.change(0, &bits.map(|v| (v, Fr::ONE)));
    assert!(f.failures(0).iter().any(|x| x.contains("nonce")));
}

#[test]
fn cost_per_row() {
    let count = |b: &crate::circuit::Block| b.templates[1].constraint_count();
    let storage = Fixture::new(StorageChip, &[], 1);
    let account = Fixture::new(AccountChip, &[], 1);
    assert_eq!([count(&storage.block), count(&account.block)], [47, 40]);
}
