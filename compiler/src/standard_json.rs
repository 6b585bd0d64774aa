//! solc's standard JSON, answered by this compiler: what a tool asks of solc it can ask of us.
//! Front-end outputs are passed through; code outputs are ours, in the same places and shapes.
mod contract;
mod input;

pub use input::{InputError, parse_address, read};

use crate::compile::Options;
use crate::diagnostic::{Diagnostic, Severity, Sources, Src};
use crate::project::{Compiled, Output, Project, general_error};
use crate::solc::paths::Paths;
use serde_json::{Map, Value, json};

/// Answers a standard JSON input. Whatever is wrong is an error in the answer.
pub fn answer(text: &str, paths: Paths, options: Options) -> Value {
    let project = match read(text, paths, options) {
        Ok(project) => project,
        Err(error) => return json!({ "errors": [general_error("JSONError", &error.to_string())] }),
    };
    match project.compile() {
        Ok(output) => render(&project, output),
        Err(error) => json!({ "errors": [general_error("FatalError", &error.to_string())] }),
    }
}

/// The answer for a compiled project.
pub fn render(project: &Project, output: Output) -> Value {
    let errors = errors(&output);
    let mut files = Map::new();
    for contract in &output.contracts {
        let outputs = contract::outputs(contract, &project.selection);
        if !contract.name.is_empty() {
            files.entry(contract.file.clone()).or_insert_with(|| json!({}))[&contract.name] = outputs;
        }
    }
    let mut answer = Map::new();
    if !errors.is_empty() {
        answer.insert("errors".into(), errors.into());
    }
    answer.insert("sources".into(), output.source_info.into());
    if !files.is_empty() {
        answer.insert("contracts".into(), files.into());
    }
    answer.into()
}

/// solc's errors and warnings, then ours; what several contracts have in common is said once.
pub fn errors(output: &Output) -> Vec<Value> {
    let mut all = output.errors.clone();
    for contract in &output.contracts {
        let diagnostics = match &contract.result {
            Some(Ok(compiled)) => &compiled.warnings,
            Some(Err(errors)) => errors,
            None => continue,
        };
        for diagnostic in diagnostics {
            let error = error(diagnostic, contract, output);
            if !all.contains(&error) {
                all.push(error);
            }
        }
    }
    all
}

/// One of our diagnostics in solc's shape.
fn error(diagnostic: &Diagnostic, contract: &Compiled, output: &Output) -> Value {
    let is_yul = output.solc.is_none();
    let mut diagnostic = diagnostic.clone();
    if diagnostic.loc.is_none() && !contract.name.is_empty() {
        diagnostic.message = format!("{}:{}: {}", contract.file, contract.name, diagnostic.message);
    }
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut error = json!({
        "component": "lathe",
        "severity": severity,
        "type": diagnostic.type_name(),
        "message": diagnostic.message,
        "formattedMessage": diagnostic.formatted_message(&texts(contract, output)),
    });
    let place = diagnostic.loc.and_then(|loc| match loc.src {
        Some(Src { source, span }) => Some((source_name(output, source)?, span)),
        None if is_yul => Some((contract.file.as_str(), loc.yul)),
        None => None,
    });
    if let Some((file, span)) = place {
        error["sourceLocation"] = json!({ "file": file, "start": span.start, "end": span.end });
    }
    error
}

/// The texts that a diagnostic about this contract points into.
fn texts(contract: &Compiled, output: &Output) -> Sources {
    let name = match output.solc {
        Some(_) => format!("Yul of {}:{}", contract.file, contract.name),
        None => contract.file.clone(),
    };
    let mut texts = Sources::new(name, contract.yul.as_str());
    for (name, info) in &output.source_info {
        let number = info["id"].as_u64().and_then(|id| u32::try_from(id).ok());
        let text = output.sources.get(name).and_then(|source| source["content"].as_str());
        if let (Some(number), Some(text), Some(_)) = (number, text, &output.solc) {
            texts.insert(number, name.as_str(), text);
        }
    }
    texts
}

/// The source with one of solc's numbers.
fn source_name(output: &Output, id: u32) -> Option<&str> {
    output.source_info.iter().find(|(_, info)| info["id"] == id).map(|(name, _)| name.as_str())
}
