//! LLVM: the resolved tree becomes LLVM IR, LLVM optimises it, and what comes out is read back as [`crate::mir`].
//! No other module knows LLVM.
//!
//! How the machine's memories look to LLVM (decision 0011): the heap is address space 1, with plain loads and stores that
//! LLVM may forward, merge and remove. Everything else is a declared function whose `memory(...)` attribute says what it
//! touches: storage, transient storage, return data and the world are "inaccessible memory", which no load or store of the
//! heap can alias; calldata, the block and the context are functions of their operands alone.
mod builtin;
mod externs;
mod inlining;
mod lower;
mod optimise;
mod raw;
mod read;

use crate::diagnostic::{Diagnostic, Loc};
use crate::mir;
use crate::yul::ast;
use inkwell::builder::BuilderError;
use inkwell::context::Context;
use lathe_vm::Word;
use std::collections::{BTreeMap, HashMap};

pub use optimise::Level;

/// Which of a contract's two pages a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs once: its calldata is the constructor's arguments, and it hands back the hash of the runtime page.
    Deploy,
    /// Runs at every call.
    Runtime,
}

/// What `datasize` and `dataoffset` can name.
#[derive(Clone, Debug, PartialEq)]
pub enum Symbol {
    /// An object within this one: the hash of its page.
    Object(Word),
    /// The object itself, as creation code: 32 bytes, then the arguments.
    Own,
    /// An object within this one whose page has no hash yet, because it waits for the addresses of libraries. A store
    /// of its hash is left open like the address of a library, under the object's name.
    Unlinked,
    /// Bytes.
    Data(Vec<u8>),
}

/// What a code may refer to.
#[derive(Debug)]
pub struct Scope<'a> {
    /// Its role.
    pub role: Role,
    /// Names for `datasize` and `dataoffset`.
    pub symbols: HashMap<String, Symbol>,
    /// Index of each immutable by solc's name of it.
    pub immutables: &'a BTreeMap<String, u32>,
    /// Known addresses of libraries, by `file:Name` or `Name`.
    pub libraries: &'a BTreeMap<String, [u8; 20]>,
}

/// One code, optimised.
#[derive(Debug)]
pub struct Compiled {
    /// For the backend.
    pub module: mir::Module,
    /// LLVM's text, if it was asked for.
    pub llvm_ir: Option<String>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The source asks for what cannot be.
    #[error("{0}")]
    Source(Diagnostic),
    /// LLVM's builder refused.
    #[error("LLVM's builder: {0}")]
    Builder(#[from] BuilderError),
    /// LLVM's verifier, pass manager or what came out of it.
    #[error("{0}")]
    Llvm(String),
}

impl Fault {
    fn at(loc: Loc, message: impl Into<String>) -> Fault {
        Fault::Source(Diagnostic::error(loc, message))
    }
}

/// Compiles one code to the middle form.
///
/// # Errors
/// What the source asks for and the machine does not have, with its place; or a fault of LLVM's, without one.
pub fn compile(
    name: &str,
    code: &ast::Code,
    scope: &Scope<'_>,
    level: Level,
    keep_ir: bool,
) -> Result<Compiled, Diagnostic> {
    let mut last = None;
    // Wide integers that LLVM makes of closed loops may have no reading; the plainer levels make none.
    for level in [level, Level::O1, Level::O0] {
        match attempt(name, code, scope, level, keep_ir) {
            Ok(compiled) => return Ok(compiled),
            Err(Fault::Source(diagnostic)) => return Err(diagnostic),
            Err(fault) => last = Some(fault.to_string()),
        }
    }
    Err(Diagnostic::general(format!("compiling `{name}`: {}", last.unwrap_or_default())))
}

fn attempt(
    name: &str,
    code: &ast::Code,
    scope: &Scope<'_>,
    level: Level,
    keep_ir: bool,
) -> Result<Compiled, Fault> {
    let context = Context::create();
    let lowered = lower::lower(&context, name, code, scope)?;
    lowered.module.verify().map_err(|e| Fault::Llvm(e.to_string()))?;
    optimise::optimise(&lowered.module, level, lowered.deepest_loop)?;
    let llvm_ir = keep_ir.then(|| lowered.module.print_to_string().to_string());
    let functions = read::read(&lowered.module, &lowered.locs)?;
    let module = mir::Module { functions, data: lowered.data, libraries: lowered.libraries };
    Ok(Compiled { module, llvm_ir })
}

/// The low `bits` bits set.
fn low_bits(bits: u32) -> Word {
    let low = |n: u32| if n >= 128 { u128::MAX } else { (1u128 << n) - 1 };
    Word::new(low(bits.saturating_sub(128)), low(bits))
}
