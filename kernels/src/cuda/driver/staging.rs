//! Copies through page-locked memory, in pieces: the device fetches one piece while the host writes the next.
//! A piece is never touched by the host before the copy that used it last is done.

use super::call;
use crate::error::KernelError;
use cudarc::driver::{result, sys};

/// Bytes of a piece. Not measured on a device: large enough that the cost of starting a copy does not show.
const PIECE: usize = 8 << 20;

/// One piece of page-locked memory.
struct Slot {
    memory: *mut u8,
    /// Recorded after the last copy from or to this piece.
    used: sys::CUevent,
}

/// Two pieces that take turns, for the copies of one stream. All calls need the device's context to be current.
pub(super) struct Staging {
    stream: sys::CUstream,
    /// Made at the first copy.
    slots: Vec<Slot>,
    next: usize,
}

impl Staging {
    pub(super) fn new(stream: sys::CUstream) -> Self {
        Self { stream, slots: Vec::new(), next: 0 }
    }

    fn prepare(&mut self) -> Result<(), KernelError> {
        while self.slots.len() < 2 {
            let flags = sys::CUevent_flags::CU_EVENT_DISABLE_TIMING;
            let used = call("creating an event", || result::event::create(flags))?;
            // SAFETY: the context is current; the memory is freed in `free`.
            let memory = call("locking host memory", || unsafe { result::malloc_host(PIECE, 0) });
            let memory = match memory {
                Ok(memory) => memory.cast(),
                Err(error) => {
                    // SAFETY: the event was made above and nothing uses it.
                    unsafe { result::event::destroy(used) }.ok();
                    return Err(error);
                }
            };
            self.slots.push(Slot { memory, used });
        }
        Ok(())
    }

    /// The next piece, free to be written.
    fn turn(&mut self) -> Result<(*mut u8, sys::CUevent), KernelError> {
        self.prepare()?;
        let slot = &self.slots[self.next];
        self.next = (self.next + 1) % self.slots.len();
        // SAFETY: the event lives as long as its slot.
        call("waiting for a copy", || unsafe { result::event::synchronize(slot.used) })?;
        Ok((slot.memory, slot.used))
    }

    fn record(&self, used: sys::CUevent) -> Result<(), KernelError> {
        // SAFETY: both live as long as `self`.
        call("recording an event", || unsafe { result::event::record(used, self.stream) })
    }

    /// Copies to the device; `from` may be reused on return. The caller checked that `to` has room.
    pub(super) fn upload(&mut self, mut to: sys::CUdeviceptr, from: &[u8]) -> Result<(), KernelError> {
        for piece in from.chunks(PIECE) {
            let (memory, used) = self.turn()?;
            // SAFETY: the piece has PIECE bytes and no copy uses it, see `turn`.
            let staged = unsafe {
                std::ptr::copy_nonoverlapping(piece.as_ptr(), memory, piece.len());
                std::slice::from_raw_parts(memory, piece.len())
            };
            // SAFETY: the caller vouches for `to`; the piece stays untouched until `used` has happened.
            call("uploading", || unsafe { result::memcpy_htod_async(to, staged, self.stream) })?;
            self.record(used)?;
            to += piece.len() as u64;
        }
        Ok(())
    }

    /// Copies from the device after all earlier work of the stream. The caller checked that `from` is long enough.
    pub(super) fn download(&mut self, mut from: sys::CUdeviceptr, to: &mut [u8]) -> Result<(), KernelError> {
        // The piece under way: written out while the device fills the other one.
        let mut under_way: Option<(&mut [u8], *mut u8, sys::CUevent)> = None;
        for piece in to.chunks_mut(PIECE) {
            let (memory, used) = self.turn()?;
            // SAFETY: the piece has PIECE bytes and nothing else uses it until `used` has happened.
            let staged = unsafe { std::slice::from_raw_parts_mut(memory, piece.len()) };
            // SAFETY: the caller vouches for `from`.
            call("downloading", || unsafe { result::memcpy_dtoh_async(staged, from, self.stream) })?;
            self.record(used)?;
            from += piece.len() as u64;
            if let Some(earlier) = under_way.replace((piece, memory, used)) {
                write_out(earlier)?;
            }
        }
        under_way.map_or(Ok(()), write_out)
    }

    /// Frees all pieces. The stream is idle.
    pub(super) fn free(&mut self) {
        for slot in self.slots.drain(..) {
            // SAFETY: made in `prepare` and used by nothing any more.
            unsafe {
                result::event::destroy(slot.used).ok();
                result::free_host(slot.memory.cast()).ok();
            }
        }
    }
}

/// Waits for a piece from the device and copies it to where it belongs.
fn write_out((to, memory, used): (&mut [u8], *mut u8, sys::CUevent)) -> Result<(), KernelError> {
    // SAFETY: the event lives; after it the piece holds the device's bytes, and `to` is at most as long as a piece.
    unsafe {
        call("waiting for a download", || result::event::synchronize(used))?;
        std::ptr::copy_nonoverlapping(memory, to.as_mut_ptr(), to.len());
    }
    Ok(())
}
