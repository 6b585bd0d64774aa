//! Claims about what the machine does for the kernel and the system's contracts: hashes and signatures as
//! instructions, cells of known code, and the system's precompiles, each run in both modes and its trace
//! checked.
use lathe_vm::asm::assemble;
use lathe_vm::batch::Record;
use lathe_vm::code::CodeStore;
use lathe_vm::fixtures;
use lathe_vm::isa::{Instruction, op};
use lathe_vm::machine::{Halt, HaltKind, Limits};
use lathe_vm::precompile;
use lathe_vm::programs;
use lathe_vm::replay::{ReplayError, execute, replay_with_receipts};
use lathe_vm::sandbox::{Answer, Message, Sandbox, Status};
use lathe_vm::state::{CellId, Tree, kind};
use lathe_vm::system;
use lathe_vm::trace::{BatchTrace, Effect, Executed, Flow, Page, space};
use lathe_vm::trace_check::check;
use lathe_vm::word::Word;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::sync::atomic::{AtomicUsize, Ordering};

const ALICE: [u8; 20] = [0xa1; 20];
const CONTRACT: [u8; 20] = [0xc0; 20];

fn text(source: &str) -> Page {
    assemble(source).unwrap_or_else(|e| panic!("{e}\n{source}"))
}

fn num(x: u128) -> Word {
    Word::from(x)
}

fn at(number: u16) -> [u8; 20] {
    let mut out = [0; 20];
    out[18..].copy_from_slice(&number.to_be_bytes());
    out
}

fn sandbox() -> Sandbox {
    let mut s = Sandbox::new();
    s.traced = true;
    s.limits.max_steps = 20_000;
    s.set_balance(ALICE, num(1_000_000));
    s
}

fn call(s: &mut Sandbox, to: [u8; 20], value: u128, data: &[u8]) -> Answer {
    s.call(&Message { from: ALICE, to, value: num(value), data }).unwrap()
}

/// What an instruction leaves in slot 1, with the calldata from byte `start` of the heap on, in slot 10 that
/// byte and in slot 11 the calldata's length.
fn result(instruction: &str, start: u32, data: &[u8]) -> Result<Word, Status> {
    let mut s = sandbox();
    let source = format!(
        "seti [10], {start}\n cdsize [11]\n copy [10], [90], [11], 1\n {instruction}\n st [1], [90], 32\n seti [2], 32\n return [2], [2]"
    );
    s.install(CONTRACT, text(&source));
    let answer = call(&mut s, CONTRACT, 0, data);
    match answer.status {
        Status::Success => Ok(Word::from_first_bytes(&answer.output).unwrap()),
        status => Err(status),
    }
}

/// The example of EIP-155: digest, v, r, s.
fn signed() -> Vec<u8> {
    let hex = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53\
               000000000000000000000000000000000000000000000000000000000000001b\
               28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\
               67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
    hex::decode(hex).unwrap()
}

#[test]
fn ecrecover_names_the_signer_or_nobody() {
    let mut signer = [0; 32];
    hex::decode_to_slice("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f", &mut signer[12..]).unwrap();
    for start in [0, 64, 7] {
        assert_eq!(result("ecrecover [1], [10]", start, &signed()), Ok(Word::from_be_bytes(signer)));
    }
    let mut other = signed();
    other[63] = 29;
    assert_eq!(result("ecrecover [1], [10]", 0, &other), Ok(Word::ZERO));
    // Beyond what is written the heap is zero, and zeros are no signature.
    assert_eq!(result("ecrecover [1], [10]", 96, &[]), Ok(Word::ZERO));
    let beyond = "not [3], [90]\n ecrecover [1], [3]";
    assert_eq!(result(beyond, 0, &[]), Err(Status::Halted(HaltKind::MemoryRange)));
}

#[test]
fn sha256_is_that_of_the_precompile() {
    for data in [&b""[..], b"abc", &[7; 32], &[9; 100]] {
        for start in [0, 5] {
            assert_eq!(result("sha256 [1], [10], [11]", start, data), Ok(precompile::sha256(data)));
        }
    }
    let long = "seti [3], 0x1000001\n sha256 [1], [10], [3]";
    assert_eq!(result(long, 0, &[]), Err(Status::Halted(HaltKind::RangeTooLong)));
}

#[test]
fn pagehash_hashes_pages_and_nothing_else() {
    let page = text("seti [1], 1\n return [1], [1]");
    let (bytes, hash) = (page.to_bytes(), page.hash_word());
    assert_eq!(Page::from_bytes(&bytes).map(|p| p.words), Some(page.words));
    for (instruction, start) in [("pagehash [1], [10], [11]", 0), ("pagehash [1], [10], [11]", 3)] {
        assert_eq!(result(instruction, start, &bytes), Ok(hash));
    }
    assert_eq!(result("pagehash [1], [90], [11], 1", 0, &bytes), Ok(hash));
    for length in [0, 8, 95, 97, 12 * 8 * 1366] {
        let odd = vec![0; length];
        let mut s = sandbox();
        s.traced = length < 1000;
        assert_eq!(result("pagehash [1], [90], [11], 1", 0, &odd), Ok(Word::ZERO), "{length}");
        assert_eq!(Page::from_bytes(&odd).map(|p| p.hash_word()), None);
    }
    // A length that no page has is not looked for, wherever it lies; one that a page has must be there.
    assert_eq!(result("not [3], [90]\n pagehash [1], [3], [3]", 0, &[]), Ok(Word::ZERO));
    let halts = Err(Status::Halted(HaltKind::MemoryRange));
    assert_eq!(result("seti [3], 96\n pagehash [1], [90], [3], 1", 0, &[0; 95]), halts);
    assert_eq!(result("not [3], [90]\n pagehash [1], [3], [11]", 0, &bytes), halts);
    assert_eq!(result("pagehash [1], [90], [11], 2", 0, &bytes), Err(Status::Halted(HaltKind::Mode)));
}

#[test]
fn hashed_bytes_are_bounded() {
    for instruction in
        ["sha256 [1], [90], [3]", "seti [3], 96\n pagehash [1], [90], [3]", "ecrecover [1], [90]"]
    {
        let mut s = sandbox();
        s.limits.max_hashed_bytes = 95;
        s.install(CONTRACT, text(&format!("seti [3], 96\n {instruction}")));
        let message = Message { from: ALICE, to: CONTRACT, value: Word::ZERO, data: &[] };
        let stopped = s.call(&message).unwrap_err();
        assert_eq!(stopped.halt, Halt::Limit { what: "hashed bytes", limit: 95 }, "{instruction}");
    }
}

/// Calls an address with the calldata from byte 3 of the heap on and the wei it got; hands back status, size
/// of the return data, and the data.
fn relay(to: u16, op: &str) -> Page {
    text(&format!(
        "seti [10], {to}\n seti [20], 3\n cdsize [21]\n copy [20], [90], [21], 1\n callvalue [23]
         {op} [2], [10], [20]\n rdsize [3]\n st [2], [90], 0\n st [3], [90], 32\n seti [4], 64
         copy [4], [90], [3], 2\n add [5], [4], [3]\n return [90], [5]"
    ))
}

/// Relays from an address, with a balance of 9 and a nonce of 1 that the call may change.
fn asked(own: u16, to: u16, op: &str, value: u128, data: &[u8]) -> (Answer, Sandbox) {
    let mut s = sandbox();
    s.install(at(own), relay(to, op));
    s.set_balance(CONTRACT, num(9));
    s.install(CONTRACT, text("return [90], [90]"));
    let answer = call(&mut s, at(own), value, data);
    (answer, s)
}

fn words(words: &[Word]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

const OPS: [&str; 3] = ["call", "staticcall", "delegatecall"];

#[test]
fn a_system_contract_reads_and_writes_cells() {
    let account = fixtures::word(CONTRACT);
    let code = text("return [90], [90]").hash_word();
    let cells = [(1, account, num(1)), (2, account, num(9)), (3, account, code), (6, code, num(12))];
    for (kind, key, value) in cells {
        for op in OPS {
            let (answer, _) = asked(0x8001, 0x8100, op, 0, &words(&[num(kind), key]));
            assert_eq!(answer.output, words(&[num(1), num(32), value]), "kind {kind}, {op}");
        }
    }
    for (kind, key) in [(1, account), (2, account), (6, num(5))] {
        let request = words(&[num(kind), key, num(77)]);
        for own in [0x8001, 0x80ff] {
            for op in ["call", "delegatecall"] {
                let (answer, s) = asked(own, 0x8100, op, 0, &request);
                assert_eq!(answer.output, words(&[num(1), num(0)]), "kind {kind}, {op}");
                let (address, slot) = if kind == 6 { ([0; 20], key) } else { (CONTRACT, Word::ZERO) };
                let cell = CellId { kind: kind as u8, address, slot };
                assert!(s.cells().any(|(c, w)| *c == cell && *w == num(77)));
            }
        }
        let (answer, _) = asked(0x8001, 0x8100, "staticcall", 0, &request);
        assert_eq!(answer.output, words(&[num(0), num(0)]));
        // Below a static call, the system contract itself halts.
        let mut s = sandbox();
        s.install(at(0x8001), relay(0x8100, "call"));
        s.install(CONTRACT, relay(0x8001, "staticcall"));
        assert_eq!(call(&mut s, CONTRACT, 0, &request).output, words(&[num(0), num(0)]));
        assert!(s.cells().all(|(_, w)| *w != num(77)));
    }
}

#[test]
fn other_requests_fail_and_change_nothing() {
    let account = fixtures::word(CONTRACT);
    let far = Word::new(1 << 32, 5);
    let requests: &[&[Word]] = &[
        &[],
        &[num(1)],
        &[num(0), account],
        &[num(4), account],
        &[num(5), account],
        &[num(7), account],
        &[Word::new(1, 1), account],
        &[num(257), account],
        &[num(1), far],
        &[num(1), account, num(2), num(3)],
        // Nobody gets other code, and what is known stays known.
        &[num(3), account, num(77)],
        &[num(6), num(5), num(0)],
    ];
    for request in requests {
        let (answer, s) = asked(0x8001, 0x8100, "call", 0, &words(request));
        assert_eq!(answer.output, words(&[num(0), num(0)]), "{request:?}");
        let (_, same) = asked(0x8001, 0x8100, "call", 0, &[]);
        let sorted = |s: &Sandbox| {
            let mut cells: Vec<_> = s.cells().map(|(c, w)| (*c, *w)).collect();
            cells.sort();
            cells
        };
        assert_eq!(sorted(&s), sorted(&same), "{request:?}");
    }
    let (answer, _) = asked(0x8001, 0x8100, "call", 0, &words(&[num(1), account])[..63]);
    assert_eq!(answer.output, words(&[num(0), num(0)]));
    let (answer, s) = asked(0x8001, 0x8100, "call", 5, &words(&[num(1), account]));
    assert_eq!((answer.output, s.balance(at(0x8100))), (words(&[num(0), num(0)]), num(0)));
}

#[test]
fn a_system_contract_learns_the_hash_of_a_page() {
    let page = text("seti [1], 1\n return [1], [1]");
    for op in OPS {
        let (answer, s) = asked(0x8004, 0x8101, op, 0, &page.to_bytes());
        assert_eq!(answer.output, words(&[num(1), num(32), page.hash_word()]));
        // Hashed is not known.
        assert!(s.cells().all(|(c, _)| *c != CellId::known_code(page.hash_word())));
        for length in [0, 1, 95] {
            let (answer, _) = asked(0x8004, 0x8101, op, 0, &page.to_bytes()[..length]);
            assert_eq!(answer.output, words(&[num(0), num(0)]));
        }
    }
    let (answer, _) = asked(0x8004, 0x8101, "call", 5, &page.to_bytes());
    assert_eq!(answer.output, words(&[num(0), num(0)]));
}

#[test]
fn for_anyone_else_they_are_accounts_without_code() {
    let write = words(&[num(2), fixtures::word(ALICE), num(0)]);
    for own in [0x7fff, 0x8000, 0x8102, 0x81ff] {
        for to in [0x8100, 0x8101] {
            for op in OPS {
                let value = if op == "call" { 5 } else { 0 };
                let (answer, s) = asked(own, to, op, value, &write);
                assert_eq!(answer.output, words(&[num(1), num(0)]), "{own:#x} {to:#x} {op}");
                assert_eq!((s.balance(ALICE), s.balance(at(own))), (num(1_000_000 - value), num(0)));
                assert_eq!(s.balance(at(to)), num(value));
            }
        }
    }
}

/// Requests of every shape, from inside the system and from elsewhere; the sandbox checks each trace.
#[test]
fn any_request_leaves_a_sound_trace() {
    let ends = [const { AtomicUsize::new(0) }; 2];
    let kind = prop_oneof![6 => (0u128..9).prop_map(num), 1 => Just(Word::new(1, 2))];
    let key = prop::sample::select(vec![num(0), num(5), fixtures::word(CONTRACT), Word::new(1 << 32, 0)]);
    let value = prop::sample::select(vec![num(0), num(1), Word::new(u128::MAX, 7)]);
    let cases = (kind, key, value, 0usize..=128, prop::sample::select(vec![0x8001, 0x80ff, 0x8000, 0x9001]));
    let how = (prop::sample::select(vec![0x8100, 0x8101]), prop::sample::select(OPS.to_vec()), 0u128..2);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
    runner
        .run(&(cases, how), |((kind, key, value, length, own), (to, op, wei))| {
            let length = if length % 2 == 0 { [64, 96][length / 2 % 2] } else { length };
            let request = [words(&[kind, key, value]), vec![0; 32]].concat();
            let (answer, _) = asked(own, to, op, wei, &request[..length]);
            if answer.status == Status::Success {
                ends[usize::from(answer.output[31])].fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        })
        .unwrap();
    let ends = ends.map(AtomicUsize::into_inner);
    assert!(ends.iter().all(|n| *n > 60), "failures and successes: {ends:?}");
}

#[test]
fn kept_pages_count_as_memory() {
    // Hashes pages that differ in their first word, without end.
    let source = "seti [3], 96\n top: addi [4], [4], 1\n st [4], [90], 0\n pagehash [1], [90], [3]\n jmp top";
    let mut s = sandbox();
    (s.traced, s.limits.max_steps, s.limits.max_memory_bytes) = (false, 1 << 20, 1 << 20);
    s.install(CONTRACT, text(source));
    let message = Message { from: ALICE, to: CONTRACT, value: Word::ZERO, data: &[] };
    let stopped = s.call(&message).unwrap_err();
    assert_eq!(stopped.halt, Halt::Limit { what: "memory bytes", limit: 1 << 20 });
    // Some 290 bytes each, four steps each.
    assert!((8_000..20_000).contains(&stopped.clock), "{} steps", stopped.clock);
}

/// A contract elsewhere that runs a system contract's code has its own address, and no privilege.
#[test]
fn borrowed_system_code_has_no_privilege() {
    let write = words(&[num(2), fixtures::word(ALICE), num(0)]);
    let mut s = sandbox();
    s.install(at(0x8001), relay(0x8100, "call"));
    s.install(CONTRACT, relay(0x8001, "delegatecall"));
    let answer = call(&mut s, CONTRACT, 0, &write);
    assert_eq!(answer.output, words(&[num(1), num(64), num(1), num(0)]));
    assert_eq!(s.balance(ALICE), num(1_000_000));
    // Called, it has its privilege, whoever calls.
    s.install(CONTRACT, relay(0x8001, "call"));
    call(&mut s, CONTRACT, 0, &write);
    assert_eq!(s.balance(ALICE), num(0));
}

#[test]
fn a_revert_takes_a_cell_back() {
    let mut s = sandbox();
    let source = "seti [10], 0x8100\n cdsize [21]\n copy [90], [90], [21], 1\n call [2], [10], [20]\n revert [90], [90]";
    s.install(at(0x8001), text(source));
    let answer = call(&mut s, at(0x8001), 0, &words(&[num(2), fixtures::word(ALICE), num(0)]));
    assert_eq!((answer.status, s.balance(ALICE)), (Status::Reverted, num(1_000_000)));
}

/// A page published and used in the same call: hashed and made known by the contract at 0x8004, which then
/// creates with it.
#[test]
fn a_published_page_is_code_at_once_and_afterwards() {
    let deploy = text("cdload [1], [90]\n st [1], [90], 0\n seti [2], 32\n return [90], [2]");
    let source = format!(
        ".const DEPLOY {hash}\n const [11], DEPLOY\n seti [30], 0x8101\n cdsize [21]\n copy [90], [90], [21], 1\n call [2], [30], [20]
         seti [1], 6\n st [1], [90], 0\n st [11], [90], 32\n seti [1], 12\n st [1], [90], 64\n seti [21], 96
         seti [30], 0x8100\n call [3], [30], [20]
         st [11], [90], 0\n st [11], [90], 32\n seti [40], 64\n create [4], [90], [40], 0
         extcodesize [5], [4]\n st [2], [90], 0\n st [3], [90], 32\n st [4], [90], 64\n st [5], [90], 96\n seti [6], 128\n return [90], [6]",
        hash = deploy.hash_word()
    );
    let mut s = sandbox();
    s.install(at(0x8004), text(&source));
    let answer = call(&mut s, at(0x8004), 0, &deploy.to_bytes());
    let created = lathe_vm::sandbox::contract_address(at(0x8004), 1);
    assert_eq!(answer.output, words(&[num(1), num(1), fixtures::word(created), num(96)]));
    // The page that the constructor left is the deploy page itself, which the sandbox now has.
    let data = words(&[num(5)]);
    assert_eq!(call(&mut s, created, 0, &data).output, data);
}

/// A constructor publishes nothing, hands back an unknown page, and has written before: everything is undone.
#[test]
fn an_unknown_runtime_page_halts_after_writes() {
    let mut s = sandbox();
    let source = "seti [1], 5\n sstore [1], [1]\n sstore [90], [1]\n st [1], [90], 0\n seti [2], 32\n return [90], [2]";
    let (answer, address) = s.deploy(ALICE, num(3), &text(source), &[]).unwrap();
    assert_eq!((answer.status, address), (Status::Halted(HaltKind::UnknownCode), None));
    let at = lathe_vm::sandbox::contract_address(ALICE, 0);
    assert!(s.storage_slots(at).is_empty());
}

const KERNEL: &str = "
    seti [1], 28\n cdload [1], [1]\n bits [2], [1], 128, 128\n seti [1], 8\n cdload [1], [1]\n bits [2], [1], 96, 160
    aload [3], [2], 1\n astore [2], [3], 1
    seti [4], 7\n aload [5], [4], 6\n addi [6], [5], 12\n astore [4], [6], 6\n aload [7], [4], 6
    seti [10], 2\n seti [21], 5\n seti [22], 100000\n staticcall [8], [10], [20]\n rdsize [9]\n copy [90], [90], [9], 2
    ecrecover [11], [90]\n sha256 [12], [90], [21]\n seti [22], 96\n pagehash [13], [90], [22]
    log [7], [90], [9], 1\n seti [14], 96\n st [7], [90], 32\n st [8], [90], 64\n return [90], [14]";

fn kernel_run(source: &str) -> Result<BatchTrace, ReplayError> {
    let (tree, codes) =
        (Tree::from_cells([(CellId::known_code(num(7)), num(24))]).unwrap(), CodeStore::new());
    let records = [Record { nonce: 1, from: fixtures::sender(1), to: CONTRACT, data: vec![] }];
    let limits = Limits { unproven: true, ..Limits::default() };
    let params = fixtures::params();
    let kernel = text(source).into();
    let fast = execute(&tree, &codes, &kernel, &params, &records, &limits);
    let full = replay_with_receipts(&tree, &codes, &kernel, &params, &records, &limits)?;
    assert_eq!(fast?.result[1], full.trace.statement.priority_ops_hash);
    Ok(full.trace)
}

#[test]
fn the_kernel_knows_code_and_calls_precompiles() {
    let trace = kernel_run(KERNEL).unwrap();
    check(&trace).unwrap();
    let s = &trace.statement;
    let digest = precompile::sha256(&[0; 5]);
    assert_eq!([s.batch_data_hash, s.priority_ops_hash, s.l2_to_l1_root], [digest, num(36), num(1)]);
    let known = trace.state_cells.iter().find(|c| c.cell.kind == kind::KNOWN_CODE).unwrap();
    assert_eq!((known.old, known.new), (num(24), num(36)));
}

#[test]
fn the_kernel_calls_nobody_else_and_sends_no_wei() {
    let stop = |source: &str| match kernel_run(source) {
        Err(ReplayError::Stopped(stopped)) => stopped.halt,
        other => panic!("{:?}", other.map(|t| t.steps.len())),
    };
    for op in OPS {
        for to in [0, 0x7f, 0x8001, 0x8100, 0x8101] {
            let halt = stop(&format!("seti [10], {to}\n {op} [8], [10], [20]"));
            assert_eq!(halt, Halt::Exceptional(HaltKind::ContractOnly), "{op} {to:#x}");
        }
    }
    let halt = stop("seti [10], 2\n seti [23], 1\n call [8], [10], [20]");
    assert_eq!(halt, Halt::Exceptional(HaltKind::ContractOnly));
    assert_eq!(stop("aload [1], [2], 7"), Halt::Exceptional(HaltKind::Mode));
    // No contract reaches the cells.
    let mut s = sandbox();
    s.install(CONTRACT, text("aload [1], [2], 6"));
    assert_eq!(call(&mut s, CONTRACT, 0, &[]).status, Status::Halted(HaltKind::KernelOnly));
}

#[test]
fn what_is_new_is_refused_before_proving() {
    let run = |source: &str| {
        let mut codes = CodeStore::new();
        let hash = codes.insert(text(source));
        let tree = Tree::from_cells([(CellId::code_hash(CONTRACT), hash)]).unwrap();
        let records = [Record { nonce: 0, from: fixtures::sender(1), to: CONTRACT, data: vec![] }];
        let limits = Limits::default();
        execute(&tree, &codes, programs::kernel(), &fixtures::params(), &records, &limits)
            .unwrap_err()
            .to_string()
    };
    for name in ["ecrecover [1], [2]", "sha256 [1], [2], [3]", "pagehash [1], [2], [3]"] {
        let opcode = name.split(' ').next().unwrap();
        assert!(run(name).contains(&format!("not yet provable: {opcode}")), "{}", run(name));
    }
    let (tree, codes) = (Tree::from_cells([]).unwrap(), CodeStore::new());
    let records = [Record { nonce: 0, from: fixtures::sender(1), to: CONTRACT, data: vec![] }];
    let kernel = text("aload [1], [2], 6").into();
    let params = fixtures::params();
    let run = execute(&tree, &codes, &kernel, &params, &records, &Limits::default());
    assert!(run.unwrap_err().to_string().contains("aload or astore of known code"));
}

/// A batch in which a system contract reads a nonce and writes a balance, and someone else hashes.
fn replayed() -> BatchTrace {
    let mut codes = CodeStore::new();
    let hashes = "seti [2], 96\n ecrecover [1], [90]\n sha256 [1], [90], [2]\n pagehash [1], [90], [2]\n extcodesize [3], [90]";
    let contracts =
        [(system::NONCES, relay(0x8100, "call")), (CONTRACT, text(&format!("{hashes}\n return [90], [90]")))];
    let cells = contracts.map(|(address, page)| (CellId::code_hash(address), codes.insert(page)));
    let tree = Tree::from_cells(cells).unwrap();
    let record = |nonce, to, data| Record { nonce, from: fixtures::sender(1), to, data };
    let account = fixtures::word(CONTRACT);
    let records = [
        record(0, system::NONCES, words(&[num(1), account])),
        record(1, system::NONCES, words(&[num(2), account, num(5)])),
        record(2, system::NONCES, words(&[num(4), account])),
        record(3, CONTRACT, vec![]),
    ];
    let limits = Limits { unproven: true, ..Limits::default() };
    let params = fixtures::params();
    replay_with_receipts(&tree, &codes, programs::kernel(), &params, &records, &limits).unwrap().trace
}

/// Changes the effect of the `n`-th step with this opcode, and expects the check to refuse it.
fn refused(what: &str, opcode: u16, n: usize, change: impl FnOnce(&mut Executed)) {
    let mut trace = replayed();
    let mut steps = trace.steps.to_mut().iter_mut().filter(|s| Instruction::decode(s.word).opcode == opcode);
    match steps.nth(n).map(|s| &mut s.effect) {
        Some(Effect::Executed(e)) => change(e),
        _ => panic!("no such step"),
    }
    assert!(check(&trace).is_err(), "{what} is accepted");
}

#[test]
fn a_changed_request_is_refused() {
    check(&replayed()).unwrap();
    for n in [0, 1, 2] {
        refused("another status", op::CALL, n, |e| e.accesses.last_mut().unwrap().new.lo ^= 1);
        refused("an input word left out", op::CALL, n, |e| {
            let first = e.accesses.iter().position(|a| a.space == space::HEAP).unwrap();
            e.accesses.remove(first);
        });
    }
    for n in [0, 1] {
        refused("a cell left out", op::CALL, n, |e| e.cells.clear());
        refused("another kind", op::CALL, n, |e| e.cells[0].cell.kind ^= 3);
        refused("another account", op::CALL, n, |e| e.cells[0].cell.address[0] ^= 1);
        refused("another value", op::CALL, n, |e| e.cells[0].new.lo ^= 1);
        refused("another time", op::CALL, n, |e| e.cells[0].time += 1);
    }
    refused("another output", op::CALL, 0, |e| {
        let output = e.accesses.iter_mut().rfind(|a| a.space == space::HEAP);
        output.unwrap().new.lo ^= 1;
    });
    refused("a write without its entry", op::CALL, 1, |e| e.journal.clear());
    refused("a call that goes elsewhere", op::CALL, 0, |e| {
        e.flow = Flow::End { frame: frame(), success: true }
    });
    for opcode in [op::ECRECOVER, op::SHA256, op::PAGEHASH] {
        refused("a word left out", opcode, 0, |e| {
            e.accesses.pop();
        });
    }
    refused("a cell of other code", op::EXTCODESIZE, 0, |e| e.cells[0].cell.address[0] ^= 1);
}

fn frame() -> lathe_vm::trace::Frame {
    lathe_vm::trace::Frame { ctx: 1, caller: lathe_vm::trace::Regs::default(), dest: 0 }
}

#[test]
fn a_changed_digest_is_refused() {
    for opcode in [op::ECRECOVER, op::SHA256, op::PAGEHASH, op::EXTCODESIZE] {
        let mut trace = replayed();
        let step =
            trace.steps.to_mut().iter_mut().find(|s| Instruction::decode(s.word).opcode == opcode).unwrap();
        // The slot is written again by the next, so that only this step says that the value is wrong.
        step.d.new.lo ^= 1;
        assert!(check(&trace).is_err(), "another result of {opcode} is accepted");
    }
}

/// The privilege is the checker's business too: the same cells from an ordinary address are refused.
#[test]
fn a_request_from_elsewhere_is_refused() {
    let mut trace = replayed();
    let elsewhere = fixtures::word(CONTRACT);
    let served: Vec<u32> = {
        let calls = trace.steps.iter().filter(|s| Instruction::decode(s.word).opcode == op::CALL);
        calls.map(|s| s.regs.ctx).collect()
    };
    let change = |a: &mut lathe_vm::trace::Access| {
        if a.space == space::REG && a.index == 2 && served.contains(&a.ctx) {
            if a.old_time != 0 {
                a.old = elsewhere;
            }
            a.new = elsewhere;
        }
    };
    for step in trace.steps.to_mut() {
        match &mut step.effect {
            Effect::Executed(e) => e.accesses.iter_mut().for_each(change),
            Effect::Call { regs, .. } => regs.iter_mut().for_each(change),
            _ => {}
        }
    }
    let register = |c: &&mut lathe_vm::trace::CellFinal| {
        c.space == space::REG && c.index == 2 && served.contains(&c.ctx)
    };
    trace.cells.iter_mut().filter(register).for_each(|c| c.value = elsewhere);
    let refused = check(&trace).unwrap_err().to_string();
    assert!(refused.contains("a state access that the instruction does not make"), "{refused}");
}
