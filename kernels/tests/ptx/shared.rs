//! A block's shared memory and a thread's local memory, with their checks. Shared memory is where a missing barrier
//! hides: every word knows who touched it since the last barrier.

use super::code::Order;
use super::memory::{Refusal, refuse};

/// What is known of four bytes of shared memory.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    /// The epoch the rest was noted in; older notes are void, but for `written`.
    epoch: u32,
    /// Thread plus one, or [`MANY`].
    writer: u16,
    writer_phase: u16,
    /// Thread plus one, [`WARP`] plus a warp, or [`MANY`].
    reader: u16,
    reader_phase: u16,
    /// One bit per byte.
    written: u8,
    /// Whether the last write was atomic.
    atomic: bool,
}

const WARP: u16 = 0x4000;
const MANY: u16 = 0x8000;

/// Who touches shared memory: thread of the block, its warp's count of `bar.warp.sync`, the block's count of barriers.
#[derive(Debug, Clone, Copy)]
pub struct Toucher {
    pub thread: u16,
    pub phase: u16,
    pub epoch: u32,
}

impl Toucher {
    /// Whether a touch noted as (`who`, `phase`) in this epoch was by another thread and is unordered to this one.
    fn unordered(self, who: u16, phase: u16) -> bool {
        let same_warp = match who {
            0 => return false,
            MANY => false,
            _ if who >= WARP => who - WARP == self.thread / 32,
            _ if who == self.thread + 1 => return false,
            _ => (who - 1) / 32 == self.thread / 32,
        };
        !(same_warp && phase != self.phase)
    }
}

/// Shared memory of one block.
#[derive(Debug, Default)]
pub struct SharedMemory {
    data: Vec<u8>,
    cells: Vec<Cell>,
}

fn name(who: u16) -> String {
    match who {
        MANY => "several threads".into(),
        _ if who >= WARP => format!("warp {}", who - WARP),
        _ => format!("thread {}", who - 1),
    }
}

impl SharedMemory {
    /// Makes it `bytes` large and forgets what it held.
    pub fn reset(&mut self, bytes: usize) {
        self.data.resize(bytes, 0);
        self.cells.clear();
        self.cells.resize(bytes.div_ceil(4), Cell::default());
    }

    /// Checks bounds and alignment; returns the offset.
    pub fn find(&self, address: u64, bytes: usize) -> Result<usize, Refusal> {
        let offset = address as usize;
        if address >= 1 << 32 || offset + bytes > self.data.len() {
            let size = self.data.len();
            return refuse(format!(
                "{bytes} bytes at offset {} of {size} bytes of shared memory",
                address as i32
            ));
        }
        if !offset.is_multiple_of(bytes) {
            return refuse(format!("shared offset {offset} is not aligned to the access of {bytes} bytes"));
        }
        Ok(offset)
    }

    pub fn load(&self, offset: usize, width: u32) -> u64 {
        load(&self.data, offset, width)
    }

    pub fn store(&mut self, offset: usize, width: u32, value: u64) {
        store(&mut self.data, offset, width, value);
    }

    /// Checks a read and takes note of it.
    pub fn check_read(
        &mut self,
        offset: usize,
        width: u32,
        order: Order,
        who: Toucher,
    ) -> Result<(), Refusal> {
        let (bits, words) = touched(offset, width);
        for (at, cell) in self.cells[offset / 4..].iter_mut().take(words).enumerate() {
            let place = (offset / 4 + at) * 4;
            if cell.written & bits != bits {
                return refuse(format!("reads shared bytes at offset {place} that nothing has written"));
            }
            // Narrow accesses of several threads may lie in one word without meeting: they are not judged.
            if width < 4 {
                continue;
            }
            if cell.epoch != who.epoch {
                *cell = Cell { epoch: who.epoch, written: cell.written, ..Cell::default() };
            }
            let strong = order == Order::Strong && cell.atomic;
            if !strong && who.unordered(cell.writer, cell.writer_phase) {
                let other = name(cell.writer);
                return refuse(format!(
                    "races: reads shared offset {place}, written by {other} since the last barrier"
                ));
            }
            if order != Order::Strong {
                let own_warp = WARP + who.thread / 32;
                cell.reader = match cell.reader {
                    0 => who.thread + 1,
                    same if same == who.thread + 1 || same == own_warp => same,
                    MANY => MANY,
                    other if other < WARP && (other - 1) / 32 == who.thread / 32 => own_warp,
                    _ => MANY,
                };
                cell.reader_phase = who.phase;
            }
        }
        Ok(())
    }

    /// Checks a write and takes note of it. `Strong` is for atomics and volatile stores, which may meet each other.
    pub fn check_write(
        &mut self,
        offset: usize,
        width: u32,
        order: Order,
        who: Toucher,
    ) -> Result<(), Refusal> {
        let (bits, words) = touched(offset, width);
        let strong = order == Order::Strong;
        for (at, cell) in self.cells[offset / 4..].iter_mut().take(words).enumerate() {
            let place = (offset / 4 + at) * 4;
            cell.written |= bits;
            if width < 4 {
                continue;
            }
            if cell.epoch != who.epoch {
                *cell = Cell { epoch: who.epoch, written: cell.written, ..Cell::default() };
            }
            if !(strong && cell.atomic) && who.unordered(cell.writer, cell.writer_phase) {
                let other = name(cell.writer);
                return refuse(format!(
                    "races: writes shared offset {place}, written by {other} since the last barrier"
                ));
            }
            if who.unordered(cell.reader, cell.reader_phase) {
                let other = name(cell.reader);
                return refuse(format!(
                    "races: writes shared offset {place}, read by {other} since the last barrier"
                ));
            }
            let shared_atomic = strong && cell.atomic && cell.writer != 0 && cell.writer != who.thread + 1;
            cell.writer = if shared_atomic { MANY } else { who.thread + 1 };
            cell.writer_phase = who.phase;
            cell.atomic = strong;
        }
        Ok(())
    }
}

fn touched(offset: usize, width: u32) -> (u8, usize) {
    if width >= 4 { (0xf, (width / 4) as usize) } else { (((1 << width) - 1) << (offset & 3), 1) }
}

fn load(data: &[u8], offset: usize, width: u32) -> u64 {
    let bytes = &data[offset..];
    match width {
        1 => u64::from(bytes[0]),
        2 => u64::from(u16::from_le_bytes([bytes[0], bytes[1]])),
        4 => u64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
        _ => u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")),
    }
}

fn store(data: &mut [u8], offset: usize, width: u32, value: u64) {
    data[offset..offset + width as usize].copy_from_slice(&value.to_le_bytes()[..width as usize]);
}

/// Local memory of one thread: the frames of the functions it is in.
#[derive(Debug, Default, Clone)]
pub struct LocalMemory {
    data: Vec<u8>,
    written: Vec<bool>,
}

impl LocalMemory {
    /// Sets its size; what is new holds nothing yet.
    pub fn resize(&mut self, bytes: usize) {
        self.data.resize(bytes, 0);
        self.written.resize(bytes, false);
    }

    /// Bytes in use.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Checks bounds and alignment; returns the offset.
    pub fn find(&self, address: u64, bytes: usize) -> Result<usize, Refusal> {
        let offset = address as usize;
        if address >= 1 << 32 || offset + bytes > self.data.len() {
            let size = self.data.len();
            return refuse(format!(
                "{bytes} bytes at offset {} of {size} bytes of local memory",
                address as i64
            ));
        }
        if !offset.is_multiple_of(bytes) {
            return refuse(format!("local offset {offset} is not aligned to the access of {bytes} bytes"));
        }
        Ok(offset)
    }

    pub fn load(&self, offset: usize, width: u32) -> Result<u64, Refusal> {
        if self.written[offset..offset + width as usize].contains(&false) {
            return refuse(format!("reads local bytes at offset {offset} that nothing has written"));
        }
        Ok(load(&self.data, offset, width))
    }

    pub fn store(&mut self, offset: usize, width: u32, value: u64) {
        self.written[offset..offset + width as usize].fill(true);
        store(&mut self.data, offset, width, value);
    }
}
