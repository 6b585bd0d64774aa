//! LLVM's optimiser, without a target: its model of an x86 knows nothing of 256-bit words.
use super::Fault;
use inkwell::module::Module;
use llvm_sys::error::{LLVMDisposeErrorMessage, LLVMGetErrorMessage};
use llvm_sys::transforms::pass_builder::{
    LLVMCreatePassBuilderOptions, LLVMDisposePassBuilderOptions, LLVMPassBuilderOptionsSetInlinerThreshold,
    LLVMPassBuilderOptionsSetLoopUnrolling, LLVMPassBuilderOptionsSetLoopVectorization,
    LLVMPassBuilderOptionsSetMergeFunctions, LLVMPassBuilderOptionsSetSLPVectorization, LLVMRunPasses,
};
use std::ffi::{CStr, CString};
use std::ptr;

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

/// Runs the pipeline of `level` over `module`.
pub(super) fn optimise(module: &Module<'_>, level: Level) -> Result<(), Fault> {
    let passes = CString::new(level.passes()).map_err(|e| Fault::Llvm(e.to_string()))?;
    // SAFETY: the options are made, used and disposed of here; the module outlives the call; no target machine is
    // given, which LLVM allows; an error is a message that this code owns and frees.
    unsafe {
        let options = LLVMCreatePassBuilderOptions();
        LLVMPassBuilderOptionsSetLoopVectorization(options, 0);
        LLVMPassBuilderOptionsSetSLPVectorization(options, 0);
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
