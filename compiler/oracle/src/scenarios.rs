//! What is played on stages: by name, so that tests and the report of `make differential` have the same list.
pub mod accounts;
pub mod contracts;
pub mod limits;
pub mod refusals;
pub mod tokens;
pub mod values;

use crate::chain::pair::Chains;
use crate::stage::{Scene, Stage};

/// A script.
pub struct Scenario<S> {
    /// Its name.
    pub name: &'static str,
    /// What it does; it panics where sides differ, or where something did not go as the script says.
    pub play: fn(&mut Scene<S>),
}

macro_rules! scenarios {
    ($($module:ident: $($name:ident)*;)*) => {
        vec![$($(Scenario { name: stringify!($name), play: $module::$name }),*),*]
    };
}

/// Scripts for every stage.
pub fn of_calls<S: Stage>() -> Vec<Scenario<S>> {
    scenarios! {
        contracts:
            a_pair_made_by_a_factory_trades_two_tokens
            vaults_hold_tokens_for_shares
            a_proxy_delegates_and_is_upgraded
            proxies_with_admin_and_beacon_find_their_code
            a_factory_makes_children_and_catches_what_they_throw
            libraries_write_their_callers_storage
            wrapped_wei_is_paid_out;
    }
}

/// Scripts for chains, and those of calls.
pub fn of_transactions() -> Vec<Scenario<Chains>> {
    let mut all = of_calls();
    all.extend(scenarios! {
        tokens:
            erc20_transfers_and_allowances
            erc20_permits_and_pauses
            erc721_tokens_change_hands
            erc1155_batches_move;
        accounts:
            a_multisig_executes_what_enough_confirm
            accounts_validate_operations_of_an_entry_point
            a_paymaster_pays_for_accounts;
        limits:
            gas_runs_out_in_loops
            callees_get_the_gas_they_are_given
            depth_ends
            failures_nest
            constructors_fail_in_every_way;
        values:
            wei_go_to_accounts_contracts_and_precompiles
            thieves_reenter_banks
            a_stipend_pays_for_an_event
            contracts_give_all_away
            a_taken_address_is_not_created_at
            created_addresses_follow_the_nonce
            large_data_go_in_and_out
            salted_addresses_are_taken_once
            blocks_share_no_transient_state;
        refusals:
            transactions_that_ethereum_refuses_change_nothing;
    });
    all
}
