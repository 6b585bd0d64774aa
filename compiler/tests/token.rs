//! The demo's token in Solidity gives on the machine exactly what the one in assembly gives: status, data and storage.
use lathe_compiler::compile::Level;
use lathe_oracle::corpus;
use lathe_oracle::draw::{ACCOUNTS, Call, Draw};
use lathe_vm::fixtures::OWNER_SLOT;
use lathe_vm::programs;
use lathe_vm::sandbox::{Answer, Message, Sandbox, Status};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;

const ADDRESS: [u8; 20] = [0x70; 20];

/// A token as genesis makes it: an owner, and a balance for one account.
fn token(page: Page) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.install(ADDRESS, page);
    sandbox.set_storage(ADDRESS, OWNER_SLOT, lathe_oracle::draw::address_word(ACCOUNTS[0]));
    sandbox.set_storage(ADDRESS, lathe_oracle::draw::address_word(ACCOUNTS[1]), Word::from(1_000_000));
    sandbox
}

fn call(sandbox: &mut Sandbox, call: &Call) -> Answer {
    let message = Message { from: call.from, to: ADDRESS, value: Word::ZERO, data: &call.data };
    sandbox.call(&message).expect("the token stays within every limit")
}

#[test]
fn the_solidity_token_is_the_assembly_token() {
    let (contract, pages) = corpus::built("Token", Level::O3).unwrap_or_else(|message| panic!("{message}"));
    let runtime =
        pages.runtime.expect("the token has runtime code").page().expect("a page of the compiler is valid");
    let functions = contract.functions();
    let mut successes = 0;
    for seed in 0..200 {
        let mut solidity = token(runtime.clone());
        let mut assembly = token(programs::token().clone());
        let mut draw = Draw::new(seed);
        for _ in 0..12 {
            // A batch's records carry no value, so the assembly never looks at it.
            let drawn = draw.call(&functions);
            let (ours, theirs) = (call(&mut solidity, &drawn), call(&mut assembly, &drawn));
            assert_eq!(
                (ours.status, &ours.output, &ours.logs),
                (theirs.status, &theirs.output, &theirs.logs),
                "seed {seed}: {drawn:?}"
            );
            assert_eq!(
                solidity.storage_slots(ADDRESS),
                assembly.storage_slots(ADDRESS),
                "seed {seed}: {drawn:?}"
            );
            successes += u32::from(ours.status == Status::Success);
        }
    }
    assert!(successes > 200, "{successes} calls succeeded: the draw tests nothing");
}
