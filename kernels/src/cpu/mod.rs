//! The CPU backend: every kernel multi-threaded on the current rayon pool. A portable path that needs
//! no CPU feature beyond the target's baseline and never copies resident bases, and on x86-64 with
//! AVX-512 IFMA a faster one that keeps bases in its own form. Both give the same results.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod batch_affine;
mod fft;
mod fixed_base;
mod msm;
mod pages;
mod scalars;

use crate::backend::{Backend, G1Bases, G2Bases, SharedPoints};
use crate::domain::coset_shift;
use crate::error::KernelError;
use crate::point::{CurvePoint, RawG1, RawG2};
use ff::Field;
use fft::Twiddles;
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Set to `portable`, this environment variable keeps [`CpuBackend::new`] off the AVX-512 path.
pub const PATH_VARIABLE: &str = "LATHE_CPU";

/// The CPU backend. Cheap to create; twiddle tables are built at first use of a size and kept.
pub struct CpuBackend {
    twiddles: Mutex<HashMap<u32, Arc<Twiddles>>>,
    #[cfg(target_arch = "x86_64")]
    ifma: Option<avx512::Ifma>,
    #[cfg(target_arch = "x86_64")]
    transforms: Mutex<HashMap<u32, Option<Arc<avx512::Transform>>>>,
}

impl Default for CpuBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl CpuBackend {
    /// A backend without cached tables, on the fastest path this machine has unless
    /// [`PATH_VARIABLE`] asks for the portable one.
    pub fn new() -> Self {
        let mut backend = Self::portable();
        #[cfg(target_arch = "x86_64")]
        if std::env::var_os(PATH_VARIABLE).is_none_or(|path| path != "portable") {
            backend.ifma = avx512::Ifma::new();
        }
        backend
    }

    /// A backend on the portable path.
    pub fn portable() -> Self {
        Self {
            twiddles: Mutex::default(),
            #[cfg(target_arch = "x86_64")]
            ifma: None,
            #[cfg(target_arch = "x86_64")]
            transforms: Mutex::default(),
        }
    }

    /// The path in use, `avx512ifma` or `portable`.
    pub fn path(&self) -> &'static str {
        #[cfg(target_arch = "x86_64")]
        if self.ifma.is_some() {
            return "avx512ifma";
        }
        "portable"
    }

    /// The eight-lane transform of this size, where this machine and the size allow it.
    #[cfg(target_arch = "x86_64")]
    fn transform(&self, size: usize) -> Result<Option<Arc<avx512::Transform>>, KernelError> {
        let log_size = crate::domain::log_size(size)?;
        let Some(ifma) = self.ifma else { return Ok(None) };
        // As in `twiddles`, a poisoned lock leaves a sound map.
        let mut cache = self.transforms.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let entry =
            cache.entry(log_size).or_insert_with(|| avx512::Transform::new(ifma, log_size).map(Arc::new));
        Ok(entry.clone())
    }

    fn twiddles(&self, size: usize) -> Result<Arc<Twiddles>, KernelError> {
        let log_size = crate::domain::log_size(size)?;
        // A poisoned lock only means another caller panicked while inserting; the map itself is sound.
        let mut cache = self.twiddles.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Ok(cache.entry(log_size).or_insert_with(|| Arc::new(Twiddles::new(log_size))).clone())
    }
}

/// Handle behind [`G1Bases`] and [`G2Bases`]: the points where their owner keeps them.
struct Resident<P: CurvePoint>(SharedPoints<P::Raw>);

#[cfg(not(target_arch = "x86_64"))]
use CurvePoint as Curve;
/// Curves the paths of this machine's architecture know.
#[cfg(target_arch = "x86_64")]
use avx512::PackedCurve as Curve;

impl CpuBackend {
    fn upload<P: Curve>(&self, points: SharedPoints<P::Raw>) -> Arc<dyn Any + Send + Sync> {
        #[cfg(target_arch = "x86_64")]
        if let Some(ifma) = self.ifma {
            return Arc::new(avx512::Resident::<P>::new(ifma, (*points).as_ref()));
        }
        Arc::new(Resident::<P>(points))
    }

    fn multiply<P: Curve>(&self, base: P, scalars: &[Fr]) -> Vec<P> {
        #[cfg(target_arch = "x86_64")]
        if let Some(ifma) = self.ifma {
            return avx512::multiply(ifma, base, scalars);
        }
        fixed_base::multiply(base, scalars)
    }
}

/// An MSM on the path that the bases were uploaded for.
fn msm<P: Curve>(handle: &(dyn Any + Send + Sync), scalars: &[Fr]) -> Result<P::Curve, KernelError> {
    #[cfg(target_arch = "x86_64")]
    if let Some(resident) = handle.downcast_ref::<avx512::Resident<P>>() {
        return resident.msm(scalars);
    }
    let resident =
        handle.downcast_ref::<Resident<P>>().ok_or(KernelError::ForeignBases { backend: "cpu" })?;
    msm::msm::<P>((*resident.0).as_ref(), scalars)
}

impl Backend for CpuBackend {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn device(&self) -> String {
        format!("cpu ({}, {} threads)", self.path(), rayon::current_num_threads())
    }

    fn upload_g1(&self, points: SharedPoints<RawG1>) -> Result<G1Bases, KernelError> {
        let len = (*points).as_ref().len();
        Ok(G1Bases::new(len, self.upload::<G1Affine>(points)))
    }

    fn upload_g2(&self, points: SharedPoints<RawG2>) -> Result<G2Bases, KernelError> {
        let len = (*points).as_ref().len();
        Ok(G2Bases::new(len, self.upload::<G2Affine>(points)))
    }

    fn msm_g1(&self, bases: &G1Bases, scalars: &[Fr]) -> Result<G1, KernelError> {
        msm::<G1Affine>(bases.any(), scalars)
    }

    fn msm_g2(&self, bases: &G2Bases, scalars: &[Fr]) -> Result<G2, KernelError> {
        msm::<G2Affine>(bases.any(), scalars)
    }

    fn fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        #[cfg(target_arch = "x86_64")]
        if let Some(transform) = self.transform(values.len())? {
            transform.fft(values);
            return Ok(());
        }
        self.twiddles(values.len())?.fft(values);
        Ok(())
    }

    fn ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        #[cfg(target_arch = "x86_64")]
        if let Some(transform) = self.transform(values.len())? {
            transform.ifft(values);
            return Ok(());
        }
        self.twiddles(values.len())?.ifft(values);
        Ok(())
    }

    fn coset_fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        #[cfg(target_arch = "x86_64")]
        if let Some(transform) = self.transform(values.len())? {
            transform.coset_fft(values);
            return Ok(());
        }
        let twiddles = self.twiddles(values.len())?;
        fft::scale_powers(values, coset_shift(), Fr::ONE);
        twiddles.fft(values);
        Ok(())
    }

    fn coset_ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        #[cfg(target_arch = "x86_64")]
        if let Some(transform) = self.transform(values.len())? {
            transform.coset_ifft(values);
            return Ok(());
        }
        self.twiddles(values.len())?.ifft(values);
        // The coset shift is a generator, hence invertible.
        fft::scale_powers(values, coset_shift().invert().unwrap_or(Fr::ZERO), Fr::ONE);
        Ok(())
    }

    fn quotient(&self, a: Vec<Fr>, b: Vec<Fr>, c: Vec<Fr>) -> Result<Vec<Fr>, KernelError> {
        crate::domain::check_quotient(&a, &b, &c)?;
        #[cfg(target_arch = "x86_64")]
        if let Some(transform) = self.transform(a.len())? {
            return Ok(transform.quotient(a, b, c));
        }
        Ok(self.twiddles(a.len())?.quotient(a, b, c))
    }

    fn fixed_base_g1(&self, base: G1Affine, scalars: &[Fr]) -> Result<Vec<G1Affine>, KernelError> {
        Ok(self.multiply(base, scalars))
    }

    fn fixed_base_g2(&self, base: G2Affine, scalars: &[Fr]) -> Result<Vec<G2Affine>, KernelError> {
        Ok(self.multiply(base, scalars))
    }
}
