//! Asks the system for large pages where kernels read or write at random: with small ones most such
//! accesses also miss the translation cache. A hint only; nothing may depend on it being followed.

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
