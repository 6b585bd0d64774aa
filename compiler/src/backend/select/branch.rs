//! Jumps: a condition becomes the shortest chain of compare-and-jump instructions, a switch a search tree of them.
use super::{Selector, imm14, reg, src};
use crate::backend::analysis::DEPTH;
use crate::backend::lir::{Block, Const, Reg, Src, Term};
use crate::backend::words;
use crate::mir::{Binary, BlockId, Checked, Instruction, Op, Operand};
use lathe_vm::Word;
use lathe_vm::isa::{FIELD_LIMIT, op};

/// A switch of up to this many cases compares one after the other.
const LINEAR_CASES: usize = 3;

impl Selector<'_> {
    /// Ends the block under way: to `yes` if the condition is not zero.
    pub(super) fn branch(&mut self, condition: Operand, yes: Block, no: Block, depth: u32) {
        if let Operand::Const(w) = condition {
            return self.finish(Term::Jump(if w.is_zero() { no } else { yes }));
        }
        if matches!(condition, Operand::Value(v) if self.fused.contains(&v)) {
            return self.finish(Term::Jump(no));
        }
        match self.facts.overflow_flag(condition) {
            Some((Checked::Add, a, b, sum)) => {
                let summand = if matches!(a, Operand::Const(_)) { b } else { a };
                return self.jump_less(Operand::Value(sum), summand, yes, no);
            }
            Some((Checked::Sub, a, b, _)) => return self.jump_less(a, b, yes, no),
            Some((Checked::Mul, ..)) | None => {}
        }
        let Some(op) = self.facts.op(condition).filter(|_| depth < DEPTH) else {
            return self.jump_imm(op::JNEI, src(condition), 0, yes, no);
        };
        if let Some(inner) = self.facts.negation(op) {
            return self.branch(inner, no, yes, depth + 1);
        }
        let single = self.facts.single_use(condition);
        if let Some((a, b)) = self.facts.either(op).filter(|_| single) {
            let middle = self.fresh();
            self.branch(a, yes, middle, depth + 1);
            self.current = middle;
            return self.branch(b, yes, no, depth + 1);
        }
        if let Some((a, b)) = self.facts.both(op).filter(|_| single) {
            let middle = self.fresh();
            self.branch(a, middle, no, depth + 1);
            self.current = middle;
            return self.branch(b, yes, no, depth + 1);
        }
        match *op {
            Op::Binary(Binary::Lt, a, b) => self.jump_less(a, b, yes, no),
            Op::Binary(Binary::Slt, a, b) => self.jump(op::JSLT, src(a), src(b), yes, no),
            Op::Binary(Binary::Eq, a, b) => self.jump_equal(a, b, yes, no),
            Op::Binary(Binary::Sub | Binary::Xor, a, b) => self.jump_equal(a, b, no, yes),
            _ => self.jump_imm(op::JNEI, src(condition), 0, yes, no),
        }
    }

    fn jump_less(&mut self, a: Operand, b: Operand, yes: Block, no: Block) {
        match (imm14(a), imm14(b)) {
            (_, Some(b)) => self.jump_imm(op::JLTI, src(a), b, yes, no),
            (Some(a), None) if u64::from(a) + 1 < FIELD_LIMIT => {
                self.jump_imm(op::JGEI, src(b), a + 1, yes, no);
            }
            _ => self.jump(op::JLT, src(a), src(b), yes, no),
        }
    }

    fn jump_equal(&mut self, a: Operand, b: Operand, yes: Block, no: Block) {
        match (imm14(a), imm14(b)) {
            (_, Some(b)) => self.jump_imm(op::JEQI, src(a), b, yes, no),
            (Some(a), None) => self.jump_imm(op::JEQI, src(b), a, yes, no),
            (None, None) => self.jump(op::JEQ, src(a), src(b), yes, no),
        }
    }

    fn jump(&mut self, code: u16, a: Src, b: Src, yes: Block, no: Block) {
        self.finish(Term::Branch { code, a, b: Some(b), t: 0, yes, no });
    }

    fn jump_imm(&mut self, code: u16, a: Src, t: u32, yes: Block, no: Block) {
        self.finish(Term::Branch { code, a, b: None, t, yes, no });
    }

    /// `addo`, `subo`, `mulo`: leaves for the exit on overflow, else goes on in a new block.
    pub(super) fn overflow_jump(&mut self, instruction: &Instruction, exit: BlockId) {
        let Op::Checked(kind, a, b) = instruction.op else { return self.instruction(instruction) };
        let code = match kind {
            Checked::Add => op::ADDO,
            Checked::Sub => op::SUBO,
            Checked::Mul => op::MULO,
        };
        let yes = self.edge(exit);
        let no = self.fresh();
        let d = reg(instruction.results[0]);
        self.finish(Term::Overflow { code, d, a: src(a), b: src(b), yes, no });
        self.fused.push(instruction.results[1]);
        self.current = no;
    }

    /// Ends the block under way with a search among the cases.
    pub(super) fn switch(&mut self, value: Operand, mut cases: Vec<(Word, Block)>, default: Block) {
        cases.sort_by_key(|(w, _)| *w);
        cases.retain(|(_, to)| *to != default);
        match self.digest(value, &cases) {
            Some((digest, from)) => {
                let short = |w: Word| bits(w, from);
                let mut digests: Vec<_> = cases.iter().map(|(w, to)| (short(*w), *w, *to)).collect();
                digests.sort_unstable_by_key(|(d, _, _)| *d);
                self.search_digest(value, digest, &digests, default);
            }
            None => self.search(src(value), &cases, default),
        }
    }

    /// Bits of the value that tell all cases apart and fit an immediate, if the cases themselves do not fit.
    fn digest(&mut self, value: Operand, cases: &[(Word, Block)]) -> Option<(Reg, u32)> {
        let wide = cases.iter().any(|(w, _)| words::below(*w, FIELD_LIMIT).is_none());
        if cases.len() <= LINEAR_CASES || !wide {
            return None;
        }
        let differ = |from: &u32| {
            let mut seen: Vec<u32> = cases.iter().map(|(w, _)| bits(*w, *from)).collect();
            seen.sort_unstable();
            seen.windows(2).all(|w| w[0] != w[1])
        };
        let from = (0..=242).find(differ)?;
        let digest = self.out.reg();
        self.bits(digest, src(value), from, 14);
        Some((digest, from))
    }

    /// Search by digest; the one case left is compared in full.
    fn search_digest(&mut self, value: Operand, digest: Reg, cases: &[(u32, Word, Block)], default: Block) {
        match cases {
            [] => self.finish(Term::Jump(default)),
            [(_, w, to)] => self.jump_equal(value, Operand::Const(*w), *to, default),
            _ => {
                let (below, rest) = cases.split_at(cases.len() / 2);
                let (left, right) = (self.fresh(), self.fresh());
                match below {
                    [(d, _, _)] => self.jump_imm(op::JEQI, Src::Reg(digest), *d, left, right),
                    _ => self.jump_imm(op::JLTI, Src::Reg(digest), rest[0].0, left, right),
                }
                self.current = left;
                self.search_digest(value, digest, below, default);
                self.current = right;
                self.search_digest(value, digest, rest, default);
            }
        }
    }

    /// Binary search, then one comparison after the other.
    fn search(&mut self, value: Src, cases: &[(Word, Block)], default: Block) {
        if cases.len() > LINEAR_CASES {
            let (below, rest) = cases.split_at(cases.len() / 2);
            let (left, right) = (self.fresh(), self.fresh());
            let pivot = rest[0].0;
            match words::below(pivot, FIELD_LIMIT) {
                Some(t) => self.jump_imm(op::JLTI, value, t, left, right),
                None => self.jump(op::JLT, value, Src::Const(Const::Word(pivot)), left, right),
            }
            self.current = left;
            self.search(value, below, default);
            self.current = right;
            return self.search(value, rest, default);
        }
        for (i, (w, to)) in cases.iter().enumerate() {
            let next = if i + 1 == cases.len() { default } else { self.fresh() };
            match words::below(*w, FIELD_LIMIT) {
                Some(t) => self.jump_imm(op::JEQI, value, t, *to, next),
                None => self.jump(op::JEQ, value, Src::Const(Const::Word(*w)), *to, next),
            }
            self.current = next;
        }
        if cases.is_empty() {
            self.finish(Term::Jump(default));
        }
    }
}

/// Fourteen bits of a word.
fn bits(w: Word, from: u32) -> u32 {
    (lathe_vm::machine::alu::shr(w, Word::from(u128::from(from))).lo & 0x3fff) as u32
}
