//! Records what was compiled: the commit, the compiler and the libraries' versions, so that a results file can name them.
use std::path::Path;
use std::process::Command;

/// Packages whose versions belong to a figure.
const PACKAGES: [&str; 10] = [
    "ark-bn254",
    "ark-ec",
    "ark-ff",
    "ark-groth16",
    "ark-poly",
    "bellman",
    "cudarc",
    "halo2curves",
    "rayon",
    "wgpu",
];

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success()).then(|| text.trim().to_string())
}

/// The commit, with `+` behind it where files that reach the binary differ from it.
fn commit() -> Option<String> {
    let commit = output("git", &["rev-parse", "--short=12", "HEAD"])?;
    let folders = ["../kernels", "../vm", "../prover", "../bench", "../Cargo.lock"];
    let status =
        output("git", &[&["status", "--porcelain", "--untracked-files=no", "--"][..], &folders].concat())?;
    Some(if status.is_empty() { commit } else { commit + "+" })
}

fn main() {
    for path in ["src", "build.rs", "Cargo.toml", "../Cargo.lock", "../kernels", "../prover/src", "../vm/src"]
    {
        println!("cargo:rerun-if-changed={path}");
    }
    // The log of HEAD grows with every commit, wherever this work tree keeps it.
    if let Some(log) = output("git", &["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo:rerun-if-changed={log}");
    }
    println!("cargo:rustc-env=BENCH_COMMIT={}", commit().unwrap_or_else(|| "unknown".into()));
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    println!("cargo:rustc-env=BENCH_RUSTC={}", output(&rustc, &["-V"]).unwrap_or_else(|| "unknown".into()));
    println!("cargo:rustc-env=BENCH_TARGET={}", std::env::var("TARGET").unwrap_or_default());
    let lock = std::fs::read_to_string("../Cargo.lock").unwrap_or_default();
    println!("cargo:rustc-env=BENCH_VERSIONS={}", versions(&lock).join(","));
}

/// `name=version` of each package of interest; the newest where the lock file has several.
fn versions(lock: &str) -> Vec<String> {
    let mut found = Vec::new();
    let field = |line: Option<&str>, name: &str| {
        Some(line?.strip_prefix(name)?.trim_start_matches(" = ").trim_matches('"').to_string())
    };
    for name in PACKAGES {
        let mut newest: Option<String> = None;
        let mut lines = lock.lines();
        while let Some(line) = lines.next() {
            if field(Some(line), "name").as_deref() == Some(name) {
                newest = field(lines.next(), "version").max(newest);
            }
        }
        found.extend(newest.map(|version| format!("{name}={version}")));
    }
    found
}
