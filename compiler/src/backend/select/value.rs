//! Instructions that compute one value: arithmetic, bits, selection, loads.
use super::{Selector, ZERO, imm14, reg, src};
use crate::backend::lir::{Dest, Op as Machine, Reg, Src};
use crate::backend::words;
use crate::mir::{Binary, Checked, Env, Instruction, Lookup, Op, Operand};
use lathe_vm::Word;
use lathe_vm::isa::{FIELD_LIMIT, op};

impl Selector<'_> {
    pub(super) fn instruction(&mut self, instruction: &Instruction) {
        let d = instruction.results.first().map(|r| reg(*r));
        match (&instruction.op, d) {
            (Op::Binary(kind, a, b), Some(d)) => self.binary(*kind, d, *a, *b),
            (Op::Checked(kind, a, b), Some(d)) => {
                let flag = instruction.results.get(1).map(|f| reg(*f));
                self.checked(*kind, d, flag, *a, *b);
            }
            (Op::Bits { value, from, count }, Some(d)) => {
                self.bits(d, src(*value), u32::from(*from), u32::from(*count));
            }
            (Op::Select { condition, yes, no }, Some(d)) => self.select(d, *condition, *yes, *no),
            (Op::AddMod(a, b, m), Some(d)) => self.change(op::ADDMOD, d, src(*m), src(*a), src(*b)),
            (Op::MulMod(a, b, m), Some(d)) => self.change(op::MULMOD, d, src(*m), src(*a), src(*b)),
            (Op::Load(a), Some(d)) => {
                let (base, t) = self.address(*a);
                self.write_imm(op::LD, d, base, t);
            }
            (Op::Keccak(a, b), Some(d)) => self.write(op::KECCAK, d, src(*a), src(*b)),
            (Op::KeccakCalldata(a, b), Some(d)) => self.of_calldata(op::KECCAK, d, *a, *b),
            (Op::PageHashCalldata(a, b), Some(d)) => self.of_calldata(op::PAGEHASH, d, *a, *b),
            (Op::Sha256(a, b), Some(d)) => self.write(op::SHA256, d, src(*a), src(*b)),
            (Op::Ecrecover(a), Some(d)) => {
                self.op(Machine::new(op::ECRECOVER, Dest::Write(d), Some(src(*a)), None));
            }
            (Op::LoadAccount(kind, a), Some(d)) => {
                self.op(Machine::new(op::ALOAD, Dest::Write(d), Some(src(*a)), None).imm(*kind));
            }
            (Op::Env(env), Some(d)) => self.env(*env, d),
            (Op::Lookup(kind, a), Some(d)) => self.lookup(*kind, d, *a),
            (Op::LoadImmutable(n), Some(d)) => {
                self.op(Machine::new(op::ILOAD, Dest::Write(d), None, None).t(*n));
            }
            _ => self.effect(instruction),
        }
    }

    /// The form of an instruction that reads calldata, not the heap.
    fn of_calldata(&mut self, code: u16, d: Reg, offset: Operand, length: Operand) {
        self.op(Machine::new(code, Dest::Write(d), Some(src(offset)), Some(src(length))).imm(1));
    }

    fn binary(&mut self, kind: Binary, d: Reg, a: Operand, b: Operand) {
        if self.binary_imm(kind, d, a, b) {
            return;
        }
        let code = match kind {
            Binary::Add => op::ADD,
            Binary::Sub => op::SUB,
            Binary::Mul => op::MUL,
            Binary::Mulhi => op::MULHI,
            Binary::Div => op::DIV,
            Binary::Mod => op::MOD,
            Binary::Sdiv => op::SDIV,
            Binary::Smod => op::SMOD,
            Binary::Exp => op::EXP,
            Binary::And => op::AND,
            Binary::Or => op::OR,
            Binary::Xor => op::XOR,
            Binary::Shl => op::SHL,
            Binary::Shr => op::SHR,
            Binary::Sar => op::SAR,
            Binary::Lt => op::LT,
            Binary::Slt => op::SLT,
            Binary::Eq => op::EQ,
            Binary::Byte => op::BYTE,
            Binary::Signextend => op::SIGNEXTEND,
        };
        self.write(code, d, src(a), src(b));
    }

    /// The form with an immediate, if there is one that is as quick.
    fn binary_imm(&mut self, kind: Binary, d: Reg, a: Operand, b: Operand) -> bool {
        let constant = |o: Operand| if let Operand::Const(w) = o { Some(w) } else { None };
        match (kind, constant(a), constant(b)) {
            (Binary::Add, _, Some(c)) => self.add(d, a, c),
            (Binary::Add, Some(c), None) => self.add(d, b, c),
            (Binary::Sub, _, Some(c)) => self.add(d, a, words::negated(c)),
            (Binary::Sub, Some(words::MAX), None) => self.not(d, b),
            (Binary::Xor, _, Some(c)) => self.xor(d, a, c),
            (Binary::Xor, Some(c), None) => self.xor(d, b, c),
            (Binary::And, _, Some(c)) => self.and(d, a, c),
            (Binary::And, Some(c), None) => self.and(d, b, c),
            (Binary::Mul, _, Some(c)) => self.shift_left(d, a, words::power_of_two(c)),
            (Binary::Mul, Some(c), None) => self.shift_left(d, b, words::power_of_two(c)),
            (Binary::Shl, _, Some(c)) => self.shift_left(d, a, words::shift(c)),
            (Binary::Shr, _, Some(c)) => self.shift_right(d, a, words::shift(c)),
            (Binary::Div, _, Some(c)) => self.shift_right(d, a, words::power_of_two(c)),
            (Binary::Mod, _, Some(c)) => match words::power_of_two(c) {
                Some(n @ 1..) => self.bits(d, src(a), 0, n),
                _ => false,
            },
            (Binary::Byte, Some(c), _) => match words::below(c, 32) {
                Some(n) => self.bits(d, src(b), 8 * (31 - n), 8),
                None => false,
            },
            (Binary::Lt, _, _) => self.less(d, a, b),
            (Binary::Eq, _, _) => self.equal(d, a, b),
            _ => false,
        }
    }

    fn add(&mut self, d: Reg, a: Operand, c: Word) -> bool {
        if let Some(t) = words::below(c, FIELD_LIMIT) {
            self.write_imm(op::ADDI, d, src(a), t);
        } else if let Some(t) = words::below(words::negated(c), FIELD_LIMIT) {
            self.write_imm(op::SUBI, d, src(a), t);
        } else {
            return false;
        }
        true
    }

    fn not(&mut self, d: Reg, a: Operand) -> bool {
        self.op(Machine::new(op::NOT, Dest::Write(d), Some(src(a)), None));
        true
    }

    fn xor(&mut self, d: Reg, a: Operand, c: Word) -> bool {
        if c == words::MAX {
            return self.not(d, a);
        }
        let flips = c == words::ONE && self.facts.boolean(a, 0);
        if flips {
            self.negate(d, a);
        }
        flips
    }

    fn and(&mut self, d: Reg, a: Operand, c: Word) -> bool {
        match words::low_mask(c) {
            Some(n) => self.bits(d, src(a), 0, n),
            None => false,
        }
    }

    fn shift_left(&mut self, d: Reg, a: Operand, n: Option<u32>) -> bool {
        if let Some(n) = n {
            self.write_imm(op::SHLI, d, src(a), n);
        }
        n.is_some()
    }

    fn shift_right(&mut self, d: Reg, a: Operand, n: Option<u32>) -> bool {
        n.is_some_and(|n| self.bits(d, src(a), n, 256 - n))
    }

    /// `bits`; always true, for the tables above.
    pub(super) fn bits(&mut self, d: Reg, a: Src, from: u32, count: u32) -> bool {
        self.op(Machine::new(op::BITS, Dest::Write(d), Some(a), None).t(from).imm(count as u16));
        true
    }

    fn less(&mut self, d: Reg, a: Operand, b: Operand) -> bool {
        match (imm14(a), imm14(b)) {
            (_, Some(b)) => self.write_imm(op::LTI, d, src(a), b),
            (Some(a), None) => self.write_imm(op::GTI, d, src(b), a),
            (None, None) => return false,
        }
        true
    }

    fn equal(&mut self, d: Reg, a: Operand, b: Operand) -> bool {
        match (imm14(a), imm14(b)) {
            (_, Some(0)) => self.negate(d, a),
            (Some(0), _) => self.negate(d, b),
            (_, Some(b)) => self.write_imm(op::EQI, d, src(a), b),
            (Some(a), None) => self.write_imm(op::EQI, d, src(b), a),
            (None, None) => return false,
        }
        true
    }

    /// 1 if `a` is zero; the negation of a comparison with a constant is another one.
    fn negate(&mut self, d: Reg, a: Operand) {
        match self.facts.op(a) {
            Some(Op::Binary(Binary::Lt, x, y)) => match (imm14(*x), imm14(*y)) {
                (_, Some(y @ 1..)) => return self.write_imm(op::GTI, d, src(*x), y - 1),
                (Some(x), None) if u64::from(x) + 1 < FIELD_LIMIT => {
                    return self.write_imm(op::LTI, d, src(*y), x + 1);
                }
                _ => {}
            },
            Some(op) => {
                if let Some(inner) = self.facts.negation(op) {
                    return match self.facts.boolean(inner, 0) {
                        true => self.copy(d, src(inner)),
                        false => self.write_imm(op::GTI, d, src(inner), 0),
                    };
                }
            }
            None => {}
        }
        self.write_imm(op::EQI, d, src(a), 0);
    }

    /// Result, and the overflow flag as a value.
    fn checked(&mut self, kind: Checked, d: Reg, flag: Option<Reg>, a: Operand, b: Operand) {
        // The sum is compared with a summand that is still a register, so that neither is changed in between.
        let (a, b) = if matches!(b, Operand::Const(_)) || kind == Checked::Sub { (a, b) } else { (b, a) };
        match kind {
            Checked::Add => {
                self.binary(Binary::Add, d, a, b);
                if let Some(flag) = flag {
                    self.write(op::LT, flag, Src::Reg(d), src(a));
                }
            }
            Checked::Sub => {
                self.binary(Binary::Sub, d, a, b);
                if let Some(flag) = flag {
                    self.binary(Binary::Lt, flag, a, b);
                }
            }
            Checked::Mul => {
                self.binary(Binary::Mul, d, a, b);
                if let Some(flag) = flag {
                    let high = self.out.reg();
                    self.write(op::MULHI, high, src(a), src(b));
                    self.write_imm(op::GTI, flag, Src::Reg(high), 0);
                }
            }
        }
    }

    fn select(&mut self, d: Reg, condition: Operand, yes: Operand, no: Operand) {
        if let Operand::Const(w) = condition {
            return self.copy(d, src(if w.is_zero() { no } else { yes }));
        }
        let (mut condition, mut yes, mut no) = (condition, yes, no);
        while let Some(inner) = self.facts.op(condition).and_then(|op| self.facts.negation(op)) {
            (condition, yes, no) = (inner, no, yes);
        }
        if matches!(condition, Operand::Const(_)) {
            return self.select(d, condition, yes, no);
        }
        self.change(op::SELECT, d, src(condition), src(yes), src(no));
    }

    /// An instruction that finds a third operand in its destination.
    fn change(&mut self, code: u16, d: Reg, old: Src, a: Src, b: Src) {
        // A register of its own: `d` has one definition in the MIR, and so has `old`.
        let both = self.out.reg();
        self.copy(both, old);
        self.op(Machine::new(code, Dest::Change(both), Some(a), Some(b)));
        self.copy(d, Src::Reg(both));
    }

    /// Base and constant of an address.
    pub(super) fn address(&self, operand: Operand) -> (Src, u32) {
        if let Some(t) = imm14(operand) {
            return (ZERO, t);
        }
        match self.facts.sum(operand) {
            Some((base, c)) => match words::below(c, FIELD_LIMIT) {
                Some(t) => (src(base), t),
                None => (src(operand), 0),
            },
            None => (src(operand), 0),
        }
    }

    fn lookup(&mut self, kind: Lookup, d: Reg, a: Operand) {
        let code = match kind {
            Lookup::Calldata => {
                return match self.address(a) {
                    (base, 0) => self.op(Machine::new(op::CDLOAD, Dest::Write(d), Some(base), None)),
                    (base, t) => self.write_imm(op::CDLD, d, base, t),
                };
            }
            Lookup::Storage => op::SLOAD,
            Lookup::Transient => op::TLOAD,
            Lookup::Balance => op::BALANCE,
            Lookup::CodeHash => op::EXTCODEHASH,
            Lookup::CodeSize => op::EXTCODESIZE,
            Lookup::Blockhash => op::BLOCKHASH,
            Lookup::Blobhash => op::BLOBHASH,
        };
        self.op(Machine::new(code, Dest::Write(d), Some(src(a)), None));
    }

    fn env(&mut self, env: Env, d: Reg) {
        let (code, imm) = match env {
            Env::Caller => (op::CALLER, 0),
            Env::Address => (op::ADDRESS, 0),
            Env::Callvalue => (op::CALLVALUE, 0),
            Env::CalldataSize => (op::CDSIZE, 0),
            Env::ReturndataSize => (op::RDSIZE, 0),
            Env::Gas => (op::GAS, 0),
            Env::Block(n) => (op::BLOCKVALUE, n),
            Env::Tx(n) => (op::TXVALUE, n),
        };
        self.op(Machine::new(code, Dest::Write(d), None, None).imm(imm));
    }
}
