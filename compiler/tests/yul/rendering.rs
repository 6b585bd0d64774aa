//! Diagnostics as text, in solc's shape. The expected texts are what solc prints for the same places, but
//! that its columns are bytes.
use lathe_compiler::diagnostic::{Diagnostic, Kind, Loc, Sources, Span, Src};
use proptest::prelude::*;

fn yul(start: u32, end: u32) -> Loc {
    Loc { yul: Span { start, end }, src: None }
}

/// A message about what stands between `«` and `»` in a Yul text.
#[track_caller]
fn rendered(marked: &str) -> String {
    let (before, rest) = marked.split_once('«').expect("a mark");
    let (within, after) = rest.split_once('»').expect("a second mark");
    let loc = yul(before.len() as u32, (before.len() + within.len()) as u32);
    Diagnostic::error(loc, "it is wrong").render(&Sources::new("a.yul", [before, within, after].concat()))
}

#[test]
fn a_place_in_a_line_is_underlined() {
    let expected = "Error: it is wrong
 --> a.yul:2:5:
  |
2 |     x := 1
  |     ^
";
    assert_eq!(rendered("{\n    «x» := 1\n}"), expected);
}

#[test]
fn the_margin_is_as_wide_as_the_line_number() {
    let expected = "Error: it is wrong
   --> a.yul:100:1:
    |
100 | stop(1)
    | ^^^^^^^
";
    assert_eq!(rendered(&format!("{}«stop(1)»", "\n".repeat(99))), expected);
}

#[test]
fn tabs_stay_and_columns_are_characters() {
    let expected = "Error: it is wrong
 --> a.yul:1:5:
  |
1 | \té€ x\ty
  | \t   ^\t^
";
    assert_eq!(rendered("\té€ «x\ty»"), expected);
}

#[test]
fn a_place_over_several_lines_is_marked_at_its_start() {
    let expected = "Error: it is wrong
 --> a.yul:1:3:
  |
1 | { let x :=
  |   ^ (Relevant source part starts here and spans across multiple lines).
";
    assert_eq!(rendered("{ «let x :=\r\n 1» }"), expected);
}

#[test]
fn an_empty_place_has_one_caret() {
    let expected = "Error: it is wrong
 --> a.yul:2:1:
  |
2 | 
  | ^
";
    assert_eq!(rendered("{\n«»"), expected);
}

#[test]
fn long_lines_are_cut_around_the_place() {
    let filler = "abcdefghij".repeat(20);
    let (left, right) = (&filler[165..], &filler[..35]);
    let expected = format!(
        "Error: it is wrong
 --> a.yul:1:201:
  |
1 |  ... {left}x{right} ...
  | {}^
",
        " ".repeat(40)
    );
    assert_eq!(rendered(&format!("{filler}«x»{filler}")), expected);
}

#[test]
fn long_places_lose_their_middle() {
    let filler = "abcdefghij".repeat(20);
    let expected = format!(
        "Error: it is wrong
 --> a.yul:1:1:
  |
1 | {} ... {}
  | {}
",
        &filler[..35],
        &filler[165..],
        "^".repeat(75)
    );
    assert_eq!(rendered(&format!("«{filler}»")), expected);
}

#[test]
fn the_solidity_place_comes_first_if_its_text_is_known() {
    let mut sources = Sources::new("a.yul", "{ stop(1) }");
    let src = |source| Loc { src: Some(Src { source, span: Span { start: 15, end: 18 } }), ..yul(2, 9) };
    sources.insert(3, "contracts/a.sol", "contract C {\n  int x;\n}\n");
    let known = Diagnostic::warning(src(3), "odd").render(&sources);
    assert_eq!(known, "Warning: odd\n --> contracts/a.sol:2:3:\n  |\n2 |   int x;\n  |   ^^^\n");
    let unknown = Diagnostic::error(src(4), "odd").render(&sources);
    assert_eq!(unknown, "Error: odd\n --> a.yul:1:3:\n  |\n1 | { stop(1) }\n  |   ^^^^^^^\n");
}

#[test]
fn a_message_without_a_place_is_one_line() {
    let sources = Sources::new("a.yul", "{}");
    assert_eq!(Diagnostic::general("no such file").render(&sources), "Error: no such file\n");
}

#[test]
fn the_message_of_standard_json_is_titled_by_type_and_ends_with_an_empty_line() {
    let sources = Sources::new("a.yul", "{}");
    let fault = Diagnostic::general("taken").of_kind(Kind::Declaration);
    assert_eq!(fault.formatted_message(&sources), "DeclarationError: taken\n\n");
    assert_eq!(Diagnostic::warning(yul(0, 2), "odd").type_name(), "Warning");
    assert_eq!(Diagnostic::general("no").type_name(), "CodeGenerationError");
}

proptest! {
    #[test]
    fn any_place_in_any_text_can_be_shown(text in "[a-z\\té€𝄞\\r\\n]{0,40}", start: u32, end: u32, near in 0u32..60) {
        let sources = Sources::new("a.yul", text);
        for (start, end) in [(start, end), (near, end), (start, near), (near, near + 1), (near, near / 2)] {
            let shown = Diagnostic::error(yul(start, end), "it is wrong").render(&sources);
            prop_assert!(shown.starts_with("Error: it is wrong\n"));
        }
    }
}
