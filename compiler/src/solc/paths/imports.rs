//! The paths that a Solidity text imports, without parsing it: `import` is a keyword, so that outside comments and
//! strings it always begins an import, whose path is the next string.

/// The paths in order. A text with errors gives those that can be told; solc reports the rest.
pub(super) fn of(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = text.as_bytes();
    let mut importing = false;
    while let [first, ..] = rest {
        match first {
            b'/' if rest.starts_with(b"//") => rest = after(rest, b"\n"),
            b'/' if rest.starts_with(b"/*") => rest = after(&rest[2..], b"*/"),
            b'"' | b'\'' => {
                let (content, left) = string(rest);
                if let Some(path) = content.filter(|_| importing) {
                    paths.push(path);
                    importing = false;
                }
                rest = left;
            }
            b';' => {
                importing = false;
                rest = &rest[1..];
            }
            c if is_word(*c) => {
                let length = rest.iter().take_while(|c| is_word(**c)).count();
                importing |= &rest[..length] == b"import";
                rest = &rest[length..];
            }
            _ => rest = &rest[1..],
        }
    }
    paths
}

fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c == b'$'
}

fn after<'a>(text: &'a [u8], end: &[u8]) -> &'a [u8] {
    let found = text.windows(end.len()).position(|window| window == end);
    found.map_or(&[], |at| &text[at + end.len()..])
}

/// The content of the string that `text` begins with, escapes of one character undone, and what follows it.
/// A string ends with its line, closed or not; one that is not closed has no content.
fn string(text: &[u8]) -> (Option<String>, &[u8]) {
    let quote = text[0];
    let mut content = Vec::new();
    let mut at = 1;
    while let Some(&c) = text.get(at) {
        at += 1;
        match c {
            b'\n' => break,
            b'\\' => {
                content.extend(text.get(at));
                at += 1;
            }
            c if c == quote => return (String::from_utf8(content).ok(), &text[at..]),
            c => content.push(c),
        }
    }
    (None, text.get(at..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn every_form_of_an_import_is_found() {
        let text = r#"
            import "a.sol"; import 'b.sol' as B;
            import {X as Y, Z} from "./c.sol";
            import * as D from "d.sol"; import"e.sol";
        "#;
        assert_eq!(of(text), ["a.sol", "b.sol", "./c.sol", "d.sol", "e.sol"]);
    }

    #[test]
    fn comments_strings_and_longer_names_are_not_imports() {
        let text = "// import \"a\";\n/* import \"b\"; */ string constant s = \"import 'c';\"; string t = unicode\"import\";\n\
                    uint important = 1; bytes x = \"d\"; import /* \"e\" */ \"f\\\"g\";";
        assert_eq!(of(text), ["f\"g"]);
    }

    #[test]
    fn a_broken_text_ends() {
        for text in ["import \"", "import \"a\\", "import '\n\"b\";", "/*", "//", "import;\"c\";", "import"] {
            assert!(of(text).len() <= 1, "{text}");
        }
        assert_eq!(of("import '\n\"b\";"), ["b"]);
    }
}
