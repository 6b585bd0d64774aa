//! Names in force. Yul has no shadowing, so a name has at most one meaning at any point of a text.
use super::ast::{FunctionId, VarId};
use super::builtin::{Builtin, Dialect};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    /// A variable of a function's body, or of the code around all functions. Only code with the same owner
    /// may use it.
    Variable { id: VarId, owner: Option<FunctionId> },
    /// A function.
    Function(FunctionId),
}

#[derive(Default)]
pub(super) struct Scope<'a> {
    live: HashMap<&'a str, Meaning>,
    /// The keys of `live` in the order of their declaration.
    declared: Vec<&'a str>,
}

/// A point to which [`Scope::leave`] returns.
pub(super) struct Mark(usize);

impl<'a> Scope<'a> {
    pub fn enter(&self) -> Mark {
        Mark(self.declared.len())
    }

    /// Forgets everything declared since.
    pub fn leave(&mut self, mark: Mark) {
        for name in self.declared.drain(mark.0..) {
            self.live.remove(name);
        }
    }

    /// Gives a name its meaning; false if it has one already.
    pub fn declare(&mut self, name: &'a str, meaning: Meaning) -> bool {
        match self.live.entry(name) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(meaning);
                self.declared.push(name);
                true
            }
        }
    }

    pub fn get(&self, name: &str) -> Option<Meaning> {
        self.live.get(name).copied()
    }
}

/// Why nothing may be declared under this name, if so.
pub(super) fn forbidden(name: &str, dialect: Dialect) -> Option<&'static str> {
    let numbered = |prefix: &str, range: std::ops::RangeInclusive<u8>| {
        let number = name.strip_prefix(prefix).filter(|digits| !digits.starts_with('0') || *digits == "0");
        number.and_then(|digits| digits.parse().ok()).is_some_and(|n: u8| range.contains(&n))
    };
    if Builtin::find_in(dialect, name).is_some() {
        Some("is a builtin function")
    } else if matches!(name, "jump" | "jumpi" | "jumpdest" | "pc")
        || numbered("dup", 1..=16)
        || numbered("swap", 1..=16)
        || numbered("push", 0..=32)
        || name.starts_with("verbatim")
    {
        Some("is reserved")
    } else if name.ends_with('.') {
        Some("ends with a dot")
    } else if name.contains("..") {
        Some("has two dots in a row")
    } else {
        None
    }
}
