//! From tokens to the tree as written. Stops at the first fault, and never nests deeper than
//! [`super::MAX_DEPTH`].
use super::lexer::{Lexer, Token, TokenKind, shortened};
use super::syntax::{
    Block, Expression, ExpressionKind, Function, Literal, LiteralKind, Name, Object, Statement, StatementKind,
};
use super::{MAX_DEPTH, fault};
use crate::diagnostic::{Diagnostic, Kind, Loc};
use std::collections::hash_map::Entry;

type Result<T> = std::result::Result<T, Diagnostic>;

/// Parses a whole text: an object, or a block alone.
pub(super) fn parse(text: &str) -> Result<Object<'_>> {
    let mut lexer = Lexer::new(text);
    let token = lexer.next()?;
    let mut parser = Parser { lexer, token, end: 0, depth: 0 };
    let object = match parser.token.kind {
        TokenKind::Fixed("{") => parser.bare_object()?,
        _ => parser.object("")?,
    };
    match parser.token.kind {
        TokenKind::End => Ok(object),
        _ => Err(parser.unexpected("the end of the text")),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token to look at.
    token: Token<'a>,
    /// Where the token before it ended.
    end: u32,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Takes the token looked at.
    fn advance(&mut self) -> Result<Token<'a>> {
        self.end = self.token.loc.yul.end;
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn at(&self, text: &str) -> bool {
        matches!(self.token.kind, TokenKind::Fixed(fixed) if fixed == text)
    }

    fn at_identifier(&self, text: &str) -> bool {
        matches!(self.token.kind, TokenKind::Identifier(name) if name == text)
    }

    /// Takes the token if it is this mark or word.
    fn accept(&mut self, text: &str) -> Result<bool> {
        let found = self.at(text);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, text: &str) -> Result<()> {
        match self.accept(text)? {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{text}`"))),
        }
    }

    fn unexpected(&self, expected: &str) -> Diagnostic {
        let message = format!("expected {expected}, found {}", self.token.kind);
        fault(Kind::Parser, self.token.loc, message)
    }

    /// The place from where `start` begins to the end of the last token taken.
    fn since(&self, start: Loc) -> Loc {
        let mut loc = start;
        loc.yul.end = self.end.max(start.yul.start);
        loc
    }

    /// One level down, for as long as `inner` runs.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            let message = format!("blocks, calls and objects nest more than {MAX_DEPTH} deep");
            return Err(fault(Kind::Parser, self.token.loc, message));
        }
        self.depth += 1;
        let parsed = inner(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn bare_object(&mut self) -> Result<Object<'a>> {
        let start = self.token.loc;
        let sources = self.lexer.take_sources();
        let code = self.block()?;
        let (objects, data, members) = Default::default();
        Ok(Object { name: "object".into(), code, objects, data, members, sources, loc: self.since(start) })
    }

    /// `object "name" { code { ... } ... }` in the object called `outer`.
    fn object(&mut self, outer: &str) -> Result<Object<'a>> {
        let start = self.token.loc;
        if !self.at_identifier("object") {
            return Err(self.unexpected("`object` or a block"));
        }
        let sources = self.lexer.take_sources();
        self.lexer.forget_src();
        self.advance()?;
        let name = self.member_name(outer)?;
        self.expect("{")?;
        if !self.at_identifier("code") {
            return Err(self.unexpected("`code`"));
        }
        self.advance()?;
        let code = self.block()?;
        let (objects, data, members) = Default::default();
        let mut object = Object { name, code, objects, data, members, sources, loc: start };
        while !self.at("}") {
            self.member(&mut object)?;
        }
        self.advance()?;
        object.loc = self.since(start);
        Ok(object)
    }

    /// An object or data within an object.
    fn member(&mut self, object: &mut Object<'a>) -> Result<()> {
        let (name, index, loc) = if self.at_identifier("object") {
            let inner = self.nested(|p| p.object(&object.name))?;
            let (name, loc) = (inner.name.clone(), inner.loc);
            object.objects.push(inner);
            (name, Some(object.objects.len() - 1), loc)
        } else if self.at_identifier("data") {
            let start = self.token.loc;
            self.advance()?;
            let name = self.member_name(&object.name)?;
            let bytes = match self.advance()?.kind {
                TokenKind::String(bytes) | TokenKind::Hex(bytes) => bytes,
                found => {
                    let message = format!("expected a string or a hex string, found {found}");
                    return Err(fault(Kind::Parser, self.since(start), message));
                }
            };
            object.data.push((name.clone(), bytes));
            (name, None, self.since(start))
        } else {
            return Err(self.unexpected("`object`, `data` or `}`"));
        };
        match object.members.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(index);
                Ok(())
            }
            Entry::Occupied(entry) => {
                let message = format!("two members of the object are called \"{}\"", shortened(entry.key()));
                Err(fault(Kind::Parser, loc, message))
            }
        }
    }

    fn member_name(&mut self, outer: &str) -> Result<String> {
        let TokenKind::String(bytes) = &mut self.token.kind else {
            return Err(self.unexpected("a name between quotes"));
        };
        let name = String::from_utf8(std::mem::take(bytes));
        let message = match name {
            Err(_) => "the name is not UTF-8",
            Ok(name) if name.is_empty() => "the name is empty",
            Ok(name) if name == outer => "the name is that of the object around it",
            Ok(name) => {
                self.advance()?;
                return Ok(name);
            }
        };
        Err(fault(Kind::Parser, self.token.loc, message))
    }

    fn block(&mut self) -> Result<Block<'a>> {
        self.expect("{")?;
        self.nested(|p| {
            let mut statements = Vec::new();
            while !p.at("}") {
                statements.push(p.statement()?);
            }
            p.advance()?;
            Ok(statements)
        })
    }

    fn statement(&mut self) -> Result<Statement<'a>> {
        let start = self.token.loc;
        let kind = match self.token.kind {
            TokenKind::Fixed("{") => StatementKind::Block(self.block()?),
            TokenKind::Fixed("function") => StatementKind::Function(self.function()?),
            TokenKind::Fixed("let") => self.variables()?,
            TokenKind::Fixed("if") => {
                self.advance()?;
                StatementKind::If { condition: self.expression()?, body: self.block()? }
            }
            TokenKind::Fixed("switch") => self.switch()?,
            TokenKind::Fixed("for") => {
                self.advance()?;
                let (init, condition) = (self.block()?, self.expression()?);
                StatementKind::For { init, condition, post: self.block()?, body: self.block()? }
            }
            TokenKind::Fixed("break") => self.word(StatementKind::Break)?,
            TokenKind::Fixed("continue") => self.word(StatementKind::Continue)?,
            TokenKind::Fixed("leave") => self.word(StatementKind::Leave)?,
            TokenKind::Identifier(_) => self.call_or_assignment()?,
            _ => return Err(self.unexpected("a statement or `}`")),
        };
        Ok(Statement { kind, loc: self.since(start) })
    }

    fn word(&mut self, kind: StatementKind<'a>) -> Result<StatementKind<'a>> {
        self.advance()?;
        Ok(kind)
    }

    fn function(&mut self) -> Result<Function<'a>> {
        self.expect("function")?;
        let name = self.name("the function's name")?;
        self.expect("(")?;
        let mut parameters = Vec::new();
        // As in solc, a comma may end the list.
        while !self.at(")") {
            parameters.push(self.typed_name()?);
            if !self.at(")") {
                self.expect(",")?;
            }
        }
        self.advance()?;
        let returns = if self.accept("->")? { self.typed_names()? } else { Vec::new() };
        Ok(Function { name, parameters, returns, body: self.block()? })
    }

    fn variables(&mut self) -> Result<StatementKind<'a>> {
        self.expect("let")?;
        let names = self.typed_names()?;
        let value = if self.accept(":=")? { Some(self.expression()?) } else { None };
        Ok(StatementKind::Let { names, value })
    }

    fn switch(&mut self) -> Result<StatementKind<'a>> {
        let start = self.token.loc;
        self.expect("switch")?;
        let value = self.expression()?;
        let mut cases = Vec::new();
        while self.accept("case")? {
            let literal = match self.literal()? {
                Some(literal) => literal,
                None => return Err(self.unexpected("a literal")),
            };
            cases.push((literal, self.block()?));
        }
        let default = if self.accept("default")? { Some(self.block()?) } else { None };
        if default.is_some() && (self.at("case") || self.at("default")) {
            let message = "`default` must be the last part of a `switch`, and the only one of its kind";
            return Err(fault(Kind::Parser, self.token.loc, message));
        }
        if cases.is_empty() && default.is_none() {
            return Err(fault(Kind::Parser, self.since(start), "a `switch` without any `case` or `default`"));
        }
        Ok(StatementKind::Switch { value, cases, default })
    }

    fn call_or_assignment(&mut self) -> Result<StatementKind<'a>> {
        let name = self.name("a name")?;
        if self.at("(") {
            return Ok(StatementKind::Expression(self.call(name)?));
        }
        let mut names = vec![name];
        while self.accept(",")? {
            names.push(self.name("a variable")?);
        }
        if !self.accept(":=")? {
            let expected = if names.len() == 1 { "`(` of a call, or `:=`" } else { "`:=`" };
            return Err(self.unexpected(expected));
        }
        Ok(StatementKind::Assign { names, value: self.expression()? })
    }

    fn expression(&mut self) -> Result<Expression<'a>> {
        let start = self.token.loc;
        if let Some(literal) = self.literal()? {
            return Ok(Expression { kind: ExpressionKind::Literal(literal), loc: self.since(start) });
        }
        let name = self.name("an expression")?;
        if self.at("(") {
            return self.call(name);
        }
        Ok(Expression { kind: ExpressionKind::Name(name.text), loc: name.loc })
    }

    /// The arguments of a call of `name`, at the parenthesis.
    fn call(&mut self, name: Name<'a>) -> Result<Expression<'a>> {
        self.expect("(")?;
        let arguments = self.nested(|p| {
            let mut arguments = Vec::new();
            if p.accept(")")? {
                return Ok(arguments);
            }
            loop {
                arguments.push(p.expression()?);
                if !p.accept(",")? {
                    break;
                }
            }
            match p.accept(")")? {
                true => Ok(arguments),
                false => Err(p.unexpected("`,` or `)`")),
            }
        })?;
        Ok(Expression { kind: ExpressionKind::Call { name, arguments }, loc: self.since(name.loc) })
    }

    /// A literal with its type, if there is one here.
    fn literal(&mut self) -> Result<Option<Literal<'a>>> {
        let loc = self.token.loc;
        let kind = match &mut self.token.kind {
            TokenKind::Number(digits) => LiteralKind::Number(digits),
            TokenKind::String(bytes) => LiteralKind::String(std::mem::take(bytes)),
            TokenKind::Hex(bytes) => LiteralKind::Hex(std::mem::take(bytes)),
            TokenKind::Fixed("true") => LiteralKind::Bool(true),
            TokenKind::Fixed("false") => LiteralKind::Bool(false),
            _ => return Ok(None),
        };
        self.advance()?;
        self.optional_type()?;
        Ok(Some(Literal { kind, loc }))
    }

    fn name(&mut self, expected: &str) -> Result<Name<'a>> {
        let TokenKind::Identifier(text) = self.token.kind else { return Err(self.unexpected(expected)) };
        let loc = self.advance()?.loc;
        Ok(Name { text, loc })
    }

    fn typed_name(&mut self) -> Result<Name<'a>> {
        let name = self.name("a variable's name")?;
        self.optional_type()?;
        Ok(name)
    }

    /// One name or more with their types, commas between.
    fn typed_names(&mut self) -> Result<Vec<Name<'a>>> {
        let mut names = Vec::new();
        loop {
            names.push(self.typed_name()?);
            if !self.accept(",")? {
                return Ok(names);
            }
        }
    }

    /// `: u256`, which older dialects wrote and which says nothing; no other type exists.
    fn optional_type(&mut self) -> Result<()> {
        if !self.accept(":")? {
            return Ok(());
        }
        let name = self.name("a type")?;
        match name.text {
            "u256" | "uint256" => Ok(()),
            _ => {
                let message = format!(
                    "the type `{}` does not exist in this dialect: every value is a `u256`",
                    shortened(name.text)
                );
                Err(fault(Kind::Parser, name.loc, message))
            }
        }
    }
}
