//! Words back to assembler text. Assembling the text gives exactly the same page; what has no text form,
//! constants and padding included, comes out as `.word`.
use crate::isa::{Class, Instruction, JUMP_BIAS, Operand, PAGE_UNIT, Status, find, op};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The text of a page's words, whose number should be a multiple of twelve, as a page's is.
pub fn disassemble(words: &[u64]) -> String {
    debug_assert!(words.len().is_multiple_of(PAGE_UNIT));
    let parsed: Vec<Option<Text>> =
        words.iter().enumerate().map(|(pc, w)| text(*w, pc, words.len())).collect();
    let targets: BTreeSet<usize> = parsed.iter().flatten().filter_map(|t| t.target).collect();
    let mut out = String::new();
    for (pc, (word, line)) in words.iter().zip(&parsed).enumerate() {
        if targets.contains(&pc) {
            let _ = writeln!(out, "L{pc}:");
        }
        let _ = match line {
            Some(t) => writeln!(out, "        {}", t.line),
            None => writeln!(out, "        .word 0x{word:016x}"),
        };
    }
    out
}

/// One instruction as text, for messages; invalid words come out as `.word`.
pub fn instruction(word: u64, pc: usize, page_len: usize) -> String {
    text(word, pc, page_len).map_or_else(|| format!(".word 0x{word:016x}"), |t| t.line)
}

struct Text {
    line: String,
    target: Option<usize>,
}

/// The text form, if there is one that assembles to this very word.
fn text(word: u64, pc: usize, page_len: usize) -> Option<Text> {
    let i = Instruction::decode(word);
    let row = find(i.opcode).filter(|o| o.status != Status::Reserved || !o.form.is_empty())?;
    if i.opcode == op::BITS && (i.b > 255 || !(1..=256).contains(&i.imm)) {
        return None;
    }
    let mut canonical = Instruction { opcode: i.opcode, ..Instruction::default() };
    let mut target = None;
    let mut parts = Vec::with_capacity(row.form.len());
    for operand in row.form {
        parts.push(match operand {
            Operand::D => slot(&mut canonical.d, i.d),
            Operand::A => slot(&mut canonical.a, i.a),
            Operand::B => slot(&mut canonical.b, i.b),
            Operand::T if row.class() == Class::I => {
                (canonical.a, canonical.b) = (i.a, i.b);
                i.t().to_string()
            }
            Operand::T | Operand::Small => number(&mut canonical.b, i.b),
            Operand::Constant => number(&mut canonical.a, i.a),
            Operand::Imm | Operand::OptImm => number(&mut canonical.imm, i.imm),
            Operand::Forward => {
                canonical.imm = i.imm;
                target = Some(pc + 1 + usize::from(i.imm)).filter(|t| *t < page_len);
                format!("L{}", target?)
            }
            Operand::Target => {
                canonical.d = i.d;
                let to = usize::try_from(pc as i64 + 1 + i64::from(i.d) - JUMP_BIAS).ok()?;
                target = Some(to).filter(|t| *t < page_len);
                format!("L{}", target?)
            }
        });
    }
    let line = format!("{} {}", row.name, parts.join(", ")).trim_end().to_string();
    (canonical == i).then_some(Text { line, target })
}

fn slot(field: &mut u16, value: u16) -> String {
    *field = value;
    format!("[{value}]")
}

fn number(field: &mut u16, value: u16) -> String {
    *field = value;
    value.to_string()
}
