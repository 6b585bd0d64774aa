//! Equal computations once per path, bit fields in one form, constants folded.
use super::Renaming;
use crate::backend::cfg::Cfg;
use crate::backend::visit::{end_operands_mut, operands_mut};
use crate::backend::words;
use crate::mir::{Binary, Env, Function, Lookup, Op, Operand, ValueId, mimic};
use lathe_vm::Word;
use lathe_vm::machine::alu;
use std::collections::HashMap;

/// What an operation turns out to be.
#[allow(clippy::large_enum_variant)] // Looked at at once and never stored.
enum Simple {
    Op(Op),
    Value(Operand),
}

/// Operations by value, and where equal ones stand.
struct Numbering {
    /// Below which power of two each value lies.
    widths: Vec<u16>,
    ops: Vec<Option<Op>>,
}

/// Simplifies a function.
pub fn simplify(f: &mut Function, cfg: &Cfg) {
    let mut renaming = Renaming::new(f);
    let n = f.values as usize;
    let mut numbering = Numbering { widths: vec![256; n], ops: vec![None; n] };
    let mut known: HashMap<Op, Vec<(usize, Vec<ValueId>)>> = HashMap::new();
    for &b in &cfg.order {
        for instruction in std::mem::take(&mut f.blocks[b].instructions) {
            let mut instruction = instruction;
            operands_mut(&mut instruction.op, |o| *o = renaming.get(*o));
            if !is_pure(&instruction.op) {
                numbering.note(&instruction.op, &instruction.results);
                f.blocks[b].instructions.push(instruction);
                continue;
            }
            if let [result] = instruction.results[..] {
                match numbering.simple(instruction.op) {
                    Simple::Value(v) => {
                        renaming.set(result, v);
                        continue;
                    }
                    Simple::Op(op) => instruction.op = op,
                }
            }
            let same = known.entry(instruction.op.clone()).or_default();
            let results = &instruction.results;
            match same.iter().find(|(at, old)| cfg.dominates(*at, b) && old.len() == results.len()) {
                Some((_, old)) => {
                    results.iter().zip(old).for_each(|(new, old)| renaming.set(*new, Operand::Value(*old)));
                }
                None => {
                    same.push((b, results.clone()));
                    numbering.note(&instruction.op, results);
                    f.blocks[b].instructions.push(instruction);
                }
            }
        }
        end_operands_mut(&mut f.blocks[b].end, |o| *o = renaming.get(*o));
    }
    renaming.apply(f);
}

/// True if the results depend on the operands only.
fn is_pure(op: &Op) -> bool {
    match op {
        Op::Binary(..)
        | Op::Checked(..)
        | Op::Bits { .. }
        | Op::Select { .. }
        | Op::AddMod(..)
        | Op::MulMod(..)
        | Op::KeccakCalldata(..)
        | Op::PageHashCalldata(..) => true,
        Op::Env(env) => !matches!(env, Env::Gas | Env::ReturndataSize),
        Op::Lookup(kind, _) => matches!(kind, Lookup::Calldata | Lookup::Blockhash | Lookup::Blobhash),
        _ => false,
    }
}

impl Numbering {
    fn note(&mut self, op: &Op, results: &[ValueId]) {
        let width = self.width_of(op);
        for (k, r) in results.iter().enumerate() {
            let flag = k == 1 && matches!(op, Op::Checked(..));
            self.widths[*r as usize] = if flag { 1 } else { width };
            if results.len() == 1 {
                self.ops[*r as usize] = Some(op.clone());
            }
        }
    }

    fn width(&self, operand: Operand) -> u16 {
        match operand {
            Operand::Value(v) => self.widths[v as usize],
            Operand::Const(w) => words::bit_length(w) as u16,
            Operand::Data(_) => 32,
            Operand::Library(_) => 160,
        }
    }

    fn width_of(&self, op: &Op) -> u16 {
        let width = |o: &Operand| self.width(*o);
        match op {
            Op::Binary(Binary::Lt | Binary::Slt | Binary::Eq, ..) | Op::FarCall { .. } => 1,
            Op::MimicCall { flags, .. } if flags & mimic::DEPLOY == 0 => 1,
            Op::Binary(Binary::And, a, b) => width(a).min(width(b)),
            Op::Binary(Binary::Or | Binary::Xor, a, b) => width(a).max(width(b)),
            Op::Binary(Binary::Byte, ..) => 8,
            Op::Binary(Binary::Div | Binary::Shr, a, _) => width(a),
            Op::Binary(Binary::Mod, _, b) => width(b),
            Op::Bits { count, .. } => *count,
            Op::Select { yes, no, .. } => width(yes).max(width(no)),
            Op::Env(Env::Caller | Env::Address | Env::Tx(0))
            | Op::Create { .. }
            | Op::MimicCall { .. }
            | Op::Ecrecover(_) => 160,
            Op::Env(Env::CalldataSize | Env::ReturndataSize) => 32,
            _ => 256,
        }
    }

    fn simple(&self, op: Op) -> Simple {
        use Operand::Const;
        match op {
            Op::Binary(kind, Const(a), Const(b)) => fold(kind, a, b).map_or(Simple::Op(op), value),
            Op::Binary(Binary::And, a, Const(c)) | Op::Binary(Binary::And, Const(c), a) => {
                match words::low_mask(c) {
                    Some(n) => self.bits(a, 0, n),
                    None => Simple::Op(op),
                }
            }
            Op::Binary(Binary::Shr, a, Const(c)) => match words::shift(c) {
                Some(n) => self.bits(a, n, 256 - n),
                None => value(Word::ZERO),
            },
            Op::Binary(Binary::Div, a, Const(c)) => match words::power_of_two(c) {
                Some(n) => self.bits(a, n, 256 - n),
                None => Simple::Op(op),
            },
            Op::Binary(Binary::Mod, a, Const(c)) => match words::power_of_two(c) {
                Some(n @ 1..) => self.bits(a, 0, n),
                _ => Simple::Op(op),
            },
            Op::Binary(Binary::Byte, Const(c), a) => match words::below(c, 32) {
                Some(n) => self.bits(a, 8 * (31 - n), 8),
                None => value(Word::ZERO),
            },
            Op::Binary(Binary::Sub, a, Const(c)) => {
                self.simple(Op::Binary(Binary::Add, a, Const(words::negated(c))))
            }
            // Constants stand right in what commutes.
            Op::Binary(
                kind @ (Binary::Add | Binary::Mul | Binary::Or | Binary::Xor | Binary::Eq),
                Const(c),
                a,
            ) => self.simple(Op::Binary(kind, a, Const(c))),
            Op::Binary(Binary::Add | Binary::Or | Binary::Xor, a, Const(Word::ZERO)) => Simple::Value(a),
            Op::Bits { value, from, count } => self.bits(value, from.into(), count.into()),
            Op::Select { condition: Const(w), yes, no } => Simple::Value(if w.is_zero() { no } else { yes }),
            Op::Select { yes, no, .. } if yes == no => Simple::Value(yes),
            _ => Simple::Op(op),
        }
    }

    /// Bits of bits are bits of the word below; bits that hold all there is are the word itself.
    fn bits(&self, mut word: Operand, mut from: u32, mut count: u32) -> Simple {
        count = count.min(256 - from);
        while let Operand::Value(v) = word
            && let Some(Op::Bits { value, from: inner, count: rest }) = self.ops[v as usize]
        {
            let (inner, rest) = (u32::from(inner), u32::from(rest));
            if from >= rest {
                return Simple::Value(Operand::Const(Word::ZERO));
            }
            (word, count, from) = (value, count.min(rest - from), from + inner);
        }
        if let Operand::Const(w) = word {
            return match alu::bits(w, from.into(), count.into()) {
                Some(w) => value(w),
                None => Simple::Op(Op::Bits { value: word, from: from as u16, count: count as u16 }),
            };
        }
        let width = u32::from(self.width(word));
        match (from, count) {
            (from, _) if from >= width => value(Word::ZERO),
            (0, count) if count >= width => Simple::Value(word),
            _ => Simple::Op(Op::Bits { value: word, from: from as u16, count: count as u16 }),
        }
    }
}

fn value(w: Word) -> Simple {
    Simple::Value(Operand::Const(w))
}

/// The result for two constants, of the operations that show up with them.
fn fold(kind: Binary, a: Word, b: Word) -> Option<Word> {
    let flag = |x: bool| Word::from(u128::from(x));
    Some(match kind {
        Binary::Add => alu::add(a, b),
        Binary::Sub => alu::sub(a, b),
        Binary::Mul => alu::mul(a, b),
        Binary::And => Word::new(a.hi & b.hi, a.lo & b.lo),
        Binary::Or => Word::new(a.hi | b.hi, a.lo | b.lo),
        Binary::Xor => Word::new(a.hi ^ b.hi, a.lo ^ b.lo),
        Binary::Shl => alu::shl(a, b),
        Binary::Shr => alu::shr(a, b),
        Binary::Lt => flag(a < b),
        Binary::Eq => flag(a == b),
        _ => return None,
    })
}
