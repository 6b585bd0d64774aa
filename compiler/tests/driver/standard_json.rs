//! Standard JSON: what a tool asks of solc it gets from us, in the same shape.
use super::creation::unpack;
use super::{COUNTER, LINKED, Workspace};
use lathe_compiler::compile::Options;
use lathe_compiler::solc::paths::Paths;
use lathe_compiler::standard_json::answer;
use proptest::prelude::*;
use serde_json::{Value, json};

fn ask(input: &Value) -> Value {
    Workspace::new(&[]).run_with_input(&["--standard-json"], &input.to_string()).json()
}

fn input(source: &str, settings: Value) -> Value {
    json!({ "language": "Solidity", "sources": { "A.sol": { "content": source } }, "settings": settings })
}

fn select(outputs: &[&str]) -> Value {
    json!({ "outputSelection": { "*": { "*": outputs } } })
}

#[test]
fn everything_has_solcs_shape() {
    let answer = ask(&input(COUNTER, json!({ "outputSelection": { "*": { "*": ["*"], "": ["ast"] } } })));
    assert_eq!(answer.get("errors"), None, "{:#}", answer["errors"]);
    assert_eq!(answer["sources"]["A.sol"]["id"], 0);
    assert_eq!(answer["sources"]["A.sol"]["ast"]["nodeType"], "SourceUnit");
    let contract = &answer["contracts"]["A.sol"]["Counter"];
    assert!(contract["abi"].is_array() && contract["storageLayout"]["storage"].is_array());
    assert_eq!(contract["evm"]["methodIdentifiers"]["advance()"], "ea105ac7");
    for part in ["bytecode", "deployedBytecode"] {
        let code = &contract["evm"][part];
        let object = code["object"].as_str().expect("hex");
        assert!(!object.is_empty() && hex::decode(object).is_ok());
        assert!(code["opcodes"].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!((&code["linkReferences"], &code["generatedSources"]), (&json!({}), &json!([])));
        assert_eq!(code["functionDebugData"], json!({}));
    }
    assert_eq!(contract["evm"]["deployedBytecode"]["immutableReferences"], json!({}));
    assert!(contract["evm"]["gasEstimates"]["external"].get("advance()").is_some());
    let metadata: Value = serde_json::from_str(contract["metadata"].as_str().expect("text")).expect("JSON");
    assert_eq!(metadata["compiler"]["lathec"], env!("CARGO_PKG_VERSION"));
    assert_eq!(contract["lathe"]["runtime"]["hash"].as_str().map(str::len), Some(66));
    assert_eq!(contract["lathe"]["runtime"]["immutables"].as_object().map(|m| m.len()), Some(1));
    assert_eq!(contract.get("irOptimized"), None, "`*` does not stand for Yul");
}

#[test]
fn the_hashes_are_those_of_the_objects() {
    let answer =
        ask(&input(COUNTER, select(&["lathe", "evm.bytecode.object", "evm.deployedBytecode.object"])));
    let contract = &answer["contracts"]["A.sol"]["Counter"];
    let object = |part: &str| contract["evm"][part]["object"].as_str().expect("hex");
    let hex_of = |word: lathe_vm::Word| format!("0x{}", hex::encode(word.to_be_bytes()));
    let (pages, hash) = unpack(object("bytecode"));
    let runtime = lathe_vm::trace::Page::from_hex(object("deployedBytecode")).expect("a page");
    assert_eq!(contract["lathe"]["deploy"]["hash"], hex_of(hash).as_str());
    assert_eq!(contract["lathe"]["deploy"]["hash"], hex_of(pages[0].hash_word()).as_str());
    for page in [&pages[1], &runtime] {
        assert_eq!(contract["lathe"]["runtime"]["hash"], hex_of(page.hash_word()).as_str());
    }
}

#[test]
fn only_what_is_selected_is_there() {
    let answer = ask(&input(COUNTER, select(&["abi"])));
    let keys = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
    assert_eq!(keys(&answer["contracts"]["A.sol"]["Counter"]), Some(vec!["abi".into()]));
    let answer = ask(&input(COUNTER, select(&["evm.deployedBytecode.sourceMap", "irOptimized"])));
    let contract = &answer["contracts"]["A.sol"]["Counter"];
    assert_eq!(keys(contract), Some(vec!["irOptimized".into(), "evm".into()]));
    assert_eq!(keys(&contract["evm"]["deployedBytecode"]), Some(vec!["sourceMap".into()]));
    let answer = ask(&input(COUNTER, json!({ "outputSelection": { "B.sol": { "*": ["*"] } } })));
    assert_eq!(answer.get("contracts"), None);
}

#[test]
fn a_source_map_has_an_entry_per_instruction_within_the_source() {
    let answer = ask(&input(COUNTER, select(&["lathe", "evm.deployedBytecode.sourceMap"])));
    let contract = &answer["contracts"]["A.sol"]["Counter"];
    let map = contract["evm"]["deployedBytecode"]["sourceMap"].as_str().expect("text");
    assert_eq!(Some(map.split(';').count() as u64), contract["lathe"]["runtime"]["instructions"].as_u64());
    let (mut entry, mut of_advance) = ([0i64; 3], 0);
    let advance = COUNTER.find("value += step").expect("the statement") as i64;
    for text in map.split(';') {
        for (field, value) in entry.iter_mut().zip(text.split(':')) {
            if !value.is_empty() {
                *field = value.parse().expect("a number");
            }
        }
        let [start, length, file] = entry;
        assert!(file == -1 || (start >= 0 && start + length <= COUNTER.len() as i64), "{entry:?}");
        of_advance += i32::from(file == 0 && (advance..advance + 13).contains(&start));
    }
    assert!(of_advance > 0, "no instruction comes from `value += step`");
}

#[test]
fn solcs_errors_and_warnings_pass_through() {
    let answer = ask(&input("contract A { uint x = \"a\"; }", select(&["*"])));
    let errors = answer["errors"].as_array().expect("errors");
    let kinds: Vec<&str> = errors.iter().filter_map(|error| error["type"].as_str()).collect();
    assert!(kinds.contains(&"Warning") && kinds.contains(&"TypeError"), "{kinds:?}");
    assert!(
        errors.iter().all(|error| error["component"] == "general" && error["formattedMessage"].is_string())
    );
    assert_eq!(answer.get("contracts"), None);
}

#[test]
fn our_errors_have_a_place_in_the_source() {
    let source = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\ncontract A { function f(address a) external view {\
                  assembly { extcodecopy(a, 0, 0, 32) return(0, 32) } } }";
    let answer = ask(&input(source, select(&["evm.bytecode.object"])));
    let errors = answer["errors"].as_array().expect("errors");
    let ours: Vec<&Value> = errors.iter().filter(|error| error["component"] == "lathe").collect();
    let [error] = ours[..] else { panic!("one error, not {errors:#?}") };
    assert_eq!((&error["severity"], &error["sourceLocation"]["file"]), (&json!("error"), &json!("A.sol")));
    let at = |field: &str| error["sourceLocation"][field].as_u64().expect("a number") as usize;
    assert!(source[at("start")..at("end")].contains("extcodecopy"), "{error:#}");
    assert!(
        error["formattedMessage"].as_str().is_some_and(|text| text.contains(" --> A.sol:3:")),
        "{error:#}"
    );
}

#[test]
fn libraries_come_from_the_settings() {
    let settings = |address: &str| {
        let mut settings = select(&["lathe", "evm.deployedBytecode"]);
        settings["libraries"] = json!({ "A.sol": { "Steps": address } });
        settings
    };
    let answer = ask(&input(LINKED, settings("0x00000000000000000000000000000000000c0de1")));
    let code = &answer["contracts"]["A.sol"]["Counter"]["evm"]["deployedBytecode"];
    assert_eq!(code["linkReferences"], json!({}), "{answer:#}");
    let answer = ask(&input(LINKED, settings("c0de")));
    assert!(answer["errors"][0]["message"].as_str().is_some_and(|text| text.contains("A.sol:Steps")));
}

#[test]
fn sources_by_url_and_imports_are_read() {
    let main =
        "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\nimport \"./B.sol\"; contract A is B { }";
    let workspace = Workspace::new(&[
        ("src/A.sol", main),
        ("src/B.sol", "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\ncontract B { }"),
    ]);
    let input = json!({
        "language": "Solidity",
        "sources": { "src/A.sol": { "urls": ["src/A.sol"] } },
        "settings": select(&["evm.bytecode.object"]),
    })
    .to_string();
    let answer = workspace.run_with_input(&["--standard-json"], &input).json();
    assert!(answer["contracts"]["src/B.sol"]["B"]["evm"]["bytecode"]["object"].is_string(), "{answer:#}");
    let sealed = workspace.run_with_input(&["--standard-json", "--no-import-callback"], &input).json();
    assert!(sealed["errors"].is_array(), "{sealed:#}");
}

#[test]
fn yul_is_a_language() {
    let yul = "object \"A\" { code { datacopy(0, dataoffset(\"A_deployed\"), datasize(\"A_deployed\")) \
               return(0, datasize(\"A_deployed\")) } object \"A_deployed\" { code { mstore(0, 7) return(0, 32) } } }";
    let input = |text: &str| json!({ "language": "Yul", "sources": { "a.yul": { "content": text } }, "settings": select(&["*"]) });
    let answer = ask(&input(yul));
    assert!(answer["contracts"]["a.yul"]["A"]["evm"]["deployedBytecode"]["object"].is_string(), "{answer:#}");
    let answer = ask(&input("object \"A\" { code { nothing() } }"));
    assert_eq!(answer["errors"][0]["sourceLocation"]["file"], "a.yul", "{answer:#}");
}

#[test]
fn an_input_of_the_wrong_shape_is_an_error_in_the_answer() {
    for (text, expected) in [
        ("{", "not JSON"),
        ("[]", "\"language\""),
        ("{\"language\":\"Vyper\"}", "not \"Vyper\""),
        ("{\"language\":\"Yul\"}", "\"sources\""),
        ("{\"language\":\"Yul\",\"sources\":{\"a\":1}}", "\"sources.a\""),
        ("{\"language\":\"Yul\",\"sources\":{\"a\":{}},\"settings\":[]}", "\"settings\""),
        (
            "{\"language\":\"Yul\",\"sources\":{\"a\":{}},\"settings\":{\"lathe\":{\"optimization\":9}}}",
            "\"9\"",
        ),
        (
            "{\"language\":\"Yul\",\"sources\":{\"a\":{}},\"settings\":{\"libraries\":{\"a\":[]}}}",
            "libraries.a",
        ),
    ] {
        let answer = Workspace::new(&[]).run_with_input(&["--standard-json"], text).json();
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(expected), "{text}: {answer:#}");
    }
}

#[test]
fn an_evm_of_before_the_merge_is_warned_about() {
    let mut settings = select(&["evm.bytecode.object"]);
    settings["evmVersion"] = "london".into();
    let answer = ask(&input(COUNTER, settings));
    let warning = answer["errors"][0].clone();
    assert_eq!(warning["severity"], "warning");
    assert!(warning["message"].as_str().is_some_and(|text| text.contains("london")), "{answer:#}");
    assert!(answer["contracts"]["A.sol"]["Counter"]["evm"]["bytecode"]["object"].is_string());
}

fn any_json() -> impl Strategy<Value = Value> {
    const WORDS: &[&str] = &[
        "*",
        "",
        "evm",
        "evm.bytecode",
        "lathe",
        "a.yul",
        "A",
        "0x00",
        "{ sstore(0, 1) }",
        "object \"A\" {",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        proptest::sample::select(WORDS).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let key = proptest::sample::select(WORDS).prop_map(str::to_string);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Yul, so that no solc runs; a part of the input is replaced by anything.
    #[test]
    fn no_input_makes_it_panic(
        place in proptest::sample::select(&[
            "", "/language", "/sources", "/sources/a.yul", "/sources/a.yul/content", "/settings", "/settings/optimizer",
            "/settings/outputSelection", "/settings/outputSelection/*", "/settings/outputSelection/*/*",
            "/settings/libraries", "/settings/libraries/a.yul", "/settings/lathe", "/settings/remappings",
        ][..]),
        value in any_json(),
    ) {
        let mut input = json!({
            "language": "Yul",
            "sources": { "a.yul": { "content": "object \"A\" { code { return(0, 0) } }" } },
            "settings": {
                "optimizer": {},
                "outputSelection": { "*": { "*": ["*"] } },
                "libraries": { "a.yul": {} },
                "lathe": {},
                "remappings": [],
            },
        });
        *input.pointer_mut(place).expect("the place is there") = value;
        if input["language"] == "Yul" || !input["language"].is_string() {
            prop_assert!(answer(&input.to_string(), Paths::default(), Options::default()).is_object());
        }
    }
}
