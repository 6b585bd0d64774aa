//! Why a batch stops before the kernel's return. A batch that does is refused before proving, by name.

/// The exceptional halts of `docs/isa.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HaltKind {
    /// The opcode has no meaning, or `imm` is set where it has none.
    #[error("invalid instruction")]
    InvalidOpcode,
    /// Beyond the last word, or before the first.
    #[error("pc outside the page")]
    PcOutsidePage,
    /// A near call or near return to a frame at or beyond 2^20.
    #[error("frame pointer beyond 2^20")]
    FrameRange,
    /// `bits` with a start above 255 or a count outside 1..=256.
    #[error("bits range outside the word")]
    BitsRange,
    /// `const` beyond the page.
    #[error("constant outside the page")]
    ConstantOutsidePage,
    /// An address or window start that must be a multiple of 32.
    #[error("address not a multiple of 32")]
    Unaligned,
    /// Heap or calldata range beyond its end, or beyond 2^32.
    #[error("memory range out of bounds")]
    MemoryRange,
    /// `aload`, `astore`, `mimiccall` in a contract.
    #[error("kernel-only instruction in a contract")]
    KernelOnly,
    /// An account number of 2^160 or more.
    #[error("address of more than 160 bits")]
    AddressRange,
    /// An `imm` that the instruction does not know.
    #[error("mode not defined for this instruction")]
    Mode,
    /// `mimiccall` to an address without code.
    #[error("call to an address without code")]
    NoCode,
    /// A `keccak`, `sha256`, `copy` or `log` of more than [`super::MAX_RANGE`] bytes.
    #[error("range of more than 16 MiB")]
    RangeTooLong,
    /// A state change in a static context.
    #[error("state change in a static context")]
    Static,
    /// A far call, `create` or `selfdestruct` in context 0.
    #[error("contract-only instruction in the kernel")]
    ContractOnly,
    /// `istore` outside deploy mode.
    #[error("immutable written outside deploy mode")]
    NotDeploying,
    /// A deploy page that does not hand back the hash of its runtime page.
    #[error("a deploy page must hand back 32 bytes")]
    DeployReturn,
    /// A deploy page that hands back a hash of which no page is known.
    #[error("a deploy page must hand back the hash of a known page")]
    UnknownCode,
    /// A call of the kernel's own, of a precompile that Ethereum fails for this input.
    #[error("the precompile refuses its input")]
    PrecompileInput,
    /// The gas does not suffice.
    #[error("out of gas")]
    OutOfGas,
    /// A call, from a metered contract, of a precompile that the host does not compute.
    #[error(transparent)]
    Unsupported(crate::precompile::Unsupported),
    /// The final return must hand back 96 aligned bytes.
    #[error("the final return must hand back 96 bytes")]
    FinalReturn,
}

/// What stops the machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// An exceptional halt.
    #[error("exceptional halt, not yet provable: {0}")]
    Exceptional(#[from] HaltKind),
    /// An instruction whose number is reserved, or an instruction or form that no chip proves.
    #[error("instruction not yet provable: {0}")]
    NotYetProvable(String),
    /// A precompile, or a size of its operands, that the host does not compute.
    #[error(transparent)]
    Unsupported(#[from] crate::precompile::Unsupported),
    /// `revert` of context 0: a record overruns the batch.
    #[error("the kernel reverted: the posted bytes are no whole number of records")]
    KernelReverted,
    /// State names code that the store does not hold.
    #[error("no code in the store for hash {0}; the code store is incomplete")]
    CodeMissing(crate::word::Word),
    /// A sender who has less than the value sent; only where nothing is posted.
    #[error("the sender lacks {missing} wei of what it sends")]
    Balance {
        /// Wei sent less those there are.
        missing: crate::word::Word,
    },
    /// A bound of [`super::Limits`].
    #[error("limit of {limit} {what} exceeded")]
    Limit {
        /// Which.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
}

/// A halt and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{halt} (at pc {pc} of {}, after {clock} steps)", place(*ctx, address, *record))]
pub struct Stopped {
    /// Why.
    #[source]
    pub halt: Halt,
    /// Steps started so far.
    pub clock: u32,
    /// Context; 0 is the kernel.
    pub ctx: u32,
    /// Instruction.
    pub pc: u32,
    /// Contract; zero for the kernel.
    pub address: [u8; 20],
    /// Position of the record in the batch, once the kernel has turned to one.
    pub record: Option<usize>,
}

fn place(ctx: u32, address: &[u8; 20], record: Option<usize>) -> String {
    let code = if ctx == 0 { "the kernel".into() } else { format!("contract 0x{}", hex::encode(address)) };
    record.map_or(code.clone(), |i| format!("{code} in record {i}"))
}

impl Stopped {
    pub(crate) fn at_boot(halt: Halt) -> Stopped {
        Stopped { halt, clock: 0, ctx: 0, pc: 0, address: [0; 20], record: None }
    }
}
