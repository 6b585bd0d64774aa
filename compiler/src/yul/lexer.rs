//! Yul's words, with the Solidity place that the comments before each of them give.
use super::comment::{Annotation, annotations};
use super::{fault, literal};
use crate::diagnostic::{Diagnostic, Kind, Loc, Span, Src};
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub kind: TokenKind<'a>,
    pub loc: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind<'a> {
    Identifier(&'a str),
    /// Decimal digits, or `0x` and hex digits.
    Number(&'a str),
    /// The bytes of `"..."` or `'...'`.
    String(Vec<u8>),
    /// The bytes of `hex"..."`.
    Hex(Vec<u8>),
    /// A reserved word or a mark, as it is written.
    Fixed(&'static str),
    End,
}

/// Words that are never identifiers.
const KEYWORDS: &[&str] = &[
    "function", "let", "if", "switch", "case", "default", "for", "break", "continue", "leave", "true",
    "false", "hex",
];

/// Marks; longer ones before their beginnings.
const MARKS: &[&str] = &[":=", "->", "{", "}", "(", ")", ",", ":"];

impl fmt::Display for TokenKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenKind::Identifier(name) => write!(f, "`{}`", shortened(name)),
            TokenKind::Number(digits) => write!(f, "the number {}", shortened(digits)),
            TokenKind::String(_) => f.write_str("a string"),
            TokenKind::Hex(_) => f.write_str("a hex string"),
            TokenKind::Fixed(text) => write!(f, "`{text}`"),
            TokenKind::End => f.write_str("the end of the text"),
        }
    }
}

/// The text for a message: a very long one is cut.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_string(),
    }
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// The `@src` in force.
    src: Option<Src>,
    /// `@use-src` of the comments before the token read last.
    sources: Vec<(u32, String)>,
}

impl<'a> Lexer<'a> {
    /// Starts at the beginning of a text of at most [`super::MAX_LENGTH`] bytes.
    pub fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: 0, src: None, sources: Vec::new() }
    }

    /// Takes the `@use-src` list that stands before the token read last.
    pub fn take_sources(&mut self) -> Vec<(u32, String)> {
        std::mem::take(&mut self.sources)
    }

    /// Forgets the `@src` in force.
    pub fn forget_src(&mut self) {
        self.src = None;
    }

    /// The next token; [`TokenKind::End`] at the end, again and again.
    pub fn next(&mut self) -> Result<Token<'a>, Diagnostic> {
        self.sources.clear();
        self.skip_blanks()?;
        let start = self.at;
        let kind = match self.rest().chars().next() {
            None => TokenKind::End,
            Some('0'..='9') => self.number()?,
            Some('"' | '\'') => {
                let inside = self.quoted()?;
                let bytes = literal::unescape(inside).map_err(|(offset, message)| {
                    let at = start + 1 + offset;
                    fault(Kind::Parser, self.loc(at, at + 1), message)
                })?;
                TokenKind::String(bytes)
            }
            Some(c) if is_identifier_start(c) => self.word()?,
            Some(c) => match MARKS.iter().find(|mark| self.rest().starts_with(**mark)) {
                Some(mark) => {
                    self.at += mark.len();
                    TokenKind::Fixed(mark)
                }
                None => {
                    let message = format!("`{}` is no part of Yul", c.escape_default());
                    return Err(fault(Kind::Parser, self.loc(start, start + c.len_utf8()), message));
                }
            },
        };
        Ok(Token { kind, loc: self.loc(start, self.at) })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Positions are below `MAX_LENGTH`, so they fit.
    fn loc(&self, start: usize, end: usize) -> Loc {
        Loc { yul: Span { start: start as u32, end: end as u32 }, src: self.src }
    }

    /// Skips white space and comments, and minds what documentation comments say.
    fn skip_blanks(&mut self) -> Result<(), Diagnostic> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            self.at += rest.len() - trimmed.len();
            let start = self.at;
            let comment = if trimmed.starts_with("//") {
                let length = trimmed.find(is_line_end).unwrap_or(trimmed.len());
                self.at += length;
                trimmed[2..length].strip_prefix('/')
            } else if let Some(inside) = trimmed.strip_prefix("/*") {
                let Some(length) = inside.find("*/") else {
                    let loc = self.loc(start, start + 2);
                    return Err(fault(Kind::Parser, loc, "a comment that no `*/` ends"));
                };
                self.at += length + 4;
                inside[..length].strip_prefix('*')
            } else {
                return Ok(());
            };
            if let Some(comment) = comment.filter(|comment| comment.contains('@')) {
                self.annotate(comment, start)?;
            }
        }
    }

    fn annotate(&mut self, comment: &str, start: usize) -> Result<(), Diagnostic> {
        let found =
            annotations(comment).map_err(|message| fault(Kind::Parser, self.loc(start, self.at), message))?;
        for annotation in found {
            match annotation {
                Annotation::Src(src) => self.src = src,
                Annotation::UseSrc(sources) => self.sources = sources,
            }
        }
        Ok(())
    }

    /// An identifier, a keyword or a hex literal.
    fn word(&mut self) -> Result<TokenKind<'a>, Diagnostic> {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c| !is_identifier_part(c)).unwrap_or(rest.len());
        let word = &rest[..length];
        self.at += length;
        if word == "hex" && self.rest().starts_with(['"', '\'']) {
            let inside = self.quoted()?;
            let message = "a hex literal takes pairs of hex digits, single underscores between them at most";
            let bytes = literal::unhex(inside)
                .ok_or_else(|| fault(Kind::Parser, self.loc(start, self.at), message))?;
            return Ok(TokenKind::Hex(bytes));
        }
        Ok(match KEYWORDS.iter().find(|keyword| **keyword == word) {
            Some(keyword) => TokenKind::Fixed(keyword),
            None => TokenKind::Identifier(word),
        })
    }

    fn number(&mut self) -> Result<TokenKind<'a>, Diagnostic> {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c| !is_identifier_part(c)).unwrap_or(rest.len());
        let number = &rest[..length];
        self.at += length;
        let digits =
            |digits: &str, all: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(all);
        let message = match number.strip_prefix("0x") {
            Some(hex) if digits(hex, u8::is_ascii_hexdigit) => return Ok(TokenKind::Number(number)),
            Some(_) => "expected hex digits and nothing else behind `0x`",
            None if !digits(number, u8::is_ascii_digit) => {
                "a number takes decimal digits only, or `0x` and hex digits"
            }
            None if number.len() > 1 && number.starts_with('0') => "a decimal number must not begin with 0",
            None => return Ok(TokenKind::Number(number)),
        };
        let message = format!("`{}`: {message}", shortened(number));
        Err(fault(Kind::Parser, self.loc(start, self.at), message))
    }

    /// The inside of the string that starts here with a quote of either kind.
    fn quoted(&mut self) -> Result<&'a str, Diagnostic> {
        let start = self.at;
        let (quote, inside) = self.rest().split_at(1);
        let mut characters = inside.char_indices();
        while let Some((offset, c)) = characters.next() {
            let at = start + 1 + offset;
            match c {
                '\\' => {
                    // Whatever is escaped does not end the string; a `\r\n` counts as one.
                    let escaped = characters.next();
                    if escaped.is_some_and(|(_, c)| c == '\r') && characters.as_str().starts_with('\n') {
                        characters.next();
                    }
                }
                _ if quote.starts_with(c) => {
                    self.at = at + 1;
                    return Ok(&inside[..offset]);
                }
                '\n' | '\r' => break,
                ' '..='~' => {}
                _ => {
                    let message = format!(
                        "`{}` in a string: only printable ASCII stands for itself; write \\x or \\u for the rest",
                        c.escape_default()
                    );
                    return Err(fault(Kind::Parser, self.loc(at, at + c.len_utf8()), message));
                }
            }
        }
        let loc = self.loc(start, start + 1);
        Err(fault(Kind::Parser, loc, "a string without its closing quote in the same line"))
    }
}

fn is_identifier_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == '$'
}

fn is_identifier_part(c: char) -> bool {
    is_identifier_start(c) || c.is_ascii_digit() || c == '.'
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}
