//! `prover-bench compare`: what got faster or slower between two results files, beyond the noise.
//!
//! Noise of a figure: 1.4826 times the median absolute deviation (the standard deviation, were the runs normal), half the
//! range if there are fewer than five runs, 5 % for a single run; as a share of the median. A change counts if it exceeds
//! 2 % and three times the root of the sum of both files' squares, as it is and also after what the other libraries in
//! the two files moved is taken out: their code did not change, so that is the machine.

use crate::Failure;
use crate::measure::{Stats, median};
use crate::results::{Results, Row};
use std::path::PathBuf;

/// Changes below this are never reported, however quiet the runs.
const FLOOR: f64 = 0.02;
/// Noise of a figure of one run, which says nothing of its own.
const SINGLE: f64 = 0.05;

/// Arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The file from before.
    pub before: PathBuf,
    /// The file from after.
    pub after: PathBuf,
    /// Exit with code 1 if a figure got slower by more than PCT percent and beyond the noise.
    #[arg(long, value_name = "PCT", value_parser = percent)]
    pub fail_on_slower: Option<f64>,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err(format!("{text:?} is no percentage; give a number not below zero, for instance 5")),
    }
}

/// What became of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Faster beyond the noise.
    Faster,
    /// Slower beyond the noise.
    Slower,
    /// Neither.
    Same,
}

/// One figure in both files.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it is of.
    pub what: String,
    /// Median before, seconds.
    pub before: f64,
    /// Median after.
    pub after: f64,
    /// Change as a share of before; negative is faster.
    pub change: f64,
    /// Changes up to this say nothing.
    pub noise: f64,
    /// The verdict.
    pub verdict: Verdict,
}

/// What two files say.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Figures in both.
    pub changes: Vec<Change>,
    /// Figures in the first file only.
    pub gone: Vec<String>,
    /// Figures in the second file only.
    pub new: Vec<String>,
    /// The median change of other libraries' times, if the files share any.
    pub drift: Option<f64>,
    /// Whether CPU and thread count agree.
    pub same_machine: bool,
}

/// Our figure without its rival: the same operation beside another library is the same figure.
fn subject(row: &Row) -> String {
    Row { rival: None, ..row.clone() }.key()
}

/// Our figures, in the file's order, with the runs of rows of the same subject put together.
fn figures(results: &Results) -> Vec<(String, Stats)> {
    let mut found: Vec<(String, Vec<&Stats>)> = Vec::new();
    for row in &results.rows {
        let what = subject(row);
        match found.iter_mut().find(|(name, _)| *name == what) {
            // Rows beside several libraries in one measurement share their runs.
            Some((_, known)) if known.contains(&&row.stats) => {}
            Some((_, known)) => known.push(&row.stats),
            None => found.push((what, vec![&row.stats])),
        }
    }
    let join = |all: Vec<&Stats>| Stats::of(all.iter().flat_map(|s| s.runs.iter().copied()).collect());
    found.into_iter().map(|(what, all)| (what, join(all))).collect()
}

/// Noise of one figure as a share of its median.
fn noise(stats: &Stats) -> f64 {
    let width = match stats.runs.len() {
        0 | 1 => return SINGLE,
        2..=4 => (stats.max - stats.min) / 2.0,
        _ => 1.4826 * stats.mad,
    };
    width / stats.median.max(f64::MIN_POSITIVE)
}

/// Whether a change exceeds the noise. A gain is judged by the ratio turned around, so that swapping the files swaps the
/// verdicts.
fn verdict(change: f64, noise: f64) -> Verdict {
    match change {
        c if c > noise => Verdict::Slower,
        c if 1.0 / (1.0 + c) - 1.0 > noise => Verdict::Faster,
        _ => Verdict::Same,
    }
}

/// The median change of libraries that both files measured in the same version.
fn drift(before: &Results, after: &Results) -> Option<f64> {
    if before.machine.versions != after.machine.versions {
        return None;
    }
    let moved = before.rows.iter().filter(|row| row.rival.as_deref() != Some("1 thread")).filter_map(|row| {
        let other = after.rows.iter().find(|other| other.key() == row.key())?;
        Some(other.rival_seconds? / row.rival_seconds? - 1.0)
    });
    let moved: Vec<f64> = moved.collect();
    (!moved.is_empty()).then(|| median(&moved))
}

/// Compares two files' figures.
pub fn compare(before: &Results, after: &Results) -> Comparison {
    let (old, new) = (figures(before), figures(after));
    let drift = drift(before, after);
    let changes = old.iter().filter_map(|(what, a)| {
        let (_, b) = new.iter().find(|(name, _)| name == what)?;
        let change = b.median / a.median.max(f64::MIN_POSITIVE) - 1.0;
        let noise = FLOOR.max(3.0 * noise(a).hypot(noise(b)));
        let without_drift = (1.0 + change) / (1.0 + drift.unwrap_or(0.0)) - 1.0;
        let verdict = match (verdict(change, noise), verdict(without_drift, noise)) {
            (raw, corrected) if raw == corrected => raw,
            _ => Verdict::Same,
        };
        Some(Change { what: what.clone(), before: a.median, after: b.median, change, noise, verdict })
    });
    let missing = |from: &[(String, Stats)], other: &[(String, Stats)]| {
        let absent = |what: &&String| !other.iter().any(|(name, _)| name == *what);
        from.iter().map(|(what, _)| what).filter(absent).cloned().collect()
    };
    Comparison {
        changes: changes.collect(),
        gone: missing(&old, &new),
        new: missing(&new, &old),
        drift,
        same_machine: (&before.machine.cpu, before.machine.threads)
            == (&after.machine.cpu, after.machine.threads),
    }
}

/// Prints the comparison.
///
/// # Errors
/// A file that cannot be read, files with no figure in common; with `--fail-on-slower`, a figure that got slower.
pub fn run(args: &Args) -> Result<(), Failure> {
    let (before, after) = (Results::read(&args.before)?, Results::read(&args.after)?);
    let comparison = compare(&before, &after);
    if comparison.changes.is_empty() {
        return Err("the two files have no figure in common; compare runs of the same command".into());
    }
    println!(
        "before: {} {}\nafter:  {} {}\n",
        before.machine.date,
        before.machine.line(),
        after.machine.date,
        after.machine.line()
    );
    print!("{}", text(&comparison));
    let limit = args.fail_on_slower.map_or(f64::INFINITY, |percent| percent / 100.0);
    let slower = |c: &&Change| c.verdict == Verdict::Slower && c.change > limit;
    match comparison.changes.iter().filter(slower).count() {
        0 => Ok(()),
        n => Err(format!(
            "{n} of {} figures got slower by more than {:.1} %",
            comparison.changes.len(),
            limit * 100.0
        )
        .into()),
    }
}

/// The comparison for people.
pub fn text(c: &Comparison) -> String {
    let mut text = format!(
        "{:<44} {:>11} {:>11} {:>8} {:>8}  verdict\n",
        "figure", "before, s", "after, s", "change", "noise"
    );
    for change in &c.changes {
        let verdict = match change.verdict {
            Verdict::Faster => "faster",
            Verdict::Slower => "SLOWER",
            Verdict::Same => "-",
        };
        text += &format!(
            "{:<44} {:>11.6} {:>11.6} {:>+7.1}% {:>7.1}%  {verdict}\n",
            change.what,
            change.before,
            change.after,
            change.change * 100.0,
            change.noise * 100.0
        );
    }
    let count = |verdict| c.changes.iter().filter(|change| change.verdict == verdict).count();
    text += &format!(
        "\n{} faster, {} slower, {} within the noise\n",
        count(Verdict::Faster),
        count(Verdict::Slower),
        count(Verdict::Same)
    );
    if let Some(drift) = c.drift {
        text += &format!(
            "other libraries, whose code is the same in both, moved by {:+.1} %: the machine did that\n",
            drift * 100.0
        );
    }
    if !c.same_machine {
        text += "the machines differ: this compares hardware, not code\n";
    }
    for (which, names) in [("only before", &c.gone), ("only after", &c.new)] {
        if !names.is_empty() {
            text += &format!("{which}: {}\n", names.join("; "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Compared;
    use crate::results::Subject;

    /// A made-up figure: operation, our runs, the rival's runs.
    type Figure<'a> = (&'a str, &'a [f64], Option<&'a [f64]>);

    fn file(figures: &[Figure<'_>]) -> Results {
        let mut results = Results::new("kernels");
        for (op, ours, rival) in figures {
            let subject = Subject {
                op: op.to_string(),
                log_size: 18,
                scalars: None,
                threads: 2,
                backend: "cpu".into(),
                device: "cpu".into(),
            };
            let rivals = rival.iter().map(|runs| ("other".to_string(), Stats::of(runs.to_vec()))).collect();
            results.rows.extend(subject.rows(&Compared { ours: Stats::of(ours.to_vec()), rivals }));
        }
        results
    }

    const QUIET: [f64; 5] = [1.0, 1.001, 0.999, 1.0, 1.002];

    fn scaled(by: f64) -> [f64; 5] {
        QUIET.map(|v| v * by)
    }

    #[test]
    fn a_change_beyond_the_noise_is_named_and_one_within_is_not() {
        let before = file(&[("a", &QUIET, None), ("b", &QUIET, None), ("c", &QUIET, None)]);
        let after = file(&[("a", &scaled(1.1), None), ("b", &scaled(0.8), None), ("c", &scaled(1.01), None)]);
        let verdicts: Vec<_> = compare(&before, &after).changes.iter().map(|c| c.verdict).collect();
        assert_eq!(verdicts, [Verdict::Slower, Verdict::Faster, Verdict::Same]);
        let swapped: Vec<_> = compare(&after, &before).changes.iter().map(|c| c.verdict).collect();
        assert_eq!(swapped, [Verdict::Faster, Verdict::Slower, Verdict::Same]);
    }

    #[test]
    fn the_same_change_is_noise_where_the_runs_scatter() {
        let before = file(&[("a", &[1.0, 1.2, 0.8, 1.1, 0.9], None)]);
        let after = file(&[("a", &[1.1, 1.3, 0.9, 1.2, 1.0], None)]);
        assert_eq!(compare(&before, &after).changes[0].verdict, Verdict::Same);
        // With few runs the range counts.
        let (before, after) = (file(&[("a", &[1.0, 1.2], None)]), file(&[("a", &[1.1, 1.4], None)]));
        assert_eq!(compare(&before, &after).changes[0].verdict, Verdict::Same);
    }

    #[test]
    fn what_other_libraries_moved_is_the_machine() {
        let before = file(&[("a", &QUIET, Some(&[8.0, 8.0])), ("b", &QUIET, Some(&[4.0, 4.0]))]);
        let after =
            file(&[("a", &scaled(1.1), Some(&[8.96, 8.96])), ("b", &scaled(1.3), Some(&[4.48, 4.48]))]);
        let comparison = compare(&before, &after);
        assert!((comparison.drift.unwrap() - 0.12).abs() < 1e-9);
        let verdicts: Vec<_> = comparison.changes.iter().map(|c| c.verdict).collect();
        assert_eq!(verdicts, [Verdict::Same, Verdict::Slower]);
    }

    #[test]
    fn figures_in_one_file_only_are_listed_and_other_machines_are_named() {
        let mut after = file(&[("b", &QUIET, None), ("new", &QUIET, None)]);
        after.machine.cpu = "another".into();
        let comparison = compare(&file(&[("a", &QUIET, None), ("b", &QUIET, None)]), &after);
        let text = text(&comparison);
        assert!(text.contains("only before: a 2^18") && text.contains("only after: new 2^18"), "{text}");
        assert!(text.contains("the machines differ"));
    }

    #[test]
    fn percentages_are_numbers_not_below_zero() {
        assert_eq!((percent("5"), percent("7.5%")), (Ok(5.0), Ok(7.5)));
        for bad in ["-1", "x", "nan", ""] {
            assert!(percent(bad).is_err(), "{bad}");
        }
    }
}
