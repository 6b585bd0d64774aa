// Limb product for adapters without 64-bit integers: 16-bit halves in 32-bit words.
// Must give the same bits as mac_wide.wgsl.

// t + a b + c as (low, high); at most 2^64 - 1, so nothing is lost.
fn mac(t: u32, a: u32, b: u32, c: u32) -> vec2<u32> {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let ll = al * bl;
    // Each of the two middle sums is at most (2^16 - 1)^2 + 2^16 - 1 < 2^32.
    let m0 = ah * bl + (ll >> 16u);
    let m1 = al * bh + (m0 & 0xffffu);
    var lo = (m1 << 16u) | (ll & 0xffffu);
    var hi = ah * bh + (m0 >> 16u) + (m1 >> 16u);
    lo += t;
    hi += u32(lo < t);
    lo += c;
    hi += u32(lo < c);
    return vec2<u32>(lo, hi);
}
