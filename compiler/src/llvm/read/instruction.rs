//! One LLVM instruction over numbers of up to 256 bits, and the shapes that `llvm/builtin.rs` makes for the EVM's corner cases.
use super::{Fault, Reader, ZERO, constant, nth, unknown, width, words};
use crate::llvm::externs::HEAP;
use crate::llvm::low_bits;
use crate::llvm::raw::{Type, Value};
use crate::mir::{Binary, End, Op, Operand};
use lathe_vm::Word;
use llvm_sys::LLVMIntPredicate as Predicate;
use llvm_sys::LLVMOpcode::{self, *};

impl<'m> Reader<'m, '_> {
    /// Reads an instruction; answers the block's end if it is one.
    pub(super) fn instruction(&mut self, i: Value<'m>) -> Result<Option<End>, Fault> {
        let opcode = i.opcode().ok_or_else(|| unknown("what is no instruction"))?;
        let operands = match opcode {
            LLVMPHI => return Ok(None),
            LLVMRet | LLVMBr | LLVMSwitch | LLVMUnreachable => return self.end(i),
            LLVMCall => return self.call(i),
            LLVMStore => {
                self.store(i)?;
                return Ok(None);
            }
            LLVMLoad => vec![self.load(i)?],
            LLVMGetElementPtr => vec![self.address(i)?],
            LLVMIntToPtr | LLVMPtrToInt => {
                let bits = width(nth(i, 0)?)?.min(width(i)?);
                let value = self.nth(i, 0)?;
                vec![self.mask(value, bits)]
            }
            LLVMFreeze => self.freeze(i)?,
            LLVMBitCast => self.operands(nth(i, 0)?)?,
            LLVMExtractValue => self.extract(i)?,
            LLVMInsertValue => self.insert(i)?,
            LLVMSelect => self.select_value(i)?,
            LLVMICmp => vec![self.compare(i)?],
            LLVMZExt | LLVMSExt | LLVMTrunc => self.resize(opcode, i)?,
            _ if width(i)? > 256 => self.wide(opcode, i)?,
            _ => vec![self.arithmetic(opcode, i)?],
        };
        self.values.insert(i, operands);
        Ok(None)
    }

    /// What LLVM holds for undefined may be too wide here, where a promise not to wrap left the mask out.
    fn freeze(&mut self, i: Value<'m>) -> Result<Vec<Operand>, Fault> {
        let operands = self.operands(nth(i, 0)?)?;
        Ok(match (i.ty(), operands.as_slice()) {
            (Type::Int(bits), [value]) => vec![self.mask(*value, bits)],
            _ => operands,
        })
    }

    fn arithmetic(&mut self, opcode: LLVMOpcode, i: Value<'m>) -> Result<Operand, Fault> {
        let bits = width(i)?;
        let (a, b) = (self.nth(i, 0)?, self.nth(i, 1)?);
        let binary = match opcode {
            LLVMAdd => Binary::Add,
            LLVMSub => Binary::Sub,
            LLVMMul => Binary::Mul,
            LLVMShl => Binary::Shl,
            LLVMUDiv => Binary::Div,
            LLVMURem => Binary::Mod,
            LLVMAnd => Binary::And,
            LLVMOr => Binary::Or,
            LLVMXor => Binary::Xor,
            LLVMLShr => Binary::Shr,
            LLVMSDiv | LLVMSRem | LLVMAShr => return self.signed_arithmetic(opcode, i, bits),
            other => return Err(unknown(format_args!("the instruction {other:?}"))),
        };
        if let (LLVMAnd, Some(kept)) = (opcode, self.kept_by_mask(a, b)) {
            return Ok(kept);
        }
        let result = self.binary(binary, a, b);
        // These alone can carry beyond the width.
        let grows = matches!(opcode, LLVMAdd | LLVMSub | LLVMMul | LLVMShl) && !i.no_wrap();
        Ok(if grows { self.mask(result, bits) } else { result })
    }

    /// `a`, if `b` is a mask that leaves all of its bits.
    fn kept_by_mask(&self, a: Operand, b: Operand) -> Option<Operand> {
        let Operand::Const(mask) = b else { return None };
        let bits = self.bits_of(b);
        (mask == low_bits(bits) && self.bits_of(a) <= bits).then_some(a)
    }

    fn signed_arithmetic(&mut self, opcode: LLVMOpcode, i: Value<'m>, bits: u32) -> Result<Operand, Fault> {
        let (a, b) = (self.nth(i, 0)?, self.nth(i, 1)?);
        let a = self.signed(a, bits);
        let result = match opcode {
            LLVMAShr => {
                let amount = self.unclamped(nth(i, 1)?)?.unwrap_or(b);
                self.binary(Binary::Sar, a, amount)
            }
            _ => {
                let b = self.signed(b, bits);
                self.binary(if opcode == LLVMSDiv { Binary::Sdiv } else { Binary::Smod }, a, b)
            }
        };
        Ok(self.mask(result, bits))
    }

    /// `n` of `umin(n, 255)`: the machine's `sar` fills with the sign from 256 on by itself.
    fn unclamped(&self, value: Value<'m>) -> Result<Option<Operand>, Fault> {
        if width(value)? != 256 || value.opcode() != Some(LLVMCall) {
            return Ok(None);
        }
        let is_umin = value.callee().is_some_and(|f| f.name() == "llvm.umin.i256");
        match is_umin && nth(value, 1)?.constant() == Some(constant(255)) {
            true => self.nth(value, 0).map(Some),
            false => Ok(None),
        }
    }

    /// Comparison of numbers of `i`'s operand width: 1 or 0.
    fn compare(&mut self, i: Value<'m>) -> Result<Operand, Fault> {
        let bits = width(nth(i, 0)?)?;
        let predicate = i.predicate();
        if bits > 256 {
            let (a, b) = (self.operands(nth(i, 0)?)?, self.operands(nth(i, 1)?)?);
            return self.wide_compare(predicate, &a, &b);
        }
        let (mut a, mut b) = (self.nth(i, 0)?, self.nth(i, 1)?);
        let signed = !matches!(
            predicate,
            Predicate::LLVMIntEQ
                | Predicate::LLVMIntNE
                | Predicate::LLVMIntULT
                | Predicate::LLVMIntUGT
                | Predicate::LLVMIntULE
                | Predicate::LLVMIntUGE
        );
        if signed {
            (a, b) = (self.signed(a, bits), self.signed(b, bits));
        }
        Ok(self.compare_words(predicate, a, b))
    }

    pub(super) fn compare_words(&mut self, predicate: Predicate, a: Operand, b: Operand) -> Operand {
        let (binary, a, b, negated) = match predicate {
            Predicate::LLVMIntEQ => (Binary::Eq, a, b, false),
            Predicate::LLVMIntNE => (Binary::Eq, a, b, true),
            Predicate::LLVMIntULT => (Binary::Lt, a, b, false),
            Predicate::LLVMIntUGT => (Binary::Lt, b, a, false),
            Predicate::LLVMIntUGE => (Binary::Lt, a, b, true),
            Predicate::LLVMIntULE => (Binary::Lt, b, a, true),
            Predicate::LLVMIntSLT => (Binary::Slt, a, b, false),
            Predicate::LLVMIntSGT => (Binary::Slt, b, a, false),
            Predicate::LLVMIntSGE => (Binary::Slt, a, b, true),
            Predicate::LLVMIntSLE => (Binary::Slt, b, a, true),
        };
        let result = self.binary(binary, a, b);
        if negated { self.is_zero(result) } else { result }
    }

    fn select_value(&mut self, i: Value<'m>) -> Result<Vec<Operand>, Fault> {
        if let Some(value) = self.guarded(i)? {
            return Ok(vec![value]);
        }
        let condition = self.nth(i, 0)?;
        let (yes, no) = (self.operands(nth(i, 1)?)?, self.operands(nth(i, 2)?)?);
        Ok(yes.into_iter().zip(no).map(|(yes, no)| self.select(condition, yes, no)).collect())
    }

    /// A guarded division or shift, whose guard the machine's instruction has built in:
    /// `y = 0 ? 0 : x / (y = 0 ? 1 : y)` and `n < 256 ? x << n : 0`.
    fn guarded(&mut self, i: Value<'m>) -> Result<Option<Operand>, Fault> {
        let (condition, yes, no) = (nth(i, 0)?, nth(i, 1)?, nth(i, 2)?);
        if i.ty() != Type::Int(256) || condition.opcode() != Some(LLVMICmp) {
            return Ok(None);
        }
        let (tested, bound) = (nth(condition, 0)?, nth(condition, 1)?.constant());
        let (guard, result) = match (yes.constant(), no.constant()) {
            (Some(ZERO), None) => (condition.predicate(), no),
            (None, Some(ZERO)) => (inverse(condition.predicate()), yes),
            _ => return Ok(None),
        };
        let by_zero = guard == Predicate::LLVMIntEQ && bound == Some(ZERO);
        let too_far = guard == Predicate::LLVMIntUGT && bound == Some(constant(255))
            || guard == Predicate::LLVMIntUGE && bound == Some(constant(256));
        let binary = match result.opcode() {
            Some(LLVMUDiv) if by_zero && self.at_least_one(nth(result, 1)?, tested)? => Binary::Div,
            Some(LLVMURem) if by_zero && self.at_least_one(nth(result, 1)?, tested)? => Binary::Mod,
            Some(LLVMShl) if too_far && nth(result, 1)? == tested => Binary::Shl,
            Some(LLVMLShr) if too_far && nth(result, 1)? == tested => Binary::Shr,
            _ => return Ok(None),
        };
        let (x, y) = (self.nth(result, 0)?, self.operand(tested)?);
        Ok(Some(self.binary(binary, x, y)))
    }

    /// True if `divisor` is `value`, or 1 where that is zero.
    fn at_least_one(&self, divisor: Value<'m>, value: Value<'m>) -> Result<bool, Fault> {
        let one = Some(constant(1));
        Ok(match divisor.opcode() {
            Some(LLVMCall) => {
                divisor.callee().is_some_and(|f| f.name() == "llvm.umax.i256")
                    && nth(divisor, 0)? == value
                    && nth(divisor, 1)?.constant() == one
            }
            Some(LLVMSelect) => {
                let condition = nth(divisor, 0)?;
                let equal_zero = condition.opcode() == Some(LLVMICmp)
                    && condition.predicate() == Predicate::LLVMIntEQ
                    && nth(condition, 0)? == value
                    && nth(condition, 1)?.constant() == Some(ZERO);
                equal_zero && nth(divisor, 1)?.constant() == one && nth(divisor, 2)? == value
            }
            _ => divisor == value,
        })
    }

    fn resize(&mut self, opcode: LLVMOpcode, i: Value<'m>) -> Result<Vec<Operand>, Fault> {
        let (from, to) = (width(nth(i, 0)?)?, width(i)?);
        if from > 256 || to > 256 {
            return self.wide_resize(opcode, i, from, to);
        }
        let value = self.nth(i, 0)?;
        Ok(vec![match opcode {
            LLVMZExt => value,
            LLVMTrunc if i.no_wrap() => value,
            LLVMTrunc => self.mask(value, to),
            _ => {
                let value = self.signed(value, from);
                self.mask(value, to)
            }
        }])
    }

    /// Where field `indices` of a compound begins, and its words.
    fn field(ty: &Type, indices: &[u32]) -> Result<(usize, usize), Fault> {
        let Some((first, rest)) = indices.split_first() else { return Ok((0, words(ty)? as usize)) };
        let Type::Struct(fields) = ty else { return Err(unknown("a field of what is no struct")) };
        let index = *first as usize;
        let inner = fields.get(index).ok_or_else(|| unknown("a field that is not there"))?;
        let before: u32 = fields[..index].iter().map(words).sum::<Result<u32, Fault>>()?;
        let (start, count) = Self::field(inner, rest)?;
        Ok((before as usize + start, count))
    }

    fn extract(&self, i: Value<'m>) -> Result<Vec<Operand>, Fault> {
        let whole = nth(i, 0)?;
        let (start, count) = Self::field(&whole.ty(), i.indices())?;
        Ok(self.operands(whole)?[start..start + count].to_vec())
    }

    fn insert(&self, i: Value<'m>) -> Result<Vec<Operand>, Fault> {
        let mut whole = self.operands(nth(i, 0)?)?;
        let (start, count) = Self::field(&i.ty(), i.indices())?;
        whole.splice(start..start + count, self.operands(nth(i, 1)?)?);
        Ok(whole)
    }

    /// `getelementptr`: base plus index times size.
    fn address(&mut self, i: Value<'m>) -> Result<Operand, Fault> {
        let Type::Int(bits) = i.element_type() else {
            return Err(unknown("an address computed over a compound type"));
        };
        if i.operand_count() != 2 {
            return Err(unknown("an address of several indices"));
        }
        let (base, index) = (self.nth(i, 0)?, self.nth(i, 1)?);
        let index = self.signed(index, width(nth(i, 1)?)?);
        // Without a layout of their own, widths above 64 bits are aligned as words.
        let size = if bits <= 64 { bits.div_ceil(8).next_power_of_two() } else { 32 };
        let offset = match size {
            1 => index,
            size => self.binary(Binary::Mul, index, constant(size.into())),
        };
        Ok(self.binary(Binary::Add, base, offset))
    }

    fn heap(&self, pointer: Value<'m>) -> Result<Operand, Fault> {
        match pointer.ty() {
            Type::Pointer(space) if space == u32::from(HEAP) => self.operand(pointer),
            other => Err(unknown(format_args!("an access through {other:?}"))),
        }
    }

    fn load(&mut self, i: Value<'m>) -> Result<Operand, Fault> {
        let address = self.heap(nth(i, 0)?)?;
        let bits = width(i)?;
        if bits > 256 {
            return Err(unknown("a load of more than a word"));
        }
        let word = self.emit(Op::Load(address));
        let from = 256 - 8 * bits.div_ceil(8);
        Ok(match from {
            0 => self.mask(word, bits),
            from => self.emit(Op::Bits { value: word, from: from as u16, count: bits as u16 }),
        })
    }

    fn store(&mut self, i: Value<'m>) -> Result<(), Fault> {
        let bits = width(nth(i, 0)?)?;
        let (value, address) = (self.operands(nth(i, 0)?)?, self.heap(nth(i, 1)?)?);
        match (bits, value.as_slice()) {
            (249..=256, [value]) => self.effect(Op::Store(address, *value)),
            (1..=8, [value]) => self.effect(Op::Store8(address, *value)),
            (_, [value]) => self.store_part(address, *value, bits.div_ceil(8)),
            _ => return Err(unknown("a store of more than a word")),
        }
        Ok(())
    }

    /// The first `bytes` bytes of the word at `address` become `value`.
    pub(super) fn store_part(&mut self, address: Operand, value: Operand, bytes: u32) {
        let kept = 256 - 8 * bytes;
        let old = self.emit(Op::Load(address));
        let low = self.mask(old, kept);
        let high = self.binary(Binary::Shl, value, constant(kept.into()));
        let word = self.binary(Binary::Or, low, high);
        self.effect(Op::Store(address, word));
    }
}

fn inverse(predicate: Predicate) -> Predicate {
    match predicate {
        Predicate::LLVMIntEQ => Predicate::LLVMIntNE,
        Predicate::LLVMIntNE => Predicate::LLVMIntEQ,
        Predicate::LLVMIntULT => Predicate::LLVMIntUGE,
        Predicate::LLVMIntUGE => Predicate::LLVMIntULT,
        Predicate::LLVMIntUGT => Predicate::LLVMIntULE,
        Predicate::LLVMIntULE => Predicate::LLVMIntUGT,
        Predicate::LLVMIntSLT => Predicate::LLVMIntSGE,
        Predicate::LLVMIntSGE => Predicate::LLVMIntSLT,
        Predicate::LLVMIntSGT => Predicate::LLVMIntSLE,
        Predicate::LLVMIntSLE => Predicate::LLVMIntSGT,
    }
}

/// The all-ones word.
pub(super) const ONES: Operand = Operand::Const(Word { hi: u128::MAX, lo: u128::MAX });
