//! Gives every constant that an instruction reads a register, set where it costs the fewest steps: once per path,
//! outside loops, and not above a fork whose other side does without it.
use super::cfg::Cfg;
use super::lir::{Action, BASE, Block, Const, Dest, Function, Inst, Op, Reg, Src};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Removes what computes values nobody reads.
pub fn remove_dead(f: &mut Function) {
    let mut writers: HashMap<Reg, Vec<(usize, usize)>> = HashMap::new();
    let mut needed = vec![false; f.regs as usize];
    let mut work = Vec::new();
    for (b, block) in f.blocks.iter().enumerate() {
        for (i, inst) in block.insts.iter().enumerate() {
            f.writes(&inst.action, |r| writers.entry(r).or_default().push((b, i)));
            if !removable(&inst.action) {
                f.reads(&inst.action, |r| work.push(r));
            }
        }
        f.term_reads(&block.term, |r| work.push(r));
    }
    while let Some(r) = work.pop() {
        if std::mem::replace(&mut needed[r as usize], true) {
            continue;
        }
        for &(b, i) in writers.get(&r).into_iter().flatten() {
            match &f.blocks[b].insts[i].action {
                Action::Copy(moves) => work.extend(moves.iter().filter_map(|(d, s)| match s {
                    Src::Reg(s) if *d == r => Some(*s),
                    _ => None,
                })),
                action => f.reads(action, |r| work.push(r)),
            }
        }
    }
    for block in &mut f.blocks {
        for inst in &mut block.insts {
            if let Action::Copy(moves) = &mut inst.action {
                moves.retain(|(d, _)| needed[*d as usize]);
            }
        }
        block.insts.retain(|inst| match &inst.action {
            Action::Copy(moves) => !moves.is_empty(),
            Action::Op(Op { d: Dest::Write(r) | Dest::Change(r), .. }) if removable(&inst.action) => {
                needed[*r as usize]
            }
            _ => true,
        });
    }
}

fn removable(action: &Action) -> bool {
    match action {
        Action::Op(op) => op.is_pure(),
        Action::Copy(_) | Action::Set(..) => true,
        Action::Near { .. } => false,
    }
}

/// Where a constant is read: blocks in reverse postorder, with the index of the first instruction that does.
type Uses = Vec<(Block, usize)>;

/// Replaces the constants that instructions read by registers, and sets these.
pub fn place(f: &mut Function, cfg: &Cfg) {
    let mut sets: Vec<Vec<(usize, Reg, Const)>> = vec![Vec::new(); f.blocks.len()];
    let mut homes: HashMap<(Const, Block), Reg> = HashMap::new();
    let least = least_above(cfg);
    for (constant, uses) in collect(f, cfg) {
        let homes_of = topmost(cfg, choose(cfg, &uses, &least));
        let mut made: HashMap<Block, Reg> = HashMap::new();
        for &(b, _) in &uses {
            let above = homes_of.partition_point(|home| cfg.preorder(*home) <= cfg.preorder(b));
            let home = homes_of[above.saturating_sub(1)];
            let reg = *made.entry(home).or_insert_with(|| {
                let end = f.blocks[home].insts.len();
                let place = uses.binary_search_by_key(&cfg.position[home], |(b, _)| cfg.position[*b]);
                let first = place.map_or(end, |i| uses[i].1);
                let reg = f.reg();
                sets[home].push((first, reg, constant));
                reg
            });
            homes.insert((constant, b), reg);
        }
    }
    for &b in &cfg.order {
        rewrite(f, b, &homes);
        insert(&mut f.blocks[b].insts, &mut sets[b]);
    }
}

/// The constants read, in order of appearance. Copies are left out: they set their destination themselves.
fn collect(f: &Function, cfg: &Cfg) -> Vec<(Const, Uses)> {
    let mut index: HashMap<Const, usize> = HashMap::new();
    let mut all: Vec<(Const, Uses)> = Vec::new();
    let mut note = |src: &Src, b: Block, at: usize| {
        let Src::Const(c) = *src else { return };
        if f.is_entry && c == Const::ZERO {
            return;
        }
        let i = *index.entry(c).or_insert_with(|| {
            all.push((c, Vec::new()));
            all.len() - 1
        });
        if all[i].1.last().is_none_or(|(last, _)| *last != b) {
            all[i].1.push((b, at));
        }
    };
    for &b in &cfg.order {
        let block = &f.blocks[b];
        for (i, inst) in block.insts.iter().enumerate() {
            if let Action::Op(op) = &inst.action {
                op.a.iter().chain(&op.b).for_each(|s| note(s, b, i));
                if let Dest::Read(s) = &op.d {
                    note(s, b, i);
                }
            }
        }
        block.term.clone().sources_mut().for_each(|s| note(s, b, block.insts.len()));
    }
    all
}

/// The frequency of the least frequent block that each block's dominators have to offer.
fn least_above(cfg: &Cfg) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; cfg.idom.len()];
    for &b in cfg.order.iter().skip(1) {
        let up = cfg.idom[b];
        least[b] = least[up].min(cfg.frequency[up]);
    }
    least
}

/// Blocks in which to set a constant: the cheapest choice such that every use is dominated by one. In a block that
/// reads the constant it serves all blocks below; in one that does not it must be cheaper than those below together.
fn choose(cfg: &Cfg, uses: &Uses, least_above: &[f64]) -> Vec<Block> {
    let mut below: BTreeMap<Reverse<usize>, (Block, f64, usize)> = BTreeMap::new();
    let reads: HashSet<Block> = uses.iter().map(|(b, _)| *b).collect();
    for &b in &reads {
        below.insert(Reverse(cfg.position[b]), (b, 0.0, 0));
    }
    let mut chosen = Vec::new();
    while let Some((_, (b, sum, copies))) = below.pop_first() {
        let pays = |at: f64| at < sum * 0.999 || (copies > 1 && at <= sum * 1.001);
        let here = cfg.frequency[b];
        let (cost, copies) = if reads.contains(&b) || pays(here) {
            chosen.push(b);
            (here, 1)
        } else {
            (sum, copies)
        };
        let up = cfg.idom[b];
        // One copy is left, and no block above is cheaper.
        if below.is_empty() && copies == 1 && least_above[b] >= cost * 0.999 {
            break;
        }
        if up != b {
            let entry = below.entry(Reverse(cfg.position[up])).or_insert((up, 0.0, 0));
            entry.1 += cost;
            entry.2 += copies;
        }
    }
    chosen
}

/// Those of the blocks that no other one dominates, in preorder. The last that does not come after a block is the one
/// that dominates it.
fn topmost(cfg: &Cfg, mut chosen: Vec<Block>) -> Vec<Block> {
    chosen.sort_unstable_by_key(|b| cfg.preorder(*b));
    let mut top: Vec<Block> = Vec::new();
    for b in chosen {
        if top.last().is_none_or(|last| !cfg.dominates(*last, b)) {
            top.push(b);
        }
    }
    top
}

fn rewrite(f: &mut Function, b: Block, homes: &HashMap<(Const, Block), Reg>) {
    let is_entry = f.is_entry;
    let replace = |s: &mut Src| {
        if let Src::Const(c) = *s {
            let base = (is_entry && c == Const::ZERO).then_some(BASE);
            if let Some(reg) = base.or_else(|| homes.get(&(c, b)).copied()) {
                *s = Src::Reg(reg);
            }
        }
    };
    let block = &mut f.blocks[b];
    for inst in &mut block.insts {
        if let Action::Op(op) = &mut inst.action {
            op.a.iter_mut().chain(&mut op.b).for_each(replace);
            if let Dest::Read(s) = &mut op.d {
                replace(s);
            }
        }
    }
    block.term.sources_mut().for_each(replace);
}

fn insert(insts: &mut Vec<Inst>, sets: &mut [(usize, Reg, Const)]) {
    sets.sort_by_key(|(at, _, _)| *at);
    let mut sets = sets.iter().peekable();
    let old = std::mem::take(insts);
    let end = old.len();
    for (i, inst) in old.into_iter().enumerate() {
        while let Some((_, r, c)) = sets.next_if(|(at, _, _)| *at == i) {
            insts.push(Inst { action: Action::Set(*r, *c), loc: inst.loc });
        }
        insts.push(inst);
    }
    while let Some((_, r, c)) = sets.next_if(|(at, _, _)| *at == end) {
        insts.push(Inst { action: Action::Set(*r, *c), loc: None });
    }
}
