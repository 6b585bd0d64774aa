//! Errors and warnings with their place, in the shape of solc's.
use serde::{Deserialize, Serialize};

/// A range of bytes in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last.
    pub end: u32,
}

/// A place in a Solidity source, as solc's `@src` comments give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Src {
    /// solc's number of the source file.
    pub source: u32,
    /// Bytes of it.
    pub span: Span,
}

/// Where something is: in the Yul text, and in the Solidity it came from if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Loc {
    /// Bytes of the Yul text.
    pub yul: Span,
    /// The `@src` in force.
    pub src: Option<Src>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No output.
    Error,
    /// Output all the same.
    Warning,
}

/// Something to tell the author of a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// What was found, what was expected, what to do.
    pub message: String,
    /// Where, if it has a place.
    pub loc: Option<Loc>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(loc: Loc, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Error, message: message.into(), loc: Some(loc) }
    }

    /// An error without a place.
    pub fn general(message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Error, message: message.into(), loc: None }
    }
}
