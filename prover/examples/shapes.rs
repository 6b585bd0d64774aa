//! Prints, for every chip of every shape, constraints per row, rows, and the rows that the fixture batches need.
//!
//! `cargo run --release -p lathe-prover --example shapes`
use lathe_prover::circuit::Counts;
use lathe_prover::input::ProverInput;
use lathe_prover::shapes;
use lathe_vm::fixtures::{self, Fixture};
use lathe_vm::machine::Limits;
use lathe_vm::replay::replay;
use lathe_vm::trace::BatchTrace;

type Failure = Box<dyn std::error::Error>;

fn trace(f: &Fixture) -> Result<BatchTrace, Failure> {
    let kernel = lathe_vm::programs::kernel();
    Ok(replay(&f.tree, &f.codes, kernel, &f.params, &f.records, &Limits::default())?)
}

fn main() -> Result<(), Failure> {
    let traces =
        [trace(&fixtures::transfers(1)?)?, trace(&fixtures::transfers(16)?)?, trace(&fixtures::mixed()?)?];
    let counts = Counts::default();
    for circuit in [shapes::head(), shapes::body()] {
        println!(
            "{} ({} constraints, {} committed)",
            circuit.name,
            circuit.num_constraints(),
            circuit.num_committed()
        );
        println!(
            "  {:<16} {:>8} {:>9} {:>8} {:>10}   need: 1 transfer, 16, mixed",
            "chip", "per row", "committed", "rows", "total"
        );
        for b in &circuit.blocks {
            let row = &b.templates[1];
            let need: Vec<usize> = traces
                .iter()
                .map(|trace| b.chip.need(&ProverInput { trace, counts: &counts }).unwrap_or(usize::MAX))
                .collect();
            println!(
                "  {:<16} {:>8} {:>9} {:>8} {:>10}   {:?}",
                b.chip.name(),
                row.constraint_count(),
                row.committed,
                b.capacity,
                b.constraints(),
                need
            );
        }
    }
    Ok(())
}
