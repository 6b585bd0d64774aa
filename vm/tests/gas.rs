//! Claims about gas, each run in both modes and its trace checked: what steps cost, what callees get, what a halt takes, and
//! that nothing can be had without paying for it.
use lathe_vm::asm::assemble;
use lathe_vm::isa::{op, price};
use lathe_vm::machine::HaltKind;
use lathe_vm::sandbox::{Answer, Message, Sandbox, Status};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use proptest::prelude::*;

const ALICE: [u8; 20] = [0xa1; 20];
const OUTER: [u8; 20] = [0xc0; 20];
const INNER: [u8; 20] = [0xd0; 20];

fn num(x: u128) -> Word {
    Word::from(x)
}

/// `INNER` and `SHA256` are constants; slot 90 stays zero.
fn program(source: &str) -> Page {
    let inner = "0xd0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0";
    let source = format!(".const INNER {inner}\n{source}");
    assemble(&source).unwrap_or_else(|e| panic!("{e}\n{source}"))
}

fn world(outer: &str, inner: &str, gas: u32) -> Sandbox {
    let mut s = Sandbox::new();
    s.traced = true;
    s.gas = Some(gas);
    s.limits.max_steps = 300_000;
    s.set_balance(ALICE, num(1_000_000));
    s.install(OUTER, program(outer));
    s.install(INNER, program(inner));
    s
}

fn call(s: &mut Sandbox, value: u128) -> Answer {
    s.call(&Message { from: ALICE, to: OUTER, value: num(value), data: &[] }).unwrap()
}

/// Gas used by a program besides the first run of its page.
fn used(source: &str) -> u32 {
    let mut s = world(source, "return [90], [90]", 10_000_000);
    let answer = call(&mut s, 0);
    assert_eq!(answer.status, Status::Success, "{source}");
    answer.gas_used - price::page(program(source).words.len()) as u32
}

const END: &str = "\n return [90], [90]";

#[test]
fn each_instruction_has_the_price_of_the_table() {
    let base = price::base;
    assert_eq!(used(END), 0);
    assert_eq!(used(&format!("add [1], [2], [3]\n mul [1], [2], [3]{END}")), base(op::ADD) + base(op::MUL));
    let exp = used(&format!("seti [2], 3\n seti [3], 255\n exp [1], [2], [3]{END}"));
    assert_eq!(exp, 2 * base(op::SETI) + base(op::EXP) + 8 * price::EXP_BIT);
    assert_eq!(used(&format!("seti [2], 64\n ld [1], [2], 0{END}")), base(op::SETI) + base(op::LD));
    let straddle = used(&format!("seti [2], 65\n ld [1], [2], 0{END}"));
    assert_eq!(straddle, base(op::SETI) + base(op::LD) + price::STRADDLE);
    let keccak = used(&format!("seti [2], 136\n keccak [1], [90], [2]{END}"));
    assert_eq!(u64::from(keccak), u64::from(base(op::SETI) + base(op::KECCAK)) + price::keccak(136));
    let log = used(&format!("seti [2], 10\n log [1], [90], [2], 2{END}"));
    assert_eq!(log, base(op::SETI) + base(op::LOG) + 10 * price::LOG_BYTE + 2 * price::LOG_TOPIC);
}

#[test]
fn a_cell_costs_more_the_first_time_and_when_it_is_filled() {
    let (load, store) = (price::base(op::SLOAD), price::base(op::SSTORE));
    assert_eq!(used(&format!("sload [1], [90]{END}")), load + price::COLD_CELL);
    assert_eq!(used(&format!("sload [1], [90]\n sload [1], [90]{END}")), 2 * load + price::COLD_CELL);
    let fill = format!("seti [1], 7\n sstore [90], [1]\n sstore [90], [1]\n sstore [90], [90]{END}");
    assert_eq!(used(&fill), price::base(op::SETI) + 3 * store + price::COLD_CELL + price::NEW_CELL);
    let transient = format!("seti [1], 7\n tstore [90], [1]\n tload [1], [90]{END}");
    assert_eq!(used(&transient), price::base(op::SETI) + price::base(op::TSTORE) + price::base(op::TLOAD));
}

/// Writes two slots, then spends all it has.
const SPEND: &str = "seti [1], 7\n seti [2], 1\n sstore [90], [1]\n sstore [2], [1]\n tstore [2], [1]
    l: jmp l";

#[test]
fn out_of_gas_takes_all_gas_and_takes_everything_back() {
    for gas in (0..12_000).step_by(271) {
        let mut s = world(SPEND, "return [90], [90]", gas);
        let answer = call(&mut s, 5);
        assert_eq!((answer.status, answer.gas_used), (Status::Halted(HaltKind::OutOfGas), gas));
        assert_eq!((s.storage_slots(OUTER).len(), s.balance(OUTER)), (0, num(0)));
    }
}

#[test]
fn a_halt_keeps_its_name_while_it_takes_writes_back() {
    let mut s = world(
        "seti [1], 7\n sstore [90], [1]\n sstore [1], [1]\n mimiccall [1], [1], [1]",
        "l: jmp l",
        100_000,
    );
    let answer = call(&mut s, 0);
    assert_eq!((answer.status, answer.gas_used), (Status::Halted(HaltKind::KernelOnly), 100_000));
    assert!(s.storage_slots(OUTER).is_empty());
}

/// Without more than the stipend nothing is written (EIP-2200), not even while an earlier write is taken back.
#[test]
fn a_write_needs_more_gas_than_the_stipend() {
    let source = "seti [1], 7\n sstore [90], [90]\n sstore [90], [1]\n return [90], [90]";
    let page = price::page(program(source).words.len()) as u32;
    let before = page + price::base(op::SETI) + 2 * price::base(op::SSTORE) + price::COLD_CELL;
    for (gas, status) in [
        (before, Status::Halted(HaltKind::OutOfGas)),
        (before + price::STORE_SENTRY, Status::Halted(HaltKind::OutOfGas)),
        (before + price::STORE_SENTRY + 1, Status::Success),
    ] {
        let mut s = world(source, "return [90], [90]", gas);
        s.set_storage(OUTER, num(0), num(5));
        assert_eq!(call(&mut s, 0).status, status);
        let left = if status == Status::Success { 7 } else { 5 };
        assert_eq!(s.storage(OUTER, num(0)), num(left));
    }
}

/// Calls `INNER` with the gas in slot 22, and hands back status, what the callee handed back, gas before and after.
fn ask(op: &str, gas: &str, value: u32) -> String {
    format!(
        "const [10], INNER\n seti [23], {value}\n {gas}\n gas [1]\n {op} [2], [10], [20]\n gas [3]
         st [2], [90], 0\n rdsize [5]\n seti [6], 32\n jz [5], none\n copy [6], [90], [6], 2
         none: st [1], [90], 64\n st [3], [90], 96\n seti [4], 128\n return [90], [4]"
    )
}

fn asked(op: &str, gas: &str, value: u32, inner: &str, given: u32) -> [u64; 4] {
    let mut s = world(&ask(op, gas, value), inner, given);
    let answer = call(&mut s, 1_000);
    assert_eq!(answer.status, Status::Success, "{op} {gas}");
    let words: Vec<u64> =
        answer.output.chunks_exact(32).map(|c| Word::from_first_bytes(c).unwrap().lo as u64).collect();
    [words[0], words[1], words[2], words[3]]
}

const TELL: &str = "gas [1]\n st [1], [90], 0\n seti [2], 32\n return [90], [2]";

#[test]
fn a_callee_gets_what_is_asked_for_but_at_most_63_of_64_parts() {
    let gas = u64::from(price::base(op::GAS));
    for op in ["call", "staticcall", "delegatecall"] {
        let [status, seen, ..] = asked(op, "seti [22], 5000", 0, TELL, 1_000_000);
        assert_eq!((status, seen), (1, 5_000 - gas), "{op}");
        let [status, seen, before, after] = asked(op, "not [22], [90]", 0, TELL, 1_000_000);
        let page = price::page(program(TELL).words.len());
        let at_call = before - u64::from(price::base(op::CALL)) - u64::from(price::COLD_CELL) - page;
        assert_eq!((status, seen), (1, at_call - at_call / 64 - gas), "{op}");
        // Only what was used is gone.
        let spent = 2 * gas + u64::from(price::base(op::ST) + price::base(op::SETI));
        assert_eq!(after, at_call - spent, "{op}");
    }
}

#[test]
fn value_brings_a_stipend_that_does_not_suffice_to_write() {
    let gas = u64::from(price::base(op::GAS));
    let [status, seen, ..] = asked("call", "seti [22], 0", 5, TELL, 1_000_000);
    assert_eq!((status, seen), (1, u64::from(price::STIPEND) - gas));
    let write = "seti [1], 1\n sstore [90], [1]\n return [90], [90]";
    let [status, ..] = asked("call", "seti [22], 0", 5, write, 1_000_000);
    assert_eq!(status, 0);
    let log = "cdsize [1]\n log [1], [90], [1], 1\n return [90], [90]";
    let [status, ..] = asked("call", "seti [22], 0", 5, log, 1_000_000);
    assert_eq!(status, 1);
}

#[test]
fn a_revert_gives_its_gas_back_and_a_halt_does_not() {
    let [_, _, before, after] = asked("call", "seti [22], 50000", 0, "revert [90], [90]", 1_000_000);
    assert!(before - after < 20_000, "{}", before - after);
    let [status, _, before, after] =
        asked("call", "seti [22], 50000", 0, "mimiccall [1], [1], [1]", 1_000_000);
    assert_eq!(status, 0);
    assert!(before - after > 50_000, "{}", before - after);
}

#[test]
fn a_precompile_that_cannot_be_paid_fails_and_takes_its_gas() {
    let sha256 = |gas: u32| {
        let source = format!(
            "seti [10], 2\n seti [22], {gas}\n gas [1]\n staticcall [2], [10], [20]\n gas [3]\n sub [3], [1], [3]
             st [2], [90], 0\n st [3], [90], 32\n seti [4], 64\n return [90], [4]"
        );
        let answer = call(&mut world(&source, "l: jmp l", 1_000_000), 0);
        let word = |i: usize| Word::from_first_bytes(&answer.output[32 * i..]).unwrap().lo as u64;
        (word(0), word(1) - u64::from(price::base(op::STATICCALL) + price::base(op::GAS)))
    };
    let cost = lathe_vm::precompile::sha256_gas(0);
    assert_eq!(sha256(cost as u32), (1, cost));
    assert_eq!(sha256(cost as u32 + 700), (1, cost));
    assert_eq!(sha256(cost as u32 - 1), (0, cost - 1));
}

#[test]
fn wei_go_to_a_precompile_only_if_it_is_paid() {
    // 20 for the identity of nothing; the stipend alone suffices. SHA-256 costs more than that.
    for (number, gas, status) in [(4, 0, 1u64), (2, 0, 0), (2, 200, 1), (2, 199, 0)] {
        let source = format!(
            "seti [10], {number}\n seti [22], {gas}\n seti [23], 5\n call [2], [10], [20]
             st [2], [90], 0\n seti [4], 32\n return [90], [4]"
        );
        let mut s = world(&source, "l: jmp l", 1_000_000);
        let answer = call(&mut s, 5);
        assert_eq!(Word::from_first_bytes(&answer.output).unwrap().lo as u64, status, "{number} {gas}");
        let mut to = [0; 20];
        to[19] = number;
        assert_eq!(s.balance(to), num(5 * u128::from(status)));
    }
}

#[test]
fn a_precompile_that_is_not_computed_halts_the_contract_that_calls_it() {
    let inner = "seti [10], 8\n not [22], [90]\n staticcall [2], [10], [20]\n return [90], [90]";
    let [status, ..] = asked("call", "seti [22], 50000", 0, inner, 1_000_000);
    assert_eq!(status, 0);
}

/// What a whole block's gas can buy stays within the bounds under which the host runs batches: a batch never stops for them.
#[test]
fn gas_runs_out_before_the_host_does() {
    let loops = [
        ("far heap words", "seti [1], 1\n shli [1], [1], 14\n l: st [2], [2], 0\n add [2], [2], [1]\n jmp l"),
        ("frames", "seti [1], 1\n l: ncall l, 4000"),
        ("transient cells", "l: tstore [1], [2]\n addi [1], [1], 1\n jmp l"),
        ("state cells", "seti [2], 1\n l: sstore [1], [2]\n addi [1], [1], 1\n jmp l"),
        ("balances", "l: balance [1], [2]\n addi [2], [2], 1\n jmp l"),
        ("logs", "l: log [1], [90], [90], 0\n jmp l"),
        ("long logs", "seti [2], 60000\n l: log [1], [90], [2], 4\n jmp l"),
        ("copies", "seti [2], 100000\n l: copy [90], [90], [2], 1\n jmp l"),
        ("hashes", "seti [2], 9600\n l: keccak [1], [90], [2]\n jmp l"),
        ("page hashes", "seti [2], 96000\n l: pagehash [1], [90], [2]\n jmp l"),
        (
            "short page hashes",
            "seti [2], 96\n l: addi [3], [3], 1\n st [3], [90], 0\n pagehash [1], [90], [2]\n jmp l",
        ),
        ("SHA-256", "seti [2], 9600\n l: sha256 [1], [90], [2]\n jmp l"),
        ("calls", "const [10], INNER\n not [22], [90]\n l: call [1], [10], [20]\n jmp l"),
        ("identity", "seti [10], 4\n not [22], [90]\n seti [21], 50000\n l: call [1], [10], [20]\n jmp l"),
        ("creations", "seti [2], 32\n l: create [1], [90], [2], 0\n jmp l"),
    ];
    for (what, source) in loops {
        let mut s = world(source, "seti [1], 500\n st [1], [1], 4000\n return [90], [90]", 30_000_000);
        s.traced = false;
        s.limits = lathe_vm::ethereum::replay::LIMITS;
        let message = Message { from: ALICE, to: OUTER, value: num(0), data: &[] };
        let answer = s.call(&message).unwrap_or_else(|stopped| panic!("{what}: {stopped}"));
        // The frames and the far words come to the end of memory first.
        let ends = matches!(
            answer.status,
            Status::Halted(HaltKind::OutOfGas | HaltKind::FrameRange | HaltKind::MemoryRange)
        );
        assert!(ends, "{what}: {:?}", answer.status);
    }
}

#[test]
fn a_page_whose_first_run_is_not_paid_does_not_run() {
    let mut s = world("l: jmp l", "l: jmp l", 3);
    let answer = call(&mut s, 0);
    assert_eq!((answer.status, answer.gas_used, answer.steps), (Status::Halted(HaltKind::OutOfGas), 3, 0));
}

proptest! {
    /// Whatever the program, gas only falls, no more is used than there was, and the trace adds up.
    #[test]
    fn drawn_programs_never_use_more_than_they_have(
        words in prop::collection::vec(instruction(), 1..40),
        gas in 0u32..200_000,
        value in 0u128..3,
    ) {
        let mut s = world("return [90], [90]", "gas [1]\n sstore [1], [1]\n return [90], [90]", gas);
        s.install(OUTER, Page::new(words).unwrap());
        if let Ok(answer) = s.call(&Message { from: ALICE, to: OUTER, value: num(value), data: &[1; 70] }) {
            prop_assert!(answer.gas_used <= gas);
            if let Status::Halted(_) = answer.status {
                prop_assert_eq!(answer.gas_used, gas);
            }
        }
    }
}

/// A word with a known opcode and small operands, mostly.
fn instruction() -> impl Strategy<Value = u64> {
    let opcodes: Vec<u16> = lathe_vm::isa::OPS.iter().map(|row| row.opcode).collect();
    let known =
        (prop::sample::select(opcodes), 0u64..5, 0u64..6, 0u64..6, 0u64..6).prop_map(|(o, imm, d, a, b)| {
            // Jump targets near the instruction.
            let d = if (o >> 7 & 7) == 1 || (o >> 7 & 7) == 5 { 8190 + d } else { d };
            u64::from(o) | imm << 10 | d << 22 | a << 36 | b << 50
        });
    prop_oneof![20 => known, 1 => any::<u64>()]
}
