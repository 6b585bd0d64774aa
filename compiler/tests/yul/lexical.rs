//! Words, white space and comments.
use crate::support::{accepted, refused, without_places};
use lathe_compiler::diagnostic::Kind::Parser;

#[test]
fn identifiers_hold_letters_digits_dollars_dots_and_underscores() {
    let code = accepted("{ let $ let _ let a.b$c_9 let usr$x.y let A }").code;
    assert_eq!(code.variables, ["$", "_", "a.b$c_9", "usr$x.y", "A"]);
    refused("{ let «é» }", Parser, "no part of Yul");
    refused("{ let «.»a }", Parser, "no part of Yul");
    refused("{ let «9a» }", Parser, "decimal digits only");
}

#[test]
fn words_of_the_grammar_are_no_identifiers() {
    for word in
        "function let if switch case default for break continue leave true false hex".split_whitespace()
    {
        refused(&format!("{{ let «{word}» }}"), Parser, "a variable's name");
    }
}

#[test]
fn words_of_objects_are_identifiers_in_code() {
    assert_eq!(accepted("{ let object let code let data }").code.variables, ["object", "code", "data"]);
}

#[test]
fn white_space_is_needed_nowhere_but_between_words() {
    let dense = without_places(accepted("{let x:=1 let y:=add(x,2)}"));
    let wide = without_places(accepted(" {\tlet x\r\n:=\n1 let y := add ( x , 2 ) } "));
    assert_eq!(dense, wide);
    refused("{ let x := «1let» }", Parser, "decimal digits only");
    refused("{ let x : «=» 1 }", Parser, "no part of Yul");
    refused("{ let x := 1 «;» }", Parser, "no part of Yul");
    refused("{ let x := 1 «\u{a0}»}", Parser, "no part of Yul");
}

#[test]
fn comments_are_white_space() {
    accepted("// before\n{ /* in * / ** é */ let x /**/ := // to the end } \r 1 /* { */ } // behind");
    refused("{ «/*» }", Parser, "no `*/` ends");
    refused("{ «/*»/ }", Parser, "no `*/` ends");
}

#[test]
fn the_end_of_the_text_comes_after_one_object() {
    refused("{} «{»}", Parser, "expected the end of the text");
    refused("«»", Parser, "expected `object` or a block, found the end");
    refused("{ let x :=«»", Parser, "expected an expression, found the end");
}

#[test]
fn long_words_are_cut_in_messages() {
    let name = "a".repeat(10_000);
    let faults = lathe_compiler::yul::parse(&format!("{{ {name} := 1 }}")).expect_err("not declared");
    assert!(faults[0].message.len() < 200, "{}", faults[0]);
}
