//! The text assembler: one instruction per line, labels, page constants, named slots and numbers.
//! It either yields exactly the words the text names or an error with line and column; it never guesses.
//!
//! ```text
//! ; comment
//! .const TRANSFER 0xa9059cbb      ; a 256-bit constant of the page, for `const d, TRANSFER`
//! .equ WORD 32                    ; a number
//! .slot amount 3                  ; a name for slot 3; without a number: the next free one, from 1
//! .word 0x0000000000000000        ; a raw 64-bit word
//! again:  addi [5], amount, WORD
//!         jlt [5], amount, again
//! ```
mod encode;
mod lexer;

use crate::code::CodeError;
use crate::isa::{MAX_PAGE, PAGE_UNIT};
use crate::trace::Page;
use crate::word::Word;
use lexer::{Line, Token};
use std::collections::HashMap;

/// A place in the source, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// What is wrong with the source, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {message}", place.line, place.column)]
pub struct AsmError {
    /// Where.
    pub place: Place,
    /// What was found and what was expected.
    pub message: String,
}

impl AsmError {
    fn new(place: Place, message: impl Into<String>) -> AsmError {
        AsmError { place, message: message.into() }
    }
}

/// Names defined so far.
#[derive(Default)]
pub(crate) struct Names {
    labels: HashMap<String, usize>,
    slots: HashMap<String, u64>,
    numbers: HashMap<String, Word>,
    constants: HashMap<String, usize>,
    /// Values of the page constants, in order of definition, each once.
    pool: Vec<Word>,
    /// Index of the first constant: words of code / 4, rounded up.
    first_constant: usize,
    next_slot: u64,
}

/// Assembles a source to its words, constants behind the code on a multiple of four, padded to whole twelves.
///
/// # Errors
/// The first fault of the source, with line and column.
pub fn assemble_words(source: &str) -> Result<Vec<u64>, AsmError> {
    let lines = lexer::lines(source)?;
    let mut names = Names { next_slot: 1, ..Names::default() };
    let mut pc = 0;
    for line in &lines {
        pc += names.define(line, pc)?;
    }
    names.first_constant = pc.div_ceil(4);
    let mut words = Vec::with_capacity(pc);
    for line in &lines {
        if let Some(word) = encode::statement(line, words.len(), &names)? {
            words.push(word);
        }
    }
    if !names.pool.is_empty() {
        words.resize(names.first_constant * 4, 0);
    }
    for c in &names.pool {
        words.extend([c.lo as u64, (c.lo >> 64) as u64, c.hi as u64, (c.hi >> 64) as u64]);
    }
    words.resize(words.len().next_multiple_of(PAGE_UNIT), 0);
    let end = Place { line: source.lines().count().max(1), column: 1 };
    match words.len() {
        0 => Err(AsmError::new(end, "no instructions; expected at least one")),
        n if n > MAX_PAGE => {
            Err(AsmError::new(end, format!("{n} words with constants, a page holds {MAX_PAGE}")))
        }
        _ => Ok(words),
    }
}

/// Assembles a source to a page.
///
/// # Errors
/// As [`assemble_words`].
pub fn assemble(source: &str) -> Result<Page, AsmError> {
    let words = assemble_words(source)?;
    let fault = |e: CodeError| AsmError::new(Place { line: 1, column: 1 }, e.to_string());
    Page::new(words).map_err(fault)
}

impl Names {
    /// First pass over one line: its definitions, and how many words it makes.
    fn define(&mut self, line: &Line, pc: usize) -> Result<usize, AsmError> {
        if let Some((name, place)) = &line.label
            && self.labels.insert(name.clone(), pc).is_some()
        {
            return Err(AsmError::new(*place, format!("label `{name}` is defined twice")));
        }
        let Some((head, place)) = &line.head else { return Ok(0) };
        match head.as_str() {
            ".const" => self.define_constant(line).map(|()| 0),
            ".equ" => {
                let (name, at) = line.name(0, "a name")?;
                let value = line.number(1, self)?;
                self.fresh(&name, at)?;
                self.numbers.insert(name, value);
                line.end(2).map(|()| 0)
            }
            ".slot" => self.define_slot(line).map(|()| 0),
            ".word" => Ok(1),
            h if h.starts_with('.') => {
                Err(AsmError::new(*place, format!("`{h}`: expected .const, .equ, .slot or .word")))
            }
            _ => Ok(1),
        }
    }

    fn define_constant(&mut self, line: &Line) -> Result<(), AsmError> {
        let (name, at) = line.name(0, "a name")?;
        let value = line.number(1, self)?;
        line.end(2)?;
        self.fresh(&name, at)?;
        let index = self.pool.iter().position(|c| *c == value).unwrap_or(self.pool.len());
        if index == self.pool.len() {
            self.pool.push(value);
        }
        self.constants.insert(name, index);
        Ok(())
    }

    fn define_slot(&mut self, line: &Line) -> Result<(), AsmError> {
        let (name, at) = line.name(0, "a name")?;
        let slot = match line.args.get(1) {
            None => self.next_slot,
            Some(arg) => {
                let value = line.number(1, self)?;
                let fits = value.hi == 0 && value.lo < 1 << 14;
                fits.then_some(value.lo as u64)
                    .ok_or_else(|| AsmError::new(arg.place, "slot beyond 16383; expected 0..16383"))?
            }
        };
        line.end(2)?;
        self.fresh(&name, at)?;
        self.next_slot = self.next_slot.max(slot + 1);
        self.slots.insert(name, slot);
        Ok(())
    }

    fn fresh(&self, name: &str, place: Place) -> Result<(), AsmError> {
        let taken = self.numbers.contains_key(name)
            || self.slots.contains_key(name)
            || self.constants.contains_key(name);
        match taken {
            true => Err(AsmError::new(place, format!("`{name}` is defined twice"))),
            false => Ok(()),
        }
    }
}

impl Line {
    fn name(&self, i: usize, what: &str) -> Result<(String, Place), AsmError> {
        match self.args.get(i) {
            Some(lexer::Arg { token: Token::Name(n), place }) => Ok((n.clone(), *place)),
            Some(arg) => Err(AsmError::new(arg.place, format!("found {}, expected {what}", arg.token))),
            None => Err(AsmError::new(self.tail, format!("the line ends, expected {what}"))),
        }
    }

    fn number(&self, i: usize, names: &Names) -> Result<Word, AsmError> {
        match self.args.get(i) {
            Some(lexer::Arg { token: Token::Number(n), .. }) => Ok(*n),
            Some(lexer::Arg { token: Token::Name(n), place }) => {
                names.numbers.get(n).copied().ok_or_else(|| {
                    AsmError::new(*place, format!("`{n}` is no number; define it with .equ before"))
                })
            }
            Some(arg) => Err(AsmError::new(arg.place, format!("found {}, expected a number", arg.token))),
            None => Err(AsmError::new(self.tail, "the line ends, expected a number")),
        }
    }

    fn end(&self, count: usize) -> Result<(), AsmError> {
        match self.args.get(count) {
            Some(arg) => {
                Err(AsmError::new(arg.place, format!("found {}, expected the end of the line", arg.token)))
            }
            None => Ok(()),
        }
    }
}
