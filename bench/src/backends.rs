//! Opens the backends that this build and this machine have. Never takes a software adapter for a GPU, and never lets
//! the CPU step in for a device that fails: a figure is of the device it names.

use crate::Failure;
use clap::ValueEnum;
use lathe_kernels::bytes::parse_bytes;
use lathe_kernels::{Backend, BackendChoice, CpuBackend, DeviceOptions, KernelError, detect};
use std::sync::Arc;

/// A backend by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// The CPU, on the fastest path it has.
    Cpu,
    /// The CPU without any feature beyond its architecture's baseline.
    Portable,
    /// An NVIDIA GPU; needs a build with feature `cuda`.
    Cuda,
    /// A GPU through Vulkan, Metal or DX12; needs a build with feature `wgpu`.
    Wgpu,
}

/// Which devices to measure.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// Backends, by default the CPU and every GPU this build and this machine have.
    #[arg(long, value_delimiter = ',')]
    pub backend: Vec<Name>,
    /// With `--backend wgpu`: take a software adapter (Mesa's lavapipe) too. Its figures say nothing about a GPU.
    #[arg(long)]
    pub software: bool,
    /// Device memory that may be used, for instance 8GiB; what the driver reports as free if left out.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub device_memory: Option<u64>,
}

/// A backend to measure.
#[derive(Clone)]
pub struct Engine {
    /// The name in files and tables.
    pub name: &'static str,
    /// The backend.
    pub backend: Arc<dyn Backend>,
}

/// The backends asked for, or, if none is named, the CPU and each GPU that is there; why another is not, goes to stderr.
///
/// # Errors
/// A backend named that is not there.
pub fn open(args: &Args) -> Result<Vec<Engine>, Failure> {
    let options = DeviceOptions { memory: args.device_memory, software: args.software };
    if !args.backend.is_empty() {
        return args.backend.iter().map(|name| Ok(engine(*name, &options)?)).collect();
    }
    let mut engines = vec![engine(Name::Cpu, &options)?];
    let real = DeviceOptions { software: false, ..options };
    for name in [Name::Cuda, Name::Wgpu] {
        match engine(name, &real) {
            Ok(engine) => engines.push(engine),
            Err(reason) => eprintln!("  {reason}"),
        }
    }
    Ok(engines)
}

fn engine(name: Name, options: &DeviceOptions) -> Result<Engine, KernelError> {
    let opened = |choice| detect::open(choice, options);
    let (name, backend) = match name {
        Name::Cpu => ("cpu", opened(BackendChoice::Cpu)?),
        Name::Portable => ("portable", Arc::new(CpuBackend::portable()) as Arc<dyn Backend>),
        Name::Cuda => ("cuda", opened(BackendChoice::Cuda)?),
        Name::Wgpu => ("wgpu", opened(BackendChoice::Wgpu)?),
    };
    Ok(Engine { name, backend })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_there_and_what_is_not_says_why() {
        let engines = open(&Args::default()).unwrap();
        assert_eq!(engines[0].name, "cpu");
        #[cfg(not(feature = "cuda"))]
        {
            let args = Args { backend: vec![Name::Cuda], ..Args::default() };
            let error = open(&args).err().unwrap().to_string();
            assert!(error.contains("cuda") && error.contains("feature"), "{error}");
        }
    }

    #[test]
    fn both_cpu_paths_can_be_named() {
        let args = Args { backend: vec![Name::Cpu, Name::Portable], ..Args::default() };
        let devices: Vec<_> = open(&args).unwrap().iter().map(|e| e.backend.device()).collect();
        assert!(devices[1].contains("portable"), "{devices:?}");
    }
}
