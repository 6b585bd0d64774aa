//! Pauses between attempts: doubling up to a bound, with jitter so that many relayers do not knock at once.
use rand::Rng;
use std::time::Duration;

/// Exponential backoff.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// Pauses around `first`, twice that, and so on up to `max`.
    pub fn new(first: Duration, max: Duration) -> Backoff {
        Backoff { first, max, next: first }
    }

    /// Begins anew after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// The next pause: between half and the whole of the current bound.
    pub fn next_pause(&mut self) -> Duration {
        let bound = self.next;
        self.next = (bound * 2).min(self.max);
        bound.mul_f64(rand::thread_rng().gen_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_bound_and_start_again_after_a_reset() {
        let (first, max) = (Duration::from_millis(100), Duration::from_millis(500));
        let mut backoff = Backoff::new(first, max);
        for bound in [100, 200, 400, 500, 500] {
            let pause = backoff.next_pause();
            let bound = Duration::from_millis(bound);
            assert!(pause >= bound / 2 && pause <= bound, "{pause:?} of {bound:?}");
        }
        backoff.reset();
        assert!(backoff.next_pause() <= first);
    }
}
