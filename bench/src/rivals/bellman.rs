//! bellman: `multiexp`. Its exponents are made from the scalars within the timed part, as its prover makes them for
//! each proof.

use super::Input;
use crate::Failure;
use crate::measure::{Value, Way};
use ::bellman::multicore::Worker;
use ::bellman::multiexp::{Exponent, FullDensity, multiexp};
use group::{Curve, prime::PrimeCurve};
use halo2curves::bn256::{Fr, G1, G2};
use rayon::ThreadPool;
use rayon::prelude::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

const NAME: &str = "bellman";

/// bellman waits for its own tasks, which must happen on a thread outside the pool they run on.
fn sum<G>(pool: &ThreadPool, bases: &Arc<Vec<G::Affine>>, scalars: &[Fr]) -> Result<(Duration, G), Failure>
where
    G: PrimeCurve<Scalar = Fr>,
{
    let start = Instant::now();
    let waiter = pool.install(|| {
        let exponents: Vec<Exponent<Fr>> = scalars.par_iter().map(Exponent::from).collect();
        multiexp::<_, _, G, _>(&Worker::new(), (bases.clone(), 0), FullDensity, Arc::new(exponents))
    });
    let sum = waiter.wait()?;
    Ok((start.elapsed(), sum))
}

/// The way for this input, if the library has one.
pub fn way(input: Input<'_>) -> Option<Way<'_>> {
    match input {
        Input::MsmG1(points, scalars, _) => {
            let bases = Arc::new(points.to_vec());
            Some(Way::new(NAME, move |pool| {
                let (time, sum) = sum::<G1>(pool, &bases, scalars)?;
                Ok((time, Value::G1(sum.to_affine())))
            }))
        }
        Input::MsmG2(points, scalars, _) => {
            let bases = Arc::new(points.to_vec());
            Some(Way::new(NAME, move |pool| {
                let (time, sum) = sum::<G2>(pool, &bases, scalars)?;
                Ok((time, Value::G2(sum.to_affine())))
            }))
        }
        Input::Fft(_) | Input::CosetFft(_) | Input::Quotient(_) => None,
    }
}
