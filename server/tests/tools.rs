//! `lathe run` and `lathe debug` as people call them, with the real compiler: what they print, write and refuse.
use alloy::primitives::U256;
use lathe::batchgen::{self, Call, NewBatch};
use lathe_vm::asm::assemble;
use lathe_vm::ethereum::creation::CreationData;
use lathe_vm::ethereum::transaction::{Fees, Key, Kind, Payload, PriorityOperation};
use lathe_vm::machine::contract_address;
use lathe_vm::{Word, fixtures, programs};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const COUNTER: &str = r#"// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
import {Steps} from "./Steps.sol";
contract Child {
    uint256 public v;
    constructor(uint256 a) payable { v = a; }
    function poke(uint256 x) external returns (uint256) {
        v += x;
        return v;
    }
}
contract Counter {
    error TooLarge(uint256 given, uint256 max);
    event Advanced(address indexed by, uint256 value);
    uint256 public value;
    uint256 immutable step;
    mapping(address => uint256) public times;
    Child public child;
    constructor(uint256 s) payable {
        step = s;
        child = new Child(s);
    }
    function advance(uint256 n) external returns (uint256) {
        for (uint256 i; i < n; i++) {
            value += Steps.twice(step);
            times[msg.sender]++;
        }
        emit Advanced(msg.sender, value);
        return value;
    }
    function poke(uint256 n) external returns (uint256 answer) {
        answer = child.poke(n);
    }
    function fail(int256 n) external pure {
        if (n > 3) revert TooLarge(uint256(n), 3);
        require(n > 1, "small");
        uint256[] memory a = new uint256[](1);
        a[uint256(n)] = 1;
    }
    function pay() external payable returns (uint256, address) {
        return (msg.value, msg.sender);
    }
    function swap(string calldata a, uint256[] calldata b) external pure returns (uint256[] memory, string memory) {
        return (b, a);
    }
}
"#;

const STEPS: &str = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\nlibrary Steps {\n    \
    function twice(uint256 v) internal pure returns (uint256) { return v * 2; }\n    \
    function next(uint256 v) external pure returns (uint256) { return v + 1; }\n}\n";

const LINKED: &str = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.24;\nimport \"steps/Steps.sol\";\n\
    contract Linked { function next(uint256 v) external pure returns (uint256) { return Steps.next(v); } }\n";

/// The sender unless another is named.
const SENDER: &str = "0x1111111111111111111111111111111111111111";

/// A folder with the sources, in which lathe runs.
struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new() -> Workspace {
        let workspace = Workspace(tempfile::tempdir().unwrap());
        for (name, text) in [("Counter.sol", COUNTER), ("Steps.sol", STEPS), ("Linked.sol", LINKED)] {
            std::fs::write(workspace.path(name), text).unwrap();
        }
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn lathe(&self, arguments: &[&str]) -> Output {
        command(Path::new(env!("CARGO_BIN_EXE_lathe"))).current_dir(&self.0).args(arguments).output().unwrap()
    }

    /// Standard output of a run that succeeds.
    #[track_caller]
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.lathe(arguments);
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// Both outputs of a run that fails.
    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> (String, String) {
        let output = self.lathe(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        (text(&output.stdout), text(&output.stderr))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    fn batch(&self, name: &str, batch: &Value) {
        std::fs::write(self.path(name), batch.to_string()).unwrap();
    }
}

fn command(program: &Path) -> Command {
    let lathec = Path::new(env!("CARGO_BIN_EXE_lathe")).with_file_name("lathec");
    assert!(lathec.is_file(), "{} is missing: build it with `make compiler`", lathec.display());
    let mut command = Command::new(program);
    let solc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/solc");
    if std::env::var_os("LATHEC_SOLC").is_none() && solc.is_dir() {
        command.env("LATHEC_SOLC", solc);
    }
    command.env_remove("LATHEC");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `lathe run` of the counter, deployed with 5.
fn counter<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "Counter.sol", "--contract", "Counter", "--args", "5"], more].concat()
}

#[test]
fn calls_run_in_order_and_their_answers_and_logs_are_decoded() {
    let calls = ["--call", "advance(uint256)", "3", "--call", "poke", "4", "--call", "times", SENDER];
    let printed = Workspace::new().ok(&counter(&calls));
    let expected =
        ["Counter.sol:Counter at 0x", "advance(uint256): success\n  -> 30\n", "-> answer: 9\n", "-> 3\n"];
    for part in expected {
        assert!(printed.contains(part), "{part} is missing: {printed}");
    }
    let log = format!("log Advanced(by: {SENDER}, value: 30)");
    assert!(
        printed.contains(&log) && printed.contains(" steps, ") && printed.contains(" gas\n"),
        "{printed}"
    );
}

#[test]
fn arguments_of_every_kind_go_in_and_come_out() {
    let report = Workspace::new().json(&counter(&["--json", "--call", "swap", "a \"b\"", "[1,0x10]"]));
    assert_eq!(report["calls"][0]["result"], json!(["[1, 16]", "\"a \\\"b\\\"\""]), "{report:#}");
}

#[test]
fn value_sender_and_gas_belong_to_the_call_before_them() {
    let other = "0x2222222222222222222222222222222222222222";
    let calls = ["--json", "--call", "pay", "--value", "1.5 ether", "--from", other, "--call", "pay"];
    let report = Workspace::new().json(&counter(&calls));
    assert_eq!(report["calls"][0]["result"], json!(["1500000000000000000", other]));
    assert_eq!(report["calls"][1]["result"], json!(["0", SENDER]));
    let (printed, error) = Workspace::new().fails(&counter(&["--call", "advance", "9", "--gas", "5000"]));
    assert!(printed.contains("advance(uint256): halted: out of gas"), "{printed}");
    assert!(printed.contains(" 5000 gas") && error.contains("advance(uint256) failed"), "{printed}{error}");
}

#[test]
fn the_reason_of_a_revert_is_told_and_the_exit_status_is_1() {
    let calls =
        ["--call", "fail", "-1", "--call", "fail", "2", "--call", "fail", "7", "--call", "0x12345678"];
    let (printed, error) = Workspace::new().fails(&counter(&calls));
    for reason in [
        "fail(int256): reverted: Error(\"small\")",
        "fail(int256): reverted: Panic(0x32): array out-of-bounds access",
        "fail(int256): reverted: TooLarge(given: 7, max: 3)",
        "0x12345678: reverted\n",
    ] {
        assert!(printed.contains(reason), "{reason} is missing: {printed}");
    }
    assert_eq!(error.trim(), "lathe: fail(int256) failed");
}

#[test]
fn a_trace_has_steps_with_operands_and_lines_of_all_sources_and_its_bound() {
    let workspace = Workspace::new();
    let printed = workspace.ok(&counter(&["--no-yul-optimizer", "--trace", "--call", "poke", "3"]));
    for part in [
        "> Counter.constructor(5)",
        "> Counter.poke(3)  (at 0x",
        "  > Child.poke(3)  (at 0x",
        "  Counter.sol:32: answer = child.poke(n);",
        "    Counter.sol:8: v += x;",
        "  < returned 0x0000000000000000000000000000000000000000000000000000000000000008",
    ] {
        assert!(printed.contains(part), "{part} is missing: {printed}");
    }
    let add = printed.lines().find(|line| line.contains(" addo ") && line.contains("Child:")).unwrap();
    assert!(add.contains("=0x5 ") && add.contains("=0x3 ") && add.ends_with("=0x8"), "{add}");
    let report =
        workspace.json(&counter(&["--json", "--trace", "--trace-limit", "7", "--call", "poke", "3"]));
    let (call, steps) = (&report["calls"][0], report["calls"][0]["steps"].as_u64().unwrap());
    let rows = call["trace"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["kind"] == "step").count(), 7);
    assert_eq!(rows.last(), Some(&json!({ "kind": "left", "steps": steps - 7 })));
}

#[test]
fn a_profile_accounts_for_all_gas_and_names_functions_and_lines() {
    let workspace = Workspace::new();
    let calls = [
        "--json",
        "--no-yul-optimizer",
        "--profile=flame.svg",
        "--call",
        "advance",
        "40",
        "--call",
        "poke",
        "1",
    ];
    let report = workspace.json(&counter(&calls));
    let calls = report["calls"].as_array().unwrap().iter().chain([&report["deployment"]]);
    let (gas, steps) = calls.fold((0, 0), |(gas, steps), call| {
        (gas + call["gas"].as_u64().unwrap(), steps + call["steps"].as_u64().unwrap())
    });
    let profile = &report["profile"];
    assert_eq!(profile["total"], json!({ "steps": steps, "gas": gas }));
    for table in ["functions", "lines"] {
        let own = profile[table].as_array().unwrap().iter().map(|row| row["own"]["gas"].as_u64().unwrap());
        assert_eq!(own.sum::<u64>(), gas, "{table}");
    }
    let first = &profile["functions"][0];
    assert_eq!(first["name"], "Counter.advance(uint256)");
    assert!(first["total"]["gas"].as_u64() >= first["own"]["gas"].as_u64());
    assert_eq!(profile["lines"][0]["line"], "Counter.sol:26", "{profile:#}");
    assert_eq!(profile["lines"][0]["text"], "times[msg.sender]++;");
    let svg = std::fs::read_to_string(workspace.path("flame.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains(&format!("{} constraints, {steps} steps", 8 * gas)), "{svg}");
    assert!(svg.contains("<title>Child.poke(uint256): ") && svg.contains("<title>[state tree]: "));
}

#[test]
fn a_library_that_is_called_at_its_address_is_deployed_and_linked() {
    let arguments = ["run", "Linked.sol", "--remapping", "steps/=./", "--call", "next", "41"];
    assert!(Workspace::new().ok(&arguments).contains("-> 42\n"));
}

#[test]
fn what_does_not_fit_is_said_before_anything_runs() {
    let workspace = Workspace::new();
    for (arguments, expected) in [
        (&["run", "Counter.sol"][..], "choose one with --contract: Child, Counter"),
        (&["run", "Counter.sol", "--contract", "Other"], "no contract `Other`"),
        (&["run", "None.sol"], "None.sol cannot be read"),
        (&counter(&["--call", "advanced"]), "its functions: advance(uint256), child(),"),
        (&counter(&["--call", "advance"]), "advance(uint256) takes 1 arguments, 0 are given"),
        (&counter(&["--call", "advance", "x"]), "`x` is no uint256 n"),
        (&["run", "Counter.sol", "--contract", "Counter"], "the constructor of Counter takes 1 arguments"),
    ] {
        let (printed, error) = workspace.fails(arguments);
        assert!(printed.is_empty() && error.contains(expected), "{arguments:?}: {error}");
    }
    std::fs::write(workspace.path("Broken.sol"), "pragma solidity ^0.8.24;\ncontract A { uint x = y; }")
        .unwrap();
    let (_, error) = workspace.fails(&["run", "Broken.sol"]);
    assert!(error.contains("Undeclared identifier") && error.contains("Broken.sol:2:23"), "{error}");
}

#[test]
fn without_lathec_the_error_says_how_to_build_it() {
    let workspace = Workspace::new();
    let alone = workspace.path("lathe");
    let built = Path::new(env!("CARGO_BIN_EXE_lathe"));
    if std::fs::hard_link(built, &alone).is_err() {
        std::fs::copy(built, &alone).unwrap();
    }
    let run = |lathec: Option<&str>| {
        let mut command = command(&alone);
        command.current_dir(&workspace.0).env("PATH", "").args(["run", "Counter.sol"]);
        command.envs(lathec.map(|path| ("LATHEC", path)));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    assert!(run(None).contains("make compiler"), "{}", run(None));
    assert!(run(Some("nowhere/lathec")).contains("LATHEC names nowhere/lathec"));
}

/// Transfers on the development genesis; the third has a nonce that was used before.
fn transfers() -> Value {
    let mut batch = batchgen::transfers(4207, 1, 7, 3).unwrap();
    batch.transactions[2] = batch.transactions[0].clone();
    let NewBatch { number, timestamp, transactions } = batch;
    json!({ "number": number, "timestamp": timestamp, "transactions": transactions })
}

#[test]
fn a_batch_is_told_transaction_by_transaction_with_the_cells_that_change() {
    let workspace = Workspace::new();
    workspace.batch("batch.json", &transfers());
    let printed = workspace.ok(&["debug", "batch.json"]);
    let sender = hex::encode(batchgen::sender_address(0));
    for part in [
        "transaction 0: success\n".to_string(),
        format!("  from 0x{sender}, nonce 1, to 0x"),
        format!("  nonce 0x{sender}: 0x1 -> 0x2\n"),
        "  storage 0x7070707070707070707070707070707070707070[".into(),
        "transaction 1: success\n".into(),
        "transaction 2: skipped: nonce 1, expected 2\n".into(),
        "batch 1: 3 of 3 transactions, ".into(),
    ] {
        assert!(printed.contains(&part), "{part} is missing: {printed}");
    }
    let report = workspace.json(&["debug", "batch.json", "--json"]);
    let steps = report["transactions"].as_array().unwrap().iter().map(|t| {
        assert_eq!(t["changes"].as_array().unwrap().is_empty(), t["status"] == "skipped", "{t:#}");
        t["steps"].as_u64().unwrap() + t["kernelSteps"].as_u64().unwrap()
    });
    // What the kernel does before its first record is no transaction's.
    let (sum, all) = (steps.sum::<u64>(), report["steps"].as_u64().unwrap());
    assert!(sum < all && all < sum + 64, "{sum} of {all}");
    assert_eq!(report["refusedByServer"], Value::Null);
}

#[test]
fn a_replay_stops_at_a_transaction_and_traces_it() {
    let workspace = Workspace::new();
    workspace.batch("batch.json", &transfers());
    let printed = workspace.ok(&["debug", "batch.json", "--tx", "1", "--trace"]);
    assert!(
        !printed.contains("transaction 2") && printed.contains("batch 1: 2 of 3 transactions"),
        "{printed}"
    );
    let rows = printed.split("transaction 1").next().unwrap();
    assert!(rows.contains("> 0x7070707070707070707070707070707070707070 with 0xa9059cbb"), "{printed}");
    assert!(rows.contains(" sstore ") && rows.contains("< returned"), "{printed}");
    let (_, error) = workspace.fails(&["debug", "batch.json", "--tx", "3"]);
    assert!(error.contains("--tx 3: batch 1 has 3 transactions"), "{error}");
}

#[test]
fn earlier_batches_make_the_state_of_the_last_one() {
    let workspace = Workspace::new();
    let batch = |number| serde_json::to_value(batchgen::transfers(4207, number, 7, 2).unwrap()).unwrap();
    workspace.batch("1.json", &batch(1));
    workspace.batch("2.json", &batch(2));
    assert!(workspace.ok(&["debug", "2.json"]).contains("transaction 0: skipped: nonce 2, expected 1"));
    assert!(workspace.ok(&["debug", "1.json", "2.json"]).contains("transaction 0: success"));
}

#[test]
fn a_batch_with_its_own_state_is_traced_by_the_lines_of_its_contract() {
    let workspace = Workspace::new();
    let program = Path::new(env!("CARGO_BIN_EXE_lathe")).with_file_name("lathec");
    let compiled =
        command(&program).current_dir(&workspace.0).args(["Counter.sol", "-o", "out"]).output().unwrap();
    assert!(compiled.status.success(), "{}", text(&compiled.stderr));
    let to = [0xc0; 20];
    let key = batchgen::sender_key(0);
    let call = |nonce, data: &str| {
        let data = hex::decode(data).unwrap();
        batchgen::sign(&key, Call { chain_id: 4207, nonce, to: Some(to), value: 0, data }).unwrap()
    };
    let fail = format!("{}{:064x}", selector("fail(int256)"), 9);
    workspace.batch(
        "batch.json",
        &json!({
            "number": 1,
            "timestamp": 7,
            "genesis": { "accounts": [{ "address": format!("0x{}", hex::encode(to)), "code": "out/Counter.bin-runtime" }] },
            "transactions": [call(0, &format!("{}{:064x}", selector("advance(uint256)"), 2)), call(1, &fail)],
        }),
    );
    let printed = workspace.ok(&["debug", "batch.json", "--source", "Counter.sol", "--tx", "1", "--trace"]);
    for part in [
        "transaction 0: success\n",
        "  log 0x0000",
        "> Counter.fail(9)  (at 0xc0c0",
        "transaction 1: reverted: TooLarge(given: 9, max: 3)\n",
        "a server refuses this batch: instruction not yet provable: ",
    ] {
        assert!(printed.contains(part), "{part} is missing: {printed}");
    }
    let (_, error) = workspace.fails(&["debug", "batch.json", "--genesis", "genesis.json"]);
    assert!(error.contains("has a genesis of its own"), "{error}");
}

fn selector(signature: &str) -> String {
    hex::encode(&alloy::primitives::keccak256(signature)[..4])
}

#[test]
fn a_transaction_that_no_server_takes_is_named() {
    let workspace = Workspace::new();
    workspace.batch("batch.json", &json!({ "number": 1, "timestamp": 7, "transactions": ["0x02"] }));
    let (_, error) = workspace.fails(&["debug", "batch.json"]);
    assert!(error.contains("transactions[0] is refused before it runs: not a signed transaction"), "{error}");
}

fn owner() -> Key {
    Key::new([0xa1; 32]).unwrap()
}

/// A transaction as a wallet sends it.
fn signed(nonce: u64, to: Option<[u8; 20]>, value: u128, data: Vec<u8>) -> String {
    let payload = Payload {
        kind: Kind::Eip1559 { fees: Fees { max_priority: 2, max: 100 }, access_list: Vec::new() },
        chain_id: 4207,
        nonce,
        gas_limit: 100_000,
        to,
        value: Word::from(value),
        data,
    };
    format!("0x{}", hex::encode(owner().sign(payload).unwrap().to_raw()))
}

/// A batch of the Ethereum kernel: an operation of L1, wei, a token that is there from the start, a nonce too far ahead, a
/// contract that never ends, bytes of no type.
fn ethereum() -> Value {
    let operation = PriorityOperation {
        from: [0xd1; 20],
        to: [0xb0; 20],
        minted: 7,
        value: Word::from(7),
        gas_limit: 50_000,
        ..PriorityOperation::default()
    };
    let from = format!("0x{}", hex::encode(owner().address()));
    let transfer = fixtures::abi([0xa9, 0x05, 0x9c, 0xbb], &[Word::from(0xb0b), Word::from(30)]);
    let loops = assemble("l: jmp l").unwrap().to_hex();
    json!({
        "kernel": "ethereum",
        "number": 5,
        "timestamp": 1_700_000_000,
        "block": { "chainId": 4207, "baseFee": "7", "gasLimit": 1_000_000, "feeRecipient": format!("0x{}", "fe".repeat(20)) },
        "genesis": { "accounts": [
            { "address": from, "balance": "1000000000" },
            { "address": format!("0x{}", "70".repeat(20)), "code": format!("0x{}", programs::token().to_hex()),
              "storage": { from.clone(): "100" } },
            { "address": format!("0x{}", "bb".repeat(20)), "code": format!("0x{loops}") },
        ] },
        "transactions": [
            format!("0x{}", hex::encode(operation.encode())),
            signed(0, Some([0xb0; 20]), 5, Vec::new()),
            signed(1, Some([0x70; 20]), 0, transfer),
            signed(9, Some([0xb0; 20]), 5, Vec::new()),
            signed(2, Some([0xbb; 20]), 0, Vec::new()),
            "0x03c0",
        ],
    })
}

#[test]
fn a_batch_of_the_ethereum_kernel_is_told_with_gas_reasons_and_cells() {
    let workspace = Workspace::new();
    workspace.batch("batch.json", &ethereum());
    let printed = workspace.ok(&["debug", "batch.json"]);
    let from = hex::encode(owner().address());
    for part in [
        "transaction 0: success\n  type 0x7e, from 0xd1d1".to_string(),
        format!("transaction 1: success\n  type 0x02, from 0x{from}, nonce 0, to 0xb0b0"),
        "  gas 21000 of 100000, 9 wei each\n".into(),
        format!("  balance 0x{from}: 0x3b9aca00 -> {:#x}\n", 1_000_000_000 - 5 - 21_000 * 9),
        format!("  nonce 0x{from}: 0x0 -> 0x1\n"),
        "  balance 0xb0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0: 0x7 -> 0xc\n".into(),
        "transaction 2: success\n".into(),
        "  storage 0x7070707070707070707070707070707070707070[0xb0b]: 0x0 -> 0x1e\n".into(),
        "transaction 3: skipped (reason 7): nonce too high; send the transactions before it first \
         (nonce 9, expected 2)\n"
            .into(),
        "  gas 0 of 100000, 0 wei each\n".into(),
        "transaction 4: halted: out of gas\n".into(),
        "  gas 100000 of 100000, 9 wei each\n".into(),
        "transaction 5: skipped (reason 2): unsupported transaction type".into(),
        "batch 5: 6 of 6 transactions, ".into(),
    ] {
        assert!(printed.contains(&part), "{part} is missing: {printed}");
    }
    let report = workspace.json(&["debug", "batch.json", "--json"]);
    let transactions = report["transactions"].as_array().unwrap();
    let statuses: Vec<&str> = transactions.iter().map(|t| t["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["success", "success", "success", "skipped", "reverted", "skipped"]);
    let used: Vec<&Value> = transactions.iter().map(|t| &t["receipt"]["gasUsed"]).collect();
    assert_eq!([used[1], used[3], used[4]], ["0x5208", "0x0", "0x186a0"]);
    assert_eq!(transactions[3]["changes"], json!([]));
    let steps = transactions.iter().chain([&report["end"]]);
    let steps = steps.map(|t| t["steps"].as_u64().unwrap() + t["kernelSteps"].as_u64().unwrap());
    assert_eq!(steps.sum::<u64>(), report["steps"].as_u64().unwrap());
}

#[test]
fn a_replay_of_the_ethereum_kernel_stops_at_a_transaction_and_traces_it() {
    let workspace = Workspace::new();
    workspace.batch("batch.json", &ethereum());
    let printed = workspace.ok(&["debug", "batch.json", "--tx", "2", "--trace"]);
    assert!(
        !printed.contains("transaction 3") && printed.contains("batch 5: 3 of 6 transactions"),
        "{printed}"
    );
    let (before, rows) = printed.split_once("transaction 1").unwrap();
    assert!(!before.contains("> 0x70"), "{printed}");
    let rows = rows.split("transaction 2").next().unwrap();
    assert!(rows.contains("> 0x7070707070707070707070707070707070707070 with 0xa9059cbb"), "{printed}");
    assert!(rows.contains(" sstore ") && rows.contains("< returned"), "{printed}");
}

#[test]
fn batches_of_the_ethereum_kernel_follow_upon_one_another_and_say_what_they_lack() {
    let workspace = Workspace::new();
    let (first, mut second) = (ethereum(), ethereum());
    second["number"] = json!(6);
    second.as_object_mut().unwrap().remove("genesis");
    workspace.batch("1.json", &first);
    workspace.batch("2.json", &second);
    let printed = workspace.ok(&["debug", "1.json", "2.json"]);
    assert!(printed.contains("transaction 1: skipped (reason 6): nonce too low;"), "{printed}");
    workspace.batch("records.json", &transfers());
    second["transactions"] = json!(["0x02c0"]);
    workspace.batch("bad.json", &second);
    let mut plain = second.clone();
    plain["kernel"] = json!("records");
    workspace.batch("plain.json", &plain);
    for (arguments, expected) in [
        (&["debug", "records.json", "1.json"][..], "batches 1 and 5 are for different kernels"),
        (&["debug", "bad.json"], "batch 6, transactions[0]: "),
        (&["debug", "plain.json"], "`block` needs `\"kernel\": \"ethereum\"` beside it"),
    ] {
        let (_, error) = workspace.fails(arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn a_creation_is_told_with_its_address_its_pages_and_its_log() {
    let workspace = Workspace::new();
    let runtime = assemble("return [90], [90]").unwrap();
    let deploy = format!(
        ".const HASH {}\n cdload [1], [90]\n sstore [90], [1]\n log [1], [90], [90], 1\n
         const [1], HASH\n st [1], [90], 0\n seti [2], 32\n return [90], [2]",
        runtime.hash_word()
    );
    let deploy = assemble(&deploy).unwrap();
    let (hashes, arguments) = ([&runtime, &deploy].map(|page| page.hash_word()), vec![0x5a; 32]);
    let data = CreationData { pages: vec![deploy, runtime], deploy: hashes[1], arguments }.encode().unwrap();
    let mut batch = ethereum();
    batch["transactions"] = json!([signed(0, None, 3, data), signed(1, None, 0, vec![7])]);
    workspace.batch("batch.json", &batch);
    let printed = workspace.ok(&["debug", "batch.json"]);
    let created = hex::encode(contract_address(owner().address(), 0));
    let short = |word: Word| format!("{:#x}", U256::from_be_bytes(word.to_be_bytes()));
    for part in [
        "transaction 0: success\n  type 0x02, from 0x".to_string(),
        ", creates a contract, 3 wei, ".into(),
        format!("  created 0x{created}\n"),
        format!("  log 0x topics [0x{}]  (of 0x{created})\n", "5a".repeat(32)),
        format!("  known code {}: 0x0 -> 0xc\n", short(hashes[0])),
        format!("  code hash 0x{created}: 0x0 -> {}\n", short(hashes[0])),
        format!("  balance 0x{created}: 0x0 -> 0x3\n"),
        "transaction 1: failed before any code ran\n".into(),
    ] {
        assert!(printed.contains(&part), "{part} is missing: {printed}");
    }
}
