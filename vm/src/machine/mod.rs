//! The machine: runs the kernel over one posted batch, step by step, exactly as `docs/isa.md` times it.
//! One generic code path serves the traced and the fast mode; it never panics, whatever the bytecode.
pub mod alu;
mod call;
mod calldata;
mod control;
mod environment;
mod halt;
mod hash;
mod heap;
mod limits;
mod log;
mod memory;
mod storage;
pub mod tracer;
mod window;
mod world;

pub use environment::Environment;
pub use halt::{Halt, HaltKind, Stopped};
pub use limits::{Limits, MAX_OUTPUT, MAX_RANGE, MEMORY_CHECK};
pub use log::Log;
pub use window::Window;
pub use world::{StateRead, Touched};

use crate::code::CodeStore;
use crate::isa::{Family, Instruction, Status, find, name_of, op};
use crate::state::CellId;
use crate::trace::{Access, CellFinal, Effect, Flow, JournalEntry, Page, Regs, Step, TransientFinal, space};
use crate::word::Word;
use call::Open;
use memory::Memory;
use std::collections::HashMap;
use std::sync::Arc;
use tracer::Tracer;
use world::World;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallStatus {
    /// By `return`.
    Success,
    /// By `revert`.
    Reverted,
    /// By an exceptional halt.
    Halted(HaltKind),
}

/// What the kernel did that receipts are made of, and the logs of what it called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `aload` of a nonce: the kernel turns to a record of this sender.
    NonceRead(CellId),
    /// `astore` of a nonce: the record is not skipped.
    NonceWrite(CellId),
    /// A call ended.
    CallEnd {
        /// How.
        status: CallStatus,
        /// What the callee handed back, cut at [`Limits::max_output_bytes`].
        output: Vec<u8>,
        /// Steps of the call, undo steps included.
        steps: u32,
    },
    /// A log of a context that has not reverted.
    Log(Log),
}

/// Access times `16 * clock + k` stay below 2^32.
pub const MAX_CLOCK: u32 = (1 << 28) - 1;

/// Host memory that a state cell and a journal entry stand for, roughly.
const STATE_CELL: u64 = 256;
const JOURNAL_ENTRY: u64 = 128;

/// The instruction under way with the words it read.
struct Operands {
    i: Instruction,
    a: Word,
    b: Word,
    old: Word,
}

/// A machine in the middle of a batch.
pub struct Machine<'a, V, T: Tracer> {
    regs: Regs,
    clock: u32,
    limits: Limits,
    environment: &'a Environment,
    /// Who sent the running transaction.
    origin: Word,
    hashed: u64,
    moved: u64,
    /// Bytes on their way; kept for its room.
    scratch: Vec<u8>,
    mem: Memory<T::Stamp>,
    world: World<'a, V, T::Stamp>,
    codes: &'a CodeStore,
    pages: Vec<Arc<Page>>,
    numbers: HashMap<Word, u32>,
    frames: Vec<Open>,
    journal: Vec<JournalEntry>,
    events: Vec<Event>,
    result: Option<[Word; 3]>,
    tracer: T,
}

/// What is left when the kernel has returned.
pub struct Finished<T> {
    /// `batchDataHash`, `priorityOpsHash`, `l2ToL1Root`.
    pub result: [Word; 3],
    /// Steps run.
    pub steps: u32,
    /// The boot write (its times are zero in the fast mode).
    pub boot: Access,
    /// Slots, heap, registers; empty in the fast mode, like `input_cells`.
    pub cells: Vec<CellFinal>,
    /// Input words.
    pub input_cells: Vec<CellFinal>,
    /// State cells touched, in no order.
    pub touched: Vec<Touched>,
    /// Transient cells, in order of transaction; empty in the fast mode.
    pub transient: Vec<TransientFinal>,
    /// Entries never undone.
    pub journal: Vec<JournalEntry>,
    /// Pages run; 0 is the kernel.
    pub pages: Vec<Arc<Page>>,
    /// For the receipts.
    pub events: Vec<Event>,
    /// The tracer with what it kept.
    pub tracer: T,
}

/// Runs `kernel` over the posted bytes to its final return.
///
/// # Errors
/// Whatever stops the batch before the kernel's return, with the place where it happened.
pub fn run<'a, V: StateRead, T: Tracer>(
    view: &'a V,
    codes: &'a CodeStore,
    kernel: &Page,
    environment: &'a Environment,
    input: &[u8],
    limits: &Limits,
) -> Result<Finished<T>, Stopped> {
    limits.check_input(input).map_err(Stopped::at_boot)?;
    let mut machine = Machine::<V, T> {
        regs: Regs::default(),
        clock: 0,
        limits: *limits,
        environment,
        origin: Word::ZERO,
        hashed: 0,
        moved: 0,
        scratch: Vec::new(),
        mem: Memory::new(input),
        world: World::new(view),
        codes,
        pages: vec![Arc::new(kernel.clone())],
        numbers: HashMap::from([(kernel.hash_word(), 0)]),
        frames: Vec::new(),
        journal: Vec::new(),
        events: Vec::new(),
        result: None,
        tracer: T::default(),
    };
    let window = Window { space: space::INPUT, ctx: 0, base: 0, length: input.len() as u32 };
    let boot = machine.access(space::REG, 0, 0, 1, Some(window.pack())).map_err(Stopped::at_boot)?;
    let result = loop {
        if let Some(result) = machine.result {
            break result;
        }
        machine.step().map_err(|halt| machine.stopped(halt))?;
    };
    Ok(Finished {
        result,
        steps: machine.clock,
        boot,
        cells: if T::ACTIVE { machine.mem.cells() } else { Vec::new() },
        input_cells: if T::ACTIVE { machine.mem.input_cells() } else { Vec::new() },
        touched: machine.world.touched(),
        transient: machine.world.into_transient(),
        journal: machine.journal,
        pages: machine.pages,
        events: machine.events,
        tracer: machine.tracer,
    })
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    fn time(&self, k: u64) -> u64 {
        16 * u64::from(self.clock) + k
    }

    /// A memory access at time `k` of this step.
    fn access(&mut self, space: u8, ctx: u32, index: u32, k: u64, new: Option<Word>) -> Result<Access, Halt> {
        let time = self.time(k);
        let access = self.mem.access(space, ctx, index, time, new).ok_or(HaltKind::MemoryRange)?;
        self.tracer.access(access);
        Ok(access)
    }

    /// An operand of this step; unlike other accesses it is told with the step itself.
    fn operand(&mut self, offset: u16, k: u64) -> Result<Access, Halt> {
        let time = self.time(k);
        let index = self.regs.fp + u32::from(offset);
        let access = self.mem.access(space::SLOT, self.regs.ctx, index, time, None);
        access.ok_or_else(|| HaltKind::MemoryRange.into())
    }

    /// An access to slot `offset` of the current frame.
    fn slot(&mut self, offset: u32, k: u64) -> Result<Access, Halt> {
        self.access(space::SLOT, self.regs.ctx, self.regs.fp + offset, k, None)
    }

    /// True if an exceptional halt ends the running context and not the batch.
    fn outlives_halts(&self) -> bool {
        self.limits.unproven && !self.frames.is_empty()
    }

    /// Lets an instruction or form without a chip pass, or refuses it by name.
    fn unproven(&self, name: impl FnOnce() -> String) -> Result<(), Halt> {
        if self.limits.unproven { Ok(()) } else { Err(Halt::NotYetProvable(name())) }
    }

    /// Checks the bounds that a step may have passed.
    fn within_limits(&self) -> Result<(), Halt> {
        let limit = self.limits.steps();
        if self.clock >= limit {
            return Err(Halt::Limit { what: "steps", limit: limit.into() });
        }
        let limit = self.limits.max_memory_bytes;
        let held = || {
            let cells = self.world.len() as u64 * STATE_CELL;
            self.mem.bytes() + cells + self.journal.len() as u64 * JOURNAL_ENTRY
        };
        if self.clock.is_multiple_of(MEMORY_CHECK) && held() > limit {
            return Err(Halt::Limit { what: "memory bytes", limit });
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Halt> {
        self.within_limits()?;
        let regs = self.regs;
        let (word, outside) = match self.fetch() {
            Some(word) => (word, false),
            // What lies beyond the page reads as an instruction that halts.
            None if self.outlives_halts() => (0, true),
            None => return Err(HaltKind::PcOutsidePage.into()),
        };
        self.clock += 1;
        let i = Instruction::decode(word);
        let (sa, sb, sd) = i.slots();
        let a = self.operand(sa, 1)?;
        let b = self.operand(sb, 2)?;
        let mut d = self.operand(sd, 3)?;
        let s = Operands { i, a: a.new, b: b.new, old: d.old };
        let mut next = Regs { pc: regs.pc + 1, ..regs };
        let done = match outside {
            true => Err(HaltKind::PcOutsidePage.into()),
            false => self.dispatch(&s, &mut next),
        };
        let result = match done {
            Err(Halt::Exceptional(kind)) if self.outlives_halts() => {
                self.halt(kind, &mut next).map(|()| None)?
            }
            other => other?,
        };
        if let Some(value) = result {
            // No instruction with a result touches its own destination slot after k = 3.
            self.mem.patch(space::SLOT, d.ctx, d.index, value);
            d.new = value;
        }
        let clock = self.clock;
        self.regs = next;
        self.tracer.step(|effect| Step { clock, regs, next, word, a, b, d, effect });
        Ok(())
    }

    fn fetch(&self) -> Option<u64> {
        self.pages.get(self.regs.code as usize)?.words.get(self.regs.pc as usize).copied()
    }

    /// Executes; answers the new value of the destination, and sets `next` where it is not just `pc + 1`.
    fn dispatch(&mut self, s: &Operands, next: &mut Regs) -> Result<Option<Word>, Halt> {
        let opcode = s.i.opcode;
        let row = match find(opcode) {
            Some(row) if row.status != Status::Reserved => row,
            _ => return Err(name_of(opcode).map_or(HaltKind::InvalidOpcode.into(), Halt::NotYetProvable)),
        };
        if s.i.imm != 0 && !row.uses_imm() {
            return Err(HaltKind::InvalidOpcode.into());
        }
        if row.status == Status::Executed {
            self.unproven(|| row.name.into())?;
        }
        match row.family {
            Family::Alu if opcode == op::CONST => self.constant(s).map(Some),
            Family::Alu => {
                match opcode {
                    op::SELECT => self.tracer.effect(|| Effect::Select),
                    op::ADDMOD | op::MULMOD => self.tracer.executed(None, Flow::Stay),
                    _ => {}
                }
                alu::eval(s.i, s.a, s.b, s.old).map(Some)
            }
            Family::Control => self.control(s, next),
            Family::Heap => self.heap(s),
            Family::Calldata => self.calldata(s).map(Some),
            Family::Storage => self.storage(s, next),
            Family::Hash => self.keccak(s).map(Some),
            Family::Call => match opcode {
                op::MIMICCALL => self.mimiccall(s, next),
                op::RETURN => self.ret(s, next),
                op::LOG => self.log(s),
                _ => self.revert(s, next),
            }
            .map(|()| None),
        }
    }

    fn constant(&self, s: &Operands) -> Result<Word, Halt> {
        let first = s.i.t() as usize * 4;
        let words = &self.pages[self.regs.code as usize].words;
        let w = words.get(first..first + 4).ok_or(HaltKind::ConstantOutsidePage)?;
        let half = |lo: u64, hi: u64| u128::from(hi) << 64 | u128::from(lo);
        Ok(Word::new(half(w[2], w[3]), half(w[0], w[1])))
    }

    /// The address of the running contract, for messages.
    fn address(&self) -> [u8; 20] {
        let word = self.mem.peek(space::REG, self.regs.ctx, 2).to_be_bytes();
        let mut out = [0; 20];
        out.copy_from_slice(&word[12..]);
        out
    }

    fn stopped(&self, halt: Halt) -> Stopped {
        let turned = self.events.iter().filter(|e| matches!(e, Event::NonceRead(_))).count();
        Stopped {
            halt,
            clock: self.clock,
            ctx: self.regs.ctx,
            pc: self.regs.pc,
            address: self.address(),
            record: turned.checked_sub(1),
        }
    }
}
