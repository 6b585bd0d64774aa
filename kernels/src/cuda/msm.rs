//! The host's side of MSM on a CUDA device: bases made resident, and the order of copies and kernels of one MSM.
//! Written over [`Device`]; it never reads what a kernel has not finished, and knows sums only in affine form.
//!
//! The kernels are in `kernels/cuda/msm.cuh`, the method is described in `docs/kernels.md`.

pub mod plan;

use super::device::{Arg, Buffer, SharedDevice, Stream};
use crate::backend::SharedPoints;
use crate::error::KernelError;
use crate::point::CurvePoint;
use ff::{BatchInvert, Field};
use group::Group;
use halo2curves::bn256::{Fq, Fq2, Fr, G1Affine, G2Affine};
use plan::{BLOCK, LEAST, MERGE, Plan, Region, SCAN_BLOCK, Size};

/// The backend's name in errors.
const BACKEND: &str = "cuda";
/// Scalars uploaded at a time before the first chunk is counted: copies overlap with counting.
/// Not measured on a device.
const PIECE: usize = 1 << 17;

/// A group whose kernels exist on the device.
pub trait DevicePoint: CurvePoint<Raw: bytemuck::Pod> {
    /// What its kernels' names end in.
    const SUFFIX: &'static str;
    /// Threads of the accumulation kernel one multiprocessor holds, by its registers.
    const RESIDENT_THREADS: u32;
    /// A coordinate from its Montgomery limbs.
    fn coordinate(limbs: &[u64]) -> Self::Base;
}

fn fq(limbs: &[u64]) -> Fq {
    Fq([limbs[0], limbs[1], limbs[2], limbs[3]])
}

impl DevicePoint for G1Affine {
    const SUFFIX: &'static str = "g1";
    // At most 128 registers by its launch bounds.
    const RESIDENT_THREADS: u32 = 512;
    fn coordinate(limbs: &[u64]) -> Fq {
        fq(limbs)
    }
}

impl DevicePoint for G2Affine {
    const SUFFIX: &'static str = "g2";
    // At most 255 registers.
    const RESIDENT_THREADS: u32 = 256;
    fn coordinate(limbs: &[u64]) -> Fq2 {
        Fq2::new(fq(limbs), fq(&limbs[4..]))
    }
}

/// Bases of an MSM on the device, with as many multiples as memory allowed; or, if not even the bases fit, the host's
/// points, streamed in each MSM.
pub struct Resident<P: DevicePoint> {
    device: SharedDevice,
    len: usize,
    plan: Plan,
    bases: Bases<P>,
}

enum Bases<P: DevicePoint> {
    Table(Buffer),
    Host(SharedPoints<P::Raw>),
}

impl<P: DevicePoint> Resident<P> {
    /// Makes points resident within `budget` bytes of device memory, which must cover the bases and, during each
    /// MSM, its work space; [`Resident::table_bytes`] says what stays occupied between MSMs.
    ///
    /// # Errors
    /// [`KernelError::OutOfDeviceMemory`] if not even the smallest chunk fits, [`KernelError::TooManyPoints`], and
    /// what the device reports.
    pub fn upload(
        device: SharedDevice,
        points: SharedPoints<P::Raw>,
        budget: u64,
    ) -> Result<Self, KernelError> {
        let len = (*points).as_ref().len();
        let size = Self::size(&device, len);
        if len >= 1 << 31 {
            return Err(KernelError::TooManyPoints { got: len, max: (1 << 31) - 1 });
        }
        let mut limit = budget;
        loop {
            let plan = plan::plan(&size, limit, None).ok_or_else(|| KernelError::OutOfDeviceMemory {
                backend: BACKEND,
                needed: plan::least_bytes(&size, None),
                available: limit,
            })?;
            match reserve(&device, &plan) {
                Ok(None) => return Ok(Self { device, len, plan, bases: Bases::Host(points) }),
                Ok(Some(table)) => {
                    fill::<P>(&device, &plan, &table, (*points).as_ref())?;
                    return Ok(Self { device, len, plan, bases: Bases::Table(table) });
                }
                Err(KernelError::OutOfDeviceMemory { .. }) => limit = plan.bytes() - 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of device memory occupied between MSMs.
    pub fn table_bytes(&self) -> u64 {
        match &self.bases {
            Bases::Table(table) => table.bytes() as u64,
            Bases::Host(_) => 0,
        }
    }

    /// The plan chosen at upload.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// `sum scalars[i] * points[i]`.
    ///
    /// # Errors
    /// [`KernelError::LengthMismatch`]; [`KernelError::OutOfDeviceMemory`] if not even the smallest plan finds work
    /// space; what the device reports.
    pub fn msm(&self, scalars: &[Fr]) -> Result<P::Curve, KernelError> {
        if scalars.len() != self.len {
            return Err(KernelError::LengthMismatch {
                what: "scalars against bases",
                expected: self.len,
                got: scalars.len(),
            });
        }
        if scalars.is_empty() {
            return Ok(P::Curve::identity());
        }
        let (plan, work) = self.work_space()?;
        Run { resident: self, plan: &plan, work: &work, scalars }.all()
    }

    fn size(device: &SharedDevice, points: usize) -> Size {
        Size {
            points,
            point_bytes: size_of::<P::Raw>() as u64,
            multiprocessors: device.multiprocessors(),
            resident_threads: P::RESIDENT_THREADS,
        }
    }

    /// Work space for the plan of the upload, or for the largest smaller one for which there is memory now.
    fn work_space(&self) -> Result<(Plan, Buffer), KernelError> {
        let (size, table) = (Self::size(&self.device, self.len), self.plan.table);
        let least = plan::least_bytes(&size, Some(table));
        let mut plan = self.plan;
        loop {
            let available = match self.device.alloc(plan.layout.bytes as usize) {
                Err(KernelError::OutOfDeviceMemory { available, .. }) => available,
                other => return Ok((plan, other?)),
            };
            let limit = least.max(plan.table_bytes + plan.layout.bytes / 2);
            plan = plan::plan(&size, limit, Some(table))
                .filter(|smaller| smaller.bytes() < plan.bytes())
                .ok_or(KernelError::OutOfDeviceMemory {
                    backend: BACKEND,
                    needed: least - plan.table_bytes,
                    available,
                })?;
        }
    }
}

/// Memory for the bases, none if they are streamed. The work space is only tried: each MSM takes it anew.
fn reserve(device: &SharedDevice, plan: &Plan) -> Result<Option<Buffer>, KernelError> {
    let table = match plan.table_bytes {
        0 => None,
        bytes => Some(device.alloc(bytes as usize)?),
    };
    device.alloc(plan.layout.bytes as usize)?;
    Ok(table)
}

/// Uploads the bases into row 0 of the table and computes each further row from the one before.
fn fill<P: DevicePoint>(
    device: &SharedDevice,
    plan: &Plan,
    table: &Buffer,
    points: &[P::Raw],
) -> Result<(), KernelError> {
    device.upload(Stream::Compute, table, 0, bytemuck::cast_slice(points))?;
    let row = size_of_val(points);
    for multiple in 1..plan.table.factor as usize {
        let n = points.len() as u32;
        let args = [
            Arg::At(table, (multiple - 1) * row),
            Arg::At(table, multiple * row),
            Arg::U32(n),
            Arg::U32(plan.doublings()),
        ];
        let kernel = format!("msm_multiples_{}", P::SUFFIX);
        device.launch(Stream::Compute, &kernel, n.div_ceil(BLOCK), BLOCK, 0, &args)?;
    }
    device.sync(Stream::Compute)
}

/// One MSM under way.
struct Run<'a, P: DevicePoint> {
    resident: &'a Resident<P>,
    plan: &'a Plan,
    work: &'a Buffer,
    scalars: &'a [Fr],
}

impl<P: DevicePoint> Run<'_, P> {
    fn at(&self, region: Region) -> Arg<'_> {
        Arg::At(self.work, region.offset)
    }

    fn launch(&self, kernel: &str, threads: u32, block: u32, args: &[Arg<'_>]) -> Result<(), KernelError> {
        self.resident.device.launch(Stream::Compute, kernel, threads.div_ceil(block), block, 0, args)
    }

    fn group_kernel(&self, name: &str) -> String {
        format!("msm_{name}_{}", P::SUFFIX)
    }

    /// Where a chunk starts and how many scalars it has.
    fn chunk(&self, index: usize) -> (usize, usize) {
        let from = index * self.plan.chunk;
        (from, self.plan.chunk.min(self.scalars.len() - from))
    }

    /// All chunks: while one is computed, the next is uploaded into the other slot. The copy stream waits for what was
    /// computed *before* this chunk, for that used the slot; so it must be told to before this chunk is launched.
    fn all(&self) -> Result<P::Curve, KernelError> {
        let device = &self.resident.device;
        let mut total = P::Curve::identity();
        for index in 0..self.plan.chunks {
            if index == 0 {
                self.begin()?;
            } else {
                device.wait(Stream::Compute, Stream::Copy)?;
                device.wait(Stream::Copy, Stream::Compute)?;
                self.clear()?;
                let (_, n) = self.chunk(index);
                self.histogram(index, 0, n)?;
            }
            self.compute(index)?;
            if index + 1 < self.plan.chunks {
                let (_, n) = self.chunk(index + 1);
                self.upload(index + 1, 0, n)?;
                self.upload_bases(index + 1)?;
            }
            total += self.finish()?;
        }
        Ok(total)
    }

    /// The first chunk arrives in pieces, each counted while the next is copied.
    fn begin(&self) -> Result<(), KernelError> {
        let device = &self.resident.device;
        // Work space given back by an earlier MSM may still be in use by its last kernels.
        device.wait(Stream::Copy, Stream::Compute)?;
        self.clear()?;
        let (_, n) = self.chunk(0);
        for from in (0..n).step_by(PIECE) {
            let piece = PIECE.min(n - from);
            self.upload(0, from, piece)?;
            device.wait(Stream::Compute, Stream::Copy)?;
            self.histogram(0, from, piece)?;
        }
        self.upload_bases(0)?;
        device.wait(Stream::Compute, Stream::Copy)
    }

    fn upload(&self, index: usize, from: usize, n: usize) -> Result<(), KernelError> {
        let start = self.chunk(index).0 + from;
        let offset = self.plan.layout.scalars[index % 2].offset + from * size_of::<Fr>();
        let bytes = scalar_bytes(&self.scalars[start..start + n]);
        self.resident.device.upload(Stream::Copy, self.work, offset, bytes)
    }

    fn upload_bases(&self, index: usize) -> Result<(), KernelError> {
        let Bases::Host(points) = &self.resident.bases else { return Ok(()) };
        let (from, n) = self.chunk(index);
        let bytes = bytemuck::cast_slice(&(**points).as_ref()[from..from + n]);
        let offset = self.plan.layout.bases[index % 2].offset;
        self.resident.device.upload(Stream::Copy, self.work, offset, bytes)
    }

    fn clear(&self) -> Result<(), KernelError> {
        for region in [self.plan.layout.counts, self.plan.layout.buckets] {
            self.resident.device.zero(Stream::Compute, self.work, region.offset, region.bytes)?;
        }
        Ok(())
    }

    fn histogram(&self, index: usize, from: usize, n: usize) -> Result<(), KernelError> {
        let (plan, layout) = (self.plan, &self.plan.layout);
        let scalars = Arg::At(self.work, layout.scalars[index % 2].offset + from * size_of::<Fr>());
        let args = [
            scalars,
            Arg::U32(n as u32),
            Arg::U32(plan.window),
            Arg::U32(plan.windows),
            Arg::U32(plan.groups),
            self.at(layout.counts),
        ];
        self.launch("msm_histogram", n as u32, BLOCK, &args)
    }

    /// From counted digits to the sums of the reduction's blocks.
    fn compute(&self, index: usize) -> Result<(), KernelError> {
        self.sort(index)?;
        self.accumulate(index)?;
        self.merge()?;
        let (plan, layout) = (self.plan, &self.plan.layout);
        let args = [
            self.at(layout.buckets),
            Arg::U32(plan.per_group()),
            Arg::U32(plan.reduce_each),
            Arg::U32(plan.reduce_blocks),
            self.at(layout.sums),
        ];
        // Two sums, each twice an affine point, per thread.
        let shared = plan.reduce_block * 4 * size_of::<P::Raw>() as u32;
        let grid = plan.groups * plan.reduce_blocks;
        let kernel = self.group_kernel("reduce");
        self.resident.device.launch(Stream::Compute, &kernel, grid, plan.reduce_block, shared, &args)
    }

    /// Turns counts into places and puts the entries there.
    fn sort(&self, index: usize) -> Result<(), KernelError> {
        let (plan, layout) = (self.plan, &self.plan.layout);
        let (counts, scan) = (self.at(layout.counts), self.at(layout.scan));
        let (keys, blocks) = (plan.buckets(), plan.buckets().div_ceil(SCAN_BLOCK));
        // The scan's blocks have 256 threads of 8 counters each.
        self.launch("msm_scan_sums", blocks * 256, 256, &[counts, Arg::U32(keys), scan])?;
        self.launch("msm_scan_spine", 256, 256, &[scan, Arg::U32(blocks)])?;
        self.launch("msm_scan_apply", blocks * 256, 256, &[counts, Arg::U32(keys), scan])?;
        let (from, n) = self.chunk(index);
        // Resident bases are indexed in the whole table, streamed ones in their chunk.
        let (first, stride) = match self.resident.bases {
            Bases::Table(_) => (from as u32, self.resident.len as u32),
            Bases::Host(_) => (0, 0),
        };
        let args = [
            self.at(layout.scalars[index % 2]),
            Arg::U32(n as u32),
            Arg::U32(plan.window),
            Arg::U32(plan.windows),
            Arg::U32(plan.groups),
            Arg::U32(first),
            Arg::U32(stride),
            counts,
            self.at(layout.entries),
        ];
        self.launch("msm_scatter", n as u32, BLOCK, &args)
    }

    fn accumulate(&self, index: usize) -> Result<(), KernelError> {
        let (plan, layout) = (self.plan, &self.plan.layout);
        let table = match &self.resident.bases {
            Bases::Table(table) => Arg::Buffer(table),
            Bases::Host(_) => self.at(layout.bases[index % 2]),
        };
        let args = [
            table,
            self.at(layout.entries),
            self.at(layout.counts),
            Arg::U32(plan.buckets()),
            Arg::U32(plan.segments),
            Arg::U32(LEAST),
            self.at(layout.buckets),
            self.at(layout.partial_keys[0]),
            self.at(layout.partials[0]),
        ];
        self.launch(&self.group_kernel("accumulate"), plan.segments, BLOCK, &args)
    }

    /// Level by level, until one thread has closed every bucket that segments shared.
    fn merge(&self) -> Result<(), KernelError> {
        let layout = &self.plan.layout;
        let (mut count, mut level) = (2 * self.plan.segments, 0);
        loop {
            let segments = count.div_ceil(MERGE);
            let (from, to) = (level % 2, (level + 1) % 2);
            let args = [
                self.at(layout.partial_keys[from]),
                self.at(layout.partials[from]),
                Arg::U32(count),
                Arg::U32(segments),
                Arg::U32(MERGE),
                self.at(layout.buckets),
                self.at(layout.partial_keys[to]),
                self.at(layout.partials[to]),
            ];
            self.launch(&self.group_kernel("merge"), segments, BLOCK, &args)?;
            if segments == 1 {
                return Ok(());
            }
            (count, level) = (2 * segments, level + 1);
        }
    }

    /// Adds the blocks' sums of each group, then the groups by Horner's rule.
    fn finish(&self) -> Result<P::Curve, KernelError> {
        let (plan, region) = (self.plan, self.plan.layout.sums);
        let mut limbs = vec![0u64; region.bytes / 8];
        let bytes = bytemuck::cast_slice_mut(&mut limbs);
        self.resident.device.download(Stream::Compute, self.work, region.offset, bytes)?;
        let points = from_xyzz::<P>(&limbs);
        let mut total = P::Curve::identity();
        for group in points.chunks(plan.reduce_blocks as usize).rev() {
            for _ in 0..plan.window {
                total = total.double();
            }
            for point in group {
                total += point;
            }
        }
        Ok(total)
    }
}

/// Affine points of sums (x, y, zz, zzz): with i = 1 / zzz, x (zz i)^2 and y i; infinity where zz is zero.
fn from_xyzz<P: DevicePoint>(limbs: &[u64]) -> Vec<P> {
    let width = size_of::<P::Raw>() / 16;
    let points = limbs.chunks_exact(4 * width);
    // Zeros stay zeros.
    let mut inverses: Vec<P::Base> = points.clone().map(|p| P::coordinate(&p[3 * width..])).collect();
    inverses.iter_mut().batch_invert();
    points
        .zip(&inverses)
        .map(|(p, i)| {
            let z = P::coordinate(&p[2 * width..]) * i;
            P::from_coordinates(P::coordinate(p) * z.square(), P::coordinate(&p[width..]) * i)
        })
        .collect()
}

/// Scalars as the device reads them: Montgomery limbs, little-endian.
fn scalar_bytes(scalars: &[Fr]) -> &[u8] {
    const { assert!(size_of::<Fr>() == 32 && align_of::<Fr>() == 8) };
    // SAFETY: an Fr is its one field, four u64, and as large as that field, so it has no padding; u8 has no alignment.
    unsafe { std::slice::from_raw_parts(scalars.as_ptr().cast(), size_of_val(scalars)) }
}
