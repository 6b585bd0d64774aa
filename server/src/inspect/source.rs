//! The Solidity sources of a project: lines, and which function a place lies in. Offsets count bytes, as solc's do.
use serde_json::Value;
use std::collections::HashMap;

/// A range of bytes of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// solc's number of the source.
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// Bytes.
    pub length: u32,
}

/// A function, modifier or state variable of the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    start: u32,
    end: u32,
    /// `Contract.function`; a free function's name alone.
    pub name: String,
}

/// A source file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name, as solc has it.
    pub name: String,
    text: String,
    /// Where lines begin.
    lines: Vec<u32>,
    /// By place; none lies within another.
    functions: Vec<Function>,
}

/// A line of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line {
    /// solc's number of the source.
    pub source: u32,
    /// From 1.
    pub line: u32,
}

/// All sources by solc's numbers.
#[derive(Clone, Debug, Default)]
pub struct Sources(HashMap<u32, Source>);

impl Source {
    fn new(name: &str, text: String, ast: &Value) -> Source {
        let mut lines = vec![0];
        lines.extend((1..).zip(text.bytes()).filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at));
        let mut functions = Vec::new();
        collect(ast, "", &mut functions);
        functions.sort_by_key(|f| f.start);
        Source { name: name.into(), text, lines, functions }
    }

    fn line_of(&self, offset: u32) -> u32 {
        self.lines.partition_point(|start| *start <= offset) as u32
    }

    /// The text of a line from 1, trimmed.
    fn line_text(&self, line: u32) -> &str {
        self.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default().trim()
    }
}

/// The functions, modifiers and state variables below a node of solc's syntax tree.
fn collect(node: &Value, contract: &str, all: &mut Vec<Function>) {
    let name = node["name"].as_str().unwrap_or_default();
    let own = match node["nodeType"].as_str() {
        Some("FunctionDefinition") => match node["kind"].as_str() {
            Some("function" | "freeFunction") | None => name.to_string(),
            Some(kind) => kind.to_string(),
        },
        Some("ModifierDefinition" | "VariableDeclaration") => name.to_string(),
        Some("ContractDefinition") => return children(node, name, all),
        Some("SourceUnit") => return children(node, "", all),
        _ => return,
    };
    let mut numbers = node["src"].as_str().unwrap_or_default().split(':').map(|n| n.parse::<u32>().ok());
    if let (Some(Some(start)), Some(Some(length))) = (numbers.next(), numbers.next()) {
        let name = if contract.is_empty() { own } else { format!("{contract}.{own}") };
        all.push(Function { start, end: start.saturating_add(length), name });
    }
}

fn children(node: &Value, contract: &str, all: &mut Vec<Function>) {
    node["nodes"].as_array().into_iter().flatten().for_each(|child| collect(child, contract, all));
}

impl Sources {
    /// Adds a source with solc's number and syntax tree of it.
    pub fn insert(&mut self, number: u32, name: &str, text: String, ast: &Value) {
        self.0.insert(number, Source::new(name, text, ast));
    }

    /// The function, modifier or state variable around a place. Nothing for what is a whole contract's: the code that the
    /// compiler adds of its own.
    pub fn function(&self, place: Span) -> Option<&str> {
        let functions = &self.0.get(&place.source)?.functions;
        let before = functions.partition_point(|f| f.start <= place.start);
        let found = functions.get(before.checked_sub(1)?)?;
        (place.start.saturating_add(place.length) <= found.end).then_some(found.name.as_str())
    }

    /// The line that a place begins on, if it lies in a function.
    pub fn line(&self, place: Span) -> Option<Line> {
        self.function(place)?;
        let source = self.0.get(&place.source)?;
        Some(Line { source: place.source, line: source.line_of(place.start) })
    }

    /// `file:line` and the line's text, trimmed.
    pub fn show(&self, line: Line) -> (String, &str) {
        self.0.get(&line.source).map_or((format!("?:{}", line.line), ""), |source| {
            (format!("{}:{}", source.name, line.line), source.line_text(line.line))
        })
    }
}

/// Reads solc's compressed source map: the place of every instruction, if it has one.
pub fn read_map(text: &str) -> Vec<Option<Span>> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut now = [-1i64; 3];
    let entry = |entry: &str| {
        for (field, value) in now.iter_mut().zip(entry.split(':')) {
            *field = value.parse().unwrap_or(*field);
        }
        let [start, length, source] = now.map(u32::try_from);
        Some(Span { start: start.ok()?, length: length.ok()?, source: source.ok()? })
    };
    text.split(';').map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_source_map_is_read_as_it_is_written() {
        let span = |start, length, source| Some(Span { source, start, length });
        let expected =
            [span(5, 4, 0), span(5, 4, 0), span(5, 5, 0), span(7, 5, 1), None, span(7, 5, 1), span(7, 5, 2)];
        assert_eq!(read_map("5:4:0:-:0;;:5;7::1;-1:-1:-1;7:5:1;::2"), expected);
        assert_eq!(read_map(""), []);
    }

    #[test]
    fn a_place_has_the_line_and_function_it_begins_in_and_a_whole_contract_has_none() {
        let text = "contract A {\n  uint x;\n  function é() f(1) { }\n}\n";
        let at = |part: &str| text.find(part).unwrap();
        let src = |part: &str| format!("{}:{}:0", at(part), part.len());
        let function = "function é() f(1) { }";
        let ast = json!({ "nodeType": "SourceUnit", "nodes": [
            { "nodeType": "PragmaDirective", "src": "0:1:0" },
            { "nodeType": "ContractDefinition", "name": "A", "src": src(text.trim_end()), "nodes": [
                { "nodeType": "VariableDeclaration", "name": "x", "src": src("uint x") },
                { "nodeType": "FunctionDefinition", "kind": "function", "name": "é", "src": src(function) },
            ] },
        ] });
        let mut sources = Sources::default();
        sources.insert(3, "A.sol", text.into(), &ast);
        let place = |part: &str| Span { source: 3, start: at(part) as u32, length: part.len() as u32 };
        assert_eq!(sources.function(place("f(1)")), Some("A.é"));
        assert_eq!(sources.line(place("f(1)")), Some(Line { source: 3, line: 3 }));
        assert_eq!(sources.show(Line { source: 3, line: 3 }), ("A.sol:3".into(), function));
        assert_eq!(sources.function(place("uint x")), Some("A.x"));
        assert_eq!(sources.line(place(text.trim_end())), None);
        assert_eq!(sources.line(Span { source: 4, start: 0, length: 1 }), None);
    }
}
