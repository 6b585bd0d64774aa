//! Affine additions eight at a time, an inversion shared by a block of them (Montgomery's trick).
//! Complete: equal and opposite points leave the lanes for the portable additions. Per addition: 5
//! multiplications, 1 squaring, 3 conditional subtractions, and its share of the inversion.

use super::Ifma;
use super::curve::{Coordinate, PackedCurve};
use crate::cpu::batch_affine;
use crate::cpu::scalars::NEGATIVE;

/// Additions per shared inversion. An inversion takes about 2 us: below 2 ns per addition. The
/// staged block (1.9 KiB per eight G1 points, twice that in G2) fits a 1 MiB cache.
const BLOCK: usize = 1024;
/// Independent prefix products, so that one multiplication's latency hides behind the others.
const CHAINS: usize = 4;
/// How many additions ahead operands are fetched.
const AHEAD: usize = 32;

/// Two indices into the operand slices; [`NEGATIVE`] is set where the point is to be negated.
pub(super) type Pair = (u32, u32);

/// Eight additions between the two passes over a block.
struct Staged<L> {
    x1: L,
    y1: L,
    x2: L,
    y2: L,
    /// The slope's denominator, one in special lanes.
    dx: L,
    /// Product of the denominators before this one in its chain.
    prefix: L,
    /// Lanes whose left, whose right operand is the identity, and lanes left to the slow path.
    left_zero: u8,
    right_zero: u8,
    slow: u8,
}

/// Working memory of additions, and the proof that they may run.
pub(super) struct Adder<P: PackedCurve> {
    ifma: Ifma,
    staged: Vec<Staged<P::Lane>>,
    slow: Vec<usize>,
    lhs: Vec<P>,
    rhs: Vec<P>,
    scratch: Vec<P::Base>,
}

impl<P: PackedCurve> Adder<P> {
    pub(super) fn new(ifma: Ifma) -> Self {
        let staged = Vec::with_capacity(BLOCK / 8);
        Self { ifma, staged, slow: Vec::new(), lhs: Vec::new(), rhs: Vec::new(), scratch: Vec::new() }
    }

    /// `dst[targets[i]] = lhs[pairs[i].0] + rhs[pairs[i].1]` with the signs of the pair.
    pub(super) fn add(
        &mut self,
        lhs: &[P::Packed],
        rhs: &[P::Packed],
        pairs: &[Pair],
        targets: &[u32],
        dst: &mut [P::Packed],
    ) {
        let Ifma(()) = self.ifma;
        for (pairs, targets) in pairs.chunks(BLOCK).zip(targets.chunks(BLOCK)) {
            self.slow.clear();
            // SAFETY: the token in `self.ifma` exists only where the features do.
            unsafe {
                let product = stage::<P>(&mut self.staged, lhs, rhs, pairs);
                finish::<P>(&mut self.staged, product, targets, dst, &mut self.slow);
            }
            self.add_slow(lhs, rhs, pairs, targets, dst);
        }
    }

    /// The equal and opposite pairs of a block, and those with x = 0.
    fn add_slow(
        &mut self,
        lhs: &[P::Packed],
        rhs: &[P::Packed],
        pairs: &[Pair],
        targets: &[u32],
        dst: &mut [P::Packed],
    ) {
        if self.slow.is_empty() {
            return;
        }
        self.lhs.clear();
        self.rhs.clear();
        self.lhs.extend(self.slow.iter().map(|&i| signed::<P>(lhs, pairs[i].0)));
        self.rhs.extend(self.slow.iter().map(|&i| signed::<P>(rhs, pairs[i].1)));
        batch_affine::add_assign(&mut self.lhs, &self.rhs, &mut self.scratch);
        for (&i, sum) in self.slow.iter().zip(&self.lhs) {
            dst[targets[i] as usize] = P::pack(sum);
        }
    }
}

fn signed<P: PackedCurve>(points: &[P::Packed], index: u32) -> P {
    let point = P::unpack(&points[(index & !NEGATIVE) as usize]);
    if index & NEGATIVE != 0 && !point.is_neutral() { point.negate() } else { point }
}

/// Eight points by index, y in [0, 2 p].
#[inline(always)]
fn read<P: PackedCurve>(points: &[P::Packed], index: [u32; 8]) -> (P::Lane, P::Lane) {
    let at = |i: usize| &points[(index[i] & !NEGATIVE) as usize];
    let (x, y) = P::gather([at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)]);
    let mut signs = 0u8;
    for (lane, &index) in index.iter().enumerate() {
        signs |= ((index >> 31) as u8) << lane;
    }
    if signs == 0 {
        return (x, y);
    }
    let negated = P::Lane::zero().sub::<2>(&y);
    (x, P::Lane::select(signs, &y, &negated))
}

/// First pass: reads the operands and multiplies up the denominators; the product per chain.
#[target_feature(enable = "avx512f,avx512ifma")]
fn stage<P: PackedCurve>(
    staged: &mut Vec<Staged<P::Lane>>,
    lhs: &[P::Packed],
    rhs: &[P::Packed],
    pairs: &[Pair],
) -> [P::Lane; CHAINS] {
    staged.clear();
    let mut product = [P::Lane::one(); CHAINS];
    for (group, eight) in pairs.chunks(8).enumerate() {
        for &(l, r) in pairs.iter().skip(8 * group + AHEAD).take(8) {
            P::prefetch(&lhs[(l & !NEGATIVE) as usize]);
            P::prefetch(&rhs[(r & !NEGATIVE) as usize]);
        }
        // A last short group repeats its first pair; those sums are never written.
        let mut index = ([eight[0].0; 8], [eight[0].1; 8]);
        for (i, &(l, r)) in eight.iter().enumerate() {
            index.0[i] = l;
            index.1[i] = r;
        }
        let (x1, y1) = read::<P>(lhs, index.0);
        let (x2, y2) = read::<P>(rhs, index.1);
        // x is canonical, so equal values have equal limbs.
        let special = x1.same(&x2) | x1.is_zero() | x2.is_zero();
        let (mut left_zero, mut right_zero) = (0, 0);
        let mut dx = x2.sub::<1>(&x1); // below 2 p
        if special != 0 {
            // Only the identity has y = 0; a negated zero is 2 p, so look at what is stored.
            (left_zero, right_zero) = (identities::<P>(lhs, index.0), identities::<P>(rhs, index.1));
            dx = P::Lane::select(special, &dx, &P::Lane::one());
        }
        let slow = special & !left_zero & !right_zero;
        let chain = &mut product[group % CHAINS];
        let prefix = *chain;
        *chain = chain.mul(&dx); // 1.5 p times 2 p: below 1.5 p
        staged.push(Staged { x1, y1, x2, y2, dx, prefix, left_zero, right_zero, slow });
    }
    product
}

fn identities<P: PackedCurve>(points: &[P::Packed], index: [u32; 8]) -> u8 {
    let zero = |i: &u32| P::is_identity(&points[(i & !NEGATIVE) as usize]);
    index.iter().enumerate().fold(0, |mask, (lane, i)| mask | (u8::from(zero(i)) << lane))
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

/// Second pass, backwards: slopes and sums. Appends to `slow` the pairs it leaves undone.
#[target_feature(enable = "avx512f,avx512ifma")]
fn finish<P: PackedCurve>(
    staged: &mut [Staged<P::Lane>],
    product: [P::Lane; CHAINS],
    targets: &[u32],
    dst: &mut [P::Packed],
    slow: &mut Vec<usize>,
) {
    let mut inverse = invert_chains::<P>(&product);
    for (group, s) in staged.iter().enumerate().rev() {
        let running = &mut inverse[group % CHAINS];
        // Products below are under 1.5 p, see `Coordinate::mul`.
        let inv = running.mul(&s.prefix);
        *running = running.mul(&s.dx);
        let slope = s.y2.sub::<2>(&s.y1).mul(&inv); // 4 p times 1.5 p
        // 1.5 p - x1 - x2 + 2 p is below 3.5 p: two steps make it canonical.
        let mut x = slope.square().sub_both::<2>(&s.x1, &s.x2).reduce::<2>().reduce::<1>();
        // 1.5 p - y1 + 2 p: one step leaves it below 2 p.
        let mut y = slope.mul(&s.x1.sub::<1>(&x)).sub::<2>(&s.y1).reduce::<2>();
        if s.left_zero | s.right_zero != 0 {
            x = P::Lane::select(s.right_zero, &x, &s.x1);
            y = P::Lane::select(s.right_zero, &y, &s.y1);
            x = P::Lane::select(s.left_zero, &x, &s.x2);
            y = P::Lane::select(s.left_zero, &y, &s.y2);
        }
        let sums = P::scatter(&x, &y);
        let targets = &targets[8 * group..targets.len().min(8 * group + 8)];
        let both = s.left_zero & s.right_zero;
        for (lane, (&target, sum)) in targets.iter().zip(&sums).enumerate() {
            dst[target as usize] = if both >> lane & 1 == 0 { *sum } else { P::IDENTITY };
        }
        if s.slow != 0 {
            slow.extend(
                (0..targets.len()).filter(|lane| s.slow >> lane & 1 == 1).map(|lane| 8 * group + lane),
            );
        }
    }
}
