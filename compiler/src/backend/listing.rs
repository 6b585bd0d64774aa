//! A program as text, for people and for tests that keep an eye on the code.
use super::Program;
use lathe_vm::disasm;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Assembler text with the names of functions in comments; constants as `.word` lines with their values.
pub fn listing(program: &Program) -> String {
    let targets: BTreeSet<usize> = program.targets.iter().flatten().copied().collect();
    let mut names: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (name, pc) in &program.functions {
        names.entry(*pc).or_default().push(name);
    }
    let mut out = String::new();
    let code = program.words.iter().take(program.code_words);
    for (pc, word) in code.enumerate() {
        for name in names.get(&pc).into_iter().flatten() {
            let _ = writeln!(out, "; {name}");
        }
        if targets.contains(&pc) {
            let _ = writeln!(out, "L{pc}:");
        }
        let _ = writeln!(out, "  {}", disasm::instruction(*word, pc, program.words.len()));
    }
    let first = program.code_words.div_ceil(4);
    for (i, w) in program.words.chunks(4).enumerate().skip(first) {
        let _ = writeln!(out, "; constant {i}");
        let limb = |k: usize| w.get(k).copied().unwrap_or(0);
        let _ = writeln!(out, "  0x{:016x}{:016x}{:016x}{:016x}", limb(3), limb(2), limb(1), limb(0));
    }
    out
}
