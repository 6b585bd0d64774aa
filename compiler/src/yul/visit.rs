//! Walks over all expressions of a code.
use super::ast::{Block, Code, Expression, ExpressionKind, StatementKind};

impl Code {
    /// Calls `f` with every expression, those within others too, outer before inner.
    pub fn for_each_expression<'a>(&'a self, f: &mut impl FnMut(&'a Expression)) {
        block(&self.body, f);
        self.functions.iter().for_each(|function| block(&function.body, f));
    }
}

fn block<'a>(statements: &'a Block, f: &mut impl FnMut(&'a Expression)) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Block(body) => block(body, f),
            StatementKind::Let { value: Some(value), .. }
            | StatementKind::Assign { value, .. }
            | StatementKind::Expression(value) => expression(value, f),
            StatementKind::If { condition, body } => {
                expression(condition, f);
                block(body, f);
            }
            StatementKind::Switch { value, cases, default } => {
                expression(value, f);
                cases.iter().for_each(|(_, body)| block(body, f));
                default.iter().for_each(|body| block(body, f));
            }
            StatementKind::For { init, condition, post, body } => {
                expression(condition, f);
                [init, post, body].into_iter().for_each(|b| block(b, f));
            }
            StatementKind::Let { value: None, .. }
            | StatementKind::Break
            | StatementKind::Continue
            | StatementKind::Leave => {}
        }
    }
}

fn expression<'a>(e: &'a Expression, f: &mut impl FnMut(&'a Expression)) {
    f(e);
    if let ExpressionKind::Builtin(_, arguments) | ExpressionKind::Call(_, arguments) = &e.kind {
        arguments.iter().for_each(|a| expression(a, f));
    }
}
