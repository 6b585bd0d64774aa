//! [`Backend`] on a CUDA device: shares its memory out among resident bases and work in progress, and lets one
//! operation run at a time, so that two plans never compete for what each was made to fill.

use super::device::SharedDevice;
use super::driver::Driver;
use super::fft::{Fft, Transform};
use super::msm::plan::{Size, plan};
use super::msm::{DevicePoint, Resident};
use crate::backend::{Backend, DeviceOptions, G1Bases, G2Bases, SharedPoints};
use crate::cpu::CpuBackend;
use crate::error::KernelError;
use crate::point::{RawG1, RawG2};
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};
use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The backend's name.
const NAME: &str = "cuda";

/// MSM, FFT and quotient on one CUDA device. Fixed-base multiplication, which only setup needs, runs on the CPU.
pub struct CudaBackend {
    device: SharedDevice,
    fft: Fft,
    cpu: CpuBackend,
    /// Bytes of resident bases, shared with their handles.
    resident: Arc<AtomicU64>,
    /// Bytes of the largest work space that an MSM of any bases so far was planned with.
    work: AtomicU64,
    turn: Mutex<()>,
}

/// Handle behind [`G1Bases`] and [`G2Bases`]: gives its bytes back when the last copy of the handle goes.
struct Handle<P: DevicePoint> {
    bases: Resident<P>,
    resident: Arc<AtomicU64>,
}

impl<P: DevicePoint> Drop for Handle<P> {
    fn drop(&mut self) {
        self.resident.fetch_sub(self.bases.table_bytes(), Ordering::Relaxed);
    }
}

impl CudaBackend {
    /// A backend on the GPU with the most free memory.
    ///
    /// # Errors
    /// As [`Driver::open`]: [`KernelError::Unavailable`] says why there is none.
    pub fn new(options: &DeviceOptions) -> Result<Self, KernelError> {
        Ok(Self::on(Driver::open(options)?))
    }

    /// A backend on an open device.
    pub fn on(device: SharedDevice) -> Self {
        Self {
            fft: Fft::new(device.clone()),
            device,
            cpu: CpuBackend::new(),
            resident: Arc::default(),
            work: AtomicU64::new(0),
            turn: Mutex::default(),
        }
    }

    /// Waits until no other operation runs. What is behind the lock is nothing, so a poisoned one is as good.
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// What an upload of `points` points may take in all, so that everything finds room: multiples may take half of
    /// what is left, for the next bases' sake, the points themselves nearly all; but never the work space of bases
    /// that are there already, nor the eighth that is kept for vectors. What does not fit so is streamed from the host.
    fn share<P: DevicePoint>(&self, points: usize) -> u64 {
        let memory = self.device.memory();
        let left = memory.saturating_sub(self.resident.load(Ordering::Relaxed));
        let kept = self.work.load(Ordering::Relaxed).max(memory / 8);
        let size = Size {
            points,
            point_bytes: size_of::<P::Raw>() as u64,
            multiprocessors: self.device.multiprocessors(),
            resident_threads: P::RESIDENT_THREADS,
        };
        let within = |mut limit| {
            while let Some(plan) = plan(&size, limit, None) {
                if plan.table_bytes == 0 {
                    break;
                }
                if plan.table_bytes + kept <= left {
                    return Some(limit);
                }
                limit = plan.bytes() - 1;
            }
            None
        };
        within(left / 2).or_else(|| within(left)).unwrap_or_else(|| {
            // Streaming wants more work space than a small table does, so less than any table takes may not do: then
            // all that is left is offered, and an MSM that finds no room says so.
            let mut limit = left;
            while let Some(plan) = plan(&size, limit, None).filter(|plan| plan.table_bytes > 0) {
                limit = plan.bytes() - 1;
            }
            if plan(&size, limit, None).is_some() { limit } else { left }
        })
    }

    /// Runs an operation on points, and again without the tables of the FFT if those stood in its way.
    fn with_tables_dropped<T>(&self, run: impl Fn() -> Result<T, KernelError>) -> Result<T, KernelError> {
        match run() {
            Err(KernelError::OutOfDeviceMemory { .. }) if self.fft.drop_tables() => run(),
            result => result,
        }
    }

    /// Makes points resident within their share.
    fn upload<P: DevicePoint>(
        &self,
        points: SharedPoints<P::Raw>,
    ) -> Result<Arc<dyn Any + Send + Sync>, KernelError> {
        let _turn = self.turn();
        let share = self.share::<P>((*points).as_ref().len());
        let bases =
            self.with_tables_dropped(|| Resident::<P>::upload(self.device.clone(), points.clone(), share))?;
        self.resident.fetch_add(bases.table_bytes(), Ordering::Relaxed);
        self.work.fetch_max(bases.plan().layout.bytes, Ordering::Relaxed);
        Ok(Arc::new(Handle { bases, resident: self.resident.clone() }))
    }

    fn msm<P: DevicePoint>(
        &self,
        handle: Option<&Handle<P>>,
        scalars: &[Fr],
    ) -> Result<P::Curve, KernelError> {
        let handle = handle.ok_or(KernelError::ForeignBases { backend: NAME })?;
        let _turn = self.turn();
        self.with_tables_dropped(|| handle.bases.msm(scalars))
    }

    fn transform(&self, values: &mut [Fr], inverse: bool, coset: bool) -> Result<(), KernelError> {
        let _turn = self.turn();
        self.fft.transform(values, Transform { inverse, coset })
    }
}

impl Backend for CudaBackend {
    fn name(&self) -> &'static str {
        NAME
    }

    fn device(&self) -> String {
        format!("cuda ({}, {} MiB)", self.device.name(), self.device.memory() >> 20)
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
        self.msm::<G1Affine>(bases.handle(), scalars)
    }

    fn msm_g2(&self, bases: &G2Bases, scalars: &[Fr]) -> Result<G2, KernelError> {
        self.msm::<G2Affine>(bases.handle(), scalars)
    }

    fn fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.transform(values, false, false)
    }

    fn ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.transform(values, true, false)
    }

    fn coset_fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.transform(values, false, true)
    }

    fn coset_ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.transform(values, true, true)
    }

    fn quotient(&self, a: Vec<Fr>, b: Vec<Fr>, c: Vec<Fr>) -> Result<Vec<Fr>, KernelError> {
        crate::domain::check_quotient(&a, &b, &c)?;
        let _turn = self.turn();
        self.fft.quotient(a, b, c)
    }

    fn fixed_base_g1(&self, base: G1Affine, scalars: &[Fr]) -> Result<Vec<G1Affine>, KernelError> {
        self.cpu.fixed_base_g1(base, scalars)
    }

    fn fixed_base_g2(&self, base: G2Affine, scalars: &[Fr]) -> Result<Vec<G2Affine>, KernelError> {
        self.cpu.fixed_base_g2(base, scalars)
    }
}
