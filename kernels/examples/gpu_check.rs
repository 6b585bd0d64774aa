//! What `make gpu-check` runs: the machine code of every kernel and target, and every GPU suite that needs no GPU (PTX
//! interpreter, machine-code gate, WGSL on a software adapter), into one JSON file. It never reports a suite that did
//! not run as passed: a suite that fails or reports no test makes it fail.
//!
//! `cargo run --release -p lathe-kernels --features cuda,wgpu --example gpu_check [FILE]`. LATHE_FEATURES names the
//! features of the workspace to build the suites with: give those of your other builds, and nothing is built twice.

#[path = "../tests/sass/mod.rs"]
mod sass;

use lathe_kernels::cuda::modules::MODULES;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Test binaries whose name starts so are suites of a GPU backend.
const SUITES: &[&str] = if cfg!(feature = "wgpu") {
    &["machine_code", "ptx", "cuda", "wgpu", "cross_backend"]
} else {
    &["machine_code", "ptx", "cuda", "cross_backend"]
};
/// Features of the suites if LATHE_FEATURES names none.
const FEATURES: &str = if cfg!(feature = "wgpu") { "cuda,wgpu" } else { "cuda" };

fn features() -> String {
    std::env::var("LATHE_FEATURES").unwrap_or_else(|_| FEATURES.into())
}

/// The first line of a tool's output that holds `word`, or why there is none.
fn says(command: &mut Command, word: &str) -> String {
    match command.output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines().find(|line| line.contains(word)).unwrap_or("no such line").trim().to_owned()
        }
        Err(error) => error.to_string(),
    }
}

/// What built and read the kernels. The compiler is named in the PTX itself.
fn tools() -> Value {
    let compiler =
        MODULES.iter().flat_map(|module| module.ptx.lines()).find(|line| line.contains("compilation tools"));
    let reader = match sass::find_tool("cuobjdump") {
        Ok(path) => says(Command::new(path).arg("--version"), "release"),
        Err(error) => error,
    };
    json!({
        "ptxBy": compiler.unwrap_or("unknown").trim_start_matches(['/', ' ']),
        "cuobjdump": reader,
        "rustc": says(Command::new("rustc").arg("--version"), "rustc"),
        "features": features(),
    })
}

fn commit() -> Value {
    let head = says(Command::new("git").args(["rev-parse", "HEAD"]), "");
    let changes = Command::new("git").args(["status", "--porcelain", "--untracked-files=no"]).output();
    json!({ "head": head, "modified": changes.map_or(true, |output| !output.stdout.is_empty()) })
}

/// Mix, registers and spills of every kernel and target.
fn kernels() -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    for module in MODULES {
        for code in sass::inspect(module)? {
            println!(
                "{:<28} {:<7} {:>6} instructions, {:>3} registers, {:>4} bytes spilled",
                code.kernel,
                code.target,
                code.instructions(),
                code.registers,
                code.spill_bytes
            );
            all.push(json!({
                "module": code.module,
                "kernel": code.kernel,
                "target": code.target,
                "instructions": code.mix,
                "total": code.instructions(),
                "registers": code.registers,
                "stackBytes": code.stack,
                "spillBytes": code.spill_bytes,
            }));
        }
    }
    Ok(all)
}

/// Names of the suites: test files whose name starts with one of [`SUITES`].
fn suites() -> Result<Vec<String>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let files = entries
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".rs")?.to_owned()));
    let mut names: Vec<String> =
        files.filter(|name| SUITES.iter().any(|start| name.starts_with(start))).collect();
    names.sort();
    Ok(names)
}

/// Runs a suite; returns its cases and tests, and whether all passed.
fn run_suite(suite: &str, lines: &Path) -> Result<(Vec<Value>, bool), String> {
    std::fs::remove_file(lines).ok();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "test",
        "--release",
        "--workspace",
        "--features",
        &features(),
        "--test",
        suite,
        "--no-fail-fast",
    ]);
    let started = std::time::Instant::now();
    let output =
        command.env("LATHE_REPORT", lines).output().map_err(|error| format!("cargo test: {error}"))?;
    let seconds = started.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&output.stdout);
    let mut tests = Vec::new();
    for line in std::fs::read_to_string(lines).unwrap_or_default().lines() {
        let mut case: Value =
            serde_json::from_str(line).map_err(|error| format!("{suite}: `{line}`: {error}"))?;
        case["suite"] = json!(suite);
        tests.push(case);
    }
    std::fs::remove_file(lines).ok();
    // Every test by its name, whether or not it reports cases with sizes.
    for line in text.lines() {
        let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
        else {
            continue;
        };
        tests.push(json!({ "suite": suite, "name": name, "size": 0, "seconds": null, "result": result }));
    }
    let passed = output.status.success() && !tests.is_empty();
    println!(
        "{suite:<28} {:>4} results in {seconds:.1} s: {}",
        tests.len(),
        if passed { "ok" } else { "FAILED" }
    );
    if !passed {
        eprintln!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok((tests, passed))
}

fn check(file: &Path) -> Result<bool, String> {
    // Test binaries run in their package's folder, not in ours.
    let lines = std::path::absolute(file.with_extension("lines")).map_err(|error| error.to_string())?;
    let kernels = kernels()?;
    let (mut tests, mut all_passed) = (Vec::new(), true);
    for suite in suites()? {
        let (found, passed) = run_suite(&suite, &lines)?;
        tests.extend(found);
        all_passed &= passed;
    }
    let report = json!({
        "commit": commit(),
        "tools": tools(),
        "gpu": "none: machine code is inspected, PTX is interpreted, WGSL runs on the adapter its suite found",
        "passed": all_passed,
        "kernels": kernels,
        "tests": tests,
    });
    let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
    std::fs::write(file, text + "\n").map_err(|error| format!("{}: {error}", file.display()))?;
    println!("{} kernels, {} results: {}", kernels.len(), tests.len(), file.display());
    Ok(all_passed)
}

fn main() -> ExitCode {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let file = std::env::args_os().nth(1).map_or_else(|| target.join("gpu-check.json"), PathBuf::from);
    match check(&file) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gpu-check: {error}");
            ExitCode::FAILURE
        }
    }
}
