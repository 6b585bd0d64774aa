//! Claims about calls between contracts, each run in both modes and its trace checked: what a callee sees, what a failure
//! takes back, what a static context forbids, and where new contracts are put.
use lathe_vm::asm::assemble;
use lathe_vm::machine::HaltKind;
use lathe_vm::sandbox::{Answer, Message, Sandbox, Status, contract_address, contract_address_salted};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;

const ALICE: [u8; 20] = [0xa1; 20];
const OUTER: [u8; 20] = [0xc0; 20];
const INNER: [u8; 20] = [0xd0; 20];
const NOBODY: [u8; 20] = [0x99; 20];

/// Slots of the programs here: 90 stays zero.
const ECHO: &str = "cdsize [1]\n copy [90], [90], [1], 1\n return [90], [1]";

fn text(source: &str) -> Page {
    assemble(source).unwrap_or_else(|e| panic!("{e}\n{source}"))
}

fn word(address: [u8; 20]) -> Word {
    let mut be = [0; 32];
    be[12..].copy_from_slice(&address);
    Word::from_be_bytes(be)
}

fn num(x: u128) -> Word {
    Word::from(x)
}

/// A program with the addresses as constants; `to` in slot 10, the call's block from slot 20 on.
fn program(source: &str) -> Page {
    let constants = [("INNER", INNER), ("NOBODY", NOBODY), ("OUTER", OUTER), ("ALICE", ALICE)];
    let head: String = constants.iter().map(|(n, a)| format!(".const {n} {}\n", word(*a))).collect();
    text(&format!("{head} const [10], INNER\n{source}"))
}

fn world(outer: &str, inner: &str) -> Sandbox {
    let mut s = Sandbox::new();
    s.traced = true;
    s.limits.max_steps = 200_000;
    s.set_balance(ALICE, num(1_000_000));
    s.install(OUTER, program(outer));
    s.install(INNER, program(inner));
    s
}

fn call(s: &mut Sandbox, value: u128, data: &[u8]) -> Answer {
    s.call(&Message { from: ALICE, to: OUTER, value: num(value), data }).unwrap()
}

/// Calls with 5 wei and three bytes of a heap that holds 1, 2, ... and returns status, size of the return data, and the data.
fn relay(op: &str) -> String {
    format!(
        "cdload [1], [90]\n st [1], [90], 0\n seti [20], 29\n seti [21], 3\n seti [23], 5
         {op} [2], [10], [20]\n rdsize [3]\n st [2], [90], 0\n st [3], [90], 32\n seti [4], 64
         copy [4], [90], [3], 2\n add [5], [4], [3]\n return [90], [5]"
    )
}

fn words(output: &[u8]) -> Vec<Word> {
    output.chunks_exact(32).map(|c| Word::from_first_bytes(c).unwrap()).collect()
}

#[test]
fn a_callee_gets_its_input_and_hands_back_its_output() {
    for op in ["call", "staticcall", "delegatecall"] {
        let data: Vec<u8> = (1..=32).collect();
        let answer = call(&mut world(&relay(op), ECHO), 50, &data);
        assert_eq!(answer.status, Status::Success);
        let (head, tail) = answer.output.split_at(64);
        assert_eq!((words(head), tail), (vec![num(1), num(3)], &[30, 31, 32][..]), "{op}");
    }
}

/// Hands back own address, caller, value, calldata size and immutable 3.
const SEE: &str = "address [1]\n caller [2]\n callvalue [3]\n cdsize [4]\n iload [5], 3
    st [1], [90], 0\n st [2], [90], 32\n st [3], [90], 64\n st [4], [90], 96\n st [5], [90], 128\n seti [6], 160\n return [90], [6]";

#[test]
fn a_callee_sees_itself_or_its_caller() {
    let seen = |op: &str| words(&call(&mut world(&relay(op), SEE), 50, &[]).output)[2..].to_vec();
    let (outer, inner, alice) = (word(OUTER), word(INNER), word(ALICE));
    assert_eq!(seen("call"), [inner, outer, num(5), num(3), num(0)]);
    assert_eq!(seen("staticcall"), [inner, outer, num(0), num(3), num(0)]);
    assert_eq!(seen("delegatecall"), [outer, alice, num(50), num(3), num(0)]);
}

/// Deploys a page at the sender's next address.
fn deployed(s: &mut Sandbox, runtime: &str, constructor: &str) -> [u8; 20] {
    let page = deploy_page(s, runtime, constructor);
    let (answer, address) = s.deploy(ALICE, Word::ZERO, &page, &[]).unwrap();
    address.unwrap_or_else(|| panic!("{answer:?}"))
}

/// A deploy page that does something and leaves a runtime page, which is made known.
fn deploy_page(s: &mut Sandbox, runtime: &str, constructor: &str) -> Page {
    let hash = s.add_code(program(runtime));
    text(&format!(
        ".const RUNTIME {hash}\n{constructor}\n const [50], RUNTIME\n st [50], [90], 0\n seti [51], 32\n return [90], [51]"
    ))
}

#[test]
fn immutables_belong_to_the_code() {
    let mut s = world(&relay("delegatecall"), "return [90], [90]");
    let library = deployed(&mut s, SEE, "seti [1], 77\n istore [1], 3");
    s.install(
        OUTER,
        text(&format!(".const TO {}\n const [10], TO\n{}", word(library), relay("delegatecall"))),
    );
    let seen = words(&call(&mut s, 0, &[]).output)[2..].to_vec();
    assert_eq!(seen, [word(OUTER), word(ALICE), num(0), num(3), num(77)]);
}

/// Writes storage, transient storage and a log, and keeps what it was sent.
const WRITES: &str = "seti [1], 7\n sstore [1], [1]\n tstore [1], [1]\n log [1], [90], [90], 1\n callvalue [2]\n sstore [90], [2]\n";

#[test]
fn a_failing_callee_leaves_nothing_and_its_caller_goes_on() {
    let ends = [
        ("return [90], [90]", 1, true),
        ("seti [3], 4\n revert [90], [3]", 0, false),
        (".word 0", 0, false),
        ("not [3], [90]\n revert [3], [3]", 0, false),
    ];
    let outer = format!("seti [60], 9\n sstore [60], [60]\n log [60], [90], [90], 1\n{}", relay("call"));
    for (end, status, kept) in ends {
        let mut s = world(&outer, &format!("{WRITES}{end}"));
        let answer = call(&mut s, 50, &[]);
        let returned = if end.starts_with("seti [3]") { 4 } else { 0 };
        assert_eq!(words(&answer.output)[..2], [num(status), num(returned)], "{end}");
        assert_eq!(answer.logs.len(), 1 + usize::from(kept), "{end}");
        assert_eq!(s.storage(OUTER, num(9)), num(9));
        let sent = if kept { 5 } else { 0 };
        assert_eq!(
            (s.storage(INNER, num(7)), s.storage(INNER, num(0))),
            (num(if kept { 7 } else { 0 }), num(sent))
        );
        assert_eq!((s.balance(OUTER), s.balance(INNER)), (num(50 - sent), num(sent)), "{end}");
    }
}

#[test]
fn a_failure_takes_back_what_its_callees_kept() {
    let outer = format!("{}\n revert [90], [90]", relay("call").rsplit_once('\n').unwrap().0);
    let mut s = world(&outer, &format!("{WRITES}return [90], [90]"));
    let answer = call(&mut s, 50, &[]);
    assert_eq!((answer.status, answer.logs.len()), (Status::Reverted, 0));
    assert!(s.storage_slots(INNER).is_empty());
    assert_eq!((s.balance(ALICE), s.balance(OUTER), s.balance(INNER)), (num(1_000_000), num(0), num(0)));
}

#[test]
fn accounts_without_code_take_wei_and_answer_nothing() {
    let outer = format!("const [10], NOBODY\n{}", relay("call"));
    let mut s = world(&outer, ECHO);
    assert_eq!(words(&call(&mut s, 50, &[]).output), [num(1), num(0)]);
    assert_eq!((s.balance(OUTER), s.balance(NOBODY)), (num(45), num(5)));
    let mut poor = world(&outer, ECHO);
    assert_eq!(words(&call(&mut poor, 4, &[]).output), [num(0), num(0)]);
    assert_eq!((poor.balance(OUTER), poor.balance(NOBODY)), (num(4), num(0)));
}

#[test]
fn the_return_data_is_that_of_the_last_call() {
    let twice = format!(
        "{}\n const [10], NOBODY\n call [2], [10], [20]\n rdsize [3]\n st [3], [90], 0\n seti [4], 32\n return [90], [4]",
        relay("call").rsplit_once('\n').unwrap().0
    );
    assert_eq!(words(&call(&mut world(&twice, ECHO), 50, &[]).output), [num(0)]);
}

#[test]
fn nothing_changes_in_a_static_context() {
    let changes = [
        "sstore [1], [1]",
        "tstore [1], [1]",
        "log [1], [90], [90], 0",
        "istore [1], 1",
        "create [1], [90], [20], 0",
        "selfdestruct [1]",
        "seti [23], 1\n call [1], [10], [20]",
    ];
    for change in changes {
        // Directly, and below a call and a delegatecall that the static context makes.
        let mut s = world(&relay("staticcall"), change);
        assert_eq!(words(&call(&mut s, 50, &[]).output), [num(0), num(0)], "{change}");
        for op in ["call", "delegatecall"] {
            let mut s = world(&relay("staticcall"), change);
            let deep = format!(
                ".const TO {}\n const [10], TO\n {op} [2], [10], [20]\n addi [2], [2], 40\n st [2], [90], 0\n seti [3], 32\n return [90], [3]",
                word(NOBODY)
            );
            s.install(NOBODY, program(change));
            s.install(INNER, text(&deep));
            assert_eq!(words(&call(&mut s, 50, &[]).output), [num(1), num(32), num(40)], "{op}: {change}");
        }
    }
    // A call without value may be made there.
    let inner = relay("call")
        .replace("seti [23], 5", "seti [23], 0")
        .replace("copy [4]", "const [9], NOBODY\n copy [4]");
    let mut s = world(&relay("staticcall"), &format!("const [10], NOBODY\n{inner}"));
    assert_eq!(words(&call(&mut s, 50, &[]).output), [num(1), num(64), num(1), num(0)]);
}

#[test]
fn a_static_context_ends_with_its_callee() {
    let outer = format!(
        "{}\n seti [1], 3\n sstore [1], [1]\n return [90], [90]",
        relay("staticcall").rsplit_once('\n').unwrap().0
    );
    let mut s = world(&outer, ECHO);
    assert_eq!(call(&mut s, 50, &[]).status, Status::Success);
    assert_eq!(s.storage(OUTER, num(3)), num(3));
}

#[test]
fn contracts_call_themselves_until_the_chain_is_1024_long() {
    let outer = "sload [1], [90]\n addi [1], [1], 1\n sstore [90], [1]\n address [10]\n call [2], [10], [20]
         jnz [2], end\n seti [3], 1\n sstore [3], [1]\n end: return [90], [90]";
    let mut s = world(outer, ECHO);
    assert_eq!(call(&mut s, 0, &[]).status, Status::Success);
    assert_eq!((s.storage(OUTER, num(0)), s.storage(OUTER, num(1))), (num(1025), num(1025)));
}

#[test]
fn a_reentrant_call_sees_the_writes_before_it() {
    // With calldata, the contract adds one to its cell; without, it writes 5 and has INNER call it back.
    let outer = "cdsize [1]\n jnz [1], again\n seti [2], 5\n sstore [90], [2]\n call [3], [10], [20]
         sload [4], [90]\n st [4], [90], 0\n seti [5], 32\n return [90], [5]
         again: sload [4], [90]\n addi [4], [4], 1\n sstore [90], [4]\n return [90], [90]";
    let back = "caller [10]\n seti [21], 1\n call [3], [10], [20]\n return [90], [90]";
    assert_eq!(words(&call(&mut world(outer, back), 0, &[]).output), [num(6)]);
}

/// Creates from calldata as creation code with 5 wei; hands back the address, the size of the return data, and the data.
fn factory(imm: u16) -> String {
    format!(
        "cdsize [20]\n copy [90], [90], [20], 1\n seti [21], 5\n seti [22], 99
         create [2], [90], [20], {imm}\n rdsize [3]\n st [2], [90], 0\n st [3], [90], 32\n seti [4], 64
         copy [4], [90], [3], 2\n add [5], [4], [3]\n return [90], [5]"
    )
}

fn creation(page: &Page, arguments: &[u8]) -> Vec<u8> {
    [&page.hash_word().to_be_bytes(), arguments].concat()
}

/// Keeps argument, value and caller in storage, and the sizes of its code and calldata.
const CONSTRUCTOR: &str = "cdload [1], [90]\n sstore [90], [1]\n callvalue [2]\n seti [3], 1\n sstore [3], [2]\n caller [4]
    seti [3], 2\n sstore [3], [4]\n address [5]\n extcodesize [6], [5]\n cdsize [7]\n add [6], [6], [7]\n seti [3], 3\n sstore [3], [6]
    istore [1], 3";

#[test]
fn contracts_create_contracts_where_ethereum_puts_them() {
    for imm in [0, 1] {
        let mut s = world(&factory(imm), ECHO);
        let page = deploy_page(&mut s, SEE, CONSTRUCTOR);
        s.add_code(page.clone());
        let code = creation(&page, &num(1234).to_be_bytes());
        let answer = call(&mut s, 50, &code);
        let at = match imm {
            0 => contract_address(OUTER, 1),
            _ => contract_address_salted(OUTER, num(99), &code),
        };
        assert_eq!(words(&answer.output), [word(at), num(0)]);
        let kept = [0, 1, 2, 3].map(|slot| s.storage(at, num(slot)));
        assert_eq!(kept, [num(1234), num(5), word(OUTER), num(32)]);
        assert_eq!(s.code(at).map(Page::hash_word), Some(program(SEE).hash_word()));
        assert_eq!((s.nonce(OUTER), s.nonce(at), s.balance(at)), (2, 1, num(5)));
        let seen = s.call(&Message { from: ALICE, to: at, value: num(0), data: &[] }).unwrap();
        assert_eq!(words(&seen.output), [word(at), word(ALICE), num(0), num(0), num(1234)]);
        // The same once more: another nonce, another address; the same salt, a collision.
        let again = words(&call(&mut s, 50, &code).output)[0];
        assert_eq!(again, if imm == 0 { word(contract_address(OUTER, 2)) } else { num(0) });
        assert_eq!((s.nonce(OUTER), s.balance(at)), (3, num(5)));
    }
}

#[test]
fn a_creation_that_fails_costs_the_nonce_alone() {
    let failures = [
        ("seti [1], 1\n sstore [1], [1]\n seti [2], 7\n revert [90], [2]", 7),
        ("seti [1], 1\n sstore [1], [1]\n .word 0", 0),
        ("istore [1], 1\n return [90], [90]", 0),
        ("seti [1], 32\n return [90], [1]", 0),
    ];
    for imm in [0, 1] {
        for (constructor, returned) in failures {
            let mut s = world(&factory(imm), ECHO);
            let page = text(constructor);
            s.add_code(page.clone());
            let answer = call(&mut s, 50, &creation(&page, &[]));
            assert_eq!(words(&answer.output)[..2], [num(0), num(returned)], "{constructor}");
            assert_eq!((s.nonce(OUTER), s.balance(OUTER)), (2, num(50)), "{constructor}");
            assert_eq!(s.nonce(contract_address(OUTER, 1)), 0);
        }
        for code in [&[][..], &[7; 31], &[7; 32], &[7; 100]] {
            let mut s = world(&factory(imm), ECHO);
            assert_eq!(words(&call(&mut s, 50, code).output), [num(0), num(0)]);
            assert_eq!((s.nonce(OUTER), s.balance(OUTER)), (2, num(50)));
        }
        // Too little wei: not even the nonce.
        let mut s = world(&factory(imm), ECHO);
        let page = deploy_page(&mut s, SEE, "");
        s.add_code(page.clone());
        assert_eq!(words(&call(&mut s, 4, &creation(&page, &[])).output), [num(0), num(0)]);
        assert_eq!(s.nonce(OUTER), 1);
    }
}

#[test]
fn constructors_create_and_call() {
    let mut s = world(ECHO, ECHO);
    let child = deploy_page(&mut s, SEE, CONSTRUCTOR);
    let child = s.add_code(child);
    let parent = format!(
        ".const CHILD {child}\n const [1], CHILD\n st [1], [90], 0\n seti [20], 64
         create [10], [90], [20], 0\n sstore [90], [10]\n seti [30], 0\n call [2], [10], [30]\n seti [3], 1\n sstore [3], [2]"
    );
    let parent = deployed(&mut s, SEE, &parent);
    let child = contract_address(parent, 1);
    assert_eq!((s.storage(parent, num(0)), s.storage(parent, num(1))), (word(child), num(1)));
    assert_eq!((s.nonce(parent), s.nonce(child)), (2, 1));
    assert!(s.code(child).is_some());
}

#[test]
fn selfdestruct_sends_the_wei_and_ends_the_call() {
    let mut s = world(&relay("call"), "const [1], NOBODY\n selfdestruct [1]\n .word 0");
    s.set_balance(INNER, num(100));
    assert_eq!(words(&call(&mut s, 50, &[]).output), [num(1), num(0)]);
    assert_eq!((s.balance(INNER), s.balance(NOBODY)), (num(0), num(105)));
    assert!(s.code(INNER).is_some());
    // To itself, nothing moves; a caller that reverts takes it back.
    let mut s = world(&relay("call"), "address [1]\n selfdestruct [1]");
    call(&mut s, 50, &[]);
    assert_eq!(s.balance(INNER), num(5));
    let outer = format!("{}\n revert [90], [90]", relay("call").rsplit_once('\n').unwrap().0);
    let mut s = world(&outer, "const [1], NOBODY\n selfdestruct [1]");
    s.set_balance(INNER, num(100));
    assert_eq!(call(&mut s, 50, &[]).status, Status::Reverted);
    assert_eq!((s.balance(INNER), s.balance(NOBODY)), (num(100), num(0)));
}

#[test]
fn a_constructor_that_destroys_itself_leaves_no_code() {
    let mut s = world(&factory(0), ECHO);
    let page = text("caller [1]\n selfdestruct [1]");
    s.add_code(page.clone());
    let at = contract_address(OUTER, 1);
    assert_eq!(words(&call(&mut s, 50, &creation(&page, &[])).output), [word(at), num(0)]);
    assert_eq!((s.code(at).is_none(), s.balance(at), s.balance(OUTER)), (true, num(0), num(50)));
}

#[test]
fn a_bad_range_halts_the_caller() {
    for op in ["call", "staticcall", "delegatecall"] {
        let mut s = world(&format!("not [21], [90]\n {op} [1], [10], [20]"), ECHO);
        assert_eq!(call(&mut s, 0, &[]).status, Status::Halted(HaltKind::MemoryRange));
    }
    let mut s = world("not [20], [90]\n create [1], [90], [20], 0", ECHO);
    assert_eq!(call(&mut s, 0, &[]).status, Status::Halted(HaltKind::MemoryRange));
    let mut s = world("create [1], [90], [20], 2", ECHO);
    assert_eq!(call(&mut s, 0, &[]).status, Status::Halted(HaltKind::Mode));
}

#[test]
fn steps_are_those_of_all_contracts() {
    let callee = call(&mut world("revert [90], [90]", ECHO), 0, &[]).steps;
    assert_eq!(callee, 2);
    let alone = call(&mut world(&format!("const [10], NOBODY\n{}", relay("call")), ECHO), 50, &[]).steps;
    // The callee runs its own two and three steps of ECHO.
    assert_eq!(call(&mut world(&relay("call"), ECHO), 50, &[]).steps, alone - 1 + 1 + 3);
}

#[test]
fn calls_do_not_fill_the_hosts_memory() {
    // A hundred thousand calls that hand data back; each callee's memory is dropped when no one can read it.
    let outer =
        "seti [1], 0x186a0\n seti [21], 64\n again: call [2], [10], [20]\n subi [1], [1], 1\n jnz [1], again
         rdsize [2]\n st [2], [90], 0\n seti [3], 32\n return [90], [3]";
    let mut s = world(outer, ECHO);
    (s.traced, s.limits.max_steps, s.limits.max_memory_bytes) = (false, 2_000_000, 1 << 26);
    assert_eq!(words(&call(&mut s, 0, &[]).output), [num(64)]);
}
