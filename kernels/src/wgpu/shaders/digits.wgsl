// Scalars to signed digits of c bits, for a counting sort by bucket: run once to count, once (after the counts were
// scanned) to place. Must not be run twice over counts that were not cleared or scanned in between.
//
// Window w of scalar i with digit d != 0 belongs to bucket w 2^(c-1) + |d| - 1. Zero digits take no part.

struct Params {
    len: u32,
    c: u32,
    windows: u32,
    // 0: counts[bucket] += 1. 1: also put the entry at the old counts[bucket].
    place: u32,
    // Index of the first scalar's base.
    first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> scalars: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> keys: array<u32>;
// Base index, with the digit's sign in the highest bit.
@group(0) @binding(4) var<storage, read_write> values: array<u32>;

// a / 2^bits for 0 < bits < 32.
fn shift_down(a: Fe, bits: u32) -> Fe {
    let lo = a.lo >> vec4<u32>(bits);
    let hi = a.hi >> vec4<u32>(bits);
    let up = vec4<u32>(32u - bits);
    return Fe(lo | (vec4<u32>(a.lo.yzw, a.hi.x) << up), hi | (vec4<u32>(a.hi.yzw, 0u) << up));
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.x + group.y * groups.x) * THREADS + local;
    if i >= params.len {
        return;
    }
    // Multiplying by the plain 1 takes an element out of Montgomery form.
    let plain_one = Fe(vec4<u32>(1u, 0u, 0u, 0u), vec4<u32>());
    var rest = fe_mul(Fe(scalars[2u * i], scalars[2u * i + 1u]), plain_one);
    let half = 1u << (params.c - 1u);
    var carry = 0u;
    for (var window = 0u; window < params.windows; window++) {
        let digit = (rest.lo.x & (2u * half - 1u)) + carry;
        rest = shift_down(rest, params.c);
        // Above half, the digit less 2^c is meant.
        carry = u32(digit > half);
        let magnitude = select(digit, 2u * half - digit, carry == 1u);
        if magnitude == 0u {
            continue;
        }
        let key = window * half + magnitude - 1u;
        let at = atomicAdd(&counts[key], 1u);
        if params.place == 1u {
            keys[at] = key;
            values[at] = (params.first + i) | (carry << 31u);
        }
    }
}
