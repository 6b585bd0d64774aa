//! Instructions that change something, and those whose operands stand in neighbouring slots.
use super::{Selector, reg, src};
use crate::backend::lir::{Action, Dest, Op as Machine, Place, Reg, Src};
use crate::mir::{CopyFrom, FarCall, FunctionId, Instruction, Op, Operand, ValueId, mimic};
use lathe_vm::isa::op;

impl Selector<'_> {
    pub(super) fn effect(&mut self, instruction: &Instruction) {
        match &instruction.op {
            Op::Store(a, v) => self.store(op::ST, *a, *v),
            Op::Store8(a, v) => self.store(op::ST8, *a, *v),
            Op::StoreStorage(a, v) => self.two(op::SSTORE, *a, *v),
            Op::StoreTransient(a, v) => self.two(op::TSTORE, *a, *v),
            Op::StoreImmutable(n, v) => {
                self.op(Machine::new(op::ISTORE, Dest::Read(src(*v)), None, None).t(*n));
            }
            Op::SelfDestruct(a) => self.op(Machine::new(op::SELFDESTRUCT, Dest::None, Some(src(*a)), None)),
            Op::Copy { from, to, offset, length } => {
                let imm = match from {
                    CopyFrom::Heap => 0,
                    CopyFrom::Calldata => 1,
                    CopyFrom::Returndata => 2,
                    CopyFrom::Code => 3,
                };
                let d = Dest::Read(src(*to));
                self.op(Machine::new(op::COPY, d, Some(src(*offset)), Some(src(*length))).imm(imm));
            }
            Op::Log(offset, length, topics) => {
                let topics: Vec<Option<Operand>> = topics.iter().copied().map(Some).collect();
                let (first, more) = self.neighbours(&topics);
                let d = first.map_or(Dest::None, |r| Dest::Read(Src::Reg(r)));
                let mut log = Machine::new(op::LOG, d, Some(src(*offset)), Some(src(*length)));
                log.more = more;
                self.op(log.imm(topics.len() as u16));
            }
            Op::FarCall { kind, gas, address, value, offset, length } => {
                let (code, operands): (_, &[Operand]) = match kind {
                    FarCall::Call => (op::CALL, &[*offset, *length, *gas, *value]),
                    FarCall::Static => (op::STATICCALL, &[*offset, *length, *gas]),
                    FarCall::Delegate => (op::DELEGATECALL, &[*offset, *length, *gas]),
                };
                self.far(code, 0, &instruction.results, *address, operands);
            }
            Op::StoreAccount(kind, a, v) => {
                let store = Machine::new(op::ASTORE, Dest::None, Some(src(*a)), Some(src(*v)));
                self.op(store.imm(*kind));
            }
            Op::MimicCall { flags, to, block } => {
                let read = |i: &usize| match i {
                    3 => flags & mimic::VALUE != 0,
                    4 => flags & mimic::DEPLOY != 0,
                    5.. => flags & mimic::METERED != 0,
                    _ => true,
                };
                let slots = (0..block.len()).rev().find(|i| read(i)).map_or(0, |last| last + 1);
                let operands: Vec<Option<Operand>> =
                    (0..slots).map(|i| Some(block[i]).filter(|_| read(&i))).collect();
                self.call_with_block(op::MIMICCALL, *flags, &instruction.results, *to, &operands);
            }
            Op::Create { value, offset, length, salt: Some(salt) } => {
                self.far(op::CREATE, 1, &instruction.results, *offset, &[*length, *value, *salt]);
            }
            Op::Create { value, offset, length, salt: None } => {
                self.far(op::CREATE, 0, &instruction.results, *offset, &[*length, *value]);
            }
            Op::Call(callee, arguments) => self.call(*callee, arguments, &instruction.results),
            // The others have a result, and nothing to do without one.
            _ => {}
        }
    }

    fn store(&mut self, code: u16, address: Operand, value: Operand) {
        let (base, t) = self.address(address);
        self.op(Machine::new(code, Dest::Read(src(value)), Some(base), None).t(t));
    }

    fn two(&mut self, code: u16, a: Operand, b: Operand) {
        self.op(Machine::new(code, Dest::None, Some(src(a)), Some(src(b))));
    }

    /// Brings operands into neighbouring slots, of which some may be left out: the first register, and the others that
    /// are read.
    fn neighbours(&mut self, operands: &[Option<Operand>]) -> (Option<Reg>, Vec<Reg>) {
        if operands.is_empty() {
            return (None, Vec::new());
        }
        let group = self.out.group(operands.len(), Place::Anywhere);
        let regs = self.out.groups[group].regs.clone();
        let moves: Vec<(Reg, Src)> =
            regs.iter().zip(operands).filter_map(|(r, o)| Some((*r, src((*o)?)))).collect();
        let more = moves.iter().map(|(r, _)| *r).filter(|r| *r != regs[0]).collect();
        self.push(Action::Copy(moves));
        (Some(regs[0]), more)
    }

    fn far(&mut self, code: u16, imm: u16, results: &[ValueId], a: Operand, operands: &[Operand]) {
        let operands: Vec<Option<Operand>> = operands.iter().copied().map(Some).collect();
        self.call_with_block(code, imm, results, a, &operands);
    }

    /// An instruction that finds further operands in the slots from `[b]` on.
    fn call_with_block(
        &mut self,
        code: u16,
        imm: u16,
        results: &[ValueId],
        a: Operand,
        operands: &[Option<Operand>],
    ) {
        let (first, more) = self.neighbours(operands);
        let d = match results.first() {
            Some(r) => reg(*r),
            None => self.out.reg(),
        };
        let mut call = Machine::new(code, Dest::Write(d), Some(src(a)), first.map(Src::Reg));
        call.more = more;
        self.op(call.imm(imm));
    }

    fn call(&mut self, callee: FunctionId, arguments: &[Operand], results: &[ValueId]) {
        let returned = self.results.get(callee).map_or(results.len(), |n| *n as usize).max(results.len());
        let group = self.out.group(arguments.len().max(returned), Place::Call);
        let regs = self.out.groups[group].regs.clone();
        if !arguments.is_empty() {
            let moves = regs.iter().copied().zip(arguments.iter().map(|o| src(*o))).collect();
            self.push(Action::Copy(moves));
        }
        self.push(Action::Near { callee, group, arguments: arguments.len(), results: results.len() });
        if !results.is_empty() {
            let moves = results.iter().zip(&regs).map(|(r, s)| (reg(*r), Src::Reg(*s))).collect();
            self.push(Action::Copy(moves));
        }
    }
}
