//! Without committed wires this is bellman's Groth16: same keys, same bytes.

use bellman::groth16;
use bellman::{Circuit, ConstraintSystem, SynthesisError};
use ff::Field;
use halo2curves::bn256::{Bn256, Fr};
use lathe_kernels::CpuBackend;
use lathe_prover::groth16::{Prover, ProvingKey, SystemSecrets, setup, verify};
use lathe_prover::r1cs::{R1cs, R1csCircuit, assign_circuit};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::sync::Arc;

/// `x -> (x + k)^3` iterated; two rows a round; inputs allocated in the middle and at the end.
#[derive(Clone, Copy)]
struct Cubes {
    x: Option<Fr>,
    rounds: usize,
}

impl Circuit<Fr> for Cubes {
    fn synthesize<CS: ConstraintSystem<Fr>>(self, cs: &mut CS) -> Result<(), SynthesisError> {
        let missing = SynthesisError::AssignmentMissing;
        let mut value = self.x;
        let mut x = cs.alloc(|| "x", || value.ok_or(SynthesisError::AssignmentMissing))?;
        for i in 0..self.rounds {
            let k = Fr::from(i as u64 + 7);
            let square = value.map(|v| (v + k).square());
            let t = cs.alloc(|| "t", || square.ok_or(SynthesisError::AssignmentMissing))?;
            let sum = |lc: bellman::LinearCombination<Fr>| lc + x + (k, CS::one());
            cs.enforce(|| "square", sum, sum, |lc| lc + t);
            value = value.zip(square).map(|(v, s)| (v + k) * s);
            let next = match i % 5 == 4 || i + 1 == self.rounds {
                true => cs.alloc_input(|| "out", || value.ok_or(SynthesisError::AssignmentMissing))?,
                false => cs.alloc(|| "next", || value.ok_or(SynthesisError::AssignmentMissing))?,
            };
            cs.enforce(|| "cube", |lc| lc + t, sum, |lc| lc + next);
            x = next;
        }
        // A boolean row, as real circuits have them.
        let bit = cs.alloc(|| "bit", || if self.x.is_some() { Ok(Fr::ONE) } else { Err(missing) })?;
        cs.enforce(|| "bit", |lc| lc + bit, |lc| lc + bit - CS::one(), |lc| lc);
        Ok(())
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(11)
}

fn key_for(r1cs: &R1cs) -> ProvingKey {
    setup(&CpuBackend::new(), r1cs, "cubes", &SystemSecrets::random(rng())).unwrap()
}

#[test]
fn proofs_equal_bellmans_byte_for_byte() {
    let mut rng = rng();
    for log in [3u32, 6, 10, 13] {
        let circuit = Cubes { x: Some(Fr::random(&mut rng)), rounds: (1 << (log - 1)) - 3 };
        let r1cs = R1cs::from_circuit(Cubes { x: None, ..circuit }).unwrap();
        let z = assign_circuit(circuit).unwrap();
        let key = key_for(&r1cs);
        let parameters = key.to_bellman().unwrap();
        let (r, s) = (Fr::random(&mut rng), Fr::random(&mut rng));
        let theirs = groth16::create_proof::<Bn256, _, _>(circuit, &parameters, r, s).unwrap();

        let prover = Prover::new(Arc::new(CpuBackend::new()), Arc::new(key), Arc::new(r1cs.clone())).unwrap();
        let ours = prover.prove(prover.commit(&[]).unwrap(), &z, r, s).unwrap().proof;
        let bytes = |proof: &groth16::Proof<Bn256>| {
            let mut out = vec![];
            proof.write(&mut out).unwrap();
            out
        };
        assert_eq!(bytes(&ours), bytes(&theirs), "2^{log}");

        let public = &z[1..=r1cs.num_public];
        let prepared = groth16::prepare_verifying_key(&parameters.vk);
        assert!(groth16::verify_proof(&prepared, &ours, public).is_ok());
        assert_eq!(verify(&prover.key().vk, public, &Default::default(), &theirs), Ok(()));

        // A key that went through bellman's types proves the same.
        let imported = ProvingKey::from_bellman(&parameters, &r1cs, "cubes", false).unwrap();
        let prover = Prover::new(Arc::new(CpuBackend::new()), Arc::new(imported), Arc::new(r1cs)).unwrap();
        let again = prover.prove(prover.commit(&[]).unwrap(), &z, r, s).unwrap().proof;
        assert_eq!(again, theirs);
    }
}

#[test]
fn a_replayed_circuit_has_the_same_rows_and_the_same_proof() {
    let circuit = Cubes { x: Some(Fr::from(3)), rounds: 40 };
    let r1cs = R1cs::from_circuit(Cubes { x: None, ..circuit }).unwrap();
    let z = assign_circuit(circuit).unwrap();
    assert_eq!(r1cs.first_unsatisfied(&z), Ok(None));
    let replay = R1csCircuit { r1cs: &r1cs, assignment: Some(&z) };
    let back = R1cs::from_circuit(R1csCircuit { assignment: None, ..replay }).unwrap();
    assert_eq!(back.digest(), r1cs.digest());
    assert_eq!(assign_circuit(replay).unwrap(), z);
    let parameters = key_for(&r1cs).to_bellman().unwrap();
    let (r, s) = (Fr::from(5), Fr::from(6));
    let direct = groth16::create_proof::<Bn256, _, _>(circuit, &parameters, r, s).unwrap();
    let replayed = groth16::create_proof::<Bn256, _, _>(replay, &parameters, r, s).unwrap();
    assert_eq!(direct, replayed);
}
