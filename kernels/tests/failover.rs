//! A GPU that fails in the middle of a proof: nothing is lost, nothing is hidden, and the CPU goes on.
use ff::Field;
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};
use lathe_kernels::backend::share_points;
use lathe_kernels::failover::Failover;
use lathe_kernels::{Backend, CpuBackend, G1Bases, G2Bases, KernelError, RawG1, RawG2, SharedPoints};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The CPU, with a driver that refuses every call after the first `calls`.
struct Fragile {
    inner: CpuBackend,
    calls: AtomicU32,
    error: KernelError,
}

impl Fragile {
    fn call(&self) -> Result<&CpuBackend, KernelError> {
        let left = self.calls.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        left.map(|_| &self.inner).map_err(|_| self.error.clone())
    }
}

impl Backend for Fragile {
    fn name(&self) -> &'static str {
        "cuda"
    }
    fn device(&self) -> String {
        "a fragile GPU".into()
    }
    fn upload_g1(&self, points: SharedPoints<RawG1>) -> Result<G1Bases, KernelError> {
        self.call()?.upload_g1(points)
    }
    fn upload_g2(&self, points: SharedPoints<RawG2>) -> Result<G2Bases, KernelError> {
        self.call()?.upload_g2(points)
    }
    fn msm_g1(&self, bases: &G1Bases, scalars: &[Fr]) -> Result<G1, KernelError> {
        self.call()?.msm_g1(bases, scalars)
    }
    fn msm_g2(&self, bases: &G2Bases, scalars: &[Fr]) -> Result<G2, KernelError> {
        self.call()?.msm_g2(bases, scalars)
    }
    fn fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.call()?.fft(values)
    }
    fn ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.call()?.ifft(values)
    }
    fn coset_fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.call()?.coset_fft(values)
    }
    fn coset_ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.call()?.coset_ifft(values)
    }
    fn quotient(&self, a: Vec<Fr>, b: Vec<Fr>, c: Vec<Fr>) -> Result<Vec<Fr>, KernelError> {
        self.call()?.quotient(a, b, c)
    }
    fn fixed_base_g1(&self, base: G1Affine, scalars: &[Fr]) -> Result<Vec<G1Affine>, KernelError> {
        self.call()?.fixed_base_g1(base, scalars)
    }
    fn fixed_base_g2(&self, base: G2Affine, scalars: &[Fr]) -> Result<Vec<G2Affine>, KernelError> {
        self.call()?.fixed_base_g2(base, scalars)
    }
}

fn lost() -> KernelError {
    KernelError::Device { backend: "cuda", what: "a launch".into(), reason: "device lost".into() }
}

fn full() -> KernelError {
    KernelError::OutOfDeviceMemory { backend: "cuda", needed: 2, available: 1 }
}

fn fragile(calls: u32, error: KernelError) -> Failover {
    Failover::new(Arc::new(Fragile { inner: CpuBackend::new(), calls: calls.into(), error }))
}

fn points() -> (Vec<G1Affine>, Vec<G2Affine>, Vec<Fr>) {
    let scalars: Vec<Fr> = (1..40u64).map(|i| Fr::from(i).square() - Fr::from(7)).collect();
    let cpu = CpuBackend::new();
    let g1 = cpu.fixed_base_g1(G1Affine::generator(), &scalars).unwrap();
    let g2 = cpu.fixed_base_g2(G2Affine::generator(), &scalars).unwrap();
    (g1, g2, scalars)
}

#[test]
fn whenever_the_device_fails_products_are_right_and_the_failure_is_shown() {
    let (g1, g2, scalars) = points();
    let square: Fr = scalars.iter().map(Fr::square).sum();
    // Two uploads, then products; the device fails at each of these calls in turn.
    for error in [lost(), full()] {
        for calls in 0..=5 {
            let backend = fragile(calls, error.clone());
            let bases1 = backend.upload_g1(share_points(&g1)).unwrap();
            let bases2 = backend.upload_g2(share_points(&g2)).unwrap();
            for _ in 0..2 {
                assert_eq!(backend.msm_g1(&bases1, &scalars).unwrap(), G1::generator() * square);
                assert_eq!(backend.msm_g2(&bases2, &scalars).unwrap(), G2::generator() * square);
            }
            assert_eq!(backend.fixed_base_g1(G1Affine::generator(), &scalars).unwrap(), g1);
            assert_eq!(backend.fixed_base_g2(G2Affine::generator(), &scalars).unwrap(), g2);
            assert_eq!(backend.failure(), Some(&error));
            assert_eq!(backend.name(), "cpu");
            let device = backend.device();
            assert!(device.starts_with("cpu (") && device.contains("since a fragile GPU failed"), "{device}");
            assert!(device.contains(&error.to_string()), "{device}");
        }
    }
}

#[test]
fn work_that_consumes_its_input_reports_the_failure_once_and_then_runs_on_the_cpu() {
    let values: Vec<Fr> = (0..64u64).map(Fr::from).collect();
    let mut want = values.clone();
    CpuBackend::new().fft(&mut want).unwrap();
    let backend = fragile(0, lost());
    assert_eq!(backend.fft(&mut values.clone()), Err(lost()));
    let mut second = values.clone();
    backend.fft(&mut second).unwrap();
    assert_eq!(second, want);
    backend.ifft(&mut second).unwrap();
    assert_eq!(second, values);

    let backend = fragile(0, full());
    let (a, b) = (values.clone(), want.clone());
    let c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
    assert_eq!(backend.quotient(a.clone(), b.clone(), c.clone()), Err(full()));
    let h = CpuBackend::new().quotient(a.clone(), b.clone(), c.clone()).unwrap();
    assert_eq!(backend.quotient(a, b, c).unwrap(), h);
}

#[test]
fn a_device_that_works_is_used_and_a_caller_s_mistake_does_not_cost_it() {
    let (g1, _, scalars) = points();
    let backend = fragile(u32::MAX, lost());
    let bases = backend.upload_g1(share_points(&g1)).unwrap();
    assert!(matches!(backend.msm_g1(&bases, &scalars[1..]), Err(KernelError::LengthMismatch { .. })));
    assert_eq!(backend.fft(&mut [Fr::ONE; 3]), Err(KernelError::NotPowerOfTwo { got: 3 }));
    let foreign = CpuBackend::new().upload_g1(share_points(&g1)).unwrap();
    assert_eq!(backend.msm_g1(&foreign, &scalars), Err(KernelError::ForeignBases { backend: "cuda" }));
    assert_eq!((backend.failure(), backend.name()), (None, "cuda"));
    assert_eq!(backend.device(), "a fragile GPU");
}
