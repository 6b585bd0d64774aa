//! Ethereum's precompiled contracts: which addresses they have, and the one that runs.
use super::tracer::Tracer;
use super::world::StateRead;
use super::{Halt, Machine, Operands, Window};
use crate::trace::space;
use crate::word::Word;

/// The address of `identity`.
const IDENTITY: u16 = 4;

/// The number of a precompile's address.
pub(super) fn number(address: [u8; 20]) -> Option<u16> {
    let (rest, low) = address.split_at(18);
    let number = u16::from_be_bytes([low[0], low[1]]);
    let known = rest.iter().all(|b| *b == 0) && name(number).is_some();
    known.then_some(number)
}

fn name(number: u16) -> Option<&'static str> {
    Some(match number {
        0x01 => "ecrecover",
        0x02 => "sha256",
        0x03 => "ripemd160",
        IDENTITY => "identity",
        0x05 => "modexp",
        0x06 => "bn254 addition",
        0x07 => "bn254 multiplication",
        0x08 => "bn254 pairing",
        0x09 => "blake2f",
        0x0a => "kzg point evaluation",
        0x0b => "bls12-381 g1 addition",
        0x0c => "bls12-381 g1 msm",
        0x0d => "bls12-381 g2 addition",
        0x0e => "bls12-381 g2 msm",
        0x0f => "bls12-381 pairing",
        0x10 => "bls12-381 map to g1",
        0x11 => "bls12-381 map to g2",
        0x100 => "p256 verify",
        _ => return None,
    })
}

impl<V: StateRead, T: Tracer> Machine<'_, V, T> {
    /// A call of a precompile with this input.
    ///
    /// # Errors
    /// The name of one that does not run yet: that stops the batch, since no answer would be right.
    pub(super) fn precompile(&mut self, s: &Operands, number: u16, input: Window) -> Result<(), Halt> {
        match number {
            IDENTITY => self.identity(s, input),
            _ => {
                let name = name(number).unwrap_or("unknown");
                Err(Halt::NotYetProvable(format!("precompile {number}: {name}")))
            }
        }
    }

    /// The input again, in a heap of its own: no return data may lie in a heap that still changes.
    fn identity(&mut self, s: &Operands, input: Window) -> Result<(), Halt> {
        let input = Self::bounded(input)?;
        self.moves(input.length)?;
        let mut bytes = Vec::new();
        self.read_bytes(input, 5, &mut bytes)?;
        let ctx = self.clock;
        self.mem.open(ctx);
        self.write_bytes(ctx, 0, &bytes, 6)?;
        let copy = Window { space: space::HEAP, ctx, base: 0, length: input.length };
        self.done(s, Word::from(1), copy)
    }
}
