//! Jumps, near calls and arithmetic that jumps on overflow. They move `pc` and `fp` only; contexts are the business of `call.rs`.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, Machine, Operands, alu};
use crate::isa::{FRAME_LIMIT, JUMP_BIAS, op};
use crate::trace::{Effect, Regs, space};
use crate::word::Word;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `jmp`, the fused compare-and-branch instructions, `ncall`, `nret`, `addo`, `subo`, `mulo`.
    pub(super) fn control(&mut self, s: &Operands, next: &mut Regs) -> Result<Option<Word>, Halt> {
        let small = Word::from(u128::from(s.i.b));
        let taken = match s.i.opcode {
            op::JMP => true,
            op::JEQ => s.a == s.b,
            op::JNE => s.a != s.b,
            op::JLT => s.a < s.b,
            op::JGE => s.a >= s.b,
            op::JEQI => s.a == small,
            op::JNEI => s.a != small,
            op::JSLT => alu::slt(s.a, s.b),
            op::JSGE => !alu::slt(s.a, s.b),
            op::JLTI => s.a < small,
            op::JGEI => s.a >= small,
            op::ADDO => return self.overflow(s, alu::add_overflow(s.a, s.b), next),
            op::SUBO => return self.overflow(s, alu::sub_overflow(s.a, s.b), next),
            op::MULO => return self.overflow(s, alu::mul_overflow(s.a, s.b), next),
            op::NCALL => return self.near_call(s, next).map(|()| None),
            _ => return self.near_return(s, next).map(|()| None),
        };
        if taken {
            next.pc = self.target(s)?;
        }
        Ok(None)
    }

    /// Hands on a result, and on overflow goes on at `pc + 1 + imm`.
    fn overflow(
        &self,
        s: &Operands,
        (result, over): (Word, bool),
        next: &mut Regs,
    ) -> Result<Option<Word>, Halt> {
        if over {
            next.pc = self.in_page(u128::from(next.pc) + u128::from(s.i.imm))?;
        }
        Ok(Some(result))
    }

    /// `pc + 1 + (target - 8192)`, somewhere in the page.
    fn target(&self, s: &Operands) -> Result<u32, Halt> {
        let field = i64::from(s.i.d);
        let pc = i64::from(self.regs.pc) + 1 + field - JUMP_BIAS;
        self.in_page(u128::try_from(pc).map_err(|_| HaltKind::PcOutsidePage)?)
    }

    fn in_page(&self, pc: u128) -> Result<u32, Halt> {
        match pc < self.pages[self.regs.code as usize].words.len() as u128 {
            true => Ok(pc as u32),
            false => Err(HaltKind::PcOutsidePage.into()),
        }
    }

    fn near_call(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        let fp = self.regs.fp + u32::from(s.i.imm);
        if u64::from(fp) >= FRAME_LIMIT {
            return Err(HaltKind::FrameRange.into());
        }
        let link = Word::new(self.regs.fp.into(), u128::from(self.regs.pc) + 1);
        let access = self.access(space::SLOT, self.regs.ctx, fp, 4, Some(link))?;
        self.tracer.effect(|| Effect::NearCall(access));
        next.pc = self.target(s)?;
        next.fp = fp;
        Ok(())
    }

    fn near_return(&mut self, s: &Operands, next: &mut Regs) -> Result<(), Halt> {
        if s.a.hi >= u128::from(FRAME_LIMIT) {
            return Err(HaltKind::FrameRange.into());
        }
        self.tracer.effect(|| Effect::NearReturn);
        next.pc = self.in_page(s.a.lo)?;
        next.fp = s.a.hi as u32;
        Ok(())
    }
}
