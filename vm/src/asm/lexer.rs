//! Lines to tokens. Knows the shape of a line, nothing of what names mean.
use super::{AsmError, Place};
use crate::word::Word;

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A word of letters, digits and `_`.
    Name(String),
    /// A decimal or `0x` number below 2^256.
    Number(Word),
    /// `[number]` or `[name]`: a slot.
    Slot(Box<Token>),
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Name(n) => write!(f, "`{n}`"),
            Token::Number(w) if w.hi == 0 => write!(f, "the number {}", w.lo),
            Token::Number(w) => write!(f, "the number {w}"),
            Token::Slot(t) => write!(f, "a slot ({t})"),
        }
    }
}

/// An argument and its place.
#[derive(Clone, Debug)]
pub struct Arg {
    /// The token.
    pub token: Token,
    /// Its first character.
    pub place: Place,
}

/// One line of source.
#[derive(Clone, Debug)]
pub struct Line {
    /// `name:` in front.
    pub label: Option<(String, Place)>,
    /// Mnemonic or directive.
    pub head: Option<(String, Place)>,
    /// What follows.
    pub args: Vec<Arg>,
    /// The end of the line.
    pub tail: Place,
}

/// Splits a source into lines; empty ones are left out.
pub fn lines(source: &str) -> Result<Vec<Line>, AsmError> {
    let mut out = Vec::new();
    for (i, text) in source.lines().enumerate() {
        let mut cursor = Cursor { chars: text.chars().collect(), at: 0, line: i + 1 };
        let line = cursor.line()?;
        if line.label.is_some() || line.head.is_some() {
            out.push(line);
        }
    }
    Ok(out)
}

struct Cursor {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Cursor {
    fn place(&self) -> Place {
        Place { line: self.line, column: self.at + 1 }
    }

    /// Skips blanks; at a comment, skips the rest. Answers the next character.
    fn peek(&mut self) -> Option<char> {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        let c = *self.chars.get(self.at)?;
        let slashes = c == '/' && self.chars.get(self.at + 1) == Some(&'/');
        if c == ';' || slashes {
            self.at = self.chars.len();
            return None;
        }
        Some(c)
    }

    fn take_word(&mut self) -> String {
        let start = self.at;
        let part = |c: &char| c.is_ascii_alphanumeric() || *c == '_' || *c == '.';
        while self.chars.get(self.at).is_some_and(part) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn line(&mut self) -> Result<Line, AsmError> {
        let mut line = Line { label: None, head: None, args: Vec::new(), tail: self.place() };
        while self.peek().is_some() && line.head.is_none() {
            let place = self.place();
            let word = self.take_word();
            if word.is_empty() {
                return Err(self.unexpected("a label, an instruction or a directive"));
            }
            if self.peek() == Some(':') && line.label.is_none() {
                self.at += 1;
                name(&word, place)?;
                line.label = Some((word, place));
            } else {
                line.head = Some((word, place));
            }
        }
        // Directives separate by blanks, instructions by commas.
        let directive = line.head.as_ref().is_some_and(|(h, _)| h.starts_with('.'));
        while self.peek().is_some() {
            if !line.args.is_empty() && self.peek() == Some(',') {
                self.at += 1;
            } else if !line.args.is_empty() && !directive {
                return Err(self.unexpected("a comma"));
            }
            let place = self.place();
            line.args.push(Arg { token: self.token()?, place });
        }
        line.tail = self.place();
        Ok(line)
    }

    fn unexpected(&mut self, wanted: &str) -> AsmError {
        let found = self.peek().map_or("the end of the line".into(), |c| format!("`{c}`"));
        AsmError::new(self.place(), format!("found {found}, expected {wanted}"))
    }

    fn token(&mut self) -> Result<Token, AsmError> {
        let bracket = self.peek() == Some('[');
        self.at += usize::from(bracket);
        if self.peek().is_none() {
            return Err(self.unexpected("a number, a name or a [slot]"));
        }
        let place = self.place();
        let word = self.take_word();
        let token = match word.chars().next() {
            None => return Err(self.unexpected("a number, a name or a [slot]")),
            Some(c) if c.is_ascii_digit() => Token::Number(number(&word, place)?),
            Some(_) => Token::Name(name(&word, place)?),
        };
        if !bracket {
            return Ok(token);
        }
        if self.peek() != Some(']') {
            return Err(self.unexpected("`]`"));
        }
        self.at += 1;
        Ok(Token::Slot(Box::new(token)))
    }
}

fn name(word: &str, place: Place) -> Result<String, AsmError> {
    match word.starts_with(|c: char| c.is_ascii_digit()) || word.contains('.') {
        true => Err(AsmError::new(place, format!("`{word}` is no name: expected letters, digits and `_`"))),
        false => Ok(word.to_string()),
    }
}

fn number(word: &str, place: Place) -> Result<Word, AsmError> {
    word.replace('_', "").parse().map_err(|_| {
        AsmError::new(place, format!("`{word}` is no number below 2^256 (decimal, or hex after 0x)"))
    })
}
