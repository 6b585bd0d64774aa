//! Pippenger's bucket method on the eight-lane running sums. Windows and digits are the portable
//! path's; this file only sums buckets. It must never see an identity among its points.

use super::Ifma;
use super::batch::{Adder, Entries, InOrder, NONE, Sums};
use super::curve::PackedCurve;
use super::layout::{Lanes, Layout, Step};
use super::scalars::canonical;
use crate::cpu::msm::{Costs, Task, check_lengths, combine, plan, run_all, sum_buckets};
use crate::cpu::pages;
use crate::cpu::scalars::{Magnitudes, classify};
use crate::error::KernelError;
use group::Group;
use halo2curves::bn256::Fr;
use rayon::prelude::*;

/// A bucket takes two additions in steps of fewer groups than those of the points; a window some
/// projective additions. Not tuned.
const COSTS: Costs = Costs { bucket_quarters: 10, window: 300, max_width: 18 };
/// Up to this many buckets the projective running sum is no slower.
const FEW_BUCKETS: usize = 32;
/// Runs of buckets summed side by side. Not tuned.
const RUNS: usize = 1024;

/// Bases in the form of this path.
pub(crate) struct Resident<P: PackedCurve> {
    points: Vec<P::Packed>,
    /// A bit per base that is the identity; no words if there is none.
    identities: Vec<u64>,
    ifma: Ifma,
}

impl<P: PackedCurve> Resident<P> {
    /// Converts bases, on the current rayon pool.
    pub(crate) fn new(ifma: Ifma, bases: &[P::Raw]) -> Self {
        let mut points: Vec<P::Packed> = pages::with_capacity(bases.len());
        bases.par_iter().map(|raw| P::pack(&P::from_raw(raw))).collect_into_vec(&mut points);
        let mut identities: Vec<u64> = points
            .par_chunks(64)
            .map(|points| {
                points.iter().rev().fold(0, |bits, point| bits << 1 | u64::from(P::is_identity(point)))
            })
            .collect();
        if identities.iter().all(|&bits| bits == 0) {
            identities = Vec::new();
        }
        Self { points, identities, ifma }
    }

    /// `sum scalars[i] * bases[i]`.
    pub(crate) fn msm(&self, scalars: &[Fr]) -> Result<P::Curve, KernelError> {
        check_lengths(self.points.len(), scalars.len())?;
        let identity = |i: usize| self.identities.get(i / 64).is_some_and(|bits| bits >> (i % 64) & 1 == 1);
        let classified = classify(scalars, |scalars| canonical(self.ifma, scalars), identity);
        let tasks = plan(&classified, &COSTS);
        let sums = run_all(
            &tasks,
            || Buckets::<P>::new(self.ifma),
            |buckets, task| buckets.run(task, &self.points, &classified.magnitude),
        );
        Ok(combine::<P>(&tasks, &sums))
    }
}

/// The buckets of a task, and working memory kept between tasks.
struct Buckets<P: PackedCurve> {
    adder: Adder<P>,
    layout: Layout,
    digits: Vec<i32>,
    lanes: Vec<Sums<P::Lane>>,
    /// Bucket sums, the first of which stands for digit zero and stays the identity.
    sums: Vec<P::Packed>,
}

impl<P: PackedCurve> Buckets<P> {
    fn new(ifma: Ifma) -> Self {
        Self {
            adder: Adder::new(ifma),
            layout: Layout::default(),
            digits: Vec::new(),
            lanes: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// The weighted bucket sum of one task.
    fn run(&mut self, task: &Task<'_>, bases: &[P::Packed], magnitude: &Magnitudes) -> P::Curve {
        if self.digits.capacity() < task.entries().len() {
            self.digits = pages::with_capacity(task.entries().len());
        }
        task.digits(task.entries(), magnitude, &mut self.digits);
        self.sums.clear();
        self.sums.resize(task.bucket_count() + 1, P::IDENTITY);
        self.layout.reserve(task.entries().len());
        self.layout.arrange(task.entries(), &self.digits, task.bucket_count());
        let (mut points, mut buckets) = self.accumulate(bases);
        // Sums of the parts of split buckets, far fewer each time; at last no bucket is split.
        while !points.is_empty() {
            let entries: Vec<u32> = (0..points.len() as u32).collect();
            self.layout.arrange(&entries, &buckets, task.bucket_count());
            (points, buckets) = self.accumulate(&points);
        }
        let sums = std::mem::take(&mut self.sums);
        let sum = self.weighted_sum(&sums[1..]);
        self.sums = sums;
        sum
    }

    /// Sums the groups of the layout. Whole buckets go to `sums`; parts of split ones are returned,
    /// with the bucket of each.
    fn accumulate(&mut self, points: &[P::Packed]) -> (Vec<P::Packed>, Vec<i32>) {
        let (mut parts, mut buckets) = (Vec::new(), Vec::new());
        let list = &self.layout.list;
        for batch in self.layout.groups.chunks(P::GROUPS) {
            self.adder.clear(&mut self.lanes, batch.len());
            let entries = Entries { points, list, at: Step { groups: batch, step: 0 } };
            self.adder.load(&mut self.lanes, &entries);
            for step in 1..batch[0].steps {
                let active = batch.partition_point(|group| group.steps > step);
                let entries = Entries { points, list, at: Step { groups: &batch[..active], step } };
                self.adder.add(&mut self.lanes[..active], &entries);
            }
            for (group, lanes) in batch.iter().zip(&self.lanes) {
                let sums = self.adder.points(lanes);
                match group.lanes {
                    Lanes::Each(first) => {
                        for (&bucket, sum) in self.layout.order[first as usize..].iter().zip(&sums) {
                            self.sums[bucket as usize] = *sum;
                        }
                    }
                    Lanes::One(bucket) => {
                        let parts_here = sums.iter().filter(|sum| !P::is_identity(sum));
                        parts.extend(parts_here.copied());
                        buckets.resize(parts.len(), bucket as i32);
                    }
                }
            }
        }
        (parts, buckets)
    }

    /// `sum (b + 1) * sums[b]` for a power of two of sums: runs of `length` of them, each summed from
    /// its top down, keep a running sum R and a sum T of running sums. With run s starting at
    /// s * length, the result is `sum T_s + length * sum s R_s`, the latter again such a sum.
    fn weighted_sum(&mut self, sums: &[P::Packed]) -> P::Curve {
        if sums.len() <= FEW_BUCKETS {
            let affine: Vec<P> = sums.iter().map(P::unpack).collect();
            return sum_buckets(&affine);
        }
        let runs = RUNS.min(sums.len() / 4);
        let length = sums.len() / runs;
        let (mut running, mut total) = (Vec::new(), Vec::new());
        self.adder.clear(&mut running, runs / 8);
        self.adder.clear(&mut total, runs / 8);
        let mut list = vec![NONE; runs];
        for i in (0..length).rev() {
            for (s, entry) in list.iter_mut().enumerate() {
                let at = s * length + i;
                *entry = if P::is_identity(&sums[at]) { NONE } else { at as u32 };
            }
            self.adder.add(&mut running, &Entries { points: sums, list: &list, at: InOrder });
            self.adder.add(&mut total, &running.as_slice());
        }
        // Run 0 weighs nothing; an identity at the end makes up for it.
        let mut above: Vec<P::Packed> =
            running.iter().flat_map(|lanes| self.adder.points(lanes)).skip(1).collect();
        above.push(P::IDENTITY);
        let outer = (0..length.trailing_zeros()).fold(self.weighted_sum(&above), |sum, _| sum.double());
        while total.len() > 1 {
            let half = total.len() / 2;
            let (low, high) = total.split_at_mut(half);
            self.adder.add(low, &&*high);
            total.truncate(half);
        }
        let inner = total.iter().flat_map(|lanes| self.adder.points(lanes));
        inner.fold(outer, |sum, point| sum + P::unpack(&point))
    }
}
