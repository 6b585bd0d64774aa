//! How many values calls take and yield, and what builtins ask of their arguments.
use crate::support::{accepted, place, refused, statements};
use lathe_compiler::diagnostic::Kind::{Declaration, Parser, Type};
use lathe_compiler::yul::ast::{Expression, ExpressionKind, StatementKind};
use lathe_compiler::yul::builtin::Builtin;
use lathe_compiler::yul::parse;

#[test]
fn calls_have_as_many_arguments_as_the_function_has_parameters() {
    accepted("{ function f(a, b) {} f(1, 2) }");
    refused("{ function f(a, b) {} «f(1)» }", Type, "`f` takes 2 arguments, found 1");
    refused("{ «mstore(0)» }", Type, "`mstore` takes 2 arguments, found 1");
    refused("{ «stop(0)» }", Type, "`stop` takes 0 arguments, found 1");
}

#[test]
fn every_builtin_is_callable_by_its_name_and_arity() {
    for builtin in Builtin::ALL {
        let argument = |position| match builtin.text_arguments().contains(&position) {
            true => "\"object\"",
            false => "1",
        };
        let arguments: Vec<_> = (0..builtin.arguments()).map(argument).collect();
        let call = format!("{}({})", builtin.name(), arguments.join(", "));
        accepted(&match builtin.results() {
            0 => format!("{{ {call} }}"),
            _ => format!("{{ let x := {call} }}"),
        });
    }
}

#[test]
fn definitions_and_assignments_take_as_many_values_as_they_name() {
    let f = "function f() -> a, b {}";
    accepted(&format!("{{ {f} let x, y := f() x, y := f() let p, q, r }}"));
    refused(&format!("{{ {f} let x, y, z := «f()» }}"), Type, "expected 3 values, but this yields 2");
    refused(&format!("{{ {f} let x := «f()» }}"), Type, "expected 1 value, but this yields 2");
    refused("{ let x, y := «1» }", Type, "expected 2 values, but this yields 1");
    refused("{ let x x := «stop()» }", Type, "expected 1 value, but this yields 0");
}

#[test]
fn statements_yield_nothing_and_operands_one_value() {
    let f = "function f() -> a, b {}";
    refused("{ «mload(0)» }", Type, "yields 1; `pop` it or assign it");
    refused(&format!("{{ {f} «f()» }}"), Type, "expected 0 values, but this yields 2");
    refused(&format!("{{ {f} mstore(0, «f()») }}"), Type, "expected 1 value, but this yields 2");
    refused("{ if «stop()» {} }", Type, "expected 1 value");
    refused("{ switch «stop()» default {} }", Type, "expected 1 value");
    refused("{ for {} «stop()» {} {} }", Type, "expected 1 value");
}

#[test]
fn only_calls_are_statements() {
    refused("{ «1» }", Parser, "expected a statement");
    refused("{ let x x «}»", Parser, "expected `(` of a call, or `:=`");
    refused("{ let x, y x, y «(»1) }", Parser, "expected `:=`");
}

#[test]
fn functions_are_not_values_and_variables_are_not_functions() {
    refused("{ let x := «add» }", Declaration, "call it");
    refused("{ function f() {} let x := «f» }", Declaration, "call it");
    refused("{ let x «x»() }", Declaration, "cannot be called");
}

#[test]
fn lists_are_separated_by_commas() {
    accepted("{ function f(a, b,) -> c, d {} let x, y := f(1, 2) }");
    refused("{ pop(1,«)» }", Parser, "expected an expression");
    refused("{ pop(1 «2») }", Parser, "expected `,` or `)`");
    refused("{ function f(a «b») {} }", Parser, "expected `,`");
    refused("{ function f() -> «{»} }", Parser, "a variable's name");
}

#[test]
fn names_of_objects_immutables_and_libraries_are_strings_of_any_length() {
    let long = "a.sol:".repeat(20);
    let text =
        format!("{{ let x := linkersymbol(\"{long}\") setimmutable(0, 'i', loadimmutable(hex\"69\")) }}");
    let found = statements(&text);
    let StatementKind::Let { value: Some(Expression { kind, .. }), .. } = &found[0] else { panic!() };
    let ExpressionKind::Builtin(Builtin::Linkersymbol, arguments) = kind else { panic!() };
    assert_eq!(arguments[0].kind, ExpressionKind::Text(long));
    refused("{ let x pop(linkersymbol(«x»)) }", Type, "takes a string");
    refused("{ setimmutable(0, «1», 2) }", Type, "takes a string");
    refused("{ pop(loadimmutable(«\"\\xff\"»)) }", Type, "UTF-8");
}

#[test]
fn memoryguard_takes_a_number() {
    accepted("{ let x := memoryguard(0x80) }");
    refused("{ let x := memoryguard(«add(1, 2)») }", Type, "takes a number");
    refused("{ let x := memoryguard(«\"a\"») }", Type, "takes a number");
}

#[test]
fn evm_code_cannot_be_put_into_the_output() {
    refused("{ «verbatim_0i_0o»(hex\"00\") }", Declaration, "does not run EVM bytecode");
    refused("{ let x := «pc»() }", Declaration, "Yul does not have");
}

#[test]
fn all_faults_of_a_text_are_told_in_order_and_one_per_cause() {
    let text = "{ let x, y := f(z) break stop(1) { let x } }";
    let faults = parse(text).expect_err("five faults");
    let found: Vec<_> =
        faults.iter().map(|fault| &text[place(fault).start as usize..place(fault).end as usize]).collect();
    assert_eq!(found, ["f", "z", "break", "stop(1)", "x"]);
}

#[test]
fn the_number_of_faults_is_bounded() {
    let text = format!("{{ {} }}", "f() ".repeat(10_000));
    assert_eq!(parse(&text).expect_err("many faults").len(), 256);
}
