//! Yul that compilers of 256-bit words get wrong, one claim a test: each program does at every level what it does on the
//! EVM, for calldata of up to two words from the edges of their range.
use lathe_compiler::compile::{Level, Options, compile};
use lathe_oracle::draw::{ACCOUNTS, Call};
use lathe_oracle::solc;
use lathe_oracle::twin::{Trouble, Twin};
use lathe_vm::word::Word;
use std::fmt::Write;

const LEVELS: [Level; 5] = [Level::O0, Level::O1, Level::O2, Level::O3, Level::Oz];
/// More than a word of data, under the name `d`.
const DATA: &str = "data \"d\" \"thirty-two bytes of data, and more\"";

/// Words at the edges of what operations take.
fn edges() -> Vec<Word> {
    const MAX: u128 = u128::MAX;
    let small = [0, 1, 2, 31, 32, 33, 255, 256, 257, 1 << 31, 1 << 32, (1 << 64) - 1, 1 << 64, MAX];
    let wide = [
        (1, 0),
        (1 << 127, 0),
        (1 << 127, 1),
        (MAX >> 1, MAX),
        (MAX, MAX),
        (MAX, MAX - 1),
        (MAX, MAX - 31),
        (0x8877_6655_4433_2211_00ff_eedd_ccbb_aa99, 0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978),
    ];
    small.map(Word::from).into_iter().chain(wide.map(|(hi, lo)| Word::new(hi, lo))).collect()
}

/// Every pair of edges, every edge alone, and nothing.
fn inputs() -> Vec<Vec<u8>> {
    let edges = edges();
    let mut out = vec![Vec::new()];
    for a in &edges {
        out.push(a.to_be_bytes().to_vec());
        out.extend(edges.iter().map(|b| [a.to_be_bytes(), b.to_be_bytes()].concat()));
    }
    out
}

fn object(name: &str, body: &str) -> String {
    format!("object \"{name}\" {{ code {{ {body} }} {DATA} }}")
}

/// EVM code that deploys any of the bodies: creation code followed by a word with its number.
fn assembled(bodies: &[&str]) -> Vec<u8> {
    let mut text =
        String::from("object \"D\" { code { codecopy(0, sub(codesize(), 32), 32) switch mload(0)\n");
    for i in 0..bodies.len() {
        let _ = writeln!(
            text,
            "case {i} {{ datacopy(0, dataoffset(\"P{i}\"), datasize(\"P{i}\")) return(0, datasize(\"P{i}\")) }}"
        );
    }
    text.push_str("default { revert(0, 0) } }\n");
    for (i, body) in bodies.iter().enumerate() {
        let _ = writeln!(text, "{}", object(&format!("P{i}"), body));
    }
    text.push('}');
    solc::yul(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// The bodies do the same on both machines. What a call leaves in storage, the next one finds.
fn same(bodies: &[&str]) {
    let code = assembled(bodies);
    for (i, body) in bodies.iter().enumerate() {
        let initcode = [&code[..], &Word::from(i as u128).to_be_bytes()].concat();
        for level in LEVELS {
            let pages = compile(&object("P", body), &Options { level, ..Options::default() })
                .unwrap_or_else(|errors| panic!("{level:?}: {errors:?}\n{body}"));
            let install = || Twin::install(&initcode, &pages).unwrap_or_else(|trouble| panic!("{trouble}"));
            let mut twin = install();
            for data in inputs() {
                let call = Call { name: String::new(), from: ACCOUNTS[0], value: Word::from(3), data };
                match twin.call(&call) {
                    Ok(_) => {}
                    Err(Trouble::OutOfResources(_)) => twin = install(),
                    Err(Trouble::Different(text)) => {
                        panic!("{level:?}, called with 0x{}:\n{text}\n{body}", hex::encode(&call.data))
                    }
                }
            }
        }
    }
}

#[test]
fn a_range_that_begins_beyond_the_return_data_halts_even_if_it_is_empty() {
    same(&[
        "returndatacopy(0, calldataload(0), calldataload(32)) mstore(0, 7) return(0, 32)",
        "returndatacopy(0, 1, 0) mstore(0, 7) return(0, 32)",
        "returndatacopy(calldataload(0), 0, 0) mstore(0, msize()) return(0, 32)",
    ]);
}

#[test]
fn division_shifts_and_bytes_keep_the_corner_cases_of_the_evm() {
    same(&[
        "let x := calldataload(0) let y := calldataload(32)
        mstore(0, div(x, y)) mstore(32, mod(x, y)) mstore(64, sdiv(x, y)) mstore(96, smod(x, y)) mstore(128, exp(x, y))
        mstore(160, shl(x, y)) mstore(192, shr(x, y)) mstore(224, sar(x, y)) mstore(256, signextend(x, y))
        mstore(288, byte(x, y)) mstore(320, addmod(x, y, not(y))) mstore(352, mulmod(x, y, not(x)))
        mstore(384, slt(x, y)) mstore(416, sgt(x, y)) mstore(448, exp(2, x)) return(0, 480)",
        "let x := calldataload(0) let min := shl(255, 1)
        mstore(0, sdiv(x, 2)) mstore(32, smod(x, 2)) mstore(64, sdiv(x, min)) mstore(96, smod(x, min))
        mstore(128, sdiv(x, not(0))) mstore(160, smod(x, not(0))) mstore(192, sdiv(x, not(1)))
        mstore(224, smod(x, not(6))) mstore(256, sdiv(x, 3)) mstore(288, smod(x, 10)) mstore(320, smod(x, 8))
        mstore(352, sdiv(x, 1)) mstore(384, smod(x, 1)) return(0, 416)",
    ]);
}

#[test]
fn narrow_numbers_wrap_at_their_own_width() {
    same(&[
        "let x := calldataload(0) let y := calldataload(32) let a := and(x, 0xff) let b := and(y, 0xff)
        mstore(0, and(sub(a, b), 0xff)) mstore(32, and(add(a, b), 0xff)) mstore(64, signextend(0, add(x, y)))
        mstore(96, sar(3, signextend(1, x))) mstore(128, sdiv(signextend(0, x), signextend(0, y)))
        mstore(160, smod(signextend(3, x), signextend(0, y))) mstore(192, slt(signextend(0, x), signextend(0, y)))
        mstore(224, signextend(0, mul(signextend(0, x), signextend(0, y)))) mstore(256, eq(signextend(0, x), x))
        let p := mul(signextend(15, x), signextend(15, y)) mstore(288, eq(signextend(15, p), p))
        mstore(320, signextend(30, x)) mstore(352, signextend(31, x)) mstore(384, signextend(y, x)) return(0, 416)",
        "let m := sub(shl(128, 1), 1) let x := and(calldataload(0), m) let y := and(calldataload(32), m)
        mstore(0, mul(x, y)) mstore(32, gt(mul(x, y), m)) mstore(64, shr(128, mul(x, y))) mstore(96, gt(add(x, y), m))
        mstore(128, div(shl(128, x), add(y, 1))) mstore(160, shr(1, add(x, y))) mstore(192, mod(x, 0xffffffff))
        mstore(224, div(x, 10)) mstore(256, mod(x, 10)) mstore(288, gt(x, shr(64, m))) mstore(320, sub(0, gt(x, y)))
        mstore(352, mul(gt(x, y), sub(x, y))) mstore(384, sub(gt(x, y), lt(x, y))) return(0, 416)",
        "let x := calldataload(0)
        mstore(0, and(x, 0xffff)) mstore(2, and(x, 0xffffffff)) mstore(64, shl(224, x)) let s := mload(66)
        mstore(128, shr(240, mload(64))) mstore(160, and(mload(70), 0xff)) mstore(192, s) mstore8(200, x)
        mstore8(201, shr(8, x)) mstore8(202, shr(16, x)) mstore8(203, shr(24, x)) mstore(224, mload(200))
        mstore(256, byte(3, mload(201))) return(0, 300)",
    ]);
}

#[test]
fn what_becomes_an_intrinsic_of_llvm_means_the_same() {
    same(&[
        // Least, most, absolute, sign, saturation, wide products.
        "let x := calldataload(0) let y := calldataload(32)
        mstore(0, xor(x, mul(xor(x, y), lt(x, y)))) mstore(32, xor(x, mul(xor(x, y), slt(x, y))))
        mstore(64, mul(gt(x, y), sub(x, y))) mstore(96, sub(gt(x, y), lt(x, y))) mstore(128, sub(sgt(x, y), slt(x, y)))
        mstore(160, sub(xor(x, sar(255, x)), sar(255, x))) let s := add(x, y) mstore(192, or(s, sub(0, lt(s, x))))
        let h := mulmod(x, y, not(0)) mstore(224, sub(sub(h, mul(x, y)), lt(h, mul(x, y))))
        mstore(256, and(x, sub(0, x))) mstore(288, iszero(and(x, sub(x, 1)))) return(0, 320)",
        // Rotations of words and of halves.
        "let x := calldataload(0) let n := calldataload(32) let m := and(n, 255)
        mstore(0, or(shl(n, x), shr(sub(256, n), x))) mstore(32, or(shr(n, x), shl(sub(256, n), x)))
        mstore(64, or(shl(m, x), shr(and(sub(0, m), 255), x))) mstore(96, or(shl(m, x), shr(sub(256, m), n)))
        mstore(128, or(shl(7, x), shr(249, x))) mstore(160, or(shr(7, x), shl(249, n)))
        let w := 0xffffffffffffffff let l := and(x, w) mstore(192, and(or(shl(13, l), shr(51, l)), w))
        mstore(224, and(or(shl(and(n, 63), l), shr(and(sub(64, n), 63), l)), w)) return(0, 256)",
        // Reversed bytes.
        "let x := calldataload(0) let r := 0 let m := div(not(0), 0x101)
        for { let i := 0 } lt(i, 32) { i := add(i, 1) } { r := or(shl(8, r), and(shr(mul(8, i), x), 0xff)) }
        mstore(0, r) mstore(32, or(shl(8, and(x, m)), and(shr(8, x), m))) let z := and(x, 0xffffffff)
        mstore(64, or(or(shl(24, and(z, 0xff)), shl(8, and(z, 0xff00))), or(and(shr(8, z), 0xff00), shr(24, z))))
        mstore(96, or(shl(8, and(x, 0xff)), and(shr(8, x), 0xff))) return(0, 128)",
        // Loops that count bits.
        "let x := calldataload(0) let c := 0 for { } x { x := and(x, sub(x, 1)) } { c := add(c, 1) }
        mstore(0, c) return(0, 32)",
        "let x := calldataload(0) let c := 0 for { } x { x := shr(1, x) } { c := add(c, 1) } mstore(0, c) return(0, 32)",
        "let x := calldataload(0) let c := 0
        for { } iszero(and(x, 1)) { x := shr(1, x) } { c := add(c, 1) if gt(c, 300) { break } }
        mstore(0, c) return(0, 32)",
        // Population count without a loop.
        "let x := calldataload(0) let c := sub(x, and(shr(1, x), div(not(0), 3)))
        c := add(and(c, div(not(0), 5)), and(shr(2, c), div(not(0), 5))) c := and(add(c, shr(4, c)), div(not(0), 17))
        mstore(0, shr(248, mul(c, div(not(0), 255)))) return(0, 32)",
    ]);
}

#[test]
fn closed_formulas_of_loops_are_the_loops() {
    same(&[
        "let x := calldataload(0) let s := 0
        for { let i := 0 } lt(i, and(x, 0xff)) { i := add(i, 1) } { s := add(s, mul(i, i)) } mstore(0, s) return(0, 32)",
        "let x := calldataload(0) let s := 0
        for { let i := sub(0, 5) } lt(i, not(0)) { i := add(i, 1) } { s := add(s, mul(i, mul(i, x))) }
        mstore(0, s) return(0, 32)",
        "let n := and(calldataload(0), 0x1ff) let s := calldataload(32)
        for { let i := 0 } lt(i, n) { i := add(i, 1) } { s := add(s, mul(s, i)) s := xor(s, i) }
        for { let i := 0 } lt(i, n) { i := add(i, 1) } { s := add(s, i) }
        for { let i := n } i { i := sub(i, 1) } { s := add(s, mul(i, 3)) } mstore(0, s) return(0, 32)",
        "let s := 0 for { let i := 0 } slt(i, calldataload(0)) { i := add(i, 1) } { s := add(s, i) if gt(i, 100) { break } }
        for { let i := 10 } sgt(i, sub(0, 10)) { i := sub(i, 1) } { s := add(s, mul(i, i)) } mstore(0, s) return(0, 32)",
        "let n := and(calldataload(0), 0xff) let s := 0
        for { let i := 0 } lt(i, n) { i := add(i, 2) } { s := add(s, exp(i, 3)) s := add(s, div(calldataload(32), add(i, 1))) }
        for { let i := 1 } lt(i, n) { i := mul(i, 2) } { s := xor(s, i) }
        for { let i := n } gt(i, 1) { i := div(i, 3) } { s := add(s, shl(i, 1)) } mstore(0, s) return(0, 32)",
    ]);
}

#[test]
fn checks_of_overflow_fail_when_the_evm_says_so() {
    same(&[
        "let x := calldataload(0) let y := calldataload(32) let p := mul(x, y)
        mstore(0, iszero(or(iszero(x), eq(y, div(p, x))))) mstore(32, or(iszero(x), eq(y, sdiv(p, x))))
        let s := add(x, y) mstore(64, gt(x, s)) mstore(96, lt(x, y)) mstore(128, sub(x, y))
        mstore(160, and(sgt(x, not(0)), slt(s, y))) let d := sub(x, y)
        mstore(192, or(and(iszero(slt(y, 0)), sgt(d, x)), and(slt(y, 0), slt(d, x)))) return(0, 224)",
        "function plus(a, b) -> c { c := add(a, b) if gt(a, c) { mstore(0, 1) revert(0, 32) } }
        function minus(a, b) -> c { c := sub(a, b) if gt(c, a) { mstore(0, 2) revert(0, 32) } }
        function times(a, b) -> c { c := mul(a, b) if iszero(or(iszero(a), eq(b, div(c, a)))) { mstore(0, 3) revert(0, 32) } }
        let x := calldataload(0) let y := calldataload(32) sstore(0, plus(x, y)) sstore(1, minus(x, y))
        sstore(2, times(x, y)) mstore(64, plus(times(x, y), minus(x, 1))) return(64, 32)",
        // The result is read where the check fails.
        "let x := calldataload(0) let y := calldataload(32)
        let c := add(x, 1) if iszero(c) { mstore(0, x) revert(0, 32) }
        let d := sub(y, 5) if lt(y, 5) { mstore(0, d) revert(0, 32) }
        let e := add(x, y) if lt(e, x) { mstore(0, e) mstore(32, d) revert(0, 64) }
        let f := sub(e, 0x10000000000) if lt(e, 0x10000000000) { sstore(9, f) mstore(0, f) return(0, 32) }
        let g := sub(f, 0x100) if gt(f, 0xff) { mstore(0, g) revert(0, 32) } mstore(0, g) return(0, 32)",
    ]);
}

#[test]
fn what_is_known_of_the_heap_is_forgotten_when_it_changes() {
    same(&[
        "mstore(0, calldataload(0)) mstore(32, 1) let a := keccak256(0, 64) mstore(31, calldataload(32))
        let b := keccak256(0, 64) mstore8(63, 9) let c := keccak256(0, 64) calldatacopy(10, 3, 7)
        let d := keccak256(0, 64) mcopy(1, 40, 13) let e := keccak256(0, 64) mstore(0, calldataload(0)) mstore(32, 1)
        let f := keccak256(0, 64) mstore(0, a) mstore(32, b) mstore(64, c) mstore(96, d) mstore(128, e) mstore(160, f)
        return(0, 192)",
        "let x := and(calldataload(0), 63) mstore(0, 1) mstore(32, 2) mstore(64, 3) mstore(x, 4) let a := mload(0)
        let b := mload(32) let c := mload(64) mstore8(x, 9) let d := mload(x) mstore8(add(x, 3), mload(1))
        mstore(96, a) mstore(128, b) mstore(160, c) mstore(192, d) return(0, 224)",
        "let x := calldataload(0) mstore(0, 1) mstore(x, 2) let a := mload(0) mstore(0, 3) let b := mload(x) mstore(0, a)
        mstore(32, b) return(0, 64)",
        "let p := calldataload(0) mstore(p, 0x1122334455667788) let k := keccak256(p, 32) mstore(add(p, 1), 3)
        let l := keccak256(p, 32) mstore(0, k) mstore(32, l) return(0, 64)",
        "let n := and(calldataload(0), 0x1ff) for { let i := 0 } lt(i, n) { i := add(i, 1) } { mstore(mul(i, 32), 0) }
        for { let i := 0 } lt(i, n) { i := add(i, 1) } { mstore8(i, 0xab) }
        for { let i := 0 } lt(i, n) { i := add(i, 32) } { mstore(add(i, 1000), div(not(0), 0xff)) }
        for { let i := 0 } lt(i, n) { i := add(i, 32) } { mstore(add(i, 2000), mload(add(i, 900))) }
        for { let i := 0 } lt(i, n) { i := add(i, 32) } { mstore(add(i, 2010), mload(add(i, 2000))) } return(0, 4000)",
    ]);
}

#[test]
fn what_is_known_of_storage_is_forgotten_when_it_may_change() {
    same(&["let x := calldataload(0) sstore(x, 1) let a := sload(0) sstore(0, 2) let b := sload(x) sstore(x, 3)
        let c := sload(0) tstore(x, 5) let d := tload(0) tstore(0, 6) let e := tload(x) mstore(0, a) mstore(32, b)
        mstore(64, c) mstore(96, d) mstore(128, e) mstore(160, sload(calldataload(32))) return(0, 192)"]);
}

#[test]
fn empty_ranges_may_lie_anywhere_and_others_read_zero_beyond_the_end() {
    same(&[
        "calldatacopy(0, calldataload(0), 100) calldatacopy(100, not(0), 10) calldatacopy(not(0), 0, 0)
        calldatacopy(120, shl(64, 1), 50) calldatacopy(200, 20, 100) mcopy(not(5), not(3), 0) log0(not(0), 0)
        mstore(400, keccak256(not(0), 0)) mstore(450, calldataload(not(0))) mstore(482, calldataload(shl(64, 1)))
        mstore(514, calldataload(not(31))) mstore(600, calldataload(calldataload(0))) return(0, 700)",
        "datacopy(5, dataoffset(\"d\"), datasize(\"d\")) datacopy(100, add(dataoffset(\"d\"), 7), 20)
        datacopy(150, dataoffset(\"d\"), and(calldataload(0), 31)) datacopy(calldataload(0), dataoffset(\"d\"), 0)
        mstore(320, datasize(\"d\")) return(0, 352)",
        "revert(calldataload(0), 0)",
        "return(calldataload(0), and(calldataload(32), 0xff))",
        "sstore(0, keccak256(calldataload(0), and(calldataload(32), 0xff)))",
        "mstore(calldataload(0), 1) sstore(0, 1)",
    ]);
}

#[test]
fn msize_counts_every_access_of_the_heap() {
    same(&[
        "mstore(0, msize()) pop(mload(calldataload(0))) mstore(32, msize()) return(0, 64)",
        "pop(mload(and(calldataload(0), 0xffff))) mstore(0, msize()) mstore8(and(calldataload(32), 0xffff), 1)
        mstore(32, msize()) calldatacopy(0x300, 0, 1) mstore(64, msize()) calldatacopy(shl(68, 1), 0, 0)
        mstore(96, msize()) log0(0x401, 31) mstore(128, msize()) pop(keccak256(0x501, 32)) mstore(160, msize())
        mcopy(0x10, 0x600, 0) mstore(192, msize()) mcopy(0x10, 0x6ff, 2) mstore(224, msize()) mcopy(0x7ff, 0x10, 2)
        mstore(256, msize()) datacopy(0x900, dataoffset(\"d\"), 3) mstore(288, msize()) return(0, 320)",
    ]);
}

#[test]
fn arguments_are_evaluated_from_the_last_to_the_first() {
    same(&["function t(x) -> y { y := add(mload(0), 1) mstore(0, y) mstore(mul(y, 32), x) }
        sstore(t(1), add(t(2), mul(t(3), t(4)))) let z := sub(t(5), t(6)) mstore8(t(7), t(8)) log2(t(0), 64, t(9), t(10))
        mcopy(300, t(2), 40) mstore(320, z) return(0, 400)"]);
}

#[test]
fn loops_functions_and_switches_go_where_they_should() {
    same(&[
        "function f(a) -> r { for { let i := 0 } 1 { i := add(i, 1) } { for { let j := 0 } lt(j, 10) { j := add(j, 1) } {
        if eq(mul(i, j), and(a, 15)) { r := add(mul(i, 100), j) leave } if gt(i, 20) { r := 7 leave }
        if and(j, 1) { continue } if gt(j, 8) { break } } } } mstore(0, f(calldataload(0))) return(0, 32)",
        "function a(n) -> r { if lt(n, 2) { r := n leave } r := add(a(sub(n, 1)), b(sub(n, 2))) }
        function b(n) -> r { if lt(n, 2) { r := n leave } r := add(b(sub(n, 1)), a(sub(n, 2))) sstore(n, r) }
        mstore(0, a(and(calldataload(0), 15))) return(0, 32)",
        "function f(a, b) -> p, q, r { switch lt(a, b) case 1 { p := a q := b r := g(b) }
        default { p, q, r := f(b, add(a, 1)) if gt(r, 0xffffff) { leave } r := add(r, 1) } }
        function g(a) -> r { r := mul(a, 7) if and(a, 1) { r := sub(0, r) } sstore(a, r) }
        let p, q, r := f(and(calldataload(0), 7), and(calldataload(32), 7)) mstore(0, p) mstore(32, q) mstore(64, r)
        return(0, 96)",
        "function f(a, b, c, d, e, g, h, i, j, k) -> x, y { x := sub(a, add(b, mul(c, d))) y := sub(e, xor(g, h))
        if lt(i, j) { x, y := f(k, j, add(i, 1), h, g, e, d, c, b, a) x := sub(y, x) } }
        let q := and(calldataload(0), 0xff) let x, y := f(1, q, 3, q, 5, 6, calldataload(32), 0, and(q, 7), 10)
        mstore(0, x) mstore(32, y) return(0, 64)",
        "let i := 0 let a := 1 let b := 2 let c := 3 for { } lt(i, and(calldataload(0), 31)) { i := add(i, 1) } {
        let t := a a := b b := c c := t if eq(i, 5) { t := a a := b b := t } sstore(i, add(a, mul(10, add(b, mul(10, c))))) }
        mstore(0, a) mstore(32, b) mstore(64, c) return(0, 96)",
        "switch calldataload(0) case 0 { mstore(0, 10) } case 255 { mstore(0, 11) } case 256 { mstore(0, 12) }
        case 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff { mstore(0, 13) }
        case 0x8000000000000000000000000000000000000000000000000000000000000000 { mstore(0, 14) }
        case 0x100000000 { mstore(0, 15) } case 0x100000000000000000000000000000000 { mstore(0, 16) }
        case 1 { mstore(0,17) } default { mstore(0, 18) } return(0, 32)",
        "switch and(calldataload(0), 7) case 0 { mstore(0, 0xaaaa) } case 1 { mstore(0, 0xbbbb) } case 2 { mstore(0, 0xcccc) }
        case 3 { mstore(0, 0xdddd) } case 4 { mstore(0, 1) } case 5 { mstore(0, 2) } case 6 { mstore(0, 3) } return(0, 32)",
    ]);
}

#[test]
fn conditions_hold_for_every_word_but_zero() {
    same(&["let x := calldataload(0) let a := eq(x, 0) let b := lt(x, 100) let c := gt(x, 31)
        if and(a, b) { sstore(0, 1) } if or(and(b, c), x) { sstore(1, x) } if iszero(iszero(and(b, c))) { sstore(2, 1) }
        if xor(a, b) { sstore(3, 1) } if and(x, b) { sstore(4, 1) } if and(x, 2) { sstore(5, 1) }
        if iszero(and(x, shl(255, 1))) { sstore(6, 1) } if sub(x, 31) { sstore(7, 1) } if slt(x, 0) { sstore(8, 1) }
        if sgt(x, 16383) { sstore(9, 1) } if lt(16383, x) { sstore(10, 1) } if lt(16384, x) { sstore(11, 1) }
        if gt(16382, x) { sstore(12, 1) } mstore(0, add(iszero(lt(x, 100)), mul(10, iszero(gt(x, 16383)))))
        mstore(32, iszero(iszero(x))) mstore(64, eq(eq(x, 1), 0)) mstore(96, iszero(iszero(iszero(x))))
        mstore(128, gt(x, 0)) mstore(160, iszero(lt(5, x))) mstore(192, eq(lt(x, 7), lt(7, x))) return(0, 224)"]);
}

#[test]
fn what_a_failing_path_did_is_undone() {
    same(&["let x := calldataload(0)
        if gt(x, 5) { if lt(x, 3) { invalid() } sstore(0, x) if gt(x, 1000) { mstore(0, x) revert(0, 32) } }
        tstore(1, x) if eq(x, 2) { sstore(7, 8) log1(0, 0, 1) revert(0, 0) } log1(0, 0, 2) sstore(1, tload(1)) stop()"]);
}

/// The message of the one error in a Yul object.
fn refused(text: &str) -> String {
    let errors = compile(text, &Options::default()).expect_err("it must not compile");
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn code_that_copies_itself_is_refused() {
    for copy in ["datacopy(0, dataoffset(\"A\"), datasize(\"A\"))", "codecopy(0, dataoffset(\"A\"), 32)"] {
        let message =
            refused(&format!("object \"A\" {{ code {{ {copy} }} object \"A_deployed\" {{ code {{ }} }} }}"));
        assert!(message.contains("cannot copy its own code"), "{message}");
    }
}

#[test]
fn objects_of_one_name_in_different_places_are_different_code() {
    let inner = |value| format!("object \"C\" {{ code {{ sstore(0, {value}) }} }}");
    let outer = |name: &str, value| {
        let code = "datacopy(0, dataoffset(\"C\"), 32) return(0, 32)";
        format!("object \"{name}\" {{ code {{ }} object \"R\" {{ code {{ {code} }} {} }} }}", inner(value))
    };
    let text =
        format!("object \"T\" {{ code {{ }} {} {} {} }}", outer("A", 1), outer("A2", 1), outer("B", 2));
    let contract = compile(&text, &Options::default()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let runtime = |c: &lathe_compiler::compile::Contract| c.runtime.as_ref().and_then(|part| part.hash);
    let [.., a2, b] = &contract.created[..] else {
        panic!("{} contracts are created", contract.created.len())
    };
    assert_ne!(runtime(a2), runtime(b), "both copy the hash of one C");
}
