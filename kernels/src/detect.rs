//! Which device the kernels run on: CUDA, then a GPU through wgpu, then the CPU, and in words why the earlier ones
//! were passed over. A backend that was asked for by name is used or is an error, never replaced by another.

use crate::backend::{Backend, DeviceOptions};
use crate::cpu::CpuBackend;
use crate::error::KernelError;
use crate::failover::Failover;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BackendChoice {
    /// The first that is there: CUDA, a GPU through wgpu, the CPU. Goes on with the CPU if that device fails later.
    #[default]
    Auto,
    /// CUDA or an error.
    Cuda,
    /// wgpu or an error; here a software adapter will do.
    Wgpu,
    /// The CPU.
    Cpu,
}

impl BackendChoice {
    /// All of them.
    pub const ALL: [BackendChoice; 4] =
        [BackendChoice::Auto, BackendChoice::Cuda, BackendChoice::Wgpu, BackendChoice::Cpu];

    /// The name on the command line and in reports; a backend's equals its [`Backend::name`].
    pub fn name(self) -> &'static str {
        match self {
            BackendChoice::Auto => "auto",
            BackendChoice::Cuda => "cuda",
            BackendChoice::Wgpu => "wgpu",
            BackendChoice::Cpu => "cpu",
        }
    }
}

impl fmt::Display for BackendChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no backend has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{got:?} is no backend; choose auto, cuda, wgpu or cpu")]
pub struct UnknownBackend {
    /// The name given.
    pub got: String,
}

impl FromStr for BackendChoice {
    type Err = UnknownBackend;

    fn from_str(text: &str) -> Result<Self, UnknownBackend> {
        let found = BackendChoice::ALL.into_iter().find(|c| c.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| UnknownBackend { got: text.to_string() })
    }
}

/// The backend in use and those that were tried before it.
#[derive(Clone)]
pub struct Detected {
    /// The backend.
    pub backend: Arc<dyn Backend>,
    /// Backends that come earlier in the order, and why they are not used.
    pub passed_over: Vec<(&'static str, String)>,
}

impl Detected {
    /// One line for the log: the device, and why others were passed over.
    pub fn summary(&self) -> String {
        let mut line = format!("kernels run on {}", self.backend.device());
        for (i, (name, reason)) in self.passed_over.iter().enumerate() {
            line += if i == 0 { "; passed over: " } else { ", " };
            line += &format!("{name} ({reason})");
        }
        line
    }
}

impl fmt::Debug for Detected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

impl dyn Backend {
    /// The best device of this machine, all its memory; see [`detect`].
    ///
    /// # Errors
    /// None in practice: the CPU is always there.
    pub fn detect() -> Result<Detected, KernelError> {
        detect(BackendChoice::Auto, &DeviceOptions::default())
    }
}

/// What opening a backend gives.
pub type Opened = Result<Arc<dyn Backend>, KernelError>;

/// One way to open a backend.
#[derive(Clone, Copy)]
struct Candidate {
    choice: BackendChoice,
    open: fn(&DeviceOptions) -> Opened,
}

/// In the order of preference.
const CANDIDATES: [Candidate; 3] = [
    Candidate { choice: BackendChoice::Cuda, open: open_cuda },
    Candidate { choice: BackendChoice::Wgpu, open: open_wgpu },
    Candidate { choice: BackendChoice::Cpu, open: open_cpu },
];

fn open_cpu(_: &DeviceOptions) -> Opened {
    Ok(Arc::new(CpuBackend::new()))
}

#[cfg(feature = "cuda")]
fn open_cuda(options: &DeviceOptions) -> Opened {
    Ok(Arc::new(crate::cuda::CudaBackend::new(options)?))
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(_: &DeviceOptions) -> Opened {
    Err(not_built("cuda"))
}

#[cfg(feature = "wgpu")]
fn open_wgpu(options: &DeviceOptions) -> Opened {
    Ok(Arc::new(crate::wgpu::WgpuBackend::new(options)?))
}

#[cfg(not(feature = "wgpu"))]
fn open_wgpu(_: &DeviceOptions) -> Opened {
    Err(not_built("wgpu"))
}

#[cfg(not(all(feature = "cuda", feature = "wgpu")))]
fn not_built(backend: &'static str) -> KernelError {
    KernelError::Unavailable { backend, reason: format!("built without the feature `{backend}`") }
}

/// Opens the backend asked for; with [`BackendChoice::Auto`] the first that opens, which then is backed by the CPU
/// should its device fail later (see [`Failover`]). A software adapter is used only with [`BackendChoice::Wgpu`].
///
/// # Errors
/// A backend asked for by name that cannot be opened: [`KernelError::Unavailable`], or what its driver said.
pub fn detect(choice: BackendChoice, options: &DeviceOptions) -> Result<Detected, KernelError> {
    detect_among(&CANDIDATES, choice, options)
}

/// Opens this very backend, a software adapter only if `options` allow it, and never with another to fall back on: for
/// measurements, whose figures must be of the device they name.
///
/// # Errors
/// [`KernelError::Unavailable`], or what the driver said; [`BackendChoice::Auto`] names no backend.
pub fn open(choice: BackendChoice, options: &DeviceOptions) -> Opened {
    match CANDIDATES.iter().find(|candidate| candidate.choice == choice) {
        Some(candidate) => (candidate.open)(options),
        None => Err(KernelError::Unavailable { backend: choice.name(), reason: "name one backend".into() }),
    }
}

fn detect_among(
    candidates: &[Candidate],
    choice: BackendChoice,
    options: &DeviceOptions,
) -> Result<Detected, KernelError> {
    let mut passed_over = Vec::new();
    for candidate in candidates {
        if choice == candidate.choice {
            let software = options.software || choice == BackendChoice::Wgpu;
            let backend = (candidate.open)(&DeviceOptions { software, ..*options })?;
            return Ok(Detected { backend, passed_over: Vec::new() });
        }
        if choice != BackendChoice::Auto {
            continue;
        }
        match (candidate.open)(&DeviceOptions { software: false, ..*options }) {
            Ok(backend) => {
                let backend = match candidate.choice {
                    BackendChoice::Cpu => backend,
                    _ => Arc::new(Failover::new(backend)),
                };
                return Ok(Detected { backend, passed_over });
            }
            Err(KernelError::Unavailable { reason, .. }) => {
                passed_over.push((candidate.choice.name(), reason))
            }
            Err(other) => passed_over.push((candidate.choice.name(), other.to_string())),
        }
    }
    let reason = match passed_over.is_empty() {
        true => "it is no candidate".to_string(),
        false => "no backend could be opened".to_string(),
    };
    Err(KernelError::Unavailable { backend: choice.name(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absent(_: &DeviceOptions) -> Opened {
        Err(KernelError::Unavailable { backend: "cuda", reason: "no driver".into() })
    }

    fn broken(_: &DeviceOptions) -> Opened {
        Err(KernelError::Device { backend: "wgpu", what: "opening".into(), reason: "device lost".into() })
    }

    /// As wgpu does: there, but only where software will do.
    fn software(options: &DeviceOptions) -> Opened {
        match options.software {
            true => open_cpu(options),
            false => {
                Err(KernelError::Unavailable { backend: "wgpu", reason: "only a software adapter".into() })
            }
        }
    }

    fn order(cuda: fn(&DeviceOptions) -> Opened, wgpu: fn(&DeviceOptions) -> Opened) -> [Candidate; 3] {
        [
            Candidate { choice: BackendChoice::Cuda, open: cuda },
            Candidate { choice: BackendChoice::Wgpu, open: wgpu },
            Candidate { choice: BackendChoice::Cpu, open: open_cpu },
        ]
    }

    #[test]
    fn auto_takes_the_first_that_opens_and_says_why_not_the_others() {
        let options = DeviceOptions::default();
        let found = detect_among(&order(absent, broken), BackendChoice::Auto, &options).unwrap();
        assert_eq!(found.backend.name(), "cpu");
        let summary = found.summary();
        assert!(summary.starts_with("kernels run on cpu ("), "{summary}");
        assert!(
            summary.contains("; passed over: cuda (no driver), wgpu (wgpu: opening failed: device lost)")
        );
        let found = detect_among(&order(open_cpu, broken), BackendChoice::Auto, &options).unwrap();
        assert_eq!((found.passed_over.len(), found.backend.name()), (0, "cpu"));
        assert!(!found.summary().contains("passed over"));
    }

    #[test]
    fn a_software_adapter_is_used_only_by_name() {
        // Even if a caller's options would allow it.
        for allowed in [false, true] {
            let options = DeviceOptions { software: allowed, ..DeviceOptions::default() };
            let auto = detect_among(&order(absent, software), BackendChoice::Auto, &options).unwrap();
            assert_eq!(auto.passed_over[1], ("wgpu", "only a software adapter".to_string()));
            assert!(detect_among(&order(absent, software), BackendChoice::Wgpu, &options).is_ok());
        }
    }

    #[test]
    fn a_backend_asked_for_by_name_is_never_replaced() {
        let options = DeviceOptions::default();
        for (choice, part) in [(BackendChoice::Cuda, "no driver"), (BackendChoice::Wgpu, "device lost")] {
            let error = detect_among(&order(absent, broken), choice, &options).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn this_machine_has_at_least_a_cpu() {
        assert_eq!(detect(BackendChoice::Cpu, &DeviceOptions::default()).unwrap().backend.name(), "cpu");
        let found = <dyn Backend>::detect().unwrap();
        assert!(found.summary().starts_with("kernels run on "));
        for (name, reason) in &found.passed_over {
            assert!(!reason.is_empty(), "{name}");
        }
    }

    #[test]
    fn names_go_both_ways_and_others_are_refused() {
        for choice in BackendChoice::ALL {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        let error = "gpu".parse::<BackendChoice>().unwrap_err();
        assert_eq!(error.to_string(), "\"gpu\" is no backend; choose auto, cuda, wgpu or cpu");
    }
}
