//! Interleaved timing of several ways to compute one value, and the statistics of the times.
//! A way whose value differs from the first one's is an error, never a figure.

use crate::Failure;
use halo2curves::bn256::{Fr, G1Affine, G2Affine};
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What a kernel computes, in a form two libraries can be compared by.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An MSM's result in G1.
    G1(G1Affine),
    /// An MSM's result in G2.
    G2(G2Affine),
    /// A vector of field elements.
    Vector(Vec<Fr>),
    /// The way checks its own result, for instance by verifying a proof.
    Checked,
}

/// One way to compute a value. It times only the computation, on the pool given: copying the input and converting the
/// result for the comparison stay outside.
pub struct Way<'a> {
    /// The library.
    pub name: String,
    /// Computes once.
    #[allow(clippy::type_complexity)]
    pub run: Box<dyn FnMut(&ThreadPool) -> Result<(Duration, Value), Failure> + 'a>,
}

impl<'a> Way<'a> {
    /// A way with this name.
    pub fn new(
        name: impl Into<String>,
        run: impl FnMut(&ThreadPool) -> Result<(Duration, Value), Failure> + 'a,
    ) -> Self {
        Way { name: name.into(), run: Box::new(run) }
    }
}

/// Runs `f` on the pool's threads and times it.
pub fn timed<T: Send>(pool: &ThreadPool, f: impl FnOnce() -> T + Send) -> (Duration, T) {
    pool.install(|| {
        let start = Instant::now();
        let value = f();
        (start.elapsed(), value)
    })
}

/// How often to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// Rounds at least.
    pub min_rounds: usize,
    /// Rounds at most.
    pub max_rounds: usize,
    /// No further round starts once so much time went by, and the least number of rounds is done.
    pub budget: Duration,
}

impl Effort {
    /// Exactly so many rounds.
    pub fn exactly(rounds: usize) -> Self {
        Effort { min_rounds: rounds, max_rounds: rounds, budget: Duration::MAX }
    }
}

/// Statistics of repeated measurements, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// The middle value, or the mean of the two in the middle.
    pub median: f64,
    /// The fastest.
    pub min: f64,
    /// The slowest.
    pub max: f64,
    /// Median absolute deviation from the median.
    pub mad: f64,
    /// Every run in order.
    pub runs: Vec<f64>,
}

impl Stats {
    /// Statistics of these runs; all zero for none.
    pub fn of(runs: Vec<f64>) -> Self {
        let middle = median(&runs);
        let deviations: Vec<f64> = runs.iter().map(|run| (run - middle).abs()).collect();
        let min = runs.iter().copied().reduce(f64::min).unwrap_or(0.0);
        let max = runs.iter().copied().reduce(f64::max).unwrap_or(0.0);
        Stats { median: middle, min, max, mad: median(&deviations), runs }
    }
}

/// The middle value, or the mean of the two in the middle; zero for none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// Times of ours and of each rival.
pub struct Compared {
    /// Ours: once before each rival's run, or once a round without rivals.
    pub ours: Stats,
    /// Each rival's name and times.
    pub rivals: Vec<(String, Stats)>,
}

/// Measures `ours` and the rivals interleaved (ours, rival, ours, next rival, ..), so that whatever else the machine
/// does falls on all alike. One untimed round comes first: it fills caches and tables and compares the values; every
/// later value is compared too. `tick` is called after each run.
///
/// # Errors
/// A way that fails, or whose value differs from the first.
pub fn interleave(
    what: &str,
    pool: &ThreadPool,
    effort: Effort,
    mut ours: Way<'_>,
    mut rivals: Vec<Way<'_>>,
    tick: &dyn Fn(),
) -> Result<Compared, Failure> {
    let (_, expected) = (ours.run)(pool).map_err(|e| format!("{what}: {}: {e}", ours.name))?;
    let once = |way: &mut Way<'_>| -> Result<f64, Failure> {
        let (time, value) = (way.run)(pool).map_err(|e| format!("{what}: {}: {e}", way.name))?;
        if value != expected {
            return Err(format!(
                "{what}: the result of {} differs from the first; no figure is reported for a wrong result",
                way.name
            )
            .into());
        }
        tick();
        Ok(time.as_secs_f64())
    };
    for rival in &mut rivals {
        once(rival)?;
    }
    let mut own_times = Vec::new();
    let mut rival_times = vec![Vec::new(); rivals.len()];
    let start = Instant::now();
    for round in 0..effort.max_rounds {
        if round >= effort.min_rounds && start.elapsed() >= effort.budget {
            break;
        }
        if rivals.is_empty() {
            own_times.push(once(&mut ours)?);
        }
        for (rival, times) in rivals.iter_mut().zip(&mut rival_times) {
            own_times.push(once(&mut ours)?);
            times.push(once(rival)?);
        }
    }
    let rivals = rivals.into_iter().zip(rival_times).map(|(way, times)| (way.name, Stats::of(times)));
    Ok(Compared { ours: Stats::of(own_times), rivals: rivals.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(name: &str, value: Value) -> Way<'static> {
        Way::new(name.to_string(), move |_| Ok((Duration::from_millis(2), value.clone())))
    }

    #[test]
    fn the_median_is_the_middle_value_or_the_mean_of_the_two_in_the_middle() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0]), 3.0);
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 9.0, 2.0]), 3.0);
    }

    #[test]
    fn one_outlier_moves_neither_the_median_nor_the_deviation() {
        let stats = Stats::of(vec![1.0, 1.1, 0.9, 1.0, 50.0]);
        assert_eq!((stats.median, stats.min, stats.max), (1.0, 0.9, 50.0));
        assert!((stats.mad - 0.1).abs() < 1e-9);
    }

    #[test]
    fn ours_runs_once_before_each_rivals_run() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let one = Value::Vector(vec![Fr::from(1)]);
        let rivals = vec![constant("a", one.clone()), constant("b", one.clone())];
        let compared =
            interleave("test", &pool, Effort::exactly(3), constant("ours", one), rivals, &|| {}).unwrap();
        assert_eq!(compared.ours.runs.len(), 6);
        assert!(compared.rivals.iter().all(|(_, stats)| stats.runs.len() == 3));
    }

    #[test]
    fn a_rival_with_another_result_gives_an_error_and_no_figure() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let [one, two] = [1, 2].map(|v| Value::Vector(vec![Fr::from(v)]));
        let error = interleave(
            "FFT 2^0",
            &pool,
            Effort::exactly(1),
            constant("ours", one),
            vec![constant("other", two)],
            &|| {},
        );
        let text = error.err().unwrap().to_string();
        assert!(text.contains("FFT 2^0") && text.contains("other"), "{text}");
    }
}
