//! A read-only view of an LLVM module, safe as long as the module lives and is not changed: what the reader needs of
//! LLVM's C interface, and the only place besides the optimiser that calls it directly.
use crate::mir::Operand;
use inkwell::module::Module;
use lathe_vm::Word;
use llvm_sys::core as llvm;
use llvm_sys::debuginfo as debug;
use llvm_sys::prelude::{LLVMBasicBlockRef, LLVMTypeRef, LLVMValueRef};
use llvm_sys::{LLVMIntPredicate, LLVMOpcode, LLVMTypeKind, LLVMValueKind};
use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A value of the module: function, instruction, parameter or constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Value<'m>(LLVMValueRef, PhantomData<&'m ()>);

/// A basic block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Block<'m>(LLVMBasicBlockRef, PhantomData<&'m ()>);

/// As much of a type as matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Type {
    /// An integer of so many bits.
    Int(u32),
    /// An address; the address space.
    Pointer(u32),
    /// Fields in order.
    Struct(Vec<Type>),
    /// No value.
    Void,
    /// Anything else.
    Other,
}

/// The defined functions, `main` first.
pub(super) fn functions<'m>(module: &'m Module<'_>) -> Vec<Value<'m>> {
    let mut out = Vec::new();
    // SAFETY: the module is alive for 'm; LLVM ends the list with null.
    let mut next = unsafe { llvm::LLVMGetFirstFunction(module.as_mut_ptr()) };
    while !next.is_null() {
        let function = Value(next, PhantomData);
        // SAFETY: `next` is a function of the living module.
        if unsafe { llvm::LLVMIsDeclaration(next) } == 0 {
            out.push(function);
        }
        // SAFETY: as above.
        next = unsafe { llvm::LLVMGetNextFunction(next) };
    }
    if let Some(main) = out.iter().position(|f| f.name() == "main") {
        out.swap(0, main);
    }
    out
}

impl<'m> Value<'m> {
    fn wrap(raw: LLVMValueRef) -> Option<Value<'m>> {
        (!raw.is_null()).then_some(Value(raw, PhantomData))
    }

    /// Its name, empty if it has none.
    pub fn name(self) -> String {
        let mut length = 0;
        // SAFETY: the value is alive; LLVM answers a pointer to `length` bytes that live as long.
        let bytes = unsafe {
            let start = llvm::LLVMGetValueName2(self.0, &mut length);
            std::slice::from_raw_parts(start.cast::<u8>(), length)
        };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Its type.
    pub fn ty(self) -> Type {
        // SAFETY: the value is alive.
        type_of(unsafe { llvm::LLVMTypeOf(self.0) })
    }

    /// Parameters of a function.
    pub fn parameters(self) -> Vec<Value<'m>> {
        // SAFETY: called on functions only; indices below the count.
        let count = unsafe { llvm::LLVMCountParams(self.0) };
        // SAFETY: as above.
        (0..count).filter_map(|i| Value::wrap(unsafe { llvm::LLVMGetParam(self.0, i) })).collect()
    }

    /// What a function returns.
    pub fn return_type(self) -> Type {
        // SAFETY: called on functions only, whose global value type is a function type.
        type_of(unsafe { llvm::LLVMGetReturnType(llvm::LLVMGlobalGetValueType(self.0)) })
    }

    /// Blocks of a function, the entry first.
    pub fn blocks(self) -> Vec<Block<'m>> {
        let mut out = Vec::new();
        // SAFETY: called on functions only; LLVM ends the list with null.
        let mut next = unsafe { llvm::LLVMGetFirstBasicBlock(self.0) };
        while !next.is_null() {
            out.push(Block(next, PhantomData));
            // SAFETY: `next` is a block of the function.
            next = unsafe { llvm::LLVMGetNextBasicBlock(next) };
        }
        out
    }

    /// True for an instruction (and nothing else has operands in the reader's sense).
    pub fn is_instruction(self) -> bool {
        // SAFETY: the value is alive.
        !unsafe { llvm::LLVMIsAInstruction(self.0) }.is_null()
    }

    /// The opcode of an instruction or constant expression.
    pub fn opcode(self) -> Option<LLVMOpcode> {
        match self.kind() {
            LLVMValueKind::LLVMInstructionValueKind => {
                // SAFETY: it is an instruction.
                Some(unsafe { llvm::LLVMGetInstructionOpcode(self.0) })
            }
            // SAFETY: it is a constant expression.
            LLVMValueKind::LLVMConstantExprValueKind => Some(unsafe { llvm::LLVMGetConstOpcode(self.0) }),
            _ => None,
        }
    }

    fn kind(self) -> LLVMValueKind {
        // SAFETY: the value is alive.
        unsafe { llvm::LLVMGetValueKind(self.0) }
    }

    /// Number of operands.
    pub fn operand_count(self) -> u32 {
        // SAFETY: called on users only.
        unsafe { llvm::LLVMGetNumOperands(self.0) }.max(0) as u32
    }

    /// An operand.
    pub fn operand(self, i: u32) -> Option<Value<'m>> {
        if i >= self.operand_count() {
            return None;
        }
        // SAFETY: the index is below the count.
        Value::wrap(unsafe { llvm::LLVMGetOperand(self.0, i) })
    }

    /// The function that a call calls, if it is known.
    pub fn callee(self) -> Option<Value<'m>> {
        // SAFETY: called on call instructions only.
        let callee = Value::wrap(unsafe { llvm::LLVMGetCalledValue(self.0) })?;
        (callee.kind() == LLVMValueKind::LLVMFunctionValueKind).then_some(callee)
    }

    /// The arguments of a call.
    pub fn arguments(self) -> Vec<Value<'m>> {
        // SAFETY: called on call instructions only.
        let count = unsafe { llvm::LLVMGetNumArgOperands(self.0) };
        (0..count).filter_map(|i| self.operand(i)).collect()
    }

    /// The predicate of an integer comparison.
    pub fn predicate(self) -> LLVMIntPredicate {
        // SAFETY: called on `icmp` only.
        unsafe { llvm::LLVMGetICmpPredicate(self.0) }
    }

    /// True if the result is promised not to wrap as an unsigned number (`add`, `sub`, `mul`, `shl`).
    pub fn no_wrap(self) -> bool {
        // SAFETY: called on these four instructions only.
        self.is_instruction() && unsafe { llvm::LLVMGetNUW(self.0) } != 0
    }

    /// The indices of `extractvalue` and `insertvalue`.
    pub fn indices(self) -> &'m [u32] {
        // SAFETY: called on these two instructions only; LLVM's array lives as long as the instruction.
        unsafe {
            std::slice::from_raw_parts(llvm::LLVMGetIndices(self.0), llvm::LLVMGetNumIndices(self.0) as usize)
        }
    }

    /// The type whose size is the unit of a `getelementptr`.
    pub fn element_type(self) -> Type {
        // SAFETY: called on `getelementptr` only.
        type_of(unsafe { llvm::LLVMGetGEPSourceElementType(self.0) })
    }

    /// What a phi receives from which block.
    pub fn incoming(self) -> Vec<(Block<'m>, Value<'m>)> {
        // SAFETY: called on phis only; indices below the count.
        let count = unsafe { llvm::LLVMCountIncoming(self.0) };
        let pair = |i| {
            // SAFETY: as above.
            let (block, value) =
                unsafe { (llvm::LLVMGetIncomingBlock(self.0, i), llvm::LLVMGetIncomingValue(self.0, i)) };
            Some((Block(block, PhantomData), Value::wrap(value)?))
        };
        (0..count).filter_map(pair).collect()
    }

    /// The blocks that a terminator goes to.
    pub fn successors(self) -> Vec<Block<'m>> {
        // SAFETY: called on terminators only; indices below the count.
        let count = unsafe { llvm::LLVMGetNumSuccessors(self.0) };
        // SAFETY: as above.
        (0..count).map(|i| Block(unsafe { llvm::LLVMGetSuccessor(self.0, i) }, PhantomData)).collect()
    }

    /// The condition of a conditional branch.
    pub fn condition(self) -> Option<Value<'m>> {
        // SAFETY: called on branches only; only a conditional one is asked for its condition.
        unsafe {
            match llvm::LLVMIsConditional(self.0) {
                0 => None,
                _ => Value::wrap(llvm::LLVMGetCondition(self.0)),
            }
        }
    }

    /// The debug lines of an instruction: its own, then those of the calls that it was inlined through, innermost first.
    pub fn lines(self) -> impl Iterator<Item = u32> {
        // SAFETY: called on instructions only; one without location answers null.
        let own = NonNull::new(unsafe { debug::LLVMInstructionGetDebugLoc(self.0) });
        // SAFETY: the location of an instruction, and what one is inlined at, are locations or null.
        let outer = |at: &NonNull<_>| NonNull::new(unsafe { debug::LLVMDILocationGetInlinedAt(at.as_ptr()) });
        // SAFETY: as above.
        std::iter::successors(own, outer).map(|at| unsafe { debug::LLVMDILocationGetLine(at.as_ptr()) })
    }

    /// True for `undef` and `poison`.
    pub fn is_undefined(self) -> bool {
        matches!(self.kind(), LLVMValueKind::LLVMUndefValueValueKind | LLVMValueKind::LLVMPoisonValueKind)
    }

    /// True for a null pointer, or a compound of zeros.
    pub fn is_zero(self) -> bool {
        matches!(
            self.kind(),
            LLVMValueKind::LLVMConstantPointerNullValueKind
                | LLVMValueKind::LLVMConstantAggregateZeroValueKind
        )
    }

    /// True for a struct of constants.
    pub fn is_constant_struct(self) -> bool {
        self.kind() == LLVMValueKind::LLVMConstantStructValueKind
    }

    /// The words of an integer constant, least significant first: one up to 256 bits, two up to 512.
    pub fn integer(self) -> Option<Vec<Word>> {
        if self.kind() != LLVMValueKind::LLVMConstantIntValueKind {
            return None;
        }
        let Type::Int(bits) = self.ty() else { return None };
        if bits <= 64 {
            // SAFETY: an integer constant of at most 64 bits.
            let value = unsafe { llvm::LLVMConstIntGetZExtValue(self.0) };
            return Some(vec![Word::from(u128::from(value))]);
        }
        // The C interface has no wider getter; the printed form is `i256 -5`.
        // SAFETY: LLVM hands over a message that is freed below.
        let text = unsafe {
            let message = llvm::LLVMPrintValueToString(self.0);
            let text = CStr::from_ptr(message).to_string_lossy().into_owned();
            llvm::LLVMDisposeMessage(message);
            text
        };
        parse(text.split(' ').next_back()?, bits)
    }

    /// A constant of at most 256 bits as an operand.
    pub fn constant(self) -> Option<Operand> {
        match self.integer()?.as_slice() {
            [word] => Some(Operand::Const(*word)),
            _ => None,
        }
    }
}

impl<'m> Block<'m> {
    /// Instructions in order.
    pub fn instructions(self) -> Vec<Value<'m>> {
        let mut out = Vec::new();
        // SAFETY: the block is alive; LLVM ends the list with null.
        let mut next = unsafe { llvm::LLVMGetFirstInstruction(self.0) };
        while let Some(value) = Value::wrap(next) {
            out.push(value);
            // SAFETY: `next` is an instruction of the block.
            next = unsafe { llvm::LLVMGetNextInstruction(next) };
        }
        out
    }

    /// The last instruction.
    pub fn end(self) -> Option<Value<'m>> {
        // SAFETY: the block is alive.
        Value::wrap(unsafe { llvm::LLVMGetBasicBlockTerminator(self.0) })
    }

    /// The block that an operand of a terminator stands for.
    pub fn of(value: Value<'m>) -> Option<Block<'m>> {
        // SAFETY: the value is alive; only a block is converted.
        unsafe {
            (llvm::LLVMValueIsBasicBlock(value.0) != 0)
                .then(|| Block(llvm::LLVMValueAsBasicBlock(value.0), PhantomData))
        }
    }
}

fn type_of(raw: LLVMTypeRef) -> Type {
    // SAFETY: types live as long as the context; each getter is called on its own kind only.
    unsafe {
        match llvm::LLVMGetTypeKind(raw) {
            LLVMTypeKind::LLVMIntegerTypeKind => Type::Int(llvm::LLVMGetIntTypeWidth(raw)),
            LLVMTypeKind::LLVMPointerTypeKind => Type::Pointer(llvm::LLVMGetPointerAddressSpace(raw)),
            LLVMTypeKind::LLVMVoidTypeKind => Type::Void,
            LLVMTypeKind::LLVMStructTypeKind => {
                let count = llvm::LLVMCountStructElementTypes(raw);
                Type::Struct((0..count).map(|i| type_of(llvm::LLVMStructGetTypeAtIndex(raw, i))).collect())
            }
            _ => Type::Other,
        }
    }
}

/// A decimal number, perhaps negative, modulo 2^bits, as words.
fn parse(text: &str, bits: u32) -> Option<Vec<Word>> {
    if bits > 512 {
        return None;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut limbs = [0u64; 8];
    for c in digits.chars() {
        let mut carry = u128::from(c.to_digit(10)?);
        for limb in &mut limbs {
            let t = u128::from(*limb) * 10 + carry;
            *limb = t as u64;
            carry = t >> 64;
        }
    }
    if negative {
        let mut carry = true;
        for limb in &mut limbs {
            (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
        }
    }
    for (i, limb) in limbs.iter_mut().enumerate() {
        let left = bits.saturating_sub(64 * i as u32);
        if left < 64 {
            *limb &= (1u64 << left) - 1;
        }
    }
    let half = |i: usize| u128::from(limbs[i + 1]) << 64 | u128::from(limbs[i]);
    let words = [Word::new(half(2), half(0)), Word::new(half(6), half(4))];
    Some(words[..if bits <= 256 { 1 } else { 2 }].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_constants_are_read_modulo_their_width() {
        let max = Word::new(u128::MAX, u128::MAX);
        assert_eq!(parse("-1", 256), Some(vec![max]));
        assert_eq!(parse("-1", 257), Some(vec![max, Word::from(1)]));
        assert_eq!(parse("-2", 80), Some(vec![Word::from((1 << 80) - 2)]));
        assert_eq!(parse("340282366920938463463374607431768211456", 256), Some(vec![Word::new(1, 0)]));
        assert_eq!(parse("0", 600), None);
    }
}
