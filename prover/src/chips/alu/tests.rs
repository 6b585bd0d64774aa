//! All instruction chips together, on a replayed batch and against the CPU; and their costs as documented.
use super::oracle::truth;
use super::{add::AddChip, bits::BitsChip, bitwise::BitwiseChip, equal::EqualChip, moves::MovesChip};
use super::{mul::MulChip, shift::ShiftChip};
use crate::chips::calldata::CalldataChip;
use crate::chips::context::ContextChip;
use crate::chips::cpu::Cpu;
use crate::chips::heap::HeapChip;
use crate::chips::select::SelectChip;
use crate::chips::testing::{Fixture, Message, element};
use crate::circuit::check::MessageKey;
use crate::circuit::{Block, Chip, Counts, Tag};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::isa::op;
use lathe_vm::trace::Effect;
use std::collections::{HashMap, HashSet};

fn assigned<C: Chip>(chip: C, input: &ProverInput<'_>) -> Fixture {
    let capacity = Chip::rows(&chip, input).expect("rows").len() + 1;
    let block = Block::new(chip, capacity);
    let values = block
        .chip
        .assign(&block.templates, capacity, input, [Fr::ZERO; 4], &mut Counts::default())
        .expect("the trace fits");
    Fixture { block, values }
}

fn all_messages(f: &Fixture) -> Vec<Message> {
    f.assert_satisfied();
    (0..f.block.capacity).flat_map(|i| f.messages(i)).collect()
}

#[test]
fn a_replayed_batch_finds_every_instruction_proven() {
    use lathe_vm::{fixtures, programs, replay};
    let f = fixtures::mixed().expect("fixture");
    let limits = lathe_vm::machine::Limits::default();
    let trace = replay::replay(&f.tree, &f.codes, programs::kernel(), &f.params, &f.records, &limits);
    let trace = trace.expect("the fixture replays");
    let counts = Counts::default();
    let input = ProverInput { trace: &trace, counts: &counts };
    let cpu = all_messages(&assigned(Cpu, &input));

    // Every pure step is offered by exactly the chips here, as often as it is executed.
    let mut alu: HashMap<MessageKey, Fr> = HashMap::new();
    let pure = [
        assigned(AddChip, &input),
        assigned(EqualChip, &input),
        assigned(MovesChip, &input),
        assigned(BitwiseChip, &input),
        assigned(ShiftChip, &input),
        assigned(BitsChip, &input),
        assigned(MulChip, &input),
    ];
    let offers: Vec<Message> = pure.iter().flat_map(all_messages).collect();
    // What `const` offers is the page's word, which the oracle cannot know.
    let constant = Fr::from(u64::from(op::CONST));
    let known = |m: &&Message| m.1.0 == Tag::Alu && element(&m.1, 0) != constant;
    assert!(truth(&offers.iter().filter(known).cloned().collect::<Vec<_>>()));
    for m in cpu.iter().chain(&offers).filter(|m| m.1.0 == Tag::Alu) {
        *alu.entry(m.1.clone()).or_insert(Fr::ZERO) += m.2;
    }
    assert!(alu.len() > 50, "the batch executes {} different pure statements", alu.len());
    alu.retain(|_, m| *m != Fr::ZERO);
    assert!(alu.is_empty(), "{:?}", alu.iter().next());

    // Every keyed row of these chips receives what the CPU sent, and no step twice.
    let sent: HashSet<&MessageKey> = cpu.iter().filter(|m| m.1.0 == Tag::Keyed).map(|m| &m.1).collect();
    let keyed = [
        assigned(SelectChip, &input),
        assigned(HeapChip, &input),
        assigned(CalldataChip, &input),
        assigned(ContextChip, &input),
    ];
    let received: Vec<Message> =
        keyed.iter().flat_map(all_messages).filter(|m| m.1.0 == Tag::Keyed).collect();
    let ours = |e: &Effect| {
        matches!(e, Effect::Select | Effect::Heap(_) | Effect::Calldata { .. } | Effect::Context(_))
    };
    assert_eq!(received.len(), trace.steps.iter().filter(|s| ours(&s.effect)).count());
    assert_eq!(received.iter().map(|m| &m.1).collect::<HashSet<_>>().len(), received.len());
    assert!(received.iter().all(|m| sent.contains(&m.1) && m.2 == -Fr::ONE));
}

/// Constraints and committed wires of a row, as `docs/chips/alu.md` has them.
#[test]
fn rows_cost_what_the_documentation_says() {
    fn cost(chip: impl Chip) -> (String, usize, u32) {
        let block = Block::new(chip, 1);
        let row = &block.templates[1];
        (block.chip.name().to_string(), row.constraint_count(), row.committed)
    }
    let all = [
        cost(AddChip),
        cost(EqualChip),
        cost(MovesChip),
        cost(BitwiseChip),
        cost(ShiftChip),
        cost(BitsChip),
        cost(MulChip),
        cost(SelectChip),
        cost(HeapChip),
        cost(ContextChip),
        cost(CalldataChip),
    ];
    let page = include_str!("../../../../docs/chips/alu.md");
    let line = |(name, constraints, committed)| format!("| {name} | {constraints} | {committed} |");
    let missing: Vec<String> = all.into_iter().map(line).filter(|line| !page.contains(line)).collect();
    assert!(missing.is_empty(), "docs/chips/alu.md should say: {missing:#?}");
}
