//! What other compilers have got wrong, each as a program with its answer: once with its inputs as literals, so that every
//! folding rule applies, and once with them in calldata. The EVM must give the same answer, or the test itself is wrong.
use lathe_compiler::compile::{Level, Options, compile};
use lathe_oracle::draw::{ACCOUNTS, Call};
use lathe_oracle::evm::Status;
use lathe_oracle::program::batch;
use lathe_oracle::solc;
use lathe_oracle::twin::Twin;
use lathe_vm::word::Word;
use std::sync::OnceLock;

/// A program over `a`, `b`, `c` that leaves its answer in `r`.
struct Case {
    name: &'static str,
    body: &'static str,
    inputs: [&'static str; 3],
    /// The answer, or `None` for a failure.
    answer: Option<&'static str>,
}

const MINIMUM: &str = "0x8000000000000000000000000000000000000000000000000000000000000000";
const MINUS_ONE: &str = "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
const MINUS_SEVEN: &str = "0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff9";
const MINUS_THREE: &str = "0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd";
/// The Keccak-256 of nothing.
const EMPTY_HASH: &str = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
/// Bytes 1 to 32.
const COUNTING: &str = "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";

macro_rules! cases {
    ($($(#[$doc:meta])* $name:ident($a:expr, $b:expr, $c:expr) = $answer:expr, $body:expr;)*) => {
        const CASES: &[Case] = &[$(Case {
            name: stringify!($name),
            body: $body,
            inputs: [$a, $b, $c],
            answer: $answer,
        }),*];

        $($(#[$doc])* #[test]
        fn $name() {
            check(stringify!($name));
        })*
    };
}

cases! {
    // LLVM's `srem` of the minimum by -1 is undefined, and x86 traps on it.
    smod_of_the_minimum_by_minus_one(MINIMUM, MINUS_ONE, "0") = Some("0"), "r := smod(a, b)";
    sdiv_of_the_minimum_by_minus_one(MINIMUM, MINUS_ONE, "0") = Some(MINIMUM), "r := sdiv(a, b)";
    division_by_zero_is_zero("7", "0", "0") = Some("0"), "r := or(or(div(a, b), mod(a, b)), or(sdiv(a, b), smod(a, b)))";
    sdiv_rounds_towards_zero(MINUS_SEVEN, "2", "0") = Some(MINUS_THREE), "r := sdiv(a, b)";
    smod_has_the_sign_of_the_dividend(MINUS_SEVEN, "2", "0") = Some(MINUS_ONE), "r := smod(a, b)";
    // A reduction that assumes the modulus to be below 2^255 overflows.
    mulmod_with_a_large_modulus(MINUS_ONE, MINUS_ONE, "0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe") =
        Some("1"), "r := mulmod(a, b, c)";
    mulmod_with_modulus_zero("3", "5", "0") = Some("0"), "r := mulmod(a, b, c)";
    addmod_does_not_wrap_between(MINUS_ONE, MINUS_ONE, "0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc") =
        Some("6"), "r := addmod(a, b, c)";
    addmod_with_modulus_zero("3", "5", "0") = Some("0"), "r := addmod(a, b, c)";
    // LLVM's shifts by the width and more are poison.
    shifts_by_the_width_and_more("256", MINUS_ONE, MINUS_ONE) = Some(MINUS_ONE),
        "r := or(or(shl(a, b), shr(a, b)), or(shl(c, b), and(sar(a, b), sar(c, b))))";
    shift_by_a_multiple_of_two_to_the_64("0x10000000000000000", "1", "0") = Some("0"), "r := or(shl(a, b), shr(a, b))";
    byte_beyond_the_word(COUNTING, "32", "0x100000000000000000000000000000000") = Some("0"), "r := or(byte(b, a), byte(c, a))";
    byte_counts_from_the_front(COUNTING, "2", "0") = Some("3"), "r := byte(b, a)";
    signextend_of_whole_words(MINUS_SEVEN, "31", MINUS_ONE) = Some(MINUS_SEVEN), "r := and(signextend(b, a), signextend(c, a))";
    signextend_takes_the_bit_below("0x17f", "0", "0x80") = Some("0x7f"), "r := signextend(b, a) if iszero(slt(signextend(b, c), 0)) { r := 1 }";
    zero_to_the_power_of_zero("0", "0", "0") = Some("1"), "r := exp(a, b)";
    power_wraps("3", "0x100000000000000000000000000000000", "0") = Some("0x8b7a43dfccea9b86aac77ae32292e8f400000000000000000000000000000001"), "r := or(exp(a, b), 0)";
    // A store that nothing reads still made memory larger.
    dead_store_before_msize("0x100", "1", "0") = Some("0x120"), "mstore(a, b) r := msize()";
    dead_load_before_msize("0x1f1", "0", "0") = Some("0x220"), "pop(mload(a)) r := msize()";
    store_overwritten_before_msize("0x80", "1", "2") = Some("0xa0"), "mstore(a, b) mstore(a, c) r := msize()";
    // Loads that straddle two stores must see both.
    mload_over_two_stores(COUNTING, MINUS_ONE, "0") = Some("0x1112131415161718191a1b1c1d1e1f20ffffffffffffffffffffffffffffffff"),
        "mstore(0, a) mstore(32, b) r := mload(16)";
    store_that_overlaps_a_store(COUNTING, "0", "1") = Some("0x0100000000000000000000000000000000000000000000000000000000000000"),
        "mstore(0, a) mstore(c, b) r := mload(0)";
    mstore8_takes_the_low_byte(COUNTING, "0x1ff", "31") = Some("0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fff"),
        "mstore(0, a) mstore8(c, b) r := mload(0)";
    mcopy_onto_itself_forwards(COUNTING, "1", "31") = Some("0x010102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
        "mstore(0, a) mcopy(b, 0, c) r := mload(0)";
    mcopy_onto_itself_backwards(COUNTING, "1", "31") = Some("0x02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2020"),
        "mstore(0, a) mcopy(0, b, c) r := mload(0)";
    // The free memory pointer is a word like any other: nothing says that it is small.
    free_memory_pointer_is_a_whole_word(MINUS_ONE, "0x40", "1") = Some("0"), "mstore(b, a) r := add(mload(0x40), c)";
    free_memory_pointer_beyond_the_heap("0x10000000000000001", "0", "0") = None, "mstore(0x40, a) mstore(mload(0x40), 1) r := 1";
    // Empty ranges are never looked at, wherever they are.
    hash_of_nothing_anywhere(MINUS_ONE, "0", "0") = Some(EMPTY_HASH), "r := keccak256(a, b)";
    copies_of_nothing_anywhere(MINUS_ONE, "0", "5") = Some("5"), "mcopy(a, a, b) calldatacopy(a, a, b) log0(a, b) r := c";
    calldata_does_not_wrap(MINUS_ONE, "0", "0") = Some("0"), "r := calldataload(a)";
    calldatacopy_does_not_wrap(MINUS_ONE, "32", COUNTING) = Some("0"), "mstore(0, c) calldatacopy(0, a, b) r := mload(0)";
    // Arguments are evaluated from the last to the first.
    arguments_are_evaluated_from_right_to_left("1", "2", "0") = Some("0x201"),
        "function f(x) -> y { y := add(mul(sload(9), 256), x) sstore(9, y) } pop(add(f(a), f(b))) r := sload(9)";
    storage_slots_that_turn_out_equal("7", "7", "3") = Some("3"), "sstore(a, 1) sstore(b, c) r := sload(a)";
    transient_and_plain_storage_are_apart("7", "1", "2") = Some("0x102"), "sstore(a, b) tstore(a, c) r := or(shl(8, sload(a)), tload(a))";
    // Counters wrap: there is no `nsw` in Yul.
    loop_over_the_end_of_the_range(MINUS_THREE, "2", "0") = Some("5"), "for { let i := a } iszero(eq(i, b)) { i := add(i, 1) } { r := add(r, 1) }";
    loop_by_a_large_step("0", "0x4000000000000000000000000000000000000000000000000000000000000000", "0") = Some("3"),
        "for { let i := b } i { i := add(i, b) } { r := add(r, 1) }";
    continue_runs_the_step("5", "2", "0") = Some("8"),
        "for { let i := 0 } lt(i, a) { i := add(i, 1) } { if eq(i, b) { continue } r := add(r, i) }";
    comparison_of_differences(MINIMUM, "1", "0") = Some("1"), "if gt(sub(a, b), 0) { if slt(a, 0) { r := sgt(sub(a, b), 0) } }";
    switch_over_far_cases(MINIMUM, "0", "0") = Some("3"),
        "switch a case 0 { r := 1 } case 0x4000000000000000000000000000000000000000000000000000000000000000 { r := 2 } case 0x8000000000000000000000000000000000000000000000000000000000000000 { r := 3 } default { r := 4 }";
    not_of_a_comparison_is_no_boolean("1", "2", "0") = Some("0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"), "r := not(lt(a, b))";
    revert_takes_the_stores_back("1", "2", "0") = None, "sstore(a, b) revert(0, 0)";
}

/// The program; its inputs are literals or lie in calldata.
fn object(case: &Case, literal: bool, name: &str) -> String {
    let input =
        |i: usize| if literal { case.inputs[i].to_string() } else { format!("calldataload({})", 32 * i) };
    format!(
        "object \"{name}\" {{ code {{\n  let a := {} let b := {} let c := {} let r\n  {}\n  mstore(0, r) return(0, 32)\n}} }}\n",
        input(0),
        input(1),
        input(2),
        case.body
    )
}

/// EVM code that deploys any program: two of each case, first with literals.
fn assembled() -> &'static [u8] {
    static CODE: OnceLock<Vec<u8>> = OnceLock::new();
    CODE.get_or_init(|| {
        let variants = CASES.iter().flat_map(|case| [(case, true), (case, false)]);
        let objects: Vec<_> =
            variants.map(|(case, literal)| move |name: &str| object(case, literal, name)).collect();
        solc::yul(&batch(&objects)).unwrap_or_else(|error| panic!("{error}"))
    })
}

fn check(name: &str) {
    let index = CASES.iter().position(|case| case.name == name).expect("every test is a case");
    let case = &CASES[index];
    let word = |text: &str| text.parse::<Word>().unwrap_or_else(|error| panic!("{name}: {error}"));
    let data: Vec<u8> = case.inputs.iter().flat_map(|input| word(input).to_be_bytes()).collect();
    for (variant, literal) in [(0, true), (1, false)] {
        let number = Word::from((2 * index + variant) as u128).to_be_bytes();
        let initcode = [assembled(), &number].concat();
        for level in [Level::O0, Level::O3, Level::Oz] {
            let context =
                format!("{name} at {level:?}, inputs {}", if literal { "literal" } else { "in calldata" });
            let pages = compile(&object(case, literal, "P"), &Options { level, ..Options::default() });
            let pages = pages.unwrap_or_else(|errors| panic!("{context}: {errors:?}"));
            let mut twin =
                Twin::install(&initcode, &pages).unwrap_or_else(|error| panic!("{context}: {error}"));
            let call = Call { name: name.into(), from: ACCOUNTS[0], value: Word::ZERO, data: data.clone() };
            let agreed = twin.call(&call).unwrap_or_else(|error| panic!("{context}:\n{error}"));
            match case.answer {
                Some(answer) => {
                    assert_eq!(agreed.evm.status, Status::Success, "{context}");
                    assert_eq!(
                        hex::encode(&agreed.evm.output),
                        hex::encode(word(answer).to_be_bytes()),
                        "{context}"
                    );
                }
                None => assert_ne!(agreed.evm.status, Status::Success, "{context}"),
            }
        }
    }
}
