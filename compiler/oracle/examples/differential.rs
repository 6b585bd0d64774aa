//! `differential FILE [CASES]`: what the transaction tests compare, counted. Prints a table, writes the same as JSON, and
//! fails where there is a difference.
use lathe_compiler::compile::Level;
use lathe_oracle::chain::pair::{Chains, Counts};
use lathe_oracle::nested::{Tally, shrunk};
use lathe_oracle::stage::Scene;
use lathe_oracle::{drawn, scenarios};
use serde_json::json;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Drawn sequences at each level where nothing else is said.
const CASES: u32 = 24;
/// Transactions in each, at most.
const TRANSACTIONS: usize = 14;
/// The levels that contracts are compiled at.
const LEVELS: [Level; 2] = [Level::O3, Level::Oz];

/// What was compared so far.
#[derive(Default)]
struct Report {
    /// Named ones, each played at every level.
    scenarios: usize,
    sequences: usize,
    /// Drawn sequences that ended early, as gas ran out by itself on the EVM, where prices matter.
    given_up: usize,
    counts: Counts,
    differences: Vec<String>,
}

impl Report {
    fn named(&mut self, level: Level) {
        let all = scenarios::of_transactions();
        self.scenarios = all.len();
        for scenario in all {
            let mut scene = Scene::new(Chains::new(), level);
            let played = catch_unwind(AssertUnwindSafe(|| {
                (scenario.play)(&mut scene);
                scene.again()
            }));
            match played {
                Ok(counts) => {
                    println!("{level:?} {:60} {:5} transactions", scenario.name, counts.transactions);
                    self.counts += counts;
                }
                Err(reason) => {
                    let text = reason.downcast_ref::<String>().map_or("no text", String::as_str);
                    self.differences.push(format!("{level:?} {}: {text}", scenario.name));
                }
            }
        }
    }

    fn drawn(&mut self, level: Level, cases: u32) {
        let (tally, counts) = (Tally::default(), Cell::new((0, Counts::default())));
        let drawn = shrunk(cases, TRANSACTIONS, |seeds| {
            let more = drawn::blocks(level, seeds, &tally)?;
            let (sequences, mut all) = counts.get();
            all += more;
            counts.set((sequences + 1, all));
            Ok(())
        });
        let (sequences, counts) = counts.get();
        println!("{level:?} {sequences} drawn sequences {:50} {:5} transactions", "", counts.transactions);
        self.sequences += sequences;
        self.given_up += tally.given_up.get();
        self.counts += counts;
        self.differences.extend(drawn.err());
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(file) = arguments.next() else {
        eprintln!("usage: differential FILE [CASES]");
        return ExitCode::FAILURE;
    };
    let cases = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let mut report = Report::default();
    for level in LEVELS {
        report.named(level);
        report.drawn(level, cases);
    }
    let Report { scenarios, sequences, given_up, counts, differences } = report;
    println!(
        "{} transactions in {} blocks compared: {} returned, {} failed, {} refused; {} differences",
        counts.transactions,
        counts.blocks,
        counts.succeeded,
        counts.failed,
        counts.refused,
        differences.len()
    );
    differences.iter().for_each(|text| println!("\n{text}"));
    let figures = json!({
        "scenarios": scenarios,
        "levels": LEVELS.map(|level| format!("{level:?}")),
        "drawnSequences": sequences,
        "drawnSequencesEndedByGas": given_up,
        "transactions": counts.transactions,
        "blocks": counts.blocks,
        "succeeded": counts.succeeded,
        "failed": counts.failed,
        "refused": counts.refused,
        "differences": differences,
    });
    match std::fs::write(&file, format!("{figures:#}\n")) {
        Ok(()) if differences.is_empty() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}
