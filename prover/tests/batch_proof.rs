//! The whole way: a replayed batch, real keys, a real proof, and everything the verifier must refuse.
use lathe_kernels::CpuBackend;
use lathe_prover::batch_verify::BatchProof;
use lathe_prover::batch_verify::tamper::{Target, tamper};
use lathe_prover::system::{L1Binding, System};
use lathe_prover::transcript::Context;
use lathe_vm::fixtures::{self, Fixture};
use lathe_vm::machine::Limits;
use lathe_vm::replay::replay;
use lathe_vm::trace::BatchTrace;
use std::path::Path;
use std::sync::Arc;

const L1: L1Binding = L1Binding { chain_id: 31337, contract: [0x11; 20] };

fn trace(f: &Fixture) -> BatchTrace {
    let kernel = lathe_vm::programs::kernel();
    replay(&f.tree, &f.codes, kernel, &f.params, &f.records, &Limits::default()).expect("the fixture replays")
}

fn prove(system: &System, trace: &BatchTrace) -> BatchProof {
    let (proof, report) = system.prove(trace, &L1, &|_, _| {}).expect("the batch can be proven");
    eprintln!("{:?}", report.stages);
    report.circuits.iter().for_each(|c| eprintln!("{c:?}"));
    proof
}

/// One test, because keys and proofs are expensive: every claim about a real batch proof.
#[test]
fn real_batches_prove_and_nothing_else_verifies() {
    let keys = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys");
    let system = System::open(&keys, Arc::new(CpuBackend::new()), &|what, _| eprintln!("{what}"))
        .expect("keys can be made");
    assert!(system.development(), "keys from the public seed are marked");

    let transfers = trace(&fixtures::transfers(16).expect("fixture"));
    let mixed = trace(&fixtures::mixed().expect("fixture"));
    let (proof, other) = (prove(&system, &transfers), prove(&system, &mixed));
    assert!(system.verify(&L1, mixed.statement_hash, &other).is_ok());

    // The wire form is what L1 gets.
    let decoded = BatchProof::from_bytes(system.layout(), &proof.to_bytes()).expect("own bytes decode");
    assert_eq!(decoded, proof);

    let context = Context {
        l1_chain_id: L1.chain_id,
        contract: L1.contract,
        statement: transfers.statement_hash,
        layout_id: system.layout().id,
    };
    let target = Target {
        layout: system.layout(),
        keys: system.verifying_keys(),
        context,
        proof: &proof,
        other: &other,
    };
    let tally = tamper(&target);
    assert_eq!(tally.survivors, Vec::<String>::new());
    assert!(tally.tried > 100, "only {} attacks were tried", tally.tried);
}
