//! Numbers, strings, hex strings and truth values.
use crate::support::{refused, statements};
use lathe_compiler::diagnostic::Kind::{Parser, Type};
use lathe_compiler::yul::ast::{Expression, ExpressionKind, StatementKind};
use lathe_vm::Word;

/// The value of `literal` in `let x := literal`.
#[track_caller]
fn value(literal: &str) -> Word {
    let statements = statements(&format!("{{ let x := {literal} }}"));
    let [StatementKind::Let { value: Some(Expression { kind: ExpressionKind::Literal(word), .. }), .. }] =
        statements.as_slice()
    else {
        panic!("{statements:?}")
    };
    *word
}

/// Bytes at the upper end of a word.
fn bytes(bytes: &[u8]) -> Word {
    let mut word = [0; 32];
    word[..bytes.len()].copy_from_slice(bytes);
    Word::from_be_bytes(word)
}

#[test]
fn numbers_are_decimal_or_hex_below_2_to_the_256() {
    let max = Word::new(u128::MAX, u128::MAX);
    let max_decimal = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    assert_eq!(value("0"), Word::ZERO);
    assert_eq!(value("0x00fF"), Word::from(255));
    assert_eq!(value(max_decimal), max);
    assert_eq!(value(&format!("0x{}", "f".repeat(64))), max);
    assert_eq!(value(&format!("0x{}1", "0".repeat(100))), Word::from(1));
    let above = max_decimal.replace("9639935", "9639936");
    refused(&format!("{{ let x := «{above}» }}"), Type, "not below 2^256");
    refused(&format!("{{ let x := «0x1{}» }}", "0".repeat(64)), Type, "not below 2^256");
}

#[test]
fn numbers_have_one_form_only() {
    refused("{ let x := «01» }", Parser, "must not begin with 0");
    refused("{ let x := «0x» }", Parser, "hex digits");
    refused("{ let x := «0xg» }", Parser, "hex digits");
    refused("{ let x := «0X1» }", Parser, "decimal digits only");
    refused("{ let x := «1e3» }", Parser, "decimal digits only");
    refused("{ let x := «1.5» }", Parser, "decimal digits only");
    refused("{ let x := «1_000» }", Parser, "decimal digits only");
}

#[test]
fn true_is_one_and_false_is_zero() {
    assert_eq!((value("true"), value("false")), (Word::from(1), Word::ZERO));
}

#[test]
fn strings_stand_at_the_upper_end_of_a_word() {
    assert_eq!(value("\"abc\""), bytes(b"abc"));
    assert_eq!(value("''"), Word::ZERO);
    assert_eq!(value("'\"'"), bytes(b"\""));
    assert_eq!(value("\"// no comment\""), bytes(b"// no comment"));
    assert_eq!(value(&format!("\"{}\"", "a".repeat(32))), bytes(&[b'a'; 32]));
    refused(&format!("{{ let x := «\"{}\"» }}", "a".repeat(33)), Type, "33 bytes; a value has room for 32");
}

#[test]
fn escapes_are_those_of_solidity() {
    assert_eq!(value(r#""\n\r\t\\\'\"""#), bytes(b"\n\r\t\\'\""));
    assert_eq!(
        value(r"'\x00\xfF\u0041\u00e9\u20ac\ud800'"),
        bytes(b"\x00\xffA\xc3\xa9\xe2\x82\xac\xed\xa0\x80")
    );
    assert_eq!(value("\"a\\\nb\\\r\nc\""), bytes(b"abc"));
    refused(r#"{ let x := "a«\»b" }"#, Parser, "unknown escape `\\b`");
    refused(r#"{ let x := "«\»0" }"#, Parser, "unknown escape");
    refused(r#"{ let x := "«\»xg0" }"#, Parser, "two hex digits");
    refused(r#"{ let x := "«\»x" }"#, Parser, "two hex digits");
    refused(r#"{ let x := "«\»u00g0" }"#, Parser, "four hex digits");
    refused("{ let x := \"«\\»é\" }", Parser, "unknown escape");
}

#[test]
fn strings_end_in_their_line_and_hold_printable_ascii() {
    refused("{ let x := «\"»a\nb\" }", Parser, "closing quote");
    refused("{ let x := «'»abc\" }", Parser, "closing quote");
    refused("{ let x := «\"»a\\", Parser, "closing quote");
    refused("{ let x := \"a«é»\" }", Parser, "printable ASCII");
    refused("{ let x := \"«\t»\" }", Parser, "printable ASCII");
}

#[test]
fn hex_strings_are_pairs_of_digits_with_single_underscores() {
    assert_eq!(value("hex\"00_Ff11\""), bytes(&[0, 255, 17]));
    assert_eq!(value("hex''"), Word::ZERO);
    for bad in ["0", "001", "_00", "00_", "00__11", "0_0", "0x"] {
        refused(&format!("{{ let x := «hex\"{bad}\"» }}"), Parser, "pairs of hex digits");
    }
    refused("{ let x := «hex» \"00\" }", Parser, "expected an expression");
    refused(&format!("{{ let x := «hex\"{}\"» }}", "00".repeat(33)), Type, "33 bytes");
}

#[test]
fn the_one_type_is_u256() {
    assert_eq!(value("7: u256"), Word::from(7));
    statements("{ function f(a: u256) -> b: uint256 { let c: u256, d: u256 } }");
    refused("{ let x: «bool» }", Parser, "every value is a `u256`");
    refused("{ let x := 1:«u8» }", Parser, "every value is a `u256`");
}
