//! Words, numbers and signs of the calls of a test. Line ends mean nothing.
use super::calls::ParseError;
use std::fmt;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An identifier or keyword.
    Word(String),
    /// Decimal digits.
    Number(String),
    /// The bytes behind `0x`.
    HexNumber(Vec<u8>),
    /// `hex"..."`
    Hex(Vec<u8>),
    /// `"..."`, unescaped.
    Text(Vec<u8>),
    /// `->`
    Arrow,
    /// `# ... #`
    Comment,
    /// Anything else.
    Sign(char),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(text) | Token::Number(text) => f.write_str(text),
            Token::HexNumber(bytes) => write!(f, "0x{}", hex::encode(bytes)),
            Token::Hex(bytes) => write!(f, "hex\"{}\"", hex::encode(bytes)),
            Token::Text(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Token::Arrow => f.write_str("->"),
            Token::Comment => f.write_str("# #"),
            Token::Sign(sign) => write!(f, "{sign}"),
        }
    }
}

/// Splits the calls of a test.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '"' => string(rest)?,
            '-' if rest.starts_with("->") => (Token::Arrow, 2),
            // `#1` is an indexed value of an event, `# ... #` a comment.
            '#' => match comment(rest) {
                Some(length) => (Token::Comment, length),
                None => (Token::Sign('#'), 1),
            },
            '0' if rest.starts_with("0x") => {
                let digits = take(&rest[2..], |c| c.is_ascii_hexdigit());
                (Token::HexNumber(bytes(digits)?), 2 + digits.len())
            }
            _ if first.is_ascii_digit() => {
                let digits = take(rest, |c| c.is_ascii_digit());
                (Token::Number(digits.into()), digits.len())
            }
            'h' if rest.starts_with("hex\"") => {
                let digits = take(&rest[4..], |c| c != '"');
                (Token::Hex(bytes(digits)?), 5 + digits.len())
            }
            _ if is_word(first) => {
                let word = take(rest, is_word);
                (Token::Word(word.into()), word.len())
            }
            sign => (Token::Sign(sign), sign.len_utf8()),
        };
        out.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(out)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.')
}

/// Bytes of the comment that the text begins with. A comment ends on its line and begins with a space or a letter.
fn comment(text: &str) -> Option<usize> {
    let line = text.lines().next()?;
    let inner = line[1..].chars().next()?;
    let value = inner.is_ascii_digit()
        || matches!(inner, '"' | '-')
        || ["true", "false", "left(", "right(", "hex\""].iter().any(|word| line[1..].starts_with(word));
    (!value).then_some(())?;
    line[1..].find('#').map(|at| at + 2)
}

fn take(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !belongs(c)).unwrap_or(text.len())]
}

/// Hexadecimal digits, perhaps an odd number of them, perhaps with underscores.
fn bytes(digits: &str) -> Result<Vec<u8>, ParseError> {
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    let even = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
    hex::decode(&even).map_err(|_| ParseError { expected: "hexadecimal digits", found: even })
}

/// A string literal and its length as written.
fn string(text: &str) -> Result<(Token, usize), ParseError> {
    let fault = || ParseError { expected: "a string", found: text.lines().next().unwrap_or_default().into() };
    let raw = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 1;
    loop {
        match *raw.get(at).ok_or_else(fault)? {
            b'"' => return Ok((Token::Text(out), at + 1)),
            b'\\' => {
                let (byte, length) = match *raw.get(at + 1).ok_or_else(fault)? {
                    b'n' => (b'\n', 2),
                    b'r' => (b'\r', 2),
                    b't' => (b'\t', 2),
                    b'0' => (0, 2),
                    b'x' => {
                        let digits = text.get(at + 2..at + 4).ok_or_else(fault)?;
                        (u8::from_str_radix(digits, 16).map_err(|_| fault())?, 4)
                    }
                    other => (other, 2),
                };
                out.push(byte);
                at += length;
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
}
