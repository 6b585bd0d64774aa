//! Lines of a source with carets under a place, as solc draws them.
use super::Place;
use std::fmt::Write;

/// A line or a marked part of more characters than this is shortened.
const LONG: usize = 150;

/// How many characters stay on each side of what is left out.
const KEPT: usize = 35;

/// Appends the place's name, line and column, and the line with the place marked.
pub(super) fn write(out: &mut String, place: &Place<'_>) {
    let (line, column) = place.line_and_column();
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let excerpt = Excerpt::new(place);
    let Excerpt { before, marked, after, .. } = &excerpt;
    let indent = blank(before, ' ');
    let carets = excerpt.carets();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{margin}--> {}:{line}:{column}:", place.source.name);
    let _ = writeln!(out, "{margin} |");
    let _ = writeln!(out, "{number} | {before}{marked}{after}");
    let _ = writeln!(out, "{margin} | {indent}{carets}");
}

/// The line where a place starts, in three parts.
struct Excerpt {
    before: String,
    marked: String,
    after: String,
    /// The place goes on in the next line.
    continues: bool,
}

impl Excerpt {
    fn new(place: &Place<'_>) -> Excerpt {
        let before = place.text_before();
        let before = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
        let (marked, after, continues) = match place.text_within().split_once('\n') {
            Some((first, _)) => (first, "", true),
            None => {
                let after = place.text_after();
                (place.text_within(), after.split_once('\n').map_or(after, |(line, _)| line), false)
            }
        };
        let (marked, after) = if after.is_empty() {
            (marked.strip_suffix('\r').unwrap_or(marked), after)
        } else {
            (marked, after.strip_suffix('\r').unwrap_or(after))
        };
        Excerpt::shortened(before, marked, after, continues)
    }

    /// Leaves out the middle of a long marked part, and the far ends of a long line.
    fn shortened(before: &str, marked: &str, after: &str, continues: bool) -> Excerpt {
        let marked = match marked.chars().count() {
            length if length > LONG => {
                format!("{} ... {}", first(marked, KEPT), last(marked, KEPT))
            }
            _ => marked.to_string(),
        };
        let length = [before, &marked, after].iter().map(|part| part.chars().count()).sum::<usize>();
        let (mut before, mut after) = (before.to_string(), after.to_string());
        if length > LONG {
            if before.chars().count() > KEPT {
                before = format!(" ... {}", last(&before, KEPT));
            }
            if after.chars().count() > KEPT {
                after = format!("{} ...", first(&after, KEPT));
            }
        }
        Excerpt { before, marked, after, continues }
    }

    fn carets(&self) -> String {
        if self.continues {
            "^ (Relevant source part starts here and spans across multiple lines).".to_string()
        } else if self.marked.is_empty() {
            "^".to_string()
        } else {
            blank(&self.marked, '^')
        }
    }
}

/// The text with every character but tabs replaced, so that it is as wide as before.
fn blank(text: &str, with: char) -> String {
    text.chars().map(|c| if c == '\t' { c } else { with }).collect()
}

fn first(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(at, _)| &text[..at])
}

fn last(text: &str, count: usize) -> &str {
    let start = text.char_indices().rev().nth(count.saturating_sub(1));
    start.map_or(text, |(at, _)| &text[at..])
}
