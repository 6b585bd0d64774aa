//! The opcode table: every name of `docs/isa.md`, what runs and what is only reserved.
//! Numbers are frozen: a posted batch of yesterday must decode to the same meaning tomorrow.
use super::{Class, Family, Instruction, Op, Operand, SLOT_FIELDS, opcode};

/// Whether an opcode runs today; in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub enum Status {
    /// Executed and proven.
    Live,
    /// Executed and traced; no chip yet, so a batch that uses it is refused before proving.
    Executed,
    /// Numbered, refused by the machine. One with operands has its encoding settled, and the compiler emits it.
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
        MULHI = R 64; DIV = R 65; MOD = R 66; SDIV = R 67; SMOD = R 68; ADDMOD = R 69; MULMOD = R 70; EXP = R 71;
        SIGNEXTEND = R 72; ADDO = R 73; SUBO = R 74; MULO = R 75; SLT = R 76; BYTE = R 78; SAR = R 79;
        COPY = R 80; RDSIZE = R 81; TLOAD = R 83; TSTORE = R 84; CALL = R 85; STATICCALL = R 86;
        DELEGATECALL = R 87; LOG = R 88; GAS = R 89; BLOCKVALUE = R 90; TXVALUE = R 91; CALLVALUE = R 94;
        ECRECOVER = R 92; SHA256 = R 93;
        BALANCE = R 95; EXTCODEHASH = R 97; EXTCODESIZE = R 98; CREATE = R 99; SELFDESTRUCT = R 100;
        BLOCKHASH = R 101; BLOBHASH = R 102; PAGEHASH = R 103;
        SETL = I 64; ILOAD = I 65; ISTORE = I 66; JSLT = J 64; JSGE = J 67;
        LTI = B 64; GTI = B 65; CDLD = B 66; ST8 = B 68; JLTI = K 64; JGEI = K 65;
    }
}

const fn live(name: &'static str, opcode: u16, family: Family, form: &'static [Operand]) -> Op {
    Op { name, opcode, family, form, status: Status::Live }
}

const fn executed(name: &'static str, opcode: u16, family: Family, form: &'static [Operand]) -> Op {
    Op { name, opcode, family, form, status: Status::Executed }
}

const fn reserved(name: &'static str, opcode: u16, family: Family, form: &'static [Operand]) -> Op {
    Op { name, opcode, family, form, status: Status::Reserved }
}

use Family::{Alu, Call, Calldata, Control, Hash, Heap, Near, Storage};
use Operand::{A, B, Constant, D, Forward, Imm, OptImm, Small, T, Target};

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
    live("ncall", op::NCALL, Near, &[Target, Imm]),
    live("nret", op::NRET, Near, &[]),
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
    executed("mulhi", op::MULHI, Alu, &[D, A, B]),
    executed("div", op::DIV, Alu, &[D, A, B]),
    executed("mod", op::MOD, Alu, &[D, A, B]),
    executed("sdiv", op::SDIV, Alu, &[D, A, B]),
    executed("smod", op::SMOD, Alu, &[D, A, B]),
    executed("addmod", op::ADDMOD, Alu, &[D, A, B]),
    executed("mulmod", op::MULMOD, Alu, &[D, A, B]),
    executed("exp", op::EXP, Alu, &[D, A, B]),
    executed("signextend", op::SIGNEXTEND, Alu, &[D, A, B]),
    executed("slt", op::SLT, Alu, &[D, A, B]),
    executed("byte", op::BYTE, Alu, &[D, A, B]),
    executed("sar", op::SAR, Alu, &[D, A, B]),
    executed("lti", op::LTI, Alu, &[D, A, T]),
    executed("gti", op::GTI, Alu, &[D, A, T]),
    executed("setl", op::SETL, Alu, &[D, T, Imm]),
    executed("addo", op::ADDO, Control, &[D, A, B, Forward]),
    executed("subo", op::SUBO, Control, &[D, A, B, Forward]),
    executed("mulo", op::MULO, Control, &[D, A, B, Forward]),
    executed("jslt", op::JSLT, Control, &[A, B, Target]),
    executed("jsge", op::JSGE, Control, &[A, B, Target]),
    executed("jlti", op::JLTI, Control, &[A, Small, Target]),
    executed("jgei", op::JGEI, Control, &[A, Small, Target]),
    executed("st8", op::ST8, Heap, &[D, A, T]),
    executed("copy", op::COPY, Heap, &[D, A, B, Imm]),
    executed("cdld", op::CDLD, Calldata, &[D, A, T]),
    executed("rdsize", op::RDSIZE, Calldata, &[D]),
    executed("callvalue", op::CALLVALUE, Calldata, &[D]),
    executed("gas", op::GAS, Calldata, &[D]),
    executed("blockvalue", op::BLOCKVALUE, Calldata, &[D, Imm]),
    executed("txvalue", op::TXVALUE, Calldata, &[D, Imm]),
    executed("blockhash", op::BLOCKHASH, Calldata, &[D, A]),
    executed("blobhash", op::BLOBHASH, Calldata, &[D, A]),
    executed("tload", op::TLOAD, Storage, &[D, A]),
    executed("tstore", op::TSTORE, Storage, &[A, B]),
    executed("balance", op::BALANCE, Storage, &[D, A]),
    executed("extcodehash", op::EXTCODEHASH, Storage, &[D, A]),
    executed("extcodesize", op::EXTCODESIZE, Storage, &[D, A]),
    executed("iload", op::ILOAD, Storage, &[D, T]),
    executed("istore", op::ISTORE, Storage, &[D, T]),
    executed("ecrecover", op::ECRECOVER, Hash, &[D, A]),
    executed("sha256", op::SHA256, Hash, &[D, A, B]),
    executed("pagehash", op::PAGEHASH, Hash, &[D, A, B, OptImm]),
    executed("log", op::LOG, Call, &[D, A, B, Imm]),
    executed("call", op::CALL, Call, &[D, A, B]),
    executed("staticcall", op::STATICCALL, Call, &[D, A, B]),
    executed("delegatecall", op::DELEGATECALL, Call, &[D, A, B]),
    executed("create", op::CREATE, Call, &[D, A, B, Imm]),
    executed("selfdestruct", op::SELFDESTRUCT, Call, &[A]),
    reserved("jmps", opcode(Class::J, 65), Control, &[]),
    reserved("jmpfar", opcode(Class::J, 66), Control, &[]),
    reserved("ncallfar", opcode(Class::J, 68), Control, &[]),
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

/// What the machine must know of an opcode before it runs it.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// The bits of the instruction word that name slots, and those of `imm` if the instruction has a use for it.
    used: u64,
    /// Gas of a step, see [`super::price::base`].
    pub price: u32,
    /// Chapter of the machine.
    pub family: Family,
    /// Whether it runs; numbers without a name are reserved here.
    pub status: Status,
}

impl Traits {
    /// The fields `a`, `b`, `d` of a word of this opcode, zero where they do not name slots; as [`Instruction::slots`].
    #[inline(always)]
    pub fn slots(self, word: u64) -> [u16; 3] {
        let i = Instruction::decode(word & self.used);
        [i.a, i.b, i.d]
    }

    /// True if a word of this opcode has an `imm` without a use for it.
    #[inline(always)]
    pub fn is_stray(self, word: u64) -> bool {
        word & !self.used & IMM != 0
    }
}

/// The bits of the `imm` field.
const IMM: u64 = Instruction { opcode: 0, imm: u16::MAX, d: 0, a: 0, b: 0 }.encode();

/// The traits by opcode, in sixteen kilobytes: the table that every step looks into.
static TRAITS: [Traits; 1024] = {
    let unnamed = Traits { family: Alu, status: Status::Reserved, used: 0, price: 0 };
    let mut traits = [unnamed; 1024];
    let mut opcode = 0;
    while opcode < traits.len() {
        let [a, b, d] = SLOT_FIELDS[opcode >> 7];
        traits[opcode].used = Instruction { opcode: 0, imm: 0, d, a, b }.encode() | IMM;
        opcode += 1;
    }
    let mut i = 0;
    while i < OPS.len() {
        let op = &OPS[i];
        let row = &mut traits[op.opcode as usize];
        row.family = op.family;
        row.status = op.status;
        row.price = super::price::base(op.opcode);
        if !op.uses_imm() {
            row.used &= !IMM;
        }
        i += 1;
    }
    traits
};

/// The traits of an opcode.
#[inline(always)]
pub fn traits(opcode: u16) -> Traits {
    TRAITS[usize::from(opcode & 1023)]
}

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
