//! Rank-1 constraint systems in flat form: three sparse matrices over one table of coefficients.
//! Columns stand in the order ONE, public inputs, committed wires, the rest. Holds only a circuit's
//! own rows; the `x_i * 0 = 0` rows that bellman appends per input are implied (see [`R1cs::domain_size`]).

mod bellman_bridge;
mod builder;

pub use bellman_bridge::{R1csCircuit, assign_circuit};
pub use builder::{R1csBuilder, Stride, Template};

use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Index in the coefficient table of 1 and of -1, which rows multiply by without multiplying.
const ONE: u32 = 0;
const MINUS_ONE: u32 = 1;

/// Rows one task evaluates.
const ROWS_PER_TASK: usize = 1 << 12;

/// What is wrong with a constraint system or an assignment to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum R1csError {
    /// A row names a column that does not exist.
    #[error("row {row} uses column {column}, but there are only {columns} columns")]
    ColumnOutOfRange {
        /// The row.
        row: usize,
        /// The column it names.
        column: u32,
        /// Number of columns, ONE included.
        columns: usize,
    },
    /// A template names a local variable that the caller gave no column.
    #[error("template uses local variable {variable}, but columns were given for {given} variables")]
    UnmappedVariable {
        /// The local variable.
        variable: u32,
        /// Number of mapped variables.
        given: usize,
    },
    /// More rows, columns or terms than 32-bit indices can count.
    #[error("constraint system too large: {what} exceeds {max}")]
    TooLarge {
        /// What overflowed.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// An assignment has the wrong length.
    #[error("assignment has {got} values, the circuit has {expected} columns (ONE first)")]
    AssignmentLength {
        /// Number of columns.
        expected: usize,
        /// Number of values given.
        got: usize,
    },
    /// An assignment's first value is not 1.
    #[error("assignment must start with the constant 1 in column 0")]
    AssignmentOne,
    /// bellman's synthesis failed.
    #[error("circuit synthesis failed: {0}")]
    Synthesis(String),
}

/// A sparse matrix in compressed row form; `coeff` holds indices into the system's shared table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matrix {
    /// Start of each row in `col` and `coeff`, and one final entry: rows + 1 values.
    pub row_ptr: Vec<u32>,
    /// Column of each term, strictly increasing within a row.
    pub col: Vec<u32>,
    /// Coefficient of each term as an index into [`R1cs::coeffs`].
    pub coeff: Vec<u32>,
}

impl Matrix {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.row_ptr.len().saturating_sub(1)
    }

    /// Column and coefficient index of each term of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, u32)> + '_ {
        let range = self.row_ptr[row] as usize..self.row_ptr[row + 1] as usize;
        self.col[range.clone()].iter().copied().zip(self.coeff[range].iter().copied())
    }

    fn eval_row(&self, row: usize, coeffs: &[Fr], z: &[Fr]) -> Fr {
        let mut sum = Fr::ZERO;
        for (col, coeff) in self.row(row) {
            let value = z[col as usize];
            match coeff {
                ONE => sum += value,
                MINUS_ONE => sum -= value,
                _ => sum += value * coeffs[coeff as usize],
            }
        }
        sum
    }

    /// The product with a column vector of the system's width: one value per row.
    pub fn eval(&self, coeffs: &[Fr], z: &[Fr]) -> Vec<Fr> {
        (0..self.rows())
            .into_par_iter()
            .with_min_len(ROWS_PER_TASK)
            .map(|row| self.eval_row(row, coeffs, z))
            .collect()
    }
}

/// A constraint system `A z * B z = C z` with `z = (1, public.., committed.., rest..)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct R1cs {
    /// Number of public inputs, ONE not counted.
    pub num_public: usize,
    /// Number of committed wires.
    pub num_committed: usize,
    /// Number of remaining wires.
    pub num_rest: usize,
    /// Left factors.
    pub a: Matrix,
    /// Right factors.
    pub b: Matrix,
    /// Products.
    pub c: Matrix,
    /// Distinct coefficients; the first two are 1 and -1.
    pub coeffs: Vec<Fr>,
}

impl R1cs {
    /// Number of columns, ONE included.
    pub fn num_columns(&self) -> usize {
        1 + self.num_public + self.num_committed + self.num_rest
    }

    /// Number of rows, without the implied input rows.
    pub fn num_rows(&self) -> usize {
        self.a.rows()
    }

    /// Number of nonzero terms in A, B and C together.
    pub fn num_terms(&self) -> usize {
        self.a.col.len() + self.b.col.len() + self.c.col.len()
    }

    /// Columns of the committed wires.
    pub fn committed_columns(&self) -> std::ops::Range<usize> {
        let start = 1 + self.num_public;
        start..start + self.num_committed
    }

    /// Size of the evaluation domain: rows plus one implied row `x_i * 0 = 0` per input and ONE
    /// (they keep the public inputs' polynomials independent), padded to a power of two.
    pub fn domain_size(&self) -> usize {
        (self.num_rows() + 1 + self.num_public).next_power_of_two()
    }

    /// Checks that an assignment has the right length and starts with 1.
    pub fn check_assignment(&self, z: &[Fr]) -> Result<(), R1csError> {
        if z.len() != self.num_columns() {
            return Err(R1csError::AssignmentLength { expected: self.num_columns(), got: z.len() });
        }
        if z[0] != Fr::ONE {
            return Err(R1csError::AssignmentOne);
        }
        Ok(())
    }

    /// `(A z, B z, C z)`, one value per row, then the implied rows, then zeros up to
    /// [`R1cs::domain_size`]; and the first row that `z` does not satisfy, if any.
    pub fn eval_on_domain(&self, z: &[Fr]) -> Result<([Vec<Fr>; 3], Option<usize>), R1csError> {
        self.check_assignment(z)?;
        let rows = self.num_rows();
        let inputs = &z[..=self.num_public];
        // Written once each, on all cores, at their final length: a vector that is grown or filled
        // afterwards costs another trip to memory.
        let domain = || (0..self.domain_size()).into_par_iter().with_min_len(ROWS_PER_TASK);
        let value = |m: &Matrix, row| m.eval_row(row, &self.coeffs, z);
        let a: Vec<Fr> = domain()
            .map(|row| match row.checked_sub(rows) {
                None => value(&self.a, row),
                Some(implied) => inputs.get(implied).copied().unwrap_or(Fr::ZERO),
            })
            .collect();
        let padded = |m, row| if row < rows { value(m, row) } else { Fr::ZERO };
        let b: Vec<Fr> = domain().map(|row| padded(&self.b, row)).collect();
        let first_bad = AtomicUsize::new(usize::MAX);
        let c: Vec<Fr> = domain()
            .map(|row| {
                let c = padded(&self.c, row);
                if a[row] * b[row] != c {
                    first_bad.fetch_min(row, Ordering::Relaxed);
                }
                c
            })
            .collect();
        let first_bad = first_bad.into_inner();
        Ok(([a, b, c], (first_bad < rows).then_some(first_bad)))
    }

    /// The first row that `z` does not satisfy, if any.
    pub fn first_unsatisfied(&self, z: &[Fr]) -> Result<Option<usize>, R1csError> {
        self.check_assignment(z)?;
        Ok((0..self.num_rows()).into_par_iter().with_min_len(ROWS_PER_TASK).find_first(|&row| {
            let [a, b, c] = [&self.a, &self.b, &self.c].map(|m| m.eval_row(row, &self.coeffs, z));
            a * b != c
        }))
    }

    /// A digest of everything that setup depends on; keys carry it and the prover compares it.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"lathe r1cs 1");
        for n in [self.num_public, self.num_committed, self.num_rest, self.num_rows(), self.coeffs.len()] {
            hasher.update(&(n as u64).to_le_bytes());
        }
        for coeff in &self.coeffs {
            hasher.update(&coeff.to_bytes());
        }
        for m in [&self.a, &self.b, &self.c] {
            for v in [&m.row_ptr, &m.col, &m.coeff] {
                hasher.update(&(v.len() as u64).to_le_bytes());
                hash_u32s(&mut hasher, v);
            }
        }
        hasher.finalize().into()
    }
}

fn hash_u32s(hasher: &mut blake3::Hasher, values: &[u32]) {
    let mut bytes = Vec::with_capacity(values.len().min(1 << 20) * 4);
    for block in values.chunks(1 << 20) {
        bytes.clear();
        block.iter().for_each(|v| bytes.extend_from_slice(&v.to_le_bytes()));
        hasher.update_rayon(&bytes);
    }
}
