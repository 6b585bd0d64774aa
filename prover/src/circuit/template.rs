//! The recorded shape of one row: its wires, constraints and messages, ready to be repeated.
use super::bus::{MessageKind, Tag};
use super::lc::{Lc, Var};
use halo2curves::bn256::Fr;

/// A sparse linear combination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sparse {
    /// Terms, sorted, no zero coefficients.
    pub terms: Vec<(Var, Fr)>,
    /// Constant term.
    pub constant: Fr,
}

impl From<Lc> for Sparse {
    fn from(lc: Lc) -> Sparse {
        let lc = lc.normalized();
        Sparse { terms: lc.terms, constant: lc.constant }
    }
}

impl Sparse {
    /// Evaluates with a wire lookup.
    pub fn eval(&self, value: impl Fn(Var) -> Fr) -> Fr {
        self.terms.iter().fold(self.constant, |acc, (v, k)| acc + value(*v) * k)
    }
}

/// `a * b = c`.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// What the constraint says; the mutation harness prints it.
    pub name: &'static str,
    /// Left factor.
    pub a: Sparse,
    /// Right factor.
    pub b: Sparse,
    /// Product.
    pub c: Sparse,
}

/// A first-phase wire determined by others: `rest[wire] = a * b`.
#[derive(Clone, Debug)]
pub struct Determined {
    /// The wire.
    pub wire: Var,
    /// Left factor.
    pub a: Sparse,
    /// Right factor.
    pub b: Sparse,
}

/// A second-phase wire `c^power * lc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The power of the challenge.
    pub power: u8,
    /// The committed combination.
    pub lc: Sparse,
}

/// One message: the second-phase wire `multiplicity / (r - tuple(c))`.
#[derive(Clone, Debug)]
pub struct Fraction {
    /// The bus message's tag.
    pub tag: Tag,
    /// Which side it is on.
    pub kind: MessageKind,
    /// Its multiplicity: positive sends, negative receives.
    pub multiplicity: Sparse,
    /// All elements by power, for evaluation and for the mutation harness.
    pub elements: Vec<(u8, Sparse)>,
    /// Element 0 with the linear part `constant * c^k` of the others.
    pub linear: Sparse,
    /// Indices into the row's products.
    pub products: Vec<u32>,
}

/// The recorded shape of one row.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Committed wires.
    pub committed: u32,
    /// First-phase wires that are not committed.
    pub rest: u32,
    /// First-phase constraints.
    pub constraints: Vec<Constraint>,
    /// Wires that follow from others.
    pub determined: Vec<Determined>,
    /// Second-phase products.
    pub products: Vec<Product>,
    /// Messages.
    pub fractions: Vec<Fraction>,
    /// Committed wires handed to the next row.
    pub exports: Vec<u32>,
    /// True if the row reads wires of the row before.
    pub imports: bool,
}

impl Template {
    /// Constraints per row, second phase included.
    pub fn constraint_count(&self) -> usize {
        self.constraints.len() + self.products.len() + self.fractions.len()
    }

    /// Second-phase wires per row: products first, then fractions.
    pub fn derived(&self) -> u32 {
        (self.products.len() + self.fractions.len()) as u32
    }
}
