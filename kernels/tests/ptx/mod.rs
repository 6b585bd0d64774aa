//! A PTX interpreter for tests: it executes the very PTX that ships, as a `Device`, on a machine without a GPU, and
//! refuses what a GPU would silently get wrong. What it does not model is listed in `docs/kernels.md`; it is never a
//! measure of speed.
#![allow(dead_code, unused_imports)] // Each test binary uses a part of it.

mod alu;
mod block;
mod code;
mod decode;
mod device;
mod execute;
mod lex;
mod lower;
mod lower_bits;
mod lower_memory;
mod memory;
mod parse;
mod shared;
mod streams;

pub mod small;

pub use device::{Interpreter, LoadError};
pub use parse::PtxError;
