//! What the tests of chips share: rows assigned by hand, their messages, and single-wire mutations.
//! A mutation counts as harmless only if what the row then tells the bus is still true; every determined wire is
//! recomputed before anything is judged.
use crate::circuit::assemble::View;
use crate::circuit::check::{MessageKey, Unsatisfied, check_instance, collect_messages};
use crate::circuit::lc::{Var, halves};
use crate::circuit::{Block, BlockValues, Chip, Counts, MessageKind, RowBuilder, Tag};
use crate::input::ProverInput;
use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;

/// A message as a row contributes it: kind, content, multiplicity.
pub type Message = (MessageKind, MessageKey, Fr);

/// A block with values assigned from rows made by hand.
pub struct Fixture {
    /// The block; its capacity includes the padding.
    pub block: Block,
    /// Its values.
    pub values: BlockValues,
}

const EARLY: [Fr; 4] = [Fr::ZERO; 4];

impl Fixture {
    /// Assigns `rows` and `padding` further empty rows; headers and footers are left out of the check.
    pub fn new<C: Chip>(chip: C, rows: &[C::Row], padding: usize) -> Fixture {
        Fixture::with_input(chip, None, rows, padding)
    }

    /// As [`Fixture::new`], for a chip whose header or footer takes values from the trace.
    pub fn with_input<C: Chip>(
        chip: C,
        input: Option<&ProverInput<'_>>,
        rows: &[C::Row],
        padding: usize,
    ) -> Fixture {
        let mut counts = Counts::default();
        let mut values = BlockValues { used: rows.len(), ..Default::default() };
        let mut exports = Vec::new();
        for part in 0..3 {
            for i in 0..if part == 1 { rows.len() + padding } else { 1 } {
                let fixed = if part == 1 { Chip::fixed(&chip, i) } else { Vec::new() };
                let mut b = RowBuilder::assigner(&exports, &fixed, EARLY, &mut counts);
                match part {
                    0 => chip.header(&mut b, input),
                    1 => chip.row(&mut b, rows.get(i)),
                    _ => chip.footer(&mut b, input),
                }
                values.committed.append(&mut b.committed);
                values.rest.append(&mut b.rest);
                exports = std::mem::take(&mut b.exports);
            }
        }
        Fixture { block: Block::new(chip, rows.len() + padding), values }
    }

    /// Constraints of a row that do not hold, and lookups that are in no table.
    pub fn failures(&self, row: usize) -> Vec<String> {
        let bad = check_instance(&self.block, &self.values, EARLY, 1, row);
        let lookups = self
            .all_messages(row)
            .into_iter()
            .filter(|(kind, key, _)| *kind == MessageKind::Lookup && in_table(key) == Some(false));
        let name = |u: Unsatisfied| format!("row {row}: {}", u.name);
        bad.into_iter().map(name).chain(lookups.map(|m| format!("row {row}: lookup {:?}", m.1))).collect()
    }

    /// Panics with the first failures of any row.
    pub fn assert_satisfied(&self) {
        let bad: Vec<String> = (0..self.block.capacity).flat_map(|i| self.failures(i)).take(5).collect();
        assert!(bad.is_empty(), "{}: {bad:?}", self.block.chip.name());
    }

    /// All messages of a row with a multiplicity that is not zero.
    pub fn all_messages(&self, row: usize) -> Vec<Message> {
        let mut out = Vec::new();
        collect_messages(&self.block, &self.values, EARLY, (1, row), Fr::ONE, &mut |kind, key, m| {
            out.push((kind, key, m))
        });
        out
    }

    /// The messages of a row without lookups of fixed tables.
    pub fn messages(&self, row: usize) -> Vec<Message> {
        self.all_messages(row).into_iter().filter(|m| in_table(&m.1).is_none()).collect()
    }

    /// The first wire of the left factor of each constraint called `name`.
    pub fn wires(&self, name: &str) -> Vec<Var> {
        let named = self.block.templates[1].constraints.iter().filter(|c| c.name == name);
        let all: Vec<Var> = named.map(|c| c.a.terms[0].0).collect();
        assert!(!all.is_empty(), "no constraint '{name}'");
        all
    }

    /// The first wire in element 0 of the `nth` lookup in table `tag`.
    pub fn lookup_wire(&self, tag: Tag, nth: usize) -> Var {
        let mut lookups = self.block.templates[1].fractions.iter().filter(|f| f.tag == tag);
        lookups.nth(nth).expect("so many lookups").elements[0].1.terms[0].0
    }

    /// The first wire in element `power` of the row's first message with `tag`.
    pub fn message_wire(&self, tag: Tag, power: u8) -> Var {
        let message = self.block.templates[1].fractions.iter().find(|f| f.tag == tag).expect("the message");
        message.elements.iter().find(|e| e.0 == power).expect("the element").1.terms[0].0
    }

    fn slot(&mut self, row: usize, var: Var) -> &mut Fr {
        let block = &self.block;
        match var {
            Var::Committed(i) => {
                &mut self.values.committed[block.offset(|t| t.committed as usize, 1, row) + i as usize]
            }
            Var::Rest(i) => &mut self.values.rest[block.offset(|t| t.rest as usize, 1, row) + i as usize],
            other => panic!("{other:?} is no wire of the row"),
        }
    }

    /// Adds `change` to the wires named, recomputes every other determined wire of the row in order.
    pub fn change(&mut self, row: usize, changes: &[(Var, Fr)]) {
        for (var, by) in changes {
            *self.slot(row, *var) += by;
        }
        let determined = self.block.templates[1].determined.clone();
        for d in determined.iter().filter(|d| changes.iter().all(|c| c.0 != d.wire)) {
            let view = View::new(&self.block, &self.values, EARLY, 1, row);
            let value = d.a.eval(|v| view.get(v, &[])) * d.b.eval(|v| view.get(v, &[]));
            *self.slot(row, d.wire) = value;
        }
    }

    /// Changes every wire of a row in turn by 1, -1 and an odd large number. Whatever passes the constraints of this and the
    /// next row and all tables must leave messages that `truth` accepts. Returns (changes tried, changes rejected).
    pub fn mutate(&mut self, row: usize, truth: impl Fn(&[Message]) -> bool) -> (usize, usize) {
        let t = &self.block.templates[1];
        let wires: Vec<Var> =
            (0..t.committed).map(Var::Committed).chain((0..t.rest).map(Var::Rest)).collect();
        assert!(truth(&self.messages(row)), "row {row} must tell the truth to begin with");
        let (mut tried, mut rejected) = (0, 0);
        for var in wires {
            for by in [Fr::ONE, -Fr::ONE, Fr::from_u128(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)] {
                let saved = (self.values.committed.clone(), self.values.rest.clone());
                self.change(row, &[(var, by)]);
                tried += 1;
                let next = if row + 1 < self.block.capacity { self.failures(row + 1) } else { Vec::new() };
                if !self.failures(row).is_empty() || !next.is_empty() {
                    rejected += 1;
                } else {
                    let messages = self.messages(row);
                    assert!(
                        truth(&messages),
                        "{}: {var:?} + {by:?} passes: {messages:?}",
                        self.block.chip.name()
                    );
                }
                (self.values.committed, self.values.rest) = saved;
            }
        }
        (tried, rejected)
    }
}

/// The field element at position `power` of a message.
pub fn element(key: &MessageKey, power: u8) -> Fr {
    let repr = key.1.iter().find(|e| e.0 == power).map_or([0; 32], |e| e.1);
    Option::from(Fr::from_repr(repr.into())).expect("messages hold canonical elements")
}

/// The element at `power` as an integer; `None` if it is not below 2^128.
pub fn element_int(key: &MessageKey, power: u8) -> Option<u128> {
    match halves(element(key, power)) {
        (lo, 0) => Some(lo),
        _ => None,
    }
}

/// Whether a lookup is an entry of its fixed table; `None` for messages that are no lookups of fixed tables.
fn in_table(key: &MessageKey) -> Option<bool> {
    let x = element(key, 0);
    let (lo, hi) = halves(x);
    match key.0 {
        Tag::Range16 => Some(hi == 0 && lo < 1 << 16),
        Tag::And8 => Some(hi == 0 && lo < 1 << 24 && (lo & 255) & (lo >> 8 & 255) == lo >> 16),
        Tag::Pow2 => {
            Some((0..=128u32).any(|n| x == Fr::from(u64::from(n)) + crate::circuit::lc::pow2(n + 8)))
        }
        Tag::KeccakBits => Some(
            hi == 0
                && u64::try_from(lo)
                    .is_ok_and(|x| x < 12u64.pow(16) && (0..16).all(|i| x / 12u64.pow(i) % 12 < 2)),
        ),
        _ => None,
    }
}

/// A trace without a single step, for tests that only need an input to pass.
pub fn empty_trace() -> lathe_vm::trace::BatchTrace {
    use lathe_vm::Word;
    use lathe_vm::trace::{Access, BatchTrace, Statement, space};
    let boot = Access {
        space: space::REG,
        ctx: 0,
        index: 0,
        time: 1,
        old_time: 0,
        old: Word::ZERO,
        new: Word::ZERO,
    };
    BatchTrace {
        input: Vec::new(),
        boot,
        steps: Default::default(),
        keccaks: Vec::new(),
        cells: Vec::new(),
        input_cells: Vec::new(),
        state_cells: Vec::new(),
        transient: Vec::new(),
        tree: lathe_vm::state::TreeWitness {
            old_root: Fr::ZERO,
            new_root: Fr::ZERO,
            old_tree_root: Fr::ZERO,
            new_tree_root: Fr::ZERO,
            old_count: 0,
            new_count: 0,
            rows: Vec::new(),
            nodes: Vec::new(),
        },
        journal: Vec::new(),
        pages: Vec::new(),
        statement: Statement::default(),
        statement_hash: [0; 32],
    }
}

/// As [`Fixture::mutate`] for committed wires only: for rows whose other wires lie inside compressions, whose own
/// tests change each.
pub fn mutate_committed(f: &mut Fixture, row: usize, truth: impl Fn(&[Message]) -> bool) {
    assert!(truth(&f.messages(row)), "row {row} must tell the truth to begin with");
    for wire in 0..f.block.templates[1].committed {
        for by in [Fr::ONE, -Fr::ONE, Fr::from(0x9e37_79b9_7f4a_7c15)] {
            let saved = f.values.clone();
            f.change(row, &[(Var::Committed(wire), by)]);
            let next = if row + 1 < f.block.capacity { f.failures(row + 1) } else { Vec::new() };
            let unseen = f.failures(row).is_empty() && next.is_empty();
            assert!(!unseen || truth(&f.messages(row)), "wire {wire} + {by:?} passes: {:?}", f.messages(row));
            f.values = saved;
        }
    }
}
