//! Instruction words: encoding, decoding, and what each opcode is called. `docs/isa.md` is the specification.
//! Decoding is total: every 64-bit pattern has fields; whether an opcode means anything is the table's business.
pub mod price;
mod table;

pub use table::{OPS, Status, Traits, find, name_of, op, traits};

/// Slot offsets, jump targets and 14-bit immediates stay below this.
pub const FIELD_LIMIT: u64 = 1 << 14;
/// The `imm` field stays below this.
pub const IMM_LIMIT: u64 = 1 << 12;
/// A jump field of this value continues at `pc + 1`.
pub const JUMP_BIAS: i64 = 8192;
/// Frame pointers stay below this.
pub const FRAME_LIMIT: u64 = 1 << 20;
/// A page's length is a multiple of this.
pub const PAGE_UNIT: usize = 12;
/// The longest page, in words.
pub const MAX_PAGE: usize = PAGE_UNIT * 1365;

/// How an instruction uses its three offset fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Class {
    /// Three slots.
    R = 0,
    /// Two slots read, a jump target.
    J = 1,
    /// One slot written, a 28-bit immediate.
    I = 2,
    /// A slot written, a slot read, a 14-bit immediate.
    B = 3,
    /// A slot written, a constant of the page.
    C = 4,
    /// A slot read, a 14-bit immediate, a jump target.
    K = 5,
    /// No instruction; operands as in R.
    X6 = 6,
    /// No instruction; operands as in R.
    X7 = 7,
}

impl Class {
    /// The class of an opcode.
    #[inline(always)]
    pub fn of(opcode: u16) -> Class {
        [Class::R, Class::J, Class::I, Class::B, Class::C, Class::K, Class::X6, Class::X7]
            [usize::from(opcode >> 7 & 7)]
    }
}

/// By class: all ones for the fields `a`, `b`, `d` that name slots.
const SLOT_FIELDS: [[u16; 3]; 8] = {
    const SLOT: u16 = u16::MAX;
    [
        [SLOT, SLOT, SLOT],
        [SLOT, SLOT, 0],
        [0, 0, SLOT],
        [SLOT, 0, SLOT],
        [0, SLOT, SLOT],
        [SLOT, 0, 0],
        [SLOT, SLOT, SLOT],
        [SLOT, SLOT, SLOT],
    ]
};

/// By class: all ones for the fields `a`, `b`, `d` that `T` is made of, and where `b` goes in it.
const T_FIELDS: [[u16; 4]; 8] = {
    const PART: u16 = u16::MAX;
    [
        [0, 0, 0, 0],
        [0, 0, PART, 0],
        [PART, PART, 0, 14],
        [0, PART, 0, 0],
        [PART, 0, 0, 0],
        [0, PART, PART, 14],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]
};

/// Ten bits: class and number within the class.
pub const fn opcode(class: Class, number: u8) -> u16 {
    (class as u16) << 7 | (number & 127) as u16
}

/// The fields of an instruction word, as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Instruction {
    /// Ten bits.
    pub opcode: u16,
    /// Twelve bits.
    pub imm: u16,
    /// Fourteen bits: destination, or jump target.
    pub d: u16,
    /// Fourteen bits.
    pub a: u16,
    /// Fourteen bits.
    pub b: u16,
}

impl Instruction {
    /// Splits a word into its fields; every word has them.
    #[inline(always)]
    pub const fn decode(word: u64) -> Instruction {
        Instruction {
            opcode: (word & 0x3ff) as u16,
            imm: (word >> 10 & 0xfff) as u16,
            d: (word >> 22 & 0x3fff) as u16,
            a: (word >> 36 & 0x3fff) as u16,
            b: (word >> 50) as u16,
        }
    }

    /// Packs the fields; bits beyond a field's width are dropped.
    pub const fn encode(self) -> u64 {
        (self.opcode as u64 & 0x3ff)
            | (self.imm as u64 & 0xfff) << 10
            | (self.d as u64 & 0x3fff) << 22
            | (self.a as u64 & 0x3fff) << 36
            | (self.b as u64 & 0x3fff) << 50
    }

    /// Class of the opcode.
    #[inline(always)]
    pub fn class(self) -> Class {
        Class::of(self.opcode)
    }

    /// Offsets of the slots that stand for `a`, `b`, `d`: fields used for `T` read as operand 0.
    #[inline(always)]
    pub fn slots(self) -> (u16, u16, u16) {
        let [a, b, d] = SLOT_FIELDS[usize::from(self.opcode >> 7 & 7)];
        (self.a & a, self.b & b, self.d & d)
    }

    /// The immediate `T` without the page number that class C adds at run time.
    #[inline(always)]
    pub fn t(self) -> u64 {
        let [a, b, d, shift] = T_FIELDS[usize::from(self.opcode >> 7 & 7)];
        u64::from(self.a & a) | u64::from(self.b & b) << shift | u64::from(self.d & d)
    }
}

/// Which chapter of the machine executes an opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Arithmetic, comparison, bits, moves.
    Alu,
    /// Jumps, and arithmetic that jumps on overflow.
    Control,
    /// Near calls.
    Near,
    /// Heap loads and stores.
    Heap,
    /// Calldata and context registers.
    Calldata,
    /// State cells.
    Storage,
    /// Hashes and signatures.
    Hash,
    /// Far calls and their ends.
    Call,
}

/// One operand of the text form, in the order in which it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Slot in the `d` field.
    D,
    /// Slot in the `a` field.
    A,
    /// Slot in the `b` field.
    B,
    /// The class's immediate: 28 bits in I, 14 in B.
    T,
    /// Index of a page constant (class C).
    Constant,
    /// The 14-bit immediate of class K.
    Small,
    /// A jump target.
    Target,
    /// A jump target behind the instruction: `pc + 1 + imm`.
    Forward,
    /// The `imm` field; must be written.
    Imm,
    /// The `imm` field; 0 if left out.
    OptImm,
}

/// One row of the opcode table.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// Name in text form.
    pub name: &'static str,
    /// Class and number.
    pub opcode: u16,
    /// Chapter of the machine.
    pub family: Family,
    /// Operands in text order.
    pub form: &'static [Operand],
    /// Runs today, or reserved.
    pub status: Status,
}

impl Op {
    /// Class of the opcode.
    pub fn class(&self) -> Class {
        Class::of(self.opcode)
    }

    /// True if the instruction has a use for its `imm` field; otherwise the field must be zero.
    pub const fn uses_imm(&self) -> bool {
        let mut i = 0;
        while i < self.form.len() {
            if matches!(self.form[i], Operand::Imm | Operand::OptImm | Operand::Forward) {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Number within the class.
    pub fn number(&self) -> u8 {
        (self.opcode & 127) as u8
    }
}
