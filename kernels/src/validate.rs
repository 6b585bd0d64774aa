//! Checks for points and scalars that come from outside: files, networks, other programs. Kernels trust their
//! input and give wrong results for bad points; whoever takes such data in runs these checks first.

use crate::error::KernelError;
use crate::point::{CurvePoint, RawG1, RawG2};
use ff::{Field, PrimeField};
use group::{Curve, Group};
use halo2curves::CurveAffine;
use halo2curves::bn256::{Fq, Fq2, Fr, G1Affine, G2, G2Affine};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;
use std::sync::LazyLock;

/// q, the order of the base field, little-endian limbs (EIP-197).
const BASE_ORDER: [u64; 4] = [0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029];
/// r, the order of the groups and of the scalar field, little-endian limbs (EIP-197).
const SCALAR_ORDER: [u64; 4] =
    [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029];
/// The curve family's parameter x: q = 36x^4 + 36x^3 + 24x^2 + 6x + 1.
const SEED: u64 = 4_965_661_367_192_848_881;

/// Rounds of random sums. A point outside the subgroup has a component of order at least 10069, the smallest prime
/// factor of the twist's cofactor 2q - r, so that at most 2 of the 2^14 coefficients let it pass a round: the chance to
/// pass all rounds is at most 2^-130.
const ROUNDS: usize = 10;
/// Random bits of a coefficient.
const BITS: u32 = 14;
/// Fewest G2 points for which random sums are cheaper than a test of each point, which takes 91 group operations: the
/// sums take 10 per point and 10 * 2^15 for the buckets. Computed from these counts.
const BATCH_FROM: usize = 1 << 12;

/// Whether limbs are below a modulus.
#[inline]
fn below(limbs: &[u64], modulus: &[u64; 4]) -> bool {
    let mut borrow = false;
    for (limb, m) in limbs.iter().zip(modulus) {
        let (difference, under) = limb.overflowing_sub(*m);
        borrow = under | (difference == 0 && borrow);
    }
    borrow
}

/// Runs `check` on all points in parallel; the error with the lowest index.
fn each<R: Sync>(
    points: &[R],
    check: impl Fn(&R, usize) -> Result<(), KernelError> + Sync,
) -> Result<(), KernelError> {
    points.par_iter().enumerate().find_map_first(|(i, p)| check(p, i).err()).map_or(Ok(()), Err)
}

fn on_curve<P: CurvePoint>(raw: &P::Raw, b: P::Base, index: usize) -> Result<(), KernelError>
where
    P::Raw: AsRef<[u64]>,
{
    if !raw.as_ref().chunks_exact(4).all(|limbs| below(limbs, &BASE_ORDER)) {
        return Err(KernelError::NonCanonical { what: "a coordinate of point", index });
    }
    let p = P::from_raw(raw);
    let (x, y) = (p.x(), p.y());
    match p.is_neutral() || y.square() == x.square() * x + b {
        true => Ok(()),
        false => Err(KernelError::OffCurve { index }),
    }
}

/// Checks G1 points: coordinates below the field's order and on the curve, or infinity. G1 is the whole curve.
///
/// # Errors
/// [`KernelError::NonCanonical`], [`KernelError::OffCurve`] with the index of the first bad point.
pub fn check_g1(points: &[RawG1]) -> Result<(), KernelError> {
    let b = <G1Affine as CurveAffine>::b();
    each(points, |p, i| on_curve::<G1Affine>(p, b, i))
}

/// Checks that G2 points have coordinates below the field's order and lie on the twist, or are infinity. This does
/// not check the subgroup: see [`check_g2`].
///
/// # Errors
/// [`KernelError::NonCanonical`], [`KernelError::OffCurve`] with the index of the first bad point.
pub fn check_g2_curve(points: &[RawG2]) -> Result<(), KernelError> {
    let b = <G2Affine as CurveAffine>::b();
    each(points, |p, i| on_curve::<G2Affine>(p, b, i))
}

/// Checks G2 points: as [`check_g2_curve`], and that each is in the subgroup of order r. Many points are checked by
/// random sums, which miss a bad one with a chance of at most 2^-130.
///
/// # Errors
/// [`KernelError::NonCanonical`], [`KernelError::OffCurve`], [`KernelError::OutsideSubgroup`] with the index of the
/// first bad point.
pub fn check_g2(points: &[RawG2]) -> Result<(), KernelError> {
    check_g2_curve(points)?;
    if points.len() >= BATCH_FROM && random_sums_in_subgroup(points) {
        return Ok(());
    }
    each(points, |p, index| match in_subgroup(&G2Affine::from_raw(p)) {
        true => Ok(()),
        false => Err(KernelError::OutsideSubgroup { index }),
    })
}

/// Multipliers of the coordinates under psi: xi^((q-1)/3) and xi^((q-1)/2) for xi = 9 + u.
static PSI: LazyLock<[Fq2; 2]> = LazyLock::new(|| {
    let xi = Fq2::new(Fq::from(9), Fq::ONE);
    // q = 1 modulo 6, and the lowest limb does not borrow.
    let mut less_one = BASE_ORDER;
    less_one[0] -= 1;
    [3, 2].map(|divisor| xi.pow_vartime(divide(less_one, divisor)))
});

fn divide(limbs: [u64; 4], divisor: u64) -> [u64; 4] {
    let mut out = [0; 4];
    let mut rest = 0u128;
    for i in (0..4).rev() {
        let value = rest << 64 | u128::from(limbs[i]);
        out[i] = (value / u128::from(divisor)) as u64;
        rest = value % u128::from(divisor);
    }
    out
}

/// The endomorphism of the twist that untwists, raises to the q-th power and twists back (Galbraith and Scott,
/// eprint 2008/117), on Jacobian coordinates: the power of q conjugates z as well.
fn psi(p: &G2) -> G2 {
    let conjugate = |v: &Fq2| Fq2::new(*v.c0(), -*v.c1());
    G2 { x: conjugate(&p.x) * PSI[0], y: conjugate(&p.y) * PSI[1], z: conjugate(&p.z) }
}

/// Whether a point of the twist lies in the subgroup of order r: `[x+1]P + psi([x]P) + psi^2([x]P) = psi^3([2x]P)`
/// (Dai, Lin, Zhao, Zhou, eprint 2022/348, for BN curves with x not 4 modulo 13 and not 92 modulo 97; BN254's x is
/// 0 and 49).
pub fn in_subgroup(p: &G2Affine) -> bool {
    let mut xp = G2::identity();
    for bit in (0..64).rev() {
        xp = xp.double();
        if SEED >> bit & 1 == 1 {
            xp += p;
        }
    }
    let once = psi(&xp);
    let twice = psi(&once);
    xp + p + once + twice == psi(&twice.double())
}

/// Whether [`ROUNDS`] sums with random coefficients all lie in the subgroup. The coefficients come from the
/// system's randomness, so that nobody can choose points to fit them.
fn random_sums_in_subgroup(points: &[RawG2]) -> bool {
    (0..ROUNDS).into_par_iter().all(|_| {
        let mut seed = [0; 32];
        // Without randomness nothing is proved here, and each point is tested instead.
        if getrandom::getrandom(&mut seed).is_err() {
            return false;
        }
        in_subgroup(&random_sum(points, ChaCha8Rng::from_seed(seed)).to_affine())
    })
}

/// The sum of `c P` with c of [`BITS`] random bits for each point: bucket c takes P, and running sums from the top weigh
/// the buckets (the last step of Pippenger's method).
fn random_sum(points: &[RawG2], mut rng: ChaCha8Rng) -> G2 {
    let mut buckets = vec![G2::identity(); 1 << BITS];
    for four in points.chunks(4) {
        let random = rng.next_u64();
        for (i, p) in four.iter().enumerate() {
            buckets[(random >> (16 * i)) as usize % (1 << BITS)] += G2Affine::from_raw(p);
        }
    }
    let (mut running, mut sum) = (G2::identity(), G2::identity());
    for bucket in buckets[1..].iter().rev() {
        running += bucket;
        sum += running;
    }
    sum
}

/// Checks that scalars built from raw limbs are below the field's order.
///
/// # Errors
/// [`KernelError::NonCanonical`] with the index of the first bad scalar.
pub fn check_scalars(scalars: &[Fr]) -> Result<(), KernelError> {
    each(scalars, |s, index| match below(&s.0, &SCALAR_ORDER) {
        true => Ok(()),
        false => Err(KernelError::NonCanonical { what: "scalar", index }),
    })
}

/// Scalars from 32 little-endian bytes each.
///
/// # Errors
/// [`KernelError::LengthMismatch`] if the last one is cut off, [`KernelError::NonCanonical`] if one is not below the
/// field's order.
pub fn scalars_from_le_bytes(bytes: &[u8]) -> Result<Vec<Fr>, KernelError> {
    if !bytes.len().is_multiple_of(32) {
        let expected = bytes.len().next_multiple_of(32);
        return Err(KernelError::LengthMismatch {
            what: "bytes of scalars, 32 each",
            expected,
            got: bytes.len(),
        });
    }
    let decode = |(index, chunk): (usize, &[u8])| {
        let mut repr = [0; 32];
        repr.copy_from_slice(chunk);
        Option::from(Fr::from_repr(repr.into())).ok_or(KernelError::NonCanonical { what: "scalar", index })
    };
    // Collecting in parallel keeps the first error found, not the one with the lowest index: hence in order.
    bytes.chunks_exact(32).enumerate().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of the twist, almost all outside the subgroup.
    fn strays() -> impl Iterator<Item = G2Affine> {
        (1u64..).filter_map(|i| {
            let x = Fq2::new(Fq::from(i), Fq::ONE);
            let y: Option<Fq2> = (x.square() * x + <G2Affine as CurveAffine>::b()).sqrt().into();
            y.map(|y| G2Affine { x, y })
        })
    }

    fn times(p: G2, limbs: [u64; 4]) -> G2 {
        (0..256).rev().fold(G2::identity(), |acc, bit| {
            let acc = acc.double();
            if limbs[bit / 64] >> (bit % 64) & 1 == 1 { acc + p } else { acc }
        })
    }

    /// 2q - r.
    fn cofactor() -> [u64; 4] {
        let subtract = |a: [u64; 4], b: [u64; 4]| {
            let mut borrow = 0;
            std::array::from_fn(|i| {
                let wide = i128::from(a[i]) - i128::from(b[i]) - borrow;
                borrow = i128::from(wide < 0);
                wide as u64
            })
        };
        let add = |a: [u64; 4], b: [u64; 4]| {
            let mut carry = 0;
            std::array::from_fn(|i| {
                let wide = u128::from(a[i]) + u128::from(b[i]) + carry;
                carry = wide >> 64;
                wide as u64
            })
        };
        add(BASE_ORDER, subtract(BASE_ORDER, SCALAR_ORDER))
    }

    #[test]
    fn the_fast_test_agrees_with_multiplication_by_the_order() {
        for stray in strays().take(20) {
            let p = G2::from(stray);
            let inside = times(p, cofactor()).to_affine();
            let outside = times(p, SCALAR_ORDER).to_affine();
            assert!(bool::from(times(inside.into(), SCALAR_ORDER).is_identity()));
            assert!(in_subgroup(&inside) && !in_subgroup(&outside) && !in_subgroup(&stray));
            // The smallest order there is outside the subgroup, alone and beside a good point.
            let small = times(p, SCALAR_ORDER);
            let small = times(small, divide(cofactor(), 10069));
            if !bool::from(small.is_identity()) {
                assert!(bool::from(times(small, [10069, 0, 0, 0]).is_identity()));
                assert!(!in_subgroup(&small.to_affine()));
                assert!(!in_subgroup(&(small + inside).to_affine()));
            }
        }
        assert!(in_subgroup(&G2Affine::neutral()));
    }

    #[test]
    fn random_sums_see_one_stray_of_small_order_among_good_points() {
        let stray = G2::from(strays().next().unwrap());
        let small = times(times(stray, SCALAR_ORDER), divide(cofactor(), 10069));
        assert!(!bool::from(small.is_identity()));
        let generator = G2Affine::generator().to_raw();
        let mut points = vec![generator; 999];
        assert!(random_sums_in_subgroup(&points));
        // One point with a small component passes a round with a chance of 2^-13, all ten never.
        points[500] = (small + G2::generator()).to_affine().to_raw();
        for _ in 0..3 {
            assert!(!random_sums_in_subgroup(&points));
        }
    }

    #[test]
    fn a_random_sum_is_the_sum_of_random_multiples() {
        let seed = [7; 32];
        let points: Vec<G2> = (1..10u64).map(|i| G2::generator() * Fr::from(i * i)).collect();
        let raw: Vec<RawG2> = points.iter().map(|p| p.to_affine().to_raw()).collect();
        let mut rng = ChaCha8Rng::from_seed(seed);
        let words: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        let want: G2 = (points.iter().enumerate())
            .map(|(i, p)| *p * Fr::from(words[i / 4] >> (16 * (i % 4)) & 0x3fff))
            .fold(G2::identity(), |a, b| a + b);
        assert_eq!(random_sum(&raw, ChaCha8Rng::from_seed(seed)), want);
    }

    #[test]
    fn limbs_are_compared_as_numbers() {
        for modulus in [BASE_ORDER, SCALAR_ORDER] {
            let mut less = modulus;
            less[0] -= 1;
            assert!(below(&less, &modulus) && below(&[0; 4], &modulus) && !below(&modulus, &modulus));
            for i in 0..4 {
                let (mut up, mut down) = (modulus, modulus);
                up[i] += 1;
                down[i] -= 1;
                assert!(!below(&up, &modulus) && below(&down, &modulus), "limb {i}");
            }
            assert!(!below(&[u64::MAX; 4], &modulus));
        }
    }
}
