//! Jumps, arithmetic that jumps on overflow, and near calls. They move `pc` and `fp` only; contexts are the business of
//! `call.rs`.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, Machine, Operands, alu};
use crate::isa::{FRAME_LIMIT, Instruction, JUMP_BIAS, op};
use crate::trace::{Effect, Regs, space};
use crate::word::Word;

/// What a jump, or arithmetic that jumps on overflow, does.
pub(crate) struct Went {
    /// The next pc.
    pub pc: u32,
    /// What is written to the destination.
    pub result: Option<Word>,
}

/// `jmp`, the fused compare-and-branch instructions, `addo`, `subo` and `mulo`, at `pc` of a page of so many words.
#[inline(always)]
pub(super) fn run(
    i: Instruction,
    a: impl Fn() -> Word,
    b: impl Fn() -> Word,
    pc: u32,
    page: usize,
) -> Result<Went, HaltKind> {
    let small = Word::from(u128::from(i.b));
    let taken = match i.opcode {
        op::JMP => true,
        op::JEQ => a().same(b()),
        op::JNE => !a().same(b()),
        op::JLT => a() < b(),
        op::JGE => a() >= b(),
        op::JEQI => a().same(small),
        op::JNEI => !a().same(small),
        op::JSLT => alu::slt(a(), b()),
        op::JSGE => !alu::slt(a(), b()),
        op::JLTI => a() < small,
        op::JGEI => a() >= small,
        op::ADDO => return overflow(i, alu::add_overflow(a(), b()), pc, page),
        op::SUBO => return overflow(i, alu::sub_overflow(a(), b()), pc, page),
        op::MULO => return overflow(i, alu::mul_overflow(a(), b()), pc, page),
        _ => return Err(HaltKind::InvalidOpcode),
    };
    Ok(Went { pc: if taken { target(i, pc, page)? } else { pc + 1 }, result: None })
}

/// Hands on a result, and on overflow goes on at `pc + 1 + imm`.
fn overflow(i: Instruction, (result, over): (Word, bool), pc: u32, page: usize) -> Result<Went, HaltKind> {
    let next = pc + 1;
    let pc = if over { in_page(i64::from(next + u32::from(i.imm)), page)? } else { next };
    Ok(Went { pc, result: Some(result) })
}

/// `pc + 1 + (target - 8192)`, somewhere in the page.
#[inline(always)]
fn target(i: Instruction, pc: u32, page: usize) -> Result<u32, HaltKind> {
    in_page(i64::from(pc) + 1 + i64::from(i.d) - JUMP_BIAS, page)
}

#[inline(always)]
fn in_page(pc: i64, page: usize) -> Result<u32, HaltKind> {
    u32::try_from(pc).ok().filter(|pc| (*pc as usize) < page).ok_or(HaltKind::PcOutsidePage)
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `ncall`, `nret`.
    pub(super) fn near(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
        match s.i.opcode {
            op::NCALL => self.near_call(s, next),
            _ => self.near_return(s, next),
        }
    }

    /// Words of the running page.
    fn page_length(&self) -> usize {
        self.pages[self.regs.code as usize].words.len()
    }

    fn near_call(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
        let fp = self.regs.fp + u32::from(s.i.imm);
        if u64::from(fp) >= FRAME_LIMIT {
            return Err(HaltKind::FrameRange.into());
        }
        let link = Word::new(self.regs.fp.into(), u128::from(self.regs.pc) + 1);
        let access = self.access(space::SLOT, self.regs.ctx, fp, 4, Some(link))?;
        self.tracer.effect(|| Effect::NearCall(access));
        next.pc = target(s.i, self.regs.pc, self.page_length())?;
        next.fp = fp;
        Ok(())
    }

    fn near_return(&mut self, s: &Operands<T::Stamp>, next: &mut Regs) -> Result<(), Halt> {
        if s.a.hi >= u128::from(FRAME_LIMIT) {
            return Err(HaltKind::FrameRange.into());
        }
        self.tracer.effect(|| Effect::NearReturn);
        let pc = i64::try_from(s.a.lo).map_err(|_| HaltKind::PcOutsidePage)?;
        next.pc = in_page(pc, self.page_length())?;
        next.fp = s.a.hi as u32;
        Ok(())
    }
}
