//! Contracts that call and create each other do on Lathe's machine what they do on the EVM: scenarios with several of
//! them, and drawn programs of nested calls. Every run is compared as in the differential tests, and traced.
use lathe_compiler::compile::Level;
use lathe_oracle::nested::{self, Tally};
use lathe_oracle::scenarios::{self, contracts};
use lathe_oracle::stage::Scene;
use lathe_oracle::world::World;

/// Drawn worlds where nothing else is said.
const CASES: u32 = 60;
/// Calls in each, at most.
const CALLS: usize = 5;

/// At both of the levels that matter.
fn at_levels(play: impl Fn(&mut Scene<World>)) {
    for level in [Level::O3, Level::Oz] {
        play(&mut Scene::new(World::traced(), level));
    }
}

macro_rules! play {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            at_levels(contracts::$name);
        })*

        const PLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

play! {
    a_pair_made_by_a_factory_trades_two_tokens,
    vaults_hold_tokens_for_shares,
    a_proxy_delegates_and_is_upgraded,
    proxies_with_admin_and_beacon_find_their_code,
    a_factory_makes_children_and_catches_what_they_throw,
    libraries_write_their_callers_storage,
    wrapped_wei_is_paid_out,
}

#[test]
fn every_scenario_of_calls_is_played() {
    let all: Vec<&str> = scenarios::of_calls::<World>().iter().map(|scenario| scenario.name).collect();
    assert_eq!(all, PLAYED);
}

#[test]
fn nested_programs_end_alike() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    for level in [Level::O3, Level::Oz] {
        let tally = Tally::default();
        let play = |seeds: &[u64]| nested::calls(World::traced(), level, seeds, &tally);
        nested::shrunk(cases, CALLS, play).unwrap_or_else(|text| panic!("{text}"));
        tally.check();
    }
}
