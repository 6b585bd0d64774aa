//! Times transforms in place on one thread and on all, beside halo2curves' and the portable path,
//! interleaved; the copy of the input is not counted.
//!
//! `cargo run --release -p lathe-kernels --example fft_timings -- 16 18 20`

use ff::Field;
use halo2curves::bn256::Fr;
use lathe_kernels::domain::root_of_unity;
use lathe_kernels::{Backend, CpuBackend};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::error::Error;
use std::time::{Duration, Instant};

/// One way to work on three vectors, the first of which receives the result.
type Way<'a> = (&'a str, &'a ThreadPool, &'a (dyn Fn(&mut [Vec<Fr>; 3]) + Sync));

fn row(name: &str, rounds: usize, input: &[Vec<Fr>; 3], ways: &[Way<'_>]) -> Result<(), String> {
    let mut times = vec![Vec::new(); ways.len()];
    let mut first: Option<Vec<Fr>> = None;
    // The first round warms tables and buffers up.
    for round in 0..=rounds {
        for ((label, pool, way), times) in ways.iter().zip(&mut times) {
            let mut values = input.clone();
            let elapsed = pool.install(|| {
                let start = Instant::now();
                way(&mut values);
                start.elapsed()
            });
            if round > 0 {
                times.push(elapsed);
            }
            let [result, ..] = values;
            match &first {
                None => first = Some(result),
                Some(first) if *first != result => return Err(format!("{name}: {label} differs")),
                Some(_) => {}
            }
        }
    }
    let medians: Vec<Duration> = times
        .iter_mut()
        .map(|t| {
            t.sort();
            t[t.len() / 2]
        })
        .collect();
    print!("  {name:10}");
    for ((label, ..), time) in ways.iter().zip(&medians) {
        let ratio = time.as_secs_f64() / medians[0].as_secs_f64();
        print!("  {label} {:8.3} ms (x {ratio:4.2})", time.as_secs_f64() * 1e3);
    }
    println!();
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let one = ThreadPoolBuilder::new().num_threads(1).build()?;
    let all = ThreadPoolBuilder::new().build()?;
    let (ours, portable) = (CpuBackend::new(), CpuBackend::portable());
    for log in std::env::args().skip(1) {
        let log: u32 = log.parse()?;
        println!("2^{log}, {} threads, {}", all.current_num_threads(), ours.path());
        let n = 1usize << log;
        let a: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
        let b: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
        let c = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
        let input = [a, b, c];
        let rounds = if log < 18 { 21 } else { 5 };
        let fft = |backend: &CpuBackend, v: &mut [Vec<Fr>; 3]| backend.fft(&mut v[0]).unwrap_or_default();
        let quotient = |backend: &CpuBackend, v: &mut [Vec<Fr>; 3]| {
            let [a, b, c] = std::mem::take(v);
            v[0] = backend.quotient(a, b, c).unwrap_or_default();
        };
        let best = |v: &mut [Vec<Fr>; 3]| halo2curves::fft::best_fft(&mut v[0], root_of_unity(log), log);
        let ways: [Way<'_>; 4] = [
            ("ours", &all, &|v| fft(&ours, v)),
            ("one thread", &one, &|v| fft(&ours, v)),
            ("portable", &all, &|v| fft(&portable, v)),
            ("halo2curves", &all, &best),
        ];
        row("FFT", rounds, &input, &ways)?;
        let ways: [Way<'_>; 2] = [
            ("ours", &all, &|v| ours.coset_ifft(&mut v[0]).unwrap_or_default()),
            ("portable", &all, &|v| portable.coset_ifft(&mut v[0]).unwrap_or_default()),
        ];
        row("coset IFFT", rounds, &input, &ways)?;
        let ways: [Way<'_>; 3] = [
            ("ours", &all, &|v| quotient(&ours, v)),
            ("one thread", &one, &|v| quotient(&ours, v)),
            ("portable", &all, &|v| quotient(&portable, v)),
        ];
        row("quotient", rounds, &input, &ways)?;
    }
    Ok(())
}
