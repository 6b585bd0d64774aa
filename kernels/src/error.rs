//! Errors of every kernel. A kernel never panics on sizes or handles given by its caller.

/// Why a kernel refused its input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// Two slices that belong together differ in length.
    #[error("{what}: {got} elements given, {expected} expected; pass slices of equal length")]
    LengthMismatch {
        /// The pair of slices.
        what: &'static str,
        /// Length required.
        expected: usize,
        /// Length given.
        got: usize,
    },
    /// An FFT was asked for over a size that is not a power of two.
    #[error("FFT size {got} is not a power of two; pad the vector with zeros")]
    NotPowerOfTwo {
        /// Length given.
        got: usize,
    },
    /// The scalar field has no subgroup of this size.
    #[error("FFT size 2^{log_size} exceeds the scalar field's two-adicity of {max}; split the circuit")]
    BeyondTwoAdicity {
        /// Logarithm of the size asked for.
        log_size: u32,
        /// Largest logarithm possible.
        max: u32,
    },
    /// More points than an index can name.
    #[error("{got} points given, at most {max} are supported in one MSM; split it")]
    TooManyPoints {
        /// Number of points given.
        got: usize,
        /// Largest number possible.
        max: usize,
    },
    /// Bases uploaded to one backend were used with another.
    #[error("bases were uploaded to another backend than `{backend}`; upload them to the one that uses them")]
    ForeignBases {
        /// The backend called.
        backend: &'static str,
    },
    /// A point that does not satisfy its curve's equation.
    #[error("point {index} is not on the curve; the key or file it came from is damaged")]
    OffCurve {
        /// Its place in the slice given.
        index: usize,
    },
    /// A G2 point on the curve but outside the subgroup of prime order.
    #[error("point {index} is on the curve but outside the subgroup of prime order; do not use its source")]
    OutsideSubgroup {
        /// Its place in the slice given.
        index: usize,
    },
    /// A number that is not below the field's order.
    #[error("{what} {index} is not below the field's order; encode values reduced")]
    NonCanonical {
        /// What kind of value.
        what: &'static str,
        /// Its place in the slice given.
        index: usize,
    },
    /// The device's memory, or the budget given for it, does not suffice even for the smallest plan.
    #[error(
        "{backend}: {needed} bytes of device memory needed, {available} available; raise --device-memory or free the device"
    )]
    OutOfDeviceMemory {
        /// The backend called.
        backend: &'static str,
        /// Bytes needed by the smallest plan.
        needed: u64,
        /// Bytes available to it.
        available: u64,
    },
    /// The backend cannot run on this machine, or is not part of this build.
    #[error("{backend} is not available: {reason}")]
    Unavailable {
        /// The backend asked for.
        backend: &'static str,
        /// Why not, for people.
        reason: String,
    },
    /// The driver refused a call or the device was lost.
    #[error("{backend}: {what} failed: {reason}")]
    Device {
        /// The backend called.
        backend: &'static str,
        /// What was being done.
        what: String,
        /// The driver's words.
        reason: String,
    },
}
