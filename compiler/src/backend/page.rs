//! The page: blocks one after the other, jumps resolved, with hops where one does not reach; then constants, then data.
use super::lir::{Block, Const};
use super::machine::{Fix, Function, Line, Term, with_t};
use super::{BackendError, Program};
use crate::diagnostic::Loc;
use lathe_vm::Word;
use lathe_vm::isa::{FIELD_LIMIT, IMM_LIMIT, Instruction, JUMP_BIAS, MAX_PAGE, op};
use std::collections::HashMap;

/// A place in the code that something jumps to.
type Label = usize;

/// A word of code.
struct Piece {
    instruction: Instruction,
    fix: Fix,
    target: Option<Label>,
    loc: Option<Loc>,
}

#[derive(Default)]
struct Page {
    pieces: Vec<Piece>,
    /// Index into `pieces` of each label.
    labels: Vec<usize>,
    /// The label of each function.
    functions: Vec<Label>,
    /// Hops that lead to a label.
    hops: HashMap<Label, Vec<Label>>,
}

/// Puts functions, whose blocks come in the given orders, and data into a page.
///
/// # Errors
/// If the page is too long.
pub fn assemble(functions: &[(Function, Vec<Block>)], data: &[u8]) -> Result<Program, BackendError> {
    let mut page = Page::default();
    let mut first = 0;
    for (f, _) in functions {
        page.functions.push(first);
        first += f.blocks.len();
    }
    page.labels = vec![usize::MAX; first];
    for (i, (f, order)) in functions.iter().enumerate() {
        page.function(f, order, page.functions[i]);
    }
    page.bridge()?;
    page.finish(functions, data)
}

impl Page {
    fn function(&mut self, f: &Function, order: &[Block], first: Label) {
        for (i, &b) in order.iter().enumerate() {
            self.labels[first + b] = self.pieces.len();
            let block = &f.blocks[b];
            for Line { instruction, fix, loc } in &block.lines {
                let target = if let Fix::Function(f) = fix { self.functions.get(*f).copied() } else { None };
                self.pieces.push(Piece { instruction: *instruction, fix: *fix, target, loc: *loc });
            }
            self.end(block.term, order.get(i + 1).copied(), first, block.loc);
        }
    }

    fn end(&mut self, term: Term, next: Option<Block>, first: Label, loc: Option<Loc>) {
        let mut push = |instruction, target: Option<Block>| {
            let target = target.map(|b| first + b);
            self.pieces.push(Piece { instruction, fix: Fix::None, target, loc });
        };
        let rest = match term {
            Term::Stop(i) => {
                push(i, None);
                return;
            }
            Term::Jump(to) => to,
            Term::Branch(i, yes, no) if next == Some(yes) => {
                push(Instruction { opcode: inverse(i.opcode), ..i }, Some(no));
                yes
            }
            Term::Branch(i, yes, no) | Term::Overflow(i, yes, no) => {
                push(i, Some(yes));
                no
            }
        };
        if next != Some(rest) {
            push(Instruction { opcode: op::JMP, ..Instruction::default() }, Some(rest));
        }
    }

    /// True if the piece can jump from its place to another.
    fn reaches(&self, from: usize, to: usize) -> bool {
        let distance = to as i64 - from as i64 - 1;
        match is_forward(self.pieces[from].instruction) {
            true => (0..IMM_LIMIT as i64).contains(&distance),
            false => (-JUMP_BIAS..JUMP_BIAS).contains(&distance),
        }
    }

    /// True if a hop brings a piece closer to its target. A jump, which hops themselves are, must find it on the way,
    /// or hops could lead in a circle.
    fn leads_on(&self, from: usize, hop: usize, target: usize) -> bool {
        let on_the_way = (from.min(target) + 1..from.max(target)).contains(&hop);
        self.reaches(from, hop) && (on_the_way || is_forward(self.pieces[from].instruction))
    }

    /// Adds hops until all jumps reach.
    fn bridge(&mut self) -> Result<(), BackendError> {
        let far = |page: &Page| {
            (0..page.pieces.len())
                .find(|i| page.pieces[*i].target.is_some_and(|target| !page.reaches(*i, page.labels[target])))
        };
        while let Some(i) = far(self) {
            if self.pieces.len() > MAX_PAGE {
                return Err(BackendError::TooLong { words: self.pieces.len() });
            }
            let Some(target) = self.pieces[i].target else { continue };
            let known = self.hops.get(&target).into_iter().flatten();
            match known.copied().find(|hop| self.leads_on(i, self.labels[*hop], self.labels[target])) {
                Some(hop) => self.pieces[i].target = Some(hop),
                None => self.hop(i, target),
            }
        }
        Ok(())
    }

    /// Leads a piece to its target by a new hop within its reach, where no other code runs into it.
    fn hop(&mut self, from: usize, target: Label) {
        let forward = is_forward(self.pieces[from].instruction) || self.labels[target] > from;
        let end = self.pieces.len();
        // Far enough to get on, with some room for hops that come in between later.
        let (low, high) = match (forward, is_forward(self.pieces[from].instruction)) {
            (true, true) => (from + 1000, from + 4000),
            (true, false) => (from + 1000, from + 8000),
            (false, _) => (from.saturating_sub(8000), from.saturating_sub(1000)),
        };
        let range = low.clamp(1, end)..=high.clamp(1, end);
        let closed = |at: &usize| ends(self.pieces[at - 1].instruction);
        let place = if forward { range.clone().rfind(closed) } else { range.clone().find(closed) };
        let at = place.unwrap_or(if forward { *range.end() } else { *range.start() });
        let loc = self.pieces[from].loc;
        let mut new = Vec::new();
        if place.is_none() {
            // Around the hop.
            self.labels.push(at);
            new.push(self.labels.len() - 1);
        }
        new.push(target);
        let hop = self.labels.len();
        self.labels.push(usize::MAX);
        self.hops.entry(target).or_default().push(hop);
        self.pieces[from].target = Some(hop);
        let count = new.len();
        let jump = |target| Piece {
            instruction: Instruction { opcode: op::JMP, ..Instruction::default() },
            fix: Fix::None,
            target: Some(target),
            loc,
        };
        let pieces: Vec<Piece> = new.into_iter().map(jump).collect();
        self.pieces.splice(at..at, pieces);
        self.labels.iter_mut().filter(|l| **l >= at && **l != usize::MAX).for_each(|l| *l += count);
        self.labels[hop] = at + count - 1;
    }

    fn finish(self, functions: &[(Function, Vec<Block>)], data: &[u8]) -> Result<Program, BackendError> {
        let code_words = self.pieces.len();
        let first = code_words.div_ceil(4);
        let mut pool: Vec<Const> = Vec::new();
        let mut index: HashMap<Const, usize> = HashMap::new();
        for piece in &self.pieces {
            if let Fix::Pool(c) = piece.fix {
                index.entry(c).or_insert_with(|| {
                    pool.push(c);
                    first + pool.len() - 1
                });
            }
        }
        let first_data = first + pool.len();
        let words = 4 * (first_data + data.len().div_ceil(32));
        if words > MAX_PAGE {
            return Err(BackendError::TooLong { words });
        }
        let mut program = Program { code_words, ..Program::default() };
        for (i, piece) in self.pieces.iter().enumerate() {
            let instruction = self.resolve(i, piece, &index, first_data);
            program.words.push(instruction.encode());
            program.locs.push(piece.loc);
            program.targets.push(piece.target.map(|t| self.labels[t]));
        }
        program.words.resize(4 * first, 0);
        for (i, c) in pool.iter().enumerate() {
            let word = match c {
                Const::Word(w) => *w,
                Const::Library(n) => {
                    program.libraries.push((*n, first + i));
                    Word::ZERO
                }
                Const::Data(_) => Word::ZERO,
            };
            push_word(&mut program.words, word);
        }
        for chunk in data.chunks(32) {
            let mut bytes = [0; 32];
            bytes[..chunk.len()].copy_from_slice(chunk);
            push_word(&mut program.words, Word::from_be_bytes(bytes));
        }
        let starts = functions.iter().zip(&self.functions);
        program.functions = starts.map(|((f, _), label)| (f.name.clone(), self.labels[*label])).collect();
        Ok(program)
    }

    fn resolve(
        &self,
        at: usize,
        piece: &Piece,
        index: &HashMap<Const, usize>,
        first_data: usize,
    ) -> Instruction {
        let mut i = piece.instruction;
        match piece.fix {
            Fix::Pool(c) => i.a = index.get(&c).map_or(0, |n| *n as u16),
            Fix::Data(n) => i = with_t(i, 32 * first_data as u32 + n),
            Fix::None | Fix::Function(_) => {}
        }
        if let Some(target) = piece.target {
            let distance = self.labels[target] as i64 - at as i64 - 1;
            match is_forward(i) {
                true => i.imm = distance as u16,
                false => i.d = (distance + JUMP_BIAS) as u16,
            }
        }
        i
    }
}

fn push_word(words: &mut Vec<u64>, w: Word) {
    words.extend([w.lo as u64, (w.lo >> 64) as u64, w.hi as u64, (w.hi >> 64) as u64]);
}

fn is_forward(i: Instruction) -> bool {
    matches!(i.opcode, op::ADDO | op::SUBO | op::MULO)
}

/// True if what stands behind the instruction is reached by jumps only.
fn ends(i: Instruction) -> bool {
    matches!(i.opcode, op::JMP | op::NRET | op::RETURN | op::REVERT | 0)
}

/// The jump that is taken when this one is not.
fn inverse(opcode: u16) -> u16 {
    match opcode {
        op::JEQ => op::JNE,
        op::JNE => op::JEQ,
        op::JLT => op::JGE,
        op::JGE => op::JLT,
        op::JSLT => op::JSGE,
        op::JSGE => op::JSLT,
        op::JEQI => op::JNEI,
        op::JNEI => op::JEQI,
        op::JLTI => op::JGEI,
        op::JGEI => op::JLTI,
        other => other,
    }
}

const _: () = assert!(MAX_PAGE < FIELD_LIMIT as usize);
