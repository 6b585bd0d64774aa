//! A test file taken apart: its sources, its settings, the text of its calls.
use std::collections::BTreeMap;
use std::path::Path;

/// A test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestFile {
    /// Sources by their unit names.
    pub sources: BTreeMap<String, String>,
    /// The source whose last contract is tested.
    pub main: String,
    /// `// key: value` behind `// ====`.
    pub settings: BTreeMap<String, String>,
    /// What follows `// ----`, without the comment marks.
    pub expectations: String,
}

/// Why a file is no test.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// No `// ----`.
    #[error("no line `// ----`: the file expects nothing")]
    NoExpectations,
    /// A source next to the test that cannot be read.
    #[error("external source {path}: {error}")]
    External {
        /// Its path as the test has it.
        path: String,
        /// Why not.
        error: String,
    },
}

impl TestFile {
    /// Takes a file apart. External sources are read from `folder`, that of the file.
    ///
    /// # Errors
    /// No expectations, or an external source that is not there.
    pub fn read(text: &str, folder: &Path) -> Result<TestFile, FileError> {
        let lines: Vec<&str> = text.lines().collect();
        let position = |mark: &str| lines.iter().position(|line| line.trim_end() == mark);
        let calls_at = position("// ----").ok_or(FileError::NoExpectations)?;
        let settings_at = position("// ====").filter(|at| *at < calls_at).unwrap_or(calls_at);
        let mut test = TestFile::default();
        test.read_sources(&lines[..settings_at], folder)?;
        for line in lines.get(settings_at + 1..calls_at).unwrap_or_default() {
            if let Some((key, value)) = line.trim_start_matches('/').split_once(':') {
                test.settings.insert(key.trim().into(), value.trim().into());
            }
        }
        let calls = lines[calls_at + 1..].iter().filter_map(|line| line.trim_start().strip_prefix("//"));
        test.expectations = calls.collect::<Vec<_>>().join("\n");
        Ok(test)
    }

    fn read_sources(&mut self, lines: &[&str], folder: &Path) -> Result<(), FileError> {
        let mut name = String::new();
        for line in lines {
            if let Some(next) = directive(line, "Source:") {
                name = next.to_string();
                self.sources.entry(name.clone()).or_default();
            } else if let Some(external) = directive(line, "ExternalSource:") {
                let (unit, path) = external.split_once('=').unwrap_or((external, external));
                let content = std::fs::read_to_string(folder.join(path))
                    .map_err(|error| FileError::External { path: path.into(), error: error.to_string() })?;
                self.sources.insert(unit.into(), content);
            } else {
                let source = self.sources.entry(name.clone()).or_default();
                source.push_str(line);
                source.push('\n');
            }
        }
        // What stands before the first named source is none, if there are named ones.
        if self.sources.len() > 1 && self.sources.get("").is_some_and(|text| text.trim().is_empty()) {
            self.sources.remove("");
        }
        self.main = name;
        Ok(())
    }

    /// The name of the last contract, library or interface of the main source.
    pub fn contract(&self) -> Option<String> {
        last_contract(self.sources.get(&self.main)?)
    }
}

/// `==== Source: a.sol ====`
fn directive<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let inner = line.strip_prefix("====")?.trim_end().strip_suffix("====")?;
    inner.trim().strip_prefix(keyword).map(str::trim)
}

/// The last definition at the top level of a source.
fn last_contract(text: &str) -> Option<String> {
    let mut last = None;
    let (mut depth, mut awaited) = (0usize, false);
    for token in tokens(text) {
        match token {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            "contract" | "library" | "interface" => awaited = true,
            name => {
                if std::mem::take(&mut awaited) {
                    last = Some(name.to_string());
                }
            }
        }
    }
    last
}

/// Words and single other characters of a source; comments and strings are left out.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '"' | '\'' => string_length(rest, first),
            _ if word(first) => {
                let end = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
                out.push(&rest[..end]);
                end
            }
            _ => {
                if !first.is_whitespace() {
                    out.push(&rest[..first.len_utf8()]);
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    out
}

/// Bytes of the string literal that the text begins with.
fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_settings_and_calls_are_told_apart() {
        let text = "==== Source: a.sol ====\ncontract A {}\n==== Source: b.sol ====\nimport \"a.sol\";\nabstract \
                    contract B is A { string s = \"} contract X {\"; } // contract Y\nlibrary L {}\ncontract C \
                    {}\n// ====\n// EVMVersion: >=paris\n// ----\n// f() -> 1\n//   # note #\n";
        let test = TestFile::read(text, Path::new(".")).unwrap();
        assert_eq!(test.sources.keys().collect::<Vec<_>>(), ["a.sol", "b.sol"]);
        assert_eq!(test.main, "b.sol");
        assert_eq!(test.contract().as_deref(), Some("C"));
        assert_eq!(test.settings["EVMVersion"], ">=paris");
        assert_eq!(test.expectations, " f() -> 1\n   # note #");
    }

    #[test]
    fn a_file_without_expectations_is_none() {
        assert_eq!(TestFile::read("contract C {}", Path::new(".")), Err(FileError::NoExpectations));
    }
}
