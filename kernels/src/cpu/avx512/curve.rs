//! Points as the AVX-512 path stores them, and the coordinate fields over its lanes.
//!
//! A stored coordinate is four 64-bit words of its 2^260 Montgomery form per base field element; a
//! G1 point is one cache line, a G2 point two. x is canonical, y at most 2 p, the identity all zero.

use super::field::{BaseModulus, Lanes, Modulus, reduce_once};
use super::simd::{V, equal, load, or, prefetch, store, transpose, zero};
use crate::point::CurvePoint;
use ff::Field;
use halo2curves::bn256::{Fq, Fq2, G1Affine, G2Affine};

pub(crate) type Fq8 = Lanes<BaseModulus>;

/// Eight coordinates.
pub(crate) trait Coordinate: Copy {
    fn zero() -> Self;
    fn one() -> Self;
    /// Below 1.5 p if a is below 4 p and b below 1.5 p, or both below 3 p.
    fn mul(&self, b: &Self) -> Self;
    /// Below 1.5 p, for values below 1.5 p.
    fn square(&self) -> Self;
    /// `a - b + K p`, bounds as for [`Lanes::sub`].
    fn sub<const K: usize>(&self, b: &Self) -> Self;
    /// `a - b - c + K p`, bounds as for [`Lanes::sub_both`].
    fn sub_both<const K: usize>(&self, b: &Self, c: &Self) -> Self;
    /// From below 2 K p to below K p.
    fn reduce<const K: usize>(&self) -> Self;
    fn select(mask: u8, a: &Self, b: &Self) -> Self;
    /// Lanes where two normalised values have the same limbs.
    fn same(&self, b: &Self) -> u8;
    /// Lanes whose limbs are all zero.
    fn is_zero(&self) -> u8;
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
    #[inline(always)]
    fn mul(&self, b: &Self) -> Self {
        Lanes::mul(self, b)
    }
    #[inline(always)]
    fn square(&self) -> Self {
        Lanes::square(self)
    }
    #[inline(always)]
    fn sub<const K: usize>(&self, b: &Self) -> Self {
        Lanes::sub::<K>(self, b)
    }
    #[inline(always)]
    fn sub_both<const K: usize>(&self, b: &Self, c: &Self) -> Self {
        Lanes::sub_both::<K>(self, b, c)
    }
    #[inline(always)]
    fn reduce<const K: usize>(&self) -> Self {
        Lanes::reduce::<K>(self)
    }
    #[inline(always)]
    fn select(mask: u8, a: &Self, b: &Self) -> Self {
        Lanes::select(mask, a, b)
    }
    #[inline(always)]
    fn same(&self, b: &Self) -> u8 {
        let (a, b) = (&self.limbs, &b.limbs);
        equal(a[0], b[0]) & equal(a[1], b[1]) & equal(a[2], b[2]) & equal(a[3], b[3]) & equal(a[4], b[4])
    }
    #[inline(always)]
    fn is_zero(&self) -> u8 {
        let l = &self.limbs;
        equal(or(or(l[0], l[1]), or(or(l[2], l[3]), l[4])), zero())
    }
}

/// Eight elements `c0 + c1 u` of the quadratic extension, u^2 = -1.
#[derive(Clone, Copy)]
pub(crate) struct Fq2x8 {
    c0: Fq8,
    c1: Fq8,
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
    /// Four products under two reductions. Karatsuba would save 50 multiply-adds of 310 and pay as
    /// many carries and wide subtractions for them. With b below 3 p: c0 is below
    /// (1 + 0.01182 (A B + 3 A)) p, that is 1.22 p for A = 4, B = 1.5 and 1.22 p for A = B = 3.
    #[inline(always)]
    fn mul(&self, b: &Self) -> Self {
        let minus_b1 = b.c1.neg::<3>();
        Self {
            c0: Lanes::mul_sum(&self.c0, &b.c0, &self.c1, &minus_b1),
            c1: Lanes::mul_sum(&self.c0, &b.c1, &self.c1, &b.c0),
        }
    }
    /// `(c0 + c1)(c0 - c1)` and `2 c0 c1`; factors below 3 p and 3.5 p, 3 p and 1.5 p.
    #[inline(always)]
    fn square(&self) -> Self {
        let twice = self.c0.add(&self.c0);
        let (sum, difference) = (self.c0.add(&self.c1), self.c0.sub::<2>(&self.c1));
        Self { c0: sum.mul(&difference), c1: twice.mul(&self.c1) }
    }
    #[inline(always)]
    fn sub<const K: usize>(&self, b: &Self) -> Self {
        Self { c0: self.c0.sub::<K>(&b.c0), c1: self.c1.sub::<K>(&b.c1) }
    }
    #[inline(always)]
    fn sub_both<const K: usize>(&self, b: &Self, c: &Self) -> Self {
        Self { c0: self.c0.sub_both::<K>(&b.c0, &c.c0), c1: self.c1.sub_both::<K>(&b.c1, &c.c1) }
    }
    #[inline(always)]
    fn reduce<const K: usize>(&self) -> Self {
        Self { c0: self.c0.reduce::<K>(), c1: self.c1.reduce::<K>() }
    }
    #[inline(always)]
    fn select(mask: u8, a: &Self, b: &Self) -> Self {
        Self { c0: Lanes::select(mask, &a.c0, &b.c0), c1: Lanes::select(mask, &a.c1, &b.c1) }
    }
    #[inline(always)]
    fn same(&self, b: &Self) -> u8 {
        self.c0.same(&b.c0) & self.c1.same(&b.c1)
    }
    #[inline(always)]
    fn is_zero(&self) -> u8 {
        self.c0.is_zero() & self.c1.is_zero()
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

    /// Converts a stored point back.
    fn unpack(point: &Self::Packed) -> Self;
    /// Converts a point.
    fn pack(point: &Self) -> Self::Packed;
    /// The inverse of a stored point.
    fn negate_packed(point: &Self::Packed) -> Self::Packed;
    /// Whether a stored point is the identity.
    fn is_identity(point: &Self::Packed) -> bool;
    /// x and y of eight points.
    fn gather(points: [&Self::Packed; 8]) -> (Self::Lane, Self::Lane);
    /// Eight points, x canonical and y below 2 p.
    fn scatter(x: &Self::Lane, y: &Self::Lane) -> [Self::Packed; 8];
    /// Asks for the point's cache lines.
    fn prefetch(point: &Self::Packed);
    /// The inverses of eight nonzero coordinates, below p.
    fn invert(v: &Self::Lane) -> Self::Lane;
}

/// A coordinate word quadruple to the curve library's form: ours is x 2^260, its x 2^256.
fn decode(words: &[u64]) -> Fq {
    let w = [words[0], words[1], words[2], words[3]];
    // At most 2 p.
    let w = reduce_once(&reduce_once(&w, &BaseModulus::P64), &BaseModulus::P64);
    // Read as a 2^256 form the words stand for 16 x.
    Fq(w) * SIXTEENTH
}

fn encode(x: &Fq, words: &mut [u64]) {
    words.copy_from_slice(&x.double().double().double().double().0);
}

/// 1/16 in the 2^256 form: 2^252.
const SIXTEENTH: Fq = Fq([0, 0, 0, 1 << 60]);

/// `2 p - y`: in [0, 2 p] for y below 2 p.
fn negate_words(y: &mut [u64]) {
    const P: [u64; 4] = BaseModulus::P64;
    const TWICE: [u64; 4] =
        [P[0] << 1, (P[1] << 1) | (P[0] >> 63), (P[2] << 1) | (P[1] >> 63), (P[3] << 1) | (P[2] >> 63)];
    let mut borrow = false;
    for (y, twice) in y.iter_mut().zip(TWICE) {
        let (d, b1) = twice.overflowing_sub(*y);
        let (d, b2) = d.overflowing_sub(u64::from(borrow));
        *y = d;
        borrow = b1 | b2;
    }
}

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

    fn unpack(point: &PackedG1) -> Self {
        Self::from_coordinates(decode(&point.0[..4]), decode(&point.0[4..]))
    }
    fn pack(point: &Self) -> PackedG1 {
        let mut out = Self::IDENTITY;
        encode(&point.x, &mut out.0[..4]);
        encode(&point.y, &mut out.0[4..]);
        out
    }
    fn negate_packed(point: &PackedG1) -> PackedG1 {
        let mut out = *point;
        if !Self::is_identity(point) {
            negate_words(&mut out.0[4..]);
        }
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
    fn negate_packed(point: &PackedG2) -> PackedG2 {
        let mut out = *point;
        if !Self::is_identity(point) {
            negate_words(&mut out.0[1][..4]);
            negate_words(&mut out.0[1][4..]);
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
