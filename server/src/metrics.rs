//! Counters for Prometheus, one set per process. Metrics say what happened; nothing reads them to decide.
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};
use std::sync::LazyLock;

/// The process's metrics.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// All metrics of the appliance.
pub struct Metrics {
    registry: Registry,
    /// Batches made durable and acknowledged.
    pub accepted: IntCounter,
    rejected: IntCounterVec,
    /// Batches whose proof was verified.
    pub proven: IntCounter,
    /// Failed attempts to prove.
    pub prove_failures: IntCounter,
    /// Transactions sent to L1, by step.
    pub l1_transactions: IntCounterVec,
    /// Failed calls to L1.
    pub l1_errors: IntCounter,
    /// 1 while L1 answers.
    pub l1_reachable: IntGauge,
    last_batch: IntGaugeVec,
    stage: HistogramVec,
    /// Seconds from request to durable record.
    pub accept_seconds: Histogram,
}

// Registration fails only for a name registered twice or malformed; both are constants of this file and every
// test that touches a metric would panic.
fn registered<C: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    made: Result<C, prometheus::Error>,
) -> C {
    let collector = made.expect("metric names and labels are valid constants");
    registry.register(Box::new(collector.clone())).expect("metric names are distinct constants");
    collector
}

impl Metrics {
    fn new() -> Metrics {
        let r = Registry::new();
        let stages = HistogramOpts::new("lathe_stage_seconds", "Seconds per stage of a batch")
            .buckets(vec![0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0]);
        let accept = HistogramOpts::new("lathe_accept_seconds", "Seconds from request to durable record");
        let rejected = Opts::new("lathe_requests_rejected_total", "Requests answered with an error");
        let sent = Opts::new("lathe_l1_transactions_total", "Transactions sent to L1");
        let last = Opts::new("lathe_last_batch", "Number of the last batch that reached a state");
        Metrics {
            accepted: registered(&r, IntCounter::new("lathe_batches_accepted_total", "Batches accepted")),
            rejected: registered(&r, IntCounterVec::new(rejected, &["code"])),
            proven: registered(&r, IntCounter::new("lathe_batches_proven_total", "Batches proven")),
            prove_failures: registered(
                &r,
                IntCounter::new("lathe_prove_failures_total", "Failed attempts to prove a batch"),
            ),
            l1_transactions: registered(&r, IntCounterVec::new(sent, &["step"])),
            l1_errors: registered(&r, IntCounter::new("lathe_l1_errors_total", "Failed calls to L1")),
            l1_reachable: registered(&r, IntGauge::new("lathe_l1_reachable", "1 while L1 answers")),
            last_batch: registered(&r, IntGaugeVec::new(last, &["state"])),
            stage: registered(&r, HistogramVec::new(stages, &["stage"])),
            accept_seconds: registered(&r, Histogram::with_opts(accept)),
            registry: r,
        }
    }

    /// Counts a request answered with an error.
    pub fn rejected(&self, code: &str) {
        self.rejected.with_label_values(&[code]).inc();
    }

    /// Counts a transaction sent to L1.
    pub fn l1_sent(&self, step: &str) {
        self.l1_transactions.with_label_values(&[step]).inc();
    }

    /// Notes the last batch that is `accepted`, `proven` or `executed`.
    pub fn last_batch(&self, state: &str, number: u64) {
        self.last_batch.with_label_values(&[state]).set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// Notes the time of one stage of one batch.
    pub fn stage(&self, stage: &str, seconds: f64) {
        self.stage.with_label_values(&[stage]).observe(seconds);
    }

    /// The text format.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn render(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut out = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut out)?;
        Ok(out)
    }
}
