//! BN254 kernels: MSM, FFT and fixed-base multiplication behind one [`Backend`] trait.
//!
//! Every backend returns the same field and curve elements for the same input; a caller may switch
//! backends between any two calls. This crate knows nothing of circuits or proofs.

pub mod backend;
pub mod bytes;
pub mod cpu;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod detect;
pub mod domain;
pub mod error;
pub mod failover;
pub mod point;
pub mod validate;
#[cfg(feature = "wgpu")]
pub mod wgpu;

pub use backend::{Backend, DeviceOptions, G1Bases, G2Bases, SharedPoints};
pub use cpu::CpuBackend;
pub use detect::{BackendChoice, Detected, detect};
pub use error::KernelError;
pub use point::{CurvePoint, RawG1, RawG2};
