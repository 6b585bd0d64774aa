//! A chip: one kind of row, repeated up to a capacity, with an optional header before and footer after the rows.
//! A header exports the values the first row imports; a footer imports the last row's.
use super::bus::MessageKind;
use super::counts::Counts;
use super::lc::Var;
use super::row::{EarlyPublics, RowBuilder};
use super::template::Template;
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// Why a trace cannot be assigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignError {
    /// A chip needs more rows than its shape has.
    #[error("chip '{chip}' needs {need} rows, the installed shapes have {capacity}; send a smaller batch")]
    Capacity {
        /// The chip.
        chip: &'static str,
        /// Rows needed.
        need: usize,
        /// Rows there are.
        capacity: usize,
    },
    /// The chips do not add up to a proof of this trace: a fault of ours, found before anything was proven.
    #[error("this batch cannot be proven: {what}; please report it")]
    Unprovable {
        /// The first constraint or message that does not hold.
        what: String,
    },
    /// The trace holds something the chips cannot express.
    #[error("chip '{chip}': {reason}")]
    Trace {
        /// The chip.
        chip: &'static str,
        /// What was found.
        reason: String,
    },
}

/// One kind of row.
pub trait Chip: Send + Sync + 'static {
    /// What one row is assigned from.
    type Row: Send + Sync;

    /// Name in reports and errors.
    fn name(&self) -> &'static str;

    /// The rows a batch needs, in order.
    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<Self::Row>, AssignError>;

    /// One row; `None` is a padding row (or the recording of the shape).
    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&Self::Row>);

    /// Constraints before the first row.
    fn header(&self, _b: &mut RowBuilder<'_>, _input: Option<&ProverInput<'_>>) {}

    /// Constraints after the last row.
    fn footer(&self, _b: &mut RowBuilder<'_>, _input: Option<&ProverInput<'_>>) {}

    /// Position-dependent constants of row `index`.
    fn fixed(&self, _index: usize) -> Vec<Fr> {
        Vec::new()
    }
}

/// First-phase values of a block: header, rows, footer, one after the other.
#[derive(Clone, Debug, Default)]
pub struct BlockValues {
    /// Committed wires.
    pub committed: Vec<Fr>,
    /// Other first-phase wires.
    pub rest: Vec<Fr>,
    /// Rows that are not padding.
    pub used: usize,
}

/// A chip with the types of its rows erased.
pub trait AnyChip: Send + Sync {
    /// See [`Chip::name`].
    fn name(&self) -> &'static str;
    /// Records header, row and footer.
    fn record(&self) -> [Template; 3];
    /// Rows needed.
    fn need(&self, input: &ProverInput<'_>) -> Result<usize, AssignError>;
    /// See [`Chip::fixed`].
    fn fixed(&self, index: usize) -> Vec<Fr>;
    /// Assigns all rows.
    fn assign(
        &self,
        templates: &[Template; 3],
        capacity: usize,
        input: &ProverInput<'_>,
        publics: EarlyPublics,
        counts: &mut Counts,
    ) -> Result<BlockValues, AssignError>;
}

impl<C: Chip> AnyChip for C {
    fn name(&self) -> &'static str {
        Chip::name(self)
    }

    fn record(&self) -> [Template; 3] {
        let one = |f: &dyn Fn(&mut RowBuilder<'_>)| {
            let mut counts = Counts::default();
            let mut b = RowBuilder::recorder(&mut counts);
            f(&mut b);
            b.into_template()
        };
        [one(&|b| self.header(b, None)), one(&|b| self.row(b, None)), one(&|b| self.footer(b, None))]
    }

    fn need(&self, input: &ProverInput<'_>) -> Result<usize, AssignError> {
        Ok(self.rows(input)?.len())
    }

    fn fixed(&self, index: usize) -> Vec<Fr> {
        Chip::fixed(self, index)
    }

    fn assign(
        &self,
        templates: &[Template; 3],
        capacity: usize,
        input: &ProverInput<'_>,
        publics: EarlyPublics,
        counts: &mut Counts,
    ) -> Result<BlockValues, AssignError> {
        let rows = self.rows(input)?;
        if rows.len() > capacity {
            return Err(AssignError::Capacity { chip: Chip::name(self), need: rows.len(), capacity });
        }
        let mut values = BlockValues { used: rows.len(), ..Default::default() };
        let mut head = RowBuilder::assigner(&[], &[], publics, counts);
        self.header(&mut head, Some(input));
        let mut exports = std::mem::take(&mut head.exports);
        append(&mut values, head.committed, head.rest, &templates[0], Chip::name(self));

        if templates[1].imports {
            for i in 0..capacity {
                let fixed = Chip::fixed(self, i);
                let mut b = RowBuilder::assigner(&exports, &fixed, publics, counts);
                self.row(&mut b, rows.get(i));
                let next = std::mem::take(&mut b.exports);
                append(&mut values, b.committed, b.rest, &templates[1], Chip::name(self));
                exports = next;
            }
        } else {
            exports = assign_parallel(self, templates, capacity, &rows, publics, counts, &mut values);
        }

        let mut foot = RowBuilder::assigner(&exports, &[], publics, counts);
        self.footer(&mut foot, Some(input));
        append(&mut values, foot.committed, foot.rest, &templates[2], Chip::name(self));
        Ok(values)
    }
}

/// Rows that do not look at their neighbours are assigned in chunks, in parallel. Returns the last row's exports.
fn assign_parallel<C: Chip>(
    chip: &C,
    templates: &[Template; 3],
    capacity: usize,
    rows: &[C::Row],
    publics: EarlyPublics,
    counts: &mut Counts,
    values: &mut BlockValues,
) -> Vec<Fr> {
    let t = &templates[1];
    let (nc, nr) = (t.committed as usize, t.rest as usize);
    let chunk = capacity.div_ceil(rayon::current_num_threads() * 4).max(1);
    /// Committed wires, other wires, last exports and lookup counts of one chunk.
    type Chunk = (Vec<Fr>, Vec<Fr>, Vec<Fr>, Counts);
    let parts: Vec<Chunk> = (0..capacity.div_ceil(chunk))
        .into_par_iter()
        .map(|p| {
            let range = p * chunk..((p + 1) * chunk).min(capacity);
            let mut local = Counts::default();
            let (mut committed, mut rest) =
                (Vec::with_capacity(nc * range.len()), Vec::with_capacity(nr * range.len()));
            let mut exports = Vec::new();
            for i in range {
                let fixed = Chip::fixed(chip, i);
                let mut b = RowBuilder::assigner(&[], &fixed, publics, &mut local);
                chip.row(&mut b, rows.get(i));
                assert_eq!((b.committed.len(), b.rest.len()), (nc, nr), "shape of '{}'", Chip::name(chip));
                committed.append(&mut b.committed);
                rest.append(&mut b.rest);
                exports = std::mem::take(&mut b.exports);
            }
            (committed, rest, exports, local)
        })
        .collect();
    let mut exports = Vec::new();
    for (mut committed, mut rest, exported, local) in parts {
        values.committed.append(&mut committed);
        values.rest.append(&mut rest);
        counts.merge(&local);
        exports = exported;
    }
    exports
}

fn append(values: &mut BlockValues, committed: Vec<Fr>, rest: Vec<Fr>, t: &Template, name: &str) {
    assert_eq!((committed.len(), rest.len()), (t.committed as usize, t.rest as usize), "shape of '{name}'");
    values.committed.extend(committed);
    values.rest.extend(rest);
}

/// A chip with its capacity and recorded shapes.
pub struct Block {
    /// The chip.
    pub chip: Box<dyn AnyChip>,
    /// Rows.
    pub capacity: usize,
    /// Header, row, footer.
    pub templates: [Template; 3],
}

impl Block {
    /// Records the chip's shapes.
    pub fn new(chip: impl Chip, capacity: usize) -> Block {
        let templates = AnyChip::record(&chip);
        Block { chip: Box::new(chip), capacity, templates }
    }

    /// How often each template occurs: header once, rows, footer once.
    pub fn repeats(&self) -> [usize; 3] {
        [1, self.capacity, 1]
    }

    /// Committed wires of the block.
    pub fn committed(&self) -> usize {
        self.total(|t| t.committed as usize)
    }

    /// Other first-phase wires of the block.
    pub fn rest(&self) -> usize {
        self.total(|t| t.rest as usize)
    }

    /// Second-phase wires of the block.
    pub fn derived(&self) -> usize {
        self.total(|t| t.derived() as usize)
    }

    /// Constraints of the block.
    pub fn constraints(&self) -> usize {
        self.total(Template::constraint_count)
    }

    fn total(&self, f: impl Fn(&Template) -> usize) -> usize {
        self.templates.iter().zip(self.repeats()).map(|(t, n)| f(t) * n).sum()
    }

    /// Every instance in order: which template, which row.
    pub fn instances(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.repeats().into_iter().enumerate().flat_map(|(t, n)| (0..n).map(move |i| (t, i)))
    }

    /// First index, within the block, of the wires of instance `(template, row)` given a per-template width.
    pub fn offset(&self, width: impl Fn(&Template) -> usize, template: usize, row: usize) -> usize {
        let before: usize = (0..template).map(|t| width(&self.templates[t]) * self.repeats()[t]).sum();
        before + width(&self.templates[template]) * row
    }

    /// The instance whose exports `(template, row)` imports.
    pub fn previous(&self, template: usize, row: usize) -> Option<(usize, usize)> {
        match (template, row) {
            (0, _) => None,
            (1, 0) => Some((0, 0)),
            (1, i) => Some((1, i - 1)),
            _ if self.capacity == 0 => Some((0, 0)),
            _ => Some((1, self.capacity - 1)),
        }
    }

    /// True for a fixed table: its rows offer position-dependent constants and count who took them.
    pub fn is_table(&self) -> bool {
        let row = &self.templates[1];
        let fixed = |v: &Var| matches!(v, Var::Fixed(_));
        match row.fractions.as_slice() {
            [f] => {
                f.kind == MessageKind::Provide
                    && f.elements.iter().all(|e| e.1.terms.iter().all(|t| fixed(&t.0)))
            }
            _ => false,
        }
    }

    /// Fixed columns of an instance.
    pub fn fixed(&self, template: usize, row: usize) -> Vec<Fr> {
        if template == 1 { self.chip.fixed(row) } else { Vec::new() }
    }

    /// Position within the block's committed wires of what instance `(template, row)` imports as `i`.
    pub fn import_position(&self, template: usize, row: usize, i: usize) -> usize {
        let (t, r) = self.previous(template, row).expect("a header imports nothing");
        let width = |t: &Template| t.committed as usize;
        let exported = self.templates[t].exports[i] as usize;
        self.offset(width, t, r) + exported
    }

    /// Zeroed values, for tests and padding.
    pub fn zeroed(&self) -> BlockValues {
        BlockValues {
            committed: vec![Fr::ZERO; self.committed()],
            rest: vec![Fr::ZERO; self.rest()],
            used: 0,
        }
    }
}
