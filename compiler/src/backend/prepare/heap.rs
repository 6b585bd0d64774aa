//! What the heap is known to hold, word by word, where addresses are constant: a load of it is the value, a store of
//! it nothing, and the hash of words hashed before is the hash from then. Mappings live on this: every access to one
//! stores key and slot and hashes them.
use super::Renaming;
use super::effects::Effects;
use crate::backend::cfg::Cfg;
use crate::backend::visit::{end_operands_mut, operands_mut, successors};
use crate::backend::words;
use crate::mir::{Function, Lookup, Op, Operand, ValueId};
use std::collections::{BTreeMap, HashMap};

/// Known words by byte address.
type Heap = BTreeMap<u32, Operand>;

/// Known storage cells by key.
type Cells = HashMap<Operand, Operand>;

/// What is known at a place.
#[derive(Clone, Default, PartialEq, Eq)]
struct Known {
    heap: Heap,
    storage: Cells,
    transient: Cells,
}

/// A hash by the words hashed, with the block where it was taken.
type Hashes = HashMap<Vec<Operand>, Vec<(usize, ValueId)>>;

/// Addresses beyond are not followed.
const LIMIT: u64 = 1 << 16;
/// Hashes of more words are not remembered.
const HASHED: u32 = 8;

/// Removes loads, stores and hashes whose outcome is known.
pub fn forward(f: &mut Function, cfg: &Cfg, effects: &[Effects]) {
    let mut renaming = Renaming::new(f);
    let mut at_end: Vec<Option<Known>> = vec![None; f.blocks.len()];
    let mut hashes = Hashes::new();
    let mut preds = vec![Vec::new(); f.blocks.len()];
    for &b in &cfg.order {
        successors(&f.blocks[b]).into_iter().for_each(|s| preds[s].push(b));
    }
    for &b in &cfg.order {
        let mut known = meet(&preds[b], &at_end);
        for mut instruction in std::mem::take(&mut f.blocks[b].instructions) {
            operands_mut(&mut instruction.op, |o| *o = renaming.get(*o));
            let result = instruction.results.first().copied();
            let old = match (&instruction.op, result) {
                (Op::Keccak(o, l), Some(result)) => words_at(&known.heap, *o, *l)
                    .and_then(|content| earlier(&mut hashes, cfg, b, content, result)),
                (op, _) => known.value_of(op),
            };
            match (old, result) {
                (Some(old), Some(result)) => renaming.set(result, old),
                _ if known.makes_no_difference(&instruction.op) => {}
                _ => {
                    known.learn(&instruction.op, result, effects);
                    f.blocks[b].instructions.push(instruction);
                }
            }
        }
        end_operands_mut(&mut f.blocks[b].end, |o| *o = renaming.get(*o));
        at_end[b] = Some(known);
    }
    renaming.apply(f);
}

/// What all predecessors agree on; nothing if one has not been seen.
fn meet(preds: &[usize], at_end: &[Option<Known>]) -> Known {
    let mut known: Option<Known> = None;
    for p in preds {
        let Some(other) = &at_end[*p] else { return Known::default() };
        match &mut known {
            None => known = Some(other.clone()),
            Some(known) => {
                known.heap.retain(|at, v| other.heap.get(at) == Some(v));
                known.storage.retain(|key, v| other.storage.get(key) == Some(v));
                known.transient.retain(|key, v| other.transient.get(key) == Some(v));
            }
        }
    }
    known.unwrap_or_default()
}

/// The same hash from further up, if there is one; else remembers this one.
fn earlier(
    hashes: &mut Hashes,
    cfg: &Cfg,
    b: usize,
    content: Vec<Operand>,
    result: ValueId,
) -> Option<Operand> {
    let same = hashes.entry(content).or_default();
    let old = same.iter().find(|(at, _)| cfg.dominates(*at, b)).map(|(_, v)| Operand::Value(*v));
    if old.is_none() {
        same.push((b, result));
    }
    old
}

/// The words of a range, if all are known.
fn words_at(heap: &Heap, offset: Operand, length: Operand) -> Option<Vec<Operand>> {
    let (offset, length) = (constant(offset)?, constant(length)?);
    if length % 32 != 0 || length == 0 || length / 32 > HASHED {
        return None;
    }
    (0..length / 32).map(|i| heap.get(&(offset + 32 * i)).copied()).collect()
}

fn constant(operand: Operand) -> Option<u32> {
    match operand {
        Operand::Const(w) => words::below(w, LIMIT),
        _ => None,
    }
}

impl Known {
    /// The result of a read, if it is known.
    fn value_of(&self, op: &Op) -> Option<Operand> {
        match op {
            Op::Load(a) => self.heap.get(&constant(*a)?).copied(),
            Op::Lookup(Lookup::Storage, key) => self.storage.get(key).copied(),
            Op::Lookup(Lookup::Transient, key) => self.transient.get(key).copied(),
            _ => None,
        }
    }

    /// True for a store of what is there.
    fn makes_no_difference(&self, op: &Op) -> bool {
        match op {
            Op::Store(a, v) => constant(*a).is_some_and(|a| self.heap.get(&a) == Some(v)),
            _ => false,
        }
    }

    /// Takes note of what an operation reads or changes.
    fn learn(&mut self, op: &Op, result: Option<ValueId>, effects: &[Effects]) {
        let result = result.map(Operand::Value);
        match op {
            Op::Store(a, v) => match constant(*a) {
                Some(a) => {
                    self.forget(a, 32);
                    self.heap.insert(a, *v);
                }
                None => self.heap.clear(),
            },
            Op::Store8(a, _) => match constant(*a) {
                Some(a) => self.forget(a, 1),
                None => self.heap.clear(),
            },
            Op::Copy { to, length, .. } => match (constant(*to), constant(*length)) {
                (Some(to), Some(length)) => self.forget(to, length),
                _ => self.heap.clear(),
            },
            Op::Load(a) => {
                if let (Some(a), Some(v)) = (constant(*a), result) {
                    self.heap.insert(a, v);
                }
            }
            Op::Lookup(Lookup::Storage, key) => self.storage.extend(result.map(|v| (*key, v))),
            Op::Lookup(Lookup::Transient, key) => self.transient.extend(result.map(|v| (*key, v))),
            Op::StoreStorage(key, v) => write(&mut self.storage, *key, *v),
            Op::StoreTransient(key, v) => write(&mut self.transient, *key, *v),
            Op::FarCall { .. } | Op::MimicCall { .. } | Op::Create { .. } | Op::Call(..) => {
                let effects = Effects::of_op(op, effects);
                if effects.writes_heap {
                    self.heap.clear();
                }
                if effects.writes_state {
                    self.storage.clear();
                    self.transient.clear();
                }
            }
            _ => {}
        }
    }

    /// Bytes `at .. at + length` change.
    fn forget(&mut self, at: u32, length: u32) {
        let touched: Vec<u32> =
            self.heap.range(at.saturating_sub(31)..at + length).map(|(k, _)| *k).collect();
        for key in touched {
            self.heap.remove(&key);
        }
    }
}

/// A store hides all cells whose key may be the same: all but those with another constant key, or the other way
/// round.
fn write(cells: &mut Cells, key: Operand, value: Operand) {
    let differs = |other: &Operand| matches!((other, key), (Operand::Const(a), Operand::Const(b)) if *a != b);
    cells.retain(|other, _| differs(other));
    cells.insert(key, value);
}
