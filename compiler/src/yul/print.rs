//! The resolved tree as Yul text again. What it prints parses to the same tree, up to places, numbering,
//! and names that occur twice, which get a suffix; functions go to the end of their object's code.
mod names;

use super::ast::{Block, Code, Expression, ExpressionKind, Function, Object, StatementKind, VarId};
use super::literal::quote;
use lathe_vm::Word;
use names::Names;

/// The text of an object.
pub fn print(object: &Object) -> String {
    let mut printer = Printer { out: String::new(), level: 0 };
    printer.object(object);
    printer.out
}

struct Printer {
    out: String,
    /// How many blocks are open.
    level: usize,
}

impl Printer {
    fn line(&mut self, text: &str) {
        self.indent();
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("    ", self.level));
    }

    /// `head {`, the inside, `}`.
    fn braces(&mut self, head: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&[head, "{"].concat());
        self.level += 1;
        inside(self);
        self.level -= 1;
        self.line("}");
    }

    fn object(&mut self, object: &Object) {
        if !object.sources.is_empty() {
            let source = |(number, name): &(u32, String)| format!("{number}:{}", quote(name.as_bytes()));
            let sources: Vec<_> = object.sources.iter().map(source).collect();
            self.line(&format!("/// @use-src {}", sources.join(", ")));
        }
        self.braces(&format!("object {} ", quote(object.name.as_bytes())), |p| {
            p.braces("code ", |p| p.code(&object.code));
            for inner in &object.objects {
                p.object(inner);
            }
            for data in &object.data {
                let name = quote(data.name.as_bytes());
                p.line(&format!("data {name} hex\"{}\"", hex::encode(&data.bytes)));
            }
        });
    }

    fn code(&mut self, code: &Code) {
        let names = Names::of(code);
        self.block(&code.body, &names);
        for (id, function) in code.functions.iter().enumerate() {
            self.function(names.function(id as u32), function, &names);
        }
    }

    fn function(&mut self, name: &str, function: &Function, names: &Names) {
        let mut head = format!("function {name}({}) ", list(&function.parameters, names));
        if !function.returns.is_empty() {
            head += &format!("-> {} ", list(&function.returns, names));
        }
        self.braces(&head, |p| p.block(&function.body, names));
    }

    /// Statements, without braces around them.
    fn block(&mut self, block: &Block, names: &Names) {
        for statement in block {
            self.statement(&statement.kind, names);
        }
    }

    fn statement(&mut self, statement: &StatementKind, names: &Names) {
        match statement {
            StatementKind::Block(block) => self.braces("", |p| p.block(block, names)),
            StatementKind::Let { variables, value } => {
                let value = value.as_ref().map(|value| format!(" := {}", text(value, names)));
                self.line(&format!("let {}{}", list(variables, names), value.unwrap_or_default()));
            }
            StatementKind::Assign { variables, value } => {
                self.line(&format!("{} := {}", list(variables, names), text(value, names)));
            }
            StatementKind::Expression(expression) => self.line(&text(expression, names)),
            StatementKind::If { condition, body } => {
                self.braces(&format!("if {} ", text(condition, names)), |p| p.block(body, names));
            }
            StatementKind::Switch { value, cases, default } => {
                self.line(&format!("switch {}", text(value, names)));
                for (case, body) in cases {
                    self.braces(&format!("case {} ", number(*case)), |p| p.block(body, names));
                }
                if let Some(body) = default {
                    self.braces("default ", |p| p.block(body, names));
                }
            }
            StatementKind::For { init, condition, post, body } => {
                self.braces("for ", |p| p.block(init, names));
                self.line(&text(condition, names));
                self.braces("", |p| p.block(post, names));
                self.braces("", |p| p.block(body, names));
            }
            StatementKind::Break => self.line("break"),
            StatementKind::Continue => self.line("continue"),
            StatementKind::Leave => self.line("leave"),
        }
    }
}

fn list(variables: &[VarId], names: &Names) -> String {
    let names: Vec<_> = variables.iter().map(|id| names.variable(*id)).collect();
    names.join(", ")
}

/// Hex without leading zeros.
fn number(word: Word) -> String {
    match word.hi {
        0 => format!("{:#x}", word.lo),
        hi => format!("{hi:#x}{:032x}", word.lo),
    }
}

fn text(expression: &Expression, names: &Names) -> String {
    let mut out = String::new();
    write_expression(&mut out, expression, names);
    out
}

fn write_expression(out: &mut String, expression: &Expression, names: &Names) {
    let (name, arguments) = match &expression.kind {
        ExpressionKind::Literal(word) => return out.push_str(&number(*word)),
        ExpressionKind::Text(text) => return out.push_str(&quote(text.as_bytes())),
        ExpressionKind::Variable(id) => return out.push_str(names.variable(*id)),
        ExpressionKind::Builtin(builtin, arguments) => (builtin.name(), arguments),
        ExpressionKind::Call(id, arguments) => (names.function(*id), arguments),
    };
    out.push_str(name);
    out.push('(');
    for (position, argument) in arguments.iter().enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        write_expression(out, argument, names);
    }
    out.push(')');
}
