//! Runs the threads of one block: each until it waits, then the next; barriers and warp operations are carried out once
//! everyone they wait for has come. A wait that can never end is an error, never a hang.

use super::code::*;
use super::execute::{Stop, Thread, World};

/// A rule broken by a thread of the block.
#[derive(Debug)]
pub struct BlockFault {
    pub thread: u32,
    /// Index of the instruction.
    pub pc: u32,
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Barrier,
    Warp,
    Done,
}

/// Instructions a thread runs before others get their turn, so that one that waits for another in a loop sees it come.
const TURN: u64 = 1 << 20;
/// Instructions after which a thread is taken to loop for ever.
const MOST_INSTRUCTIONS: u64 = 1 << 33;

/// The threads of a block; kept from block to block so that nothing is allocated again.
#[derive(Default)]
pub struct Block {
    threads: Vec<Thread>,
    states: Vec<State>,
}

fn fault<T>(thread: &Thread, what: String) -> Result<T, BlockFault> {
    Err(BlockFault { thread: thread.index, pc: thread.pc, what })
}

impl Block {
    /// Runs a block to its end; returns the number of instructions executed.
    ///
    /// # Errors
    /// The first [`BlockFault`].
    pub fn run(
        &mut self,
        world: &mut World<'_>,
        kernel: usize,
        arguments: &[u64],
    ) -> Result<u64, BlockFault> {
        let count = world.block as usize;
        self.threads.resize_with(count, Thread::default);
        for (index, thread) in self.threads.iter_mut().enumerate() {
            thread.start(world.program, kernel, index as u32, arguments);
        }
        self.states.clear();
        self.states.resize(count, State::Ready);
        world.shared.reset((world.static_shared + world.dynamic_shared) as usize);
        (world.epoch, world.fenced) = (1, false);
        loop {
            for warp in 0..count.div_ceil(32) {
                while self.run_lanes(world, warp)? && self.warp_operations(world, warp)? {}
            }
            if self.states.contains(&State::Ready) {
                continue;
            }
            if self.states.iter().all(|state| *state == State::Done) {
                return Ok(self.threads.iter().map(|thread| thread.executed).sum());
            }
            self.barrier(world)?;
        }
    }

    /// Gives each ready lane of a warp its turn; whether all have come to wait or ended.
    fn run_lanes(&mut self, world: &mut World<'_>, warp: usize) -> Result<bool, BlockFault> {
        let lanes = warp * 32..(warp * 32 + 32).min(self.threads.len());
        let mut all = true;
        for at in lanes {
            if self.states[at] != State::Ready {
                continue;
            }
            let thread = &mut self.threads[at];
            self.states[at] = match thread.run(world, TURN) {
                Ok(Stop::Turn) if thread.executed > MOST_INSTRUCTIONS => {
                    return fault(
                        thread,
                        format!("has run {MOST_INSTRUCTIONS} instructions: it loops for ever"),
                    );
                }
                Ok(Stop::Turn) => {
                    all = false;
                    State::Ready
                }
                Ok(Stop::Barrier) => State::Barrier,
                Ok(Stop::Warp) => State::Warp,
                Ok(Stop::Exit) => State::Done,
                Err(refusal) => return fault(thread, *refusal),
            };
        }
        Ok(all)
    }

    /// Carries out the warp operations for which all lanes have come; whether there was one.
    fn warp_operations(&mut self, world: &World<'_>, warp: usize) -> Result<bool, BlockFault> {
        let lanes = warp * 32..(warp * 32 + 32).min(self.threads.len());
        let mut any = false;
        for at in lanes.clone() {
            if self.states[at] != State::Warp {
                continue;
            }
            let thread = &self.threads[at];
            let access = world.program.warps[world.program.code[thread.pc as usize].b as usize];
            let mask = thread.get(access.mask) as u32;
            if mask >> (at % 32) & 1 == 0 {
                return fault(thread, format!("is not in the member mask {mask:#x} it gives"));
            }
            let member = |other: usize| mask >> (other % 32) & 1 == 1 && self.states[other] != State::Done;
            let come = |other: usize| {
                let peer = &self.threads[other];
                self.states[other] == State::Warp
                    && peer.pc == thread.pc
                    && peer.get(access.mask) as u32 == mask
            };
            if lanes.clone().filter(|&other| member(other)).all(come) {
                let members = lanes
                    .clone()
                    .filter(|&other| member(other))
                    .fold(0, |set, other| set | 1 << (other % 32));
                self.exchange(access, warp * 32, members)?;
                any = true;
            }
        }
        Ok(any)
    }

    /// Carries out one warp operation for the lanes of `members`.
    fn exchange(&mut self, access: WarpAccess, first: usize, members: u32) -> Result<(), BlockFault> {
        let lanes = || (0..32usize).filter(move |lane| members >> lane & 1 == 1);
        let mut values = [0u64; 32];
        for lane in lanes() {
            values[lane] = self.threads[first + lane].get(access.a);
        }
        let mut results = [(0u64, 1u64); 32];
        for lane in lanes() {
            let thread = &self.threads[first + lane];
            let (b, c) = (thread.get(access.b) as u32, thread.get(access.c) as u32);
            results[lane] = match exchanged(access.op, &values, members, lane as u32, b, c) {
                Ok(result) => result,
                Err(what) => return fault(thread, what),
            };
        }
        for lane in lanes() {
            let thread = &mut self.threads[first + lane];
            if access.op == WarpOp::Sync {
                thread.phase = thread.phase.wrapping_add(1);
            } else {
                thread.set(access.d, results[lane].0);
                thread.set(access.p, results[lane].1);
            }
            thread.pc += 1;
            self.states[first + lane] = State::Ready;
        }
        Ok(())
    }

    /// Lets all threads pass a barrier, if all are at the same one.
    fn barrier(&mut self, world: &mut World<'_>) -> Result<(), BlockFault> {
        if let Some(at) = self.states.iter().position(|state| *state == State::Warp) {
            let text = "waits in a warp operation for lanes that never come to it";
            return fault(&self.threads[at], text.into());
        }
        let first = self.states.iter().position(|state| *state == State::Barrier).expect("someone waits");
        let thread = &self.threads[first];
        let ended = self.states.iter().filter(|state| **state == State::Done).count();
        if ended > 0 {
            return fault(thread, format!("divergent barrier: {ended} threads of the block ended before it"));
        }
        if let Some(other) = self.threads.iter().find(|other| other.pc != thread.pc) {
            let line = world.program.lines[other.pc as usize].1;
            let text = format!("divergent barrier: thread {} waits at another, on line {line}", other.index);
            return fault(thread, text);
        }
        let insn = world.program.code[thread.pc as usize];
        let set = self.threads.iter().filter(|t| insn.op == Op::BarrierReduce && t.get(insn.a) != 0).count();
        let reduced = match insn.c {
            0 => set as u64,
            1 => u64::from(set == self.threads.len()),
            _ => u64::from(set > 0),
        };
        for (thread, state) in self.threads.iter_mut().zip(&mut self.states) {
            if insn.op == Op::BarrierReduce {
                thread.set(insn.d, reduced);
            }
            (thread.pc, thread.phase, *state) = (thread.pc + 1, 0, State::Ready);
        }
        world.epoch += 1;
        Ok(())
    }
}

/// Result and predicate of one lane. The lanes of a shuffle are those of the PTX manual's pseudocode.
fn exchanged(
    op: WarpOp,
    values: &[u64; 32],
    members: u32,
    lane: u32,
    b: u32,
    c: u32,
) -> Result<(u64, u64), String> {
    let lanes = || (0..32u32).filter(move |lane| members >> lane & 1 == 1);
    let all = || lanes().map(|lane| values[lane as usize]);
    let mine = values[lane as usize];
    let signed = |value: u64| value as u32 as i32;
    let ballot = |test: &dyn Fn(u64) -> bool| {
        lanes().filter(|&lane| test(values[lane as usize])).fold(0u64, |set, lane| set | 1 << lane)
    };
    let full = u64::from(members);
    Ok(match op {
        WarpOp::ShuffleIdx | WarpOp::ShuffleUp | WarpOp::ShuffleDown | WarpOp::ShuffleXor => {
            let (by, clamp, segment) = (b & 31, c & 31, c >> 8 & 31);
            let last = (lane & segment) | (clamp & !segment);
            let (from, inside) = match op {
                WarpOp::ShuffleUp => (lane.wrapping_sub(by), lane as i32 - by as i32 >= last as i32),
                WarpOp::ShuffleDown => (lane + by, lane + by <= last),
                WarpOp::ShuffleXor => (lane ^ by, lane ^ by <= last),
                _ => ((lane & segment) | (by & !segment), (lane & segment) | (by & !segment) <= last),
            };
            let from = if inside { from } else { lane };
            if members >> from & 1 == 0 {
                return Err(format!("shuffles from lane {from}, which takes no part (members {members:#x})"));
            }
            (values[from as usize], u64::from(inside))
        }
        WarpOp::VoteAll => (u64::from(all().all(|v| v != 0)), 1),
        WarpOp::VoteAny => (u64::from(all().any(|v| v != 0)), 1),
        WarpOp::VoteUniform => (u64::from(all().all(|v| v == mine)), 1),
        WarpOp::Ballot => (ballot(&|v| v != 0), 1),
        WarpOp::MatchAny => (ballot(&|v| v == mine), 1),
        WarpOp::MatchAll if all().all(|v| v == mine) => (full, 1),
        WarpOp::MatchAll => (0, 0),
        WarpOp::ReduceAdd => (all().sum::<u64>() & 0xffff_ffff, 1),
        WarpOp::ReduceMinU => (all().min().unwrap_or(0), 1),
        WarpOp::ReduceMaxU => (all().max().unwrap_or(0), 1),
        WarpOp::ReduceMinS => (all().map(signed).min().map_or(0, |v| u64::from(v as u32)), 1),
        WarpOp::ReduceMaxS => (all().map(signed).max().map_or(0, |v| u64::from(v as u32)), 1),
        WarpOp::ReduceAnd => (all().fold(u64::from(u32::MAX), |sum, v| sum & v), 1),
        WarpOp::ReduceOr => (all().fold(0, |sum, v| sum | v), 1),
        WarpOp::ReduceXor => (all().fold(0, |sum, v| sum ^ v), 1),
        WarpOp::Sync => (0, 0),
    })
}
