//! Signed transactions do on Lathe's machine what they do on Ethereum: named scenarios, each played in blocks of one
//! transaction and again in blocks of several, and drawn ones. `PROPTEST_CASES` draws more of them, one for each ten.
use lathe_compiler::compile::{Contract, Level};
use lathe_oracle::chain::pair::{Action, Chains};
use lathe_oracle::nested::{Tally, shrunk};
use lathe_oracle::stage::Scene;
use lathe_oracle::world::Trouble;
use lathe_oracle::{corpus, drawn, scenarios};
use lathe_vm::word::Word;

/// Drawn sequences where nothing else is said.
const CASES: u32 = 24;
/// Transactions in each, at most.
const TRANSACTIONS: usize = 14;

fn play(name: &str) {
    let scenario = scenarios::of_transactions().into_iter().find(|scenario| scenario.name == name);
    let scenario = scenario.unwrap_or_else(|| panic!("there is no scenario {name}"));
    let mut scene = Scene::new(Chains::new(), Level::O3);
    (scenario.play)(&mut scene);
    scene.again();
}

macro_rules! scenarios {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            play(stringify!($name));
        })*

        const PLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios! {
    a_pair_made_by_a_factory_trades_two_tokens,
    vaults_hold_tokens_for_shares,
    a_proxy_delegates_and_is_upgraded,
    proxies_with_admin_and_beacon_find_their_code,
    a_factory_makes_children_and_catches_what_they_throw,
    libraries_write_their_callers_storage,
    wrapped_wei_is_paid_out,
    erc20_transfers_and_allowances,
    erc20_permits_and_pauses,
    erc721_tokens_change_hands,
    erc1155_batches_move,
    a_multisig_executes_what_enough_confirm,
    accounts_validate_operations_of_an_entry_point,
    a_paymaster_pays_for_accounts,
    gas_runs_out_in_loops,
    callees_get_the_gas_they_are_given,
    depth_ends,
    failures_nest,
    constructors_fail_in_every_way,
    wei_go_to_accounts_contracts_and_precompiles,
    thieves_reenter_banks,
    a_stipend_pays_for_an_event,
    contracts_give_all_away,
    a_taken_address_is_not_created_at,
    created_addresses_follow_the_nonce,
    large_data_go_in_and_out,
    salted_addresses_are_taken_once,
    blocks_share_no_transient_state,
    transactions_that_ethereum_refuses_change_nothing,
}

#[test]
fn every_scenario_is_played() {
    let all: Vec<&str> = scenarios::of_transactions().iter().map(|scenario| scenario.name).collect();
    assert_eq!(all, PLAYED);
}

#[test]
fn another_contract_is_found_out() {
    let built = |name| corpus::built(name, Level::O3).unwrap_or_else(|error| panic!("{error}"));
    let ((there, _), (_, here)) = (built("OzErc20"), built("SolmateErc20"));
    let create = |pages: Contract| Action::Create {
        initcode: there.initcode.clone(),
        pages: Box::new(pages),
        arguments: Word::from(5).to_be_bytes().to_vec(),
    };
    let run = |pages| {
        let mut chains = Chains::new();
        let intent = chains.intent(0, Word::ZERO, create(pages));
        chains.run_one(intent)
    };
    let (_, same) = built("OzErc20");
    assert!(run(same).is_ok_and(|receipt| receipt.succeeded()));
    let other = run(here);
    assert!(matches!(other, Err(Trouble::Different(_))), "they keep their supply in other slots: {other:?}");
}

#[test]
fn drawn_blocks_end_alike() {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse::<u32>().ok());
    let cases = wanted.map_or(CASES, |cases| cases.div_ceil(10));
    for level in [Level::O3, Level::Oz] {
        let tally = Tally::default();
        let play = |seeds: &[u64]| drawn::blocks(level, seeds, &tally).map(drop);
        shrunk(cases, TRANSACTIONS, play).unwrap_or_else(|text| panic!("{text}"));
        tally.check();
        assert!(tally.given_up.get() * 20 <= tally.calls.get(), "gas ran out by itself in too many blocks");
    }
}
