//! lathec: the compiler's program. All it does is in the library's [`lathe_compiler::cli`].
use std::process::ExitCode;

fn main() -> ExitCode {
    lathe_compiler::cli::main()
}
