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
}
