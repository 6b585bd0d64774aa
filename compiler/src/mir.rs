//! The form between LLVM and the machine: functions of basic blocks in SSA form over 256-bit words.
//! LLVM's types are gone: a value of `n < 256` bits is a word below `2^n`, a wider or compound one several words.
//! Operations mean exactly what the instruction of the same name in `docs/isa.md` does.
use crate::diagnostic::Loc;
use lathe_vm::Word;

/// All that one code page is made of.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Functions; the first is where the page begins, without parameters.
    pub functions: Vec<Function>,
    /// Bytes that [`Operand::Data`] points into.
    pub data: Vec<u8>,
    /// Libraries whose address is not known yet, as solc names them (`file:Name`).
    pub libraries: Vec<String>,
}

/// Index into [`Module::functions`].
pub type FunctionId = usize;
/// Index into [`Function::blocks`].
pub type BlockId = usize;
/// A value of a function; numbers are dense from 0.
pub type ValueId = u32;

/// A function. Values `0 .. parameters` are its parameters.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// For the listing.
    pub name: String,
    /// Words it takes.
    pub parameters: u32,
    /// Words it returns.
    pub results: u32,
    /// One more than the largest value number.
    pub values: u32,
    /// Blocks; the first is the entry and has no predecessors.
    pub blocks: Vec<Block>,
    /// Where it is defined.
    pub loc: Option<Loc>,
}

/// A basic block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Values chosen by the edge that was taken; all at once.
    pub phis: Vec<Phi>,
    /// Instructions in order.
    pub instructions: Vec<Instruction>,
    /// How it ends.
    pub end: End,
    /// Where the end stands.
    pub loc: Option<Loc>,
}

/// A phi: one operand per incoming edge. A predecessor that reaches the block by several edges is listed once.
#[derive(Clone, Debug)]
pub struct Phi {
    /// The value.
    pub result: ValueId,
    /// Predecessor and what it brings.
    pub incoming: Vec<(BlockId, Operand)>,
}

/// What an operation works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A value of the function.
    Value(ValueId),
    /// A constant.
    Const(Word),
    /// Byte offset, for [`Op::Copy`] from [`CopyFrom::Code`], of byte `n` of [`Module::data`].
    Data(u32),
    /// The address of library `n` of [`Module::libraries`].
    Library(u32),
}

/// An operation and the values it yields.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// One value, none for stores and the like, several for calls.
    pub results: Vec<ValueId>,
    /// Where it comes from.
    pub loc: Option<Loc>,
}

/// Operations on two words that touch nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// Modulo 2^256.
    Add,
    /// Modulo 2^256.
    Sub,
    /// Modulo 2^256.
    Mul,
    /// High half of the product.
    Mulhi,
    /// 0 by 0.
    Div,
    /// 0 by 0.
    Mod,
    /// As the EVM's.
    Sdiv,
    /// As the EVM's.
    Smod,
    /// Modulo 2^256.
    Exp,
    /// Bitwise.
    And,
    /// Bitwise.
    Or,
    /// Bitwise.
    Xor,
    /// Left operand by right; 0 from 256 on.
    Shl,
    /// Left operand by right; 0 from 256 on.
    Shr,
    /// Left operand by right; all sign from 256 on.
    Sar,
    /// Unsigned: 1 or 0.
    Lt,
    /// Signed: 1 or 0.
    Slt,
    /// 1 or 0.
    Eq,
    /// Byte `left` of `right`.
    Byte,
    /// `right` extended from its byte `left`.
    Signextend,
}

/// Operations with an overflow flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checked {
    /// Unsigned sum.
    Add,
    /// Unsigned difference.
    Sub,
    /// Unsigned product.
    Mul,
}

/// Values of the context, the transaction and the block that need no operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Env {
    /// `caller`
    Caller,
    /// `address`
    Address,
    /// `callvalue`
    Callvalue,
    /// `cdsize`
    CalldataSize,
    /// `rdsize`
    ReturndataSize,
    /// `gas`
    Gas,
    /// `blockvalue` with this number
    Block(u16),
    /// `txvalue` with this number
    Tx(u16),
}

/// Values looked up by one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// Calldata word at a byte offset: `cdload`, `cdld`.
    Calldata,
    /// `sload`
    Storage,
    /// `tload`
    Transient,
    /// `balance`
    Balance,
    /// `extcodehash`
    CodeHash,
    /// `extcodesize`
    CodeSize,
    /// `blockhash`
    Blockhash,
    /// `blobhash`
    Blobhash,
}

/// Where [`Op::Copy`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CopyFrom {
    /// The own heap.
    Heap,
    /// Calldata.
    Calldata,
    /// Return data.
    Returndata,
    /// The page's constants; offsets are [`Operand::Data`] or computed from one.
    Code,
}

/// Kinds of far call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FarCall {
    /// `call`
    Call,
    /// `staticcall`
    Static,
    /// `delegatecall`
    Delegate,
}

/// Flags of [`Op::MimicCall`]: the bits of the instruction's immediate.
pub mod mimic {
    /// The input is part of the own calldata, not of the heap.
    pub const CALLDATA: u16 = 1;
    /// With value.
    pub const VALUE: u16 = 2;
    /// The code of the code hash given runs, in deploy mode; the call yields an address.
    pub const DEPLOY: u16 = 4;
    /// With gas, origin and gas price.
    pub const METERED: u16 = 8;
    /// The transaction goes on: transient storage is kept.
    pub const SAME_TRANSACTION: u16 = 16;
    /// In a static context.
    pub const STATIC: u16 = 32;
}

/// What an instruction does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Two words to one.
    Binary(Binary, Operand, Operand),
    /// Result and overflow flag (1 or 0): two values.
    Checked(Checked, Operand, Operand),
    /// `(value >> from) mod 2^count`; `from` below 256, `count` in 1..=256.
    Bits {
        /// The word.
        value: Operand,
        /// First bit.
        from: u16,
        /// Number of bits.
        count: u16,
    },
    /// `yes` if the condition is not zero, else `no`.
    Select {
        /// The condition.
        condition: Operand,
        /// If it is not zero.
        yes: Operand,
        /// If it is zero.
        no: Operand,
    },
    /// `(a + b) mod m`
    AddMod(Operand, Operand, Operand),
    /// `(a * b) mod m`
    MulMod(Operand, Operand, Operand),
    /// The word at a byte address of the heap.
    Load(Operand),
    /// Address, word.
    Store(Operand, Operand),
    /// Address, byte.
    Store8(Operand, Operand),
    /// Bytes to the heap.
    Copy {
        /// Where from.
        from: CopyFrom,
        /// Heap address.
        to: Operand,
        /// Offset within the source.
        offset: Operand,
        /// Number of bytes.
        length: Operand,
    },
    /// Keccak-256 of a heap range: offset, length.
    Keccak(Operand, Operand),
    /// Keccak-256 of a range of the own calldata: offset, length.
    KeccakCalldata(Operand, Operand),
    /// SHA-256 of a heap range: offset, length.
    Sha256(Operand, Operand),
    /// The signer of 128 bytes of the heap, as the precompile reads them, or 0: offset.
    Ecrecover(Operand),
    /// The page hash of a range of the own calldata, or 0: offset, length.
    PageHashCalldata(Operand, Operand),
    /// `aload`: kind of cell, account.
    LoadAccount(u16, Operand),
    /// `astore`: kind of cell, account, word.
    StoreAccount(u16, Operand, Operand),
    /// A kernel's call in the name of an account; yields the status.
    MimicCall {
        /// Bits of [`mimic`].
        flags: u16,
        /// Callee.
        to: Operand,
        /// What stands in the block of slots: offset and length of the input, caller, value, code hash, gas, origin, gas
        /// price. What the flags do not name is not read.
        block: [Operand; 8],
    },
    /// A value without operand.
    Env(Env),
    /// A value by operand.
    Lookup(Lookup, Operand),
    /// `sstore`: slot, word.
    StoreStorage(Operand, Operand),
    /// `tstore`: slot, word.
    StoreTransient(Operand, Operand),
    /// An immutable of the running code.
    LoadImmutable(u32),
    /// An immutable, while deploying.
    StoreImmutable(u32, Operand),
    /// A log: offset, length, topics.
    Log(Operand, Operand, Vec<Operand>),
    /// A call of another contract; yields the status.
    FarCall {
        /// Which.
        kind: FarCall,
        /// Gas.
        gas: Operand,
        /// Callee.
        address: Operand,
        /// Wei; 0 unless `kind` is `Call`.
        value: Operand,
        /// Offset of the input in the heap.
        offset: Operand,
        /// Its length.
        length: Operand,
    },
    /// Deploys; yields the address or 0.
    Create {
        /// Wei.
        value: Operand,
        /// Offset of the creation code in the heap.
        offset: Operand,
        /// Its length.
        length: Operand,
        /// For `create2`.
        salt: Option<Operand>,
    },
    /// `selfdestruct`
    SelfDestruct(Operand),
    /// A call of a function of this module.
    Call(FunctionId, Vec<Operand>),
}

/// How a block ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// To a block.
    Jump(BlockId),
    /// To `yes` if the condition is not zero, else to `no`.
    Branch {
        /// The condition.
        condition: Operand,
        /// If it is not zero.
        yes: BlockId,
        /// If it is zero.
        no: BlockId,
    },
    /// To the block of the equal case.
    Switch {
        /// The word compared.
        value: Operand,
        /// Cases, all different.
        cases: Vec<(Word, BlockId)>,
        /// If none is equal.
        default: BlockId,
    },
    /// Back to the caller within the module.
    Return(Vec<Operand>),
    /// The context ends with success, handing back a heap range: offset, length.
    Finish(Operand, Operand),
    /// The context fails, handing back a heap range: offset, length.
    Revert(Operand, Operand),
    /// An exceptional halt.
    Invalid,
    /// Never reached.
    Unreachable,
}
