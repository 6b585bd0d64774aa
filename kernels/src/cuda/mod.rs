//! The CUDA backend. The host's plans are written over the trait [`Device`], so that the very plans and the very PTX
//! that ship run on a GPU through the driver, and in the tests through a PTX interpreter.

mod backend;
pub mod device;
pub mod driver;
pub mod fft;
pub mod modules;
pub mod msm;

pub use backend::CudaBackend;
pub use device::{Arg, Buffer, Device, SharedDevice, Stream};
pub use driver::Driver;
