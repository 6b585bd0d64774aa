//! The AVX-512 instructions the kernels use, under short names, one vector being eight 64-bit lanes.
//! Nothing here may run before [`super::Ifma::new`] has found the features: every entrance to the
//! code that calls these functions takes that token.

use halo2curves::bn256::Fr;
use std::arch::x86_64::*;

/// Eight 64-bit lanes.
pub(crate) type V = __m512i;

macro_rules! ops {
    ($($(#[$doc:meta])* fn $name:ident $([$n:ident])? ($($arg:ident: $ty:ty),*) -> $out:ty = $body:expr;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub(super) fn $name$(<const $n: u32>)?($($arg: $ty),*) -> $out {
            // SAFETY: the features are present, see the module's first lines; no memory is touched.
            unsafe { $body }
        }
    )*};
}

ops! {
    fn zero() -> V = _mm512_setzero_si512();
    fn splat(x: u64) -> V = _mm512_set1_epi64(x as i64);
    fn add(a: V, b: V) -> V = _mm512_add_epi64(a, b);
    fn sub(a: V, b: V) -> V = _mm512_sub_epi64(a, b);
    fn and(a: V, b: V) -> V = _mm512_and_si512(a, b);
    fn or(a: V, b: V) -> V = _mm512_or_si512(a, b);
    fn shl[N](a: V) -> V = _mm512_slli_epi64::<N>(a);
    fn shr[N](a: V) -> V = _mm512_srli_epi64::<N>(a);
    /// Shift that keeps the sign.
    fn sar[N](a: V) -> V = _mm512_srai_epi64::<N>(a);
    /// `acc + low 52 bits of (a mod 2^52) (b mod 2^52)`.
    fn madlo(acc: V, a: V, b: V) -> V = _mm512_madd52lo_epu64(acc, a, b);
    /// `acc + high 52 bits of (a mod 2^52) (b mod 2^52)`.
    fn madhi(acc: V, a: V, b: V) -> V = _mm512_madd52hi_epu64(acc, a, b);
    /// Lanes where a < 0.
    fn negative(a: V) -> u8 = _mm512_cmplt_epi64_mask(a, _mm512_setzero_si512());
    /// Lanes where a = b.
    fn equal(a: V, b: V) -> u8 = _mm512_cmpeq_epi64_mask(a, b);
    /// `b` where the mask has a one, else `a`.
    fn blend(mask: u8, a: V, b: V) -> V = _mm512_mask_blend_epi64(mask, a, b);
    fn unpacklo(a: V, b: V) -> V = _mm512_unpacklo_epi64(a, b);
    fn unpackhi(a: V, b: V) -> V = _mm512_unpackhi_epi64(a, b);
    /// `0 - a` in the lanes of the mask, elsewhere `a`.
    fn negate_lanes(mask: u8, a: V) -> V = _mm512_mask_sub_epi64(a, mask, _mm512_setzero_si512(), a);
    /// Lanes where a and b have a one in common.
    fn meet(a: V, b: V) -> u8 = _mm512_test_epi64_mask(a, b);
    /// Lane i of the result is the lane of `table` that the low three bits of `index` lane i name.
    fn look_up(index: V, table: V) -> V = _mm512_permutexvar_epi64(index, table);
    /// 128-bit pieces 0 and 2 of a, then of b.
    fn even_pieces(a: V, b: V) -> V = _mm512_shuffle_i64x2::<0x88>(a, b);
    /// 128-bit pieces 1 and 3 of a, then of b.
    fn odd_pieces(a: V, b: V) -> V = _mm512_shuffle_i64x2::<0xdd>(a, b);
    /// 128-bit pieces a0 b0 a1 b1.
    fn low_pairs(a: V, b: V) -> V =
        _mm512_permutex2var_epi64(a, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), b);
    /// 128-bit pieces a2 b2 a3 b3.
    fn high_pairs(a: V, b: V) -> V =
        _mm512_permutex2var_epi64(a, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), b);
}

/// The lanes of eight words, in order.
#[inline(always)]
pub(super) fn load(words: &[u64; 8]) -> V {
    // SAFETY: eight readable words, no alignment asked for; features as in the module's first lines.
    unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
}

/// Eight 32-bit words, zero-extended, in order.
#[inline(always)]
pub(super) fn load_halves(words: &[u32; 8]) -> V {
    // SAFETY: eight readable 32-bit words, no alignment asked for; features as in the first lines.
    unsafe { _mm512_cvtepu32_epi64(_mm256_loadu_si256(words.as_ptr().cast())) }
}

/// Writes the lanes in order.
#[inline(always)]
pub(super) fn store(words: &mut [u64; 8], v: V) {
    // SAFETY: eight writable words, no alignment asked for; features as in the module's first lines.
    unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), v) }
}

/// Asks for the cache line of `at` ahead of its use.
#[inline(always)]
pub(super) fn prefetch<T>(at: &T) {
    // SAFETY: a prefetch has no effect that could be observed.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(at).cast()) }
}

/// Row i lane j to row j lane i.
#[inline(always)]
pub(super) fn transpose(r: [V; 8]) -> [V; 8] {
    let even = [unpacklo(r[0], r[1]), unpacklo(r[2], r[3]), unpacklo(r[4], r[5]), unpacklo(r[6], r[7])];
    let odd = [unpackhi(r[0], r[1]), unpackhi(r[2], r[3]), unpackhi(r[4], r[5]), unpackhi(r[6], r[7])];
    let ([c0, c2, c4, c6], [c1, c3, c5, c7]) = (pieces(even), pieces(odd));
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

/// Four rows that hold two columns each in their 128-bit pieces: those pieces transposed.
#[inline(always)]
fn pieces(t: [V; 4]) -> [V; 4] {
    let (a, c) = (even_pieces(t[0], t[1]), even_pieces(t[2], t[3]));
    let (b, d) = (odd_pieces(t[0], t[1]), odd_pieces(t[2], t[3]));
    [even_pieces(a, c), even_pieces(b, d), odd_pieces(a, c), odd_pieces(b, d)]
}

/// Two adjacent scalars, eight words.
#[inline(always)]
pub(super) fn load_scalars(pair: &[Fr; 2]) -> V {
    // SAFETY: a scalar is four words and nothing else, so two are eight readable words; features as
    // in the module's first lines.
    unsafe { _mm512_loadu_si512(std::ptr::from_ref(pair).cast()) }
}

/// Eight words to two adjacent scalars.
#[inline(always)]
pub(super) fn store_scalars(pair: &mut [Fr; 2], v: V) {
    // SAFETY: as in `load_scalars`, writable.
    unsafe { _mm512_storeu_si512(std::ptr::from_mut(pair).cast(), v) }
}

const _: () = assert!(size_of::<Fr>() == 32);
