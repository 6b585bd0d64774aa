//! A GPU backed by the CPU: once the device has failed, everything runs on the CPU until the program restarts.
//! It never hides the failure: an operation whose input is gone returns the device's error, and the device's name says
//! what happened.

use crate::backend::{Backend, G1Bases, G2Bases, SharedPoints};
use crate::cpu::CpuBackend;
use crate::error::KernelError;
use crate::point::{RawG1, RawG2};
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};
use std::sync::{Arc, OnceLock};

/// See the module. Operations that borrow their input are done again on the CPU at once; [`Backend::fft`] and its kin
/// and [`Backend::quotient`], which overwrite or consume theirs, return the error, and the caller's next attempt runs
/// on the CPU. Errors that are the caller's, for instance of lengths, are passed on and change nothing.
pub struct Failover {
    device: Arc<dyn Backend>,
    cpu: CpuBackend,
    failed: OnceLock<KernelError>,
}

/// Bases on both sides: the CPU's are made when they are first needed, from the points as given.
struct Both<R, B> {
    points: SharedPoints<R>,
    device: Option<B>,
    cpu: OnceLock<B>,
}

/// Whether an error is the device's own, not its caller's.
fn is_device_failure(error: &KernelError) -> bool {
    matches!(error, KernelError::Device { .. } | KernelError::OutOfDeviceMemory { .. })
}

impl Failover {
    /// Backs `device` by the CPU's fastest path.
    pub fn new(device: Arc<dyn Backend>) -> Self {
        Self { device, cpu: CpuBackend::new(), failed: OnceLock::new() }
    }

    /// What the device failed with, if it did.
    pub fn failure(&self) -> Option<&KernelError> {
        self.failed.get()
    }

    /// Runs `work` on the device while it is whole, else on the CPU; notes a failure of the device and returns it.
    fn once<T>(&self, work: impl FnOnce(&dyn Backend) -> Result<T, KernelError>) -> Result<T, KernelError> {
        if self.failed.get().is_some() {
            return work(&self.cpu);
        }
        work(&*self.device).inspect_err(|error| self.note(error))
    }

    /// As [`Failover::once`], for work that can be done again.
    fn again<T>(&self, work: impl Fn(&dyn Backend) -> Result<T, KernelError>) -> Result<T, KernelError> {
        match self.once(&work) {
            Err(error) if is_device_failure(&error) => work(&self.cpu),
            other => other,
        }
    }

    fn note(&self, error: &KernelError) {
        if is_device_failure(error) {
            // The first failure is the one that explains the others.
            let _ = self.failed.set(error.clone());
        }
    }
}

macro_rules! bases_on_both_sides {
    ($upload:ident, $msm:ident, $raw:ty, $bases:ty, $curve:ty) => {
        fn $upload(&self, points: SharedPoints<$raw>) -> Result<$bases, KernelError> {
            let len = (*points).as_ref().len();
            let device = match self.failed.get() {
                Some(_) => None,
                None => match self.device.$upload(points.clone()) {
                    Err(error) if is_device_failure(&error) => {
                        self.note(&error);
                        None
                    }
                    other => Some(other?),
                },
            };
            let both: Both<$raw, $bases> = Both { points, device, cpu: OnceLock::new() };
            Ok(<$bases>::new(len, Arc::new(both)))
        }

        fn $msm(&self, bases: &$bases, scalars: &[Fr]) -> Result<$curve, KernelError> {
            let both = bases
                .handle::<Both<$raw, $bases>>()
                .ok_or(KernelError::ForeignBases { backend: self.device.name() })?;
            if let (Some(resident), None) = (&both.device, self.failed.get()) {
                match self.device.$msm(resident, scalars) {
                    Err(error) if is_device_failure(&error) => self.note(&error),
                    other => return other,
                }
            }
            if both.cpu.get().is_none() {
                // Two threads may both get here: they make the same bases, and one set is dropped.
                let _ = both.cpu.set(self.cpu.$upload(both.points.clone())?);
            }
            match both.cpu.get() {
                Some(resident) => self.cpu.$msm(resident, scalars),
                None => Err(KernelError::ForeignBases { backend: "cpu" }),
            }
        }
    };
}

impl Backend for Failover {
    fn name(&self) -> &'static str {
        if self.failed.get().is_some() { self.cpu.name() } else { self.device.name() }
    }

    fn device(&self) -> String {
        match self.failed.get() {
            None => self.device.device(),
            Some(error) => {
                format!(
                    "{}, until a restart, since {} failed ({error})",
                    self.cpu.device(),
                    self.device.device()
                )
            }
        }
    }

    bases_on_both_sides!(upload_g1, msm_g1, RawG1, G1Bases, G1);
    bases_on_both_sides!(upload_g2, msm_g2, RawG2, G2Bases, G2);

    fn fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.once(|backend| backend.fft(values))
    }

    fn ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.once(|backend| backend.ifft(values))
    }

    fn coset_fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.once(|backend| backend.coset_fft(values))
    }

    fn coset_ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.once(|backend| backend.coset_ifft(values))
    }

    fn quotient(&self, a: Vec<Fr>, b: Vec<Fr>, c: Vec<Fr>) -> Result<Vec<Fr>, KernelError> {
        self.once(|backend| backend.quotient(a, b, c))
    }

    fn fixed_base_g1(&self, base: G1Affine, scalars: &[Fr]) -> Result<Vec<G1Affine>, KernelError> {
        self.again(|backend| backend.fixed_base_g1(base, scalars))
    }

    fn fixed_base_g2(&self, base: G2Affine, scalars: &[Fr]) -> Result<Vec<G2Affine>, KernelError> {
        self.again(|backend| backend.fixed_base_g2(base, scalars))
    }
}
