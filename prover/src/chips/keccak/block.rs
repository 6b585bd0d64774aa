//! One block of one Keccak-256 per row: takes the state and up to 17 lanes, permutes, hands the state on.
//! The row must never choose which lanes or how many blocks: numbers and `has` flags leave one possibility only.
use super::f::permutation;
use super::tables::{digit, spread64};
use super::witness::{Witness, add_lanes, permute};
use super::{Kind, RATE_LANES, calls, lane_elements, padded_lanes, state_elements};
use crate::circuit::chip::AssignError;
use crate::circuit::{Chip, Com, RowBuilder, Tag};
use crate::input::ProverInput;
use halo2curves::bn256::Fr;
use lathe_vm::trace::KeccakCall;

/// A block to absorb.
#[derive(Clone, Debug)]
pub struct BlockRow {
    /// Clock of the hash it belongs to.
    pub id: u32,
    /// Number of the block.
    pub block: u32,
    /// State before.
    pub state: [u64; 25],
    /// Lanes absorbed: 17, fewer only in the last block.
    pub lanes: Vec<u64>,
    /// Whether the padding ends here.
    pub last: bool,
}

impl BlockRow {
    /// The last bit of the padding, in lane 16.
    fn end(&self) -> u64 {
        u64::from(self.last) << 63
    }

    fn witness(&self) -> Witness {
        permute(&std::array::from_fn(|i| {
            let message = self.lanes.get(i).copied().unwrap_or(0);
            let end = if i == RATE_LANES - 1 { self.end() } else { 0 };
            add_lanes(&[self.state[i], message, end])
        }))
    }
}

/// The rows of one hash, and its state after them.
pub fn block_rows(call: &KeccakCall) -> (Vec<BlockRow>, [u64; 25]) {
    let mut state = [0; 25];
    let lanes = padded_lanes(call);
    let blocks = lanes.chunks(RATE_LANES);
    let count = blocks.len();
    let rows = blocks
        .enumerate()
        .map(|(k, lanes)| {
            let last = k + 1 == count;
            let row = BlockRow { id: call.clock, block: k as u32, state, lanes: lanes.to_vec(), last };
            state = row.witness().last.p;
            row
        })
        .collect();
    (rows, state)
}

/// The chip.
pub struct KeccakF;

impl Chip for KeccakF {
    type Row = BlockRow;

    fn name(&self) -> &'static str {
        "keccak blocks"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<BlockRow>, AssignError> {
        Ok(calls(self.name(), input)?.iter().flat_map(|c| block_rows(c).0).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&BlockRow>) {
        let on = b.boolean("on^2 = on", row.is_some());
        let last = b.boolean("last^2 = last", row.is_some_and(|r| r.last));
        b.enforce("last * (1 - on) = 0", &last, Com::int(1) - &on, 0u64);
        let go_on = &on - &last;
        let id = b.commit(Fr::from(u64::from(row.map_or(0, |r| r.id))));
        let block = b.commit(Fr::from(u64::from(row.map_or(0, |r| r.block))));

        let state: [Com; 25] = std::array::from_fn(|i| b.commit(spread64(row.map_or(0, |r| r.state[i]))));
        for kind in [Kind::Left, Kind::Right] {
            b.receive(Tag::KeccakState, &on, &state_elements(kind, &id, &block, &state));
        }
        let message = absorb(b, row, &on, &go_on, &id, &block);
        // Digits: 1 of the state, 1 of the message, in lane 16 the padding's end.
        let mut input = state;
        for (lane, m) in input.iter_mut().zip(message) {
            *lane = &*lane + m;
        }
        input[RATE_LANES - 1] = &input[RATE_LANES - 1] + &last * digit(63);
        let out = permutation(b, &on, input, &row.map(BlockRow::witness).unwrap_or_default());
        let next = &block + Com::int(1);
        for kind in [Kind::Left, Kind::Right] {
            b.send(Tag::KeccakState, &go_on, &state_elements(kind, &id, &next, &out));
        }
        b.send(Tag::KeccakState, &last, &state_elements(Kind::Digest, &id, &Com::zero(), &out));
    }
}

/// Receives lanes `17 * block + i`: all of them, or in the last block the first few (at least one); others are zero.
fn absorb(
    b: &mut RowBuilder<'_>,
    row: Option<&BlockRow>,
    on: &Com,
    go_on: &Com,
    id: &Com,
    block: &Com,
) -> [Com; RATE_LANES] {
    let mut has = on.clone();
    let lanes = std::array::from_fn(|i| {
        let value = row.and_then(|r| r.lanes.get(i));
        if i > 0 {
            let here = b.boolean("has^2 = has", value.is_some());
            b.enforce("has[i] * (1 - has[i-1]) = 0", &here, Com::int(1) - &has, 0u64);
            has = here;
        }
        let lane = b.commit(value.map_or(Fr::from(0), |v| spread64(*v)));
        b.enforce("(1 - has) * lane = 0", Com::int(1) - &has, &lane, 0u64);
        let number = block * (RATE_LANES as u64) + Com::int(i as u64);
        b.receive(Tag::KeccakLane, &has, &lane_elements(id, &number, &lane));
        lane
    });
    b.enforce("(on - last) * (1 - has[16]) = 0", go_on, Com::int(1) - &has, 0u64);
    lanes
}
