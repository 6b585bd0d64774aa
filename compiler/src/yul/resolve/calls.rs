//! Expressions: names, literals, calls, and how many values they yield.
use super::Resolver;
use crate::diagnostic::{Kind, Loc};
use crate::yul::ast::{self, ExpressionKind, FunctionId, VarId};
use crate::yul::builtin::Builtin;
use crate::yul::lexer::shortened;
use crate::yul::scope::Meaning;
use crate::yul::syntax::{self, Literal, LiteralKind, Name};
use lathe_vm::Word;

/// An expression and how many values it yields, if it is known what is called.
type Resolved = (ExpressionKind, Option<usize>);

const UNKNOWN: Resolved = (ExpressionKind::Literal(Word::ZERO), None);

impl<'a> Resolver<'a, '_> {
    /// An expression that must yield `count` values.
    pub(super) fn values(&mut self, expression: &syntax::Expression<'a>, count: usize) -> ast::Expression {
        let loc = expression.loc;
        let (kind, results) = match &expression.kind {
            syntax::ExpressionKind::Literal(literal) => match self.word(literal) {
                Some(word) => (ExpressionKind::Literal(word), Some(1)),
                None => UNKNOWN,
            },
            syntax::ExpressionKind::Name(name) => match self.variable(name, loc) {
                Some(id) => (ExpressionKind::Variable(id), Some(1)),
                None => UNKNOWN,
            },
            syntax::ExpressionKind::Call { name, arguments } => self.call(*name, arguments, loc),
        };
        if let Some(results) = results.filter(|results| *results != count) {
            let hint = if count == 0 { "; `pop` it or assign it" } else { "" };
            let message = format!("expected {}, but this yields {results}{hint}", counted(count, "value"));
            self.fault(Kind::Type, loc, message);
        }
        ast::Expression { kind, loc }
    }

    /// The variable of this name, if code here may use it.
    pub(super) fn variable(&mut self, name: &str, loc: Loc) -> Option<VarId> {
        let problem = match self.scope.get(name) {
            Some(Meaning::Variable { id, owner }) if owner == self.function => return Some(id),
            Some(Meaning::Variable { .. }) => "is a variable outside of this function, which cannot see it",
            Some(Meaning::Function(_)) => "is a function: call it, as a value it does not exist",
            None if Builtin::find_in(self.dialect, name).is_some() => {
                "is a builtin function: call it, as a value it does not exist"
            }
            None => "is not declared here, or not yet",
        };
        self.fault(Kind::Declaration, loc, format!("`{}` {problem}", shortened(name)));
        None
    }

    fn call(&mut self, name: Name<'a>, arguments: &[syntax::Expression<'a>], loc: Loc) -> Resolved {
        if let Some(builtin) = Builtin::find_in(self.dialect, name.text) {
            return self.builtin_call(builtin, arguments, loc);
        }
        let Some(id) = self.function_named(name) else {
            for argument in arguments {
                self.values(argument, 1);
            }
            return UNKNOWN;
        };
        let (parameters, returns) = self.signatures[id as usize];
        self.check_arity(name.text, parameters, arguments.len(), loc);
        let arguments = arguments.iter().map(|argument| self.values(argument, 1)).collect();
        (ExpressionKind::Call(id, arguments), Some(returns))
    }

    fn function_named(&mut self, name: Name<'a>) -> Option<FunctionId> {
        let problem = match self.scope.get(name.text) {
            Some(Meaning::Function(id)) => return Some(id),
            Some(Meaning::Variable { .. }) => "is a variable, it cannot be called",
            None if name.text.starts_with("verbatim") => {
                "puts EVM bytecode into the output, and this machine does not run EVM bytecode"
            }
            None if matches!(name.text, "pc" | "jump" | "jumpi" | "jumpdest") => {
                "is an EVM instruction that Yul does not have"
            }
            None => "is no function that is known here",
        };
        self.fault(Kind::Declaration, name.loc, format!("`{}` {problem}", shortened(name.text)));
        None
    }

    fn builtin_call(&mut self, builtin: Builtin, arguments: &[syntax::Expression<'a>], loc: Loc) -> Resolved {
        self.check_arity(builtin.name(), builtin.arguments(), arguments.len(), loc);
        let texts = builtin.text_arguments();
        let mut resolved = Vec::with_capacity(arguments.len());
        for (position, argument) in arguments.iter().enumerate() {
            if position == 0 && builtin.begins_with_number() && !is_number(argument) {
                let message = match builtin {
                    Builtin::Memoryguard => "`memoryguard` takes a number, written as a literal".to_string(),
                    _ => format!(
                        "the first argument of `{}` is a number, written as a literal",
                        builtin.name()
                    ),
                };
                self.fault(Kind::Type, argument.loc, message);
            }
            resolved.push(match texts.contains(&position) {
                true => self.text(builtin, argument),
                false => self.values(argument, 1),
            });
        }
        (ExpressionKind::Builtin(builtin, resolved), Some(builtin.results()))
    }

    fn check_arity(&mut self, name: &str, expected: usize, found: usize, loc: Loc) {
        if expected != found {
            let name = shortened(name);
            let message = format!("`{name}` takes {}, found {found}", counted(expected, "argument"));
            self.fault(Kind::Type, loc, message);
        }
    }

    /// An argument that must be a string: the name of an object, of an immutable or of a library.
    fn text(&mut self, builtin: Builtin, argument: &syntax::Expression<'a>) -> ast::Expression {
        let loc = argument.loc;
        let bytes = match &argument.kind {
            syntax::ExpressionKind::Literal(Literal {
                kind: LiteralKind::String(bytes) | LiteralKind::Hex(bytes),
                ..
            }) => Some(bytes),
            _ => None,
        };
        let text = bytes.and_then(|bytes| String::from_utf8(bytes.clone()).ok());
        match &text {
            None => {
                let message =
                    format!("`{}` takes a string of UTF-8 here, written as a literal", builtin.name());
                self.fault(Kind::Type, loc, message);
            }
            Some(text) if matches!(builtin, Builtin::Datasize | Builtin::Dataoffset) => {
                if !self.object.has(text) {
                    let message = format!("no object or data is called \"{}\" here", shortened(text));
                    self.fault(Kind::Type, loc, message);
                }
            }
            Some(_) => {}
        }
        ast::Expression { kind: ExpressionKind::Text(text.unwrap_or_default()), loc }
    }

    /// The value of a literal.
    pub(super) fn word(&mut self, literal: &Literal<'a>) -> Option<Word> {
        let (word, problem) = match &literal.kind {
            LiteralKind::Bool(value) => return Some(Word::from(u128::from(*value))),
            LiteralKind::Number(digits) => {
                (digits.parse().ok(), format!("{} is not below 2^256", shortened(digits)))
            }
            LiteralKind::String(bytes) | LiteralKind::Hex(bytes) => {
                (left_aligned(bytes), format!("a string of {} bytes; a value has room for 32", bytes.len()))
            }
        };
        if word.is_none() {
            self.fault(Kind::Type, literal.loc, problem);
        }
        word
    }
}

/// At most 32 bytes as the upper bytes of a word.
fn left_aligned(bytes: &[u8]) -> Option<Word> {
    let mut word = [0u8; 32];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(Word::from_be_bytes(word))
}

fn is_number(expression: &syntax::Expression<'_>) -> bool {
    matches!(expression.kind, syntax::ExpressionKind::Literal(Literal { kind: LiteralKind::Number(_), .. }))
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
