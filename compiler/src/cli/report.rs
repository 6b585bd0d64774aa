//! The summary of a run, in words and as JSON, and errors for people.
use crate::compile::Part;
use crate::estimate::least_steps_of_methods;
use crate::project::{Compiled, Output};
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use std::time::Duration;

/// Prints errors and warnings as solc's command line does.
pub(super) fn print_errors(errors: &[Value]) {
    let colour = std::io::stderr().is_terminal();
    for error in errors {
        let text = error["formattedMessage"].as_str().unwrap_or_default().trim_end_matches('\n');
        let title = if error["severity"] == "error" { "Error:" } else { "Warning:" };
        // The headline begins with the kind of error, which only standard JSON tells apart.
        let kind = error["type"].as_str().unwrap_or_default();
        let rest = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix(':'));
        eprintln!("{}{}\n", severity(title, colour), rest.map_or(format!(" {text}"), str::to_string));
    }
}

/// A headline's first word, red or yellow on a terminal unless NO_COLOR forbids it.
pub(super) fn severity(word: &str, terminal: bool) -> String {
    if !terminal || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return word.to_string();
    }
    let colour = if word.starts_with("Warning") { 33 } else { 31 };
    format!("\x1b[1;{colour}m{word}\x1b[0m")
}

/// A few lines per contract, and the times.
pub(super) fn text(output: &Output) -> String {
    let mut text = String::new();
    for contract in &output.contracts {
        let Some(Ok(code)) = &contract.result else { continue };
        text.push_str(&format!("{}:{}\n", contract.file, contract.name));
        text.push_str(&part_line("deploy", &code.deploy));
        if let Some(runtime) = &code.runtime {
            text.push_str(&part_line("runtime", runtime));
        }
        text.push('\n');
    }
    if text.is_empty() {
        text.push_str("No contract with code: nothing was compiled.\n\n");
    }
    if let Some(solc) = &output.solc {
        text.push_str(&format!("solc {}: {}; ", solc.version, milliseconds(output.solc_time)));
    }
    text.push_str(&format!("lathec: {}\n", milliseconds(output.own_time)));
    text
}

fn part_line(title: &str, part: &Part) -> String {
    let hash = part.hash_hex().unwrap_or_else(|| {
        let missing: Vec<&str> = part.link_references.iter().map(|l| l.library.as_str()).collect();
        format!("not linked: waits for {}", missing.join(", "))
    });
    format!(
        "  {title:<8} {:>7} bytes  {:>5} instructions  {:>4} slots  {hash}\n",
        part.bytes(),
        part.code_words,
        part.slots
    )
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// The same for programs.
pub(super) fn summary(output: &Output, errors: &[Value]) -> Value {
    let mut contracts = Map::new();
    for contract in &output.contracts {
        if let Some(entry) = contract_summary(contract) {
            contracts.insert(format!("{}:{}", contract.file, contract.name), entry);
        }
    }
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "solc": output.solc.as_ref().map(|solc| solc.long_version.clone()),
        "solcMs": milliseconds_number(output.solc_time),
        "compileMs": milliseconds_number(output.own_time),
        "contracts": contracts,
        "errors": errors,
    })
}

fn contract_summary(contract: &Compiled) -> Option<Value> {
    let code = contract.result.as_ref()?.as_ref().ok()?;
    let part = |part: &Part| {
        json!({
            "bytes": part.bytes(),
            "instructions": part.code_words,
            "slots": part.slots,
            "hash": part.hash_hex(),
            "immutables": part.immutables,
            "linkReferences": part.link_references_json(),
        })
    };
    let methods = contract.methods();
    Some(json!({
        "deploy": part(&code.deploy),
        "runtime": code.runtime.as_ref().map(part),
        "methodIdentifiers": methods,
        "leastSteps": code.runtime.as_ref().map(|runtime| least_steps_of_methods(runtime, methods)),
        "compileMs": milliseconds_number(contract.time),
    }))
}

fn milliseconds_number(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
