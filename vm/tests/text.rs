//! Claims about instruction words and their text: total decoding, exact round trips, errors with their place.
use lathe_vm::asm::{assemble, assemble_words};
use lathe_vm::disasm::disassemble;
use lathe_vm::isa::{Instruction, OPS, Status, find, op};
use lathe_vm::programs;
use proptest::prelude::*;

/// Words that are often instructions with a text form.
fn code_words() -> impl Strategy<Value = u64> {
    let row = prop::sample::select(OPS);
    let likely = (row, 0u16..300, 0u16..40, 0u16..40, 0u16..40, 8180u16..8210, any::<bool>());
    let likely = likely.prop_map(|(row, imm, d, a, b, jump, plain)| {
        let target = row.form.contains(&lathe_vm::isa::Operand::Target);
        let imm = if plain { 0 } else { imm };
        Instruction { opcode: row.opcode, imm, d: if target { jump } else { d }, a, b }.encode()
    });
    prop_oneof![4 => likely, 1 => any::<u64>(), 1 => Just(0)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_word_decodes_and_encodes_back(word in any::<u64>()) {
        let i = Instruction::decode(word);
        prop_assert_eq!(i.encode(), word);
        i.slots();
        prop_assert!(i.t() < 1 << 28);
    }

    #[test]
    fn disassembly_assembles_to_the_same_words(words in prop::collection::vec(code_words(), 1..100)) {
        let mut words = words;
        words.resize(words.len().next_multiple_of(12), 0);
        let text = disassemble(&words);
        prop_assert_eq!(assemble_words(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?, words);
    }

    #[test]
    fn the_assembler_never_panics(text in "[a-z0-9 .,:;\\[\\]\\n_x/é-]{0,80}") {
        let _ = assemble(&text);
    }
}

#[test]
fn opcodes_have_one_name_and_one_number() {
    for (i, a) in OPS.iter().enumerate() {
        for b in &OPS[..i] {
            assert!(a.opcode != b.opcode && a.name != b.name, "{} and {}", a.name, b.name);
        }
        assert_eq!(find(a.opcode).map(|o| o.name), Some(a.name));
        assert!(a.status == Status::Reserved || !a.form.is_empty() || a.name == "nret", "{}", a.name);
    }
}

#[test]
fn fields_lie_where_the_specification_puts_them() {
    let i = Instruction { opcode: op::ADD, imm: 1, d: 1, a: 1, b: 1 };
    assert_eq!(i.encode(), 1 | 1 << 10 | 1 << 22 | 1 << 36 | 1 << 50);
    assert_eq!(op::JEQI, 5 << 7 | 1);
    assert_eq!(op::REVERT, 45);
    assert_eq!(op::NCALL, 1 << 7 | 32);
}

#[test]
fn text_means_the_documented_words() {
    let words = assemble_words(
        "top: seti [2], 0x8001 ; comment\n .const C 0x10000000000000003\n const [1], C\n jz [5], top",
    );
    let at = |i: usize| Instruction::decode(words.as_ref().unwrap()[i]);
    assert_eq!(at(0), Instruction { opcode: op::SETI, imm: 0, d: 2, a: 1, b: 2 });
    // Three instructions, so the first constant is number 1 (words 4..8).
    assert_eq!(at(1), Instruction { opcode: op::CONST, imm: 0, d: 1, a: 1, b: 0 });
    assert_eq!(at(2), Instruction { opcode: op::JEQI, imm: 0, d: 8192 - 3, a: 5, b: 0 });
    assert_eq!(words.unwrap()[3..], [0, 3, 1, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn faults_are_named_with_line_and_column() {
    let cases = [
        ("add [1], [2]", "1:13: `add` has 2 operands here, expected 3: slot d, slot a, slot b"),
        ("\n  jmp nowhere", "2:7: label `nowhere` is not defined"),
        ("jmpfar [1], [2], [3]", "1:1: `jmpfar` is reserved and cannot be proven yet"),
        ("frob", "1:1: `frob`: expected an instruction of docs/isa.md"),
        ("seti [1], 268435456", "1:10: found the number 268435456, expected one below 268435456"),
        ("seti 1, 2", "1:6: found the number 1, expected a slot: [number] or a name from .slot"),
        ("add [1] [2], [3]", "1:9: found `[`, expected a comma"),
        ("add [16384], [2], [3]", "1:5: slot beyond 16383; expected 0..16383"),
        ("bits [1], [2], 256, 1", "1:15: `bits` takes a start in 0..255 and a count in 1..256"),
        ("bits [1], [2], 0, 0", "1:18: `bits` takes a start in 0..255 and a count in 1..256"),
        ("a: a: nret", "1:5: found `:`, expected a number, a name or a [slot]"),
        ("a: nret\na: nret", "2:1: label `a` is defined twice"),
        (".slot x 1\n.slot x 2\nnret", "2:7: `x` is defined twice"),
        (".const c 12z\nnret", "1:10: `12z` is no number below 2^256 (decimal, or hex after 0x)"),
        ("", "1:1: no instructions; expected at least one"),
        (".foo", "1:1: `.foo`: expected .const, .equ, .slot or .word"),
        ("add [1, [2], [3]", "1:7: found `,`, expected `]`"),
    ];
    for (source, message) in cases {
        assert_eq!(assemble(source).unwrap_err().to_string(), message, "{source}");
    }
}

#[test]
fn embedded_programs_are_what_they_were() {
    // A change of the kernel changes what L1 pins: update its hash here knowingly.
    let hashes: Vec<String> = [programs::kernel(), programs::token(), programs::mapping()]
        .map(|p| p.hash_word().to_string())
        .to_vec();
    assert_eq!(hashes, include_str!("golden/program_hashes.txt").lines().collect::<Vec<_>>());
    for page in [programs::kernel(), programs::token(), programs::mapping()] {
        assert_eq!(assemble_words(&disassemble(&page.words)).unwrap(), page.words);
    }
}
