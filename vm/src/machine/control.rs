//! Jumps, arithmetic that jumps on overflow, and near calls. They move `pc` and `fp` only; contexts are the business of
//! `call.rs`.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, Machine, Operands, alu};
use crate::isa::{FRAME_LIMIT, Instruction, JUMP_BIAS, op};
use crate::trace::{Effect, Regs, space};
use crate::word::Word;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// The next pc and the result, if there is one, of `jmp`, the fused compare-and-branch instructions, `addo`,
    /// `subo` and `mulo`.
    #[inline(always)]
    pub(super) fn control(&self, i: Instruction, a: Word, b: Word) -> Result<(u32, Option<Word>), HaltKind> {
        let small = Word::from(u128::from(i.b));
        let taken = match i.opcode {
            op::JMP => true,
            op::JEQ => same(a, b),
            op::JNE => !same(a, b),
            op::JLT => a < b,
            op::JGE => a >= b,
            op::JEQI => same(a, small),
            op::JNEI => !same(a, small),
            op::JSLT => alu::slt(a, b),
            op::JSGE => !alu::slt(a, b),
            op::JLTI => a < small,
            op::JGEI => a >= small,
            op::ADDO => return self.overflow(i, alu::add_overflow(a, b)),
            op::SUBO => return self.overflow(i, alu::sub_overflow(a, b)),
            op::MULO => return self.overflow(i, alu::mul_overflow(a, b)),
            _ => return Err(HaltKind::InvalidOpcode),
        };
        Ok((if taken { self.target(i)? } else { self.regs.pc + 1 }, None))
    }

    /// Hands on a result, and on overflow goes on at `pc + 1 + imm`.
    fn overflow(
        &self,
        i: Instruction,
        (result, over): (Word, bool),
    ) -> Result<(u32, Option<Word>), HaltKind> {
        let next = self.regs.pc + 1;
        let pc = if over { self.in_page(i64::from(next + u32::from(i.imm)))? } else { next };
        Ok((pc, Some(result)))
    }

    /// `ncall`, `nret`.
    pub(super) fn near(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        match s.i.opcode {
            op::NCALL => self.near_call(s, next),
            _ => self.near_return(s, next),
        }
    }

    /// `pc + 1 + (target - 8192)`, somewhere in the page.
    #[inline(always)]
    fn target(&self, i: Instruction) -> Result<u32, HaltKind> {
        self.in_page(i64::from(self.regs.pc) + 1 + i64::from(i.d) - JUMP_BIAS)
    }

    #[inline(always)]
    fn in_page(&self, pc: i64) -> Result<u32, HaltKind> {
        let length = self.pages[self.regs.code as usize].words.len();
        u32::try_from(pc).ok().filter(|pc| (*pc as usize) < length).ok_or(HaltKind::PcOutsidePage)
    }

    fn near_call(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        let fp = self.regs.fp + u32::from(s.i.imm);
        if u64::from(fp) >= FRAME_LIMIT {
            return Err(HaltKind::FrameRange.into());
        }
        let link = Word::new(self.regs.fp.into(), u128::from(self.regs.pc) + 1);
        let access = self.access(space::SLOT, self.regs.ctx, fp, 4, Some(link))?;
        self.tracer.effect(|| Effect::NearCall(access));
        next.pc = self.target(s.i)?;
        next.fp = fp;
        Ok(())
    }

    fn near_return(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        if s.a.hi >= u128::from(FRAME_LIMIT) {
            return Err(HaltKind::FrameRange.into());
        }
        self.tracer.effect(|| Effect::NearReturn);
        next.pc = self.in_page(i64::try_from(s.a.lo).map_err(|_| HaltKind::PcOutsidePage)?)?;
        next.fp = s.a.hi as u32;
        Ok(())
    }
}

/// `a == b` by halves: as one comparison of 32 bytes it would wait for the store that made them.
#[inline(always)]
fn same(a: Word, b: Word) -> bool {
    (a.lo ^ b.lo) | (a.hi ^ b.hi) == 0
}
