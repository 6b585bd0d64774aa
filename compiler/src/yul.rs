//! Yul: from text to a resolved tree, in solc's strict-assembly dialect or a kernel's. Nothing here knows LLVM or the
//! machine, and no text makes it panic or run out of stack.
//!
//! ```text
//! text --lexer--> tokens --parser--> syntax tree --resolve--> ast::Object --print--> text
//! ```
pub mod ast;
mod blame;
pub mod builtin;
mod comment;
mod lexer;
mod literal;
mod parser;
pub mod print;
mod resolve;
mod scope;
mod syntax;
mod visit;

use crate::diagnostic::{Diagnostic, Kind, Loc};
use builtin::Dialect;

/// The longest text that [`parse`] takes, in bytes.
pub const MAX_LENGTH: usize = 64 << 20;

/// How many blocks, calls and objects may lie within each other, all counted together. The tree is walked
/// by recursion from here to LLVM, so this bounds the stack of every pass.
pub const MAX_DEPTH: usize = 256;

/// Parses and resolves a Yul object in solc's dialect, or a bare block as an object named `object`.
///
/// # Errors
/// As [`parse_in`].
pub fn parse(text: &str) -> Result<ast::Object, Vec<Diagnostic>> {
    parse_in(Dialect::Evm, text)
}

/// Parses and resolves a Yul object, or a bare block as an object named `object`, in a dialect.
///
/// # Errors
/// The first fault of syntax alone, or else everything that is wrong with names, places and numbers of
/// values, in order of discovery, up to 256 faults.
pub fn parse_in(dialect: Dialect, text: &str) -> Result<ast::Object, Vec<Diagnostic>> {
    if text.len() > MAX_LENGTH {
        let message = format!("a Yul text of {} bytes; at most {MAX_LENGTH} are taken", text.len());
        return Err(vec![Diagnostic::general(message).of_kind(Kind::Parser)]);
    }
    let object = parser::parse(text).map_err(|fault| vec![fault])?;
    resolve::resolve(&object, dialect)
}

/// An error of the given kind at a place.
fn fault(kind: Kind, loc: Loc, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(loc, message).of_kind(kind)
}
