//! Picks the adapter and opens the device. It must never take a software adapter that was not asked for, and must say
//! in plain words what was found and why it was passed over.

use super::{BACKEND, Path};
use crate::backend::DeviceOptions;
use crate::error::KernelError;
use wgpu::{Adapter, AdapterInfo, DeviceType, Features, InstanceFlags, Limits};

/// Storage buffers one pass binds at most.
const STORAGE_BUFFERS: u32 = 7;
/// Workgroup memory of the FFT pass, in bytes; WebGPU promises as much.
const WORKGROUP_BYTES: u32 = 16 << 10;
/// Share of the memory that the driver reports as free, in percent, beyond which allocations are refused rather than
/// left to fail later. Not measured: a margin for the driver's own use.
const MEMORY_PERCENT: u8 = 90;

/// An open device.
pub struct Opened {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub info: AdapterInfo,
    pub limits: Limits,
    pub path: Path,
}

fn unavailable(reason: String) -> KernelError {
    KernelError::Unavailable { backend: BACKEND, reason }
}

/// Opens the best adapter: discrete before integrated before virtual, software only if `options` allow it.
pub fn open(options: &DeviceOptions, path: Option<Path>) -> Result<Opened, KernelError> {
    if wgpu::Instance::enabled_backend_features().is_empty() {
        return Err(unavailable("wgpu has no Vulkan, Metal or DX12 on this platform".to_owned()));
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        flags: InstanceFlags::empty(),
        memory_budget_thresholds: wgpu::MemoryBudgetThresholds {
            for_resource_creation: Some(MEMORY_PERCENT),
            for_device_loss: None,
        },
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    if adapters.is_empty() {
        return Err(unavailable(
            "no Vulkan, Metal or DX12 driver answered; install the GPU's driver (for the software adapter: \
             apt-get install mesa-vulkan-drivers libvulkan1)"
                .to_owned(),
        ));
    }
    adapters.sort_by_key(|adapter| rank(adapter.get_info().device_type));
    let mut passed_over = Vec::new();
    for adapter in &adapters {
        let info = adapter.get_info();
        match suits(adapter, &info, options, path).and_then(|path| request(adapter, info.clone(), path)) {
            Ok(opened) => return Ok(opened),
            Err(reason) => {
                passed_over.push(format!("{} ({:?}): {reason}", info.name, info.backend));
            }
        }
    }
    Err(unavailable(format!("no adapter will do. {}", passed_over.join(". "))))
}

fn rank(kind: DeviceType) -> u32 {
    match kind {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

/// The path on which this adapter can run, or why it cannot.
fn suits(
    adapter: &Adapter,
    info: &AdapterInfo,
    options: &DeviceOptions,
    path: Option<Path>,
) -> Result<Path, String> {
    if info.device_type == DeviceType::Cpu && !options.software {
        return Err("a software adapter, slower than the CPU backend; used only when forced".to_owned());
    }
    if !adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
        return Err("no compute shaders".to_owned());
    }
    let limits = adapter.limits();
    let least = [
        ("storage buffers per stage", limits.max_storage_buffers_per_shader_stage, STORAGE_BUFFERS),
        (
            "threads per workgroup",
            limits.max_compute_invocations_per_workgroup,
            super::shader::MOST_THREADS as u32,
        ),
        ("bytes of workgroup memory", limits.max_compute_workgroup_storage_size, WORKGROUP_BYTES),
    ];
    for (what, got, needed) in least {
        if got < needed {
            return Err(format!("{got} {what}, {needed} needed"));
        }
    }
    let wide = adapter.features().contains(Features::SHADER_INT64);
    match path {
        Some(Path::Wide) if !wide => Err("no 64-bit integers in shaders, and they were asked for".to_owned()),
        Some(path) => Ok(path),
        None => Ok(if wide { Path::Wide } else { Path::Narrow }),
    }
}

fn request(adapter: &Adapter, info: AdapterInfo, path: Path) -> Result<Opened, String> {
    let mut features = adapter.features() & Features::PIPELINE_CACHE;
    if path == Path::Wide {
        features |= Features::SHADER_INT64;
    }
    let limits = adapter.limits();
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("lathe"),
        required_features: features,
        required_limits: limits.clone(),
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
        .map_err(|error| format!("the driver refused to open it: {error}"))?;
    Ok(Opened { device, queue, info, limits, path })
}
