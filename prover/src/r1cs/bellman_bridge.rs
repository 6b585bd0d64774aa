//! To and from bellman's `Circuit`, so that circuits written for bellman run here and ours can be
//! handed to bellman as an oracle. Never carries committed wires over: bellman knows none.

use super::{R1cs, R1csBuilder, R1csError};
use bellman::{Circuit, ConstraintSystem, Index, LinearCombination, SynthesisError, Variable};
use ff::Field;
use halo2curves::bn256::Fr;

/// Marks an auxiliary variable while the number of inputs is not yet known.
const AUX: u32 = 1 << 31;

type Row = [Vec<(u32, Fr)>; 3];

/// Records rows, or values, or both.
struct Recorder {
    inputs: Vec<Fr>,
    aux: Vec<Fr>,
    rows: Vec<Row>,
    with_values: bool,
}

impl Recorder {
    fn run(circuit: impl Circuit<Fr>, with_values: bool) -> Result<Self, R1csError> {
        let mut recorder = Self { inputs: vec![Fr::ONE], aux: vec![], rows: vec![], with_values };
        circuit.synthesize(&mut recorder).map_err(|e| R1csError::Synthesis(e.to_string()))?;
        if recorder.inputs.len() + recorder.aux.len() >= AUX as usize {
            return Err(R1csError::TooLarge { what: "number of columns", max: AUX as u64 });
        }
        Ok(recorder)
    }
}

fn index_of(variable: Variable) -> u32 {
    match variable.get_unchecked() {
        Index::Input(i) => i as u32,
        Index::Aux(i) => i as u32 | AUX,
    }
}

impl ConstraintSystem<Fr> for Recorder {
    type Root = Self;

    fn alloc<F, A, AR>(&mut self, _: A, f: F) -> Result<Variable, SynthesisError>
    where
        F: FnOnce() -> Result<Fr, SynthesisError>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        self.aux.push(if self.with_values { f()? } else { Fr::ZERO });
        Ok(Variable::new_unchecked(Index::Aux(self.aux.len() - 1)))
    }

    fn alloc_input<F, A, AR>(&mut self, _: A, f: F) -> Result<Variable, SynthesisError>
    where
        F: FnOnce() -> Result<Fr, SynthesisError>,
        A: FnOnce() -> AR,
        AR: Into<String>,
    {
        self.inputs.push(if self.with_values { f()? } else { Fr::ZERO });
        Ok(Variable::new_unchecked(Index::Input(self.inputs.len() - 1)))
    }

    fn enforce<A, AR, LA, LB, LC>(&mut self, _: A, a: LA, b: LB, c: LC)
    where
        A: FnOnce() -> AR,
        AR: Into<String>,
        LA: FnOnce(LinearCombination<Fr>) -> LinearCombination<Fr>,
        LB: FnOnce(LinearCombination<Fr>) -> LinearCombination<Fr>,
        LC: FnOnce(LinearCombination<Fr>) -> LinearCombination<Fr>,
    {
        if self.with_values {
            return;
        }
        let zero = LinearCombination::zero;
        self.rows.push(
            [a(zero()), b(zero()), c(zero())].map(|lc| {
                lc.as_ref().iter().map(|(variable, coeff)| (index_of(*variable), *coeff)).collect()
            }),
        );
    }

    fn push_namespace<NR, N>(&mut self, _: N)
    where
        NR: Into<String>,
        N: FnOnce() -> NR,
    {
    }
    fn pop_namespace(&mut self) {}
    fn get_root(&mut self) -> &mut Self {
        self
    }
}

impl R1cs {
    /// The constraint system of a bellman circuit: inputs become public, everything else the rest.
    /// Values are not asked for.
    pub fn from_circuit(circuit: impl Circuit<Fr>) -> Result<Self, R1csError> {
        let recorder = Recorder::run(circuit, false)?;
        let num_inputs = recorder.inputs.len() as u32;
        let mut builder = R1csBuilder::new(recorder.inputs.len() - 1, 0, recorder.aux.len());
        for mut row in recorder.rows {
            for (index, _) in row.iter_mut().flatten() {
                if *index & AUX != 0 {
                    *index = (*index & !AUX) + num_inputs;
                }
            }
            builder.push_row(&row[0], &row[1], &row[2]);
        }
        builder.finish()
    }
}

/// The values a bellman circuit assigns, in the column order of [`R1cs::from_circuit`].
pub fn assign_circuit(circuit: impl Circuit<Fr>) -> Result<Vec<Fr>, R1csError> {
    let mut recorder = Recorder::run(circuit, true)?;
    recorder.inputs.append(&mut recorder.aux);
    Ok(recorder.inputs)
}

/// Replays a constraint system as a bellman circuit; committed wires become ordinary ones.
#[derive(Clone, Copy)]
pub struct R1csCircuit<'a> {
    /// The system to replay.
    pub r1cs: &'a R1cs,
    /// Its assignment, ONE first; `None` to generate parameters.
    pub assignment: Option<&'a [Fr]>,
}

impl Circuit<Fr> for R1csCircuit<'_> {
    fn synthesize<CS: ConstraintSystem<Fr>>(self, cs: &mut CS) -> Result<(), SynthesisError> {
        let r1cs = self.r1cs;
        let mut variables = vec![CS::one()];
        for column in 1..r1cs.num_columns() {
            let value = || {
                let z = self.assignment.ok_or(SynthesisError::AssignmentMissing)?;
                z.get(column).copied().ok_or(SynthesisError::AssignmentMissing)
            };
            variables.push(match column <= r1cs.num_public {
                true => cs.alloc_input(|| format!("public {column}"), value)?,
                false => cs.alloc(|| format!("wire {column}"), value)?,
            });
        }
        for row in 0..r1cs.num_rows() {
            let [a, b, c] = [&r1cs.a, &r1cs.b, &r1cs.c].map(|m| {
                m.row(row).fold(LinearCombination::zero(), |lc, (col, coeff)| {
                    lc + (r1cs.coeffs[coeff as usize], variables[col as usize])
                })
            });
            cs.enforce(|| format!("row {row}"), |_| a, |_| b, |_| c);
        }
        Ok(())
    }
}
