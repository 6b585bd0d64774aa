//! What a host plan needs of a CUDA device: memory, copies, launches, two streams. Nothing here knows of curves.

use crate::error::KernelError;
use std::sync::Arc;

/// The two queues of a plan. Work in one runs in order; [`Device::wait`] orders one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Kernels, and copies they depend on.
    Compute,
    /// Uploads that overlap with compute.
    Copy,
}

/// Device memory, freed when dropped. Addresses are aligned to at least 256 bytes.
pub struct Buffer {
    address: u64,
    bytes: usize,
    free: Option<Box<dyn FnOnce(u64) + Send + Sync>>,
}

impl Buffer {
    /// Takes ownership of `bytes` bytes at `address`; `free` is called with the address on drop.
    pub fn new(address: u64, bytes: usize, free: impl FnOnce(u64) + Send + Sync + 'static) -> Self {
        Self { address, bytes, free: Some(Box::new(free)) }
    }
    /// The device address.
    pub fn address(&self) -> u64 {
        self.address
    }
    /// Its size in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(free) = self.free.take() {
            free(self.address);
        }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({:#x}, {} bytes)", self.address, self.bytes)
    }
}

/// One kernel argument, in the order of the kernel's parameters.
#[derive(Debug, Clone, Copy)]
pub enum Arg<'a> {
    /// A pointer to the start of a buffer.
    Buffer(&'a Buffer),
    /// A pointer this many bytes into a buffer.
    At(&'a Buffer, usize),
    /// An `unsigned int`.
    U32(u32),
    /// An `unsigned long long`.
    U64(u64),
}

/// A device on which plans run. Every call but [`Device::download`] and [`Device::sync`] may return before the work is
/// done; a failure of earlier work may be reported by any later call.
pub trait Device: Send + Sync + 'static {
    /// The device for people, for instance `NVIDIA H100 80GB HBM3 (sm_90)`.
    fn name(&self) -> String;
    /// Bytes a plan may use in all: the budget given, or what was free at the start.
    fn memory(&self) -> u64;
    /// Streaming multiprocessors, from which plans derive grid sizes; never zero.
    fn multiprocessors(&self) -> u32;
    /// Uninitialised memory.
    ///
    /// # Errors
    /// [`KernelError::OutOfDeviceMemory`], upon which the caller tries its next smaller plan.
    fn alloc(&self, bytes: usize) -> Result<Buffer, KernelError>;
    /// Copies to `offset` bytes into `to`. `from` may be reused on return.
    fn upload(&self, stream: Stream, to: &Buffer, offset: usize, from: &[u8]) -> Result<(), KernelError>;
    /// Copies from `offset` bytes into `from`, after all earlier work of `stream`.
    fn download(
        &self,
        stream: Stream,
        from: &Buffer,
        offset: usize,
        to: &mut [u8],
    ) -> Result<(), KernelError>;
    /// Sets a range of bytes to zero.
    fn zero(&self, stream: Stream, buffer: &Buffer, offset: usize, bytes: usize) -> Result<(), KernelError>;
    /// Starts `kernel` with one-dimensional `grid` and `block` and `shared` bytes of dynamic shared memory.
    /// The kernel's name is its unmangled (`extern "C"`) name.
    fn launch(
        &self,
        stream: Stream,
        kernel: &str,
        grid: u32,
        block: u32,
        shared: u32,
        args: &[Arg<'_>],
    ) -> Result<(), KernelError>;
    /// Lets `later` go on only once all that was given to `earlier` so far is done.
    fn wait(&self, later: Stream, earlier: Stream) -> Result<(), KernelError>;
    /// Blocks until all work of `stream` is done.
    fn sync(&self, stream: Stream) -> Result<(), KernelError>;
}

/// A device shared by resident bases and plans.
pub type SharedDevice = Arc<dyn Device>;
