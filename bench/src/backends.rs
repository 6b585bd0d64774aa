//! Opens the backends that this build and this machine have. Never takes a software adapter for a GPU.

use crate::Failure;
use clap::ValueEnum;
use lathe_kernels::{Backend, CpuBackend};
use std::sync::Arc;

/// A backend by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// The CPU, on the fastest path it has.
    Cpu,
    /// The CPU without any feature beyond its architecture's baseline.
    Portable,
}

/// A backend to measure.
#[derive(Clone)]
pub struct Engine {
    /// The name in files and tables.
    pub name: &'static str,
    /// The backend.
    pub backend: Arc<dyn Backend>,
}

/// The backends asked for, or, if none is named, all that are present but the portable path.
///
/// # Errors
/// A backend named that is not there.
pub fn open(names: &[Name]) -> Result<Vec<Engine>, Failure> {
    let names = if names.is_empty() { &[Name::Cpu][..] } else { names };
    Ok(names.iter().map(|name| engine(*name)).collect())
}

fn engine(name: Name) -> Engine {
    match name {
        Name::Cpu => Engine { name: "cpu", backend: Arc::new(CpuBackend::new()) },
        Name::Portable => Engine { name: "portable", backend: Arc::new(CpuBackend::portable()) },
    }
}
