//! Looking at programs: contracts compiled by `lathec`, their runs step by step, where the cost of a proof goes.
//! Nothing here proves, posts or keeps anything.

pub mod abi;
pub mod cost;
pub mod flame;
pub mod lathec;
pub mod places;
pub mod profile;
pub mod project;
pub mod source;
pub mod steps;

/// Why sources or arguments cannot be used. For people: printed, never matched.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InspectError(pub String);

impl InspectError {
    /// From what was wrong, in words.
    pub fn new(text: impl std::fmt::Display) -> InspectError {
        InspectError(text.to_string())
    }
}
