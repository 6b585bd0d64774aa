//! Ranges of bytes: windows into memories, checked against their ends, and their bytes in and out.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, HaltKind, MAX_RANGE, Machine};
use crate::trace::space;
use crate::word::Word;

/// Base and length of a range of some memory; `prefix * 2^64 + base * 2^32 + length` as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Memory space.
    pub space: u8,
    /// Context.
    pub ctx: u32,
    /// First byte.
    pub base: u32,
    /// Length in bytes.
    pub length: u32,
}

impl Window {
    /// The word that stands for the window.
    pub fn pack(self) -> Word {
        let prefix = u128::from(self.space) << 32 | u128::from(self.ctx);
        Word::from(prefix << 64 | u128::from(self.base) << 32 | u128::from(self.length))
    }

    /// The window that a register holds; registers are written by the machine only.
    pub fn unpack(w: Word) -> Window {
        Window {
            space: (w.lo >> 96) as u8 & 15,
            ctx: (w.lo >> 64) as u32,
            base: (w.lo >> 32) as u32,
            length: w.lo as u32,
        }
    }

    /// Index of the first word, and how many words the bytes lie in; none for an empty window.
    pub(super) fn words(self) -> (u32, u32) {
        let skip = u64::from(self.base % 32);
        let count = if self.length == 0 { 0 } else { (skip + u64::from(self.length)).div_ceil(32) };
        (self.base / 32, count as u32)
    }
}

/// A word below 2^32.
pub(super) fn small(w: Word) -> Result<u32, HaltKind> {
    u32::try_from(w.lo).ok().filter(|_| w.hi == 0).ok_or(HaltKind::MemoryRange)
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// `start` and `len` as a range of the own heap: it ends below 2^32. An empty range may start anywhere, but one
    /// that starts beyond 2^32 is a form that has no chip, which the second value says.
    pub(super) fn heap_range(&self, start: Word, len: Word) -> Result<(Window, bool), Halt> {
        let (space, ctx) = (space::HEAP, self.regs.ctx);
        if len.is_zero() && (start.hi != 0 || start.lo > u128::from(u32::MAX)) {
            return Ok((Window { space, ctx, base: 0, length: 0 }, true));
        }
        let (base, length) = (small(start)?, small(len)?);
        match base.checked_add(length) {
            Some(_) => Ok((Window { space, ctx, base, length }, false)),
            None => Err(HaltKind::MemoryRange.into()),
        }
    }

    /// The range of `len` bytes from byte `start` of `whole`; an empty one may start anywhere, as in the heap.
    pub(super) fn part(&self, whole: Window, start: Word, len: Word) -> Result<(Window, bool), Halt> {
        let length = Word::from(u128::from(whole.length));
        if len.is_zero() && start > length {
            return Ok((Window { length: 0, ..whole }, true));
        }
        let (start, len) = (small(start)?, small(len)?);
        let inside = u64::from(start) + u64::from(len) <= u64::from(whole.length);
        let base = whole.base.checked_add(start).filter(|_| inside).ok_or(HaltKind::MemoryRange)?;
        Ok((Window { base, length: len, ..whole }, false))
    }

    /// Refuses a range that nothing but unmetered gas would let a program use.
    pub(super) fn bounded(w: Window) -> Result<Window, Halt> {
        if w.length > MAX_RANGE { Err(HaltKind::RangeTooLong.into()) } else { Ok(w) }
    }

    /// Counts bytes against the limit on moved ones.
    pub(super) fn moves(&mut self, bytes: u32) -> Result<(), Halt> {
        self.moved += u64::from(bytes);
        let limit = self.limits.max_moved_bytes;
        if self.moved > limit { Err(Halt::Limit { what: "moved bytes", limit }) } else { Ok(()) }
    }

    /// Reads the bytes of a window behind those in `out`, its words at `k`.
    pub(super) fn read_bytes(&mut self, w: Window, k: u64, out: &mut Vec<u8>) -> Result<(), Halt> {
        let (first, count) = w.words();
        let (mut skip, mut left) = (w.base as usize % 32, w.length as usize);
        for index in first..first + count {
            let bytes = self.access(w.space, w.ctx, index, k, None)?.old.to_be_bytes();
            let take = left.min(32 - skip);
            out.extend_from_slice(&bytes[skip..skip + take]);
            (skip, left) = (0, left - take);
        }
        Ok(())
    }

    /// Writes bytes to a heap from byte `start`, each word with one access at `k`; the range has been checked.
    pub(super) fn write_bytes(&mut self, ctx: u32, start: u32, bytes: &[u8], k: u64) -> Result<(), Halt> {
        let (mut skip, mut rest) = (start as usize % 32, bytes);
        let mut index = start / 32;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(32 - skip));
            let mut word = match now.len() {
                32 => [0; 32],
                _ => self.mem.peek(space::HEAP, ctx, index).to_be_bytes(),
            };
            word[skip..skip + now.len()].copy_from_slice(now);
            self.access(space::HEAP, ctx, index, k, Some(Word::from_be_bytes(word)))?;
            (skip, rest, index) = (0, later, index + 1);
        }
        Ok(())
    }
}
