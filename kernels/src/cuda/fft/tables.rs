//! Tables of one domain size on the device: roots of unity and powers of the coset's shift, as pairs of short tables
//! whose products are all powers. They are constants of the domain and never hold anything of a caller's vector.

use super::super::device::{Arg, Buffer, SharedDevice, Stream};
use super::{ELEMENT, LOG_TILE, bytes_of};
use crate::domain::{coset_shift, root_of_unity, vanishing};
use crate::error::KernelError;
use ff::Field;
use halo2curves::bn256::Fr;

/// Which roots a transform multiplies by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Powers of the root of unity.
    Forward,
    /// Powers of its inverse.
    Inverse,
}

/// Factors of a vector's values: `low[i mod 2^split] * high[i >> split]` for index i, or one constant for all.
#[derive(Clone, Copy)]
pub(super) struct Scale<'a> {
    low: Option<Arg<'a>>,
    high: Arg<'a>,
}

impl<'a> Scale<'a> {
    /// The two kernel arguments; the first is null for a constant.
    pub(super) fn args(self) -> [Arg<'a>; 2] {
        [self.low.unwrap_or(Arg::U64(0)), self.high]
    }
}

/// All tables of one size, in one buffer.
pub(super) struct Tables {
    pub(super) log_n: u32,
    /// Index bits that the low tables cover; the high tables cover the rest.
    pub(super) split: u32,
    buffer: Buffer,
    starts: Starts,
}

/// Where each table begins, in elements. Forward and inverse stand at 0 and 1.
#[derive(Default)]
struct Starts {
    /// `w^i` for i < 2^9, w of order 2^10: the roots inside a tile.
    tile: [usize; 2],
    /// `w^i` and `w^(2^split i)` for the root w of the domain.
    low: [usize; 2],
    high: [usize; 2],
    /// The same for the coset's shift g and its inverse.
    shift_low: [usize; 2],
    coset: usize,
    /// High table of g times `1 / n`.
    coset_over_size: usize,
    /// High table of `1 / g` times `1 / n`, and that over `z = g^n - 1`.
    coset_inverse: usize,
    coset_inverse_over_z: usize,
    size_inverse: usize,
    size_and_z_inverse: usize,
}

/// `first * base^i` for i < `count`.
fn powers(base: Fr, first: Fr, count: usize) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(first), move |p| Some(*p * base)).take(count)
}

impl Tables {
    /// Makes and uploads the tables of the domain of size `2^log_n`, at most its two-adicity.
    pub(super) fn new(device: &SharedDevice, log_n: u32) -> Result<Self, KernelError> {
        let split = log_n.div_ceil(2);
        let (values, starts) = elements(log_n, split);
        let buffer = device.alloc(values.len() * ELEMENT)?;
        device.upload(Stream::Compute, &buffer, 0, bytes_of(&values))?;
        Ok(Self { log_n, split, buffer, starts })
    }

    fn at(&self, start: usize) -> Arg<'_> {
        Arg::At(&self.buffer, start * ELEMENT)
    }

    /// The tables of roots that a pass takes.
    pub(super) fn roots(&self, direction: Direction) -> [Arg<'_>; 3] {
        let d = direction as usize;
        [self.at(self.starts.tile[d]), self.at(self.starts.low[d]), self.at(self.starts.high[d])]
    }

    /// A factor that is the same for all values.
    pub(super) fn constant<'a>(&self, factor: Arg<'a>) -> Scale<'a> {
        Scale { low: None, high: factor }
    }

    fn scale(&self, direction: Direction, high: usize) -> Scale<'_> {
        Scale { low: Some(self.at(self.starts.shift_low[direction as usize])), high: self.at(high) }
    }

    /// `g^i`.
    pub(super) fn coset(&self) -> Scale<'_> {
        self.scale(Direction::Forward, self.starts.coset)
    }

    /// `g^i / n`.
    pub(super) fn coset_over_size(&self) -> Scale<'_> {
        self.scale(Direction::Forward, self.starts.coset_over_size)
    }

    /// `g^-i / n`.
    pub(super) fn coset_inverse(&self) -> Scale<'_> {
        self.scale(Direction::Inverse, self.starts.coset_inverse)
    }

    /// `g^-i / (n z)`.
    pub(super) fn coset_inverse_over_z(&self) -> Scale<'_> {
        self.scale(Direction::Inverse, self.starts.coset_inverse_over_z)
    }

    /// `1 / n`.
    pub(super) fn size_inverse(&self) -> Scale<'_> {
        self.constant(self.at(self.starts.size_inverse))
    }

    /// `1 / (n z)`, one element.
    pub(super) fn size_and_z_inverse(&self) -> Arg<'_> {
        self.at(self.starts.size_and_z_inverse)
    }
}

/// All tables one after the other.
fn elements(log_n: u32, split: u32) -> (Vec<Fr>, Starts) {
    let mut values: Vec<Fr> = Vec::new();
    let mut starts = Starts::default();
    let (low, high) = (1usize << split, 1usize << (log_n - split));
    let mut add = |base: Fr, first: Fr, count: usize| {
        let start = values.len();
        values.extend(powers(base, first, count));
        start
    };
    // Roots of unity and the shift are not zero, the size is not a multiple of the field's characteristic, and
    // g^n is not 1 since g generates the whole group: every inverse here exists.
    let inverse = |x: Fr| x.invert().unwrap_or(Fr::ZERO);
    let size_inverse = inverse(Fr::from(1u64 << log_n));
    let size_and_z_inverse = size_inverse * inverse(vanishing(1 << log_n, coset_shift()));
    let bases = [[root_of_unity(LOG_TILE), root_of_unity(log_n), coset_shift()]; 2];
    for (d, bases) in bases.into_iter().enumerate() {
        let [tile, root, shift] = if d == 0 { bases } else { bases.map(inverse) };
        starts.tile[d] = add(tile, Fr::ONE, 1 << (LOG_TILE - 1));
        starts.low[d] = add(root, Fr::ONE, low);
        starts.high[d] = add(root.pow_vartime([low as u64]), Fr::ONE, high);
        starts.shift_low[d] = add(shift, Fr::ONE, low);
        let far = shift.pow_vartime([low as u64]);
        if d == 0 {
            starts.coset = add(far, Fr::ONE, high);
            starts.coset_over_size = add(far, size_inverse, high);
        } else {
            starts.coset_inverse = add(far, size_inverse, high);
            starts.coset_inverse_over_z = add(far, size_and_z_inverse, high);
        }
    }
    starts.size_inverse = add(Fr::ONE, size_inverse, 1);
    starts.size_and_z_inverse = add(Fr::ONE, size_and_z_inverse, 1);
    (values, starts)
}
