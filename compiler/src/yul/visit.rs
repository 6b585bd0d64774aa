//! Walks over all statements and expressions of a code.
use super::ast::{Block, Code, Expression, ExpressionKind, Function, Statement, StatementKind};

impl Code {
    /// Calls `f` with every statement, those within others too, outer before inner.
    pub fn for_each_statement<'a>(&'a self, f: &mut impl FnMut(&'a Statement)) {
        block(&self.body, f);
        self.functions.iter().for_each(|function| block(&function.body, f));
    }

    /// Calls `f` with every expression, those within others too, outer before inner.
    pub fn for_each_expression<'a>(&'a self, f: &mut impl FnMut(&'a Expression)) {
        self.for_each_statement(&mut |statement| of_statement(statement, f));
    }
}

impl Function {
    /// Calls `f` with every expression of the body, those within others too, outer before inner.
    pub fn for_each_expression<'a>(&'a self, f: &mut impl FnMut(&'a Expression)) {
        block(&self.body, &mut |statement| of_statement(statement, f));
    }
}

fn of_statement<'a>(statement: &'a Statement, f: &mut impl FnMut(&'a Expression)) {
    match &statement.kind {
        StatementKind::Let { value: Some(value), .. }
        | StatementKind::Assign { value, .. }
        | StatementKind::Expression(value)
        | StatementKind::If { condition: value, .. }
        | StatementKind::Switch { value, .. }
        | StatementKind::For { condition: value, .. } => expression(value, f),
        _ => {}
    }
}

impl Function {
    /// Calls `f` with every statement, those within others too, outer before inner.
    pub fn for_each_statement<'a>(&'a self, f: &mut impl FnMut(&'a Statement)) {
        block(&self.body, f);
    }
}

fn block<'a>(statements: &'a Block, f: &mut impl FnMut(&'a Statement)) {
    for statement in statements {
        f(statement);
        match &statement.kind {
            StatementKind::Block(body) | StatementKind::If { body, .. } => block(body, f),
            StatementKind::Switch { cases, default, .. } => {
                cases.iter().for_each(|(_, body)| block(body, f));
                default.iter().for_each(|body| block(body, f));
            }
            StatementKind::For { init, post, body, .. } => {
                [init, post, body].into_iter().for_each(|b| block(b, f));
            }
            _ => {}
        }
    }
}

fn expression<'a>(e: &'a Expression, f: &mut impl FnMut(&'a Expression)) {
    f(e);
    if let ExpressionKind::Builtin(_, arguments) | ExpressionKind::Call(_, arguments) = &e.kind {
        arguments.iter().for_each(|a| expression(a, f));
    }
}
