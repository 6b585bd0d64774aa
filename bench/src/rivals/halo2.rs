//! halo2curves: `msm_best` and `best_fft`, whose types are ours.

use super::Input;
use crate::measure::{Value, Way, timed};
use group::Curve;
use halo2curves::fft::best_fft;
use halo2curves::msm::msm_best;
use lathe_kernels::domain::root_of_unity;

const NAME: &str = "halo2curves";

/// The way for this input, if the library has one.
pub fn way(input: Input<'_>) -> Option<Way<'_>> {
    match input {
        Input::MsmG1(points, scalars, _) => Some(Way::new(NAME, move |pool| {
            let (time, sum) = timed(pool, || msm_best(scalars, points));
            Ok((time, Value::G1(sum.to_affine())))
        })),
        Input::MsmG2(points, scalars, _) => Some(Way::new(NAME, move |pool| {
            let (time, sum) = timed(pool, || msm_best(scalars, points));
            Ok((time, Value::G2(sum.to_affine())))
        })),
        Input::Fft(values) => Some(Way::new(NAME, move |pool| {
            let mut values = values.to_vec();
            let log = values.len().trailing_zeros();
            let root = root_of_unity(log);
            let (time, ()) = timed(pool, || best_fft(&mut values, root, log));
            Ok((time, Value::Vector(values)))
        })),
        Input::CosetFft(_) | Input::Quotient(_) => None,
    }
}
