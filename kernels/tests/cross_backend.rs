//! All backends give identical bytes: random operations with an eye on the edges, on every backend and path of this
//! build. The seed is new in each run and printed when a run fails; LATHE_SEED repeats it, LATHE_ROUNDS asks for more.

mod backends;
#[cfg(feature = "cuda")]
mod ptx;
#[path = "report/mod.rs"]
mod report;

use ff::Field;
use group::{Curve, Group};
use halo2curves::bn256::{Fr, G1Affine, G2Affine};
use lathe_kernels::backend::share_points;
use lathe_kernels::{Backend, CurvePoint, KernelError};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text:?} is not a number")))
}

/// Runs `round` with fresh generators; says how to repeat the one that fails.
fn rounds(name: &str, default: u64, round: impl Fn(&mut ChaCha8Rng)) {
    let seed = number("LATHE_SEED").unwrap_or_else(|| {
        let mut bytes = [0; 8];
        getrandom::getrandom(&mut bytes).expect("the system has randomness");
        u64::from_le_bytes(bytes)
    });
    for i in 0..number("LATHE_ROUNDS").unwrap_or(default) {
        eprintln!("{name}, round {i}: LATHE_SEED={seed} repeats this run");
        round(&mut ChaCha8Rng::seed_from_u64(seed.wrapping_add(i)));
    }
}

/// Sizes around powers of two, small ones more often.
fn size(max_log: u32, rng: &mut ChaCha8Rng) -> usize {
    let near = 1usize << (rng.next_u32() % (max_log + 1));
    match rng.next_u32() % 4 {
        0 => near,
        1 => near - 1,
        2 => near + 1,
        _ => near + rng.next_u32() as usize % near,
    }
}

/// Scalars where digits, signs and classes change: 0, 1, -1, powers of two and their neighbours, the halves of the order,
/// 16-bit limbs as in witnesses, small negatives, full size.
fn scalar(rng: &mut ChaCha8Rng) -> Fr {
    let power = Fr::from(2).pow([u64::from(rng.next_u32() % 254)]);
    let value = match rng.next_u32() % 10 {
        0 => Fr::ZERO,
        1 => Fr::ONE,
        2 => power,
        3 => power - Fr::ONE,
        4 => power + Fr::ONE,
        5 => Fr::from(2).invert().unwrap() - Fr::from(u64::from(rng.next_u32() % 3)),
        6 => Fr::from(u64::from(rng.next_u32() & 0xffff)),
        7 => Fr::from(rng.next_u64()),
        _ => Fr::random(&mut *rng),
    };
    if rng.next_u32().is_multiple_of(4) { -value } else { value }
}

fn scalars(n: usize, rng: &mut ChaCha8Rng) -> Vec<Fr> {
    match rng.next_u32() % 5 {
        // One bucket takes all.
        0 => vec![scalar(rng); n],
        1 => (0..n).map(|_| Fr::random(&mut *rng)).collect(),
        _ => (0..n).map(|_| scalar(rng)).collect(),
    }
}

/// Points with infinity, repetitions and opposites among them; sometimes nothing else.
fn points<P: CurvePoint>(n: usize, rng: &mut ChaCha8Rng) -> Vec<P> {
    let few = rng.next_u32().is_multiple_of(4);
    let mut out: Vec<P> = Vec::with_capacity(n);
    for _ in 0..n {
        let earlier = match out.is_empty() {
            true => None,
            false => Some(out[rng.next_u32() as usize % out.len()]),
        };
        let p = match (rng.next_u32() % 8, earlier) {
            (0, _) => P::neutral(),
            (1, Some(p)) => p,
            (2, Some(p)) => p.negate(),
            (3.., Some(p)) if few => p,
            _ => P::Curve::random(&mut *rng).to_affine(),
        };
        out.push(p);
    }
    out
}

/// Asserts that `run` gives on every backend what it gives on the first.
fn same<T: PartialEq>(what: &str, size: usize, run: impl Fn(&dyn Backend) -> Result<T, KernelError>) {
    let mut oracle = None;
    for (name, backend) in backends::all() {
        let result = report::case(&format!("{what} on {name}"), size, || run(&**backend));
        let result = result.unwrap_or_else(|error| panic!("{what} of size {size} on {name}: {error}"));
        match &oracle {
            None => oracle = Some(result),
            Some(want) => {
                assert!(*want == result, "{what} of size {size}: {name} differs from the portable CPU path")
            }
        }
    }
}

#[test]
fn there_is_more_than_one_backend_to_compare() {
    let names: Vec<&str> = backends::all().iter().map(|(_, backend)| backend.name()).collect();
    assert!(names.len() >= 3);
    assert_eq!(names.contains(&"wgpu"), cfg!(feature = "wgpu"));
    assert_eq!(names.contains(&"cuda"), cfg!(feature = "cuda"));
}

#[test]
fn products_in_g1() {
    rounds("G1", 10, |rng| {
        let n = size(11, rng);
        let (bases, scalars) = (share_points(&points::<G1Affine>(n, rng)), scalars(n, rng));
        same("MSM in G1", n, |b| {
            let sum = b.msm_g1(&b.upload_g1(bases.clone())?, &scalars)?;
            Ok(sum.to_affine().to_raw())
        });
    });
}

#[test]
fn products_in_g2() {
    rounds("G2", 6, |rng| {
        let n = size(8, rng);
        let (bases, scalars) = (share_points(&points::<G2Affine>(n, rng)), scalars(n, rng));
        same("MSM in G2", n, |b| {
            let sum = b.msm_g2(&b.upload_g2(bases.clone())?, &scalars)?;
            Ok(sum.to_affine().to_raw())
        });
    });
}

/// Resident bases serve many products, as a proving key's do.
#[test]
fn bases_are_used_again() {
    rounds("bases again", 1, |rng| {
        let n = size(7, rng);
        let (bases, sets) = (share_points(&points::<G1Affine>(n, rng)), [scalars(n, rng), scalars(n, rng)]);
        same("two MSMs over the same bases", n, |b| {
            let resident = b.upload_g1(bases.clone())?;
            let sums = [
                b.msm_g1(&resident, &sets[0])?,
                b.msm_g1(&resident, &sets[1])?,
                b.msm_g1(&resident, &sets[0])?,
            ];
            Ok(sums.map(|sum| sum.to_affine().to_raw()))
        });
    });
}

fn limbs(values: &[Fr]) -> Vec<[u64; 4]> {
    values.iter().map(|v| v.0).collect()
}

#[test]
fn transforms() {
    type Transform = fn(&dyn Backend, &mut [Fr]) -> Result<(), KernelError>;
    let transforms: [(&str, Transform); 4] = [
        ("FFT", |b, v| b.fft(v)),
        ("inverse FFT", |b, v| b.ifft(v)),
        ("coset FFT", |b, v| b.coset_fft(v)),
        ("inverse coset FFT", |b, v| b.coset_ifft(v)),
    ];
    rounds("transforms", 6, |rng| {
        let log = rng.next_u32() % 14;
        let values = scalars(1 << log, rng);
        for (what, transform) in transforms {
            same(what, values.len(), |b| {
                let mut values = values.clone();
                transform(b, &mut values)?;
                Ok(limbs(&values))
            });
        }
    });
}

#[test]
fn quotients() {
    rounds("quotients", 6, |rng| {
        let n = 1 << (rng.next_u32() % 13);
        let (a, b) = (scalars(n, rng), scalars(n, rng));
        let c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
        same("quotient", n, |backend| Ok(limbs(&backend.quotient(a.clone(), b.clone(), c.clone())?)));
    });
}

#[test]
fn multiples_of_one_base() {
    rounds("fixed base", 2, |rng| {
        let n = size(6, rng);
        let scalars = scalars(n, rng);
        let (p, q) = (points::<G1Affine>(1, rng)[0], points::<G2Affine>(1, rng)[0]);
        same("fixed base in G1", n, |b| {
            Ok(share_points(&b.fixed_base_g1(p, &scalars)?).as_ref().as_ref().to_vec())
        });
        same("fixed base in G2", n, |b| {
            Ok(share_points(&b.fixed_base_g2(q, &scalars)?).as_ref().as_ref().to_vec())
        });
    });
}
