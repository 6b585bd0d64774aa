//! The builder a chip writes one row with. The same code records the row's shape once and assigns values for every row.
//! Recording and assigning must take the same path: a row's values may depend on data, its shape never.
use super::bus::{MessageKind, TAG_POWER, Tag};
use super::counts::Counts;
use super::lc::{Com, Lc, Var};
use super::template::{Constraint, Determined, Fraction, Product, Sparse, Template};
use ff::Field;
use halo2curves::bn256::Fr;

/// Public inputs of every circuit, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Public {
    /// High half of the statement.
    StatementHi = 0,
    /// Low half of the statement.
    StatementLo = 1,
    /// Position of the circuit in its layout.
    Position = 2,
    /// Id of the layout.
    LayoutId = 3,
    /// Bus challenge `r`.
    R = 4,
    /// Bus challenge `c`.
    C = 5,
    /// This circuit's share of the bus sum.
    PartialSum = 6,
}

pub use crate::transcript::PUBLIC_INPUTS;

/// The public inputs known before the challenge, in the order of [`Public`].
pub type EarlyPublics = [Fr; 4];

/// Builds one row.
pub struct RowBuilder<'a> {
    recording: bool,
    template: Template,
    /// Committed values of this row, in order of allocation.
    pub committed: Vec<Fr>,
    /// Other first-phase values of this row.
    pub rest: Vec<Fr>,
    /// Exported values of this row.
    pub exports: Vec<Fr>,
    imports: &'a [Fr],
    fixed: &'a [Fr],
    publics: EarlyPublics,
    counts: &'a mut Counts,
}

impl<'a> RowBuilder<'a> {
    /// A builder that records a template.
    pub fn recorder(counts: &'a mut Counts) -> RowBuilder<'a> {
        RowBuilder::new(true, &[], &[], [Fr::ZERO; 4], counts)
    }

    /// A builder that assigns one row.
    pub fn assigner(
        imports: &'a [Fr],
        fixed: &'a [Fr],
        publics: EarlyPublics,
        counts: &'a mut Counts,
    ) -> RowBuilder<'a> {
        RowBuilder::new(false, imports, fixed, publics, counts)
    }

    fn new(
        recording: bool,
        imports: &'a [Fr],
        fixed: &'a [Fr],
        publics: EarlyPublics,
        counts: &'a mut Counts,
    ) -> RowBuilder<'a> {
        RowBuilder {
            recording,
            template: Template::default(),
            committed: Vec::new(),
            rest: Vec::new(),
            exports: Vec::new(),
            imports,
            fixed,
            publics,
            counts,
        }
    }

    /// The recorded shape.
    pub fn into_template(mut self) -> Template {
        self.template.committed = self.committed.len() as u32;
        self.template.rest = self.rest.len() as u32;
        self.template
    }

    fn wire_lc(&self, var: Var, value: Fr) -> Lc {
        let terms = if self.recording { vec![(var, Fr::ONE)] } else { Vec::new() };
        Lc { terms, constant: Fr::ZERO, value }
    }

    /// Allocates a committed wire.
    pub fn commit(&mut self, value: Fr) -> Com {
        self.committed.push(value);
        Com(self.wire_lc(Var::Committed(self.committed.len() as u32 - 1), value))
    }

    /// Allocates a first-phase wire that is not committed; it cannot enter a message.
    pub fn wire(&mut self, value: Fr) -> Lc {
        self.rest.push(value);
        self.wire_lc(Var::Rest(self.rest.len() as u32 - 1), value)
    }

    /// A public input that is fixed before the challenge.
    ///
    /// # Panics
    /// On `R`, `C` and `PartialSum`: these come after the commitment and must stay out of chips.
    pub fn public(&mut self, which: Public) -> Com {
        let i = which as usize;
        assert!(i < 4, "{which:?} is fixed after the commitment");
        Com(self.wire_lc(Var::Public(i as u8), self.publics[i]))
    }

    /// A constant that depends on the row's position (fixed tables).
    pub fn fixed(&mut self, column: usize) -> Com {
        let value = self.fixed.get(column).copied().unwrap_or(Fr::ZERO);
        Com(self.wire_lc(Var::Fixed(column as u32), value))
    }

    /// The wire that the row before exported as number `i`.
    pub fn import(&mut self, i: usize) -> Com {
        self.template.imports = true;
        let value = self.imports.get(i).copied().unwrap_or(Fr::ZERO);
        Com(self.wire_lc(Var::Import(i as u32), value))
    }

    /// Hands a committed wire to the next row (numbered in order of calls).
    ///
    /// # Panics
    /// If the combination is not exactly one committed wire of this row (checked while recording).
    pub fn export(&mut self, c: &Com) {
        self.exports.push(c.value());
        if self.recording {
            match c.0.terms.as_slice() {
                [(Var::Committed(i), k)] if *k == Fr::ONE && c.0.constant == Fr::ZERO => {
                    self.template.exports.push(*i)
                }
                other => panic!("only a single committed wire can be exported, got {other:?}"),
            }
        }
    }

    /// Adds the constraint `a * b = c`.
    pub fn enforce(&mut self, name: &'static str, a: impl Into<Lc>, b: impl Into<Lc>, c: impl Into<Lc>) {
        if self.recording {
            let [a, b, c] = [a.into(), b.into(), c.into()].map(Sparse::from);
            self.template.constraints.push(Constraint { name, a, b, c });
        }
    }

    /// Adds the constraint `x = 0`.
    pub fn zero(&mut self, name: &'static str, x: impl Into<Lc>) {
        self.enforce(name, x, 1u64, Lc::default());
    }

    /// Allocates `a * b` and constrains it.
    pub fn product(&mut self, name: &'static str, a: impl Into<Lc>, b: impl Into<Lc>) -> Lc {
        let (a, b) = (a.into(), b.into());
        let out = self.wire(a.value * b.value);
        self.determine(name, a, b, out.clone());
        out
    }

    /// Allocates `a * b` as a committed wire and constrains it.
    pub fn product_committed(&mut self, name: &'static str, a: impl Into<Lc>, b: impl Into<Lc>) -> Com {
        let (a, b) = (a.into(), b.into());
        let out = self.commit(a.value * b.value);
        self.determine(name, a, b, out.0.clone());
        out
    }

    fn determine(&mut self, name: &'static str, a: Lc, b: Lc, out: Lc) {
        if self.recording {
            let (wire, _) = out.terms[0];
            let (sa, sb) = (Sparse::from(a.clone()), Sparse::from(b.clone()));
            self.template.determined.push(Determined { wire, a: sa, b: sb });
            self.enforce(name, a, b, out);
        }
    }

    /// Allocates a committed boolean.
    pub fn boolean(&mut self, name: &'static str, value: bool) -> Com {
        let x = self.commit(Fr::from(u64::from(value)));
        self.enforce(name, &x, &x, &x);
        x
    }

    /// Sends a message `multiplicity` times. `elements` are `(power, value)` with distinct powers below 24.
    pub fn send(&mut self, tag: Tag, multiplicity: &Com, elements: &[(u8, Com)]) {
        self.message(tag, MessageKind::Exact, multiplicity.clone(), elements);
    }

    /// Receives a message `multiplicity` times.
    pub fn receive(&mut self, tag: Tag, multiplicity: &Com, elements: &[(u8, Com)]) {
        self.message(tag, MessageKind::Exact, -multiplicity, elements);
    }

    /// Offers a message any number of times: tables, pages and pure chips only.
    /// `multiplicity` is a free committed wire; the tuple must be proven valid by this row.
    pub fn provide(&mut self, tag: Tag, multiplicity: &Com, elements: &[(u8, Com)]) {
        self.message(tag, MessageKind::Provide, multiplicity.clone(), elements);
    }

    /// Takes a message from a provider whose multiplicities are derived from the trace (not counted here).
    pub fn take(&mut self, tag: Tag, multiplicity: &Com, elements: &[(u8, Com)]) {
        self.message(tag, MessageKind::Lookup, -multiplicity, elements);
    }

    /// Looks entry `index` of a fixed table up, and counts it when `multiplicity` is not zero.
    /// The table's tuple is one packed element.
    pub fn lookup(&mut self, tag: Tag, multiplicity: &Com, element: &Com, index: usize) {
        if !self.recording && multiplicity.value() != Fr::ZERO {
            self.counts.bump(tag, index);
        }
        self.message(tag, MessageKind::Lookup, -multiplicity, &[(0, element.clone())]);
    }

    fn message(&mut self, tag: Tag, kind: MessageKind, multiplicity: Com, elements: &[(u8, Com)]) {
        if !self.recording {
            return;
        }
        let mut linear = Lc::default();
        let mut products = Vec::new();
        for (i, (power, element)) in elements.iter().enumerate() {
            assert!(*power < TAG_POWER, "power {power} of {tag:?} is reserved");
            assert!(elements[..i].iter().all(|e| e.0 != *power), "power {power} of {tag:?} used twice");
            let sparse = Sparse::from(element.0.clone());
            if *power == 0 {
                linear = linear + element.0.clone();
            } else if sparse.terms.is_empty() {
                linear = linear + self.wire_lc(Var::Power(*power), Fr::ZERO) * sparse.constant;
            } else {
                assert!(
                    sparse.terms.iter().all(|t| !matches!(t.0, Var::Fixed(_))),
                    "a fixed column can only be element 0"
                );
                let product = Product { power: *power, lc: sparse };
                let at = self.template.products.iter().position(|p| *p == product).unwrap_or_else(|| {
                    self.template.products.push(product);
                    self.template.products.len() - 1
                });
                products.push(at as u32);
            }
        }
        linear = linear + self.wire_lc(Var::Power(TAG_POWER), Fr::ZERO) * Fr::from(tag as u64);
        self.template.fractions.push(Fraction {
            tag,
            kind,
            multiplicity: multiplicity.0.into(),
            elements: elements.iter().map(|(p, e)| (*p, Sparse::from(e.0.clone()))).collect(),
            linear: linear.into(),
            products,
        });
    }

    /// True while the shape is recorded and values mean nothing.
    pub fn is_recording(&self) -> bool {
        self.recording
    }
}
