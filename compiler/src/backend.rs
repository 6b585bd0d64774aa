//! From [`crate::mir`] to a code page: selection, slots, layout, encoding.
//!
//! ```text
//! mir --prepare--> mir --select--> lir: registers without limit --constants--> --allocate--> slots
//!     --machine--> blocks of instructions --layout--> --page--> words
//! ```
//!
//! Steps are what a program costs, so every choice is made for the fewest steps executed, then for the shortest code,
//! then for the fewest slots. Any well-formed module compiles or is refused with a [`BackendError`].

mod allocate;
mod analysis;
mod cfg;
mod constants;
mod layout;
mod lir;
mod listing;
mod liveness;
mod machine;
mod page;
mod prepare;
mod select;
mod visit;
mod words;

pub use listing::listing;

use crate::diagnostic::Loc;
use crate::mir;
use lathe_vm::isa::{MAX_PAGE, op};

/// What to optimise for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Prefer short code to few steps.
    pub optimise_size: bool,
    /// Run all passes; without, the code is plain but just as correct.
    pub optimise: bool,
}

/// One code page and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Code, then constants, then data; not padded to a page's unit.
    pub words: Vec<u64>,
    /// How many of the words are instructions.
    pub code_words: usize,
    /// Where each instruction comes from.
    pub locs: Vec<Option<Loc>>,
    /// Where each instruction may jump.
    pub targets: Vec<Option<usize>>,
    /// Functions with the place of their first instruction.
    pub functions: Vec<(String, usize)>,
    /// Libraries, as numbered by the module, with the index of the page constant (zero so far) for their address.
    pub libraries: Vec<(u32, usize)>,
    /// Slots of the largest frame.
    pub slots: u32,
}

impl Program {
    /// Slots of the largest frame, as far as operands name them.
    pub fn slots(&self) -> u32 {
        let highest = self.words[..self.code_words].iter().map(|word| {
            let (a, b, d) = lathe_vm::isa::Instruction::decode(*word).slots();
            a.max(b).max(d)
        });
        highest.max().map_or(0, |slot| u32::from(slot) + 1)
    }
}

/// Why there is no code page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// Code and constants exceed a page.
    #[error("the code needs {words} words, a code page holds {limit}", limit = lathe_vm::isa::MAX_PAGE)]
    TooLong {
        /// At least so many.
        words: usize,
    },
    /// Too much is alive at once.
    #[error("function `{function}` keeps more values at a time than a frame has slots")]
    FrameTooLarge {
        /// Its name.
        function: String,
    },
    /// There is nothing to compile.
    #[error("the module has no function with a block to begin with")]
    Empty,
}

/// Compiles a module.
///
/// # Errors
/// If it is empty, or exceeds what a page or a frame holds.
pub fn generate(module: &mir::Module, options: &Options) -> Result<Program, BackendError> {
    if module.functions.is_empty() || module.functions.iter().any(|f| f.blocks.is_empty()) {
        return Err(BackendError::Empty);
    }
    refuse_giants(module)?;
    let results: Vec<u32> = module.functions.iter().map(|f| f.results).collect();
    let effects = prepare::effects(module);
    let recursive = module.functions.iter().any(|f| calls(f, 0));
    let mut pool = machine::Pool::default();
    let mut functions = Vec::with_capacity(module.functions.len());
    let mut slots = 0;
    for (i, f) in module.functions.iter().enumerate() {
        let mut machine = function(f, i == 0 && !recursive, &results, &effects, &mut pool, options)?;
        slots = slots.max(machine.slots);
        let order = layout::layout(&mut machine, options.optimise, options.optimise_size);
        functions.push((machine, order));
    }
    let program = page::assemble(&functions, &module.data)?;
    Ok(Program { slots, ..program })
}

/// Spares the passes a module that cannot fit, however well it is compiled.
fn refuse_giants(module: &mir::Module) -> Result<(), BackendError> {
    const SURELY: usize = 4 * lathe_vm::isa::MAX_PAGE;
    let blocks = module.functions.iter().flat_map(|f| &f.blocks);
    let words = blocks.map(|b| 1 + b.instructions.len()).sum();
    if words > SURELY { Err(BackendError::TooLong { words }) } else { Ok(()) }
}

/// True if the function calls the one of this number.
fn calls(f: &mir::Function, callee: mir::FunctionId) -> bool {
    let mut instructions = f.blocks.iter().flat_map(|b| &b.instructions);
    instructions.any(|i| matches!(i.op, mir::Op::Call(to, _) if to == callee))
}

fn function(
    f: &mir::Function,
    is_entry: bool,
    results: &[u32],
    effects: &[prepare::Effects],
    pool: &mut machine::Pool,
    options: &Options,
) -> Result<machine::Function, BackendError> {
    let mut prepared = std::borrow::Cow::Borrowed(f);
    if options.optimise {
        prepare::prepare(prepared.to_mut(), effects);
    }
    let mut code = select::select(&prepared, is_entry, results);
    constants::remove_dead(&mut code);
    // Equal blocks may merge yet, but not so many; what comes now takes time for code of any length.
    let words = code.least_words();
    if words > 2 * MAX_PAGE {
        return Err(BackendError::TooLong { words });
    }
    let cfg = graph(&code);
    constants::place(&mut code, &cfg);
    let slots = allocate::allocate(&code, &cfg, options.optimise)?;
    Ok(machine::lower(&code, &cfg, &slots, pool, options.optimise_size))
}

fn graph(f: &lir::Function) -> cfg::Cfg {
    let succs: Vec<Vec<usize>> = f.blocks.iter().map(|b| b.term.targets().collect()).collect();
    let fails: Vec<bool> = f
        .blocks
        .iter()
        .map(|b| matches!(b.term, lir::Term::End(op::REVERT, ..) | lir::Term::Invalid))
        .collect();
    cfg::Cfg::new(&succs, &fails)
}
