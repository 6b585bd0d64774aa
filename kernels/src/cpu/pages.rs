//! Memory from the system where an allocator's serves kernels badly. Large pages where they read or write
//! at random: with small ones most such accesses also miss the translation cache. A hint only; nothing may
//! depend on it being followed.

use memmap2::MmapMut;
use std::ops::{Deref, DerefMut};

/// Zeros straight from the system: pages that nobody writes cost nothing. An allocator that has freed
/// blocks of this size before may hand one out again, and would then write zeros to all of it first.
pub(super) struct Zeroed(MmapMut);

impl Zeroed {
    /// `len` zeros. Aborts as a vector does if there is no memory.
    pub(super) fn new(len: usize) -> Self {
        let bytes = len * size_of::<u64>();
        Self(MmapMut::map_anon(bytes).unwrap_or_else(|_| {
            let layout = std::alloc::Layout::array::<u64>(len);
            std::alloc::handle_alloc_error(layout.unwrap_or(std::alloc::Layout::new::<u64>()))
        }))
    }
}

// The mapping begins at a page's start and has room for whole words, so that neither cast can fail.
impl Deref for Zeroed {
    type Target = [u64];
    fn deref(&self) -> &[u64] {
        bytemuck::cast_slice(&self.0)
    }
}

impl DerefMut for Zeroed {
    fn deref_mut(&mut self) -> &mut [u64] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// An empty vector with room for `len` elements in large pages where the system grants them.
pub(super) fn with_capacity<T>(len: usize) -> Vec<T> {
    let out = Vec::with_capacity(len);
    #[cfg(target_os = "linux")]
    advise(out.as_ptr() as usize, len * size_of::<T>());
    out
}

/// Marks the whole large pages of a range that has just been allocated and not been touched.
#[cfg(target_os = "linux")]
fn advise(start: usize, bytes: usize) {
    const LARGE_PAGE: usize = 1 << 21;
    /// `MADV_HUGEPAGE` of Linux.
    const HUGE_PAGE: i32 = 14;
    unsafe extern "C" {
        fn madvise(start: usize, bytes: usize, advice: i32) -> i32;
    }
    let first = start.next_multiple_of(LARGE_PAGE);
    let end = (start + bytes) / LARGE_PAGE * LARGE_PAGE;
    if first < end {
        // SAFETY: the range lies within one allocation of ours; this advice changes no contents. An
        // error means that there are no large pages, which is as well.
        unsafe { madvise(first, end - first, HUGE_PAGE) };
    }
}
