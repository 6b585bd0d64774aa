//! From import paths to files, by solc's rules: source unit names, remappings, base path, include paths and the
//! folders that may be read. Every source is found here, before solc runs, so that a native solc and the npm
//! package (which has no file system) see the same program.
mod imports;

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Component, Path, PathBuf};

/// `context:prefix=target`: an import of `prefix...` in a source whose name begins with `context` is one of `target...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remapping {
    /// Where it holds; empty: everywhere.
    pub context: String,
    /// What is replaced.
    pub prefix: String,
    /// What replaces it.
    pub target: String,
}

impl Remapping {
    /// Reads one in solc's notation. A text without `=` or without a prefix is none.
    pub fn parse(text: &str) -> Option<Remapping> {
        let (left, target) = text.split_once('=')?;
        let (context, prefix) = left.split_once(':').unwrap_or(("", left));
        let own = str::to_string;
        (!prefix.is_empty()).then(|| Remapping {
            context: own(context),
            prefix: own(prefix),
            target: own(target),
        })
    }
}

/// Where files are looked for and which may be read.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// Source unit names are relative to it; empty: the working directory.
    pub base: PathBuf,
    /// Looked through after it, in order.
    pub includes: Vec<PathBuf>,
    /// Folders and files that may be read beside those two.
    pub allowed: Vec<PathBuf>,
    /// No file is read at all.
    pub sealed: bool,
}

impl Paths {
    /// The source unit name of a file given on the command line: its path within the base path or an include path, else
    /// its absolute path.
    pub fn unit_name(&self, file: &Path) -> String {
        let absolute = plain(&std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
        let roots = std::iter::once(&self.base).chain(&self.includes);
        let within = roots.filter_map(|root| {
            let root = plain(
                &std::path::absolute(if root.as_os_str().is_empty() { Path::new(".") } else { root }).ok()?,
            );
            absolute.strip_prefix(&root).ok().map(Path::to_owned)
        });
        let name = within.into_iter().next().unwrap_or(absolute);
        name.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
    }

    /// Reads the file of a source unit name.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn read(&self, name: &str) -> Result<String, String> {
        if self.sealed {
            return Err("File import callback not supported.".into());
        }
        let name = name.strip_prefix("file://").unwrap_or(name);
        let roots = std::iter::once(&self.base).chain(&self.includes);
        let candidates: Vec<PathBuf> = roots.map(|root| root.join(name)).collect();
        let Some(file) = candidates.iter().find(|path| path.is_file()) else {
            let tried: Vec<String> =
                candidates.iter().map(|path| format!("\"{}\"", path.display())).collect();
            return Err(format!("File not found. Searched the following locations: {}.", tried.join(", ")));
        };
        let real = file.canonicalize().map_err(|error| format!("{}: {error}.", file.display()))?;
        if !self.may_read(&real) {
            return Err(format!(
                "File outside of allowed directories: \"{}\". Allow its folder with --allow-paths.",
                file.display()
            ));
        }
        let bytes = std::fs::read(&real).map_err(|error| format!("{}: {error}.", file.display()))?;
        String::from_utf8(bytes).map_err(|_| format!("\"{}\" is not UTF-8.", file.display()))
    }

    fn may_read(&self, real: &Path) -> bool {
        let base = if self.base.as_os_str().is_empty() { Path::new(".") } else { &self.base };
        let folders =
            std::iter::once(base).chain(self.includes.iter().chain(&self.allowed).map(PathBuf::as_path));
        folders.filter_map(|folder| folder.canonicalize().ok()).any(|folder| real.starts_with(folder))
    }
}

/// A path without `.` and, as far as it can be told from the text, without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The sources of a program.
pub struct Closure {
    /// By source unit name: `{"content": text}`, and what else the input said of it.
    pub sources: Map<String, Value>,
    /// Names that no file was found for, and why. solc reports them where they are imported.
    pub missing: BTreeMap<String, String>,
}

/// Reads what `sources` (of a standard JSON input) name by URL.
pub fn load(sources: &Map<String, Value>, paths: &Paths) -> Closure {
    let mut closure = Closure { sources: sources.clone(), missing: BTreeMap::new() };
    for (name, source) in &mut closure.sources {
        if let Err(reason) = read_urls(source, paths) {
            closure.missing.insert(name.clone(), reason);
        }
    }
    closure
}

/// Reads what `sources` name by URL and all that they import.
pub fn close(sources: &Map<String, Value>, remappings: &[Remapping], paths: &Paths) -> Closure {
    let mut closure = load(sources, paths);
    let mut queue: VecDeque<String> = sources.keys().cloned().collect();
    while let Some(name) = queue.pop_front() {
        let Some(text) = closure.sources.get(&name).and_then(|source| source["content"].as_str()) else {
            continue;
        };
        for path in imports::of(text) {
            let unit = remapped(&resolved(&path, &name), &name, remappings);
            if closure.sources.contains_key(&unit) || closure.missing.contains_key(&unit) {
                continue;
            }
            match paths.read(&unit) {
                Ok(content) => {
                    closure.sources.insert(unit.clone(), json!({ "content": content }));
                    queue.push_back(unit);
                }
                Err(reason) => {
                    closure.missing.insert(unit, reason);
                }
            }
        }
    }
    closure
}

/// Gives a source its content from the first of its URLs that can be read.
fn read_urls(source: &mut Value, paths: &Paths) -> Result<(), String> {
    let Value::Object(source) = source else { return Ok(()) };
    if source.contains_key("content") {
        return Ok(());
    }
    let Some(Value::Array(urls)) = source.get("urls") else { return Ok(()) };
    let mut reasons = Vec::new();
    for url in urls.iter().filter_map(Value::as_str) {
        match paths.read(url) {
            Ok(content) => {
                source.insert("content".into(), content.into());
                source.remove("urls");
                return Ok(());
            }
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join(" "))
}

/// The name an import path stands for before remapping. Only `.` and `..` at its beginning make it relative.
fn resolved(path: &str, importer: &str) -> String {
    let first = path.split('/').next().unwrap_or_default();
    if first != "." && first != ".." {
        return path.to_string();
    }
    let mut parts: Vec<&str> = importer.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// The longest context wins, then the longest prefix, then the last.
fn remapped(name: &str, importer: &str, remappings: &[Remapping]) -> String {
    let holds = |r: &&Remapping| importer.starts_with(&r.context) && name.starts_with(&r.prefix);
    match remappings.iter().filter(holds).max_by_key(|r| (r.context.len(), r.prefix.len())) {
        Some(best) => format!("{}{}", best.target, &name[best.prefix.len()..]),
        None => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leading_dot_makes_an_import_relative() {
        assert_eq!(resolved("./b.sol", "src/a.sol"), "src/b.sol");
        assert_eq!(resolved("../lib//./b.sol", "src/x/a.sol"), "src/lib/b.sol");
        assert_eq!(resolved("../../../b.sol", "src/a.sol"), "b.sol");
        assert_eq!(resolved("./b.sol", "/abs/a.sol"), "/abs/b.sol");
        assert_eq!(resolved("b/../c.sol", "src/a.sol"), "b/../c.sol");
        assert_eq!(resolved(".b.sol", "src/a.sol"), ".b.sol");
    }

    #[test]
    fn the_most_specific_remapping_wins_and_the_last_of_equals() {
        let parse = |texts: &[&str]| texts.iter().filter_map(|t| Remapping::parse(t)).collect::<Vec<_>>();
        let rules =
            parse(&["oz/=lib/a/", "oz/token/=lib/b/", "src/x:oz/=lib/c/", "oz/=lib/d/", "broken", "=x"]);
        assert_eq!(rules.len(), 4);
        assert_eq!(remapped("oz/utils/M.sol", "src/a.sol", &rules), "lib/d/utils/M.sol");
        assert_eq!(remapped("oz/token/T.sol", "src/a.sol", &rules), "lib/b/T.sol");
        assert_eq!(remapped("oz/token/T.sol", "src/x/a.sol", &rules), "lib/c/token/T.sol");
        assert_eq!(remapped("other/T.sol", "src/x/a.sol", &rules), "other/T.sol");
    }
}
