//! The CPU backend against halo2curves and the definitions.

use ff::Field;
use group::{Curve, Group};
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};
use lathe_kernels::backend::share_points;
use lathe_kernels::domain::{coset_shift, root_of_unity};
use lathe_kernels::{Backend, CpuBackend, CurvePoint, KernelError};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A scalar as witnesses have them: mostly small, some negative, some full size.
fn scalar(rng: &mut ChaCha8Rng) -> Fr {
    let v = match rng.next_u32() % 8 {
        0 | 1 => Fr::ZERO,
        2 | 3 => Fr::ONE,
        4 => Fr::from(rng.next_u64() & 0xffff),
        5 => Fr::from(rng.next_u64()),
        6 => Fr::from(rng.next_u64()) * Fr::from(rng.next_u64()),
        _ => Fr::random(&mut *rng),
    };
    if rng.next_u32().is_multiple_of(4) { -v } else { v }
}

/// Points with repetitions, inverses and identities among them.
fn points<P: CurvePoint>(n: usize, rng: &mut ChaCha8Rng) -> Vec<P> {
    let mut out: Vec<P> = Vec::with_capacity(n);
    for _ in 0..n {
        let p = match rng.next_u32() % 8 {
            0 if !out.is_empty() => out[rng.next_u32() as usize % out.len()],
            1 if !out.is_empty() => out[rng.next_u32() as usize % out.len()].negate(),
            2 => P::neutral(),
            _ => P::Curve::random(&mut *rng).to_affine(),
        };
        out.push(p);
    }
    out
}

fn naive<P: CurvePoint>(points: &[P], scalars: &[Fr]) -> P::Curve {
    points.iter().zip(scalars).map(|(p, s)| p.to_projective() * s).fold(P::Curve::identity(), |a, b| a + b)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn msm_equals_the_sum_of_products(n in 0usize..200, seed: u64) {
        let mut rng = rng(seed);
        let backend = CpuBackend::new();
        let scalars: Vec<Fr> = (0..n).map(|_| scalar(&mut rng)).collect();
        let g1: Vec<G1Affine> = points(n, &mut rng);
        let g2: Vec<G2Affine> = points(n, &mut rng);
        let b1 = backend.upload_g1(share_points(&g1)).unwrap();
        let b2 = backend.upload_g2(share_points(&g2)).unwrap();
        prop_assert_eq!(backend.msm_g1(&b1, &scalars).unwrap(), naive(&g1, &scalars));
        prop_assert_eq!(backend.msm_g2(&b2, &scalars).unwrap(), naive(&g2, &scalars));
    }

    #[test]
    fn fixed_base_products_equal_scalar_multiplication(n in 0usize..600, seed: u64) {
        let mut rng = rng(seed);
        let backend = CpuBackend::new();
        let scalars: Vec<Fr> = (0..n).map(|_| scalar(&mut rng)).collect();
        let (p, q) = (G1::random(&mut rng), G2::random(&mut rng));
        let want1: Vec<G1Affine> = scalars.iter().map(|s| (p * s).to_affine()).collect();
        prop_assert_eq!(backend.fixed_base_g1(p.to_affine(), &scalars).unwrap(), want1);
        if n < 40 {
            let want2: Vec<G2Affine> = scalars.iter().map(|s| (q * s).to_affine()).collect();
            prop_assert_eq!(backend.fixed_base_g2(q.to_affine(), &scalars).unwrap(), want2);
        }
    }

    #[test]
    fn fft_evaluates_the_polynomial(log in 0u32..8, seed: u64) {
        let mut rng = rng(seed);
        let n = 1usize << log;
        let coeffs: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
        let at = |x: Fr| coeffs.iter().rev().fold(Fr::ZERO, |acc, c| acc * x + c);
        let w = root_of_unity(log);
        let backend = CpuBackend::new();
        let (mut plain, mut coset) = (coeffs.clone(), coeffs.clone());
        backend.fft(&mut plain).unwrap();
        backend.coset_fft(&mut coset).unwrap();
        for i in 0..n {
            let x = w.pow([i as u64]);
            prop_assert_eq!(plain[i], at(x));
            prop_assert_eq!(coset[i], at(x * coset_shift()));
        }
        backend.ifft(&mut plain).unwrap();
        backend.coset_ifft(&mut coset).unwrap();
        prop_assert_eq!(&plain, &coeffs);
        prop_assert_eq!(&coset, &coeffs);
    }
}

#[test]
fn large_msm_equals_halo2curves_whatever_the_scalars() {
    let mut rng = rng(7);
    let backend = CpuBackend::new();
    let n = 1 << 15;
    let exponents: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
    let bases = backend.fixed_base_g1(G1Affine::generator(), &exponents).unwrap();
    let resident = backend.upload_g1(share_points(&bases)).unwrap();
    let full: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
    let mixed: Vec<Fr> = (0..n).map(|_| scalar(&mut rng)).collect();
    for scalars in [full, mixed, vec![Fr::ONE; n], vec![-Fr::from(5); n], vec![Fr::ZERO; n]] {
        // The bases' logarithms are known, so the oracle is one inner product.
        let log: Fr = scalars.iter().zip(&exponents).map(|(a, b)| *a * b).sum();
        assert_eq!(backend.msm_g1(&resident, &scalars).unwrap(), G1::generator() * log);
        assert_eq!(halo2curves::msm::msm_best(&scalars, &bases), G1::generator() * log);
    }
}

/// The same MSM on every path; equal in affine form, hence in bytes.
fn paths_agree<P: CurvePoint>(
    bases: &[P],
    scalars: &[Fr],
    msm: impl Fn(&CpuBackend, &[P], &[Fr]) -> P::Curve,
) -> P::Curve {
    let portable = msm(&CpuBackend::portable(), bases, scalars);
    let fastest = msm(&CpuBackend::new(), bases, scalars);
    assert_eq!(portable.to_affine().to_raw(), fastest.to_affine().to_raw(), "{} bases", bases.len());
    portable
}

fn g1(backend: &CpuBackend, bases: &[G1Affine], scalars: &[Fr]) -> G1 {
    backend.msm_g1(&backend.upload_g1(share_points(bases)).unwrap(), scalars).unwrap()
}

fn g2(backend: &CpuBackend, bases: &[G2Affine], scalars: &[Fr]) -> G2 {
    backend.msm_g2(&backend.upload_g2(share_points(bases)).unwrap(), scalars).unwrap()
}

#[test]
fn msm_paths_agree_on_every_remainder_of_eight() {
    let mut rng = rng(11);
    for n in (0..20).chain([31, 64, 65, 257, 1000, 4099]) {
        let scalars: Vec<Fr> = (0..n).map(|_| scalar(&mut rng)).collect();
        paths_agree(&points::<G1Affine>(n, &mut rng), &scalars, g1);
        paths_agree(&points::<G2Affine>(n, &mut rng), &scalars, g2);
    }
}

#[test]
fn msm_paths_agree_on_equal_and_opposite_bases() {
    let mut rng = rng(12);
    // Beyond the number of points reduced together, so that one bucket spans several groups.
    let n = (1 << 15) + 3;
    let p = G1::random(&mut rng).to_affine();
    let q = G2::random(&mut rng).to_affine();
    let full: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
    for scalars in [vec![Fr::ONE; n], vec![-Fr::from(77); n], full] {
        let sum: Fr = scalars.iter().sum();
        assert_eq!(paths_agree(&vec![p; n], &scalars, g1), p * sum);
        let few = &scalars[..1 << 12];
        assert_eq!(paths_agree(&vec![q; few.len()], few, g2), q * few.iter().sum::<Fr>());
        let opposite: Vec<G1Affine> = (0..n).map(|i| if i % 2 == 0 { p } else { -p }).collect();
        let difference: Fr = scalars.iter().enumerate().map(|(i, s)| if i % 2 == 0 { *s } else { -s }).sum();
        assert_eq!(paths_agree(&opposite, &scalars, g1), p * difference);
        assert_eq!(paths_agree(&vec![G1Affine::neutral(); n], &scalars, g1), G1::identity());
    }
}

#[test]
fn transform_paths_agree_at_every_size() {
    let mut rng = rng(13);
    let (portable, fastest) = (CpuBackend::portable(), CpuBackend::new());
    type Transform = fn(&CpuBackend, &mut [Fr]) -> Result<(), KernelError>;
    let transforms: [Transform; 4] = [Backend::fft, Backend::ifft, Backend::coset_fft, Backend::coset_ifft];
    // Sizes on both sides of the serial and the cached block, odd and even logarithms.
    for log in 0..=17 {
        let n = 1usize << log;
        let edges = [Fr::ZERO, Fr::ONE, -Fr::ONE];
        let random: Vec<Fr> =
            (0..n).map(|i| edges.get(i % 7).copied().unwrap_or(Fr::random(&mut rng))).collect();
        for values in [random.clone(), vec![-Fr::ONE; n]] {
            for (kind, transform) in transforms.iter().enumerate() {
                let (mut a, mut b) = (values.clone(), values.clone());
                transform(&portable, &mut a).unwrap();
                transform(&fastest, &mut b).unwrap();
                assert!(a == b, "transform {kind} of size 2^{log}");
            }
        }
        let b: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
        let c: Vec<Fr> = random.iter().zip(&b).map(|(a, b)| *a * b).collect();
        let want = portable.quotient(random.clone(), b.clone(), c.clone()).unwrap();
        assert!(want == fastest.quotient(random, b, c).unwrap(), "quotient of size 2^{log}");
    }
}

#[test]
fn the_largest_transforms_in_use_agree() {
    let mut rng = rng(15);
    let (portable, fastest) = (CpuBackend::portable(), CpuBackend::new());
    let log = 20;
    let a: Vec<Fr> = (0..1 << log).map(|_| Fr::random(&mut rng)).collect();
    let b: Vec<Fr> = (0..1 << log).map(|_| Fr::random(&mut rng)).collect();
    let (mut ours, mut theirs) = (a.clone(), a.clone());
    fastest.fft(&mut ours).unwrap();
    halo2curves::fft::best_fft(&mut theirs, root_of_unity(log), log);
    assert!(ours == theirs);
    fastest.ifft(&mut ours).unwrap();
    assert!(ours == a);
    fastest.coset_fft(&mut ours).unwrap();
    assert!(ours != a);
    fastest.coset_ifft(&mut ours).unwrap();
    assert!(ours == a);
    let c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
    let want = portable.quotient(a.clone(), b.clone(), c.clone()).unwrap();
    assert!(want == fastest.quotient(a, b, c).unwrap());
}

#[test]
fn transforms_that_run_at_once_do_not_disturb_each_other() {
    let backend = CpuBackend::new();
    let inputs: Vec<Vec<Fr>> = (0..4u64)
        .map(|seed| {
            let mut rng = rng(seed);
            (0..1 << 13).map(|_| Fr::random(&mut rng)).collect()
        })
        .collect();
    let alone: Vec<Vec<Fr>> = inputs
        .iter()
        .map(|values| {
            let mut values = values.clone();
            backend.fft(&mut values).unwrap();
            values
        })
        .collect();
    std::thread::scope(|scope| {
        for (input, alone) in inputs.iter().zip(&alone) {
            let backend = &backend;
            scope.spawn(move || {
                for _ in 0..20 {
                    let mut values = input.clone();
                    backend.fft(&mut values).unwrap();
                    assert!(values == *alone);
                    backend.ifft(&mut values).unwrap();
                    assert!(values == *input);
                }
            });
        }
    });
}

#[test]
fn fixed_base_paths_agree() {
    let mut rng = rng(14);
    let (portable, fastest) = (CpuBackend::portable(), CpuBackend::new());
    let p = G1::random(&mut rng).to_affine();
    let q = G2::random(&mut rng).to_affine();
    for n in [0usize, 1, 7, 100, 1025, 20_001] {
        let scalars: Vec<Fr> = (0..n).map(|_| scalar(&mut rng)).collect();
        for base in [p, G1Affine::neutral()] {
            let want = portable.fixed_base_g1(base, &scalars).unwrap();
            assert_eq!(want, fastest.fixed_base_g1(base, &scalars).unwrap(), "{n} scalars");
        }
        if n < 2000 {
            let want = portable.fixed_base_g2(q, &scalars).unwrap();
            assert_eq!(want, fastest.fixed_base_g2(q, &scalars).unwrap(), "{n} scalars in G2");
        }
    }
}

#[test]
fn the_portable_path_can_be_asked_for() {
    assert_eq!(CpuBackend::portable().path(), "portable");
    assert!(["portable", "avx512ifma"].contains(&CpuBackend::new().path()));
}

#[test]
fn fft_inverts_itself_beyond_the_serial_block() {
    let mut rng = rng(8);
    let backend = CpuBackend::new();
    let values: Vec<Fr> = (0..1 << 15).map(|_| Fr::random(&mut rng)).collect();
    let mut ours = values.clone();
    backend.fft(&mut ours).unwrap();
    let mut theirs = values.clone();
    halo2curves::fft::best_fft(&mut theirs, root_of_unity(15), 15);
    assert_eq!(ours, theirs);
    backend.ifft(&mut ours).unwrap();
    assert_eq!(ours, values);
}

#[test]
fn quotient_times_vanishing_plus_c_is_the_product() {
    let mut rng = rng(9);
    let backend = CpuBackend::new();
    for log in [0u32, 1, 3, 13] {
        let n = 1usize << log;
        let a: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
        let b: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
        let c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
        let h = backend.quotient(a.clone(), b.clone(), c.clone()).unwrap();
        assert_eq!(h.len(), n);
        assert_eq!(h[n - 1], Fr::ZERO);
        // Compare at a random point.
        let x = Fr::random(&mut rng);
        let eval = |mut v: Vec<Fr>| {
            backend.ifft(&mut v).unwrap();
            v.iter().rev().fold(Fr::ZERO, |acc, c| acc * x + c)
        };
        let hx = h.iter().rev().fold(Fr::ZERO, |acc, c| acc * x + c);
        let zx = lathe_kernels::domain::vanishing(n, x);
        assert_eq!(eval(a) * eval(b), eval(c) + hx * zx);
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let backend = CpuBackend::new();
    let bases = backend.upload_g1(share_points(&[G1Affine::generator()])).unwrap();
    assert!(matches!(
        backend.msm_g1(&bases, &[]),
        Err(KernelError::LengthMismatch { expected: 1, got: 0, .. })
    ));
    assert_eq!(backend.fft(&mut [Fr::ONE; 3]), Err(KernelError::NotPowerOfTwo { got: 3 }));
    assert_eq!(backend.fft(&mut []), Err(KernelError::NotPowerOfTwo { got: 0 }));
    assert!(matches!(
        backend.quotient(vec![Fr::ONE; 2], vec![Fr::ONE; 2], vec![Fr::ONE; 4]),
        Err(KernelError::LengthMismatch { expected: 2, got: 4, .. })
    ));
    assert_eq!(
        lathe_kernels::domain::log_size(1 << 29),
        Err(KernelError::BeyondTwoAdicity { log_size: 29, max: 28 })
    );
    let foreign = lathe_kernels::G1Bases::new(1, std::sync::Arc::new(()));
    assert_eq!(backend.msm_g1(&foreign, &[Fr::ONE]), Err(KernelError::ForeignBases { backend: "cpu" }));
}
