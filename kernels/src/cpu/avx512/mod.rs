//! The AVX-512 IFMA path: the same results as the portable one, eight field multiplications at once.
//! [`Ifma::new`] is the one place where it is decided whether this code may run; without that token
//! nothing in here can be called.

mod batch;
mod curve;
mod fft;
mod fft_butterfly;
mod fft_passes;
mod fft_tables;
mod fft_tiles;
mod field;
mod fixed_base;
mod layout;
mod msm;
mod scalars;
mod simd;
#[cfg(test)]
mod tests;

pub(crate) use curve::PackedCurve;
pub(crate) use fft::Transform;
pub(crate) use fixed_base::multiply;
pub(crate) use msm::Resident;

/// Proof that this machine has the instructions used here.
#[derive(Clone, Copy)]
pub(crate) struct Ifma(());

impl Ifma {
    /// The token, where the processor and the operating system support AVX-512 F and IFMA.
    pub(crate) fn new() -> Option<Self> {
        let present = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
        present.then_some(Self(()))
    }
}
