//! The CUDA backend. The host's plans are written over the trait [`Device`], so that the very plans and the very PTX
//! that ship run on a GPU through the driver, and in the tests through a PTX interpreter.

pub mod device;
pub mod modules;
pub mod msm;

pub use device::{Arg, Buffer, Device, Stream};
