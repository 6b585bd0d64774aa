//! Multi-scalar multiplication: Pippenger's bucket method with Booth digits and batch-affine
//! buckets, run once per scalar class with the window width that class needs.

use super::batch_affine::Workspace;
use super::scalars::{CLASS_BITS, Classified, NEGATIVE, booth_digit, classify};
use crate::error::KernelError;
use crate::point::CurvePoint;
use group::Group;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// What the planning of windows depends on.
pub(super) struct Costs {
    /// Cost of emptying one bucket in batch-affine additions.
    pub(super) bucket: u64,
    /// Widest window.
    pub(super) max_window: u32,
}

/// A bucket is emptied by one mixed and one full projective addition.
const COSTS: Costs = Costs { bucket: 5, max_window: 17 };
/// Below this many entries a part is not worth its own set of buckets.
const MIN_PART: usize = 1 << 12;

/// A share of one class: one window over one range of its entries.
pub(super) struct Task<'a> {
    class: usize,
    window: u32,
    c: u32,
    entries: &'a [u32],
}

impl Task<'_> {
    /// Number of buckets: absolute values of the digits, without zero.
    pub(super) fn bucket_count(&self) -> usize {
        if CLASS_BITS[self.class] == 1 { 1 } else { 1 << (self.c - 1) }
    }

    /// The digits of `entries`, a part of this task's, in this task's window.
    pub(super) fn digits(&self, entries: &[u32], magnitude: &[[u64; 4]], digits: &mut Vec<i32>) {
        digits.clear();
        digits.extend(entries.iter().map(|&entry| match CLASS_BITS[self.class] {
            1 => 1,
            _ => booth_digit(&magnitude[(entry & !NEGATIVE) as usize], self.window, self.c),
        }));
    }

    /// The indices and signs this task sums over.
    pub(super) fn entries(&self) -> &[u32] {
        self.entries
    }
}

/// Refuses slices of different length and more points than an index can name.
pub(super) fn check_lengths(bases: usize, scalars: usize) -> Result<(), KernelError> {
    if bases != scalars {
        return Err(KernelError::LengthMismatch { what: "MSM scalars", expected: bases, got: scalars });
    }
    if scalars >= NEGATIVE as usize {
        return Err(KernelError::TooManyPoints { got: scalars, max: NEGATIVE as usize - 1 });
    }
    Ok(())
}

/// `sum scalars[i] * bases[i]`.
pub(crate) fn msm<P: CurvePoint>(bases: &[P::Raw], scalars: &[Fr]) -> Result<P::Curve, KernelError> {
    check_lengths(bases.len(), scalars.len())?;
    let classified = classify(scalars);
    let tasks = plan(&classified, &COSTS);
    let sums: Vec<P::Curve> =
        tasks.par_iter().with_max_len(1).map(|task| run::<P>(task, bases, &classified.magnitude)).collect();
    Ok(combine::<P>(&tasks, &sums))
}

/// Window width with the least cost for `n` scalars of `bits` bits, and the number of windows.
fn window(bits: u32, n: usize, costs: &Costs) -> (u32, u32) {
    let cost = |c: u32| (bits + 1).div_ceil(c) as u64 * (n as u64 + (costs.bucket << (c - 1)));
    let c = (1..=costs.max_window).min_by_key(|&c| cost(c)).unwrap_or(1);
    (c, (bits + 1).div_ceil(c))
}

/// The tasks of an MSM, those of a class together and from its top window down.
pub(super) fn plan<'a>(classified: &'a Classified, costs: &Costs) -> Vec<Task<'a>> {
    let threads = rayon::current_num_threads();
    let mut tasks = Vec::new();
    for (class, entries) in classified.entries.iter().enumerate() {
        if entries.is_empty() {
            continue;
        }
        let (c, windows) =
            if CLASS_BITS[class] == 1 { (1, 1) } else { window(CLASS_BITS[class], entries.len(), costs) };
        // Split the entries only as far as windows alone do not keep the threads busy.
        let least = MIN_PART.max(8 << c);
        let parts = (2 * threads).div_ceil(windows as usize).min(entries.len() / least).max(1);
        let parts = if windows as usize >= 4 * threads { 1 } else { parts };
        for window in (0..windows).rev() {
            for entries in entries.chunks(entries.len().div_ceil(parts)) {
                tasks.push(Task { class, window, c, entries });
            }
        }
    }
    tasks
}

/// The weighted bucket sum of one task.
fn run<P: CurvePoint>(task: &Task<'_>, bases: &[P::Raw], magnitude: &[[u64; 4]]) -> P::Curve {
    let bucket_count = task.bucket_count();
    let mut buckets = vec![P::neutral(); bucket_count];
    let mut workspace = Workspace::<P>::new();
    let chunk = (1 << 16).max(8 * bucket_count);
    let mut digits: Vec<i32> = Vec::new();
    let mut sorted: Vec<u32> = Vec::new();
    let mut counts = vec![0u32; bucket_count];
    for entries in task.entries.chunks(chunk) {
        task.digits(entries, magnitude, &mut digits);
        sort_by_bucket(entries, &digits, &mut counts, &mut sorted);
        workspace.reduce_into(&mut buckets, &mut counts, |i| {
            let entry = sorted[i];
            let point = P::from_raw(&bases[(entry & !NEGATIVE) as usize]);
            if entry & NEGATIVE != 0 { point.negate() } else { point }
        });
    }
    sum_buckets(&buckets)
}

/// Counting sort: `sorted` gets the entries with a nonzero digit, bucket after bucket, the digit's
/// sign folded into the entry's; `counts` the size of each bucket.
pub(super) fn sort_by_bucket(entries: &[u32], digits: &[i32], counts: &mut [u32], sorted: &mut Vec<u32>) {
    counts.fill(0);
    for &d in digits.iter().filter(|&&d| d != 0) {
        counts[d.unsigned_abs() as usize - 1] += 1;
    }
    let mut next: Vec<u32> = Vec::with_capacity(counts.len());
    let mut total = 0;
    for &count in counts.iter() {
        next.push(total);
        total += count;
    }
    sorted.clear();
    sorted.resize(total as usize, 0);
    for (&entry, &d) in entries.iter().zip(digits) {
        if d != 0 {
            let slot = &mut next[d.unsigned_abs() as usize - 1];
            sorted[*slot as usize] = if d < 0 { entry ^ NEGATIVE } else { entry };
            *slot += 1;
        }
    }
}

/// `sum (b + 1) * buckets[b]` by running sums.
pub(super) fn sum_buckets<P: CurvePoint>(buckets: &[P]) -> P::Curve {
    let mut running = P::Curve::identity();
    let mut sum = P::Curve::identity();
    for bucket in buckets.iter().rev() {
        if !bucket.is_neutral() {
            running += *bucket;
        }
        sum += running;
    }
    sum
}

/// Horner over the windows of each class. Tasks of a class are listed from its top window down.
pub(super) fn combine<P: CurvePoint>(tasks: &[Task<'_>], sums: &[P::Curve]) -> P::Curve {
    let mut total = P::Curve::identity();
    let mut i = 0;
    while i < tasks.len() {
        let class = tasks[i].class;
        let mut acc = P::Curve::identity();
        let mut at = tasks[i].window;
        while i < tasks.len() && tasks[i].class == class {
            while at > tasks[i].window {
                (0..tasks[i].c).for_each(|_| acc = acc.double());
                at -= 1;
            }
            acc += sums[i];
            i += 1;
        }
        total += acc;
    }
    total
}
