//! Claims about recorded steps: given out again, they are what the machine did, word for word.
use lathe_vm::asm::assemble;
use lathe_vm::batch;
use lathe_vm::code::CodeStore;
use lathe_vm::fixtures;
use lathe_vm::isa::{Class, Instruction, OPS, find, op};
use lathe_vm::machine::tracer::{NoTrace, Operands, Recorder, Tracer};
use lathe_vm::machine::{self, Environment, Halt, Limits, StateRead};
use lathe_vm::programs;
use lathe_vm::replay::replay;
use lathe_vm::state::CellId;
use lathe_vm::trace::{
    Access, Effect, Executed, Flow, JournalEntry, KeccakCall, Page, Regs, StateAccess, Step, Steps, space,
};
use lathe_vm::word::Word;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::HashMap;
use std::sync::Arc;

/// Keeps whole steps, as they are told.
#[derive(Default)]
struct Plain {
    steps: Vec<Step>,
    effect: Option<Effect>,
    accesses: Vec<Access>,
    cells: Vec<StateAccess>,
    journal: Vec<JournalEntry>,
    keccaks: usize,
}

impl Plain {
    fn keep(&mut self, regs: Regs, next: Regs, o: &Operands<u64>, result: Option<Word>, effect: Effect) {
        let clock = self.steps.len() as u32 + 1;
        let slots = o.i.slots();
        let access = |k: usize, slot: u16, old: Word, new: Word| Access {
            space: space::SLOT,
            ctx: regs.ctx,
            index: regs.fp + u32::from(slot),
            time: u64::from(clock) * 16 + k as u64,
            old_time: o.before[k - 1],
            old,
            new,
        };
        let (a, b) = (access(1, slots.0, o.a, o.a), access(2, slots.1, o.b, o.b));
        let d = access(3, slots.2, o.old, result.unwrap_or(o.old));
        self.steps.push(Step { clock, regs, next, word: o.i.encode(), a, b, d, effect });
        self.accesses.clear();
        self.cells.clear();
        self.journal.clear();
    }
}

impl Tracer for Plain {
    type Stamp = u64;
    const ACTIVE: bool = true;
    fn effect(&mut self, make: impl FnOnce() -> Effect) {
        self.effect = Some(make());
    }
    fn access(&mut self, access: Access) {
        self.accesses.push(access);
    }
    fn cell(&mut self, access: StateAccess) {
        self.cells.push(access);
    }
    fn entry(&mut self, entry: JournalEntry) {
        self.journal.push(entry);
    }
    fn executed(&mut self, flow: Flow) {
        let (accesses, cells, journal) = (self.accesses.clone(), self.cells.clone(), self.journal.clone());
        self.effect = Some(Effect::Executed(Box::new(Executed { accesses, cells, journal, flow })));
    }
    fn plain(&mut self, then: &Regs, next: &Regs, o: &Operands<u64>, result: Option<Word>) {
        let effect = match o.i.opcode {
            op::SELECT => Effect::Select,
            op::ADDMOD | op::MULMOD => Effect::Executed(Box::default()),
            _ => Effect::None,
        };
        self.keep(*then, *next, o, result, effect);
    }
    fn step(&mut self, clock: u32, then: &Regs, next: &Regs, o: &Operands<u64>, result: Option<Word>) {
        assert_eq!(clock as usize, self.steps.len() + 1);
        let effect = self.effect.take().unwrap_or(Effect::None);
        self.keep(*then, *next, o, result, effect);
    }
    fn ended(&mut self, steps: u32) {
        assert_eq!(steps as usize, self.steps.len());
    }
    fn bytes(&self) -> u64 {
        0
    }
    fn keccak(&mut self, _: impl FnOnce() -> KeccakCall) -> usize {
        self.keccaks += 1;
        self.keccaks
    }
}

fn same(recorded: &Steps, plain: &[Step]) {
    assert_eq!(recorded.len(), plain.len());
    assert_eq!(recorded.iter().count(), plain.len());
    for (ours, theirs) in recorded.iter().zip(plain) {
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    }
}

/// Runs a kernel with both tracers and compares; answers the steps, if the kernel came to its end.
fn compare<V: StateRead>(
    view: &V,
    codes: &CodeStore,
    kernel: &Arc<Page>,
    environment: &Environment,
    input: &[u8],
    limits: &Limits,
) -> Option<Vec<Step>> {
    let plain = machine::run::<_, Plain>(view, codes, kernel, environment, input, limits);
    let recorded = machine::run::<_, Recorder>(view, codes, kernel, environment, input, limits);
    let (plain, recorded) = match (plain, recorded) {
        (Ok(plain), Ok(recorded)) => (plain, recorded),
        (plain, recorded) => {
            assert_eq!(plain.err(), recorded.err());
            return None;
        }
    };
    same(&Steps::recorded(recorded.tracer.steps, recorded.pages), &plain.tracer.steps);
    Some(plain.tracer.steps)
}

#[test]
fn batches_are_given_out_as_they_ran() {
    for f in [fixtures::mixed().unwrap(), fixtures::transfers(3).unwrap()] {
        let input = batch::encode(&f.records).unwrap();
        let (environment, limits) = ((&f.params).into(), Limits::default());
        let steps = compare(&f.tree, &f.codes, programs::kernel(), &environment, &input, &limits);
        assert!(steps.unwrap().iter().any(|s| matches!(s.effect, Effect::Return { .. })));
    }
}

/// A word with a known opcode and small operands, mostly; jumps stay near.
fn instruction() -> impl Strategy<Value = u64> {
    let opcodes: Vec<u16> = OPS.iter().map(|row| row.opcode).collect();
    let fields = (prop::sample::select(opcodes), 0u16..5, 0u16..6, 0u16..6, 0u16..6);
    let known = fields.prop_map(|(opcode, imm, d, a, b)| {
        let d = if matches!(Class::of(opcode), Class::J | Class::K) { 8190 + d } else { d };
        let imm = if find(opcode).is_some_and(|o| o.uses_imm()) { imm } else { 0 };
        Instruction { opcode, imm, d, a, b }.encode()
    });
    prop_oneof![30 => known, 1 => any::<u64>()]
}

/// Calls of themselves, of one another and of nothing; far slots, near calls, halts and reverts, with gas and without.
#[test]
fn whatever_runs_is_given_out_as_it_ran() {
    const CONTRACT: [u8; 20] = [0xc0; 20];
    let head = "not [1], [90]\n seti [2], 77\n cdload [3], [90]\n caller [4]\n address [5]\n mov [5000], [5]\n mov [6], [5000]";
    let head = assemble(head).unwrap().words[..7].to_vec();
    let gas = prop_oneof![Just(None), (0..3000u32).prop_map(Some), Just(Some(1_000_000u32))];
    let cases = (prop::collection::vec(instruction(), 1..60), gas);
    let seen = std::cell::Cell::new([0; 4]);
    let drawn = ProptestConfig::default().cases.max(1500);
    TestRunner::new(ProptestConfig::with_cases(drawn))
        .run(&cases, |(code, gas)| {
            let mut codes = CodeStore::new();
            let page = Page::new([head.clone(), code].concat()).unwrap();
            let view = HashMap::from([
                (CellId::code_hash(CONTRACT), codes.insert(page)),
                (CellId::balance(CONTRACT), Word::from(10)),
            ]);
            let mut input = vec![0; 192 + 70];
            input[44..64].copy_from_slice(&CONTRACT);
            let metered = gas.map_or(0, |gas| (1 << 32) + u128::from(gas));
            input[128..160].copy_from_slice(&Word::from(metered).to_be_bytes());
            let limits = Limits { unproven: true, max_steps: 3000, ..Limits::default() };
            let kernel = programs::sandbox();
            let steps = compare(&view, &codes, kernel, &Environment::default(), &input, &limits);
            let mut counts = seen.get();
            for step in steps.iter().flatten() {
                match &step.effect {
                    Effect::Executed(e) => match e.flow {
                        Flow::Call(_) => counts[0] += 1,
                        Flow::Undo(_) => counts[1] += 1,
                        _ => {}
                    },
                    Effect::NearCall(_) => counts[2] += 1,
                    _ if step.a.index >= 5000 => counts[3] += 1,
                    _ => {}
                }
            }
            seen.set(counts);
            Ok(())
        })
        .unwrap();
    assert!(seen.get().iter().all(|n| *n > 20), "calls, undos, near calls, far slots: {:?}", seen.get());
}

#[test]
fn a_trace_stops_at_its_limit_and_a_run_without_one_does_not() {
    let source = "seti [1], 40000\n top: subi [1], [1], 1\n st [1], [3], 0\n jnei [1], 0, top\n seti [2], 96\n return [3], [2]";
    let page = Arc::new(assemble(source).unwrap());
    let (view, codes, environment) =
        (HashMap::<CellId, Word>::new(), CodeStore::new(), Environment::default());
    let limit = 4 << 20;
    let limits = Limits { max_steps: 1 << 20, max_trace_bytes: limit, ..Limits::default() };
    let run = machine::run::<_, NoTrace>(&view, &codes, &page, &environment, &[], &limits).unwrap();
    let Err(stopped) = machine::run::<_, Recorder>(&view, &codes, &page, &environment, &[], &limits) else {
        panic!("it went on")
    };
    assert_eq!(stopped.halt, Halt::Limit { what: "trace bytes", limit });
    assert!(stopped.clock > 10_000 && stopped.clock < run.steps);
}

#[test]
fn changed_steps_are_given_out_as_changed() {
    let f = fixtures::transfers(1).unwrap();
    let limits = Limits::default();
    let trace = replay(&f.tree, &f.codes, programs::kernel(), &f.params, &f.records, &limits);
    let mut steps = trace.unwrap().steps;
    let before: Vec<_> = steps.iter().map(|s| format!("{s:?}")).collect();
    assert!(steps.to_mut().iter().map(|s| format!("{s:?}")).eq(before));
    steps.to_mut()[0].a.index = 5;
    steps.to_mut()[0].a.space = space::HEAP;
    let step = steps.iter().next().unwrap();
    assert_eq!((step.a.index, step.a.space), (5, space::HEAP));
    steps.to_mut().clear();
    assert!(steps.is_empty() && steps.iter().next().is_none());
}
