//! Times the CPU backend's kernels beside halo2curves' for the same input.
//!
//! `cargo run --release -p lathe-kernels --example kernel_timings -- 16 18`

use ff::Field;
use group::Curve;
use halo2curves::bn256::{Fr, G1Affine, G2Affine};
use lathe_kernels::backend::share_points;
use lathe_kernels::domain::root_of_unity;
use lathe_kernels::{Backend, CpuBackend};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::error::Error;
use std::time::{Duration, Instant};

/// The best of three runs.
fn best<T>(mut f: impl FnMut() -> T) -> (Duration, T) {
    let mut run = || {
        let start = Instant::now();
        let value = f();
        (start.elapsed(), value)
    };
    let (mut time, mut value) = run();
    for _ in 0..2 {
        let (t, v) = run();
        if t < time {
            (time, value) = (t, v);
        }
    }
    (time, value)
}

/// Scalars as in a witness: bits and limbs, a tenth of full size.
fn witness(n: usize, rng: &mut ChaCha8Rng) -> Vec<Fr> {
    (0..n)
        .map(|_| match rng.next_u32() % 10 {
            0..=2 => Fr::from(u64::from(rng.next_u32() & 1)),
            3..=6 => Fr::from(u64::from(rng.next_u32() & 0xffff)),
            7 => Fr::from(rng.next_u64()),
            8 => Fr::from(rng.next_u64()) * Fr::from(u64::MAX),
            _ => Fr::random(&mut *rng),
        })
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let backend = CpuBackend::new();
    for log in std::env::args().skip(1).map(|arg| arg.parse::<u32>()) {
        let log = log?;
        let n = 1usize << log;
        let full: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
        let small = witness(n, &mut rng);
        let (t1, g1) = best(|| backend.fixed_base_g1(G1Affine::generator(), &full));
        let (t2, g2) = best(|| backend.fixed_base_g2(G2Affine::generator(), &full));
        println!("2^{log}: fixed base G1 {t1:?}, G2 {t2:?}");
        let (g1, g2) = (g1?, g2?);
        let (r1, r2) = (backend.upload_g1(share_points(&g1))?, backend.upload_g2(share_points(&g2))?);
        for (name, scalars) in [("full-size", &full), ("witness", &small)] {
            let (ours, a) = best(|| backend.msm_g1(&r1, scalars));
            let (theirs, b) = best(|| halo2curves::msm::msm_best(scalars, &g1));
            println!(
                "  MSM G1 {name}: {ours:?}, halo2curves {theirs:?}, equal {}",
                a?.to_affine() == b.to_affine()
            );
            let (ours, a) = best(|| backend.msm_g2(&r2, scalars));
            let (theirs, b) = best(|| halo2curves::msm::msm_best(scalars, &g2));
            println!(
                "  MSM G2 {name}: {ours:?}, halo2curves {theirs:?}, equal {}",
                a?.to_affine() == b.to_affine()
            );
        }
        let (ours, a) = best(|| {
            let mut values = full.clone();
            backend.fft(&mut values).map(|()| values)
        });
        let (theirs, b) = best(|| {
            let mut values = full.clone();
            halo2curves::fft::best_fft(&mut values, root_of_unity(log), log);
            values
        });
        println!("  FFT: {ours:?}, halo2curves {theirs:?}, equal {}", a? == b);
        let c: Vec<Fr> = full.iter().zip(&small).map(|(a, b)| *a * b).collect();
        let (time, h) = best(|| backend.quotient(full.clone(), small.clone(), c.clone()));
        h?;
        println!("  quotient: {time:?}");
    }
    Ok(())
}
