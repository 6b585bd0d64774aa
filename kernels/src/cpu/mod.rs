//! The portable CPU backend: every kernel multi-threaded on the current rayon pool.
//! It never copies resident bases and needs no CPU feature beyond the target's baseline.

mod batch_affine;
mod fft;
mod fixed_base;
mod msm;
mod scalars;

use crate::backend::{Backend, G1Bases, G2Bases, SharedPoints};
use crate::error::KernelError;
use crate::point::{CurvePoint, RawG1, RawG2};
use fft::Twiddles;
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The CPU backend. Cheap to create; twiddle tables are built at first use of a size and kept.
#[derive(Default)]
pub struct CpuBackend {
    twiddles: Mutex<HashMap<u32, Arc<Twiddles>>>,
}

impl CpuBackend {
    /// A backend without cached tables.
    pub fn new() -> Self {
        Self::default()
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

fn msm<P: CurvePoint>(resident: Option<&Resident<P>>, scalars: &[Fr]) -> Result<P::Curve, KernelError> {
    let resident = resident.ok_or(KernelError::ForeignBases { backend: "cpu" })?;
    let points: &[P::Raw] = (*resident.0).as_ref();
    msm::msm::<P>(points, scalars)
}

impl Backend for CpuBackend {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn upload_g1(&self, points: SharedPoints<RawG1>) -> Result<G1Bases, KernelError> {
        let len = (*points).as_ref().len();
        Ok(G1Bases::new(len, Arc::new(Resident::<G1Affine>(points))))
    }

    fn upload_g2(&self, points: SharedPoints<RawG2>) -> Result<G2Bases, KernelError> {
        let len = (*points).as_ref().len();
        Ok(G2Bases::new(len, Arc::new(Resident::<G2Affine>(points))))
    }

    fn msm_g1(&self, bases: &G1Bases, scalars: &[Fr]) -> Result<G1, KernelError> {
        msm::<G1Affine>(bases.handle(), scalars)
    }

    fn msm_g2(&self, bases: &G2Bases, scalars: &[Fr]) -> Result<G2, KernelError> {
        msm::<G2Affine>(bases.handle(), scalars)
    }

    fn fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.twiddles(values.len())?.fft(values);
        Ok(())
    }

    fn ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.twiddles(values.len())?.ifft(values);
        Ok(())
    }

    fn coset_fft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.twiddles(values.len())?.coset_fft(values);
        Ok(())
    }

    fn coset_ifft(&self, values: &mut [Fr]) -> Result<(), KernelError> {
        self.twiddles(values.len())?.coset_ifft(values);
        Ok(())
    }

    fn quotient(&self, a: Vec<Fr>, b: Vec<Fr>, c: Vec<Fr>) -> Result<Vec<Fr>, KernelError> {
        for (what, v) in [("quotient: b against a", &b), ("quotient: c against a", &c)] {
            if v.len() != a.len() {
                return Err(KernelError::LengthMismatch { what, expected: a.len(), got: v.len() });
            }
        }
        Ok(self.twiddles(a.len())?.quotient(a, b, c))
    }

    fn fixed_base_g1(&self, base: G1Affine, scalars: &[Fr]) -> Result<Vec<G1Affine>, KernelError> {
        Ok(fixed_base::multiply(base, scalars))
    }

    fn fixed_base_g2(&self, base: G2Affine, scalars: &[Fr]) -> Result<Vec<G2Affine>, KernelError> {
        Ok(fixed_base::multiply(base, scalars))
    }
}
