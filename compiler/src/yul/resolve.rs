//! From the tree as written to the resolved one. Finds every fault it can, not only the first.
mod calls;
mod object;

use super::ast::{self, FunctionId, VarId};
use super::builtin::Dialect;
use super::fault;
use super::lexer::shortened;
use super::scope::{Meaning, Scope, forbidden};
use super::syntax::{self, Name, StatementKind};
use crate::diagnostic::{Diagnostic, Kind, Loc};
use lathe_vm::Word;
use std::collections::HashSet;

/// How many faults are reported at most; what follows so many is seldom worth reading.
const MAX_FAULTS: usize = 256;

/// Resolves an object and all within it.
pub(super) fn resolve(object: &syntax::Object<'_>, dialect: Dialect) -> Result<ast::Object, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let resolved = object::resolve(object, dialect, &mut faults);
    if faults.is_empty() { Ok(resolved) } else { Err(faults) }
}

/// The resolution of one object's code. After a fault it goes on with a tree that is never handed out.
struct Resolver<'a, 's> {
    /// The object, for the names that `datasize` and `dataoffset` take.
    object: &'s syntax::Object<'a>,
    dialect: Dialect,
    scope: Scope<'a>,
    variables: Vec<String>,
    functions: Vec<ast::Function>,
    /// Numbers of parameters and return variables by [`FunctionId`], known before the body is.
    signatures: Vec<(usize, usize)>,
    /// The function whose body this is.
    function: Option<FunctionId>,
    part: Part,
    faults: &'s mut Vec<Diagnostic>,
}

/// The part of the innermost loop, within the innermost function, in which a statement stands.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    NoLoop,
    Init,
    Post,
    Body,
}

impl<'a, 's> Resolver<'a, 's> {
    /// Resolves the code of `object`.
    fn code(object: &'s syntax::Object<'a>, dialect: Dialect, faults: &'s mut Vec<Diagnostic>) -> ast::Code {
        let mut resolver = Resolver {
            object,
            dialect,
            scope: Scope::default(),
            variables: Vec::new(),
            functions: Vec::new(),
            signatures: Vec::new(),
            function: None,
            part: Part::NoLoop,
            faults,
        };
        let body = resolver.block(&object.code);
        ast::Code { body, functions: resolver.functions, variables: resolver.variables }
    }

    fn fault(&mut self, kind: Kind, loc: Loc, message: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault(kind, loc, message));
        }
    }

    fn block(&mut self, block: &syntax::Block<'a>) -> ast::Block {
        let mark = self.scope.enter();
        let statements = self.statements(block);
        self.scope.leave(mark);
        statements
    }

    /// A block whose names stay in force.
    fn statements(&mut self, block: &syntax::Block<'a>) -> ast::Block {
        let mut next = self.functions.len() as FunctionId;
        for statement in block {
            if let StatementKind::Function(function) = &statement.kind {
                self.announce(function, statement.loc);
            }
        }
        let mut statements = Vec::with_capacity(block.len());
        for statement in block {
            match &statement.kind {
                StatementKind::Function(function) => {
                    self.define(next, function);
                    next += 1;
                }
                kind => statements
                    .push(ast::Statement { kind: self.statement(kind, statement.loc), loc: statement.loc }),
            }
        }
        statements
    }

    /// Makes a function known to the block it is defined in, under the next number.
    fn announce(&mut self, function: &syntax::Function<'a>, loc: Loc) {
        if self.part == Part::Init {
            self.fault(Kind::Syntax, loc, "a function cannot be defined in the first block of a `for`");
        }
        let id = self.functions.len() as FunctionId;
        self.declare(function.name, Meaning::Function(id));
        self.signatures.push((function.parameters.len(), function.returns.len()));
        self.functions.push(ast::Function {
            name: function.name.text.to_string(),
            parameters: Vec::new(),
            returns: Vec::new(),
            body: Vec::new(),
            loc,
        });
    }

    /// Resolves the inside of an announced function.
    fn define(&mut self, id: FunctionId, function: &syntax::Function<'a>) {
        let outer = (self.function.replace(id), std::mem::replace(&mut self.part, Part::NoLoop));
        let mark = self.scope.enter();
        let parameters = self.declare_variables(&function.parameters);
        let returns = self.declare_variables(&function.returns);
        let body = self.block(&function.body);
        self.scope.leave(mark);
        (self.function, self.part) = outer;
        let resolved = &mut self.functions[id as usize];
        (resolved.parameters, resolved.returns, resolved.body) = (parameters, returns, body);
    }

    fn declare(&mut self, name: Name<'a>, meaning: Meaning) {
        let text = shortened(name.text);
        if let Some(reason) = forbidden(name.text, self.dialect) {
            self.fault(Kind::Declaration, name.loc, format!("`{text}` cannot be declared: it {reason}"));
        } else if !self.scope.declare(name.text, meaning) {
            let message = format!("`{text}` is taken already: Yul does not let names hide each other");
            self.fault(Kind::Declaration, name.loc, message);
        }
    }

    fn declare_variables(&mut self, names: &[Name<'a>]) -> Vec<VarId> {
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            let id = self.variables.len() as VarId;
            self.variables.push(name.text.to_string());
            self.declare(*name, Meaning::Variable { id, owner: self.function });
            ids.push(id);
        }
        ids
    }

    fn statement(&mut self, kind: &StatementKind<'a>, loc: Loc) -> ast::StatementKind {
        match kind {
            StatementKind::Block(block) => ast::StatementKind::Block(self.block(block)),
            // `statements` lifts definitions out.
            StatementKind::Function(_) => ast::StatementKind::Block(Vec::new()),
            StatementKind::Let { names, value } => {
                let value = value.as_ref().map(|value| self.values(value, names.len()));
                ast::StatementKind::Let { variables: self.declare_variables(names), value }
            }
            StatementKind::Assign { names, value } => {
                let variables = self.targets(names);
                ast::StatementKind::Assign { variables, value: self.values(value, names.len()) }
            }
            StatementKind::Expression(call) => ast::StatementKind::Expression(self.values(call, 0)),
            StatementKind::If { condition, body } => {
                ast::StatementKind::If { condition: self.values(condition, 1), body: self.block(body) }
            }
            StatementKind::Switch { value, cases, default } => self.switch(value, cases, default.as_ref()),
            StatementKind::For { init, condition, post, body } => self.for_loop(init, condition, post, body),
            StatementKind::Break => self.loop_exit("break", loc, ast::StatementKind::Break),
            StatementKind::Continue => self.loop_exit("continue", loc, ast::StatementKind::Continue),
            StatementKind::Leave => {
                if self.function.is_none() {
                    self.fault(Kind::Syntax, loc, "`leave` outside of a function");
                }
                ast::StatementKind::Leave
            }
        }
    }

    /// The variables on the left of an assignment.
    fn targets(&mut self, names: &[Name<'a>]) -> Vec<VarId> {
        let mut seen = HashSet::new();
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            let id = self.variable(name.text, name.loc).unwrap_or_default();
            if !seen.insert(name.text) {
                let message = format!("`{}` stands twice on the left of an assignment", shortened(name.text));
                self.fault(Kind::Syntax, name.loc, message);
            }
            ids.push(id);
        }
        ids
    }

    fn switch(
        &mut self,
        value: &syntax::Expression<'a>,
        cases: &[(syntax::Literal<'a>, syntax::Block<'a>)],
        default: Option<&syntax::Block<'a>>,
    ) -> ast::StatementKind {
        let value = self.values(value, 1);
        let mut seen = HashSet::new();
        let mut resolved = Vec::with_capacity(cases.len());
        for (literal, body) in cases {
            let case = self.word(literal);
            if case.is_some_and(|word| !seen.insert(word)) {
                self.fault(
                    Kind::Declaration,
                    literal.loc,
                    "the `switch` has a `case` for this value already",
                );
            }
            resolved.push((case.unwrap_or(Word::ZERO), self.block(body)));
        }
        ast::StatementKind::Switch { value, cases: resolved, default: default.map(|body| self.block(body)) }
    }

    /// A loop; names of its first block are in force in all of it.
    fn for_loop(
        &mut self,
        init: &syntax::Block<'a>,
        condition: &syntax::Expression<'a>,
        post: &syntax::Block<'a>,
        body: &syntax::Block<'a>,
    ) -> ast::StatementKind {
        let outer = self.part;
        let mark = self.scope.enter();
        self.part = Part::Init;
        let init = self.statements(init);
        let condition = self.values(condition, 1);
        self.part = Part::Post;
        let post = self.block(post);
        self.part = Part::Body;
        let body = self.block(body);
        self.part = outer;
        self.scope.leave(mark);
        ast::StatementKind::For { init, condition, post, body }
    }

    /// `break` or `continue`.
    fn loop_exit(&mut self, word: &str, loc: Loc, kind: ast::StatementKind) -> ast::StatementKind {
        let place = match self.part {
            Part::Body => return kind,
            Part::NoLoop => "outside of a `for`",
            Part::Init => "in the first block of a `for`",
            Part::Post => "in the last block of a `for`'s head",
        };
        let message = format!("`{word}` {place}: it belongs in the body of a loop");
        self.fault(Kind::Syntax, loc, message);
        kind
    }
}
