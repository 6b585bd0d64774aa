//! Walks over what MIR operations read.
use crate::mir::{Block, End, Op, Operand};

/// Calls `f` with the operands of an operation, in order.
pub fn operands(op: &Op, mut f: impl FnMut(Operand)) {
    match op {
        Op::Env(_) | Op::LoadImmutable(_) => {}
        Op::Load(a)
        | Op::Lookup(_, a)
        | Op::StoreImmutable(_, a)
        | Op::SelfDestruct(a)
        | Op::Ecrecover(a)
        | Op::LoadAccount(_, a)
        | Op::Bits { value: a, .. } => f(*a),
        Op::Binary(_, a, b)
        | Op::Checked(_, a, b)
        | Op::Store(a, b)
        | Op::Store8(a, b)
        | Op::Keccak(a, b)
        | Op::KeccakCalldata(a, b)
        | Op::Sha256(a, b)
        | Op::PageHashCalldata(a, b)
        | Op::StoreAccount(_, a, b)
        | Op::StoreStorage(a, b)
        | Op::StoreTransient(a, b) => [a, b].into_iter().for_each(|o| f(*o)),
        Op::Select { condition: a, yes: b, no: c }
        | Op::AddMod(a, b, c)
        | Op::MulMod(a, b, c)
        | Op::Copy { to: a, offset: b, length: c, .. } => [a, b, c].into_iter().for_each(|o| f(*o)),
        Op::Log(a, b, topics) => [a, b].into_iter().chain(topics).for_each(|o| f(*o)),
        Op::FarCall { gas, address, value, offset, length, .. } => {
            [gas, address, value, offset, length].into_iter().for_each(|o| f(*o));
        }
        Op::Create { value, offset, length, salt } => {
            [value, offset, length].into_iter().chain(salt).for_each(|o| f(*o));
        }
        Op::MimicCall { to, block, .. } => std::iter::once(to).chain(block).for_each(|o| f(*o)),
        Op::Call(_, arguments) => arguments.iter().for_each(|o| f(*o)),
    }
}

/// Calls `f` with the operands of an operation, in order, to change them.
pub fn operands_mut(op: &mut Op, mut f: impl FnMut(&mut Operand)) {
    match op {
        Op::Env(_) | Op::LoadImmutable(_) => {}
        Op::Load(a)
        | Op::Lookup(_, a)
        | Op::StoreImmutable(_, a)
        | Op::SelfDestruct(a)
        | Op::Ecrecover(a)
        | Op::LoadAccount(_, a)
        | Op::Bits { value: a, .. } => f(a),
        Op::Binary(_, a, b)
        | Op::Checked(_, a, b)
        | Op::Store(a, b)
        | Op::Store8(a, b)
        | Op::Keccak(a, b)
        | Op::KeccakCalldata(a, b)
        | Op::Sha256(a, b)
        | Op::PageHashCalldata(a, b)
        | Op::StoreAccount(_, a, b)
        | Op::StoreStorage(a, b)
        | Op::StoreTransient(a, b) => [a, b].into_iter().for_each(f),
        Op::Select { condition: a, yes: b, no: c }
        | Op::AddMod(a, b, c)
        | Op::MulMod(a, b, c)
        | Op::Copy { to: a, offset: b, length: c, .. } => [a, b, c].into_iter().for_each(f),
        Op::Log(a, b, topics) => [a, b].into_iter().chain(topics).for_each(f),
        Op::FarCall { gas, address, value, offset, length, .. } => {
            [gas, address, value, offset, length].into_iter().for_each(f);
        }
        Op::Create { value, offset, length, salt } => {
            [value, offset, length].into_iter().chain(salt).for_each(f);
        }
        Op::MimicCall { to, block, .. } => std::iter::once(to).chain(block).for_each(f),
        Op::Call(_, arguments) => arguments.iter_mut().for_each(f),
    }
}

/// Calls `f` with the operands of the end of a block.
pub fn end_operands(end: &End, mut f: impl FnMut(Operand)) {
    match end {
        End::Jump(_) | End::Invalid | End::Unreachable => {}
        End::Branch { condition: a, .. } | End::Switch { value: a, .. } => f(*a),
        End::Return(values) => values.iter().for_each(|o| f(*o)),
        End::Finish(a, b) | End::Revert(a, b) => [a, b].into_iter().for_each(|o| f(*o)),
    }
}

/// Calls `f` with the operands of the end of a block, to change them.
pub fn end_operands_mut(end: &mut End, mut f: impl FnMut(&mut Operand)) {
    match end {
        End::Jump(_) | End::Invalid | End::Unreachable => {}
        End::Branch { condition: a, .. } | End::Switch { value: a, .. } => f(a),
        End::Return(values) => values.iter_mut().for_each(f),
        End::Finish(a, b) | End::Revert(a, b) => [a, b].into_iter().for_each(f),
    }
}

/// Successors of a block; one that several edges lead to is listed several times.
pub fn successors(block: &Block) -> Vec<usize> {
    match &block.end {
        End::Jump(to) => vec![*to],
        End::Branch { yes, no, .. } => vec![*yes, *no],
        End::Switch { cases, default, .. } => cases.iter().map(|(_, to)| *to).chain([*default]).collect(),
        End::Return(_) | End::Finish(..) | End::Revert(..) | End::Invalid | End::Unreachable => Vec::new(),
    }
}
