//! Checks assigned circuits without proving: says which chip, row and constraint fails, and which messages do not cancel.
//! The mutation harness and the tests of chips stand on it; it knows nothing of challenges.
use super::assemble::View;
use super::bus::{MessageKind, Tag};
use super::chip::{Block, BlockValues};
use super::row::EarlyPublics;
use super::template::Sparse;
use super::{Circuit, CircuitValues};
use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;
use std::collections::HashMap;

/// A constraint that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsatisfied {
    /// Chip.
    pub chip: &'static str,
    /// 0 header, 1 row, 2 footer.
    pub template: usize,
    /// Row.
    pub row: usize,
    /// The constraint's name.
    pub name: &'static str,
}

/// A message's content: tag and elements by power (zero elements left out).
pub type MessageKey = (Tag, Vec<(u8, [u8; 32])>);

/// Messages that do not cancel, with their net multiplicity.
pub type Bus = HashMap<MessageKey, Fr>;

fn eval(view: &View<'_>, s: &Sparse) -> Fr {
    s.eval(|v| view.get(v, &[]))
}

/// The failing constraints of one instance.
pub fn check_instance(
    block: &Block,
    values: &BlockValues,
    early: EarlyPublics,
    template: usize,
    row: usize,
) -> Vec<Unsatisfied> {
    let view = View::new(block, values, early, template, row);
    let chip = block.chip.name();
    view.shape()
        .constraints
        .iter()
        .filter(|c| eval(&view, &c.a) * eval(&view, &c.b) != eval(&view, &c.c))
        .map(|c| Unsatisfied { chip, template, row, name: c.name })
        .collect()
}

/// Adds the messages of one instance to `bus`, each times `sign`.
pub fn collect_messages(
    block: &Block,
    values: &BlockValues,
    early: EarlyPublics,
    at: (usize, usize),
    sign: Fr,
    bus: &mut impl FnMut(MessageKind, MessageKey, Fr),
) {
    let view = View::new(block, values, early, at.0, at.1);
    for f in &view.shape().fractions {
        let m = eval(&view, &f.multiplicity);
        if m == Fr::ZERO {
            continue;
        }
        let mut elements: Vec<(u8, [u8; 32])> = f
            .elements
            .iter()
            .map(|(p, e)| (*p, eval(&view, e)))
            .filter(|(_, v)| *v != Fr::ZERO)
            .map(|(p, v)| (p, v.to_repr().into()))
            .collect();
        elements.sort();
        bus(f.kind, (f.tag, elements), m * sign);
    }
}

/// All failing constraints of a block, and its messages.
pub fn check_block(
    block: &Block,
    values: &BlockValues,
    early: EarlyPublics,
    bus: &mut Bus,
) -> Vec<Unsatisfied> {
    let mut bad = Vec::new();
    for (t, row) in block.instances() {
        bad.extend(check_instance(block, values, early, t, row));
        collect_messages(block, values, early, (t, row), Fr::ONE, &mut |_, key, m| {
            *bus.entry(key).or_insert(Fr::ZERO) += m
        });
    }
    bad
}

/// Checks circuits together: every constraint, and that the bus cancels. Returns what does not.
pub fn check_circuits(parts: &[(&Circuit, &CircuitValues, EarlyPublics)]) -> (Vec<Unsatisfied>, Bus) {
    let mut bus = Bus::new();
    let mut bad = Vec::new();
    for (circuit, values, early) in parts {
        for (block, v) in circuit.blocks.iter().zip(&values.blocks) {
            bad.extend(check_block(block, v, *early, &mut bus));
        }
    }
    bus.retain(|_, m| *m != Fr::ZERO);
    (bad, bus)
}
