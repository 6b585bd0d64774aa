//! One statement to its word, by the operand forms of the opcode table.
use super::lexer::{Arg, Line, Token};
use super::{AsmError, Names, Place};
use crate::isa::{Class, FIELD_LIMIT, IMM_LIMIT, Instruction, JUMP_BIAS, OPS, Op, Operand, Status, op};
use crate::word::Word;

/// Shorthand: written name, real name, operand put in as the second.
const SHORTHANDS: [(&str, &str); 2] = [("jz", "jeqi"), ("jnz", "jnei")];

/// The word of a line; `None` for labels and definitions.
pub(super) fn statement(line: &Line, pc: usize, names: &Names) -> Result<Option<u64>, AsmError> {
    let Some((head, place)) = &line.head else { return Ok(None) };
    if head == ".word" {
        let value = line.number(0, names)?;
        line.end(1)?;
        return match value.hi == 0 && value.lo <= u128::from(u64::MAX) {
            true => Ok(Some(value.lo as u64)),
            false => Err(AsmError::new(
                line.args[0].place,
                "the number needs more than 64 bits; expected one word",
            )),
        };
    }
    if head.starts_with('.') {
        return Ok(None);
    }
    let mut args: Vec<Arg> = line.args.clone();
    let mut name = head.as_str();
    if let Some((_, real)) = SHORTHANDS.iter().find(|(short, _)| *short == name) {
        name = real;
        args.insert(args.len().min(1), Arg { token: Token::Number(Word::ZERO), place: *place });
    }
    let row = OPS
        .iter()
        .find(|o| o.name == name && (o.status != Status::Reserved || !o.form.is_empty()))
        .ok_or_else(|| unknown(name, *place))?;
    let fixed = row.form.iter().filter(|o| **o != Operand::OptImm).count();
    if args.len() < fixed || args.len() > row.form.len() {
        let shown: Vec<&str> = row.form.iter().map(|o| describe(*o)).collect();
        return Err(AsmError::new(
            args.get(row.form.len()).map_or(line.tail, |a| a.place),
            format!(
                "`{head}` has {} operands here, expected {}: {}",
                args.len(),
                row.form.len(),
                shown.join(", ")
            ),
        ));
    }
    let mut i = Instruction { opcode: row.opcode, ..Instruction::default() };
    for (operand, arg) in row.form.iter().zip(&args) {
        place_operand(&mut i, row, *operand, arg, pc, names)?;
    }
    Ok(Some(i.encode()))
}

fn unknown(name: &str, place: Place) -> AsmError {
    match OPS.iter().any(|o| o.name == name) {
        true => AsmError::new(place, format!("`{name}` is reserved and cannot be proven yet")),
        false => AsmError::new(place, format!("`{name}`: expected an instruction of docs/isa.md")),
    }
}

fn describe(operand: Operand) -> &'static str {
    match operand {
        Operand::D => "slot d",
        Operand::A => "slot a",
        Operand::B => "slot b",
        Operand::T => "number",
        Operand::Constant => "constant",
        Operand::Small => "number below 16384",
        Operand::Target | Operand::Forward => "label",
        Operand::Imm => "number below 4096",
        Operand::OptImm => "number below 4096 (or nothing)",
    }
}

fn place_operand(
    i: &mut Instruction,
    row: &Op,
    operand: Operand,
    arg: &Arg,
    pc: usize,
    names: &Names,
) -> Result<(), AsmError> {
    match operand {
        Operand::D => i.d = slot(arg, names)?,
        Operand::A => i.a = slot(arg, names)?,
        Operand::B => i.b = slot(arg, names)?,
        Operand::T if row.class() == Class::I => {
            let t = number(arg, names, FIELD_LIMIT * FIELD_LIMIT)?;
            i.a = (t % FIELD_LIMIT) as u16;
            i.b = (t / FIELD_LIMIT) as u16;
        }
        Operand::T | Operand::Small => i.b = number(arg, names, FIELD_LIMIT)? as u16,
        Operand::Constant => i.a = constant(arg, names)?,
        Operand::Imm | Operand::OptImm => i.imm = number(arg, names, IMM_LIMIT)? as u16,
        Operand::Target => i.d = target(arg, pc, names)?,
        Operand::Forward => i.imm = forward(arg, pc, names)?,
    }
    if row.opcode == op::BITS
        && (operand == Operand::T && i.b > 255 || operand == Operand::Imm && !bits_count(i.imm))
    {
        return Err(AsmError::new(arg.place, "`bits` takes a start in 0..255 and a count in 1..256"));
    }
    Ok(())
}

fn bits_count(imm: u16) -> bool {
    (1..=256).contains(&imm)
}

fn slot(arg: &Arg, names: &Names) -> Result<u16, AsmError> {
    let name = match &arg.token {
        Token::Slot(inner) => match &**inner {
            Token::Name(name) => name,
            Token::Number(n) if n.hi == 0 && n.lo < u128::from(FIELD_LIMIT) => return Ok(n.lo as u16),
            _ => return Err(AsmError::new(arg.place, "slot beyond 16383; expected 0..16383")),
        },
        Token::Name(name) => name,
        Token::Number(_) => {
            let message = format!("found {}, expected a slot: [number] or a name from .slot", arg.token);
            return Err(AsmError::new(arg.place, message));
        }
    };
    let found = names.slots.get(name).map(|s| *s as u16);
    found.ok_or_else(|| AsmError::new(arg.place, format!("`{name}` is no slot; define it with .slot")))
}

fn number(arg: &Arg, names: &Names, limit: u64) -> Result<u64, AsmError> {
    let value =
        match &arg.token {
            Token::Number(n) => *n,
            Token::Name(name) => names.numbers.get(name).copied().ok_or_else(|| {
                AsmError::new(arg.place, format!("`{name}` is no number; define it with .equ"))
            })?,
            Token::Slot(_) => {
                return Err(AsmError::new(arg.place, format!("found {}, expected a number", arg.token)));
            }
        };
    match value.hi == 0 && value.lo < u128::from(limit) {
        true => Ok(value.lo as u64),
        false => Err(AsmError::new(arg.place, format!("found {}, expected one below {limit}", arg.token))),
    }
}

fn constant(arg: &Arg, names: &Names) -> Result<u16, AsmError> {
    let index = match &arg.token {
        Token::Name(name) => {
            let found = names.constants.get(name).map(|i| names.first_constant + i);
            let fault =
                || AsmError::new(arg.place, format!("`{name}` is no constant; define it with .const"));
            found.ok_or_else(fault)? as u64
        }
        _ => number(arg, names, FIELD_LIMIT)?,
    };
    u16::try_from(index)
        .ok()
        .filter(|i| u64::from(*i) < FIELD_LIMIT)
        .ok_or_else(|| AsmError::new(arg.place, "constant beyond the page"))
}

fn target(arg: &Arg, pc: usize, names: &Names) -> Result<u16, AsmError> {
    let distance = distance(arg, pc, names)?;
    let field = u16::try_from(distance - 1 + JUMP_BIAS).ok().filter(|f| u64::from(*f) < FIELD_LIMIT);
    let message = || format!("{} is {distance} words away, a jump reaches 8191 back and 8192 on", arg.token);
    field.ok_or_else(|| AsmError::new(arg.place, message()))
}

fn forward(arg: &Arg, pc: usize, names: &Names) -> Result<u16, AsmError> {
    let distance = distance(arg, pc, names)?;
    let field = u16::try_from(distance - 1).ok().filter(|f| u64::from(*f) < IMM_LIMIT);
    let message = || format!("{} is {distance} words away, an overflow jump reaches 1 to 4096 on", arg.token);
    field.ok_or_else(|| AsmError::new(arg.place, message()))
}

/// Words from the instruction at `pc` to a label.
fn distance(arg: &Arg, pc: usize, names: &Names) -> Result<i64, AsmError> {
    let Token::Name(name) = &arg.token else {
        return Err(AsmError::new(arg.place, format!("found {}, expected a label", arg.token)));
    };
    let fault = || AsmError::new(arg.place, format!("label `{name}` is not defined"));
    Ok(*names.labels.get(name).ok_or_else(fault)? as i64 - pc as i64)
}
