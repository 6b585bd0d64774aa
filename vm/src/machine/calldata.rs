//! Calldata and context registers. Calldata is a window of another memory; beyond its end it reads zero.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, Machine, Operands, Window, alu};
use crate::isa::op;
use crate::trace::{Access, Effect, space};
use crate::word::Word;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// A register of the running context.
    pub(super) fn register(&mut self, index: u32, k: u64) -> Result<Access, Halt> {
        self.access(space::REG, self.regs.ctx, index, k, None)
    }

    /// `cdload`, `cdsize`, `caller`, `address`.
    pub(super) fn calldata(&mut self, s: &Operands) -> Result<Word, Halt> {
        let index = match s.i.opcode {
            op::CDLOAD => return self.calldata_load(s),
            op::CDSIZE => 0,
            op::CALLER => 3,
            _ => 2,
        };
        let access = self.register(index, 4)?;
        self.tracer.effect(|| Effect::Context(access));
        Ok(match index {
            0 => Word::from(u128::from(Window::unpack(access.old).length)),
            _ => access.old,
        })
    }

    fn calldata_load(&mut self, s: &Operands) -> Result<Word, Halt> {
        let register = self.register(0, 4)?;
        let w = Window::unpack(register.old);
        let inside = s.a < Word::from(u128::from(w.length));
        let offset = if inside { s.a.lo as u64 } else { 0 };
        let start = u64::from(w.base) + offset;
        // Base and length are below 2^32, so the word index stays below 2^28.
        let q = (start / 32) as u32;
        let first = self.access(w.space, w.ctx, q, 5, None)?;
        let second = self.access(w.space, w.ctx, q + 1, 6, None)?;
        self.tracer.effect(|| Effect::Calldata { window: register, words: [first, second] });
        if !inside {
            return Ok(Word::ZERO);
        }
        let shift = (start % 32 * 8) as u128;
        let high = alu::shl(first.old, Word::from(shift));
        let low = alu::shr(second.old, Word::from(256 - shift));
        let joined = Word::new(high.hi | low.hi, high.lo | low.lo);
        let keep = (u64::from(w.length) - offset).min(32);
        let drop = Word::from(u128::from(256 - keep * 8));
        Ok(alu::shl(alu::shr(joined, drop), drop))
    }
}
