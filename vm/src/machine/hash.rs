//! `keccak`: Keccak-256 of a range of the own heap or of calldata. It is proven for ranges that start on a word boundary.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, Machine, Operands, Window};
use crate::isa::price;
use crate::trace::{Effect, Flow, KeccakCall};
use crate::word::Word;
use sha3::{Digest, Keccak256};

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// The digest of `b` bytes from byte `a`.
    pub(super) fn keccak(&mut self, s: &Operands) -> Result<Word, Halt> {
        let register = self.register(0, 4)?;
        let (source, astray) = match s.i.imm {
            0 => self.heap_range(s.a, s.b)?,
            1 => self.part(Window::unpack(register.old), s.a, s.b)?,
            _ => return Err(HaltKind::Mode.into()),
        };
        if astray {
            self.unproven(|| "keccak of an empty range beyond its memory".into())?;
            self.charge(price::keccak(0))?;
            return Ok(self.keccak_executed(&[]));
        }
        let source = Self::bounded(source)?;
        self.charge(price::keccak(source.length))?;
        if source.base % 32 != 0 {
            self.unproven(|| "unaligned keccak".into())?;
        }
        self.hashes(source.length)?;
        if source.base % 32 != 0 {
            let mut bytes = std::mem::take(&mut self.scratch);
            bytes.clear();
            let digest = self.read_bytes(source, 5, &mut bytes).map(|()| self.keccak_executed(&bytes));
            self.scratch = bytes;
            return digest;
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

    /// Counts bytes against the limit on hashed ones.
    pub(super) fn hashes(&mut self, bytes: u32) -> Result<(), Halt> {
        self.hashed += u64::from(bytes);
        let limit = self.limits.max_hashed_bytes;
        if self.hashed > limit { Err(Halt::Limit { what: "hashed bytes", limit }) } else { Ok(()) }
    }

    fn keccak_executed(&mut self, bytes: &[u8]) -> Word {
        self.tracer.executed(Flow::Stay);
        Word::from_be_bytes(Keccak256::digest(bytes).into())
    }
}
