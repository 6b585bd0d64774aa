//! `cdload d, a`: 32 bytes of calldata from any byte offset, zeros beyond the window's end.
//! Two neighbouring words are read, moved together and cut to the window: no byte outside it may reach the result, as it
//! belongs to somebody else's memory.
//!
//! `start = base + off = 32 q + 8 k + m` with `k` in 0..4, `m` in 0..8; the eight 64-bit limbs of the two words, times `2^(8 m)`,
//! are taken from limb `4 - k` on; of the 32 bytes the first `rest = length - off` stay.
use super::alu::bits::{low_bits, one_of_four, weigh};
use super::alu::shift::{Cut, cut, power_of};
use super::context::WindowCom;
use super::gadgets::{WordCom, address, checked_uint, lookup16, mem_read, range};
use super::message::Keyed;
use crate::circuit::chip::AssignError;
use crate::circuit::lc::pow2;
use crate::circuit::{Chip, Com, Lc, RowBuilder};
use crate::input::ProverInput;
use ff::Field;
use halo2curves::bn256::Fr;
use lathe_vm::isa::op;
use lathe_vm::trace::{Access, Effect, Step, space};

/// See the module.
pub struct CalldataChip;

/// A `cdload` with its reads: register 0, words `q` and `q + 1`.
#[derive(Clone)]
pub struct CalldataRow {
    step: Step,
    window: Access,
    words: [Access; 2],
}

/// What the row's wires are computed from.
#[derive(Clone, Copy, Default)]
struct Values {
    used: bool,
    window: u128,
    inside: bool,
    high: bool,
    /// Of `start`: the limb and the byte in it.
    k: usize,
    m: u64,
    /// `min(rest, 32) - 1`, and how much more there is (or how far beyond the end the offset lies).
    keep: u64,
    beyond: u128,
}

impl Values {
    fn of(row: &CalldataRow) -> Values {
        let window = row.window.old.lo;
        let (base, len) = (u64::from((window >> 32) as u32), u128::from(window as u32));
        let a = row.step.a.old;
        let inside = a.hi == 0 && a.lo < len;
        let start = base + if inside { a.lo as u64 } else { 0 };
        let rest = len.saturating_sub(if inside { a.lo } else { len });
        let keep = rest.saturating_sub(1).min(31);
        let beyond = match (inside, a.hi) {
            (true, _) => rest - 1 - keep,
            (false, 0) => a.lo - len,
            _ => 0,
        };
        let (k, m) = (start as usize % 32 / 8, start % 8);
        Values { used: true, window, inside, high: a.hi != 0, k, m, keep: keep as u64, beyond }
    }
}

impl Chip for CalldataChip {
    type Row = CalldataRow;

    fn name(&self) -> &'static str {
        "calldata"
    }

    fn rows(&self, input: &ProverInput<'_>) -> Result<Vec<CalldataRow>, AssignError> {
        let row = |step: Step| match step.effect {
            Effect::Calldata { window, words } => Some(CalldataRow { step, window, words }),
            _ => None,
        };
        Ok(input.trace.steps.iter().filter_map(row).collect())
    }

    fn row(&self, b: &mut RowBuilder<'_>, row: Option<&CalldataRow>) {
        let v = row.map_or(Values::default(), Values::of);
        let on = b.boolean("on is boolean", v.used);
        let mut m = Keyed::receive_operands(b, row.map(|r| &r.step), false);
        m.alu.op = Com::int(op::CDLOAD.into());

        let register = address(space::REG, &m.regs.ctx, &Com::zero());
        let packed = mem_read(b, &on, &register, &m.time(4), row.map(|r| &r.window));
        let window = WindowCom::split(b, &on, v.window);
        b.zero("the window's parts are its low half", window.packed() - &packed.lo);

        let (inside, keep) = bounds(b, &on, &v, &m.alu.a, &window.len);
        let off = b.product_committed("off = inside * a.lo", &inside, &m.alu.a.lo);
        let place = Place::new(b, &on, &v, &(&window.base + off));

        // prefix * 2^32 + q: prefix holds space and context; q + 1 is below 2^32.
        let first = &window.prefix * pow2(32) + &place.q;
        let words = [0u64, 1].map(|i| {
            let access = row.map(|r| &r.words[i as usize]);
            mem_read(b, &on, &(&first + Com::int(i)), &m.time(5 + i), access)
        });
        let x = aligned(b, &on, &place, &words, 8 * v.m);
        m.alu.new = keep_first(b, &inside, &keep, x);
        m.receive(b, &on);
    }
}

/// How many of the 32 bytes stay: `8 g + w` with g one of four selectors (all zero outside) and `w = 8 - e`.
struct Keep {
    selectors: [Com; 4],
    e: Com,
    e_value: u64,
}

/// Decides `a < length` and the bytes that stay.
fn bounds(b: &mut RowBuilder<'_>, on: &Com, v: &Values, a: &WordCom, len: &Com) -> (Com, Keep) {
    let inside = b.boolean("inside is boolean", v.inside);
    let high = b.boolean("high is boolean", v.high);
    let beyond_low = on - &inside - &high;
    b.enforce("beyond is boolean", &beyond_low, &beyond_low, &beyond_low);
    // high: a.hi has an inverse. inside: a.hi is 0.
    let inverse = b.wire(if v.high { a.hi.value().invert().unwrap_or(Fr::ZERO) } else { Fr::ZERO });
    b.enforce("a.hi * inverse = high", &a.hi, inverse, &high);
    b.enforce("inside * a.hi = 0", &inside, &a.hi, 0u64);

    // keep = 8 g + 7 - e is in 0..32 inside. more is below 2^128, a.lo below 2^128, len below 2^32: nothing wraps, so
    // inside a.lo < len and keep = min(len - a.lo, 32) - 1; beyond the end (and not high) a.lo >= len.
    let selectors = one_of_four(b, &inside, v.inside.then_some(v.keep as usize / 8));
    let e_value = if v.inside { 7 - v.keep % 8 } else { 0 };
    let e = b.commit(Fr::from(e_value));
    lookup16(b, on, &e);
    lookup16(b, on, &(&e * (1u64 << 13)));
    let keep = weigh(&selectors, [0, 8, 16, 24]) + &inside * 7u64 - &e;
    let more = checked_uint(b, on, v.beyond, 128);
    b.enforce(
        "inside * (len - 1 - a.lo - keep - more) = 0",
        &inside,
        len - &a.lo - &keep - &more - Com::int(1),
        0u64,
    );
    b.enforce("more * (31 - keep) = 0 inside", &more, &inside * 31u64 - keep, 0u64);
    b.enforce("beyond * (a.lo - len - more) = 0", &beyond_low, &a.lo - len - &more, 0u64);
    (inside, Keep { selectors, e, e_value })
}

/// Where the first byte lies.
struct Place {
    /// The word.
    q: Com,
    /// The limb, counted from the first byte.
    k: [Com; 4],
    /// `2^(8 m)` for the byte in the limb.
    d: Com,
}

impl Place {
    /// `start = 32 q + 8 k + m`, each part in its range: one way to write it, `q` below 2^28.
    fn new(b: &mut RowBuilder<'_>, on: &Com, v: &Values, start: &Com) -> Place {
        let k = one_of_four(b, on, v.used.then_some(v.k));
        let m = b.commit(Fr::from(v.m));
        lookup16(b, on, &m);
        lookup16(b, on, &(&m * (1u64 << 13)));
        let d = power_of(b, on, &(&m * 8u64), 8 * v.m);
        let q = (start - weigh(&k, [0, 8, 16, 24]) - m) * Fr::from(32).invert().expect("32 is not zero");
        range(b, on, &q, 28);
        Place { q, k, d }
    }
}

/// The 32 bytes from the place on, as limbs, least significant first. `shift` is `8 m`.
fn aligned(b: &mut RowBuilder<'_>, on: &Com, place: &Place, words: &[WordCom; 2], shift: u64) -> [Lc; 4] {
    let parts = [&words[1].lo, &words[1].hi, &words[0].lo, &words[0].hi];
    let cuts: Vec<Cut> = parts.iter().map(|x| cut(b, on, x, *x, &place.d, shift)).collect();
    // As in `shift`: a carry fits below the zeros of the part above it. The last one falls off the end.
    let mut limbs: Vec<Com> = Vec::new();
    for (i, c) in cuts.iter().enumerate() {
        limbs.push(if i == 0 { c.lo.clone() } else { &c.lo + &cuts[i - 1].carry });
        limbs.push(c.hi.clone());
    }
    [0, 1, 2, 3].map(|j| {
        place.k.iter().enumerate().fold(Lc::default(), |sum, (k, selected)| {
            sum + b.product("k * limb", selected, &limbs[4 + j - k])
        })
    })
}

/// Zeroes what lies behind the bytes that stay: limbs after the g-th from the top, and the low `8 e` bits of that one.
fn keep_first(b: &mut RowBuilder<'_>, inside: &Com, keep: &Keep, x: [Lc; 4]) -> WordCom {
    let g = &keep.selectors;
    // Outside the window g selects nothing, so z = 0 and everything below is 0.
    let z: [Lc; 4] = [0, 1, 2, 3].map(|i| b.product("g * limb", &g[i], &x[3 - i]));
    let total = &z[0] + &z[1] + &z[2] + &z[3];
    // low_bits gives z mod 2^(64 - s) for 2^s = 2^(64 - 8 e).
    let s = inside * 64u64 - &keep.e * 8u64;
    let used = inside.value() != Fr::ZERO;
    let s_value = if used { 64 - 8 * keep.e_value } else { 0 };
    let power = power_of(b, inside, &s, s_value);
    let gone = low_bits(b, inside, &total, &power, s_value);

    let shift = pow2(64);
    let top = b.product("inside * limb 3", inside, &x[3]) * shift;
    let second = b.product("(g1 + g2 + g3) * limb 2", inside - &g[0], &x[2]);
    let third = b.product("(g2 + g3) * limb 1", &g[2] + &g[3], &x[1]) * shift;
    let hi = (&g[0] * shift + &g[1], top + second);
    let lo = (&g[2] * shift + &g[3], third + &z[3]);
    let [lo, hi] = [lo, hi].map(|(cut, whole)| {
        let half = b.commit(whole.value - cut.value() * gone.value);
        b.enforce("g * gone = limbs - new", cut, &gone, whole - Lc::from(&half));
        half
    });
    WordCom { lo, hi }
}

#[cfg(test)]
mod tests;
