//! Chooses window, multiples of the bases and chunk of an MSM for a size and a budget of device memory, and lays out its
//! work space. A pure function of numbers; it never plans more bytes than it was given.

/// Threads per block of every MSM kernel; as in `msm.cuh`.
pub const BLOCK: u32 = 128;
/// Counters each block of the scan takes; as in `msm.cuh`.
pub const SCAN_BLOCK: u32 = 256 * 8;
/// Partial sums one thread merges. Each level leaves 2 / MERGE of them; 8 minimises additions in a row,
/// MERGE log(count) / log(MERGE / 2). Not measured on a device.
pub const MERGE: u32 = 8;
/// Fewest entries worth a thread of their own: each thread leaves two partial sums. Not measured on a device.
pub const LEAST: u32 = 16;
/// Bytes of shared memory of a block of the reduction, which keeps two sums per thread there: one third of what every
/// block may have, so that a multiprocessor holds several. Not measured on a device.
const REDUCE_SHARED: u64 = 32 << 10;
/// Bits a digit decomposition must cover: a scalar or its negative is below 2^253, one more takes the last carry.
const BITS: u32 = 254;
/// Windows considered. Wider ones need more than 2^22 buckets per group.
const WINDOWS: std::ops::RangeInclusive<u32> = 3..=23;
/// Multiples of each base considered.
const FACTORS: [u32; 6] = [1, 2, 3, 4, 6, 8];
/// Fewest scalars per chunk.
const LEAST_CHUNK: usize = 256;
/// Entries carry 31 bits of index.
const INDICES: u64 = 1 << 31;
/// Regions of the work space start at multiples of this.
const ALIGN: u64 = 256;

/// What a plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Number of bases.
    pub points: usize,
    /// Bytes of an affine point; a sum takes twice as many.
    pub point_bytes: u64,
    /// Multiprocessors of the device.
    pub multiprocessors: u32,
    /// Threads of the accumulation that run at once on each.
    pub resident_threads: u32,
}

/// How the bases lie on the device; fixed at upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Bits of a window, if multiples tie the plan to it.
    pub window: u32,
    /// Multiples kept of each base, 1 for the bases alone; 0 if they are streamed from the host in each MSM.
    pub factor: u32,
}

/// A region of the work space: offset and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Region {
    /// Where it starts.
    pub offset: usize,
    /// How long it is.
    pub bytes: usize,
}

/// The work space of one MSM, one allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layout {
    /// Scalars of a chunk, twice if there are several chunks.
    pub scalars: [Region; 2],
    /// Bases of a chunk, if they are streamed.
    pub bases: [Region; 2],
    /// Sorted entries, 4 bytes each.
    pub entries: Region,
    /// A counter per bucket.
    pub counts: Region,
    /// Sums of counters per block of the scan.
    pub scan: Region,
    /// A sum per bucket.
    pub buckets: Region,
    /// Keys of partial sums, of two levels in turn.
    pub partial_keys: [Region; 2],
    /// Partial sums of two levels in turn.
    pub partials: [Region; 2],
    /// What the host gets: a sum per block of the reduction.
    pub sums: Region,
    /// Bytes in all.
    pub bytes: u64,
}

/// All that is decided about an MSM before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Bits of a signed digit, c.
    pub window: u32,
    /// Digits of a scalar.
    pub windows: u32,
    /// How the bases lie on the device.
    pub table: Table,
    /// Sets of 2^(c-1) buckets: windows that no multiple can merge.
    pub groups: u32,
    /// Scalars per chunk.
    pub chunk: usize,
    /// Chunks.
    pub chunks: usize,
    /// Segments, a thread each, into which a chunk's entries are cut.
    pub segments: u32,
    /// Neighbouring buckets one thread reduces.
    pub reduce_each: u32,
    /// Threads per block of the reduction, a power of two.
    pub reduce_block: u32,
    /// Blocks of the reduction per group.
    pub reduce_blocks: u32,
    /// The work space.
    pub layout: Layout,
    /// Bytes of resident bases and their multiples.
    pub table_bytes: u64,
}

impl Plan {
    /// Device memory in all.
    pub fn bytes(&self) -> u64 {
        self.table_bytes + self.layout.bytes
    }
    /// Buckets of a group.
    pub fn per_group(&self) -> u32 {
        1 << (self.window - 1)
    }
    /// Buckets in all.
    pub fn buckets(&self) -> u32 {
        self.groups << (self.window - 1)
    }
    /// Doublings between a multiple of a base and the next.
    pub fn doublings(&self) -> u32 {
        self.window * self.groups
    }

    /// What the plan costs in field multiplications, by count of operations. A ranking of plans, not a time:
    /// the weights of sorting and of transfers were not measured on a device.
    fn cost(&self, size: &Size) -> f64 {
        let (windows, c) = (f64::from(self.windows), f64::from(self.window));
        let points = size.points as f64;
        // A mixed addition takes 10, a full one 14, a doubling 9; sorting an entry is counted as 2.
        let entries = points * windows * 12.0;
        let per_bucket = 28.0 + (c * 9.0 + c * 7.0) / f64::from(self.reduce_each);
        // The levels of merging run one after the other, each as long as its MERGE additions.
        let merging = f64::from(self.segments) * 2.0 * 14.0 * 4.0 / 3.0;
        // The device is not full below this many threads, so short plans cost at least their depth.
        let width = f64::from(size.multiprocessors * size.resident_threads);
        let depth = width * (f64::from(2 * self.reduce_each) * 14.0 + c * 16.0 + 64.0 * 14.0);
        let chunk = f64::from(self.buckets()) * per_bucket + merging + depth;
        let transfer = if self.table.factor == 0 { points * size.point_bytes as f64 * 4.0 } else { 0.0 };
        entries + self.chunks as f64 * chunk + transfer
    }
}

/// The cheapest plan within `budget` bytes, or none. `table` fixes what was decided at upload.
pub fn plan(size: &Size, budget: u64, table: Option<Table>) -> Option<Plan> {
    let tables: Vec<Table> = match table {
        Some(table) if table.factor > 1 => vec![table],
        Some(table) => WINDOWS.map(|window| Table { window, ..table }).collect(),
        None => std::iter::once(0)
            .chain(FACTORS)
            .flat_map(|factor| WINDOWS.map(move |window| Table { window, factor }))
            .collect(),
    };
    let mut best: Option<(f64, Plan)> = None;
    for table in tables {
        let mut chunk = size.points.max(1);
        loop {
            if let Some(plan) = candidate(size, table, chunk).filter(|plan| plan.bytes() <= budget) {
                let cost = plan.cost(size);
                if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    best = Some((cost, plan));
                }
                break; // Smaller chunks of the same table only cost more.
            }
            if chunk <= LEAST_CHUNK {
                break;
            }
            chunk = chunk.div_ceil(2).max(LEAST_CHUNK);
        }
    }
    best.map(|(_, plan)| plan)
}

/// The fewest bytes any plan for this size needs.
pub fn least_bytes(size: &Size, table: Option<Table>) -> u64 {
    let factor = table.map_or(0, |t| t.factor);
    let windows = match table {
        Some(table) if factor > 1 => table.window..=table.window,
        _ => WINDOWS,
    };
    let chunk = size.points.clamp(1, LEAST_CHUNK);
    let bytes =
        windows.filter_map(|window| candidate(size, Table { window, factor }, chunk)).map(|p| p.bytes());
    bytes.min().unwrap_or(u64::MAX)
}

/// The plan for a table and a chunk, unless its indices exceed what an entry holds.
fn candidate(size: &Size, table: Table, chunk: usize) -> Option<Plan> {
    let windows = BITS.div_ceil(table.window);
    if table.factor > windows {
        return None;
    }
    let groups = windows.div_ceil(table.factor.max(1));
    let entries = chunk as u64 * u64::from(windows);
    if entries >= INDICES || size.points as u64 * u64::from(table.factor) >= INDICES {
        return None;
    }
    let width = size.multiprocessors.max(1) * size.resident_threads;
    let segments = entries.div_ceil(LEAST.into()).min(width.into()) as u32;
    let per_group = 1u32 << (table.window - 1);
    let reduce_each = (groups * per_group / width).clamp(4, 32).min(per_group);
    let threads = per_group.div_ceil(reduce_each);
    let reduce_block = threads.next_power_of_two().min((REDUCE_SHARED / (4 * size.point_bytes)) as u32);
    let mut plan = Plan {
        window: table.window,
        windows,
        table,
        groups,
        chunk,
        chunks: size.points.max(1).div_ceil(chunk),
        segments,
        reduce_each,
        reduce_block,
        reduce_blocks: threads.div_ceil(reduce_block),
        layout: Layout::default(),
        table_bytes: size.points as u64 * u64::from(table.factor) * size.point_bytes,
    };
    plan.layout = layout(size, &plan);
    Some(plan)
}

fn layout(size: &Size, plan: &Plan) -> Layout {
    let mut bytes = 0u64;
    let mut region = |length: u64| {
        let offset = bytes;
        bytes += length.next_multiple_of(ALIGN);
        Region { offset: offset as usize, bytes: length as usize }
    };
    let (chunk, buckets, sum) = (plan.chunk as u64, u64::from(plan.buckets()), 2 * size.point_bytes);
    let twice = plan.chunks > 1;
    let mut pair = |length: u64| {
        let first = region(length);
        [first, if twice { region(length) } else { first }]
    };
    let scalars = pair(chunk * 32);
    let bases = pair(if plan.table.factor == 0 { chunk * size.point_bytes } else { 0 });
    let levels = [2 * u64::from(plan.segments), 2 * u64::from((2 * plan.segments).div_ceil(MERGE))];
    let mut out = Layout {
        scalars,
        bases,
        entries: region(chunk * u64::from(plan.windows) * 4),
        counts: region(buckets * 4),
        scan: region(buckets.div_ceil(SCAN_BLOCK.into()) * 4),
        buckets: region(buckets * sum),
        partial_keys: levels.map(|count| region(count * 4)),
        partials: levels.map(|count| region(count * sum)),
        sums: region(u64::from(plan.groups * plan.reduce_blocks) * sum),
        bytes: 0,
    };
    out.bytes = bytes;
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(points: usize, point_bytes: u64, multiprocessors: u32) -> Size {
        Size { points, point_bytes, multiprocessors, resident_threads: 512 }
    }

    #[test]
    fn no_plan_exceeds_its_budget_and_less_memory_never_gives_a_cheaper_one() {
        for log in 0..=27 {
            for point_bytes in [64, 128] {
                for multiprocessors in [1, 132] {
                    let size = size((1 << log) + log, point_bytes, multiprocessors);
                    let mut last = f64::INFINITY;
                    for log_budget in 14..40 {
                        let budget = (1u64 << log_budget) + 12_345;
                        let Some(plan) = plan(&size, budget, None) else {
                            assert!(last.is_infinite(), "more memory lost the plan");
                            assert!(least_bytes(&size, None) > budget);
                            continue;
                        };
                        assert!(plan.bytes() <= budget, "{plan:?}");
                        assert!(plan.cost(&size) <= last);
                        assert!(plan.chunk * plan.chunks >= size.points);
                        assert!(plan.windows * plan.window >= BITS);
                        assert!(plan.groups * plan.table.factor.max(1) >= plan.windows);
                        last = plan.cost(&size);
                    }
                    assert!(last.is_finite(), "a terabyte did not suffice");
                }
            }
        }
    }

    #[test]
    fn regions_do_not_overlap_and_end_within_the_work_space() {
        for (log, budget) in [(4, 1 << 20), (12, 1 << 20), (12, 1 << 30), (20, 1 << 26), (22, 1 << 34)] {
            let size = size(1 << log, 128, 16);
            let plan = plan(&size, budget, None).unwrap();
            let l = plan.layout;
            let mut regions = vec![l.entries, l.counts, l.scan, l.buckets, l.sums];
            regions.extend([l.partial_keys, l.partials].concat());
            let take = if plan.chunks > 1 { 2 } else { 1 };
            regions.extend(l.scalars.iter().take(take).chain(l.bases.iter().take(take)));
            regions.sort_by_key(|r| (r.offset, r.bytes));
            for pair in regions.windows(2) {
                assert!(pair[0].offset + pair[0].bytes <= pair[1].offset, "{plan:?}");
            }
            assert!(regions.iter().all(|r| (r.offset + r.bytes) as u64 <= l.bytes && r.offset % 256 == 0));
        }
    }

    #[test]
    fn memory_decides_between_multiples_bases_alone_and_streaming() {
        let size = size(1 << 20, 64, 132);
        let bases = (1u64 << 20) * 64;
        let ample = plan(&size, 64 * bases, None).unwrap();
        assert!(ample.table.factor > 1 && ample.chunks == 1);
        let tight = plan(&size, bases * 3, None).unwrap();
        assert_eq!(tight.table.factor, 1);
        let scarce = plan(&size, bases / 2, None).unwrap();
        assert!(scarce.table.factor == 0 && scarce.chunks > 1);
    }

    #[test]
    fn a_fixed_table_stays() {
        let size = size(1 << 16, 64, 132);
        let free = plan(&size, 1 << 34, None).unwrap();
        assert!(free.table.factor > 1);
        let least = plan(&size, least_bytes(&size, Some(free.table)), Some(free.table)).unwrap();
        assert_eq!(least.table, free.table);
        assert!(least.chunks > 1 && least.bytes() < free.bytes());
        assert_eq!(plan(&size, least_bytes(&size, Some(free.table)) - 1, Some(free.table)), None);
    }

    #[test]
    fn indices_never_outgrow_an_entry() {
        let size = size(1 << 30, 64, 132);
        let plan = plan(&size, 1 << 50, None).unwrap();
        assert!(plan.chunk as u64 * u64::from(plan.windows) < INDICES);
        assert!(size.points as u64 * u64::from(plan.table.factor) < INDICES);
    }
}
