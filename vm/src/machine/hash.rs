//! `keccak`: Keccak-256 of a range of the own heap or of calldata that starts on a word boundary.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, Machine, Operands, Window};
use crate::trace::{Effect, KeccakCall, space};
use crate::word::Word;
use sha3::{Digest, Keccak256};

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// The digest of `b` bytes from byte `a`.
    pub(super) fn keccak(&mut self, s: &Operands) -> Result<Word, Halt> {
        let register = self.register(0, 4)?;
        let source = self.window(s.i.imm, s.a, s.b, Window::unpack(register.old))?;
        if source.base % 32 != 0 {
            return Err(HaltKind::Unaligned.into());
        }
        self.hashed += u64::from(source.length);
        if self.hashed > self.limits.max_hashed_bytes {
            return Err(Halt::Limit { what: "hashed bytes", limit: self.limits.max_hashed_bytes });
        }
        let first = source.base / 32;
        let count = source.length.div_ceil(32);
        let mut words = Vec::new();
        let mut hasher = Keccak256::new();
        for j in 0..count {
            let access = self.access(source.space, source.ctx, first + j, 5, None)?;
            let left = (source.length - 32 * j).min(32) as usize;
            hasher.update(&access.old.to_be_bytes()[..left]);
            if T::ACTIVE {
                words.push(access);
            }
        }
        let digest = Word::from_be_bytes(hasher.finalize().into());
        let clock = self.clock;
        let call = self.tracer.keccak(|| KeccakCall {
            clock,
            space: source.space,
            ctx: source.ctx,
            first,
            len: source.length,
            words,
            digest,
        });
        self.tracer.effect(|| Effect::Keccak { window: register, call });
        Ok(digest)
    }

    /// The window of `len` bytes from byte `start` of the own heap (`imm` 0) or of `calldata` (`imm` 1), wholly
    /// inside it; a heap range ends below 2^32.
    pub(super) fn window(&self, imm: u16, start: Word, len: Word, calldata: Window) -> Result<Window, Halt> {
        let part = |w: Word| u32::try_from(w.lo).ok().filter(|_| w.hi == 0).ok_or(HaltKind::MemoryRange);
        let (start, length) = (part(start)?, part(len)?);
        let end = u64::from(start) + u64::from(length);
        let (space, ctx, base, limit) = match imm {
            0 => (space::HEAP, self.regs.ctx, 0, u64::from(u32::MAX)),
            1 => (calldata.space, calldata.ctx, calldata.base, u64::from(calldata.length)),
            _ => return Err(HaltKind::Mode.into()),
        };
        if end > limit {
            return Err(HaltKind::MemoryRange.into());
        }
        let base = base.checked_add(start).ok_or(HaltKind::MemoryRange)?;
        Ok(Window { space, ctx, base, length })
    }
}
