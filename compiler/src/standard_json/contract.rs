//! The outputs of one contract.
use crate::compile::{Contract, Part};
use crate::estimate::{least_steps, least_steps_of_methods};
use crate::project::{Compiled, Selection};
use serde_json::{Map, Value, json};

/// Everything that is selected.
pub(super) fn outputs(contract: &Compiled, selection: &Selection) -> Value {
    let wants = |output: &str| selection.wants(&contract.file, &contract.name, output);
    let wants_some = |output: &str| selection.wants_some(&contract.file, &contract.name, output);
    let mut all = contract.front.clone();
    if wants("irOptimized") {
        all.insert("irOptimized".into(), contract.yul.clone().into());
    }
    if let Some(Value::String(metadata)) = all.get_mut("metadata") {
        sign(metadata);
    }
    let code = match &contract.result {
        Some(Ok(compiled)) => Some(compiled),
        // No pages, no outputs of them: a tool must not take an empty object for a contract.
        Some(Err(_)) => return all.into(),
        None => None,
    };
    let mut evm = match all.remove("evm") {
        Some(Value::Object(evm)) => evm,
        _ => Map::new(),
    };
    let methods = evm.get("methodIdentifiers").cloned().unwrap_or_default();
    if !wants("evm.methodIdentifiers") {
        evm.remove("methodIdentifiers");
    }
    for name in ["bytecode", "deployedBytecode"] {
        if wants_some(&format!("evm.{name}")) {
            let fields = match name {
                "bytecode" => creation(code),
                _ => deployed(code.and_then(|c| c.runtime.as_ref())),
            };
            let selected = fields.into_iter().filter(|(field, _)| wants(&format!("evm.{name}.{field}")));
            evm.insert(name.into(), Value::Object(selected.collect()));
        }
    }
    if let Some(compiled) = code {
        if wants("evm.assembly") {
            evm.insert("assembly".into(), assembly(compiled).into());
        }
        if wants_some("evm.gasEstimates") {
            evm.insert("gasEstimates".into(), gas_estimates(&methods));
        }
        if wants("lathe") {
            all.insert("lathe".into(), own(compiled, &methods));
        }
    }
    if !evm.is_empty() {
        all.insert("evm".into(), evm.into());
    }
    all.into()
}

/// Says in the metadata that solc was only half of the compiler.
fn sign(metadata: &mut String) {
    let parsed = serde_json::from_str(metadata);
    if let Ok(Value::Object(mut fields)) = parsed
        && let Some(Value::Object(compiler)) = fields.get_mut("compiler")
    {
        compiler.insert("lathec".into(), env!("CARGO_PKG_VERSION").into());
        *metadata = Value::Object(fields).to_string();
    }
}

/// `evm.bytecode`: creation data, which is what tools send to create the contract; the rest is of the deploy page. Plain
/// Yul without a runtime object has its page here.
fn creation(contract: Option<&Contract>) -> Map<String, Value> {
    let mut fields = bytecode(contract.map(|c| &c.deploy));
    if let Some((contract, object)) = contract.and_then(|c| Some((c, c.creation_object()?))) {
        fields.insert("linkReferences".into(), contract.creation_link_references_json());
        fields.insert("object".into(), object.into());
    }
    fields
}

/// `evm.deployedBytecode`.
fn deployed(part: Option<&Part>) -> Map<String, Value> {
    let mut fields = bytecode(part);
    // Immutables are cells of the state, not places in the code: there is nothing to fill in.
    fields.insert("immutableReferences".into(), json!({}));
    fields
}

/// What both have; without a part, as of an interface, all is empty.
fn bytecode(part: Option<&Part>) -> Map<String, Value> {
    let text = |of: fn(&Part) -> String| Value::from(part.map(of).unwrap_or_default());
    let mut fields = Map::new();
    let mut field = |name: &str, value: Value| fields.insert(name.into(), value);
    field("functionDebugData", json!({}));
    field("generatedSources", json!([]));
    field("linkReferences", part.map_or_else(|| json!({}), Part::link_references_json));
    field("object", text(Part::object));
    field("opcodes", text(|part| part.listing.clone()));
    field("sourceMap", text(Part::source_map_text));
    fields
}

/// Both listings.
fn assembly(contract: &Contract) -> String {
    let parts = std::iter::once(&contract.deploy).chain(&contract.runtime);
    parts.map(|part| format!("; {}\n{}", part.name, part.listing)).collect::<Vec<_>>().join("\n")
}

/// In solc's shape. Gas is not metered per instruction, so that nothing can be bounded.
fn gas_estimates(methods: &Value) -> Value {
    let external: Map<String, Value> = methods
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .map(|name| (name.clone(), "infinite".into()))
        .collect();
    json!({
        "creation": { "codeDepositCost": "infinite", "executionCost": "infinite", "totalCost": "infinite" },
        "external": external,
    })
}

/// What only this compiler has to say.
fn own(contract: &Contract, methods: &Value) -> Value {
    let of = |part: &Part| {
        json!({
            "object": part.name,
            "hash": part.hash_hex(),
            "words": part.words.len(),
            "instructions": part.code_words,
            "slots": part.slots,
            "forSize": part.for_size,
            "immutables": part.immutables,
        })
    };
    let mut created = Vec::new();
    dependencies(contract, &mut created);
    json!({
        "deploy": of(&contract.deploy),
        "runtime": contract.runtime.as_ref().map(of),
        "dependencies": created,
        "leastSteps": {
            "deploy": least_steps(&contract.deploy, None),
            "methods": contract.runtime.as_ref().map(|runtime| least_steps_of_methods(runtime, methods)),
        },
    })
}

/// The pages that must be known for this contract to create others: each contract once.
fn dependencies(contract: &Contract, all: &mut Vec<Value>) {
    for created in &contract.created {
        let entry = json!({
            "object": created.deploy.name,
            "deployHash": created.deploy.hash_hex(),
            "runtimeHash": created.runtime.as_ref().and_then(Part::hash_hex),
        });
        if !all.contains(&entry) {
            all.push(entry);
        }
        dependencies(created, all);
    }
}
