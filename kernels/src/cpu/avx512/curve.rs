//! Points as the AVX-512 path stores them, and the coordinate fields over its lanes.
//!
//! A stored coordinate is four 64-bit words of its 2^260 Montgomery form per base field element,
//! below 1.65 p; a G1 point is one cache line, a G2 point two. The identity is all zero.

use super::field::{BaseModulus, Lanes, Modulus, reduce_once};
use super::simd::{V, equal, load, or, prefetch, store, transpose, zero};
use crate::point::CurvePoint;
use ff::Field;
use halo2curves::bn256::{Fq, Fq2, G1Affine, G2Affine};

pub(crate) type Fq8 = Lanes<BaseModulus>;

/// Eight coordinates. The bounds hold for each base field element of a coordinate. "Loose" values lack
/// their carries and may be negative.
pub(crate) trait Coordinate: Copy {
    fn zero() -> Self;
    fn one() -> Self;
    /// Below 1.43 p, for a below 5.65 p and b below 1.43 p.
    fn mul(&self, b: &Self) -> Self;
    /// `a^2 - 2 b - c + 6 p`, below 1.65 p: for a below 1.43 p and 2 b + c in [2 p, 5.3 p].
    fn square_sub(&self, b: &Self, c: &Self) -> Self;
    /// `a b - c + 3 p`, below 1.65 p: for a below 5.65 p, b below 1.43 p and c at most 2 p.
    fn mul_sub(&self, b: &Self, c: &Self) -> Self;
    /// `a - b + K p`, bounds as for [`Lanes::sub`].
    fn sub<const K: usize>(&self, b: &Self) -> Self;
    /// `-a` in the lanes of the mask, loose.
    fn loose_negate(&self, mask: u8) -> Self;
    /// `a + 2 p` below 1.65 p, for loose a in [-1.65 p, 3 p].
    fn settle(&self) -> Self;
    fn select(mask: u8, a: &Self, b: &Self) -> Self;
    /// Lanes whose value, below 4 p, is a multiple of p.
    fn vanishes(&self) -> u8;
}

impl Coordinate for Fq8 {
    #[inline(always)]
    fn zero() -> Self {
        Lanes::zero()
    }
    #[inline(always)]
    fn one() -> Self {
        Lanes::one()
    }
    /// A B is at most 8.08: below 1.23 p.
    #[inline(always)]
    fn mul(&self, b: &Self) -> Self {
        self.mul_loose(b).tight()
    }
    /// The square is below 1.16 p, so what is settled lies between 0.7 p and 5.16 p.
    #[inline(always)]
    fn square_sub(&self, b: &Self, c: &Self) -> Self {
        Lanes::settle(&self.square_loose().loose_sub_three::<6>(b, c))
    }
    #[inline(always)]
    fn mul_sub(&self, b: &Self, c: &Self) -> Self {
        Lanes::settle(&self.mul_loose(b).loose_sub::<3>(c))
    }
    #[inline(always)]
    fn sub<const K: usize>(&self, b: &Self) -> Self {
        Lanes::sub::<K>(self, b)
    }
    #[inline(always)]
    fn loose_negate(&self, mask: u8) -> Self {
        Lanes::loose_negate(self, mask)
    }
    #[inline(always)]
    fn settle(&self) -> Self {
        Lanes::settle(&self.loose_sub::<2>(&Lanes::zero()))
    }
    #[inline(always)]
    fn select(mask: u8, a: &Self, b: &Self) -> Self {
        Lanes::select(mask, a, b)
    }
    #[inline(always)]
    fn vanishes(&self) -> u8 {
        let l = self.reduce::<2>().reduce::<1>().limbs;
        equal(or(or(l[0], l[1]), or(or(l[2], l[3]), l[4])), zero())
    }
}

/// Eight elements `c0 + c1 u` of the quadratic extension, u^2 = -1.
#[derive(Clone, Copy)]
pub(crate) struct Fq2x8 {
    c0: Fq8,
    c1: Fq8,
}

impl Fq2x8 {
    /// Four products under two reductions. With b below 3 p: c0 is below
    /// (1.13 + 0.01182 (A B + 3 A)) p, that is below 1.43 p, and c1 below 1.32 p.
    #[inline(always)]
    fn mul_loose(&self, b: &Self) -> Self {
        let minus_b1 = b.c1.neg::<3>();
        Self {
            c0: Lanes::mul_sum_loose(&self.c0, &b.c0, &self.c1, &minus_b1),
            c1: Lanes::mul_sum_loose(&self.c0, &b.c1, &self.c1, &b.c0),
        }
    }
}

impl Coordinate for Fq2x8 {
    #[inline(always)]
    fn zero() -> Self {
        Self { c0: Lanes::zero(), c1: Lanes::zero() }
    }
    #[inline(always)]
    fn one() -> Self {
        Self { c0: Lanes::one(), c1: Lanes::zero() }
    }
    #[inline(always)]
    fn mul(&self, b: &Self) -> Self {
        let product = self.mul_loose(b);
        Self { c0: product.c0.tight(), c1: product.c1.tight() }
    }
    /// `(c0 + c1)(c0 - c1 + 2 p)` and `(2 c0) c1`, factors below 2.86 p and 3.43 p, 2.86 p and 1.43 p:
    /// below 1.25 p, so what is settled lies between 0.7 p and 5.25 p.
    #[inline(always)]
    fn square_sub(&self, b: &Self, c: &Self) -> Self {
        let twice = self.c0.add(&self.c0);
        let (sum, difference) = (self.c0.add(&self.c1), self.c0.sub::<2>(&self.c1));
        Self {
            c0: sum.mul_loose(&difference).loose_sub_three::<6>(&b.c0, &c.c0).settle(),
            c1: twice.mul_loose(&self.c1).loose_sub_three::<6>(&b.c1, &c.c1).settle(),
        }
    }
    #[inline(always)]
    fn mul_sub(&self, b: &Self, c: &Self) -> Self {
        let product = self.mul_loose(b);
        Self { c0: product.c0.loose_sub::<3>(&c.c0).settle(), c1: product.c1.loose_sub::<3>(&c.c1).settle() }
    }
    #[inline(always)]
    fn sub<const K: usize>(&self, b: &Self) -> Self {
        Self { c0: self.c0.sub::<K>(&b.c0), c1: self.c1.sub::<K>(&b.c1) }
    }
    #[inline(always)]
    fn loose_negate(&self, mask: u8) -> Self {
        Self { c0: self.c0.loose_negate(mask), c1: self.c1.loose_negate(mask) }
    }
    #[inline(always)]
    fn settle(&self) -> Self {
        Self { c0: Coordinate::settle(&self.c0), c1: Coordinate::settle(&self.c1) }
    }
    #[inline(always)]
    fn select(mask: u8, a: &Self, b: &Self) -> Self {
        Self { c0: Lanes::select(mask, &a.c0, &b.c0), c1: Lanes::select(mask, &a.c1, &b.c1) }
    }
    #[inline(always)]
    fn vanishes(&self) -> u8 {
        self.c0.vanishes() & self.c1.vanishes()
    }
}

/// A curve the AVX-512 path knows.
pub(crate) trait PackedCurve: CurvePoint {
    /// A stored point.
    type Packed: Copy + Send + Sync;
    /// Eight coordinates.
    type Lane: Coordinate;
    /// The identity.
    const IDENTITY: Self::Packed;
    /// Groups of eight running sums that share an inversion (which takes about 2 us). Between its two
    /// passes a group takes 1.6 KiB in G1, twice that in G2: all of them stay in a 1 MiB cache. Chosen for that,
    /// not tuned.
    const GROUPS: usize;

    /// Converts a stored point back.
    fn unpack(point: &Self::Packed) -> Self;
    /// Converts a point.
    fn pack(point: &Self) -> Self::Packed;
    /// Whether a stored point is the identity.
    fn is_identity(point: &Self::Packed) -> bool;
    /// x and y of eight points.
    fn gather(points: [&Self::Packed; 8]) -> (Self::Lane, Self::Lane);
    /// Eight points, for coordinates below 1.65 p.
    fn scatter(x: &Self::Lane, y: &Self::Lane) -> [Self::Packed; 8];
    /// Asks for the point's cache lines.
    fn prefetch(point: &Self::Packed);
    /// The inverses of eight nonzero coordinates, below p.
    fn invert(v: &Self::Lane) -> Self::Lane;
}

/// A coordinate word quadruple to the curve library's form: ours is x 2^260, its x 2^256.
fn decode(words: &[u64]) -> Fq {
    let w = [words[0], words[1], words[2], words[3]];
    // Below 2 p.
    let w = reduce_once(&w, &BaseModulus::P64);
    // Read as a 2^256 form the words stand for 16 x.
    Fq(w) * SIXTEENTH
}

fn encode(x: &Fq, words: &mut [u64]) {
    words.copy_from_slice(&x.double().double().double().double().0);
}

/// 1/16 in the 2^256 form: 2^252.
const SIXTEENTH: Fq = Fq([0, 0, 0, 1 << 60]);

/// The base field values of eight lanes, in a form in which the library's arithmetic inverts them:
/// read as 2^256 forms, our words stand for 16 v.
#[inline(always)]
fn lanes_of(v: &Fq8) -> [Fq; 8] {
    let words = v.reduce::<1>().to_words();
    let mut rows = [[0; 8]; 4];
    for (row, word) in rows.iter_mut().zip(words) {
        store(row, word);
    }
    std::array::from_fn(|i| Fq([rows[0][i], rows[1][i], rows[2][i], rows[3][i]]))
}

#[inline(always)]
fn lanes_from(values: &[Fq; 8]) -> Fq8 {
    let row = |k: usize| load(&std::array::from_fn(|i| values[i].0[k]));
    Fq8::from_words([row(0), row(1), row(2), row(3)])
}

/// Eight nonzero values inverted with one inversion.
fn invert_each<F: Field>(values: &mut [F; 8]) {
    let mut prefix = [F::ONE; 8];
    let mut product = F::ONE;
    for (p, v) in prefix.iter_mut().zip(values.iter()) {
        *p = product;
        product *= v;
    }
    // The caller passes no zero, so the product is invertible.
    let mut inverse = product.invert().unwrap_or(F::ZERO);
    for (v, p) in values.iter_mut().zip(prefix).rev() {
        let next = inverse * *v;
        *v = inverse * p;
        inverse = next;
    }
}

#[inline(always)]
fn first_words(v: [V; 8]) -> ([V; 4], [V; 4]) {
    ([v[0], v[1], v[2], v[3]], [v[4], v[5], v[6], v[7]])
}

#[inline(always)]
pub(crate) fn join(a: [V; 4], b: [V; 4]) -> [V; 8] {
    transpose([a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]])
}

/// A G1 point: x, y.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct PackedG1(pub(crate) [u64; 8]);

/// A G2 point: x.c0, x.c1 and y.c0, y.c1.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct PackedG2(pub(crate) [[u64; 8]; 2]);

impl PackedCurve for G1Affine {
    type Packed = PackedG1;
    type Lane = Fq8;
    const IDENTITY: PackedG1 = PackedG1([0; 8]);
    const GROUPS: usize = 256;

    fn unpack(point: &PackedG1) -> Self {
        Self::from_coordinates(decode(&point.0[..4]), decode(&point.0[4..]))
    }
    fn pack(point: &Self) -> PackedG1 {
        let mut out = Self::IDENTITY;
        encode(&point.x, &mut out.0[..4]);
        encode(&point.y, &mut out.0[4..]);
        out
    }
    #[inline(always)]
    fn is_identity(point: &PackedG1) -> bool {
        point.0 == [0; 8]
    }
    #[inline(always)]
    fn gather(p: [&PackedG1; 8]) -> (Fq8, Fq8) {
        let (x, y) = first_words(transpose([
            load(&p[0].0),
            load(&p[1].0),
            load(&p[2].0),
            load(&p[3].0),
            load(&p[4].0),
            load(&p[5].0),
            load(&p[6].0),
            load(&p[7].0),
        ]));
        (Lanes::from_words(x), Lanes::from_words(y))
    }
    #[inline(always)]
    fn scatter(x: &Fq8, y: &Fq8) -> [PackedG1; 8] {
        let rows = join(x.to_words(), y.to_words());
        let mut out = [Self::IDENTITY; 8];
        for (out, row) in out.iter_mut().zip(rows) {
            store(&mut out.0, row);
        }
        out
    }
    #[inline(always)]
    fn prefetch(point: &PackedG1) {
        prefetch(point);
    }
    #[inline(always)]
    fn invert(v: &Fq8) -> Fq8 {
        let mut values = lanes_of(v);
        // Inverting 16 v gives 1 / (16 v); our form of 1 / v reads as 16 / v.
        invert_each(&mut values);
        lanes_from(&values.map(|x| x * Fq::from(256)))
    }
}

impl PackedCurve for G2Affine {
    type Packed = PackedG2;
    type Lane = Fq2x8;
    const IDENTITY: PackedG2 = PackedG2([[0; 8]; 2]);
    const GROUPS: usize = 128;

    fn unpack(point: &PackedG2) -> Self {
        let pair = |w: &[u64; 8]| Fq2::new(decode(&w[..4]), decode(&w[4..]));
        Self::from_coordinates(pair(&point.0[0]), pair(&point.0[1]))
    }
    fn pack(point: &Self) -> PackedG2 {
        let mut out = Self::IDENTITY;
        for (words, c) in out.0.iter_mut().zip([&point.x, &point.y]) {
            encode(c.c0(), &mut words[..4]);
            encode(c.c1(), &mut words[4..]);
        }
        out
    }
    #[inline(always)]
    fn is_identity(point: &PackedG2) -> bool {
        point.0 == [[0; 8]; 2]
    }
    #[inline(always)]
    fn gather(p: [&PackedG2; 8]) -> (Fq2x8, Fq2x8) {
        (gather_pairs(p, 0), gather_pairs(p, 1))
    }
    #[inline(always)]
    fn scatter(x: &Fq2x8, y: &Fq2x8) -> [PackedG2; 8] {
        let mut out = [Self::IDENTITY; 8];
        let xs = join(x.c0.to_words(), x.c1.to_words());
        let ys = join(y.c0.to_words(), y.c1.to_words());
        for (i, out) in out.iter_mut().enumerate() {
            store(&mut out.0[0], xs[i]);
            store(&mut out.0[1], ys[i]);
        }
        out
    }
    #[inline(always)]
    fn prefetch(point: &PackedG2) {
        prefetch(&point.0[0]);
        prefetch(&point.0[1]);
    }
    #[inline(always)]
    fn invert(v: &Fq2x8) -> Fq2x8 {
        let (c0, c1) = (lanes_of(&v.c0), lanes_of(&v.c1));
        let mut values: [Fq2; 8] = std::array::from_fn(|i| Fq2::new(c0[i], c1[i]));
        invert_each(&mut values);
        let scale = Fq::from(256);
        Fq2x8 {
            c0: lanes_from(&values.map(|x| *x.c0() * scale)),
            c1: lanes_from(&values.map(|x| *x.c1() * scale)),
        }
    }
}

#[inline(always)]
fn gather_pairs(p: [&PackedG2; 8], coordinate: usize) -> Fq2x8 {
    let (c0, c1) = first_words(transpose([
        load(&p[0].0[coordinate]),
        load(&p[1].0[coordinate]),
        load(&p[2].0[coordinate]),
        load(&p[3].0[coordinate]),
        load(&p[4].0[coordinate]),
        load(&p[5].0[coordinate]),
        load(&p[6].0[coordinate]),
        load(&p[7].0[coordinate]),
    ]));
    Fq2x8 { c0: Lanes::from_words(c0), c1: Lanes::from_words(c1) }
}
