//! Live progress of the batch in work, and the health of L1: kept in memory, lost in a restart, never the
//! ground for a decision.
use crate::metrics::METRICS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What a batch is at.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// Stage name.
    pub stage: &'static str,
    /// Part of the stage that is done, 0..=100.
    pub percent: f64,
    /// Milliseconds of each stage so far, the running one included.
    pub stages_ms: BTreeMap<String, u64>,
}

struct Running {
    number: u64,
    stage: &'static str,
    percent: f64,
    since: Instant,
    done: BTreeMap<String, f64>,
}

/// Progress of the one batch that a worker or a relayer has in hand.
#[derive(Default)]
pub struct Progress {
    running: Mutex<Option<Running>>,
}

impl Progress {
    /// Begins a batch.
    pub fn begin(&self, number: u64, stage: &'static str) {
        tracing::debug!(batch = number, stage, "stage begins");
        let done = BTreeMap::new();
        *lock(&self.running) = Some(Running { number, stage, percent: 0.0, since: Instant::now(), done });
    }

    /// Notes a stage and how much of it is done, in 0..=1. A stage may come back: its times add up.
    pub fn at(&self, stage: &'static str, fraction: f64) {
        let mut guard = lock(&self.running);
        let Some(run) = guard.as_mut() else { return };
        if run.stage != stage {
            run.close();
            tracing::debug!(batch = run.number, stage, "stage begins");
            run.stage = stage;
        }
        run.percent = (fraction * 100.0).clamp(0.0, 100.0);
    }

    /// Ends the batch and returns milliseconds per stage.
    pub fn end(&self) -> BTreeMap<String, u64> {
        let Some(mut run) = lock(&self.running).take() else { return BTreeMap::new() };
        run.close();
        for (stage, ms) in &run.done {
            METRICS.stage(stage, ms / 1000.0);
        }
        run.done.into_iter().map(|(stage, ms)| (stage, ms.round() as u64)).collect()
    }

    /// Where batch `number` is, if it is the one in hand.
    pub fn of(&self, number: u64) -> Option<Live> {
        let guard = lock(&self.running);
        let run = guard.as_ref().filter(|r| r.number == number)?;
        let mut stages: BTreeMap<String, f64> = run.done.clone();
        *stages.entry(run.stage.into()).or_default() += run.since.elapsed().as_secs_f64() * 1000.0;
        let stages_ms = stages.into_iter().map(|(stage, ms)| (stage, ms.round() as u64)).collect();
        Some(Live { stage: run.stage, percent: run.percent, stages_ms })
    }
}

impl Running {
    fn close(&mut self) {
        let ms = self.since.elapsed().as_secs_f64() * 1000.0;
        tracing::info!(batch = self.number, stage = self.stage, ms = ms.round() as u64, "stage ends");
        *self.done.entry(self.stage.into()).or_default() += ms;
        self.since = Instant::now();
        self.percent = 0.0;
    }
}

/// What is known about L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L1Health {
    /// Whether settlement is configured.
    pub configured: bool,
    /// Whether the last call succeeded.
    pub reachable: bool,
    /// Unix seconds since when `reachable` has this value.
    pub since: Option<u64>,
    /// Last error, while unreachable.
    pub last_error: Option<String>,
}

/// Shared view of L1's health.
pub struct L1Watch(Mutex<L1Health>);

impl L1Watch {
    /// Nothing known yet.
    pub fn new(configured: bool) -> L1Watch {
        L1Watch(Mutex::new(L1Health { configured, reachable: false, since: None, last_error: None }))
    }

    /// Notes a call that succeeded.
    pub fn up(&self) {
        self.set(true, None);
    }

    /// Notes a call that failed.
    pub fn down(&self, error: String) {
        METRICS.l1_errors.inc();
        self.set(false, Some(error));
    }

    fn set(&self, reachable: bool, last_error: Option<String>) {
        let mut health = lock(&self.0);
        if health.reachable != reachable || health.since.is_none() {
            match &last_error {
                None => tracing::info!("L1 reachable"),
                Some(error) => tracing::warn!(%error, "L1 unreachable"),
            }
            health.since = Some(unix_seconds());
        }
        health.reachable = reachable;
        health.last_error = last_error;
        METRICS.l1_reachable.set(i64::from(reachable));
    }

    /// A copy.
    pub fn health(&self) -> L1Health {
        lock(&self.0).clone()
    }
}

/// Seconds since 1970.
pub fn unix_seconds() -> u64 {
    unix_millis() / 1000
}

/// Milliseconds since 1970.
pub fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Peak resident memory of this process in bytes; 0 where the system does not say.
pub fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// A thread that panicked while holding the lock left plain data behind: it stays usable.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_that_come_back_add_up_and_only_the_batch_in_hand_is_live() {
        let p = Progress::default();
        p.begin(7, "replay");
        p.at("assign", 0.5);
        p.at("commit", 0.25);
        p.at("assign", 1.5);
        let live = p.of(7).unwrap();
        assert_eq!((live.stage, live.percent), ("assign", 100.0));
        assert!(p.of(8).is_none());
        let names: Vec<_> = p.end().into_keys().collect();
        assert_eq!(names, ["assign", "commit", "replay"]);
        assert!(p.of(7).is_none());
    }

    #[test]
    fn since_moves_only_when_reachability_changes() {
        let w = L1Watch::new(true);
        w.down("refused".into());
        let first = w.health();
        w.down("still refused".into());
        assert_eq!(w.health().since, first.since);
        assert_eq!(w.health().last_error.as_deref(), Some("still refused"));
        w.up();
        assert!(w.health().reachable && w.health().last_error.is_none());
    }

    #[test]
    fn this_process_has_a_peak() {
        assert!(peak_memory_bytes() > 1 << 20);
    }
}
