//! Multi-scalar multiplication: Pippenger's bucket method with Booth digits and batch-affine
//! buckets. Scalars are listed the longest first, so that each window sums a prefix of the list.

use super::batch_affine::Workspace;
use super::scalars::{Classified, Magnitudes, NEGATIVE, canonical, classify};
use crate::error::KernelError;
use crate::point::CurvePoint;
use group::Group;
use halo2curves::bn256::Fr;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the planning of windows depends on, in batch-affine additions.
pub(super) struct Costs {
    /// Emptying one bucket, times four.
    pub(super) bucket_quarters: u64,
    /// A window, whatever its size.
    pub(super) window: u64,
    /// Widest window.
    pub(super) max_width: u32,
}

/// A bucket is emptied by one mixed and one full projective addition.
const COSTS: Costs = Costs { bucket_quarters: 20, window: 16, max_width: 17 };
/// Below this many entries a part is not worth its own set of buckets.
const MIN_PART: usize = 1 << 12;
/// Most entries of a task: their places fit 32 bits with padding.
const MAX_PART: usize = 1 << 29;

/// A window over a range of the entries that reach it.
pub(super) struct Task<'a> {
    offset: u32,
    width: u32,
    buckets: usize,
    entries: &'a [u32],
    cost: u64,
}

impl Task<'_> {
    /// Number of buckets: absolute values of the digits, without zero.
    pub(super) fn bucket_count(&self) -> usize {
        self.buckets
    }

    /// The digits of `entries`, a part of this task's, in this task's window.
    pub(super) fn digits(&self, entries: &[u32], magnitude: &Magnitudes, digits: &mut Vec<i32>) {
        magnitude.digits(entries, self.offset, self.width, digits);
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
    let classified = classify(scalars, canonical, |_| false);
    let tasks = plan(&classified, &COSTS);
    let sums = run_all(&tasks, Workspace::<P>::new, |workspace, task| {
        run::<P>(workspace, task, bases, &classified.magnitude)
    });
    Ok(combine::<P>(&tasks, &sums))
}

/// The windows, each as offset, width, buckets and cost, that together cost least: at each offset the
/// best width is the one whose own cost with the best continuation is least.
fn windows(classified: &Classified, costs: &Costs) -> Vec<(u32, u32, usize, u64)> {
    let bits = classified.bits();
    if bits == 0 {
        return Vec::new();
    }
    // A digit's sign borrows from above, so the last window ends beyond the longest scalar.
    let end = bits + 1;
    let buckets = |offset: u32, width: u32| 1usize << (width - 1).min(bits - offset);
    let mut best: Vec<(u64, u32, u64)> = vec![(0, 0, 0); end as usize];
    for offset in (0..end).rev() {
        let entries = classified.reaching(offset).len() as u64;
        let choices = (1..=costs.max_width).map(|width| {
            let cost = entries + costs.window + buckets(offset, width) as u64 * costs.bucket_quarters / 4;
            let rest = best.get((offset + width) as usize).map_or(0, |&(total, ..)| total);
            (cost + rest, width, cost)
        });
        best[offset as usize] = choices.min().unwrap_or_default();
    }
    let mut out = Vec::new();
    let mut offset = 0;
    while offset < end {
        let (_, width, cost) = best[offset as usize];
        out.push((offset, width, buckets(offset, width), cost));
        offset += width;
    }
    out
}

/// The tasks of an MSM from the top window down. Windows are split over their entries, each part with
/// buckets of its own, only as far as that keeps the threads busy.
pub(super) fn plan<'a>(classified: &'a Classified, costs: &Costs) -> Vec<Task<'a>> {
    let threads = rayon::current_num_threads();
    let windows = windows(classified, costs);
    let total: u64 = windows.iter().map(|&(.., cost)| cost).sum();
    // With whole rounds of windows the last, incomplete one is what would leave threads idle.
    let whole = windows.len() / threads * threads;
    let mut tasks = Vec::new();
    for (i, &(offset, width, buckets, cost)) in windows.iter().enumerate().rev() {
        let entries = classified.reaching(offset);
        let share = total / (2 * threads as u64) + 1;
        let uneven = i >= whole && cost > total / (16 * threads as u64);
        let wanted = if uneven { threads } else { cost.div_ceil(share) as usize };
        let worth = (entries.len() / (2 * buckets).max(MIN_PART)).max(1);
        let parts = wanted.min(worth).min(threads).max(entries.len().div_ceil(MAX_PART));
        for entries in entries.chunks(entries.len().div_ceil(parts)) {
            tasks.push(Task { offset, width, buckets, entries, cost: cost / parts as u64 });
        }
    }
    tasks
}

/// Runs all tasks on the threads of the pool, the costliest first, each thread with memory of its own.
pub(super) fn run_all<'t, W, S: Send>(
    tasks: &[Task<'t>],
    memory: impl Fn() -> W + Sync,
    run: impl Fn(&mut W, &Task<'t>) -> S + Sync,
) -> Vec<S> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|&i| Reverse(tasks[i].cost));
    let next = AtomicUsize::new(0);
    let mut done: Vec<(usize, S)> = (0..rayon::current_num_threads().min(tasks.len()))
        .into_par_iter()
        .with_max_len(1)
        .flat_map_iter(|_| {
            let mut memory = memory();
            let mut done = Vec::new();
            while let Some(&i) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((i, run(&mut memory, &tasks[i])));
            }
            done
        })
        .collect();
    done.sort_by_key(|&(i, _)| i);
    done.into_iter().map(|(_, sum)| sum).collect()
}

/// The weighted bucket sum of one task.
fn run<P: CurvePoint>(
    workspace: &mut Workspace<P>,
    task: &Task<'_>,
    bases: &[P::Raw],
    magnitude: &Magnitudes,
) -> P::Curve {
    let bucket_count = task.bucket_count();
    let mut buckets = vec![P::neutral(); bucket_count];
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
fn sort_by_bucket(entries: &[u32], digits: &[i32], counts: &mut [u32], sorted: &mut Vec<u32>) {
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

/// Horner over the windows, tasks being listed from the top window down.
pub(super) fn combine<P: CurvePoint>(tasks: &[Task<'_>], sums: &[P::Curve]) -> P::Curve {
    let mut total = P::Curve::identity();
    let mut at = tasks.first().map_or(0, |task| task.offset);
    for (task, sum) in tasks.iter().zip(sums) {
        (task.offset..at).for_each(|_| total = total.double());
        at = task.offset;
        total += *sum;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use ff::Field;
    use rand_core::SeedableRng;

    #[test]
    fn windows_partition_the_bits_and_hold_every_digit() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let mut scalars: Vec<Fr> = (0..3000).map(|i| Fr::from(i * i * i)).collect();
        scalars.extend((0..600).map(|_| Fr::random(&mut rng)));
        scalars.extend([Fr::ONE, -Fr::ONE, -Fr::from(2).invert().unwrap(), Fr::from(u64::MAX)]);
        for n in [1, 5, 1000, scalars.len()] {
            for few in [&scalars[..n], &scalars[scalars.len() - n..], &vec![Fr::from(65535); n]] {
                let classified = classify(few, canonical, |_| false);
                let tasks = plan(&classified, &COSTS);
                let mut end = 0;
                for task in tasks.iter().rev() {
                    assert!(task.offset == end || task.offset + task.width == end);
                    end = task.offset + task.width;
                    let mut digits = Vec::new();
                    task.digits(task.entries, &classified.magnitude, &mut digits);
                    assert!(digits.iter().all(|d| d.unsigned_abs() as usize <= task.buckets));
                }
                assert!(end > classified.bits() || classified.bits() == 0);
                let ran = run_all(&tasks, || (), |(), task| task.offset);
                assert_eq!(ran, tasks.iter().map(|task| task.offset).collect::<Vec<_>>());
            }
        }
    }
}
