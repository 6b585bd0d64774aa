// Each window's sum over its buckets of (number + 1) * bucket, in chunks of consecutive buckets, a thread each; the chunks'
// results are keyed by window for accumulate.wgsl, which adds them up. Must be given chunks that do not cross windows.
//
// For a chunk of m buckets from the number `low` on: S and T are the running sum and the sum of running sums from the last
// bucket down, and the result is T + low S.

struct Params {
    // Chunks in all windows.
    chunks: u32,
    log_chunk: u32,
    // log2 of the buckets of a window.
    log_window: u32,
    // The key of the first window.
    first_key: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> buckets: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> partial_keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4<u32>>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let chunk = (group.x + group.y * groups.x) * THREADS + local;
    if chunk >= params.chunks {
        return;
    }
    let size = 1u << params.log_chunk;
    let first = chunk << params.log_chunk;
    let low = first & ((1u << params.log_window) - 1u);
    // First two additions for each bucket, then two for each bit of `low` from the highest down, then one: the same
    // addition throughout, so that it is compiled once.
    let sums_end = 2u * size;
    let bits = 32u - countLeadingZeros(low);
    let scale_end = sums_end + 2u * bits;
    var s = identity();
    var t = identity();
    var scaled = identity();
    for (var step = 0u; step <= scale_end; step++) {
        var p: Point;
        var q: Point;
        let odd = (step & 1u) == 1u;
        if step < sums_end {
            if odd {
                p = t;
                q = s;
            } else {
                p = s;
                let at = (first + size - 1u - step / 2u) * POINT_WORDS;
                q = Point(
                    load_buckets(at),
                    load_buckets(at + EL_WORDS),
                    load_buckets(at + 2u * EL_WORDS),
                    load_buckets(at + 3u * EL_WORDS),
                );
            }
        } else if step < scale_end {
            p = scaled;
            q = scaled;
            if odd {
                q = s;
                if ((low >> (bits - 1u - (step - sums_end) / 2u)) & 1u) == 0u {
                    continue;
                }
            }
        } else {
            p = t;
            q = scaled;
        }
        if el_is_zero(p.zz) {
            p = q;
        } else if !el_is_zero(q.zz) {
            p = add(p, q, false);
        }
        if step < sums_end && !odd {
            s = p;
        } else if step < sums_end || step == scale_end {
            t = p;
        } else {
            scaled = p;
        }
    }
    partial_keys[chunk] = params.first_key + (chunk >> (params.log_window - params.log_chunk));
    let at = chunk * POINT_WORDS;
    store_partials(at, t.x);
    store_partials(at + EL_WORDS, t.y);
    store_partials(at + 2u * EL_WORDS, t.zz);
    store_partials(at + 3u * EL_WORDS, t.zzz);
}
