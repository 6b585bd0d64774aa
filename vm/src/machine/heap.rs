//! Loads, stores and copies in the context's own heap. Aligned loads and stores without a wrapping address are proven;
//! the rest is executed.
use super::tracer::Tracer;
use super::window::{Window, small};
use super::world::StateRead;
use super::{Halt, HaltKind, Machine, Operands, alu};
use crate::isa::{op, price};
use crate::trace::{Effect, Flow, space};
use crate::word::Word;

/// Loads, stores and ranges end below this.
const END: u128 = (1 << 32) - 1;

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `ld`, `st`, `st8`, `copy`.
    pub(super) fn heap(&mut self, s: &Operands<T::Stamp>) -> Result<Option<Word>, Halt> {
        match s.i.opcode {
            op::COPY => self.copy(s).map(|()| None),
            op::ST8 => self.store_byte(s).map(|()| None),
            opcode => self.load_or_store(s, opcode == op::ST),
        }
    }

    /// `ld d, a, T` and `st d, a, T`.
    fn load_or_store(&mut self, s: &Operands<T::Stamp>, store: bool) -> Result<Option<Word>, Halt> {
        let name = if store { "st" } else { "ld" };
        let (address, wraps) = heap_address(s, 32)?;
        let index = address / 32;
        let aligned = address.is_multiple_of(32);
        if wraps {
            self.unproven(|| format!("{name} with a wrapping address"))?;
        }
        if aligned {
            let access = self.access(space::HEAP, self.regs.ctx, index, 4, store.then_some(s.old))?;
            match wraps {
                true => self.tracer.executed(Flow::Stay),
                false => self.tracer.effect(|| Effect::Heap(access)),
            }
            return Ok((!store).then_some(access.new));
        }
        self.unproven(|| format!("unaligned {name}"))?;
        self.charge(price::STRADDLE.into())?;
        let left = Word::from(u128::from(address % 32 * 8));
        let right = Word::from(256 - left.lo);
        let loaded = match store {
            true => {
                // The first word keeps its bytes before the address, the second those beyond the stored ones.
                let first = self.mem.peek(space::HEAP, self.regs.ctx, index);
                let kept = alu::shl(alu::shr(first, right), right);
                self.access(space::HEAP, self.regs.ctx, index, 4, Some(or(kept, alu::shr(s.old, left))))?;
                let second = self.mem.peek(space::HEAP, self.regs.ctx, index + 1);
                let kept = alu::shr(alu::shl(second, left), left);
                self.access(
                    space::HEAP,
                    self.regs.ctx,
                    index + 1,
                    5,
                    Some(or(kept, alu::shl(s.old, right))),
                )?;
                None
            }
            false => {
                let first = self.access(space::HEAP, self.regs.ctx, index, 4, None)?.old;
                let second = self.access(space::HEAP, self.regs.ctx, index + 1, 5, None)?.old;
                Some(or(alu::shl(first, left), alu::shr(second, right)))
            }
        };
        self.tracer.executed(Flow::Stay);
        Ok(loaded)
    }

    /// `st8 d, a, T`
    fn store_byte(&mut self, s: &Operands<T::Stamp>) -> Result<(), Halt> {
        let (address, _) = heap_address(s, 1)?;
        let mut bytes = self.mem.peek(space::HEAP, self.regs.ctx, address / 32).to_be_bytes();
        bytes[address as usize % 32] = s.old.lo as u8;
        self.access(space::HEAP, self.regs.ctx, address / 32, 4, Some(Word::from_be_bytes(bytes)))?;
        self.tracer.executed(Flow::Stay);
        Ok(())
    }

    /// `copy d, a, b, imm`
    fn copy(&mut self, s: &Operands<T::Stamp>) -> Result<(), Halt> {
        if s.i.imm > 3 {
            return Err(HaltKind::Mode.into());
        }
        if !s.b.is_zero() {
            let target = Self::bounded(self.heap_range(s.old, s.b)?.0)?;
            self.charge(price::copy(target.length))?;
            let mut bytes = std::mem::take(&mut self.scratch);
            bytes.clear();
            let read = self.copy_source(s, target.length, &mut bytes);
            let done = read.and_then(|()| self.write_bytes(target.ctx, target.base, &bytes, 6));
            self.scratch = bytes;
            done?;
        }
        self.tracer.executed(Flow::Stay);
        Ok(())
    }

    /// The bytes that `copy` moves; there is at least one.
    fn copy_source(&mut self, s: &Operands<T::Stamp>, length: u32, out: &mut Vec<u8>) -> Result<(), Halt> {
        match s.i.imm {
            0 => {
                let source = self.heap_range(s.a, s.b)?.0;
                self.moves(length)?;
                self.read_bytes(source, 5, out)
            }
            1 => {
                let whole = Window::unpack(self.register(0, 4)?.old);
                self.moves(length)?;
                let start = small(s.a).unwrap_or(whole.length).min(whole.length);
                let inside = length.min(whole.length - start);
                let base = whole.base.checked_add(start).ok_or(HaltKind::MemoryRange)?;
                self.read_bytes(Window { base, length: inside, ..whole }, 5, out)?;
                out.resize(length as usize, 0);
                Ok(())
            }
            2 => {
                let whole = Window::unpack(self.register(1, 4)?.old);
                let source = self.part(whole, s.a, s.b)?.0;
                self.moves(length)?;
                self.read_bytes(source, 5, out)
            }
            _ => {
                let start = small(s.a).map_err(|_| HaltKind::ConstantOutsidePage)? as usize;
                let end = start + length as usize;
                let page = &self.pages[self.regs.code as usize];
                if end > page.words.len() * 8 {
                    return Err(HaltKind::ConstantOutsidePage.into());
                }
                out.extend((start..end).map(|i| constant_byte(&page.words, i)));
                self.moves(length)
            }
        }
    }
}

/// Byte `i` of a page's constants: those of constant `i / 32`, the most significant first.
fn constant_byte(words: &[u64], i: usize) -> u8 {
    let word = words[i / 32 * 4 + 3 - i % 32 / 8];
    word.to_be_bytes()[i % 8]
}

/// `(a + T) mod 2^256` as the address of `size` bytes of heap, and whether the sum wrapped.
fn heap_address<S>(s: &Operands<S>, size: u128) -> Result<(u32, bool), Halt> {
    let (sum, wraps) = alu::add_overflow(s.a, Word::from(u128::from(s.i.t())));
    match sum.hi == 0 && sum.lo <= END - size {
        true => Ok((sum.lo as u32, wraps)),
        false => Err(HaltKind::MemoryRange.into()),
    }
}

fn or(a: Word, b: Word) -> Word {
    Word::new(a.hi | b.hi, a.lo | b.lo)
}
