//! Running sums of affine points, eight lanes at a time, one inversion shared by all the sums of a
//! step (Montgomery's trick). Complete: equal and opposite points leave the lanes for the portable
//! addition. Per addition: 5 multiplications, 1 squaring and its share of the inversion.

use super::Ifma;
use super::curve::{Coordinate, PackedCurve};
use super::simd::{V, equal, load_halves, meet, splat};
use crate::cpu::batch_affine;
use crate::cpu::scalars::NEGATIVE;
use std::marker::PhantomData;

/// Independent prefix products, so that one multiplication's latency hides behind the others.
const CHAINS: usize = 4;
/// How many groups ahead operands are fetched. Not tuned.
const AHEAD: usize = 6;
/// An entry without a point.
pub(super) const NONE: u32 = NEGATIVE - 1;

/// Eight running sums; coordinates below 1.65 p, meaningless in empty lanes.
#[derive(Clone, Copy)]
pub(super) struct Sums<L> {
    x: L,
    y: L,
    /// Lanes that hold the identity.
    empty: u8,
}

/// Eight operands: x below 1.65 p, y loose in [-1.65 p, 1.65 p], and the lanes that have none.
pub(super) struct Operand<L> {
    x: L,
    y: L,
    absent: u8,
}

/// Where a step finds what it adds to group number `group` of its sums.
pub(super) trait Source<P: PackedCurve> {
    /// The operands of a group.
    fn read(&self, group: usize) -> Operand<P::Lane>;
    /// Asks for what [`Source::read`] will need.
    fn prefetch(&self, _group: usize) {}
}

/// Stored points named by entries: index, [`NEGATIVE`] where the point is to be negated, or [`NONE`].
pub(super) struct Entries<'a, P: PackedCurve, At> {
    pub(super) points: &'a [P::Packed],
    pub(super) list: &'a [u32],
    /// Where in `list` the eight entries of a group begin.
    pub(super) at: At,
}

/// Maps a group to a place; a trait of its own because closures do not inherit `inline(always)`.
pub(super) trait Place {
    /// The place of a group.
    fn of(&self, group: usize) -> usize;
    /// The place of a group ahead of those read, to be prefetched.
    fn ahead(&self, group: usize) -> Option<usize>;
}

/// Groups one after the other.
pub(super) struct InOrder;

impl Place for InOrder {
    #[inline(always)]
    fn of(&self, group: usize) -> usize {
        8 * group
    }
    #[inline(always)]
    fn ahead(&self, group: usize) -> Option<usize> {
        Some(8 * group)
    }
}

impl<P: PackedCurve, At: Place> Entries<'_, P, At> {
    #[inline(always)]
    fn entries(&self, group: usize) -> &[u32; 8] {
        self.list[self.at.of(group)..].first_chunk().unwrap_or(&[NONE; 8])
    }
}

impl<P: PackedCurve, At: Place> Source<P> for Entries<'_, P, At> {
    #[inline(always)]
    fn read(&self, group: usize) -> Operand<P::Lane> {
        let entries = self.entries(group);
        let vector = load_halves(entries);
        let absent = equal(vector, splat(NONE.into()));
        if absent != 0 {
            return gather::<P>(self.points, &entries.map(|e| if e == NONE { 0 } else { e }), vector, absent);
        }
        gather::<P>(self.points, entries, vector, absent)
    }

    #[inline(always)]
    fn prefetch(&self, group: usize) {
        let Some(at) = self.at.ahead(group) else { return };
        for &entry in self.list.iter().skip(at).take(8) {
            if let Some(point) = self.points.get((entry & !NEGATIVE) as usize) {
                P::prefetch(point);
            }
        }
    }
}

#[inline(always)]
fn gather<P: PackedCurve>(
    points: &[P::Packed],
    entries: &[u32; 8],
    vector: V,
    absent: u8,
) -> Operand<P::Lane> {
    let at = |i: usize| &points[(entries[i] & !NEGATIVE) as usize];
    let (x, y) = P::gather([at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)]);
    Operand { x, y: y.loose_negate(meet(vector, splat(NEGATIVE.into()))), absent }
}

/// Sums added to sums.
impl<P: PackedCurve> Source<P> for &[Sums<P::Lane>] {
    #[inline(always)]
    fn read(&self, group: usize) -> Operand<P::Lane> {
        let sums = &self[group];
        Operand { x: sums.x, y: sums.y, absent: sums.empty }
    }
}

impl<L: Coordinate> Sums<L> {
    /// Stored points, identities included. Needs the processor's features, as all lane arithmetic.
    #[inline(always)]
    fn place(&mut self, lanes: u8, from: &Operand<L>) {
        self.x = L::select(lanes, &self.x, &from.x);
        self.y = L::select(lanes, &self.y, &from.y.settle());
        self.empty &= !lanes;
    }
}

/// Eight additions between the two passes over the sums.
struct Staged<L> {
    /// The slope's denominator (one in lanes that keep their sum) and numerator.
    dx: L,
    dy: L,
    /// Product of the denominators before this one in its chain.
    prefix: L,
    /// Lanes that keep their sum.
    keep: u8,
}

/// Working memory of additions, and the proof that they may run.
pub(super) struct Adder<P: PackedCurve> {
    ifma: Ifma,
    staged: Vec<Staged<P::Lane>>,
    curve: PhantomData<P>,
}

impl<P: PackedCurve> Adder<P> {
    pub(super) fn new(ifma: Ifma) -> Self {
        Self { ifma, staged: Vec::with_capacity(P::GROUPS), curve: PhantomData }
    }

    /// `count` groups of empty sums.
    pub(super) fn clear(&self, sums: &mut Vec<Sums<P::Lane>>, count: usize) {
        let Ifma(()) = self.ifma;
        sums.clear();
        // SAFETY: the token in `self.ifma` exists only where the features do.
        sums.resize(count, unsafe { empty::<P>() });
    }

    /// Sets each group of sums to its operands.
    pub(super) fn load(&self, sums: &mut [Sums<P::Lane>], source: &impl Source<P>) {
        let Ifma(()) = self.ifma;
        // SAFETY: the token in `self.ifma` exists only where the features do.
        unsafe { load::<P, _>(sums, source) }
    }

    /// Adds to each group of sums its operands.
    pub(super) fn add(&mut self, sums: &mut [Sums<P::Lane>], source: &impl Source<P>) {
        let Ifma(()) = self.ifma;
        for first in (0..sums.len()).step_by(P::GROUPS) {
            let end = sums.len().min(first + P::GROUPS);
            // SAFETY: the token in `self.ifma` exists only where the features do.
            unsafe { step::<P, _>(&mut self.staged, &mut sums[first..end], first, source) }
        }
    }

    /// The points in the lanes, the identity in empty ones.
    pub(super) fn points(&self, sums: &Sums<P::Lane>) -> [P::Packed; 8] {
        let Ifma(()) = self.ifma;
        // SAFETY: the token in `self.ifma` exists only where the features do.
        unsafe { points::<P>(sums) }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn empty<P: PackedCurve>() -> Sums<P::Lane> {
    Sums { x: P::Lane::zero(), y: P::Lane::zero(), empty: 0xff }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn load<P: PackedCurve, S: Source<P>>(sums: &mut [Sums<P::Lane>], source: &S) {
    for (group, sums) in sums.iter_mut().enumerate() {
        source.prefetch(group + AHEAD);
        let operand = source.read(group);
        *sums = Sums { x: operand.x, y: operand.y.settle(), empty: operand.absent };
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn points<P: PackedCurve>(sums: &Sums<P::Lane>) -> [P::Packed; 8] {
    let mut points = P::scatter(&sums.x, &sums.y);
    for (lane, point) in points.iter_mut().enumerate() {
        if sums.empty >> lane & 1 == 1 {
            *point = P::IDENTITY;
        }
    }
    points
}

/// One addition to each of at most [`PackedCurve::GROUPS`] groups, the first of which the source knows as `first`.
#[target_feature(enable = "avx512f,avx512ifma")]
fn step<P: PackedCurve, S: Source<P>>(
    staged: &mut Vec<Staged<P::Lane>>,
    sums: &mut [Sums<P::Lane>],
    first: usize,
    source: &S,
) {
    let mut product = stage::<P, S>(staged, sums, first, source);
    let all = product[0].mul(&product[1]).mul(&product[2].mul(&product[3]));
    if all.vanishes() != 0 {
        add_exceptional::<P, S>(staged, sums, first, source);
        product = multiply_up::<P>(staged);
    }
    let mut inverse = invert_chains::<P>(&product);
    let pairs = staged.len() / 2 * 2;
    if staged.len() > pairs {
        finish::<P, 1>(&staged[pairs..], &mut sums[pairs..], &mut inverse[pairs % CHAINS..]);
    }
    for at in (0..pairs).step_by(2).rev() {
        finish::<P, 2>(&staged[at..at + 2], &mut sums[at..at + 2], &mut inverse[at % CHAINS..]);
    }
}

/// First pass: reads the operands and multiplies up the denominators; the product per chain.
#[inline(always)]
fn stage<P: PackedCurve, S: Source<P>>(
    staged: &mut Vec<Staged<P::Lane>>,
    sums: &mut [Sums<P::Lane>],
    first: usize,
    source: &S,
) -> [P::Lane; CHAINS] {
    staged.clear();
    let mut product = [P::Lane::one(); CHAINS];
    for (group, sums) in sums.iter_mut().enumerate() {
        source.prefetch(first + group + AHEAD);
        let operand = source.read(first + group);
        let mut dx = operand.x.sub::<2>(&sums.x); // below 3.65 p
        let dy = operand.y.sub::<4>(&sums.y); // in [0.7 p, 5.65 p]
        let keep = operand.absent | sums.empty;
        if keep != 0 {
            dx = P::Lane::select(keep, &dx, &P::Lane::one());
            sums.place(sums.empty & !operand.absent, &operand);
        }
        let chain = &mut product[group % CHAINS];
        let prefix = *chain;
        *chain = dx.mul(&prefix);
        staged.push(Staged { dx, dy, prefix, keep });
    }
    product
}

/// Adds equal and opposite points one by one; their lanes then keep their sum.
#[cold]
#[target_feature(enable = "avx512f,avx512ifma")]
fn add_exceptional<P: PackedCurve, S: Source<P>>(
    staged: &mut [Staged<P::Lane>],
    sums: &mut [Sums<P::Lane>],
    first: usize,
    source: &S,
) {
    let mut scratch = Vec::new();
    for (group, (staged, sums)) in staged.iter_mut().zip(sums).enumerate() {
        // A kept lane's denominator is one, so this finds only lanes that add.
        let zero = staged.dx.vanishes();
        if zero == 0 {
            continue;
        }
        let operand = source.read(first + group);
        let mut left = P::scatter(&sums.x, &sums.y);
        let right = P::scatter(&operand.x, &operand.y.settle());
        for lane in (0..8).filter(|lane| zero >> lane & 1 == 1) {
            let mut sum = [P::unpack(&left[lane])];
            batch_affine::add_assign(&mut sum, &[P::unpack(&right[lane])], &mut scratch);
            left[lane] = P::pack(&sum[0]);
            sums.empty |= u8::from(sum[0].is_neutral()) << lane;
        }
        let [a, b, c, d, e, f, g, h] = &left;
        (sums.x, sums.y) = P::gather([a, b, c, d, e, f, g, h]);
        staged.keep |= zero;
        staged.dx = P::Lane::select(zero, &staged.dx, &P::Lane::one());
    }
}

/// The prefix products anew.
#[target_feature(enable = "avx512f,avx512ifma")]
fn multiply_up<P: PackedCurve>(staged: &mut [Staged<P::Lane>]) -> [P::Lane; CHAINS] {
    let mut product = [P::Lane::one(); CHAINS];
    for (group, staged) in staged.iter_mut().enumerate() {
        let chain = &mut product[group % CHAINS];
        staged.prefix = *chain;
        *chain = staged.dx.mul(&staged.prefix);
    }
    product
}

/// The inverse of each chain's product, by one inversion for all.
#[inline(always)]
fn invert_chains<P: PackedCurve>(product: &[P::Lane; CHAINS]) -> [P::Lane; CHAINS] {
    let low = product[0].mul(&product[1]);
    let high = product[2].mul(&product[3]);
    let inverse = P::invert(&low.mul(&high));
    let (low_inverse, high_inverse) = (inverse.mul(&high), inverse.mul(&low));
    [
        low_inverse.mul(&product[1]),
        low_inverse.mul(&product[0]),
        high_inverse.mul(&product[3]),
        high_inverse.mul(&product[2]),
    ]
}

/// Second pass, for N groups in neighbouring chains: slopes and sums. N multiplications of each kind
/// stand side by side, so that one's latency hides behind the other.
#[inline(always)]
fn finish<P: PackedCurve, const N: usize>(
    staged: &[Staged<P::Lane>],
    sums: &mut [Sums<P::Lane>],
    inverse: &mut [P::Lane],
) {
    let zero = P::Lane::zero();
    let (mut slope, mut x, mut y) = ([zero; N], [zero; N], [zero; N]);
    for i in 0..N {
        slope[i] = inverse[i].mul(&staged[i].prefix);
    }
    for i in 0..N {
        inverse[i] = staged[i].dx.mul(&inverse[i]);
    }
    for i in 0..N {
        slope[i] = staged[i].dy.mul(&slope[i]);
    }
    // 2 x1 + dx = x1 + x2 + 2 p.
    for i in 0..N {
        x[i] = slope[i].square_sub(&sums[i].x, &staged[i].dx);
    }
    for i in 0..N {
        y[i] = sums[i].x.sub::<2>(&x[i]).mul_sub(&slope[i], &sums[i].y);
    }
    for i in 0..N {
        let keep = staged[i].keep;
        if keep != 0 {
            x[i] = P::Lane::select(keep, &x[i], &sums[i].x);
            y[i] = P::Lane::select(keep, &y[i], &sums[i].y);
        }
        (sums[i].x, sums[i].y) = (x[i], y[i]);
    }
}
