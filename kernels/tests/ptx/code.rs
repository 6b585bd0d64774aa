//! The decoded program: dense instructions over a frame of 64-bit slots, and the tables they point into.
//! Everything that can be decided before a thread runs is decided in here; nothing is looked up by name at run time.

/// What an instruction does. Slots named `d` are written, `a`, `b`, `c` read. A value narrower than 64 bits lies in its
/// slot extended with zeros, so that moves, bitwise operations, equality and unsigned order need no width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    Mov,
    /// Holds a further operand of the instruction before it; is never executed by itself.
    Extra,
    // Arithmetic; `C` reads the carry flag, `Cc` writes it.
    Add32,
    AddCc32,
    AddC32,
    AddCCc32,
    Sub32,
    SubCc32,
    SubC32,
    SubCCc32,
    Add64,
    AddCc64,
    AddC64,
    AddCCc64,
    Sub64,
    SubCc64,
    SubC64,
    SubCCc64,
    MulLo32,
    MulHiU32,
    MulHiS32,
    MulWideU32,
    MulWideS32,
    MulLo64,
    MulHiU64,
    MulHiS64,
    MadLo32,
    MadLoCc32,
    MadLoC32,
    MadLoCCc32,
    MadHiU32,
    MadHiCc32,
    MadHiC32,
    MadHiCCc32,
    MadHiS32,
    MadWideU32,
    MadWideS32,
    MadLo64,
    MadLoCc64,
    MadLoC64,
    MadLoCCc64,
    MadHiU64,
    MadHiCc64,
    MadHiC64,
    MadHiCCc64,
    DivU,
    RemU,
    DivS32,
    RemS32,
    DivS64,
    RemS64,
    MinU,
    MaxU,
    MinS32,
    MaxS32,
    MinS64,
    MaxS64,
    // Bits. Shifts clamp their amount as PTX says.
    And,
    Or,
    Xor,
    Not32,
    Not64,
    NotPred,
    Shl32,
    Shl64,
    ShrU32,
    ShrU64,
    ShrS32,
    ShrS64,
    ShfLClamp,
    ShfLWrap,
    ShfRClamp,
    ShfRWrap,
    /// The truth table is in the next instruction's `d`.
    Lop3,
    Popc,
    Clz32,
    Clz64,
    Brev32,
    Brev64,
    /// `b`: bits; `c`: one if the shift amount is asked for.
    Bfind,
    BfeU32,
    BfeS32,
    BfeU64,
    BfeS64,
    /// Inserts `a` into `b`; position and length are slots `c` and the next instruction's `d`.
    Bfi32,
    Bfi64,
    Prmt,
    /// Sign-extends the low `b` bits to `c` bits.
    Sext,
    // Predicates.
    Eq,
    Ne,
    LtU,
    LeU,
    LtS32,
    LeS32,
    LtS64,
    LeS64,
    /// `d = c ? a : b`.
    Select,
    /// `d = a | b << 32`.
    Join,
    /// Splits `a` into its low half `d` and its high half `b`.
    Split,
    /// Splits or joins 16-bit parts: list `b` of `c` slots.
    Join16,
    Split16,
    // Control; targets are absolute.
    Bra,
    BraIf,
    BraUnless,
    /// Table `b` of `c` targets, indexed by slot `a`.
    BraIndex,
    /// Passes over `b` instructions if predicate `a` holds, or unless it does.
    SkipIf,
    SkipUnless,
    Call,
    Ret,
    Exit,
    Trap,
    // Memory; `c` is the access, `a` the address slot, `b` an offset added to it.
    Load,
    Store,
    /// Parameters live in the frame: `b` is a byte offset into it.
    LoadParam,
    StoreParam,
    /// `d = [a + offset] op= b`; the access names the operation and the third operand.
    Atomic,
    /// `b` is the offset in the function's own local memory.
    LocalAddress,
    /// The start of dynamic shared memory.
    DynamicShared,
    /// Reads special register `b`.
    Special,
    Fence,
    // What makes a thread stop until others have come as far.
    Barrier,
    /// As `Barrier`; then every thread gets a reduction over predicate `a`, of kind `c`.
    BarrierReduce,
    Warp,
}

/// One instruction.
#[derive(Debug, Clone, Copy)]
pub struct Insn {
    pub op: Op,
    pub d: u32,
    pub a: u32,
    pub b: u32,
    pub c: u32,
}

/// Where an access goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    Generic,
    Global,
    Const,
    Shared,
    Local,
    Param,
}

/// How an access takes part in the check for races.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Weak: must not meet another thread's access without a barrier between.
    Plain,
    /// `ld.global.nc`: moreover must not be written at all in the same launch.
    Constant,
    /// Volatile, relaxed, acquire, release: made for meeting.
    Strong,
}

/// The part of a load, store or atomic that does not fit its instruction.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    pub space: Space,
    pub order: Order,
    /// Bytes of an element: 1, 2, 4 or 8.
    pub width: u32,
    /// Elements: 1, 2 or 4.
    pub count: u32,
    /// For signed loads: bits up to which the sign is extended, else zero.
    pub sign: u32,
    /// Slots of the elements; the sink is [`SINK`].
    pub slots: [u32; 4],
    /// For atomics.
    pub atomic: AtomicOp,
}

/// A slot nobody reads.
pub const SINK: u32 = 0;

/// Read-modify-write operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtomicOp {
    None,
    Add,
    Inc,
    Dec,
    And,
    Or,
    Xor,
    MinU,
    MaxU,
    MinS,
    MaxS,
    Exchange,
    /// Compares with slot `slots[1]`... of the access: `b` is the value compared with, `slots[0]` the new one.
    Compare,
}

/// Exchange within a warp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarpOp {
    /// `bar.warp.sync`.
    Sync,
    ShuffleIdx,
    ShuffleUp,
    ShuffleDown,
    ShuffleXor,
    VoteAll,
    VoteAny,
    VoteUniform,
    Ballot,
    MatchAny,
    MatchAll,
    ReduceAdd,
    ReduceMinU,
    ReduceMaxU,
    ReduceMinS,
    ReduceMaxS,
    ReduceAnd,
    ReduceOr,
    ReduceXor,
}

/// Operands of a warp operation, which has too many for an instruction.
#[derive(Debug, Clone, Copy)]
pub struct WarpAccess {
    pub op: WarpOp,
    /// Result, and the predicate beside it.
    pub d: u32,
    pub p: u32,
    /// Value, lane or offset, clamp, member mask.
    pub a: u32,
    pub b: u32,
    pub c: u32,
    pub mask: u32,
}

/// A call: who, and which words of the frame go where.
#[derive(Debug, Clone)]
pub struct CallSite {
    pub function: usize,
    /// Caller's slot, callee's slot, slots: copied before the call.
    pub arguments: Vec<(u32, u32, u32)>,
    /// Callee's slot, caller's slot, slots: copied after it.
    pub results: Vec<(u32, u32, u32)>,
}

/// A kernel or device function.
#[derive(Debug, Clone, Default)]
pub struct FunctionCode {
    pub name: String,
    /// Index of its first instruction.
    pub start: u32,
    /// Slots of its frame.
    pub slots: u32,
    /// Constants written into a new frame.
    pub constants: Vec<(u32, u64)>,
    /// Bytes of its local memory, a multiple of 16.
    pub local: u32,
    /// Parameters: slot and bytes.
    pub params: Vec<(u32, u32)>,
    /// Results: slot and bytes.
    pub returns: Vec<(u32, u32)>,
    /// Shared memory up to which its own variables reach.
    pub shared: u32,
    pub max_threads: Option<u32>,
}

/// A module variable with its address and initial bytes.
#[derive(Debug, Clone)]
pub struct GlobalVariable {
    pub address: u64,
    pub bytes: Vec<u8>,
    pub constant: bool,
}

/// All modules, decoded.
#[derive(Debug, Default)]
pub struct Program {
    pub code: Vec<Insn>,
    /// Module and line of each instruction.
    pub lines: Vec<(u16, u32)>,
    pub functions: Vec<FunctionCode>,
    pub kernels: std::collections::HashMap<String, usize>,
    pub accesses: Vec<Access>,
    pub warps: Vec<WarpAccess>,
    pub calls: Vec<CallSite>,
    /// Branch tables and slot lists.
    pub lists: Vec<u32>,
    pub variables: Vec<GlobalVariable>,
    /// The texts, by line, for messages.
    pub sources: Vec<Vec<String>>,
}

/// Address windows: an address is `slot << WINDOW_BITS | offset`, so that every allocation has its own window and what
/// lies between the end of one and the start of the next belongs to nobody.
pub const WINDOW_BITS: u32 = 36;
/// Window of shared memory among generic addresses.
pub const SHARED_WINDOW: u64 = 1;
/// Window of local memory among generic addresses.
pub const LOCAL_WINDOW: u64 = 2;
/// First window of module variables and buffers.
pub const FIRST_WINDOW: u64 = 16;

/// Special registers, in the order of the `b` field of [`Op::Special`].
pub const SPECIALS: [&str; 23] = [
    "%tid.x",
    "%tid.y",
    "%tid.z",
    "%ntid.x",
    "%ntid.y",
    "%ntid.z",
    "%ctaid.x",
    "%ctaid.y",
    "%ctaid.z",
    "%nctaid.x",
    "%nctaid.y",
    "%nctaid.z",
    "%laneid",
    "%warpid",
    "%nwarpid",
    "%lanemask_eq",
    "%lanemask_lt",
    "%lanemask_le",
    "%lanemask_gt",
    "%lanemask_ge",
    "%dynamic_smem_size",
    "%total_smem_size",
    "%activemask",
];
