//! An NVIDIA GPU through its driver, which is opened at run time. Where there is no driver, no GPU, or one too old,
//! opening says so in plain words; nothing here panics for it, and nothing here knows of fields or curves.

mod open;
mod pool;
mod staging;

use super::device::{Arg, Buffer, Device, SharedDevice, Stream};
use super::modules::MODULES;
use crate::backend::DeviceOptions;
use crate::error::KernelError;
use cudarc::driver::{DriverError, result, sys};
use pool::{Block, Pool, rounded};
use staging::Staging;
use std::collections::HashMap;
use std::ffi::CString;
use std::sync::{Arc, Mutex, MutexGuard};

/// The backend's name in errors.
const BACKEND: &str = "cuda";
/// Shared memory a block may have without asking for more, on every GPU.
const USUAL_SHARED: u32 = 48 << 10;

fn failure(what: &str, reason: String) -> KernelError {
    KernelError::Device { backend: BACKEND, what: what.into(), reason }
}

/// The driver's words for an error.
fn words(error: DriverError) -> String {
    let text =
        |text: Result<&std::ffi::CStr, _>| text.map(|t| t.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{} ({})", text(error.error_string()), text(error.error_name()))
}

/// Makes a driver call and says what it was for if it fails.
fn call<T>(what: &str, run: impl FnOnce() -> Result<T, DriverError>) -> Result<T, KernelError> {
    run().map_err(|error| failure(what, words(error)))
}

/// Locks; a poisoned lock only means that another caller panicked, and what is behind them is sound at every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Device memory, and for each stream an event that its last user's work has passed: whoever gets the block next
/// lets both streams wait for both events, and so never meets work of the former owner.
#[derive(Debug)]
struct Memory {
    address: sys::CUdeviceptr,
    released: [sys::CUevent; 2],
}

// SAFETY: as for `Gpu`: handles of the driver, used only where its context was made current.
unsafe impl Send for Memory {}
// SAFETY: as above; nothing changes through a shared reference.
unsafe impl Sync for Memory {}

/// A GPU, open. Shared by all buffers on it, so that it closes after the last of them.
struct Gpu {
    context: sys::CUcontext,
    device: sys::CUdevice,
    name: String,
    multiprocessors: u32,
    budget: u64,
    streams: [sys::CUstream; 2],
    modules: Vec<sys::CUmodule>,
    functions: Mutex<HashMap<String, sys::CUfunction>>,
    pool: Mutex<Pool<Memory>>,
    staging: [Mutex<Staging>; 2],
}

// SAFETY: the driver's handles may be used from any thread, each of which makes the context current first (`enter`);
// what the driver does not synchronise itself (`Pool`, `Staging`) is behind locks.
unsafe impl Send for Gpu {}
// SAFETY: as above.
unsafe impl Sync for Gpu {}

/// A [`Device`] on the driver.
pub struct Driver(Arc<Gpu>);

impl Driver {
    /// Opens the GPU with the most free memory and loads this build's kernels.
    ///
    /// # Errors
    /// [`KernelError::Unavailable`] without a driver, without a GPU of compute capability 8.0 or later, with a driver
    /// older than CUDA 12, or where the driver refuses the kernels: each in words that say what to do.
    pub fn open(options: &DeviceOptions) -> Result<SharedDevice, KernelError> {
        open::open(options).map(|gpu| Arc::new(Driver(Arc::new(gpu))) as SharedDevice)
    }
}

impl Gpu {
    /// Makes the context current on this thread.
    fn enter(&self) -> Result<(), KernelError> {
        // SAFETY: the context lives as long as `self`.
        call("entering the context", || unsafe { result::ctx::set_current(self.context) })
    }

    fn stream(&self, stream: Stream) -> sys::CUstream {
        self.streams[stream as usize]
    }

    /// A kernel's handle, looked up once.
    fn function(&self, name: &str) -> Result<sys::CUfunction, KernelError> {
        let mut functions = lock(&self.functions);
        if let Some(function) = functions.get(name) {
            return Ok(*function);
        }
        let what = format!("looking up the kernel {name}");
        let c_name = || CString::new(name).map_err(|e| failure(&what, e.to_string()));
        for &module in &self.modules {
            let c_name = c_name()?;
            // SAFETY: modules stay loaded as long as `self` lives.
            if let Ok(function) = unsafe { result::module::get_function(module, c_name) } {
                functions.insert(name.into(), function);
                return Ok(function);
            }
        }
        Err(failure(&what, "no module of this build has it".into()))
    }

    fn event(&self) -> Result<sys::CUevent, KernelError> {
        call("creating an event", || result::event::create(sys::CUevent_flags::CU_EVENT_DISABLE_TIMING))
    }

    /// Frees blocks for good; the driver waits for work that uses them.
    fn free(&self, blocks: Vec<Block<Memory>>) {
        for block in blocks {
            // SAFETY: an idle block belongs to nobody; its events were made with it.
            unsafe {
                result::free_sync(block.extra.address).ok();
                for event in block.extra.released {
                    result::event::destroy(event).ok();
                }
            }
        }
    }

    /// A block of a rounded size: an idle one, or fresh memory, for which idle ones are given up if need be.
    fn block(&self, bytes: u64) -> Result<Block<Memory>, KernelError> {
        let mut pool = lock(&self.pool);
        if let Some(block) = pool.reuse(bytes) {
            return Ok(block);
        }
        let in_the_way = pool.reserve(bytes).map_err(|available| KernelError::OutOfDeviceMemory {
            backend: BACKEND,
            needed: bytes,
            available,
        })?;
        self.free(in_the_way);
        let result = self.fresh(bytes, &mut pool);
        if result.is_err() {
            pool.cancel(bytes);
        }
        result
    }

    fn fresh(&self, bytes: u64, pool: &mut Pool<Memory>) -> Result<Block<Memory>, KernelError> {
        let released = [self.event()?, self.event()?];
        // SAFETY: the context is current; the memory is freed in `free`.
        let allocate = || unsafe { result::malloc_sync(bytes as usize) };
        let mut allocated = allocate();
        if allocated.is_err() {
            self.free(pool.drain());
            allocated = allocate();
        }
        match allocated {
            Ok(address) => Ok(Block { bytes, extra: Memory { address, released } }),
            Err(error) => {
                for event in released {
                    // SAFETY: made above, used by nothing.
                    unsafe { result::event::destroy(event) }.ok();
                }
                if error.0 == sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY {
                    let available = result::mem_get_info().map_or(0, |(free, _)| free as u64);
                    return Err(KernelError::OutOfDeviceMemory {
                        backend: BACKEND,
                        needed: bytes,
                        available,
                    });
                }
                Err(failure("allocating", words(error)))
            }
        }
    }

    /// Takes a block back from the owner of a buffer, who may have left work that uses it on either stream.
    fn release(&self, block: Block<Memory>) {
        // Errors here mean that the device is lost; then every later call says so.
        if self.enter().is_ok() {
            for (event, stream) in block.extra.released.into_iter().zip(self.streams) {
                // SAFETY: both live as long as `self`.
                unsafe { result::event::record(event, stream) }.ok();
            }
        }
        lock(&self.pool).put(block);
    }

    /// Makes both streams wait until the former owner's work is done with a block.
    fn await_release(&self, memory: &Memory) -> Result<(), KernelError> {
        for stream in self.streams {
            for event in memory.released {
                let flags = sys::CUevent_wait_flags::CU_EVENT_WAIT_DEFAULT;
                // SAFETY: both live as long as `self`. An event never recorded counts as passed.
                call("ordering streams", || unsafe { result::stream::wait_event(stream, event, flags) })?;
            }
        }
        Ok(())
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        if self.enter().is_err() {
            return;
        }
        // No buffer is left, since each holds this. Errors at closing have nobody to go to.
        // SAFETY: every handle was made at opening and is used by nothing after this.
        unsafe {
            for stream in self.streams {
                result::stream::synchronize(stream).ok();
            }
            for staging in &self.staging {
                lock(staging).free();
            }
            let idle = lock(&self.pool).drain();
            self.free(idle);
            for module in self.modules.drain(..) {
                result::module::unload(module).ok();
            }
            for stream in self.streams {
                result::stream::destroy(stream).ok();
            }
            result::primary_ctx::release(self.device).ok();
        }
    }
}

/// The address `offset` bytes into a buffer, if `bytes` more lie behind it.
fn inside(what: &str, buffer: &Buffer, offset: usize, bytes: usize) -> Result<u64, KernelError> {
    match offset.checked_add(bytes) {
        Some(end) if end <= buffer.bytes() => Ok(buffer.address() + offset as u64),
        _ => Err(failure(what, format!("{bytes} bytes at {offset} of a buffer of {}", buffer.bytes()))),
    }
}

impl Device for Driver {
    fn name(&self) -> String {
        self.0.name.clone()
    }

    fn memory(&self) -> u64 {
        self.0.budget
    }

    fn multiprocessors(&self) -> u32 {
        self.0.multiprocessors
    }

    fn alloc(&self, bytes: usize) -> Result<Buffer, KernelError> {
        self.0.enter()?;
        let block = self.0.block(rounded(bytes as u64))?;
        if let Err(error) = self.0.await_release(&block.extra) {
            self.0.release(block);
            return Err(error);
        }
        let gpu = self.0.clone();
        Ok(Buffer::new(block.extra.address, bytes, move |_| gpu.release(block)))
    }

    fn upload(&self, stream: Stream, to: &Buffer, offset: usize, from: &[u8]) -> Result<(), KernelError> {
        let to = inside("uploading", to, offset, from.len())?;
        self.0.enter()?;
        lock(&self.0.staging[stream as usize]).upload(to, from)
    }

    fn download(
        &self,
        stream: Stream,
        from: &Buffer,
        offset: usize,
        to: &mut [u8],
    ) -> Result<(), KernelError> {
        let from = inside("downloading", from, offset, to.len())?;
        self.0.enter()?;
        lock(&self.0.staging[stream as usize]).download(from, to)
    }

    fn zero(&self, stream: Stream, buffer: &Buffer, offset: usize, bytes: usize) -> Result<(), KernelError> {
        let address = inside("setting to zero", buffer, offset, bytes)?;
        self.0.enter()?;
        let stream = self.0.stream(stream);
        // SAFETY: the range lies in the buffer, which its owner keeps until the stream has passed.
        call("setting to zero", || unsafe { result::memset_d8_async(address, 0, bytes, stream) })
    }

    fn launch(
        &self,
        stream: Stream,
        kernel: &str,
        grid: u32,
        block: u32,
        shared: u32,
        args: &[Arg<'_>],
    ) -> Result<(), KernelError> {
        self.0.enter()?;
        let function = self.0.function(kernel)?;
        let what = format!("launching {kernel}");
        // A 32-bit argument is read from the first four bytes of its slot: every host of CUDA is little-endian.
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(match *arg {
                Arg::Buffer(buffer) => buffer.address(),
                Arg::At(buffer, offset) => inside(&what, buffer, offset, 0)?,
                Arg::U32(value) => u64::from(value).to_le(),
                Arg::U64(value) => value,
            });
        }
        let mut pointers: Vec<_> = values.iter_mut().map(|value| (value as *mut u64).cast()).collect();
        if shared > USUAL_SHARED {
            let limit = sys::CUfunction_attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            // SAFETY: the function belongs to a loaded module.
            call(&what, || unsafe {
                result::function::set_function_attribute(function, limit, shared as i32)
            })?;
        }
        let stream = self.0.stream(stream);
        // SAFETY: the arguments are those of the kernel's parameter list, which the tests check for every launch of
        // every plan by executing the same PTX with bounds checks; the buffers outlive the work (see `Memory`).
        call(&what, || unsafe {
            result::launch_kernel(function, (grid, 1, 1), (block, 1, 1), shared, stream, &mut pointers)
        })
    }

    fn wait(&self, later: Stream, earlier: Stream) -> Result<(), KernelError> {
        self.0.enter()?;
        let event = self.0.event()?;
        let (later, earlier) = (self.0.stream(later), self.0.stream(earlier));
        let flags = sys::CUevent_wait_flags::CU_EVENT_WAIT_DEFAULT;
        // SAFETY: all handles live; the driver keeps an event until what waits for it has passed.
        let ordered = call("ordering streams", || unsafe {
            result::event::record(event, earlier)?;
            result::stream::wait_event(later, event, flags)
        });
        // SAFETY: made above and given to nobody else.
        unsafe { result::event::destroy(event) }.ok();
        ordered
    }

    fn sync(&self, stream: Stream) -> Result<(), KernelError> {
        self.0.enter()?;
        let stream = self.0.stream(stream);
        // SAFETY: the stream lives as long as `self`.
        call("waiting for the device", || unsafe { result::stream::synchronize(stream) })
    }
}
