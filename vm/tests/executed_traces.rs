//! Claims about whole batches that use what is not proven yet, and about the check of their traces: whatever is changed
//! in one, it is refused.
use lathe_vm::asm::assemble;
use lathe_vm::batch::Record;
use lathe_vm::code::CodeStore;
use lathe_vm::fixtures;
use lathe_vm::isa::{Instruction, op};
use lathe_vm::machine::{Halt, Limits};
use lathe_vm::programs;
use lathe_vm::receipt::ReceiptStatus::{Reverted, Success};
use lathe_vm::replay::{Replay, ReplayError, execute, replay_with_receipts};
use lathe_vm::state::{CellId, Tree, kind};
use lathe_vm::trace::{BatchTrace, Effect, Executed, Flow};
use lathe_vm::trace_check::check;
use lathe_vm::word::Word;

const BUSY: [u8; 20] = [0xc0; 20];
const HALTS: [u8; 20] = [0xc1; 20];

/// Uses every kind of access that has no chip, and hands back what it found in its transient cell.
const BUSY_SOURCE: &str = "tload [1], [90]\n addi [2], [1], 1\n tstore [90], [2]\n tload [1], [90]
    not [3], [90]\n st [3], [90], 5\n ld [4], [90], 7\n st8 [3], [90], 70\n seti [5], 33\n seti [6], 3
    copy [6], [90], [5], 0\n copy [6], [6], [5], 1\n keccak [7], [6], [5]\n log [1], [6], [5], 4\n rdsize [8]
    address [9]\n balance [8], [9]\n iload [8], 1\n st [1], [90], 96\n seti [10], 96\n seti [11], 32\n return [10], [11]";

/// Writes twice and halts.
const HALTS_SOURCE: &str = "seti [1], 1\n sstore [1], [1]\n tstore [1], [1]\n sstore [1], [90]";

fn limits(unproven: bool) -> Limits {
    Limits { unproven, ..Limits::default() }
}

fn world() -> (Tree, CodeStore, Vec<Record>) {
    let mut codes = CodeStore::new();
    let mut cells = vec![];
    for (address, source) in [(BUSY, BUSY_SOURCE), (HALTS, HALTS_SOURCE)] {
        cells.push((CellId::code_hash(address), codes.insert(assemble(source).unwrap())));
    }
    let call = |nonce, to| Record { nonce, from: fixtures::sender(1), to, data: vec![7; 40] };
    (Tree::from_cells(cells).unwrap(), codes, vec![call(0, BUSY), call(1, HALTS), call(2, BUSY)])
}

fn replayed() -> Replay {
    let (tree, codes, records) = world();
    let params = fixtures::params();
    replay_with_receipts(&tree, &codes, programs::kernel(), &params, &records, &limits(true)).unwrap()
}

#[test]
fn transient_cells_begin_at_zero_in_every_record() {
    let replay = replayed();
    check(&replay.trace).unwrap();
    let receipts: Vec<_> = replay.receipts.iter().map(|r| (r.status, &r.output[..])).collect();
    let one = Word::from(1).to_be_bytes();
    assert_eq!(receipts, [(Success, &one[..]), (Reverted, &[][..]), (Success, &one[..])]);
    let transient: Vec<_> = replay.trace.transient.iter().map(|c| (c.cell, c.value)).collect();
    let cell = |address, slot: u128| CellId::transient(address, Word::from(slot));
    let (one, zero) = (Word::from(1), Word::ZERO);
    assert_eq!(transient, [(cell(BUSY, 0), one), (cell(HALTS, 1), zero), (cell(BUSY, 0), one)]);
    assert!(replay.trace.state_cells.iter().all(|c| c.cell.kind != kind::TRANSIENT));
    let (tree, codes, records) = world();
    let fast =
        execute(&tree, &codes, programs::kernel(), &fixtures::params(), &records, &limits(true)).unwrap();
    assert_eq!((fast.receipts, fast.steps as usize), (replay.receipts, replay.trace.steps.len()));
}

#[test]
fn such_a_batch_is_refused_before_proving() {
    let (tree, codes, records) = world();
    let run = execute(&tree, &codes, programs::kernel(), &fixtures::params(), &records, &limits(false));
    let Err(ReplayError::Stopped(stopped)) = run else { panic!("not refused") };
    assert_eq!((stopped.halt, stopped.record), (Halt::NotYetProvable("tload".into()), Some(0)));
}

/// Changes a trace and expects the check to refuse it.
fn refused(what: &str, change: impl FnOnce(&mut BatchTrace)) {
    let mut trace = replayed().trace;
    change(&mut trace);
    assert!(check(&trace).is_err(), "{what} is accepted");
}

/// The first step with this opcode and an effect without a chip that `fits`.
fn find(t: &mut BatchTrace, opcode: u16, fits: impl Fn(&Executed) -> bool) -> &mut Executed {
    let found = t.steps.to_mut().iter_mut().find_map(|s| match &mut s.effect {
        Effect::Executed(e) if Instruction::decode(s.word).opcode == opcode && fits(e) => Some(e),
        _ => None,
    });
    found.expect("the batch has such a step")
}

fn any(_: &Executed) -> bool {
    true
}

#[test]
fn a_changed_access_is_refused() {
    let accessing =
        [op::TLOAD, op::ST, op::LD, op::ST8, op::COPY, op::KECCAK, op::LOG, op::RDSIZE, op::ILOAD];
    for opcode in accessing {
        refused("an access left out", |t| {
            find(t, opcode, any).accesses.pop();
        });
        refused("another value", |t| find(t, opcode, any).accesses[0].new.lo ^= 1);
        refused("another old value", |t| {
            let a = &mut find(t, opcode, any).accesses[0];
            (a.old.lo, a.new.lo) = (a.old.lo ^ 1, a.new.lo ^ 1);
        });
        refused("another time", |t| find(t, opcode, any).accesses[0].time += 1);
        refused("another cell", |t| find(t, opcode, any).accesses[0].index += 1);
        refused("another context", |t| find(t, opcode, any).accesses[0].ctx += 1);
        refused("an access twice", |t| {
            let e = find(t, opcode, any);
            e.accesses.push(e.accesses[0]);
        });
    }
}

#[test]
fn a_changed_state_access_or_journal_is_refused() {
    for opcode in [op::TLOAD, op::TSTORE, op::BALANCE, op::ILOAD] {
        refused("a state access left out", |t| find(t, opcode, any).cells.clear());
        refused("another value", |t| find(t, opcode, any).cells[0].new.lo ^= 1);
        refused("another time", |t| find(t, opcode, any).cells[0].time += 1);
        refused("another cell", |t| find(t, opcode, any).cells[0].cell.slot.lo ^= 1);
    }
    refused("a write without its entry", |t| find(t, op::TSTORE, any).journal.clear());
    refused("an entry of another value", |t| {
        find(t, op::TSTORE, any).journal[0].old.lo ^= 1;
    });
    refused("a transient cell that outlives its transaction", |t| t.transient.truncate(2));
    refused("a transient cell of another transaction", |t| t.transient[2].transaction += 1);
    refused("a transient cell that opens in the tree", |t| t.state_cells[0].cell.kind = kind::TRANSIENT);
}

#[test]
fn a_changed_halt_is_refused() {
    let undo = |e: &Executed| matches!(e.flow, Flow::Undo(_));
    let end = |e: &Executed| matches!(e.flow, Flow::End { .. });
    refused("an undo that is none", |t| find(t, 0, undo).flow = Flow::Stay);
    refused("an undo of another value", |t| {
        if let Flow::Undo(e) = &mut find(t, 0, undo).flow {
            e.old.lo ^= 1;
        }
    });
    refused("an undo left out", |t| {
        let place = t.steps.iter().position(|s| matches!(&s.effect, Effect::Executed(e) if undo(e)));
        t.steps.to_mut().remove(place.expect("there is one"));
    });
    refused("a halt that succeeds", |t| {
        if let Flow::End { success, .. } = &mut find(t, 0, end).flow {
            *success = true;
        }
    });
    refused("a halt that tells its caller of success", |t| {
        let e = find(t, 0, end);
        e.accesses[0].new = Word::from(1);
        if let Flow::End { success, .. } = &mut e.flow {
            *success = true;
        }
    });
    refused("a halt that goes elsewhere", |t| {
        if let Flow::End { frame, .. } = &mut find(t, 0, end).flow {
            frame.caller.pc += 1;
        }
    });
    refused("a digest of other bytes", |t| {
        let step = t.steps.to_mut().iter_mut().find(|s| {
            Instruction::decode(s.word).opcode == op::KECCAK && matches!(s.effect, Effect::Executed(_))
        });
        step.expect("there is one").d.new.lo ^= 1;
    });
}
