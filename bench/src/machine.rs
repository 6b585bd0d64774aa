//! What a figure must be read with: the machine it was measured on and what was built.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine and build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// CPU model as the system names it.
    pub cpu: String,
    /// Instruction sets of the CPU that kernels could use.
    pub cpu_features: Vec<String>,
    /// Physical cores; 0 where the system does not say.
    pub cores: usize,
    /// Logical processors this process may use.
    pub threads: usize,
    /// Memory in bytes; 0 where the system does not say.
    pub memory_bytes: u64,
    /// Load of the last minute when the run began: above a few tenths, others were using the machine.
    pub load: Option<f64>,
    /// Target triple.
    pub target: String,
    /// Version of this program.
    pub version: String,
    /// Commit it was built from; `+` marks changes not committed.
    pub commit: String,
    /// Compiler.
    pub rustc: String,
    /// Versions of the libraries in this build or measured beside it.
    pub versions: BTreeMap<String, String>,
    /// When the run began, UTC, ISO 8601.
    pub date: String,
}

impl Machine {
    /// This one.
    pub fn here() -> Machine {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|l| l.strip_prefix("model name"));
        let cpu = model.and_then(|l| l.split(':').nth(1)).map_or("unknown", str::trim).to_string();
        let versions = env!("BENCH_VERSIONS").split(',').filter_map(|pair| pair.split_once('='));
        Machine {
            cpu,
            cpu_features: cpu_features(),
            cores: cores(&cpuinfo),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kib_of("/proc/meminfo", "MemTotal:") * 1024,
            load: load(),
            target: env!("BENCH_TARGET").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            commit: env!("BENCH_COMMIT").into(),
            rustc: env!("BENCH_RUSTC").into(),
            versions: versions.map(|(name, version)| (name.into(), version.into())).collect(),
            date: iso_date(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())),
        }
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let gib = self.memory_bytes as f64 / f64::from(1 << 30);
        let fast =
            ["avx512ifma", "avx2", "neon"].into_iter().find(|f| self.cpu_features.iter().any(|g| g == f));
        format!(
            "{} ({} threads, {gib:.0} GiB, {}), commit {}",
            self.cpu,
            self.threads,
            fast.unwrap_or("no vector features known"),
            self.commit
        )
    }
}

/// Instruction sets detected at run time, of those that matter to big-number arithmetic.
fn cpu_features() -> Vec<String> {
    #[cfg(target_arch = "x86_64")]
    let found = {
        use std::arch::is_x86_feature_detected as has;
        [
            ("bmi2", has!("bmi2")),
            ("adx", has!("adx")),
            ("avx2", has!("avx2")),
            ("avx512f", has!("avx512f")),
            ("avx512dq", has!("avx512dq")),
            ("avx512vl", has!("avx512vl")),
            ("avx512ifma", has!("avx512ifma")),
            ("avx512vbmi2", has!("avx512vbmi2")),
        ]
    };
    #[cfg(target_arch = "aarch64")]
    let found = [("neon", std::arch::is_aarch64_feature_detected!("neon"))];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let found: [(&str, bool); 0] = [];
    found.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_string()).collect()
}

/// Distinct pairs of package and core.
fn cores(cpuinfo: &str) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    for processor in cpuinfo.split("\n\n") {
        let field = |name: &str| processor.lines().find(|l| l.starts_with(name)).map(str::to_string);
        if let Some(core) = field("core id") {
            seen.insert((field("physical id"), core));
        }
    }
    seen.len()
}

fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// `seconds` since 1970 as a date and time. Days to date as in Hinnant's `civil_from_days`: years counted from March,
/// in eras of 400 years.
fn iso_date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Peak resident memory of this process in bytes; 0 where the system does not say.
pub fn peak_memory_bytes() -> u64 {
    kib_of("/proc/self/status", "VmHWM:") * 1024
}

fn kib_of(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix(name));
    line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory_and_this_process_uses_less_than_all_of_it() {
        let machine = Machine::here();
        assert!(machine.threads >= 1 && machine.rustc.starts_with("rustc "));
        assert!(machine.versions["halo2curves"].starts_with("0.10"), "{:?}", machine.versions);
        assert!(peak_memory_bytes() > 0 && peak_memory_bytes() < machine.memory_bytes);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(iso_date(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso_date(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(iso_date(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(iso_date(1_735_689_599), "2024-12-31T23:59:59Z");
    }

    #[test]
    fn two_hyperthreads_of_one_core_are_one_core() {
        let text =
            "physical id : 0\ncore id : 3\n\nphysical id : 0\ncore id : 3\n\nphysical id : 0\ncore id : 4\n";
        assert_eq!(cores(text), 2);
    }
}
