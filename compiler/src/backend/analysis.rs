//! Facts about a MIR function that selection asks for: definitions, uses, booleans, which overflow checks may jump.
use super::visit::{end_operands, operands};
use super::words;
use crate::mir::{Binary, BlockId, Checked, End, Function, Instruction, Lookup, Op, Operand, ValueId, mimic};
use std::collections::HashSet;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Def {
    /// Parameter, phi, or nothing.
    Other,
    /// Result of an instruction of a block.
    Result(BlockId, usize),
}

/// The facts.
pub struct Facts<'a> {
    mir: &'a Function,
    defs: Vec<Def>,
    /// Uses of each value, of any kind.
    pub uses: Vec<u32>,
    /// Uses of each value other than as an address that an instruction can add a constant to.
    plain_uses: Vec<u32>,
}

/// Overflow checks of a block that may jump away at once.
#[derive(Default)]
pub struct EarlyExits {
    /// Instructions of the block.
    pub instructions: Vec<usize>,
    /// Where they jump.
    pub exit: Option<BlockId>,
}

/// How deep to look into conditions.
pub const DEPTH: u32 = 24;

impl<'a> Facts<'a> {
    /// Looks at a function.
    pub fn new(mir: &'a Function) -> Facts<'a> {
        let n = mir.values as usize;
        let mut facts = Facts { mir, defs: vec![Def::Other; n], uses: vec![0; n], plain_uses: vec![0; n] };
        for (b, block) in mir.blocks.iter().enumerate() {
            for (i, instruction) in block.instructions.iter().enumerate() {
                for result in &instruction.results {
                    facts.defs[*result as usize] = Def::Result(b, i);
                }
                let address = address_of(&instruction.op);
                let mut first = true;
                operands(&instruction.op, |o| {
                    let folds = first && Some(o) == address;
                    first &= !folds;
                    facts.count(o, !folds);
                });
            }
            block.phis.iter().flat_map(|p| &p.incoming).for_each(|(_, o)| facts.count(*o, true));
            end_operands(&block.end, |o| facts.count(o, true));
        }
        facts
    }

    fn count(&mut self, operand: Operand, plain: bool) {
        if let Operand::Value(v) = operand {
            self.uses[v as usize] += 1;
            self.plain_uses[v as usize] += u32::from(plain);
        }
    }

    /// The operation an operand is the only result of.
    pub fn op(&self, operand: Operand) -> Option<&'a Op> {
        let instruction = self.instruction(operand)?;
        (instruction.results.len() == 1).then_some(&instruction.op)
    }

    /// The instruction that an operand is a result of.
    fn instruction(&self, operand: Operand) -> Option<&'a Instruction> {
        self.place(operand).map(|(b, i)| &self.mir.blocks[b].instructions[i])
    }

    /// True if the operand's only use is the one that asks.
    pub fn single_use(&self, operand: Operand) -> bool {
        matches!(operand, Operand::Value(v) if self.uses[v as usize] == 1)
    }

    /// Base and constant of a sum that exists only to be an address.
    pub fn sum(&self, operand: Operand) -> Option<(Operand, lathe_vm::Word)> {
        let Operand::Value(v) = operand else { return None };
        if self.plain_uses[v as usize] > 0 {
            return None;
        }
        match *self.op(operand)? {
            Op::Binary(Binary::Add, base, Operand::Const(c))
            | Op::Binary(Binary::Add, Operand::Const(c), base) => Some((base, c)),
            Op::Binary(Binary::Sub, base, Operand::Const(c)) => Some((base, words::negated(c))),
            _ => None,
        }
    }

    /// True if the operand is known to be 0 or 1.
    pub fn boolean(&self, operand: Operand, depth: u32) -> bool {
        if let Operand::Const(w) = operand {
            return words::below(w, 2).is_some();
        }
        let Some(instruction) = self.instruction(operand) else { return false };
        if depth >= DEPTH {
            return false;
        }
        let boolean = |o: Operand| self.boolean(o, depth + 1);
        match instruction.op {
            Op::Binary(Binary::Lt | Binary::Slt | Binary::Eq, ..) | Op::FarCall { .. } => true,
            Op::MimicCall { flags, .. } => flags & mimic::DEPLOY == 0,
            Op::Binary(Binary::And, a, b) => boolean(a) || boolean(b),
            Op::Binary(Binary::Or | Binary::Xor, a, b) => boolean(a) && boolean(b),
            Op::Bits { count, .. } => count == 1,
            Op::Select { yes, no, .. } => boolean(yes) && boolean(no),
            Op::Checked(..) => instruction.results.get(1).is_some_and(|f| operand == Operand::Value(*f)),
            _ => false,
        }
    }

    /// Where a block's branch goes if any of several conditions holds, and these; each serves nothing else.
    pub fn leaves(&self, b: BlockId) -> Option<(BlockId, Vec<Operand>)> {
        let End::Branch { condition, yes, no } = self.mir.blocks[b].end else { return None };
        let (condition, negated) = self.strip(condition);
        let exit = if negated { no } else { yes };
        let mut leaves = Vec::new();
        self.alternatives(condition, 0, &mut leaves);
        (yes != no && !leaves.is_empty()).then_some((exit, leaves))
    }

    /// Which overflow checks of a block may leave it where they stand: those that its branch asks for, if what comes
    /// after them in the block does not matter at the exit.
    pub fn early_exits(&self, b: BlockId) -> EarlyExits {
        let Some((exit, leaves)) = self.leaves(b) else { return EarlyExits::default() };
        let mut instructions = Vec::new();
        let mut later = HashSet::new();
        for (i, instruction) in self.mir.blocks[b].instructions.iter().enumerate().rev() {
            let flag = instruction.results.get(1).map(|f| Operand::Value(*f));
            if matches!(instruction.op, Op::Checked(..))
                && flag.is_some_and(|f| leaves.contains(&f))
                && (later.is_empty() || self.fails(exit) && !self.uses_any(b, exit, &later))
            {
                instructions.push(i);
                later.insert(instruction.results[0]);
            } else if !may_be_skipped(&instruction.op) {
                break;
            } else {
                later.extend(&instruction.results);
            }
        }
        EarlyExits { instructions, exit: Some(exit) }
    }

    /// Takes negations off a condition.
    fn strip(&self, mut condition: Operand) -> (Operand, bool) {
        let mut negated = false;
        for _ in 0..DEPTH / 2 {
            let op = self.op(condition).filter(|_| self.single_use(condition));
            match op.and_then(|op| self.negation(op)) {
                Some(inner) => (condition, negated) = (inner, !negated),
                None => break,
            }
        }
        (condition, negated)
    }

    /// `x` if the operation is true exactly if `x` is zero.
    pub fn negation(&self, op: &Op) -> Option<Operand> {
        match *op {
            Op::Binary(Binary::Eq, x, z) if is_zero(z) => Some(x),
            Op::Binary(Binary::Eq, z, x) if is_zero(z) => Some(x),
            Op::Binary(Binary::Xor, x, o) if o == Operand::Const(words::ONE) && self.boolean(x, 0) => Some(x),
            Op::Binary(Binary::Xor, o, x) if o == Operand::Const(words::ONE) && self.boolean(x, 0) => Some(x),
            _ => None,
        }
    }

    /// The two conditions either of which makes the operation true.
    pub fn either(&self, op: &Op) -> Option<(Operand, Operand)> {
        match *op {
            Op::Binary(Binary::Or, a, b) => Some((a, b)),
            Op::Select { condition, yes: Operand::Const(w), no } if !w.is_zero() => Some((condition, no)),
            _ => None,
        }
    }

    /// The two conditions that together make the operation true.
    pub fn both(&self, op: &Op) -> Option<(Operand, Operand)> {
        match *op {
            Op::Binary(Binary::And, a, b) if self.boolean(a, 0) && self.boolean(b, 0) => Some((a, b)),
            Op::Select { condition, yes, no } if is_zero(no) => Some((condition, yes)),
            _ => None,
        }
    }

    /// Conditions used once each, any of which makes the condition true.
    fn alternatives(&self, condition: Operand, depth: u32, leaves: &mut Vec<Operand>) {
        if !self.single_use(condition) || depth >= DEPTH / 2 {
            return;
        }
        match self.op(condition).and_then(|op| self.either(op)) {
            Some((a, b)) => {
                self.alternatives(a, depth + 1, leaves);
                self.alternatives(b, depth + 1, leaves);
            }
            None => leaves.push(condition),
        }
    }

    /// Block and index of the instruction that an operand is a result of.
    pub fn place(&self, operand: Operand) -> Option<(BlockId, usize)> {
        match operand {
            Operand::Value(v) => match self.defs[v as usize] {
                Def::Result(b, i) => Some((b, i)),
                Def::Other => None,
            },
            _ => None,
        }
    }

    /// The check whose overflow flag an operand is, and its result.
    pub fn overflow_flag(&self, operand: Operand) -> Option<(Checked, Operand, Operand, ValueId)> {
        let instruction = self.instruction(operand)?;
        match (&instruction.op, &instruction.results[..]) {
            (Op::Checked(kind, a, b), [word, flag]) if operand == Operand::Value(*flag) => {
                Some((*kind, *a, *b, *word))
            }
            _ => None,
        }
    }

    /// True if the block ends the context in failure.
    pub fn fails(&self, b: BlockId) -> bool {
        matches!(self.mir.blocks[b].end, End::Revert(..) | End::Invalid | End::Unreachable)
    }

    /// True if block `to`, which has no successors, reads one of the values when it is entered from block `from`.
    fn uses_any(&self, from: BlockId, to: BlockId, values: &HashSet<ValueId>) -> bool {
        let block = &self.mir.blocks[to];
        let mut found = false;
        let mut look = |o: Operand| found |= matches!(o, Operand::Value(v) if values.contains(&v));
        block.instructions.iter().for_each(|i| operands(&i.op, &mut look));
        let incoming = block.phis.iter().flat_map(|p| &p.incoming).filter(|(p, _)| *p == from);
        incoming.for_each(|(_, o)| look(*o));
        end_operands(&block.end, &mut look);
        found
    }
}

/// True for the constant zero.
pub fn is_zero(operand: Operand) -> bool {
    matches!(operand, Operand::Const(w) if w.is_zero())
}

/// True if a context that fails later cannot tell whether the operation was executed.
fn may_be_skipped(op: &Op) -> bool {
    !matches!(
        op,
        Op::Store(..)
            | Op::Store8(..)
            | Op::Copy { .. }
            | Op::StoreStorage(..)
            | Op::StoreTransient(..)
            | Op::StoreImmutable(..)
            | Op::Log(..)
            | Op::StoreAccount(..)
            | Op::FarCall { .. }
            | Op::MimicCall { .. }
            | Op::Create { .. }
            | Op::SelfDestruct(_)
            | Op::Call(..)
    )
}

/// The operand that an instruction can add a constant to.
fn address_of(op: &Op) -> Option<Operand> {
    match op {
        Op::Load(a) | Op::Store(a, _) | Op::Store8(a, _) | Op::Lookup(Lookup::Calldata, a) => Some(*a),
        _ => None,
    }
}
