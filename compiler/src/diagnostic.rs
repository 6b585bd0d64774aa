//! Errors and warnings with their place, in the shape of solc's.
mod excerpt;
mod sources;

use serde::{Deserialize, Serialize};
pub use sources::{Place, Source, Sources};

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

/// What kind of fault it is, by solc's names for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The text does not follow the grammar.
    Parser,
    /// The grammar allows it, but not at this place.
    Syntax,
    /// A name is missing, taken or reserved.
    Declaration,
    /// The number or the kind of values does not fit.
    Type,
    /// The source is right, but the machine or this compiler cannot do it.
    CodeGeneration,
}

impl Kind {
    /// solc's name, the `type` of its standard JSON output.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Parser => "ParserError",
            Kind::Syntax => "SyntaxError",
            Kind::Declaration => "DeclarationError",
            Kind::Type => "TypeError",
            Kind::CodeGeneration => "CodeGenerationError",
        }
    }
}

/// Something to tell the author of a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// What kind of fault.
    pub kind: Kind,
    /// What was found, what was expected, what to do.
    pub message: String,
    /// Where, if it has a place.
    pub loc: Option<Loc>,
}

impl Diagnostic {
    /// An error at a place; a [`Kind::CodeGeneration`] unless [`Diagnostic::of_kind`] says otherwise.
    pub fn error(loc: Loc, message: impl Into<String>) -> Diagnostic {
        Diagnostic { loc: Some(loc), ..Diagnostic::general(message) }
    }

    /// An error without a place.
    pub fn general(message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            kind: Kind::CodeGeneration,
            message: message.into(),
            loc: None,
        }
    }

    /// A warning at a place.
    pub fn warning(loc: Loc, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(loc, message) }
    }

    /// The same with another kind.
    #[must_use]
    pub fn of_kind(self, kind: Kind) -> Diagnostic {
        Diagnostic { kind, ..self }
    }

    /// solc's name for what this is: `Warning`, or the name of its kind of error.
    pub const fn type_name(&self) -> &'static str {
        match self.severity {
            Severity::Warning => "Warning",
            Severity::Error => self.kind.name(),
        }
    }

    /// As solc's command line prints it: the message, then the lines of the source it is about. Ends with
    /// one newline.
    pub fn render(&self, sources: &Sources) -> String {
        let title = match self.severity {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
        };
        self.titled(title, sources)
    }

    /// The `formattedMessage` of solc's standard JSON output: as [`Diagnostic::render`], but titled by
    /// [`Diagnostic::type_name`] and with an empty line at the end.
    pub fn formatted_message(&self, sources: &Sources) -> String {
        self.titled(self.type_name(), sources) + "\n"
    }

    fn titled(&self, title: &str, sources: &Sources) -> String {
        let mut out = format!("{title}: {}\n", self.message);
        if let Some(place) = self.loc.and_then(|loc| sources.locate(loc)) {
            excerpt::write(&mut out, &place);
        }
        out
    }
}
