//! Builds an [`R1cs`] row by row, or by many copies of a template at once.
//! It interns coefficients and merges terms of one column; it never reorders rows.

use super::{Matrix, R1cs, R1csError};
use ff::Field;
use halo2curves::bn256::Fr;
use std::collections::HashMap;

/// A linear combination as `(column, coefficient)` terms in any order.
type Terms = Vec<(u32, Fr)>;

/// Rows over local variables 0, 1, 2, .. to be appended many times.
#[derive(Debug, Clone, Default)]
pub struct Template {
    rows: Vec<[Terms; 3]>,
}

impl Template {
    /// A template without rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the row `a * b = c`; columns are local variables.
    pub fn push_row(&mut self, a: &[(u32, Fr)], b: &[(u32, Fr)], c: &[(u32, Fr)]) {
        self.rows.push([a.to_vec(), b.to_vec(), c.to_vec()]);
    }

    /// Number of rows per copy.
    pub fn num_rows(&self) -> usize {
        self.rows.len()
    }
}

/// Where a template's local variable lies: copy k uses column `base + k * stride`.
/// A stride of zero shares one column (ONE, a public input) between all copies; the next copy's
/// variable is the same stride with `base + stride`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stride {
    /// Column in the first copy.
    pub base: u32,
    /// Distance between copies.
    pub stride: u32,
}

/// Collects rows. Columns: 0 is ONE, then public inputs, committed wires, the rest.
pub struct R1csBuilder {
    r1cs: R1cs,
    interned: HashMap<[u64; 4], u32>,
    scratch: Vec<(u32, u32)>,
}

impl R1csBuilder {
    /// A system with these many columns and no rows.
    pub fn new(num_public: usize, num_committed: usize, num_rest: usize) -> Self {
        let matrix = || Matrix { row_ptr: vec![0], ..Matrix::default() };
        let coeffs = vec![Fr::ONE, -Fr::ONE];
        let interned = coeffs.iter().zip(0..).map(|(c, i)| (c.0, i)).collect();
        let r1cs =
            R1cs { num_public, num_committed, num_rest, a: matrix(), b: matrix(), c: matrix(), coeffs };
        Self { r1cs, interned, scratch: Vec::new() }
    }

    /// Number of rows so far.
    pub fn num_rows(&self) -> usize {
        self.r1cs.num_rows()
    }

    fn intern(&mut self, coeff: Fr) -> u32 {
        // Nearly all coefficients are 1 or -1; compare before hashing.
        let coeffs = &mut self.r1cs.coeffs;
        if let Some(index) = coeffs[..2].iter().position(|c| *c == coeff) {
            return index as u32;
        }
        *self.interned.entry(coeff.0).or_insert_with(|| {
            coeffs.push(coeff);
            (coeffs.len() - 1) as u32
        })
    }

    /// Sorts by column, merges equal columns, drops zeros, interns; appends to `out`.
    fn normalise(&mut self, terms: &[(u32, Fr)], out: &mut Vec<(u32, u32)>) {
        if terms.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            out.extend(
                terms.iter().filter(|t| t.1 != Fr::ZERO).map(|&(col, coeff)| (col, self.intern(coeff))),
            );
            return;
        }
        let mut terms = terms.to_vec();
        terms.sort_by_key(|t| t.0);
        let mut merged: Terms = Vec::with_capacity(terms.len());
        for (col, coeff) in terms {
            match merged.last_mut() {
                Some(last) if last.0 == col => last.1 += coeff,
                _ => merged.push((col, coeff)),
            }
        }
        merged.retain(|t| t.1 != Fr::ZERO);
        out.extend(merged.into_iter().map(|(col, coeff)| (col, self.intern(coeff))));
    }

    /// A, B or C by number.
    fn matrix(&mut self, which: usize) -> &mut Matrix {
        match which {
            0 => &mut self.r1cs.a,
            1 => &mut self.r1cs.b,
            _ => &mut self.r1cs.c,
        }
    }

    /// Adds the row `a * b = c`.
    pub fn push_row(&mut self, a: &[(u32, Fr)], b: &[(u32, Fr)], c: &[(u32, Fr)]) {
        let mut normal = std::mem::take(&mut self.scratch);
        for (which, terms) in [a, b, c].into_iter().enumerate() {
            normal.clear();
            self.normalise(terms, &mut normal);
            let matrix = self.matrix(which);
            matrix.col.extend(normal.iter().map(|t| t.0));
            matrix.coeff.extend(normal.iter().map(|t| t.1));
            matrix.row_ptr.push(matrix.col.len() as u32);
        }
        self.scratch = normal;
    }

    /// Appends `copies` copies of a template, local variable v standing at `columns[v]`.
    /// Two local variables of one row that fall on the same column are merged.
    pub fn append_copies(
        &mut self,
        template: &Template,
        columns: &[Stride],
        copies: usize,
    ) -> Result<(), R1csError> {
        let given = columns.len();
        for (variable, _) in template.rows.iter().flatten().flatten() {
            if *variable as usize >= given {
                return Err(R1csError::UnmappedVariable { variable: *variable, given });
            }
        }
        let columns_total = self.r1cs.num_columns();
        for s in columns {
            let last = s.base as u64 + s.stride as u64 * (copies as u64).saturating_sub(1);
            if copies > 0 && last >= columns_total as u64 {
                let column = last.min(u32::MAX as u64) as u32;
                return Err(R1csError::ColumnOutOfRange {
                    row: self.num_rows(),
                    column,
                    columns: columns_total,
                });
            }
        }
        // Merging and sorting depend only on which columns coincide and in which order they stand; if
        // the first and the last copy agree on that, linearity makes every copy between them agree.
        if self.order_is_stable(template, columns, copies) {
            self.append_strided(template, columns, copies);
        } else {
            for k in 0..copies as u32 {
                let at = |terms: &Terms| -> Terms {
                    terms.iter().map(|&(v, c)| (columns[v as usize].column(k), c)).collect()
                };
                for row in &template.rows {
                    let [a, b, c] = [at(&row[0]), at(&row[1]), at(&row[2])];
                    self.push_row(&a, &b, &c);
                }
            }
        }
        Ok(())
    }

    fn order_is_stable(&self, template: &Template, columns: &[Stride], copies: usize) -> bool {
        let last = (copies as u32).saturating_sub(1);
        template.rows.iter().flatten().all(|terms| {
            terms.iter().enumerate().all(|(i, &(v, _))| {
                terms[..i].iter().all(|&(w, _)| {
                    let (v, w) = (columns[v as usize], columns[w as usize]);
                    v.column(0).cmp(&w.column(0)) == v.column(last).cmp(&w.column(last))
                })
            })
        })
    }

    fn append_strided(&mut self, template: &Template, columns: &[Stride], copies: usize) {
        for which in 0..3 {
            // Each term of the first copy with its stride; equal columns have equal strides here.
            let mut row_ends = Vec::with_capacity(template.rows.len());
            let mut terms: Vec<(u32, u32, u32)> = Vec::new();
            let mut normal = Vec::new();
            for row in &template.rows {
                let first: Terms = row[which].iter().map(|&(v, c)| (columns[v as usize].base, c)).collect();
                normal.clear();
                self.normalise(&first, &mut normal);
                for &(col, coeff) in &normal {
                    let stride = row[which]
                        .iter()
                        .map(|&(v, _)| columns[v as usize])
                        .find(|s| s.base == col)
                        .map_or(0, |s| s.stride);
                    terms.push((col, stride, coeff));
                }
                row_ends.push(terms.len() as u32);
            }
            let matrix = self.matrix(which);
            matrix.col.reserve(terms.len() * copies);
            matrix.coeff.reserve(terms.len() * copies);
            matrix.row_ptr.reserve(row_ends.len() * copies);
            for k in 0..copies as u32 {
                let start = matrix.col.len() as u32;
                matrix.col.extend(terms.iter().map(|t| t.0 + k * t.1));
                matrix.coeff.extend(terms.iter().map(|t| t.2));
                matrix.row_ptr.extend(row_ends.iter().map(|end| start + end));
            }
        }
    }

    /// Checks every column index and the size limits, and returns the system.
    pub fn finish(self) -> Result<R1cs, R1csError> {
        let columns = self.r1cs.num_columns();
        for (what, n) in [("number of columns", columns), ("number of rows", self.r1cs.num_rows())] {
            if n >= u32::MAX as usize {
                return Err(R1csError::TooLarge { what, max: u32::MAX as u64 });
            }
        }
        for m in [&self.r1cs.a, &self.r1cs.b, &self.r1cs.c] {
            if m.col.len() >= u32::MAX as usize {
                return Err(R1csError::TooLarge { what: "number of terms", max: u32::MAX as u64 });
            }
            if let Some(at) = m.col.iter().position(|&col| col as usize >= columns) {
                let row = m.row_ptr.partition_point(|&start| start as usize <= at) - 1;
                return Err(R1csError::ColumnOutOfRange { row, column: m.col[at], columns });
            }
        }
        Ok(self.r1cs)
    }
}

impl Stride {
    /// The same column in every copy.
    pub fn shared(column: u32) -> Self {
        Self { base: column, stride: 0 }
    }

    fn column(&self, copy: u32) -> u32 {
        self.base + self.stride * copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f(v: u64) -> Fr {
        Fr::from(v)
    }

    #[test]
    fn copies_of_a_template_equal_the_same_rows_pushed_one_by_one() {
        // Local: 0 = ONE, 1 = x, 2 = y, 3 = x of the next copy, 4 = a column that x overtakes.
        let mut template = Template::new();
        template.push_row(&[(1, f(3)), (0, f(2)), (1, f(4))], &[(2, f(1))], &[(3, f(1)), (0, f(5))]);
        template.push_row(&[(2, f(1)), (2, -f(1))], &[(1, f(9))], &[]);
        for crossing in [false, true] {
            if crossing {
                template.push_row(&[(1, f(6)), (4, f(7))], &[], &[]);
            }
            let at = |base, stride| Stride { base, stride };
            let columns = [Stride::shared(0), at(1, 2), at(2, 2), at(3, 2), Stride::shared(6)];
            let mut fast = R1csBuilder::new(2, 3, 20);
            fast.append_copies(&template, &columns, 5).unwrap();
            let mut slow = R1csBuilder::new(2, 3, 20);
            for k in 0..5 {
                for row in &template.rows {
                    let at = |t: &Terms| -> Terms {
                        t.iter().map(|&(v, c)| (columns[v as usize].column(k), c)).collect()
                    };
                    slow.push_row(&at(&row[0]), &at(&row[1]), &at(&row[2]));
                }
            }
            let (fast, slow) = (fast.finish().unwrap(), slow.finish().unwrap());
            let dense = |r: &R1cs, m: &Matrix| -> Vec<Vec<(u32, [u64; 4])>> {
                (0..m.rows()).map(|i| m.row(i).map(|(c, k)| (c, r.coeffs[k as usize].0)).collect()).collect()
            };
            for (x, y) in [(&fast.a, &slow.a), (&fast.b, &slow.b), (&fast.c, &slow.c)] {
                assert_eq!(dense(&fast, x), dense(&slow, y));
            }
            assert_eq!(fast.num_rows(), 5 * template.num_rows());
        }
    }

    #[test]
    fn columns_that_do_not_exist_are_refused() {
        let mut b = R1csBuilder::new(0, 0, 2);
        b.push_row(&[(1, f(1))], &[], &[]);
        b.push_row(&[(0, f(1))], &[(3, f(1))], &[]);
        assert_eq!(b.finish(), Err(R1csError::ColumnOutOfRange { row: 1, column: 3, columns: 3 }));
        let mut template = Template::new();
        template.push_row(&[(1, f(1))], &[], &[]);
        let mut b = R1csBuilder::new(0, 0, 2);
        let err = b.append_copies(&template, &[Stride::shared(0)], 1);
        assert_eq!(err, Err(R1csError::UnmappedVariable { variable: 1, given: 1 }));
        let err = b.append_copies(&template, &[Stride::shared(0), Stride { base: 1, stride: 1 }], 3);
        assert!(matches!(err, Err(R1csError::ColumnOutOfRange { column: 3, .. })));
    }

    #[test]
    fn the_first_unsatisfied_row_is_named() {
        let mut b = R1csBuilder::new(1, 0, 2);
        b.push_row(&[(1, f(1))], &[(2, f(1))], &[(3, f(1))]);
        b.push_row(&[(2, f(2)), (0, -f(1))], &[(0, f(1))], &[(3, f(1))]);
        let r1cs = b.finish().unwrap();
        let z = |x: u64, y: u64, p: u64| [f(1), f(x), f(y), f(p)];
        assert_eq!(r1cs.first_unsatisfied(&z(1, 1, 1)), Ok(None));
        assert_eq!(r1cs.first_unsatisfied(&z(2, 1, 2)), Ok(Some(1)));
        assert_eq!(r1cs.first_unsatisfied(&z(2, 1, 1)), Ok(Some(0)));
        assert_eq!(
            r1cs.first_unsatisfied(&z(1, 1, 1)[1..]),
            Err(R1csError::AssignmentLength { expected: 4, got: 3 })
        );
        assert_eq!(r1cs.first_unsatisfied(&[f(2), f(1), f(1), f(1)]), Err(R1csError::AssignmentOne));
    }
}
