//! Every backend of this build on every path it has, for tests that claim something of all of them. The first is the
//! portable CPU path, the oracle of the others. A backend that is compiled in and cannot be opened fails the test.

use lathe_kernels::failover::Failover;
use lathe_kernels::{Backend, CpuBackend};
use std::sync::{Arc, LazyLock};

/// A backend and what to call it.
pub type Named = (String, Arc<dyn Backend>);

/// All of them, opened once, so that shaders are compiled once.
pub fn all() -> &'static [Named] {
    static ALL: LazyLock<Vec<Named>> = LazyLock::new(|| {
        let fastest = Arc::new(CpuBackend::new());
        let mut all: Vec<Named> = vec![
            ("cpu portable".into(), Arc::new(CpuBackend::portable())),
            (format!("cpu {}", fastest.path()), fastest.clone()),
            ("cpu behind a failover".into(), Arc::new(Failover::new(fastest))),
        ];
        all.extend(wgpu());
        all.extend(cuda());
        all
    });
    &ALL
}

#[cfg(not(feature = "wgpu"))]
fn wgpu() -> Vec<Named> {
    Vec::new()
}

#[cfg(feature = "wgpu")]
fn wgpu() -> Vec<Named> {
    use lathe_kernels::DeviceOptions;
    use lathe_kernels::wgpu::{Path, WgpuBackend};
    let options = DeviceOptions { software: true, ..DeviceOptions::default() };
    let open = |path| match WgpuBackend::with_path(&options, path) {
        Ok(backend) => {
            (format!("wgpu {path:?} on {}", backend.device()), Arc::new(backend) as Arc<dyn Backend>)
        }
        Err(error) => panic!(
            "{error}\nThese tests need a Vulkan adapter. Install Mesa's software one: \
             apt-get install -y --no-install-recommends mesa-vulkan-drivers libvulkan1"
        ),
    };
    [Path::Wide, Path::Narrow].map(open).into()
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Vec<Named> {
    Vec::new()
}

/// The PTX that ships, through the interpreter; and through the driver as well where there is a GPU.
#[cfg(feature = "cuda")]
fn cuda() -> Vec<Named> {
    use lathe_kernels::DeviceOptions;
    use lathe_kernels::cuda::CudaBackend;
    use lathe_kernels::cuda::modules::MODULES;
    let texts: Vec<&str> = MODULES.iter().map(|module| module.ptx).collect();
    let interpreter = crate::ptx::Interpreter::new(&texts).unwrap_or_else(|error| panic!("PTX: {error}"));
    let mut all: Vec<Named> =
        vec![("cuda in the PTX interpreter".into(), Arc::new(CudaBackend::on(Arc::new(interpreter))))];
    if let Ok(backend) = CudaBackend::new(&DeviceOptions::default()) {
        all.push((format!("cuda on {}", backend.device()), Arc::new(backend)));
    }
    all
}
