//! LLVM's optimiser, without a target: its model of an x86 knows nothing of 256-bit words.
use super::Fault;
use inkwell::module::Module;
use llvm_sys::error::{LLVMDisposeErrorMessage, LLVMGetErrorMessage};
use llvm_sys::support::LLVMParseCommandLineOptions;
use llvm_sys::transforms::pass_builder::{
    LLVMCreatePassBuilderOptions, LLVMDisposePassBuilderOptions, LLVMPassBuilderOptionsSetInlinerThreshold,
    LLVMPassBuilderOptionsSetLoopUnrolling, LLVMPassBuilderOptionsSetMergeFunctions, LLVMRunPasses,
};
use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::Once;

/// How much LLVM does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Level {
    /// Variables become values; nothing else.
    O0,
    /// Little.
    O1,
    /// More.
    O2,
    /// Everything that makes the code faster.
    #[default]
    O3,
    /// Small code before fast code.
    Oz,
}

impl Level {
    /// LLVM's pipeline.
    fn passes(self) -> &'static str {
        match self {
            // The reader needs variables in SSA form and no unreachable blocks.
            Level::O0 => "function(sroa,simplifycfg)",
            Level::O1 => "default<O1>",
            Level::O2 => "default<O2>",
            Level::O3 => "default<O3>",
            Level::Oz => "default<Oz>",
        }
    }

    /// Up to which cost a function is inlined. A near call costs a few steps, a copied body only code.
    fn inline_threshold(self) -> i32 {
        match self {
            Level::O0 | Level::O1 => 50,
            Level::O2 | Level::O3 => 225,
            Level::Oz => 5,
        }
    }
}

/// Blocks of one function from which on jump threading and its like, whose time grows with the square, are left out.
const MANY_BLOCKS: u32 = 1500;
/// Blocks of one function from which on the time of everything else does.
const MOST_BLOCKS: u32 = 6000;
/// Blocks of all functions from which on a page hardly holds the code, while inlining may bring all into one function.
const MOST_BLOCKS_IN_ALL: u32 = 10_000;
/// Loops within loops from which on unswitching, whose time grows with the cube, is left out.
const DEEPEST_LOOP: usize = 24;

/// The level for a module that asks for `level`: for shapes that no contract has, less is enough.
fn affordable(module: &Module<'_>, deepest_loop: usize, level: Level) -> Level {
    let blocks = || module.get_functions().map(|f| f.count_basic_blocks());
    let (most, all) = (blocks().max().unwrap_or_default(), blocks().sum::<u32>());
    match level {
        _ if most > MOST_BLOCKS || all > MOST_BLOCKS_IN_ALL => Level::O0,
        Level::O2 | Level::O3 | Level::Oz if most > MANY_BLOCKS || deepest_loop > DEEPEST_LOOP => Level::O1,
        _ => level,
    }
}

/// Turns vectorisation off for good: `default<O3>` turns it on, whatever the options of the pipeline say.
fn without_vectors() {
    static ONCE: Once = Once::new();
    const ARGUMENTS: [&CStr; 3] = [c"lathec", c"-vectorize-slp=false", c"-vectorize-loops=false"];
    ONCE.call_once(|| {
        let arguments = ARGUMENTS.map(CStr::as_ptr);
        // SAFETY: as many strings as said, which live forever; LLVM knows the options, and is asked once.
        unsafe { LLVMParseCommandLineOptions(arguments.len() as i32, arguments.as_ptr(), c"".as_ptr()) }
    });
}

/// Runs the pipeline of `level` over `module`, whose loops nest `deepest_loop` deep.
pub(super) fn optimise(module: &Module<'_>, level: Level, deepest_loop: usize) -> Result<(), Fault> {
    let level = affordable(module, deepest_loop, level);
    without_vectors();
    let passes = CString::new(level.passes()).map_err(|e| Fault::Llvm(e.to_string()))?;
    // SAFETY: the options are made, used and disposed of here; the module outlives the call; no target machine is
    // given, which LLVM allows; an error is a message that this code owns and frees.
    unsafe {
        let options = LLVMCreatePassBuilderOptions();
        LLVMPassBuilderOptionsSetLoopUnrolling(options, i32::from(level == Level::O3));
        LLVMPassBuilderOptionsSetMergeFunctions(options, i32::from(level != Level::O0));
        LLVMPassBuilderOptionsSetInlinerThreshold(options, level.inline_threshold());
        let error = LLVMRunPasses(module.as_mut_ptr(), passes.as_ptr(), ptr::null_mut(), options);
        LLVMDisposePassBuilderOptions(options);
        if error.is_null() {
            return Ok(());
        }
        let message = LLVMGetErrorMessage(error);
        let text = CStr::from_ptr(message).to_string_lossy().into_owned();
        LLVMDisposeErrorMessage(message);
        Err(Fault::Llvm(text))
    }
}
