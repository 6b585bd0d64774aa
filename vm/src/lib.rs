//! The zkEVM: instruction set, assembler, machine, state tree, kernel program and batch replay.
