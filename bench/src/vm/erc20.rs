//! Transfers of OpenZeppelin's ERC-20 in one process, state in memory and warm, no signatures: the sandbox's machine,
//! metered and without a trace, beside revm's `transact_commit`. Both do the same transfers and must end with the same balances.
use super::clock::ThreadTime;
use crate::Failure;
use crate::measure::median;
use crate::rivals;
use lathe_vm::sandbox::{Message, Sandbox, Status};
use lathe_vm::trace::Page;
use lathe_vm::word::Word;
use sha3::{Digest, Keccak256};

/// The contract.
pub const TOKEN: [u8; 20] = [0x70; 20];
/// Who has all tokens at first.
pub const OWNER: [u8; 20] = [0x0f; 20];
/// What the owner has.
pub const SUPPLY: u128 = 1 << 100;
/// Gas of each call.
pub const GAS: u32 = 1_000_000;
const HOLDERS: usize = 16;
/// Transfers that are timed together.
const TRANSFERS: usize = 2000;

/// The runtime page, compiled by lathec.
///
/// # Errors
/// A file that is no page.
pub fn page() -> Result<Page, Failure> {
    Ok(Page::from_hex(include_str!("../../fixtures/OzErc20.page.hex"))?)
}

/// The slot of a holder's balance.
pub fn balance_slot(holder: [u8; 20]) -> Word {
    let mut bytes = [0; 64];
    bytes[12..32].copy_from_slice(&holder);
    Word::from_be_bytes(Keccak256::digest(bytes).into())
}

/// `transfer(to, amount)`
pub fn transfer(to: [u8; 20], amount: u128) -> Vec<u8> {
    [&[0xa9, 0x05, 0x9c, 0xbb][..], &[0; 12], &to, &[0; 16], &amount.to_be_bytes()].concat()
}

fn balance_of(holder: [u8; 20]) -> Vec<u8> {
    [&[0x70, 0xa0, 0x82, 0x31][..], &[0; 12], &holder].concat()
}

fn holder(i: usize) -> [u8; 20] {
    [0x10 + (i % HOLDERS) as u8; 20]
}

/// A call of the token.
pub struct TokenCall {
    /// By whom.
    pub from: [u8; 20],
    /// Its calldata.
    pub data: Vec<u8>,
}

/// A machine with the token on it.
pub trait Machine {
    /// Makes calls that must succeed; answers the output of the last.
    ///
    /// # Errors
    /// A call that does not succeed.
    fn calls(&mut self, calls: &[TokenCall]) -> Result<Vec<u8>, Failure>;
}

struct Ours(Sandbox);

impl Ours {
    fn new() -> Result<Ours, Failure> {
        let mut sandbox = Sandbox::new();
        sandbox.gas = Some(GAS);
        sandbox.install(TOKEN, page()?);
        sandbox.set_storage(TOKEN, balance_slot(OWNER), Word::from(SUPPLY));
        Ok(Ours(sandbox))
    }
}

impl Machine for Ours {
    fn calls(&mut self, calls: &[TokenCall]) -> Result<Vec<u8>, Failure> {
        let mut output = Vec::new();
        for TokenCall { from, data } in calls {
            let answer = self.0.call(&Message { from: *from, to: TOKEN, value: Word::ZERO, data })?;
            if answer.status != Status::Success {
                return Err(format!("the machine ends a call of the token with {:?}", answer.status).into());
            }
            output = answer.output;
        }
        Ok(output)
    }
}

/// Microseconds of one transfer.
pub struct Times {
    /// Ours.
    pub ours: f64,
    /// revm's; none in a build without rivals.
    pub revm: Option<f64>,
}

/// Times both on this thread, interleaved.
///
/// # Errors
/// A call that fails, balances that differ.
pub fn measure(runs: usize) -> Result<Times, Failure> {
    let mut machines: Vec<Box<dyn Machine>> = vec![Box::new(Ours::new()?)];
    machines.extend(rivals::evm()?);
    let call = |from, data| TokenCall { from, data };
    let funding: Vec<_> = (0..HOLDERS).map(|i| call(OWNER, transfer(holder(i), 1 << 64))).collect();
    let transfers: Vec<_> =
        (0..TRANSFERS).map(|i| call(holder(i), transfer(holder(7 * i + 3), 1 + i as u128))).collect();
    for machine in &mut machines {
        machine.calls(&funding)?;
        machine.calls(&transfers)?;
    }
    let mut times = vec![Vec::new(); machines.len()];
    for _ in 0..runs {
        for (machine, times) in machines.iter_mut().zip(&mut times) {
            let clock = ThreadTime::now();
            machine.calls(&transfers)?;
            times.push(clock.seconds() * 1e6 / TRANSFERS as f64);
        }
    }
    for who in (0..HOLDERS).map(holder).chain([OWNER]) {
        let ask = [call(who, balance_of(who))];
        let balances = machines.iter_mut().map(|m| m.calls(&ask)).collect::<Result<Vec<_>, _>>()?;
        if balances.iter().any(|b| *b != balances[0]) {
            return Err("the machines end with different balances, so there is no figure".into());
        }
    }
    Ok(Times { ours: median(&times[0]), revm: times.get(1).map(|times| median(times)) })
}

/// Steps of the contract's context in one transfer between two holders.
///
/// # Errors
/// A call that fails.
pub fn contract_steps(from: [u8; 20], to: [u8; 20]) -> Result<u32, Failure> {
    let mut ours = Ours::new()?;
    ours.calls(&[TokenCall { from: OWNER, data: transfer(from, 1000) }])?;
    let data = transfer(to, 1);
    let answer = ours.0.call(&Message { from, to: TOKEN, value: Word::ZERO, data: &data })?;
    match answer.status {
        Status::Success => Ok(answer.steps),
        other => Err(format!("the machine ends a transfer with {other:?}").into()),
    }
}
