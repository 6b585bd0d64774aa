//! What a loop leaves behind: after the loop LLVM likes to add to the value that a counter had before its last
//! increment. Adding to the incremented one instead lets both share a slot, which saves a move in every round.
use crate::backend::cfg::Cfg;
use crate::mir::{Binary, Function, Op, Operand, ValueId};
use lathe_vm::Word;
use lathe_vm::machine::alu;
use std::collections::HashMap;

/// A counter's next value: the value, the increment, the block where it is computed.
type Step = (ValueId, Word, usize);

/// Rewrites sums of counters.
pub fn advance(f: &mut Function, cfg: &Cfg) {
    let mut sums: HashMap<ValueId, (ValueId, Word, usize)> = HashMap::new();
    for &b in &cfg.order {
        for i in &f.blocks[b].instructions {
            if let (Op::Binary(Binary::Add, Operand::Value(x), Operand::Const(c)), [y]) =
                (&i.op, &i.results[..])
            {
                sums.insert(*y, (*x, *c, b));
            }
        }
    }
    let mut steps: HashMap<ValueId, Step> = HashMap::new();
    for phi in cfg.order.iter().flat_map(|b| &f.blocks[*b].phis) {
        for (_, operand) in &phi.incoming {
            if let Operand::Value(y) = operand
                && let Some((x, c, b)) = sums.get(y)
                && *x == phi.result
            {
                steps.insert(*x, (*y, *c, *b));
            }
        }
    }
    for &b in &cfg.order {
        for i in &mut f.blocks[b].instructions {
            if let Op::Binary(Binary::Add, Operand::Value(x), Operand::Const(c)) = i.op
                && let Some((y, step, at)) = steps.get(&x)
                && *at != b
                && cfg.dominates(*at, b)
            {
                i.op = Op::Binary(Binary::Add, Operand::Value(*y), Operand::Const(alu::sub(c, *step)));
            }
        }
    }
}
