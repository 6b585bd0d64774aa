//! The constraints of one Keccak-f[1600] on spread lanes. Every constraint is a lookup of 16 binary digits: an identity
//! between lanes has no row of its own, its last 16 digits are *defined* as what the identity leaves and looked up.
//! Digit sums must stay below the base on both sides of every identity; each identity states its bounds.
use super::tables::{digit, look, spread16, spread64, undigit};
use super::witness::{IOTA, ROTATIONS, ROUNDS, Round, Witness, lane, pi};
use crate::circuit::{Com, RowBuilder};
use ff::{Field, PrimeField};
use halo2curves::bn256::Fr;

fn window(x: u64, i: u32) -> u16 {
    (x >> (16 * i)) as u16
}

/// Commits and looks up the lowest `count` windows of 16 digits; their sum.
fn windows(b: &mut RowBuilder<'_>, on: &Com, x: u64, count: u32) -> Com {
    (0..count).fold(Com::zero(), |sum, i| sum + one_window(b, on, x, i) * digit(16 * i))
}

fn one_window(b: &mut RowBuilder<'_>, on: &Com, x: u64, i: u32) -> Com {
    let w = b.commit(Fr::from(spread16(window(x, i))));
    look(b, on, &w, window(x, i));
    w
}

/// A committed lane of 64 binary digits.
pub(super) fn bit_lane(b: &mut RowBuilder<'_>, on: &Com, x: u64) -> Com {
    windows(b, on, x, 4)
}

/// Proves `left = 2^weight * x` for some lane `x` of 64 binary digits: three windows of `x` are committed, the fourth
/// is what is left. Both sides are integers below `12^64 < p` if the digits of `left` and of what was subtracted
/// from it stay below 12, so the identity holds digit by digit.
fn remainder(b: &mut RowBuilder<'_>, on: &Com, left: &Com, weight: u32, x: u64) {
    let scale = (0..weight).fold(Fr::ONE, |s, _| s * Fr::TWO_INV);
    let top = (left * scale - windows(b, on, x, 3)) * undigit(48);
    look(b, on, &top, window(x, 3));
}

/// A lane of binary digits, and the same lane rotated left by `r`. The window that the rotation tears apart is cut
/// at `n` digits in `low + 12^n high`. With `low * 12^(16-n)`, `high` and the window all in the table:
/// `12^(16-n) window - 12^16 high = 12^(16-n) low` holds between integers below `12^32`, so `12^(16-n)` divides the
/// looked-up multiple of `low` and `low` is an integer below `12^n`; and `high < 12^(16-n)` since the window is below `12^16`.
fn rotated_lane(b: &mut RowBuilder<'_>, on: &Com, x: u64, r: u32) -> (Com, Com) {
    let (mut lane, mut rotated) = (Com::zero(), Com::zero());
    for i in 0..4 {
        let w = one_window(b, on, x, i);
        lane = lane + &w * digit(16 * i);
        let n = (64 - r).saturating_sub(16 * i);
        if n == 0 || n >= 16 {
            rotated = rotated + w * digit((16 * i + r) % 64);
            continue;
        }
        let value = window(x, i);
        let low_bits = value & ((1 << n) - 1);
        let low = b.commit(Fr::from(spread16(low_bits)));
        look(b, on, &(&low * digit(16 - n)), low_bits << (16 - n));
        let high = (w - &low) * undigit(n);
        look(b, on, &high, value >> n);
        rotated = rotated + low * digit(16 * i + r) + high;
    }
    (lane, rotated)
}

/// What chi leaves to the next round: per lane the digits `2a + (1 - b) + c` (plus twice iota), whose bit 1 is
/// chi's output; or, before round 0, the lanes themselves.
enum Before {
    Input([Com; 25]),
    Chi([Com; 25], u64),
}

/// Permutes `input`, whose digits are at most 2 (3 where lane 16 takes the last padding bit) and whose parities
/// are the state's bits. Returns the new state as lanes of binary digits. With `on = 0` every wire may be zero.
pub(super) fn permutation(b: &mut RowBuilder<'_>, on: &Com, input: [Com; 25], w: &Witness) -> [Com; 25] {
    let mut before = Before::Input(input);
    for (round, iota) in IOTA.iter().enumerate().take(ROUNDS) {
        let rotated = theta_rho_pi(b, on, &before, &w.rounds[round]);
        before = Before::Chi(chi(&rotated, *iota), *iota);
    }
    let Before::Chi(s, _) = before else { unreachable!("there is at least one round") };
    std::array::from_fn(|i| {
        // s = v + 2 p + 4 q: at most 6 = at most 7.
        let p = bit_lane(b, on, w.last.p[i]);
        let q = bit_lane(b, on, w.last.q[i]);
        remainder(b, on, &(&s[i] - &p * 2 - q * 4), 0, w.last.v[i]);
        p
    })
}

/// Theta, rho and pi. Returns the lanes after pi, all digits binary.
fn theta_rho_pi(b: &mut RowBuilder<'_>, on: &Com, before: &Before, w: &Round) -> [Com; 25] {
    let d: [Com; 5] = std::array::from_fn(|x| bit_lane(b, on, w.d[x]));
    let mut after_pi: [Com; 25] = Default::default();
    let mut o: [Com; 25] = Default::default();
    for i in 0..25 {
        let (p, rotated) = rotated_lane(b, on, w.p[i], ROTATIONS[i]);
        after_pi[pi(i)] = rotated;
        o[i] = match before {
            Before::Input(a) => {
                // a + d = p + 2 q: at most 3 = at most 3.
                remainder(b, on, &(&a[i] + &d[i % 5] - p), 1, w.q[i]);
                a[i].clone()
            }
            Before::Chi(s, iota) => {
                let mut q = bit_lane(b, on, w.q[i]);
                if i == 0 {
                    q = q + second_carry(b, on, w.q2, *iota);
                }
                // o = p + 2 q - d; s = v + 2 o, that is s + 2 d = v + 2 p + 4 q: at most 6 = at most 7 (lane 0,
                // where iota has a bit: 8 = 11). The digits of o are forced to be those of s / 2 rounded down.
                let o = p + q * 2 - &d[i % 5];
                remainder(b, on, &(&s[i] - &o * 2), 0, w.v[i]);
                o
            }
        };
    }
    theta_columns(b, on, &o, &d, w);
    after_pi
}

/// Windows of lane 0 where iota has a bit may carry twice.
fn second_carry(b: &mut RowBuilder<'_>, on: &Com, q2: u64, iota: u64) -> Com {
    (0..4).filter(|i| window(iota, *i) != 0).fold(Com::zero(), |sum, i| {
        let w = one_window(b, on, q2, i);
        sum + w * digit(16 * i)
    })
}

/// Proves that `d` is the parity of the neighbouring columns' parities.
fn theta_columns(b: &mut RowBuilder<'_>, on: &Com, o: &[Com; 25], d: &[Com; 5], w: &Round) {
    let columns: [(Com, Com); 5] = std::array::from_fn(|x| {
        // sum over y of o = c + 2 r0 + 4 r1 + 4 r2: at most 11 = at most 11.
        let sum = (1..5).fold(o[x].clone(), |sum, y| sum + &o[lane(x, y)]);
        let (c, rotated) = rotated_lane(b, on, w.c[x], 1);
        let r0 = bit_lane(b, on, w.rest[0][x]);
        let r1 = bit_lane(b, on, w.rest[1][x]);
        remainder(b, on, &(sum - &c - r0 * 2 - r1 * 4), 2, w.rest[2][x]);
        (c, rotated)
    });
    for x in 0..5 {
        // c[x-1] + rot(c[x+1], 1) = d + 2 e: at most 2 = at most 3.
        let sum = &columns[(x + 4) % 5].0 + &columns[(x + 1) % 5].1;
        remainder(b, on, &(sum - &d[x]), 1, w.e[x]);
    }
}

/// `2a + (1 - b) + c` for each lane and its two neighbours, plus twice iota in lane 0.
fn chi(after_pi: &[Com; 25], iota: u64) -> [Com; 25] {
    let ones = Com::constant(spread64(u64::MAX));
    std::array::from_fn(|i| {
        let (x, y) = (i % 5, i / 5);
        let at = |k: usize| &after_pi[lane(x + k, y)];
        let s = at(0) * 2 + &ones - at(1) + at(2);
        if i == 0 { s + Com::constant(spread64(iota)) * 2 } else { s }
    })
}
