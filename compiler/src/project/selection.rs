//! Which outputs are wanted of which contract, by the rules of solc's `outputSelection`.
use serde_json::{Map, Value, json};

/// Outputs that `*` does not stand for.
const EXPERIMENTAL: [&str; 5] = ["ir", "irAst", "irOptimized", "irOptimizedAst", "yulCFGJson"];

/// Outputs that solc gives when it is asked for all.
const OF_SOLC: [&str; 7] = [
    "abi",
    "metadata",
    "devdoc",
    "userdoc",
    "storageLayout",
    "transientStorageLayout",
    "evm.methodIdentifiers",
];

/// A selection: file, contract, outputs.
#[derive(Clone, Debug, Default)]
pub struct Selection(Vec<(String, String, Vec<String>)>);

impl Selection {
    /// Reads an `outputSelection`; what is not of its shape selects nothing.
    pub fn new(value: &Value) -> Selection {
        let mut all = Vec::new();
        for (file, contracts) in value.as_object().into_iter().flatten() {
            for (contract, outputs) in contracts.as_object().into_iter().flatten() {
                let outputs = outputs.as_array().into_iter().flatten();
                let outputs = outputs.filter_map(|output| Some(output.as_str()?.to_string())).collect();
                all.push((file.clone(), contract.clone(), outputs));
            }
        }
        Selection(all)
    }

    /// Whether an output of a contract is wanted. `evm` selects `evm.bytecode` and so on.
    pub fn wants(&self, file: &str, contract: &str, output: &str) -> bool {
        self.of(file, contract).any(|wanted| {
            let below =
                output.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            below || (wanted == "*" && !EXPERIMENTAL.contains(&output))
        })
    }

    /// Whether an output or something within it is wanted.
    pub fn wants_some(&self, file: &str, contract: &str, output: &str) -> bool {
        let within = |wanted: &str| wanted.strip_prefix(output).is_some_and(|rest| rest.starts_with('.'));
        self.wants(file, contract, output) || self.of(file, contract).any(within)
    }

    /// Whether the contract must be compiled to code.
    pub fn wants_code(&self, file: &str, contract: &str) -> bool {
        self.of(file, contract).any(needs_code)
    }

    /// What solc has to be asked for: its own outputs, and Yul where we make code of it.
    pub fn for_solc(&self) -> Value {
        let mut files = Map::new();
        for (file, contract, outputs) in &self.0 {
            let mut asked: Vec<&str> = Vec::new();
            for output in outputs {
                match output.as_str() {
                    _ if contract.is_empty() => asked.push(output),
                    "*" => asked.extend(OF_SOLC),
                    // Both say something of every method.
                    "evm" | "evm.gasEstimates" | "lathe" => asked.push("evm.methodIdentifiers"),
                    other if !needs_code(other) => asked.push(other),
                    _ => {}
                }
            }
            if !contract.is_empty() && outputs.iter().any(|output| needs_code(output)) {
                asked.push("irOptimized");
            }
            asked.dedup();
            files.entry(file.clone()).or_insert_with(|| json!({}))[contract] = json!(asked);
        }
        Value::Object(files)
    }

    fn of(&self, file: &str, contract: &str) -> impl Iterator<Item = &str> {
        let holds = move |(f, c, _): &&(String, String, Vec<String>)| {
            (f == "*" || *f == file) && (c == "*" || *c == contract)
        };
        self.0.iter().filter(holds).flat_map(|(_, _, outputs)| outputs.iter().map(String::as_str))
    }
}

/// Whether an output is made from code pages.
fn needs_code(output: &str) -> bool {
    let head = output.split('.').next().unwrap_or_default();
    output == "*" || head == "lathe" || (head == "evm" && output != "evm.methodIdentifiers")
}
