//! The flags that choose the proving device. The same three commands that prove or make keys take them, and each
//! says in one log line which device it got and why the others were passed over.
use clap::Args;
use lathe_kernels::bytes::parse_bytes;
use lathe_kernels::{Backend, BackendChoice, DeviceOptions, KernelError, detect};
use std::ffi::OsString;
use std::sync::Arc;

/// The proving device.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct DeviceArgs {
    /// Where the kernels run: auto, cuda, wgpu or cpu. auto takes the first that is there, and goes on with the CPU
    /// if that device fails; the others are used or are an error.
    #[arg(long, env = "LATHE_BACKEND", default_value_t)]
    pub backend: BackendChoice,

    /// Device memory that may be used, for instance 8GiB or 500MB; if left out, what the CUDA driver reports as free, or
    /// 4 GiB with wgpu.
    #[arg(long, env = "LATHE_DEVICE_MEMORY", value_name = "SIZE", value_parser = parse_bytes)]
    pub device_memory: Option<u64>,
}

impl DeviceArgs {
    /// Opens the device and logs the choice.
    ///
    /// # Errors
    /// A backend asked for by name that is not there.
    pub fn open(&self) -> Result<Arc<dyn Backend>, KernelError> {
        let options = DeviceOptions { memory: self.device_memory, ..DeviceOptions::default() };
        let found = detect(self.backend, &options)?;
        tracing::info!("{}", found.summary());
        Ok(found.backend)
    }

    /// The same choice as arguments for another `lathe` process.
    pub fn to_args(self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["--backend".into(), self.backend.to_string().into()];
        if let Some(bytes) = self.device_memory {
            args.extend(["--device-memory".into(), bytes.to_string().into()]);
        }
        args
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        device: DeviceArgs,
    }

    #[test]
    fn arguments_survive_the_way_to_a_child_process() {
        for (backend, device_memory) in
            [(BackendChoice::Auto, None), (BackendChoice::Wgpu, Some(500_000_000))]
        {
            let args = DeviceArgs { backend, device_memory };
            let program = std::iter::once("lathe".into()).chain(args.to_args());
            let read = Program::parse_from(program).device;
            assert_eq!((read.backend, read.device_memory), (backend, device_memory));
        }
    }

    #[test]
    fn the_cpu_can_be_asked_for() {
        let args = DeviceArgs { backend: BackendChoice::Cpu, ..DeviceArgs::default() };
        assert_eq!(args.open().unwrap().name(), "cpu");
    }
}
