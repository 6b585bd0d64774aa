//! `make soundness`: the mutation harness over every chip and the tampering tests over a proof, as one JSON report.
//! Exits with 1 if a change to a chip survives without a written reason or a tampered proof is accepted.
//!
//! `cargo run --release -p lathe-prover --example soundness -- target/soundness.json`
#[path = "toy_batch/toy.rs"]
#[allow(dead_code, reason = "each user needs a part of it")]
mod toy;

use lathe_prover::batch_verify::tamper::{Tally, Target, tamper};
use lathe_prover::circuit::{Block, BlockValues, Circuit};
use lathe_prover::mutation::{ChipReport, excuse, mutate_block, tables};
use lathe_prover::shapes;
use lathe_prover::system::{assign, early_publics};
use lathe_prover::transcript::Context;
use lathe_vm::fixtures;
use lathe_vm::machine::Limits;
use lathe_vm::replay::replay;
use serde_json::json;
use std::process::ExitCode;

type Failure = Box<dyn std::error::Error>;

/// Mutates every chip of both shapes on the batch that uses every instruction.
fn chips() -> Result<Vec<ChipReport>, Failure> {
    let f = fixtures::mixed()?;
    let kernel = lathe_vm::programs::kernel();
    let trace = replay(&f.tree, &f.codes, kernel, &f.params, &f.records, &Limits::default())?;
    let circuits: [Circuit; 2] = [shapes::head(), shapes::body()];
    let layout = shapes::layout();
    let statement = trace.statement_hash;
    let context = Context { l1_chain_id: 1, contract: [0; 20], statement, layout_id: layout.id };
    let early = early_publics(&layout, &context);
    let values = assign(&circuits, &layout, &trace, &early)?;
    let all: Vec<&Block> = circuits.iter().flat_map(|c| &c.blocks).collect();
    let tables = tables(&all);
    let mut reports = Vec::new();
    for ((shape, v), early) in layout.shapes.iter().zip(&values).zip(&early) {
        let blocks: Vec<(&Block, &BlockValues)> = circuits[*shape].blocks.iter().zip(&v.blocks).collect();
        for (block, values) in blocks {
            if values.used == 0 && block.capacity > 0 {
                return Err(format!(
                    "chip '{}' has no used row in this batch: nothing was tested",
                    block.chip.name()
                )
                .into());
            }
            let report = mutate_block(block, values, *early, &tables);
            print(&report);
            reports.push(report);
        }
    }
    Ok(reports)
}

fn print(r: &ChipReport) {
    let bad = r.survivors.iter().filter(|s| excuse(&r.name, s).is_none()).count();
    println!(
        "{:<16} {:>7} wires {:>8} changes {:>7} caught {:>6} inert {:>3} survive",
        r.name, r.wires, r.changes, r.caught, r.excused, bad
    );
    for s in r.survivors.iter().filter(|s| excuse(&r.name, s).is_none()).take(12) {
        println!("    survives: template {} row {} {:?} near '{}'", s.template, s.row, s.wires, s.near);
    }
}

fn run(path: Option<String>) -> Result<bool, Failure> {
    let reports = chips()?;
    let toy = toy::Toy::new(b"soundness");
    let context =
        |statement: [u8; 32]| Context { l1_chain_id: 31337, contract: [0x11; 20], statement, layout_id: 1 };
    let (ours, theirs) = (context(std::array::from_fn(|i| (37 * i) as u8)), context([0x5a; 32]));
    let (proof, other) = (toy.prove(&ours, 1), toy.prove(&theirs, 2));
    let target = Target { layout: &toy.layout, keys: &toy.keys, context: ours, proof: &proof, other: &other };
    let tally: Tally = tamper(&target);
    println!("tampering: {} tried, {} rejected", tally.tried, tally.rejected);
    tally.survivors.iter().for_each(|s| println!("    accepted: {s}"));
    let unexcused = |r: &ChipReport| r.survivors.iter().filter(|s| excuse(&r.name, s).is_none()).count();
    let rows: Vec<_> = reports
        .iter()
        .map(|r| {
            let excused = r.excused + r.survivors.len() - unexcused(r);
            json!({"name": r.name, "wires": r.wires, "changes": r.changes, "caught": r.caught, "excused": excused,
                   "survivors": unexcused(r)})
        })
        .collect();
    let report = json!({"chips": rows, "tampering": {"tried": tally.tried, "rejected": tally.rejected}});
    if let Some(path) = path {
        std::fs::write(&path, serde_json::to_string_pretty(&report)?)?;
        println!("wrote {path}");
    }
    Ok(tally.tried == tally.rejected && reports.iter().all(|r| unexcused(r) == 0))
}

fn main() -> ExitCode {
    match run(std::env::args().nth(1)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("soundness: {e}");
            ExitCode::FAILURE
        }
    }
}
