//! Compiled contracts and their parts in the forms that tools read: hex, creation data, source maps, link references.
use crate::compile::{Contract, LinkReference, Part};
use crate::diagnostic::Src;
use serde_json::{Map, Value, json};
use sha3::{Digest, Keccak256};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Bytes of an address.
const ADDRESS: usize = 20;

/// What stands for the address of a library in an object that is not linked: 40 characters, as solc's.
pub fn placeholder(library: &str) -> String {
    let digest = hex::encode(Keccak256::digest(library.as_bytes()));
    format!("__${}$__", &digest[..34])
}

impl Part {
    /// The page in hex, 16 digits per word, as `Page::from_hex` of the virtual machine reads it.
    ///
    /// Where the address of a library is missing, the first 20 bytes of its constant are its [`placeholder`]. It marks
    /// the object as not linked and is not to be replaced by hand: code hashes depend on the address, those in other
    /// pages too, so that linking is compiling again with the address given.
    pub fn object(&self) -> String {
        let mut text = String::with_capacity(16 * self.words.len());
        for word in &self.words {
            // Writing to a String does not fail.
            let _ = write!(text, "{word:016x}");
        }
        for reference in &self.link_references {
            let start = 2 * reference.byte();
            if start + 2 * ADDRESS <= text.len() {
                text.replace_range(start..start + 2 * ADDRESS, &placeholder(&reference.library));
            }
        }
        text
    }

    /// Bytes of the page.
    pub fn bytes(&self) -> usize {
        8 * self.words.len()
    }

    /// The code hash as `0x` and 64 digits.
    pub fn hash_hex(&self) -> Option<String> {
        self.hash.map(|hash| format!("0x{}", hex::encode(hash.to_be_bytes())))
    }

    /// solc's `linkReferences`: file, library, places in bytes of the object.
    pub fn link_references_json(&self) -> Value {
        references(
            self.link_references.iter().map(|reference| (reference.library.as_str(), reference.byte())),
        )
    }

    /// solc's compressed source map: one entry per instruction, `start:length:source:jump:modifier depth`, fields equal to
    /// the entry before left out. Calls and returns are not told apart from other instructions.
    pub fn source_map_text(&self) -> String {
        let mut text = String::new();
        let mut last: Option<[i64; 3]> = None;
        for (index, place) in self.source_map.iter().enumerate() {
            if index > 0 {
                text.push(';');
            }
            let fields = fields(*place);
            match last {
                None => text.push_str(&format!("{}:{}:{}:-:0", fields[0], fields[1], fields[2])),
                Some(last) => text.push_str(&difference(last, fields)),
            }
            last = Some(fields);
        }
        text
    }
}

/// The first byte of creation data: its layout.
const VERSION: u8 = 1;
/// The most pages that creation data holds.
pub const MOST_PAGES: usize = 255;

impl Contract {
    /// Every page that must be known for the contract to be created and to create others: its deploy page, its runtime
    /// page, then those of what it creates, each once.
    pub fn pages(&self) -> Vec<&Part> {
        let mut pages = Vec::new();
        self.add_pages(&mut BTreeSet::new(), &mut pages);
        pages
    }

    fn add_pages<'a>(&'a self, seen: &mut BTreeSet<String>, pages: &mut Vec<&'a Part>) {
        let before = pages.len();
        pages.extend(
            std::iter::once(&self.deploy).chain(&self.runtime).filter(|part| seen.insert(part.object())),
        );
        // A contract of which nothing is new has been here with all that it creates.
        if pages.len() > before {
            self.created.iter().for_each(|created| created.add_pages(seen, pages));
        }
    }

    /// Creation data, which a transaction that creates the contract carries, constructor arguments behind it:
    ///
    /// ```text
    /// 1 | number of pages: 1 byte | length of each in words: 2 bytes | the pages, 8 bytes per word | hash of the first: 32 bytes
    /// ```
    ///
    /// all big-endian, the deploy page first. `None` if a library's address is missing, or if there is no runtime page.
    pub fn creation_data(&self) -> Option<Vec<u8>> {
        hex::decode(self.creation_object()?).ok()
    }

    /// Creation data in hex, with [`placeholder`]s as in [`Part::object`] where addresses are missing. The hash of a page
    /// that waits for one has the placeholder of the page's name, so that no tool takes the object for linked. `None` if
    /// there is no runtime page.
    pub fn creation_object(&self) -> Option<String> {
        self.runtime.as_ref()?;
        let pages = self.pages();
        let mut text = format!("{VERSION:02x}{:02x}", pages.len());
        for page in &pages {
            text.push_str(&format!("{:04x}", page.words.len()));
        }
        pages.iter().for_each(|page| text.push_str(&page.object()));
        match self.deploy.hash {
            Some(hash) => text.push_str(&hex::encode(hash.to_be_bytes())),
            None => text.push_str(&format!("{}{:024}", placeholder(&self.deploy.name), 0)),
        }
        Some(text)
    }

    /// solc's `linkReferences` of the [`Self::creation_object`].
    pub fn creation_link_references_json(&self) -> Value {
        let pages = self.pages();
        let mut start = 2 + 2 * pages.len();
        let mut places = Vec::new();
        for page in &pages {
            let of = |reference: &'_ LinkReference| start + reference.byte();
            places.extend(page.link_references.iter().map(|r| (r.library.as_str(), of(r))));
            start += page.bytes();
        }
        if self.deploy.hash.is_none() {
            places.push((&self.deploy.name, start));
        }
        references(places.into_iter())
    }
}

/// solc's `linkReferences` of names and places: file, library, places in bytes.
fn references<'a>(all: impl Iterator<Item = (&'a str, usize)>) -> Value {
    let mut files = Map::new();
    for (name, start) in all {
        let (file, name) = name.rsplit_once(':').unwrap_or(("", name));
        let places = &mut files.entry(file).or_insert_with(|| json!({}))[name];
        let place = json!({ "start": start, "length": ADDRESS });
        match places {
            Value::Array(list) => list.push(place),
            other => *other = json!([place]),
        }
    }
    Value::Object(files)
}

impl LinkReference {
    /// Where its constant begins in the object, in bytes.
    fn byte(&self) -> usize {
        32 * self.constant
    }
}

/// Start, length and source of an entry; -1 for what comes from no source.
fn fields(place: Option<Src>) -> [i64; 3] {
    match place {
        Some(Src { source, span }) => {
            [span.start.into(), span.end.saturating_sub(span.start).into(), source.into()]
        }
        None => [-1, -1, -1],
    }
}

/// An entry after another: equal fields empty, trailing ones left out.
fn difference(last: [i64; 3], now: [i64; 3]) -> String {
    let field = |i: usize| if last[i] == now[i] { String::new() } else { now[i].to_string() };
    let text = format!("{}:{}:{}", field(0), field(1), field(2));
    text.trim_end_matches(':').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;
    use std::collections::BTreeMap;

    fn part(words: Vec<u64>) -> Part {
        Part {
            name: "A".into(),
            words,
            hash: None,
            code_words: 0,
            source_map: Vec::new(),
            immutables: BTreeMap::new(),
            link_references: Vec::new(),
            listing: String::new(),
            llvm_ir: None,
            slots: 0,
            for_size: false,
        }
    }

    fn src(start: u32, end: u32, source: u32) -> Option<Src> {
        Some(Src { source, span: Span { start, end } })
    }

    #[test]
    fn a_source_map_leaves_out_what_repeats() {
        let source_map = vec![
            src(5, 9, 0),
            src(5, 9, 0),
            src(5, 10, 0),
            src(7, 12, 1),
            None,
            src(7, 12, 1),
            src(7, 12, 2),
        ];
        let part = Part { source_map, ..part(vec![0; 12]) };
        assert_eq!(part.source_map_text(), "5:4:0:-:0;;:5;7::1;-1:-1:-1;7:5:1;::2");
        assert_eq!(Part { source_map: Vec::new(), ..part }.source_map_text(), "");
    }

    #[test]
    fn a_missing_library_shows_as_solcs_placeholder_in_its_constant() {
        let reference = LinkReference { library: "src/A.sol:L".into(), constant: 1 };
        let part = Part { link_references: vec![reference], ..part(vec![1; 12]) };
        let object = part.object();
        assert_eq!(object.len(), 12 * 16);
        let mark = placeholder("src/A.sol:L");
        assert_eq!(mark.len(), 40);
        assert_eq!(object.find(&mark), Some(64));
        assert_eq!(part.link_references_json(), json!({"src/A.sol": {"L": [{"start": 32, "length": 20}]}}));
    }
}
