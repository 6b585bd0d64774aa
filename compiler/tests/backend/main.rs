//! Claims about the code generator: what it emits means what the module means, and stays as short as it was.
mod generator;
mod golden;
mod interpreter;

use interpreter::Outcome;
use lathe_compiler::backend::{BackendError, Options, Program, generate};
use lathe_compiler::mir::Module;
use lathe_vm::machine::HaltKind;
use lathe_vm::sandbox::{Message, Sandbox, Status};
use lathe_vm::trace::Page;
use proptest::prelude::*;

const CONTRACT: [u8; 20] = [0xc0; 20];
const QUICK: Options = Options { optimise_size: false, optimise: true };
const SMALL: Options = Options { optimise_size: true, optimise: true };
const PLAIN: Options = Options { optimise_size: false, optimise: false };

/// Runs a program; answers how it ended and its steps.
fn execute(
    program: &Program,
    calldata: &[u8],
    sandbox: &mut Sandbox,
) -> (Outcome, Vec<interpreter::Logged>, u32) {
    sandbox.install(CONTRACT, Page::new(program.words.clone()).expect("a page"));
    let message = Message { from: [1; 20], to: CONTRACT, value: Default::default(), data: calldata };
    let answer = sandbox.call(&message).expect("the machine stops by itself");
    let outcome = match answer.status {
        Status::Success => Outcome::Finished(answer.output),
        Status::Reverted => Outcome::Reverted(answer.output),
        Status::Halted(HaltKind::InvalidOpcode) => Outcome::Halted,
        Status::Halted(kind) => panic!("halted: {kind:?}"),
    };
    let logs = answer.logs.into_iter().map(|l| (l.topics, l.data)).collect();
    (outcome, logs, answer.steps)
}

/// The program does what the module says.
fn check(module: &Module, calldata: &[u8]) -> bool {
    let Some((want, oracle)) = interpreter::run(module, calldata) else { return false };
    for options in [QUICK, SMALL, PLAIN] {
        let program = generate(module, &options).expect("it compiles");
        let mut sandbox = Sandbox::new();
        let (got, logs, _) = execute(&program, calldata, &mut sandbox);
        assert_eq!(got, want, "{options:?}\n{}", lathe_compiler::backend::listing(&program));
        if matches!(got, Outcome::Finished(_)) {
            let mut stored = oracle.storage.clone();
            stored.retain(|_, w| !w.is_zero());
            assert_eq!(sandbox.storage_slots(CONTRACT), stored, "{options:?}");
            assert_eq!(logs, oracle.logs, "{options:?}");
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn compiled_modules_do_what_they_say(size in 1usize..60, seed in any::<u64>(), data in prop::collection::vec(any::<u8>(), 0..250)) {
        check(&generator::module(seed, size), &data);
    }
}

#[test]
fn long_programs_reach_all_their_parts() {
    let mut longest = 0;
    for seed in 0..12 {
        let module = generator::module(seed, 3000);
        if let Ok(program) = generate(&module, &PLAIN) {
            longest = longest.max(program.code_words);
            let data = [seed as u8 ^ 0x35; 200];
            check(&module, &data);
        }
    }
    assert!(longest > 9000, "the longest has {longest} words only");
}

#[test]
fn what_does_not_fit_is_refused() {
    let module = generator::module(5, 10_000);
    for options in [QUICK, SMALL, PLAIN] {
        let fits = generate(&module, &options).is_ok();
        assert_eq!(fits, options.optimise, "{options:?}");
    }
    assert_eq!(generate(&Module::default(), &QUICK), Err(BackendError::Empty));
}
