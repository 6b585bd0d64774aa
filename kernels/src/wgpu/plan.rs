//! The plan of an MSM: window width, points per piece and list sizes, from the number of points, the memory left and
//! the adapter's limits. Nothing here touches a device, so every plan can be checked without one.

use super::BACKEND;
use super::vectors::ELEMENT;
use crate::error::KernelError;

/// Bits of a scalar and one more, so that the carry out of the highest digit is zero.
const SCALAR_BITS: u32 = 255;
/// Windows considered. Beyond 16 bits emptying the buckets costs more than it saves at sizes that fit a buffer.
const WINDOWS: std::ops::RangeInclusive<u32> = 4..=16;
/// Entries per segment of the sorted list, least and most. Fewer mean more partial sums, more mean fewer threads.
/// Not measured on a GPU.
const SEGMENT: (u64, u64) = (16, 64);
/// Segments that keep a device busy, towards which the segment length is chosen. Not measured on a GPU.
const BUSY: u64 = 1 << 17;
/// Partial sums per segment at later levels: short, since few threads are left and their latency adds up.
/// Not measured on a GPU.
pub const PARTIAL_SEGMENT: u64 = 8;
/// log2 of the chunks over which the bucket reduction is spread where there are enough buckets, and of the least buckets
/// per chunk. Not measured on a GPU.
const LOG_CHUNKS: u32 = 15;
const LOG_CHUNK_LEAST: u32 = 3;
/// Field multiplications of an addition of an affine point, and of two XYZZ points.
const AFFINE_COST: u64 = 10;
const FULL_COST: u64 = 14;
/// What a piece costs beside its additions (launches, the latency of the last levels), in multiplications on an idle
/// device. Not measured on a GPU.
const PIECE_COST: u64 = 1 << 16;

/// Pieces whose window sums are kept on the device before they are fetched, so that the device need not wait for the
/// host after each.
const KEPT: u64 = 8;

/// Bytes of bases in a piece at most: graphics drivers reset a device that works on one dispatch for seconds, and the
/// longest dispatch is over a piece. Not measured on a GPU.
const LONGEST: u64 = 64 << 20;

/// Where an MSM has to fit.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Bytes left for all buffers.
    pub bytes: u64,
    /// Bytes of the largest buffer.
    pub buffer: u64,
}

/// Sizes of the points involved, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// An affine base.
    pub base: u64,
    /// A point in XYZZ coordinates.
    pub sum: u64,
    /// Whether some bases are not resident, so that pieces of them need a buffer.
    pub streamed: bool,
}

/// A plan for one piece of an MSM; pieces are run one after the other in the same buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Bits per window.
    pub c: u32,
    /// Number of windows.
    pub windows: u32,
    /// Points per piece at most.
    pub piece: u64,
    /// Entries per segment at the first level.
    pub segment: u64,
    /// log2 of the buckets per chunk of the bucket reduction.
    pub log_chunk: u32,
}

impl Plan {
    fn new(c: u32, piece: u64) -> Self {
        let windows = SCALAR_BITS.div_ceil(c);
        let segment = (piece * u64::from(windows) / BUSY).clamp(SEGMENT.0, SEGMENT.1);
        let log_buckets = (u64::from(windows) << (c - 1)).ilog2();
        let log_chunk = log_buckets.saturating_sub(LOG_CHUNKS).max(LOG_CHUNK_LEAST).min(c - 1);
        Self { c, windows, piece, segment, log_chunk }
    }

    /// Buckets of all windows.
    pub fn buckets(&self) -> u64 {
        u64::from(self.windows) << (self.c - 1)
    }

    /// Chunks of the bucket reduction.
    pub fn chunks(&self) -> u64 {
        self.buckets() >> self.log_chunk
    }

    /// Entries of the sorted list at most.
    pub fn entries(&self) -> u64 {
        self.piece * u64::from(self.windows)
    }

    /// Places in the two lists of partial sums: the first takes what the first level or the bucket reduction leaves, the
    /// second what is left of that, and so on in turn.
    pub fn partials(&self) -> [u64; 2] {
        let first = (2 * self.entries().div_ceil(self.segment)).max(self.chunks());
        [first, 2 * first.div_ceil(PARTIAL_SEGMENT)]
    }

    /// Pieces whose window sums are fetched together, of `pieces` in all; no more than an eighth of the buckets' memory.
    pub fn kept(&self, pieces: u64) -> u64 {
        pieces.min(KEPT).min((1 << (self.c - 1)) / 8).max(1)
    }

    /// Bytes of every buffer of `pieces` pieces.
    fn buffers(&self, shape: &Shape, pieces: u64) -> Vec<u64> {
        let [first, second] = self.partials();
        let mut list = vec![self.piece * ELEMENT, self.entries() * 4, self.entries() * 4];
        // The prefix sums over blocks of 1024 take less than another 1 / 512.
        list.extend([self.buckets() * 4 + self.buckets() / 128 + 64, self.buckets() * shape.sum]);
        list.extend([first * 4, first * shape.sum, second * 4, second * shape.sum]);
        // The results twice: once on the device, once on their way back.
        let results = self.kept(pieces) * u64::from(self.windows) * shape.sum;
        list.extend([results, results]);
        if shape.streamed {
            list.push(self.piece * shape.base);
        }
        list
    }

    /// Bytes of all buffers of an MSM whose longest part has `n` points.
    pub fn bytes(&self, shape: &Shape, n: u64) -> u64 {
        self.buffers(shape, n.div_ceil(self.piece)).iter().sum()
    }

    fn cost(&self, pieces: u64) -> u64 {
        let low_bits = u64::from(self.c - 1 - self.log_chunk);
        let reduction = 2 * self.buckets() + 3 * self.chunks() * low_bits / 2;
        pieces * (self.entries() * AFFINE_COST + reduction * FULL_COST + PIECE_COST)
    }

    /// The cheapest plan for `n > 0` points that fits.
    ///
    /// # Errors
    /// [`KernelError::OutOfDeviceMemory`] if not even the smallest does.
    pub fn choose(n: u64, shape: &Shape, room: Room) -> Result<Self, KernelError> {
        let mut best: Option<(u64, Plan)> = None;
        // Of all plans, the least total and the least size of the largest buffer.
        let (mut least, mut narrowest) = (u64::MAX, u64::MAX);
        let mut pieces = (n * shape.base).div_ceil(LONGEST).max(1);
        loop {
            let piece = n.div_ceil(pieces);
            for plan in WINDOWS.map(|c| Plan::new(c, piece)) {
                let buffers = plan.buffers(shape, pieces);
                let total: u64 = buffers.iter().sum();
                let largest = buffers.into_iter().max().unwrap_or(0);
                (least, narrowest) = (least.min(total), narrowest.min(largest));
                let fits = total <= room.bytes && largest <= room.buffer;
                if fits && best.is_none_or(|(cost, _)| plan.cost(pieces) < cost) {
                    best = Some((plan.cost(pieces), plan));
                }
            }
            if piece == 1 {
                break;
            }
            pieces *= 2;
        }
        let (needed, available) =
            if narrowest > room.buffer { (narrowest, room.buffer) } else { (least, room.bytes) };
        best.map(|(_, plan)| plan).ok_or(KernelError::OutOfDeviceMemory {
            backend: BACKEND,
            needed,
            available,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const G1: Shape = Shape { base: 64, sum: 128, streamed: false };
    const G2: Shape = Shape { base: 128, sum: 256, streamed: true };

    #[test]
    fn plans_fit_their_room_and_cover_every_scalar() {
        for log in 0..28 {
            for n in [1u64 << log, (1 << log) + 1, (3 << log) / 2 + 1] {
                for shape in [G1, G2] {
                    for bytes in [1 << 20, 64 << 20, 4 << 30, 64 << 30] {
                        let room = Room { bytes, buffer: 128 << 20 };
                        let plan = Plan::choose(n, &shape, room).unwrap();
                        let buffers = plan.buffers(&shape, n.div_ceil(plan.piece));
                        assert!(buffers.iter().sum::<u64>() <= bytes, "{n}, {shape:?}: {plan:?}");
                        assert!(buffers.iter().all(|&b| b <= room.buffer), "{n}, {shape:?}: {plan:?}");
                        assert!(plan.piece * shape.base <= LONGEST && plan.piece > 0);
                        assert!(plan.c * plan.windows >= SCALAR_BITS);
                        // Keys, counts and entries are 32-bit words; chunks do not cross windows.
                        assert!(plan.entries() < 1 << 31 && plan.buckets() < 1 << 31);
                        assert!(plan.log_chunk < plan.c);
                    }
                }
            }
        }
    }

    #[test]
    fn less_memory_means_smaller_pieces_and_in_the_end_an_error() {
        let mut last = u64::MAX;
        let mut bytes = 1 << 30;
        loop {
            match Plan::choose(1 << 20, &G1, Room { bytes, buffer: 1 << 30 }) {
                Ok(plan) => {
                    assert!(plan.piece <= last, "{bytes} bytes: {plan:?} after {last}");
                    last = plan.piece;
                }
                Err(KernelError::OutOfDeviceMemory { needed, available, .. }) => {
                    assert!(needed > available && available == bytes);
                    assert!(last < 1 << 12, "an error already after pieces of {last}");
                    return;
                }
                Err(other) => panic!("{other:?}"),
            }
            bytes /= 2;
        }
    }
}
