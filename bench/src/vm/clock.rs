//! Time that a thread has had the processor: what others do on the machine meanwhile is not in it.
use rustix::time::{ClockId, clock_gettime};

/// A moment of the running thread.
pub struct ThreadTime(f64);

impl ThreadTime {
    /// This one.
    pub fn now() -> ThreadTime {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        ThreadTime(now.tv_sec as f64 + now.tv_nsec as f64 / 1e9)
    }

    /// Seconds of this thread since then.
    pub fn seconds(&self) -> f64 {
        ThreadTime::now().0 - self.0
    }
}
