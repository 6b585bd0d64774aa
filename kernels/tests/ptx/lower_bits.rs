//! Bitwise operations, shifts, bit fields, comparisons and selections to our instructions. A form that is not known here is
//! an error that names it.

use super::code::*;
use super::decode::Decoder;
use super::lower::Lowered;
use super::parse::Operand;

impl Decoder<'_> {
    pub fn bitwise(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        let (ty, rest) = self.last_type(mods)?;
        let (d, _) = self.target(operands.first().ok_or("operands are missing")?)?;
        let from = &operands[1..];
        if base == "shf" {
            let op = match (rest, ty.bits) {
                (["l", "clamp"], 32) => Op::ShfLClamp,
                (["l", "wrap"], 32) => Op::ShfLWrap,
                (["r", "clamp"], 32) => Op::ShfRClamp,
                (["r", "wrap"], 32) => Op::ShfRWrap,
                _ => return Err("form is not supported".into()),
            };
            let [a, b, c] = self.sources(from, [32; 3])?;
            self.emit(op, d, a, b, c);
            return Ok(());
        }
        if !rest.is_empty() {
            return Err(format!("modifiers {rest:?} are not supported"));
        }
        let wide = ty.bits == 64;
        match base {
            "and" | "or" | "xor" => {
                let [a, b] = self.sources(from, [ty.bits; 2])?;
                let op =
                    [Op::And, Op::Or, Op::Xor][["and", "or", "xor"].iter().position(|n| *n == base).unwrap()];
                self.emit(op, d, a, b, 0);
            }
            "not" => {
                let [a] = self.sources(from, [ty.bits])?;
                let op = if ty.bits == 1 {
                    Op::NotPred
                } else if wide {
                    Op::Not64
                } else {
                    Op::Not32
                };
                self.emit(op, d, a, 0, 0);
                if ty.bits == 16 {
                    self.cut16(d);
                }
            }
            "shl" | "shr" => {
                let [mut a, b] = self.sources(from, [ty.bits, 32])?;
                if base == "shr" && ty.signed && ty.bits == 16 {
                    a = self.extended(a, 16);
                }
                let op = match (base, ty.signed, wide) {
                    ("shl", _, false) => Op::Shl32,
                    ("shl", _, true) => Op::Shl64,
                    (_, false, false) => Op::ShrU32,
                    (_, false, true) => Op::ShrU64,
                    (_, true, false) => Op::ShrS32,
                    (_, true, true) => Op::ShrS64,
                };
                self.emit(op, d, a, b, 0);
                if ty.bits == 16 {
                    self.cut16(d);
                }
            }
            _ => {
                let [x, y, z, Operand::Number(table)] = from else {
                    return Err("its table must be a literal".into());
                };
                let [a, b, c] = self.sources(&[x.clone(), y.clone(), z.clone()], [32; 3])?;
                self.emit(Op::Lop3, d, a, b, c);
                self.emit(Op::Extra, *table as u32, 0, 0, 0);
            }
        }
        Ok(())
    }

    pub fn bit_fields(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        let (ty, rest) = self.last_type(mods)?;
        let wide = match ty.bits {
            32 => false,
            64 => true,
            _ => return Err("type of this width is not supported".into()),
        };
        let (d, _) = self.target(operands.first().ok_or("operands are missing")?)?;
        let from = &operands[1..];
        let shift_amount = base == "bfind" && rest == ["shiftamt"];
        if !rest.is_empty() && !shift_amount {
            return Err(format!("modifiers {rest:?} are not supported"));
        }
        match base {
            "popc" | "clz" | "brev" => {
                let [a] = self.sources(from, [ty.bits])?;
                let op = match (base, wide) {
                    ("popc", _) => Op::Popc,
                    ("clz", false) => Op::Clz32,
                    ("clz", true) => Op::Clz64,
                    (_, false) => Op::Brev32,
                    (_, true) => Op::Brev64,
                };
                self.emit(op, d, a, 0, 0);
            }
            "bfind" if !ty.signed => {
                let [a] = self.sources(from, [ty.bits])?;
                self.emit(Op::Bfind, d, a, ty.bits, u32::from(shift_amount));
            }
            "bfe" => {
                let [a, b, c] = self.sources(from, [ty.bits, 32, 32])?;
                let op = match (ty.signed, wide) {
                    (false, false) => Op::BfeU32,
                    (true, false) => Op::BfeS32,
                    (false, true) => Op::BfeU64,
                    (true, true) => Op::BfeS64,
                };
                self.emit(op, d, a, b, c);
            }
            "bfi" => {
                let [a, b, c, length] = self.sources(from, [ty.bits, ty.bits, 32, 32])?;
                self.emit(if wide { Op::Bfi64 } else { Op::Bfi32 }, d, a, b, c);
                self.emit(Op::Extra, length, 0, 0, 0);
            }
            "prmt" if !wide => {
                let [a, b, c] = self.sources(from, [32; 3])?;
                self.emit(Op::Prmt, d, a, b, c);
            }
            _ => return Err("form is not supported".into()),
        }
        Ok(())
    }

    pub fn predicate(&mut self, base: &str, mods: &[&str], operands: &[Operand]) -> Lowered {
        let (ty, rest) = self.last_type(mods)?;
        let target = operands.first().ok_or("operands are missing")?;
        if base == "selp" {
            let (d, _) = self.target(target)?;
            let [a, b, c] = self.sources(&operands[1..], [ty.bits, ty.bits, 1])?;
            if !rest.is_empty() {
                return Err(format!("modifiers {rest:?} are not supported"));
            }
            self.emit(Op::Select, d, a, b, c);
            return Ok(());
        }
        let (compare, combine) = match rest {
            [compare] => (*compare, None),
            [compare, combine @ ("and" | "or" | "xor")] => (*compare, Some(*combine)),
            _ => return Err(format!("modifiers {rest:?} are not supported")),
        };
        let (p, q) = match target {
            Operand::Pair(p, q) => (self.target(p)?.0, Some(self.target(q)?.0)),
            single => (self.target(single)?.0, None),
        };
        let sources = if combine.is_some() { 3 } else { 2 };
        if operands.len() != sources + 1 {
            return Err(format!("{sources} source operands expected"));
        }
        let [mut a, mut b] = self.sources(&operands[1..3], [ty.bits; 2])?;
        let third = match combine {
            Some(_) => Some(self.source(&operands[3], 1)?),
            None => None,
        };
        if ty.signed && ty.bits == 16 {
            a = self.extended(a, 16);
            b = self.extended(b, 16);
        }
        let (less, less_equal) = match (ty.signed, ty.bits) {
            (true, 64) => (Op::LtS64, Op::LeS64),
            (true, _) => (Op::LtS32, Op::LeS32),
            _ => (Op::LtU, Op::LeU),
        };
        let (op, swapped) = match compare {
            "eq" => (Op::Eq, false),
            "ne" => (Op::Ne, false),
            "lt" => (less, false),
            "le" => (less_equal, false),
            "gt" => (less, true),
            "ge" => (less_equal, true),
            "lo" => (Op::LtU, false),
            "ls" => (Op::LeU, false),
            "hi" => (Op::LtU, true),
            "hs" => (Op::LeU, true),
            other => return Err(format!("comparison `{other}` is not supported")),
        };
        // The operands may be the targets: both results are made aside first.
        let first = if q.is_some() || third.is_some() { self.slots(1) } else { p };
        let (x, y) = if swapped { (b, a) } else { (a, b) };
        self.emit(op, first, x, y, 0);
        let join = combine.map(|name| match name {
            "and" => Op::And,
            "or" => Op::Or,
            _ => Op::Xor,
        });
        let second = q.map(|_| {
            let slot = self.slots(1);
            self.emit(Op::NotPred, slot, first, 0, 0);
            slot
        });
        if let (Some(join), Some(third)) = (join, third) {
            let kept = self.slots(1);
            self.emit(Op::Mov, kept, third, 0, 0);
            self.emit(join, p, first, kept, 0);
            if let (Some(q), Some(second)) = (q, second) {
                self.emit(join, q, second, kept, 0);
            }
        } else if let (Some(q), Some(second)) = (q, second) {
            self.emit(Op::Mov, p, first, 0, 0);
            self.emit(Op::Mov, q, second, 0, 0);
        }
        Ok(())
    }
}
