//! What a figure must be read with: the machine it was measured on.
use serde::Serialize;

/// The machine and build.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// CPU model as the system names it.
    pub cpu: String,
    /// Logical processors this process may use.
    pub threads: usize,
    /// Memory in bytes; 0 where the system does not say.
    pub memory_bytes: u64,
    /// Version of this program.
    pub version: &'static str,
}

impl Machine {
    /// This one.
    pub fn here() -> Machine {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|l| l.strip_prefix("model name"));
        let cpu = model.and_then(|l| l.split(':').nth(1)).map_or("unknown", str::trim).to_string();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let memory_bytes = kib_of("/proc/meminfo", "MemTotal:") * 1024;
        Machine { cpu, threads, memory_bytes, version: env!("CARGO_PKG_VERSION") }
    }
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
        assert!(machine.threads >= 1);
        assert!(peak_memory_bytes() > 0 && peak_memory_bytes() < machine.memory_bytes);
    }
}
