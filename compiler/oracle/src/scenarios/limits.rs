//! What runs out. Gas figures differ by machine, so nothing here comes near a limit: it is far below, or has no end.
use crate::chain::pair::{Action, Chains, GAS, Intent};
use crate::draw::ACCOUNTS;
use crate::stage::{Deployed, Scene, address, bytes, number};
use lathe_vm::word::Word;

/// A call with another gas limit than usual; whether it returned.
fn with_gas(s: &mut Scene<Chains>, gas: u64, value: u128, to: Deployed, data: Vec<u8>) -> bool {
    let action = Action::Call { to: to.address, data };
    let intent = Intent { gas, ..s.stage.intent(1, value.into(), action) };
    let receipt = s.stage.run_one(intent);
    receipt.unwrap_or_else(|trouble| panic!("{trouble}")).succeeded()
}

/// Loops without an end take all gas of their transaction, and leave nothing but the fee and the nonce.
pub fn gas_runs_out_in_loops(s: &mut Scene<Chains>) {
    let limits = s.deploy("Limits", &[], 0);
    for function in ["spin", "burn", "grow", "reach"] {
        for gas in [300_000, 3_000_000] {
            assert!(!with_gas(s, gas, 0, limits, limits.data(function, &[])), "{function} ends");
        }
    }
    assert!(!with_gas(s, 300_000, 55, limits, limits.data("spin", &[])));
    assert_eq!(s.ok(0, limits, "count", &[]), Word::ZERO);
    // Enough to begin, not enough to end.
    let long = limits.data("inner", &[number(16)]);
    assert!(!with_gas(s, 100_000, 0, limits, long));
    s.ok(0, limits, "inner", &[number(3)]);
}

/// A callee fails with the gas it is given, and its caller goes on; one that is given enough does not fail.
pub fn callees_get_the_gas_they_are_given(s: &mut Scene<Chains>) {
    let limits = s.deploy("Limits", &[], 0);
    let other = s.deploy("Limits", &[], 0);
    let inner = |function: &str| other.data(function, &[]);
    for way in ["within", "lookWithin", "borrowWithin"] {
        for function in ["spin", "burn", "grow", "reach"] {
            let args = [number(200_000), address(other.address), bytes(&inner(function))];
            assert_eq!(s.ok(1, limits, way, &args), Word::ZERO, "{way} {function}");
        }
        let args = [number(2_000_000), address(other.address), bytes(&inner("count"))];
        assert_eq!(s.ok(1, limits, way, &args), Word::from(1), "{way}");
    }
    // More than there is: all but a sixty-fourth.
    let args = [number(1 << 100), address(other.address), bytes(&inner("burn"))];
    assert_eq!(s.ok(1, limits, "within", &args), Word::ZERO);
    for function in ["spin", "burn", "grow", "reach"] {
        assert_eq!(s.ok(1, limits, "survive", &[bytes(&limits.data(function, &[]))]), Word::ZERO);
    }
    // None at all, and what comes with value; to an account without code both are enough.
    for (gas, value) in [(0, 0), (1, 0), (0, 9)] {
        let args = [number(gas), address(ACCOUNTS[3]), bytes(b"anything")];
        let reply = s.send(1, limits.address, value, limits, "within", &args);
        assert!(reply.succeeded);
    }
    let args = [number(0), address(other.address), bytes(&inner("spin"))];
    assert!(s.send(1, limits.address, 9, limits, "within", &args).succeeded);
    // Writes within writes: an inner call that fails takes its own back, and no others.
    let deep = limits.data("within", &[number(400_000), address(other.address), bytes(&inner("spin"))]);
    let args = [number(3_000_000), address(limits.address), bytes(&deep)];
    s.ok(1, limits, "within", &args);
    s.ok(1, limits, "borrowWithin", &args);
    s.ok(0, limits, "marks", &[number(1)]);
}

/// Calls in calls: some dozens return, without an end none does any harm.
pub fn depth_ends(s: &mut Scene<Chains>) {
    let limits = s.deploy("Limits", &[], 0);
    for depth in [0, 1, 40] {
        assert_eq!(s.ok(1, limits, "down", &[number(depth)]), Word::from(depth));
    }
    assert!(!with_gas(s, GAS, 0, limits, limits.data("down", &[number(1100)])), "deeper than it goes");
    assert_eq!(s.ok(0, limits, "count", &[]), Word::from(3));
    s.ok(1, limits, "bottomless", &[]);
}

/// Each level of a chain of calls fails or not: every pattern of three bits, and some of many.
pub fn failures_nest(s: &mut Scene<Chains>) {
    let limits = s.deploy("Limits", &[], 0);
    for bits in 0..8 {
        s.send(1, limits.address, 0, limits, "mixed", &[number(2), number(bits)]);
    }
    for bits in [0x555, 0xaaa, 0x800, 0x400, 0x7ff] {
        s.send(1, limits.address, 0, limits, "mixed", &[number(11), number(bits)]);
    }
    for level in [0, 1, 2, 11] {
        s.ok(0, limits, "marks", &[number(level)]);
    }
}

/// Creations that fail: by a transaction, within one with its failure caught, and without enough gas.
pub fn constructors_fail_in_every_way(s: &mut Scene<Chains>) {
    let limits = s.deploy("Limits", &[], 0);
    for kind in 0..=7 {
        let made = s.try_deploy(1, "Doomed", &[number(kind)], 13);
        assert_eq!(made.is_some(), kind == 0, "kind {kind}");
        let reply = s.send(2, limits.address, 17, limits, "make", &[number(kind)]);
        assert!(reply.succeeded, "its failure is caught");
    }
    assert_eq!(s.ok(0, limits, "count", &[]), Word::from(8));
    // A constructor that takes no wei.
    assert!(s.try_deploy(1, "OzErc20", &[number(5)], 1).is_none());
    assert!(s.try_deploy(1, "OzErc20", &[number(5)], 0).is_some());
}
