//! The wgpu backend: WGSL versions of the kernels on Vulkan, Metal or DX12, in 64-bit integers where the adapter has
//! them and in 16-bit halves where it does not. It must never take a software adapter unasked, nor panic on a device.

mod adapter;
mod context;
mod fft;
mod msm;
mod plan;
mod shader;
mod tables;
mod vectors;

use crate::backend::{Backend, DeviceOptions, G1Bases, G2Bases, SharedPoints};
use crate::cpu::CpuBackend;
use crate::error::KernelError;
use crate::point::{RawG1, RawG2};
use context::Context;
use fft::Kind;
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};
use msm::{DevicePoint, Resident};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tables::Roots;

const BACKEND: &str = "wgpu";

/// How shaders multiply limbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// 32-bit limbs with 64-bit products; needs the adapter's `SHADER_INT64`.
    Wide,
    /// 32-bit limbs with products of their 16-bit halves; runs anywhere.
    Narrow,
}

/// The wgpu backend: one device, its pipelines (compiled at first use) and its resident tables.
pub struct WgpuBackend {
    context: Arc<Context>,
    /// Roots of unity by size; also the turn of the caller whose work is on the device, so that budgets add up.
    roots: Mutex<HashMap<u32, Arc<Roots>>>,
    /// Runs what only setup needs.
    cpu: CpuBackend,
}

impl WgpuBackend {
    /// Opens the best adapter: a real GPU, discrete before integrated; a software adapter only if `options` allow it.
    ///
    /// # Errors
    /// [`KernelError::Unavailable`] with what was found and why it was passed over.
    pub fn new(options: &DeviceOptions) -> Result<Self, KernelError> {
        Self::open(options, None)
    }

    /// As [`WgpuBackend::new`], on the given path whatever the adapter prefers.
    ///
    /// # Errors
    /// As [`WgpuBackend::new`]; also if the path is [`Path::Wide`] and no adapter has 64-bit integers.
    pub fn with_path(options: &DeviceOptions, path: Path) -> Result<Self, KernelError> {
        Self::open(options, Some(path))
    }

    fn open(options: &DeviceOptions, path: Option<Path>) -> Result<Self, KernelError> {
        let context = Arc::new(Context::new(options, path)?);
        Ok(Self { context, roots: Mutex::default(), cpu: CpuBackend::new() })
    }

    /// The path in use.
    pub fn path(&self) -> Path {
        self.context.path()
    }

    /// The passes compiled so far and the time each took, for reports.
    pub fn pipelines(&self) -> Vec<(&'static str, Duration)> {
        self.context.pipelines().compiled()
    }

    /// Waits until the device is this caller's.
    fn turn(&self) -> MutexGuard<'_, HashMap<u32, Arc<Roots>>> {
        // A poisoned lock only means another caller panicked meanwhile; the map itself is sound.
        self.roots.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn transform(&self, values: &mut [Fr], kind: Kind) -> Result<(), KernelError> {
        let log_n = crate::domain::log_size(values.len())?;
        if log_n == 0 {
            // A constant polynomial is its only value, on the coset as well.
            return Ok(());
        }
        let mut tables = self.turn();
        let roots = self.tables(&mut tables, log_n)?;
        fft::run(&self.context, &roots, values, kind)
    }

    fn tables(&self, tables: &mut HashMap<u32, Arc<Roots>>, log_n: u32) -> Result<Arc<Roots>, KernelError> {
        if let Some(roots) = tables.get(&log_n) {
            return Ok(roots.clone());
        }
        let roots = Arc::new(Roots::new(&self.context, log_n)?);
        tables.insert(log_n, roots.clone());
        Ok(roots)
    }

    fn upload<P: DevicePoint>(&self, points: SharedPoints<P::Raw>) -> Result<Arc<Resident<P>>, KernelError> {
        let _turn = self.turn();
        Ok(Arc::new(Resident::<P>::new(self.context.clone(), points)?))
    }

    fn msm<P: DevicePoint>(
        &self,
        handle: &(dyn Any + Send + Sync),
        scalars: &[Fr],
    ) -> Result<P::Curve, KernelError> {
        let resident = handle
            .downcast_ref::<Resident<P>>()
            .filter(|resident| resident.is_on(&self.context))
            .ok_or(KernelError::ForeignBases { backend: BACKEND })?;
        let _turn = self.turn();
        resident.msm(scalars)
    }
}

impl Backend for WgpuBackend {
    fn name(&self) -> &'static str {
        BACKEND
    }

    fn device(&self) -> String {
        let info = self.context.info();
        let path = match self.path() {
            Path::Wide => "64-bit products",
            Path::Narrow => "16-bit products",
        };
        format!("{} ({:?}, {path})", info.name, info.backend)
    }

    fn upload_g1(&self, points: SharedPoints<RawG1>) -> Result<G1Bases, KernelError> {
        let len = (*points).as_ref().len();
        Ok(G1Bases::new(len, self.upload::<G1Affine>(points)?))
    }

    fn upload_g2(&self, points: SharedPoints<RawG2>) -> Result<G2Bases, KernelError> {
        let len = (*points).as_ref().len();
        Ok(G2Bases::new(len, self.upload::<G2Affine>(points)?))
    }

    fn msm_g1(&self, bases: &G1Bases, scalars: &[Fr]) -> Result<G1, KernelError> {
        self.msm::<G1Affine>(bases.any(), scalars)
    }

    fn msm_g2(&self, bases: &G2Bases, scalars: &[Fr]) -> Result<G2, KernelError> {
        self.msm::<G2Affine>(bases.any(), scalars)
    }

    fn fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.transform(values, Kind::Forward)
    }

    fn ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.transform(values, Kind::Inverse)
    }

    fn coset_fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.transform(values, Kind::CosetForward)
    }

    fn coset_ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.transform(values, Kind::CosetInverse)
    }

    fn quotient(&self, a: Vec<Fr>, b: Vec<Fr>, c: Vec<Fr>) -> Result<Vec<Fr>, KernelError> {
        let log_n = crate::domain::check_quotient(&a, &b, &c)?;
        let mut tables = self.turn();
        let roots = self.tables(&mut tables, log_n)?;
        fft::quotient(&self.context, &roots, [a, b, c])
    }

    /// On the CPU: setup runs once per circuit, and has no time to win on a device.
    fn fixed_base_g1(&self, base: G1Affine, scalars: &[Fr]) -> Result<Vec<G1Affine>, KernelError> {
        self.cpu.fixed_base_g1(base, scalars)
    }

    /// On the CPU, as in G1.
    fn fixed_base_g2(&self, base: G2Affine, scalars: &[Fr]) -> Result<Vec<G2Affine>, KernelError> {
        self.cpu.fixed_base_g2(base, scalars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::share_points;
    use ff::Field;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    fn backend(change: impl FnOnce(Context) -> Context) -> WgpuBackend {
        let options = DeviceOptions { memory: None, software: true };
        let context = Context::new(&options, None).unwrap_or_else(|error| {
            panic!(
                "{error}\nThis test needs a Vulkan adapter. Install Mesa's software one: \
                 apt-get install -y --no-install-recommends mesa-vulkan-drivers libvulkan1"
            )
        });
        WgpuBackend { context: Arc::new(change(context)), roots: Mutex::default(), cpu: CpuBackend::new() }
    }

    fn random(n: usize, seed: u64) -> Vec<Fr> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| Fr::random(&mut rng)).collect()
    }

    /// Asserts that an MSM in G2 of 3000 points, a coset transform and a quotient of 2^13 equal the CPU's.
    fn assert_equals_the_cpu(backend: &WgpuBackend) {
        let cpu = CpuBackend::new();
        let bases = cpu.fixed_base_g2(G2Affine::generator(), &random(3000, 31)).unwrap();
        let scalars = random(3000, 32);
        let resident = backend.upload_g2(share_points(&bases)).unwrap();
        let want = cpu.msm_g2(&cpu.upload_g2(share_points(&bases)).unwrap(), &scalars).unwrap();
        assert_eq!(backend.msm_g2(&resident, &scalars).unwrap(), want);
        drop(resident);
        let (a, b) = (random(1 << 13, 33), random(1 << 13, 34));
        let (mut got, mut want) = (a.clone(), a.clone());
        backend.coset_fft(&mut got).unwrap();
        cpu.coset_fft(&mut want).unwrap();
        assert!(got == want);
        let c: Vec<Fr> = a.iter().zip(&b).map(|(a, b)| *a * b).collect();
        let want = cpu.quotient(a.clone(), b.clone(), c.clone()).unwrap();
        assert!(backend.quotient(a, b, c).unwrap() == want);
    }

    #[test]
    fn an_adapters_limits_split_buffers_and_dispatches_but_change_no_result() {
        // Bases in parts of 1024 and half a vector per buffer; fewer workgroups in a row than sums and transforms have.
        assert_equals_the_cpu(&backend(|context| context.limited(128 << 10, 10)));
    }

    #[test]
    fn a_driver_that_has_less_memory_than_promised_gets_smaller_plans() {
        for real in [4 << 20, 1 << 20, 320 << 10] {
            assert_equals_the_cpu(&backend(|context| context.with_real_memory(real)));
        }
        let backend = backend(|context| context.with_real_memory(8 << 10));
        let bases = backend.upload_g1(share_points(&[G1Affine::generator(); 4])).unwrap();
        for error in [
            backend.msm_g1(&bases, &[Fr::ONE; 4]).unwrap_err(),
            backend.fft(&mut vec![Fr::ONE; 1 << 12]).unwrap_err(),
        ] {
            assert!(matches!(error, KernelError::OutOfDeviceMemory { backend: BACKEND, .. }), "{error:?}");
        }
    }

    #[test]
    fn callers_on_several_threads_take_turns() {
        let backend = backend(|context| context);
        let cpu = CpuBackend::new();
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let (backend, cpu) = (&backend, &cpu);
                scope.spawn(move || {
                    let values = random(1 << (8 + seed), seed);
                    let (mut got, mut want) = (values.clone(), values);
                    for _ in 0..3 {
                        backend.fft(&mut got).unwrap();
                        cpu.fft(&mut want).unwrap();
                        assert!(got == want);
                    }
                });
            }
        });
        assert_eq!(backend.pipelines().len(), 1, "the one pass that ran was compiled once");
    }

    #[test]
    fn a_dispatch_beyond_the_adapters_limits_is_refused() {
        let backend = backend(|context| context.limited(1 << 20, 1));
        let error = backend.fft(&mut vec![Fr::ONE; 1 << 12]).unwrap_err();
        assert!(matches!(error, KernelError::Device { backend: BACKEND, .. }), "{error:?}");
    }
}
