//! Places in the Yul text and, from solc's comments, in Solidity.
use crate::support::{accepted, refused};
use lathe_compiler::diagnostic::{Kind::Parser, Span, Src};
use lathe_compiler::yul::ast::{ExpressionKind, StatementKind};

/// The `@src` of every statement of a block.
#[track_caller]
fn sources_of(text: &str) -> Vec<Option<(u32, u32, u32)>> {
    let body = accepted(text).code.body;
    body.iter()
        .map(|statement| statement.loc.src.map(|src| (src.source, src.span.start, src.span.end)))
        .collect()
}

#[test]
fn statements_and_expressions_span_their_text() {
    let text = "{ let x := add(1, \"e\") }";
    let object = accepted(text);
    let part = |span: Span| &text[span.start as usize..span.end as usize];
    assert_eq!(part(object.loc.yul), text);
    assert_eq!(part(object.code.body[0].loc.yul), "let x := add(1, \"e\")");
    let StatementKind::Let { value: Some(value), .. } = &object.code.body[0].kind else { panic!() };
    assert_eq!(part(value.loc.yul), "add(1, \"e\")");
    let ExpressionKind::Builtin(_, arguments) = &value.kind else { panic!() };
    assert_eq!(part(arguments[1].loc.yul), "\"e\"");
}

#[test]
fn an_src_comment_holds_until_the_next() {
    let text = "{ stop()
        /// @src 0:12:34
        stop() { stop() } // @src 7:7:7
        stop()
        /** @src 3:1:2  \"a \\\" @src 9:9:9\" */ stop()
        /// @ast-id 5 @src 4:5:6
        stop() /// @src -1:-1:-1
        stop() }";
    let (a, b, c) = (Some((0, 12, 34)), Some((3, 1, 2)), Some((4, 5, 6)));
    assert_eq!(sources_of(text), [None, a, a, a, b, c, None]);
}

#[test]
fn an_expression_has_the_src_at_its_start() {
    let object = accepted("{ let x := /** @src 0:1:2 */ add(/** @src 0:3:4 */ 1, 2) stop() }");
    let StatementKind::Let { value: Some(value), .. } = &object.code.body[0].kind else { panic!() };
    let ExpressionKind::Builtin(_, arguments) = &value.kind else { panic!() };
    let src = |start, end| Some(Src { source: 0, span: Span { start, end } });
    assert_eq!([value.loc.src, arguments[0].loc.src], [src(1, 2), src(3, 4)]);
    assert_eq!(object.code.body[1].loc.src, src(3, 4));
}

#[test]
fn an_src_with_an_unknown_part_says_nothing_and_its_end_is_not_before_its_start() {
    assert_eq!(sources_of("{ /// @src 0:1:2\n /// @src 0:-1:-1\n stop() }"), [None]);
    assert_eq!(sources_of("{ /// @src 0:5:3\n stop() }"), [Some((0, 5, 5))]);
}

#[test]
fn a_malformed_src_is_refused() {
    for bad in ["@src", "@src 0:1", "@src 0:1:2:3", "@src a:b:c", "@src 0:99999999999:3", "@src 0:-2:3"] {
        refused(&format!("{{ «/// {bad}»\n }}"), Parser, "expected `index:start:end`");
    }
}

#[test]
fn use_src_names_the_sources_of_the_object_behind_it() {
    let text = r#"/// @use-src 0:"a.sol", 12 : "b \"c\"\x41\\.sol"
        object "a" { code {} object "b" { code {} }
            /// @use-src 3:"d.sol"
            object "c" { code {} } }"#;
    let object = accepted(text);
    let outer = [(0, "a.sol".to_string()), (12, "b \"c\"A\\.sol".to_string())];
    assert_eq!(object.sources, outer);
    assert!(object.objects[0].sources.is_empty());
    assert_eq!(object.objects[1].sources, [(3, "d.sol".to_string())]);
    assert_eq!(accepted("/// @use-src 1:\"x\"\n{}").sources, [(1, "x".to_string())]);
    refused("«/// @use-src 0:a.sol»\n{}", Parser, "expected a list such as");
}

#[test]
fn each_object_begins_without_an_src() {
    let text = "object \"a\" { code { /// @src 0:1:2\n stop() } object \"b\" { code { stop() } } }";
    let object = accepted(text);
    assert!(object.code.body[0].loc.src.is_some());
    assert_eq!(object.objects[0].code.body[0].loc.src, None);
}
