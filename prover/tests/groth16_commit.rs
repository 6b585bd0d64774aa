//! The two-step prover and single proofs with a commitment: what it refuses and what it binds.

#[path = "../examples/toy_batch/toy.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod toy;

use ff::Field;
use group::Curve;
use halo2curves::bn256::{Fr, G1, G1Affine};
use lathe_kernels::CpuBackend;
use lathe_prover::groth16::{
    KeyError, ProveError, Prover, SetupError, SystemSecrets, VerifyError, setup, verify,
};
use lathe_prover::r1cs::{R1cs, R1csBuilder, R1csError};
use lathe_prover::transcript::{Challenges, Context};
use std::sync::Arc;
use toy::{Role, Toy};

const CONTEXT: Context = Context { l1_chain_id: 1, contract: [1; 20], statement: [0x77; 32], layout_id: 1 };

fn challenges(toy: &Toy) -> Challenges {
    let d: Vec<_> = toy
        .provers
        .iter()
        .map(|(role, p)| (&p.key().vk, p.commit(&role.committed(&CONTEXT)).unwrap().commitment()))
        .collect();
    Challenges::for_keys(&CONTEXT, &d)
}

#[test]
fn a_proof_verifies_with_its_commitment_and_with_no_other() {
    let toy = Toy::new(b"single");
    let challenges = challenges(&toy);
    let (role, prover) = &toy.provers[0];
    let (z, _) = role.assign(&CONTEXT, &challenges);
    let committed = prover.commit(&role.committed(&CONTEXT)).unwrap();
    let d = committed.commitment();
    let proof = prover.prove(committed, &z, Fr::from(3), Fr::from(4)).unwrap().proof;
    let (vk, public) = (&prover.key().vk, &z[1..8]);
    assert_eq!(verify(vk, public, &d, &proof), Ok(()));
    for other in [G1Affine::default(), -d, (d + G1Affine::generator()).to_affine()] {
        assert_eq!(verify(vk, public, &other, &proof), Err(VerifyError::Pairing));
    }
    for i in 0..7 {
        let mut changed = public.to_vec();
        changed[i] += Fr::ONE;
        assert_eq!(verify(vk, &changed, &d, &proof), Err(VerifyError::Pairing), "public input {i}");
    }
    let short = VerifyError::PublicInputs { expected: 7, got: 6 };
    assert_eq!(verify(vk, &public[1..], &d, &proof), Err(short));
    // Moving a multiple of a basis between D and C is what distinct denominators prevent.
    let mut shifted = proof.clone();
    shifted.c = (G1::from(proof.c) - d).to_affine();
    let doubled = (d + d).to_affine();
    assert_eq!(verify(vk, public, &doubled, &shifted), Err(VerifyError::Pairing));
}

#[test]
fn the_prover_refuses_what_it_could_not_prove() {
    let toy = Toy::new(b"refuse");
    let challenges = challenges(&toy);
    let (role, prover) = &toy.provers[0];
    let committed_values = role.committed(&CONTEXT);
    let commit = || prover.commit(&committed_values).unwrap();
    let (z, _) = role.assign(&CONTEXT, &challenges);
    let prove = |z: &[Fr]| prover.prove(commit(), z, Fr::ONE, Fr::ONE).map(|_| ());

    let mut wrong = z.clone();
    let last = wrong.len() - 1;
    wrong[last] += Fr::ONE;
    let unsatisfied = prover.r1cs().first_unsatisfied(&wrong).unwrap().unwrap();
    match prove(&wrong) {
        Err(ProveError::Unsatisfied { circuit, row }) => {
            assert_eq!((circuit.as_str(), row), ("toy-head", unsatisfied))
        }
        other => panic!("{other:?}"),
    }
    let mut changed = z.clone();
    changed[prover.r1cs().committed_columns().start] += Fr::ONE;
    assert!(matches!(prove(&changed), Err(ProveError::CommittedChanged { .. })));
    assert!(matches!(prove(&z[1..]), Err(ProveError::Assignment(R1csError::AssignmentLength { .. }))));
    assert!(matches!(
        prover.commit(&committed_values[1..]),
        Err(ProveError::CommittedLength { expected: 17, got: 16, .. })
    ));
    let foreign = toy.provers[1].1.commit(&Role::Body.committed(&CONTEXT)).unwrap();
    let refused = prover.prove(foreign, &z, Fr::ONE, Fr::ONE);
    assert!(matches!(refused, Err(ProveError::ForeignCommitment { .. })));
}

#[test]
fn a_key_proves_only_the_circuit_it_was_made_for() {
    let backend = Arc::new(CpuBackend::new());
    let secrets = SystemSecrets::development(b"wrong circuit");
    let key = Arc::new(setup(&*backend, &Role::Head.r1cs(), "head", &secrets).unwrap());
    let refused = Prover::new(backend, key, Arc::new(Role::Body.r1cs()));
    assert!(matches!(refused.map(|_| ()), Err(ProveError::WrongCircuit { .. })));
}

#[test]
fn setup_is_reproducible_marked_and_fresh_per_circuit() {
    let backend = CpuBackend::new();
    let make = |role: Role, name: &str, secrets: &SystemSecrets| {
        setup(&backend, &role.r1cs(), name, secrets).unwrap().vk
    };
    let dev = SystemSecrets::development(b"seed");
    let key = make(Role::Head, "head", &dev);
    assert_eq!(key.require_production(), Err(KeyError::Development { name: "head".into() }));
    assert_eq!(key, make(Role::Head, "head", &SystemSecrets::development(b"seed")));
    let renamed = make(Role::Head, "other", &dev);
    let body = make(Role::Body, "head", &dev);
    for other in [&renamed, &body] {
        assert_eq!(
            (key.alpha_g1, key.beta_g2, key.gamma_g2),
            (other.alpha_g1, other.beta_g2, other.gamma_g2)
        );
        assert_ne!(key.delta_g2, other.delta_g2);
        assert_ne!(key.eta_g2, other.eta_g2);
    }
    let random =
        SystemSecrets::random(<rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::seed_from_u64(1));
    let key = make(Role::Head, "head", &random);
    assert_eq!(key.require_production(), Ok(()));
}

#[test]
fn a_committed_wire_without_a_constraint_is_refused() {
    let mut builder = R1csBuilder::new(0, 2, 0);
    builder.push_row(&[(1, Fr::ONE)], &[(0, Fr::ONE)], &[(1, Fr::ONE)]);
    let r1cs: R1cs = builder.finish().unwrap();
    let made = setup(&CpuBackend::new(), &r1cs, "loose", &SystemSecrets::development(b"x"));
    assert!(matches!(made.map(|_| ()), Err(SetupError::UnconstrainedCommitted { column: 2 })));
}
