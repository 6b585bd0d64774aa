//! PTX text to words and marks, each with its line. Comments and white space end here.

use super::parse::PtxError;

/// What a text is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Word(String),
    Text,
    Mark(char),
}

/// Splits the text; every token carries its line.
pub fn tokens(text: &str) -> Result<Vec<(Token, u32)>, PtxError> {
    let bytes = text.as_bytes();
    let (mut at, mut line, mut out) = (0, 1u32, Vec::new());
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'%' | b'.');
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => {
                line += 1;
                at += 1;
            }
            b' ' | b'\t' | b'\r' | 0 => at += 1,
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    at += 1;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let end = text[at..].find("*/").map_or(bytes.len(), |n| at + n + 2);
                line += text[at..end].matches('\n').count() as u32;
                at = end;
            }
            b'"' => {
                let end = text[at + 1..].find('"').map(|n| at + n + 2);
                at = end.ok_or(PtxError { line, what: "a string is not closed".into() })?;
                out.push((Token::Text, line));
            }
            b if word(b) => {
                let from = at;
                while at < bytes.len() {
                    if word(bytes[at]) {
                        at += 1;
                    } else if bytes[at..].starts_with(b"::") {
                        at += 2;
                    } else {
                        break;
                    }
                }
                out.push((Token::Word(text[from..at].into()), line));
            }
            b if b.is_ascii_punctuation() => {
                out.push((Token::Mark(b as char), line));
                at += 1;
            }
            b => return Err(PtxError { line, what: format!("byte {b:#x} has no meaning in PTX") }),
        }
    }
    Ok(out)
}

/// The value of a literal: decimal, hexadecimal, octal or binary, perhaps with the suffix `U`.
pub fn number(word: &str) -> Option<u64> {
    let word = word.strip_suffix(['U', 'u']).unwrap_or(word);
    let (digits, radix) = match word.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&word[2..], 16),
        [b'0', b'b' | b'B', ..] => (&word[2..], 2),
        [b'0', _, ..] => (&word[1..], 8),
        _ => (word, 10),
    };
    u64::from_str_radix(digits, radix).ok()
}
