//! The CUDA backend as a prover uses it: several bases resident beside vectors in one memory, on the PTX interpreter.
//! Single operations have their own tests in `cuda_msm.rs` and `cuda_fft.rs`.
#![cfg(feature = "cuda")]

mod ptx;

use ff::Field;
use group::{Curve, Group};
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};
use lathe_kernels::backend::share_points;
use lathe_kernels::cuda::CudaBackend;
use lathe_kernels::cuda::modules::MODULES;
use lathe_kernels::{Backend, CpuBackend, KernelError};
use ptx::Interpreter;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::sync::Arc;

fn interpreter() -> Interpreter {
    let texts: Vec<&str> = MODULES.iter().map(|module| module.ptx).collect();
    Interpreter::new(&texts).expect("the PTX loads")
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(20)
}

fn scalars(n: usize, rng: &mut ChaCha8Rng) -> Vec<Fr> {
    (0..n).map(|_| Fr::random(&mut *rng)).collect()
}

/// The four MSMs in G1, the one in G2 and the quotient of a proof, with all bases resident at once. Returns the bytes
/// that the bases took.
fn prove_with(device: Arc<Interpreter>, sizes: [usize; 4]) -> u64 {
    let (mut rng, cpu, backend) = (rng(), CpuBackend::new(), CudaBackend::on(device.clone()));
    let points: Vec<Vec<G1Affine>> = sizes
        .iter()
        .map(|&n| (0..n).map(|_| (G1::generator() * Fr::random(&mut rng)).to_affine()).collect())
        .collect();
    let g2: Vec<G2Affine> =
        (0..sizes[0]).map(|_| (G2::generator() * Fr::random(&mut rng)).to_affine()).collect();
    let on_device: Vec<_> = points.iter().map(|p| backend.upload_g1(share_points(p)).unwrap()).collect();
    let on_host: Vec<_> = points.iter().map(|p| cpu.upload_g1(share_points(p)).unwrap()).collect();
    let (g2_device, g2_host) =
        (backend.upload_g2(share_points(&g2)).unwrap(), cpu.upload_g2(share_points(&g2)).unwrap());
    let resident = device.memory_used();

    let n = 512;
    let (a, b) = (scalars(n, &mut rng), scalars(n, &mut rng));
    let c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| a * b).collect();
    let h = backend.quotient(a.clone(), b.clone(), c.clone()).unwrap();
    assert_eq!(h, cpu.quotient(a, b, c).unwrap());
    for (device, host) in on_device.iter().zip(&on_host) {
        let scalars = scalars(device.len(), &mut rng);
        assert_eq!(backend.msm_g1(device, &scalars).unwrap(), cpu.msm_g1(host, &scalars).unwrap());
    }
    let scalars = scalars(g2.len(), &mut rng);
    assert_eq!(backend.msm_g2(&g2_device, &scalars).unwrap(), cpu.msm_g2(&g2_host, &scalars).unwrap());

    let tables = device.memory_used() - resident;
    assert!(tables < 64 << 10, "work space of {tables} bytes stays");
    drop((on_device, g2_device));
    assert_eq!(device.memory_used(), tables, "bases stay after their handles went");
    drop(backend);
    assert_eq!(device.memory_used(), 0);
    resident
}

/// With room for all multiples, and with so little that later bases get fewer: the results are those of the CPU.
#[test]
fn a_proof_s_bases_and_vectors_share_the_memory() {
    let sizes = [60, 130, 200, 3];
    let plenty = prove_with(Arc::new(interpreter()), sizes);
    let little = prove_with(Arc::new(interpreter().with_memory(480 << 10)), sizes);
    assert!(little < plenty, "{little} bytes of bases in little memory, {plenty} in plenty");
}

#[test]
fn bases_of_another_group_or_backend_are_refused() {
    let (cpu, backend) = (CpuBackend::new(), CudaBackend::on(Arc::new(interpreter())));
    let foreign = cpu.upload_g1(share_points(&[G1Affine::generator()])).unwrap();
    let refused = Err(KernelError::ForeignBases { backend: "cuda" });
    assert_eq!(backend.msm_g1(&foreign, &[Fr::ONE]), refused);
    let own = backend.upload_g1(share_points(&[G1Affine::generator()])).unwrap();
    assert_eq!(cpu.msm_g1(&own, &[Fr::ONE]), Err(KernelError::ForeignBases { backend: "cpu" }));
    assert_eq!(backend.msm_g1(&own, &[Fr::ONE]).unwrap(), G1::generator());
    assert!(matches!(
        backend.msm_g1(&own, &[Fr::ONE, Fr::ONE]),
        Err(KernelError::LengthMismatch { expected: 1, got: 2, .. })
    ));
}

#[test]
fn fixed_base_products_are_those_of_the_cpu() {
    let (mut rng, backend) = (rng(), CudaBackend::on(Arc::new(interpreter())));
    let scalars = scalars(20, &mut rng);
    let base = G1::random(&mut rng).to_affine();
    let expected: Vec<G1Affine> = scalars.iter().map(|s| (base * s).to_affine()).collect();
    assert_eq!(backend.fixed_base_g1(base, &scalars).unwrap(), expected);
    let base = G2::random(&mut rng).to_affine();
    let expected: Vec<G2Affine> = scalars.iter().map(|s| (base * s).to_affine()).collect();
    assert_eq!(backend.fixed_base_g2(base, &scalars).unwrap(), expected);
}
