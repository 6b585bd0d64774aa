//! Affine points as kernels see them: coordinates in Montgomery form, identity as (0, 0).
//! Nothing here checks curve membership; that is the task of whoever decodes untrusted bytes.

use ff::Field;
use halo2curves::bn256::{Fq, Fq2, Fr, G1, G1Affine, G2, G2Affine};

/// A G1 point as stored: x then y, four little-endian 64-bit Montgomery limbs each, identity all zero.
pub type RawG1 = [u64; 8];
/// A G2 point as stored: x.c0, x.c1, y.c0, y.c1, limbs as in [`RawG1`].
pub type RawG2 = [u64; 16];

/// A base field element as the batch-affine formulas need it.
pub trait BaseField: Field {
    /// Whether this is zero, in variable time.
    fn is_zero_fast(&self) -> bool;
}

impl BaseField for Fq {
    #[inline(always)]
    fn is_zero_fast(&self) -> bool {
        self.0 == [0; 4]
    }
}

impl BaseField for Fq2 {
    #[inline(always)]
    fn is_zero_fast(&self) -> bool {
        self.c0().0 == [0; 4] && self.c1().0 == [0; 4]
    }
}

/// An affine point of a short Weierstrass curve with a = 0, over which MSM is generic.
pub trait CurvePoint: Copy + Send + Sync + PartialEq + 'static {
    /// The field of the coordinates.
    type Base: BaseField;
    /// The group in projective form.
    type Curve: group::Curve<AffineRepr = Self> + group::Group<Scalar = Fr>;
    /// The form in which resident bases are stored.
    type Raw: Copy + Send + Sync + PartialEq + std::fmt::Debug + 'static;

    /// First coordinate; zero for the identity.
    fn x(&self) -> Self::Base;
    /// Second coordinate; zero for the identity.
    fn y(&self) -> Self::Base;
    /// The point with these coordinates, unchecked.
    fn from_coordinates(x: Self::Base, y: Self::Base) -> Self;
    /// Decodes a stored point, unchecked; free of cost.
    fn from_raw(raw: &Self::Raw) -> Self;
    /// Encodes a point for storage.
    fn to_raw(&self) -> Self::Raw;
    /// This point in projective form.
    fn to_projective(&self) -> Self::Curve;

    /// The neutral element.
    #[inline(always)]
    fn neutral() -> Self {
        Self::from_coordinates(Self::Base::ZERO, Self::Base::ZERO)
    }
    /// Whether this is the neutral element, in variable time.
    #[inline(always)]
    fn is_neutral(&self) -> bool {
        self.x().is_zero_fast() && self.y().is_zero_fast()
    }
    /// The inverse in the group.
    #[inline(always)]
    fn negate(&self) -> Self {
        Self::from_coordinates(self.x(), -self.y())
    }
}

fn limbs(raw: &[u64]) -> [u64; 4] {
    [raw[0], raw[1], raw[2], raw[3]]
}

macro_rules! impl_curve_point {
    ($affine:ident, $curve:ident, $base:ident, $raw:ident, $decode:expr, $encode:expr) => {
        impl CurvePoint for $affine {
            type Base = $base;
            type Curve = $curve;
            type Raw = $raw;

            #[inline(always)]
            fn x(&self) -> $base {
                self.x
            }
            #[inline(always)]
            fn y(&self) -> $base {
                self.y
            }
            #[inline(always)]
            fn from_coordinates(x: $base, y: $base) -> Self {
                $affine { x, y }
            }
            #[inline(always)]
            fn from_raw(raw: &$raw) -> Self {
                let decode: fn(&$raw) -> ($base, $base) = $decode;
                let (x, y) = decode(raw);
                $affine { x, y }
            }
            #[inline(always)]
            fn to_raw(&self) -> $raw {
                let encode: fn(&$affine) -> $raw = $encode;
                encode(self)
            }
            #[inline(always)]
            fn to_projective(&self) -> $curve {
                $curve::from(*self)
            }
        }
    };
}

impl_curve_point!(G1Affine, G1, Fq, RawG1, |raw| (Fq(limbs(&raw[0..4])), Fq(limbs(&raw[4..8]))), |p| {
    let mut raw = [0; 8];
    raw[..4].copy_from_slice(&p.x.0);
    raw[4..].copy_from_slice(&p.y.0);
    raw
});
impl_curve_point!(
    G2Affine,
    G2,
    Fq2,
    RawG2,
    |raw| (
        Fq2::new(Fq(limbs(&raw[0..4])), Fq(limbs(&raw[4..8]))),
        Fq2::new(Fq(limbs(&raw[8..12])), Fq(limbs(&raw[12..16])))
    ),
    |p| {
        let mut raw = [0; 16];
        raw[..4].copy_from_slice(&p.x.c0().0);
        raw[4..8].copy_from_slice(&p.x.c1().0);
        raw[8..12].copy_from_slice(&p.y.c0().0);
        raw[12..].copy_from_slice(&p.y.c1().0);
        raw
    }
);
