//! Linear combinations over the wires of one row, with their value.
//! `Com` holds committed wires only (and constants and public inputs fixed before the challenge); `Lc` may hold any.
//! Only a `Com` can enter a bus message: what is not committed cannot be sent.
use ff::Field;
use halo2curves::bn256::Fr;
use std::ops::{Add, Mul, Neg, Sub};

/// A wire as a row sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Var {
    /// The constant one.
    One,
    /// A public input, by index (see [`crate::circuit::row::Public`]).
    Public(u8),
    /// The power `c^k` of the bus challenge.
    Power(u8),
    /// A committed wire of this row.
    Committed(u32),
    /// A first-phase wire of this row that is not committed.
    Rest(u32),
    /// A wire exported by the row before.
    Import(u32),
    /// A constant that depends on the row's position.
    Fixed(u32),
    /// A second-phase wire of this row (product with a challenge power, or a fraction).
    Derived(u32),
}

/// A linear combination of any wires. `terms` stays empty while values are assigned.
#[derive(Clone, Debug, Default)]
pub struct Lc {
    /// Terms without the constant; empty unless a template is being recorded.
    pub terms: Vec<(Var, Fr)>,
    /// The constant term.
    pub constant: Fr,
    /// The value, constant included.
    pub value: Fr,
}

impl Lc {
    /// A constant.
    pub fn constant(x: Fr) -> Lc {
        Lc { terms: Vec::new(), constant: x, value: x }
    }

    fn accumulate(&mut self, other: &Lc, scale: Fr) {
        for (var, coeff) in &other.terms {
            let add = *coeff * scale;
            match self.terms.iter_mut().find(|t| t.0 == *var) {
                Some(t) => t.1 += add,
                None => self.terms.push((*var, add)),
            }
        }
        self.constant += other.constant * scale;
        self.value += other.value * scale;
    }

    fn scaled(mut self, k: Fr) -> Lc {
        self.terms.iter_mut().for_each(|t| t.1 *= k);
        self.constant *= k;
        self.value *= k;
        self
    }

    /// Drops zero terms and sorts, so that equal combinations compare equal.
    pub fn normalized(mut self) -> Lc {
        self.terms.retain(|t| t.1 != Fr::ZERO);
        self.terms.sort_by_key(|t| t.0);
        self
    }
}

/// A linear combination of committed wires, constants and public inputs fixed before the challenge.
#[derive(Clone, Debug, Default)]
pub struct Com(pub(super) Lc);

impl Com {
    /// A constant.
    pub fn constant(x: Fr) -> Com {
        Com(Lc::constant(x))
    }

    /// A small constant.
    pub fn int(x: u64) -> Com {
        Com::constant(Fr::from(x))
    }

    /// Zero.
    pub fn zero() -> Com {
        Com::default()
    }

    /// The value in the witness being assigned.
    pub fn value(&self) -> Fr {
        self.0.value
    }

    /// The combination itself.
    pub fn lc(&self) -> &Lc {
        &self.0
    }
}

impl From<Com> for Lc {
    fn from(c: Com) -> Lc {
        c.0
    }
}

impl From<&Com> for Lc {
    fn from(c: &Com) -> Lc {
        c.0.clone()
    }
}

impl From<&Lc> for Lc {
    fn from(c: &Lc) -> Lc {
        c.clone()
    }
}

impl From<u64> for Lc {
    fn from(x: u64) -> Lc {
        Lc::constant(Fr::from(x))
    }
}

macro_rules! linear_ops {
    ($t:ty, $wrap:expr, $inner:expr) => {
        linear_ops!(@bin $t, $wrap, $inner, $t, $t);
        linear_ops!(@bin $t, $wrap, $inner, &$t, $t);
        linear_ops!(@bin $t, $wrap, $inner, $t, &$t);
        linear_ops!(@bin $t, $wrap, $inner, &$t, &$t);
        linear_ops!(@scale $t, $wrap, $inner, $t);
        linear_ops!(@scale $t, $wrap, $inner, &$t);
    };
    (@bin $t:ty, $wrap:expr, $inner:expr, $l:ty, $r:ty) => {
        impl Add<$r> for $l {
            type Output = $t;
            fn add(self, rhs: $r) -> $t {
                let mut x = $inner(self.clone());
                x.accumulate(&$inner(rhs.clone()), Fr::ONE);
                $wrap(x)
            }
        }
        impl Sub<$r> for $l {
            type Output = $t;
            fn sub(self, rhs: $r) -> $t {
                let mut x = $inner(self.clone());
                x.accumulate(&$inner(rhs.clone()), -Fr::ONE);
                $wrap(x)
            }
        }
    };
    (@scale $t:ty, $wrap:expr, $inner:expr, $l:ty) => {
        impl Mul<Fr> for $l {
            type Output = $t;
            fn mul(self, k: Fr) -> $t {
                $wrap($inner(self.clone()).scaled(k))
            }
        }
        impl Mul<u64> for $l {
            type Output = $t;
            fn mul(self, k: u64) -> $t {
                $wrap($inner(self.clone()).scaled(Fr::from(k)))
            }
        }
        impl Neg for $l {
            type Output = $t;
            fn neg(self) -> $t {
                $wrap($inner(self.clone()).scaled(-Fr::ONE))
            }
        }
    };
}
linear_ops!(Com, Com, |c: Com| c.0);
linear_ops!(Lc, |l| l, |l: Lc| l);

/// `2^k` in the field.
pub fn pow2(k: u32) -> Fr {
    Fr::from(2).pow_vartime([u64::from(k)])
}

/// A 128-bit integer as a field element.
pub fn fr_u128(x: u128) -> Fr {
    Fr::from_raw([x as u64, (x >> 64) as u64, 0, 0])
}

/// Splits the canonical integer of a field element into `(low 128 bits, high bits)`.
pub fn halves(x: Fr) -> (u128, u128) {
    use ff::PrimeField;
    let r = x.to_repr();
    let b = r.as_ref();
    let half = |s: &[u8]| u128::from_le_bytes(s.try_into().expect("sixteen bytes"));
    (half(&b[..16]), half(&b[16..]))
}
