//! Which functions to inline whatever LLVM thinks: it sees no use in speeding up blocks that end the program, which is where a
//! contract does all it does. What is inlined into a function counts as its own, so that small functions which call each
//! other do not grow without bound.
use crate::yul::ast::{Code, ExpressionKind, Function};
use std::collections::HashSet;

/// Statements of a function that is always inlined.
const SMALL_FUNCTION: usize = 12;
/// Statements that a function may grow to by taking in those that nobody else calls.
const LARGE_FUNCTION: usize = 2_000;

/// For each function of the code whether it is worth it.
pub(super) fn worth(code: &Code) -> Vec<bool> {
    let functions = &code.functions;
    let mut calls = vec![0usize; functions.len()];
    code.for_each_expression(&mut |e| {
        if let ExpressionKind::Call(f, _) = &e.kind {
            calls[*f as usize] += 1;
        }
    });
    let callees: Vec<Vec<usize>> = functions.iter().map(callees).collect();
    let mut inline = vec![false; functions.len()];
    let mut sizes = vec![0usize; functions.len()];
    for index in callees_first(&callees) {
        let function = &functions[index];
        function.for_each_statement(&mut |_| sizes[index] += 1);
        for &callee in callees[index].iter().filter(|callee| **callee != index) {
            let size = sizes[callee];
            take_in(&mut inline[callee], &mut sizes[index], size);
        }
        inline[index] = calls[index] == 1 || sizes[index] <= SMALL_FUNCTION;
    }
    // What no function calls is called by the code itself.
    let mut main = 0;
    let from_functions: HashSet<usize> = callees.iter().flatten().copied().collect();
    for index in (0..functions.len()).filter(|index| !from_functions.contains(index)) {
        take_in(&mut inline[index], &mut main, sizes[index]);
    }
    inline
}

/// Counts an inlined function's size as its caller's, or takes it back that it is inlined: what is small stays so.
fn take_in(inline: &mut bool, caller: &mut usize, size: usize) {
    *inline &= size <= SMALL_FUNCTION || *caller + size <= LARGE_FUNCTION;
    if *inline {
        *caller += size;
    }
}

/// The functions that a function calls, as often as it does.
fn callees(function: &Function) -> Vec<usize> {
    let mut callees = Vec::new();
    function.for_each_expression(&mut |e| {
        if let ExpressionKind::Call(f, _) = &e.kind {
            callees.push(*f as usize);
        }
    });
    callees
}

/// All functions, each behind those it calls; where they call each other in a circle, in some order.
fn callees_first(callees: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(callees.len());
    let mut seen = vec![false; callees.len()];
    for root in 0..callees.len() {
        let mut stack = vec![(root, 0)];
        if std::mem::replace(&mut seen[root], true) {
            continue;
        }
        while let Some((function, next)) = stack.last_mut() {
            match callees[*function].get(*next) {
                Some(&callee) => {
                    *next += 1;
                    if !std::mem::replace(&mut seen[callee], true) {
                        stack.push((callee, 0));
                    }
                }
                None => {
                    order.push(*function);
                    stack.pop();
                }
            }
        }
    }
    order
}
