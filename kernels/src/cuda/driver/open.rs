//! Opening: is there a driver, which GPU is the best, do its kernels load. Whatever is missing is said in plain words,
//! and whatever was opened before is closed again.

use super::{BACKEND, Gpu, MODULES, Pool, Staging, call, words};
use crate::backend::DeviceOptions;
use crate::cuda::modules::Module;
use crate::error::KernelError;
use cudarc::driver::{DriverError, result, sys};
use std::ffi::CString;
use std::sync::Mutex;

/// The oldest driver whose language the PTX is in, as the driver counts: 1000 * major + 10 * minor.
const OLDEST_DRIVER: i32 = 12_000;
/// The oldest GPUs the kernels are built for: compute capability 8.0, Ampere.
const OLDEST_CAPABILITY: i32 = 80;

fn unavailable(reason: impl Into<String>) -> KernelError {
    KernelError::Unavailable { backend: BACKEND, reason: reason.into() }
}

/// A driver call without which nothing can start.
fn need<T>(what: &str, run: impl FnOnce() -> Result<T, DriverError>) -> Result<T, KernelError> {
    run().map_err(|error| unavailable(format!("{what} failed: {}", words(error))))
}

/// A GPU that would do, its context retained.
struct Found {
    device: sys::CUdevice,
    context: sys::CUcontext,
    capability: i32,
    free: u64,
}

impl Found {
    fn close(self) {
        // SAFETY: retained once in `candidate`, and nothing uses it.
        unsafe { result::primary_ctx::release(self.device) }.ok();
    }
}

pub(super) fn open(options: &DeviceOptions) -> Result<Gpu, KernelError> {
    // SAFETY: loads the driver's library, whose start-up code is as trustworthy as the driver.
    if !unsafe { sys::is_culib_present() } {
        return Err(unavailable(
            "no NVIDIA driver library (libcuda.so.1) on this machine; install the NVIDIA driver",
        ));
    }
    match result::init() {
        Err(DriverError(sys::CUresult::CUDA_ERROR_NO_DEVICE)) => return Err(no_device()),
        started => need("starting the NVIDIA driver", || started)?,
    }
    let mut version = 0;
    // SAFETY: the pointer is to a live integer.
    need("asking the driver's version", || unsafe { sys::cuDriverGetVersion(&mut version) }.result())?;
    if version < OLDEST_DRIVER {
        let (major, minor) = (version / 1000, version % 1000 / 10);
        return Err(unavailable(format!(
            "the NVIDIA driver is of CUDA {major}.{minor}, 12.0 or later is needed; update the driver"
        )));
    }
    let best = best()?;
    let mut gpu = match bare(&best, options) {
        Ok(gpu) => gpu,
        Err(error) => {
            best.close();
            return Err(error);
        }
    };
    // From here on dropping `gpu` closes everything.
    let mut from_ptx = false;
    for module in MODULES {
        let (loaded, compiled) = load(module)?;
        from_ptx |= compiled;
        gpu.modules.push(loaded);
    }
    let (major, minor) = (best.capability / 10, best.capability % 10);
    let how = if from_ptx { ", kernels compiled by the driver" } else { "" };
    gpu.name = format!("{} (sm_{major}{minor}{how})", gpu.name);
    Ok(gpu)
}

fn no_device() -> KernelError {
    unavailable("the NVIDIA driver finds no GPU; check nvidia-smi and CUDA_VISIBLE_DEVICES")
}

/// Of the GPUs that would do, the one with the most free memory.
fn best() -> Result<Found, KernelError> {
    let count = need("counting GPUs", result::device::get_count)?;
    let mut best: Option<Found> = None;
    let mut passed_over = Vec::new();
    for ordinal in 0..count {
        match candidate(ordinal) {
            Err(reason) => passed_over.push(reason),
            Ok(found) if best.as_ref().is_some_and(|best| best.free >= found.free) => found.close(),
            Ok(found) => {
                if let Some(worse) = best.replace(found) {
                    worse.close();
                }
            }
        }
    }
    best.ok_or_else(|| if passed_over.is_empty() { no_device() } else { unavailable(passed_over.join("; ")) })
}

/// A GPU by its number, or why it will not do.
fn candidate(ordinal: i32) -> Result<Found, String> {
    use sys::CUdevice_attribute::{
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR as MAJOR,
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR as MINOR,
    };
    let failed = |error| format!("GPU {ordinal}: {}", words(error));
    let device = result::device::get(ordinal).map_err(failed)?;
    // SAFETY: the device is the driver's own answer.
    let attribute = |which| unsafe { result::device::get_attribute(device, which) }.map_err(failed);
    let capability = 10 * attribute(MAJOR)? + attribute(MINOR)?;
    if capability < OLDEST_CAPABILITY {
        let name = result::device::get_name(device).unwrap_or_default();
        let (major, minor) = (capability / 10, capability % 10);
        return Err(format!(
            "GPU {ordinal}, {name}, has compute capability {major}.{minor}, 8.0 or later is needed"
        ));
    }
    // SAFETY: as above; released in `Found::close` or when the Gpu is dropped.
    let context = unsafe { result::primary_ctx::retain(device) }.map_err(failed)?;
    let mut found = Found { device, context, capability, free: 0 };
    // SAFETY: retained just now.
    let free = unsafe { result::ctx::set_current(context) }.and_then(|()| result::mem_get_info());
    match free {
        Ok((free, _)) => {
            found.free = free as u64;
            Ok(found)
        }
        Err(error) => {
            found.close();
            Err(failed(error))
        }
    }
}

/// The GPU with its streams, before its kernels are loaded. Its context is current afterwards.
fn bare(found: &Found, options: &DeviceOptions) -> Result<Gpu, KernelError> {
    use result::stream::{StreamKind::NonBlocking, create};
    use sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT as MULTIPROCESSORS;
    // SAFETY: context and device are the driver's own answers.
    let multiprocessors = call("entering the context", || unsafe {
        result::ctx::set_current(found.context)?;
        result::device::get_attribute(found.device, MULTIPROCESSORS)
    })?;
    let compute = call("creating a stream", || create(NonBlocking))?;
    let copy = call("creating a stream", || create(NonBlocking)).inspect_err(|_| {
        // SAFETY: made above, used by nothing.
        unsafe { result::stream::destroy(compute) }.ok();
    })?;
    // A tenth stays free for the driver's own needs, such as stacks of kernels.
    let budget = options.memory.unwrap_or(found.free / 10 * 9);
    Ok(Gpu {
        context: found.context,
        device: found.device,
        name: result::device::get_name(found.device).unwrap_or_else(|_| "NVIDIA GPU".into()),
        multiprocessors: multiprocessors.max(1) as u32,
        budget,
        streams: [compute, copy],
        modules: Vec::new(),
        functions: Mutex::default(),
        pool: Mutex::new(Pool::new(budget)),
        staging: [compute, copy].map(|stream| Mutex::new(Staging::new(stream))),
    })
}

/// Loads a module's machine code or, where the build has none that this GPU or driver takes, its PTX, which the
/// driver compiles; says whether it was the latter.
fn load(module: &Module) -> Result<(sys::CUmodule, bool), KernelError> {
    // SAFETY: a fatbin carries its own length, and this is a whole one as nvcc wrote it.
    if let Ok(loaded) = unsafe { result::module::load_data(module.fatbin.as_ptr().cast()) } {
        return Ok((loaded, false));
    }
    let what = format!("loading the kernels of {}", module.name);
    let text =
        CString::new(module.ptx).map_err(|_| unavailable(format!("{what} failed: the PTX is damaged")))?;
    // SAFETY: a text that ends in a zero byte.
    need(&what, || unsafe { result::module::load_data(text.as_ptr().cast()) }).map(|loaded| (loaded, true))
}
