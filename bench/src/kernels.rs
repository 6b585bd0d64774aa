//! `prover-bench kernels`: each operation over sizes, kinds of scalars, threads and backends, beside other libraries.
//! Bases are resident, as a prover has them; making them so is measured and reported by itself.

use crate::Failure;
use crate::backends::{self, Engine};
use crate::measure::{Compared, Effort, Stats, Value, Way, interleave, timed};
use crate::progress::Progress;
use crate::results::{self, Results, Row, Subject};
use crate::rivals::{self, Input, Rival};
use crate::workload::{Op, Points, Scalars, products};
use group::Curve;
use halo2curves::bn256::Fr;
use lathe_kernels::KernelError;
use lathe_kernels::backend::share_points;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::path::PathBuf;
use std::time::Duration;

/// Arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Operations, by default all.
    #[arg(long, value_delimiter = ',')]
    pub ops: Vec<Op>,
    /// Logarithms of the sizes.
    #[arg(long, value_delimiter = ',', default_value = "16,18,20", value_parser = clap::value_parser!(u32).range(1..=26))]
    pub log_size: Vec<u32>,
    /// Scalars of the MSMs.
    #[arg(long, value_delimiter = ',', default_value = "full,u16,witness")]
    pub scalars: Vec<Scalars>,
    /// Sizes of the thread pool, by default one per processor.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Vec<u16>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub device: backends::Args,
    /// Libraries to compare with, by default all in this build (feature `rivals`).
    #[arg(long, value_delimiter = ',', conflicts_with = "no_rivals")]
    pub rivals: Vec<Rival>,
    /// Compare with nothing.
    #[arg(long)]
    pub no_rivals: bool,
    /// Rounds of each measurement; by default 3 to 15, as many as fit in the time of `--seconds`.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub runs: Option<u16>,
    /// Seconds after which a measurement starts no further round.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub seconds: u16,
    /// Write the figures as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// One measurement to make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    /// Operation.
    pub op: Op,
    /// Logarithm of the size.
    pub log_size: u32,
    /// Scalars; those of an operation that is no MSM are full.
    pub scalars: Scalars,
    /// Threads of the pool.
    pub threads: usize,
    /// Rounds.
    pub effort: Effort,
}

impl Case {
    /// What the case measures, for people.
    pub fn title(&self) -> String {
        let scalars = if self.op.is_msm() { format!(" {}", self.scalars.name()) } else { String::new() };
        format!("{} 2^{}{scalars}, {} threads", self.op.title(), self.log_size, self.threads)
    }

    fn subject(&self, op: Op, engine: &Engine, pool: &ThreadPool) -> Subject {
        Subject {
            op: op.name().into(),
            log_size: self.log_size,
            scalars: op.is_msm().then(|| self.scalars.name().to_string()),
            threads: self.threads,
            backend: engine.name.into(),
            device: pool.install(|| engine.backend.device()),
        }
    }
}

/// A pool of so many threads.
///
/// # Errors
/// The system's.
pub fn pool(threads: usize) -> Result<ThreadPool, Failure> {
    Ok(ThreadPoolBuilder::new().num_threads(threads).build()?)
}

/// Logical processors of this process.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The rivals asked for.
///
/// # Errors
/// A rival named that is not in this build.
pub fn chosen_rivals(named: &[Rival], none: bool) -> Result<Vec<Rival>, Failure> {
    if !named.is_empty() && Rival::compiled().is_empty() {
        return Err(rivals::NOT_BUILT.into());
    }
    Ok(match (none, named.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => Rival::compiled().to_vec(),
        (false, false) => named.to_vec(),
    })
}

/// The cases the arguments span.
pub fn cases(args: &Args) -> Vec<Case> {
    let all = [Op::MsmG1, Op::MsmG2, Op::Fft, Op::CosetFft, Op::Quotient];
    let ops = if args.ops.is_empty() { &all[..] } else { &args.ops };
    let threads = match args.threads.is_empty() {
        true => vec![processors()],
        false => args.threads.iter().map(|n| usize::from(*n)).collect(),
    };
    let effort = match args.runs {
        Some(runs) => Effort::exactly(runs.into()),
        None => Effort { min_rounds: 3, max_rounds: 15, budget: Duration::from_secs(args.seconds.into()) },
    };
    let mut cases = Vec::new();
    for &op in ops {
        for &log_size in &args.log_size {
            let scalars = if op.is_msm() { &args.scalars[..] } else { &[Scalars::Full] };
            for (&scalars, &threads) in scalars.iter().flat_map(|s| threads.iter().map(move |t| (s, t))) {
                cases.push(Case { op, log_size, scalars, threads, effort });
            }
        }
    }
    cases
}

/// Measures and prints.
///
/// # Errors
/// A backend or rival that is not there, a result that differs, a file that cannot be written.
pub fn run(args: &Args) -> Result<(), Failure> {
    let engines = backends::open(&args.device)?;
    let rivals = chosen_rivals(&args.rivals, args.no_rivals)?;
    let cases = cases(args);
    let mut results = Results::new("kernels");
    println!("{}", results.machine.line());
    results.rows = measure_all(&cases, &engines, &rivals)?;
    if let Some(file) = &args.json {
        results::write(file, &results)?;
    }
    Ok(())
}

/// Measures all cases on all backends, printing each row as it is known.
///
/// # Errors
/// A backend that fails, a result that differs.
pub fn measure_all(cases: &[Case], engines: &[Engine], rivals: &[Rival]) -> Result<Vec<Row>, Failure> {
    let progress = Progress::new((cases.len() * engines.len()) as u64);
    progress.say("points");
    let largest = |op: Op| cases.iter().filter(|c| c.op == op).map(|c| 1 << c.log_size).max().unwrap_or(0);
    let points = Points::draw(largest(Op::MsmG1), largest(Op::MsmG2))?;
    progress.line(&header());
    let mut rows = Vec::new();
    for case in cases {
        for engine in engines {
            progress.say(case.title());
            for row in measure(case, engine, rivals, &points, &|| progress.tick())? {
                // An upload does not depend on the scalars: its first row stands for all.
                if row.op.starts_with("upload") && rows.iter().any(|r: &Row| r.key() == row.key()) {
                    continue;
                }
                progress.line(&line(&row));
                rows.push(row);
            }
            progress.step();
        }
    }
    Ok(rows)
}

/// Measures one case on one backend: rows of the operation, and for an MSM one of the upload.
///
/// # Errors
/// A backend that fails, a result that differs.
pub fn measure(
    case: &Case,
    engine: &Engine,
    rivals: &[Rival],
    points: &Points,
    tick: &dyn Fn(),
) -> Result<Vec<Row>, Failure> {
    let pool = &pool(case.threads)?;
    let n = 1usize << case.log_size;
    let backend = &*engine.backend;
    let scalars = case.scalars.draw(n);
    let title = case.title();
    let compare = |ours: Way<'_>, input: Input<'_>| {
        interleave(&title, pool, case.effort, ours, rivals::ways(rivals, input), tick)
    };
    // A vector transformed in place, copied from the input before the clock runs.
    let in_place = |f: &(dyn Fn(&mut [Fr]) -> Result<(), KernelError> + Sync)| {
        let mut values = scalars.clone();
        let (time, done) = timed(pool, || f(&mut values));
        done?;
        Ok((time, Value::Vector(values)))
    };
    let mut upload = None;
    let compared = match case.op {
        Op::MsmG1 => {
            let raw = share_points(points.g1(n));
            let (time, bases) = timed(pool, || backend.upload_g1(raw));
            let bases = bases?;
            upload = Some((Op::UploadG1, time));
            let ours = Way::new("ours", |pool| {
                let (time, sum) = timed(pool, || backend.msm_g1(&bases, &scalars));
                Ok((time, Value::G1(sum?.to_affine())))
            });
            compare(ours, Input::MsmG1(points.g1(n), &scalars, case.scalars))?
        }
        Op::MsmG2 => {
            let raw = share_points(points.g2(n));
            let (time, bases) = timed(pool, || backend.upload_g2(raw));
            let bases = bases?;
            upload = Some((Op::UploadG2, time));
            let ours = Way::new("ours", |pool| {
                let (time, sum) = timed(pool, || backend.msm_g2(&bases, &scalars));
                Ok((time, Value::G2(sum?.to_affine())))
            });
            compare(ours, Input::MsmG2(points.g2(n), &scalars, case.scalars))?
        }
        Op::Fft => compare(Way::new("ours", |_| in_place(&|v| backend.fft(v))), Input::Fft(&scalars))?,
        Op::CosetFft => {
            compare(Way::new("ours", |_| in_place(&|v| backend.coset_fft(v))), Input::CosetFft(&scalars))?
        }
        Op::Quotient => {
            let abc = products(n);
            let ours = Way::new("ours", |pool| {
                let [a, b, c] = abc.clone();
                let (time, h) = timed(pool, || backend.quotient(a, b, c));
                Ok((time, Value::Vector(h?)))
            });
            compare(ours, Input::Quotient(&abc))?
        }
        other => return Err(format!("{} is not a kernel", other.name()).into()),
    };
    let mut rows = case.subject(case.op, engine, pool).rows(&compared);
    if let Some((op, time)) = upload {
        let once = Compared { ours: Stats::of(vec![time.as_secs_f64()]), rivals: Vec::new() };
        rows.extend(case.subject(op, engine, pool).rows(&once));
    }
    Ok(rows)
}

/// The heading of [`line`].
pub fn header() -> String {
    format!(
        "{:<14} {:>5} {:<8} {:>7} {:<9} {:>12} {:>7}  {:<14} {:>12} {:>8}",
        "operation",
        "size",
        "scalars",
        "threads",
        "backend",
        "seconds",
        "spread",
        "rival",
        "seconds",
        "ratio"
    )
}

/// A row as a line of a table. The spread is the median absolute deviation.
pub fn line(row: &Row) -> String {
    let spread = 100.0 * row.stats.mad / row.seconds.max(f64::MIN_POSITIVE);
    let ours = format!(
        "{:<14} {:>5} {:<8} {:>7} {:<9} {:>12.6} {spread:>6.1}%",
        row.op,
        format!("2^{}", row.log_size),
        row.scalars.as_deref().unwrap_or("-"),
        row.threads,
        row.backend,
        row.seconds,
    );
    match (&row.rival, row.rival_seconds, row.ratio) {
        (Some(rival), Some(seconds), Some(ratio)) => {
            format!("{ours}  {rival:<14} {seconds:>12.6} {ratio:>7.2}x")
        }
        _ => ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny(op: Op, scalars: Scalars) -> Case {
        Case { op, log_size: 8, scalars, threads: 2, effort: Effort::exactly(2) }
    }

    fn all_tiny() -> Vec<Case> {
        let msm = [Op::MsmG1, Op::MsmG2]
            .into_iter()
            .flat_map(|op| [Scalars::Full, Scalars::U16, Scalars::Witness].map(|scalars| tiny(op, scalars)));
        msm.chain([Op::Fft, Op::CosetFft, Op::Quotient].map(|op| tiny(op, Scalars::Full))).collect()
    }

    /// Every library's result is compared with ours in `interleave`, so that rows mean equal results.
    #[test]
    fn every_operation_gives_the_same_result_with_every_library_and_on_both_cpu_paths() {
        let both = vec![backends::Name::Cpu, backends::Name::Portable];
        let engines = backends::open(&backends::Args { backend: both, ..Default::default() }).unwrap();
        let rows = measure_all(&all_tiny(), &engines, Rival::compiled()).unwrap();
        let rivals = |op: &str| rows.iter().filter(|r| r.op == op && r.rival.is_some()).count();
        let all = Rival::compiled().len();
        assert_eq!(rivals("msmG1"), 2 * 3 * all);
        assert_eq!(rivals("msmG2"), 2 * 3 * all);
        assert_eq!(rivals("fft"), 2 * all.saturating_sub(1));
        assert_eq!(rivals("quotient"), if all == 0 { 0 } else { 2 });
        assert_eq!(rows.iter().filter(|r| r.op == "uploadG2").count(), 2);
        assert!(rows.iter().all(|r| r.seconds > 0.0 && r.threads == 2 && r.checked));
    }

    #[test]
    fn cases_are_the_product_of_what_was_asked_for() {
        use clap::Parser;
        #[derive(Parser)]
        struct Cli {
            #[command(flatten)]
            args: Args,
        }
        let cli = Cli::parse_from([
            "x",
            "--ops",
            "msmG1,fft",
            "--log-size",
            "4,5",
            "--scalars",
            "full,u16",
            "--threads",
            "1,2",
        ]);
        assert_eq!(cases(&cli.args).len(), 2 * 2 * 2 + 2 * 2);
    }
}
