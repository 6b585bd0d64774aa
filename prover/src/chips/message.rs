//! The two messages by which the CPU hands an instruction to the chip that knows it.
//! `Alu` says what a pure instruction computes; `Keyed` adds clock and registers for the ones that touch the machine.
use super::gadgets::WordCom;
use crate::chips::gadgets::opaque_word;
use crate::circuit::{Com, RowBuilder, Tag};
use halo2curves::bn256::Fr;
use lathe_vm::trace::Step;

/// Added to element 0 by pure instructions without destination (classes J and K): their result is 0 and the CPU
/// writes the old value of `[d]` back.
pub const KEEP: u64 = 1 << 22;

/// What both messages share: `new` is the word written to `[d]`, `delta = pc' - pc - 1`.
#[derive(Clone, Debug, Default)]
pub struct Alu {
    /// The low 22 bits of the instruction: opcode and `imm`. Its fields must be constants, booleans times
    /// constants, or range-checked, so that one opcode cannot pass for another.
    pub op: Com,
    /// The immediate operand `T`.
    pub t: Com,
    /// Operand `a`.
    pub a: WordCom,
    /// Operand `b`.
    pub b: WordCom,
    /// Result.
    pub new: WordCom,
    /// `pc' - pc - 1`.
    pub delta: Com,
}

impl Alu {
    /// The bus elements.
    pub fn elements(&self) -> Vec<(u8, Com)> {
        vec![
            (0, self.op.clone()),
            (1, self.a.lo.clone()),
            (2, self.a.hi.clone()),
            (3, self.b.lo.clone()),
            (4, self.b.hi.clone()),
            (5, self.new.lo.clone()),
            (6, self.new.hi.clone()),
            (7, self.delta.clone()),
            (8, self.t.clone()),
        ]
    }

    /// Offers this instruction with a free multiplicity (the number of steps that execute it).
    pub fn provide(&self, b: &mut RowBuilder<'_>, multiplicity: u64) {
        let m = b.commit(Fr::from(multiplicity));
        b.provide(Tag::Alu, &m, &self.elements());
    }
}

/// CPU registers as combinations.
#[derive(Clone, Debug, Default)]
pub struct RegsCom {
    /// Context id.
    pub ctx: Com,
    /// Page.
    pub code: Com,
    /// Frame pointer.
    pub fp: Com,
    /// Journal head.
    pub jhead: Com,
}

/// The keyed message. `change` is next minus current registers, zero for most instructions.
#[derive(Clone, Debug, Default)]
pub struct Keyed {
    /// The common part.
    pub alu: Alu,
    /// Old value of `[d]`.
    pub old: WordCom,
    /// Clock.
    pub clock: Com,
    /// Registers before.
    pub regs: RegsCom,
    /// Program counter before.
    pub pc: Com,
    /// Next registers minus registers.
    pub change: RegsCom,
}

impl Keyed {
    /// Commits operands, old value, clock and registers from a step, opaque, as they arrive over the bus.
    /// `op`, `t`, `new`, `delta` and `change` are zero: the chip fills in what its instruction does.
    /// With `keep_d`, `new` is the old value (an instruction without destination).
    pub fn receive_operands(b: &mut RowBuilder<'_>, step: Option<&Step>, keep_d: bool) -> Keyed {
        let word = |f: fn(&Step) -> lathe_vm::Word| step.map_or(lathe_vm::Word::ZERO, f);
        let (va, vb, vold) = (word(|s| s.a.old), word(|s| s.b.old), word(|s| s.d.old));
        let int = |f: fn(&Step) -> u32| Fr::from(u64::from(step.map_or(0, f)));
        let a = opaque_word(b, va);
        let bb = opaque_word(b, vb);
        let old = opaque_word(b, vold);
        let clock = b.commit(int(|s| s.clock));
        let regs = RegsCom {
            ctx: b.commit(int(|s| s.regs.ctx)),
            code: b.commit(int(|s| s.regs.code)),
            fp: b.commit(int(|s| s.regs.fp)),
            jhead: b.commit(int(|s| s.regs.jhead)),
        };
        let pc = b.commit(int(|s| s.regs.pc));
        let new = if keep_d { old.clone() } else { WordCom::zero() };
        Keyed {
            alu: Alu { a, b: bb, new, ..Alu::default() },
            old,
            clock,
            regs,
            pc,
            change: RegsCom::default(),
        }
    }

    /// `16 * clock + k`.
    pub fn time(&self, k: u64) -> Com {
        &self.clock * 16u64 + Com::int(k)
    }

    /// The bus elements.
    pub fn elements(&self) -> Vec<(u8, Com)> {
        let mut e = self.alu.elements();
        e.extend([
            (9, self.old.lo.clone()),
            (10, self.old.hi.clone()),
            (11, self.clock.clone()),
            (12, self.regs.ctx.clone()),
            (13, self.regs.code.clone()),
            (14, self.regs.fp.clone()),
            (15, self.regs.jhead.clone()),
            (16, self.pc.clone()),
            (17, self.change.ctx.clone()),
            (18, self.change.code.clone()),
            (19, self.change.fp.clone()),
            (20, self.change.jhead.clone()),
        ]);
        e
    }

    /// Receives the instruction: once, keyed by its clock.
    pub fn receive(&self, b: &mut RowBuilder<'_>, on: &Com) {
        b.receive(Tag::Keyed, on, &self.elements());
    }
}
