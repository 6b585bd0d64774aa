//! Small hand-written kernels for the interpreter's own tests: the text around a body, and one launch of it.
//! Every kernel is `k(.u64 out, .u64 in, .u32 n)`, with `%rd0` = out, `%rd1` = in, `%r0` = n already loaded.

use super::Interpreter;
use lathe_kernels::KernelError;
use lathe_kernels::cuda::{Arg, Device, Stream};

/// A PTX text with one kernel of this body, after `before` at the module's level.
pub fn text_with(before: &str, body: &str) -> String {
    format!(
        ".version 8.0\n.target sm_80\n.address_size 64\n{before}\n\
         .visible .entry k(.param .u64 k_param_0, .param .u64 k_param_1, .param .u32 k_param_2)\n{{\n\
         .reg .pred %p<40>; .reg .b16 %rs<40>; .reg .b32 %r<400>; .reg .b64 %rd<400>;\n\
         ld.param.u64 %rd0, [k_param_0]; ld.param.u64 %rd1, [k_param_1]; ld.param.u32 %r0, [k_param_2];\n\
         cvta.to.global.u64 %rd0, %rd0; cvta.to.global.u64 %rd1, %rd1; mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x;\n\
         {body}\nret;\n}}\n"
    )
}

/// As [`text_with`], with nothing before.
pub fn text(body: &str) -> String {
    text_with("", body)
}

/// A launch of `k`.
pub struct Launch {
    pub grid: u32,
    pub block: u32,
    pub shared: u32,
}

/// One thread.
pub const ONE: Launch = Launch { grid: 1, block: 1, shared: 0 };
/// One warp.
pub const WARP: Launch = Launch { grid: 1, block: 32, shared: 0 };

/// Loads a text, or panics with the loader's words.
pub fn load(text: &str) -> Interpreter {
    Interpreter::new(&[text]).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs `k` on `input`; the output, of `words` 64-bit words, is zero at the start.
pub fn run(text: &str, launch: &Launch, input: &[u64], words: usize) -> Result<Vec<u64>, KernelError> {
    let device = load(text);
    let (out, inp) = (device.alloc(words * 8)?, device.alloc(input.len().max(1) * 8)?);
    device.zero(Stream::Compute, &out, 0, words * 8)?;
    device.upload(Stream::Compute, &inp, 0, bytemuck::cast_slice(input))?;
    let args = [Arg::Buffer(&out), Arg::Buffer(&inp), Arg::U32(input.len() as u32)];
    device.launch(Stream::Compute, "k", launch.grid, launch.block, launch.shared, &args)?;
    let mut result = vec![0u64; words];
    device.download(Stream::Compute, &out, 0, bytemuck::cast_slice_mut(&mut result))?;
    Ok(result)
}

/// The message of a run that must fail.
pub fn fault(text: &str, launch: &Launch, input: &[u64], words: usize) -> String {
    match run(text, launch, input, words) {
        Err(KernelError::Device { what, reason, .. }) => format!("{what}: {reason}"),
        Err(other) => panic!("another kind of error: {other}"),
        Ok(result) => panic!("the run passed with {result:?}"),
    }
}
