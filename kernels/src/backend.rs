//! The interface all compute backends share. Bases are uploaded once and stay resident on the
//! device; vectors travel per call. It must stay object safe: the backend is picked at run time.

use crate::error::KernelError;
use crate::point::{CurvePoint, RawG1, RawG2};
use halo2curves::bn256::{Fr, G1, G1Affine, G2, G2Affine};
use std::any::Any;
use std::sync::Arc;

/// Points kept alive by their owner, for instance a memory-mapped key: uploading to the CPU copies nothing.
pub type SharedPoints<R> = Arc<dyn AsRef<[R]> + Send + Sync>;

/// Wraps decoded points for [`Backend::upload_g1`] or [`Backend::upload_g2`].
pub fn share_points<P: CurvePoint>(points: &[P]) -> SharedPoints<P::Raw> {
    Arc::new(points.iter().map(P::to_raw).collect::<Vec<_>>())
}

macro_rules! bases {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            len: usize,
            handle: Arc<dyn Any + Send + Sync>,
        }

        impl $name {
            /// Wraps a backend's own handle to `len` resident points.
            pub fn new(len: usize, handle: Arc<dyn Any + Send + Sync>) -> Self {
                Self { len, handle }
            }
            /// Number of points.
            pub fn len(&self) -> usize {
                self.len
            }
            /// Whether there are no points.
            pub fn is_empty(&self) -> bool {
                self.len == 0
            }
            /// The backend's own handle, whatever its type.
            pub fn any(&self) -> &(dyn Any + Send + Sync) {
                &*self.handle
            }
            /// The backend's own handle, if it is of type `T`.
            pub fn handle<T: Any>(&self) -> Option<&T> {
                self.handle.downcast_ref()
            }
        }
    };
}

bases!(
    /// G1 points resident on the backend that made this handle.
    G1Bases
);
bases!(
    /// G2 points resident on the backend that made this handle.
    G2Bases
);

/// What a caller may fix about a GPU backend.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeviceOptions {
    /// Bytes of device memory the backend may use; what the driver reports as free if absent.
    pub memory: Option<u64>,
    /// Whether a software adapter will do (wgpu on lavapipe). Only ever by force.
    pub software: bool,
}

/// Where MSMs and FFTs run.
///
/// Vectors over a domain of size 2^k hold evaluations at `1, w, w^2, ..` or coefficients from the
/// constant up, in natural order on entry and exit.
///
/// Lengths, sizes and handles are checked in every call; points and scalars are not, since a key's points are used in
/// thousands of calls: whoever takes them in from outside checks them once with [`crate::validate`]. A point off its
/// curve or a scalar whose limbs are not below the field's order gives a wrong result, on each backend another one.
/// After an error of the device a vector passed by reference may hold anything.
pub trait Backend: Send + Sync {
    /// A short name for logs and reports, for instance `cpu`.
    fn name(&self) -> &'static str;

    /// The device for people: name, code path and threads.
    fn device(&self) -> String;

    /// Makes G1 points resident. Identity points are allowed.
    fn upload_g1(&self, points: SharedPoints<RawG1>) -> Result<G1Bases, KernelError>;
    /// Makes G2 points resident. Identity points are allowed.
    fn upload_g2(&self, points: SharedPoints<RawG2>) -> Result<G2Bases, KernelError>;

    /// `sum scalars[i] * bases[i]`; both sides have the same length, possibly zero.
    fn msm_g1(&self, bases: &G1Bases, scalars: &[Fr]) -> Result<G1, KernelError>;
    /// `sum scalars[i] * bases[i]` in G2.
    fn msm_g2(&self, bases: &G2Bases, scalars: &[Fr]) -> Result<G2, KernelError>;

    /// Coefficients to evaluations on the domain.
    fn fft(&self, values: &mut [Fr]) -> Result<(), KernelError>;
    /// Evaluations on the domain to coefficients.
    fn ifft(&self, values: &mut [Fr]) -> Result<(), KernelError>;
    /// Coefficients to evaluations on the coset `g * domain`.
    fn coset_fft(&self, values: &mut [Fr]) -> Result<(), KernelError>;
    /// Evaluations on the coset `g * domain` to coefficients.
    fn coset_ifft(&self, values: &mut [Fr]) -> Result<(), KernelError>;

    /// The coefficients of `(A B - C) / Z` for evaluations of A, B, C on the domain, where Z is the
    /// domain's vanishing polynomial. The caller has checked `a[i] b[i] = c[i]`; otherwise the
    /// division has a remainder and the result means nothing. The last coefficient is zero.
    fn quotient(&self, a: Vec<Fr>, b: Vec<Fr>, c: Vec<Fr>) -> Result<Vec<Fr>, KernelError>;

    /// `scalars[i] * base` for each i, for setup.
    fn fixed_base_g1(&self, base: G1Affine, scalars: &[Fr]) -> Result<Vec<G1Affine>, KernelError>;
    /// `scalars[i] * base` for each i in G2, for setup.
    fn fixed_base_g2(&self, base: G2Affine, scalars: &[Fr]) -> Result<Vec<G2Affine>, KernelError>;
}
