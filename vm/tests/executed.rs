//! Claims about what runs and is not proven yet: each program runs in both modes, and its trace is checked.
use lathe_vm::asm::assemble;
use lathe_vm::machine::{Halt, HaltKind};
use lathe_vm::precompile::Unsupported;
use lathe_vm::sandbox::{Answer, Environment, Message, Sandbox, Status};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use proptest::prelude::*;
use sha3::{Digest, Keccak256};

const ALICE: [u8; 20] = [0xa1; 20];
const CONTRACT: [u8; 20] = [0xc0; 20];

fn text(source: &str) -> Page {
    assemble(source).unwrap_or_else(|e| panic!("{e}\n{source}"))
}

fn sandbox() -> Sandbox {
    let mut s = Sandbox::new();
    s.traced = true;
    s.limits.max_steps = 20_000;
    s.set_balance(ALICE, Word::from(1_000_000));
    s
}

/// Runs a program as a contract, in a sandbox of its own.
fn run(source: &str, data: &[u8]) -> Answer {
    let mut s = sandbox();
    s.install(CONTRACT, text(source));
    s.call(&Message { from: ALICE, to: CONTRACT, value: Word::from(7), data }).unwrap()
}

/// The word a program leaves in `[1]`.
fn result(source: &str, data: &[u8]) -> Word {
    let answer = run(&format!("{source}\n st [1], [90], 0\n seti [91], 32\n return [90], [91]"), data);
    assert_eq!(answer.status, Status::Success, "{source}");
    Word::from_be_bytes(answer.output.try_into().unwrap())
}

fn halt(source: &str) -> Status {
    run(source, &[7; 40]).status
}

fn word(address: [u8; 20]) -> Word {
    let mut be = [0; 32];
    be[12..].copy_from_slice(&address);
    Word::from_be_bytes(be)
}

fn keccak(bytes: &[u8]) -> Word {
    Word::from_be_bytes(Keccak256::digest(bytes).into())
}

/// An access to the heap's first bytes, as the machine should do it and as a model does.
#[derive(Clone, Debug)]
enum HeapOp {
    Store(usize, u8),
    StoreByte(usize, u8),
    /// A load, stored again at a place.
    Move(usize, usize),
    /// Source, target, length.
    Copy(usize, usize, usize),
    Calldata(usize, usize, usize),
    Constants(usize, usize, usize),
    Hash(usize, usize, usize),
    HashCalldata(usize, usize, usize),
}

const HEAP: usize = 192;
const ROOM: usize = HEAP - 32;

fn heap_ops() -> impl Strategy<Value = HeapOp> {
    use HeapOp::*;
    let range = || (0..ROOM, 0..ROOM, 0usize..32);
    prop_oneof![
        (0..ROOM, any::<u8>()).prop_map(|(at, x)| Store(at, x)),
        (0..ROOM, any::<u8>()).prop_map(|(at, x)| StoreByte(at, x)),
        (0..ROOM, 0..ROOM).prop_map(|(a, b)| Move(a, b)),
        (0..ROOM, 0usize..100, 0usize..90).prop_map(|(a, b, n)| Copy(a, b, n.min(ROOM - a))),
        (0usize..80, 0usize..100, 0usize..90).prop_map(|(a, b, n)| Calldata(a, b, n)),
        (0usize..64, range()).prop_map(|(a, (_, b, n))| Constants(a, b, n)),
        range().prop_map(|(a, b, n)| Hash(a, b, n)),
        range().prop_map(|(a, b, n)| HashCalldata(a % 30, b, n)),
    ]
}

impl HeapOp {
    /// The instructions; slot 9 stays zero.
    fn text(&self) -> String {
        use HeapOp::*;
        let three =
            |a: &usize, b: &usize, n: &usize| format!("seti [1], {a}\n seti [2], {b}\n seti [3], {n}\n");
        match self {
            Store(at, x) => format!("const [4], SEED\n addi [4], [4], {x}\n st [4], [9], {at}\n"),
            StoreByte(at, x) => format!("const [4], SEED\n addi [4], [4], {x}\n st8 [4], [9], {at}\n"),
            Move(a, b) => format!("seti [1], {a}\n ld [4], [1], 0\n st [4], [9], {b}\n"),
            Copy(a, b, n) => three(a, b, n) + "copy [2], [1], [3], 0\n",
            Calldata(a, b, n) => three(a, b, n) + "copy [2], [1], [3], 1\n",
            Constants(a, b, n) => {
                // The constants lie behind the code, which is padded to 4 * 1000 words.
                three(&(a + 32_000), b, n) + "copy [2], [1], [3], 3\n"
            }
            Hash(a, b, n) => three(a, b, n) + "keccak [4], [1], [3]\n st [4], [2], 0\n",
            HashCalldata(a, b, n) => three(a, b, n) + "keccak [4], [1], [3], 1\n st [4], [2], 0\n",
        }
    }

    fn apply(&self, heap: &mut [u8], data: &[u8], constants: &[u8]) {
        use HeapOp::*;
        let byte = |i: usize| data.get(i).copied().unwrap_or(0);
        let value = |x: u8| {
            let mut be = constants[..32].to_vec();
            // The seed ends in zeros, so that the sum does not carry.
            be[31] = x;
            be
        };
        match *self {
            Store(at, x) => heap[at..at + 32].copy_from_slice(&value(x)),
            StoreByte(at, x) => heap[at] = x,
            Move(a, b) => heap.copy_within(a..a + 32, b),
            Copy(a, b, n) => heap.copy_within(a..a + n, b),
            Calldata(a, b, n) => (0..n).for_each(|i| heap[b + i] = byte(a + i)),
            Constants(a, b, n) => heap[b..b + n].copy_from_slice(&constants[a..a + n]),
            Hash(a, b, n) => {
                let digest = keccak(&heap[a..a + n]).to_be_bytes();
                heap[b..b + 32].copy_from_slice(&digest);
            }
            HashCalldata(a, b, n) => heap[b..b + 32].copy_from_slice(&keccak(&data[a..a + n]).to_be_bytes()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_heap_is_an_array_of_bytes(
        ops in prop::collection::vec(heap_ops(), 1..12), data in prop::collection::vec(any::<u8>(), 62..90),
    ) {
        let seed = "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00";
        let second = "0xf102030405060708f90a0b0c0d0e0f10f112131415161718f91a1b1c1d1e1f20";
        let mut source: String = ops.iter().map(HeapOp::text).collect();
        source += &format!("seti [1], {HEAP}\n return [9], [1]\n");
        let third = "0x77";
        let code = source.lines().count();
        source += &".word 0\n".repeat(4000 - code);
        source = format!(".const SEED {seed}\n.const SECOND {second}\n.const THIRD {third}\n{source}");
        let constants: Vec<u8> = [seed, second, third]
            .iter()
            .flat_map(|c| c.parse::<Word>().unwrap().to_be_bytes())
            .collect();
        let mut heap = [0; HEAP];
        ops.iter().for_each(|op| op.apply(&mut heap, &data, &constants));
        let answer = run(&source, &data);
        prop_assert_eq!(answer.status, Status::Success);
        prop_assert_eq!(answer.output, heap);
    }
}

#[test]
fn addresses_wrap_at_the_words_end() {
    // -32 + 64 = 32.
    let source = "seti [2], 5\n seti [3], 32\n sub [3], [90], [3]\n st [2], [3], 64\n ld [1], [90], 32";
    assert_eq!(result(source, &[]), Word::from(5));
    assert_eq!(
        result("seti [3], 1\n sub [3], [90], [3]\n cdld [1], [3], 1", &[9; 32]),
        Word::from_be_bytes([9; 32])
    );
    assert_eq!(result("seti [3], 20\n cdld [1], [3], 11", &[9; 32]), {
        let mut be = [0; 32];
        be[0] = 9;
        Word::from_be_bytes(be)
    });
}

#[test]
fn empty_ranges_may_lie_anywhere() {
    let far = "not [5], [90]\n";
    let empty = keccak(&[]);
    assert_eq!(result(&format!("{far} keccak [1], [5], [90]"), &[]), empty);
    assert_eq!(result(&format!("{far} keccak [1], [5], [90], 1"), &[]), empty);
    for imm in 0..4 {
        assert_eq!(result(&format!("{far} copy [5], [5], [90], {imm}"), &[]), Word::ZERO);
    }
    let answer = run(&format!("{far} log [90], [5], [90], 0\n return [5], [90]"), &[]);
    assert_eq!((answer.status, answer.output.len(), answer.logs.len()), (Status::Success, 0, 1));
    assert_eq!(run(&format!("{far} revert [5], [90]"), &[]).status, Status::Reverted);
}

#[test]
fn calldata_is_zero_and_return_data_halts_beyond_its_end() {
    let copied = "not [5], [90]\n seti [3], 40\n seti [2], 1\n st [2], [90], 0\n copy [90], [5], [3], 1\n ld [1], [90], 0";
    assert_eq!(result(copied, &[9; 32]), Word::ZERO);
    assert_eq!(result("rdsize [1]", &[]), Word::ZERO);
    assert_eq!(halt("seti [3], 1\n copy [90], [90], [3], 2"), Status::Halted(HaltKind::MemoryRange));
}

#[test]
fn arithmetic_jumps_on_overflow_with_the_result_kept() {
    let program = |op: &str, a: &str, b: &str| {
        format!(
            "seti [2], 1\n not [3], [90]\n seti [4], 5\n {op} [1], {a}, {b}, over\n jmp end
             over: addi [1], [1], 100\n end: mov [1], [1]"
        )
    };
    let run = |op, a, b| result(&program(op, a, b), &[]);
    assert_eq!(run("addo", "[2]", "[4]"), Word::from(6));
    assert_eq!(run("addo", "[3]", "[4]"), Word::from(104));
    assert_eq!(run("subo", "[4]", "[2]"), Word::from(4));
    assert_eq!(run("subo", "[2]", "[4]"), Word::from(96));
    assert_eq!(run("mulo", "[4]", "[4]"), Word::from(25));
    assert_eq!(run("mulo", "[3]", "[4]"), Word::from(95));
}

#[test]
fn branches_compare_signed_and_with_immediates() {
    let taken = |branch: &str| {
        let source = format!(
            "not [2], [90]\n seti [3], 3\n {branch}, there\n jmp end\n there: seti [1], 1\n end: mov [1], [1]"
        );
        result(&source, &[]) == Word::from(1)
    };
    for (branch, want) in [
        ("jslt [2], [3]", true),
        ("jslt [3], [2]", false),
        ("jslt [3], [3]", false),
        ("jsge [2], [3]", false),
        ("jsge [3], [3]", true),
        ("jlti [3], 4", true),
        ("jlti [3], 3", false),
        ("jlti [2], 4", false),
        ("jgei [3], 3", true),
        ("jgei [3], 4", false),
        ("jgei [2], 16383", true),
    ] {
        assert_eq!(taken(branch), want, "{branch}");
    }
}

#[test]
fn block_and_transaction_values_are_the_environments() {
    let program = |line: &str| text(&format!("{line}\n st [1], [90], 0\n seti [91], 32\n return [90], [91]"));
    let mut s = sandbox();
    s.environment = Environment {
        number: 1000,
        timestamp: 11,
        base_fee: Word::from(12),
        gas_limit: 13,
        prevrandao: Word::from(14),
        fee_recipient: [15; 20],
        chain_id: 16,
        blob_base_fee: Word::from(17),
        gas_price: Word::from(18),
        block_hashes: (0..300).map(|i| Word::from(5000 + i)).collect(),
    };
    let cases = [
        ("blockvalue [1], 0", Word::from(1000)),
        ("blockvalue [1], 1", Word::from(11)),
        ("blockvalue [1], 2", Word::from(12)),
        ("blockvalue [1], 3", Word::from(13)),
        ("blockvalue [1], 4", Word::from(14)),
        ("blockvalue [1], 5", word([15; 20])),
        ("blockvalue [1], 6", Word::from(16)),
        ("blockvalue [1], 7", Word::from(17)),
        ("gas [1]", Word::from(13)),
        ("txvalue [1], 0", word(ALICE)),
        ("txvalue [1], 1", Word::from(18)),
        ("callvalue [1]", Word::from(3)),
        ("seti [2], 999\n blockhash [1], [2]", Word::from(5000)),
        ("seti [2], 744\n blockhash [1], [2]", Word::from(5255)),
        ("seti [2], 743\n blockhash [1], [2]", Word::ZERO),
        ("seti [2], 1000\n blockhash [1], [2]", Word::ZERO),
        ("not [2], [90]\n blockhash [1], [2]", Word::ZERO),
        ("blobhash [1], [2]", Word::ZERO),
    ];
    for (line, want) in cases {
        s.install(CONTRACT, program(line));
        let message = Message { from: ALICE, to: CONTRACT, value: Word::from(3), data: &[] };
        assert_eq!(s.call(&message).unwrap().output, want.to_be_bytes(), "{line}");
    }
    assert_eq!(halt("blockvalue [1], 8"), Status::Halted(HaltKind::Mode));
    assert_eq!(halt("txvalue [1], 2"), Status::Halted(HaltKind::Mode));
}

#[test]
fn accounts_are_seen_from_outside() {
    let other = [0xd0; 20];
    let page = text("return [1], [1]");
    let mut s = sandbox();
    s.install(other, page.clone());
    s.set_balance(other, Word::from(55));
    let mut ask = |op: &str, address: [u8; 20]| {
        let source =
            format!("cdload [2], [90]\n {op} [1], [2]\n st [1], [90], 0\n seti [91], 32\n return [90], [91]");
        s.install(CONTRACT, text(&source));
        // Only the low 160 bits count.
        let mut data = [0xff; 32];
        data[12..].copy_from_slice(&address);
        let message = Message { from: ALICE, to: CONTRACT, value: Word::from(1), data: &data };
        Word::from_be_bytes(s.call(&message).unwrap().output.try_into().unwrap())
    };
    assert_eq!(ask("balance", other), Word::from(55));
    assert_eq!(ask("balance", CONTRACT), Word::from(2));
    assert_eq!(ask("extcodehash", other), page.hash_word());
    assert_eq!(ask("extcodehash", ALICE), Word::ZERO);
    assert_eq!(ask("extcodesize", other), Word::from(page.words.len() as u128 * 8));
    assert_eq!(ask("extcodesize", ALICE), Word::ZERO);
}

#[test]
fn logs_have_their_topics_and_data() {
    for count in 0..=4u16 {
        let source = format!(
            "seti [1], 11\n seti [2], 12\n seti [3], 13\n seti [4], 14\n not [5], [90]\n st [5], [90], 32
             seti [6], 30\n seti [7], 5\n log [1], [6], [7], {count}\n seti [1], 99\n log [1], [6], [90], 1\n return [90], [90]"
        );
        let answer = run(&source, &[]);
        assert_eq!(answer.logs.len(), 2);
        let log = &answer.logs[0];
        assert_eq!((log.address, &log.data[..]), (CONTRACT, &[0, 0, 255, 255, 255][..]));
        assert_eq!(log.topics, (11..11 + u128::from(count)).map(Word::from).collect::<Vec<_>>());
        assert_eq!(answer.logs[1].topics, [Word::from(99)]);
    }
    assert_eq!(halt("log [1], [2], [3], 5"), Status::Halted(HaltKind::Mode));
}

#[test]
fn a_failed_call_leaves_no_log_write_or_wei() {
    let writes = "seti [1], 5\n sstore [1], [1]\n tstore [1], [1]\n sstore [90], [1]\n sstore [1], [90]\n log [1], [90], [90], 1\n";
    let ends = [
        ("revert [90], [90]", Status::Reverted, 4),
        (".word 0", Status::Halted(HaltKind::InvalidOpcode), 4),
        ("istore [1], 3", Status::Halted(HaltKind::NotDeploying), 4),
        ("not [2], [90]\n copy [90], [90], [2], 0", Status::Halted(HaltKind::MemoryRange), 4),
        ("not [2], [90]\n revert [2], [2]", Status::Halted(HaltKind::MemoryRange), 4),
    ];
    for (end, status, undo) in ends {
        let mut s = sandbox();
        s.set_storage(CONTRACT, Word::from(5), Word::from(1));
        let source = format!("{writes}{end}");
        s.install(CONTRACT, text(&source));
        let answer = s.call(&Message { from: ALICE, to: CONTRACT, value: Word::from(7), data: &[] }).unwrap();
        assert_eq!((answer.status, answer.logs.len(), answer.output.len()), (status, 0, 0), "{end}");
        assert_eq!(answer.steps as usize, source.lines().count() + undo, "{end}");
        assert_eq!(
            s.storage_slots(CONTRACT).into_iter().collect::<Vec<_>>(),
            [(Word::from(5), Word::from(1))]
        );
        assert_eq!((s.balance(ALICE), s.balance(CONTRACT)), (Word::from(1_000_000), Word::ZERO));
        assert_eq!(s.nonce(ALICE), 1);
    }
}

#[test]
fn exceptional_halts_end_the_call_by_kind() {
    use HaltKind::*;
    let cases = [
        (".word 0x300", InvalidOpcode),
        (".word 0x401", InvalidOpcode),
        ("const [1], 3", ConstantOutsidePage),
        ("top: ncall top, 4095", FrameRange),
        ("seti [0], 12\n nret", PcOutsidePage),
        ("seti [1], 1\n shli [1], [1], 32\n subi [1], [1], 32\n ld [2], [1], 0", MemoryRange),
        ("seti [1], 1\n shli [1], [1], 32\n subi [1], [1], 1\n st8 [2], [1], 0", MemoryRange),
        ("not [1], [2]\n log [3], [3], [1], 0", MemoryRange),
        ("seti [3], 0x1000001\n copy [2], [2], [3], 0", RangeTooLong),
        ("seti [3], 0x1000001\n log [2], [2], [3], 0", RangeTooLong),
        ("seti [1], 1\n copy [2], [3], [1], 4", Mode),
        ("keccak [2], [3], [3], 2", Mode),
        ("seti [1], 0x8000\n seti [2], 1\n copy [3], [1], [2], 3", ConstantOutsidePage),
        ("seti [1], 41\n keccak [2], [3], [1], 1", MemoryRange),
        ("aload [1], [2], 1", KernelOnly),
        ("mimiccall [1], [2], [3]", KernelOnly),
        // Beyond the page, by a near call whose link has been written, and by running off its end.
        (".word 0xa0", PcOutsidePage),
        (
            "not [1], [2]\n mulo [3], [1], [1], far\n .word 0\n .word 0\n .word 0\n .word 0\n .word 0\n .word 0\n .word 0\n .word 0\n .word 0\n .word 0\n far:",
            PcOutsidePage,
        ),
    ];
    for (source, kind) in cases {
        assert_eq!(halt(source), Status::Halted(kind), "{source}");
    }
    let full = Page::new(vec![12; 12]).unwrap();
    let mut s = sandbox();
    s.install(CONTRACT, full);
    let answer = s.call(&Message { from: ALICE, to: CONTRACT, value: Word::ZERO, data: &[] }).unwrap();
    assert_eq!((answer.status, answer.steps), (Status::Halted(PcOutsidePage), 13));
}

#[test]
fn what_is_reserved_and_what_breaks_a_limit_stops_the_run() {
    let stop = |source: &str, change: fn(&mut Sandbox)| {
        let mut s = sandbox();
        change(&mut s);
        s.install(CONTRACT, text(&format!("seti [1], 1\n sstore [1], [1]\n {source}")));
        let stopped =
            s.call(&Message { from: ALICE, to: CONTRACT, value: Word::ZERO, data: &[] }).unwrap_err();
        assert_eq!((s.nonce(ALICE), s.storage(CONTRACT, Word::from(1))), (0, Word::ZERO));
        stopped.halt
    };
    assert_eq!(stop(".word 0xc2", |_| ()), Halt::NotYetProvable("jmpfar".into()));
    let pairing = Unsupported::Precompile { number: 8, name: "bn254 pairing" };
    assert_eq!(stop("seti [2], 8\n call [1], [2], [3]", |_| ()), Halt::Unsupported(pairing));
    assert_eq!(stop("top: jmp top", |_| ()), Halt::Limit { what: "steps", limit: 20_000 });
    let big = "seti [3], 0x1000000\n copy [2], [2], [3], 0\n log [2], [2], [3], 0";
    let moved = |s: &mut Sandbox| (s.traced, s.limits.max_moved_bytes) = (false, 1 << 24);
    assert_eq!(stop(big, moved), Halt::Limit { what: "moved bytes", limit: 1 << 24 });
    let spread = "top: st [1], [2], 0\n addi [2], [2], 4096\n jmp top";
    let held = |s: &mut Sandbox| s.limits.max_memory_bytes = 1 << 20;
    assert_eq!(stop(spread, held), Halt::Limit { what: "memory bytes", limit: 1 << 20 });
    let cells = "top: sstore [2], [1]\n addi [2], [2], 1\n jmp top";
    assert_eq!(stop(cells, held), Halt::Limit { what: "memory bytes", limit: 1 << 20 });
}
