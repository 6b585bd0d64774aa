//! Facts about a MIR function that selection asks for: definitions, uses, booleans, which overflow checks may jump.
use super::words;
use crate::mir::{Binary, BlockId, End, Function, Instruction, Lookup, Op, Operand, ValueId};
use std::collections::HashSet;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Def {
    /// Parameter, phi, or nothing.
    Other,
    /// Result number of an instruction of a block.
    Result(BlockId, usize, usize),
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
                for (k, result) in instruction.results.iter().enumerate() {
                    facts.defs[*result as usize] = Def::Result(b, i, k);
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
        let Operand::Value(v) = operand else { return None };
        match self.defs[v as usize] {
            Def::Result(b, i, _) => Some(&self.mir.blocks[b].instructions[i]),
            Def::Other => None,
        }
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
            Op::Binary(Binary::And, a, b) => boolean(a) || boolean(b),
            Op::Binary(Binary::Or | Binary::Xor, a, b) => boolean(a) && boolean(b),
            Op::Bits { count, .. } => count == 1,
            Op::Select { yes, no, .. } => boolean(yes) && boolean(no),
            Op::Checked(..) => instruction.results.get(1).is_some_and(|f| operand == Operand::Value(*f)),
            _ => false,
        }
    }

    /// Which overflow checks of a block may leave it where they stand. Their flag must serve the block's branch
    /// only, as one of the conditions each of which leads to the same exit; what comes after them in the block must
    /// not matter there.
    pub fn early_exits(&self, b: BlockId) -> EarlyExits {
        let block = &self.mir.blocks[b];
        let End::Branch { condition, yes, no } = block.end else { return EarlyExits::default() };
        let (condition, negated) = self.strip(condition);
        let exit = if negated { no } else { yes };
        let mut flags = Vec::new();
        self.alternatives(condition, 0, &mut flags);
        let mut instructions = Vec::new();
        let mut later = HashSet::new();
        if yes == no || !self.fails(exit) {
            return EarlyExits::default();
        }
        for (i, instruction) in block.instructions.iter().enumerate().rev() {
            let flag = instruction.results.get(1).copied();
            if matches!(instruction.op, Op::Checked(..))
                && flag.is_some_and(|f| flags.contains(&f))
                && !self.uses_any(b, exit, &later)
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

    /// Overflow flags used once each, any of which makes the condition true.
    fn alternatives(&self, condition: Operand, depth: u32, flags: &mut Vec<ValueId>) {
        if !self.single_use(condition) || depth >= DEPTH / 2 {
            return;
        }
        if let Some((a, b)) = self.op(condition).and_then(|op| self.either(op)) {
            self.alternatives(a, depth + 1, flags);
            self.alternatives(b, depth + 1, flags);
        } else if let Some(Instruction { op: Op::Checked(..), results, .. }) = self.instruction(condition)
            && let Operand::Value(v) = condition
            && results.get(1) == Some(&v)
        {
            flags.push(v);
        }
    }

    /// True if the block ends the context in failure.
    fn fails(&self, b: BlockId) -> bool {
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
            | Op::FarCall { .. }
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

/// Calls `f` with the operands of an operation, in order.
pub fn operands(op: &Op, mut f: impl FnMut(Operand)) {
    match op {
        Op::Env(_) | Op::LoadImmutable(_) => {}
        Op::Load(a)
        | Op::Lookup(_, a)
        | Op::StoreImmutable(_, a)
        | Op::SelfDestruct(a)
        | Op::Bits { value: a, .. } => f(*a),
        Op::Binary(_, a, b)
        | Op::Checked(_, a, b)
        | Op::Store(a, b)
        | Op::Store8(a, b)
        | Op::Keccak(a, b)
        | Op::StoreStorage(a, b)
        | Op::StoreTransient(a, b) => [a, b].into_iter().for_each(|o| f(*o)),
        Op::Select { condition: a, yes: b, no: c }
        | Op::AddMod(a, b, c)
        | Op::MulMod(a, b, c)
        | Op::Copy { to: a, offset: b, length: c, .. } => [a, b, c].into_iter().for_each(|o| f(*o)),
        Op::Log(a, b, topics) => [a, b].into_iter().chain(topics).for_each(|o| f(*o)),
        Op::FarCall { gas, address, value, offset, length, .. } => {
            [gas, address, value, offset, length].into_iter().for_each(|o| f(*o));
        }
        Op::Create { value, offset, length, salt } => {
            [value, offset, length].into_iter().chain(salt).for_each(|o| f(*o));
        }
        Op::Call(_, arguments) => arguments.iter().for_each(|o| f(*o)),
    }
}

/// Calls `f` with the operands of the end of a block.
pub fn end_operands(end: &End, mut f: impl FnMut(Operand)) {
    match end {
        End::Jump(_) | End::Invalid | End::Unreachable => {}
        End::Branch { condition: a, .. } | End::Switch { value: a, .. } => f(*a),
        End::Return(values) => values.iter().for_each(|o| f(*o)),
        End::Finish(a, b) | End::Revert(a, b) => [a, b].into_iter().for_each(|o| f(*o)),
    }
}
