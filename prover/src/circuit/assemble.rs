//! Circuits: blocks side by side. Numbers the wires, writes out the constraint system, assigns both phases.
//! Wire order: ONE, public inputs, committed wires, first-phase rest, powers of `c`, second-phase wires.
use super::bus::TAG_POWER;
use super::chip::{AssignError, Block, BlockValues};
use super::counts::Counts;
use super::lc::Var;
use super::row::{EarlyPublics, PUBLIC_INPUTS, Public};
use super::template::{Sparse, Template};
use crate::input::ProverInput;
use crate::r1cs::{R1cs, R1csBuilder};
use ff::{BatchInverter, Field};
use halo2curves::bn256::Fr;
use lathe_vm::trace::BatchTrace;
use rayon::prelude::*;

/// Terms of a row: column and coefficient.
type Terms = Vec<(u32, Fr)>;

/// Number of wires for `c^2 .. c^24`.
const POWERS: usize = TAG_POWER as usize - 1;

/// A list of chips with capacities: one shape.
pub struct Circuit {
    /// Name of the shape.
    pub name: &'static str,
    /// The chips.
    pub blocks: Vec<Block>,
}

/// First-phase values of a circuit.
pub struct CircuitValues {
    /// Per block.
    pub blocks: Vec<BlockValues>,
}

/// Where a block's wires start in the assignment.
#[derive(Clone, Copy)]
struct Base {
    committed: usize,
    rest: usize,
    derived: usize,
}

impl Circuit {
    /// Committed wires.
    pub fn num_committed(&self) -> usize {
        self.blocks.iter().map(Block::committed).sum()
    }

    fn num_rest(&self) -> usize {
        self.blocks.iter().map(Block::rest).sum()
    }

    fn num_derived(&self) -> usize {
        self.blocks.iter().map(Block::derived).sum()
    }

    /// Constraints, the bus sum and the challenge powers included (the input rows of Groth16 are not).
    pub fn num_constraints(&self) -> usize {
        self.blocks.iter().map(Block::constraints).sum::<usize>() + POWERS + 1
    }

    fn powers_base(&self) -> usize {
        1 + PUBLIC_INPUTS + self.num_committed() + self.num_rest()
    }

    fn bases(&self) -> Vec<Base> {
        let mut base = Base {
            committed: 1 + PUBLIC_INPUTS,
            rest: 1 + PUBLIC_INPUTS + self.num_committed(),
            derived: self.powers_base() + POWERS,
        };
        self.blocks
            .iter()
            .map(|b| {
                let here = base;
                base.committed += b.committed();
                base.rest += b.rest();
                base.derived += b.derived();
                here
            })
            .collect()
    }

    /// Writes out the whole constraint system.
    pub fn r1cs(&self) -> R1cs {
        let mut out = R1csBuilder::new(
            PUBLIC_INPUTS,
            self.num_committed(),
            self.num_rest() + POWERS + self.num_derived(),
        );
        let power = |k: u8| power_wire(self.powers_base(), k);
        for k in 2..=TAG_POWER {
            out.push_row(&[(power(k - 1), Fr::ONE)], &[(power(1), Fr::ONE)], &[(power(k), Fr::ONE)]);
        }
        let mut sum = Vec::new();
        for (block, base) in self.blocks.iter().zip(self.bases()) {
            self.push_block(block, base, &mut out, &mut sum);
        }
        out.push_row(&sum, &[(0, Fr::ONE)], &[(1 + Public::PartialSum as u32, Fr::ONE)]);
        out.finish().expect("wires are numbered within the system")
    }

    fn push_block(&self, block: &Block, base: Base, out: &mut R1csBuilder, sum: &mut Terms) {
        let powers = self.powers_base();
        for (t, row) in block.instances() {
            let template = &block.templates[t];
            let fixed = block.fixed(t, row);
            let committed = base.committed + block.offset(|t| t.committed as usize, t, row);
            let rest = base.rest + block.offset(|t| t.rest as usize, t, row);
            let derived = base.derived + block.offset(|t| t.derived() as usize, t, row);
            let place = |var: Var| -> (u32, Fr) {
                let column = match var {
                    Var::One => 0,
                    Var::Public(i) => 1 + i as usize,
                    Var::Power(k) => return (power_wire(powers, k), Fr::ONE),
                    Var::Committed(i) => committed + i as usize,
                    Var::Rest(i) => rest + i as usize,
                    Var::Import(i) => base.committed + block.import_position(t, row, i as usize),
                    Var::Fixed(i) => return (0, fixed[i as usize]),
                    Var::Derived(i) => derived + i as usize,
                };
                (column as u32, Fr::ONE)
            };
            let wires = |s: &Sparse| place_all(s, &place);
            for c in &template.constraints {
                out.push_row(&wires(&c.a), &wires(&c.b), &wires(&c.c));
            }
            for (i, p) in template.products.iter().enumerate() {
                out.push_row(
                    &[place(Var::Power(p.power))],
                    &wires(&p.lc),
                    &[((derived + i) as u32, Fr::ONE)],
                );
            }
            for (i, f) in template.fractions.iter().enumerate() {
                let inverse = (derived + template.products.len() + i) as u32;
                let mut denominator: Terms = vec![(1 + Public::R as u32, Fr::ONE)];
                denominator.extend(wires(&f.linear).into_iter().map(|(w, k)| (w, -k)));
                denominator.extend(f.products.iter().map(|p| (derived as u32 + p, -Fr::ONE)));
                out.push_row(&[(inverse, Fr::ONE)], &denominator, &wires(&f.multiplicity));
                sum.push((inverse, Fr::ONE));
            }
        }
    }

    /// First-phase values of every block but the fixed tables; lookups are added to `counts`.
    pub fn assign(
        &self,
        trace: &BatchTrace,
        publics: EarlyPublics,
        counts: &mut Counts,
    ) -> Result<CircuitValues, AssignError> {
        let none = Counts::default();
        let input = ProverInput { trace, counts: &none };
        let assign = |b: &Block, counts: &mut Counts| match b.is_table() {
            true => Ok(BlockValues::default()),
            false => b.chip.assign(&b.templates, b.capacity, &input, publics, counts),
        };
        let blocks = self.blocks.iter().map(|b| assign(b, counts)).collect::<Result<_, _>>()?;
        Ok(CircuitValues { blocks })
    }

    /// The fixed tables' multiplicities, once every circuit of the layout has been assigned.
    pub fn assign_tables(
        &self,
        trace: &BatchTrace,
        publics: EarlyPublics,
        counts: &Counts,
        values: &mut CircuitValues,
    ) -> Result<(), AssignError> {
        let input = ProverInput { trace, counts };
        for (block, v) in self.blocks.iter().zip(&mut values.blocks).filter(|(b, _)| b.is_table()) {
            *v = block.chip.assign(
                &block.templates,
                block.capacity,
                &input,
                publics,
                &mut Counts::default(),
            )?;
        }
        Ok(())
    }

    /// Rows needed and available, chip by chip.
    pub fn needs(&self, input: &ProverInput<'_>) -> Result<Vec<(&'static str, usize, usize)>, AssignError> {
        self.blocks.iter().map(|b| Ok((b.chip.name(), b.chip.need(input)?, b.capacity))).collect()
    }

    /// The committed wires in order.
    pub fn committed_values(&self, values: &CircuitValues) -> Vec<Fr> {
        values.blocks.iter().flat_map(|b| b.committed.iter().copied()).collect()
    }

    /// The whole assignment, ONE first, for challenges `r` and `c`; and this circuit's partial sum.
    pub fn full_assignment(
        &self,
        values: &CircuitValues,
        early: EarlyPublics,
        r: Fr,
        c: Fr,
    ) -> (Vec<Fr>, Fr) {
        let mut powers = vec![Fr::ONE; TAG_POWER as usize + 1];
        for k in 1..powers.len() {
            powers[k] = powers[k - 1] * c;
        }
        let mut z = Vec::with_capacity(self.powers_base() + POWERS + self.num_derived());
        z.push(Fr::ONE);
        z.extend(early);
        z.extend([r, c, Fr::ZERO]);
        values.blocks.iter().for_each(|b| z.extend(&b.committed));
        values.blocks.iter().for_each(|b| z.extend(&b.rest));
        z.extend(&powers[2..]);
        let mut sum = Fr::ZERO;
        for (block, v) in self.blocks.iter().zip(&values.blocks) {
            let (derived, partial) = derive(block, v, early, r, &powers);
            z.extend(derived);
            sum += partial;
        }
        z[1 + Public::PartialSum as usize] = sum;
        (z, sum)
    }
}

fn power_wire(powers_base: usize, k: u8) -> u32 {
    match k {
        1 => 1 + Public::C as u32,
        k => (powers_base + k as usize - 2) as u32,
    }
}

fn place_all(s: &Sparse, place: &impl Fn(Var) -> (u32, Fr)) -> Terms {
    let mut out = Vec::with_capacity(s.terms.len() + 1);
    let mut constant = s.constant;
    for (var, k) in &s.terms {
        match place(*var) {
            (0, scale) => constant += scale * k,
            (w, _) => out.push((w, *k)),
        }
    }
    if constant != Fr::ZERO {
        out.push((0, constant));
    }
    out
}

/// The values one instance sees.
pub(crate) struct View<'a> {
    pub block: &'a Block,
    pub values: &'a BlockValues,
    pub early: EarlyPublics,
    pub template: usize,
    pub row: usize,
    pub fixed: Vec<Fr>,
}

impl<'a> View<'a> {
    pub(crate) fn new(
        block: &'a Block,
        values: &'a BlockValues,
        early: EarlyPublics,
        template: usize,
        row: usize,
    ) -> View<'a> {
        View { block, values, early, template, row, fixed: block.fixed(template, row) }
    }

    pub(crate) fn shape(&self) -> &'a Template {
        &self.block.templates[self.template]
    }

    pub(crate) fn get(&self, var: Var, powers: &[Fr]) -> Fr {
        let b = self.block;
        match var {
            Var::One => Fr::ONE,
            Var::Public(i) => self.early[i as usize],
            Var::Power(k) => powers[k as usize],
            Var::Committed(i) => {
                self.values.committed
                    [b.offset(|t| t.committed as usize, self.template, self.row) + i as usize]
            }
            Var::Rest(i) => {
                self.values.rest[b.offset(|t| t.rest as usize, self.template, self.row) + i as usize]
            }
            Var::Import(i) => self.values.committed[b.import_position(self.template, self.row, i as usize)],
            Var::Fixed(i) => self.fixed[i as usize],
            Var::Derived(_) => unreachable!("first-phase combinations hold no second-phase wires"),
        }
    }
}

/// Second-phase wires of a block in order, and the sum of its fractions.
fn derive(block: &Block, values: &BlockValues, early: EarlyPublics, r: Fr, powers: &[Fr]) -> (Vec<Fr>, Fr) {
    let instances: Vec<(usize, usize)> = block.instances().collect();
    let chunk = 256;
    let parts: Vec<(Vec<Fr>, Fr)> = instances
        .par_chunks(chunk)
        .map(|part| {
            let mut wires = Vec::new();
            let mut at = Vec::new();
            let mut denominators = Vec::new();
            for (t, row) in part {
                let view = View::new(block, values, early, *t, *row);
                let shape = view.shape();
                let eval = |s: &Sparse| s.eval(|v| view.get(v, powers));
                let first = wires.len();
                wires.extend(shape.products.iter().map(|p| powers[p.power as usize] * eval(&p.lc)));
                for f in &shape.fractions {
                    let products: Fr = f.products.iter().map(|p| wires[first + *p as usize]).sum();
                    denominators.push(r - eval(&f.linear) - products);
                    at.push(wires.len());
                    wires.push(eval(&f.multiplicity));
                }
            }
            let mut inverted = denominators;
            let mut scratch = vec![Fr::ZERO; inverted.len()];
            BatchInverter::invert_with_external_scratch(&mut inverted, &mut scratch);
            let mut sum = Fr::ZERO;
            for (i, inverse) in at.into_iter().zip(inverted) {
                wires[i] *= inverse;
                sum += wires[i];
            }
            (wires, sum)
        })
        .collect();
    let sum = parts.iter().map(|p| p.1).sum();
    (parts.into_iter().flat_map(|p| p.0).collect(), sum)
}
