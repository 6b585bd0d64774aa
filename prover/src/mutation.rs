//! The mutation harness: changes wires of a satisfied row, one by one and in pairs that keep a packed sum, and asks
//! whether anybody would notice. Everything that follows from a change is recomputed first.
//!
//! A change is *caught* if a constraint of the row or of the next one fails, if a fixed table does not hold a looked-up
//! value, if a multiplicity moves, or if a message changes in an element that somebody else determines (an *input* of
//! this row, see [`inputs`]). If a row can change only what it tells others (its outputs) with all constraints intact,
//! the change *survives*: the row admits two results. If no message changes at all, the change is *inert*.
mod excuses;

use crate::circuit::assemble::View;
use crate::circuit::bus::{MessageKind, Tag};
use crate::circuit::chip::{Block, BlockValues};
use crate::circuit::lc::Var;
use crate::circuit::row::EarlyPublics;
use crate::circuit::template::{Sparse, Template};
use ff::Field;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};

pub use excuses::{EXCUSES, Excuse, excuse};

/// The packed entries of the fixed tables.
pub type Tables = HashMap<Tag, HashSet<[u64; 4]>>;

/// What the harness found for one chip.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ChipReport {
    /// The chip.
    pub name: String,
    /// Wires changed (used row and padding row, each kind of template).
    pub wires: usize,
    /// Changes tried, pairs included.
    pub changes: usize,
    /// Wires every effective change of which was caught.
    pub caught: usize,
    /// Wires with a change that leaves every message as it was, and no uncaught one.
    pub excused: usize,
    /// Changes that alter what the row says and are not caught.
    pub survivors: Vec<Survivor>,
}

/// A change nobody notices.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Survivor {
    /// 0 header, 1 row, 2 footer.
    pub template: usize,
    /// Row.
    pub row: usize,
    /// The changed wires.
    pub wires: Vec<String>,
    /// The first constraint that mentions the wire.
    pub near: String,
}

/// Positions of a message that another chip determines; the others are what this row claims.
/// `sends` is true for a positive multiplicity.
fn inputs(tag: Tag, kind: MessageKind, sends: bool) -> &'static [u8] {
    match (tag, kind, sends) {
        (Tag::Alu, MessageKind::Provide, _) => &[0, 1, 2, 3, 4, 8],
        (Tag::Alu, _, _) => &[5, 6, 7],
        (Tag::Keyed, _, true) => &[5, 6, 7, 17, 18, 19, 20],
        (Tag::Keyed, _, false) => &[0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16],
        (Tag::Mem | Tag::State, _, false) => &[1, 2, 3],
        (Tag::Journal, _, false) => &[0, 1, 2, 4, 5, 6],
        (Tag::Frame | Tag::Segment, _, false) => &[1, 2, 3, 4, 5, 6],
        (Tag::KeccakCall, _, true) => &[3, 4],
        (Tag::KeccakCall, _, false) => &[0, 1, 2, 5],
        // The tree is opened from the root down: who receives a node names its place and its old hash.
        (Tag::Node, _, false) => &[3],
        (Tag::Node, _, true) => &[0, 1, 2],
        // The old count is bound by the old root in the statement, the new one by the leaves; only element 0 tells them
        // apart, so neither side may count on the other to notice.
        (Tag::LeafCount, _, _) => &[],
        (Tag::Fetch, MessageKind::Lookup, _) => &[0, 8, 17, 18, 19],
        (Tag::Const, MessageKind::Lookup, _) => &[1, 2],
        // Whoever takes a page names its hash: from state or from the statement.
        (Tag::Page, MessageKind::Provide, _) => &[1, 2],
        (Tag::Page, MessageKind::Lookup, _) => &[0],
        (Tag::KeccakLane, _, false) => &[0],
        (Tag::KeccakState, _, false) => &KECCAK_STATE,
        _ => &[],
    }
}

/// Elements of `KeccakState` that come with a message; 0 and 1 say which message is taken.
const KECCAK_STATE: [u8; 22] =
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];

/// Which constraints and messages mention which wire.
struct Index {
    constraints: HashMap<Var, Vec<usize>>,
    determined: HashMap<Var, Vec<usize>>,
    fractions: HashMap<Var, Vec<usize>>,
}

impl Index {
    fn of(t: &Template) -> Index {
        let mut constraints: HashMap<Var, Vec<usize>> = HashMap::new();
        for (i, c) in t.constraints.iter().enumerate() {
            for v in vars(&[&c.a, &c.b, &c.c]) {
                constraints.entry(v).or_default().push(i);
            }
        }
        let mut determined: HashMap<Var, Vec<usize>> = HashMap::new();
        for (i, d) in t.determined.iter().enumerate() {
            for v in vars(&[&d.a, &d.b]) {
                determined.entry(v).or_default().push(i);
            }
        }
        let mut fractions: HashMap<Var, Vec<usize>> = HashMap::new();
        for (i, f) in t.fractions.iter().enumerate() {
            let mut parts: Vec<&Sparse> = f.elements.iter().map(|e| &e.1).collect();
            parts.push(&f.multiplicity);
            for v in vars(&parts) {
                fractions.entry(v).or_default().push(i);
            }
        }
        Index { constraints, determined, fractions }
    }
}

fn vars(parts: &[&Sparse]) -> BTreeSet<Var> {
    parts.iter().flat_map(|s| s.terms.iter().map(|t| t.0)).collect()
}

/// An instance with some wires changed.
struct Changed<'a> {
    view: View<'a>,
    changes: HashMap<Var, Fr>,
}

impl Changed<'_> {
    fn get(&self, v: Var) -> Fr {
        self.changes.get(&v).copied().unwrap_or_else(|| self.view.get(v, &[]))
    }

    fn eval(&self, s: &Sparse) -> Fr {
        s.eval(|v| self.get(v))
    }

    fn old(&self, s: &Sparse) -> Fr {
        s.eval(|v| self.view.get(v, &[]))
    }
}

/// What became of a change.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Fate {
    Caught,
    Inert,
    Survives,
}

/// A block under test.
struct Bench<'a> {
    block: &'a Block,
    values: &'a BlockValues,
    early: EarlyPublics,
    tables: &'a Tables,
    indexes: [Index; 3],
}

impl Bench<'_> {
    /// Applies `changes` to an instance, recomputes what they determine and looks who notices.
    fn fate(&self, at: (usize, usize), changes: &[(Var, Fr)]) -> Fate {
        let view = View::new(self.block, self.values, self.early, at.0, at.1);
        let mut row = Changed { view, changes: changes.iter().copied().collect() };
        let shape = row.view.shape();
        let index = &self.indexes[at.0];
        self.recompute(&mut row, changes);
        let here = self.notices(&row, shape, index);
        let next = self.next_of(at).map(|next| {
            let shape = &self.block.templates[next.0];
            let exports = &self.block.templates[at.0].exports;
            let moved = exports.iter().enumerate().filter_map(|(i, wire)| {
                row.changes.get(&Var::Committed(*wire)).map(|x| (Var::Import(i as u32), *x))
            });
            let moved: Vec<(Var, Fr)> = moved.collect();
            let view = View::new(self.block, self.values, self.early, next.0, next.1);
            let mut after = Changed { view, changes: moved.iter().copied().collect() };
            self.recompute_in(&mut after, &self.indexes[next.0], &moved);
            self.notices(&after, shape, &self.indexes[next.0])
        });
        match (here, next.unwrap_or(Fate::Inert)) {
            (Fate::Caught, _) | (_, Fate::Caught) => Fate::Caught,
            (Fate::Survives, _) | (_, Fate::Survives) => Fate::Survives,
            _ => Fate::Inert,
        }
    }

    fn recompute(&self, row: &mut Changed<'_>, changes: &[(Var, Fr)]) {
        let index = &self.indexes[row.view.template];
        self.recompute_in(row, index, changes);
    }

    /// Wires that follow from changed ones, in order; a wire that was changed on purpose stays.
    fn recompute_in(&self, row: &mut Changed<'_>, index: &Index, changes: &[(Var, Fr)]) {
        let fixed: HashSet<Var> = changes.iter().map(|c| c.0).collect();
        let entries = |v: Var| index.determined.get(&v).into_iter().flatten().copied();
        let mut due: BTreeSet<usize> = changes.iter().flat_map(|c| entries(c.0)).collect();
        while let Some(i) = due.pop_first() {
            let d = &row.view.shape().determined[i];
            let value = row.eval(&d.a) * row.eval(&d.b);
            if !fixed.contains(&d.wire) && value != row.get(d.wire) {
                row.changes.insert(d.wire, value);
                due.extend(entries(d.wire).filter(|j| *j > i));
            }
        }
    }

    fn notices(&self, row: &Changed<'_>, shape: &Template, index: &Index) -> Fate {
        let touched = |map: &HashMap<Var, Vec<usize>>| -> BTreeSet<usize> {
            row.changes.keys().filter_map(|v| map.get(v)).flatten().copied().collect()
        };
        for i in touched(&index.constraints) {
            let c = &shape.constraints[i];
            if row.eval(&c.a) * row.eval(&c.b) != row.eval(&c.c) {
                return Fate::Caught;
            }
        }
        let mut fate = Fate::Inert;
        for i in touched(&index.fractions) {
            let f = &shape.fractions[i];
            let (before, after) = (row.old(&f.multiplicity), row.eval(&f.multiplicity));
            if before != after {
                return Fate::Caught;
            }
            if after == Fr::ZERO {
                continue;
            }
            let moved: Vec<u8> =
                f.elements.iter().filter(|e| row.old(&e.1) != row.eval(&e.1)).map(|e| e.0).collect();
            if moved.is_empty() {
                continue;
            }
            if let Some(table) = self.tables.get(&f.tag).filter(|_| f.kind == MessageKind::Lookup) {
                if !table.contains(&row.eval(&f.elements[0].1).0) {
                    return Fate::Caught;
                }
                continue;
            }
            // A multiplicity of -1 is p - 1: received.
            let sends = f.kind == MessageKind::Provide || after == Fr::ONE;
            if moved.iter().any(|p| inputs(f.tag, f.kind, sends).contains(p)) {
                return Fate::Caught;
            }
            fate = Fate::Survives;
        }
        fate
    }

    fn next_of(&self, (t, row): (usize, usize)) -> Option<(usize, usize)> {
        let next = match (t, row) {
            (0, _) if self.block.capacity > 0 => (1, 0),
            (0, _) => (2, 0),
            (1, i) if i + 1 < self.block.capacity => (1, i + 1),
            (1, _) => (2, 0),
            _ => return None,
        };
        self.block.templates[next.0].imports.then_some(next)
    }

    /// Single changes of one wire: one more, one less, zero, one, and something large.
    fn variations(x: Fr) -> Vec<Fr> {
        let large = Fr::from(0x9e37_79b9_7f4a_7c15).square();
        let all = [x + Fr::ONE, x - Fr::ONE, Fr::ZERO, Fr::ONE, x + large];
        let mut out: Vec<Fr> = Vec::new();
        for y in all {
            if y != x && !out.contains(&y) {
                out.push(y);
            }
        }
        out
    }

    fn wires(&self, t: usize) -> Vec<Var> {
        let t = &self.block.templates[t];
        (0..t.committed).map(Var::Committed).chain((0..t.rest).map(Var::Rest)).collect()
    }

    /// Neighbouring parts of every packed sum, with the ratio of their weights.
    fn pairs(&self, t: usize) -> HashSet<(Var, Var, [u64; 4])> {
        let t = &self.block.templates[t];
        let mut out = HashSet::new();
        let mut sums: Vec<&Sparse> = Vec::new();
        t.constraints.iter().for_each(|c| sums.extend([&c.a, &c.b, &c.c]));
        t.fractions.iter().for_each(|f| sums.extend(f.elements.iter().map(|e| &e.1)));
        for s in sums {
            let local: Vec<&(Var, Fr)> =
                s.terms.iter().filter(|t| matches!(t.0, Var::Committed(_) | Var::Rest(_))).collect();
            for pair in local.windows(2) {
                let (x, y) = (pair[0], pair[1]);
                if let Some(inverse) = Option::<Fr>::from(y.1.invert()) {
                    out.insert((x.0, y.0, (x.1 * inverse).0));
                    out.insert((y.0, x.0, (y.1 * x.1.invert().unwrap_or(Fr::ZERO)).0));
                }
            }
        }
        out
    }

    /// Tries everything on one instance.
    fn run(&self, at: (usize, usize), report: &mut ChipReport) {
        let view = View::new(self.block, self.values, self.early, at.0, at.1);
        let value = |v: Var| view.get(v, &[]);
        let wires = self.wires(at.0);
        let fates: Vec<(Var, Vec<Fate>)> = wires
            .par_iter()
            .map(|w| (*w, Self::variations(value(*w)).iter().map(|x| self.fate(at, &[(*w, *x)])).collect()))
            .collect();
        for (w, fates) in fates {
            report.wires += 1;
            report.changes += fates.len();
            if fates.contains(&Fate::Survives) {
                report.survivors.push(self.survivor(at, &[w]));
            } else if fates.contains(&Fate::Caught) {
                report.caught += 1;
            } else {
                report.excused += 1;
            }
        }
        let pairs: Vec<_> = self.pairs(at.0).into_iter().collect();
        report.changes += pairs.len();
        let bad: Vec<Survivor> = pairs
            .into_iter()
            .filter_map(|(x, y, ratio)| {
                let ratio = Fr(ratio);
                let change = [(x, value(x) + Fr::ONE), (y, value(y) - ratio)];
                (self.fate(at, &change) == Fate::Survives).then(|| self.survivor(at, &[x, y]))
            })
            .collect();
        report.survivors.extend(bad);
    }

    fn survivor(&self, at: (usize, usize), wires: &[Var]) -> Survivor {
        let shape = &self.block.templates[at.0];
        let near = self.indexes[at.0].constraints.get(&wires[0]).and_then(|l| l.first());
        let near = near.map_or("no constraint", |i| shape.constraints[*i].name);
        Survivor {
            template: at.0,
            row: at.1,
            wires: wires.iter().map(|w| format!("{w:?}")).collect(),
            near: near.to_string(),
        }
    }
}

/// Wires changed per chip, roughly.
const WIRE_BUDGET: usize = 30_000;

/// Tests header, footer, used rows and the first padding row of a block.
pub fn mutate_block(block: &Block, values: &BlockValues, early: EarlyPublics, tables: &Tables) -> ChipReport {
    let indexes = [0, 1, 2].map(|t| Index::of(&block.templates[t]));
    let bench = Bench { block, values, early, tables, indexes };
    let mut report = ChipReport { name: block.chip.name().to_string(), ..Default::default() };
    // As many used rows as fit the budget, evenly spread (chips differ by opcode from row to row), and a padding row.
    let width = (block.templates[1].committed + block.templates[1].rest).max(1) as usize;
    let step = values.used.div_ceil((WIRE_BUDGET / width).max(3)).max(1);
    let mut rows: BTreeSet<usize> = (0..values.used).step_by(step).collect();
    rows.extend([values.used.saturating_sub(1), values.used]);
    bench.run((0, 0), &mut report);
    rows.into_iter().filter(|r| *r < block.capacity).for_each(|r| bench.run((1, r), &mut report));
    bench.run((2, 0), &mut report);
    report
}

/// The entries of the fixed tables, read off the chips that provide them.
pub fn tables(blocks: &[&Block]) -> Tables {
    let mut out = Tables::new();
    for block in blocks {
        if !block.is_table() {
            continue;
        }
        let f = &block.templates[1].fractions[0];
        let entries = (0..block.capacity).map(|i| {
            let fixed = block.fixed(1, i);
            f.elements[0].1.eval(|v| match v {
                Var::Fixed(k) => fixed[k as usize],
                _ => Fr::ZERO,
            })
        });
        out.entry(f.tag).or_default().extend(entries.map(|x| x.0));
    }
    out
}
