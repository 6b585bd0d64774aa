//! Calldata, context registers, and what a program can ask about its block and transaction.
//! Calldata is a window of another memory; beyond its end it reads zero.
use super::call::{GAS_PRICE, ORIGIN};
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, Machine, Operands, Window, alu};
use crate::isa::op;
use crate::trace::{Access, Effect, Flow, space};
use crate::word::Word;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// A register of the running context.
    pub(super) fn register(&mut self, index: u32, k: u64) -> Result<Access, Halt> {
        self.access(space::REG, self.regs.ctx, index, k, None)
    }

    /// All of the family.
    pub(super) fn calldata(&mut self, s: &Operands<T::Stamp>) -> Result<Word, Halt> {
        let (index, proven) = match s.i.opcode {
            op::CDLOAD => return self.calldata_load(s.a, true),
            op::CDLD => return self.calldata_load(alu::add(s.a, Word::from(u128::from(s.i.t()))), false),
            op::CDSIZE => (0, true),
            op::CALLER => (3, true),
            op::ADDRESS => (2, true),
            op::RDSIZE => (1, false),
            op::CALLVALUE => (4, false),
            _ => return self.surroundings(s),
        };
        let access = self.register(index, 4)?;
        match proven {
            true => self.tracer.effect(|| Effect::Context(access)),
            false => self.tracer.executed(Flow::Stay),
        }
        Ok(match index {
            0 | 1 => Word::from(u128::from(Window::unpack(access.old).length)),
            _ => access.old,
        })
    }

    /// `gas`, `blockvalue`, `txvalue`, `blockhash`, `blobhash`.
    fn surroundings(&mut self, s: &Operands<T::Stamp>) -> Result<Word, Halt> {
        let value = match (s.i.opcode, s.i.imm) {
            (op::GAS, _) if self.metered() || self.frames.is_empty() => Word::from(u128::from(self.regs.gas)),
            (op::GAS, _) => Word::from(u128::from(self.environment.gas_limit)),
            (op::BLOCKVALUE, number) => self.environment.block_value(number).ok_or(HaltKind::Mode)?,
            (op::TXVALUE, 0) if self.metered() => self.access(space::REG, 0, ORIGIN, 4, None)?.old,
            (op::TXVALUE, 1) if self.metered() => self.access(space::REG, 0, GAS_PRICE, 4, None)?.old,
            (op::TXVALUE, 0) => self.origin,
            (op::TXVALUE, 1) => self.environment.gas_price,
            (op::TXVALUE, _) => return Err(HaltKind::Mode.into()),
            (op::BLOCKHASH, _) => self.environment.block_hash(s.a),
            _ => Word::ZERO,
        };
        self.tracer.executed(Flow::Stay);
        Ok(value)
    }

    fn calldata_load(&mut self, at: Word, proven: bool) -> Result<Word, Halt> {
        let register = self.register(0, 4)?;
        let w = Window::unpack(register.old);
        let inside = at < Word::from(u128::from(w.length));
        let offset = if inside { at.lo as u64 } else { 0 };
        let start = u64::from(w.base) + offset;
        // Base and length are below 2^32, so the word index stays below 2^28.
        let q = (start / 32) as u32;
        let first = self.access(w.space, w.ctx, q, 5, None)?;
        let second = self.access(w.space, w.ctx, q + 1, 6, None)?;
        match proven {
            true => self.tracer.effect(|| Effect::Calldata { window: register, words: [first, second] }),
            false => self.tracer.executed(Flow::Stay),
        }
        if !inside {
            return Ok(Word::ZERO);
        }
        let keep = (u64::from(w.length) - offset).min(32);
        if start.is_multiple_of(32) && keep == 32 {
            return Ok(first.old);
        }
        let shift = (start % 32 * 8) as u128;
        let high = alu::shl(first.old, Word::from(shift));
        let low = alu::shr(second.old, Word::from(256 - shift));
        let joined = Word::new(high.hi | low.hi, high.lo | low.lo);
        let drop = Word::from(u128::from(256 - keep * 8));
        Ok(alu::shl(alu::shr(joined, drop), drop))
    }
}
