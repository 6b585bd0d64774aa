// Limb product for adapters with 64-bit integers.
// Must give the same bits as mac_narrow.wgsl.

// t + a b + c as (low, high); at most 2^64 - 1, so nothing is lost.
fn mac(t: u32, a: u32, b: u32, c: u32) -> vec2<u32> {
    let r = u64(a) * u64(b) + u64(t) + u64(c);
    return vec2<u32>(u32(r), u32(r >> 32u));
}
