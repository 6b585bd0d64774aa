// Sums of points by key, over a list sorted by key and cut into equal segments, a thread each, whatever the keys: a key
// with a million entries costs as much as a million keys. A run that lies inside its segment is a finished sum and goes
// to its bucket. The first and the last run of a segment may go on in its neighbours and become partial sums, at 2 i and
// 2 i + 1 of a list that is again sorted, for the next level. Must be given zeroed buckets.

struct Params {
    // Entries; absent if len_at is given.
    len: u32,
    // Where in `lengths` the number of entries is, or NONE.
    len_at: u32,
    // Entries per segment.
    segment: u32,
    segments: u32,
    // 1: points are affine bases, named and signed by `values`. 0: points are XYZZ, one for each key.
    affine: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> lengths: array<u32>;
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read> points: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> buckets: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> partial_keys: array<u32>;
@group(0) @binding(7) var<storage, read_write> partials: array<vec4<u32>>;

// The key of an empty place.
const NONE = 0xffffffffu;

fn load(at: u32, affine: bool) -> Point {
    var base = at * POINT_WORDS;
    if !affine {
        return Point(
            load_points(base),
            load_points(base + EL_WORDS),
            load_points(base + 2u * EL_WORDS),
            load_points(base + 3u * EL_WORDS),
        );
    }
    let value = values[at];
    base = (value & 0x7fffffffu) * 2u * EL_WORDS;
    let x = load_points(base);
    var y = load_points(base + EL_WORDS);
    if el_is_zero(x) && el_is_zero(y) {
        return identity();
    }
    if (value >> 31u) == 1u {
        y = el_sub(el_zero(), y);
    }
    return Point(x, y, el_one(), el_one());
}

fn emit(key: u32, sum: Point, run: u32, last: bool, thread: u32) {
    // A single segment has no neighbours.
    if params.segments == 1u || (run > 0u && !last) {
        let at = key * POINT_WORDS;
        store_buckets(at, sum.x);
        store_buckets(at + EL_WORDS, sum.y);
        store_buckets(at + 2u * EL_WORDS, sum.zz);
        store_buckets(at + 3u * EL_WORDS, sum.zzz);
        return;
    }
    let slot = 2u * thread + u32(run > 0u);
    partial_keys[slot] = key;
    let at = slot * POINT_WORDS;
    store_partials(at, sum.x);
    store_partials(at + EL_WORDS, sum.y);
    store_partials(at + 2u * EL_WORDS, sum.zz);
    store_partials(at + 3u * EL_WORDS, sum.zzz);
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let thread = (group.x + group.y * groups.x) * THREADS + local;
    if thread >= params.segments {
        return;
    }
    var len = params.len;
    if params.len_at != NONE {
        len = lengths[params.len_at];
    }
    partial_keys[2u * thread] = NONE;
    partial_keys[2u * thread + 1u] = NONE;
    let start = thread * params.segment;
    let end = min(start + params.segment, len);
    let affine = params.affine == 1u;
    var run_key = NONE;
    var run = 0u;
    var sum = identity();
    // One place beyond the end, so that the last run is emitted like the others.
    for (var at = start; at <= end; at++) {
        var key = NONE;
        if at < end {
            key = keys[at];
            if key == NONE {
                continue;
            }
        }
        if key != run_key {
            if run_key != NONE {
                emit(run_key, sum, run, at >= end, thread);
                run++;
            }
            run_key = key;
            sum = identity();
        }
        if at >= end {
            break;
        }
        let point = load(at, affine);
        if el_is_zero(point.zz) {
            continue;
        }
        if el_is_zero(sum.zz) {
            sum = point;
        } else {
            sum = add(sum, point, affine);
        }
    }
}
