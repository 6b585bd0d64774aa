//! Overflow checks written as comparisons become what they are: one instruction with the sum or difference that jumps
//! when it overflows. The check then moves to the end of its block, where it can jump.
use crate::backend::analysis::Facts;
use crate::backend::cfg::Cfg;
use crate::backend::visit::operands;
use crate::backend::words;
use crate::mir::{Binary, BlockId, Checked, Function, Instruction, Op, Operand, ValueId};
use lathe_vm::Word;
use lathe_vm::isa::FIELD_LIMIT;
use lathe_vm::machine::alu;
use std::collections::{HashMap, HashSet};

/// Block and index of an instruction.
type Place = (BlockId, usize);

/// A comparison and the arithmetic whose overflow it tells.
struct Check {
    comparison: Place,
    arithmetic: Place,
    op: Op,
}

/// Recognises checks whose failure leads to the end of the context.
pub fn recognise(f: &mut Function, cfg: &Cfg) {
    let checks = find(f, cfg);
    let mut dead: HashSet<Place> = HashSet::new();
    for check in checks {
        let (b, compare) = check.comparison;
        if dead.contains(&check.arithmetic) || dead.contains(&check.comparison) {
            continue;
        }
        let flag = f.blocks[b].instructions[compare].results.first().copied();
        let (home, index) = check.arithmetic;
        let word = f.blocks[home].instructions[index].results.first().copied();
        let (Some(word), Some(flag)) = (word, flag) else { continue };
        let before = home == b && index < compare;
        let (at, gone) = if before { (index, (b, compare)) } else { (compare, check.arithmetic) };
        let loc = f.blocks[b].instructions[compare].loc;
        f.blocks[b].instructions[at] = Instruction { op: check.op, results: vec![word, flag], loc };
        dead.insert(gone);
        // The instruction it has become must not be taken for arithmetic again.
        dead.insert((b, at));
        dead.insert(check.arithmetic);
        remove(f, gone);
    }
    f.blocks.iter_mut().for_each(|b| b.instructions.retain(|i| !is_gone(i)));
    let facts = Facts::new(f);
    let orders: Vec<Option<Vec<bool>>> = (0..f.blocks.len()).map(|b| waiting(f, &facts, b)).collect();
    for (block, late) in f.blocks.iter_mut().zip(orders) {
        let Some(late) = late else { continue };
        let instructions = std::mem::take(&mut block.instructions);
        let (last, first): (Vec<_>, Vec<_>) = instructions.into_iter().zip(late).partition(|(_, late)| *late);
        block.instructions = first.into_iter().chain(last).map(|(i, _)| i).collect();
    }
}

/// Leaves an instruction that means nothing, so that places stay what they are.
fn remove(f: &mut Function, (b, i): Place) {
    let zero = Operand::Const(Word::ZERO);
    let op = Op::Bits { value: zero, from: 0, count: 1 };
    f.blocks[b].instructions[i] = Instruction { op, results: Vec::new(), loc: None };
}

fn is_gone(i: &Instruction) -> bool {
    i.results.is_empty() && matches!(i.op, Op::Bits { .. })
}

fn find(f: &Function, cfg: &Cfg) -> Vec<Check> {
    let facts = Facts::new(f);
    let mut sums: HashMap<(Binary, Operand, Operand), Vec<Place>> = HashMap::new();
    for &b in &cfg.order {
        for (i, instruction) in f.blocks[b].instructions.iter().enumerate() {
            if let Op::Binary(kind @ (Binary::Add | Binary::Sub), x, y) = instruction.op {
                sums.entry((kind, x, y)).or_default().push((b, i));
                if kind == Binary::Add {
                    sums.entry((kind, y, x)).or_default().push((b, i));
                }
            }
        }
    }
    let mut checks = Vec::new();
    for &b in &cfg.order {
        let Some((exit, leaves)) = facts.leaves(b).filter(|(exit, _)| facts.fails(*exit)) else { continue };
        for leaf in leaves {
            let Some((comparison, compared)) = facts.place(leaf).zip(facts.op(leaf)) else { continue };
            let wanted = candidates(&facts, compared);
            let found = wanted.into_iter().find_map(|(kind, x, y)| {
                let key = match (kind, y) {
                    (Checked::Sub, Operand::Const(c)) => (Binary::Add, x, Operand::Const(words::negated(c))),
                    (Checked::Sub, _) => (Binary::Sub, x, y),
                    _ => (Binary::Add, x, y),
                };
                let below = |p: &&Place| p.0 != exit && cfg.dominates(b, p.0);
                let arithmetic = *sums.get(&key)?.iter().find(below)?;
                Some(Check { comparison, arithmetic, op: Op::Checked(kind, x, y) })
            });
            checks.extend(found.filter(|c| c.comparison.0 == b));
        }
    }
    checks
}

/// The checked operations that overflow exactly if the comparison holds.
fn candidates(facts: &Facts, comparison: &Op) -> Vec<(Checked, Operand, Operand)> {
    let mut out = Vec::new();
    match *comparison {
        Op::Binary(Binary::Lt, a, b) => {
            // A sum is less than a summand.
            if let Some(Op::Binary(Binary::Add, x, y)) = facts.op(a)
                && (*x == b || *y == b)
            {
                out.push((Checked::Add, *x, *y));
            }
            // The complement of one summand is less than the other.
            match (a, facts.op(a)) {
                (_, Some(Op::Binary(Binary::Xor, y, Operand::Const(words::MAX)))) => {
                    out.push((Checked::Add, b, *y));
                }
                (Operand::Const(c), _) => {
                    out.push((Checked::Add, b, Operand::Const(alu::sub(words::MAX, c))));
                }
                _ => {}
            }
            // Minuend less than subtrahend; with a small constant two immediate forms are as good.
            if !matches!(b, Operand::Const(c) if words::below(c, FIELD_LIMIT).is_some()) {
                out.push((Checked::Sub, a, b));
            }
        }
        Op::Binary(Binary::Eq, x, Operand::Const(words::MAX)) => {
            out.push((Checked::Add, x, Operand::Const(words::ONE)));
        }
        _ => {}
    }
    out
}

/// Which instructions of a block can come after all others: the checks that its branch asks for, and what needs them.
fn waiting(f: &Function, facts: &Facts, b: BlockId) -> Option<Vec<bool>> {
    let (_, leaves) = facts.leaves(b)?;
    let is_check = |i: &Instruction| {
        let flag = i.results.get(1).map(|flag| Operand::Value(*flag));
        matches!(i.op, Op::Checked(..)) && flag.is_some_and(|flag| leaves.contains(&flag))
    };
    let mut late: Vec<bool> = Vec::new();
    let mut values: HashSet<ValueId> = HashSet::new();
    for i in &f.blocks[b].instructions {
        let mut waits = is_check(i);
        operands(&i.op, |o| waits |= matches!(o, Operand::Value(v) if values.contains(&v)));
        if waits {
            values.extend(&i.results);
        }
        if waits && !movable(&i.op) {
            return None;
        }
        late.push(waits);
    }
    Some(late)
}

fn movable(op: &Op) -> bool {
    matches!(
        op,
        Op::Binary(..)
            | Op::Checked(..)
            | Op::Bits { .. }
            | Op::Select { .. }
            | Op::AddMod(..)
            | Op::MulMod(..)
    )
}
