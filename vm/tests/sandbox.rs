//! Claims about the sandbox, each run traced and checked: what calls and deployments leave, and what they undo.
use lathe_vm::asm::assemble;
use lathe_vm::sandbox::{Answer, Message, Sandbox, Status};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;

const ALICE: [u8; 20] = [0xa1; 20];
const CONTRACT: [u8; 20] = [0xc0; 20];

fn text(source: &str) -> Page {
    assemble(source).unwrap_or_else(|e| panic!("{e}\n{source}"))
}

fn sandbox() -> Sandbox {
    let mut s = Sandbox::new();
    s.traced = true;
    s.set_balance(ALICE, Word::from(1_000_000));
    s
}

/// Runs a program as a contract.
fn run(source: &str, data: &[u8]) -> Answer {
    let mut s = sandbox();
    s.install(CONTRACT, text(source));
    s.call(&Message { from: ALICE, to: CONTRACT, value: Word::from(7), data }).unwrap()
}

#[test]
fn a_call_hands_back_its_output() {
    let answer = run("callvalue [1]\n st [1], [90], 0\n seti [91], 32\n return [90], [91]", &[]);
    assert_eq!(answer.status, Status::Success);
    assert_eq!(answer.output, Word::from(7).to_be_bytes());
    assert_eq!(answer.steps, 4);
}
