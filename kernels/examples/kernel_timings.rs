//! Times the CPU backend's kernels, its portable path and halo2curves on the same input, interleaved.
//!
//! `cargo run --release -p lathe-kernels --example kernel_timings -- 16 18`; `only=G1` keeps the rows
//! whose name contains `G1`, `ours` leaves out the other ways.

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

/// What to time, from the command line.
#[derive(Default)]
struct Choice {
    only: Option<String>,
    ours: bool,
}

impl Choice {
    /// Medians of interleaved runs of several ways to compute the same value: a load on the machine
    /// falls on all of them alike. Errs where two values differ.
    fn compare<T: PartialEq>(
        &self,
        name: &str,
        rounds: usize,
        ways: &[(&str, &dyn Fn() -> T)],
    ) -> Result<(), String> {
        if self.only.as_ref().is_some_and(|only| !name.contains(only)) {
            return Ok(());
        }
        let ways = if self.ours { &ways[..1] } else { ways };
        let mut times = vec![Vec::new(); ways.len()];
        let mut first = None;
        for _ in 0..rounds {
            for ((label, way), times) in ways.iter().zip(&mut times) {
                let start = Instant::now();
                let value = way();
                times.push(start.elapsed());
                match &first {
                    None => first = Some(value),
                    Some(first) if *first != value => return Err(format!("{name}: {label} differs")),
                    Some(_) => {}
                }
            }
        }
        let medians: Vec<Duration> = times.iter_mut().map(|t| median(t)).collect();
        print!("  {name:22}");
        for ((label, _), time) in ways.iter().zip(&medians) {
            let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
            print!("  {label} {:9.3} ms (x {ratio:4.2})", time.as_secs_f64() * 1e3);
        }
        println!();
        Ok(())
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
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

fn time_size(log: u32, choice: &Choice, rng: &mut ChaCha8Rng) -> Result<(), Box<dyn Error>> {
    let (ours, portable) = (CpuBackend::new(), CpuBackend::portable());
    let n = 1usize << log;
    let rounds = if log < 20 { 5 } else { 3 };
    println!("2^{log}, {} threads, {}", rayon::current_num_threads(), ours.path());
    let full: Vec<Fr> = (0..n).map(|_| Fr::random(&mut *rng)).collect();
    let small = witness(n, rng);
    let limbs: Vec<Fr> = (0..n).map(|_| Fr::from(u64::from(rng.next_u32() & 0xffff))).collect();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (p, q) = (G1Affine::generator(), G2Affine::generator());
    let (ours_ref, portable_ref) = (&ours, &portable);
    let g1 = ours.fixed_base_g1(p, &full)?;
    let g2 = ours.fixed_base_g2(q, &full)?;
    let (r1, r2) = (ours.upload_g1(share_points(&g1))?, ours.upload_g2(share_points(&g2))?);
    let (s1, s2) = (portable.upload_g1(share_points(&g1))?, portable.upload_g2(share_points(&g2))?);
    for (name, scalars) in [("full", &full), ("witness", &small), ("16-bit", &limbs)] {
        choice.compare(
            &format!("MSM G1 {name}"),
            rounds,
            &[
                ("ours", &|| ours_ref.msm_g1(&r1, scalars).map(|p| p.to_affine())),
                ("portable", &|| portable_ref.msm_g1(&s1, scalars).map(|p| p.to_affine())),
                ("halo2curves", &|| Ok(halo2curves::msm::msm_best(scalars, &g1).to_affine())),
                ("ours, 1 thread", &|| one.install(|| ours_ref.msm_g1(&r1, scalars)).map(|p| p.to_affine())),
            ],
        )?;
        choice.compare(
            &format!("MSM G2 {name}"),
            rounds,
            &[
                ("ours", &|| ours_ref.msm_g2(&r2, scalars).map(|p| p.to_affine())),
                ("portable", &|| portable_ref.msm_g2(&s2, scalars).map(|p| p.to_affine())),
                ("halo2curves", &|| Ok(halo2curves::msm::msm_best(scalars, &g2).to_affine())),
            ],
        )?;
    }
    let fft = |backend: &CpuBackend| {
        let mut values = full.clone();
        backend.fft(&mut values).map(|()| values)
    };
    choice.compare(
        "FFT",
        2 * rounds,
        &[
            ("ours", &|| fft(ours_ref)),
            ("portable", &|| fft(portable_ref)),
            ("halo2curves", &|| {
                let mut values = full.clone();
                halo2curves::fft::best_fft(&mut values, root_of_unity(log), log);
                Ok(values)
            }),
        ],
    )?;
    let c: Vec<Fr> = full.iter().zip(&small).map(|(a, b)| *a * b).collect();
    let quotient = |backend: &CpuBackend| backend.quotient(full.clone(), small.clone(), c.clone());
    let both: [(&str, &dyn Fn() -> _); 2] =
        [("ours", &|| quotient(ours_ref)), ("portable", &|| quotient(portable_ref))];
    choice.compare("quotient", rounds, &both)?;
    choice.compare(
        "fixed base G1",
        rounds,
        &[
            ("ours", &|| ours_ref.fixed_base_g1(p, &full)),
            ("portable", &|| portable_ref.fixed_base_g1(p, &full)),
        ],
    )?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut choice = Choice::default();
    for arg in std::env::args().skip(1) {
        match (arg.strip_prefix("only="), arg.as_str()) {
            (Some(only), _) => choice.only = Some(only.to_owned()),
            (None, "ours") => choice.ours = true,
            (None, log) => time_size(log.parse()?, &choice, &mut rng)?,
        }
    }
    Ok(())
}
