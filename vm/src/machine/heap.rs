//! Aligned loads and stores of the context's own heap; unaligned ones are reserved.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, Machine, Operands};
use crate::isa::op;
use crate::trace::{Effect, space};
use crate::word::Word;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `ld d, a, T` and `st d, a, T`. The sum `a + T` does not wrap.
    pub(super) fn heap(&mut self, s: &Operands) -> Result<Option<Word>, Halt> {
        let sum = s.a.lo.checked_add(s.i.t().into());
        let address = sum.filter(|x| s.a.hi == 0 && *x < (1 << 32) - 32).ok_or(HaltKind::MemoryRange)?;
        if address % 32 != 0 {
            return Err(HaltKind::Unaligned.into());
        }
        let store = s.i.opcode == op::ST;
        let index = (address / 32) as u32;
        let access = self.access(space::HEAP, self.regs.ctx, index, 4, store.then_some(s.old))?;
        self.tracer.effect(|| Effect::Heap(access));
        Ok((!store).then_some(access.new))
    }
}
