//! A thread: its frames, calls and memory accesses. It runs until it must wait for others, ends, or breaks a rule; no
//! access goes around the checks.

use super::alu::{Outcome, sext, straight};
use super::code::*;
use super::memory::{GlobalMemory, Operation, Origin, Refusal, refuse};
use super::shared::{LocalMemory, SharedMemory, Toucher};
use std::sync::atomic::{Ordering, fence};

/// Why a thread stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It has used up its turn and can go on.
    Turn,
    /// It waits at the barrier or warp operation that its `pc` is at.
    Barrier,
    Warp,
    Exit,
}

/// Where a call returns to.
#[derive(Debug, Clone, Copy)]
struct Frame {
    pc: u32,
    base: usize,
    function: usize,
    site: u32,
}

/// A thread: its frames, local memory and place.
#[derive(Debug, Default, Clone)]
pub struct Thread {
    slots: Vec<u64>,
    local: LocalMemory,
    stack: Vec<Frame>,
    pub pc: u32,
    base: usize,
    function: usize,
    /// Start of the current function's local memory.
    local_base: usize,
    carry: u64,
    /// Its number in the block, and its warp's count of synchronisations.
    pub index: u32,
    pub phase: u16,
    /// Instructions executed in this launch.
    pub executed: u64,
}

/// What a thread sees beside its own state.
pub struct World<'w> {
    pub program: &'w Program,
    pub global: &'w GlobalMemory,
    pub shared: &'w mut SharedMemory,
    pub grid: u32,
    pub block: u32,
    pub block_index: u32,
    pub operation: Operation,
    pub epoch: u32,
    pub static_shared: u32,
    pub dynamic_shared: u32,
    /// Whether a thread of the block has executed a device-wide fence.
    pub fenced: bool,
}

impl World<'_> {
    fn origin(&self, index: u32, phase: u16) -> Origin {
        let block_start = self.block_index.wrapping_mul(self.block);
        Origin {
            operation: self.operation,
            epoch: self.epoch.min(0xffff) as u16,
            thread: block_start.wrapping_add(index),
            block_start,
            block_size: self.block,
            fenced: self.fenced,
            warp_synced: phase > 0,
        }
    }
}

/// Deepest nesting of calls.
const CALL_DEPTH: usize = 64;

/// The new value of an atomic.
fn combine(access: &Access, old: u64, value: u64, compared: u64) -> u64 {
    let sign = |v: u64| sext(v, access.width * 8, 64) as i64;
    let new = match access.atomic {
        AtomicOp::Add => old.wrapping_add(value),
        AtomicOp::Inc => {
            if old >= value {
                0
            } else {
                old + 1
            }
        }
        AtomicOp::Dec => {
            if old == 0 || old > value {
                value
            } else {
                old - 1
            }
        }
        AtomicOp::And => old & value,
        AtomicOp::Or => old | value,
        AtomicOp::Xor => old ^ value,
        AtomicOp::MinU => old.min(value),
        AtomicOp::MaxU => old.max(value),
        AtomicOp::MinS => {
            if sign(old) <= sign(value) {
                old
            } else {
                value
            }
        }
        AtomicOp::MaxS => {
            if sign(old) >= sign(value) {
                old
            } else {
                value
            }
        }
        AtomicOp::Exchange | AtomicOp::None => value,
        AtomicOp::Compare => {
            if old == compared {
                value
            } else {
                old
            }
        }
    };
    super::decode::cut(new, access.width * 8)
}

/// The memory that an address means: space without `Generic`, and the address within it.
fn resolve(space: Space, address: u64) -> (Space, u64) {
    let inner = address & ((1 << WINDOW_BITS) - 1);
    match (space, address >> WINDOW_BITS) {
        (Space::Generic, SHARED_WINDOW) => (Space::Shared, inner),
        (Space::Generic, LOCAL_WINDOW) => (Space::Local, inner),
        (Space::Generic | Space::Const, _) => (Space::Global, address),
        _ => (space, address),
    }
}

impl Thread {
    /// Puts the thread at the start of a kernel; `arguments` are the values of its parameters.
    pub fn start(&mut self, program: &Program, kernel: usize, index: u32, arguments: &[u64]) {
        let function = &program.functions[kernel];
        self.stack.clear();
        self.local.resize(0);
        self.local.resize(function.local as usize);
        (self.pc, self.base, self.function, self.local_base) = (function.start, 0, kernel, 0);
        (self.index, self.phase, self.executed, self.carry) = (index, 0, 0, 0);
        self.enter(function);
        for (&(slot, _), &value) in function.params.iter().zip(arguments) {
            self.slots[slot as usize] = value;
        }
    }

    fn enter(&mut self, function: &FunctionCode) {
        let end = self.base + function.slots as usize;
        if self.slots.len() < end {
            self.slots.resize(end, 0);
        }
        for &(slot, value) in &function.constants {
            self.slots[self.base + slot as usize] = value;
        }
    }

    /// The value of a slot of the current frame.
    pub fn get(&self, slot: u32) -> u64 {
        self.slots[self.base + slot as usize]
    }

    /// Sets a slot of the current frame.
    pub fn set(&mut self, slot: u32, value: u64) {
        self.slots[self.base + slot as usize] = value;
    }

    fn call(&mut self, program: &Program, site: u32) -> Result<(), Refusal> {
        let call = &program.calls[site as usize];
        if self.stack.len() == CALL_DEPTH {
            return refuse(format!("calls nest deeper than {CALL_DEPTH}"));
        }
        let caller = &program.functions[self.function];
        self.stack.push(Frame { pc: self.pc, base: self.base, function: self.function, site });
        let from = self.base;
        self.base += caller.slots as usize;
        self.function = call.function;
        let callee = &program.functions[call.function];
        self.enter(callee);
        for &(source, target, count) in &call.arguments {
            let source = from + source as usize;
            self.slots.copy_within(source..source + count as usize, self.base + target as usize);
        }
        self.local_base = self.local.len();
        self.local.resize(self.local_base + callee.local as usize);
        self.pc = callee.start;
        Ok(())
    }

    /// Returns from a call; false at the end of the kernel.
    fn ret(&mut self, program: &Program) -> bool {
        let Some(frame) = self.stack.pop() else { return false };
        for &(source, target, count) in &program.calls[frame.site as usize].results {
            let source = self.base + source as usize;
            self.slots.copy_within(source..source + count as usize, frame.base + target as usize);
        }
        self.local.resize(self.local_base);
        (self.pc, self.base, self.function) = (frame.pc, frame.base, frame.function);
        self.local_base -= program.functions[frame.function].local as usize;
        true
    }

    fn special(&self, world: &World<'_>, which: u32) -> u64 {
        let lane = self.index % 32;
        let value = match which {
            0 => self.index,
            1 | 2 | 7 | 8 => 0,
            3 => world.block,
            4 | 5 | 10 | 11 => 1,
            6 => world.block_index,
            9 => world.grid,
            12 => lane,
            13 => self.index / 32,
            14 => world.block.div_ceil(32),
            // An active mask of this lane alone is always a true answer: nothing promises that lanes run together.
            15 | 22 => 1 << lane,
            16 => (1 << lane) - 1,
            17 => (2u64 << lane) as u32 - 1,
            18 => !((2u64 << lane) as u32 - 1),
            19 => !((1 << lane) - 1),
            20 => world.dynamic_shared,
            _ => world.static_shared + world.dynamic_shared,
        };
        u64::from(value)
    }

    fn toucher(&self, world: &World<'_>) -> Toucher {
        Toucher { thread: self.index as u16, phase: self.phase, epoch: world.epoch }
    }

    fn load(&mut self, world: &mut World<'_>, access: &Access, address: u64) -> Result<(), Refusal> {
        let (space, address) = resolve(access.space, address);
        let (width, total) = (access.width, (access.width * access.count) as usize);
        let mut values = [0; 4];
        match space {
            Space::Shared => {
                let offset = world.shared.find(address, total)?;
                for at in 0..access.count {
                    let place = offset + (at * width) as usize;
                    world.shared.check_read(place, width, access.order, self.toucher(world))?;
                    values[at as usize] = world.shared.load(place, width);
                }
            }
            Space::Local => {
                let offset = self.local.find(address, total)?;
                for at in 0..access.count {
                    values[at as usize] = self.local.load(offset + (at * width) as usize, width)?;
                }
            }
            _ => {
                let (region, offset) = world.global.find(address, total, total)?;
                let origin = world.origin(self.index, self.phase);
                for at in 0..access.count {
                    let place = offset + (at * width) as usize;
                    region.check_read(place, width, access.order, &origin)?;
                    values[at as usize] = region.load(place, width);
                }
            }
        }
        self.take(access, values);
        Ok(())
    }

    fn take(&mut self, access: &Access, values: [u64; 4]) {
        for (&slot, value) in access.slots.iter().zip(values).take(access.count as usize) {
            let value = if access.sign == 0 { value } else { sext(value, access.width * 8, access.sign) };
            self.set(slot, value);
        }
    }

    fn store(&mut self, world: &mut World<'_>, access: &Access, address: u64) -> Result<(), Refusal> {
        let (space, address) = resolve(access.space, address);
        let (width, total) = (access.width, (access.width * access.count) as usize);
        match space {
            Space::Shared => {
                let offset = world.shared.find(address, total)?;
                for at in 0..access.count {
                    let place = offset + (at * width) as usize;
                    world.shared.check_write(place, width, access.order, self.toucher(world))?;
                    world.shared.store(place, width, self.get(access.slots[at as usize]));
                }
            }
            Space::Local => {
                let offset = self.local.find(address, total)?;
                for at in 0..access.count {
                    let value = self.get(access.slots[at as usize]);
                    self.local.store(offset + (at * width) as usize, width, value);
                }
            }
            _ => {
                let (region, offset) = world.global.find(address, total, total)?;
                let origin = world.origin(self.index, self.phase);
                for at in 0..access.count {
                    let place = offset + (at * width) as usize;
                    let value = self.get(access.slots[at as usize]);
                    region.check_write(place, width, access.order, value, &origin)?;
                    region.store(place, width, value);
                }
            }
        }
        Ok(())
    }

    fn atomic(&mut self, world: &mut World<'_>, insn: Insn) -> Result<(), Refusal> {
        let access = &world.program.accesses[insn.c as usize];
        let address = self.get(insn.a).wrapping_add(insn.b as i32 as u64);
        let (value, compared) = (self.get(access.slots[0]), self.get(access.slots[1]));
        let (width, bytes) = (access.width, access.width as usize);
        let (space, address) = resolve(access.space, address);
        let old = match space {
            Space::Shared => {
                let offset = world.shared.find(address, bytes)?;
                let who = self.toucher(world);
                world.shared.check_read(offset, width, Order::Strong, who)?;
                world.shared.check_write(offset, width, Order::Strong, who)?;
                let old = world.shared.load(offset, width);
                world.shared.store(offset, width, combine(access, old, value, compared));
                old
            }
            Space::Local => return refuse("an atomic in local memory".into()),
            _ => {
                let (region, offset) = world.global.find(address, bytes, bytes)?;
                region.check_update(offset, width, &world.origin(self.index, self.phase))?;
                region.update(offset, width, |old| combine(access, old, value, compared))
            }
        };
        self.set(insn.d, old);
        Ok(())
    }

    fn param(&mut self, world: &World<'_>, insn: Insn) {
        let access = &world.program.accesses[insn.c as usize];
        let (width, offset) = (access.width as usize, insn.b as usize);
        for at in 0..access.count as usize {
            let (word, shift) = ((offset + at * width) / 8, (offset + at * width) % 8 * 8);
            let mask = super::decode::cut(u64::MAX, access.width * 8);
            if insn.op == Op::LoadParam {
                let value = self.get(word as u32) >> shift & mask;
                let value = if access.sign == 0 { value } else { sext(value, access.width * 8, access.sign) };
                self.set(access.slots[at], value);
            } else {
                let kept = self.get(word as u32) & !(mask << shift);
                self.set(word as u32, kept | (self.get(access.slots[at]) & mask) << shift);
            }
        }
    }

    /// Runs at most `turn` instructions. Upon an error or a wait, `pc` is at the instruction concerned.
    ///
    /// # Errors
    /// What rule was broken.
    pub fn run(&mut self, world: &mut World<'_>, turn: u64) -> Result<Stop, Refusal> {
        let program = world.program;
        let mut left = turn;
        let stop = loop {
            let frame =
                &mut self.slots[self.base..self.base + program.functions[self.function].slots as usize];
            let (outcome, insn) = straight(&program.code, frame, &mut self.pc, &mut self.carry, &mut left)?;
            let here = self.pc;
            self.pc += 1;
            let done = match outcome {
                Outcome::Turn => {
                    self.pc = here;
                    break Stop::Turn;
                }
                Outcome::Memory => self.outside(world, insn),
                Outcome::Call => self.call(program, insn.b),
                Outcome::Ret if self.ret(program) => Ok(()),
                Outcome::Ret | Outcome::Exit => break Stop::Exit,
                Outcome::Wait => {
                    self.pc = here;
                    break if insn.op == Op::Warp { Stop::Warp } else { Stop::Barrier };
                }
            };
            if let Err(refusal) = done {
                self.pc = here;
                return Err(refusal);
            }
        };
        self.executed += turn - left;
        Ok(stop)
    }

    /// An instruction that needs more than the frame.
    fn outside(&mut self, world: &mut World<'_>, insn: Insn) -> Result<(), Refusal> {
        let program = world.program;
        match insn.op {
            Op::Load | Op::Store => {
                let access = &program.accesses[insn.c as usize];
                let address = self.get(insn.a).wrapping_add(insn.b as i32 as u64);
                if insn.op == Op::Load {
                    self.load(world, access, address)
                } else {
                    self.store(world, access, address)
                }
            }
            Op::LoadParam | Op::StoreParam => {
                self.param(world, insn);
                Ok(())
            }
            Op::Atomic => self.atomic(world, insn),
            Op::LocalAddress => {
                self.set(insn.d, self.local_base as u64 + u64::from(insn.b));
                Ok(())
            }
            Op::DynamicShared => {
                self.set(insn.d, u64::from(world.static_shared + insn.b));
                Ok(())
            }
            Op::Special => {
                let value = self.special(world, insn.b);
                self.set(insn.d, value);
                Ok(())
            }
            Op::Fence => {
                fence(Ordering::SeqCst);
                world.fenced |= insn.c == 1;
                Ok(())
            }
            Op::BraIndex => {
                let index = self.get(insn.a);
                if index >= u64::from(insn.c) {
                    return refuse(format!("branches to entry {index} of a table of {}", insn.c));
                }
                self.pc = program.lists[insn.b as usize + index as usize];
                Ok(())
            }
            Op::Join16 => {
                let parts = &program.lists[insn.b as usize..][..insn.c as usize];
                let value = parts.iter().rev().fold(0, |sum, &slot| sum << 16 | (self.get(slot) & 0xffff));
                self.set(insn.d, value);
                Ok(())
            }
            Op::Split16 => {
                let value = self.get(insn.a);
                for at in 0..insn.c {
                    self.set(program.lists[(insn.b + at) as usize], value >> (16 * at) & 0xffff);
                }
                Ok(())
            }
            _ => refuse("reaches a trap".into()),
        }
    }
}
