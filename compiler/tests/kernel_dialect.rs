//! Claims about the builtins that only kernels have: what they become at every level, and that they do it on the machine.
use lathe_compiler::compile::{Level, Options, Part, compile};
use lathe_compiler::yul::builtin::Builtin;
use lathe_vm::Word;
use lathe_vm::code::CodeStore;
use lathe_vm::machine::tracer::NoTrace;
use lathe_vm::machine::{self, Environment, Limits};
use lathe_vm::state::CellId;
use sha3::{Digest, Keccak256};
use std::collections::HashMap;

const LEVELS: [Level; 3] = [Level::O0, Level::O3, Level::Oz];
const CONTRACT: [u8; 20] = [0xc0; 20];
const SENDER: [u8; 20] = [0x5e; 20];

fn options(level: Level, kernel: bool) -> Options {
    Options { level, kernel, ..Options::default() }
}

fn kernel(body: &str, level: Level) -> Part {
    compile(body, &options(level, true)).unwrap_or_else(|faults| panic!("{faults:#?}\n{body}")).deploy
}

/// What is wrong with a kernel.
fn fault(body: &str) -> String {
    let faults = compile(body, &options(Level::O3, true)).expect_err("refused");
    faults.iter().map(|f| f.message.clone()).collect::<Vec<_>>().join("\n")
}

/// The instructions of a listing whose name is one of these, with all their operands.
fn listed<'a>(part: &'a Part, names: &'a [&str]) -> Vec<&'a str> {
    let lines = part.listing.lines().map(str::trim);
    lines.filter(|line| line.split(' ').next().is_some_and(|name| names.contains(&name))).collect()
}

fn word(address: [u8; 20]) -> Word {
    let mut bytes = [0; 32];
    bytes[12..].copy_from_slice(&address);
    Word::from_be_bytes(bytes)
}

#[test]
fn every_builtin_is_one_instruction() {
    let text = "{
        let account := calldataload(0)
        let at := calldataload(32)
        mstore(at, account)
        let h := calldatakeccak(at, 7)
        let p := pagehash(at, 96)
        let s := sha256(at, 33)
        let e := ecrecover(at)
        let sum := add(add(add(aload(1, account), aload(2, account)), aload(3, account)), aload(6, h))
        astore(1, account, h) astore(2, account, p) astore(3, account, s) astore(6, e, sum)
        return(at, 96)
    }";
    for level in LEVELS {
        let part = kernel(text, level);
        let names = |wanted: &[&str]| -> Vec<(String, String)> {
            let lines = listed(&part, wanted).into_iter();
            let ends = lines.map(|l| (l.split(' ').next().unwrap_or(l), l.rsplit(' ').next().unwrap_or(l)));
            ends.map(|(name, last)| (name.to_string(), last.to_string())).collect()
        };
        let pair = |name: &str, last: &str| (name.to_string(), last.to_string());
        assert_eq!(names(&["keccak", "pagehash"]), [pair("keccak", "1"), pair("pagehash", "1")], "{level:?}");
        assert_eq!(listed(&part, &["sha256", "ecrecover"]).len(), 2, "{level:?}\n{}", part.listing);
        let stores = ["1", "2", "3", "6"].map(|kind| pair("astore", kind));
        assert_eq!(names(&["astore"]), stores, "{level:?}");
        let mut loads = names(&["aload"]);
        loads.sort();
        assert_eq!(loads, ["1", "2", "3", "6"].map(|kind| pair("aload", kind)), "{level:?}");
    }
}

#[test]
fn a_mimiccall_finds_its_operands_in_neighbouring_slots() {
    let call = |flags: u16| {
        format!(
            "{{ mstore(0, mimiccall({flags}, 101, 102, 103, 104, 105, 106, 107, 108, 109)) return(0, 96) }}"
        )
    };
    // Slots of the block that each flag has read: offset, length and caller always.
    let named = |flags: u16| {
        let mut slots = vec![0, 1, 2];
        slots.extend((flags & 2 != 0).then_some(3));
        slots.extend((flags & 4 != 0).then_some(4));
        slots.extend((flags & 8 != 0).then_some([5, 6, 7]).into_iter().flatten());
        slots
    };
    for (level, flags) in LEVELS.into_iter().flat_map(|level| (0..64).map(move |flags| (level, flags))) {
        let part = kernel(&call(flags), level);
        let mut slots: HashMap<String, String> = HashMap::new();
        let mut calls = 0;
        for line in part.listing.lines().map(str::trim) {
            let fields: Vec<&str> = line.split([' ', ',']).filter(|f| !f.is_empty()).collect();
            match fields[..] {
                ["seti", d, value] => {
                    slots.insert(d.to_string(), value.to_string());
                }
                ["mimiccall", _, a, b, imm] => {
                    calls += 1;
                    assert_eq!(imm, flags.to_string());
                    assert_eq!(slots[a], "101", "{level:?} {flags}\n{}", part.listing);
                    let first: usize = b.trim_matches(['[', ']']).parse().expect("a slot");
                    for slot in named(flags) {
                        let value = &slots[&format!("[{}]", first + slot)];
                        assert_eq!(*value, (102 + slot).to_string(), "{level:?} {flags}\n{}", part.listing);
                    }
                }
                _ => {}
            }
        }
        assert_eq!(calls, 1, "{level:?} {flags}\n{}", part.listing);
    }
}

#[test]
fn what_a_kernel_does_to_the_world_stays_in_order() {
    // Each result is dropped, each store overwritten, and the two arms differ in nothing but their numbers.
    let text = "{
        astore(1, 7, 1)
        astore(1, 7, 2)
        pop(mimiccall(0, 5, 0, 32, 6, 0, 0, 0, 0, 0))
        log3(0, 0, 1, 2, 3)
        astore(1, 7, 3)
        switch calldataload(0)
        case 0 { pop(mimiccall(2, 5, 0, 32, 6, 0, 0, 0, 0, 0)) astore(2, 7, 3) }
        default { pop(mimiccall(16, 5, 0, 32, 6, 0, 0, 0, 0, 0)) astore(3, 7, 3) }
        return(0, 96)
    }";
    for level in LEVELS {
        let part = kernel(text, level);
        let lines = listed(&part, &["astore", "mimiccall", "log"]);
        let names: Vec<&str> = lines.iter().map(|line| line.split(' ').next().unwrap_or(line)).collect();
        assert_eq!(
            names[..5],
            ["astore", "astore", "mimiccall", "log", "astore"],
            "{level:?}\n{}",
            part.listing
        );
        let mut last: Vec<&str> = lines[5..].iter().filter_map(|line| line.rsplit(' ').next()).collect();
        last.sort_unstable();
        assert_eq!(last, ["16", "2", "2", "3"], "{level:?}\n{}", part.listing);
    }
}

#[test]
fn a_store_that_a_mimiccall_reads_stays() {
    let text = "{
        mstore(0, 1)
        mstore(32, 11)
        pop(mimiccall(0, 5, 0, 64, 6, 0, 0, 0, 0, 0))
        mstore(0, 2)
        pop(mimiccall(1, 5, 0, 64, 6, 0, 0, 0, 0, 0))
        mstore(0, 3)
        return(0, 96)
    }";
    for level in LEVELS {
        let stores = listed(&kernel(text, level), &["st"]).len();
        // The store of 2 is seen by nobody: the second call's input is calldata.
        assert_eq!(stores, if level == Level::O0 { 4 } else { 3 }, "{level:?}");
    }
}

#[test]
fn kernels_move_accounts_and_call_contracts() {
    let callee = "{
        if iszero(callvalue()) { revert(0, 0) }
        sstore(1, caller()) sstore(2, callvalue()) sstore(3, calldataload(0)) sstore(4, calldatasize())
        mstore(0, 77) return(0, 32)
    }";
    let text = format!(
        "{{
            let to := {to} let from := {from}
            function move(to_, from_) -> status, back_ {{
                astore(1, from_, add(aload(1, from_), 1))
                astore(2, from_, sub(aload(2, from_), 9))
                status := mimiccall(3, to_, 3, sub(calldatasize(), 3), from_, 9, 0, 0, 0, 0)
                returndatacopy(0, 0, returndatasize())
                back_ := mload(0)
            }}
            let first, back := move(to, from)
            mstore(320, 0x1234)
            let second := mimiccall(0, to, 351, 1, from, 0, 0, 0, 0, 0)
            mstore(32, add(shl(8, first), second))
            mstore(64, back)
            mstore(96, calldatakeccak(3, 5))
            return(32, 96)
        }}",
        to = format_args!("0x{}", hex::encode(CONTRACT)),
        from = format_args!("0x{}", hex::encode(SENDER)),
    );
    let input: Vec<u8> = (1..=40).collect();
    for level in LEVELS {
        let mut codes = CodeStore::new();
        let callee = compile(callee, &options(level, false)).expect("a contract").deploy;
        let hash = codes.insert(callee.page().expect("a page"));
        let cells = [
            (CellId::code_hash(CONTRACT), hash),
            (CellId::nonce(SENDER), Word::from(4)),
            (CellId::balance(SENDER), Word::from(30)),
        ];
        let view = HashMap::from(cells);
        let limits = Limits { unproven: true, ..Limits::default() };
        let page = kernel(&text, level).page().expect("a page").into();
        let run = machine::run::<_, NoTrace>(&view, &codes, &page, &Environment::default(), &input, &limits);
        let run = run.unwrap_or_else(|stopped| panic!("{level:?}: {stopped}"));
        let digest: [u8; 32] = Keccak256::digest(&input[3..8]).into();
        // The first call succeeds, the second carries no value and is reverted.
        assert_eq!(run.result, [Word::from(0x100), Word::from(77), Word::from_be_bytes(digest)], "{level:?}");
        let end = |cell: CellId| run.touched.iter().find(|t| t.cell == cell).map(|t| t.new);
        assert_eq!(end(CellId::nonce(SENDER)), Some(Word::from(5)), "{level:?}");
        assert_eq!(end(CellId::balance(SENDER)), Some(Word::from(21)), "{level:?}");
        let slot = |n: u128| end(CellId::storage(CONTRACT, Word::from(n)));
        let data: [u8; 32] = input[3..35].try_into().expect("32 bytes");
        assert_eq!(slot(1), Some(word(SENDER)), "{level:?}");
        assert_eq!(slot(2), Some(Word::from(9)), "{level:?}");
        assert_eq!(slot(3), Some(Word::from_be_bytes(data)), "{level:?}");
        assert_eq!(slot(4), Some(Word::from(37)), "{level:?}");
    }
}

#[test]
fn numbers_of_instructions_are_literals_that_the_machine_knows() {
    assert!(fault("{ pop(aload(calldatasize(), 1)) }").contains("`aload` is a number, written as a literal"));
    assert!(fault("{ let k := 1 astore(k, 1, 1) }").contains("`astore` is a number, written as a literal"));
    for kind in ["0", "4", "5", "7", "0x10001"] {
        assert_eq!(fault(&format!("{{ pop(aload({kind}, 1)) }}")), "`aload`: its kinds are 1, 2, 3 and 6");
    }
    let flags = "{ pop(mimiccall(64, 1, 2, 3, 4, 5, 6, 7, 8, 9)) }";
    assert_eq!(fault(flags), "`mimiccall`: its flags are sums of 1, 2, 4, 8, 16 and 32");
    assert!(fault("{ pop(sha256(1)) }").contains("`sha256` takes 2 arguments, found 1"));
}

#[test]
fn the_names_are_free_outside_of_kernels() {
    for builtin in Builtin::KERNEL {
        let name = builtin.name();
        let own = format!("{{ function {name}(a) -> b {{ b := add(a, 1) }} sstore(0, {name}(1)) }}");
        assert!(compile(&own, &options(Level::O3, false)).is_ok(), "{name}");
        let refused = format!("`{name}` cannot be declared: it is a builtin function");
        assert!(fault(&own).starts_with(&refused), "{name}");
        let used = format!("{{ sstore(0, {name}(1)) }}");
        let faults = compile(&used, &options(Level::O3, false)).expect_err("no such function");
        assert!(faults[0].message.contains("is no function that is known here"), "{name}: {faults:?}");
    }
}
