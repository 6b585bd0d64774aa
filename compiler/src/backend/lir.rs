//! What selection hands to slot allocation: machine instructions over registers without limit, no phis.
//! A register may be written more than once; constants are still operands until `constants` has placed them.
use crate::diagnostic::Loc;
use crate::mir::FunctionId;
use lathe_vm::Word;
use lathe_vm::isa::op;

/// A register; becomes a slot.
pub type Reg = u32;
/// Index of a block.
pub type Block = usize;
/// Index into [`Function::groups`].
pub type GroupId = usize;

/// The register that is slot 0: zero in the function where the page begins, the return link in all others.
pub const BASE: Reg = 0;

/// A constant, some of which are known only when the page is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Const {
    /// A word.
    Word(Word),
    /// Byte offset of a byte of the module's data.
    Data(u32),
    /// Address of a library.
    Library(u32),
}

impl Const {
    /// Zero.
    pub const ZERO: Const = Const::Word(Word::ZERO);
}

/// What an instruction reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Src {
    /// A register.
    Reg(Reg),
    /// A constant.
    Const(Const),
}

/// What an instruction does to `[d]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dest {
    /// Nothing.
    None,
    /// Writes it.
    Write(Reg),
    /// Reads and writes it.
    Change(Reg),
    /// Reads it.
    Read(Src),
}

/// A machine instruction without near calls and jumps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Opcode.
    pub code: u16,
    /// The `imm` field.
    pub imm: u16,
    /// The immediate `T`.
    pub t: u32,
    /// `[d]`.
    pub d: Dest,
    /// `[a]`.
    pub a: Option<Src>,
    /// `[b]`.
    pub b: Option<Src>,
    /// Further registers read: the rest of a block of neighbouring slots.
    pub more: Vec<Reg>,
}

impl Op {
    /// An instruction that reads `a` and `b` and writes `d`.
    pub fn new(code: u16, d: Dest, a: Option<Src>, b: Option<Src>) -> Op {
        Op { code, imm: 0, t: 0, d, a, b, more: Vec::new() }
    }

    /// With an immediate `T`.
    pub fn t(mut self, t: u32) -> Op {
        self.t = t;
        self
    }

    /// With an `imm` field.
    pub fn imm(mut self, imm: u16) -> Op {
        self.imm = imm;
        self
    }

    /// True if nothing but the result tells that it ran, so that it may go when the result is not used.
    pub fn is_pure(&self) -> bool {
        matches!(self.d, Dest::Write(_) | Dest::Change(_))
            && !matches!(self.code, op::CALL | op::STATICCALL | op::DELEGATECALL | op::CREATE | op::MIMICCALL)
    }
}

/// What a block consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A machine instruction.
    Op(Op),
    /// All at once.
    Copy(Vec<(Reg, Src)>),
    /// A constant placed.
    Set(Reg, Const),
    /// A near call; reads the first registers of the group and writes the first.
    Near {
        /// Whom.
        callee: FunctionId,
        /// Arguments and results.
        group: GroupId,
        /// How many it reads.
        arguments: usize,
        /// How many it writes.
        results: usize,
    },
}

/// An action and its place in the source.
#[derive(Clone, Debug)]
pub struct Inst {
    /// What.
    pub action: Action,
    /// Where from.
    pub loc: Option<Loc>,
}

/// How a block ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// To a block.
    Jump(Block),
    /// A jump of class J (two registers) or K (one and an immediate).
    Branch {
        /// Opcode.
        code: u16,
        /// `[a]`.
        a: Src,
        /// `[b]`, in class J.
        b: Option<Src>,
        /// Immediate, in class K.
        t: u32,
        /// If it holds.
        yes: Block,
        /// Otherwise.
        no: Block,
    },
    /// `addo`, `subo`, `mulo`.
    Overflow {
        /// Opcode.
        code: u16,
        /// The result.
        d: Reg,
        /// `[a]`.
        a: Src,
        /// `[b]`.
        b: Src,
        /// On overflow.
        yes: Block,
        /// Otherwise.
        no: Block,
    },
    /// `nret`; reads this many registers of group 0.
    Return(usize),
    /// `return`, `revert`: offset, length.
    End(u16, Src, Src),
    /// The invalid instruction.
    Invalid,
}

impl Term {
    /// Successors.
    pub fn targets(&self) -> impl Iterator<Item = Block> + use<> {
        let (a, b) = match self {
            Term::Jump(to) => (Some(*to), None),
            Term::Branch { yes, no, .. } | Term::Overflow { yes, no, .. } => (Some(*yes), Some(*no)),
            Term::Return(_) | Term::End(..) | Term::Invalid => (None, None),
        };
        a.into_iter().chain(b)
    }

    /// The operands it reads, to be changed.
    pub fn sources_mut(&mut self) -> impl Iterator<Item = &mut Src> {
        let (a, b) = match self {
            Term::Branch { a, b, .. } => (Some(a), b.as_mut()),
            Term::Overflow { a, b, .. } | Term::End(_, a, b) => (Some(a), Some(b)),
            Term::Jump(_) | Term::Return(_) | Term::Invalid => (None, None),
        };
        a.into_iter().chain(b)
    }
}

/// A block.
#[derive(Clone, Debug)]
pub struct Code {
    /// In order.
    pub insts: Vec<Inst>,
    /// How it ends.
    pub term: Term,
    /// Where the end stands.
    pub loc: Option<Loc>,
}

/// Where a group of neighbouring slots may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// From slot 1 on: parameters and results of the function itself.
    Fixed,
    /// Anywhere.
    Anywhere,
    /// Above all that lives across the near call; the slot before the first is the call's new frame.
    Call,
}

/// Registers that must have neighbouring slots.
#[derive(Clone, Debug)]
pub struct Group {
    /// In order of their slots.
    pub regs: Vec<Reg>,
    /// Where.
    pub place: Place,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// For messages.
    pub name: String,
    /// True for the one where the page begins: slot 0 is zero.
    pub is_entry: bool,
    /// Blocks; the first is the entry.
    pub blocks: Vec<Code>,
    /// Number of registers.
    pub regs: u32,
    /// Group 0 is [`Place::Fixed`].
    pub groups: Vec<Group>,
}

impl Function {
    /// A new register.
    pub fn reg(&mut self) -> Reg {
        self.regs += 1;
        self.regs - 1
    }

    /// New registers for neighbouring slots.
    pub fn group(&mut self, len: usize, place: Place) -> GroupId {
        let regs = (0..len).map(|_| self.reg()).collect();
        self.groups.push(Group { regs, place });
        self.groups.len() - 1
    }

    /// Words that its blocks take at least, if none is repeated or merged with another.
    pub fn least_words(&self) -> usize {
        let of = |block: &Code| {
            let copies = block.insts.iter().filter(|i| matches!(i.action, Action::Copy(_))).count();
            block.insts.len() - copies + usize::from(!matches!(block.term, Term::Jump(_)))
        };
        self.blocks.iter().map(of).sum()
    }

    /// Calls `f` with every register that an action reads.
    pub fn reads(&self, action: &Action, mut f: impl FnMut(Reg)) {
        let mut src = |s: &Src| {
            if let Src::Reg(r) = s {
                f(*r);
            }
        };
        match action {
            Action::Op(op) => {
                op.a.iter().chain(&op.b).for_each(&mut src);
                match &op.d {
                    Dest::Read(s) => src(s),
                    Dest::Change(r) => f(*r),
                    Dest::None | Dest::Write(_) => {}
                }
                op.more.iter().for_each(|r| f(*r));
            }
            Action::Copy(moves) => moves.iter().for_each(|(_, s)| src(s)),
            Action::Set(..) => {}
            Action::Near { group, arguments, .. } => {
                self.groups[*group].regs.iter().take(*arguments).for_each(|r| f(*r));
            }
        }
    }

    /// Calls `f` with every register that an action writes.
    pub fn writes(&self, action: &Action, mut f: impl FnMut(Reg)) {
        match action {
            Action::Op(Op { d: Dest::Write(r) | Dest::Change(r), .. }) | Action::Set(r, _) => f(*r),
            Action::Op(_) => {}
            Action::Copy(moves) => moves.iter().for_each(|(d, _)| f(*d)),
            Action::Near { group, results, .. } => {
                self.groups[*group].regs.iter().take(*results).for_each(|r| f(*r));
            }
        }
    }

    /// Calls `f` with every register that the end of a block reads.
    pub fn term_reads(&self, term: &Term, mut f: impl FnMut(Reg)) {
        let mut src = |s: &Src| {
            if let Src::Reg(r) = s {
                f(*r);
            }
        };
        match term {
            Term::Branch { a, b, .. } => std::iter::once(a).chain(b).for_each(src),
            Term::Overflow { a, b, .. } | Term::End(_, a, b) => [a, b].into_iter().for_each(&mut src),
            Term::Return(n) => {
                f(BASE);
                self.groups[0].regs.iter().take(*n).for_each(|r| f(*r));
            }
            Term::Jump(_) | Term::Invalid => {}
        }
    }
}
