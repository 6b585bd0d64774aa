//! The order of launches and copies on the two streams. The interpreter runs everything at once, in the order of the
//! calls; this remembers which of them a GPU may run side by side, so that a missing wait is found out all the same.

use super::memory::Operation;
use lathe_kernels::cuda::Stream;

/// Numbers of operations; when they are used up, what is known of earlier accesses must be forgotten.
const MOST: u16 = u16::MAX >> 1;

/// What is ordered before what, by numbers of operations ([`Operation::number`]).
#[derive(Debug, Default)]
pub struct Streams {
    issued: u16,
    /// By stream: the last operation of each stream that its next operation comes after.
    known: [[u16; 2]; 2],
    /// The same for all that the host does next, because it has waited.
    host: [u16; 2],
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Compute => 0,
        Stream::Copy => 1,
    }
}

fn join(into: &mut [u16; 2], other: [u16; 2]) {
    for (known, other) in into.iter_mut().zip(other) {
        *known = (*known).max(other);
    }
}

impl Streams {
    /// Numbers the next operation of a stream. `forget` is called if numbers start again: then no wait that was missing
    /// before is found after.
    pub fn begin(&mut self, stream: Stream, forget: impl FnOnce()) -> Operation {
        if self.issued == MOST {
            forget();
            *self = Self::default();
        }
        self.issued += 1;
        let this = index(stream);
        let number = self.issued << 1 | this as u16;
        join(&mut self.known[this], self.host);
        self.known[this][this] = number;
        Operation { number, ordered_after: self.known[this][1 - this] }
    }

    /// Lets `later` go on only after all that `earlier` was given so far.
    pub fn wait(&mut self, later: Stream, earlier: Stream) {
        let known = self.known[index(earlier)];
        join(&mut self.known[index(later)], known);
    }

    /// The host has waited for a stream.
    pub fn sync(&mut self, stream: Stream) {
        let known = self.known[index(stream)];
        join(&mut self.host, known);
    }
}
