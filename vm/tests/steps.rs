//! Claims about recorded steps: given out again, they are what the machine did, word for word.
use lathe_vm::asm::assemble;
use lathe_vm::batch;
use lathe_vm::code::CodeStore;
use lathe_vm::fixtures;
use lathe_vm::isa::Instruction;
use lathe_vm::machine::tracer::{NoTrace, Reads, Recorder, Stamp, Tracer};
use lathe_vm::machine::{self, Environment, Halt, Limits};
use lathe_vm::programs;
use lathe_vm::state::CellId;
use lathe_vm::trace::{
    Access, Effect, Executed, Flow, JournalEntry, KeccakCall, Packed, Regs, StateAccess, Step, Steps, mode,
    space,
};
use lathe_vm::word::Word;
use proptest::prelude::*;
use std::collections::HashMap;

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
    fn turn(&mut self, _: &Regs) {}
    fn step(&mut self, regs: &Regs, _: &Regs, word: u64, o: &Reads<u64>, new: Word) {
        if let Some(last) = self.steps.last_mut() {
            last.next = *regs;
        }
        let clock = self.steps.len() as u32 + 1;
        let effect = self.effect.take().unwrap_or(Effect::None);
        let slots = Instruction::decode(word).slots();
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
        let d = access(3, slots.2, o.old, new);
        self.steps.push(Step { clock, regs: *regs, next: Regs::default(), word, a, b, d, effect });
        self.accesses.clear();
        self.cells.clear();
        self.journal.clear();
    }
    fn ended(&mut self, regs: Regs) {
        self.steps.last_mut().expect("a batch has steps").next = regs;
    }
    fn bytes(&self) -> u64 {
        0
    }
    fn keccak(&mut self, _: impl FnOnce() -> KeccakCall) -> usize {
        self.keccaks += 1;
        self.keccaks
    }
}

fn same(packed: &Steps, plain: &[Step]) {
    assert_eq!(packed.len(), plain.len());
    for (ours, theirs) in packed.iter().zip(plain) {
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    }
}

#[test]
fn batches_are_given_out_as_they_ran() {
    for f in [fixtures::mixed().unwrap(), fixtures::transfers(3).unwrap()] {
        let input = batch::encode(&f.records).unwrap();
        let (environment, limits) = ((&f.params).into(), Limits::default());
        let run =
            machine::run::<_, Plain>(&f.tree, &f.codes, programs::kernel(), &environment, &input, &limits)
                .unwrap();
        let packed =
            machine::run::<_, Recorder>(&f.tree, &f.codes, programs::kernel(), &environment, &input, &limits)
                .unwrap();
        same(&packed.tracer.steps.into(), &run.tracer.steps);
    }
}

#[test]
fn a_trace_stops_at_its_limit_and_a_run_without_one_does_not() {
    let source = "seti [1], 40000\n top: subi [1], [1], 1\n st [1], [3], 0\n jnei [1], 0, top\n seti [2], 96\n return [3], [2]";
    let page = assemble(source).unwrap();
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

fn word() -> impl Strategy<Value = Word> {
    let word = |hi, lo| Word::new(hi, lo);
    prop_oneof![
        Just(Word::ZERO),
        any::<u64>().prop_map(|x| Word::from(u128::from(x))),
        any::<u128>().prop_map(Word::from),
        (any::<u64>(), any::<u128>()).prop_map(move |(hi, lo)| word(hi.into(), lo)),
        (any::<u128>(), any::<u128>()).prop_map(move |(hi, lo)| word(hi, lo)),
        (0..256u32).prop_map(move |bit| match bit {
            0..128 => word(0, 1 << bit),
            _ => word(1 << (bit - 128), 0),
        }),
    ]
}

/// What one step tells the tracer: the changed registers, the words, times, and an effect.
type Told = (Regs, u64, [Word; 4], [u32; 3], u8);

fn told() -> impl Strategy<Value = Told> {
    let small = 0..3u32;
    let regs = (small.clone(), small.clone(), 0..1u32 << 14, small.clone(), small.clone(), small).prop_map(
        |(ctx, code, pc, fp, jhead, depth)| Regs {
            ctx,
            code,
            pc,
            fp: fp << 18,
            jhead,
            depth,
            mode: mode::STATIC * (depth / 2),
            gas: pc * 7919,
        },
    );
    let words = [word(), word(), word(), word()];
    let changes = prop_oneof![Just(true), Just(false)];
    let words = (words, changes).prop_map(|([a, b, old, new], changes)| match changes {
        true => [a, b, old, new],
        false => [a, b, old, old],
    });
    (regs, any::<u64>(), words, any::<[u32; 3]>(), 0..12u8)
}

/// Tells the tracer of step `index`, as the machine does.
fn tell<T: Tracer>(tracer: &mut T, index: usize, (regs, word, words, before, effect): &Told) {
    let time = 16 * (index as u64 + 1);
    let access = Access {
        space: space::HEAP,
        ctx: regs.ctx,
        index: 77,
        time: time + 4,
        old_time: before[0].into(),
        old: words[3],
        new: words[0],
    };
    let cell = StateAccess {
        cell: CellId::transient([7; 20], words[1]),
        time,
        old_time: 0,
        old: words[0],
        new: words[2],
    };
    let entry = JournalEntry { id: index as u32, prev: 0, cell: cell.cell, old: words[3] };
    let frame = lathe_vm::trace::Frame { ctx: 3, caller: *regs, dest: 5 };
    // An effect that has its accesses itself is told of them all the same.
    if *effect > 1 {
        tracer.access(access);
        tracer.access(Access { space: space::REG, time: time + 5, new: words[3], ..access });
        tracer.cell(cell);
        tracer.entry(entry);
    }
    match effect {
        0 => {}
        1 => tracer.effect(|| Effect::Select),
        2 => tracer.effect(|| Effect::NearCall(access)),
        3 => tracer.effect(|| Effect::NearReturn),
        4 => tracer.effect(|| Effect::Heap(access)),
        5 => tracer.effect(|| Effect::Context(access)),
        6 => tracer.effect(|| Effect::Calldata { window: access, words: [access; 2] }),
        7 => tracer.effect(|| Effect::Storage { reg: Some(access), cell, journal: Some(entry) }),
        8 => tracer.effect(|| Effect::Keccak { window: access, call: index }),
        9 => tracer.executed(Flow::Call(frame)),
        10 => {
            tracer.effect(|| Effect::Heap(access));
            tracer.executed(Flow::Undo(entry));
        }
        _ => {}
    }
    let [a, b, old, new] = *words;
    tracer.turn(regs);
    let before = before.map(|time| T::Stamp::at(time.into()));
    tracer.step(regs, regs, *word, &Reads { a, b, old, before }, new);
}

fn compare(all: impl Iterator<Item = Told>) {
    let (mut plain, mut packed) = (Plain::default(), Recorder::default());
    for (i, told) in all.enumerate() {
        tell(&mut plain, i, &told);
        tell(&mut packed, i, &told);
    }
    let end = Regs { ctx: 9, code: 8, pc: 7, fp: 6, jhead: 5, ..Regs::default() };
    plain.ended(end);
    packed.ended(end);
    same(&packed.steps.into(), &plain.steps);
}

proptest! {
    #[test]
    fn whatever_is_recorded_is_given_out(all in prop::collection::vec(told(), 1..60)) {
        compare(all.into_iter());
    }
}

#[test]
fn many_steps_are_given_out_whatever_their_words_take() {
    let word = |i: u64| Word::new(u128::from(i) << (i % 128), u128::from(i) << 100);
    for wide in [false, true] {
        compare((0..70_000u64).map(|i| {
            let words = if wide { [word(i), word(i + 1), word(i + 2), word(i + 3)] } else { [Word::ZERO; 4] };
            let regs = Regs { ctx: (i / 100) as u32, ..Regs::default() };
            (regs, i << 22, words, [i as u32; 3], (i % 7) as u8)
        }));
    }
}

#[test]
fn changed_steps_are_given_out_as_changed() {
    let mut packed = Packed::default();
    let (zero, one) = (Word::ZERO, Word::from(1));
    packed.turn(&Regs::default());
    packed.step(&Regs::default(), 0, &Reads { a: one, b: zero, old: one, before: [0, 1, 2] }, zero);
    let mut steps = Steps::from(packed);
    let before = format!("{:?}", steps.first());
    assert_eq!(before, format!("{:?}", steps.to_mut().first()));
    steps.to_mut()[0].a.index = 5;
    steps.to_mut()[0].a.space = space::HEAP;
    let step = steps.last().unwrap();
    assert_eq!((step.a.index, step.a.space, steps.len()), (5, space::HEAP, 1));
    steps.to_mut().clear();
    assert!(steps.is_empty() && steps.last().is_none());
}
