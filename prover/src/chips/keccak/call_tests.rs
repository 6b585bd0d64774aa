//! The instruction's row: which ranges it lets pass, and what it asks the hash row for.
use super::call::{KeccakCallChip, KeccakCallRow};
use crate::chips::testing::{Fixture, Message, element, element_int};
use crate::circuit::Tag;
use crate::circuit::lc::{fr_u128, pow2};
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::trace::{Access, Effect, Regs, Step, space};

const CLOCK: u32 = 77;
const CTX: u32 = 12;
const DIGEST: Word = Word::new(5 << 100, 6 << 99);

fn access(space: u8, ctx: u32, index: u32, k: u64, old: Word) -> Access {
    let time = 16 * u64::from(CLOCK) + k;
    Access { space, ctx, index, time, old_time: 9, old, new: old }
}

/// `keccak` of `b` bytes from byte `a`, with calldata `(base, length)` in the heap of context 3.
fn row(imm: u64, a: Word, b: Word, base: u32, length: u32) -> KeccakCallRow {
    let regs = Regs { ctx: CTX, code: 2, pc: 40, fp: 600, jhead: 31, ..Regs::default() };
    let packed = (u128::from(space::HEAP) << 32 | 3) << 64 | u128::from(base) << 32 | u128::from(length);
    let window = access(space::REG, CTX, 0, 4, packed.into());
    let d = Access { new: DIGEST, ..access(space::SLOT, CTX, 603, 3, Word::from(4)) };
    let step = Step {
        clock: CLOCK,
        regs,
        next: Regs { pc: 41, ..regs },
        word: 42 | imm << 10,
        a: access(space::SLOT, CTX, 601, 1, a),
        b: access(space::SLOT, CTX, 602, 2, b),
        d,
        effect: Effect::Keccak { window, call: 0 },
    };
    KeccakCallRow { step, window }
}

fn small(imm: u64, a: u128, b: u128, base: u32, length: u32) -> KeccakCallRow {
    row(imm, a.into(), b.into(), base, length)
}

/// Whether the request follows from instruction and window by the page on the instruction set. Messages that no
/// honest sender can have made (halves of 2^128 and more, a window with a high half) prove nothing.
fn truth(messages: &[Message]) -> bool {
    let find = |tag| messages.iter().find(|m| m.1.0 == tag);
    let (Some(keyed), Some(mem), Some(call)) = (find(Tag::Keyed), find(Tag::Mem), find(Tag::KeccakCall))
    else {
        return messages.is_empty();
    };
    let (k, c) = (&keyed.1, &call.1);
    let operands = [1, 2, 3, 4].map(|p| element_int(k, p));
    let window = element_int(&mem.1, 1);
    let ([Some(a), Some(a_hi), Some(b), Some(b_hi)], Some(w)) = (operands, window) else { return true };
    let (prefix, base, length) = (w >> 64, w >> 32 & 0xffff_ffff, w & 0xffff_ffff);
    let imm = element_int(k, 0).filter(|op| op & 1023 == 42).map(|op| op >> 10);
    let heap = pow2(64) + element(k, 12) * pow2(32);
    let (memory, start, limit) = match imm {
        Some(0) => (heap, a, u128::from(u32::MAX)),
        Some(1) => (fr_u128(prefix) * pow2(32), base + a, length),
        _ => return false,
    };
    let fits = a_hi == 0 && b_hi == 0 && a.checked_add(b).is_some_and(|e| e <= limit) && start % 32 == 0;
    let now = element(k, 11) * Fr::from(16);
    let asked = [element(k, 11), memory + fr_u128(start / 32), fr_u128(b), element(k, 5), element(k, 6)];
    let register = element(&mem.1, 0) == pow2(64).double() + element(k, 12) * pow2(32);
    fits && register
        && prefix < 1 << 36
        && asked.iter().enumerate().all(|(p, e)| element(c, p as u8) == *e)
        && element(c, 5) == now + Fr::from(5)
        && [7, 8, 17, 18, 19, 20].iter().all(|p| element(k, *p) == Fr::ZERO)
        && (keyed.2, call.2) == (-Fr::ONE, Fr::ONE)
        && messages.iter().any(|m| m.1.0 == Tag::Mem && element(&m.1, 3) == now + Fr::from(4))
}

#[test]
fn ranges_inside_are_provable() {
    let end = u128::from(u32::MAX);
    let rows = [
        small(0, 0, 0, 0, 0),
        small(0, 64, 100, 7, 9),
        small(0, end - 31, 31, 0, 0),
        small(0, 0, end, 0, 0),
        small(1, 0, 116, 64, 116),
        small(1, 16, 84, 48, 100),
        small(1, 32, 0, 64, 32),
        small(1, 31, 1, 1, u32::MAX),
    ];
    let f = Fixture::new(KeccakCallChip, &rows, 1);
    f.assert_satisfied();
    for (i, row) in rows.iter().enumerate() {
        assert!(truth(&f.messages(i)), "row {i}");
        let keyed = f.messages(i).into_iter().find(|m| m.1.0 == Tag::Keyed).unwrap().1;
        assert_eq!(element(&keyed, 0), Fr::from(row.step.word & 0x3f_ffff));
        assert_eq!(f.messages(i).len(), 4);
    }
    assert!(f.messages(rows.len()).is_empty());
}

#[test]
fn ranges_outside_are_not() {
    let end = u128::from(u32::MAX);
    let rows = [
        small(0, 1, 5, 0, 0),
        small(0, 16, 5, 16, 100),
        small(0, end - 31, 32, 0, 0),
        small(0, 1 << 32, 0, 0, 0),
        small(0, 1 << 37, 0, 0, 0),
        small(0, 0, 1 << 32, 0, 0),
        row(0, Word::new(1, 32), 5.into(), 0, 0),
        row(0, 32.into(), Word::new(1, 5), 0, 0),
        small(1, 0, 117, 64, 116),
        small(1, 32, 85, 64, 116),
        small(1, 128, 0, 64, 116),
        small(1, 0, 5, 65, 116),
        small(1, 8, 5, 64, 116),
        small(1, u128::MAX - 63, 5, 64, 116),
    ];
    for (i, r) in rows.iter().enumerate() {
        let f = Fixture::new(KeccakCallChip, std::slice::from_ref(r), 1);
        assert!(!f.failures(0).is_empty(), "row {i}");
    }
}

#[test]
fn no_single_wire_can_change() {
    let rows = [small(0, 64, 100, 7, 9), small(1, 32, 60, 64, 116), small(1, 16, 84, 48, 100)];
    let mut f = Fixture::new(KeccakCallChip, &rows, 1);
    for i in 0..4 {
        let (tried, rejected) = f.mutate(i, truth);
        assert!(rejected * 2 > tried || i == 3, "row {i}: {rejected} of {tried}");
    }
}
