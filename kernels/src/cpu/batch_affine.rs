//! Many independent affine additions with one inversion (Montgomery's trick): 5 multiplications and
//! one squaring each. Complete: identities, doublings and inverse pairs give the right result.

use crate::point::{BaseField, CurvePoint};
use ff::Field;

/// Additions per shared inversion. One inversion costs about a hundred multiplications, so at 256
/// its share is under half a multiplication; 256 pairs of G2 points still fit a 1 MiB cache.
pub(crate) const BLOCK: usize = 256;

enum Kind {
    Add,
    Double,
    KeepLeft,
    TakeRight,
    Cancel,
}

/// The slope's denominator, or which special case the pair is. The denominator is never zero.
#[inline(always)]
fn classify<P: CurvePoint>(p: &P, q: &P) -> (Kind, P::Base) {
    let dx = q.x() - p.x();
    if !dx.is_zero_fast() && !p.x().is_zero_fast() && !q.x().is_zero_fast() {
        return (Kind::Add, dx);
    }
    if q.is_neutral() {
        (Kind::KeepLeft, P::Base::ONE)
    } else if p.is_neutral() {
        (Kind::TakeRight, P::Base::ONE)
    } else if !dx.is_zero_fast() {
        (Kind::Add, dx)
    } else if p.y() == q.y() {
        // 2y is not zero: both groups have odd order, so no point has y = 0.
        (Kind::Double, p.y().double())
    } else {
        (Kind::Cancel, P::Base::ONE)
    }
}

/// `lhs[i] += rhs[i]` for all i. `scratch` is reused between calls; slices have equal length.
pub(crate) fn add_assign<P: CurvePoint>(lhs: &mut [P], rhs: &[P], scratch: &mut Vec<P::Base>) {
    debug_assert_eq!(lhs.len(), rhs.len());
    scratch.clear();
    let mut product = P::Base::ONE;
    for (p, q) in lhs.iter().zip(rhs) {
        scratch.push(product);
        product *= classify(p, q).1;
    }
    // Every denominator is nonzero, so the product is invertible.
    let mut inverse = product.invert().unwrap_or(P::Base::ZERO);
    for ((p, q), prefix) in lhs.iter_mut().zip(rhs).zip(scratch.iter()).rev() {
        let (kind, denominator) = classify(p, q);
        let inv = inverse * prefix;
        inverse *= denominator;
        let slope = match kind {
            Kind::Add => (q.y() - p.y()) * inv,
            Kind::Double => {
                let xx = p.x().square();
                (xx.double() + xx) * inv
            }
            Kind::KeepLeft => continue,
            Kind::TakeRight => {
                *p = *q;
                continue;
            }
            Kind::Cancel => {
                *p = P::neutral();
                continue;
            }
        };
        let x = slope.square() - p.x() - q.x();
        let y = slope * (p.x() - x) - p.y();
        *p = P::from_coordinates(x, y);
    }
}

/// Working memory of the bucket reduction, kept between chunks.
pub(crate) struct Workspace<P: CurvePoint> {
    lhs: Vec<P>,
    rhs: Vec<P>,
    scratch: Vec<P::Base>,
    level: Vec<P>,
    next: Vec<P>,
}

impl<P: CurvePoint> Workspace<P> {
    pub(crate) fn new() -> Self {
        Self {
            lhs: Vec::with_capacity(BLOCK),
            rhs: Vec::with_capacity(BLOCK),
            scratch: Vec::with_capacity(BLOCK),
            level: Vec::new(),
            next: Vec::new(),
        }
    }

    fn flush(&mut self, targets: &mut Vec<u32>) {
        add_assign(&mut self.lhs, &self.rhs, &mut self.scratch);
        for (sum, &target) in self.lhs.iter().zip(targets.iter()) {
            self.next[target as usize] = *sum;
        }
        self.lhs.clear();
        self.rhs.clear();
        targets.clear();
    }

    /// Adds to `buckets[b]` the sum of the `counts[b]` points of bucket b, for points listed bucket
    /// after bucket and read through `point`. Pairs within a bucket are added in rounds that halve
    /// it, so one huge bucket (a witness full of ones) batches as well as many small ones.
    pub(crate) fn reduce_into(&mut self, buckets: &mut [P], counts: &mut [u32], point: impl Fn(usize) -> P) {
        let mut first = true;
        let mut targets: Vec<u32> = Vec::with_capacity(BLOCK);
        while first || counts.iter().any(|&c| c > 1) {
            let total: usize = counts.iter().map(|&c| c.div_ceil(2) as usize).sum();
            self.next.clear();
            self.next.resize(total, P::neutral());
            let (mut read, mut write) = (0usize, 0usize);
            for count in counts.iter_mut() {
                for pair in 0..(*count / 2) as usize {
                    let i = read + 2 * pair;
                    let (p, q) =
                        if first { (point(i), point(i + 1)) } else { (self.level[i], self.level[i + 1]) };
                    self.lhs.push(p);
                    self.rhs.push(q);
                    targets.push((write + pair) as u32);
                    if targets.len() == BLOCK {
                        self.flush(&mut targets);
                    }
                }
                let pairs = (*count / 2) as usize;
                if *count % 2 == 1 {
                    let last = read + *count as usize - 1;
                    self.next[write + pairs] = if first { point(last) } else { self.level[last] };
                }
                read += *count as usize;
                *count = count.div_ceil(2);
                write += *count as usize;
            }
            self.flush(&mut targets);
            std::mem::swap(&mut self.level, &mut self.next);
            first = false;
        }
        self.merge(buckets, counts);
    }

    /// Adds the single point left per nonempty bucket to the running bucket.
    fn merge(&mut self, buckets: &mut [P], counts: &[u32]) {
        let mut from = 0;
        let mut targets: Vec<usize> = Vec::with_capacity(BLOCK);
        for (b, &count) in counts.iter().enumerate() {
            if count == 1 {
                self.lhs.push(buckets[b]);
                self.rhs.push(self.level[from]);
                targets.push(b);
                from += 1;
            }
            if targets.len() == BLOCK || b + 1 == counts.len() {
                add_assign(&mut self.lhs, &self.rhs, &mut self.scratch);
                for (sum, &target) in self.lhs.iter().zip(&targets) {
                    buckets[target] = *sum;
                }
                self.lhs.clear();
                self.rhs.clear();
                targets.clear();
            }
        }
    }
}
