//! The machine: runs the kernel over one posted batch, step by step, exactly as `docs/isa.md` times it.
//! One generic code path serves the traced and the fast mode; it never panics, whatever the bytecode.
pub mod alu;
mod call;
mod calldata;
mod control;
mod halt;
mod hash;
mod heap;
mod memory;
mod storage;
pub mod tracer;
mod world;

pub use halt::{Halt, HaltKind, Stopped};
pub use world::{StateRead, Touched};

use crate::code::CodeStore;
use crate::isa::{Family, Instruction, Status, find, name_of, op};
use crate::state::CellId;
use crate::trace::{Access, CellFinal, Effect, Frame, JournalEntry, Page, Regs, Step, space};
use crate::word::Word;
use memory::Memory;
use std::collections::HashMap;
use std::sync::Arc;
use tracer::Tracer;
use world::World;

/// Bounds on one batch, so that no bytecode can make a replay endless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps, undo steps included; never more than [`MAX_CLOCK`].
    pub max_steps: u32,
    /// Bytes given to `keccak` by all instructions together.
    pub max_hashed_bytes: u64,
    /// Posted bytes.
    pub max_input_bytes: usize,
}

/// 65,536 steps (a trace of some 80 MB), 4 MiB hashed, 1 MiB posted.
impl Default for Limits {
    fn default() -> Limits {
        Limits { max_steps: 1 << 16, max_hashed_bytes: 1 << 22, max_input_bytes: 1 << 20 }
    }
}

/// What the kernel did that receipts are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `aload` of a nonce: the kernel turns to a record of this sender.
    NonceRead(CellId),
    /// `astore` of a nonce: the record is not skipped.
    NonceWrite(CellId),
    /// A call ended.
    CallEnd {
        /// 1 for `return`.
        success: bool,
        /// What the callee handed back, cut at [`MAX_OUTPUT`] bytes.
        output: Vec<u8>,
    },
}

/// Access times `16 * clock + k` stay below 2^32.
pub const MAX_CLOCK: u32 = (1 << 28) - 1;

/// Bytes of a call's output kept for its receipt.
pub const MAX_OUTPUT: usize = 4096;

/// Base and length of a range of some memory; `prefix * 2^64 + base * 2^32 + length` as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Memory space.
    pub space: u8,
    /// Context.
    pub ctx: u32,
    /// First byte.
    pub base: u32,
    /// Length in bytes.
    pub length: u32,
}

impl Window {
    /// The word that stands for the window.
    pub fn pack(self) -> Word {
        let prefix = u128::from(self.space) << 32 | u128::from(self.ctx);
        Word::from(prefix << 64 | u128::from(self.base) << 32 | u128::from(self.length))
    }

    /// The window that a register holds; registers are written by the machine only.
    pub fn unpack(w: Word) -> Window {
        Window {
            space: (w.lo >> 96) as u8 & 15,
            ctx: (w.lo >> 64) as u32,
            base: (w.lo >> 32) as u32,
            length: w.lo as u32,
        }
    }
}

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
    hashed: u64,
    mem: Memory<T::Stamp>,
    world: World<'a, V, T::Stamp>,
    codes: &'a CodeStore,
    pages: Vec<Arc<Page>>,
    numbers: HashMap<Word, u32>,
    frames: Vec<Frame>,
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
    /// Entries never undone.
    pub journal: Vec<JournalEntry>,
    /// Pages run; 0 is the kernel.
    pub pages: Vec<Arc<Page>>,
    /// For the receipts.
    pub events: Vec<Event>,
    /// The tracer with what it kept.
    pub tracer: T,
}

/// A limit that the input itself breaks.
fn check_input(input: &[u8], limits: &Limits) -> Result<(), Halt> {
    match input.len() > limits.max_input_bytes.min(u32::MAX as usize - 64) {
        true => Err(Halt::Limit { what: "input bytes", limit: limits.max_input_bytes as u64 }),
        false => Ok(()),
    }
}

/// Runs `kernel` over the posted bytes to its final return.
///
/// # Errors
/// Whatever stops the batch before the kernel's return, with the place where it happened.
pub fn run<'a, V: StateRead, T: Tracer>(
    view: &'a V,
    codes: &'a CodeStore,
    kernel: &Page,
    input: &[u8],
    limits: &Limits,
) -> Result<Finished<T>, Stopped> {
    check_input(input, limits).map_err(Stopped::at_boot)?;
    let mut machine = Machine::<V, T> {
        regs: Regs::default(),
        clock: 0,
        limits: *limits,
        hashed: 0,
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
        self.mem.access(space, ctx, index, time, new).ok_or_else(|| HaltKind::MemoryRange.into())
    }

    /// An access to slot `offset` of the current frame.
    fn slot(&mut self, offset: u32, k: u64) -> Result<Access, Halt> {
        self.access(space::SLOT, self.regs.ctx, self.regs.fp + offset, k, None)
    }

    fn step(&mut self) -> Result<(), Halt> {
        let limit = self.limits.max_steps.min(MAX_CLOCK);
        if self.clock >= limit {
            return Err(Halt::Limit { what: "steps", limit: limit.into() });
        }
        let regs = self.regs;
        let word = self.fetch()?;
        self.clock += 1;
        let i = Instruction::decode(word);
        let (sa, sb, sd) = i.slots();
        let a = self.slot(sa.into(), 1)?;
        let b = self.slot(sb.into(), 2)?;
        let mut d = self.slot(sd.into(), 3)?;
        let s = Operands { i, a: a.new, b: b.new, old: d.old };
        let mut next = Regs { pc: regs.pc + 1, ..regs };
        if let Some(value) = self.dispatch(&s, &mut next)? {
            // No instruction with a result touches its own destination slot after k = 3.
            self.mem.patch(space::SLOT, d.ctx, d.index, value);
            d.new = value;
        }
        let clock = self.clock;
        self.regs = next;
        self.tracer.step(|effect| Step { clock, regs, next, word, a, b, d, effect });
        Ok(())
    }

    fn fetch(&self) -> Result<u64, Halt> {
        let page = self.pages.get(self.regs.code as usize).ok_or(HaltKind::PcOutsidePage)?;
        Ok(*page.words.get(self.regs.pc as usize).ok_or(HaltKind::PcOutsidePage)?)
    }

    /// Executes; answers the new value of the destination, and sets `next` where it is not just `pc + 1`.
    fn dispatch(&mut self, s: &Operands, next: &mut Regs) -> Result<Option<Word>, Halt> {
        let opcode = s.i.opcode;
        let row = match find(opcode) {
            Some(row) if row.status == Status::Live => row,
            _ => return Err(name_of(opcode).map_or(HaltKind::InvalidOpcode.into(), Halt::NotYetProvable)),
        };
        if s.i.imm != 0 && !row.uses_imm() {
            return Err(HaltKind::InvalidOpcode.into());
        }
        match row.family {
            Family::Alu if opcode == op::CONST => self.constant(s).map(Some),
            Family::Alu => {
                if opcode == op::SELECT {
                    self.tracer.effect(|| Effect::Select);
                }
                alu::eval(s.i, s.a, s.b, s.old).map(Some)
            }
            Family::Control => self.control(s, next).map(|()| None),
            Family::Heap => self.heap(s),
            Family::Calldata => self.calldata(s).map(Some),
            Family::Storage => self.storage(s, next),
            Family::Hash => self.keccak(s).map(Some),
            Family::Call => match opcode {
                op::MIMICCALL => self.mimiccall(s, next),
                op::RETURN => self.ret(s, next),
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
    fn address(&mut self) -> [u8; 20] {
        let word = self.mem.peek(space::REG, self.regs.ctx, 2).to_be_bytes();
        let mut out = [0; 20];
        out.copy_from_slice(&word[12..]);
        out
    }

    fn stopped(&mut self, halt: Halt) -> Stopped {
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
