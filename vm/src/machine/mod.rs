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
mod memory;
mod precompile;
mod storage;
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
use crate::isa::{Family, Instruction, Status, name_of, op, price, traits};
use crate::state::CellId;
use crate::trace::{Access, CellFinal, Effect, Flow, JournalEntry, Page, Regs, TransientFinal, space};
use crate::word::Word;
use call::Open;
use foldhash::fast::RandomState;
use memory::Memory;
use std::collections::HashMap;
use std::sync::Arc;
use tracer::{Reads, Tracer};
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
    pages: Vec<Arc<Page>>,
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
    kernel: &Page,
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
    kernel: &Page,
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
        pages: vec![Arc::new(kernel.clone())],
        numbers: [(kernel.hash_word(), 0)].into_iter().collect(),
        hashed_pages: HashMap::default(),
        hashed_page_bytes: 0,
        frames: Vec::new(),
        journal: Vec::new(),
        events: Vec::new(),
        result: None,
        tracer,
    };
    let window = Window { space: space::INPUT, ctx: 0, base: 0, length: input.len() as u32 };
    let boot = machine.access(space::REG, 0, 0, 1, Some(window.pack())).map_err(Stopped::at_boot)?;
    machine.tracer.turn(&machine.regs);
    let result = loop {
        if let Some(result) = machine.result {
            break result;
        }
        machine.step().map_err(|halt| machine.stopped(halt))?;
    };
    machine.tracer.ended(machine.regs);
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

/// What an opcode that does not run stops the machine with.
#[cold]
fn refusal(opcode: u16) -> Halt {
    name_of(opcode).map_or(HaltKind::InvalidOpcode.into(), Halt::NotYetProvable)
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

    /// One step. Instructions that only compute or jump end here; the others, and all that halts, in [`Self::keyed`].
    #[inline(always)]
    fn step(&mut self) -> Result<(), Halt> {
        if self.clock >= self.check_at {
            self.check_limits()?;
        }
        let Some(word) = self.fetch() else { return self.step_outside() };
        self.clock += 1;
        let i = Instruction::decode(word);
        let r = self.operands(i)?;
        let regs = self.regs;
        let done = match self.admit(i) {
            Ok((_, price)) if !self.pays(price) => Err(HaltKind::OutOfGas),
            Ok((Family::Alu, _)) => self.compute(i, r.a, r.b, r.old).map(|x| (regs.pc + 1, Some(x))),
            Ok((Family::Control, _)) => self.control(i, r.a, r.b),
            other => return self.keyed(word, &r, regs, other.map(|(family, _)| family)),
        };
        let (pc, result) = match done {
            Ok(done) => done,
            Err(kind) => return self.keyed(word, &r, regs, Err(kind.into())),
        };
        self.regs.pc = pc;
        self.finish(word, &r, regs, result);
        Ok(())
    }

    /// A step beyond the page, where a called context reads zero and halts.
    #[cold]
    fn step_outside(&mut self) -> Result<(), Halt> {
        let halt = Halt::from(HaltKind::PcOutsidePage);
        if !self.outlives_halts() {
            return Err(halt);
        }
        self.clock += 1;
        let reads = self.operands(Instruction::decode(0))?;
        self.keyed(0, &reads, self.regs, Err(halt))
    }

    /// A step that does more than compute or jump, or that halts before it does; `regs` are the registers before it, of
    /// whose gas [`Self::regs`] has paid the instruction's own price.
    #[inline(never)]
    fn keyed(
        &mut self,
        word: u64,
        reads: &Reads<T::Stamp>,
        regs: Regs,
        admitted: Result<Family, Halt>,
    ) -> Result<(), Halt> {
        let Reads { a, b, old, .. } = *reads;
        let s = Operands { i: Instruction::decode(word), a, b, old };
        let mut next = Regs { pc: regs.pc + 1, ..self.regs };
        let done = admitted.and_then(|family| self.dispatch(family, &s, &mut next));
        let result = match done {
            Err(Halt::Exceptional(kind)) if self.outlives_halts() => {
                self.halt(kind, &mut next)?;
                None
            }
            other => other?,
        };
        if next.ctx == regs.ctx {
            next.gas = self.regs.gas;
        }
        self.regs = next;
        self.finish(word, reads, regs, result);
        self.tracer.turn(&self.regs);
        Ok(())
    }

    /// Writes the result and tells the tracer of the step.
    #[inline(always)]
    fn finish(&mut self, word: u64, reads: &Reads<T::Stamp>, regs: Regs, result: Option<Word>) {
        if let Some(value) = result {
            // No instruction with a result touches its own destination slot after k = 3.
            let (_, _, d) = Instruction::decode(word).slots();
            self.mem.patch(regs.ctx, regs.fp + u32::from(d), value);
        }
        self.tracer.step(&regs, &self.regs, word, reads, result.unwrap_or(reads.old));
    }

    fn fetch(&self) -> Option<u64> {
        self.pages.get(self.regs.code as usize)?.words.get(self.regs.pc as usize).copied()
    }

    /// The operands of this step; unlike other accesses they are told with the step itself.
    #[inline(always)]
    fn operands(&mut self, i: Instruction) -> Result<Reads<T::Stamp>, HaltKind> {
        let (a, b, d) = i.slots();
        let slot = |offset: u16| self.regs.fp + u32::from(offset);
        let (a, b, d, time) = (slot(a), slot(b), slot(d), self.time(0));
        let mut slots = self.mem.slots(self.regs.ctx).ok_or(HaltKind::MemoryRange)?;
        let (a, before_a) = slots.read(a, time + 1);
        let (b, before_b) = slots.read(b, time + 2);
        let (old, before_d) = slots.read(d, time + 3);
        Ok(Reads { a, b, old, before: [before_a, before_b, before_d] })
    }

    /// The family of an instruction that runs, and its price.
    #[inline(always)]
    fn admit(&self, i: Instruction) -> Result<(Family, u32), Halt> {
        match traits(i.opcode) {
            Some(t) if t.status == Status::Reserved => Err(refusal(i.opcode)),
            Some(t) if i.imm != 0 && !t.uses_imm => Err(HaltKind::InvalidOpcode.into()),
            Some(t) if t.status == Status::Executed && !self.limits.unproven => Err(refusal(i.opcode)),
            Some(t) => Ok((t.family, t.price)),
            None => Err(refusal(i.opcode)),
        }
    }

    /// The result of an instruction of the family [`Family::Alu`].
    #[inline(always)]
    fn compute(&mut self, i: Instruction, a: Word, b: Word, old: Word) -> Result<Word, HaltKind> {
        match i.opcode {
            op::CONST => return self.constant(i),
            op::SELECT => self.tracer.effect(|| Effect::Select),
            op::ADDMOD | op::MULMOD => self.tracer.executed(Flow::Stay),
            op::EXP => self.charge(price::exp(b.bits()))?,
            _ => {}
        }
        alu::eval(i, a, b, old)
    }

    /// Executes; answers the new value of the destination, and sets `next` where it is not just `pc + 1`.
    fn dispatch(&mut self, family: Family, s: &Operands, next: &mut Regs) -> Result<Option<Word>, Halt> {
        match family {
            Family::Near => self.near(s, next).map(|()| None),
            Family::Heap => self.heap(s),
            Family::Calldata => self.calldata(s).map(Some),
            Family::Storage => self.storage(s, next),
            Family::Hash => self.hash(s).map(Some),
            Family::Call => match s.i.opcode {
                op::MIMICCALL => self.mimiccall(s, next),
                op::CALL | op::STATICCALL | op::DELEGATECALL => self.far_call(s, next),
                op::CREATE => self.create(s, next),
                op::RETURN => self.ret(s, next),
                op::SELFDESTRUCT => self.selfdestruct(s, next),
                op::LOG => self.log(s),
                _ => self.revert(s, next),
            }
            .map(|()| None),
            // Their steps have ended before.
            Family::Alu | Family::Control => Err(HaltKind::InvalidOpcode.into()),
        }
    }

    fn constant(&self, i: Instruction) -> Result<Word, HaltKind> {
        let first = i.t() as usize * 4;
        let words = &self.pages[self.regs.code as usize].words;
        let w = words.get(first..first + 4).ok_or(HaltKind::ConstantOutsidePage)?;
        let half = |lo: u64, hi: u64| u128::from(hi) << 64 | u128::from(lo);
        Ok(Word::new(half(w[2], w[3]), half(w[0], w[1])))
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
