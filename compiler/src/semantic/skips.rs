//! Which tests are not run, and why: a manifest that people write, and what the settings of a test rule out.
use super::file::TestFile;
use crate::solc::evm::{self, EVM_VERSION};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The manifest of the repository.
pub const MANIFEST: &str = include_str!("../../semantic-skips.json");

/// Reasons with what they apply to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Skips {
    rules: BTreeMap<String, Rule>,
}

/// When a reason applies: if any of its texts is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Rule {
    /// What the reason means, for readers of the manifest.
    why: String,
    /// Parts of the path of a test.
    paths: Vec<String>,
    /// Parts of its sources.
    sources: Vec<String>,
    /// Parts of its calls.
    calls: Vec<String>,
    /// Parts of an error of our compiler.
    messages: Vec<String>,
    /// Instructions and precompiles that the machine does not run yet.
    instructions: Vec<String>,
}

fn any(parts: &[String], text: &str) -> bool {
    parts.iter().any(|part| text.contains(part.as_str()))
}

impl Skips {
    /// Reads a manifest.
    ///
    /// # Errors
    /// What serde says of the JSON.
    pub fn read(text: &str) -> Result<Skips, serde_json::Error> {
        Ok(Skips { rules: serde_json::from_str(text)? })
    }

    fn reason(&self, applies: impl Fn(&Rule) -> bool) -> Option<String> {
        self.rules.iter().find(|(_, rule)| applies(rule)).map(|(reason, _)| reason.clone())
    }

    /// Why a test is not run at all.
    pub fn of_test(&self, path: &str, file: &TestFile) -> Option<String> {
        if let Some(reason) = of_settings(&file.settings) {
            return Some(reason.into());
        }
        self.reason(|rule| {
            any(&rule.paths, path)
                || any(&rule.calls, &file.expectations)
                || file.sources.values().any(|source| any(&rule.sources, source))
        })
    }

    /// Why an error of our compiler is no failure.
    pub fn of_message(&self, message: &str) -> Option<String> {
        self.reason(|rule| any(&rule.messages, message))
    }

    /// Why a run that stopped at an instruction is no failure; the manifest says how the name begins.
    pub fn of_instruction(&self, name: &str) -> Option<String> {
        self.reason(|rule| rule.instructions.iter().any(|instruction| name.starts_with(instruction.as_str())))
    }
}

/// What the settings of a test rule out.
fn of_settings(settings: &BTreeMap<String, String>) -> Option<&'static str> {
    let is = |key: &str, value: &str| settings.get(key).is_some_and(|found| found == value);
    if is("compileViaYul", "false") || is("ABIEncoderV1Only", "true") {
        return Some("legacyCodeGenerator");
    }
    if settings.get("bytecodeFormat").is_some_and(|formats| !formats.contains("legacy")) {
        return Some("evmObjectFormat");
    }
    settings.get("EVMVersion").filter(|range| !covers(range)).map(|_| "evmVersion")
}

/// Whether a range such as `>=byzantium` has our version in it.
fn covers(range: &str) -> bool {
    let compare = |sign: &str, name: &str| match (evm::position(EVM_VERSION), evm::position(name)) {
        (Some(ours), Some(other)) => match sign {
            ">=" => ours >= other,
            "<=" => ours <= other,
            ">" => ours > other,
            "<" => ours < other,
            _ => ours == other,
        },
        _ => false,
    };
    let split = range.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(range.len());
    let (sign, name) = range.split_at(split);
    compare(sign.trim(), name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_of_the_repository_is_valid() {
        let skips = Skips::read(MANIFEST).unwrap();
        assert!(skips.rules.values().all(|rule| !rule.why.is_empty()));
    }

    #[test]
    fn versions_are_compared_in_their_order() {
        assert!(covers(">=byzantium") && covers("=cancun") && covers("<osaka"));
        assert!(!covers("<paris") && !covers(">=prague") && !covers("=london"));
    }
}
