//! One PTX instruction to one or a few of ours: arithmetic, moves, control.
//! Every modifier must be understood; a form that is not known here is an error that names it.

use super::code::*;
use super::decode::Decoder;
use super::parse::{Operand, type_bits};

/// A type of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Type {
    pub signed: bool,
    pub bits: u32,
}

/// An integer, bit or predicate type by name.
pub fn integer_type(name: &str) -> Option<Type> {
    if name.starts_with('f') {
        return None;
    }
    Some(Type { signed: name.starts_with('s'), bits: type_bits(name)? })
}

/// Nothing, or what is not supported.
pub type Lowered = Result<(), String>;

/// By carry in and carry out: the plain operation, `.cc`, `c`, `c.cc`.
type CarryForms = [Op; 4];

const ADD32: CarryForms = [Op::Add32, Op::AddCc32, Op::AddC32, Op::AddCCc32];
const ADD64: CarryForms = [Op::Add64, Op::AddCc64, Op::AddC64, Op::AddCCc64];
const SUB32: CarryForms = [Op::Sub32, Op::SubCc32, Op::SubC32, Op::SubCCc32];
const SUB64: CarryForms = [Op::Sub64, Op::SubCc64, Op::SubC64, Op::SubCCc64];
const MAD_LO32: CarryForms = [Op::MadLo32, Op::MadLoCc32, Op::MadLoC32, Op::MadLoCCc32];
const MAD_LO64: CarryForms = [Op::MadLo64, Op::MadLoCc64, Op::MadLoC64, Op::MadLoCCc64];
const MAD_HI32: CarryForms = [Op::MadHiU32, Op::MadHiCc32, Op::MadHiC32, Op::MadHiCCc32];
const MAD_HI64: CarryForms = [Op::MadHiU64, Op::MadHiCc64, Op::MadHiC64, Op::MadHiCCc64];

impl Decoder<'_> {
    /// Lowers an instruction. `guard` is given for `bra` alone; the caller has dealt with all other guards.
    pub fn lower(&mut self, parts: &[String], operands: &[Operand], guard: Option<(u32, bool)>) -> Lowered {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (base, mods) = (parts[0], &parts[1..]);
        let known = match base {
            "add" | "addc" | "sub" | "subc" | "mul" | "mad" | "madc" => self.arithmetic(base, mods, operands),
            "div" | "rem" | "min" | "max" | "neg" | "abs" => self.plain_arithmetic(base, mods, operands),
            "and" | "or" | "xor" | "not" | "shl" | "shr" | "shf" | "lop3" => {
                self.bitwise(base, mods, operands)
            }
            "popc" | "clz" | "brev" | "bfind" | "bfe" | "bfi" | "prmt" => {
                self.bit_fields(base, mods, operands)
            }
            "setp" | "selp" => self.predicate(base, mods, operands),
            "mov" | "cvt" | "cvta" => self.moves(base, mods, operands),
            "bra" | "brx" | "call" | "ret" | "exit" | "trap" => self.control(base, mods, operands, guard),
            "ld" | "ldu" | "st" | "atom" | "red" | "membar" | "fence" | "prefetch" => {
                self.memory(base, mods, operands)
            }
            "bar" | "barrier" | "shfl" | "vote" | "activemask" | "match" | "redux" => {
                self.exchange(base, mods, operands)
            }
            _ => Err("no such instruction is known to this interpreter".into()),
        };
        known.map_err(|what| format!("`{}`: {what}", parts.join(".")))
    }

    /// The type that ends the modifiers.
    pub fn last_type<'m>(&self, mods: &'m [&'m str]) -> Result<(Type, &'m [&'m str]), String> {
        let (last, rest) = mods.split_last().ok_or("a type is missing")?;
        let ty = integer_type(last).ok_or(format!("type `.{last}` is not supported"))?;
        Ok((ty, rest))
    }

    pub fn sources<const N: usize>(
        &mut self,
        operands: &[Operand],
        bits: [u32; N],
    ) -> Result<[u32; N], String> {
        if operands.len() != N {
            return Err(format!("{N} source operands expected, {} found", operands.len()));
        }
        let mut out = [0; N];
        for at in 0..N {
            out[at] = self.source(&operands[at], bits[at])?;
        }
        Ok(out)
    }

    /// Cuts what was written to 16 bits.
    pub fn cut16(&mut self, d: u32) {
        let mask = self.constant(0xffff);
        self.emit(Op::And, d, d, mask, 0);
    }

    /// A copy of a slot with its low `from` bits sign-extended to 64.
    pub fn extended(&mut self, a: u32, from: u32) -> u32 {
        let d = self.slots(1);
        self.emit(Op::Sext, d, a, from, 64);
        d
    }

    fn carry_form(&mut self, forms: CarryForms, reads: bool, writes: bool) -> Result<Op, String> {
        if reads && !self.carry {
            return Err("reads the carry flag, which nothing before it in this straight line writes".into());
        }
        self.carry |= writes;
        Ok(forms[usize::from(reads) * 2 + usize::from(writes)])
    }

    fn arithmetic(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        let (ty, rest) = self.last_type(mods)?;
        let (name, reads) = match base {
            "addc" | "subc" | "madc" => (&base[..3], true),
            _ => (base, false),
        };
        let (half, rest) = match rest {
            [half @ ("lo" | "hi" | "wide"), rest @ ..] => (*half, rest),
            _ => ("", rest),
        };
        let writes = match rest {
            [] => false,
            ["cc"] => true,
            _ => return Err(format!("modifiers {rest:?} are not supported")),
        };
        let (d, _) = self.target(operands.first().ok_or("operands are missing")?)?;
        let carries = reads || writes;
        if ty.bits == 16 && !carries && half != "hi" {
            return self.arithmetic16(name, half, ty, d, &operands[1..]);
        }
        let wide = ty.bits == 64;
        if !matches!(ty.bits, 32 | 64) {
            return Err("type of this width is not supported".into());
        }
        let forms = match (name, half, wide) {
            ("add", "", false) => ADD32,
            ("add", "", true) => ADD64,
            ("sub", "", false) => SUB32,
            ("sub", "", true) => SUB64,
            ("mad", "lo", false) => MAD_LO32,
            ("mad", "lo", true) => MAD_LO64,
            ("mad", "hi", false) if !ty.signed => MAD_HI32,
            ("mad", "hi", true) if !ty.signed => MAD_HI64,
            ("mad", "hi", false) if !carries => [Op::MadHiS32; 4],
            ("mad", "wide", false) if !carries && ty.signed => [Op::MadWideS32; 4],
            ("mad", "wide", false) if !carries => [Op::MadWideU32; 4],
            ("mul", "lo", false) => [Op::MulLo32; 4],
            ("mul", "lo", true) => [Op::MulLo64; 4],
            ("mul", "hi", false) => [if ty.signed { Op::MulHiS32 } else { Op::MulHiU32 }; 4],
            ("mul", "hi", true) => [if ty.signed { Op::MulHiS64 } else { Op::MulHiU64 }; 4],
            ("mul", "wide", false) => [if ty.signed { Op::MulWideS32 } else { Op::MulWideU32 }; 4],
            _ => return Err("form is not supported".into()),
        };
        if name == "mul" && carries {
            return Err("multiplication without addition has no carry".into());
        }
        let op = self.carry_form(forms, reads, writes)?;
        if name == "mad" {
            let third = if half == "wide" { 64 } else { ty.bits };
            let [a, b, c] = self.sources(&operands[1..], [ty.bits, ty.bits, third])?;
            self.emit(op, d, a, b, c);
        } else {
            let [a, b] = self.sources(&operands[1..], [ty.bits; 2])?;
            self.emit(op, d, a, b, 0);
        }
        Ok(())
    }

    fn arithmetic16(&mut self, name: &str, half: &str, ty: Type, d: u32, operands: &[Operand]) -> Lowered {
        match (name, half) {
            ("add" | "sub", "") => {
                let [a, b] = self.sources(operands, [16; 2])?;
                self.emit(if name == "add" { Op::Add32 } else { Op::Sub32 }, d, a, b, 0);
                self.cut16(d);
            }
            ("mul", "lo") => {
                let [a, b] = self.sources(operands, [16; 2])?;
                self.emit(Op::MulLo32, d, a, b, 0);
                self.cut16(d);
            }
            ("mad", "lo") => {
                let [a, b, c] = self.sources(operands, [16; 3])?;
                self.emit(Op::MadLo32, d, a, b, c);
                self.cut16(d);
            }
            ("mul", "wide") => {
                let [mut a, mut b] = self.sources(operands, [16; 2])?;
                if ty.signed {
                    a = self.extended(a, 16);
                    b = self.extended(b, 16);
                }
                self.emit(Op::MulLo32, d, a, b, 0);
            }
            _ => return Err("form is not supported".into()),
        }
        Ok(())
    }

    fn plain_arithmetic(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        let (ty, rest) = self.last_type(mods)?;
        if !rest.is_empty() || !matches!(ty.bits, 16 | 32 | 64) {
            return Err("form is not supported".into());
        }
        let (d, _) = self.target(operands.first().ok_or("operands are missing")?)?;
        let wide = ty.bits == 64;
        if matches!(base, "neg" | "abs") {
            let [mut a] = self.sources(&operands[1..], [ty.bits])?;
            if ty.bits == 16 {
                a = self.extended(a, 16);
            }
            let zero = self.constant(0);
            let negated = if base == "neg" { d } else { self.slots(1) };
            self.emit(if wide { Op::Sub64 } else { Op::Sub32 }, negated, zero, a, 0);
            if base == "abs" {
                self.emit(if wide { Op::MaxS64 } else { Op::MaxS32 }, d, a, negated, 0);
            }
        } else {
            let [mut a, mut b] = self.sources(&operands[1..], [ty.bits; 2])?;
            if ty.bits == 16 && ty.signed {
                a = self.extended(a, 16);
                b = self.extended(b, 16);
            }
            let op = match (base, ty.signed, wide) {
                ("div", false, _) => Op::DivU,
                ("rem", false, _) => Op::RemU,
                ("min", false, _) => Op::MinU,
                ("max", false, _) => Op::MaxU,
                ("div", true, false) => Op::DivS32,
                ("rem", true, false) => Op::RemS32,
                ("min", true, false) => Op::MinS32,
                ("max", true, false) => Op::MaxS32,
                ("div", true, true) => Op::DivS64,
                ("rem", true, true) => Op::RemS64,
                ("min", true, true) => Op::MinS64,
                _ => Op::MaxS64,
            };
            self.emit(op, d, a, b, 0);
        }
        if ty.bits == 16 {
            self.cut16(d);
        }
        Ok(())
    }

    fn moves(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        let [target, from] = operands else { return Err("two operands expected".into()) };
        let (ty, rest) = self.last_type(mods)?;
        match (base, rest) {
            ("mov", []) => match (target, from) {
                (Operand::Vector(parts), _) => self.split(parts, from, ty.bits),
                (_, Operand::Vector(parts)) => self.join(target, parts, ty.bits),
                _ => {
                    let a = self.source(from, ty.bits)?;
                    let (d, _) = self.target(target)?;
                    self.emit(Op::Mov, d, a, 0, 0);
                    Ok(())
                }
            },
            ("cvt", [to]) => {
                let to = integer_type(to).ok_or(format!("type `.{to}` is not supported"))?;
                self.convert(target, from, to, ty)
            }
            ("cvta", [rest @ .., space]) => {
                let into_generic = rest.is_empty();
                if !into_generic && rest != ["to"] {
                    return Err(format!("modifiers {rest:?} are not supported"));
                }
                let a = self.source(from, ty.bits)?;
                let (d, _) = self.target(target)?;
                let window = match *space {
                    "global" | "const" | "param" => 0,
                    "shared" | "shared::cta" => SHARED_WINDOW << WINDOW_BITS,
                    "local" => LOCAL_WINDOW << WINDOW_BITS,
                    other => return Err(format!("space `{other}` is not supported")),
                };
                let b = self.constant(window);
                self.emit(if into_generic { Op::Add64 } else { Op::Sub64 }, d, a, b, 0);
                Ok(())
            }
            _ => Err(format!("modifiers {rest:?} are not supported")),
        }
    }

    fn split(&mut self, parts: &[Operand], from: &Operand, bits: u32) -> Lowered {
        let a = self.source(from, bits)?;
        let mut slots = Vec::new();
        for part in parts {
            slots.push(self.target(part)?.0);
        }
        match (bits, slots.len()) {
            (64, 2) => self.emit(Op::Split, slots[0], a, slots[1], 0),
            (32, 2) | (64, 4) => {
                let first = self.program.lists.len() as u32;
                self.program.lists.extend(&slots);
                self.emit(Op::Split16, 0, a, first, slots.len() as u32);
            }
            _ => return Err("a vector of this shape is not supported".into()),
        }
        Ok(())
    }

    fn join(&mut self, target: &Operand, parts: &[Operand], bits: u32) -> Lowered {
        let mut slots = Vec::new();
        for part in parts {
            slots.push(self.source(part, bits / parts.len() as u32)?);
        }
        let (d, _) = self.target(target)?;
        match (bits, slots.len()) {
            (64, 2) => self.emit(Op::Join, d, slots[0], slots[1], 0),
            (32, 2) | (64, 4) => {
                let first = self.program.lists.len() as u32;
                self.program.lists.extend(&slots);
                self.emit(Op::Join16, d, 0, first, slots.len() as u32);
            }
            _ => return Err("a vector of this shape is not supported".into()),
        }
        Ok(())
    }

    /// `cvt.to.from`: the low bits of the source, extended by the source's sign, cut to the target's type, and extended
    /// by the target's sign to its register.
    fn convert(&mut self, target: &Operand, from: &Operand, to: Type, ty: Type) -> Lowered {
        let a = self.source(from, ty.bits)?;
        let (d, register) = self.target(target)?;
        let kept = to.bits.min(ty.bits);
        let signed = if to.bits > ty.bits { ty.signed } else { to.signed };
        if signed {
            let width = if to.bits > ty.bits && !to.signed { to.bits } else { register.max(to.bits) };
            self.emit(Op::Sext, d, a, kept, width);
        } else {
            let mask = self.constant(super::decode::cut(u64::MAX, kept));
            self.emit(Op::And, d, a, mask, 0);
        }
        Ok(())
    }

    fn control(
        &mut self,
        base: &str,
        mods: &[&str],
        operands: &[Operand],
        guard: Option<(u32, bool)>,
    ) -> Lowered {
        if !matches!(mods, [] | ["uni"] | ["idx"] | ["idx", "uni"]) {
            return Err(format!("modifiers {mods:?} are not supported"));
        }
        match (base, operands) {
            ("bra", [Operand::Name(label, 0)]) => {
                match guard {
                    None => self.branch(Op::Bra, 0, label),
                    Some((slot, true)) => self.branch(Op::BraUnless, slot, label),
                    Some((slot, false)) => self.branch(Op::BraIf, slot, label),
                }
                Ok(())
            }
            ("brx", [index, Operand::Name(table, 0)]) => {
                let a = self.source(index, 32)?;
                self.branch_index(a, table)
            }
            ("call", [Operand::List(results), Operand::Name(name, 0), Operand::List(arguments)]) => {
                self.carry = false;
                self.call(results, name, arguments)
            }
            ("call", [Operand::List(results), Operand::Name(name, 0)]) => {
                self.carry = false;
                self.call(results, name, &[])
            }
            ("call", [Operand::Name(name, 0), Operand::List(arguments)]) => {
                self.carry = false;
                self.call(&[], name, arguments)
            }
            ("call", [Operand::Name(name, 0)]) => {
                self.carry = false;
                self.call(&[], name, &[])
            }
            ("ret", []) => {
                self.emit(Op::Ret, 0, 0, 0, 0);
                Ok(())
            }
            ("exit", []) => {
                self.emit(Op::Exit, 0, 0, 0, 0);
                Ok(())
            }
            ("trap", []) => {
                self.emit(Op::Trap, 0, 0, 0, 0);
                Ok(())
            }
            _ => Err(format!("operands {operands:?} are not understood")),
        }
    }
}
