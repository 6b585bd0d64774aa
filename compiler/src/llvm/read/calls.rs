//! Calls: of the functions that stand for instructions, of LLVM's intrinsics, of functions of the module.
use super::{Fault, Reader, nth, unknown, words};
use crate::llvm::externs::{self, PREFIX};
use crate::llvm::raw::Value;
use crate::mir::{Binary, CopyFrom, End, Env, FarCall, Instruction, Lookup, Op, Operand};

impl<'m> Reader<'m, '_> {
    /// Reads a call; answers the block's end if the call ends the context.
    pub(super) fn call(&mut self, i: Value<'m>) -> Result<Option<End>, Fault> {
        let callee = i.callee().ok_or_else(|| unknown("a call of an unknown function"))?;
        if let Some(function) = self.functions.get(&callee).copied() {
            self.near_call(function, i)?;
            return Ok(None);
        }
        let name = callee.name();
        let Some(name) = name.strip_prefix(PREFIX) else {
            self.intrinsic(&name, i)?;
            return Ok(None);
        };
        let x: Vec<Operand> = i.arguments().into_iter().map(|a| self.operand(a)).collect::<Result<_, _>>()?;
        if let Some(end) = self.ending(name, &x) {
            return Ok(Some(end));
        }
        let operand = match name {
            "data" | "library" | "iload" | "istore" | "blockvalue" | "txvalue" => {
                match self.numbered(name, nth(i, 0)?, &x)? {
                    Some(operand) => operand,
                    None => return Ok(None),
                }
            }
            _ => {
                let op = operation(name, &x).ok_or_else(|| unknown(format_args!("`{name}`")))?;
                if words(&i.ty())? == 0 {
                    self.effect(op);
                    return Ok(None);
                }
                self.emit(op)
            }
        };
        self.values.insert(i, vec![operand]);
        Ok(None)
    }

    fn near_call(&mut self, function: usize, i: Value<'m>) -> Result<(), Fault> {
        let mut arguments = Vec::new();
        for argument in i.arguments() {
            arguments.extend(self.operands(argument)?);
        }
        self.fresh_for(i)?;
        let results = self.operands(i)?;
        let results = results.into_iter().filter_map(|r| match r {
            Operand::Value(value) => Some(value),
            _ => None,
        });
        let op = Op::Call(function, arguments);
        self.instructions.push(Instruction { op, results: results.collect(), loc: self.loc });
        Ok(())
    }

    fn ending(&mut self, name: &str, x: &[Operand]) -> Option<End> {
        match (name, x) {
            ("return", [offset, length]) => Some(End::Finish(*offset, *length)),
            ("revert", [offset, length]) => Some(End::Revert(*offset, *length)),
            ("invalid", []) => Some(End::Invalid),
            ("selfdestruct", [to]) => {
                self.effect(Op::SelfDestruct(*to));
                Some(End::Unreachable)
            }
            _ => None,
        }
    }

    /// Functions whose first argument is a number that the instruction carries.
    fn numbered(&mut self, name: &str, number: Value<'m>, x: &[Operand]) -> Result<Option<Operand>, Fault> {
        let Some(Operand::Const(word)) = number.constant() else {
            return Err(unknown(format_args!("`{name}` of a variable")));
        };
        let number = u32::try_from(word.lo).map_err(|_| unknown("a number that large"))?;
        Ok(Some(match name {
            "data" => Operand::Data(number),
            "library" => Operand::Library(number),
            "iload" => self.emit(Op::LoadImmutable(number)),
            "blockvalue" => self.emit(Op::Env(Env::Block(number as u16))),
            "txvalue" => self.emit(Op::Env(Env::Tx(number as u16))),
            _ => {
                let value = x.get(1).copied().ok_or_else(|| unknown("an immutable without value"))?;
                self.effect(Op::StoreImmutable(number, value));
                return Ok(None);
            }
        }))
    }
}

/// The operation that a function stands for.
fn operation(name: &str, x: &[Operand]) -> Option<Op> {
    let (name, number) = externs::numbered(name);
    let copy = |from, to: &Operand, offset: &Operand, length: &Operand| Op::Copy {
        from,
        to: *to,
        offset: *offset,
        length: *length,
    };
    let far = |kind, gas: &Operand, address: &Operand, value, offset: &Operand, length: &Operand| {
        Op::FarCall { kind, gas: *gas, address: *address, value, offset: *offset, length: *length }
    };
    Some(match (name, x) {
        ("sdiv", [a, b]) => Op::Binary(Binary::Sdiv, *a, *b),
        ("smod", [a, b]) => Op::Binary(Binary::Smod, *a, *b),
        ("exp", [a, b]) => Op::Binary(Binary::Exp, *a, *b),
        ("byte", [a, b]) => Op::Binary(Binary::Byte, *a, *b),
        ("signextend", [a, b]) => Op::Binary(Binary::Signextend, *a, *b),
        ("addmod", [a, b, m]) => Op::AddMod(*a, *b, *m),
        ("mulmod", [a, b, m]) => Op::MulMod(*a, *b, *m),
        ("caller", []) => Op::Env(Env::Caller),
        ("address", []) => Op::Env(Env::Address),
        ("callvalue", []) => Op::Env(Env::Callvalue),
        ("cdsize", []) => Op::Env(Env::CalldataSize),
        ("rdsize", []) => Op::Env(Env::ReturndataSize),
        ("gas", []) => Op::Env(Env::Gas),
        ("cdload", [a]) => Op::Lookup(Lookup::Calldata, *a),
        ("sload", [a]) => Op::Lookup(Lookup::Storage, *a),
        ("tload", [a]) => Op::Lookup(Lookup::Transient, *a),
        ("balance", [a]) => Op::Lookup(Lookup::Balance, *a),
        ("extcodehash", [a]) => Op::Lookup(Lookup::CodeHash, *a),
        ("extcodesize", [a]) => Op::Lookup(Lookup::CodeSize, *a),
        ("blockhash", [a]) => Op::Lookup(Lookup::Blockhash, *a),
        ("blobhash", [a]) => Op::Lookup(Lookup::Blobhash, *a),
        ("sstore", [a, b]) => Op::StoreStorage(*a, *b),
        ("tstore", [a, b]) => Op::StoreTransient(*a, *b),
        ("keccak", [offset, length]) => Op::Keccak(*offset, *length),
        ("keccak.calldata", [offset, length]) => Op::KeccakCalldata(*offset, *length),
        ("sha256", [offset, length]) => Op::Sha256(*offset, *length),
        ("ecrecover", [offset]) => Op::Ecrecover(*offset),
        ("pagehash.calldata", [offset, length]) => Op::PageHashCalldata(*offset, *length),
        ("aload", [account]) => Op::LoadAccount(number, *account),
        ("astore", [account, value]) => Op::StoreAccount(number, *account, *value),
        ("mimiccall.heap" | "mimiccall.calldata", [to, block @ ..]) => {
            Op::MimicCall { flags: number, to: *to, block: block.try_into().ok()? }
        }
        ("st8", [address, value]) => Op::Store8(*address, *value),
        ("copy.heap", [to, offset, length]) => copy(CopyFrom::Heap, to, offset, length),
        ("copy.calldata", [to, offset, length]) => copy(CopyFrom::Calldata, to, offset, length),
        ("copy.code", [to, offset, length]) => copy(CopyFrom::Code, to, offset, length),
        ("copy.returndata", [to, offset, length]) => copy(CopyFrom::Returndata, to, offset, length),
        ("log0" | "log1" | "log2" | "log3" | "log4", [offset, length, topics @ ..]) => {
            Op::Log(*offset, *length, topics.to_vec())
        }
        ("call", [gas, address, value, offset, length]) => {
            far(FarCall::Call, gas, address, *value, offset, length)
        }
        ("staticcall", [gas, address, offset, length]) => {
            far(FarCall::Static, gas, address, super::ZERO, offset, length)
        }
        ("delegatecall", [gas, address, offset, length]) => {
            far(FarCall::Delegate, gas, address, super::ZERO, offset, length)
        }
        ("create", [value, offset, length]) => {
            Op::Create { value: *value, offset: *offset, length: *length, salt: None }
        }
        ("create2", [value, offset, length, salt]) => {
            Op::Create { value: *value, offset: *offset, length: *length, salt: Some(*salt) }
        }
        _ => return None,
    })
}
