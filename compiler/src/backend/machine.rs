//! Instructions with their slots, still in blocks: copies in an order that loses nothing, constants in the form that
//! is cheapest where they stand.
use super::allocate::Slots;
use super::cfg::Cfg;
use super::lir::{self, Action, Block, Const, Dest, Reg, Src};
use super::words;
use crate::diagnostic::Loc;
use crate::mir::FunctionId;
use lathe_vm::Word;
use lathe_vm::isa::{Class, FIELD_LIMIT, Instruction, op};
use std::collections::HashSet;

/// What an instruction still lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fix {
    /// Nothing.
    None,
    /// The index of a page constant.
    Pool(Const),
    /// The byte offset of a byte of the data.
    Data(u32),
    /// The distance to a function.
    Function(FunctionId),
}

/// An instruction.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Its fields.
    pub instruction: Instruction,
    /// What they lack.
    pub fix: Fix,
    /// Where it comes from.
    pub loc: Option<Loc>,
}

/// How a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// To a block.
    Jump(Block),
    /// A jump of class J or K, without its target.
    Branch(Instruction, Block, Block),
    /// `addo` and its like, without its target.
    Overflow(Instruction, Block, Block),
    /// An instruction after which nothing follows.
    Stop(Instruction),
}

/// A block.
#[derive(Clone, Debug)]
pub struct Code {
    /// In order.
    pub lines: Vec<Line>,
    /// How it ends.
    pub term: Term,
    /// Where the end stands.
    pub loc: Option<Loc>,
    /// True if it always ends in failure.
    pub cold: bool,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// For the listing.
    pub name: String,
    /// Blocks; the first is the entry.
    pub blocks: Vec<Code>,
    /// Slots of its frame.
    pub slots: u32,
}

/// How a constant is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Seti(u32),
    Setl(u64),
    /// Number, shift.
    Shifted(u64, u32),
    /// Complement of zero minus this.
    Below(u32),
    Pool,
}

/// Shared constants: which are in the page anyway, so that using them again costs one word.
#[derive(Default)]
pub struct Pool(HashSet<Const>);

struct Lowering<'a> {
    f: &'a lir::Function,
    slots: &'a Slots,
    pool: &'a mut Pool,
    small: bool,
    cold: bool,
    out: Vec<Line>,
    loc: Option<Loc>,
}

/// Applies slots.
pub fn lower(f: &lir::Function, cfg: &Cfg, slots: &Slots, pool: &mut Pool, optimise_size: bool) -> Function {
    let mut blocks: Vec<Option<Code>> = vec![None; f.blocks.len()];
    // Blocks that run come first, so that those that fail can use the constants they need.
    let hot = cfg.order.iter().filter(|b| !cfg.cold[**b]);
    for &b in hot.chain(cfg.order.iter().filter(|b| cfg.cold[**b])) {
        let block = &f.blocks[b];
        let cold = cfg.cold[b];
        let mut lowering =
            Lowering { f, slots, pool, small: optimise_size, cold, out: Vec::new(), loc: None };
        for inst in &block.insts {
            lowering.loc = inst.loc;
            lowering.action(&inst.action);
        }
        let term = lowering.term(&block.term);
        let lines = lowering.out;
        blocks[b] = Some(Code { lines, term, loc: block.loc, cold });
    }
    let number: Vec<usize> =
        blocks.iter().scan(0, |n, b| Some(std::mem::replace(n, *n + usize::from(b.is_some())))).collect();
    let mut blocks: Vec<Code> = blocks.into_iter().flatten().collect();
    blocks.iter_mut().flat_map(|b| b.term.targets_mut()).for_each(|to| *to = number[*to]);
    Function { name: f.name.clone(), blocks, slots: slots.spare.into() }
}

impl Term {
    /// Successors.
    pub fn targets(mut self) -> impl Iterator<Item = Block> {
        let targets: Vec<Block> = self.targets_mut().map(|b| *b).collect();
        targets.into_iter()
    }

    /// Successors, to be changed.
    pub fn targets_mut(&mut self) -> impl Iterator<Item = &mut Block> {
        let (a, b) = match self {
            Term::Jump(to) => (Some(to), None),
            Term::Branch(_, yes, no) | Term::Overflow(_, yes, no) => (Some(yes), Some(no)),
            Term::Stop(_) => (None, None),
        };
        a.into_iter().chain(b)
    }
}

impl Lowering<'_> {
    fn slot(&self, src: Src) -> u16 {
        match src {
            Src::Reg(r) => self.slots.of[r as usize],
            // Constants have registers by now.
            Src::Const(_) => 0,
        }
    }

    fn push(&mut self, instruction: Instruction, fix: Fix) {
        self.out.push(Line { instruction, fix, loc: self.loc });
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Op(op) => {
                let d = match op.d {
                    Dest::None => 0,
                    Dest::Write(r) | Dest::Change(r) => self.slots.of[r as usize],
                    Dest::Read(s) => self.slot(s),
                };
                let (a, b) = (op.a.map_or(0, |s| self.slot(s)), op.b.map_or(0, |s| self.slot(s)));
                self.push(with_t(Instruction { opcode: op.code, imm: op.imm, d, a, b }, op.t), Fix::None);
            }
            Action::Copy(moves) => self.copy(moves),
            Action::Set(r, c) => self.set(self.slots.of[*r as usize], *c),
            Action::Near { callee, group, .. } => {
                let imm = self.slots.frames[*group];
                self.push(
                    Instruction { opcode: op::NCALL, imm, ..Instruction::default() },
                    Fix::Function(*callee),
                );
            }
        }
    }

    /// Moves, each before its source is overwritten; a cycle goes through the spare slot. Constants come last.
    fn copy(&mut self, moves: &[(Reg, Src)]) {
        let mut pending: Vec<(u16, u16)> = Vec::new();
        for (d, s) in moves {
            if let Src::Reg(s) = s {
                let (d, s) = (self.slots.of[*d as usize], self.slots.of[*s as usize]);
                if d != s {
                    pending.push((d, s));
                }
            }
        }
        while !pending.is_empty() {
            let ready = pending.iter().position(|(d, _)| pending.iter().all(|(_, s)| s != d));
            match ready {
                Some(i) => {
                    let (d, s) = pending.swap_remove(i);
                    self.mov(d, s);
                }
                None => {
                    let saved = pending[0].0;
                    self.mov(self.slots.spare, saved);
                    let spare = self.slots.spare;
                    pending.iter_mut().filter(|(_, s)| *s == saved).for_each(|(_, s)| *s = spare);
                }
            }
        }
        for (d, s) in moves {
            if let Src::Const(c) = s {
                self.set(self.slots.of[*d as usize], *c);
            }
        }
    }

    fn mov(&mut self, d: u16, a: u16) {
        self.push(Instruction { opcode: op::MOV, d, a, ..Instruction::default() }, Fix::None);
    }

    fn set(&mut self, d: u16, constant: Const) {
        let seti = |t| with_t(Instruction { opcode: op::SETI, d, ..Instruction::default() }, t);
        match self.form(constant) {
            Form::Seti(t) => self.push(seti(t), Fix::None),
            Form::Setl(n) => self.setl(d, n),
            Form::Shifted(n, shift) => {
                self.setl(d, n);
                let shli = Instruction { opcode: op::SHLI, d, a: d, ..Instruction::default() };
                self.push(with_t(shli, shift), Fix::None);
            }
            Form::Below(1) => {
                self.push(Instruction { opcode: op::NOT, d, ..Instruction::default() }, Fix::None)
            }
            Form::Below(n) => {
                let subi = Instruction { opcode: op::SUBI, d, ..Instruction::default() };
                self.push(with_t(subi, n), Fix::None);
            }
            Form::Pool => match constant {
                Const::Data(n) => self.push(seti(0), Fix::Data(n)),
                _ => {
                    self.pool.0.insert(constant);
                    let load = Instruction { opcode: op::CONST, d, ..Instruction::default() };
                    self.push(load, Fix::Pool(constant));
                }
            },
        }
    }

    /// A number below 2^40.
    fn setl(&mut self, d: u16, n: u64) {
        let (low, high) = ((n & 0xfff_ffff) as u32, (n >> 28) as u16);
        let opcode = if high == 0 { op::SETI } else { op::SETL };
        self.push(with_t(Instruction { opcode, imm: high, d, ..Instruction::default() }, low), Fix::None);
    }

    fn form(&self, constant: Const) -> Form {
        let Const::Word(w) = constant else { return Form::Pool };
        if let Some(t) = words::below(w, 1 << 28) {
            return Form::Seti(t);
        }
        if let Some(n) = below40(w) {
            return Form::Setl(n);
        }
        if let Some(n) = words::below(words::negated(w), FIELD_LIMIT).filter(|_| self.f.is_entry) {
            return Form::Below(n);
        }
        let shift = words::trailing_zeros(w);
        let shifted = below40(lathe_vm::machine::alu::shr(w, Word::from(u128::from(shift))));
        match shifted {
            Some(n) if (self.cold || self.small) && !self.pool.0.contains(&constant) => {
                Form::Shifted(n, shift)
            }
            _ => Form::Pool,
        }
    }

    fn term(&mut self, term: &lir::Term) -> Term {
        let stop = |opcode, a, b| Term::Stop(Instruction { opcode, a, b, ..Instruction::default() });
        match *term {
            lir::Term::Jump(to) => Term::Jump(to),
            lir::Term::Branch { code, a, b, t, yes, no } => {
                let a = self.slot(a);
                let b = match b {
                    Some(b) => self.slot(b),
                    None => t as u16,
                };
                Term::Branch(Instruction { opcode: code, a, b, ..Instruction::default() }, yes, no)
            }
            lir::Term::Overflow { code, d, a, b, yes, no } => {
                let (d, a, b) = (self.slots.of[d as usize], self.slot(a), self.slot(b));
                Term::Overflow(Instruction { opcode: code, d, a, b, imm: 0 }, yes, no)
            }
            lir::Term::Return(_) => stop(op::NRET, 0, 0),
            lir::Term::End(code, a, b) => stop(code, self.slot(a), self.slot(b)),
            lir::Term::Invalid => stop(0, 0, 0),
        }
    }
}

fn below40(w: Word) -> Option<u64> {
    (w.hi == 0 && w.lo < 1 << 40).then_some(w.lo as u64)
}

/// The instruction with the immediate `T` in the fields of its class.
pub fn with_t(instruction: Instruction, t: u32) -> Instruction {
    let (low, high) = ((t & 0x3fff) as u16, (t >> 14 & 0x3fff) as u16);
    match instruction.class() {
        Class::I => Instruction { a: low, b: high, ..instruction },
        Class::B => Instruction { b: low, ..instruction },
        Class::C => Instruction { a: low, ..instruction },
        _ => instruction,
    }
}
