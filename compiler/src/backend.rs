//! From [`crate::mir`] to a code page: selection, slots, layout, encoding.
use crate::diagnostic::Loc;
use crate::mir;

/// How to generate.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Small code first.
    pub optimise_size: bool,
    /// All passes.
    pub optimise: bool,
}

/// A generated page.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Code, constants, data.
    pub words: Vec<u64>,
    /// Instructions.
    pub code_words: usize,
    /// One place per instruction.
    pub locs: Vec<Option<Loc>>,
    /// Library and page constant.
    pub libraries: Vec<(u32, usize)>,
    /// Slots of the largest frame.
    pub slots: u32,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// More words than a page holds.
    #[error("the code has {words} words, more than a page holds")]
    TooLong {
        /// How many.
        words: usize,
    },
}

/// Generates a page.
pub fn generate(_module: &mir::Module, _options: &Options) -> Result<Program, BackendError> {
    Err(BackendError::TooLong { words: usize::MAX })
}

/// Disassembly.
pub fn listing(_program: &Program) -> String {
    String::new()
}
