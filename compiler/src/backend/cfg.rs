//! Graph questions about a function's blocks: order, dominators, loops, and how often a block likely runs.
use std::collections::HashSet;

/// What is known about a graph of blocks; block 0 is the entry.
pub struct Cfg {
    /// Reachable blocks in reverse postorder.
    pub order: Vec<usize>,
    /// Index of each block in `order`; `usize::MAX` for an unreachable one.
    pub position: Vec<usize>,
    /// Immediate dominators; the entry is its own, an unreachable block has `usize::MAX`.
    pub idom: Vec<usize>,
    /// First and last number of each block's subtree in a walk of the dominator tree.
    subtree: Vec<(usize, usize)>,
    /// Loops around each block.
    pub depth: Vec<u32>,
    /// True if all paths from the block end in failure.
    pub cold: Vec<bool>,
    /// Estimated runs of each block per run of the function.
    pub frequency: Vec<f64>,
}

/// How much less likely an edge to a cold block is.
const COLD_WEIGHT: f64 = 1.0 / 256.0;
/// Runs of a loop's body per entry.
const LOOP_RUNS: f64 = 8.0;

impl Cfg {
    /// Looks at a graph: successors per block, and which blocks end in failure.
    pub fn new(succs: &[Vec<usize>], fails: &[bool]) -> Cfg {
        let order = reverse_postorder(succs);
        let mut preds = vec![Vec::new(); succs.len()];
        for &b in &order {
            for &s in &succs[b] {
                preds[s].push(b);
            }
        }
        let mut position = vec![usize::MAX; succs.len()];
        for (i, &b) in order.iter().enumerate() {
            position[b] = i;
        }
        let idom = dominators(&order, &position, &preds);
        let subtree = subtrees(&order, &idom);
        let cold = cold(&order, succs, fails);
        let mut cfg = Cfg { order, position, idom, subtree, depth: Vec::new(), cold, frequency: Vec::new() };
        cfg.depth = cfg.loop_depth(&preds);
        cfg.frequency = cfg.estimate(succs);
        cfg
    }

    /// True if every path to `b` passes `a`; both must be reachable.
    pub fn dominates(&self, a: usize, b: usize) -> bool {
        let ((first, last), (b, _)) = (self.subtree[a], self.subtree[b]);
        (first..=last).contains(&b)
    }

    /// A number of each block such that the blocks below it in the dominator tree have the next ones.
    pub fn preorder(&self, b: usize) -> usize {
        self.subtree[b].0
    }

    /// Natural loops: an edge to a dominator closes one; its body is what reaches the edge without passing the head.
    fn loop_depth(&self, preds: &[Vec<usize>]) -> Vec<u32> {
        let mut depth = vec![0; preds.len()];
        for &head in &self.order {
            let mut work: Vec<usize> =
                preds[head].iter().copied().filter(|p| self.dominates(head, *p)).collect();
            if work.is_empty() {
                continue;
            }
            let mut body = HashSet::from([head]);
            while let Some(b) = work.pop() {
                if body.insert(b) {
                    work.extend(&preds[b]);
                }
            }
            for b in body {
                depth[b] += 1;
            }
        }
        depth
    }

    fn estimate(&self, succs: &[Vec<usize>]) -> Vec<f64> {
        let n = succs.len();
        let weight = |b: usize| if self.cold[b] { COLD_WEIGHT } else { 1.0 };
        let mut chance = vec![0.0; n];
        chance[0] = 1.0;
        for &b in &self.order {
            let forward = || succs[b].iter().copied().filter(|s| self.position[*s] > self.position[b]);
            let total: f64 = forward().map(weight).sum();
            for s in forward() {
                chance[s] += chance[b] * weight(s) / total;
            }
        }
        (0..n).map(|b| chance[b] * LOOP_RUNS.powi(self.depth[b].min(6) as i32)).collect()
    }
}

fn reverse_postorder(succs: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; succs.len()];
    let mut order = Vec::with_capacity(succs.len());
    let mut stack = vec![(0, 0)];
    seen[0] = true;
    while let Some((b, next)) = stack.pop() {
        match succs[b].get(next) {
            Some(&s) => {
                stack.push((b, next + 1));
                if !seen[s] {
                    seen[s] = true;
                    stack.push((s, 0));
                }
            }
            None => order.push(b),
        }
    }
    order.reverse();
    order
}

/// Cooper, Harvey and Kennedy's iteration over the reverse postorder.
fn dominators(order: &[usize], position: &[usize], preds: &[Vec<usize>]) -> Vec<usize> {
    let mut idom = vec![usize::MAX; preds.len()];
    idom[0] = 0;
    let mut changed = true;
    while changed {
        changed = false;
        for &b in order.iter().skip(1) {
            let mut new = usize::MAX;
            for &p in preds[b].iter().filter(|p| idom[**p] != usize::MAX) {
                new = if new == usize::MAX { p } else { common(&idom, position, new, p) };
            }
            if idom[b] != new {
                idom[b] = new;
                changed = true;
            }
        }
    }
    idom
}

fn common(idom: &[usize], position: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        while position[a] > position[b] {
            a = idom[a];
        }
        while position[b] > position[a] {
            b = idom[b];
        }
    }
    a
}

/// Numbers of each block's subtree in a preorder walk of the dominator tree.
fn subtrees(order: &[usize], idom: &[usize]) -> Vec<(usize, usize)> {
    let mut size = vec![1; idom.len()];
    for &b in order.iter().skip(1).rev() {
        size[idom[b]] += size[b];
    }
    let mut subtree = vec![(usize::MAX, 0); idom.len()];
    // The next free number below each block; a block comes after its dominator in the order.
    let mut next = vec![0; idom.len()];
    for &b in order {
        let first = next[idom[b]];
        subtree[b] = (first, first + size[b] - 1);
        next[idom[b]] += size[b];
        next[b] = first + 1;
    }
    subtree
}

fn cold(order: &[usize], succs: &[Vec<usize>], fails: &[bool]) -> Vec<bool> {
    let mut cold = fails.to_vec();
    let mut changed = true;
    while changed {
        changed = false;
        for &b in order.iter().rev() {
            if !cold[b] && !succs[b].is_empty() && succs[b].iter().all(|s| cold[*s]) {
                cold[b] = true;
                changed = true;
            }
        }
    }
    cold
}
