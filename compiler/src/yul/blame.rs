//! Which line of Solidity led to a place in solc's unoptimised Yul. Only functions that the author wrote have places of their
//! own there; a fault within one of solc's helpers is blamed on the call that led to it.
use super::ast::{Code, ExpressionKind, Function, FunctionId, Object};
use crate::diagnostic::{Loc, Src};
use std::collections::HashSet;

/// How solc's names of the author's functions begin.
const WRITTEN: [&str; 3] = ["fun_", "modifier_", "constructor_"];

impl Object {
    /// The place in Solidity of what stands at `loc` of this object's Yul, or of an object within it.
    pub fn blame(&self, loc: Loc) -> Option<Src> {
        self.code.blame(loc).or_else(|| self.objects.iter().find_map(|inner| inner.blame(loc)))
    }
}

impl Code {
    fn blame(&self, loc: Loc) -> Option<Src> {
        let within = |f: &Function| {
            let mut found = false;
            f.for_each_expression(&mut |e| found |= e.loc.yul == loc.yul);
            found
        };
        let mut seen = HashSet::new();
        let mut suspects: Vec<(FunctionId, Loc)> =
            self.numbered().filter(|(_, f)| within(f)).map(|(id, _)| (id, loc)).collect();
        while let Some((id, place)) = suspects.pop() {
            let name = &self.functions[id as usize].name;
            if WRITTEN.iter().any(|prefix| name.starts_with(prefix)) {
                return place.src;
            }
            if !seen.insert(id) {
                continue;
            }
            for (caller, function) in self.numbered() {
                function.for_each_expression(&mut |e| {
                    if matches!(e.kind, ExpressionKind::Call(callee, _) if callee == id) {
                        suspects.push((caller, e.loc));
                    }
                });
            }
        }
        None
    }

    fn numbered(&self) -> impl Iterator<Item = (FunctionId, &Function)> {
        (0..).zip(&self.functions)
    }
}
