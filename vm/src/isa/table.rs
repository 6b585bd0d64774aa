//! The opcode table: every name of `docs/isa.md`, what runs and what is only reserved.
//! Numbers are frozen: a posted batch of yesterday must decode to the same meaning tomorrow.
use super::{Class, Family, Op, Operand, opcode};

/// Whether an opcode runs today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Executed and proven.
    Live,
    /// Numbered, refused before proving.
    Reserved,
}

/// Opcode numbers by name.
pub mod op {
    use super::super::{Class, opcode};
    macro_rules! codes {
        ($($name:ident = $class:ident $number:literal;)*) => {
            $(#[doc = concat!("`", stringify!($name), "`")] pub const $name: u16 = opcode(Class::$class, $number);)*
        };
    }
    codes! {
        ADD = R 1; SUB = R 2; MUL = R 3; LT = R 4; EQ = R 5; AND = R 6; OR = R 7; XOR = R 8; NOT = R 9;
        SHL = R 10; SHR = R 11; MOV = R 12; SETI = I 1; ADDI = B 1; SUBI = B 2; EQI = B 3; SHLI = B 4;
        BITS = B 5; CONST = C 1; JMP = J 1; JEQ = J 2; JNE = J 3; JLT = J 4; JGE = J 5; JEQI = K 1; JNEI = K 2;
        SELECT = R 32; NCALL = J 32; NRET = R 33; LD = B 32; ST = B 33; CDLOAD = R 34; CDSIZE = R 35;
        CALLER = R 36; ADDRESS = R 37; SLOAD = R 38; SSTORE = R 39; ALOAD = R 40; ASTORE = R 41;
        KECCAK = R 42; MIMICCALL = R 43; RETURN = R 44; REVERT = R 45;
    }
}

const fn live(name: &'static str, opcode: u16, family: Family, form: &'static [Operand]) -> Op {
    Op { name, opcode, family, form, status: Status::Live }
}

const fn reserved(name: &'static str, class: Class, number: u8, family: Family) -> Op {
    Op { name, opcode: opcode(class, number), family, form: &[], status: Status::Reserved }
}

use Family::{Alu, Call, Calldata, Control, Hash, Heap, Storage};
use Operand::{A, B, Constant, D, Imm, OptImm, Small, T, Target};

/// Every opcode with a name.
pub const OPS: &[Op] = &[
    live("add", op::ADD, Alu, &[D, A, B]),
    live("sub", op::SUB, Alu, &[D, A, B]),
    live("mul", op::MUL, Alu, &[D, A, B]),
    live("lt", op::LT, Alu, &[D, A, B]),
    live("eq", op::EQ, Alu, &[D, A, B]),
    live("and", op::AND, Alu, &[D, A, B]),
    live("or", op::OR, Alu, &[D, A, B]),
    live("xor", op::XOR, Alu, &[D, A, B]),
    live("not", op::NOT, Alu, &[D, A]),
    live("shl", op::SHL, Alu, &[D, A, B]),
    live("shr", op::SHR, Alu, &[D, A, B]),
    live("mov", op::MOV, Alu, &[D, A]),
    live("seti", op::SETI, Alu, &[D, T]),
    live("addi", op::ADDI, Alu, &[D, A, T]),
    live("subi", op::SUBI, Alu, &[D, A, T]),
    live("eqi", op::EQI, Alu, &[D, A, T]),
    live("shli", op::SHLI, Alu, &[D, A, T]),
    live("bits", op::BITS, Alu, &[D, A, T, Imm]),
    live("const", op::CONST, Alu, &[D, Constant]),
    live("select", op::SELECT, Alu, &[D, A, B]),
    live("jmp", op::JMP, Control, &[Target]),
    live("jeq", op::JEQ, Control, &[A, B, Target]),
    live("jne", op::JNE, Control, &[A, B, Target]),
    live("jlt", op::JLT, Control, &[A, B, Target]),
    live("jge", op::JGE, Control, &[A, B, Target]),
    live("jeqi", op::JEQI, Control, &[A, Small, Target]),
    live("jnei", op::JNEI, Control, &[A, Small, Target]),
    live("ncall", op::NCALL, Control, &[Target, Imm]),
    live("nret", op::NRET, Control, &[]),
    live("ld", op::LD, Heap, &[D, A, T]),
    live("st", op::ST, Heap, &[D, A, T]),
    live("cdload", op::CDLOAD, Calldata, &[D, A]),
    live("cdsize", op::CDSIZE, Calldata, &[D]),
    live("caller", op::CALLER, Calldata, &[D]),
    live("address", op::ADDRESS, Calldata, &[D]),
    live("sload", op::SLOAD, Storage, &[D, A]),
    live("sstore", op::SSTORE, Storage, &[A, B]),
    live("aload", op::ALOAD, Storage, &[D, A, Imm]),
    live("astore", op::ASTORE, Storage, &[A, B, Imm]),
    live("keccak", op::KECCAK, Hash, &[D, A, B, OptImm]),
    live("mimiccall", op::MIMICCALL, Call, &[D, A, B, OptImm]),
    live("return", op::RETURN, Call, &[A, B]),
    live("revert", op::REVERT, Call, &[A, B]),
    reserved("mulhi", Class::R, 64, Alu),
    reserved("div", Class::R, 65, Alu),
    reserved("mod", Class::R, 66, Alu),
    reserved("sdiv", Class::R, 67, Alu),
    reserved("smod", Class::R, 68, Alu),
    reserved("addmod", Class::R, 69, Alu),
    reserved("mulmod", Class::R, 70, Alu),
    reserved("exp", Class::R, 71, Alu),
    reserved("signextend", Class::R, 72, Alu),
    reserved("addo", Class::R, 73, Alu),
    reserved("subo", Class::R, 74, Alu),
    reserved("mulo", Class::R, 75, Alu),
    reserved("slt", Class::R, 76, Alu),
    reserved("sgt", Class::R, 77, Alu),
    reserved("byte", Class::R, 78, Alu),
    reserved("sar", Class::R, 79, Alu),
    reserved("rdload", Class::R, 80, Calldata),
    reserved("rdsize", Class::R, 81, Calldata),
    reserved("rdcopy", Class::R, 82, Calldata),
    reserved("tload", Class::R, 83, Storage),
    reserved("tstore", Class::R, 84, Storage),
    reserved("call", Class::R, 85, Call),
    reserved("staticcall", Class::R, 86, Call),
    reserved("delegatecall", Class::R, 87, Call),
    reserved("log", Class::R, 88, Storage),
    reserved("gas", Class::R, 89, Calldata),
    reserved("blockvalue", Class::R, 90, Calldata),
    reserved("txvalue", Class::R, 91, Calldata),
    reserved("precompile", Class::R, 92, Call),
    reserved("jslt", Class::J, 64, Control),
    reserved("jmps", Class::J, 65, Control),
    reserved("jmpfar", Class::J, 66, Control),
    reserved("ncallfar", Class::J, 67, Control),
    reserved("ldu", Class::B, 64, Heap),
    reserved("stu", Class::B, 65, Heap),
];

/// Row numbers by opcode; 255 for none.
const ROWS: [u8; 1024] = {
    let mut rows = [255; 1024];
    let mut i = 0;
    while i < OPS.len() {
        rows[OPS[i].opcode as usize] = i as u8;
        i += 1;
    }
    rows
};

/// The row of an opcode, if it has a name.
pub fn find(opcode: u16) -> Option<&'static Op> {
    OPS.get(usize::from(*ROWS.get(usize::from(opcode))?))
}

/// The name of an opcode that is reserved: its own, or that of its reserved number. `None` for the rest.
pub fn name_of(code: u16) -> Option<String> {
    if let Some(op) = find(code) {
        return Some(op.name.to_string());
    }
    let number = code & 127;
    let class = Class::of(code);
    let reserved = match class {
        Class::R | Class::J | Class::B => number >= 64,
        Class::C | Class::I => number >= 2,
        Class::K => number >= 3,
        Class::X6 | Class::X7 => false,
    };
    reserved.then(|| format!("reserved {class:?} {number}"))
}
