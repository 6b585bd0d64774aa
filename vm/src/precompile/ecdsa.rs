//! ECDSA (SEC 1, section 4.1) over a curve of prime order. Nothing here is secret, so nothing needs constant time.
use super::encoding::{canonical, reduced, to_word};
use ff::{Field, FromUniformBytes, PrimeField};
use halo2curves::CurveAffine;
use halo2curves::group::{Curve, Group};

/// A signature of a digest, `r` and `s` in 1..n-1.
pub(super) struct Signature<C: CurveAffine> {
    digest: C::ScalarExt,
    r: C::ScalarExt,
    s: C::ScalarExt,
}

/// The coordinates of a point that is not infinity.
pub(super) fn coordinates<C: CurveAffine>(point: C) -> Option<(C::Base, C::Base)> {
    let c = Option::<halo2curves::Coordinates<C>>::from(point.coordinates())?;
    Some((*c.x(), *c.y()))
}

/// The point with these coordinates, if they are below the modulus and on the curve.
pub(super) fn point<C: CurveAffine>(x: [u8; 32], y: [u8; 32]) -> Option<C> {
    let point: Option<C> = C::from_xy(canonical(x)?, canonical(y)?).into();
    // The crate writes infinity as (0, 0), which is on neither curve.
    point.filter(|p| !bool::from(p.is_identity()))
}

/// `a P + b Q` with one doubling per bit for both (Straus).
fn combination<C: CurveAffine>((p, a): (C, C::ScalarExt), (q, b): (C, C::ScalarExt)) -> C::CurveExt {
    let both = p + q;
    let (a, b) = (to_word(a), to_word(b));
    let mut sum = C::CurveExt::identity();
    for (a, b) in a.into_iter().zip(b) {
        for bit in (0..8).rev() {
            sum = sum.double();
            match (a >> bit & 1, b >> bit & 1) {
                (0, 0) => {}
                (1, 0) => sum += p,
                (0, _) => sum += q,
                _ => sum += both,
            }
        }
    }
    sum
}

impl<C: CurveAffine> Signature<C>
where
    C::ScalarExt: FromUniformBytes<64>,
{
    /// `None` if `r` or `s` is outside its range. Both halves of the range of `s` are valid.
    pub(super) fn new(digest: [u8; 32], r: [u8; 32], s: [u8; 32]) -> Option<Self> {
        let scalar = |w| canonical(w).filter(|x: &C::ScalarExt| !bool::from(x.is_zero()));
        Some(Signature { digest: reduced(digest), r: scalar(r)?, s: scalar(s)? })
    }

    /// True if `key` made it: the x coordinate of `(z G + r Q) / s` is `r` modulo `n`.
    pub(super) fn verify(&self, key: C) -> bool {
        let Some(w) = Option::<C::ScalarExt>::from(self.s.invert()) else { return false };
        let sum = combination((C::generator(), self.digest * w), (key, self.r * w));
        let x = coordinates(sum.to_affine()).map(|(x, _)| reduced::<C::ScalarExt>(to_word(x)));
        x == Some(self.r)
    }

    /// The key that made it with a nonce point of x coordinate `r` (not `r + n`) and this parity of y:
    /// `(s R - z G) / r`.
    pub(super) fn recover(&self, odd: bool) -> Option<C> {
        let x: C::Base = canonical(to_word(self.r))?;
        let y = Option::<C::Base>::from((x.square() * x + C::a() * x + C::b()).sqrt())?;
        let y = if bool::from(y.is_odd()) == odd { y } else { -y };
        let nonce = Option::<C>::from(C::from_xy(x, y))?;
        let w = Option::<C::ScalarExt>::from(self.r.invert())?;
        let key = combination((nonce, self.s * w), (C::generator(), -self.digest * w)).to_affine();
        Some(key).filter(|p| !bool::from(p.is_identity()))
    }
}
