//! Our own tests in the format of Solidity's semantic tests pass, and the runner tells a failure from a success.
use lathe_compiler::semantic::run::Verdict;
use lathe_compiler::semantic::skips::{MANIFEST, Skips};
use lathe_compiler::semantic::suite::{Report, run_folder};
use std::path::Path;

fn run(folder: &Path) -> Report {
    let skips = Skips::read(MANIFEST).expect("the manifest is valid");
    run_folder(folder, &skips).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn our_own_tests_pass() {
    let report = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/semantic"));
    let failures: Vec<String> =
        report.failures().map(|(path, message)| format!("{}\n  {message}", path.display())).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(report.passed() >= 30, "{} passed", report.passed());
    // The one that checks a pairing.
    assert_eq!(report.json()["byReason"], serde_json::json!({ "precompiles": 1 }));
}

#[test]
fn what_the_manifest_would_skip_holds_by_the_rules_of_this_machine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/semantic_code");
    let report = run_folder(&folder, &Skips::default()).unwrap_or_else(|error| panic!("{error}"));
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty() && report.passed() == 1, "{failures:?}");
}

const CONTRACT: &str = "contract C { event E(uint); uint public x; function f(uint y) external returns (uint) { \
                        require(y < 5, \"five\"); x = y; emit E(y); return y + 1; } }\n";

/// The verdicts on tests of one contract, given what stands below it; all in one folder, so that solc starts once.
fn verdicts(endings: &[&str]) -> Vec<Verdict> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (i, ending) in endings.iter().enumerate() {
        let path = folder.path().join(format!("{i:02}.sol"));
        std::fs::write(path, format!("{CONTRACT}{ending}\n")).expect("it can be written");
    }
    run(folder.path()).verdicts.into_values().collect()
}

#[test]
fn what_a_test_expects_is_held_against_the_machine() {
    let passing = [
        "// ----\n// f(uint256): 1 -> 2\n// ~ emit E(uint256): 1\n// gas irOptimized: 5\n// x() -> 1",
        "// ----\n// f(uint256): 5 -> FAILURE, hex\"08c379a0\", 0x20, 4, \"five\"",
    ];
    assert_eq!(verdicts(&passing), [Verdict::Passed, Verdict::Passed]);
    let failing = [
        ("another result", "// ----\n// f(uint256): 1 -> 3\n// ~ emit E(uint256): 1"),
        ("an event that nobody expects", "// ----\n// f(uint256): 1 -> 2"),
        ("another event", "// ----\n// f(uint256): 1 -> 2\n// ~ emit E(uint256): 2"),
        ("a success", "// ----\n// f(uint256): 1 -> FAILURE"),
        ("a failure", "// ----\n// f(uint256): 5 -> 6"),
        ("a failure with another reason", "// ----\n// f(uint256): 5 -> FAILURE"),
        ("empty storage", "// ----\n// storageEmpty -> 0"),
        ("no call", "// ----\n// f(uint256) 1 ->"),
    ];
    let given = verdicts(&failing.map(|(_, ending)| ending));
    for ((what, _), verdict) in failing.iter().zip(given) {
        assert!(matches!(verdict, Verdict::Failed(_)), "{what}: {verdict:?}");
    }
}

#[test]
fn only_what_reads_code_as_bytes_is_skipped_for_it() {
    let contract = |body: &str, expected: &str| {
        format!(
            "contract D {{ struct S {{ bytes code; }} S s; function g(address a) external returns (uint) {{ {body} }} }}\n// ----\n{expected}"
        )
    };
    let sizes = contract("s.code = \"abc\"; return s.code.length + a.code.length;", "// g(address): 0 -> 3");
    let bytes = contract("return uint(keccak256(a.code));", "// g(address): 0 -> 0");
    let runtime = contract("uint n; assembly { n := codesize() } return n;", "// g(address): 0 -> 0");
    let skipped = Verdict::Skipped("codeAsBytes".into());
    assert_eq!(verdicts(&[&sizes, &bytes, &runtime]), [Verdict::Passed, skipped.clone(), skipped]);
}

#[test]
fn what_settings_rule_out_is_skipped_with_its_reason() {
    let old = "// ====\n// EVMVersion: <paris\n// ----\n// x() -> 1";
    let legacy = "// ====\n// compileViaYul: false\n// ----\n// x() -> 1";
    let reasons = ["evmVersion", "legacyCodeGenerator"].map(|reason| Verdict::Skipped(reason.into()));
    assert_eq!(verdicts(&[old, legacy]), reasons);
}
