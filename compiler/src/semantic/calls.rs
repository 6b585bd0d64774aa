//! The calls of a test and what they must give.
//!
//! ```text
//! constructor(), 1 ether: 5 ->
//! f(uint256,bytes): 1, 0x40, "abc" -> FAILURE, hex"4e487b71", 0x11
//! ~ emit E(uint256): #1, 2
//! balance -> 1000000000000000000
//! ```
use crate::semantic::lexer::{self, Token};
use lathe_vm::word::Word;
use sha3::{Digest, Keccak256};

/// A line that does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// Whether it must fail.
    pub failure: bool,
    /// What it must give back, encoded.
    pub output: Vec<u8>,
    /// The logs it must leave.
    pub logs: Vec<Log>,
    /// The line as written, for reports.
    pub text: String,
}

/// What a line does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Deploys the tested contract.
    Construct {
        /// Wei sent along.
        value: Word,
        /// Encoded arguments.
        arguments: Vec<u8>,
    },
    /// Deploys a library of this name.
    Library(String),
    /// Calls the tested contract.
    Call {
        /// Wei sent along.
        value: Word,
        /// Calldata.
        data: Vec<u8>,
        /// The signature, none for a call with bare data.
        signature: Option<String>,
    },
    /// Asks for a balance; of the tested contract if no address is named.
    Balance(Option<[u8; 20]>),
    /// Asks whether the tested contract's storage is empty.
    StorageEmpty,
    /// Chooses the sender.
    Account(u64),
    /// A function of isoltest itself; there is nothing to test.
    Builtin(String),
}

/// An event that must be emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// By whom; the tested contract if nobody is named.
    pub address: Option<[u8; 20]>,
    /// Topics, the event's hash included.
    pub topics: Vec<Word>,
    /// Data.
    pub data: Vec<u8>,
}

/// Text that is no call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{expected} was expected, not {found}")]
pub struct ParseError {
    /// What belongs here.
    pub expected: &'static str,
    /// What stands here.
    pub found: String,
}

/// Reads all calls of a test.
///
/// # Errors
/// The first place that is not understood.
pub fn parse(text: &str) -> Result<Vec<Step>, ParseError> {
    let mut parser = Parser { tokens: lexer::tokens(text)?, at: 0 };
    let mut steps: Vec<Step> = Vec::new();
    loop {
        parser.comments();
        match parser.peek() {
            None => return Ok(steps),
            Some(Token::Word(word)) if word == "gas" => parser.gas()?,
            Some(Token::Sign('~')) => {
                let log = parser.log()?;
                let step = steps.last_mut().ok_or_else(|| parser.fault("a call before the first event"))?;
                step.logs.extend(log);
            }
            Some(_) => steps.push(parser.step()?),
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn fault(&self, expected: &'static str) -> ParseError {
        ParseError { expected, found: self.peek().map_or("the end".into(), |token| format!("{token}")) }
    }

    fn accept(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: char, name: &'static str) -> Result<(), ParseError> {
        if self.accept(&Token::Sign(sign)) { Ok(()) } else { Err(self.fault(name)) }
    }

    fn word(&mut self, wanted: &str) -> bool {
        self.accept(&Token::Word(wanted.into()))
    }

    fn comments(&mut self) {
        while matches!(self.peek(), Some(Token::Comment)) {
            self.at += 1;
        }
    }

    /// `gas irOptimized code: 123`: costs are the EVM's affair.
    fn gas(&mut self) -> Result<(), ParseError> {
        while matches!(self.peek(), Some(Token::Word(_))) {
            self.at += 1;
        }
        self.sign(':', "`:`")?;
        match self.next() {
            Some(Token::Number(_)) => Ok(()),
            _ => Err(self.fault("a number")),
        }
    }

    fn step(&mut self) -> Result<Step, ParseError> {
        let first = self.at;
        let mut action = self.action()?;
        let value = if self.accept(&Token::Sign(',')) { self.wei()? } else { Word::ZERO };
        let arguments = if self.accept(&Token::Sign(':')) { self.values()?.1 } else { Vec::new() };
        action.complete(value, arguments);
        self.comments();
        let (failure, output) = if self.accept(&Token::Arrow) { self.values()? } else { (false, Vec::new()) };
        let tokens = self.tokens[first..self.at.min(self.tokens.len())].iter();
        let text = tokens.map(ToString::to_string).collect::<Vec<_>>().join(" ");
        self.comments();
        Ok(Step { action, failure, output, logs: Vec::new(), text })
    }

    fn action(&mut self) -> Result<Action, ParseError> {
        if self.word("library") {
            self.sign(':', "`:`")?;
            if let Some(Token::Text(_)) = self.peek() {
                self.at += 1;
                self.sign(':', "`:`")?;
            }
            return match self.next() {
                Some(Token::Word(name)) => Ok(Action::Library(name)),
                _ => Err(self.fault("the name of a library")),
            };
        }
        let name = match self.peek() {
            Some(Token::Word(name)) => Some(name.clone()),
            Some(Token::Sign('(')) => None,
            _ => return Err(self.fault("a call")),
        };
        self.at += usize::from(name.is_some());
        if self.peek() != Some(&Token::Sign('(')) {
            return Ok(match name.unwrap_or_default() {
                name if name == "balance" => Action::Balance(None),
                name if name == "storageEmpty" => Action::StorageEmpty,
                name if name == "account" => Action::Account(0),
                name => Action::Builtin(name),
            });
        }
        let parameters = self.parameters()?;
        Ok(match name {
            Some(name) if name == "constructor" => {
                Action::Construct { value: Word::ZERO, arguments: Vec::new() }
            }
            Some(name) => {
                let signature = format!("{name}{parameters}");
                let data = Keccak256::digest(signature.as_bytes())[..4].to_vec();
                Action::Call { value: Word::ZERO, data, signature: Some(signature) }
            }
            None => Action::Call { value: Word::ZERO, data: Vec::new(), signature: None },
        })
    }

    /// `(uint256,(bytes,bool)[2])`, as written.
    fn parameters(&mut self) -> Result<String, ParseError> {
        let (mut out, mut depth) = (String::new(), 0);
        loop {
            match self.next() {
                Some(Token::Sign('(')) => depth += 1,
                Some(Token::Sign(')')) => depth -= 1,
                Some(Token::Word(_) | Token::Sign(',' | '[' | ']') | Token::Number(_)) => {}
                _ => return Err(self.fault("types in parentheses")),
            }
            out.push_str(&self.tokens[self.at - 1].to_string());
            if depth == 0 {
                return Ok(out);
            }
        }
    }

    fn wei(&mut self) -> Result<Word, ParseError> {
        let Some(Token::Number(digits)) = self.next() else { return Err(self.fault("an amount")) };
        let text = match self.next() {
            Some(Token::Word(unit)) if unit == "wei" => digits,
            Some(Token::Word(unit)) if unit == "ether" => format!("{digits}{}", "0".repeat(18)),
            _ => return Err(self.fault("`wei` or `ether`")),
        };
        text.parse().map_err(|_| self.fault("an amount below 2^256"))
    }

    /// A list of values, perhaps empty; whether it begins with `FAILURE`.
    fn values(&mut self) -> Result<(bool, Vec<u8>), ParseError> {
        let failure = self.word("FAILURE");
        let mut out = Vec::new();
        if failure && !self.accept(&Token::Sign(',')) {
            return Ok((true, out));
        }
        while let Some(value) = self.value()? {
            out.extend(value);
            if !self.accept(&Token::Sign(',')) {
                break;
            }
        }
        Ok((failure, out))
    }

    /// One value, encoded; none if no value begins here.
    fn value(&mut self) -> Result<Option<Vec<u8>>, ParseError> {
        self.comments();
        let token = match self.peek() {
            Some(Token::Word(word)) if word == "left" || word == "right" => {
                let left = word == "left";
                self.at += 1;
                self.sign('(', "`(`")?;
                let bytes = self.aligned(left)?;
                self.sign(')', "`)`")?;
                return Ok(Some(bytes));
            }
            Some(token) => token.clone(),
            None => return Ok(None),
        };
        match token {
            Token::Hex(bytes) => {
                self.at += 1;
                Ok(Some(bytes))
            }
            Token::Text(text) => {
                self.at += 1;
                Ok(Some(padded(text, true)))
            }
            Token::Word(word) if word != "true" && word != "false" => Ok(None),
            Token::Word(_) | Token::Number(_) | Token::HexNumber(_) | Token::Sign('-') => {
                self.aligned(false).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A number or a boolean on its side of the word.
    fn aligned(&mut self, left: bool) -> Result<Vec<u8>, ParseError> {
        let negative = self.accept(&Token::Sign('-'));
        match self.next() {
            Some(Token::HexNumber(bytes)) if !negative => Ok(padded(bytes, left)),
            Some(Token::Word(word)) if !negative && (word == "true" || word == "false") => {
                Ok(padded(vec![u8::from(word == "true")], left))
            }
            Some(Token::Number(digits)) => {
                let number: Word = digits.parse().map_err(|_| self.fault("a number below 2^256"))?;
                let bytes = if negative { negated(number) } else { number }.to_be_bytes();
                let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(31);
                Ok(if left { padded(bytes[first..].to_vec(), true) } else { bytes.to_vec() })
            }
            _ => Err(self.fault("a value")),
        }
    }

    /// `~ emit E(uint256) from 0x12: #1, 2`; other effects say nothing about the machine.
    fn log(&mut self) -> Result<Option<Log>, ParseError> {
        self.sign('~', "`~`")?;
        if !self.word("emit") {
            while matches!(self.peek(), Some(Token::Number(_) | Token::HexNumber(_))) {
                self.at += 1;
            }
            return Ok(None);
        }
        let mut log = Log { address: None, topics: Vec::new(), data: Vec::new() };
        if self.accept(&Token::Sign('<')) {
            self.at += 1;
            self.sign('>', "`>`")?;
        } else {
            let Some(Token::Word(name)) = self.next() else { return Err(self.fault("an event")) };
            let signature = format!("{name}{}", self.parameters()?);
            let hash: [u8; 32] = Keccak256::digest(signature.as_bytes()).into();
            log.topics.push(Word::from_be_bytes(hash));
        }
        if self.word("from") {
            let Some(Token::HexNumber(bytes)) = self.next() else { return Err(self.fault("an address")) };
            log.address = Some(address(&bytes));
        }
        if self.accept(&Token::Sign(':')) {
            loop {
                let indexed = self.accept(&Token::Sign('#'));
                let value = self.value()?.ok_or_else(|| self.fault("a value"))?;
                if indexed {
                    let mut word = [0; 32];
                    let length = value.len().min(32);
                    word[..length].copy_from_slice(&value[..length]);
                    log.topics.push(Word::from_be_bytes(word));
                } else {
                    log.data.extend(value);
                }
                if !self.accept(&Token::Sign(',')) {
                    break;
                }
            }
        }
        Ok(Some(log))
    }
}

impl Action {
    /// Adds what stands behind the name.
    fn complete(&mut self, wei: Word, bytes: Vec<u8>) {
        match self {
            Action::Construct { value, arguments } => (*value, *arguments) = (wei, bytes),
            Action::Call { value, data, .. } => {
                *value = wei;
                data.extend(bytes);
            }
            Action::Balance(of) if !bytes.is_empty() => *of = Some(address(&bytes)),
            Action::Account(index) => {
                *index = bytes.iter().rev().take(8).rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
            }
            _ => {}
        }
    }
}

/// The last twenty bytes of a word.
fn address(bytes: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    let length = bytes.len().min(20);
    out[20 - length..].copy_from_slice(&bytes[bytes.len() - length..]);
    out
}

/// Filled up to a whole number of words.
fn padded(bytes: Vec<u8>, left: bool) -> Vec<u8> {
    let missing = bytes.len().max(1).next_multiple_of(32) - bytes.len();
    let zeros = vec![0; missing];
    if left { [bytes, zeros].concat() } else { [zeros, bytes].concat() }
}

fn negated(word: Word) -> Word {
    let (lo, carry) = (!word.lo).overflowing_add(1);
    Word::new((!word.hi).wrapping_add(u128::from(carry)), lo)
}
