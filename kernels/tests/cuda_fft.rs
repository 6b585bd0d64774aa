//! FFT, quotient and input checks of the CUDA backend, its shipping PTX executed by the interpreter, against the CPU
//! backend. Sizes go up to where three launches of a few tiles each are exercised; nothing here is a measure of speed.
#![cfg(feature = "cuda")]

mod ptx;
#[path = "report/mod.rs"]
mod report;

use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;
use lathe_kernels::cuda::fft::{Fft, Transform};
use lathe_kernels::cuda::modules::MODULES;
use lathe_kernels::cuda::{CudaBackend, Driver};
use lathe_kernels::domain::{coset_shift, root_of_unity};
use lathe_kernels::{Backend, CpuBackend, DeviceOptions, KernelError};
use ptx::Interpreter;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::sync::Arc;

fn interpreter() -> Interpreter {
    let fft = MODULES.iter().find(|module| module.name == "fft").expect("fft ships");
    Interpreter::new(&[fft.ptx]).expect("the PTX loads")
}

fn backend() -> CudaBackend {
    CudaBackend::on(Arc::new(interpreter()))
}

fn random(n: usize, seed: u64) -> Vec<Fr> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| Fr::random(&mut rng)).collect()
}

/// Values at the borders of the representation: zero, one, minus one, and limbs that are all zeros or ones.
fn edges(n: usize, seed: u64) -> Vec<Fr> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let top = Fr::from_raw([0, 0, 0, 0x3064_4e72_e131_a029]);
    let ones = Fr::from_raw([u64::MAX, u64::MAX, u64::MAX, 0x2fff_ffff_ffff_ffff]);
    let choices = [Fr::ZERO, Fr::ONE, -Fr::ONE, top, ones, Fr::TWO_INV, Fr::ROOT_OF_UNITY];
    (0..n).map(|_| choices[rng.next_u32() as usize % choices.len()]).collect()
}

type Operation = fn(&dyn Backend, &mut [Fr]) -> Result<(), KernelError>;
const OPERATIONS: [(&str, Operation); 4] = [
    ("fft", |backend, v| backend.fft(v)),
    ("ifft", |backend, v| backend.ifft(v)),
    ("coset_fft", |backend, v| backend.coset_fft(v)),
    ("coset_ifft", |backend, v| backend.coset_ifft(v)),
];

fn transforms_agree(backend: &CudaBackend, input: &[Fr], what: &str) {
    let cpu = CpuBackend::new();
    for (name, run) in OPERATIONS {
        report::case(&format!("{name} {what}"), input.len(), || {
            let (mut expected, mut got) = (input.to_vec(), input.to_vec());
            run(&cpu, &mut expected).unwrap();
            run(backend, &mut got).unwrap();
            assert!(got == expected, "{name} of {} points, {what}", input.len());
        });
    }
}

/// Evaluations of A and B and of C = A B, on the domain.
fn satisfied(n: usize, seed: u64, values: fn(usize, u64) -> Vec<Fr>) -> [Vec<Fr>; 3] {
    let (a, b) = (values(n, seed), values(n, seed + 1));
    let c = a.iter().zip(&b).map(|(a, b)| a * b).collect();
    [a, b, c]
}

fn quotient_agrees(backend: &CudaBackend, [a, b, c]: [Vec<Fr>; 3], what: &str) {
    let n = a.len();
    report::case(&format!("quotient {what}"), n, || {
        let expected = CpuBackend::new().quotient(a.clone(), b.clone(), c.clone()).unwrap();
        let got = backend.quotient(a, b, c).unwrap();
        assert!(got == expected, "quotient of {n} points, {what}");
        assert_eq!(got[n - 1], Fr::ZERO);
    });
}

#[test]
fn every_size_transforms_as_on_the_cpu() {
    let backend = backend();
    for log_n in (0..=12).chain([14]) {
        transforms_agree(&backend, &random(1 << log_n, log_n), "random values");
    }
}

#[test]
fn edge_values_transform_as_on_the_cpu() {
    let backend = backend();
    for n in [2, 8, 64, 1024, 2048] {
        transforms_agree(&backend, &edges(n, n as u64), "edge values");
    }
    transforms_agree(&backend, &[Fr::ZERO; 256], "all zero");
    transforms_agree(&backend, &[-Fr::ONE; 256], "all minus one");
}

/// Not against the CPU backend but against the definition, so that a common mistake would show.
#[test]
fn fft_evaluates_the_polynomial_on_domain_and_coset() {
    let (n, backend) = (1usize << 11, backend());
    let coefficients = random(n, 77);
    let (mut plain, mut coset) = (coefficients.clone(), coefficients.clone());
    backend.fft(&mut plain).unwrap();
    backend.coset_fft(&mut coset).unwrap();
    for i in [0, 1, 2, 31, 32, 1023, 1024, 2047] {
        let x = root_of_unity(11).pow_vartime([i as u64]);
        let at = |x: Fr| coefficients.iter().rev().fold(Fr::ZERO, |sum, c| sum * x + c);
        assert_eq!((plain[i], coset[i]), (at(x), at(x * coset_shift())), "point {i}");
    }
}

#[test]
fn quotients_of_every_size_as_on_the_cpu() {
    let backend = backend();
    for log_n in 0..=12 {
        quotient_agrees(&backend, satisfied(1 << log_n, log_n, random), "random values");
    }
    quotient_agrees(&backend, satisfied(512, 3, edges), "edge values");
    quotient_agrees(&backend, [(); 3].map(|()| vec![Fr::ZERO; 64]), "all zero");
}

/// A pass between the first and the last has others on both sides. With ten bits a pass that begins at 2^21, too much to
/// interpret; with five it begins at 2^15, and at 2^16 the passes are of different widths.
#[test]
fn transforms_of_three_passes_as_on_the_cpu() {
    let device = Arc::new(interpreter());
    let cpu = CpuBackend::new();
    for (log_n, bits) in [(15, 5), (16, 6)] {
        let fft = Fft::with_pass_bits(device.clone(), bits);
        let n = 1 << log_n;
        report::case(&format!("coset_fft in passes of at most {bits} bits"), n, || {
            let (mut expected, mut got) = (random(n, 9), random(n, 9));
            cpu.coset_fft(&mut expected).unwrap();
            fft.transform(&mut got, Transform { inverse: false, coset: true }).unwrap();
            assert!(got == expected, "2^{log_n}, {bits} bits");
        });
        report::case(&format!("quotient in passes of at most {bits} bits"), n, || {
            let [a, b, c] = satisfied(n, 10, random);
            let expected = cpu.quotient(a.clone(), b.clone(), c.clone()).unwrap();
            assert!(fft.quotient(a, b, c).unwrap() == expected, "2^{log_n}, {bits} bits");
        });
    }
}

/// Three vectors resident, two, one: the budget decides, the result is the same.
#[test]
fn quotients_with_less_memory_are_the_same() {
    let n = 2048;
    // What the tables take besides vectors, found out from the interpreter itself.
    let device = Arc::new(interpreter());
    let fft = Fft::new(device.clone());
    fft.transform(&mut random(n, 1), Transform { inverse: false, coset: false }).unwrap();
    let (tables, vector) = (device.memory_used(), 32 * n as u64);
    for vectors in [3, 2, 1] {
        let device = Arc::new(interpreter().with_memory(tables + vectors * vector));
        let backend = CudaBackend::on(device.clone());
        quotient_agrees(&backend, satisfied(n, vectors, random), &format!("{vectors} vectors fit"));
        assert_eq!(device.memory_used(), tables, "only the tables stay");
    }
    let small = CudaBackend::on(Arc::new(interpreter().with_memory(tables + vector - 1)));
    let refused = KernelError::OutOfDeviceMemory { backend: "cuda", needed: vector, available: vector - 1 };
    assert_eq!(small.fft(&mut random(n, 1)), Err(refused.clone()));
    let [a, b, c] = satisfied(n, 1, random);
    assert_eq!(small.quotient(a, b, c), Err(refused));
}

/// Tables of sizes used before give way to those of the size asked for.
#[test]
fn tables_of_other_sizes_are_dropped_when_memory_is_short() {
    let backend = CudaBackend::on(Arc::new(interpreter().with_memory(120 << 10)));
    for n in [1usize << 11, 1 << 10, 1 << 11] {
        transforms_agree(&backend, &random(n, 5), "short memory");
    }
}

#[test]
fn bad_sizes_are_refused_as_on_the_cpu() {
    let (backend, cpu) = (backend(), CpuBackend::new());
    for n in [0, 3, 1000] {
        for (name, run) in OPERATIONS {
            let (mut a, mut b) = (random(n, 1), random(n, 1));
            let refused = run(&backend, &mut a);
            assert_eq!(refused, run(&cpu, &mut b), "{name} of {n}");
            assert_eq!(refused, Err(KernelError::NotPowerOfTwo { got: n }));
        }
    }
    let lengths = |a, b, c| (random(a, 1), random(b, 2), random(c, 3));
    for (a, b, c) in [lengths(4, 8, 4), lengths(4, 4, 2), lengths(6, 6, 6), lengths(0, 0, 0)] {
        let refused = backend.quotient(a.clone(), b.clone(), c.clone());
        assert!(refused.is_err());
        assert_eq!(refused, cpu.quotient(a, b, c));
    }
}

/// On a machine without an NVIDIA driver, opening says so; with one, it opens and computes.
#[test]
fn a_driver_opens_or_says_why_not() {
    match Driver::open(&DeviceOptions::default()) {
        Err(KernelError::Unavailable { backend, reason }) => {
            assert_eq!(backend, "cuda");
            assert!(reason.contains("driver") || reason.contains("GPU"), "{reason}");
        }
        Err(other) => panic!("{other}"),
        Ok(device) => {
            let backend = CudaBackend::on(device);
            for log_n in [0, 1, 10, 11, 14, 20, 21] {
                transforms_agree(&backend, &random(1 << log_n, log_n), "on a GPU");
                quotient_agrees(&backend, satisfied(1 << log_n, log_n, random), "on a GPU");
            }
        }
    }
}
