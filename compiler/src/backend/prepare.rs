//! What LLVM leaves to do on MIR: it knows neither that hashing the same words gives the same hash, nor which pairs
//! of operations are one instruction here. Every pass keeps SSA form.
mod effects;
mod heap;
mod induction;
mod overflow;
mod stores;
mod values;

pub use effects::{Effects, effects};

use super::cfg::Cfg;
use super::visit::{end_operands_mut, operands_mut, successors};
use crate::mir::{End, Function, Operand};

/// Runs the passes; `effects` are those of the module's functions.
pub fn prepare(f: &mut Function, effects: &[Effects]) {
    let cfg = graph(f);
    values::simplify(f, &cfg);
    heap::forward(f, &cfg, effects);
    stores::remove_dead(f, &cfg, effects);
    induction::advance(f, &cfg);
    overflow::recognise(f, &cfg);
}

fn graph(f: &Function) -> Cfg {
    let succs: Vec<Vec<usize>> = f.blocks.iter().map(successors).collect();
    let fails = |b: &crate::mir::Block| matches!(b.end, End::Revert(..) | End::Invalid | End::Unreachable);
    Cfg::new(&succs, &f.blocks.iter().map(fails).collect::<Vec<_>>())
}

/// Values to be replaced by others everywhere.
struct Renaming(Vec<Option<Operand>>);

impl Renaming {
    fn new(f: &Function) -> Renaming {
        Renaming(vec![None; f.values as usize])
    }

    fn set(&mut self, value: u32, by: Operand) {
        self.0[value as usize] = Some(self.get(by));
    }

    fn get(&self, operand: Operand) -> Operand {
        match operand {
            Operand::Value(v) => self.0[v as usize].unwrap_or(operand),
            _ => operand,
        }
    }

    /// Applies it to all that reads values.
    fn apply(&self, f: &mut Function) {
        let rename = |o: &mut Operand| *o = self.get(*o);
        for block in &mut f.blocks {
            block.phis.iter_mut().flat_map(|p| &mut p.incoming).for_each(|(_, o)| rename(o));
            block.instructions.iter_mut().for_each(|i| operands_mut(&mut i.op, rename));
            end_operands_mut(&mut block.end, rename);
        }
    }
}
