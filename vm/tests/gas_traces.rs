//! Claims about the check of gas in traces: one unit more or less after any kind of step is refused, at that step.
use lathe_vm::asm::assemble;
use lathe_vm::ethereum::batch;
use lathe_vm::ethereum::genesis::Genesis;
use lathe_vm::ethereum::replay::{LIMITS, replay};
use lathe_vm::ethereum::transaction::{Fees, Key, Kind, Payload};
use lathe_vm::isa::{Instruction, op};
use lathe_vm::programs;
use lathe_vm::replay::BlockParams;
use lathe_vm::trace::{BatchTrace, Effect, Flow, mode};
use lathe_vm::trace_check::check;
use lathe_vm::word::Word;
use std::collections::HashSet;

const OUTER: [u8; 20] = [0xc0; 20];
const INNER: [u8; 20] = [0xd0; 20];

/// Every kind of price: by operand, by cell, by value, by page, by what a precompile is given.
const OUTER_SOURCE: &str = "
    .const INNER 0xd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0
    const [10], INNER\n seti [1], 300\n exp [2], [1], [1]\n keccak [2], [90], [1]\n copy [90], [90], [1], 0
    seti [3], 33\n ld [4], [3], 0\n st [4], [3], 0\n log [1], [90], [1], 2\n sload [5], [90]\n sstore [1], [1]
    sstore [1], [90]\n tstore [1], [1]\n balance [5], [10]\n extcodesize [5], [10]\n sha256 [5], [90], [1]
    seti [6], 96\n pagehash [5], [90], [6]\n ecrecover [5], [90]
    seti [22], 50000\n seti [23], 5\n call [2], [10], [20]\n seti [23], 0\n call [2], [10], [20]
    staticcall [2], [10], [20]\n delegatecall [2], [10], [20]
    seti [11], 2\n staticcall [2], [11], [20]\n seti [22], 3\n staticcall [2], [11], [20]\n seti [23], 5\n call [2], [11], [20]
    seti [12], 32\n seti [13], 0\n create [2], [90], [12], 0\n gas [2]\n return [90], [90]";
/// Halts with a write to take back if it was sent wei, reverts in a static context, else writes.
const INNER_SOURCE: &str =
    "callvalue [1]\n jz [1], end\n sstore [90], [1]\n l: jmp l\n end: gas [2]\n revert [90], [90]";

fn replayed() -> BatchTrace {
    let key = Key::new([7; 32]).unwrap();
    let page = |source| assemble(source).unwrap();
    let genesis = Genesis::new().balance(key.address(), Word::new(1, 0)).balance(OUTER, Word::from(100));
    let genesis = genesis.contract(OUTER, page(OUTER_SOURCE)).contract(INNER, page(INNER_SOURCE));
    let (tree, codes) = genesis.build().unwrap();
    let params = BlockParams { chain_id: 5, gas_limit: 10_000_000, ..BlockParams::default() };
    let body = |gas_limit, nonce| {
        let kind = Kind::Eip1559 { fees: Fees { max_priority: 1, max: 1 }, access_list: Vec::new() };
        let (to, value, data) = (Some(OUTER), Word::ZERO, Vec::new());
        key.sign(Payload { kind, chain_id: 5, nonce, gas_limit, to, value, data }).unwrap().encode()
    };
    // The second runs out, the first does not.
    let bytes = batch::encode(&[body(1_000_000, 0), body(25_000, 1)]).unwrap();
    let done = replay(&tree, &codes, programs::ethereum(), &params, &bytes, &LIMITS).unwrap();
    assert_eq!(done.receipts.iter().map(|r| r.status).collect::<Vec<_>>(), [true, false]);
    done.trace
}

#[test]
fn another_gas_after_a_step_is_refused_at_that_step() {
    let mut trace = replayed();
    check(&trace).unwrap();
    let mut seen = HashSet::new();
    let steps: Vec<usize> = trace
        .steps
        .iter()
        .enumerate()
        .filter(|(_, s)| (s.regs.mode | s.next.mode) & mode::METERED != 0)
        .filter(|(_, s)| {
            let flow = match &s.effect {
                Effect::Executed(e) => match e.flow {
                    Flow::Stay => 1,
                    Flow::Call(_) => 2,
                    Flow::End { success, .. } => 3 + u8::from(success),
                    Flow::Undo(_) => 5,
                },
                _ => 0,
            };
            seen.insert((Instruction::decode(s.word).opcode, flow, s.next.depth))
        })
        .map(|(i, _)| i)
        .collect();
    for opcode in [op::MIMICCALL, op::CALL, op::CREATE, op::EXP, op::SSTORE, op::COPY, op::REVERT, op::JMP] {
        assert!(seen.iter().any(|(o, ..)| *o == opcode), "{opcode}");
    }
    for i in steps {
        for change in [1, u32::MAX] {
            let change_both = |t: &mut BatchTrace, by: u32| {
                let steps = t.steps.to_mut();
                steps[i].next.gas = steps[i].next.gas.wrapping_add(by);
                steps[i + 1].regs.gas = steps[i + 1].regs.gas.wrapping_add(by);
            };
            change_both(&mut trace, change);
            let fault = check(&trace).expect_err("another gas passes").to_string();
            assert_eq!(fault, format!("step {}: the gas is not what the step leaves", i + 1));
            change_both(&mut trace, change.wrapping_neg());
        }
    }
    check(&trace).unwrap();
}

/// The caller keeps what it does not give: a frame with more is refused where it is made.
#[test]
fn a_call_that_keeps_more_than_it_may_is_refused() {
    let mut trace = replayed();
    let steps = trace.steps.to_mut();
    let calls = |e: &Effect| matches!(e, Effect::Executed(e) if matches!(e.flow, Flow::Call(_)));
    let opens: Vec<usize> = (0..steps.len()).filter(|i| calls(&steps[*i].effect)).collect();
    assert!(opens.len() > 4);
    for i in opens {
        keep(&mut trace, i, 1);
        let fault = check(&trace).expect_err("more gas passes").to_string();
        assert_eq!(fault, format!("step {}: the gas is not what the step leaves", i + 1));
        keep(&mut trace, i, u32::MAX);
    }
}

/// Adds gas to what the caller keeps in a step that calls.
fn keep(trace: &mut BatchTrace, step: usize, gas: u32) {
    let Effect::Executed(e) = &mut trace.steps.to_mut()[step].effect else { panic!("it calls") };
    let Flow::Call(frame) = &mut e.flow else { panic!("it calls") };
    frame.caller.gas = frame.caller.gas.wrapping_add(gas);
}
