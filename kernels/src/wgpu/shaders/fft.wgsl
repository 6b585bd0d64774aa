// One pass of a Stockham FFT (self-sorting, decimation in frequency) over log_r levels at once in workgroup memory.
// Must not be dispatched in place: a pass reads and writes in different orders.
//
// With s the product of earlier radices, R = 2^log_r and m = n / (s R), the pass computes for p < m, q < s, k < R
//   output[q + s (R p + k)] = w_n^(s p k) sum_j input[q + s (p + m j)] w_R^(j k).
// Columns are numbered t = q + s p < n / R; a workgroup takes 512 / R neighbouring ones, so reads and writes coalesce.
//
// A dispatch may take a range of columns, a power of two of them, at a multiple of their number. `input` then holds those
// columns only, row after row, and `output` their results in the order of i, without gaps.

struct Params {
    log_n: u32,
    // log2 of the product of the radices of earlier passes.
    log_s: u32,
    log_r: u32,
    // log2 of the number of columns here, and the first of them.
    log_columns: u32,
    first: u32,
    // 1: multiply input i by the power i. 2: multiply output i of the last pass by the power i.
    flags: u32,
    // Tables hold x^i as the product of entries i mod 2^log_low and 2^log_low + i / 2^log_low.
    log_low: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<u32>>;
// w_128^i for i < 64, then the table of w_n.
@group(0) @binding(3) var<storage, read> roots: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> powers: array<vec4<u32>>;

const LOG_STAGES = 7u;
const STAGE_ROOTS = 64u;
const LOG_TILE = 9u;
// 512 elements in the 16 KiB every adapter has; low halves first, so that neighbours do not share banks.
var<workgroup> tile: array<vec4<u32>, 1024>;

fn tile_load(e: u32) -> Fe {
    return Fe(tile[e], tile[e + 512u]);
}

fn tile_store(e: u32, v: Fe) {
    tile[e] = v.lo;
    tile[e + 512u] = v.hi;
}

// Where the table has the low (part 0) or high (part 1) factor of the power i.
fn part_of(i: u32, part: u32) -> u32 {
    let low = 1u << params.log_low;
    return select(i & (low - 1u), low + (i >> params.log_low), part == 1u);
}

fn power(i: u32, part: u32) -> Fe {
    let at = 2u * part_of(i, part);
    return Fe(powers[at], powers[at + 1u]);
}

fn root(i: u32, part: u32) -> Fe {
    let at = 2u * (STAGE_ROOTS + part_of(i, part));
    return Fe(roots[at], roots[at + 1u]);
}

fn stage_root(i: u32) -> Fe {
    return Fe(roots[2u * i], roots[2u * i + 1u]);
}

fn load_tile(first: u32, local: u32) {
    let log_t = LOG_TILE - params.log_r;
    for (var h = 0u; h < 2u; h++) {
        let e = local + h * THREADS;
        let t = first + (e & ((1u << log_t) - 1u));
        if (t >> params.log_columns) == 0u {
            let j = e >> log_t;
            let at = t + (j << params.log_columns);
            var v = Fe(input[2u * at], input[2u * at + 1u]);
            if (params.flags & 1u) != 0u {
                let i = params.first + t + (j << (params.log_n - params.log_r));
                for (var part = 0u; part < 2u; part++) {
                    v = fe_mul(v, power(i, part));
                }
            }
            tile_store(e, v);
        }
    }
}

// Leaves entry k of each column at the place of k's bits reversed.
fn butterflies(local: u32) {
    let log_t = LOG_TILE - params.log_r;
    let column = local & ((1u << log_t) - 1u);
    let pair = local >> log_t;
    for (var level = 0u; level < params.log_r; level++) {
        workgroupBarrier();
        let log_half = params.log_r - 1u - level;
        let inner = pair & ((1u << log_half) - 1u);
        let j = ((pair >> log_half) << (log_half + 1u)) + inner;
        let e0 = (j << log_t) + column;
        let e1 = ((j + (1u << log_half)) << log_t) + column;
        let x = tile_load(e0);
        let y = tile_load(e1);
        tile_store(e0, fe_add(x, y));
        tile_store(e1, fe_mul(fe_sub(x, y), stage_root(inner << (level + LOG_STAGES - params.log_r))));
    }
    workgroupBarrier();
}

fn store_tile(first: u32, local: u32) {
    let log_r = params.log_r;
    let log_s = params.log_s;
    let log_t = LOG_TILE - log_r;
    let last = log_s + log_r == params.log_n;
    let scaled = !last || (params.flags & 2u) != 0u;
    let log_near = min(log_s, params.log_columns);
    for (var h = 0u; h < 2u; h++) {
        let e = local + h * THREADS;
        // Neighbouring threads write neighbours: entries of a column in the first pass, columns in later ones.
        var k = e >> log_t;
        var column = e & ((1u << log_t) - 1u);
        if log_s == 0u {
            k = e & ((1u << log_r) - 1u);
            column = e >> log_r;
        }
        let t = first + column;
        if (t >> params.log_columns) != 0u {
            continue;
        }
        var v = tile_load(((reverseBits(k) >> (32u - log_r)) << log_t) + column);
        if scaled {
            let q = (params.first + t) & ((1u << log_s) - 1u);
            let p = (params.first + t) >> log_s;
            // In the last pass p is zero and the twiddle one, and the output is in its final place.
            let i = q + (k << log_s);
            for (var part = 0u; part < 2u; part++) {
                var factor: Fe;
                if last {
                    factor = power(i, part);
                } else {
                    factor = root((p * k) << log_s, part);
                }
                v = fe_mul(v, factor);
            }
        }
        let near = t & ((1u << log_near) - 1u);
        let at = near + ((((t >> log_near) << log_r) + k) << log_near);
        output[2u * at] = v.lo;
        output[2u * at + 1u] = v.hi;
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let first = (group.x + group.y * groups.x) << (LOG_TILE - params.log_r);
    load_tile(first, local);
    butterflies(local);
    store_tile(first, local);
}
