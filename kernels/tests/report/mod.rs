//! One line per case of a long-running check, for `make gpu-check`: appended as JSON to the file that the environment
//! variable LATHE_REPORT names, and nothing at all if it names none. It never turns a failure into a success.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs a case of a test and reports its name, its size (elements, points or bytes; zero if it has none), its seconds
/// and whether it passed. A panic is reported and goes on.
///
/// ```text
/// #[path = "report/mod.rs"]
/// mod report;
/// report::case("msm g1, all scalars equal", 1 << 12, || assert_eq!(device_result, cpu_result));
/// ```
pub fn case<T>(name: &str, size: usize, run: impl FnOnce() -> T) -> T {
    let started = std::time::Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(run));
    let result = if outcome.is_ok() { "ok" } else { "failed" };
    let seconds = started.elapsed().as_secs_f64();
    let line = format!(
        "{{\"name\":\"{}\",\"size\":{size},\"seconds\":{seconds:.4},\"result\":\"{result}\"}}\n",
        name.escape_default()
    );
    if let Some(path) = std::env::var_os("LATHE_REPORT") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
        // One write, so that lines of tests that run side by side do not mix.
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            panic!("LATHE_REPORT={}: {error}", path.to_string_lossy());
        }
    }
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}
