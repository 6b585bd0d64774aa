//! Where steps and proving cost of a run go: by function, by line, and as a tree of calls for the flame graph.
//! Cost is counted in gas, which stands for constraints. Only contracts are counted, not the kernel; gas that an
//! exceptional halt burns is no cost.
use super::cost::{Cost, Costs, constraints};
use super::places::Places;
use super::project::Project;
use super::source::Line;
use lathe_vm::isa::{Instruction, op};
use lathe_vm::sandbox::Seen;
use serde::Serialize;
use std::collections::HashMap;

/// Steps and gas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// Steps.
    pub steps: u64,
    /// Gas.
    pub gas: u64,
}

impl Spent {
    fn add(&mut self, other: Spent) {
        self.steps += other.steps;
        self.gas += other.gas;
    }
}

/// A place in the tree of calls.
#[derive(Clone, Debug)]
pub struct Node {
    /// The function, or in brackets what else is proven.
    pub label: String,
    /// Spent here, callees left out.
    pub own: Spent,
    /// What is called from here, in order of first call.
    pub children: Vec<usize>,
}

/// A function's share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The function, or in brackets what else is proven.
    pub name: String,
    /// Spent in it, callees left out.
    pub own: Spent,
    /// Spent in it and in what it calls.
    pub total: Spent,
}

/// A line's share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineShare {
    /// `file:line`, or in brackets what is no line's.
    pub line: String,
    /// The line, trimmed.
    pub text: String,
    /// Spent on it.
    pub own: Spent,
}

/// First use of state cells: the leaves and nodes of the tree.
const TREE: &str = "[state tree]";
/// First use of code: the page's hash.
const PAGE: &str = "[code page]";

/// More than one part in so many without a line is worth a word.
const UNPLACED: u64 = 4;

/// A context that has not ended.
struct Open {
    /// The node of the whole context, then those of its near calls.
    frames: Vec<usize>,
}

/// What runs so far have spent.
pub struct Profile<'p> {
    places: Places<'p>,
    costs: Costs,
    nodes: Vec<Node>,
    open: Vec<Open>,
    /// Node of what runs in a frame at a pc of a page.
    leaves: HashMap<(usize, u32, u32), usize>,
    lines: HashMap<Option<Line>, Spent>,
    pages: Spent,
}

impl<'p> Profile<'p> {
    /// Nothing spent yet.
    pub fn new(project: &'p Project) -> Profile<'p> {
        let root = Node { label: "all".into(), own: Spent::default(), children: Vec::new() };
        Profile {
            places: Places::new(project),
            costs: Costs::default(),
            nodes: vec![root],
            open: Vec::new(),
            leaves: HashMap::new(),
            lines: HashMap::new(),
            pages: Spent::default(),
        }
    }

    /// A new run begins: its pages have other numbers, and what it touches is touched for the first time.
    pub fn begin(&mut self) {
        self.places = Places::new(self.places.project);
        self.costs = Costs::default();
        self.open.clear();
        self.leaves.clear();
    }

    /// Counts a step.
    pub fn step(&mut self, seen: &Seen) {
        let cost = self.costs.of(seen);
        if !self.open.is_empty() {
            self.count(seen, cost);
        }
        if seen.closed.is_some() {
            self.open.pop();
        }
        if let Some(opened) = seen.opened {
            self.places.learn(opened);
            let caller = self.leaf(seen).unwrap_or(0);
            let node = self.child(caller, &self.places.title(opened));
            if cost.page > 0 {
                let page = self.child(node, PAGE);
                let spent = Spent { steps: 0, gas: cost.page };
                self.nodes[page].own.add(spent);
                self.pages.add(spent);
            }
            self.open.push(Open { frames: vec![node] });
        }
    }

    fn count(&mut self, seen: &Seen, cost: Cost) {
        let Some(leaf) = self.leaf(seen) else { return };
        self.nodes[leaf].own.add(Spent { steps: 1, gas: cost.step });
        if cost.tree > 0 {
            let tree = self.child(leaf, TREE);
            self.nodes[tree].own.add(Spent { steps: 0, gas: cost.tree });
        }
        let line = self.places.line(seen.regs.code, seen.regs.pc);
        self.lines.entry(line).or_default().add(Spent { steps: 1, gas: cost.step + cost.tree });
        match Instruction::decode(seen.word).opcode {
            op::NCALL => {
                let callee = self.places.callee(seen).unwrap_or("[compiler's helper]");
                let node = self.child(leaf, callee);
                self.open.last_mut().into_iter().for_each(|open| open.frames.push(node));
            }
            op::NRET => {
                // A program may return more often than it calls: the context itself stays.
                let frames = self.open.last_mut().map(|open| &mut open.frames);
                frames.filter(|frames| frames.len() > 1).into_iter().for_each(|frames| {
                    frames.pop();
                });
            }
            _ => {}
        }
    }

    /// The node that a step belongs to: that of its function where it is inlined, else the frame's. `None` in the kernel.
    fn leaf(&mut self, seen: &Seen) -> Option<usize> {
        let frame = *self.open.last()?.frames.last()?;
        let key = (frame, seen.regs.code, seen.regs.pc);
        if let Some(leaf) = self.leaves.get(&key) {
            return Some(*leaf);
        }
        let function = self.places.function(seen.regs.code, seen.regs.pc);
        let leaf = match function {
            Some(function) if !is(&self.nodes[frame].label, function) => self.child(frame, function),
            _ => frame,
        };
        self.leaves.insert(key, leaf);
        Some(leaf)
    }

    fn child(&mut self, parent: usize, label: &str) -> usize {
        let found = self.nodes[parent].children.iter().copied().find(|node| self.nodes[*node].label == label);
        found.unwrap_or_else(|| {
            let node = self.nodes.len();
            self.nodes.push(Node { label: label.into(), own: Spent::default(), children: Vec::new() });
            self.nodes[parent].children.push(node);
            node
        })
    }

    /// The tree; node 0 is its root.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All that was spent.
    pub fn total(&self) -> Spent {
        let mut total = Spent::default();
        self.nodes.iter().for_each(|node| total.add(node.own));
        total
    }

    /// Functions, the dearest first.
    pub fn functions(&self) -> Vec<Share> {
        let mut shares: HashMap<&str, Share> = HashMap::new();
        self.walk(0, &mut Vec::new(), &mut shares);
        let mut all: Vec<Share> = shares.into_values().filter(|share| share.total.gas > 0).collect();
        all.sort_by(|x, y| (y.own.gas, &x.name).cmp(&(x.own.gas, &y.name)));
        all
    }

    fn walk<'n>(
        &'n self,
        node: usize,
        above: &mut Vec<&'n str>,
        shares: &mut HashMap<&'n str, Share>,
    ) -> Spent {
        let Node { label, own, children } = &self.nodes[node];
        let mut total = *own;
        above.push(label);
        for child in children {
            total.add(self.walk(*child, above, shares));
        }
        above.pop();
        if node != 0 {
            let empty = || Share { name: label.clone(), own: Spent::default(), total: Spent::default() };
            let share = shares.entry(label).or_insert_with(empty);
            share.own.add(*own);
            // What calls itself is counted once.
            if !above.contains(&label.as_str()) {
                share.total.add(total);
            }
        }
        total
    }

    /// Lines, the dearest first.
    pub fn lines(&self) -> Vec<LineShare> {
        let show = |(line, own): (&Option<Line>, &Spent)| {
            let (line, text) = match line {
                Some(line) => self.places.project.sources.show(*line),
                None => ("[compiler's own]".into(), "dispatch, checks, memory, encoding"),
            };
            LineShare { line, text: text.into(), own: *own }
        };
        let mut all: Vec<LineShare> = self.lines.iter().map(show).collect();
        if self.pages.gas > 0 {
            all.push(LineShare { line: PAGE.into(), text: "hashes of the code".into(), own: self.pages });
        }
        all.sort_by(|x, y| (y.own.gas, &x.line).cmp(&(x.own.gas, &y.line)));
        all
    }

    /// Both tables.
    pub fn tables(&self) -> String {
        let total = self.total();
        let cost = |gas: u64| {
            format!("{:>13} {:>6.1}", constraints(gas), 100.0 * gas as f64 / total.gas.max(1) as f64)
        };
        let sum = constraints(total.gas);
        let mut text = format!("{} steps, {} gas: {sum} constraints to prove\n\n", total.steps, total.gas);
        text.push_str("  constraints      %    steps  with callees      %  function\n");
        for f in self.functions() {
            let (own, all) = (cost(f.own.gas), cost(f.total.gas));
            text.push_str(&format!("{own} {:>8} {all}  {}\n", f.own.steps, f.name));
        }
        text.push_str("\n  constraints      %    steps  line\n");
        for l in self.lines() {
            text.push_str(&format!("{} {:>8}  {}: {}\n", cost(l.own.gas), l.own.steps, l.line, l.text));
        }
        let own = self.lines.get(&None).copied().unwrap_or_default();
        if own.gas * UNPLACED > total.gas {
            text.push_str(
                "\nsolc's optimiser keeps few places: --no-yul-optimizer finds the lines of most of the compiler's own\n",
            );
        }
        text
    }
}

/// Whether a node's label stands for this function: the label of a context has types behind the name.
fn is(label: &str, function: &str) -> bool {
    label.split('(').next() == Some(function)
}
