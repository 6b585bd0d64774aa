//! `keccak` of a range of the own heap or of calldata, which is proven for ranges that start on a word boundary, and what is
//! executed: `ecrecover`, `sha256`, and the hash of a code page.
use super::sponge::Sponge;
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, Machine, Operands, Window};
use crate::isa::{op, price};
use crate::precompile;
use crate::state::CellId;
use crate::trace::{Effect, Flow, KeccakCall, Page};
use crate::word::Word;
use sha3::{Digest, Keccak256};
use std::sync::Arc;

/// Host memory that a kept page takes besides its words, roughly.
const KEPT_PAGE: u64 = 192;
/// Bytes that `ecrecover` reads.
const SIGNED: Word = Word::new(0, 128);

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// All of the family.
    pub(super) fn hash(&mut self, s: &Operands<T::Stamp>) -> Result<Word, Halt> {
        match s.i.opcode {
            op::KECCAK => self.keccak(s),
            op::PAGEHASH => self.page_hash(s),
            opcode => {
                let recovers = opcode == op::ECRECOVER;
                let length = if recovers { SIGNED } else { s.b };
                let source = Self::bounded(self.heap_range(s.a, length)?.0)?;
                let more = if recovers { 0 } else { precompile::sha256_gas(source.length) };
                self.charge(more)?;
                let function = if recovers { precompile::signer } else { precompile::sha256 };
                self.hash_bytes(source, function)
            }
        }
    }

    /// `pagehash d, a, b, imm`: a length that no page has reads nothing.
    fn page_hash(&mut self, s: &Operands<T::Stamp>) -> Result<Word, Halt> {
        if s.i.imm > 1 {
            return Err(HaltKind::Mode.into());
        }
        if s.b.hi != 0 || !u64::try_from(s.b.lo).is_ok_and(Page::is_length) {
            self.tracer.executed(Flow::Stay);
            return Ok(Word::ZERO);
        }
        let source = match s.i.imm {
            0 => self.heap_range(s.a, s.b)?.0,
            _ => {
                let calldata = Window::unpack(self.register(0, 4)?.old);
                self.part(calldata, s.a, s.b)?.0
            }
        };
        self.charge(price::page_hash(source.length))?;
        let mut page = None;
        let hash = self.hash_bytes(source, |bytes| {
            page = Page::from_bytes(bytes);
            page.as_ref().map_or(Word::ZERO, Page::hash_word)
        })?;
        self.keep(page);
        Ok(hash)
    }

    /// Keeps a page that the store lacks, in case that it becomes known.
    pub(super) fn keep(&mut self, page: Option<Page>) {
        let Some(page) = page.filter(|p| self.codes.get(p.hash_word()).is_none()) else { return };
        let bytes = 8 * page.words.len() as u64 + KEPT_PAGE;
        self.hashed_pages.entry(page.hash_word()).or_insert_with(|| {
            self.hashed_page_bytes += bytes;
            Arc::new(page)
        });
    }

    /// The kept pages that are known now, in order of hash.
    pub(super) fn published(&self) -> Vec<Arc<Page>> {
        let known = |hash: &Word| !self.world.peek(&CellId::known_code(*hash)).is_zero();
        let mut known: Vec<_> = self.hashed_pages.iter().filter(|(hash, _)| known(hash)).collect();
        known.sort_by_key(|(hash, _)| **hash);
        known.into_iter().map(|(_, page)| Arc::clone(page)).collect()
    }

    /// A function of the bytes of a window, which are counted as hashed.
    fn hash_bytes(&mut self, source: Window, function: impl FnOnce(&[u8]) -> Word) -> Result<Word, Halt> {
        self.hashes(source.length)?;
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let hash = self.read_bytes(source, 5, &mut bytes).map(|()| function(&bytes));
        self.scratch = bytes;
        if hash.is_ok() {
            self.tracer.executed(Flow::Stay);
        }
        hash
    }

    /// The digest of `b` bytes from byte `a`.
    fn keccak(&mut self, s: &Operands<T::Stamp>) -> Result<Word, Halt> {
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
        let (whole, rest) = (source.length / 32, source.length % 32);
        let mut words = Vec::new();
        let mut read = |m: &mut Self, j: u32| {
            let access = m.access(source.space, source.ctx, first + j, 5, None)?;
            if T::ACTIVE {
                words.push(access);
            }
            Ok::<_, Halt>(access.old)
        };
        let mut sponge = Sponge::default();
        for j in 0..whole {
            sponge.absorb(read(self, j)?);
        }
        let last = if rest == 0 { Word::ZERO } else { read(self, whole)? };
        let digest = sponge.finish(last, rest);
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
