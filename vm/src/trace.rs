//! What one replayed batch leaves behind for the prover: every step with every memory, state and journal access.
//! The prover reads nothing else; a trace is a pure function of batch and state.
mod recorded;
mod steps;

pub use recorded::Recorded;
pub use steps::Steps;

use crate::state::{CellId, TreeWitness};
use crate::word::Word;
use halo2curves::bn256::Fr;

/// Memory spaces of `docs/isa.md`.
pub mod space {
    /// Frame slots.
    pub const SLOT: u8 = 0;
    /// Byte-addressed heap, in words of 32 bytes.
    pub const HEAP: u8 = 1;
    /// Context registers: 0 calldata window, 1 return-data window, 2 own address, 3 caller, 4 call value,
    /// 5 address of the code if that is another's; in context 0 also 6 origin, 7 gas price of the transaction.
    pub const REG: u8 = 2;
    /// The posted batch bytes.
    pub const INPUT: u8 = 3;
    /// The sixteen words of the statement.
    pub const STATEMENT: u8 = 4;
}

/// Bits of [`Regs::mode`].
pub mod mode {
    /// The page is a deploy page, which may write immutables and hands back the hash of its runtime page.
    pub const DEPLOY: u32 = 1;
    /// No state may change here and in what is called from here.
    pub const STATIC: u32 = 2;
    /// Gas is counted. Contexts that `mimiccall` opens without gas are not metered.
    pub const METERED: u32 = 4;
}

/// One memory access: receives `(address, old_time, old)` and sends `(address, time, new)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Memory space.
    pub space: u8,
    /// Context id.
    pub ctx: u32,
    /// Cell within space and context.
    pub index: u32,
    /// `16 * clock + k`.
    pub time: u64,
    /// Time of the access before, 0 for the opening.
    pub old_time: u64,
    /// Value before.
    pub old: Word,
    /// Value after; equals `old` for a read.
    pub new: Word,
}

/// One access to a state cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateAccess {
    /// The cell.
    pub cell: CellId,
    /// `16 * clock + k`.
    pub time: u64,
    /// Time of the access before, 0 for the opening.
    pub old_time: u64,
    /// Value before.
    pub old: Word,
    /// Value after.
    pub new: Word,
}

/// A journal entry: what one state write must restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Clock of the write; `clock + 2^28 j` for the write `j` of a step that makes several.
    pub id: u32,
    /// The journal head before it.
    pub prev: u32,
    /// The cell written.
    pub cell: CellId,
    /// Its value before.
    pub old: Word,
}

/// The CPU registers besides the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Regs {
    /// Context id.
    pub ctx: u32,
    /// Page number of the running code.
    pub code: u32,
    /// Index of the instruction in the page.
    pub pc: u32,
    /// Frame pointer.
    pub fp: u32,
    /// Newest journal entry, 0 if none.
    pub jhead: u32,
    /// Bits of [`mode`].
    pub mode: u32,
    /// Contracts above this one in the chain of calls.
    pub depth: u32,
    /// Gas left; in context 0, what the latest metered call left of its gas.
    pub gas: u32,
}

/// What a far call saves and the matching return restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The callee's context id.
    pub ctx: u32,
    /// The caller's registers; `pc` is the return address, `jhead` what a failure undoes down to.
    pub caller: Regs,
    /// Slot index (with `fp` added) in the caller that receives the status.
    pub dest: u32,
}

/// One Keccak-256 over aligned words of memory; `clock` 0 is the statement's own hash.
#[derive(Clone, Debug)]
pub struct KeccakCall {
    /// Clock of the instruction; 0 for the statement.
    pub clock: u32,
    /// Space of the hashed memory.
    pub space: u8,
    /// Context of the hashed memory.
    pub ctx: u32,
    /// Index of the first word.
    pub first: u32,
    /// Length in bytes.
    pub len: u32,
    /// Reads of `ceil(len / 32)` words, all at `16 * clock + 5` (time 1 for the statement).
    pub words: Vec<Access>,
    /// The digest as a big-endian word.
    pub digest: Word,
}

/// What an instruction does beyond its three operands.
// One size for all: effects are given out one at a time, and chips match on them without indirection.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Effect {
    /// A pure instruction.
    None,
    /// `select`.
    Select,
    /// `ncall`: the write of the return slot.
    NearCall(Access),
    /// `nret`.
    NearReturn,
    /// `ld`, `st`: the heap access.
    Heap(Access),
    /// `cdsize`, `caller`, `address`: the register read.
    Context(Access),
    /// `cdload`: register 0 and two neighbouring words.
    Calldata {
        /// Read of register 0.
        window: Access,
        /// The words at `q` and `q + 1`.
        words: [Access; 2],
    },
    /// `sload`, `sstore` (with the read of register 2) and `aload`, `astore` (without).
    Storage {
        /// Read of register 2.
        reg: Option<Access>,
        /// The state access.
        cell: StateAccess,
        /// The entry made by a write.
        journal: Option<JournalEntry>,
    },
    /// `keccak`.
    Keccak {
        /// Read of register 0.
        window: Access,
        /// Index into [`BatchTrace::keccaks`].
        call: usize,
    },
    /// `mimiccall`.
    Call {
        /// Read of slot `b + 1`.
        len: Access,
        /// Read of slot `b + 2`.
        caller: Access,
        /// Read of register 0 of the caller.
        window: Access,
        /// Read of the callee's code hash.
        code: StateAccess,
        /// Writes of registers 0, 2, 3 of the new context.
        regs: [Access; 3],
        /// The saved registers.
        frame: Frame,
    },
    /// `return`, and the last step of `revert`, in a called context.
    Return {
        /// The restored registers.
        frame: Frame,
        /// Write of the status.
        status: Access,
        /// Write of the caller's register 1.
        window: Access,
    },
    /// One undo step of `revert`.
    Undo {
        /// The entry taken back.
        entry: JournalEntry,
        /// The state write that restores it.
        cell: StateAccess,
    },
    /// `return` of context 0: reads of the three result words.
    Final([Access; 3]),
    /// A keyed instruction, or a form of one, that runs and has no chip.
    Executed(Box<Executed>),
}

impl Effect {
    /// Its memory accesses, but for the words of a `keccak`, which its call has.
    pub fn accesses(&self) -> impl Iterator<Item = &Access> {
        let (first, more): ([Option<&Access>; 3], &[Access]) = match self {
            Effect::None | Effect::Select | Effect::NearReturn | Effect::Undo { .. } => ([None; 3], &[]),
            Effect::NearCall(a) | Effect::Heap(a) | Effect::Context(a) => ([Some(a), None, None], &[]),
            Effect::Keccak { window, .. } => ([Some(window), None, None], &[]),
            Effect::Storage { reg, .. } => ([reg.as_ref(), None, None], &[]),
            Effect::Calldata { window, words } => ([Some(window), None, None], words),
            Effect::Call { len, caller, window, regs, .. } => ([Some(len), Some(caller), Some(window)], regs),
            Effect::Return { status, window, .. } => ([Some(status), Some(window), None], &[]),
            Effect::Final(words) => ([None; 3], words),
            Effect::Executed(e) => ([None; 3], &e.accesses),
        };
        first.into_iter().flatten().chain(more)
    }
}

/// What an instruction without a chip does beyond its three operands.
#[derive(Clone, Debug, Default)]
pub struct Executed {
    /// Memory accesses in the order in which they were made.
    pub accesses: Vec<Access>,
    /// Accesses to state and transient cells.
    pub cells: Vec<StateAccess>,
    /// The entries made by writes, in order.
    pub journal: Vec<JournalEntry>,
    /// Where the machine goes on.
    pub flow: Flow,
}

/// How an instruction without a chip leaves the contexts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// In the same one.
    #[default]
    Stay,
    /// In the one it opened.
    Call(Frame),
    /// The running one has ended.
    End {
        /// The restored registers.
        frame: Frame,
        /// False for a revert or an exceptional halt.
        success: bool,
    },
    /// One undo step of an exceptional halt: the entry taken back.
    Undo(JournalEntry),
}

/// One step of the machine.
#[derive(Clone, Debug)]
pub struct Step {
    /// Clock, from 1.
    pub clock: u32,
    /// Registers before.
    pub regs: Regs,
    /// Registers after.
    pub next: Regs,
    /// The instruction word.
    pub word: u64,
    /// Read of `[a]`.
    pub a: Access,
    /// Read of `[b]`.
    pub b: Access,
    /// Read and write of `[d]`.
    pub d: Access,
    /// Everything else.
    pub effect: Effect,
}

/// A cell at the end of the batch.
#[derive(Clone, Copy, Debug)]
pub struct CellFinal {
    /// Memory space.
    pub space: u8,
    /// Context id.
    pub ctx: u32,
    /// Index.
    pub index: u32,
    /// Time of the last access.
    pub time: u64,
    /// Last value.
    pub value: Word,
}

/// A state cell at the end of the batch.
#[derive(Clone, Copy, Debug)]
pub struct StateFinal {
    /// The cell.
    pub cell: CellId,
    /// Its tree key.
    pub key: Fr,
    /// Value before the batch.
    pub old: Word,
    /// Value after it.
    pub new: Word,
    /// Time of the last access.
    pub time: u64,
}

/// A transient cell at the end of its transaction; it opened with zero at time 0.
#[derive(Clone, Copy, Debug)]
pub struct TransientFinal {
    /// Clock of the call that began the transaction; 0 before the first.
    pub transaction: u32,
    /// The cell.
    pub cell: CellId,
    /// Its last value.
    pub value: Word,
    /// Time of the last access.
    pub time: u64,
}

/// A code page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Poseidon2 hash, as kept in state.
    pub hash: Fr,
    /// Words, a multiple of twelve.
    pub words: Vec<u64>,
}

/// The sixteen words of the statement, in order (DESIGN section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Statement {
    /// 0: protocol version.
    pub protocol_version: Word,
    /// 1: L2 chain id.
    pub chain_id: Word,
    /// 2: batch number.
    pub batch_number: Word,
    /// 3: timestamp, seconds.
    pub timestamp: Word,
    /// 4: state root before.
    pub previous_state_root: Word,
    /// 5: state root after.
    pub new_state_root: Word,
    /// 6: Keccak-256 of the posted bytes.
    pub batch_data_hash: Word,
    /// 7: Keccak chain over the priority operations.
    pub priority_ops_hash: Word,
    /// 8: root of the messages to L1.
    pub l2_to_l1_root: Word,
    /// 9: Poseidon2 hash of the kernel's code page.
    pub kernel_hash: Word,
    /// 10: base fee.
    pub base_fee: Word,
    /// 11: block gas limit.
    pub gas_limit: Word,
    /// 12: prevrandao.
    pub prevrandao: Word,
    /// 13: L1 gas price.
    pub l1_gas_price: Word,
    /// 14: hash over past block hashes.
    pub past_block_hashes: Word,
    /// 15: fee recipient.
    pub fee_recipient: Word,
}

impl Statement {
    /// The words in order.
    pub fn words(&self) -> [Word; 16] {
        [
            self.protocol_version,
            self.chain_id,
            self.batch_number,
            self.timestamp,
            self.previous_state_root,
            self.new_state_root,
            self.batch_data_hash,
            self.priority_ops_hash,
            self.l2_to_l1_root,
            self.kernel_hash,
            self.base_fee,
            self.gas_limit,
            self.prevrandao,
            self.l1_gas_price,
            self.past_block_hashes,
            self.fee_recipient,
        ]
    }
}

/// A replayed batch.
#[derive(Clone, Debug)]
pub struct BatchTrace {
    /// The posted bytes: context 0's calldata.
    pub input: Vec<u8>,
    /// The write of register 0 of context 0 at time 1.
    pub boot: Access,
    /// All steps; clock of step `i` is `i + 1`; the last one is the return of context 0.
    pub steps: Steps,
    /// Keccak calls in order of clock; the statement's (clock 0) first.
    pub keccaks: Vec<KeccakCall>,
    /// Slots, heap and registers touched, strictly increasing by (space, ctx, index).
    pub cells: Vec<CellFinal>,
    /// Input words `0 .. len / 32 + 2` (the two beyond cover `cdload` at the end), last times included.
    pub input_cells: Vec<CellFinal>,
    /// State cells touched, strictly increasing by key.
    pub state_cells: Vec<StateFinal>,
    /// Transient cells touched, in order of transaction; they are not in the tree.
    pub transient: Vec<TransientFinal>,
    /// Old and new leaves and inner nodes.
    pub tree: TreeWitness,
    /// Journal entries never undone, in order of id.
    pub journal: Vec<JournalEntry>,
    /// Code pages; 0 is the kernel.
    pub pages: Vec<Page>,
    /// What the proof is about.
    pub statement: Statement,
    /// Keccak-256 of the statement's words.
    pub statement_hash: [u8; 32],
}
