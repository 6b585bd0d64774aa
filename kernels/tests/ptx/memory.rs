//! Global memory: one window of addresses per allocation, checked for bounds, alignment, freed buffers, bytes never
//! written, and accesses of several threads that nothing orders. No access goes around these checks.

use super::code::{FIRST_WINDOW, Order, WINDOW_BITS};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// A refused access, in words. Boxed: the good path carries one word.
pub type Refusal = Box<String>;

/// Refuses with a message.
pub fn refuse<T>(what: String) -> Result<T, Refusal> {
    Err(Box::new(what))
}

/// A launch or copy: its number, of which the lowest bit is its stream, and the last number of the other stream's
/// operations that it is ordered after. Number zero is nobody's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Operation {
    pub number: u16,
    pub ordered_after: u16,
}

impl Operation {
    /// Whether an earlier operation belongs to the other stream and may still run.
    fn unordered(self, earlier: u16) -> bool {
        (earlier ^ self.number) & 1 == 1 && earlier > self.ordered_after
    }
}

/// Why accesses of two operations may meet.
const STREAMS: &str = "on the other stream, which nothing made this stream wait for";

/// Who makes an access, for the checks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin {
    /// The operation that makes it: a launch or a copy.
    pub operation: Operation,
    /// Barriers its block has passed, saturating.
    pub epoch: u16,
    /// Its number in the grid.
    pub thread: u32,
    /// Number in the grid of its block's first thread, and threads of a block.
    pub block_start: u32,
    pub block_size: u32,
    /// Whether its block has executed a device-wide fence: then other blocks' writes may be meant to be seen.
    pub fenced: bool,
    /// Whether its warp has synchronised since the last barrier: then its lanes' writes may be meant to be seen.
    pub warp_synced: bool,
}

/// Largest epoch told apart; beyond it no race inside a block is claimed.
const LAST_EPOCH: u64 = 0xfff;

/// Shadow of four bytes: bits 0..4 written, 4..20 operation, 20..32 epoch, 32..64 number of the last writer plus one, or
/// zero if that was a copy or an atomic.
fn stamp(origin: &Origin, written: u64) -> u64 {
    let epoch = u64::from(origin.epoch).min(LAST_EPOCH);
    written | u64::from(origin.operation.number) << 4 | epoch << 20 | (u64::from(origin.thread) + 1) << 32
}

/// One allocation.
pub struct Region {
    data: Box<[AtomicU64]>,
    shadow: Box<[AtomicU64]>,
    /// Of each four bytes, the last operation of each stream that read them: stream 0 in the low half.
    readers: Box<[AtomicU32]>,
    bytes: usize,
    /// Of `.const`: kernels may not write it.
    constant: bool,
}

fn zeros(count: usize) -> Box<[AtomicU64]> {
    let plain = vec![0u64; count].into_boxed_slice();
    // SAFETY: AtomicU64 has the size, alignment and bit validity of u64, and the box is handed over whole.
    unsafe { Box::from_raw(Box::into_raw(plain) as *mut [AtomicU64]) }
}

/// Runs `$body` with `$cell` bound to the atomic of the width at a checked offset.
macro_rules! cell {
    ($region:expr, $offset:expr, $atomic:ty) => {{
        debug_assert!($offset + size_of::<$atomic>() <= $region.data.len() * 8);
        debug_assert!($offset % size_of::<$atomic>() == 0);
        // SAFETY: `find` checked that offset + width lies inside the allocation and that the offset is a multiple of the
        // width; the data is 8-byte aligned and only ever accessed atomically. Kernels whose threads meet on one word
        // with different widths would be racy on a GPU too.
        unsafe { &*($region.data.as_ptr().cast::<u8>().add($offset).cast::<$atomic>()) }
    }};
}

impl Region {
    fn new(bytes: usize, constant: bool) -> Self {
        let readers = std::iter::repeat_with(AtomicU32::default).take(bytes.div_ceil(4)).collect();
        Self { data: zeros(bytes.div_ceil(8)), shadow: zeros(bytes.div_ceil(4)), readers, bytes, constant }
    }

    /// The value of 1, 2, 4 or 8 bytes at a checked offset.
    pub fn load(&self, offset: usize, width: u32) -> u64 {
        match width {
            1 => u64::from(cell!(self, offset, AtomicU8).load(Relaxed)),
            2 => u64::from(cell!(self, offset, AtomicU16).load(Relaxed)),
            4 => u64::from(cell!(self, offset, AtomicU32).load(Relaxed)),
            _ => cell!(self, offset, AtomicU64).load(Relaxed),
        }
    }

    pub fn store(&self, offset: usize, width: u32, value: u64) {
        match width {
            1 => cell!(self, offset, AtomicU8).store(value as u8, Relaxed),
            2 => cell!(self, offset, AtomicU16).store(value as u16, Relaxed),
            4 => cell!(self, offset, AtomicU32).store(value as u32, Relaxed),
            _ => cell!(self, offset, AtomicU64).store(value, Relaxed),
        }
    }

    /// Replaces the word at a checked offset by a function of it; returns the old one.
    pub fn update(&self, offset: usize, width: u32, mut next: impl FnMut(u64) -> u64) -> u64 {
        if width == 4 {
            let cell = cell!(self, offset, AtomicU32);
            let old = cell.fetch_update(Relaxed, Relaxed, |old| Some(next(u64::from(old)) as u32));
            u64::from(old.unwrap_or_else(|old| old))
        } else {
            let old = cell!(self, offset, AtomicU64).fetch_update(Relaxed, Relaxed, |old| Some(next(old)));
            old.unwrap_or_else(|old| old)
        }
    }

    /// Bits of the first shadow word that an access touches, and how many shadow words.
    fn touched(offset: usize, width: u32) -> (u64, usize) {
        if width >= 4 { (0xf, (width / 4) as usize) } else { (((1 << width) - 1) << (offset & 3), 1) }
    }

    /// Refuses a read of bytes that nothing has written, or that the other stream may be writing; returns the shadow.
    fn check_stored(&self, word: usize, bits: u64, operation: Operation) -> Result<u64, Refusal> {
        let shadow = self.shadow[word].load(Relaxed);
        if shadow & bits != bits {
            return refuse(format!("reads bytes at offset {} that nothing has written", word * 4));
        }
        if operation.unordered((shadow >> 4) as u16) {
            return refuse(format!("races: reads offset {}, written by an operation {STREAMS}", word * 4));
        }
        Ok(shadow)
    }

    /// Refuses a write of what the other stream may be reading or writing; returns the shadow.
    fn check_unused(&self, word: usize, operation: Operation) -> Result<u64, Refusal> {
        let shadow = self.shadow[word].load(Relaxed);
        let reader = (self.readers[word].load(Relaxed) >> (16 * (!operation.number & 1))) as u16;
        for (other, did) in [((shadow >> 4) as u16, "written"), (reader, "read")] {
            if operation.unordered(other) {
                return refuse(format!("races: writes offset {}, {did} by an operation {STREAMS}", word * 4));
            }
        }
        Ok(shadow)
    }

    /// Takes note that an operation reads a word.
    fn note_read(&self, word: usize, operation: Operation) {
        let shift = 16 * u32::from(operation.number & 1);
        let known = self.readers[word].load(Relaxed);
        if (known >> shift) as u16 != operation.number {
            let kept = known & !(0xffff << shift);
            self.readers[word].store(kept | u32::from(operation.number) << shift, Relaxed);
        }
    }

    /// Checks a read: all bytes written, and no plain write of another thread that nothing orders before it.
    pub fn check_read(
        &self,
        offset: usize,
        width: u32,
        order: Order,
        origin: &Origin,
    ) -> Result<(), Refusal> {
        let (bits, words) = Self::touched(offset, width);
        for word in offset / 4..offset / 4 + words {
            let shadow = self.check_stored(word, bits, origin.operation)?;
            self.note_read(word, origin.operation);
            if (shadow >> 4) as u16 != origin.operation.number || order == Order::Strong {
                continue;
            }
            if order == Order::Constant {
                return refuse(format!("reads offset {offset} as constant, which this launch writes"));
            }
            let writer = (shadow >> 32) as u32;
            if writer != 0
                && writer != origin.thread + 1
                && let Err(how) = unordered(shadow, origin)
            {
                let writer = writer - 1;
                return refuse(format!(
                    "races: reads offset {offset}, written by thread {writer} of the grid {how}"
                ));
            }
        }
        Ok(())
    }

    /// Checks a write of `value` and takes note of it. Two threads may write the same value to one word.
    pub fn check_write(
        &self,
        offset: usize,
        width: u32,
        order: Order,
        value: u64,
        origin: &Origin,
    ) -> Result<(), Refusal> {
        if self.constant {
            return refuse("writes constant memory".into());
        }
        let (bits, words) = Self::touched(offset, width);
        for word in offset / 4..offset / 4 + words {
            let shadow = self.check_unused(word, origin.operation)?;
            let writer = (shadow >> 32) as u32;
            let same = (shadow >> 4) as u16 == origin.operation.number;
            let other = same && writer != 0 && writer != origin.thread + 1;
            let differs = other && order != Order::Strong && width >= 4 && self.load(offset, width) != value;
            if differs && let Err(how) = unordered(shadow, origin) {
                let writer = writer - 1;
                return refuse(format!(
                    "races: writes offset {offset}, written by thread {writer} of the grid {how}"
                ));
            }
            let mut written = bits;
            if width < 4 {
                // Threads may write the bytes of one word at once.
                written |= self.shadow[word].fetch_or(bits, Relaxed) & 0xf;
            }
            let stamp = stamp(origin, written);
            self.shadow[word]
                .store(if order == Order::Strong { stamp & 0xffff_ffff } else { stamp }, Relaxed);
        }
        Ok(())
    }

    /// Checks a read-modify-write and takes note of it.
    pub fn check_update(&self, offset: usize, width: u32, origin: &Origin) -> Result<(), Refusal> {
        if self.constant {
            return refuse("writes constant memory".into());
        }
        self.check_read(offset, width, Order::Plain, origin)?;
        for word in offset / 4..offset / 4 + (width / 4) as usize {
            self.check_unused(word, origin.operation)?;
            self.shadow[word].store(stamp(origin, 0xf) & 0xffff_ffff, Relaxed);
        }
        Ok(())
    }
}

/// Whether a plain write with this shadow and an access by `origin`, another thread of its launch, are unordered: the
/// error says how. A barrier orders threads of a block; a fence lets threads of several blocks be ordered by atomics.
fn unordered(shadow: u64, origin: &Origin) -> Result<(), &'static str> {
    let writer = (shadow >> 32) as u32 - 1;
    let (epoch, now) = (shadow >> 20 & LAST_EPOCH, u64::from(origin.epoch).min(LAST_EPOCH));
    if writer.wrapping_sub(origin.block_start) >= origin.block_size {
        if origin.fenced { Ok(()) } else { Err("in another block, without a fence between") }
    } else if epoch != now || now == LAST_EPOCH || (writer / 32 == origin.thread / 32 && origin.warp_synced) {
        Ok(())
    } else {
        Err("in the same block, without a barrier between")
    }
}

/// The words that a range of bytes touches, and which bytes of each: from and up to.
fn words(offset: usize, bytes: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let end = offset + bytes;
    (offset / 4..end.div_ceil(4))
        .map(move |word| (word, (word * 4).max(offset) - word * 4, (word * 4 + 4).min(end) - word * 4))
}

enum Window {
    Live(Region),
    Freed(usize),
}

/// All windows. Windows are never used again, so that a pointer into a freed buffer is always found out.
#[derive(Default)]
pub struct GlobalMemory {
    windows: Vec<Window>,
}

impl GlobalMemory {
    /// A new allocation, its bytes not yet written; returns its address.
    pub fn alloc(&mut self, bytes: usize, constant: bool) -> u64 {
        self.windows.push(Window::Live(Region::new(bytes, constant)));
        (FIRST_WINDOW + self.windows.len() as u64 - 1) << WINDOW_BITS
    }

    /// Frees the allocation at `address`; returns its size, or nothing if there is none.
    pub fn free(&mut self, address: u64) -> Option<usize> {
        let at = (address >> WINDOW_BITS).checked_sub(FIRST_WINDOW)?;
        let window = self.windows.get_mut(at as usize)?;
        let Window::Live(region) = window else { return None };
        let bytes = region.bytes;
        *window = Window::Freed(bytes);
        Some(bytes)
    }

    /// The region and offset of an access of `bytes` bytes at `address`, aligned to them.
    pub fn find(&self, address: u64, bytes: usize, aligned: usize) -> Result<(&Region, usize), Refusal> {
        let at = (address >> WINDOW_BITS).wrapping_sub(FIRST_WINDOW) as usize;
        let offset = (address & ((1 << WINDOW_BITS) - 1)) as usize;
        match self.windows.get(at) {
            Some(Window::Live(region))
                if offset + bytes <= region.bytes && offset.is_multiple_of(aligned) =>
            {
                Ok((region, offset))
            }
            window => refuse(misplaced(window, address, offset, bytes, aligned)),
        }
    }

    /// Copies in, as an operation of the host. All bytes count as written.
    pub fn write(&self, address: u64, bytes: &[u8], operation: Operation) -> Result<(), Refusal> {
        let (region, offset) = self.find(address, bytes.len(), 1)?;
        for (word, first, last) in words(offset, bytes.len()) {
            let old = region.check_unused(word, operation)? & 0xf;
            let from = &bytes[word * 4 + first - offset..word * 4 + last - offset];
            match <[u8; 4]>::try_from(from) {
                Ok(whole) => region.store(word * 4, 4, u64::from(u32::from_le_bytes(whole))),
                Err(_) => {
                    for (at, &byte) in from.iter().enumerate() {
                        region.store(word * 4 + first + at, 1, u64::from(byte));
                    }
                }
            }
            let bits = (1u64 << last) - (1u64 << first);
            region.shadow[word].store(old | bits | u64::from(operation.number) << 4, Relaxed);
        }
        Ok(())
    }

    /// Copies out, as the host does; bytes that nothing has written are refused.
    pub fn read(&self, address: u64, bytes: &mut [u8], operation: Operation) -> Result<(), Refusal> {
        let (region, offset) = self.find(address, bytes.len(), 1)?;
        for (word, first, last) in words(offset, bytes.len()) {
            let bits = (1u64 << last) - (1u64 << first);
            region.check_stored(word, bits, operation)?;
            for at in word * 4 + first..word * 4 + last {
                bytes[at - offset] = region.load(at, 1) as u8;
            }
        }
        Ok(())
    }

    /// Forgets who wrote and read what, before numbers of operations start again.
    pub fn forget(&self) {
        for window in &self.windows {
            if let Window::Live(region) = window {
                for cell in &region.shadow {
                    cell.store(cell.load(Relaxed) & 0xf, Relaxed);
                }
                for cell in &region.readers {
                    cell.store(0, Relaxed);
                }
            }
        }
    }
}

fn misplaced(window: Option<&Window>, address: u64, offset: usize, bytes: usize, aligned: usize) -> String {
    match window {
        None => format!("address {address:#x} belongs to no buffer"),
        Some(Window::Freed(size)) => format!("offset {offset} of a buffer of {size} bytes that was freed"),
        Some(Window::Live(region)) if offset + bytes > region.bytes => {
            let signed = if offset >> (WINDOW_BITS - 1) == 0 {
                offset as i64
            } else {
                offset as i64 - (1 << WINDOW_BITS)
            };
            format!("{bytes} bytes at offset {signed} of a buffer of {} bytes: out of bounds", region.bytes)
        }
        Some(Window::Live(_)) => format!("offset {offset} is not aligned to the access of {aligned} bytes"),
    }
}
