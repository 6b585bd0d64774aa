//! Selection: from MIR to machine instructions over registers. Immediate forms, addresses folded into loads and
//! stores, comparisons folded into jumps; phis become parallel copies on edges of their own.
mod branch;
mod calls;
mod value;

use super::analysis::Facts;
use super::lir::{self, Action, Block, Code, Const, Dest, Inst, Op, Place, Reg, Src, Term};
use super::words;
use crate::diagnostic::Loc;
use crate::mir::{self, BlockId, End, Operand, ValueId};
use lathe_vm::isa::{FIELD_LIMIT, op};
use std::collections::HashMap;

/// Turns one function into machine instructions. `results` gives the number of results of every function.
pub fn select(mir: &mir::Function, is_entry: bool, results: &[u32]) -> lir::Function {
    let mut selector = Selector::new(mir, is_entry, results);
    for b in 0..mir.blocks.len() {
        selector.block(b);
    }
    selector.out
}

struct Selector<'a> {
    mir: &'a mir::Function,
    facts: Facts<'a>,
    /// Results of each function of the module.
    results: &'a [u32],
    out: lir::Function,
    /// Blocks with the copies of an edge.
    edges: HashMap<(BlockId, BlockId), Block>,
    /// The block being filled, and the MIR block it comes from.
    current: Block,
    origin: BlockId,
    loc: Option<Loc>,
    /// Overflow flags of the MIR block under way that have become jumps: zero from there on.
    fused: Vec<ValueId>,
}

impl<'a> Selector<'a> {
    fn new(mir: &'a mir::Function, is_entry: bool, results: &'a [u32]) -> Selector<'a> {
        let empty = |b: &mir::Block| Code { insts: Vec::new(), term: Term::Invalid, loc: b.loc };
        let mut out = lir::Function {
            name: mir.name.clone(),
            is_entry,
            blocks: mir.blocks.iter().map(empty).collect(),
            regs: mir.values + 1,
            groups: Vec::new(),
        };
        out.group(mir.parameters.max(mir.results) as usize, Place::Fixed);
        let facts = Facts::new(mir);
        let edges = HashMap::new();
        Selector { mir, facts, results, out, edges, current: 0, origin: 0, loc: None, fused: Vec::new() }
    }

    fn block(&mut self, b: BlockId) {
        let mir = self.mir;
        let block = &mir.blocks[b];
        (self.current, self.origin) = (b, b);
        self.fused.clear();
        if b == 0 && mir.parameters > 0 {
            self.loc = mir.loc;
            let fixed = &self.out.groups[0].regs;
            let moves = (0..mir.parameters).map(|p| (reg(p), Src::Reg(fixed[p as usize]))).collect();
            self.push(Action::Copy(moves));
        }
        let early = self.facts.early_exits(b);
        for (i, instruction) in block.instructions.iter().enumerate() {
            self.loc = instruction.loc;
            match early.exit {
                Some(exit) if early.instructions.contains(&i) => self.overflow_jump(instruction, exit),
                _ => self.instruction(instruction),
            }
        }
        self.loc = block.loc;
        self.end(&block.end);
    }

    fn end(&mut self, end: &End) {
        match end {
            End::Jump(to) => {
                let to = self.edge(*to);
                self.finish(Term::Jump(to));
            }
            End::Branch { condition, yes, no } => {
                let (yes, no) = (self.edge(*yes), self.edge(*no));
                self.branch(*condition, yes, no, 0);
            }
            End::Switch { value, cases, default } => {
                let cases = cases.iter().map(|(w, to)| (*w, self.edge(*to))).collect();
                let default = self.edge(*default);
                self.switch(*value, cases, default);
            }
            End::Return(values) => {
                let moves: Vec<(Reg, Src)> =
                    self.out.groups[0].regs.clone().into_iter().zip(values.iter().map(|v| src(*v))).collect();
                let n = moves.len();
                if n > 0 {
                    self.push(Action::Copy(moves));
                }
                self.finish(Term::Return(n));
            }
            End::Finish(o, l) => self.finish(Term::End(op::RETURN, src(*o), src(*l))),
            End::Revert(o, l) => self.finish(Term::End(op::REVERT, src(*o), src(*l))),
            End::Invalid | End::Unreachable => self.finish(Term::Invalid),
        }
    }

    /// The block to jump to for a MIR block: its own, or one that makes the copies for its phis.
    fn edge(&mut self, to: BlockId) -> Block {
        let phis = &self.mir.blocks[to].phis;
        if phis.is_empty() {
            return to;
        }
        let key = (self.origin, to);
        if let Some(&edge) = self.edges.get(&key) {
            return edge;
        }
        let brings = |p: &mir::Phi| p.incoming.iter().find(|(from, _)| *from == key.0).map(|(_, v)| src(*v));
        let moves = phis.iter().filter_map(|p| Some((reg(p.result), brings(p)?))).collect();
        let copy = Inst { action: Action::Copy(moves), loc: self.loc };
        self.out.blocks.push(Code { insts: vec![copy], term: Term::Jump(to), loc: self.loc });
        let edge = self.out.blocks.len() - 1;
        self.edges.insert(key, edge);
        edge
    }

    /// A new empty block.
    fn fresh(&mut self) -> Block {
        self.out.blocks.push(Code { insts: Vec::new(), term: Term::Invalid, loc: self.loc });
        self.out.blocks.len() - 1
    }

    fn finish(&mut self, term: Term) {
        let loc = self.loc;
        let block = &mut self.out.blocks[self.current];
        block.term = term;
        block.loc = loc;
    }

    fn push(&mut self, action: Action) {
        self.out.blocks[self.current].insts.push(Inst { action, loc: self.loc });
    }

    fn op(&mut self, op: Op) {
        self.push(Action::Op(op));
    }

    /// `code d, a, b`
    fn write(&mut self, code: u16, d: Reg, a: Src, b: Src) {
        self.op(Op::new(code, Dest::Write(d), Some(a), Some(b)));
    }

    /// `code d, a, t`
    fn write_imm(&mut self, code: u16, d: Reg, a: Src, t: u32) {
        self.op(Op::new(code, Dest::Write(d), Some(a), None).t(t));
    }

    fn copy(&mut self, d: Reg, s: Src) {
        self.push(Action::Copy(vec![(d, s)]));
    }
}

/// The register of a value.
fn reg(v: ValueId) -> Reg {
    v + 1
}

/// What an operand reads as.
fn src(operand: Operand) -> Src {
    match operand {
        Operand::Value(v) => Src::Reg(reg(v)),
        Operand::Const(w) => Src::Const(Const::Word(w)),
        Operand::Data(n) => Src::Const(Const::Data(n)),
        Operand::Library(n) => Src::Const(Const::Library(n)),
    }
}

/// An operand as a 14-bit immediate.
fn imm14(operand: Operand) -> Option<u32> {
    match operand {
        Operand::Const(w) => words::below(w, FIELD_LIMIT),
        _ => None,
    }
}

/// The zero operand.
const ZERO: Src = Src::Const(Const::ZERO);
