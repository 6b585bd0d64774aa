//! Evaluation domains: the subgroups of size 2^k of the scalar field and their coset.
//! The constants are bellman's (`EvaluationDomain`), since the proof's bytes depend on them.

use crate::error::KernelError;
use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;

/// Largest k for which a domain of size 2^k exists.
pub const TWO_ADICITY: u32 = Fr::S;

/// Checks a domain size and returns its logarithm.
pub fn log_size(size: usize) -> Result<u32, KernelError> {
    if !size.is_power_of_two() {
        return Err(KernelError::NotPowerOfTwo { got: size });
    }
    let log_size = size.trailing_zeros();
    if log_size > TWO_ADICITY {
        return Err(KernelError::BeyondTwoAdicity { log_size, max: TWO_ADICITY });
    }
    Ok(log_size)
}

/// Checks the three vectors of a quotient: one length, which is a domain's; returns its logarithm.
pub(crate) fn check_quotient(a: &[Fr], b: &[Fr], c: &[Fr]) -> Result<u32, KernelError> {
    for (what, v) in [("quotient: b against a", b), ("quotient: c against a", c)] {
        if v.len() != a.len() {
            return Err(KernelError::LengthMismatch { what, expected: a.len(), got: v.len() });
        }
    }
    log_size(a.len())
}

/// The primitive root of unity of order `2^log_size`. `log_size` is at most [`TWO_ADICITY`].
pub fn root_of_unity(log_size: u32) -> Fr {
    (log_size..TWO_ADICITY).fold(Fr::ROOT_OF_UNITY, |w, _| w.square())
}

/// The shift of the coset on which the quotient is computed.
pub fn coset_shift() -> Fr {
    Fr::MULTIPLICATIVE_GENERATOR
}

/// The vanishing polynomial `X^size - 1` of the domain of this size at `x`.
pub fn vanishing(size: usize, x: Fr) -> Fr {
    x.pow_vartime([size as u64]) - Fr::ONE
}
