//! Pippenger's bucket method on the eight-lane additions. Classes of scalars, windows and digits are
//! the portable path's; this file only sums buckets.

use super::Ifma;
use super::batch::{Adder, Pair};
use super::curve::PackedCurve;
use crate::cpu::msm::{Costs, Task, check_lengths, combine, plan, sort_by_bucket, sum_buckets};
use crate::cpu::scalars::{NEGATIVE, classify};
use crate::error::KernelError;
use group::Group;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// A bucket takes two affine additions in batches smaller than those of the points.
const COSTS: Costs = Costs { bucket: 3, max_window: 16 };
/// Points reduced together: their pairwise sums stay in the second-level cache.
const GROUP: usize = 1 << 14;
/// Up to this many buckets the projective running sum is no slower.
const FEW_BUCKETS: usize = 64;
/// Runs of buckets summed side by side.
const SEGMENTS: usize = 256;

/// Bases in the form of this path.
pub(crate) struct Resident<P: PackedCurve> {
    points: Vec<P::Packed>,
    ifma: Ifma,
}

impl<P: PackedCurve> Resident<P> {
    /// Converts bases, on the current rayon pool.
    pub(crate) fn new(ifma: Ifma, bases: &[P::Raw]) -> Self {
        Self { points: bases.par_iter().map(|raw| P::pack(&P::from_raw(raw))).collect(), ifma }
    }

    /// `sum scalars[i] * bases[i]`.
    pub(crate) fn msm(&self, scalars: &[Fr]) -> Result<P::Curve, KernelError> {
        check_lengths(self.points.len(), scalars.len())?;
        let classified = classify(scalars);
        let tasks = plan(&classified, &COSTS);
        let sums: Vec<P::Curve> = tasks
            .par_iter()
            .with_max_len(1)
            .map(|task| Buckets::<P>::new(self.ifma).run(task, &self.points, &classified.magnitude))
            .collect();
        Ok(combine::<P>(&tasks, &sums))
    }
}

/// A run of sorted entries that belong to one bucket.
struct Run {
    bucket: u32,
    count: u32,
}

/// The buckets of one task and their working memory.
struct Buckets<P: PackedCurve> {
    adder: Adder<P>,
    sums: Vec<P::Packed>,
    runs: Vec<Run>,
    /// Sums of the pieces of a bucket larger than a group, but for the first piece.
    pieces: Vec<(u32, P::Packed)>,
    pairs: Vec<Pair>,
    targets: Vec<u32>,
    level: Vec<P::Packed>,
    next: Vec<P::Packed>,
}

impl<P: PackedCurve> Buckets<P> {
    fn new(ifma: Ifma) -> Self {
        Self {
            adder: Adder::new(ifma),
            sums: Vec::new(),
            runs: Vec::new(),
            pieces: Vec::new(),
            pairs: Vec::new(),
            targets: Vec::new(),
            level: Vec::new(),
            next: Vec::new(),
        }
    }

    /// The weighted bucket sum of one task.
    fn run(&mut self, task: &Task<'_>, bases: &[P::Packed], magnitude: &[[u64; 4]]) -> P::Curve {
        let mut counts = vec![0; task.bucket_count()];
        let (mut digits, mut sorted) = (Vec::new(), Vec::new());
        task.digits(task.entries(), magnitude, &mut digits);
        sort_by_bucket(task.entries(), &digits, &mut counts, &mut sorted);
        drop(digits);
        self.fill(bases, &sorted, &counts);
        self.weighted_sum()
    }

    /// Sums each bucket's points, group after group; entries are listed bucket after bucket.
    fn fill(&mut self, bases: &[P::Packed], sorted: &[u32], counts: &[u32]) {
        self.sums.clear();
        self.sums.resize(counts.len(), P::IDENTITY);
        let (mut start, mut end) = (0usize, 0usize);
        for (bucket, &count) in counts.iter().enumerate() {
            let mut left = count as usize;
            while left > 0 {
                let piece = left.min(GROUP - (end - start));
                self.runs.push(Run { bucket: bucket as u32, count: piece as u32 });
                left -= piece;
                end += piece;
                if end - start == GROUP {
                    self.reduce(bases, &sorted[start..end]);
                    start = end;
                }
            }
        }
        self.reduce(bases, &sorted[start..end]);
        self.merge_pieces();
    }

    /// Halves each run by adding its points in pairs until one is left, then moves that to its bucket.
    fn reduce(&mut self, bases: &[P::Packed], entries: &[u32]) {
        let mut first = true;
        while first || self.runs.iter().any(|run| run.count > 1) {
            self.halve(bases, entries, first);
            first = false;
        }
        for (i, run) in self.runs.drain(..).enumerate() {
            let at = &mut self.sums[run.bucket as usize];
            if P::is_identity(at) {
                *at = self.level[i];
            } else {
                self.pieces.push((run.bucket, self.level[i]));
            }
        }
    }

    /// One round: from the entries' bases in the first, else from `level`, to `level`.
    fn halve(&mut self, bases: &[P::Packed], entries: &[u32], first: bool) {
        let total = self.runs.iter().map(|run| run.count.div_ceil(2) as usize).sum();
        self.pairs.clear();
        self.targets.clear();
        self.next.resize(total, P::IDENTITY);
        let (mut read, mut write) = (0usize, 0usize);
        for run in &mut self.runs {
            let count = run.count as usize;
            let name = |i: usize| if first { entries[i] } else { i as u32 };
            for pair in 0..count / 2 {
                self.pairs.push((name(read + 2 * pair), name(read + 2 * pair + 1)));
                self.targets.push((write + pair) as u32);
            }
            if count % 2 == 1 {
                let last = read + count - 1;
                self.next[write + count / 2] =
                    if first { signed::<P>(bases, entries[last]) } else { self.level[last] };
            }
            read += count;
            run.count = run.count.div_ceil(2);
            write += run.count as usize;
        }
        let from: &[P::Packed] = if first { bases } else { &self.level };
        self.adder.add(from, from, &self.pairs, &self.targets, &mut self.next);
        std::mem::swap(&mut self.level, &mut self.next);
    }

    /// There are at most as many pieces as groups, so they are added one by one.
    fn merge_pieces(&mut self) {
        for (bucket, piece) in self.pieces.drain(..) {
            let before = [self.sums[bucket as usize], piece];
            let at = bucket as usize..bucket as usize + 1;
            self.adder.add(&before, &before, &[(0, 1)], &[0], &mut self.sums[at]);
        }
    }

    /// `sum (b + 1) * sums[b]`: segments of `length` buckets keep a running sum R and a sum T of
    /// those side by side, one batch of additions per step; then
    /// `total = sum T_s + length * sum s R_s`.
    fn weighted_sum(&mut self) -> P::Curve {
        let count = self.sums.len();
        if count <= FEW_BUCKETS {
            let affine: Vec<P> = self.sums.iter().map(P::unpack).collect();
            return sum_buckets(&affine);
        }
        // Both are powers of two.
        let segments = SEGMENTS.min(count / 4);
        let length = count / segments;
        let in_order: Vec<u32> = (0..segments as u32).collect();
        let with_self: Vec<Pair> = in_order.iter().map(|&s| (s, s)).collect();
        let top = |i: usize| (0..segments).map(move |s| s * length + i);
        let mut running: Vec<P::Packed> = top(length - 1).map(|i| self.sums[i]).collect();
        let mut total = running.clone();
        let (mut next_running, mut next_total) = (running.clone(), running.clone());
        for i in (0..length - 1).rev() {
            let pairs: Vec<Pair> = top(i).enumerate().map(|(s, bucket)| (s as u32, bucket as u32)).collect();
            self.adder.add(&running, &self.sums, &pairs, &in_order, &mut next_running);
            std::mem::swap(&mut running, &mut next_running);
            self.adder.add(&total, &running, &with_self, &in_order, &mut next_total);
            std::mem::swap(&mut total, &mut next_total);
        }
        let inner = total.iter().fold(P::Curve::identity(), |sum, t| sum + P::unpack(t));
        // Segment s weighs s: leave out segment 0, then the weights are 1, 2, ..
        let above: Vec<P> = running[1..].iter().map(P::unpack).collect();
        let outer = (0..length.trailing_zeros()).fold(sum_buckets(&above), |sum, _| sum.double());
        inner + outer
    }
}

fn signed<P: PackedCurve>(bases: &[P::Packed], entry: u32) -> P::Packed {
    let point = &bases[(entry & !NEGATIVE) as usize];
    if entry & NEGATIVE != 0 { P::negate_packed(point) } else { *point }
}
