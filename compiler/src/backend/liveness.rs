//! When each register holds a value somebody will read. Instruction `i` of the whole function, counted in reverse
//! postorder of the blocks, reads at time `2 i` and writes at `2 i + 1`.
use super::cfg::Cfg;
use super::lir::{Action, Function, GroupId, Reg, Term};

/// A stretch of time: from the first to before the second.
pub type Segment = (u32, u32);

/// Live ranges, and what else depends on time.
pub struct Liveness {
    /// Segments of each register, ascending, none touching the next.
    pub ranges: Vec<Vec<Segment>>,
    /// Near calls: number of the instruction, and its group.
    pub calls: Vec<(u32, GroupId)>,
}

/// A set of registers.
#[derive(Clone, PartialEq, Eq)]
struct Set(Vec<u64>);

impl Set {
    fn new(len: u32) -> Set {
        Set(vec![0; len as usize / 64 + 1])
    }

    fn insert(&mut self, r: Reg) {
        self.0[r as usize / 64] |= 1 << (r % 64);
    }

    fn remove(&mut self, r: Reg) {
        self.0[r as usize / 64] &= !(1 << (r % 64));
    }

    fn contains(&self, r: Reg) -> bool {
        self.0[r as usize / 64] >> (r % 64) & 1 == 1
    }

    fn iter(&self) -> impl Iterator<Item = Reg> + '_ {
        self.0.iter().enumerate().flat_map(|(i, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros())?;
                word &= word - 1;
                Some(i as u32 * 64 + bit)
            })
        })
    }
}

impl Liveness {
    /// Looks at a function.
    pub fn new(f: &Function, cfg: &Cfg) -> Liveness {
        let live_out = live_out(f, cfg);
        let mut ranges: Vec<Vec<Segment>> = vec![Vec::new(); f.regs as usize];
        let mut calls = Vec::new();
        let mut end = 0u32;
        let mut ends = vec![0; f.blocks.len()];
        for &b in &cfg.order {
            end += f.blocks[b].insts.len() as u32 + 1;
            ends[b] = end;
        }
        // Backwards, so that segments come out in descending order.
        let mut until = vec![0u32; f.regs as usize];
        for &b in cfg.order.iter().rev() {
            let block = &f.blocks[b];
            let mut at = ends[b];
            let mut live = live_out[b].clone();
            live.iter().for_each(|r| until[r as usize] = 2 * at);
            at -= 1;
            if let Term::Overflow { d, .. } = block.term {
                close(&mut ranges, &mut live, &until, d, at);
            }
            f.term_reads(&block.term, |r| open(&mut live, &mut until, r, at));
            for inst in block.insts.iter().rev() {
                at -= 1;
                f.writes(&inst.action, |r| close(&mut ranges, &mut live, &until, r, at));
                f.reads(&inst.action, |r| open(&mut live, &mut until, r, at));
                if let Action::Near { group, .. } = inst.action {
                    calls.push((at, group));
                }
            }
            live.iter().for_each(|r| push(&mut ranges[r as usize], (2 * at, until[r as usize])));
        }
        ranges.iter_mut().for_each(|r| r.reverse());
        Liveness { ranges, calls }
    }
}

fn open(live: &mut Set, until: &mut [u32], r: Reg, at: u32) {
    if !live.contains(r) {
        live.insert(r);
        until[r as usize] = 2 * at + 1;
    }
}

fn close(ranges: &mut [Vec<Segment>], live: &mut Set, until: &[u32], r: Reg, at: u32) {
    let end = if live.contains(r) { until[r as usize] } else { 2 * at + 2 };
    live.remove(r);
    push(&mut ranges[r as usize], (2 * at + 1, end));
}

/// Adds an earlier segment.
fn push(range: &mut Vec<Segment>, (start, end): Segment) {
    match range.last_mut() {
        Some(last) if last.0 <= end => last.0 = start.min(last.0),
        _ => range.push((start, end)),
    }
}

fn live_out(f: &Function, cfg: &Cfg) -> Vec<Set> {
    let n = f.blocks.len();
    let mut written = vec![Set::new(f.regs); n];
    let mut live_in = vec![Set::new(f.regs); n];
    for &b in &cfg.order {
        let block = &f.blocks[b];
        let (read, written) = (&mut live_in[b], &mut written[b]);
        for inst in &block.insts {
            f.reads(&inst.action, |r| {
                if !written.contains(r) {
                    read.insert(r);
                }
            });
            f.writes(&inst.action, |r| written.insert(r));
        }
        f.term_reads(&block.term, |r| {
            if !written.contains(r) {
                read.insert(r);
            }
        });
        if let Term::Overflow { d, .. } = block.term {
            written.insert(d);
        }
    }
    let mut out = vec![Set::new(f.regs); n];
    let mut changed = true;
    while changed {
        changed = false;
        for &b in cfg.order.iter().rev() {
            for s in f.blocks[b].term.targets() {
                for i in 0..out[b].0.len() {
                    let word = out[b].0[i] | live_in[s].0[i];
                    if word != out[b].0[i] {
                        out[b].0[i] = word;
                        live_in[b].0[i] |= word & !written[b].0[i];
                        changed = true;
                    }
                }
            }
        }
    }
    out
}

/// True if two ranges share a time.
pub fn intersect(a: &[Segment], b: &[Segment]) -> bool {
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    few.iter().any(|(start, end)| {
        let i = many.partition_point(|(_, e)| e <= start);
        many.get(i).is_some_and(|(s, _)| s < end)
    })
}

/// The union of two ranges.
pub fn union(a: &[Segment], b: &[Segment]) -> Vec<Segment> {
    let mut all: Vec<Segment> = a.iter().chain(b).copied().collect();
    all.sort_unstable();
    let mut out: Vec<Segment> = Vec::with_capacity(all.len());
    for (start, end) in all {
        match out.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => out.push((start, end)),
        }
    }
    out
}

/// True if the value goes on living across instruction `at`.
pub fn crosses(range: &[Segment], at: u32) -> bool {
    let i = range.partition_point(|(_, end)| *end <= 2 * at + 1);
    range.get(i).is_some_and(|(start, _)| *start <= 2 * at)
}
