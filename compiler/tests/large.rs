//! Code of a size or a shape that no contract has compiles in seconds or is refused with an error: it neither takes the
//! compiler minutes nor overflows its stack.
use lathe_compiler::compile::{Level, Options, compile};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Far above what any of these takes, also on a busy machine and without optimisation.
const PATIENCE: Duration = Duration::from_secs(300);

/// Compiles at two levels; the words of code, or the error.
fn compiled(body: &str) -> Result<usize, String> {
    let text = format!("object \"A\" {{ code {{ {body} }} }}");
    let mut words = Ok(0);
    for level in [Level::O0, Level::O3] {
        let start = Instant::now();
        let result = compile(&text, &Options { level, ..Options::default() });
        assert!(start.elapsed() < PATIENCE, "{level:?} takes {:?}", start.elapsed());
        words = result
            .map(|contract| contract.deploy.code_words)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }
    words
}

fn repeated(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut out, i| {
        let _ = writeln!(out, "{}", one(i));
        out
    })
}

fn nested(depth: usize, one: impl Fn(usize, &str) -> String) -> String {
    (0..depth).fold(String::from("sstore(0, add(sload(0), 1))"), |inner, i| one(i, &inner))
}

fn too_long(result: Result<usize, String>) {
    let message = result.expect_err("it cannot fit a page");
    assert!(message.contains("a code page holds 16380"), "{message}");
}

#[test]
fn twenty_thousand_statements() {
    let body = repeated(20_000, |i| format!("x := add(mul(x, {}), {i})", 4 * i + 3));
    assert!(compiled(&format!("let x := calldataload(0) {body} sstore(0, x)")).is_ok());
    too_long(compiled(&repeated(20_000, |i| format!("sstore({i}, calldataload({i}))"))));
}

#[test]
fn thousands_of_branches() {
    let branch = |i| format!("if eq(x, {i}) {{ sstore({i}, x) x := add(x, {i}) }}");
    assert!(compiled(&format!("let x := calldataload(0) {}", repeated(2_500, branch))).is_ok());
    too_long(compiled(&format!("let x := calldataload(0) {}", repeated(20_000, branch))));
}

#[test]
fn a_switch_of_five_thousand_cases() {
    let cases = repeated(5_000, |i| {
        format!("case {} {{ sstore(0, {i}) }}", i as u128 * 0x1234_5678_9abc_def0_1234_5678)
    });
    too_long(compiled(&format!("switch calldataload(0) {cases} default {{ stop() }}")));
    let cases = repeated(2_000, |i| format!("case {} {{ sstore(0, {i}) }}", i * 2_654_435_761 % (1 << 32)));
    assert!(compiled(&format!("switch shr(224, calldataload(0)) {cases} default {{ stop() }}")).is_ok());
}

#[test]
fn thousands_of_functions() {
    let body = "b := add(mul(a, a), sload(a)) if gt(b, 7) { sstore(b, a) }";
    let functions = repeated(3_000, |i| format!("function f{i}(a) -> b {{ {body} }}"));
    let calls = repeated(3_000, |i| format!("sstore({i}, f{i}(calldataload({i})))"));
    let _ = compiled(&format!("{functions} {calls}"));
    let calls = repeated(3_000, |i| format!("x := f{i}(x)"));
    let _ = compiled(&format!("{functions} let x := calldataload(0) {calls} sstore(0, x)"));
    let chain = repeated(1_000, |i| match i {
        0 => "function f0(a) -> b { b := a }".into(),
        _ => format!("function f{i}(a) -> b {{ b := add(f{}(add(a, sload(a))), f{}(a)) }}", i - 1, i - 1),
    });
    assert!(compiled(&format!("{chain} sstore(0, f999(calldataload(0)))")).is_ok());
}

#[test]
fn loops_as_deep_as_the_front_end_allows() {
    let one = |i, inner: &str| {
        format!(
            "for {{ let i{i} := 0 }} lt(i{i}, calldataload({i})) {{ i{i} := add(i{i}, 1) }} {{ {inner} }}"
        )
    };
    assert!(compiled(&nested(200, one)).is_ok());
    assert!(compiled(&repeated(2_000, |i| one(i, "sstore(0, 1)"))).is_ok());
}

#[test]
fn expressions_and_switches_as_deep_as_the_front_end_allows() {
    let sum = (0..240).fold(String::from("calldataload(0)"), |inner, i| format!("add({inner}, sload({i}))"));
    assert!(compiled(&format!("sstore(0, {sum})")).is_ok());
    let switch = |i, inner: &str| {
        format!("switch sload({i}) case 0 {{ {inner} }} case 1 {{ stop() }} default {{ sstore(2, {i}) }}")
    };
    assert!(compiled(&nested(240, switch)).is_ok());
}

#[test]
fn functions_of_thousands_of_parameters() {
    let list =
        |prefix: &str, count| (0..count).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>().join(", ");
    let arguments = (0..2_000).map(|i| format!("calldataload({i})")).collect::<Vec<_>>().join(", ");
    let body = format!("sstore(p5, add(p7, p1999)) if p9 {{ f({}) }}", list("p", 2_000));
    assert!(compiled(&format!("function f({}) {{ {body} }} f({arguments})", list("p", 2_000))).is_ok());
    let returns = list("r", 4_000);
    let message = compiled(&format!("function f() -> {returns} {{ }} let {} := f()", list("s", 4_000)));
    assert!(message.is_err_and(|text| text.contains("returns 4000 values")));
}

#[test]
fn more_values_at_a_time_than_a_frame_has_slots() {
    let body = repeated(5_000, |i| format!("let v{i} := sload({i})"))
        + &repeated(5_000, |i| format!("sstore({i}, v{})", 4_999 - i));
    assert!(compiled(&body).is_ok());
}

#[test]
fn small_functions_that_double_each_other() {
    let functions = repeated(60, |i| match i {
        0 => "function f0(x) -> y { y := add(mul(x, x), 1) }".to_string(),
        i => format!("function f{i}(x) -> y {{ y := add(f{}(x), f{}(add(x, 1))) }}", i - 1, i - 1),
    });
    assert!(compiled(&format!("sstore(0, f59(calldataload(0))) {functions}")).is_ok());
}
