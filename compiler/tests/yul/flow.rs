//! Branches, loops and exits.
use crate::support::{accepted, refused, statements};
use lathe_compiler::diagnostic::Kind::{Declaration, Parser, Syntax};
use lathe_compiler::yul::ast::StatementKind;
use lathe_vm::Word;

#[test]
fn break_and_continue_belong_in_the_body_of_a_loop() {
    accepted("{ for {} 1 {} { if 1 { break } switch 1 case 0 { continue } default { { break } } } }");
    refused("{ «break» }", Syntax, "outside of a `for`");
    refused("{ for { «break» } 1 {} {} }", Syntax, "in the first block");
    refused("{ for {} 1 { «continue» } {} }", Syntax, "in the last block of a `for`'s head");
    refused("{ for {} 1 {} { for { «break» } 1 {} {} } }", Syntax, "in the first block");
    refused("{ for {} 1 {} { function f() { «break» } } }", Syntax, "outside of a `for`");
    refused("{ for {} 1 {} {} «continue» }", Syntax, "outside of a `for`");
}

#[test]
fn leave_belongs_in_a_function() {
    accepted("{ function f() { for {} 1 { leave } { if 1 { leave } } } }");
    refused("{ «leave» }", Syntax, "outside of a function");
    refused("{ function f() {} «leave» }", Syntax, "outside of a function");
}

#[test]
fn functions_are_not_defined_at_the_start_of_a_for() {
    accepted("{ for {} 1 { function f() {} f() } { function g() {} g() } }");
    accepted("{ for { for {} 1 {} { function f() {} } } 1 {} {} }");
    refused("{ for { «function f() {}» } 1 {} {} }", Syntax, "first block of a `for`");
    refused("{ for { { «function f() {}» } } 1 {} {} }", Syntax, "first block of a `for`");
}

#[test]
fn cases_are_distinct_literals() {
    let found = statements("{ switch 1 case 0x01 {} case \"a\" {} case false {} default {} }");
    let StatementKind::Switch { cases, default: Some(_), .. } = &found[0] else { panic!("{found:?}") };
    let values: Vec<_> = cases.iter().map(|(value, _)| *value).collect();
    assert_eq!(values, [Word::from(1), Word::new(0x61 << 120, 0), Word::ZERO]);
    refused("{ switch 1 case 1 {} case «0x01» {} }", Declaration, "already");
    refused("{ switch 1 case \"a\" {} case «hex\"61\"» {} }", Declaration, "already");
    refused("{ switch 1 case true {} case «1» {} }", Declaration, "already");
    refused("{ let x switch 1 case «x» {} }", Parser, "expected a literal");
}

#[test]
fn a_switch_has_a_part_and_its_default_comes_last() {
    accepted("{ switch 1 default {} }");
    refused("{ «switch 1» }", Parser, "without any `case`");
    refused("{ switch 1 default {} «case» 1 {} }", Parser, "must be the last");
    refused("{ switch 1 default {} «default» {} }", Parser, "must be the last");
}

#[test]
fn branches_and_loops_have_blocks() {
    refused("{ if 1 «let» x }", Parser, "expected `{`");
    refused("{ if «{»} {} }", Parser, "expected an expression");
    refused("{ for {} 1 {} «}»", Parser, "expected `{`");
    refused("{ function f() «f»() }", Parser, "expected `{`");
}

#[test]
fn functions_are_lifted_out_of_the_body() {
    let code = accepted("{ function f() { function g() {} } stop() { function h() {} } }").code;
    let names: Vec<_> = code.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["f", "g", "h"]);
    assert_eq!(code.body.len(), 2);
}
