//! Claims about the check of traces with calls between contracts: whatever is changed in one, it is refused.
use lathe_vm::asm::assemble;
use lathe_vm::batch::Record;
use lathe_vm::code::CodeStore;
use lathe_vm::fixtures;
use lathe_vm::isa::{Instruction, op};
use lathe_vm::machine::{Limits, contract_address};
use lathe_vm::programs;
use lathe_vm::receipt::ReceiptStatus::Success;
use lathe_vm::replay::replay_with_receipts;
use lathe_vm::state::{CellId, Tree, kind};
use lathe_vm::trace::Effect;
use lathe_vm::trace::{Access, BatchTrace, Executed, Flow, Step, mode, space};
use lathe_vm::trace_check::check;
use lathe_vm::word::Word;

const OUTER: [u8; 20] = [0xc0; 20];
const INNER: [u8; 20] = [0xd0; 20];

/// Calls INNER in every way, with value and below a failure, and creates by both rules.
fn outer(page: Word) -> String {
    format!(
        ".const INNER {}\n.const PAGE {page}\n const [10], INNER\n const [1], PAGE\n st [1], [90], 0\n seti [21], 32\n seti [23], 5
         call [2], [10], [20]\n staticcall [2], [10], [20]\n delegatecall [2], [10], [20]\n seti [30], 32\n seti [31], 7
         create [3], [90], [30], 0\n create [4], [90], [30], 1\n create [5], [90], [30], 1\n seti [10], 4\n call [2], [10], [20]
         seti [10], 99\n call [2], [10], [20]\n return [90], [90]",
        fixtures::word(INNER)
    )
}

/// Writes, and halts if it was sent wei.
const INNER_SOURCE: &str = "tload [1], [90]\n callvalue [2]\n jz [2], end\n seti [3], 1\n sstore [3], [3]\n .word 0\n end: return [90], [90]";

/// Hands back the runtime page, after an immutable.
fn deploy(runtime: Word) -> String {
    format!(
        ".const RUNTIME {runtime}\n istore [9], 1\n const [1], RUNTIME\n st [1], [90], 0\n seti [2], 32\n return [90], [2]"
    )
}

fn replayed() -> BatchTrace {
    let mut codes = CodeStore::new();
    let inner = codes.insert(assemble(INNER_SOURCE).unwrap());
    let page = codes.insert(assemble(&deploy(inner)).unwrap());
    let outer = codes.insert(assemble(&outer(page)).unwrap());
    let cells = [
        (CellId::code_hash(INNER), inner),
        (CellId::code_hash(OUTER), outer),
        (CellId::balance(OUTER), Word::from(1000)),
        (CellId::nonce(OUTER), Word::from(1)),
        (CellId::known_code(inner), Word::from(12)),
        (CellId::known_code(page), Word::from(12)),
    ];
    let records = [Record { nonce: 0, from: fixtures::sender(1), to: OUTER, data: vec![] }];
    let limits = Limits { unproven: true, ..Limits::default() };
    let tree = Tree::from_cells(cells).unwrap();
    let params = fixtures::params();
    let replay = replay_with_receipts(&tree, &codes, programs::kernel(), &params, &records, &limits).unwrap();
    assert_eq!(replay.receipts[0].status, Success);
    replay.trace
}

/// The step without a chip that is the `n`-th of those with this opcode, and its effect.
fn with<R>(t: &mut BatchTrace, opcode: u16, n: usize, act: impl FnOnce(&mut Executed) -> R) -> R {
    let steps = t.steps.to_mut().iter_mut().filter(|s| Instruction::decode(s.word).opcode == opcode);
    let effects = steps.filter_map(|s| match &mut s.effect {
        Effect::Executed(e) => Some(e),
        _ => None,
    });
    act(effects.into_iter().nth(n).expect("the batch has such a step"))
}

fn refused(what: &str, change: impl FnOnce(&mut BatchTrace)) {
    let mut trace = replayed();
    change(&mut trace);
    assert!(check(&trace).is_err(), "{what} is accepted");
}

/// Gives a cell of memory another value everywhere: the bus still cancels, and only what the value means is wrong.
fn reworded(t: &mut BatchTrace, place: (u8, u32, u32), value: Word) {
    let change = |a: &mut Access| {
        if (a.space, a.ctx, a.index) == place {
            if a.old_time != 0 {
                a.old = value;
            }
            a.new = value;
        }
    };
    let each = |s: &mut Step| match &mut s.effect {
        Effect::Executed(e) => e.accesses.iter_mut().for_each(change),
        Effect::Context(a) => change(a),
        Effect::Storage { reg: Some(a), .. } => change(a),
        _ => {}
    };
    t.steps.to_mut().iter_mut().for_each(each);
    t.cells.iter_mut().filter(|c| (c.space, c.ctx, c.index) == place).for_each(|c| c.value = value);
}

#[test]
fn the_trace_is_sound_and_the_state_is_what_the_calls_make_it() {
    let trace = replayed();
    check(&trace).unwrap();
    let cell = |cell: CellId| trace.state_cells.iter().find(|c| c.cell == cell).map(|c| c.new);
    // The call with value fails; the creations by nonce 1 and by salt take 7 each, the second with the salt nothing; then
    // 5 wei go to identity and 5 to nobody.
    let first = contract_address(OUTER, 1);
    assert_eq!(cell(CellId::balance(OUTER)), Some(Word::from(1000 - 24)));
    assert_eq!(
        (cell(CellId::balance(first)), cell(CellId::nonce(first))),
        (Some(Word::from(7)), Some(Word::from(1)))
    );
    assert_eq!(
        (cell(CellId::nonce(OUTER)), cell(CellId::storage(INNER, Word::from(1)))),
        (Some(Word::from(4)), Some(Word::ZERO))
    );
}

#[test]
fn a_changed_call_is_refused() {
    for opcode in [op::CALL, op::STATICCALL, op::DELEGATECALL, op::CREATE] {
        let accesses = with(&mut replayed(), opcode, 0, |e| e.accesses.len());
        for i in 0..accesses {
            refused("an access left out", |t| {
                with(t, opcode, 0, |e| {
                    e.accesses.remove(i);
                })
            });
            refused("another value", |t| with(t, opcode, 0, |e| e.accesses[i].new.lo ^= 1));
            refused("another cell", |t| with(t, opcode, 0, |e| e.accesses[i].index ^= 1));
            refused("another time", |t| with(t, opcode, 0, |e| e.accesses[i].time += 1));
        }
        let cells = with(&mut replayed(), opcode, 0, |e| e.cells.len());
        for i in 0..cells {
            refused("a state access left out", |t| {
                with(t, opcode, 0, |e| {
                    e.cells.remove(i);
                })
            });
            refused("another state value", |t| with(t, opcode, 0, |e| e.cells[i].new.lo ^= 1));
        }
        refused("another saved register", |t| {
            with(t, opcode, 0, |e| match &mut e.flow {
                Flow::Call(frame) => frame.caller.jhead ^= 1,
                _ => panic!("it calls"),
            });
        });
    }
}

#[test]
fn registers_that_the_caller_does_not_give_are_refused() {
    for opcode in [op::CALL, op::STATICCALL, op::DELEGATECALL, op::CREATE] {
        for index in [2, 3, 4] {
            refused("a register of the callee", |t| {
                let step = t
                    .steps
                    .iter()
                    .find(|s| Instruction::decode(s.word).opcode == opcode && s.next.ctx == s.clock);
                let ctx = step.expect("it calls").clock;
                reworded(t, (space::REG, ctx, index), Word::from(0x77));
            });
        }
    }
}

#[test]
fn a_changed_journal_is_refused() {
    for opcode in [op::CALL, op::CREATE] {
        refused("a write without its entry", |t| {
            with(t, opcode, 0, |e| {
                e.journal.pop();
            })
        });
        refused("entries in another order", |t| with(t, opcode, 0, |e| e.journal.reverse()));
        refused("another number", |t| with(t, opcode, 0, |e| e.journal[1].id += 1 << 28));
    }
}

#[test]
fn another_mode_or_depth_is_refused() {
    let from = |t: &mut BatchTrace, change: fn(&mut lathe_vm::trace::Regs)| {
        // In one context from its first step to its last.
        let ctx = t.steps.iter().find(|s| s.regs.mode & mode::STATIC != 0).expect("one is static").regs.ctx;
        for s in t.steps.to_mut() {
            if s.regs.ctx == ctx {
                change(&mut s.regs);
            }
            if s.next.ctx == ctx {
                change(&mut s.next);
            }
        }
    };
    refused("a static context that is none", |t| from(t, |r| r.mode = 0));
    refused("another depth", |t| from(t, |r| r.depth += 1));
}

/// Another value in the cell of known code that a step reads.
fn known(e: &mut Executed, value: Word) {
    let cell = e.cells.iter_mut().find(|c| c.cell.kind == kind::KNOWN_CODE).expect("it reads one");
    (cell.old, cell.new) = (value, value);
}

#[test]
fn a_creation_with_another_code_or_end_is_refused() {
    refused("a creator whose nonce stays", |t| {
        with(t, op::CREATE, 0, |e| {
            e.cells[0].new = e.cells[0].old;
            e.journal.remove(0);
        });
    });
    refused("a deployment that leaves other code", |t| with(t, op::RETURN, 0, |e| e.cells[1].new.lo ^= 1));
    refused("a deployment of code that is not known", |t| with(t, op::RETURN, 0, |e| known(e, Word::ZERO)));
    refused("a creation from code that is not known", |t| with(t, op::CREATE, 0, |e| known(e, Word::ZERO)));
    refused("code known by another hash", |t| {
        with(t, op::CREATE, 0, |e| e.cells[1].cell = CellId::known_code(Word::from(1)));
    });
    // The third creation finds a contract at its address.
    refused("a creation that fails for code that is known", |t| {
        with(t, op::CREATE, 2, |e| e.cells.truncate(2));
    });
    refused("a deployment that tells another address", |t| {
        with(t, op::RETURN, 0, |e| {
            let status = e.accesses.iter_mut().find(|a| a.space == space::SLOT);
            status.expect("it tells one").new.lo ^= 1;
        });
    });
}
