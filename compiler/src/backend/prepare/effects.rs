//! What the functions of a module do to heap and state, callees included.
use crate::backend::analysis::is_zero;
use crate::mir::{End, Module, Op, mimic};

/// Effects of a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// It may write the heap.
    pub writes_heap: bool,
    /// It may read the heap, or end the context and hand back some of it.
    pub reads_heap: bool,
    /// It may write storage or transient storage, or call a contract that may.
    pub writes_state: bool,
}

impl Effects {
    fn and(self, other: Effects) -> Effects {
        Effects {
            writes_heap: self.writes_heap | other.writes_heap,
            reads_heap: self.reads_heap | other.reads_heap,
            writes_state: self.writes_state | other.writes_state,
        }
    }

    /// Effects of an operation; `of` gives those of functions.
    pub fn of_op(op: &Op, of: &[Effects]) -> Effects {
        let none = Effects::default();
        match op {
            Op::Store(..) | Op::Store8(..) => Effects { writes_heap: true, ..none },
            Op::Copy { .. } => Effects { writes_heap: true, reads_heap: true, ..none },
            Op::Load(_) | Op::Keccak(..) | Op::Sha256(..) | Op::Ecrecover(_) | Op::Log(..) => {
                Effects { reads_heap: true, ..none }
            }
            Op::StoreStorage(..) | Op::StoreTransient(..) | Op::SelfDestruct(_) => {
                Effects { writes_state: true, ..none }
            }
            Op::FarCall { .. } | Op::Create { .. } => {
                Effects { reads_heap: true, writes_state: true, ..none }
            }
            Op::MimicCall { flags, .. } => {
                Effects { reads_heap: flags & mimic::CALLDATA == 0, writes_state: true, ..none }
            }
            Op::Call(f, _) => of.get(*f).copied().unwrap_or(none),
            _ => none,
        }
    }
}

/// Effects of each function.
pub fn effects(module: &Module) -> Vec<Effects> {
    let mut of = vec![Effects::default(); module.functions.len()];
    let mut changed = true;
    while changed {
        changed = false;
        for (i, f) in module.functions.iter().enumerate() {
            let ends = f.blocks.iter().any(|b| match b.end {
                End::Finish(_, length) | End::Revert(_, length) => !is_zero(length),
                _ => false,
            });
            let own = Effects { reads_heap: ends, ..Effects::default() };
            let instructions = f.blocks.iter().flat_map(|b| &b.instructions);
            let new = instructions.fold(own, |e, i| e.and(Effects::of_op(&i.op, &of)));
            changed |= of[i] != new;
            of[i] = new;
        }
    }
    of
}
