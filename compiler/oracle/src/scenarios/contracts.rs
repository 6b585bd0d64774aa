//! Contracts that call and create each other: scripts for every stage.
use crate::abi::Value;
use crate::draw::ACCOUNTS;
use crate::stage::{Deployed, Scene, Stage, address, bytes, low160, number};
use lathe_vm::word::Word;

/// A factory, its pair of two tokens, and swaps with what is allowed and what is not.
pub fn a_pair_made_by_a_factory_trades_two_tokens<S: Stage>(s: &mut Scene<S>) {
    let (a, b) =
        (s.deploy("SolmateErc20", &[number(1 << 90)], 0), s.deploy("OzErc20", &[number(1 << 90)], 0));
    let factory = s.deploy("PairFactory", &[address(ACCOUNTS[0])], 0);
    let made = s.ok(1, factory, "createPair", &[address(a.address), address(b.address)]);
    s.fails(1, factory, "createPair", &[address(b.address), address(a.address)]);
    s.fails(1, factory, "createPair", &[address(b.address), address(b.address)]);
    let pair = Deployed::at(low160(made), "Pair");
    let token0 = if low160(s.ok(0, pair, "token0", &[])) == a.address { a } else { b };
    let token1 = if token0.address == a.address { b } else { a };
    s.fails(0, pair, "mint", &[address(ACCOUNTS[0])]);
    let pay = |s: &mut Scene<S>, token: Deployed, amount: u128| {
        s.ok(0, token, "transfer", &[address(pair.address), number(amount)]);
    };
    pay(s, token0, 1_000_000_000);
    pay(s, token1, 4_000_000_000);
    assert_eq!(s.ok(0, pair, "mint", &[address(ACCOUNTS[0])]), Word::from(2_000_000_000 - 1000));
    let swap = |s: &mut Scene<S>, out0: u128, out1: u128, data: &[u8]| {
        let args = [number(out0), number(out1), address(ACCOUNTS[2]), bytes(data)];
        s.send(2, pair.address, 0, pair, "swap", &args).succeeded
    };
    pay(s, token0, 1_000_000);
    let out = s.ok(0, pair, "quote", &[number(1_000_000), number(1)]).lo;
    assert!(!swap(s, 0, out + 1, &[]), "more than the invariant allows");
    assert!(!swap(s, 0, out, &[1, 2, 3]), "the callback goes to an account without code");
    assert!(swap(s, 0, out, &[]));
    assert_eq!(s.ok(0, token1, "balanceOf", &[address(ACCOUNTS[2])]), Word::from(out));
    assert!(!swap(s, 5, 5, &[]), "nothing was paid in");
    pay(s, token1, 777);
    s.ok(3, pair, "sync", &[]);
    s.ok(0, pair, "transfer", &[address(pair.address), number(1_000_000_000)]);
    s.ok(0, pair, "burn", &[address(ACCOUNTS[3])]);
    s.fails(0, pair, "burn", &[address(ACCOUNTS[3])]);
}

/// ERC-4626 vaults: shares for a token, and back.
pub fn vaults_hold_tokens_for_shares<S: Stage>(s: &mut Scene<S>) {
    for (vault, asset) in
        [("OzVault", "SolmateErc20"), ("SolmateVault", "OzErc20"), ("SoladyVault", "OzErc20")]
    {
        let token = s.deploy(asset, &[number(1_000_000)], 0);
        let vault = s.deploy(vault, &[address(token.address)], 0);
        let me = || address(ACCOUNTS[0]);
        s.fails(0, vault, "deposit", &[number(1000), me()]);
        s.ok(0, token, "approve", &[address(vault.address), number(1 << 100)]);
        s.ok(0, vault, "deposit", &[number(1000), me()]);
        s.ok(0, token, "transfer", &[address(vault.address), number(333)]);
        s.ok(0, vault, "mint", &[number(77), address(ACCOUNTS[1])]);
        s.ok(0, vault, "totalAssets", &[]);
        s.ok(0, vault, "withdraw", &[number(500), address(ACCOUNTS[2]), me()]);
        s.fails(2, vault, "redeem", &[number(10), address(ACCOUNTS[2]), me()]);
        s.ok(1, vault, "redeem", &[number(77), address(ACCOUNTS[1]), address(ACCOUNTS[1])]);
        s.fails(0, vault, "withdraw", &[number(1_000_000), me(), me()]);
    }
}

/// ERC-1967 and UUPS: a proxy whose owner upgrades it.
pub fn a_proxy_delegates_and_is_upgraded<S: Stage>(s: &mut Scene<S>) {
    let first = s.deploy("OzUpgradeable", &[], 0);
    let second = s.deploy("OzUpgradeable", &[], 0);
    let start = first.data("initialize", &[address(ACCOUNTS[1])]);
    let proxy = s.deploy("OzProxy", &[address(first.address), bytes(&start)], 0).address;
    s.ok_at(1, proxy, first, "setValue", &[number(42)]);
    assert!(!s.send(2, proxy, 0, first, "setValue", &[number(43)]).succeeded);
    assert!(!s.send(0, proxy, 0, first, "initialize", &[address(ACCOUNTS[0])]).succeeded);
    let upgrade = [address(second.address), bytes(&[])];
    assert!(!s.send(0, proxy, 0, first, "upgradeToAndCall", &upgrade).succeeded);
    assert!(!s.send(1, proxy, 0, first, "upgradeToAndCall", &[address(ACCOUNTS[0]), bytes(&[])]).succeeded);
    let next = second.data("setValue", &[number(7)]);
    s.ok_at(1, proxy, first, "upgradeToAndCall", &[address(second.address), bytes(&next)]);
    assert_eq!(s.ok_at(3, proxy, second, "value", &[]), Word::from(7));
    assert_eq!(low160(s.ok_at(3, proxy, second, "owner", &[])), ACCOUNTS[1]);
    assert!(!s.send(1, first.address, 0, first, "upgradeToAndCall", &upgrade).succeeded);
}

/// A transparent proxy, and beacon proxies upgraded at once.
pub fn proxies_with_admin_and_beacon_find_their_code<S: Stage>(s: &mut Scene<S>) {
    let first = s.deploy("OzUpgradeable", &[], 0);
    let second = s.deploy("OzUpgradeable", &[], 0);
    let start = first.data("initialize", &[address(ACCOUNTS[1])]);
    // The proxy makes its administrator in its constructor.
    let arguments = [address(first.address), address(ACCOUNTS[0]), bytes(&start)];
    let proxy = s.deploy("OzTransparentProxy", &arguments, 0);
    s.ok_at(1, proxy.address, first, "setValue", &[number(9)]);
    let beacon = s.deploy("OzBeacon", &[address(first.address)], 0);
    let behind: Vec<Deployed> =
        (0..2).map(|_| s.deploy("OzBeaconProxy", &[address(beacon.address), bytes(&start)], 0)).collect();
    s.ok_at(1, behind[0].address, first, "setValue", &[number(5)]);
    s.fails(1, beacon, "upgradeTo", &[address(second.address)]);
    s.ok(0, beacon, "upgradeTo", &[address(second.address)]);
    s.ok_at(1, behind[1].address, second, "setValue", &[number(6)]);
    assert_eq!(s.ok_at(1, behind[0].address, first, "value", &[]), Word::from(5));
}

/// `create`, `create2`, collisions, and every kind of failure caught.
pub fn a_factory_makes_children_and_catches_what_they_throw<S: Stage>(s: &mut Scene<S>) {
    let factory = s.deploy("Factory", &[], 0);
    let salt = || number(3);
    for seed in [1, 13] {
        s.send(1, factory.address, 55, factory, "make", &[number(seed)]);
        s.ok(1, factory, "make2", &[number(seed), salt()]);
    }
    // The same salt and arguments again: a collision, caught.
    assert_eq!(s.ok(1, factory, "make2", &[number(1), salt()]), Word::ZERO);
    assert_eq!(s.ok(1, factory, "count", &[]), Word::from(2));
    for value in [5, 7, 8, 9] {
        s.ok(2, factory, "set", &[number(0), number(value)]);
    }
    s.fails(2, factory, "set", &[number(2), number(1)]);
    let child = low160(s.ok(2, factory, "children", &[number(1)]));
    let child = Deployed::at(child, "Child");
    for function in ["seed", "parent", "value"] {
        let data = child.data(function, &[]);
        for way in ["forward", "look", "borrow"] {
            s.ok(3, factory, way, &[address(child.address), bytes(&data)]);
        }
    }
    let set = child.data("set", &[number(70)]);
    for way in ["forward", "look", "borrow"] {
        s.ok(3, factory, way, &[address(child.address), bytes(&set)]);
    }
    s.send(0, factory.address, 100, factory, "forward", &[address(ACCOUNTS[3]), bytes(&[])]);
    for amount in [3, 1 << 90] {
        s.ok(0, factory, "pay", &[address(ACCOUNTS[2]), number(amount)]);
    }
}

/// A linked library; it is what the first account deploys first, where the corpus has it linked to.
pub fn libraries_write_their_callers_storage<S: Stage>(s: &mut Scene<S>) {
    s.deploy("Sums", &[], 0);
    let user = s.deploy("Libraries", &[], 0);
    s.ok(1, user, "credit", &[address(ACCOUNTS[1]), number(5)]);
    assert_eq!(s.ok(1, user, "credit", &[address(ACCOUNTS[1]), number(6)]), Word::from(11));
    s.fails(1, user, "credit", &[address(ACCOUNTS[1]), Value::Word(Word::new(u128::MAX, u128::MAX))]);
    let list = Value::List(vec![number(4), number(8)]);
    assert_eq!(s.ok(1, user, "mean", &[list]), Word::from(6));
    s.fails(1, user, "mean", &[Value::List(vec![])]);
}

/// Wrapped wei, deposited and withdrawn.
pub fn wrapped_wei_is_paid_out<S: Stage>(s: &mut Scene<S>) {
    let weth = s.deploy("SolmateWeth", &[], 0);
    s.send(1, weth.address, 500, weth, "deposit", &[]);
    s.ok(1, weth, "withdraw", &[number(200)]);
    s.fails(1, weth, "withdraw", &[number(301)]);
    assert_eq!(s.ok(1, weth, "totalSupply", &[]), Word::from(300));
}
