//! The order of blocks. A jump taken costs as much as one not taken, so all that counts is to follow each block by a
//! successor where it can be; what fails goes last, which also puts overflow exits behind the checks that take them.
use super::cfg::Cfg;
use super::lir::Block;
use super::machine::{Function, Line, Term};
use lathe_vm::isa::op;
use std::collections::HashMap;

/// Blocks of up to this many instructions are repeated to save a jump to them.
const REPEATED: usize = 6;

/// Simplifies the graph and orders the blocks.
pub fn layout(f: &mut Function, optimise: bool, optimise_size: bool) -> Vec<Block> {
    thread(f);
    if optimise {
        merge(f, optimise_size);
        let order = order(f);
        repeat(f, &order, if optimise_size { 0 } else { REPEATED });
        thread(f);
    }
    order(f)
}

fn cfg(f: &Function) -> Cfg {
    let succs: Vec<Vec<Block>> = f.blocks.iter().map(|b| b.term.targets().collect()).collect();
    let fails: Vec<bool> = f
        .blocks
        .iter()
        .map(|b| matches!(b.term, Term::Stop(i) if i.opcode != op::RETURN && i.opcode != op::NRET))
        .collect();
    Cfg::new(&succs, &fails)
}

/// Leads jumps to empty blocks on to where these jump.
fn thread(f: &mut Function) {
    let next: Vec<Option<Block>> = f
        .blocks
        .iter()
        .map(|b| match b.term {
            Term::Jump(to) if b.lines.is_empty() => Some(to),
            _ => None,
        })
        .collect();
    let end = |mut b: Block| {
        // Empty blocks may form a circle.
        for _ in 0..next.len() {
            match next[b] {
                Some(to) => b = to,
                None => break,
            }
        }
        b
    };
    for block in &mut f.blocks {
        block.term.targets_mut().for_each(|to| *to = end(*to));
        if let Term::Branch(_, yes, no) = block.term
            && yes == no
        {
            block.term = Term::Jump(yes);
        }
    }
}

/// Lets one of several equal blocks stand for all: those that fail, or all where size counts.
fn merge(f: &mut Function, all: bool) {
    loop {
        let mut first: HashMap<_, Block> = HashMap::new();
        let mut same: Vec<Block> = (0..f.blocks.len()).collect();
        for b in cfg(f).order {
            let block = &f.blocks[b];
            if b != 0 && (all || block.cold) {
                let code: Vec<_> = block.lines.iter().map(|l| (l.instruction.encode(), l.fix)).collect();
                same[b] = *first.entry((code, key(block.term))).or_insert(b);
            }
        }
        if same.iter().enumerate().all(|(b, s)| b == *s) {
            return;
        }
        f.blocks.iter_mut().flat_map(|b| b.term.targets_mut()).for_each(|to| *to = same[*to]);
    }
}

/// A block's end, to be compared.
fn key(term: Term) -> (u8, u64, Vec<Block>) {
    let (kind, word) = match term {
        Term::Jump(_) => (0, 0),
        Term::Branch(i, ..) => (1, i.encode()),
        Term::Overflow(i, ..) => (2, i.encode()),
        Term::Stop(i) => (3, i.encode()),
    };
    (kind, word, term.targets().collect())
}

/// Replaces a jump that remains in the given order by the block it leads to, if that is short.
fn repeat(f: &mut Function, order: &[Block], limit: usize) {
    for (i, &b) in order.iter().enumerate() {
        let Term::Jump(to) = f.blocks[b].term else { continue };
        if order.get(i + 1) == Some(&to) || to == b || f.blocks[b].cold || f.blocks[to].lines.len() > limit {
            continue;
        }
        let (lines, term): (Vec<Line>, Term) = (f.blocks[to].lines.clone(), f.blocks[to].term);
        if !matches!(term, Term::Jump(_)) {
            f.blocks[b].lines.extend(lines);
            f.blocks[b].term = term;
            f.blocks[b].loc = f.blocks[to].loc;
        }
    }
}

/// Chains of blocks, each followed by a successor that is still free: deeper loops first, then in the order of the
/// graph, so that what two paths share comes after both.
fn order(f: &Function) -> Vec<Block> {
    let cfg = cfg(f);
    let mut placed = vec![false; f.blocks.len()];
    let mut out = Vec::with_capacity(cfg.order.len());
    for cold in [false, true] {
        for &start in &cfg.order {
            let mut at = Some(start).filter(|b| cfg.cold[*b] == cold || out.is_empty());
            while let Some(b) = at.filter(|b| !std::mem::replace(&mut placed[*b], true)) {
                out.push(b);
                let free = f.blocks[b].term.targets().filter(|s| !placed[*s] && cfg.cold[*s] == cold);
                at = free.min_by_key(|s| (std::cmp::Reverse(cfg.depth[*s]), cfg.position[*s]));
            }
        }
    }
    out
}
