//! Addresses 6 and 7: addition and multiplication on BN254's G1 (EIP-196). A point is two coordinates below the modulus that
//! satisfy `y^2 = x^3 + 3`, or (0, 0), which is infinity; anything else fails.
use super::Failed;
use super::encoding::{canonical, reduced, to_word, word};
use ff::Field;
use halo2curves::bn256::{Fq, Fr, G1, G1Affine};
use halo2curves::group::{Curve, Group};

/// Two points; their sum.
pub(super) fn add(input: &[u8]) -> Result<Vec<u8>, Failed> {
    Ok(encode(point(input, 0)? + point(input, 2)?))
}

/// A point and a scalar, which may be any word; their product.
pub(super) fn mul(input: &[u8]) -> Result<Vec<u8>, Failed> {
    // The group has the order of the scalar field.
    Ok(encode(point(input, 0)? * reduced::<Fr>(word(input, 2))))
}

/// The point in words `at` and `at + 1`.
fn point(input: &[u8], at: usize) -> Result<G1, Failed> {
    let coordinate = |i| canonical::<Fq>(word(input, i)).ok_or(Failed::Input);
    let (x, y) = (coordinate(at)?, coordinate(at + 1)?);
    if x == Fq::ZERO && y == Fq::ZERO {
        return Ok(G1::identity());
    }
    match y.square() == x.square() * x + Fq::from(3) {
        true => Ok(G1Affine { x, y }.into()),
        false => Err(Failed::Input),
    }
}

/// Infinity in affine form is (0, 0) in the crate too.
fn encode(point: G1) -> Vec<u8> {
    let G1Affine { x, y } = point.to_affine();
    [to_word(x), to_word(y)].concat()
}
