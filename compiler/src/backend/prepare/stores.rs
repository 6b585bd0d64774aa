//! Stores to the heap that nobody reads: overwritten before, or the context ends first. Backwards over the function,
//! for the words at constant addresses that it stores to.
use super::effects::Effects;
use crate::backend::cfg::Cfg;
use crate::backend::visit::successors;
use crate::backend::words;
use crate::mir::{CopyFrom, End, Function, Op, Operand, mimic};
use std::collections::BTreeSet;

/// Addresses of words that will not be read before they are overwritten or the context ends.
type Dead = BTreeSet<u32>;

/// Addresses beyond are not followed.
const LIMIT: u64 = 1 << 16;

/// Removes such stores.
pub fn remove_dead(f: &mut Function, cfg: &Cfg, effects: &[Effects]) {
    let stored = f.blocks.iter().flat_map(|b| &b.instructions).filter_map(|i| match i.op {
        Op::Store(a, _) => constant(a),
        _ => None,
    });
    let all: Dead = stored.collect();
    if all.is_empty() {
        return;
    }
    let mut at_start = vec![all.clone(); f.blocks.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for &b in cfg.order.iter().rev() {
            let mut dead = at_end(f, b, &all, &at_start);
            for instruction in f.blocks[b].instructions.iter().rev() {
                step(&instruction.op, &mut dead, &all, effects);
            }
            changed |= dead != at_start[b];
            at_start[b] = dead;
        }
    }
    for &b in &cfg.order {
        let mut dead = at_end(f, b, &all, &at_start);
        let mut kept = Vec::new();
        for instruction in std::mem::take(&mut f.blocks[b].instructions).into_iter().rev() {
            let needless = match instruction.op {
                Op::Store(a, _) => constant(a).is_some_and(|a| dead.contains(&a)),
                _ => false,
            };
            step(&instruction.op, &mut dead, &all, effects);
            if !needless {
                kept.push(instruction);
            }
        }
        kept.reverse();
        f.blocks[b].instructions = kept;
    }
}

fn at_end(f: &Function, b: usize, all: &Dead, at_start: &[Dead]) -> Dead {
    match &f.blocks[b].end {
        End::Finish(o, l) | End::Revert(o, l) => {
            let mut dead = all.clone();
            read(&mut dead, *o, *l);
            dead
        }
        End::Invalid | End::Unreachable => all.clone(),
        End::Return(_) => Dead::new(),
        End::Jump(_) | End::Branch { .. } | End::Switch { .. } => {
            let mut next = successors(&f.blocks[b]).into_iter();
            let first = next.next().map_or_else(Dead::new, |s| at_start[s].clone());
            next.fold(first, |dead, s| dead.intersection(&at_start[s]).copied().collect())
        }
    }
}

/// From after an operation to before it.
fn step(op: &Op, dead: &mut Dead, all: &Dead, effects: &[Effects]) {
    match op {
        Op::Store(a, _) => {
            // Of the words it overlaps, only its own is overwritten wholly.
            if let Some(a) = constant(*a).filter(|a| all.contains(a)) {
                dead.insert(a);
            }
        }
        Op::Load(a) => read(dead, *a, Operand::Const(32u128.into())),
        Op::Keccak(o, l) | Op::Sha256(o, l) | Op::Log(o, l, _) => read(dead, *o, *l),
        Op::Ecrecover(a) => read(dead, *a, Operand::Const(128u128.into())),
        Op::MimicCall { flags, block: [offset, length, ..], .. } if flags & mimic::CALLDATA == 0 => {
            read(dead, *offset, *length)
        }
        Op::Copy { from: CopyFrom::Heap, offset, length, .. } => read(dead, *offset, *length),
        Op::FarCall { offset, length, .. } | Op::Create { offset, length, .. } => {
            read(dead, *offset, *length)
        }
        Op::Call(..) if Effects::of_op(op, effects).reads_heap => dead.clear(),
        _ => {}
    }
}

/// A range is read.
fn read(dead: &mut Dead, offset: Operand, length: Operand) {
    match (constant(offset), constant(length)) {
        (_, Some(0)) => {}
        (Some(offset), Some(length)) => {
            let touched: Vec<u32> = dead.range(offset.saturating_sub(31)..offset + length).copied().collect();
            for at in touched {
                dead.remove(&at);
            }
        }
        (Some(offset), None) => {
            dead.split_off(&offset.saturating_sub(31));
        }
        _ => dead.clear(),
    }
}

fn constant(operand: Operand) -> Option<u32> {
    match operand {
        Operand::Const(w) => words::below(w, LIMIT),
        _ => None,
    }
}
