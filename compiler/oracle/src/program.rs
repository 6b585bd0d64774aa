//! Random well-typed Yul programs over every builtin that both machines answer alike. They always end: loops are bounded,
//! functions call only earlier ones, and what a program may execute is counted while it is made.
mod expression;

use crate::draw::Draw;
use expression::Scope;
use std::fmt::Write;

/// A program that takes words of calldata and returns what its variables and its memory came to.
#[derive(Clone, Debug)]
pub struct Program {
    functions: Vec<Function>,
    body: Block,
    /// Bytes of its data object.
    data: Vec<u8>,
}

/// A function of a program.
#[derive(Clone, Debug)]
struct Function {
    parameters: usize,
    results: usize,
    body: Block,
    /// Statements that a call may execute.
    cost: usize,
}

/// Declarations, then statements: any statement may be taken out and the program stays well-typed.
#[derive(Clone, Debug, Default)]
struct Block {
    declarations: Vec<String>,
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
enum Statement {
    /// Whole, as written.
    Plain(String),
    /// A head (`if x`, `for ...`, `switch x case 1`) with its block, and what follows it (`default`).
    Nested(Vec<(String, Block)>),
}

/// Words of calldata that a program reads by name.
pub const INPUTS: usize = 3;
/// What a whole program may execute.
const BUDGET: usize = 3_000;
/// Deepest nesting of blocks.
const DEPTH: usize = 3;
/// The EVM reaches 16 stack slots; expressions need the rest.
const MAX_VARIABLES: usize = 7;
/// Bytes of memory that a program returns.
const RETURNED: usize = 0x240;

/// What is known while a program is made.
struct Maker<'a> {
    draw: &'a mut Draw,
    functions: Vec<Function>,
    /// What is left of the budget, divided by the bounds of the loops around.
    budget: usize,
    /// Whether the code is inside a function, and inside a loop.
    in_function: bool,
    in_loop: bool,
}

impl Program {
    /// Makes a program from a source of randomness.
    pub fn draw(draw: &mut Draw) -> Program {
        let data_length = draw.below(70) + 1;
        let data = draw.bytes(data_length);
        let mut maker = Maker { draw, functions: Vec::new(), budget: 0, in_function: false, in_loop: false };
        for _ in 0..maker.draw.below(4) {
            maker.function();
        }
        maker.budget = BUDGET;
        let inputs = (0..INPUTS).map(|i| format!("x{i}")).collect();
        let body = maker.block(Scope::new(inputs), 0);
        Program { functions: maker.functions, body, data }
    }

    /// The program as a Yul object of this name.
    pub fn object(&self, name: &str) -> String {
        let mut text = format!("object \"{name}\" {{\n  code {{\n");
        for (i, function) in self.functions.iter().enumerate() {
            let list = |prefix: &str, count| {
                (0..count).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>().join(", ")
            };
            let results = match function.results {
                0 => String::new(),
                count => format!(" -> {}", list("r", count)),
            };
            let _ = writeln!(text, "    function f{i}({}){results} {{", list("p", function.parameters));
            function.body.write(&mut text, 6);
            text.push_str("    }\n");
        }
        for i in 0..INPUTS {
            let _ = writeln!(text, "    let x{i} := calldataload({})", 32 * i);
        }
        self.body.write(&mut text, 4);
        for i in 0..INPUTS {
            let _ = writeln!(text, "    mstore({}, x{i})", RETURNED - 32 * (i + 1));
        }
        let _ = writeln!(
            text,
            "    return(0, {RETURNED})\n  }}\n  data \"d\" hex\"{}\"\n}}",
            hex::encode(&self.data)
        );
        text
    }

    /// This program with one statement taken out, in every way.
    pub fn smaller(&self) -> Vec<Program> {
        let mut out = Vec::new();
        for body in self.body.smaller() {
            out.push(Program { body, ..self.clone() });
        }
        for (i, function) in self.functions.iter().enumerate() {
            for body in function.body.smaller() {
                let mut program = self.clone();
                program.functions[i].body = body;
                out.push(program);
            }
        }
        out
    }
}

/// One object that deploys any of several, given as functions from a name to an object's text: creation code followed by a
/// word with the number of the one that is wanted. So one run of solc assembles them all.
pub fn batch(objects: &[impl Fn(&str) -> String]) -> String {
    let mut text = String::from("object \"Batch\" {\n  code {\n    codecopy(0, sub(codesize(), 32), 32)\n");
    text.push_str("    switch mload(0)\n");
    for i in 0..objects.len() {
        let _ = writeln!(
            text,
            "    case {i} {{ datacopy(0, dataoffset(\"P{i}\"), datasize(\"P{i}\")) return(0, datasize(\"P{i}\")) }}"
        );
    }
    text.push_str("    default { revert(0, 0) }\n  }\n");
    for (i, object) in objects.iter().enumerate() {
        text.push_str(&object(&format!("P{i}")));
    }
    text.push_str("}\n");
    text
}

impl Block {
    fn write(&self, text: &mut String, indent: usize) {
        let margin = " ".repeat(indent);
        for declaration in &self.declarations {
            let _ = writeln!(text, "{margin}{declaration}");
        }
        for statement in &self.statements {
            match statement {
                Statement::Plain(line) => {
                    let _ = writeln!(text, "{margin}{line}");
                }
                Statement::Nested(parts) => {
                    for (head, block) in parts {
                        let _ = writeln!(text, "{margin}{head} {{");
                        block.write(text, indent + 2);
                        let _ = writeln!(text, "{margin}}}");
                    }
                }
            }
        }
    }

    fn smaller(&self) -> Vec<Block> {
        let mut out = Vec::new();
        for (i, statement) in self.statements.iter().enumerate() {
            let mut without = self.clone();
            without.statements.remove(i);
            out.push(without);
            let Statement::Nested(parts) = statement else { continue };
            for (j, (_, block)) in parts.iter().enumerate() {
                for inner in block.smaller() {
                    let mut changed = self.clone();
                    if let Statement::Nested(parts) = &mut changed.statements[i] {
                        parts[j].1 = inner;
                    }
                    out.push(changed);
                }
            }
        }
        out
    }
}

impl Maker<'_> {
    fn function(&mut self) {
        let (parameters, results) = (self.draw.below(3), self.draw.below(3));
        let mut names: Vec<String> = (0..parameters).map(|i| format!("p{i}")).collect();
        names.extend((0..results).map(|i| format!("r{i}")));
        let allowed = BUDGET / 20;
        (self.budget, self.in_function) = (allowed, true);
        let body = self.block(Scope::new(names), 1);
        self.in_function = false;
        let cost = allowed - self.budget + 1;
        self.functions.push(Function { parameters, results, body, cost });
    }

    fn block(&mut self, mut scope: Scope, depth: usize) -> Block {
        let mut block = Block::default();
        for _ in 0..self.draw.below(3) {
            if scope.len() >= MAX_VARIABLES {
                break;
            }
            let value = self.expression(&scope, 2);
            let name = format!("v{depth}_{}", scope.len());
            block.declarations.push(format!("let {name} := {value}"));
            scope.declare(name);
        }
        for _ in 0..=self.draw.below(if depth == 0 { 9 } else { 5 }) {
            if self.budget == 0 {
                break;
            }
            self.budget -= 1;
            let statement = self.statement(&scope, depth);
            block.statements.push(statement);
        }
        block
    }

    fn statement(&mut self, scope: &Scope, depth: usize) -> Statement {
        let plain = Statement::Plain;
        match self.draw.below(20) {
            0 | 1 if depth < DEPTH => {
                let condition = self.expression(scope, 2);
                Statement::Nested(vec![(format!("if {condition}"), self.block(scope.clone(), depth + 1))])
            }
            2 if depth < DEPTH => self.switch(scope, depth),
            3 | 4 if depth < DEPTH && self.budget > 10 => self.repeat(scope, depth),
            5 | 6 => self.call(scope).map_or_else(|| plain(self.effect(scope)), plain),
            7 => self.exit(scope),
            8..=12 => plain(self.effect(scope)),
            _ => match scope.writable(self.draw) {
                Some(name) => {
                    let value = self.expression(scope, 3);
                    plain(format!("{name} := {value}"))
                }
                None => plain(self.effect(scope)),
            },
        }
    }

    fn switch(&mut self, scope: &Scope, depth: usize) -> Statement {
        let value = self.expression(scope, 2);
        let value = if self.draw.once_in(2) { format!("and({value}, 3)") } else { value };
        let mut parts = Vec::new();
        let cases = self.draw.below(3) + 1;
        for i in 0..cases {
            let case = if self.draw.once_in(4) { format!("0x{:x}00000000{i}", i + 1) } else { i.to_string() };
            let head =
                if i == 0 { format!("switch {value}\n    case {case}") } else { format!("case {case}") };
            parts.push((head, self.block(scope.clone(), depth + 1)));
        }
        if self.draw.once_in(2) {
            parts.push(("default".into(), self.block(scope.clone(), depth + 1)));
        }
        Statement::Nested(parts)
    }

    /// A loop with a counter that nothing else writes.
    fn repeat(&mut self, scope: &Scope, depth: usize) -> Statement {
        if scope.len() >= MAX_VARIABLES {
            return Statement::Plain(self.effect(scope));
        }
        let times = self.draw.below(6) + 1;
        let counter = format!("i{depth}");
        let mut inner = scope.clone();
        inner.declare_constant(counter.clone());
        let whole = self.budget;
        let outer = std::mem::replace(&mut self.in_loop, true);
        self.budget = whole / times;
        let body = self.block(inner, depth + 1);
        self.budget = whole.saturating_sub((whole / times - self.budget + 1) * times);
        self.in_loop = outer;
        // The step may be large: wrapping bounds are what loop analysis gets wrong.
        let (start, step) = *self.draw.pick(&[
            ("0", "1"),
            ("0", "3"),
            ("1", "0x100000000000000000000000000000000"),
            ("sub(0, 1)", "1"),
        ]);
        let bound = format!("lt(sub({counter}, {start}), mul({times}, {step}))");
        Statement::Nested(vec![(
            format!("for {{ let {counter} := {start} }} {bound} {{ {counter} := add({counter}, {step}) }}"),
            body,
        )])
    }

    /// `f0(a, b)`, its results assigned; nothing if there is no function that fits.
    fn call(&mut self, scope: &Scope) -> Option<String> {
        if self.functions.is_empty() {
            return None;
        }
        let index = self.draw.below(self.functions.len());
        let Function { parameters, results, cost, .. } = self.functions[index];
        if cost > self.budget {
            return None;
        }
        let mut targets: Vec<String> = Vec::new();
        for _ in 0..results {
            let name = scope.writable(self.draw)?;
            if targets.contains(&name) {
                return None;
            }
            targets.push(name);
        }
        self.budget -= cost;
        let arguments: Vec<String> = (0..parameters).map(|_| self.expression(scope, 2)).collect();
        let call = format!("f{index}({})", arguments.join(", "));
        Some(if targets.is_empty() { call } else { format!("{} := {call}", targets.join(", ")) })
    }

    /// A way out of a block, under a condition that rarely holds.
    fn exit(&mut self, scope: &Scope) -> Statement {
        let condition = format!("eq(and({}, 7), {})", self.expression(scope, 1), self.draw.below(8));
        let how = match self.draw.below(8) {
            0 | 1 if self.in_loop => "break".into(),
            2 | 3 if self.in_loop => "continue".into(),
            4 | 5 if self.in_function => "leave".into(),
            6 => (*self.draw.pick(&["stop()", "invalid()", "revert(0, 0)", "return(0, 96)"])).to_string(),
            7 => format!("revert({}, {})", self.offset(scope), self.draw.below(70)),
            _ => self.effect(scope),
        };
        let block = Block { declarations: Vec::new(), statements: vec![Statement::Plain(how)] };
        Statement::Nested(vec![(format!("if {condition}"), block)])
    }
}
