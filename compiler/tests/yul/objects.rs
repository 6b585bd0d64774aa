//! Objects, their data and the names under which code knows them.
use crate::support::{STACK, accepted, refused};
use lathe_compiler::diagnostic::Kind::{Declaration, Parser, Type};
use lathe_compiler::yul::ast::Data;
use lathe_compiler::yul::{MAX_DEPTH, MAX_LENGTH, parse};

#[test]
fn objects_hold_code_then_objects_and_data_in_any_order() {
    let text =
        r#"object "a" { code {} data "d" "x\x00" object "b" { code { stop() } } data "e" hex"01_02" }"#;
    let object = accepted(text);
    assert_eq!((object.name.as_str(), object.objects[0].name.as_str()), ("a", "b"));
    assert_eq!(object.objects[0].code.body.len(), 1);
    let expected = [("d", vec![b'x', 0]), ("e", vec![1, 2])];
    assert_eq!(object.data, expected.map(|(name, bytes)| Data { name: name.into(), bytes }));
    refused(r#"object "a" { «data» "d" "" code {} }"#, Parser, "expected `code`");
    refused(r#"object "a" { code {} «code» {} }"#, Parser, "expected `object`, `data` or `}`");
    refused(r#"object "a" { code {} «data "d" 1» }"#, Parser, "expected a string");
}

#[test]
fn a_block_alone_is_an_object_named_object() {
    let object = accepted("{ pop(datasize(\"object\")) }");
    assert_eq!((object.name.as_str(), object.code.body.len()), ("object", 1));
}

#[test]
fn names_within_an_object_are_distinct_and_not_empty() {
    refused(r#"object «""» { code {} }"#, Parser, "the name is empty");
    refused(r#"object «"\xff"» { code {} }"#, Parser, "not UTF-8");
    refused(r#"object «a» { code {} }"#, Parser, "a name between quotes");
    refused(r#"object "a" { code {} object «"a"» { code {} } }"#, Parser, "the object around it");
    refused(r#"object "a" { code {} data "b" "" «object "b" { code {} }» }"#, Parser, "two members");
    refused(r#"object "a" { code {} data "b" "" «data "b" ""» }"#, Parser, "two members");
}

#[test]
fn code_knows_its_object_and_all_below_by_path() {
    let inside = |access: &str| {
        format!(
            r#"object "a" {{ code {{ pop(datasize({access})) }}
                object "b" {{ code {{}} data "c" "" object "d" {{ code {{}} data ".metadata" "" }} }} data "e.f" "" }}"#
        )
    };
    for path in ["a", "b", "b.c", "b.d"] {
        accepted(&inside(&format!("\"{path}\"")));
    }
    for path in ["", "c", "a.b", "b.", "b.c.x", "b.d.c", "e.f", "b.d..metadata"] {
        refused(&inside(&format!("«\"{path}\"»")), Type, "no object or data is called");
    }
    refused(
        r#"object "a" { code {} object "b" { code { pop(dataoffset(«"a"»)) } } }"#,
        Type,
        "no object or data is called",
    );
}

#[test]
fn each_code_has_names_of_its_own() {
    let object = accepted(r#"object "a" { code { let x } object "b" { code { let x function f() {} } } }"#);
    assert_eq!(object.objects[0].code.variables, ["x"]);
    assert!(object.code.functions.is_empty());
    refused(
        r#"object "a" { code { function f() {} } object "b" { code { «f»() } } }"#,
        Declaration,
        "no function",
    );
}

fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread").join().expect("no panic")
}

/// Every way to nest, `depth` levels deep within a block.
fn nests(depth: usize) -> [String; 7] {
    let around = |open: &str, middle: &str, close: &str| {
        format!("{{ {}{middle}{} }}", open.repeat(depth), close.repeat(depth))
    };
    let objects: String = (0..depth).map(|level| format!("object \"{level}\" {{ code {{}} ")).collect();
    let functions: String = (0..depth).map(|level| format!("function f{level}() {{")).collect();
    [
        around("{", "", "}"),
        around("if 1 {", "", "}"),
        around("for {} 1 {} {", "", "}"),
        around("switch 1 default {", "", "}"),
        format!("{{ {functions}{} }}", "}".repeat(depth)),
        format!("{{ let x := {}1{} }}", "not(".repeat(depth), ")".repeat(depth)),
        format!("{objects}{}", "}".repeat(depth)),
    ]
}

#[test]
fn nesting_up_to_the_limit_needs_little_stack() {
    on_a_small_stack(|| {
        for text in nests(MAX_DEPTH - 1) {
            let object = accepted(&text);
            accepted(&lathe_compiler::yul::print::print(&object));
        }
    });
}

#[test]
fn nesting_beyond_the_limit_is_refused_at_its_place() {
    on_a_small_stack(|| {
        for text in nests(MAX_DEPTH + 1).into_iter().chain(nests(200_000)) {
            let faults = parse(&text).expect_err("too deep");
            assert!(faults[0].message.contains("256 deep"), "{}", faults[0]);
            assert!(faults[0].loc.is_some_and(|loc| loc.yul.end as usize <= text.len()));
        }
    });
}

#[test]
fn a_text_has_a_greatest_length() {
    let longest = "{}".to_string() + &" ".repeat(MAX_LENGTH - 2);
    accepted(&longest);
    let faults = parse(&(longest + " ")).expect_err("too long");
    assert!(faults[0].message.contains("67108864"), "{}", faults[0]);
}
