//! `prover-bench table`: the comparisons by which this project judges its kernels, each with what it must reach. Both
//! sides run interleaved on the same threads; nothing is judged at other sizes than these.

use crate::Failure;
use crate::backends::{self, Engine};
use crate::groth16;
use crate::kernels::{self, Case, pool, processors};
use crate::measure::{Effort, Value, Way, interleave, timed};
use crate::progress::Progress;
use crate::results::{self, Results, Row, Stage, Subject, Target};
use crate::rivals::{self, Rival};
use crate::workload::{Op, Points, Scalars};
use group::Curve;
use lathe_kernels::backend::share_points;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Threads of both sides. The targets are for 2.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: u16,
    /// Leave out the whole Groth16 proofs, which take most of the time.
    #[arg(long)]
    pub kernels_only: bool,
    /// A dry run: every size is 2^N times smaller, and no target is judged.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=14))]
    pub smaller: u32,
    /// Exit with an error if a comparison does not reach what it must at least.
    #[arg(long)]
    pub require: bool,
    /// Write the figures as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// The rival of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Against {
    Library(Rival, &'static str),
    ArkGroth16,
    OneThread,
}

impl Against {
    fn name(self) -> &'static str {
        match self {
            Against::Library(_, name) => name,
            Against::ArkGroth16 => rivals::ARK_GROTH16,
            Against::OneThread => "1 thread",
        }
    }
}

/// One line of the table.
struct Spec {
    op: Op,
    log_size: u32,
    scalars: Scalars,
    against: Against,
    at_least: f64,
    aim: Option<f64>,
}

impl Spec {
    fn title(&self, log_size: u32) -> String {
        let scalars = if self.scalars == Scalars::U16 { ", 16-bit scalars" } else { "" };
        format!("{} 2^{log_size}{scalars}", self.op.title())
    }
}

/// The comparisons by which the kernels are judged, and what each must reach.
fn specs() -> Vec<Spec> {
    let ark = Against::Library(Rival::Arkworks, "arkworks");
    let ark_u16 = Against::Library(Rival::Arkworks, "arkworks u16");
    let halo2 = Against::Library(Rival::Halo2curves, "halo2curves");
    let line = |op, log_size, scalars, against, at_least, aim| Spec {
        op,
        log_size,
        scalars,
        against,
        at_least,
        aim,
    };
    let full = Scalars::Full;
    vec![
        line(Op::MsmG1, 20, full, ark, 8.0, Some(10.0)),
        line(Op::MsmG1, 20, full, halo2, 5.4, None),
        line(Op::MsmG1, 18, full, ark, 6.0, Some(8.0)),
        line(Op::MsmG1, 16, full, ark, 6.0, Some(8.0)),
        line(Op::MsmG1, 20, Scalars::U16, ark_u16, 6.0, Some(8.0)),
        line(Op::MsmG2, 18, full, ark, 8.0, Some(10.0)),
        line(Op::Fft, 20, full, halo2, 5.0, Some(6.0)),
        line(Op::Fft, 18, full, ark, 4.5, Some(5.5)),
        line(Op::MsmG1, 20, full, Against::OneThread, 1.85, None),
        line(Op::Fft, 20, full, Against::OneThread, 1.85, None),
        line(Op::Groth16, 18, full, Against::ArkGroth16, 7.0, Some(9.0)),
        line(Op::Groth16, 20, full, Against::ArkGroth16, 7.0, Some(10.0)),
    ]
}

/// How long a line may take: short ones get more rounds.
fn effort(spec: &Spec, smaller: u32) -> Effort {
    let seconds = |min_rounds, max_rounds, seconds| Effort {
        min_rounds,
        max_rounds,
        budget: Duration::from_secs(seconds),
    };
    match (spec.op, spec.log_size) {
        _ if smaller > 0 => Effort::exactly(2),
        (Op::Groth16, 20) => seconds(2, 3, 60),
        (Op::Groth16, _) => seconds(3, 5, 45),
        (Op::MsmG1 | Op::MsmG2, _) => seconds(5, 9, 20),
        _ => seconds(9, 31, 10),
    }
}

/// Measures and prints.
///
/// # Errors
/// A build without rivals, a result that differs, a file that cannot be written; with `--require`, a target missed.
pub fn run(args: &Args) -> Result<(), Failure> {
    if Rival::compiled().is_empty() {
        return Err(rivals::NOT_BUILT.into());
    }
    if usize::from(args.threads) > processors() {
        eprintln!("  {} threads asked for, but only {} processors are there", args.threads, processors());
    }
    let results = measure(args)?;
    println!("\n{}", text(&results.targets));
    results.notes.iter().for_each(|note| println!("{note}"));
    if let Some(file) = &args.json {
        results::write(file, &results)?;
    }
    let missed = results.targets.iter().filter(|t| t.met == Some(false)).count();
    match args.require && missed > 0 {
        true => {
            Err(format!("{missed} of {} comparisons miss what they must reach", results.targets.len()).into())
        }
        false => Ok(()),
    }
}

/// Measures every line.
///
/// # Errors
/// A result that differs, a proof that fails.
pub fn measure(args: &Args) -> Result<Results, Failure> {
    let mut results = Results::new("table");
    println!("{}", results.machine.line());
    let cpu = backends::Args { backend: vec![backends::Name::Cpu], ..Default::default() };
    let engine = backends::open(&cpu)?.remove(0);
    let wanted = |spec: &Spec| !(args.kernels_only && spec.op == Op::Groth16);
    let specs: Vec<Spec> = specs().into_iter().filter(wanted).collect();
    let progress = Progress::new(specs.len() as u64);
    progress.say("points");
    let largest =
        |op| specs.iter().filter(|s| s.op == op).map(|s| 1usize << (s.log_size - args.smaller)).max();
    let points = Points::draw(largest(Op::MsmG1).unwrap_or(0), largest(Op::MsmG2).unwrap_or(0))?;
    progress.line(&kernels::header());
    for spec in &specs {
        let measured = measure_line(spec, args, &engine, &points, &progress)?;
        results.targets.push(judge(spec, args, &measured.rows));
        // Making bases resident is measured anew with each line: the first row stands for all.
        let known = |row: &Row, rows: &[Row]| rows.iter().any(|r| r.key() == row.key());
        for row in measured.rows {
            if !known(&row, &results.rows) {
                progress.line(&kernels::line(&row));
                results.rows.push(row);
            }
        }
        results.stages.extend(measured.stages);
        results.notes.extend(measured.notes);
        progress.step();
    }
    Ok(results)
}

/// The rows of one line; the first is the comparison.
fn measure_line(
    spec: &Spec,
    args: &Args,
    engine: &Engine,
    points: &Points,
    progress: &Progress,
) -> Result<groth16::Measured, Failure> {
    let log_size = spec.log_size - args.smaller;
    let (threads, effort) = (usize::from(args.threads), effort(spec, args.smaller));
    progress.say(format!("{} vs {}", spec.title(log_size), spec.against.name()));
    let case = Case { op: spec.op, log_size, scalars: spec.scalars, threads, effort };
    let tick = || progress.tick();
    let rows = match spec.against {
        Against::ArkGroth16 => {
            return groth16::measure(log_size, threads, engine, true, effort, progress);
        }
        Against::Library(rival, _) => kernels::measure(&case, engine, &[rival], points, &tick)?,
        Against::OneThread => vec![scaling(&case, engine, points, &tick)?],
    };
    Ok(groth16::Measured { rows, stages: Vec::<Stage>::new(), notes: Vec::new() })
}

/// Ours on all threads against ours on one, interleaved.
fn scaling(case: &Case, engine: &Engine, points: &Points, tick: &dyn Fn()) -> Result<Row, Failure> {
    let n = 1usize << case.log_size;
    let (many, one) = (pool(case.threads)?, pool(1)?);
    let scalars = case.scalars.draw(n);
    let backend = &*engine.backend;
    let bases = match case.op {
        Op::MsmG1 => Some(many.install(|| backend.upload_g1(share_points(points.g1(n))))?),
        _ => None,
    };
    let once = |pool: &rayon::ThreadPool| -> Result<(Duration, Value), Failure> {
        match &bases {
            Some(bases) => {
                let (time, sum) = timed(pool, || backend.msm_g1(bases, &scalars));
                Ok((time, Value::G1(sum?.to_affine())))
            }
            None => {
                let mut values = scalars.clone();
                let (time, done) = timed(pool, || backend.fft(&mut values));
                done?;
                Ok((time, Value::Vector(values)))
            }
        }
    };
    let ours = Way::new("ours", &once);
    let single = Way::new(Against::OneThread.name(), |_: &rayon::ThreadPool| once(&one));
    let compared = interleave(&case.title(), &many, case.effort, ours, vec![single], tick)?;
    let subject = Subject {
        op: case.op.name().into(),
        log_size: case.log_size,
        scalars: case.op.is_msm().then(|| case.scalars.name().to_string()),
        threads: case.threads,
        backend: engine.name.into(),
        device: many.install(|| backend.device()),
    };
    Ok(subject.rows(&compared).remove(0))
}

/// The line's verdict. Only the sizes and threads of the table are judged.
fn judge(spec: &Spec, args: &Args, rows: &[Row]) -> Target {
    let measured = rows.iter().find_map(|row| row.ratio).unwrap_or(0.0);
    let judged = args.smaller == 0 && args.threads == 2;
    Target {
        title: spec.title(spec.log_size - args.smaller),
        rival: spec.against.name().into(),
        at_least: spec.at_least,
        aim: spec.aim,
        measured,
        seconds: rows.first().map_or(0.0, |row| row.seconds),
        rival_seconds: rows.first().and_then(|row| row.rival_seconds).unwrap_or(0.0),
        met: judged.then_some(measured >= spec.at_least),
    }
}

/// The table for people.
pub fn text(targets: &[Target]) -> String {
    let mut text = format!(
        "{:<32} {:<13} {:>10} {:>10} {:>9} {:>6} {:>14}  met\n",
        "work", "against", "theirs, s", "ours, s", "at least", "aim", "measured here"
    );
    for t in targets {
        let aim = t.aim.map_or("-".into(), |aim| format!("{aim}x"));
        let met = match t.met {
            Some(true) if t.aim.is_some_and(|aim| t.measured >= aim) => "yes, aim too",
            Some(true) => "yes",
            Some(false) => "NO",
            None => "not judged",
        };
        text += &format!(
            "{:<32} {:<13} {:>10.4} {:>10.4} {:>9} {aim:>6} {:>13.2}x  {met}\n",
            t.title,
            t.rival,
            t.rival_seconds,
            t.seconds,
            format!("{}x", t.at_least),
            t.measured
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(measured: f64) -> Target {
        Target {
            title: "MSM G1 2^20".into(),
            rival: "arkworks".into(),
            at_least: 8.0,
            aim: Some(10.0),
            measured,
            seconds: 1.0,
            rival_seconds: measured,
            met: Some(measured >= 8.0),
        }
    }

    #[test]
    fn the_text_says_what_is_met_and_what_is_not() {
        let lines = text(&[target(7.99), target(8.5), target(12.0)]);
        let ends: Vec<&str> = lines.lines().skip(1).map(|l| l.rsplit("x  ").next().unwrap()).collect();
        assert_eq!(ends, ["NO", "yes", "yes, aim too"]);
    }

    #[cfg(feature = "rivals")]
    #[test]
    fn a_dry_run_measures_every_line_and_judges_none() {
        let args = Args { threads: 2, kernels_only: false, smaller: 12, require: false, json: None };
        let results = measure(&args).unwrap();
        assert_eq!(results.targets.len(), specs().len());
        assert!(results.targets.iter().all(|t| t.measured > 0.0 && t.met.is_none()));
        assert!(results.stages.iter().any(|s| s.name == "MSM b G2"));
    }
}
