//! From optimised LLVM IR to the middle form. LLVM's widths end here: an integer of up to 256 bits becomes a word with
//! zeros above it, one of up to 512 bits two words, a struct the words of its fields, an address a word.
mod calls;
mod instruction;
mod intrinsic;
mod wide;

use super::Fault;
use super::raw::{self, Block, Type, Value};
use crate::diagnostic::Loc;
use crate::mir::{self, End, Op, Operand, ValueId};
use inkwell::module::Module;
use lathe_vm::Word;
use llvm_sys::LLVMOpcode;
use std::collections::HashMap;

/// Reads all functions; `locs[line - 1]` is the place of a debug line.
pub(super) fn read(module: &Module<'_>, locs: &[Loc]) -> Result<Vec<mir::Function>, Fault> {
    let functions = raw::functions(module);
    let numbers: HashMap<Value<'_>, usize> = functions.iter().enumerate().map(|(i, f)| (*f, i)).collect();
    functions.iter().map(|f| Reader::new(&numbers, locs).function(*f)).collect()
}

/// An unsupported shape; the next plainer level may not have it.
fn unknown(what: impl std::fmt::Display) -> Fault {
    Fault::Llvm(format!("no reading of {what}"))
}

/// The words that a type takes.
fn words(ty: &Type) -> Result<u32, Fault> {
    match ty {
        Type::Int(bits) if *bits <= 256 => Ok(1),
        Type::Int(bits) if *bits <= 512 => Ok(2),
        Type::Pointer(_) => Ok(1),
        Type::Struct(fields) => fields.iter().map(words).sum(),
        Type::Void => Ok(0),
        other => Err(unknown(format_args!("a value of type {other:?}"))),
    }
}

/// The width of an integer or address.
fn width(value: Value<'_>) -> Result<u32, Fault> {
    match value.ty() {
        Type::Int(bits) => Ok(bits),
        Type::Pointer(_) => Ok(256),
        other => Err(unknown(format_args!("{other:?} where a number is wanted"))),
    }
}

fn constant(value: u64) -> Operand {
    Operand::Const(Word::from(u128::from(value)))
}

const ZERO: Operand = Operand::Const(Word::ZERO);

/// One function on its way.
struct Reader<'m, 'a> {
    functions: &'a HashMap<Value<'m>, usize>,
    locs: &'a [Loc],
    /// The words of each value read so far.
    values: HashMap<Value<'m>, Vec<Operand>>,
    /// For each value of the function, how many bits it may have: what masks nothing is left out.
    bits: Vec<u32>,
    blocks: HashMap<Block<'m>, usize>,
    instructions: Vec<mir::Instruction>,
    loc: Option<Loc>,
}

impl<'m, 'a> Reader<'m, 'a> {
    fn new(functions: &'a HashMap<Value<'m>, usize>, locs: &'a [Loc]) -> Self {
        Reader {
            functions,
            locs,
            values: HashMap::new(),
            bits: Vec::new(),
            blocks: HashMap::new(),
            instructions: Vec::new(),
            loc: None,
        }
    }

    fn function(mut self, function: Value<'m>) -> Result<mir::Function, Fault> {
        for parameter in function.parameters() {
            self.fresh_for(parameter)?;
        }
        let parameters = self.bits.len() as u32;
        let order = reverse_postorder(&function.blocks());
        self.blocks = order.iter().enumerate().map(|(i, b)| (*b, i)).collect();
        for block in &order {
            for phi in phis(*block) {
                self.fresh_for(phi)?;
            }
        }
        let mut blocks = Vec::with_capacity(order.len());
        for block in &order {
            blocks.push(self.block(*block)?);
        }
        for (block, out) in order.iter().zip(&mut blocks) {
            out.phis = self.phis(*block)?;
        }
        let loc = blocks.first().and_then(|b: &mir::Block| b.instructions.first()).and_then(|i| i.loc);
        Ok(mir::Function {
            name: function.name(),
            parameters,
            results: words(&function.return_type())?,
            values: self.bits.len() as u32,
            blocks,
            loc,
        })
    }

    /// New values for all words of an LLVM value.
    fn fresh_for(&mut self, value: Value<'m>) -> Result<(), Fault> {
        let ty = value.ty();
        let bits = if let Type::Int(bits) = ty { bits.min(256) } else { 256 };
        let operands = (0..words(&ty)?).map(|_| Operand::Value(self.fresh(bits))).collect();
        self.values.insert(value, operands);
        Ok(())
    }

    /// A new value of at most `bits` bits.
    fn fresh(&mut self, bits: u32) -> ValueId {
        self.bits.push(bits);
        self.bits.len() as ValueId - 1
    }

    /// How many bits a value may have.
    fn bits_of(&self, operand: Operand) -> u32 {
        match operand {
            Operand::Value(value) => self.bits.get(value as usize).copied().unwrap_or(256),
            Operand::Const(w) if w.hi != 0 => 256 - w.hi.leading_zeros(),
            Operand::Const(w) => 128 - w.lo.leading_zeros(),
            Operand::Data(_) => 32,
            Operand::Library(_) => 160,
        }
    }

    /// How many bits the result of an operation may have.
    fn result_bits(&self, op: &Op) -> u32 {
        use mir::{Binary, Env, Lookup};
        match op {
            Op::Bits { value, from, count } => {
                self.bits_of(*value).saturating_sub((*from).into()).min((*count).into())
            }
            Op::Binary(Binary::Lt | Binary::Slt | Binary::Eq, ..) => 1,
            Op::Binary(Binary::And, a, b) => self.bits_of(*a).min(self.bits_of(*b)),
            Op::Binary(Binary::Or | Binary::Xor, a, b) => self.bits_of(*a).max(self.bits_of(*b)),
            Op::Binary(Binary::Shr, a, Operand::Const(n)) if n.hi == 0 => {
                self.bits_of(*a).saturating_sub(n.lo.min(256) as u32)
            }
            Op::Binary(Binary::Shr | Binary::Div, a, _) => self.bits_of(*a),
            Op::Binary(Binary::Mod, a, b) => self.bits_of(*a).min(self.bits_of(*b)),
            Op::Binary(Binary::Byte, ..) => 8,
            Op::Select { yes, no, .. } => self.bits_of(*yes).max(self.bits_of(*no)),
            Op::Env(Env::CalldataSize | Env::ReturndataSize) | Op::Lookup(Lookup::CodeSize, _) => 32,
            Op::Env(Env::Caller | Env::Address) | Op::Ecrecover(_) => 160,
            _ => 256,
        }
    }

    fn block(&mut self, block: Block<'m>) -> Result<mir::Block, Fault> {
        let mut end = None;
        for instruction in block.instructions() {
            self.loc = self.locs.get((instruction.line() as usize).wrapping_sub(1)).copied();
            end = self.instruction(instruction)?;
            if end.is_some() {
                break;
            }
        }
        Ok(mir::Block {
            phis: Vec::new(),
            instructions: std::mem::take(&mut self.instructions),
            end: end.ok_or_else(|| unknown("a block without end"))?,
            loc: self.loc,
        })
    }

    fn phis(&mut self, block: Block<'m>) -> Result<Vec<mir::Phi>, Fault> {
        let mut out = Vec::new();
        for phi in phis(block) {
            let results = self.operands(phi)?;
            let mut rows: Vec<Vec<(usize, Operand)>> = vec![Vec::new(); results.len()];
            for (from, value) in phi.incoming() {
                // An edge from a block that nothing reaches.
                let Some(from) = self.blocks.get(&from).copied() else { continue };
                for (row, operand) in rows.iter_mut().zip(self.operands(value)?) {
                    if row.iter().all(|(block, _)| *block != from) {
                        row.push((from, operand));
                    }
                }
            }
            for (result, incoming) in results.into_iter().zip(rows) {
                if let Operand::Value(result) = result {
                    out.push(mir::Phi { result, incoming });
                }
            }
        }
        Ok(out)
    }

    fn target(&self, block: Block<'m>) -> Result<usize, Fault> {
        self.blocks.get(&block).copied().ok_or_else(|| unknown("a jump to a block that is not there"))
    }

    /// The words of a value.
    fn operands(&self, value: Value<'m>) -> Result<Vec<Operand>, Fault> {
        if let Some(operands) = self.values.get(&value) {
            return Ok(operands.clone());
        }
        if let Some(integer) = value.integer() {
            return Ok(integer.into_iter().map(Operand::Const).collect());
        }
        // LLVM lets an undefined value be anything.
        if value.is_undefined() || value.is_zero() {
            return Ok(vec![ZERO; words(&value.ty())? as usize]);
        }
        if value.is_constant_struct() {
            let fields = (0..value.operand_count()).filter_map(|i| value.operand(i));
            return Ok(fields.map(|f| self.operands(f)).collect::<Result<Vec<_>, _>>()?.concat());
        }
        match value.opcode() {
            Some(LLVMOpcode::LLVMIntToPtr | LLVMOpcode::LLVMPtrToInt) if !value.is_instruction() => {
                self.operands(value.operand(0).ok_or_else(|| unknown("a constant without operand"))?)
            }
            _ => Err(unknown(format_args!("the value `{}`", value.name()))),
        }
    }

    /// The one word of a value.
    fn operand(&self, value: Value<'m>) -> Result<Operand, Fault> {
        match self.operands(value)?.as_slice() {
            [one] => Ok(*one),
            _ => Err(unknown("a compound or wide value where a word is wanted")),
        }
    }

    /// The word of operand `i` of an instruction.
    fn nth(&self, instruction: Value<'m>, i: u32) -> Result<Operand, Fault> {
        self.operand(nth(instruction, i)?)
    }

    /// Appends an operation with one result.
    fn emit(&mut self, op: Op) -> Operand {
        let bits = self.result_bits(&op);
        let result = self.fresh(bits);
        self.instructions.push(mir::Instruction { op, results: vec![result], loc: self.loc });
        Operand::Value(result)
    }

    /// Appends an operation without result.
    fn effect(&mut self, op: Op) {
        self.instructions.push(mir::Instruction { op, results: Vec::new(), loc: self.loc });
    }

    fn binary(&mut self, binary: mir::Binary, a: Operand, b: Operand) -> Operand {
        self.emit(Op::Binary(binary, a, b))
    }

    /// The low `bits` bits.
    fn mask(&mut self, value: Operand, bits: u32) -> Operand {
        match self.bits_of(value) <= bits {
            true => value,
            false => self.emit(Op::Bits { value, from: 0, count: bits as u16 }),
        }
    }

    /// A number of `bits` bits in two's complement, as a whole word in two's complement.
    fn signed(&mut self, value: Operand, bits: u32) -> Operand {
        match bits {
            256.. => value,
            1 => self.binary(mir::Binary::Sub, ZERO, value),
            n if n % 8 == 0 => self.binary(mir::Binary::Signextend, constant(u64::from(n / 8 - 1)), value),
            n => {
                let up = self.binary(mir::Binary::Shl, value, constant(u64::from(256 - n)));
                self.binary(mir::Binary::Sar, up, constant(u64::from(256 - n)))
            }
        }
    }

    /// 1 if the value is zero, else 0.
    fn is_zero(&mut self, value: Operand) -> Operand {
        self.binary(mir::Binary::Eq, value, ZERO)
    }

    fn select(&mut self, condition: Operand, yes: Operand, no: Operand) -> Operand {
        if yes == no {
            return yes;
        }
        self.emit(Op::Select { condition, yes, no })
    }

    fn end(&mut self, instruction: Value<'m>) -> Result<Option<End>, Fault> {
        let successors = instruction.successors();
        let end = match instruction.opcode() {
            Some(LLVMOpcode::LLVMRet) => match instruction.operand(0) {
                Some(value) => End::Return(self.operands(value)?),
                None => End::Return(Vec::new()),
            },
            Some(LLVMOpcode::LLVMBr) => match (instruction.condition(), successors.as_slice()) {
                (None, [to]) => End::Jump(self.target(*to)?),
                (Some(condition), [yes, no]) => End::Branch {
                    condition: self.operand(condition)?,
                    yes: self.target(*yes)?,
                    no: self.target(*no)?,
                },
                _ => return Err(unknown("a branch")),
            },
            Some(LLVMOpcode::LLVMSwitch) => self.switch(instruction)?,
            Some(LLVMOpcode::LLVMUnreachable) => End::Unreachable,
            _ => return Ok(None),
        };
        Ok(Some(end))
    }

    /// Operands of a switch: value, default, then pairs of case and block.
    fn switch(&mut self, instruction: Value<'m>) -> Result<End, Fault> {
        let to = |i: u32| Block::of(nth(instruction, i)?).ok_or_else(|| unknown("the target of a switch"));
        let mut cases = Vec::new();
        for i in (2..instruction.operand_count()).step_by(2) {
            let Some(Operand::Const(word)) = nth(instruction, i)?.constant() else {
                return Err(unknown("a switch over wide numbers"));
            };
            cases.push((word, self.target(to(i + 1)?)?));
        }
        Ok(End::Switch { value: self.nth(instruction, 0)?, cases, default: self.target(to(1)?)? })
    }
}

/// Operand `i` of an instruction.
fn nth<'m>(instruction: Value<'m>, i: u32) -> Result<Value<'m>, Fault> {
    instruction.operand(i).ok_or_else(|| unknown("an instruction that lacks an operand"))
}

fn phis<'m>(block: Block<'m>) -> impl Iterator<Item = Value<'m>> {
    block.instructions().into_iter().take_while(|i| i.opcode() == Some(LLVMOpcode::LLVMPHI))
}

/// The blocks that the entry reaches, each behind all that dominate it.
fn reverse_postorder<'m>(blocks: &[Block<'m>]) -> Vec<Block<'m>> {
    let successors = |b: Block<'m>| b.end().map_or_else(Vec::new, |e| e.successors());
    let mut seen = std::collections::HashSet::new();
    let mut order = Vec::with_capacity(blocks.len());
    let Some(entry) = blocks.first().copied() else { return order };
    seen.insert(entry);
    let mut stack = vec![(entry, successors(entry))];
    while let Some((block, left)) = stack.last_mut() {
        match left.pop() {
            Some(next) => {
                if seen.insert(next) {
                    stack.push((next, successors(next)));
                }
            }
            None => {
                order.push(*block);
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}
