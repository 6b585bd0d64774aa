//! Numbers of 257 to 512 bits, as a low and a high word. LLVM makes them when it puts a closed formula in the place of
//! a loop; what is not here makes the driver go on with a plainer pipeline, which does not.
use super::instruction::ONES;
use super::{Fault, Reader, ZERO, constant, nth, unknown, width};
use crate::llvm::raw::Value;
use crate::mir::{Binary, Operand};
use llvm_sys::LLVMIntPredicate as Predicate;
use llvm_sys::LLVMOpcode::{self, *};

impl<'m> Reader<'m, '_> {
    fn pair(&self, value: Value<'m>) -> Result<[Operand; 2], Fault> {
        self.operands(value)?.try_into().map_err(|_| unknown("a narrow value where a wide one is wanted"))
    }

    pub(super) fn wide(&mut self, opcode: LLVMOpcode, i: Value<'m>) -> Result<Vec<Operand>, Fault> {
        let bits = width(i)?;
        let (a, b) = (self.pair(nth(i, 0)?)?, self.pair(nth(i, 1)?)?);
        let [low, high] = match opcode {
            LLVMAdd => self.wide_add(a, b),
            LLVMSub => self.wide_sub(a, b),
            LLVMMul => self.wide_mul(a, b),
            LLVMAnd => self.each(Binary::And, a, b),
            LLVMOr => self.each(Binary::Or, a, b),
            LLVMXor => self.each(Binary::Xor, a, b),
            LLVMShl | LLVMLShr => {
                let [Operand::Const(amount), ZERO] = b else {
                    return Err(unknown("a wide shift by a variable"));
                };
                self.wide_shift(opcode, a, amount.lo as u64)
            }
            other => return Err(unknown(format_args!("{other:?} of {bits} bits"))),
        };
        Ok(vec![low, self.mask(high, bits - 256)])
    }

    fn each(&mut self, binary: Binary, a: [Operand; 2], b: [Operand; 2]) -> [Operand; 2] {
        [self.binary(binary, a[0], b[0]), self.binary(binary, a[1], b[1])]
    }

    fn wide_add(&mut self, a: [Operand; 2], b: [Operand; 2]) -> [Operand; 2] {
        let low = self.binary(Binary::Add, a[0], b[0]);
        let carry = self.binary(Binary::Lt, low, a[0]);
        let high = self.binary(Binary::Add, a[1], b[1]);
        [low, self.binary(Binary::Add, high, carry)]
    }

    fn wide_sub(&mut self, a: [Operand; 2], b: [Operand; 2]) -> [Operand; 2] {
        let borrow = self.binary(Binary::Lt, a[0], b[0]);
        let low = self.binary(Binary::Sub, a[0], b[0]);
        let high = self.binary(Binary::Sub, a[1], b[1]);
        [low, self.binary(Binary::Sub, high, borrow)]
    }

    fn wide_mul(&mut self, a: [Operand; 2], b: [Operand; 2]) -> [Operand; 2] {
        let low = self.binary(Binary::Mul, a[0], b[0]);
        let carried = self.binary(Binary::Mulhi, a[0], b[0]);
        let cross = self.binary(Binary::Mul, a[0], b[1]);
        let crossed = self.binary(Binary::Mul, a[1], b[0]);
        let high = self.binary(Binary::Add, carried, cross);
        [low, self.binary(Binary::Add, high, crossed)]
    }

    /// By a constant; at least 512 gives zero.
    fn wide_shift(&mut self, opcode: LLVMOpcode, a: [Operand; 2], n: u64) -> [Operand; 2] {
        if n == 0 {
            return a;
        }
        let up = opcode == LLVMShl;
        // The word that the bits leave, and the word that they enter.
        let (from, into) = if up { (a[0], a[1]) } else { (a[1], a[0]) };
        let (along, across) = if up { (Binary::Shl, Binary::Shr) } else { (Binary::Shr, Binary::Shl) };
        let (left, entered) = match n {
            1..256 => {
                let kept = self.binary(along, into, constant(n));
                let moved = self.binary(across, from, constant(256 - n));
                (self.binary(along, from, constant(n)), self.binary(Binary::Or, kept, moved))
            }
            _ => (ZERO, self.binary(along, from, constant(n - 256))),
        };
        if up { [left, entered] } else { [entered, left] }
    }

    pub(super) fn wide_resize(
        &mut self,
        opcode: LLVMOpcode,
        i: Value<'m>,
        from: u32,
        to: u32,
    ) -> Result<Vec<Operand>, Fault> {
        let words = self.operands(nth(i, 0)?)?;
        match (opcode, words.as_slice()) {
            (LLVMZExt, [low]) => Ok(vec![*low, ZERO]),
            (LLVMZExt, [low, high]) => Ok(vec![*low, *high]),
            (LLVMSExt, [low]) => {
                let low = self.signed(*low, from);
                let negative = self.binary(Binary::Slt, low, ZERO);
                let sign = self.select(negative, ONES, ZERO);
                Ok(vec![low, self.mask(sign, to - 256)])
            }
            (LLVMSExt, [low, high]) => {
                let high = self.signed(*high, from - 256);
                Ok(vec![*low, self.mask(high, to - 256)])
            }
            (LLVMTrunc, [low, _]) if to <= 256 => Ok(vec![self.mask(*low, to)]),
            (LLVMTrunc, [low, high]) => Ok(vec![*low, self.mask(*high, to - 256)]),
            _ => Err(unknown("a change of width")),
        }
    }

    pub(super) fn wide_compare(
        &mut self,
        predicate: Predicate,
        a: &[Operand],
        b: &[Operand],
    ) -> Result<Operand, Fault> {
        let ([a0, a1], [b0, b1]) = (a, b) else { return Err(unknown("a comparison of unequal widths")) };
        let same_high = self.binary(Binary::Eq, *a1, *b1);
        Ok(match predicate {
            Predicate::LLVMIntEQ | Predicate::LLVMIntNE => {
                let same_low = self.binary(Binary::Eq, *a0, *b0);
                let same = self.binary(Binary::And, same_high, same_low);
                if predicate == Predicate::LLVMIntNE { self.is_zero(same) } else { same }
            }
            Predicate::LLVMIntULT | Predicate::LLVMIntUGT | Predicate::LLVMIntULE | Predicate::LLVMIntUGE => {
                let low = self.compare_words(predicate, *a0, *b0);
                let high = self.compare_words(predicate, *a1, *b1);
                self.select(same_high, low, high)
            }
            _ => return Err(unknown("a signed comparison of wide numbers")),
        })
    }
}
