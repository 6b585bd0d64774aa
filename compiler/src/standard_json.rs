//! solc's standard JSON, answered by this compiler: what a tool asks of solc it can ask of us.
//! Front-end outputs are passed through; code outputs are ours, in the same places and shapes.
mod contract;
mod input;

pub use input::{InputError, parse_address, read};

use crate::compile::Options;
use crate::diagnostic::{Diagnostic, Severity, Src};
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
    let (kind, severity) = match diagnostic.severity {
        Severity::Error => ("CodeGenerationError", "error"),
        Severity::Warning => ("Warning", "warning"),
    };
    let place = diagnostic.loc.and_then(|loc| match loc.src {
        Some(Src { source, span }) => Some((source_name(output, source)?, span)),
        None if output.solc.is_none() => Some((contract.file.as_str(), loc.yul)),
        None => None,
    });
    let message = match place {
        Some(_) => diagnostic.message.clone(),
        None => format!("{}:{}: {}", contract.file, contract.name, diagnostic.message),
    };
    let mut error = json!({
        "component": "lathe",
        "severity": severity,
        "type": kind,
        "message": message,
        "formattedMessage": format!("{kind}: {message}\n"),
    });
    if let Some((file, span)) = place {
        error["sourceLocation"] = json!({ "file": file, "start": span.start, "end": span.end });
    }
    error
}

/// The source with one of solc's numbers.
fn source_name(output: &Output, id: u32) -> Option<&str> {
    output.source_info.iter().find(|(_, info)| info["id"] == id).map(|(name, _)| name.as_str())
}
