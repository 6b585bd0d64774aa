//! Estimates of steps, beside what the machine counts.
use super::{COUNTER, Workspace};
use lathe_vm::Word;
use lathe_vm::sandbox::{Message, Sandbox, Status};
use lathe_vm::trace::Page;
use serde_json::{Value, json};

const HERE: [u8; 20] = [7; 20];

/// The runtime page and the least steps of each method.
fn compiled(source: &str) -> (Page, Value) {
    let settings = json!({ "outputSelection": { "*": { "*": ["lathe", "evm.deployedBytecode.object"] } } });
    let input = json!({ "language": "Solidity", "sources": { "A.sol": { "content": source } }, "settings": settings });
    let answer = Workspace::new(&[]).run_with_input(&["--standard-json"], &input.to_string()).json();
    let contracts = answer["contracts"]["A.sol"].as_object().unwrap_or_else(|| panic!("{answer:#}"));
    let contract = contracts.values().next().expect("a contract");
    let object = contract["evm"]["deployedBytecode"]["object"].as_str().expect("hex");
    assert_eq!(contract["evm"].get("methodIdentifiers"), None, "not asked for");
    (Page::from_hex(object).expect("a page"), contract["lathe"]["leastSteps"]["methods"].clone())
}

fn steps(page: &Page, data: &[u8]) -> (Status, u32) {
    let mut sandbox = Sandbox::new();
    sandbox.install(HERE, page.clone());
    let message = Message { from: [1; 20], to: HERE, value: Word::ZERO, data };
    let answer = sandbox.call(&message).expect("the machine runs");
    (answer.status, answer.steps)
}

#[test]
fn straight_methods_take_just_the_steps_that_were_estimated() {
    let (page, estimates) = compiled(COUNTER);
    for (method, selector) in [("value()", "3fa4f245"), ("advance()", "ea105ac7")] {
        let (status, counted) = steps(&page, &hex::decode(selector).expect("hex"));
        assert_eq!(status, Status::Success, "{method}");
        assert_eq!(estimates[method], counted, "{method}: {estimates:#}");
    }
}

#[test]
fn loops_count_with_their_fewest_rounds_and_failing_methods_not_at_all() {
    let source = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\ncontract A {\n\
        uint256[] public all;\n\
        function sum(uint256 n) external view returns (uint256 s) { for (uint256 i; i < n; i++) s += all[i]; }\n\
        function never() external pure { revert(\"no\"); } }";
    let (page, estimates) = compiled(source);
    let mut call = hex::decode("188b85b4").expect("hex");
    call.resize(36, 0);
    let (status, counted) = steps(&page, &call);
    assert_eq!(status, Status::Success);
    assert_eq!(estimates["sum(uint256)"], counted);
    assert_eq!(estimates["never()"], Value::Null);
}
