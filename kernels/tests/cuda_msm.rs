//! The CUDA field arithmetic and MSM, run from the PTX that ships by the interpreter, against the host.
#![cfg(feature = "cuda")]

mod ptx;
#[path = "report/mod.rs"]
mod report;

use ff::{Field, PrimeField};
use group::{Curve, Group};
use halo2curves::bn256::{Fq, Fr, G1, G1Affine, G2, G2Affine};
use lathe_kernels::backend::share_points;
use lathe_kernels::cuda::device::{Arg, Device, Stream};
use lathe_kernels::cuda::modules::MODULES;
use lathe_kernels::cuda::msm::plan::{self, Size, Table};
use lathe_kernels::cuda::msm::{DevicePoint, Resident};
use lathe_kernels::{Backend, CpuBackend, CurvePoint, KernelError};
use ptx::Interpreter;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::sync::Arc;

fn interpreter(unit: &str) -> Interpreter {
    let texts: Vec<&str> = MODULES.iter().filter(|m| m.name.starts_with(unit)).map(|m| m.ptx).collect();
    assert!(!texts.is_empty(), "no unit {unit}");
    Interpreter::new(&texts).unwrap()
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Runs kernel `name` on all pairs and compares each of its nine results with `expected`.
fn check_field<F: PrimeField>(name: &str, limbs: fn(&F) -> [u64; 4], raw: fn([u64; 4]) -> F) {
    let device = interpreter("field_check");
    let mut rng = rng(1);
    let edges = [F::ZERO, F::ONE, -F::ONE, F::ONE + F::ONE, raw([1, 0, 0, 0]), -raw([1, 0, 0, 0])];
    let mut pairs: Vec<(F, F)> = edges.iter().flat_map(|a| edges.iter().map(|b| (*a, *b))).collect();
    pairs.extend((0..64).map(|_| (F::random(&mut rng), F::random(&mut rng))));
    let bytes = |side: Vec<[u64; 4]>| bytemuck::cast_slice::<u64, u8>(&side.concat()).to_vec();
    let (a, b) = (
        bytes(pairs.iter().map(|p| limbs(&p.0)).collect()),
        bytes(pairs.iter().map(|p| limbs(&p.1)).collect()),
    );
    let [left, right] = [&a, &b].map(|bytes| {
        let buffer = device.alloc(bytes.len()).unwrap();
        device.upload(Stream::Compute, &buffer, 0, bytes).unwrap();
        buffer
    });
    let out = device.alloc(9 * a.len()).unwrap();
    let n = pairs.len() as u32;
    let args = [Arg::Buffer(&out), Arg::Buffer(&left), Arg::Buffer(&right), Arg::U32(n)];
    device.launch(Stream::Compute, name, n.div_ceil(32), 32, 0, &args).unwrap();
    let mut got = vec![0u64; 36 * pairs.len()];
    device.download(Stream::Compute, &out, 0, bytemuck::cast_slice_mut(&mut got)).unwrap();
    // R as an element: multiplying by it is going to Montgomery form once more.
    let r = F::from(2).pow([256]);
    for ((a, b), got) in pairs.iter().zip(got.chunks(36)) {
        let (a, b) = (*a, *b);
        let inverse = Option::<F>::from(a.invert()).unwrap_or(F::ZERO);
        let expected =
            [a * b, a.square(), a + b, a - b, -a, a.double(), inverse, a * r, a * r.invert().unwrap()];
        for (operation, expected) in expected.iter().enumerate() {
            assert_eq!(got[4 * operation..][..4], limbs(expected), "operation {operation} of {a:?}, {b:?}");
        }
    }
}

#[test]
fn field_operations_equal_those_of_the_host() {
    report::case("CUDA Fq operations", 100, || check_field::<Fq>("fq_ops", |a| a.0, Fq));
    report::case("CUDA Fr operations", 100, || check_field::<Fr>("fr_ops", |a| a.0, Fr));
}

/// A group as these tests need it: its unit, bases with known logarithms, the host's MSM.
trait Tested: DevicePoint + std::fmt::Debug {
    const UNIT: &'static str;
    fn bases(logs: &[Fr]) -> Vec<Self>;
    fn host(points: &[Self], scalars: &[Fr]) -> Self::Curve;
}

impl Tested for G1Affine {
    // The unit of G1 holds the kernels that see scalars only.
    const UNIT: &'static str = "msm_g1";
    fn bases(logs: &[Fr]) -> Vec<Self> {
        CpuBackend::new().fixed_base_g1(G1::generator().to_affine(), logs).unwrap()
    }
    fn host(points: &[Self], scalars: &[Fr]) -> G1 {
        let cpu = CpuBackend::new();
        cpu.msm_g1(&cpu.upload_g1(share_points(points)).unwrap(), scalars).unwrap()
    }
}

impl Tested for G2Affine {
    const UNIT: &'static str = "msm_g";
    fn bases(logs: &[Fr]) -> Vec<Self> {
        CpuBackend::new().fixed_base_g2(G2::generator().to_affine(), logs).unwrap()
    }
    fn host(points: &[Self], scalars: &[Fr]) -> G2 {
        let cpu = CpuBackend::new();
        cpu.msm_g2(&cpu.upload_g2(share_points(points)).unwrap(), scalars).unwrap()
    }
}

fn random_scalars(n: usize, rng: &mut ChaCha8Rng) -> Vec<Fr> {
    (0..n).map(|_| Fr::random(&mut *rng)).collect()
}

fn size<P: Tested>(device: &Interpreter, points: usize) -> Size {
    Size {
        points,
        point_bytes: size_of::<P::Raw>() as u64,
        multiprocessors: device.multiprocessors(),
        resident_threads: P::RESIDENT_THREADS,
    }
}

/// The least budget whose plan has this factor, 0 for streaming; multiples take long to interpret.
fn budget<P: Tested>(device: &Interpreter, points: usize, factor: u32) -> u64 {
    let size = size::<P>(device, points);
    let mut low = plan::least_bytes(&size, None);
    while plan::plan(&size, low, None).unwrap().table.factor < factor {
        low += low / 16;
    }
    low
}

/// Runs an MSM as a case of the report and compares it with what is expected.
fn same<P: Tested>(what: &str, resident: &Resident<P>, scalars: &[Fr], expected: P::Curve) {
    report::case(&format!("CUDA MSM {}, {what}", P::SUFFIX), scalars.len(), || {
        assert_eq!(resident.msm(scalars).unwrap().to_affine(), expected.to_affine(), "{what}");
    });
}

/// MSMs of all these scalars over the same bases, resident without multiples.
fn check_scalars<P: Tested>(points: &[P], cases: &[(&str, Vec<Fr>)]) {
    let device = Arc::new(interpreter(P::UNIT));
    let budget = budget::<P>(&device, points.len(), 1);
    let resident = Resident::<P>::upload(device.clone(), share_points(points), budget).unwrap();
    for (what, scalars) in cases {
        same::<P>(what, &resident, scalars, P::host(points, scalars));
        assert_eq!(device.memory_used(), resident.table_bytes(), "{what}: work space is given back");
    }
}

fn scalar_cases(n: usize, rng: &mut ChaCha8Rng) -> Vec<(&'static str, Vec<Fr>)> {
    let equal = Fr::random(&mut *rng);
    let half = (-Fr::ONE) * Fr::from(2).invert().unwrap();
    let mixed = (0..n).map(|i| match i % 7 {
        0 => Fr::ZERO,
        1 => Fr::ONE,
        2 => -Fr::ONE,
        3 => Fr::from(rng.next_u64() & 0xffff),
        4 => -Fr::from(rng.next_u64()),
        5 => half,
        _ => half + Fr::ONE,
    });
    let mixed = mixed.collect();
    let powers = (0..n).map(|i| Fr::from(2).pow([i as u64 % 254]) - Fr::from(i as u64 % 3)).collect();
    let mut lone = vec![Fr::ZERO; n];
    lone[n / 2] = Fr::random(&mut *rng);
    vec![
        ("zeros", vec![Fr::ZERO; n]),
        ("ones", vec![Fr::ONE; n]),
        ("all r - 1", vec![-Fr::ONE; n]),
        ("all equal", vec![equal; n]),
        ("mixed", mixed),
        ("around powers of two", powers),
        ("a lone scalar", lone),
    ]
}

/// Bases repeated, opposite, infinite, at random, so that sums meet equal and opposite points.
fn odd_bases<P: Tested>(n: usize, rng: &mut ChaCha8Rng) -> Vec<P> {
    let bases = P::bases(&random_scalars(4, rng));
    (0..n)
        .map(|_| match rng.next_u32() % 4 {
            0 => P::neutral(),
            1 => bases[rng.next_u32() as usize % 4].negate(),
            _ => bases[rng.next_u32() as usize % 4],
        })
        .collect()
}

#[test]
fn g1_msm_of_every_size() {
    let device = Arc::new(interpreter("msm_g1"));
    let mut rng = rng(2);
    for n in [1, 2, 3, 4, 8, 15, 16, 32, 64, 127, 128, 256, 513, 1024, 2048, 4096] {
        let logs = random_scalars(n, &mut rng);
        let scalars = random_scalars(n, &mut rng);
        let points = G1Affine::bases(&logs);
        let budget = budget::<G1Affine>(&device, n, 1);
        let resident = Resident::<G1Affine>::upload(device.clone(), share_points(&points), budget).unwrap();
        // The bases' logarithms are known, so the oracle is one inner product.
        let log: Fr = scalars.iter().zip(&logs).map(|(a, b)| *a * b).sum();
        same::<G1Affine>("random", &resident, &scalars, G1::generator() * log);
    }
}

#[test]
fn g1_msm_whatever_the_scalars() {
    let mut rng = rng(3);
    let points = G1Affine::bases(&random_scalars(4096, &mut rng));
    check_scalars(&points, &scalar_cases(4096, &mut rng));
}

#[test]
fn g1_msm_of_repeated_opposite_and_infinite_bases() {
    let mut rng = rng(4);
    let n = 500;
    let mut cases = scalar_cases(n, &mut rng);
    cases.push(("random", random_scalars(n, &mut rng)));
    check_scalars(&odd_bases::<G1Affine>(n, &mut rng), &cases);
    let one = G1Affine::bases(&random_scalars(1, &mut rng))[0];
    check_scalars(&vec![one; n], &[("one base", vec![Fr::from(3); n])]);
    check_scalars(&vec![G1Affine::neutral(); n], &[("infinities", random_scalars(n, &mut rng))]);
}

#[test]
fn g2_msm_of_all_kinds() {
    let device = Arc::new(interpreter("msm_g"));
    let mut rng = rng(5);
    for n in [1, 2, 5, 64, 512] {
        let points = G2Affine::bases(&random_scalars(n, &mut rng));
        let scalars = random_scalars(n, &mut rng);
        let budget = budget::<G2Affine>(&device, n, 1);
        let resident = Resident::<G2Affine>::upload(device.clone(), share_points(&points), budget).unwrap();
        same::<G2Affine>("random", &resident, &scalars, G2Affine::host(&points, &scalars));
    }
    check_scalars(&odd_bases::<G2Affine>(100, &mut rng), &scalar_cases(100, &mut rng));
}

#[test]
fn multiples_of_resident_bases_change_nothing() {
    let mut rng = rng(6);
    fn check<P: Tested>(n: usize, rng: &mut ChaCha8Rng) {
        let device = Arc::new(interpreter(P::UNIT));
        let mut points = P::bases(&random_scalars(n, rng));
        points[n / 3] = P::neutral();
        let budget = budget::<P>(&device, n, 2);
        let resident = Resident::<P>::upload(device.clone(), share_points(&points), budget).unwrap();
        assert!(resident.plan().table.factor >= 2);
        for scalars in [random_scalars(n, rng), vec![-Fr::from(77); n]] {
            same::<P>("multiples", &resident, &scalars, P::host(&points, &scalars));
        }
    }
    check::<G1Affine>(150, &mut rng);
    check::<G2Affine>(12, &mut rng);
}

#[test]
fn memory_too_small_for_the_bases_streams_them() {
    let mut rng = rng(7);
    fn check<P: Tested>(n: usize, rng: &mut ChaCha8Rng) {
        let unit = interpreter(P::UNIT);
        let budget = plan::least_bytes(&size::<P>(&unit, n), None) + 4096;
        let device = Arc::new(unit.with_memory(budget));
        let points = P::bases(&random_scalars(n, rng));
        let scalars = random_scalars(n, rng);
        let resident = Resident::<P>::upload(device.clone(), share_points(&points), budget).unwrap();
        assert!(resident.plan().table.factor == 0 && resident.plan().chunks > 2, "{:?}", resident.plan());
        same::<P>("streamed", &resident, &scalars, P::host(&points, &scalars));
    }
    check::<G1Affine>(1000, &mut rng);
    check::<G2Affine>(600, &mut rng);
}

#[test]
fn a_full_device_gets_the_next_smaller_plan() {
    let mut rng = rng(8);
    let n = 1200;
    let points = G1Affine::bases(&random_scalars(n, &mut rng));
    let scalars = random_scalars(n, &mut rng);
    let device = Arc::new(interpreter("msm_g1"));
    let whole =
        plan::plan(&size::<G1Affine>(&device, n), u64::MAX, Some(Table { window: 0, factor: 1 })).unwrap();
    // The budget is a terabyte, but the device has less than any multiples take, as only its allocator knows.
    let memory = whole.bytes();
    let device = Arc::new(interpreter("msm_g1").with_memory(memory));
    let resident = Resident::<G1Affine>::upload(device.clone(), share_points(&points), 1 << 40).unwrap();
    assert!(resident.plan().bytes() <= memory);
    // Then something else takes most of what is left, so that the plan's work space no longer fits.
    let least = plan::least_bytes(&size::<G1Affine>(&device, n), Some(resident.plan().table));
    let work = least - resident.plan().table_bytes;
    assert!(work < resident.plan().layout.bytes);
    let other = device.alloc((memory - device.memory_used() - work) as usize).unwrap();
    same::<G1Affine>("less work space", &resident, &scalars, G1Affine::host(&points, &scalars));
    let more = device.alloc((device.memory() - device.memory_used()) as usize).unwrap();
    assert!(matches!(resident.msm(&scalars), Err(KernelError::OutOfDeviceMemory { .. })));
    drop((other, more));
    same::<G1Affine>("memory is back", &resident, &scalars, G1Affine::host(&points, &scalars));
}

#[test]
fn what_cannot_be_computed_is_refused() {
    let device = Arc::new(interpreter("msm_g1"));
    let points = G1Affine::bases(&[Fr::ONE; 3]);
    let refused = Resident::<G1Affine>::upload(device.clone(), share_points(&points), 1000).err();
    assert!(
        matches!(refused, Some(KernelError::OutOfDeviceMemory { needed, available: 1000, .. }) if needed > 1000)
    );
    let budget = budget::<G1Affine>(&device, 3, 1);
    let resident = Resident::<G1Affine>::upload(device.clone(), share_points(&points), budget).unwrap();
    let refused = resident.msm(&[Fr::ONE; 2]).err();
    assert!(matches!(refused, Some(KernelError::LengthMismatch { expected: 3, got: 2, .. })));
    let none = Resident::<G1Affine>::upload(device, share_points::<G1Affine>(&[]), budget).unwrap();
    assert_eq!(none.msm(&[]).unwrap(), G1::identity());
}
