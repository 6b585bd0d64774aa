//! The texts that diagnostics point into. Spans come from comments in a text, so none of them is trusted
//! to lie inside it.
use super::{Loc, Span};
use std::collections::BTreeMap;

/// A text with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name to show, usually a path.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// The Yul text of a compilation and the Solidity sources it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    yul: Source,
    solidity: BTreeMap<u32, Source>,
}

/// A range of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The text.
    pub source: &'a Source,
    /// Bytes of it: within the text, ordered, and between characters.
    pub span: Span,
}

impl Sources {
    /// A Yul text, with no Solidity behind it yet.
    pub fn new(yul_name: impl Into<String>, yul_text: impl Into<String>) -> Sources {
        let yul = Source { name: yul_name.into(), text: yul_text.into() };
        Sources { yul, solidity: BTreeMap::new() }
    }

    /// Adds the Solidity source to which solc gave this number, as `@use-src` tells.
    pub fn insert(&mut self, number: u32, name: impl Into<String>, text: impl Into<String>) {
        self.solidity.insert(number, Source { name: name.into(), text: text.into() });
    }

    /// The Yul text.
    pub fn yul(&self) -> &Source {
        &self.yul
    }

    /// The Solidity source of this number.
    pub fn solidity(&self, number: u32) -> Option<&Source> {
        self.solidity.get(&number)
    }

    /// The place an author can act on: in the Solidity if it is known, otherwise in the Yul text. Nothing
    /// if there is no text at all.
    pub fn locate(&self, loc: Loc) -> Option<Place<'_>> {
        let solidity =
            loc.src.and_then(|src| Some(Place::clamped(self.solidity.get(&src.source)?, src.span)));
        solidity.or_else(|| (!self.yul.text.is_empty()).then(|| Place::clamped(&self.yul, loc.yul)))
    }
}

impl<'a> Place<'a> {
    /// The part of `span` that is in the text, widened to whole characters.
    pub fn clamped(source: &'a Source, span: Span) -> Place<'a> {
        let text = source.text.as_str();
        let length = text.len();
        let mut start = (span.start as usize).min(length);
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = (span.end as usize).clamp(start, length);
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Place { source, span: Span { start: narrow(start), end: narrow(end) } }
    }

    /// Line and column of its first character, both counted from one, columns in characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = self.text_before();
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// Everything before it.
    pub(super) fn text_before(&self) -> &'a str {
        self.source.text.get(..self.span.start as usize).unwrap_or_default()
    }

    /// Everything in it.
    pub(super) fn text_within(&self) -> &'a str {
        self.source.text.get(self.span.start as usize..self.span.end as usize).unwrap_or_default()
    }

    /// Everything behind it.
    pub(super) fn text_after(&self) -> &'a str {
        self.source.text.get(self.span.end as usize..).unwrap_or_default()
    }
}
