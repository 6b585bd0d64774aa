//! The wgpu backend against the CPU backend, on both limb products, on whatever adapter this machine has; where it has no
//! GPU that is Mesa's lavapipe, and without that these tests fail and say what to install.
#![cfg(feature = "wgpu")]

use ff::Field;
use group::{Curve, Group};
use halo2curves::bn256::{Fr, G1Affine, G2Affine};
use lathe_kernels::backend::share_points;
use lathe_kernels::wgpu::{Path, WgpuBackend};
use lathe_kernels::{Backend, CpuBackend, CurvePoint, DeviceOptions, KernelError};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::sync::OnceLock;

#[path = "report/mod.rs"]
mod report;

const PATHS: [Path; 2] = [Path::Wide, Path::Narrow];

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn open(path: Path, memory: Option<u64>) -> WgpuBackend {
    WgpuBackend::with_path(&DeviceOptions { memory, software: true }, path).unwrap_or_else(|error| {
        panic!(
            "{error}\nThese tests need a Vulkan adapter. Install Mesa's software one: \
             apt-get install -y --no-install-recommends mesa-vulkan-drivers libvulkan1"
        )
    })
}

/// One backend per path for all tests, so that each pipeline is compiled once.
fn shared(path: Path) -> &'static WgpuBackend {
    static BACKENDS: [OnceLock<WgpuBackend>; 2] = [OnceLock::new(), OnceLock::new()];
    BACKENDS[path as usize].get_or_init(|| open(path, None))
}

/// A scalar as witnesses have them: mostly small, some negative, some full size.
fn scalar(rng: &mut ChaCha8Rng) -> Fr {
    let v = match rng.next_u32() % 8 {
        0 | 1 => Fr::ZERO,
        2 | 3 => Fr::ONE,
        4 => Fr::from(rng.next_u64() & 0xffff),
        5 => Fr::from(rng.next_u64()),
        _ => Fr::random(&mut *rng),
    };
    if rng.next_u32().is_multiple_of(4) { -v } else { v }
}

fn random(n: usize, rng: &mut ChaCha8Rng) -> Vec<Fr> {
    (0..n).map(|_| Fr::random(&mut *rng)).collect()
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

/// The group an MSM is in, for tests over both.
trait Msm: CurvePoint {
    const GROUP: &str;
    fn msm(backend: &dyn Backend, bases: &[Self], scalars: &[Fr]) -> Result<Self::Curve, KernelError>;
}

impl Msm for G1Affine {
    const GROUP: &str = "g1";
    fn msm(backend: &dyn Backend, bases: &[Self], scalars: &[Fr]) -> Result<Self::Curve, KernelError> {
        backend.msm_g1(&backend.upload_g1(share_points(bases))?, scalars)
    }
}

impl Msm for G2Affine {
    const GROUP: &str = "g2";
    fn msm(backend: &dyn Backend, bases: &[Self], scalars: &[Fr]) -> Result<Self::Curve, KernelError> {
        backend.msm_g2(&backend.upload_g2(share_points(bases))?, scalars)
    }
}

/// Asserts that both paths give the CPU's bytes.
fn assert_msm<P: Msm>(what: &str, bases: &[P], scalars: &[Fr]) {
    let want = P::msm(&CpuBackend::new(), bases, scalars).unwrap().to_affine().to_raw();
    for path in PATHS {
        report::case(&format!("wgpu {path:?}: msm {}, {what}", P::GROUP), bases.len(), || {
            let got = P::msm(shared(path), bases, scalars).unwrap().to_affine().to_raw();
            assert_eq!(got, want, "{what}, {} points, {path:?}", bases.len());
        });
    }
}

type Transform = fn(&dyn Backend, &mut [Fr]) -> Result<(), KernelError>;
const TRANSFORMS: [(&str, Transform); 4] = [
    ("fft", |backend, values| backend.fft(values)),
    ("ifft", |backend, values| backend.ifft(values)),
    ("coset_fft", |backend, values| backend.coset_fft(values)),
    ("coset_ifft", |backend, values| backend.coset_ifft(values)),
];

fn assert_transforms(backend: &WgpuBackend, values: &[Fr]) {
    for (name, transform) in TRANSFORMS {
        let (mut want, mut got) = (values.to_vec(), values.to_vec());
        transform(&CpuBackend::new(), &mut want).unwrap();
        report::case(&format!("wgpu {:?}: {name}", backend.path()), values.len(), || {
            transform(backend, &mut got).unwrap();
            assert!(got == want, "{name} of {} values, {:?}", values.len(), backend.path());
        });
    }
}

#[test]
fn transforms_equal_the_cpus_at_every_size() {
    let mut rng = rng(21);
    for log in (0..=12).chain([16]) {
        let n = 1usize << log;
        let edges = [Fr::ZERO, Fr::ONE, -Fr::ONE];
        let mixed: Vec<Fr> =
            (0..n).map(|i| edges.get(i % 7).copied().unwrap_or(Fr::random(&mut rng))).collect();
        for path in PATHS {
            assert_transforms(shared(path), &mixed);
            if log == 9 {
                assert_transforms(shared(path), &vec![-Fr::ONE; n]);
                assert_transforms(shared(path), &vec![Fr::ZERO; n]);
            }
        }
    }
}

fn quotient_input(n: usize, rng: &mut ChaCha8Rng) -> [Vec<Fr>; 3] {
    let (a, b) = (random(n, rng), random(n, rng));
    let c = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
    [a, b, c]
}

#[test]
fn quotients_equal_the_cpus() {
    let mut rng = rng(22);
    for log in (0..=10).chain([13]) {
        let [a, b, c] = quotient_input(1 << log, &mut rng);
        let want = CpuBackend::new().quotient(a.clone(), b.clone(), c.clone()).unwrap();
        for path in PATHS {
            report::case(&format!("wgpu {path:?}: quotient"), 1 << log, || {
                let got = shared(path).quotient(a.clone(), b.clone(), c.clone()).unwrap();
                assert!(got == want, "quotient of size 2^{log}, {path:?}");
            });
        }
    }
}

#[test]
fn msm_in_g1_equals_the_cpus() {
    let mut rng = rng(23);
    for n in [0usize, 1, 2, 3, 17, 255, 256, 257, 1000, 4096] {
        let bases: Vec<G1Affine> = points(n, &mut rng);
        assert_msm("full-width scalars", &bases, &random(n, &mut rng));
        let witness: Vec<Fr> = (0..n).map(|_| scalar(&mut rng)).collect();
        assert_msm("witness-like scalars", &bases, &witness);
    }
}

#[test]
fn msm_in_g2_equals_the_cpus() {
    let mut rng = rng(24);
    for n in [0usize, 1, 2, 33, 256] {
        let bases: Vec<G2Affine> = points(n, &mut rng);
        assert_msm("full-width scalars", &bases, &random(n, &mut rng));
        let witness: Vec<Fr> = (0..n).map(|_| scalar(&mut rng)).collect();
        assert_msm("witness-like scalars", &bases, &witness);
    }
}

/// One bucket with all points, equal points, points that cancel, no point at all.
fn assert_degenerate<P: Msm>(n: usize, seed: u64) {
    let mut rng = rng(seed);
    let p = P::Curve::random(&mut rng).to_affine();
    let distinct: Vec<P> = (0..n).map(|_| P::Curve::random(&mut rng).to_affine()).collect();
    let equal = vec![p; n];
    let opposite: Vec<P> = (0..n).map(|i| if i % 2 == 0 { p } else { p.negate() }).collect();
    let neutral = vec![P::neutral(); n];
    let full = Fr::random(&mut rng);
    let scalars = [
        ("zeros", Fr::ZERO),
        ("ones", Fr::ONE),
        ("minus ones", -Fr::ONE),
        ("equal 16-bit scalars", Fr::from(0x8000)),
        ("equal scalars", full),
    ];
    for (what, s) in scalars {
        assert_msm(&format!("{what}, distinct points"), &distinct, &vec![s; n]);
        assert_msm(&format!("{what}, equal points"), &equal, &vec![s; n]);
        assert_msm(&format!("{what}, opposite points"), &opposite, &vec![s; n]);
    }
    assert_msm("random scalars, equal points", &equal, &random(n, &mut rng));
    assert_msm("random scalars, opposite points", &opposite, &random(n, &mut rng));
    assert_msm("random scalars, no points", &neutral, &random(n, &mut rng));
}

#[test]
fn degenerate_msms_equal_the_cpus() {
    assert_degenerate::<G1Affine>(1025, 25);
    assert_degenerate::<G2Affine>(130, 26);
}

#[test]
fn a_small_memory_budget_changes_no_msm() {
    let mut rng = rng(27);
    let n = 1500;
    let bases: Vec<G1Affine> = points(n, &mut rng);
    let scalars = random(n, &mut rng);
    let want = CpuBackend::new();
    let want = G1Affine::msm(&want, &bases, &scalars).unwrap();
    // From plenty for the whole down to where neither bases nor lists fit at once.
    for memory in [16 << 20, 1 << 20, 400 << 10, 256 << 10] {
        let backend = open(Path::Narrow, Some(memory));
        report::case(&format!("wgpu Narrow: msm g1 within {memory} bytes"), n, || {
            assert_eq!(G1Affine::msm(&backend, &bases, &scalars).unwrap(), want, "{memory} bytes");
        });
    }
    let backend = open(Path::Narrow, Some(16 << 10));
    match G1Affine::msm(&backend, &bases, &scalars) {
        Err(KernelError::OutOfDeviceMemory { backend: "wgpu", needed, available }) => {
            assert!(needed > available && available <= 16 << 10, "{needed} of {available}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_small_memory_budget_changes_no_transform() {
    let mut rng = rng(28);
    let n = 1 << 11;
    let values = random(n, &mut rng);
    let [a, b, c] = quotient_input(n, &mut rng);
    let h = CpuBackend::new().quotient(a.clone(), b.clone(), c.clone()).unwrap();
    // A vector takes 64 KiB: room for all, for transforms but not for the quotient, for parts of a vector only.
    for memory in [1 << 20, 230 << 10, 90 << 10, 40 << 10] {
        let backend = open(Path::Wide, Some(memory));
        assert_transforms(&backend, &values);
        let got = backend.quotient(a.clone(), b.clone(), c.clone()).unwrap();
        assert!(got == h, "quotient in {memory} bytes");
    }
    // Not even one column.
    let backend = open(Path::Wide, Some(9 << 10));
    match backend.fft(&mut values.clone()) {
        Err(KernelError::OutOfDeviceMemory { backend: "wgpu", needed, available }) => {
            assert!(needed > available, "{needed} of {available}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_input_is_refused() {
    for path in PATHS {
        let backend = shared(path);
        let bases = backend.upload_g1(share_points(&[G1Affine::generator()])).unwrap();
        assert!(matches!(
            backend.msm_g1(&bases, &[]),
            Err(KernelError::LengthMismatch { expected: 1, got: 0, .. })
        ));
        assert_eq!(backend.fft(&mut [Fr::ONE; 3]), Err(KernelError::NotPowerOfTwo { got: 3 }));
        assert_eq!(backend.coset_ifft(&mut []), Err(KernelError::NotPowerOfTwo { got: 0 }));
        assert!(matches!(
            backend.quotient(vec![Fr::ONE; 2], vec![Fr::ONE; 2], vec![Fr::ONE; 4]),
            Err(KernelError::LengthMismatch { expected: 2, got: 4, .. })
        ));
        assert_eq!(
            backend.quotient(vec![Fr::ONE; 6], vec![Fr::ONE; 6], vec![Fr::ONE; 6]),
            Err(KernelError::NotPowerOfTwo { got: 6 })
        );
        // Bases of the CPU, and of another wgpu device.
        let cpu = CpuBackend::new().upload_g1(share_points(&[G1Affine::generator()])).unwrap();
        let other = open(path, None).upload_g1(share_points(&[G1Affine::generator()])).unwrap();
        for foreign in [cpu, other] {
            assert_eq!(
                backend.msm_g1(&foreign, &[Fr::ONE]),
                Err(KernelError::ForeignBases { backend: "wgpu" })
            );
        }
    }
}

#[test]
fn a_software_adapter_is_never_taken_unasked() {
    let software = shared(Path::Narrow);
    match WgpuBackend::new(&DeviceOptions::default()) {
        Ok(backend) => assert!(!backend.device().contains("llvmpipe"), "{}", backend.device()),
        Err(KernelError::Unavailable { backend: "wgpu", reason }) => {
            let name = software.device();
            let name = name.split(" (Vulkan").next().unwrap();
            assert!(reason.contains(name) && reason.contains("software adapter"), "{reason}");
        }
        Err(other) => panic!("{other:?}"),
    }
}
