//! What solc tells in comments: `@src` places and the `@use-src` list of sources. Other tags are ignored.
use super::literal::unescape;
use crate::diagnostic::{Span, Src};

/// Something a comment says.
#[derive(Debug, PartialEq)]
pub(super) enum Annotation {
    /// `@src 0:12:34`: from here on, this is the place; nothing after `-1:-1:-1`.
    Src(Option<Src>),
    /// `@use-src 0:"a.sol", 1:"b.sol"`.
    UseSrc(Vec<(u32, String)>),
}

/// All annotations in the text of a documentation comment.
///
/// # Errors
/// What is wrong with a tag's argument.
pub(super) fn annotations(comment: &str) -> Result<Vec<Annotation>, String> {
    let mut found = Vec::new();
    let mut rest = comment.trim_start();
    while !rest.is_empty() {
        let (word, tail) = split_word(rest);
        rest = tail;
        match word {
            "@src" => {
                let (place, tail) = split_word(rest);
                let src = parse_place(place).ok_or_else(|| {
                    format!("`@src {place}`: expected `index:start:end`, three numbers or -1")
                })?;
                found.push(Annotation::Src(src));
                rest = skip_quoted(tail);
            }
            "@use-src" => {
                let (sources, tail) = parse_sources(rest)
                    .ok_or("`@use-src`: expected a list such as `0:\"a.sol\", 1:\"b.sol\"`")?;
                found.push(Annotation::UseSrc(sources));
                rest = tail.trim_start();
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The first word, and what follows it and the white space behind it.
fn split_word(text: &str) -> (&str, &str) {
    let (word, tail) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, tail.trim_start())
}

/// `index:start:end`, where `-1` stands for unknown; an unknown part makes the whole unknown.
fn parse_place(text: &str) -> Option<Option<Src>> {
    let mut parts = text.split(':').map(|part| match part {
        "-1" => Some(None),
        _ if part.bytes().all(|b| b.is_ascii_digit()) => part.parse::<u32>().ok().map(Some),
        _ => None,
    });
    let (source, start, end) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let known = source.zip(start).zip(end);
    Some(known.map(|((source, start), end)| Src { source, span: Span { start, end: end.max(start) } }))
}

/// The text behind a leading string, whose closing quote may be missing.
fn skip_quoted(text: &str) -> &str {
    let Some(inside) = text.strip_prefix('"') else { return text };
    let end = closing_quote(inside).map_or(inside.len(), |end| end + 1);
    inside[end..].trim_start()
}

/// The offset of the first quote that no backslash escapes.
fn closing_quote(inside: &str) -> Option<usize> {
    let mut escaped = false;
    inside.bytes().position(|byte| {
        let found = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        found
    })
}

/// `N:"name"` any number of times, with commas between.
fn parse_sources(text: &str) -> Option<(Vec<(u32, String)>, &str)> {
    let mut sources = Vec::new();
    let mut rest = text;
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return rest.trim().is_empty().then_some((sources, ""));
    }
    loop {
        let (number, tail) = rest.split_once(':')?;
        let inside = tail.trim_start().strip_prefix('"')?;
        let end = closing_quote(inside)?;
        let name = unescape(&inside[..end]).ok()?;
        sources.push((number.trim().parse().ok()?, String::from_utf8_lossy(&name).into_owned()));
        rest = &inside[end + 1..];
        match rest.trim_start().strip_prefix(',') {
            Some(tail) => rest = tail,
            None => return Some((sources, rest)),
        }
    }
}
