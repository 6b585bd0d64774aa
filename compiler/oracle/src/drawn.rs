//! Drawn blocks of signed transactions: transfers, deployments, programs of nested calls with failures, proxies, creations,
//! callees that run out of gas, and transactions that are refused.
use crate::abi::encode;
use crate::chain::ledger::Outcome;
use crate::chain::pair::{Action, Chains, Intent};
use crate::corpus;
use crate::draw::{ACCOUNTS, Draw};
use crate::nested::{Acts, Tally, contracts, count, program};
use crate::stage::{Deployed, Scene, address, bytes, number};
use crate::world::Trouble;
use lathe_compiler::compile::Level;
use lathe_vm::word::Word;

/// Gas of a transaction: what one halt within leaves, a sixty-fourth, is plenty for the rest. Where gas runs out by itself
/// the machines differ, as they should.
const PLENTY: u64 = 1 << 28;
/// What programs do: nothing that takes all gas of its caller, but often a callee that takes all it is given.
const ACTS: Acts = Acts { plain: &[0, 1, 7, 8, 10, 11, 12, 13, 15, 15], writes_in_static: 6 };
/// Programs that take all their gas: a loop, and a halt.
const BURN: [[u8; 4]; 2] = [[16, 0, 0, 0], [9, 0, 0, 0]];

/// What is there before anything is drawn.
struct Cast {
    nests: [Deployed; 3],
    proxy: Deployed,
    token: Deployed,
}

fn cast(s: &mut Scene<Chains>) -> Cast {
    let nests = contracts(s);
    let start = nests[0].data("run", &[bytes(&[0, 1, 2, 0])]);
    let proxy = s.deploy("OzProxy", &[address(nests[0].address), bytes(&start)], 0);
    let token = s.deploy("OzErc20", &[number(1 << 80)], 0);
    Cast { nests, proxy: Deployed { address: proxy.address, ..nests[0] }, token }
}

/// One transaction.
fn intent(s: &Scene<Chains>, cast: &Cast, draw: &mut Draw) -> Intent {
    let from = draw.below(ACCOUNTS.len());
    let wei = Word::from(draw.below(50) as u128);
    let call = |to: [u8; 20], data: Vec<u8>| Action::Call { to, data };
    let run = |draw: &mut Draw, to: Deployed| {
        let program = program(draw, 4, &ACTS);
        call(to.address, to.data("run", &[bytes(&program)]))
    };
    let usual = |action| Intent { gas: PLENTY, ..s.stage.intent(from, wei, action) };
    match draw.below(12) {
        0 => usual(call(somebody(draw, cast), Vec::new())),
        1 => usual(create(s, cast, draw)),
        2 => {
            let to = address(*draw.pick(&ACCOUNTS));
            let data = cast.token.data("transfer", &[to, number(draw.below(1000) as u128)]);
            Intent { value: Word::ZERO, ..usual(call(cast.token.address, data)) }
        }
        3 => {
            let to = *draw.pick(&cast.nests);
            let gas = 200_000 + draw.below(300_000) as u64;
            let data = to.data("run", &[bytes(&draw.pick(&BURN)[..])]);
            Intent { gas, ..usual(call(to.address, data)) }
        }
        4 => {
            let payment = usual(call(somebody(draw, cast), Vec::new()));
            refused(draw, payment)
        }
        5 | 6 => usual(run(draw, cast.proxy)),
        _ => {
            let to = *draw.pick(&cast.nests);
            usual(run(draw, to))
        }
    }
}

/// A contract whose constructor runs a program.
fn create(s: &Scene<Chains>, cast: &Cast, draw: &mut Draw) -> Action {
    let name = *draw.pick(&["Leaf", "Nest"]);
    let (code, pages) = corpus::built(name, s.level).unwrap_or_else(|error| panic!("{error}"));
    let peer = |draw: &mut Draw| address(draw.pick(&cast.nests).address);
    let arguments = [peer(draw), peer(draw), bytes(&program(draw, 2, &ACTS))];
    let arguments = encode(&code.abi.constructor, &arguments);
    Action::Create { initcode: code.initcode.clone(), pages: Box::new(pages), arguments }
}

/// An account, with or without code, known or not.
fn somebody(draw: &mut Draw, cast: &Cast) -> [u8; 20] {
    match draw.below(4) {
        0 => *draw.pick(&ACCOUNTS),
        1 => draw.pick(&cast.nests).address,
        2 => {
            let mut precompile = [0; 20];
            precompile[19] = draw.below(4) as u8 + 1;
            precompile
        }
        _ => [draw.below(200) as u8 + 20; 20],
    }
}

fn refused(draw: &mut Draw, intent: Intent) -> Intent {
    match draw.below(4) {
        0 => Intent { nonce: Some(1 << 40), ..intent },
        1 => Intent { chain_id: Some(1), ..intent },
        2 => Intent { gas: 1000, ..intent },
        _ => Intent { value: Word::new(1, 0), ..intent },
    }
}

/// Blocks of drawn transactions, one for each seed.
///
/// # Errors
/// A difference, with the transactions that lead to it.
pub fn blocks(level: Level, seeds: &[u64], tally: &Tally) -> Result<crate::chain::pair::Counts, String> {
    let mut s = Scene::new(Chains::new(), level);
    let cast = cast(&mut s);
    let known = [&cast.nests[..], &[cast.proxy]].concat();
    let mut block = Vec::new();
    for (at, seed) in seeds.iter().enumerate() {
        let mut draw = Draw::new(*seed);
        block.push(intent(&s, &cast, &mut draw));
        if at + 1 < seeds.len() && !draw.once_in(3) {
            continue;
        }
        match s.stage.run(&block) {
            Ok(receipts) => {
                for receipt in receipts.iter().filter(|r| !matches!(r.outcome, Outcome::Refused(_))) {
                    tally.add(receipt.succeeded(), &receipt.logs, &known);
                }
            }
            Err(Trouble::OutOfResources(_)) => {
                count(&tally.given_up, 1);
                return Ok(s.stage.counts);
            }
            Err(Trouble::Different(text)) => {
                let lines: Vec<String> = block.iter().map(Intent::told).collect();
                return Err(format!("{level:?}:\n{}then\n  {}\n{text}", s.stage.told(), lines.join("\n  ")));
            }
        }
        block.clear();
    }
    Ok(s.stage.counts)
}
