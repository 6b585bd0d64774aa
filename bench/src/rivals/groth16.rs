//! ark-groth16 on a circuit of ours: the same rows, the same witness, keys of its own. Given are the matrices and the
//! assignment, as our prover is given them, so that neither side's time holds synthesis.

use super::arkworks::fr;
use super::{ARK_GROTH16, RivalProver};
use crate::Failure;
use crate::measure::{Value, Way, timed};
use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::{Groth16, ProvingKey, prepare_verifying_key};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, LinearCombination, Matrix,
    OptimizationGoal, R1CS_PREDICATE_LABEL, SynthesisError, SynthesisMode, Variable,
};
use halo2curves::bn256 as ours;
use lathe_prover::r1cs::{Matrix as OurMatrix, R1cs};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use rayon::ThreadPool;
use std::time::{Duration, Instant};

/// Our circuit as theirs: columns in order, then row by row.
struct Replay<'a> {
    r1cs: &'a R1cs,
    z: &'a [Fr],
}

impl ConstraintSynthesizer<Fr> for Replay<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let coeffs: Vec<Fr> = self.r1cs.coeffs.iter().map(fr).collect();
        let mut columns = vec![Variable::One];
        for (column, value) in self.z.iter().enumerate().skip(1) {
            columns.push(match column <= self.r1cs.num_public {
                true => cs.new_input_variable(|| Ok(*value))?,
                false => cs.new_witness_variable(|| Ok(*value))?,
            });
        }
        let terms = |matrix: &OurMatrix, row| {
            let terms = matrix.row(row).map(|(column, c)| (coeffs[c as usize], columns[column as usize]));
            LinearCombination(terms.collect())
        };
        let r1cs = self.r1cs;
        for row in 0..r1cs.num_rows() {
            cs.enforce_r1cs_constraint(
                || terms(&r1cs.a, row),
                || terms(&r1cs.b, row),
                || terms(&r1cs.c, row),
            )?;
        }
        Ok(())
    }
}

/// A circuit with keys, ready to prove.
pub struct Arkworks {
    key: ProvingKey<Bn254>,
    matrices: Vec<Matrix<Fr>>,
    z: Vec<Fr>,
    num_inputs: usize,
    num_constraints: usize,
    setup: Duration,
    synthesis: Duration,
}

impl Arkworks {
    /// Synthesises and makes keys.
    ///
    /// # Errors
    /// arkworks'.
    pub fn new(pool: &ThreadPool, r1cs: &R1cs, z: &[ours::Fr]) -> Result<Self, Failure> {
        let z: Vec<Fr> = z.iter().map(fr).collect();
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let (setup, key) = timed(pool, || {
            let circuit = Replay { r1cs, z: &z };
            Groth16::<Bn254>::generate_random_parameters_with_reduction(circuit, &mut rng)
        });
        let key = key?;
        let start = Instant::now();
        let cs = ConstraintSystem::<Fr>::new_ref();
        cs.set_optimization_goal(OptimizationGoal::Constraints);
        cs.set_mode(SynthesisMode::Prove { construct_matrices: true, generate_lc_assignments: false });
        Replay { r1cs, z: &z }.generate_constraints(cs.clone())?;
        cs.finalize();
        let mut all = cs.to_matrices()?;
        let synthesis = start.elapsed();
        let matrices = all.remove(R1CS_PREDICATE_LABEL).ok_or("arkworks kept no R1CS")?;
        let (num_inputs, num_constraints) = (cs.num_instance_variables(), cs.num_constraints());
        Ok(Arkworks { key, matrices, z, num_inputs, num_constraints, setup, synthesis })
    }
}

impl RivalProver for Arkworks {
    fn setup(&self) -> Duration {
        self.setup
    }

    fn synthesis(&self) -> Duration {
        self.synthesis
    }

    fn way(&self) -> Way<'_> {
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        let prepared = prepare_verifying_key(&self.key.vk);
        Way::new(ARK_GROTH16, move |pool| {
            let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
            let (time, proof) = timed(pool, || {
                Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
                    &self.key,
                    r,
                    s,
                    &self.matrices,
                    self.num_inputs,
                    self.num_constraints,
                    &self.z,
                )
            });
            match Groth16::<Bn254>::verify_proof(&prepared, &proof?, &self.z[1..self.num_inputs])? {
                true => Ok((time, Value::Checked)),
                false => Err("its proof does not verify".into()),
            }
        })
    }
}
