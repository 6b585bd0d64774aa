//! LLVM's own intrinsics, as its optimiser leaves them.
use super::instruction::ONES;
use super::{Fault, Reader, ZERO, constant, nth, unknown, width};
use crate::llvm::low_bits;
use crate::llvm::raw::Value;
use crate::mir::{Binary, Checked, CopyFrom, Op, Operand};
use lathe_vm::Word;

/// Longest `memset` of another byte than zero that is spelt out.
const LONGEST_FILL: u128 = 1024;

impl<'m> Reader<'m, '_> {
    /// Reads a call of `llvm.NAME.TYPES`.
    pub(super) fn intrinsic(&mut self, name: &str, i: Value<'m>) -> Result<(), Fault> {
        let rest = name.strip_prefix("llvm.").unwrap_or(name);
        let base = rest.rfind(".with.overflow").map_or_else(
            || rest.split(".i").next().unwrap_or(rest),
            |at| &rest[..at + ".with.overflow".len()],
        );
        if base.starts_with("lifetime")
            || base.starts_with("assume")
            || base.starts_with("dbg")
            || base.starts_with("experimental.noalias.scope.decl")
        {
            return Ok(());
        }
        if base.starts_with("mem") {
            return self.block_intrinsic(base, i);
        }
        let operands = match base.strip_suffix(".with.overflow") {
            Some(kind) => self.with_overflow(kind, i)?,
            None => vec![self.number_intrinsic(base, i)?],
        };
        self.values.insert(i, operands);
        Ok(())
    }

    fn number_intrinsic(&mut self, base: &str, i: Value<'m>) -> Result<Operand, Fault> {
        let bits = width(i)?;
        let from = width(nth(i, 0)?)?;
        if bits > 256 || from > 256 {
            return Err(unknown(format_args!("llvm.{base} of {from} bits")));
        }
        let a = self.nth(i, 0)?;
        let b = if i.arguments().len() > 1 { self.nth(i, 1)? } else { ZERO };
        Ok(match base {
            "umin" | "umax" => self.least_or_most(Binary::Lt, base == "umin", [a, b], [a, b]),
            "smin" | "smax" => {
                let signed = [self.signed(a, from), self.signed(b, from)];
                self.least_or_most(Binary::Slt, base == "smin", signed, [a, b])
            }
            "usub.sat" => {
                let under = self.binary(Binary::Lt, a, b);
                let difference = self.binary(Binary::Sub, a, b);
                self.select(under, ZERO, difference)
            }
            "uadd.sat" => {
                let sum = self.binary(Binary::Add, a, b);
                let low = self.mask(sum, bits);
                let over = self.binary(Binary::Lt, low, a);
                let most = if bits == 256 { ONES } else { Operand::Const(low_bits(bits)) };
                self.select(over, most, low)
            }
            "abs" => {
                let signed = self.signed(a, bits);
                let negative = self.binary(Binary::Slt, signed, ZERO);
                let opposite = self.binary(Binary::Sub, ZERO, signed);
                let value = self.select(negative, opposite, signed);
                self.mask(value, bits)
            }
            "ucmp" | "scmp" => {
                let (binary, a, b) = match base {
                    "ucmp" => (Binary::Lt, a, b),
                    _ => (Binary::Slt, self.signed(a, from), self.signed(b, from)),
                };
                let (more, less) = (self.binary(binary, b, a), self.binary(binary, a, b));
                let difference = self.binary(Binary::Sub, more, less);
                self.mask(difference, bits)
            }
            "fshl" | "fshr" => {
                let amount = self.nth(i, 2)?;
                self.funnel(base == "fshl", a, b, amount, bits)
            }
            "bswap" => self.swap_bytes(a, bits),
            "ctlz" => self.leading_zeros(a, bits),
            "cttz" => {
                // The lowest set bit is `a & -a`; what lies below it are the trailing zeros.
                let opposite = self.binary(Binary::Sub, ZERO, a);
                let lowest = self.binary(Binary::And, a, opposite);
                let zeros = self.leading_zeros(lowest, bits);
                let count = self.binary(Binary::Sub, constant(u64::from(bits) - 1), zeros);
                let none = self.is_zero(a);
                self.select(none, constant(bits.into()), count)
            }
            "ctpop" => self.count_ones(a),
            "expect" => a,
            _ => return Err(unknown(format_args!("llvm.{base}"))),
        })
    }

    /// `keys` are compared, `values` chosen from.
    fn least_or_most(
        &mut self,
        binary: Binary,
        least: bool,
        keys: [Operand; 2],
        values: [Operand; 2],
    ) -> Operand {
        let first_is_less = self.binary(binary, keys[0], keys[1]);
        let (yes, no) = if least { (values[0], values[1]) } else { (values[1], values[0]) };
        self.select(first_is_less, yes, no)
    }

    /// The concatenation of `a` and `b`, shifted; LLVM takes the amount modulo the width.
    fn funnel(&mut self, left: bool, a: Operand, b: Operand, amount: Operand, bits: u32) -> Operand {
        let n = self.binary(Binary::Mod, amount, constant(bits.into()));
        let back = self.binary(Binary::Sub, constant(bits.into()), n);
        // A shift by the whole width gives zero: at 256 the machine does so, below it the mask does.
        let (high, low) = match left {
            true => (self.binary(Binary::Shl, a, n), self.binary(Binary::Shr, b, back)),
            false => (self.binary(Binary::Shl, a, back), self.binary(Binary::Shr, b, n)),
        };
        let joined = self.binary(Binary::Or, high, low);
        self.mask(joined, bits)
    }

    /// Halves of ever smaller groups change places, from the whole width down to bytes; a byte at a time where the
    /// width is no power of two.
    fn swap_bytes(&mut self, value: Operand, bits: u32) -> Operand {
        if !bits.is_power_of_two() {
            let mut out = ZERO;
            for from in (0..bits).step_by(8) {
                let byte = self.emit(Op::Bits { value, from: from as u16, count: 8 });
                let moved = self.binary(Binary::Shl, byte, constant(u64::from(bits - 8 - from)));
                out = self.binary(Binary::Or, out, moved);
            }
            return out;
        }
        let (mut out, mut group) = (value, bits / 2);
        while group >= 8 {
            let low_halves = Operand::Const(repeated(group, bits));
            let low = self.binary(Binary::And, out, low_halves);
            let high = self.binary(Binary::Shr, out, constant(group.into()));
            let high = self.binary(Binary::And, high, low_halves);
            let low = self.binary(Binary::Shl, low, constant(group.into()));
            out = self.binary(Binary::Or, low, high);
            group /= 2;
        }
        out
    }

    /// By halving: as long as the upper half is zero, its width counts.
    fn leading_zeros(&mut self, value: Operand, bits: u32) -> Operand {
        let (mut rest, mut length, mut step) = (value, ZERO, 128u64);
        while step > 0 {
            let upper = self.binary(Binary::Shr, rest, constant(step));
            let none = self.is_zero(upper);
            rest = self.select(none, rest, upper);
            let more = self.select(none, ZERO, constant(step));
            length = self.binary(Binary::Add, length, more);
            step /= 2;
        }
        // `length` is the position of the highest bit, and `rest` the bit itself: 0 only for 0.
        let used = self.binary(Binary::Add, length, rest);
        self.binary(Binary::Sub, constant(bits.into()), used)
    }

    /// Sums of neighbouring groups, from single bits up.
    fn count_ones(&mut self, value: Operand) -> Operand {
        let (mut out, mut group) = (value, 1);
        while group < 256 {
            let low_halves = Operand::Const(repeated(group, 256));
            let low = self.binary(Binary::And, out, low_halves);
            let high = self.binary(Binary::Shr, out, constant(group.into()));
            let high = self.binary(Binary::And, high, low_halves);
            out = self.binary(Binary::Add, low, high);
            group *= 2;
        }
        out
    }

    fn with_overflow(&mut self, kind: &str, i: Value<'m>) -> Result<Vec<Operand>, Fault> {
        let bits = width(nth(i, 0)?)?;
        let (a, b) = (self.nth(i, 0)?, self.nth(i, 1)?);
        let checked = match kind {
            "uadd" => Checked::Add,
            "usub" => Checked::Sub,
            "umul" => Checked::Mul,
            _ => return self.signed_overflow(kind, a, b, bits),
        };
        if bits == 256 {
            let results = vec![self.fresh(256), self.fresh(1)];
            let operands = results.iter().map(|r| Operand::Value(*r)).collect();
            let op = Op::Checked(checked, a, b);
            self.instructions.push(crate::mir::Instruction { op, results, loc: self.loc });
            return Ok(operands);
        }
        if bits > 128 && checked == Checked::Mul {
            return Err(unknown(format_args!("llvm.{kind}.with.overflow of {bits} bits")));
        }
        let binary = match checked {
            Checked::Add => Binary::Add,
            Checked::Sub => Binary::Sub,
            Checked::Mul => Binary::Mul,
        };
        let whole = self.binary(binary, a, b);
        let low = self.mask(whole, bits);
        let same = self.binary(Binary::Eq, whole, low);
        Ok(vec![low, self.is_zero(same)])
    }

    fn signed_overflow(
        &mut self,
        kind: &str,
        a: Operand,
        b: Operand,
        bits: u32,
    ) -> Result<Vec<Operand>, Fault> {
        let (a, b) = (self.signed(a, bits), self.signed(b, bits));
        let binary = match kind {
            "sadd" => Binary::Add,
            "ssub" => Binary::Sub,
            "smul" if bits <= 128 => Binary::Mul,
            _ => return Err(unknown(format_args!("llvm.{kind}.with.overflow of {bits} bits"))),
        };
        let whole = self.binary(binary, a, b);
        if bits < 256 {
            let low = self.mask(whole, bits);
            let back = self.signed(low, bits);
            let same = self.binary(Binary::Eq, whole, back);
            return Ok(vec![low, self.is_zero(same)]);
        }
        // The result moves down exactly if a negative number is added or a positive one taken away.
        let moves_down = self.binary(Binary::Slt, whole, a);
        let should = match kind {
            "sadd" => self.binary(Binary::Slt, b, ZERO),
            _ => self.binary(Binary::Slt, ZERO, b),
        };
        Ok(vec![whole, self.binary(Binary::Xor, moves_down, should)])
    }

    /// `memset`, `memcpy`, `memmove` of the heap.
    fn block_intrinsic(&mut self, base: &str, i: Value<'m>) -> Result<(), Fault> {
        let to = self.nth(i, 0)?;
        let length = self.nth(i, 2)?;
        if base.starts_with("memcpy") || base.starts_with("memmove") {
            let offset = self.nth(i, 1)?;
            self.effect(Op::Copy { from: CopyFrom::Heap, to, offset, length });
            return Ok(());
        }
        match (self.nth(i, 1)?, length) {
            // Calldata beyond its end reads zero.
            (ZERO, length) => {
                self.effect(Op::Copy { from: CopyFrom::Calldata, to, offset: ONES, length });
                Ok(())
            }
            (Operand::Const(byte), Operand::Const(length)) if length <= Word::from(LONGEST_FILL) => {
                self.fill(to, byte.lo as u8, length.lo as u64);
                Ok(())
            }
            _ => Err(unknown("a memset of a variable byte or length")),
        }
    }

    fn fill(&mut self, to: Operand, byte: u8, length: u64) {
        let word = Word::from_be_bytes([byte; 32]);
        for at in (0..length).step_by(32) {
            let address = self.binary(Binary::Add, to, constant(at));
            match length - at {
                32.. => self.effect(Op::Store(address, Operand::Const(word))),
                rest => {
                    let mut tail = [0; 32];
                    tail[32 - rest as usize..].fill(byte);
                    self.store_part(address, Operand::Const(Word::from_be_bytes(tail)), rest as u32);
                }
            }
        }
    }
}

/// Every other group of `group` bits set, the lowest first, in `bits` bits.
fn repeated(group: u32, bits: u32) -> Word {
    let bit = |at: u32| at < bits && (at / group).is_multiple_of(2);
    let half = |from: u32| (0..128).fold(0u128, |out, i| out | u128::from(bit(from + i)) << i);
    Word::new(half(128), half(0))
}
