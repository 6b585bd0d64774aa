//! Claims about single programs: what halts, what is refused and how it is named, and that nothing panics.
use lathe_vm::asm::assemble;
use lathe_vm::batch::{self, Record};
use lathe_vm::code::CodeStore;
use lathe_vm::fixtures;
use lathe_vm::isa::{Class, Instruction, MAX_PAGE, OPS, Status, find, op};
use lathe_vm::machine::tracer::NoTrace;
use lathe_vm::machine::{self, Environment, Halt, HaltKind, Limits, Stopped};
use lathe_vm::programs;
use lathe_vm::receipt::{Receipt, ReceiptStatus};
use lathe_vm::replay::{ReplayError, execute, replay_with_receipts};
use lathe_vm::state::{CellId, Tree, kind};
use lathe_vm::trace::{Page, StateFinal};
use lathe_vm::trace_check::check;
use lathe_vm::word::Word;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::sync::atomic::{AtomicUsize, Ordering};

const CONTRACT: [u8; 20] = [0xc0; 20];

fn limits() -> Limits {
    Limits { max_steps: 20_000, ..Limits::default() }
}

/// Runs a page as a contract in both modes, which must agree; checks the trace.
fn call(page: Page, data: &[u8]) -> Result<Receipt, Stopped> {
    let mut codes = CodeStore::new();
    let hash = codes.insert(page);
    let tree = Tree::from_cells([(CellId::code_hash(CONTRACT), hash)]).unwrap();
    let records = [Record { nonce: 0, from: fixtures::sender(3), to: CONTRACT, data: data.to_vec() }];
    let fast = execute(&tree, &codes, programs::kernel(), &fixtures::params(), &records, &limits());
    let full =
        replay_with_receipts(&tree, &codes, programs::kernel(), &fixtures::params(), &records, &limits());
    match (fast, full) {
        (Ok(fast), Ok(full)) => {
            check(&full.trace).unwrap();
            assert_eq!(fast.receipts, full.receipts);
            assert_eq!(fast.steps as usize, full.trace.steps.len());
            let touched: Vec<_> = full.trace.state_cells.iter().map(|c| (c.key, c.new)).collect();
            assert_eq!(fast.touched.iter().map(|t| (t.key, t.new_value)).collect::<Vec<_>>(), touched);
            let reverted = full.receipts[0].status == ReceiptStatus::Reverted;
            let stored = |c: &&StateFinal| c.cell.kind == kind::STORAGE;
            assert!(!reverted || full.trace.state_cells.iter().filter(stored).all(|c| c.old == c.new));
            Ok(full.receipts[0].clone())
        }
        (Err(ReplayError::Stopped(a)), Err(ReplayError::Stopped(b))) => {
            assert_eq!(a, b);
            Err(a)
        }
        (a, b) => panic!("modes differ: {:?} / {:?}", a.err(), b.err()),
    }
}

fn text(source: &str) -> Page {
    assemble(source).unwrap()
}

/// The word a program returns: `[1]` at its end.
fn result(source: &str, data: &[u8]) -> Word {
    let receipt =
        call(text(&format!("{source}\n st [1], [90], 0\n seti [91], 32\n return [90], [91]")), data).unwrap();
    assert_eq!(receipt.status, ReceiptStatus::Success);
    Word::from_be_bytes(receipt.output.try_into().unwrap())
}

fn halt(source: &str) -> Halt {
    call(text(source), &[7; 40]).unwrap_err().halt
}

#[test]
fn calldata_reads_zero_beyond_its_end() {
    let data: Vec<u8> = (1..=45).collect();
    for at in [0usize, 1, 13, 14, 31, 32, 44, 45, 46, 77, 1000] {
        let mut want = [0; 32];
        for (i, w) in want.iter_mut().enumerate() {
            *w = data.get(at + i).copied().unwrap_or(0);
        }
        let got = result(&format!("seti [2], {at}\n cdload [1], [2]"), &data);
        assert_eq!(got, Word::from_be_bytes(want), "at {at}");
    }
    let far = result("not [2], [3]\n cdload [1], [2]", &data);
    assert_eq!(far, Word::ZERO);
    assert_eq!(result("cdsize [1]", &data), Word::from(45));
}

#[test]
fn registers_tell_who_calls_whom() {
    assert_eq!(result("caller [1]", &[]), fixtures::word(fixtures::sender(3)));
    assert_eq!(result("address [1]", &[]), fixtures::word(CONTRACT));
}

#[test]
fn near_calls_nest_and_come_back() {
    // Factorial of 5 by recursion: the argument in the callee's slot 2, the result in its slot 3.
    let source = "seti [12], 5\n ncall fact, 10\n mov [1], [13]\n jmp over
        fact: jnz [2], more\n seti [3], 1\n nret
        more: subi [12], [2], 1\n ncall fact, 10\n mul [3], [13], [2]\n nret
        over:";
    assert_eq!(result(source, &[]), Word::from(120));
}

#[test]
fn heap_and_hash_agree_with_keccak() {
    use sha3::{Digest, Keccak256};
    let want: [u8; 32] = Keccak256::digest(&[Word::from(5).to_be_bytes(), [0; 32]].concat()[..33]).into();
    let source =
        "seti [2], 5\n seti [3], 64\n st [2], [3], 32\n seti [3], 96\n seti [4], 33\n keccak [1], [3], [4]";
    assert_eq!(result(source, &[]), Word::from_be_bytes(want));
    let empty: [u8; 32] = Keccak256::digest([]).into();
    assert_eq!(result("keccak [1], [2], [3]", &[]), Word::from_be_bytes(empty));
    // The only record's calldata begins at byte 48 of the posted ones.
    assert_eq!(halt("keccak [1], [2], [3], 1"), Halt::NotYetProvable("unaligned keccak".into()));
    let want: [u8; 32] = Keccak256::digest([9; 20]).into();
    let aligned = "seti [2], 16\n seti [3], 20\n keccak [1], [2], [3], 1";
    assert_eq!(result(aligned, &[9; 40]), Word::from_be_bytes(want));
}

#[test]
fn constants_come_from_the_running_page() {
    let word = "0x8000000000000000400000000000000020000000000000001000000000000001";
    assert_eq!(result(&format!(".const C {word}\n const [1], C"), &[]), word.parse().unwrap());
}

#[test]
fn exceptional_halts_are_refused_by_kind() {
    use HaltKind::*;
    let cases = [
        (".word 0", InvalidOpcode),
        (".word 0x300", InvalidOpcode),
        (".word 0x1f", InvalidOpcode),
        // `add` and `jmp` with an `imm` they have no use for.
        (".word 0x401", InvalidOpcode),
        (".word 0x481", InvalidOpcode),
        ("const [1], 3", ConstantOutsidePage),
        ("nret", InvalidOpcode),
        ("top: ncall top, 4095", FrameRange),
        ("seti [2], 1\n shli [0], [2], 148\n nret", FrameRange),
        ("seti [0], 12\n nret", PcOutsidePage),
        ("seti [1], 1\n shli [1], [1], 32\n subi [1], [1], 32\n ld [2], [1], 0", MemoryRange),
        ("not [1], [2]\n st [2], [1], 0", MemoryRange),
        ("not [1], [2]\n keccak [2], [3], [1]", MemoryRange),
        ("keccak [2], [3], [3], 2", Mode),
        ("seti [1], 41\n keccak [2], [3], [1], 1", MemoryRange),
        ("aload [1], [2], 1", KernelOnly),
        ("astore [1], [2], 1", KernelOnly),
        ("mimiccall [1], [2], [3]", KernelOnly),
        ("not [1], [2]\n seti [3], 1\n return [1], [3]", MemoryRange),
        ("seti [3], 0x1000001\n keccak [1], [2], [3]", RangeTooLong),
        ("not [1], [2]\n revert [2], [1]", MemoryRange),
        // A range that ends at 2^32 exactly.
        ("seti [1], 1\n seti [2], 1\n shli [2], [2], 32\n sub [2], [2], [1]\n return [2], [1]", MemoryRange),
    ];
    for (source, kind) in cases {
        let got = halt(source);
        if source == "nret" {
            // Slot 0 is zero: back to pc 0, for ever.
            assert_eq!(got, Halt::Limit { what: "steps", limit: 20_000 });
        } else {
            assert_eq!(got, Halt::Exceptional(kind), "{source}");
        }
    }
    // A jump before the page's start, and one beyond its end.
    for field in [0u64, 16383] {
        let jump = Instruction { opcode: op::JMP, d: field as u16, ..Instruction::default() };
        assert_eq!(halt(&format!(".word {}", jump.encode())), Halt::Exceptional(PcOutsidePage));
    }
    // Running off the end of a full page.
    let full = Page::new(vec![Instruction { opcode: op::MOV, ..Instruction::default() }.encode(); 12]);
    assert_eq!(call(full.unwrap(), &[]).unwrap_err().halt, Halt::Exceptional(PcOutsidePage));
}

#[test]
fn reserved_instructions_are_refused_by_name() {
    for row in OPS.iter().filter(|o| o.status == Status::Reserved) {
        let stop = call(text(&format!("mov [1], [2]\n .word {}", row.opcode)), &[]).unwrap_err();
        assert_eq!(stop.halt, Halt::NotYetProvable(row.name.into()));
        let want = format!(
            "instruction not yet provable: {} (at pc 1 of contract 0x{} in record 0, after ",
            row.name,
            "c0".repeat(20)
        );
        assert!(stop.to_string().starts_with(&want), "{stop}");
    }
    let unnamed = call(text(".word 127"), &[]).unwrap_err();
    assert_eq!(unnamed.halt, Halt::NotYetProvable("reserved R 127".into()));
}

#[test]
fn what_no_chip_proves_is_refused_by_name() {
    let executed: Vec<_> = OPS.iter().filter(|o| o.status == Status::Executed).collect();
    assert_eq!(executed.len(), 48);
    for row in executed {
        let stop = call(text(&format!("mov [1], [2]\n .word {}", row.opcode)), &[]).unwrap_err();
        assert_eq!(stop.halt, Halt::NotYetProvable(row.name.into()));
    }
    let forms = [
        ("seti [1], 31\n ld [2], [1], 0", "unaligned ld"),
        ("st [2], [1], 1", "unaligned st"),
        ("not [1], [2]\n ld [2], [1], 1", "ld with a wrapping address"),
        ("not [1], [2]\n st [2], [1], 33", "st with a wrapping address"),
        ("seti [1], 1\n keccak [2], [1], [1]", "unaligned keccak"),
        ("seti [1], 1\n keccak [2], [3], [1], 1", "unaligned keccak"),
        ("not [1], [2]\n keccak [2], [1], [3]", "keccak of an empty range beyond its memory"),
        ("not [1], [2]\n return [1], [2]", "return of an empty range beyond the heap"),
        ("not [1], [2]\n revert [1], [2]", "revert of an empty range beyond the heap"),
    ];
    for (source, name) in forms {
        assert_eq!(halt(source), Halt::NotYetProvable(name.into()), "{source}");
    }
    for (imm, name) in [(2, "mimiccall with value"), (4, "mimiccall in deploy mode")] {
        let kernel =
            format!(".const C 0x{}\n const [1], C\n mimiccall [2], [1], [3], {imm}", "c0".repeat(20));
        let mut codes = CodeStore::new();
        let hash = codes.insert(text("return [1], [1]"));
        let tree = Tree::from_cells([(CellId::code_hash(CONTRACT), hash)]).unwrap();
        let run = execute(&tree, &codes, &text(&kernel).into(), &fixtures::params(), &[], &limits());
        let refused = Halt::NotYetProvable(name.into());
        assert!(matches!(run, Err(ReplayError::Stopped(s)) if s.halt == refused), "{name}");
    }
}

#[test]
fn limits_stop_what_would_not_end() {
    assert_eq!(halt("top: jmp top"), Halt::Limit { what: "steps", limit: 20_000 });
    let hash = "seti [1], 0x800000\n keccak [2], [3], [1]";
    assert_eq!(halt(hash), Halt::Limit { what: "hashed bytes", limit: Limits::default().max_hashed_bytes });
}

#[test]
fn missing_code_is_an_error_of_the_store() {
    let tree = Tree::from_cells([(CellId::code_hash(CONTRACT), Word::from(5))]).unwrap();
    let records = [Record { nonce: 0, from: CONTRACT, to: CONTRACT, data: vec![] }];
    let err = execute(&tree, &CodeStore::new(), programs::kernel(), &fixtures::params(), &records, &limits())
        .unwrap_err();
    assert!(
        matches!(err, ReplayError::Stopped(Stopped { halt: Halt::CodeMissing(w), .. }) if w == Word::from(5))
    );
}

#[test]
fn only_a_proper_kernel_ends_a_batch() {
    let run = |source: &str, records: &[Record]| {
        execute(
            &Tree::new(),
            &CodeStore::new(),
            &text(source).into(),
            &fixtures::params(),
            records,
            &limits(),
        )
    };
    let record = [Record { nonce: 0, from: CONTRACT, to: CONTRACT, data: vec![] }];
    let stop = |r: Result<_, ReplayError>| match r {
        Err(ReplayError::Stopped(s)) => s.halt,
        other => panic!("{:?}", other.map(|_: lathe_vm::replay::Outcome| ())),
    };
    assert_eq!(stop(run("revert [1], [1]", &[])), Halt::KernelReverted);
    assert_eq!(stop(run("return [1], [1]", &[])), Halt::Exceptional(HaltKind::FinalReturn));
    let call = "seti [1], 1\n mimiccall [2], [1], [3]";
    assert_eq!(stop(run(call, &[])), Halt::Exceptional(HaltKind::NoCode));
    // Callee, then caller, of more than 160 bits.
    for wide in ["not [1], [2]\n mimiccall [2], [1], [3]", "not [5], [2]\n mimiccall [2], [1], [3]"] {
        assert_eq!(stop(run(wide, &[])), Halt::Exceptional(HaltKind::AddressRange));
    }
    // A kernel that ignores its records cannot be given receipts.
    let idle = run("seti [1], 96\n return [2], [1]", &record);
    assert!(matches!(idle, Err(ReplayError::Kernel { seen: 0, posted: 1 })));
    assert!(run("seti [1], 96\n return [2], [1]", &[]).is_ok());
}

#[test]
fn pages_have_a_longest_length() {
    assert!(Page::new(vec![0; MAX_PAGE]).is_ok());
    assert!(Page::new(vec![0; MAX_PAGE + 1]).is_err());
    assert!(Page::new(vec![]).is_err());
}

#[test]
fn bytes_that_overrun_the_batch_make_the_kernel_revert() {
    let whole = batch::encode(&fixtures::transfers(2).unwrap().records).unwrap();
    let f = fixtures::transfers(2).unwrap();
    let run = |bytes: &[u8]| {
        machine::run::<_, NoTrace>(
            &f.tree,
            &f.codes,
            programs::kernel(),
            &Environment::from(&f.params),
            bytes,
            &limits(),
        )
        .map(|r| r.events.len())
    };
    assert!(run(&whole).is_ok());
    for len in 0..whole.len() {
        // Cut at the border between the records, or before the first, it is a smaller batch.
        match run(&whole[..len]) {
            Ok(_) => assert!(len == 0 || len == 116, "{len}"),
            Err(stop) => assert_eq!(stop.halt, Halt::KernelReverted, "{len}"),
        }
    }
}

/// Programs of proven instructions, or of all that run, with small operands and with noise in between.
fn programs_of_noise(unproven: bool) -> impl Strategy<Value = Vec<u64>> {
    let runs = move |s: Status| s == Status::Live || unproven && s == Status::Executed;
    let live: Vec<_> = OPS.iter().filter(|o| runs(o.status)).map(|o| o.opcode).collect();
    prop::collection::vec(prop_oneof![30 => instructions(live), 1 => any::<u64>()], 1..60)
}

/// Programs that mostly reach their end: no instruction that a contract may not use or that must meet alignment.
fn tame_programs() -> impl Strategy<Value = Vec<u64>> {
    const RISKY: [u16; 9] =
        [op::NRET, op::LD, op::ST, op::ALOAD, op::ASTORE, op::KECCAK, op::MIMICCALL, op::RETURN, op::REVERT];
    let live = OPS.iter().filter(|o| o.status == Status::Live && o.class() != Class::C).map(|o| o.opcode);
    let tame: Vec<_> = live.filter(|o| !RISKY.contains(o)).collect();
    let end = prop::sample::select(vec![op::RETURN, op::REVERT]);
    (prop::collection::vec(instructions(tame), 1..60), end).prop_map(|(mut code, end)| {
        code.extend([Instruction { opcode: end, a: 90, b: 90, ..Instruction::default() }.encode(); 10]);
        code
    })
}

fn instructions(opcodes: Vec<u16>) -> impl Strategy<Value = u64> {
    let fields = (prop::sample::select(opcodes), 1u16..5, 0u16..8, 0u16..8, 0u16..8, 8191u16..8200);
    fields.prop_map(|(opcode, imm, d, a, b, jump)| {
        let imm = if find(opcode).is_some_and(|o| o.uses_imm()) { imm } else { 0 };
        let d = if matches!(Class::of(opcode), Class::J | Class::K) { jump } else { d };
        Instruction { opcode, imm, d, a, b }.encode()
    })
}

#[test]
fn random_programs_that_end_leave_sound_traces() {
    let ended = AtomicUsize::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
    let cases = (tame_programs(), prop::collection::vec(any::<u8>(), 0..70));
    runner
        .run(&cases, |(code, data)| {
            // `call` checks the trace, and that a revert leaves no storage changed.
            let end = call(Page::new(code).unwrap(), &data);
            ended.fetch_add(usize::from(end.is_ok()), Ordering::Relaxed);
            Ok(())
        })
        .unwrap();
    let ended = ended.into_inner();
    assert!(ended > 200, "only {ended} of 400 programs reached their end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_code_never_panics_and_both_modes_agree(code in programs_of_noise(false), data in prop::collection::vec(any::<u8>(), 0..70)) {
        let _ = call(Page::new(code).unwrap(), &data);
    }

    #[test]
    fn random_kernels_never_panic(code in programs_of_noise(true), data in prop::collection::vec(any::<u8>(), 0..70)) {
        let records = [Record { nonce: 0, from: CONTRACT, to: CONTRACT, data }];
        let page = Page::new(code).unwrap().into();
        for unproven in [false, true] {
            let limits = Limits { unproven, ..limits() };
            let _ = execute(&Tree::new(), &CodeStore::new(), &page, &fixtures::params(), &records, &limits);
        }
    }
}
