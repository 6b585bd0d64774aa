//! The hot loop: runs one thread until it must wait for others, ends, or breaks a rule.
//! It allocates nothing and looks nothing up by name; every memory access goes through the checks.

use super::code::*;
use super::memory::{GlobalMemory, Origin, Refusal, refuse};
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
    pub launch: u16,
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
            launch: self.launch,
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

fn adc(width: u32, a: u64, b: u64, carry: u64) -> (u64, u64) {
    if width == 32 {
        let sum = a + b + carry;
        (sum & 0xffff_ffff, sum >> 32)
    } else {
        let sum = u128::from(a) + u128::from(b) + u128::from(carry);
        (sum as u64, (sum >> 64) as u64)
    }
}

fn sbb(width: u32, a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let difference = i128::from(a) - i128::from(b) - i128::from(borrow);
    let cut = if width == 32 { difference as u64 & 0xffff_ffff } else { difference as u64 };
    (cut, u64::from(difference < 0))
}

fn low32(value: u64) -> u64 {
    value & 0xffff_ffff
}

fn hi64(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

fn sext(value: u64, from: u32, to: u32) -> u64 {
    let wide = ((value << (64 - from)) as i64 >> (64 - from)) as u64;
    super::decode::cut(wide, to)
}

fn lop3(a: u64, b: u64, c: u64, table: u32) -> u64 {
    let mut out = 0;
    for row in 0..8 {
        if table >> row & 1 == 1 {
            let x = if row & 4 == 0 { !a } else { a };
            let y = if row & 2 == 0 { !b } else { b };
            let z = if row & 1 == 0 { !c } else { c };
            out |= x & y & z;
        }
    }
    low32(out)
}

fn prmt(a: u64, b: u64, selectors: u64) -> u64 {
    let bytes = a | b << 32;
    (0..4).fold(0, |out, at| {
        let selector = selectors >> (4 * at) & 0xf;
        let byte = bytes >> (8 * (selector & 7)) & 0xff;
        let byte = if selector & 8 == 0 {
            byte
        } else if byte & 0x80 == 0 {
            0
        } else {
            0xff
        };
        out | byte << (8 * at)
    })
}

/// `bfe`: bits from `start` on, `length` of them, of a value of `bits` bits; position and length are taken modulo 256.
fn bfe(value: u64, start: u64, length: u64, bits: u32, signed: bool) -> u64 {
    let (start, length, bits64) = (start & 0xff, length & 0xff, u64::from(bits));
    let sign_at = (start + length).saturating_sub(1).min(bits64 - 1);
    let sign = signed && length > 0 && value >> sign_at & 1 == 1;
    let mut out = if start >= bits64 { 0 } else { value >> start };
    let kept = length.min(bits64.saturating_sub(start));
    out = super::decode::cut(out, kept as u32);
    if sign {
        out |= super::decode::cut(u64::MAX, bits) & !super::decode::cut(u64::MAX, kept as u32);
    }
    out
}

/// `bfi`: `value` with `length` of its bits from `start` on replaced by those of `insert`.
fn bfi(insert: u64, value: u64, start: u64, length: u64, bits: u32) -> u64 {
    let (start, length) = (start & 0xff, length & 0xff);
    if start >= u64::from(bits) || length == 0 {
        return value;
    }
    let mask = super::decode::cut(super::decode::cut(u64::MAX, length.min(64) as u32) << start, bits);
    (value & !mask) | (insert << start & mask)
}

fn bfind(value: u64, bits: u32, shift_amount: bool) -> u64 {
    if value == 0 {
        return 0xffff_ffff;
    }
    let at = 63 - u64::from(value.leading_zeros());
    if shift_amount { u64::from(bits) - 1 - at } else { at }
}

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
        for at in 0..access.count as usize {
            let value = values[at];
            let value = if access.sign == 0 { value } else { sext(value, access.width * 8, access.sign) };
            self.set(access.slots[at], value);
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

/// Why the straight loop handed over.
enum Outcome {
    Exit,
    Turn,
    Memory,
    Call,
    Ret,
    Wait,
}

/// Runs instructions that touch the frame alone, until one needs more; `pc` is then at that one.
#[allow(clippy::too_many_lines)] // One line per instruction, in one place.
fn straight(
    code: &[Insn],
    frame: &mut [u64],
    pc: &mut u32,
    carry: &mut u64,
    left: &mut u64,
) -> Result<(Outcome, Insn), Refusal> {
    let mut at = *pc as usize;
    let mut flag = *carry;
    let mut turns = *left;
    macro_rules! r {
        ($slot:expr) => {
            frame[$slot as usize]
        };
    }
    let result = loop {
        let i = code[at];
        if turns == 0 {
            break Ok((Outcome::Turn, i));
        }
        turns -= 1;
        macro_rules! set {
            ($value:expr) => {{
                let value = $value;
                frame[i.d as usize] = value;
            }};
        }
        /// Writes the sum and, for `cc`, the carry.
        macro_rules! sum {
            ($width:literal, $a:expr, $b:expr, $carry:expr) => {{
                let (value, _) = adc($width, $a, $b, $carry);
                frame[i.d as usize] = value;
            }};
            ($width:literal, $a:expr, $b:expr, $carry:expr, cc) => {{
                let (value, out) = adc($width, $a, $b, $carry);
                flag = out;
                frame[i.d as usize] = value;
            }};
        }
        macro_rules! difference {
            ($width:literal, $carry:expr) => {{
                let (value, _) = sbb($width, r!(i.a), r!(i.b), $carry);
                frame[i.d as usize] = value;
            }};
            ($width:literal, $carry:expr, cc) => {{
                let (value, out) = sbb($width, r!(i.a), r!(i.b), $carry);
                flag = out;
                frame[i.d as usize] = value;
            }};
        }
        match i.op {
            Op::Mov => set!(r!(i.a)),
            Op::Add32 => set!(low32(r!(i.a).wrapping_add(r!(i.b)))),
            Op::AddCc32 => sum!(32, r!(i.a), r!(i.b), 0, cc),
            Op::AddC32 => sum!(32, r!(i.a), r!(i.b), flag),
            Op::AddCCc32 => sum!(32, r!(i.a), r!(i.b), flag, cc),
            Op::Sub32 => set!(low32(r!(i.a).wrapping_sub(r!(i.b)))),
            Op::SubCc32 => difference!(32, 0, cc),
            Op::SubC32 => difference!(32, flag),
            Op::SubCCc32 => difference!(32, flag, cc),
            Op::Add64 => set!(r!(i.a).wrapping_add(r!(i.b))),
            Op::AddCc64 => sum!(64, r!(i.a), r!(i.b), 0, cc),
            Op::AddC64 => sum!(64, r!(i.a), r!(i.b), flag),
            Op::AddCCc64 => sum!(64, r!(i.a), r!(i.b), flag, cc),
            Op::Sub64 => set!(r!(i.a).wrapping_sub(r!(i.b))),
            Op::SubCc64 => difference!(64, 0, cc),
            Op::SubC64 => difference!(64, flag),
            Op::SubCCc64 => difference!(64, flag, cc),
            Op::MulLo32 => set!(low32(r!(i.a).wrapping_mul(r!(i.b)))),
            Op::MulHiU32 => set!((low32(r!(i.a)) * low32(r!(i.b))) >> 32),
            Op::MulHiS32 => {
                set!(low32((sext(r!(i.a), 32, 64).wrapping_mul(sext(r!(i.b), 32, 64)) as i64 >> 32) as u64))
            }
            Op::MulWideU32 => set!(low32(r!(i.a)) * low32(r!(i.b))),
            Op::MulWideS32 => set!(sext(r!(i.a), 32, 64).wrapping_mul(sext(r!(i.b), 32, 64))),
            Op::MulLo64 => set!(r!(i.a).wrapping_mul(r!(i.b))),
            Op::MulHiU64 => set!(hi64(r!(i.a), r!(i.b))),
            Op::MulHiS64 => set!(((i128::from(r!(i.a) as i64) * i128::from(r!(i.b) as i64)) >> 64) as u64),
            Op::MadLo32 => set!(low32(r!(i.a).wrapping_mul(r!(i.b)).wrapping_add(r!(i.c)))),
            Op::MadLoCc32 => sum!(32, low32(r!(i.a).wrapping_mul(r!(i.b))), r!(i.c), 0, cc),
            Op::MadLoC32 => sum!(32, low32(r!(i.a).wrapping_mul(r!(i.b))), r!(i.c), flag),
            Op::MadLoCCc32 => sum!(32, low32(r!(i.a).wrapping_mul(r!(i.b))), r!(i.c), flag, cc),
            Op::MadHiU32 => set!(low32(((r!(i.a) * r!(i.b)) >> 32) + r!(i.c))),
            Op::MadHiCc32 => sum!(32, (r!(i.a) * r!(i.b)) >> 32, r!(i.c), 0, cc),
            Op::MadHiC32 => sum!(32, (r!(i.a) * r!(i.b)) >> 32, r!(i.c), flag),
            Op::MadHiCCc32 => sum!(32, (r!(i.a) * r!(i.b)) >> 32, r!(i.c), flag, cc),
            Op::MadHiS32 => {
                let high = sext(r!(i.a), 32, 64).wrapping_mul(sext(r!(i.b), 32, 64)) as i64 >> 32;
                set!(low32((high as u64).wrapping_add(r!(i.c))));
            }
            Op::MadWideU32 => set!((low32(r!(i.a)) * low32(r!(i.b))).wrapping_add(r!(i.c))),
            Op::MadWideS32 => {
                set!(sext(r!(i.a), 32, 64).wrapping_mul(sext(r!(i.b), 32, 64)).wrapping_add(r!(i.c)))
            }
            Op::MadLo64 => set!(r!(i.a).wrapping_mul(r!(i.b)).wrapping_add(r!(i.c))),
            Op::MadLoCc64 => sum!(64, r!(i.a).wrapping_mul(r!(i.b)), r!(i.c), 0, cc),
            Op::MadLoC64 => sum!(64, r!(i.a).wrapping_mul(r!(i.b)), r!(i.c), flag),
            Op::MadLoCCc64 => sum!(64, r!(i.a).wrapping_mul(r!(i.b)), r!(i.c), flag, cc),
            Op::MadHiU64 => set!(hi64(r!(i.a), r!(i.b)).wrapping_add(r!(i.c))),
            Op::MadHiCc64 => sum!(64, hi64(r!(i.a), r!(i.b)), r!(i.c), 0, cc),
            Op::MadHiC64 => sum!(64, hi64(r!(i.a), r!(i.b)), r!(i.c), flag),
            Op::MadHiCCc64 => sum!(64, hi64(r!(i.a), r!(i.b)), r!(i.c), flag, cc),
            Op::DivU | Op::RemU | Op::DivS32 | Op::RemS32 | Op::DivS64 | Op::RemS64 => {
                match divide(i.op, r!(i.a), r!(i.b)) {
                    Some(value) => set!(value),
                    None => break refuse("divides by zero".into()),
                }
            }
            Op::MinU => set!(r!(i.a).min(r!(i.b))),
            Op::MaxU => set!(r!(i.a).max(r!(i.b))),
            Op::MinS32 => set!(u64::from((r!(i.a) as i32).min(r!(i.b) as i32) as u32)),
            Op::MaxS32 => set!(u64::from((r!(i.a) as i32).max(r!(i.b) as i32) as u32)),
            Op::MinS64 => set!((r!(i.a) as i64).min(r!(i.b) as i64) as u64),
            Op::MaxS64 => set!((r!(i.a) as i64).max(r!(i.b) as i64) as u64),
            Op::And => set!(r!(i.a) & r!(i.b)),
            Op::Or => set!(r!(i.a) | r!(i.b)),
            Op::Xor => set!(r!(i.a) ^ r!(i.b)),
            Op::Not32 => set!(low32(!r!(i.a))),
            Op::Not64 => set!(!r!(i.a)),
            Op::NotPred => set!(r!(i.a) ^ 1),
            Op::Shl32 => set!(if r!(i.b) > 31 { 0 } else { low32(r!(i.a) << r!(i.b)) }),
            Op::Shl64 => set!(if r!(i.b) > 63 { 0 } else { r!(i.a) << r!(i.b) }),
            Op::ShrU32 => set!(if r!(i.b) > 31 { 0 } else { r!(i.a) >> r!(i.b) }),
            Op::ShrU64 => set!(if r!(i.b) > 63 { 0 } else { r!(i.a) >> r!(i.b) }),
            Op::ShrS32 => set!(u64::from((r!(i.a) as i32 >> r!(i.b).min(31)) as u32)),
            Op::ShrS64 => set!((r!(i.a) as i64 >> r!(i.b).min(63)) as u64),
            Op::ShfLClamp => set!(((r!(i.a) | r!(i.b) << 32) << r!(i.c).min(32)) >> 32),
            Op::ShfLWrap => set!(((r!(i.a) | r!(i.b) << 32) << (r!(i.c) & 31)) >> 32),
            Op::ShfRClamp => set!(low32((r!(i.a) | r!(i.b) << 32) >> r!(i.c).min(32))),
            Op::ShfRWrap => set!(low32((r!(i.a) | r!(i.b) << 32) >> (r!(i.c) & 31))),
            Op::Lop3 => {
                at += 1;
                set!(lop3(r!(i.a), r!(i.b), r!(i.c), code[at].d));
            }
            Op::Popc => set!(u64::from(r!(i.a).count_ones())),
            Op::Clz32 => set!(u64::from((r!(i.a) as u32).leading_zeros())),
            Op::Clz64 => set!(u64::from(r!(i.a).leading_zeros())),
            Op::Brev32 => set!(u64::from((r!(i.a) as u32).reverse_bits())),
            Op::Brev64 => set!(r!(i.a).reverse_bits()),
            Op::Bfind => set!(bfind(r!(i.a), i.b, i.c == 1)),
            Op::BfeU32 => set!(bfe(r!(i.a), r!(i.b), r!(i.c), 32, false)),
            Op::BfeS32 => set!(bfe(r!(i.a), r!(i.b), r!(i.c), 32, true)),
            Op::BfeU64 => set!(bfe(r!(i.a), r!(i.b), r!(i.c), 64, false)),
            Op::BfeS64 => set!(bfe(r!(i.a), r!(i.b), r!(i.c), 64, true)),
            Op::Bfi32 | Op::Bfi64 => {
                at += 1;
                let bits = if i.op == Op::Bfi32 { 32 } else { 64 };
                set!(bfi(r!(i.a), r!(i.b), r!(i.c), r!(code[at].d), bits));
            }
            Op::Prmt => set!(prmt(r!(i.a), r!(i.b), r!(i.c))),
            Op::Sext => set!(sext(r!(i.a), i.b, i.c)),
            Op::Eq => set!(u64::from(r!(i.a) == r!(i.b))),
            Op::Ne => set!(u64::from(r!(i.a) != r!(i.b))),
            Op::LtU => set!(u64::from(r!(i.a) < r!(i.b))),
            Op::LeU => set!(u64::from(r!(i.a) <= r!(i.b))),
            Op::LtS32 => set!(u64::from((r!(i.a) as i32) < r!(i.b) as i32)),
            Op::LeS32 => set!(u64::from(r!(i.a) as i32 <= r!(i.b) as i32)),
            Op::LtS64 => set!(u64::from((r!(i.a) as i64) < r!(i.b) as i64)),
            Op::LeS64 => set!(u64::from(r!(i.a) as i64 <= r!(i.b) as i64)),
            Op::Select => set!(if r!(i.c) == 0 { r!(i.b) } else { r!(i.a) }),
            Op::Join => set!(low32(r!(i.a)) | r!(i.b) << 32),
            Op::Split => {
                let value = r!(i.a);
                frame[i.d as usize] = low32(value);
                frame[i.b as usize] = value >> 32;
            }
            Op::Bra => {
                at = i.b as usize;
                continue;
            }
            Op::BraIf if r!(i.a) != 0 => {
                at = i.b as usize;
                continue;
            }
            Op::BraUnless if r!(i.a) == 0 => {
                at = i.b as usize;
                continue;
            }
            Op::BraIf | Op::BraUnless => {}
            Op::SkipIf => at += if r!(i.a) == 0 { 0 } else { i.b as usize },
            Op::SkipUnless => at += if r!(i.a) == 0 { i.b as usize } else { 0 },
            Op::Call => break Ok((Outcome::Call, i)),
            Op::Ret => break Ok((Outcome::Ret, i)),
            Op::Exit => break Ok((Outcome::Exit, i)),
            Op::Barrier | Op::BarrierReduce | Op::Warp => break Ok((Outcome::Wait, i)),
            _ => break Ok((Outcome::Memory, i)),
        }
        at += 1;
    };
    (*pc, *carry, *left) = (at as u32, flag, turns);
    result
}

/// Division by kind; nothing if the divisor is zero.
fn divide(op: Op, a: u64, b: u64) -> Option<u64> {
    let narrow = |value: i64| u64::from(value as i32 as u32);
    match op {
        Op::DivU => a.checked_div(b),
        Op::RemU => a.checked_rem(b),
        _ if b == 0 => None,
        Op::DivS32 => Some(narrow(i64::from(a as i32) / i64::from(b as i32))),
        Op::RemS32 => Some(narrow(i64::from(a as i32) % i64::from(b as i32))),
        Op::DivS64 => Some((a as i64).wrapping_div(b as i64) as u64),
        _ => Some((a as i64).wrapping_rem(b as i64) as u64),
    }
}
