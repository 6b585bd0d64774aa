//! Which names may be declared and where they are seen.
use crate::support::{accepted, refused, statements};
use lathe_compiler::diagnostic::Kind::{Declaration, Syntax};
use lathe_compiler::yul::ast::{Expression, ExpressionKind, StatementKind};

#[test]
fn variables_are_seen_after_their_definition() {
    accepted("{ let x := 1 let y := x { x := y } }");
    refused("{ «x» := 1 let x }", Declaration, "not declared here, or not yet");
    refused("{ let x := «x» }", Declaration, "not declared here, or not yet");
    refused("{ { let x } «x» := 1 }", Declaration, "not declared here");
}

#[test]
fn functions_are_seen_in_the_whole_block_of_their_definition() {
    accepted("{ f() { f() } function f() { g() } function g() { f() } }");
    refused("{ { function f() {} } «f»() }", Declaration, "no function that is known here");
    refused("{ function f() { function g() {} } «g»() }", Declaration, "no function");
}

#[test]
fn functions_do_not_see_variables_around_them() {
    accepted("{ let x function f(y) { let z := y } }");
    refused("{ let x function f() { «x» := 1 } }", Declaration, "outside of this function");
    refused("{ function f(x) { function g() -> y { y := «x» } } }", Declaration, "outside of this function");
}

#[test]
fn no_name_hides_another() {
    refused("{ let x let «x» }", Declaration, "taken already");
    refused("{ let x { let «x» } }", Declaration, "taken already");
    refused("{ let x function f() { let «x» } }", Declaration, "taken already");
    refused("{ function f() {} let «f» }", Declaration, "taken already");
    refused("{ { let «f» } function f() {} }", Declaration, "taken already");
    refused("{ function f() {} function «f»() {} }", Declaration, "taken already");
    refused("{ function f(a, «a») {} }", Declaration, "taken already");
    refused("{ function f(a) -> «a» {} }", Declaration, "taken already");
    refused("{ function f(a) -> b { let «b» } }", Declaration, "taken already");
    refused("{ function f(«f») {} }", Declaration, "taken already");
}

#[test]
fn names_return_in_disjoint_scopes_with_a_number_of_their_own() {
    let code = accepted("{ { let x } { let x } function f() { let x } function g(x) {} let x }").code;
    assert_eq!(code.variables, ["x", "x", "x", "x", "x"]);
    let StatementKind::Block(first) = &code.body[0].kind else { panic!() };
    let StatementKind::Block(second) = &code.body[1].kind else { panic!() };
    assert_ne!(first[0].kind, second[0].kind);
}

#[test]
fn a_call_means_the_function_of_its_scope() {
    let text = "{ { f() function f() {} } { function f() {} f() } }";
    let calls = statements(text).into_iter().map(|block| match block {
        StatementKind::Block(block) => match &block[0].kind {
            StatementKind::Expression(Expression { kind: ExpressionKind::Call(id, _), .. }) => *id,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    });
    assert_eq!(calls.collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn variables_of_a_for_are_seen_in_all_of_it_and_nowhere_else() {
    accepted("{ for { let i } lt(i, 2) { i := add(i, 1) } { let j := i } let i }");
    refused("{ for { let i } i {} { let «i» } }", Declaration, "taken already");
    refused("{ for { let i } i {} {} «i» := 1 }", Declaration, "not declared here");
    refused("{ for {} 1 { let j } { «j» := 1 } }", Declaration, "not declared here");
}

#[test]
fn builtins_and_reserved_names_cannot_be_declared() {
    refused("{ let «add» }", Declaration, "is a builtin function");
    refused("{ function «mload»() {} }", Declaration, "is a builtin function");
    for name in ["pc", "jump", "jumpi", "jumpdest", "dup1", "swap16", "push0", "push32", "verbatim_x"] {
        refused(&format!("{{ let «{name}» }}"), Declaration, "is reserved");
    }
    accepted("{ let dup0 let dup17 let swap01 let push33 let pcs let sha3 }");
}

#[test]
fn dots_in_names_stand_alone_and_inside() {
    accepted("{ let a.b.c }");
    refused("{ let «a.» }", Declaration, "ends with a dot");
    refused("{ let «a..b» }", Declaration, "two dots");
}

#[test]
fn only_variables_are_assigned_and_each_once() {
    refused("{ function f() {} «f» := 1 }", Declaration, "is a function");
    refused("{ «add» := 1 }", Declaration, "is a builtin function");
    refused("{ let a function f() -> x, y {} a, «a» := f() }", Syntax, "twice");
}
