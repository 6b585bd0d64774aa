//! Claims about the sandbox, each run traced and checked: what calls and deployments leave, and what they undo.
use lathe_vm::asm::assemble;
use lathe_vm::isa::{Class, Instruction, OPS, Status as Runs, find, op, price};
use lathe_vm::machine::{Halt, HaltKind};
use lathe_vm::sandbox::{Answer, CallStatus, Message, Sandbox, Status, contract_address};
use lathe_vm::state::CellId;
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::sync::atomic::{AtomicUsize, Ordering};

const ALICE: [u8; 20] = [0xa1; 20];
const CONTRACT: [u8; 20] = [0xc0; 20];

fn text(source: &str) -> Page {
    assemble(source).unwrap_or_else(|e| panic!("{e}\n{source}"))
}

fn sandbox() -> Sandbox {
    let mut s = Sandbox::new();
    s.traced = true;
    s.set_balance(ALICE, Word::from(1_000_000));
    s
}

/// Runs a program as a contract.
fn run(source: &str, data: &[u8]) -> Answer {
    let mut s = sandbox();
    s.install(CONTRACT, text(source));
    s.call(&Message { from: ALICE, to: CONTRACT, value: Word::from(7), data }).unwrap()
}

#[test]
fn a_call_hands_back_its_output() {
    let answer = run("callvalue [1]\n st [1], [90], 0\n seti [91], 32\n return [90], [91]", &[]);
    assert_eq!(answer.status, Status::Success);
    assert_eq!(answer.output, Word::from(7).to_be_bytes());
    assert_eq!(answer.steps, 4);
}

fn call(s: &mut Sandbox, value: u128, data: &[u8]) -> Answer {
    s.call(&Message { from: ALICE, to: CONTRACT, value: Word::from(value), data }).unwrap()
}

#[test]
fn value_moves_and_nonces_rise() {
    let mut s = sandbox();
    let answer = call(&mut s, 10, &[1, 2, 3]);
    assert_eq!(
        answer,
        Answer { status: Status::Success, output: vec![], logs: vec![], steps: 0, gas_used: 0 }
    );
    assert_eq!((s.balance(ALICE), s.balance(CONTRACT)), (Word::from(999_990), Word::from(10)));
    let message = Message { from: ALICE, to: ALICE, value: Word::from(999_990), data: &[] };
    s.call(&message).unwrap();
    assert_eq!((s.balance(ALICE), s.nonce(ALICE)), (Word::from(999_990), 2));
    let refused = s.call(&Message { value: Word::from(999_993), ..message }).unwrap_err();
    assert_eq!(refused.halt, Halt::Balance { missing: Word::from(3) });
    assert_eq!(s.nonce(ALICE), 2);
}

#[test]
fn outputs_are_not_cut() {
    let mut s = sandbox();
    s.install(
        CONTRACT,
        text("not [1], [90]\n seti [2], 99968\n st [1], [2], 0\n seti [2], 100000\n return [90], [2]"),
    );
    let output = call(&mut s, 0, &[]).output;
    assert_eq!((output.len(), &output[99_967..]), (100_000, &[[0].as_slice(), &[255; 32]].concat()[..]));
}

#[test]
fn storage_lasts_and_transient_storage_does_not() {
    let mut s = sandbox();
    s.install(CONTRACT, text(
        "sload [1], [90]\n addi [1], [1], 1\n sstore [90], [1]\n tload [2], [90]\n addi [2], [2], 1\n tstore [90], [2]
         tload [2], [90]\n st [2], [90], 0\n seti [3], 32\n return [90], [3]",
    ));
    for i in 1..4 {
        assert_eq!(call(&mut s, 0, &[]).output, Word::from(1).to_be_bytes());
        assert_eq!(s.storage(CONTRACT, Word::ZERO), Word::from(i));
    }
    s.set_storage(CONTRACT, Word::ZERO, Word::ZERO);
    assert!(s.storage_slots(CONTRACT).is_empty());
}

/// Keeps constructor argument and value as immutables 1 and 2, and deploys the page whose hash the test puts in.
fn deploy_page(runtime: Word) -> Page {
    text(&format!(
        ".const RUNTIME {runtime}
         cdload [1], [90]\n istore [1], 1\n callvalue [2]\n istore [2], 2\n iload [3], 1\n sstore [90], [3]
         const [4], RUNTIME\n st [4], [90], 0\n seti [5], 32\n return [90], [5]"
    ))
}

#[test]
fn a_deploy_page_runs_once_and_leaves_the_runtime_page() {
    let runtime = text(
        "iload [1], 1\n iload [2], 2\n add [1], [1], [2]\n st [1], [90], 0\n seti [3], 32\n return [90], [3]",
    );
    let mut s = sandbox();
    let hash = s.add_code(runtime.clone());
    let argument = Word::from(40).to_be_bytes();
    let (answer, address) = s.deploy(ALICE, Word::from(2), &deploy_page(hash), &argument).unwrap();
    assert_eq!((answer.status, &answer.output[..]), (Status::Success, &hash.to_be_bytes()[..]));
    let address = address.unwrap();
    assert_eq!(address, contract_address(ALICE, 0));
    assert_eq!(s.code(address).map(Page::hash_word), Some(hash));
    assert_eq!((s.nonce(ALICE), s.nonce(address)), (1, 1));
    assert_eq!((s.balance(address), s.storage(address, Word::ZERO)), (Word::from(2), Word::from(40)));
    let message = Message { from: ALICE, to: address, value: Word::ZERO, data: &[] };
    assert_eq!(s.call(&message).unwrap().output, Word::from(42).to_be_bytes());
    let (_, second) = s.deploy(ALICE, Word::ZERO, &deploy_page(hash), &argument).unwrap();
    assert_eq!(second, Some(contract_address(ALICE, 2)));
}

#[test]
fn an_account_has_no_code_while_its_constructor_runs() {
    let mut s = sandbox();
    let hash = s.add_code(text("return [90], [90]"));
    let source = format!(
        ".const RUNTIME {hash}
         address [1]\n extcodesize [2], [1]\n addi [2], [2], 7\n sstore [90], [2]
         extcodehash [3], [1]\n addi [3], [3], 8\n seti [4], 1\n sstore [4], [3]
         const [5], RUNTIME\n st [5], [90], 0\n seti [6], 32\n return [90], [6]"
    );
    let (_, address) = s.deploy(ALICE, Word::ZERO, &text(&source), &[]).unwrap();
    let address = address.expect("it deploys");
    let seen = [Word::ZERO, Word::from(1)].map(|slot| s.storage(address, slot));
    assert_eq!(seen, [Word::from(7), Word::from(8)]);
    assert_eq!(s.code(address).map(Page::hash_word), Some(hash));
}

#[test]
fn a_deployment_that_fails_leaves_nothing_but_the_nonce() {
    let failures = [
        ("istore [1], 1\n seti [1], 1\n sstore [1], [1]\n revert [90], [90]", Status::Reverted),
        ("istore [1], 1\n return [90], [90]", Status::Halted(HaltKind::DeployReturn)),
        ("istore [1], 1\n seti [2], 32\n return [90], [2]", Status::Halted(HaltKind::UnknownCode)),
        (".word 0", Status::Halted(HaltKind::InvalidOpcode)),
    ];
    for (source, status) in failures {
        let mut s = sandbox();
        let (answer, address) = s.deploy(ALICE, Word::from(5), &text(source), &[]).unwrap();
        assert_eq!((answer.status, address), (status, None), "{source}");
        let at = contract_address(ALICE, 0);
        assert_eq!((s.nonce(ALICE), s.nonce(at)), (1, 0));
        assert_eq!((s.balance(ALICE), s.balance(at)), (Word::from(1_000_000), Word::ZERO));
        assert!(s.code(at).is_none() && s.storage_slots(at).is_empty());
    }
}

#[test]
fn contract_addresses_are_those_of_create() {
    let sender = hex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
    let cases = [
        (0, "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"),
        (1, "343c43a37d37dff08ae8c4a11544c718abb4fcf8"),
        (2, "f778b86fa74e846c4f0a1fbd1335fe81c00a0c91"),
    ];
    for (nonce, address) in cases {
        assert_eq!(contract_address(sender, nonce), hex(address));
    }
}

fn hex(digits: &str) -> [u8; 20] {
    let mut out = [0; 20];
    hex::decode_to_slice(digits, &mut out).unwrap();
    out
}

/// Instructions with small operands, which run for a while.
fn instructions(opcodes: Vec<u16>) -> impl Strategy<Value = u64> {
    let fields = (prop::sample::select(opcodes), 0u16..6, 0u16..8, 0u16..8, 0u16..8, 8191u16..8200);
    fields.prop_map(|(opcode, imm, d, a, b, jump)| {
        let imm = if find(opcode).is_some_and(|o| o.uses_imm()) { imm } else { 0 };
        let d = if matches!(Class::of(opcode), Class::J | Class::K) { jump } else { d };
        Instruction { opcode, imm, d, a, b }.encode()
    })
}

/// Programs of all that runs, with noise in between; slots 1..6 hold numbers of every size, and the own address.
fn programs() -> impl Strategy<Value = Vec<u64>> {
    const RISKY: [u16; 7] =
        [op::NRET, op::NCALL, op::CONST, op::ALOAD, op::ASTORE, op::MIMICCALL, op::ISTORE];
    let runs: Vec<_> = OPS.iter().filter(|o| o.status != Runs::Reserved).map(|o| o.opcode).collect();
    let tame: Vec<_> = runs.iter().copied().filter(|o| !RISKY.contains(o)).collect();
    let noise = prop_oneof![60 => instructions(tame), 2 => instructions(runs), 1 => any::<u64>()];
    let head = "not [1], [90]\n seti [2], 77\n cdload [3], [90]\n caller [4]\n address [5]\n seti [6], 4";
    let head = text(head).words[..6].to_vec();
    (prop::collection::vec(noise, 1..40), prop::sample::select(vec![op::RETURN, op::REVERT])).prop_map(
        move |(code, end)| {
            let end = Instruction { opcode: end, a: 90, b: 90, ..Instruction::default() }.encode();
            [head.clone(), code, vec![end; 10]].concat()
        },
    )
}

#[test]
fn random_programs_never_panic_and_leave_sound_traces() {
    let ends = [const { AtomicUsize::new(0) }; 3];
    let mut runner = TestRunner::new(ProptestConfig::with_cases(1000));
    let cases = (programs(), prop::collection::vec(any::<u8>(), 0..70), any::<bool>());
    runner
        .run(&cases, |(code, data, deploys)| {
            let mut s = sandbox();
            s.limits.max_steps = 5000;
            let page = Page::new(code).unwrap();
            s.install(CONTRACT, page.clone());
            let answer = match deploys {
                true => s.deploy(ALICE, Word::from(3), &page, &data).map(|(answer, _)| answer),
                false => s.call(&Message { from: ALICE, to: CONTRACT, value: Word::from(3), data: &data }),
            };
            if let Ok(answer) = answer {
                let kind = match answer.status {
                    Status::Success => 0,
                    Status::Reverted => 1,
                    Status::Halted(_) => 2,
                };
                ends[kind].fetch_add(1, Ordering::Relaxed);
                assert!(kind == 0 || s.storage_slots(CONTRACT).is_empty() && answer.logs.is_empty());
            }
            Ok(())
        })
        .unwrap();
    let ends = ends.map(AtomicUsize::into_inner);
    assert!(ends.iter().all(|n| *n > 100), "successes, reverts and halts: {ends:?}");
}

/// Stores, calls itself once with a value, and reverts in the inner call.
const NESTED: &str = "
        callvalue [1]
        jz [1], inner
        seti [2], 5
        sstore [2], [2]
        address [3]
        seti [6], 100000
        call [7], [3], [4]
        keccak [8], [0], [2], 0
        return [0], [0]
inner:  seti [2], 6
        sstore [2], [2]
        revert [0], [0]";

#[test]
fn an_onlooker_sees_every_step_and_changes_nothing() {
    let make = || {
        let mut s = sandbox();
        (s.traced, s.gas) = (false, Some(1_000_000));
        s.install(CONTRACT, text(NESTED));
        s
    };
    let message = Message { from: ALICE, to: CONTRACT, value: Word::from(7), data: &[9] };
    let (mut plain, mut watched) = (make(), make());
    let (mut clocks, mut spent, mut opened, mut closed, mut undone) = (vec![], 0, vec![], vec![], vec![]);
    let answer = watched.call_watched(&message, &mut |seen| {
        clocks.push(seen.clock);
        spent += seen.spent;
        opened.extend(seen.opened.map(|o| (o.ctx, o.address, o.caller, o.value, o.calldata.clone())));
        closed.extend(seen.closed.map(|c| (c.ctx, c.status)));
        undone.extend(seen.undone);
    });
    let answer = answer.unwrap();
    assert_eq!(answer, plain.call(&message).unwrap());
    assert_eq!(watched.storage_slots(CONTRACT), plain.storage_slots(CONTRACT));
    assert_eq!(watched.storage(CONTRACT, Word::from(5)), Word::from(5));
    assert!(clocks.iter().copied().eq(1..=clocks.len() as u32), "{clocks:?}");
    let [(outer, .., value, data), (inner, address, caller, nothing, _)] = &opened[..] else {
        panic!("{opened:?}")
    };
    assert_eq!((*value, &data[..], *nothing), (Word::from(7), &[9][..], Word::ZERO));
    assert_eq!((*address, *caller), (CONTRACT, CONTRACT));
    assert_eq!(closed, [(*inner, CallStatus::Reverted), (*outer, CallStatus::Success)]);
    assert_eq!(undone, [CellId::storage(CONTRACT, Word::from(6))]);
    // The first run of the page comes off the callee's gas before its first step.
    let first = price::page(text(NESTED).words.len());
    assert_eq!(u64::from(answer.gas_used), u64::from(spent) + first);
}

#[test]
fn what_a_halt_burns_is_not_what_its_steps_spend() {
    let mut s = sandbox();
    (s.traced, s.gas) = (false, Some(1_000_000));
    s.install(CONTRACT, text("seti [1], 1\n sstore [1], [1]\n seti [2], 31\n .word 0x3ff"));
    let mut spent = 0;
    let message = Message { from: ALICE, to: CONTRACT, value: Word::ZERO, data: &[] };
    let answer = s.call_watched(&message, &mut |seen| spent += seen.spent).unwrap();
    assert_eq!(answer.status, Status::Halted(HaltKind::InvalidOpcode));
    assert_eq!(answer.gas_used, 1_000_000);
    assert!(spent > 0 && spent < 10_000, "{spent}");
}
