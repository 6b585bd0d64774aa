//! The binary's commands as a user calls them, at tiny sizes.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

fn bench(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_prover-bench")).args(args).output().unwrap()
}

/// Runs a command that must succeed; its standard output.
fn ok(args: &[&str]) -> String {
    let output = bench(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail with exit code 1; its standard error.
fn fails(args: &[&str]) -> String {
    let output = bench(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn kernels_writes_a_file_with_machine_build_and_statistics() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("k.json");
    let args = ["kernels", "--ops", "msmG1,fft", "--log-size", "8", "--scalars", "u16", "--threads", "1,2"];
    let out = ok(&[&args[..], &["--runs", "2", "--backend", "cpu,portable", "--json", text(&file)]].concat());
    assert!(out.contains("msmG1") && out.contains("portable"), "{out}");
    let results = json(&file);
    assert_eq!((results["schema"].as_u64(), results["command"].as_str()), (Some(1), Some("kernels")));
    let machine = &results["machine"];
    for field in ["cpu", "cpuFeatures", "threads", "memoryBytes", "commit", "rustc", "versions", "date"] {
        assert!(!machine[field].is_null(), "{field}");
    }
    let rows = results["rows"].as_array().unwrap();
    let pairs: BTreeSet<String> = rows.iter().map(|r| format!("{} {}", r["threads"], r["backend"])).collect();
    assert_eq!(pairs.len(), 4, "two thread counts on two backends: {pairs:?}");
    for row in rows {
        for field in ["median", "min", "max", "mad", "runs"] {
            assert!(!row["stats"][field].is_null(), "{field}");
        }
        assert!(row["seconds"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn groth16_reports_its_stages() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("g.json");
    let out = ok(&["groth16", "--log-size", "6", "--runs", "1", "--json", text(&file)]);
    assert!(out.contains("MSM b G2"), "{out}");
    let results = json(&file);
    assert_eq!(results["rows"][0]["op"], "groth16");
    assert!(results["stages"].as_array().unwrap().len() >= 8);
}

#[cfg(feature = "rivals")]
#[test]
fn table_writes_targets_and_a_report_shows_them() {
    let dir = tempfile::tempdir().unwrap();
    let (file, page) = (dir.path().join("t.json"), dir.path().join("t.html"));
    let out = ok(&["table", "--kernels-only", "--smaller", "12", "--json", text(&file)]);
    assert!(out.contains("measured here") && out.contains("not judged"), "{out}");
    assert_eq!(json(&file)["targets"].as_array().unwrap().len(), 10);
    ok(&["report", text(&file), "--out", text(&page)]);
    assert!(std::fs::read_to_string(&page).unwrap().contains("What must be reached"));
}

#[cfg(not(feature = "rivals"))]
#[test]
fn what_needs_rivals_says_how_to_build_them() {
    for args in
        [&["table"][..], &["kernels", "--rivals", "arkworks"], &["groth16", "--log-size", "4", "--rival"]]
    {
        assert!(fails(args).contains("--features rivals"));
    }
}

#[test]
fn compare_tells_slower_from_faster_and_can_fail() {
    let dir = tempfile::tempdir().unwrap();
    let [before, after] = ["before.json", "after.json"].map(|name| dir.path().join(name));
    let args =
        ["kernels", "--ops", "fft", "--log-size", "8", "--no-rivals", "--runs", "5", "--backend", "cpu"];
    ok(&[&args[..], &["--json", text(&before)]].concat());
    // The same figures, made up to be quiet and then half again as slow.
    let mut results = json(&before);
    let mut write = |path: &Path, runs: [f64; 5], median: f64| {
        results["rows"][0]["seconds"] = median.into();
        results["rows"][0]["stats"] =
            serde_json::json!({"median": median, "min": runs[0], "max": runs[4], "mad": 0.01, "runs": runs});
        std::fs::write(path, results.to_string()).unwrap();
    };
    write(&before, [0.98, 0.99, 1.0, 1.01, 1.02], 1.0);
    write(&after, [1.48, 1.49, 1.5, 1.51, 1.52], 1.5);
    let (before, after) = (text(&before), text(&after));
    assert!(ok(&["compare", before, after]).contains("SLOWER"));
    assert!(ok(&["compare", after, before, "--fail-on-slower", "5"]).contains("faster"));
    assert!(
        fails(&["compare", before, after, "--fail-on-slower", "5"]).contains("slower by more than 5.0 %")
    );
    ok(&["compare", before, after, "--fail-on-slower", "60"]);
}

#[test]
fn quick_without_time_for_a_batch_says_that_it_estimates() {
    let dir = tempfile::tempdir().unwrap();
    let (file, keys) = (dir.path().join("bench/quick.json"), dir.path().join("keys"));
    let out = ok(&["quick", "--seconds", "1", "--json", text(&file), "--keys-dir", text(&keys)]);
    assert!(out.contains("batches an hour") && out.contains("about"), "{out}");
    assert!(!keys.exists(), "no keys are made where there is no time for them");
    assert!(json(&file)["notes"][0].as_str().unwrap().contains("batches an hour"));
}

#[test]
fn bad_input_is_named() {
    assert!(fails(&["report", "no-such-file.json"]).contains("no-such-file.json"));
    assert!(fails(&["compare", "a.json", "b.json"]).contains("a.json"));
    let usage = bench(&["kernels", "--log-size", "99"]);
    assert_eq!(usage.status.code(), Some(2));
    assert!(ok(&["--help"]).contains("quick"));
    for command in ["quick", "kernels", "table", "groth16", "batch", "report", "compare"] {
        assert!(ok(&[command, "--help"]).contains("Example"), "{command}");
    }
}

#[test]
fn vm_writes_exactly_its_figures() {
    let dir = tempfile::tempdir().unwrap();
    let (file, folder) = (dir.path().join("vm.json"), dir.path().join("tree"));
    let args = ["vm", "--keys", "1000", "--runs", "1", "--folder", text(&folder), "--json", text(&file)];
    let out = ok(&args);
    assert!(out.contains("kernel permutations") && !folder.exists(), "{out}");
    let figures = json(&file);
    let names = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let expected = [
        "arithmeticStepsPerSecond",
        "tracedStepsPerSecond",
        "erc20TransferMicros",
        "revmErc20TransferMicros",
        "treeUpdatesPerSecond",
        "treeKeys",
        "stepsPerErc20Transfer",
    ];
    assert_eq!(names(&figures), BTreeSet::from(expected.map(String::from)));
    let steps = &figures["stepsPerErc20Transfer"];
    assert_eq!(names(steps), BTreeSet::from(["kernel", "contract"].map(String::from)));
    assert_eq!(figures["treeKeys"].as_u64(), Some(1000));
    assert_eq!(figures["revmErc20TransferMicros"].is_null(), !cfg!(feature = "rivals"));
    assert!(steps["kernel"].as_u64().unwrap() > steps["contract"].as_u64().unwrap());
}
