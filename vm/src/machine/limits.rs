//! Bounds on one batch, so that no bytecode can make a replay endless or the host's memory full.
use super::{Halt, MAX_CLOCK};

/// Bounds on one batch, and whether it may use what cannot be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Runs what has no chip yet; when false such a batch is refused, by name.
    pub unproven: bool,
    /// Steps, undo steps included; never more than [`MAX_CLOCK`].
    pub max_steps: u32,
    /// Bytes given to `keccak` by all instructions together.
    pub max_hashed_bytes: u64,
    /// Bytes of `copy`, of `log` and of kept outputs together.
    pub max_moved_bytes: u64,
    /// Host memory for cells and journal, as [`MEMORY_CHECK`] steps at a time see it.
    pub max_memory_bytes: u64,
    /// Host memory for the trace, if there is one, as [`MEMORY_CHECK`] steps at a time see it; never more than
    /// [`MAX_TRACE`].
    pub max_trace_bytes: u64,
    /// Posted bytes.
    pub max_input_bytes: usize,
    /// Bytes kept of what a call hands back.
    pub max_output_bytes: usize,
}

/// Bytes of a call's output kept for its receipt.
pub const MAX_OUTPUT: usize = 4096;

/// A single `keccak`, `sha256`, `copy` or `log` of more bytes is an exceptional halt.
pub const MAX_RANGE: u32 = 1 << 24;

/// Memory is measured every so many steps.
pub const MEMORY_CHECK: u32 = 256;

/// The longest trace, in bytes: 16 GiB.
pub const MAX_TRACE: u64 = 1 << 34;

/// 65,536 steps, 4 MiB hashed, 1 MiB posted.
impl Default for Limits {
    fn default() -> Limits {
        Limits {
            unproven: false,
            max_steps: 1 << 16,
            max_hashed_bytes: 1 << 22,
            max_moved_bytes: 1 << 22,
            max_memory_bytes: 1 << 28,
            max_trace_bytes: 1 << 29,
            max_input_bytes: 1 << 20,
            max_output_bytes: MAX_OUTPUT,
        }
    }
}

impl Limits {
    /// The step bound that holds.
    pub(super) fn steps(&self) -> u32 {
        self.max_steps.min(MAX_CLOCK)
    }

    /// The bound on the trace that holds.
    pub(super) fn trace_bytes(&self) -> u64 {
        self.max_trace_bytes.min(MAX_TRACE)
    }

    /// A limit that the input itself breaks.
    pub(super) fn check_input(&self, input: &[u8]) -> Result<(), Halt> {
        match input.len() > self.max_input_bytes.min(u32::MAX as usize - 64) {
            true => Err(Halt::Limit { what: "input bytes", limit: self.max_input_bytes as u64 }),
            false => Ok(()),
        }
    }
}
