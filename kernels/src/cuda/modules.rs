//! The CUDA code of this build: one module per file of kernels/cuda, made by build.rs.
//! The PTX here is what the tests interpret, what the machine code was assembled from, and what older drivers compile.

/// One compiled unit.
#[derive(Debug, Clone, Copy)]
pub struct Module {
    /// The name of its source, without `.cu`.
    pub name: &'static str,
    /// Portable assembly (PTX ISA 8.0) for compute capability 8.0 and later, which every driver of CUDA 12 takes.
    pub ptx: &'static str,
    /// Machine code for each target of the build.
    pub fatbin: &'static [u8],
    /// What the assembler said of each function and target: registers, stack, spills.
    pub report: &'static str,
}

/// Every unit, ordered by name.
pub const MODULES: &[Module] = include!(concat!(env!("OUT_DIR"), "/modules.rs"));
