//! Objects, and the names under which code reaches their members.
use super::Resolver;
use crate::diagnostic::Diagnostic;
use crate::yul::builtin::Dialect;
use crate::yul::{ast, syntax};

/// Resolves an object and those within it.
pub(super) fn resolve(
    object: &syntax::Object<'_>,
    dialect: Dialect,
    faults: &mut Vec<Diagnostic>,
) -> ast::Object {
    ast::Object {
        name: object.name.clone(),
        code: Resolver::code(object, dialect, faults),
        objects: object.objects.iter().map(|inner| resolve(inner, dialect, faults)).collect(),
        data: object
            .data
            .iter()
            .map(|(name, bytes)| ast::Data { name: name.clone(), bytes: bytes.clone() })
            .collect(),
        sources: object.sources.clone(),
        loc: object.loc,
    }
}

impl syntax::Object<'_> {
    /// Whether code of this object can name `path`: the object itself, or a path of names, dots between
    /// them, down to a member at any depth. A member with a dot in its own name is out of reach.
    pub(super) fn has(&self, path: &str) -> bool {
        if path == self.name && !path.contains('.') {
            return true;
        }
        let mut object = self;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            match object.members.get(name) {
                None => return false,
                Some(None) => return names.peek().is_none(),
                Some(Some(index)) => object = &object.objects[*index],
            }
        }
        true
    }
}
