//! Multi-scalar multiplication on the device: digits sorted by bucket, segmented sums, bucket reduction; the host adds
//! up the windows. Nothing here may depend on how scalars are distributed, nor assume that points differ.

use super::context::{Buffer, Context};
use super::plan::{PARTIAL_SEGMENT, Plan, Room, Shape};
use super::shader::{Group, Pass};
use super::vectors::{self, ELEMENT};
use crate::backend::SharedPoints;
use crate::error::KernelError;
use crate::point::CurvePoint;
use ff::Field;
use group::Group as _;
use halo2curves::bn256::{Fr, G1Affine, G2Affine};
use std::ops::Range;
use std::sync::Arc;

/// Threads of one workgroup of the prefix sums and the entries it takes, as in `scan.wgsl`.
const SCAN_THREADS: u64 = 256;
const SCAN_BLOCK: u64 = 4 * SCAN_THREADS;
/// No such place, as in `accumulate.wgsl`.
const NONE: u32 = u32::MAX;
/// An index and a sign share a word.
const MAX_POINTS: usize = (1 << 31) - 1;

/// A curve whose points have WGSL passes.
pub trait DevicePoint: CurvePoint<Raw: bytemuck::Pod> {
    /// Which passes.
    const GROUP: Group;
}

impl DevicePoint for G1Affine {
    const GROUP: Group = Group::G1;
}

impl DevicePoint for G2Affine {
    const GROUP: Group = Group::G2;
}

/// Bytes of an affine point.
fn base_bytes<P: DevicePoint>() -> u64 {
    size_of::<P::Raw>() as u64
}

/// Bytes of a point in XYZZ coordinates: twice as many coordinates.
fn sum_bytes<P: DevicePoint>() -> u64 {
    2 * base_bytes::<P>()
}

/// Bases in as many buffers as the adapter's limits ask for; what has no place on the device stays with its owner and is
/// sent piece by piece in each MSM.
pub struct Resident<P: DevicePoint> {
    context: Arc<Context>,
    len: usize,
    parts: Vec<Part>,
    host: Option<SharedPoints<P::Raw>>,
}

struct Part {
    range: Range<usize>,
    buffer: Option<Buffer>,
}

impl<P: DevicePoint> Resident<P> {
    /// Uploads `points` as far as half of the device's free memory goes; the other half is for the work itself.
    pub fn new(context: Arc<Context>, points: SharedPoints<P::Raw>) -> Result<Self, KernelError> {
        let raw = (*points).as_ref();
        if raw.len() > MAX_POINTS {
            return Err(KernelError::TooManyPoints { got: raw.len(), max: MAX_POINTS });
        }
        let per_part = (context.largest_buffer() / base_bytes::<P>()).max(1) as usize;
        let mut share = context.available() / 2;
        let mut parts = Vec::new();
        for start in (0..raw.len()).step_by(per_part) {
            let range = start..raw.len().min(start + per_part);
            let bytes = range.len() as u64 * base_bytes::<P>();
            let buffer = match bytes <= share {
                true => Self::upload(&context, &raw[range.clone()])?,
                false => None,
            };
            share -= if buffer.is_some() { bytes } else { 0 };
            parts.push(Part { range, buffer });
        }
        let all_resident = parts.iter().all(|part| part.buffer.is_some());
        let len = raw.len();
        Ok(Self { context, len, parts, host: if all_resident { None } else { Some(points) } })
    }

    /// The points in a buffer, or nothing if the device has no room for it.
    fn upload(context: &Context, points: &[P::Raw]) -> Result<Option<Buffer>, KernelError> {
        match context.uploaded(bytemuck::cast_slice(points)) {
            Ok(buffer) => Ok(Some(buffer)),
            Err(KernelError::OutOfDeviceMemory { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether these bases were uploaded to this device.
    pub fn is_on(&self, context: &Arc<Context>) -> bool {
        Arc::ptr_eq(&self.context, context)
    }

    /// `sum scalars[i] * bases[i]`. If the device refuses the memory that its budget promised, the next smaller plan is
    /// tried, down to the smallest.
    pub fn msm(&self, scalars: &[Fr]) -> Result<P::Curve, KernelError> {
        if scalars.len() != self.len {
            let (expected, got) = (self.len, scalars.len());
            return Err(KernelError::LengthMismatch { what: "MSM scalars", expected, got });
        }
        if scalars.is_empty() {
            return Ok(P::Curve::identity());
        }
        let longest = self.parts.iter().map(|part| part.range.len()).max().unwrap_or(1) as u64;
        let shape = Shape { base: base_bytes::<P>(), sum: sum_bytes::<P>(), streamed: self.host.is_some() };
        let mut bytes = self.context.available();
        loop {
            let room = Room { bytes, buffer: self.context.largest_buffer() };
            let plan = Plan::choose(longest, &shape, room)?;
            match self.run(&plan, scalars) {
                Err(KernelError::OutOfDeviceMemory { .. }) => {
                    bytes = bytes.min(plan.bytes(&shape, longest)) / 2
                }
                done => return done,
            }
        }
    }

    fn run(&self, plan: &Plan, scalars: &[Fr]) -> Result<P::Curve, KernelError> {
        let pieces: Vec<(&Part, Range<usize>)> = self
            .parts
            .iter()
            .flat_map(|part| {
                let len = part.range.len();
                let step = plan.piece as usize;
                (0..len).step_by(step).map(move |start| (part, start..len.min(start + step)))
            })
            .collect();
        let kept = plan.kept(pieces.len() as u64) as usize;
        let work = Workspace::new::<P>(&self.context, plan, kept as u64, self.host.is_some())?;
        let mut windows = vec![P::Curve::identity(); plan.windows as usize];
        for together in pieces.chunks(kept) {
            for (place, (part, piece)) in (0u32..).zip(together) {
                let whole = part.range.start + piece.start..part.range.start + piece.end;
                let (bases, first) = self.bases(&work, part, piece.clone())?;
                work.run::<P>(bases, first, &scalars[whole], place * plan.windows)?;
            }
            work.fetch::<P>(together.len(), &mut windows)?;
        }
        // Horner's rule.
        Ok(windows.into_iter().rev().fold(P::Curve::identity(), |total, window| {
            (0..plan.c).fold(total, |total, _| total.double()) + window
        }))
    }

    /// A buffer with the bases of a piece, and the place of its first one.
    fn bases<'a>(
        &self,
        work: &'a Workspace<'a>,
        part: &'a Part,
        piece: Range<usize>,
    ) -> Result<(&'a Buffer, u32), KernelError> {
        match (&part.buffer, &self.host, &work.bases) {
            (Some(buffer), _, _) => Ok((buffer, piece.start as u32)),
            (None, Some(host), Some(buffer)) => {
                let range = part.range.start + piece.start..part.range.start + piece.end;
                self.context.upload(buffer, bytemuck::cast_slice(&(**host).as_ref()[range]))?;
                Ok((buffer, 0))
            }
            // Unreachable: a part without a buffer keeps its points, and the workspace then has a buffer for them.
            (None, _, _) => Err(KernelError::ForeignBases { backend: super::BACKEND }),
        }
    }
}

/// The buffers of one MSM, used by its pieces in turn.
struct Workspace<'a> {
    context: &'a Context,
    plan: &'a Plan,
    scalars: Buffer,
    counts: Buffer,
    keys: Buffer,
    values: Buffer,
    buckets: Buffer,
    partials: [Partials; 2],
    results: Buffer,
    bases: Option<Buffer>,
}

/// A list of keyed points in XYZZ coordinates.
struct Partials {
    keys: Buffer,
    points: Buffer,
}

impl<'a> Workspace<'a> {
    fn new<P: DevicePoint>(
        context: &'a Context,
        plan: &'a Plan,
        kept: u64,
        streamed: bool,
    ) -> Result<Self, KernelError> {
        let partials = |places: u64| {
            Ok(Partials {
                keys: context.alloc(places * 4)?,
                points: context.alloc(places * sum_bytes::<P>())?,
            })
        };
        let [first, second] = plan.partials();
        Ok(Self {
            context,
            plan,
            scalars: context.alloc(plan.piece * ELEMENT)?,
            counts: context.alloc(plan.buckets() * 4)?,
            keys: context.alloc(plan.entries() * 4)?,
            values: context.alloc(plan.entries() * 4)?,
            buckets: context.alloc(plan.buckets() * sum_bytes::<P>())?,
            partials: [partials(first)?, partials(second)?],
            results: context.alloc(kept * u64::from(plan.windows) * sum_bytes::<P>())?,
            bases: streamed.then(|| context.alloc(plan.piece * base_bytes::<P>())).transpose()?,
        })
    }

    /// Window sums of one piece into `results` from place `first_key` on.
    fn run<P: DevicePoint>(
        &self,
        bases: &Buffer,
        first: u32,
        scalars: &[Fr],
        first_key: u32,
    ) -> Result<(), KernelError> {
        let plan = self.plan;
        vectors::write(self.context, &self.scalars, scalars)?;
        self.sort(scalars.len() as u32, first)?;
        // The counts have become the ends of the buckets' entries; the last is the number of all.
        let entries = scalars.len() as u64 * u64::from(plan.windows);
        let segments = entries.div_ceil(plan.segment);
        let counted = plan.buckets() as u32 - 1;
        let params = [0, counted, plan.segment as u32, segments as u32, 1];
        let out = &self.partials[0];
        let buffers = [&self.counts, &self.keys, &self.values, bases, &self.buckets, &out.keys, &out.points];
        let mut batch = self.context.batch();
        batch.clear(&self.buckets);
        batch.dispatch(Pass::Accumulate(P::GROUP), &params, &buffers, segments)?;
        batch.submit()?;
        if segments > 1 {
            self.levels::<P>(2 * segments, &self.buckets)?;
        }
        let chunks = plan.chunks();
        let mut batch = self.context.batch();
        let params = [chunks as u32, plan.log_chunk, plan.c - 1, first_key];
        let buffers = [&self.buckets, &out.keys, &out.points];
        batch.dispatch(Pass::Reduce(P::GROUP), &params, &buffers, chunks)?;
        batch.submit()?;
        self.levels::<P>(chunks, &self.results)
    }

    /// Entries of all windows sorted by bucket, zero digits left out.
    fn sort(&self, len: u32, first: u32) -> Result<(), KernelError> {
        let plan = self.plan;
        let mut batch = self.context.batch();
        batch.clear(&self.counts);
        for place in 0..2 {
            let params = [len, plan.c, plan.windows, place, first];
            let buffers = [&self.scalars, &self.counts, &self.keys, &self.values];
            batch.dispatch(Pass::Digits, &params, &buffers, u64::from(len))?;
            if place == 0 {
                batch.submit()?;
                self.scan(&self.counts, plan.buckets())?;
                batch = self.context.batch();
            }
        }
        batch.submit()
    }

    /// Exclusive prefix sums in place.
    fn scan(&self, entries: &Buffer, len: u64) -> Result<(), KernelError> {
        let blocks = len.div_ceil(SCAN_BLOCK);
        let sums = self.context.alloc(blocks * 4)?;
        let mut batch = self.context.batch();
        batch.dispatch(Pass::Scan, &[len as u32, 0], &[entries, &sums], blocks * SCAN_THREADS)?;
        batch.submit()?;
        if blocks == 1 {
            return Ok(());
        }
        self.scan(&sums, blocks)?;
        let mut batch = self.context.batch();
        batch.dispatch(Pass::Scan, &[len as u32, 1], &[entries, &sums], blocks * SCAN_THREADS)?;
        batch.submit()
    }

    /// Sums by key the first list of partial sums, of `len` places, into `buckets`: level by level, from one list to the
    /// other, until one segment is left.
    fn levels<P: DevicePoint>(&self, mut len: u64, buckets: &Buffer) -> Result<(), KernelError> {
        let mut from = 0;
        loop {
            let segments = len.div_ceil(PARTIAL_SEGMENT);
            let (list, out) = (&self.partials[from], &self.partials[1 - from]);
            let params = [len as u32, NONE, PARTIAL_SEGMENT as u32, segments as u32, 0];
            let buffers =
                [&self.counts, &list.keys, &list.keys, &list.points, buckets, &out.keys, &out.points];
            let mut batch = self.context.batch();
            batch.dispatch(Pass::Accumulate(P::GROUP), &params, &buffers, segments)?;
            batch.submit()?;
            if segments == 1 {
                return Ok(());
            }
            len = 2 * segments;
            from = 1 - from;
        }
    }

    /// Adds the window sums of the last `pieces` pieces to `windows`.
    fn fetch<P: DevicePoint>(&self, pieces: usize, windows: &mut [P::Curve]) -> Result<(), KernelError> {
        let point = sum_bytes::<P>() as usize;
        let mut at = 0;
        self.context.download(&self.results, pieces * windows.len() * point, |_, piece| {
            for xyzz in piece.chunks_exact(point) {
                windows[at % windows.len()] += decode::<P>(xyzz);
                at += 1;
            }
        })
    }
}

/// A point from its XYZZ coordinates; ZZ = 0 is the identity.
fn decode<P: DevicePoint>(xyzz: &[u8]) -> P::Curve {
    let (xy, zz) = xyzz.split_at(xyzz.len() / 2);
    let (xy, zz) =
        (P::from_raw(&bytemuck::pod_read_unaligned(xy)), P::from_raw(&bytemuck::pod_read_unaligned(zz)));
    match (Option::<P::Base>::from(zz.x().invert()), Option::<P::Base>::from(zz.y().invert())) {
        (Some(x), Some(y)) => P::from_coordinates(xy.x() * x, xy.y() * y).to_projective(),
        _ => P::Curve::identity(),
    }
}
