//! arkworks: ark-ec's `VariableBaseMSM` (its 16-bit entry for 16-bit scalars) and ark-poly's radix-2 domain, given our
//! root of unity so that results can be compared. Both sides keep values in Montgomery form with R = 2^256, so
//! conversions copy limbs.

use super::Input;
use crate::measure::{Value, Way, timed};
use crate::workload::Scalars;
use ark_bn254::{Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{BigInt, Field};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use halo2curves::bn256 as ours;
use lathe_kernels::domain::{coset_shift, root_of_unity};
use rayon::prelude::*;

const NAME: &str = "arkworks";

/// Our scalar as theirs.
pub fn fr(v: &ours::Fr) -> Fr {
    Fr::new_unchecked(BigInt(v.0))
}

/// Their scalar as ours.
pub fn to_fr(v: &Fr) -> ours::Fr {
    ours::Fr(v.0.0)
}

fn fq(v: &ours::Fq) -> Fq {
    Fq::new_unchecked(BigInt(v.0))
}

fn to_fq(v: &Fq) -> ours::Fq {
    ours::Fq(v.0.0)
}

fn fq2(v: &ours::Fq2) -> Fq2 {
    Fq2::new(fq(v.c0()), fq(v.c1()))
}

fn g1(p: &ours::G1Affine) -> G1Affine {
    match *p == ours::G1Affine::default() {
        true => G1Affine::identity(),
        false => G1Affine::new_unchecked(fq(&p.x), fq(&p.y)),
    }
}

fn g2(p: &ours::G2Affine) -> G2Affine {
    match *p == ours::G2Affine::default() {
        true => G2Affine::identity(),
        false => G2Affine::new_unchecked(fq2(&p.x), fq2(&p.y)),
    }
}

fn to_g1(p: G1Projective) -> Value {
    let p = p.into_affine();
    Value::G1(
        p.xy().map_or(ours::G1Affine::default(), |(x, y)| ours::G1Affine { x: to_fq(&x), y: to_fq(&y) }),
    )
}

fn to_g2(p: G2Projective) -> Value {
    let p = p.into_affine();
    let fq2 = |v: &Fq2| ours::Fq2::new(to_fq(&v.c0), to_fq(&v.c1));
    Value::G2(p.xy().map_or(ours::G2Affine::default(), |(x, y)| ours::G2Affine { x: fq2(&x), y: fq2(&y) }))
}

/// Their domain over our root of unity.
fn domain(size: usize) -> Option<Radix2EvaluationDomain<Fr>> {
    let group_gen = fr(&root_of_unity(size.trailing_zeros()));
    let group_gen_inv = group_gen.inverse()?;
    Some(Radix2EvaluationDomain { group_gen, group_gen_inv, ..Radix2EvaluationDomain::new(size)? })
}

fn coset(size: usize) -> Option<Radix2EvaluationDomain<Fr>> {
    domain(size)?.get_coset(fr(&coset_shift()))
}

fn vector(values: &[ours::Fr]) -> Vec<Fr> {
    values.iter().map(fr).collect()
}

fn to_vector(values: &[Fr]) -> Value {
    Value::Vector(values.iter().map(to_fr).collect())
}

/// An MSM of group `$group`, by the entry that suits the scalars.
macro_rules! msm {
    ($group:ty, $points:expr, $scalars:expr, $kind:expr, $back:expr) => {{
        let points = $points;
        match $kind {
            Scalars::U16 => {
                let small: Vec<u16> =
                    $scalars.iter().map(|v| u16::from_le_bytes([v.to_bytes()[0], v.to_bytes()[1]])).collect();
                Way::new("arkworks u16", move |pool| {
                    let (time, sum) = timed(pool, || <$group>::msm_u16(&points, &small));
                    Ok((time, $back(sum)))
                })
            }
            Scalars::Full | Scalars::Witness => {
                let scalars = vector($scalars);
                Way::new(NAME, move |pool| {
                    let (time, sum) = timed(pool, || <$group>::msm_unchecked(&points, &scalars));
                    Ok((time, $back(sum)))
                })
            }
        }
    }};
}

fn transform<'a>(values: &[ours::Fr], domain: Radix2EvaluationDomain<Fr>) -> Way<'a> {
    let values = vector(values);
    Way::new(NAME, move |pool| {
        let mut values = values.clone();
        let (time, ()) = timed(pool, || domain.fft_in_place(&mut values));
        Ok((time, to_vector(&values)))
    })
}

/// The quotient by the steps ark-groth16's witness map takes: three inverse transforms, three on the coset, one back.
fn quotient<'a>(abc: &[Vec<ours::Fr>; 3]) -> Option<Way<'a>> {
    let size = abc[0].len();
    let (domain, coset) = (domain(size)?, coset(size)?);
    let abc = [vector(&abc[0]), vector(&abc[1]), vector(&abc[2])];
    let vanishing = domain.evaluate_vanishing_polynomial(fr(&coset_shift())).inverse()?;
    Some(Way::new(NAME, move |pool| {
        let [mut a, mut b, mut c] = abc.clone();
        let (time, ()) = timed(pool, || {
            for v in [&mut a, &mut b, &mut c] {
                domain.ifft_in_place(v);
                coset.fft_in_place(v);
            }
            let terms = a.par_iter_mut().zip(&b).zip(&c);
            terms.for_each(|((a, b), c)| *a = (*a * b - c) * vanishing);
            coset.ifft_in_place(&mut a);
        });
        Ok((time, to_vector(&a)))
    }))
}

/// The way for this input, if the library has one.
pub fn way(input: Input<'_>) -> Option<Way<'_>> {
    match input {
        Input::MsmG1(points, scalars, kind) => {
            Some(msm!(G1Projective, points.iter().map(g1).collect::<Vec<_>>(), scalars, kind, to_g1))
        }
        Input::MsmG2(points, scalars, kind) => {
            Some(msm!(G2Projective, points.iter().map(g2).collect::<Vec<_>>(), scalars, kind, to_g2))
        }
        Input::Fft(values) => Some(transform(values, domain(values.len())?)),
        Input::CosetFft(values) => Some(transform(values, coset(values.len())?)),
        Input::Quotient(abc) => quotient(abc),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::PrimeField;
    use ff::Field as _;
    use group::Curve;
    use rand_core::SeedableRng;

    #[test]
    fn conversions_keep_the_value() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let (x, y) = (ours::Fr::random(&mut rng), ours::Fr::random(&mut rng));
        assert_eq!(to_fr(&(fr(&x) * fr(&y))), x * y);
        assert_eq!(fr(&x).into_bigint().0[0].to_le_bytes(), x.to_bytes()[..8]);
        let p = (ours::G1Affine::generator() * x).to_affine();
        assert!(g1(&p).is_on_curve());
        assert_eq!(to_g1(g1(&p) * fr(&y)), Value::G1((p * y).to_affine()));
        let q = (ours::G2Affine::generator() * x).to_affine();
        assert_eq!(to_g2(g2(&q) * fr(&y)), Value::G2((q * y).to_affine()));
    }
}
