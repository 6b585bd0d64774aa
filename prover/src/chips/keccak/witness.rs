//! Keccak-f[1600] in plain integers, with every value the permutation row commits.
//! Constants are computed from their definition in FIPS 202 (sections 3.2.2 and 3.2.5), not tabulated.
use std::sync::LazyLock;

/// Rounds of the permutation.
pub const ROUNDS: usize = 24;

/// A lane whose digits need not be bits.
pub type Digits = [u8; 64];

/// Lane `(x, y)` is number `x + 5y`.
pub const fn lane(x: usize, y: usize) -> usize {
    x % 5 + 5 * (y % 5)
}

/// How far rho rotates each lane.
pub static ROTATIONS: LazyLock<[u32; 25]> = LazyLock::new(|| {
    let mut out = [0; 25];
    let (mut x, mut y) = (1, 0);
    for t in 0..24u32 {
        out[lane(x, y)] = (t + 1) * (t + 2) / 2 % 64;
        (x, y) = (y, (2 * x + 3 * y) % 5);
    }
    out
});

/// The constants of iota, from the generator `x^8 + x^6 + x^5 + x^4 + 1`.
pub static IOTA: LazyLock<[u64; ROUNDS]> = LazyLock::new(|| {
    let mut register = 1u8;
    let mut bit = || {
        let out = register & 1;
        register = (register << 1) ^ if register & 0x80 != 0 { 0x71 } else { 0 };
        u64::from(out)
    };
    std::array::from_fn(|_| (0..7).fold(0, |acc, j| acc | bit() << ((1u32 << j) - 1)))
});

/// What one round commits, as bits.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// Remainder of the lanes before: `2a + (1 - b) + c mod 2`. Unused in round 0.
    pub v: [u64; 25],
    /// Column parities.
    pub c: [u64; 5],
    /// The rest of the column sums: `sum = c + 2 * rest[0] + 4 * rest[1] + 4 * rest[2]`.
    pub rest: [[u64; 5]; 3],
    /// Theta's effect per column.
    pub d: [u64; 5],
    /// Carry of `d`.
    pub e: [u64; 5],
    /// Lanes after theta.
    pub p: [u64; 25],
    /// Carry of `p`.
    pub q: [u64; 25],
    /// Second carry of lane 0, at digits of iota only.
    pub q2: u64,
}

/// Every committed value of one permutation.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The rounds.
    pub rounds: Vec<Round>,
    /// Normalisation of the last round's lanes: `v`, `p` (the output) and `q`.
    pub last: Round,
}

impl Default for Witness {
    fn default() -> Witness {
        Witness { rounds: vec![Round::default(); ROUNDS], last: Round::default() }
    }
}

fn bits(d: &Digits, f: impl Fn(u8) -> bool) -> u64 {
    d.iter().enumerate().fold(0, |acc, (i, x)| acc | u64::from(f(*x)) << i)
}

/// Digit sums of bit lanes.
pub fn add_lanes(lanes: &[u64]) -> Digits {
    std::array::from_fn(|i| lanes.iter().map(|l| (l >> i & 1) as u8).sum())
}

/// Runs the permutation on a state given by digits (the parity of a digit is the bit).
pub fn permute(input: &[Digits; 25]) -> Witness {
    let mut o = *input;
    let mut v = [0; 25];
    let mut rounds = Vec::with_capacity(ROUNDS);
    for iota in IOTA.iter() {
        let round = theta(&o, v);
        let b = rho_pi(&round.p);
        (o, v) = chi(&b, *iota);
        rounds.push(round);
    }
    let last = Round {
        v,
        p: o.map(|l| bits(&l, |x| x & 1 == 1)),
        q: o.map(|l| bits(&l, |x| x >= 2)),
        ..Round::default()
    };
    Witness { rounds, last }
}

fn theta(o: &[Digits; 25], v: [u64; 25]) -> Round {
    let mut w = Round { v, ..Round::default() };
    for x in 0..5 {
        let sum: Digits = std::array::from_fn(|i| (0..5).map(|y| o[lane(x, y)][i]).sum());
        w.c[x] = bits(&sum, |s| s & 1 == 1);
        w.rest[0][x] = bits(&sum, |s| s >> 1 & 1 == 1);
        w.rest[1][x] = bits(&sum, |s| s >> 2 >= 1);
        w.rest[2][x] = bits(&sum, |s| s >> 2 >= 2);
    }
    for x in 0..5 {
        let (left, right) = (w.c[(x + 4) % 5], w.c[(x + 1) % 5].rotate_left(1));
        w.d[x] = left ^ right;
        w.e[x] = left & right;
    }
    for (i, digits) in o.iter().enumerate() {
        let sum: Digits = std::array::from_fn(|k| digits[k] + (w.d[i % 5] >> k & 1) as u8);
        w.p[i] = bits(&sum, |s| s & 1 == 1);
        w.q[i] = bits(&sum, |s| s >> 1 >= 1);
        if i == 0 {
            w.q2 = bits(&sum, |s| s >> 1 >= 2);
        }
    }
    w
}

/// Where rho and pi take lane `i`.
pub fn pi(i: usize) -> usize {
    let (x, y) = (i % 5, i / 5);
    lane(y, 2 * x + 3 * y)
}

fn rho_pi(p: &[u64; 25]) -> [u64; 25] {
    let mut b = [0; 25];
    for i in 0..25 {
        b[pi(i)] = p[i].rotate_left(ROTATIONS[i]);
    }
    b
}

/// Bit 1 of `2a + (1 - b) + c` is `a xor (not b and c)`: returns what stands above bit 0, and bit 0.
fn chi(b: &[u64; 25], iota: u64) -> ([Digits; 25], [u64; 25]) {
    let mut o = [[0; 64]; 25];
    let mut v = [0; 25];
    for i in 0..25 {
        let (x, y) = (i % 5, i / 5);
        let (n, c) = (!b[lane(x + 1, y)], b[lane(x + 2, y)]);
        let flip = if i == 0 { iota } else { 0 };
        v[i] = n ^ c;
        o[i] = add_lanes(&[b[i], n & c, flip]);
    }
    (o, v)
}
