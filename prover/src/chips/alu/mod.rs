//! Pure instructions: chips that prove what an instruction makes of its operands and offer it on the bus as `Alu`.
//! A row must never offer a statement it has not proven: unused rows have multiplicity 0 by constraint, and the opcode
//! is a sum of boolean selectors times constants, at most one of them set.
pub mod add;
pub mod bits;
pub mod bitwise;
pub mod equal;
#[cfg(test)]
pub mod keyed;
pub mod moves;
pub mod mul;
#[cfg(test)]
pub mod oracle;
pub mod shift;

use super::message::{Alu, KEEP};
use crate::circuit::{Com, RowBuilder, Tag};
use halo2curves::bn256::Fr;
use lathe_vm::Word;
use lathe_vm::isa::{Class, Instruction, JUMP_BIAS};
use lathe_vm::trace::{BatchTrace, Step};
use std::collections::HashMap;

/// Element 0 of `Alu` without `imm`: the opcode, and [`KEEP`] where there is no destination.
pub fn alu_code(opcode: u16) -> u64 {
    match Class::of(opcode) {
        Class::J | Class::K => u64::from(opcode) + KEEP,
        _ => u64::from(opcode),
    }
}

/// The immediate operand of a step, with the page number that class C adds.
pub fn immediate(step: &Step) -> u64 {
    let i = Instruction::decode(step.word);
    match i.class() {
        Class::C => i.t() + (u64::from(step.regs.code) << 14),
        _ => i.t(),
    }
}

/// One pure instruction on given operands, and how many steps execute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PureRow {
    /// Ten bits.
    pub opcode: u16,
    /// The `imm` field.
    pub imm: u16,
    /// The immediate operand, page number included.
    pub t: u64,
    /// Operand `a`.
    pub a: Word,
    /// Operand `b`, whether used or not.
    pub b: Word,
    /// The word written; zero for an instruction without destination.
    pub new: Word,
    /// Steps.
    pub count: u64,
}

impl PureRow {
    fn of(step: &Step) -> PureRow {
        let i = Instruction::decode(step.word);
        let new = if alu_code(i.opcode) >= KEEP { Word::ZERO } else { step.d.new };
        PureRow {
            opcode: i.opcode,
            imm: i.imm,
            t: immediate(step),
            a: step.a.old,
            b: step.b.old,
            new,
            count: 1,
        }
    }
}

/// The steps with one of `opcodes`, equal ones merged, in order of first execution.
pub fn pure_rows(trace: &BatchTrace, opcodes: &[u16]) -> Vec<PureRow> {
    let mut rows: Vec<PureRow> = Vec::new();
    let mut seen = HashMap::new();
    for step in trace.steps.iter().filter(|s| opcodes.contains(&Instruction::decode(s.word).opcode)) {
        let row = PureRow::of(&step);
        let at = *seen.entry((row.opcode, row.imm, row.t, row.a, row.b)).or_insert(rows.len());
        match rows.get_mut(at) {
            Some(known) => known.count += 1,
            None => rows.push(row),
        }
    }
    rows
}

/// Which of several instructions a row is.
pub struct Choice {
    /// 1 if the row is used.
    pub on: Com,
    /// Element 0 of the message; 0 on an unused row.
    pub op: Com,
    selectors: Vec<(u16, Com)>,
}

impl Choice {
    /// Selectors for a pure chip: booleans, at most one of them 1.
    pub fn pure(b: &mut RowBuilder<'_>, opcodes: &[u16], opcode: Option<u16>) -> Choice {
        Choice::with_codes(b, opcodes, opcode, alu_code)
    }

    /// Selectors for a keyed chip.
    pub fn keyed(b: &mut RowBuilder<'_>, opcodes: &[u16], opcode: Option<u16>) -> Choice {
        Choice::with_codes(b, opcodes, opcode, u64::from)
    }

    fn with_codes(
        b: &mut RowBuilder<'_>,
        opcodes: &[u16],
        opcode: Option<u16>,
        code: fn(u16) -> u64,
    ) -> Choice {
        let mut choice = Choice { on: Com::zero(), op: Com::zero(), selectors: Vec::new() };
        for o in opcodes {
            let is = b.boolean("selector * selector = selector", opcode == Some(*o));
            choice.on = choice.on + &is;
            choice.op = choice.op + &is * code(*o);
            choice.selectors.push((*o, is));
        }
        if opcodes.len() > 1 {
            // Booleans whose sum is a boolean: at most one is set.
            b.enforce("on * on = on", &choice.on, &choice.on, &choice.on);
        }
        choice
    }

    /// 1 if the row is one of `opcodes`, which must be among the chip's own.
    pub fn any(&self, opcodes: &[u16]) -> Com {
        let of = |o: &u16| &self.selectors.iter().find(|s| s.0 == *o).expect("an opcode of the chip").1;
        opcodes.iter().fold(Com::zero(), |sum, o| sum + of(o))
    }

    /// Offers `alu` with the row's opcode (plus `2^10 * imm`), as often as the batch executes it; an unused row offers nothing.
    pub fn provide(&self, b: &mut RowBuilder<'_>, mut alu: Alu, imm: &Com, row: Option<&PureRow>) {
        alu.op = &self.op + imm * 1024u64;
        let m = b.commit(Fr::from(row.map_or(0, |r| r.count)));
        // m * (1 - on) = 0: with all selectors 0 nothing else is constrained.
        b.enforce("m * (1 - on) = 0", &m, Com::int(1) - &self.on, 0u64);
        b.provide(Tag::Alu, &m, &alu.elements());
    }
}

/// `pc' - pc - 1` of a jump: `taken * (T - 8192)`.
pub fn jump(b: &mut RowBuilder<'_>, taken: impl Into<crate::circuit::Lc>, target: &Com) -> Com {
    b.product_committed("delta = taken * (target - 8192)", taken, target - Com::int(JUMP_BIAS as u64))
}

/// The operands of a row as opaque words, and `T`.
pub fn operands(b: &mut RowBuilder<'_>, row: Option<&PureRow>) -> Alu {
    let a = super::gadgets::opaque_word(b, row.map_or(Word::ZERO, |r| r.a));
    let bb = super::gadgets::opaque_word(b, row.map_or(Word::ZERO, |r| r.b));
    Alu { a, b: bb, ..Alu::default() }
}

/// Commits the immediate operand.
pub fn commit_t(b: &mut RowBuilder<'_>, row: Option<&PureRow>) -> Com {
    b.commit(Fr::from(row.map_or(0, |r| r.t)))
}

#[cfg(test)]
mod tests;
