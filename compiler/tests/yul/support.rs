//! Claims about texts. In a text that must be refused, `«` and `»` stand around the place of the fault.
use lathe_compiler::diagnostic::{Diagnostic, Kind, Span};
use lathe_compiler::yul::ast::{Block, Expression, ExpressionKind, Object, StatementKind};
use lathe_compiler::yul::parse;

/// Yul texts as people write them and as solc does.
pub const FIXTURES: &[&str] = &[
    include_str!("fixtures/token.yul"),
    include_str!("fixtures/factory.yul"),
    include_str!("fixtures/arithmetic.yul"),
    include_str!("fixtures/compiled.yul"),
];

/// A small stack; unoptimised frames are several times as large.
pub const STACK: usize = if cfg!(debug_assertions) { 8 << 20 } else { 2 << 20 };

#[track_caller]
pub fn accepted(text: &str) -> Object {
    parse(text).unwrap_or_else(|faults| panic!("refused: {text}\n{faults:#?}"))
}

/// The statements of an accepted block.
#[track_caller]
pub fn statements(text: &str) -> Vec<StatementKind> {
    accepted(text).code.body.into_iter().map(|statement| statement.kind).collect()
}

/// The text is refused with a single fault, of this kind, at the marked place, whose message has these words.
#[track_caller]
pub fn refused(marked: &str, kind: Kind, words: &str) {
    let (text, expected) = unmark(marked);
    let faults = match parse(&text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(faults) => faults,
    };
    let [fault] = faults.as_slice() else { panic!("{} faults in {text}\n{faults:#?}", faults.len()) };
    assert_eq!(place(fault), expected, "place of `{fault}` in {text}");
    assert_eq!(fault.kind, kind, "kind of `{fault}` in {text}");
    assert!(fault.message.contains(words), "`{fault}` does not say `{words}`, in {text}");
}

/// The text without its marks, and the place between them.
fn unmark(marked: &str) -> (String, Span) {
    let (before, rest) = marked.split_once('«').expect("a mark");
    let (within, after) = rest.split_once('»').expect("a second mark");
    let (start, end) = (before.len() as u32, (before.len() + within.len()) as u32);
    ([before, within, after].concat(), Span { start, end })
}

pub fn place(fault: &Diagnostic) -> Span {
    fault.loc.expect("a place").yul
}

/// The same tree without places.
pub fn without_places(mut object: Object) -> Object {
    object.loc = Default::default();
    object.code.functions.iter_mut().for_each(|function| {
        function.loc = Default::default();
        clear_block(&mut function.body);
    });
    clear_block(&mut object.code.body);
    object.objects = object.objects.into_iter().map(without_places).collect();
    object
}

fn clear_block(block: &mut Block) {
    for statement in block {
        statement.loc = Default::default();
        match &mut statement.kind {
            StatementKind::Block(block) => clear_block(block),
            StatementKind::Let { value, .. } => value.iter_mut().for_each(clear_expression),
            StatementKind::Assign { value, .. } | StatementKind::Expression(value) => clear_expression(value),
            StatementKind::If { condition, body } => {
                clear_expression(condition);
                clear_block(body);
            }
            StatementKind::Switch { value, cases, default } => {
                clear_expression(value);
                cases.iter_mut().map(|(_, body)| body).chain(default).for_each(clear_block);
            }
            StatementKind::For { init, condition, post, body } => {
                clear_expression(condition);
                [init, post, body].into_iter().for_each(clear_block);
            }
            StatementKind::Break | StatementKind::Continue | StatementKind::Leave => {}
        }
    }
}

fn clear_expression(expression: &mut Expression) {
    expression.loc = Default::default();
    if let ExpressionKind::Builtin(_, arguments) | ExpressionKind::Call(_, arguments) = &mut expression.kind {
        arguments.iter_mut().for_each(clear_expression);
    }
}
