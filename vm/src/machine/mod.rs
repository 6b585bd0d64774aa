//! The machine: runs the kernel over one posted batch, step by step, exactly as `docs/isa.md` times it.
//! One generic code path serves the traced and the fast mode; it never panics, whatever the bytecode.
pub mod alu;
mod call;
mod calldata;
mod control;
mod create;
mod end;
mod environment;
mod far;
mod gas;
mod halt;
mod hash;
mod heap;
mod limits;
mod log;
pub(crate) mod memory;
mod precompile;
mod sponge;
mod storage;
pub(crate) mod stretch;
mod system;
pub mod tracer;
mod watch;
mod window;
mod world;

pub use create::{contract_address, contract_address_salted};
pub use environment::Environment;
pub(crate) use gas::cell_price;
pub use halt::{Halt, HaltKind, Stopped};
pub use limits::{Limits, MAX_OUTPUT, MAX_RANGE, MAX_TRACE, MEMORY_CHECK};
pub use log::Log;
pub use watch::{Closed, MAX_TOLD, Opened, Seen, Watch};
pub use window::Window;
pub use world::{StateRead, Touched};

use crate::code::CodeStore;
use crate::isa::{Family, op};
use crate::state::CellId;
use crate::trace::{Access, CellFinal, JournalEntry, Page, Regs, TransientFinal, space};
use crate::word::Word;
use call::Open;
use foldhash::fast::RandomState;
use memory::Memory;
use std::collections::HashMap;
use std::sync::Arc;
use tracer::{Operands, Tracer};
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
        /// Gas that is left of what the call was given; 0 if it was not metered.
        gas: u32,
    },
    /// A log of a context that has not reverted.
    Log(Log),
}

/// Access times `16 * clock + k` stay below 2^32.
pub const MAX_CLOCK: u32 = (1 << 28) - 1;

/// The longest chain of contracts below the one that a transaction calls.
pub const MAX_DEPTH: u32 = 1024;

/// Host memory that a state cell and a journal entry stand for, roughly.
const STATE_CELL: u64 = 256;
const JOURNAL_ENTRY: u64 = 128;

/// A machine in the middle of a batch.
pub struct Machine<'a, V, T: Tracer> {
    regs: Regs,
    clock: u32,
    /// Clock at which the limits are looked at again.
    check_at: u32,
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
    /// Pages that have run, the kernel's first.
    pages: Vec<Arc<Page>>,
    /// Their numbers by hash, of those that were called.
    numbers: HashMap<Word, u32, RandomState>,
    /// Pages hashed in this batch that the store lacks: what makes them known makes them code.
    hashed_pages: HashMap<Word, Arc<Page>, RandomState>,
    /// Host memory that they take, roughly.
    hashed_page_bytes: u64,
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
    /// Pages that the batch made known and the store lacks, in order of hash.
    pub published: Vec<Arc<Page>>,
    /// For the receipts.
    pub events: Vec<Event>,
    /// The tracer with what it kept.
    pub tracer: T,
}

/// Runs `kernel` over the posted bytes to its final return.
///
/// # Errors
/// Whatever stops the batch before the kernel's return, with the place where it happened.
pub fn run<'a, V: StateRead, T: Tracer + Default>(
    view: &'a V,
    codes: &'a CodeStore,
    kernel: &Arc<Page>,
    environment: &'a Environment,
    input: &[u8],
    limits: &Limits,
) -> Result<Finished<T>, Stopped> {
    run_with(view, codes, kernel, environment, input, limits, T::default())
}

/// [`run`] with a tracer that has been made before.
///
/// # Errors
/// Those of [`run`].
pub fn run_with<'a, V: StateRead, T: Tracer>(
    view: &'a V,
    codes: &'a CodeStore,
    kernel: &Arc<Page>,
    environment: &'a Environment,
    input: &[u8],
    limits: &Limits,
    tracer: T,
) -> Result<Finished<T>, Stopped> {
    limits.check_input(input).map_err(Stopped::at_boot)?;
    let mut machine = Machine::<V, T> {
        regs: Regs::default(),
        clock: 0,
        check_at: 0,
        limits: *limits,
        environment,
        origin: Word::ZERO,
        hashed: 0,
        moved: 0,
        scratch: Vec::new(),
        mem: Memory::new(input),
        world: World::new(view),
        codes,
        pages: vec![Arc::clone(kernel)],
        numbers: HashMap::default(),
        hashed_pages: HashMap::default(),
        hashed_page_bytes: 0,
        frames: Vec::new(),
        journal: Vec::new(),
        events: Vec::new(),
        result: None,
        tracer,
    };
    let window = Window { space: space::INPUT, ctx: 0, base: 0, length: input.len() as u32 };
    // No step's access: the tracer is not told.
    let boot = machine.mem.access(space::REG, 0, 0, 1, Some(window.pack()));
    let boot = boot.ok_or_else(|| Stopped::at_boot(HaltKind::MemoryRange.into()))?;
    let result = loop {
        if let Some(result) = machine.result {
            break result;
        }
        machine.stretch().map_err(|halt| machine.stopped(halt))?;
    };
    machine.tracer.ended(machine.clock);
    Ok(Finished {
        result,
        steps: machine.clock,
        boot,
        cells: if T::ACTIVE { machine.mem.cells() } else { Vec::new() },
        input_cells: if T::ACTIVE { machine.mem.input_cells() } else { Vec::new() },
        published: machine.published(),
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
    #[inline(always)]
    fn access(&mut self, space: u8, ctx: u32, index: u32, k: u64, new: Option<Word>) -> Result<Access, Halt> {
        let time = self.time(k);
        let access = self.mem.access(space, ctx, index, time, new).ok_or(HaltKind::MemoryRange)?;
        self.tracer.access(access);
        Ok(access)
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

    /// Checks the bounds that the steps so far may have passed, and when to check again.
    #[cold]
    fn check_limits(&mut self) -> Result<(), Halt> {
        let limit = self.limits.steps();
        if self.clock >= limit {
            return Err(Halt::Limit { what: "steps", limit: limit.into() });
        }
        let cells = self.world.len() as u64 * STATE_CELL;
        let held =
            self.mem.bytes() + cells + self.hashed_page_bytes + self.journal.len() as u64 * JOURNAL_ENTRY;
        let limit = self.limits.max_memory_bytes;
        if held > limit {
            return Err(Halt::Limit { what: "memory bytes", limit });
        }
        let limit = self.limits.trace_bytes();
        if self.tracer.bytes() > limit {
            return Err(Halt::Limit { what: "trace bytes", limit });
        }
        self.check_at = self.limits.steps().min(self.clock + MEMORY_CHECK);
        Ok(())
    }

    /// A step that does more than compute or jump; `then` are the registers before it, of whose gas [`Self::regs`] has paid
    /// the instruction's own price.
    fn keyed(&mut self, s: &Operands<T::Stamp>, then: Regs, family: Family) -> Result<(), Halt> {
        let done = match family {
            Family::Heap => self.heap(s),
            Family::Calldata => self.calldata(s).map(Some),
            Family::Hash => self.hash(s).map(Some),
            _ => return self.moving(s, then, family),
        };
        match done {
            Ok(result) => {
                self.regs.pc = then.pc + 1;
                self.finish(s, then, result);
                Ok(())
            }
            Err(halt) => self.halted(s, then, halt),
        }
    }

    /// One that may go elsewhere, or change the journal's head.
    fn moving(&mut self, s: &Operands<T::Stamp>, then: Regs, family: Family) -> Result<(), Halt> {
        let mut next = Regs { pc: then.pc + 1, ..self.regs };
        match self.dispatch(family, s, &mut next) {
            Ok(result) => {
                self.turn(s, then, next, result);
                Ok(())
            }
            Err(halt) => self.halted(s, then, halt),
        }
    }

    /// A step that halts, as far as it has come: it ends the running context, or takes back one write of it, or stops the
    /// machine.
    #[cold]
    fn halted(&mut self, s: &Operands<T::Stamp>, then: Regs, halt: Halt) -> Result<(), Halt> {
        let mut next = Regs { pc: then.pc + 1, ..self.regs };
        match halt {
            Halt::Exceptional(kind) if self.outlives_halts() => self.halt(kind, &mut next)?,
            other => return Err(other),
        }
        self.turn(s, then, next, None);
        Ok(())
    }

    /// The end of a step that has set `next` and may have changed the context.
    fn turn(&mut self, s: &Operands<T::Stamp>, then: Regs, next: Regs, result: Option<Word>) {
        let gas = if next.ctx == then.ctx { self.regs.gas } else { next.gas };
        self.regs = Regs { gas, ..next };
        self.finish(s, then, result);
    }

    /// Writes the result and tells the tracer of the step.
    #[inline(always)]
    fn finish(&mut self, s: &Operands<T::Stamp>, then: Regs, result: Option<Word>) {
        self.tracer.step(self.clock, &then, &self.regs, s, result);
        if let Some(value) = result {
            // No instruction with a result touches its own destination slot after k = 3.
            let (_, _, d) = s.i.slots();
            if let Some(mut slots) = self.mem.slots(then.ctx) {
                slots.cell(then.fp + u32::from(d)).value = value;
            }
        }
    }

    /// Executes; answers the new value of the destination, and sets `next` where it is not just `pc + 1`.
    fn dispatch(
        &mut self,
        family: Family,
        s: &Operands<T::Stamp>,
        next: &mut Regs,
    ) -> Result<Option<Word>, Halt> {
        match (family, s.i.opcode) {
            (Family::Storage, _) => return self.storage(s, next),
            (Family::Near, _) => self.near(s, next),
            (_, op::MIMICCALL) => self.mimiccall(s, next),
            (_, op::CALL | op::STATICCALL | op::DELEGATECALL) => self.far_call(s, next),
            (_, op::CREATE) => self.create(s, next),
            (_, op::RETURN) => self.ret(s, next),
            (_, op::SELFDESTRUCT) => self.selfdestruct(s, next),
            (_, op::LOG) => self.log(s),
            (_, op::REVERT) => self.revert(s, next),
            // The steps of the other families have ended before.
            _ => Err(HaltKind::InvalidOpcode.into()),
        }
        .map(|()| None)
    }

    /// The address of the running contract, for messages.
    fn address(&self) -> [u8; 20] {
        watch::last20(self.mem.peek(space::REG, self.regs.ctx, 2))
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
