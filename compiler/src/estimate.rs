//! How many steps a call takes at least: the shortest way through a code page from its entry to a `return`.
//!
//! The way is found without running anything. Branches are decided only where they depend on nothing but the call
//! itself (its selector, that it has enough calldata, that it sends no value); all others are taken both ways. So a
//! loop counts with its fewest rounds, and what is called in other contracts is not counted.
use crate::compile::Part;
use lathe_vm::Word;
use lathe_vm::isa::{Instruction, JUMP_BIAS, Operand, find, op};
use lathe_vm::machine::alu;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet, VecDeque};

/// Instructions looked at before giving up.
const LIMIT: usize = 1 << 18;
/// Near calls within near calls.
const DEPTH: usize = 64;
/// Bytes of calldata that a call is taken to have: more than any check of a length asks for.
const CALLDATA: u128 = 1 << 20;

/// Fewest steps of a call with this selector that succeeds; without a selector, of the page as it is entered.
/// `None` if there is no such way, or if it was not found within bounds.
pub fn least_steps(part: &Part, selector: Option<[u8; 4]>) -> Option<u32> {
    let page = Page { words: &part.words, selector };
    let mut queue = VecDeque::from([State::default()]);
    let mut seen = HashSet::new();
    for _ in 0..LIMIT {
        let state = queue.pop_front()?;
        // Of several ways to a place the first is the shortest. What they know of the slots may differ, but not what
        // the dispatcher's branches ask for.
        if !seen.insert((state.pc, state.calls.clone())) {
            continue;
        }
        match page.step(state) {
            Step::Ends(steps) => return Some(steps),
            Step::Goes(next) => queue.extend(next),
        }
    }
    None
}

/// [`least_steps`] of every method, by solc's `methodIdentifiers`.
pub fn least_steps_of_methods(part: &Part, identifiers: &Value) -> Map<String, Value> {
    let mut methods = Map::new();
    for (signature, selector) in identifiers.as_object().into_iter().flatten() {
        let mut bytes = [0; 4];
        if hex::decode_to_slice(selector.as_str().unwrap_or_default(), &mut bytes).is_ok() {
            methods.insert(signature.clone(), least_steps(part, Some(bytes)).into());
        }
    }
    methods
}

/// What is known of a word.
#[derive(Clone, Copy)]
struct Known {
    value: Word,
    /// It comes from the call, not only from constants.
    of_call: bool,
}

/// A place on a way.
#[derive(Clone, Default)]
struct State {
    pc: u32,
    fp: u32,
    steps: u32,
    /// Slots whose word is known, by absolute number.
    slots: BTreeMap<u32, Known>,
    /// Where near calls return to.
    calls: Vec<(u32, u32)>,
}

impl State {
    /// A slot; slot 0 of the first frame is never written, so that it serves as zero.
    fn slot(&self, offset: u16) -> Option<Known> {
        let untouched = self.fp == 0 && offset == 0;
        let zero = untouched.then_some(Known { value: Word::ZERO, of_call: false });
        self.slots.get(&(self.fp + u32::from(offset))).copied().or(zero)
    }

    fn set(&mut self, offset: u16, known: Option<Known>) {
        let slot = self.fp + u32::from(offset);
        match known {
            Some(known) => self.slots.insert(slot, known),
            None => self.slots.remove(&slot),
        };
    }
}

enum Step {
    Ends(u32),
    Goes(Vec<State>),
}

struct Page<'a> {
    words: &'a [u64],
    selector: Option<[u8; 4]>,
}

impl Page<'_> {
    fn step(&self, mut state: State) -> Step {
        let Some(word) = self.words.get(state.pc as usize) else { return Step::Goes(Vec::new()) };
        let i = Instruction::decode(*word);
        let pc = state.pc;
        state.steps += 1;
        state.pc += 1;
        match i.opcode {
            op::RETURN => Step::Ends(state.steps),
            op::REVERT | op::SELFDESTRUCT => Step::Goes(Vec::new()),
            op::NCALL if state.calls.len() < DEPTH => {
                state.calls.push((state.pc, state.fp));
                state.fp += u32::from(i.imm);
                // Its slot 0 holds the way back.
                state.set(0, None);
                state.pc = target(pc, i);
                Step::Goes(vec![state])
            }
            op::NCALL => Step::Goes(Vec::new()),
            op::NRET => {
                let Some((pc, fp)) = state.calls.pop() else { return Step::Goes(Vec::new()) };
                (state.pc, state.fp) = (pc, fp);
                Step::Goes(vec![state])
            }
            op::ADDO | op::SUBO | op::MULO => {
                state.set(i.d, None);
                let mut over = state.clone();
                over.pc += u32::from(i.imm);
                Step::Goes(vec![state, over])
            }
            _ if is_jump(i.opcode) => {
                let mut jumped = state.clone();
                jumped.pc = target(pc, i);
                Step::Goes(match taken(i, &state) {
                    Some(true) => vec![jumped],
                    Some(false) => vec![state],
                    None => vec![state, jumped],
                })
            }
            _ => {
                let Some(row) = find(i.opcode) else { return Step::Goes(Vec::new()) };
                // Stores and logs name a slot in `d` and leave it as it is.
                let keeps = matches!(i.opcode, op::ST | op::ST8 | op::COPY | op::LOG | op::ISTORE);
                if row.form.contains(&Operand::D) && !keeps {
                    let result = self.result(i, row.form, &state);
                    state.set(i.d, result);
                }
                Step::Goes(vec![state])
            }
        }
    }

    /// What an instruction puts into `[d]`.
    fn result(&self, i: Instruction, form: &[Operand], state: &State) -> Option<Known> {
        let of_call = |value: Word| Some(Known { value, of_call: true });
        let zero = Known { value: Word::ZERO, of_call: false };
        let used = |operand: Operand, offset: u16| {
            if form.contains(&operand) { state.slot(offset) } else { Some(zero) }
        };
        match i.opcode {
            op::CDSIZE => of_call(Word::from(CALLDATA)),
            op::CALLVALUE => of_call(Word::ZERO),
            op::CDLOAD | op::CDLD => {
                let at = alu::add(state.slot(i.a)?.value, Word::from(u128::from(i.t())));
                let mut first = [0; 32];
                first[..4].copy_from_slice(&self.selector?);
                at.is_zero().then(|| of_call(Word::from_be_bytes(first))).flatten()
            }
            op::CONST => {
                let limb = |k: usize| self.words.get(4 * usize::from(i.a) + k).copied().map(u128::from);
                let value = Word::new(limb(2)? | limb(3)? << 64, limb(0)? | limb(1)? << 64);
                Some(Known { value, of_call: false })
            }
            _ => {
                let (a, b) = (used(Operand::A, i.a)?, used(Operand::B, i.b)?);
                let reads_old = matches!(i.opcode, op::SELECT | op::ADDMOD | op::MULMOD);
                let old = if reads_old { state.slot(i.d)? } else { zero };
                let value = alu::eval(i, || a.value, || b.value, || old.value).ok()?;
                Some(Known { value, of_call: a.of_call || b.of_call || old.of_call })
            }
        }
    }
}

fn target(pc: u32, i: Instruction) -> u32 {
    // A target before the page is beyond its end too.
    u32::try_from(i64::from(pc) + 1 + i64::from(i.d) - JUMP_BIAS).unwrap_or(u32::MAX)
}

fn is_jump(opcode: u16) -> bool {
    const JUMPS: [u16; 11] = [
        op::JMP,
        op::JEQ,
        op::JNE,
        op::JLT,
        op::JGE,
        op::JEQI,
        op::JNEI,
        op::JSLT,
        op::JSGE,
        op::JLTI,
        op::JGEI,
    ];
    JUMPS.contains(&opcode)
}

/// Whether a jump is taken, if that depends on the call alone.
fn taken(i: Instruction, state: &State) -> Option<bool> {
    if i.opcode == op::JMP {
        return Some(true);
    }
    let small = Known { value: Word::from(u128::from(i.b)), of_call: false };
    let immediate = matches!(i.opcode, op::JEQI | op::JNEI | op::JLTI | op::JGEI);
    let (a, b) = (state.slot(i.a)?, if immediate { small } else { state.slot(i.b)? });
    if !a.of_call && !b.of_call {
        return None;
    }
    let (a, b) = (a.value, b.value);
    Some(match i.opcode {
        op::JEQ | op::JEQI => a == b,
        op::JNE | op::JNEI => a != b,
        op::JLT | op::JLTI => a < b,
        op::JGE | op::JGEI => a >= b,
        op::JSLT => alu::slt(a, b),
        _ => !alu::slt(a, b),
    })
}
