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
    // The one that calls a linked library.
    assert_eq!(report.json()["byReason"], serde_json::json!({ "farCalls": 1 }));
}

/// The verdict on one test.
fn verdict(text: &str) -> Verdict {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("test.sol"), text).expect("it can be written");
    let mut report = run(folder.path());
    report.verdicts.pop_first().expect("the folder has a test").1
}

const CONTRACT: &str = "contract C { event E(uint); uint public x; function f(uint y) external returns (uint) { \
                        require(y < 5, \"five\"); x = y; emit E(y); return y + 1; } }\n";

fn expecting(calls: &str) -> Verdict {
    verdict(&format!("{CONTRACT}// ----\n{calls}\n"))
}

#[test]
fn what_a_test_expects_is_held_against_the_machine() {
    assert_eq!(expecting("// f(uint256): 1 -> 2\n// ~ emit E(uint256): 1\n// x() -> 1"), Verdict::Passed);
    let failed = |calls| matches!(expecting(calls), Verdict::Failed(_));
    assert!(failed("// f(uint256): 1 -> 3\n// ~ emit E(uint256): 1"), "another result");
    assert!(failed("// f(uint256): 1 -> 2"), "an event that nobody expects");
    assert!(failed("// f(uint256): 1 -> 2\n// ~ emit E(uint256): 2"), "another event");
    assert!(failed("// f(uint256): 1 -> FAILURE"), "no failure");
    assert!(failed("// f(uint256): 5 -> 6"), "a failure");
    assert!(failed("// f(uint256): 5 -> FAILURE"), "a failure with another reason");
    assert!(failed("// storageEmpty -> 0"), "empty storage");
    assert!(failed("// f(uint256) 1 ->"), "no call");
    assert_eq!(expecting("// f(uint256): 5 -> FAILURE, hex\"08c379a0\", 0x20, 4, \"five\""), Verdict::Passed);
}

#[test]
fn what_settings_rule_out_is_skipped_with_its_reason() {
    let old = verdict(&format!("{CONTRACT}// ====\n// EVMVersion: <paris\n// ----\n// x() -> 1\n"));
    assert_eq!(old, Verdict::Skipped("evmVersion".into()));
    let legacy = verdict(&format!("{CONTRACT}// ====\n// compileViaYul: false\n// ----\n// x() -> 1\n"));
    assert_eq!(legacy, Verdict::Skipped("legacyCodeGenerator".into()));
}
