//! Yul's builtins as LLVM IR, with the EVM's meaning where LLVM's differs.
//! Where LLVM has the operation, it gets it, guarded by a select that it can fold; the reader knows these shapes again.
use super::lower::{Lowerer, missing, text_of};
use super::{Fault, Role, Symbol, low_bits};
use crate::diagnostic::Loc;
use crate::mir::mimic;
use crate::yul::ast::{Expression, ExpressionKind};
use crate::yul::builtin::Builtin;
use inkwell::IntPredicate;
use inkwell::module::Linkage;
use inkwell::values::{BasicMetadataValueEnum, FunctionValue, IntValue};
use lathe_vm::Word;

/// Bytes of creation code before the constructor's arguments: the hash of the deploy page.
pub const HEADER: u64 = 32;
/// Where a code that asks for `msize` keeps its count: a heap word that no program can afford to reach on the EVM.
const MEMORY_COUNT: u64 = 0xffff_ff80;
/// The kinds of account cell that `aload` and `astore` take.
const KINDS: [u16; 4] = [1, 2, 3, 6];
/// All flags of `mimiccall`.
const FLAGS: u16 =
    mimic::CALLDATA | mimic::VALUE | mimic::DEPLOY | mimic::METERED | mimic::SAME_TRANSACTION | mimic::STATIC;
const OWN_CODE: &str =
    "a contract cannot copy its own code on this machine; a constructor can copy its arguments";

type Value<'c> = Result<Option<IntValue<'c>>, Fault>;

impl<'c> Lowerer<'c, '_> {
    /// The value of a builtin, if it has one.
    pub(super) fn builtin(&mut self, builtin: Builtin, arguments: &[Expression], loc: Loc) -> Value<'c> {
        use Builtin as B;
        match builtin {
            B::Datasize | B::Dataoffset | B::Loadimmutable | B::Linkersymbol | B::Setimmutable => {
                return self.named(builtin, arguments, loc);
            }
            B::Memoryguard => return self.value(&arguments[0]).map(Some),
            B::Datacopy => return self.datacopy(arguments, loc),
            B::Codecopy => return self.codecopy(arguments, loc),
            B::Extcodecopy => {
                return Err(Fault::at(
                    loc,
                    "`extcodecopy`: a contract cannot read code as bytes on this machine; use `extcodehash`",
                ));
            }
            B::Aload | B::Astore | B::Mimiccall => return self.kernel(builtin, arguments, loc),
            B::Callcode => return Err(Fault::at(loc, "`callcode` is not supported: use `delegatecall`")),
            _ => {}
        }
        if let Some(value) = self.with_literal(builtin, arguments)? {
            return Ok(Some(value));
        }
        let x = self.arguments(arguments)?;
        match builtin {
            B::Mload
            | B::Mstore
            | B::Mstore8
            | B::Mcopy
            | B::Msize
            | B::Keccak256
            | B::Sha256
            | B::Ecrecover => self.memory(builtin, &x),
            B::Calldatacopy | B::Returndatacopy | B::Calldataload | B::Calldatasize | B::Codesize => {
                self.transferred(builtin, &x, loc)
            }
            B::Log0 | B::Log1 | B::Log2 | B::Log3 | B::Log4 => self.log(&x),
            B::Call | B::Staticcall | B::Delegatecall | B::Create | B::Create2 => self.far(builtin, &x),
            B::Stop | B::Return | B::Revert | B::Invalid | B::Selfdestruct => self.ending(builtin, &x),
            _ => match self.arithmetic(builtin, &x)? {
                Some(value) => Ok(Some(value)),
                None => self.environment(builtin, &x),
            },
        }
    }

    fn flag(&self, predicate: IntPredicate, a: IntValue<'c>, b: IntValue<'c>) -> Value<'c> {
        let bit = self.builder.build_int_compare(predicate, a, b, "")?;
        Ok(Some(self.builder.build_int_z_extend(bit, self.word, "")?))
    }

    /// Operations whose literal operand makes them something that LLVM has.
    fn with_literal(&mut self, builtin: Builtin, arguments: &[Expression]) -> Value<'c> {
        let literal = |i: usize| match arguments.get(i).map(|a| &a.kind) {
            Some(ExpressionKind::Literal(word)) => Some(*word),
            _ => None,
        };
        match (builtin, literal(0), literal(1)) {
            (Builtin::Signextend, Some(k), _) if k < Word::from(31) => {
                let value = self.value(&arguments[1])?;
                let bits =
                    std::num::NonZeroU32::new(8 * (k.lo as u32 + 1)).ok_or_else(|| missing("a width"))?;
                let narrow =
                    self.context.custom_width_int_type(bits).map_err(|e| Fault::Llvm(e.to_string()))?;
                let low = self.builder.build_int_truncate(value, narrow, "")?;
                Ok(Some(self.builder.build_int_s_extend(low, self.word, "")?))
            }
            (Builtin::Byte, Some(i), _) if i < Word::from(32) => {
                let value = self.value(&arguments[1])?;
                let shift = self.small(8 * (31 - i.lo as u64));
                let moved = self.builder.build_right_shift(value, shift, false, "")?;
                Ok(Some(self.builder.build_and(moved, self.small(0xff), "")?))
            }
            (Builtin::Exp, Some(base), _) if base == Word::from(2) => {
                let exponent = self.value(&arguments[1])?;
                self.shift(exponent, self.small(1), Builtin::Shl).map(Some)
            }
            (Builtin::Sdiv | Builtin::Smod, _, Some(by))
                if by != Word::ZERO && by != Word::new(u128::MAX, u128::MAX) =>
            {
                let value = self.value(&arguments[0])?;
                let by = self.constant(by);
                Ok(Some(match builtin {
                    Builtin::Sdiv => self.builder.build_int_signed_div(value, by, "")?,
                    _ => self.builder.build_int_signed_rem(value, by, "")?,
                }))
            }
            _ => Ok(None),
        }
    }

    fn arithmetic(&mut self, builtin: Builtin, x: &[IntValue<'c>]) -> Value<'c> {
        use Builtin as B;
        let zero = self.small(0);
        let b = &self.builder;
        Ok(Some(match (builtin, x) {
            (B::Add, [x, y]) => b.build_int_add(*x, *y, "")?,
            (B::Sub, [x, y]) => b.build_int_sub(*x, *y, "")?,
            (B::Mul, [x, y]) => b.build_int_mul(*x, *y, "")?,
            (B::Not, [x]) => b.build_not(*x, "")?,
            (B::And, [x, y]) => b.build_and(*x, *y, "")?,
            (B::Or, [x, y]) => b.build_or(*x, *y, "")?,
            (B::Xor, [x, y]) => b.build_xor(*x, *y, "")?,
            (B::Div | B::Mod, [x, y]) => self.divide(builtin, *x, *y)?,
            (B::Shl | B::Shr | B::Sar, [n, x]) => self.shift(*n, *x, builtin)?,
            (B::Lt, [x, y]) => return self.flag(IntPredicate::ULT, *x, *y),
            (B::Gt, [x, y]) => return self.flag(IntPredicate::UGT, *x, *y),
            (B::Slt, [x, y]) => return self.flag(IntPredicate::SLT, *x, *y),
            (B::Sgt, [x, y]) => return self.flag(IntPredicate::SGT, *x, *y),
            (B::Eq, [x, y]) => return self.flag(IntPredicate::EQ, *x, *y),
            (B::Iszero, [x]) => return self.flag(IntPredicate::EQ, *x, zero),
            (B::Clz, [x]) => return self.leading_zeros(*x),
            (B::Sdiv, _) => return self.plain("sdiv", x),
            (B::Smod, _) => return self.plain("smod", x),
            (B::Exp, _) => return self.plain("exp", x),
            (B::Byte, _) => return self.plain("byte", x),
            (B::Signextend, _) => return self.plain("signextend", x),
            (B::Addmod, _) => return self.plain("addmod", x),
            (B::Mulmod, _) => return self.plain("mulmod", x),
            _ => return Ok(None),
        }))
    }

    /// A call that takes the words as they are.
    fn plain(&mut self, name: &str, x: &[IntValue<'c>]) -> Value<'c> {
        let arguments: Vec<BasicMetadataValueEnum<'c>> = x.iter().map(|v| (*v).into()).collect();
        let Some(value) = self.extern_call(name, &arguments)? else { return Ok(None) };
        // A mask tells LLVM the range of what the machine hands over; the reader, who knows it too, leaves it out.
        let bits = match name {
            "caller" | "address" => 160,
            "cdsize" | "rdsize" | "extcodesize" => 32,
            _ => return Ok(Some(value)),
        };
        let mask = self.constant(low_bits(bits));
        Ok(Some(self.builder.build_and(value, mask, "")?))
    }

    /// `x / y` or `x mod y`, 0 by 0.
    fn divide(&self, builtin: Builtin, x: IntValue<'c>, y: IntValue<'c>) -> Result<IntValue<'c>, Fault> {
        let b = &self.builder;
        let zero = self.small(0);
        let by_zero = b.build_int_compare(IntPredicate::EQ, y, zero, "")?;
        let divisor = b.build_select(by_zero, self.small(1), y, "")?.into_int_value();
        let result = match builtin {
            Builtin::Div => b.build_int_unsigned_div(x, divisor, "")?,
            _ => b.build_int_unsigned_rem(x, divisor, "")?,
        };
        Ok(b.build_select(by_zero, zero, result, "")?.into_int_value())
    }

    /// `x` shifted by `n`, which may be 256 and more.
    fn shift(&self, n: IntValue<'c>, x: IntValue<'c>, builtin: Builtin) -> Result<IntValue<'c>, Fault> {
        let b = &self.builder;
        let inside = b.build_int_compare(IntPredicate::ULT, n, self.small(256), "")?;
        if builtin == Builtin::Sar {
            let amount = b.build_select(inside, n, self.small(255), "")?.into_int_value();
            return Ok(b.build_right_shift(x, amount, true, "")?);
        }
        let moved = match builtin {
            Builtin::Shl => b.build_left_shift(x, n, "")?,
            _ => b.build_right_shift(x, n, false, "")?,
        };
        Ok(b.build_select(inside, moved, self.small(0), "")?.into_int_value())
    }

    fn leading_zeros(&self, x: IntValue<'c>) -> Value<'c> {
        let intrinsic = inkwell::intrinsics::Intrinsic::find("llvm.ctlz");
        let declared = intrinsic.and_then(|i| i.get_declaration(&self.module, &[self.word.into()]));
        let function = declared.ok_or_else(|| missing("llvm.ctlz"))?;
        let defined_at_zero = self.context.bool_type().const_zero();
        let call = self.builder.build_call(function, &[x.into(), defined_at_zero.into()], "")?;
        Ok(call.try_as_basic_value().basic().map(|v| v.into_int_value()))
    }

    fn memory(&mut self, builtin: Builtin, x: &[IntValue<'c>]) -> Value<'c> {
        let word = self.small(32);
        match (builtin, x) {
            (Builtin::Mload, [at]) => {
                self.touch(*at, word)?;
                let pointer = self.heap_pointer(*at)?;
                let value = self.builder.build_load(self.word, pointer, "")?;
                unaligned(value.into_int_value().as_instruction())?;
                Ok(Some(value.into_int_value()))
            }
            (Builtin::Mstore, [at, value]) => {
                self.touch(*at, word)?;
                self.store_word(*at, *value).map(|()| None)
            }
            (Builtin::Mstore8, [at, value]) => {
                self.touch(*at, self.small(1))?;
                let pointer = self.heap_pointer(*at)?;
                self.extern_call("st8", &[pointer.into(), (*value).into()])
            }
            (Builtin::Mcopy, [to, from, length]) => {
                self.touch(*to, *length)?;
                self.touch(*from, *length)?;
                let (to, from) = (self.heap_pointer(*to)?, self.heap_pointer(*from)?);
                self.extern_call("copy.heap", &[to.into(), from.into(), (*length).into()])
            }
            (Builtin::Keccak256 | Builtin::Sha256, [at, length]) => {
                self.touch(*at, *length)?;
                let name = if builtin == Builtin::Sha256 { "sha256" } else { "keccak" };
                let pointer = self.heap_pointer(*at)?;
                self.extern_call(name, &[pointer.into(), (*length).into()])
            }
            (Builtin::Ecrecover, [at]) => {
                self.touch(*at, self.small(128))?;
                let pointer = self.heap_pointer(*at)?;
                self.extern_call("ecrecover", &[pointer.into()])
            }
            _ => {
                let pointer = self.heap_pointer(self.small(MEMORY_COUNT))?;
                Ok(Some(self.builder.build_load(self.word, pointer, "")?.into_int_value()))
            }
        }
    }

    fn store_word(&self, at: IntValue<'c>, value: IntValue<'c>) -> Result<(), Fault> {
        let pointer = self.heap_pointer(at)?;
        let store = self.builder.build_store(pointer, value)?;
        unaligned(Some(store))
    }

    /// In a code that asks for `msize`: notes that bytes `at .. at + length` of the heap are used.
    fn touch(&mut self, at: IntValue<'c>, length: IntValue<'c>) -> Result<(), Fault> {
        if !self.counts_memory {
            return Ok(());
        }
        let function = self.touch_function()?;
        self.builder.build_call(function, &[at.into(), length.into()], "")?;
        Ok(())
    }

    /// `if length { count := max(count, (at + length + 31) / 32 * 32) }`
    fn touch_function(&self) -> Result<FunctionValue<'c>, Fault> {
        const NAME: &str = "memory.touch";
        if let Some(function) = self.module.get_function(NAME) {
            return Ok(function);
        }
        let ty = self.context.void_type().fn_type(&[self.word.into(), self.word.into()], false);
        let function = self.module.add_function(NAME, ty, Some(Linkage::Internal));
        let b = self.context.create_builder();
        let [entry, used, out] =
            ["entry", "used", "out"].map(|n| self.context.append_basic_block(function, n));
        let parameter = |i| function.get_nth_param(i).ok_or_else(|| missing("a parameter"));
        let (at, length) = (parameter(0)?.into_int_value(), parameter(1)?.into_int_value());
        b.position_at_end(entry);
        let any = b.build_int_compare(IntPredicate::NE, length, self.small(0), "")?;
        b.build_conditional_branch(any, used, out)?;
        b.position_at_end(used);
        let end = b.build_int_add(b.build_int_add(at, length, "")?, self.small(31), "")?;
        let end = b.build_and(end, self.word.const_int(31, false).const_not(), "")?;
        let ty = self.context.ptr_type(inkwell::AddressSpace::from(super::externs::HEAP));
        let place = b.build_int_to_ptr(self.small(MEMORY_COUNT), ty, "")?;
        let count = b.build_load(self.word, place, "")?.into_int_value();
        let more = b.build_int_compare(IntPredicate::UGT, end, count, "")?;
        b.build_store(place, b.build_select(more, end, count, "")?)?;
        b.build_unconditional_branch(out)?;
        b.position_at_end(out);
        b.build_return(None)?;
        Ok(function)
    }

    /// Calldata, return data and code, as the role makes them: creation code has no calldata, and its arguments follow
    /// [`HEADER`] bytes of code.
    fn transferred(&mut self, builtin: Builtin, x: &[IntValue<'c>], loc: Loc) -> Value<'c> {
        let deploy = self.scope.role == Role::Deploy;
        match (builtin, x) {
            (Builtin::Calldatasize | Builtin::Calldataload, _) if deploy => Ok(Some(self.small(0))),
            (Builtin::Calldatasize, _) => self.plain("cdsize", x),
            (Builtin::Calldataload, _) => self.plain("cdload", x),
            (Builtin::Calldatacopy, [to, from, length]) => {
                self.touch(*to, *length)?;
                let beyond = self.constant(Word::new(u128::MAX, u128::MAX));
                self.copy("copy.calldata", *to, if deploy { beyond } else { *from }, *length)
            }
            (Builtin::Returndatacopy, [to, from, length]) => {
                self.touch(*to, *length)?;
                self.begins_within_returndata(*from, *length)?;
                self.copy("copy.returndata", *to, *from, *length)
            }
            _ if deploy => {
                let size = self.plain("cdsize", &[])?.ok_or_else(|| missing("cdsize"))?;
                Ok(Some(self.builder.build_int_add(size, self.small(HEADER), "")?))
            }
            _ => Err(Fault::at(
                loc,
                "`codesize`: a contract cannot see its own code on this machine; only a constructor can, for its arguments",
            )),
        }
    }

    /// The EVM halts where a range begins beyond the end of the return data even if the range is empty; the machine does
    /// not look at the offset of an empty one.
    fn begins_within_returndata(&mut self, from: IntValue<'c>, length: IntValue<'c>) -> Result<(), Fault> {
        let zero = self.small(0);
        if from == zero || length.is_const() && length != zero {
            return Ok(());
        }
        let size = self.plain("rdsize", &[])?.ok_or_else(|| missing("rdsize"))?;
        let beyond = self.builder.build_int_compare(IntPredicate::UGT, from, size, "")?;
        let (halt, within) = (self.new_block("beyond")?, self.new_block("within")?);
        self.builder.build_conditional_branch(beyond, halt, within)?;
        self.builder.position_at_end(halt);
        self.plain("invalid", &[])?;
        self.builder.build_unreachable()?;
        self.builder.position_at_end(within);
        Ok(())
    }

    fn copy(&mut self, name: &str, to: IntValue<'c>, from: IntValue<'c>, length: IntValue<'c>) -> Value<'c> {
        let to = self.heap_pointer(to)?;
        self.extern_call(name, &[to.into(), from.into(), length.into()])
    }

    /// In a constructor, code is the header and the arguments.
    fn codecopy(&mut self, arguments: &[Expression], loc: Loc) -> Value<'c> {
        // solc's optimiser writes `datacopy` as what it is on the EVM.
        if text_of(&arguments[1], Builtin::Dataoffset).is_some() {
            return self.datacopy(arguments, loc);
        }
        if self.scope.role == Role::Runtime {
            return Err(Fault::at(
                loc,
                "`codecopy`: a contract cannot see its own code on this machine; for data of the object use `datacopy`",
            ));
        }
        if let ExpressionKind::Literal(from) = arguments[1].kind
            && from < Word::from(u128::from(HEADER))
        {
            return Err(Fault::at(loc, OWN_CODE));
        }
        let x = self.arguments(arguments)?;
        self.touch(x[0], x[2])?;
        let from = self.builder.build_int_sub(x[1], self.small(HEADER), "")?;
        self.copy("copy.calldata", x[0], from, x[2])
    }

    /// `datacopy(to, dataoffset("x"), datasize("x"))` of an object is one store of its hash.
    fn datacopy(&mut self, arguments: &[Expression], loc: Loc) -> Value<'c> {
        let size = match &arguments[2].kind {
            ExpressionKind::Variable(id) => self.sizes.get(id).copied(),
            _ => text_of(&arguments[2], Builtin::Datasize),
        };
        let offset = text_of(&arguments[1], Builtin::Dataoffset);
        if matches!(offset.and_then(|name| self.scope.symbols.get(name)), Some(Symbol::Own)) {
            return Err(Fault::at(loc, OWN_CODE));
        }
        if let Some(name) = offset.filter(|_| offset == size) {
            let hash = match self.scope.symbols.get(name) {
                Some(Symbol::Object(hash)) => Some(self.constant(*hash)),
                Some(Symbol::Unlinked) => self.link(name)?,
                _ => None,
            };
            if let Some(hash) = hash {
                let at = self.value(&arguments[0])?;
                self.touch(at, self.small(HEADER))?;
                return self.store_word(at, hash).map(|()| None);
            }
        }
        let x = self.arguments(arguments)?;
        self.touch(x[0], x[2])?;
        self.copy("copy.code", x[0], x[1], x[2])
    }

    /// Builtins with a name for an argument.
    fn named(&mut self, builtin: Builtin, arguments: &[Expression], loc: Loc) -> Value<'c> {
        let place = usize::from(builtin == Builtin::Setimmutable);
        let Some(ExpressionKind::Text(name)) = arguments.get(place).map(|a| &a.kind) else {
            return Err(Fault::at(loc, format!("`{}` takes a string literal", builtin.name())));
        };
        match builtin {
            Builtin::Datasize => Ok(Some(match self.symbol(name, loc)? {
                Symbol::Object(_) | Symbol::Own | Symbol::Unlinked => self.small(HEADER),
                Symbol::Data(bytes) => self.small(bytes.len() as u64),
            })),
            Builtin::Dataoffset => match self.symbol(name, loc)? {
                Symbol::Own => Ok(Some(self.small(0))),
                Symbol::Unlinked => Err(Fault::at(
                    loc,
                    format!(
                        "the hash of \"{name}\" depends on the address of a library: give it with --libraries"
                    ),
                )),
                Symbol::Object(hash) => {
                    let at = self.data.place(name, &hash.to_be_bytes());
                    self.plain("data", &[self.small(at.into())])
                }
                Symbol::Data(bytes) => {
                    let at = self.data.place(name, bytes);
                    self.plain("data", &[self.small(at.into())])
                }
            },
            Builtin::Linkersymbol => self.library(name),
            _ => {
                let index = self.scope.immutables.get(name);
                let index =
                    index.ok_or_else(|| Fault::at(loc, format!("the immutable \"{name}\" is never set")))?;
                let index = self.small((*index).into());
                if builtin == Builtin::Loadimmutable {
                    return self.plain("iload", &[index]);
                }
                let value = self.value(&arguments[2])?;
                // The place in memory is that of the code to be patched; here immutables live in state.
                self.value(&arguments[0])?;
                self.plain("istore", &[index, value])
            }
        }
    }

    fn library(&mut self, name: &str) -> Value<'c> {
        let short = name.rsplit(':').next().unwrap_or(name);
        let known = self.scope.libraries.get(name).or_else(|| self.scope.libraries.get(short));
        if let Some(address) = known {
            let mut bytes = [0; 32];
            bytes[12..].copy_from_slice(address);
            return Ok(Some(self.constant(Word::from_be_bytes(bytes))));
        }
        self.link(name)
    }

    /// A constant of the page that is left open.
    fn link(&mut self, name: &str) -> Value<'c> {
        let number = self.libraries.iter().position(|l| l == name).unwrap_or_else(|| {
            self.libraries.push(name.to_string());
            self.libraries.len() - 1
        });
        self.plain("library", &[self.small(number as u64)])
    }

    fn log(&mut self, x: &[IntValue<'c>]) -> Value<'c> {
        self.touch(x[0], x[1])?;
        let pointer = self.heap_pointer(x[0])?;
        let mut arguments: Vec<BasicMetadataValueEnum<'c>> = vec![pointer.into()];
        arguments.extend(x[1..].iter().map(|v| BasicMetadataValueEnum::from(*v)));
        self.extern_call(&format!("log{}", x.len() - 2), &arguments)
    }

    fn far(&mut self, builtin: Builtin, x: &[IntValue<'c>]) -> Value<'c> {
        let (name, head, input, output) = match (builtin, x) {
            (Builtin::Call, [gas, address, value, input, size, out, length]) => {
                ("call", vec![*gas, *address, *value], (*input, *size), Some((*out, *length)))
            }
            (Builtin::Staticcall, [gas, address, input, size, out, length]) => {
                ("staticcall", vec![*gas, *address], (*input, *size), Some((*out, *length)))
            }
            (Builtin::Delegatecall, [gas, address, input, size, out, length]) => {
                ("delegatecall", vec![*gas, *address], (*input, *size), Some((*out, *length)))
            }
            (Builtin::Create, [value, input, size]) => ("create", vec![*value], (*input, *size), None),
            (_, [value, input, size, _]) => ("create2", vec![*value], (*input, *size), None),
            _ => return Err(missing("the arguments of a call")),
        };
        self.touch(input.0, input.1)?;
        if let Some((out, length)) = output {
            self.touch(out, length)?;
        }
        let mut arguments: Vec<BasicMetadataValueEnum<'c>> = head.into_iter().map(Into::into).collect();
        arguments.push(self.heap_pointer(input.0)?.into());
        arguments.push(input.1.into());
        if let (Builtin::Create2, [.., salt]) = (builtin, x) {
            arguments.push((*salt).into());
        }
        let status = self.extern_call(name, &arguments)?;
        if let Some((out, length)) = output {
            // As much of what came back as fits; LLVM drops a copy of nothing.
            let size = self.plain("rdsize", &[])?.ok_or_else(|| missing("rdsize"))?;
            let less = self.builder.build_int_compare(IntPredicate::ULT, size, length, "")?;
            let length = self.builder.build_select(less, size, length, "")?.into_int_value();
            self.copy("copy.returndata", out, self.small(0), length)?;
        }
        Ok(status)
    }

    /// Builtins of a kernel whose first argument is part of the instruction.
    fn kernel(&mut self, builtin: Builtin, arguments: &[Expression], loc: Loc) -> Value<'c> {
        let Some(ExpressionKind::Literal(number)) = arguments.first().map(|a| &a.kind) else {
            return Err(Fault::at(loc, format!("`{}` takes a number literal", builtin.name())));
        };
        let number = if number.hi == 0 { u16::try_from(number.lo).ok() } else { None };
        let (known, what) = match builtin {
            Builtin::Mimiccall => {
                (number.is_some_and(|n| n <= FLAGS), "flags are sums of 1, 2, 4, 8, 16 and 32")
            }
            _ => (number.is_some_and(|n| KINDS.contains(&n)), "kinds are 1, 2, 3 and 6"),
        };
        let Some(number) = number.filter(|_| known) else {
            return Err(Fault::at(loc, format!("`{}`: its {what}", builtin.name())));
        };
        let x = self.arguments(&arguments[1..])?;
        match builtin {
            Builtin::Mimiccall if number & mimic::CALLDATA != 0 => {
                self.plain(&format!("mimiccall.calldata#{number}"), &x)
            }
            Builtin::Mimiccall => {
                self.touch(x[1], x[2])?;
                let mut operands: Vec<BasicMetadataValueEnum<'c>> =
                    x.iter().map(|v| BasicMetadataValueEnum::from(*v)).collect();
                operands[1] = self.heap_pointer(x[1])?.into();
                self.extern_call(&format!("mimiccall.heap#{number}"), &operands)
            }
            _ => self.plain(&format!("{}#{number}", builtin.name()), &x),
        }
    }

    fn ending(&mut self, builtin: Builtin, x: &[IntValue<'c>]) -> Value<'c> {
        let zero = self.small(0);
        let (name, offset, length) = match (builtin, x) {
            (Builtin::Return, [offset, length]) => ("return", *offset, *length),
            (Builtin::Revert, [offset, length]) => ("revert", *offset, *length),
            _ => ("return", zero, zero),
        };
        match builtin {
            Builtin::Invalid => self.plain("invalid", &[])?,
            Builtin::Selfdestruct => self.plain("selfdestruct", x)?,
            _ => {
                let pointer = self.heap_pointer(offset)?;
                self.extern_call(name, &[pointer.into(), length.into()])?
            }
        };
        self.builder.build_unreachable()?;
        self.dead()?;
        Ok(None)
    }

    fn environment(&mut self, builtin: Builtin, x: &[IntValue<'c>]) -> Value<'c> {
        use Builtin as B;
        let block = |number: u64| ("blockvalue", Some(number));
        let (name, number) = match builtin {
            B::Pop => return Ok(None),
            B::Sload => ("sload", None),
            B::Sstore => ("sstore", None),
            B::Tload => ("tload", None),
            B::Tstore => ("tstore", None),
            B::Gas => ("gas", None),
            B::Address => ("address", None),
            B::Balance => ("balance", None),
            B::Caller => ("caller", None),
            B::Callvalue => ("callvalue", None),
            B::Extcodesize => ("extcodesize", None),
            B::Extcodehash => ("extcodehash", None),
            B::Returndatasize => ("rdsize", None),
            B::Pagehash => ("pagehash.calldata", None),
            B::Calldatakeccak => ("keccak.calldata", None),
            B::Blockhash => ("blockhash", None),
            B::Blobhash => ("blobhash", None),
            B::Number => block(0),
            B::Timestamp => block(1),
            B::Basefee => block(2),
            B::Gaslimit => block(3),
            B::Prevrandao | B::Difficulty => block(4),
            B::Coinbase => block(5),
            B::Chainid => block(6),
            B::Blobbasefee => block(7),
            B::Origin => ("txvalue", Some(0)),
            B::Gasprice => ("txvalue", Some(1)),
            B::Selfbalance => {
                let own = self.plain("address", &[])?.ok_or_else(|| missing("address"))?;
                return self.plain("balance", &[own]);
            }
            _ => return Err(Fault::Llvm(format!("no lowering of `{}`", builtin.name()))),
        };
        match number {
            Some(number) => self.plain(name, &[self.small(number)]),
            None => self.plain(name, x),
        }
    }
}

/// The heap has no alignment.
fn unaligned(instruction: Option<inkwell::values::InstructionValue<'_>>) -> Result<(), Fault> {
    let instruction = instruction.ok_or_else(|| missing("a memory access"))?;
    instruction.set_alignment(1).map_err(|e| Fault::Llvm(e.to_string()))
}
