//! PTX text to statements: words, operands, scopes and labels, with the line each stands on.
//! It knows the grammar only; which instructions exist and what they do is `decode`'s business.

use super::lex::{Token, number, tokens};

/// What is wrong with a PTX text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("PTX line {line}: {what}")]
pub struct PtxError {
    /// Line, counted from one.
    pub line: u32,
    /// What was found there and what was expected.
    pub what: String,
}

/// An operand as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A register, symbol or label, perhaps with a byte offset (`TBL+8`).
    Name(String, i64),
    /// A literal.
    Number(u64),
    /// `!p`.
    Not(Box<Operand>),
    /// `[base+offset]`; no base for an absolute address.
    Address(Option<String>, i64),
    /// `{a, b}`.
    Vector(Vec<Operand>),
    /// `d|p`.
    Pair(Box<Operand>, Box<Operand>),
    /// `(a, b)`, of calls.
    List(Vec<Operand>),
}

/// A declared variable of a state space.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// `param`, `local`, `shared`, `global` or `const`.
    pub space: String,
    pub name: String,
    pub align: u64,
    /// Size in bytes; zero for `extern` arrays of open size.
    pub bytes: u64,
    /// Initial bytes, shorter than `bytes` if the rest is zero.
    pub init: Vec<u8>,
    pub external: bool,
    pub line: u32,
}

/// One statement of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    Open,
    Close,
    /// `.reg .b32 %r<41>`: name, how many (none: the name itself), bits.
    Registers(String, Option<u32>, u32),
    Variable(Variable),
    Label(String, u32),
    /// The targets of a `brx.idx`, under the label that stands before them.
    Targets(String, Vec<String>),
    Instruction {
        /// Predicate and whether it is negated.
        guard: Option<(String, bool)>,
        /// Base name and modifiers, split at the dots.
        parts: Vec<String>,
        operands: Vec<Operand>,
        line: u32,
    },
}

/// A kernel or device function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub name: String,
    pub entry: bool,
    pub returns: Vec<Variable>,
    pub params: Vec<Variable>,
    /// `.maxntid` or `.reqntid`, if given.
    pub max_threads: Option<u32>,
    /// None for a declaration.
    pub body: Option<Vec<Statement>>,
    pub line: u32,
}

/// One PTX text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Module {
    pub variables: Vec<Variable>,
    pub functions: Vec<Function>,
}

/// Bits of a type name such as `.b32`; one for predicates.
pub fn type_bits(name: &str) -> Option<u32> {
    let name = name.strip_prefix('.').unwrap_or(name);
    match name {
        "pred" => Some(1),
        _ if name.len() >= 2 && name.starts_with(['b', 'u', 's', 'f']) => {
            name[1..].parse().ok().filter(|bits| matches!(bits, 8 | 16 | 32 | 64 | 128))
        }
        _ => None,
    }
}

struct Parser {
    tokens: Vec<(Token, u32)>,
    at: usize,
}

impl Parser {
    fn line(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |t| t.1)
    }
    fn fail<T>(&self, what: impl Into<String>) -> Result<T, PtxError> {
        Err(PtxError { line: self.line(), what: what.into() })
    }
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|t| &t.0)
    }
    fn is(&self, mark: char) -> bool {
        self.peek() == Some(&Token::Mark(mark))
    }
    fn eat(&mut self, mark: char) -> bool {
        let found = self.is(mark);
        self.at += usize::from(found);
        found
    }
    fn expect(&mut self, mark: char) -> Result<(), PtxError> {
        if self.eat(mark) {
            return Ok(());
        }
        self.fail(format!("`{mark}` expected, {:?} found", self.peek()))
    }
    fn word(&mut self) -> Result<String, PtxError> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            other => self.fail(format!("a word expected, {other:?} found")),
        }
    }
    /// The next word, if it is a word.
    fn peek_word(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }
    fn integer(&mut self) -> Result<u64, PtxError> {
        let negative = self.eat('-');
        let word = self.word()?;
        match number(&word) {
            Some(value) if negative => Ok(value.wrapping_neg()),
            Some(value) => Ok(value),
            None => self.fail(format!("a whole number expected, `{word}` found")),
        }
    }
    fn skip_line(&mut self) {
        let line = self.line();
        while self.at < self.tokens.len() && self.line() == line {
            self.at += 1;
        }
    }

    fn module(&mut self) -> Result<Module, PtxError> {
        let mut module = Module::default();
        let mut external = false;
        while self.at < self.tokens.len() {
            if self.eat(';') {
                continue;
            }
            match self.word()?.as_str() {
                ".version" | ".target" | ".address_size" | ".file" | ".loc" => {
                    self.at -= 1;
                    self.skip_line();
                }
                ".extern" => external = true,
                ".visible" | ".weak" | ".common" => {}
                ".pragma" => {
                    while !self.eat(';') && self.peek().is_some() {
                        self.at += 1
                    }
                }
                ".section" => {
                    while !self.eat('}') && self.peek().is_some() {
                        self.at += 1;
                    }
                }
                space @ (".global" | ".const" | ".shared") => {
                    let variable = self.variable(&space[1..], external)?;
                    module.variables.push(variable);
                    self.expect(';')?;
                    external = false;
                }
                kind @ (".func" | ".entry") => {
                    let function = self.function(kind == ".entry")?;
                    module.functions.push(function);
                    external = false;
                }
                other => return self.fail(format!("directive `{other}` is not known")),
            }
        }
        Ok(module)
    }

    /// What follows `.param`, `.shared` and so on: alignment, type, name, size, initial value.
    fn variable(&mut self, space: &str, external: bool) -> Result<Variable, PtxError> {
        let line = self.line();
        let (mut align, mut bits) = (0, None);
        let name = loop {
            let word = self.word()?;
            match word.as_str() {
                ".align" => align = self.integer()?,
                ".ptr" | ".global" | ".const" | ".shared" | ".local" | ".attribute" => {}
                _ if word.starts_with('.') => match type_bits(&word) {
                    Some(found) => bits = Some(found),
                    None => return self.fail(format!("`{word}` is not a type")),
                },
                _ => break word,
            }
        };
        let element = u64::from(bits.unwrap_or(8)).div_ceil(8);
        let mut bytes = element;
        while self.eat('[') {
            let count = if self.is(']') { 0 } else { self.integer()? };
            self.expect(']')?;
            bytes *= count;
        }
        let mut init = Vec::new();
        if self.eat('=') {
            let mut depth = 0;
            loop {
                if self.eat('{') {
                    depth += 1;
                } else if self.eat('}') {
                    depth -= 1;
                } else if !self.eat(',') {
                    let value = self.integer()?;
                    init.extend_from_slice(&value.to_le_bytes()[..element as usize]);
                }
                if depth == 0 && !self.is(',') {
                    break;
                }
            }
        }
        Ok(Variable { space: space.into(), name, align: align.max(element), bytes, init, external, line })
    }

    fn params(&mut self) -> Result<Vec<Variable>, PtxError> {
        let mut params = Vec::new();
        self.expect('(')?;
        while !self.eat(')') {
            match self.word()?.as_str() {
                ".param" => params.push(self.variable("param", false)?),
                other => return self.fail(format!("`.param` expected, `{other}` found")),
            }
            self.eat(',');
        }
        Ok(params)
    }

    fn function(&mut self, entry: bool) -> Result<Function, PtxError> {
        let returns = if self.is('(') { self.params()? } else { Vec::new() };
        let line = self.line();
        let name = self.word()?;
        let params = if self.is('(') { self.params()? } else { Vec::new() };
        let mut max_threads = None;
        loop {
            if self.eat(';') {
                return Ok(Function { name, entry, returns, params, max_threads, body: None, line });
            }
            if self.is('{') {
                break;
            }
            match self.word()?.as_str() {
                ".maxntid" | ".reqntid" => {
                    let mut threads = self.integer()? as u32;
                    while self.eat(',') {
                        threads *= self.integer()? as u32;
                    }
                    max_threads = Some(threads);
                }
                ".minnctapersm" | ".maxnreg" => {
                    self.integer()?;
                }
                ".noreturn" => {}
                ".pragma" => {
                    while !self.eat(';') && self.peek().is_some() {
                        self.at += 1
                    }
                }
                other => return self.fail(format!("directive `{other}` of a function is not known")),
            }
        }
        let body = self.body()?;
        Ok(Function { name, entry, returns, params, max_threads, body: Some(body), line })
    }

    fn body(&mut self) -> Result<Vec<Statement>, PtxError> {
        let mut out = Vec::new();
        let mut depth = 0;
        loop {
            if self.eat('{') {
                depth += 1;
                out.push(Statement::Open);
            } else if self.eat('}') {
                depth -= 1;
                out.push(Statement::Close);
                if depth == 0 {
                    return Ok(out);
                }
            } else if !self.eat(';') {
                self.statement(&mut out)?;
            }
        }
    }

    fn statement(&mut self, out: &mut Vec<Statement>) -> Result<(), PtxError> {
        let line = self.line();
        let mut guard = None;
        if self.eat('@') {
            let negated = self.eat('!');
            guard = Some((self.word()?, negated));
        }
        let word = self.word()?;
        if self.eat(':') {
            if self.peek_word() == Some(".branchtargets") {
                self.at += 1;
                let mut targets = Vec::new();
                while !self.eat(';') {
                    targets.push(self.word()?);
                    self.eat(',');
                }
                out.push(Statement::Targets(word, targets));
            } else {
                out.push(Statement::Label(word, line));
            }
            return Ok(());
        }
        match word.as_str() {
            ".reg" => return self.registers(out),
            ".loc" => {
                self.at -= 1;
                self.skip_line();
                return Ok(());
            }
            ".pragma" => {
                while !self.eat(';') && self.peek().is_some() {
                    self.at += 1;
                }
                return Ok(());
            }
            ".param" | ".local" | ".shared" | ".global" | ".const" => {
                out.push(Statement::Variable(self.variable(&word[1..], false)?));
                return self.expect(';');
            }
            _ if word.starts_with('.') => return self.fail(format!("directive `{word}` is not known")),
            _ => {}
        }
        let mut operands = Vec::new();
        while !self.eat(';') {
            operands.push(self.operand()?);
            if !self.is(';') {
                self.expect(',')?;
            }
        }
        let parts = word.split('.').map(String::from).collect();
        out.push(Statement::Instruction { guard, parts, operands, line });
        Ok(())
    }

    fn registers(&mut self, out: &mut Vec<Statement>) -> Result<(), PtxError> {
        let kind = self.word()?;
        let Some(bits) = type_bits(&kind) else {
            return self.fail(format!("`{kind}` is not a register type"));
        };
        while !self.eat(';') {
            let name = self.word()?;
            let mut count = None;
            if self.eat('<') {
                count = Some(self.integer()? as u32);
                self.expect('>')?;
            }
            out.push(Statement::Registers(name, count, bits));
            self.eat(',');
        }
        Ok(())
    }

    fn offset(&mut self) -> Result<i64, PtxError> {
        let mut sum = 0i64;
        loop {
            if self.eat('+') || self.is('-') {
                sum = sum.wrapping_add(self.integer()? as i64);
            } else {
                return Ok(sum);
            }
        }
    }

    fn group(&mut self, end: char) -> Result<Vec<Operand>, PtxError> {
        let mut all = Vec::new();
        while !self.eat(end) {
            all.push(self.operand()?);
            self.eat(',');
        }
        Ok(all)
    }

    fn operand(&mut self) -> Result<Operand, PtxError> {
        if self.eat('!') {
            return Ok(Operand::Not(Box::new(self.operand()?)));
        }
        if self.eat('{') {
            return Ok(Operand::Vector(self.group('}')?));
        }
        if self.eat('(') {
            return Ok(Operand::List(self.group(')')?));
        }
        if self.eat('[') {
            let base = match self.peek_word() {
                Some(word) if number(word).is_none() => Some(self.word()?),
                Some(_) => None,
                None => None,
            };
            let mut offset = 0;
            if base.is_none() {
                offset = self.integer()? as i64;
            }
            offset = offset.wrapping_add(self.offset()?);
            self.expect(']')?;
            return Ok(Operand::Address(base, offset));
        }
        if self.is('-') || self.peek_word().is_some_and(|word| number(word).is_some()) {
            return Ok(Operand::Number(self.integer()?));
        }
        let name = self.word()?;
        if self.eat('|') {
            let second = self.operand()?;
            return Ok(Operand::Pair(Box::new(Operand::Name(name, 0)), Box::new(second)));
        }
        let offset = self.offset()?;
        Ok(Operand::Name(name, offset))
    }
}

/// Parses one PTX text.
///
/// # Errors
/// [`PtxError`] with the line of the first thing that is not PTX as `nvcc` and NVRTC write it.
pub fn parse(text: &str) -> Result<Module, PtxError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    parser.module()
}
