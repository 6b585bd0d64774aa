// One pass of a Stockham FFT (self-sorting, decimation in frequency) over log_r levels at once in workgroup memory.
// Must not be dispatched in place: a pass reads and writes in different orders.
//
// With s the product of earlier radices, R = 2^log_r and m = n / (s R), the pass computes for p < m, q < s, k < R
//   output[q + s (R p + k)] = w_n^(s p k) sum_j input[q + s (p + m j)] w_R^(j k).
// Columns are numbered t = q + s p < n / R; a workgroup takes 512 / R neighbouring ones, so reads and writes coalesce.

struct Params {
    log_n: u32,
    // log2 of the product of the radices of earlier passes.
    log_s: u32,
    log_r: u32,
    // 1: use w^-1. 2: multiply input i by the power i. 4: multiply output i by the power i.
    flags: u32,
    // Power i is powers[i mod 2^log_low] * powers[2^log_low + i / 2^log_low].
    log_low: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<u32>>;
// w_n^i for i < n / 2.
@group(0) @binding(3) var<storage, read> twiddles: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> powers: array<vec4<u32>>;

const LOG_TILE = 9u;
const THREADS = 256u;
// 512 elements in the 16 KiB every adapter has; low halves first, so that neighbours do not share banks.
var<workgroup> tile: array<vec4<u32>, 1024>;

fn tile_load(e: u32) -> Fe {
    return Fe(tile[e], tile[e + 512u]);
}

fn tile_store(e: u32, v: Fe) {
    tile[e] = v.lo;
    tile[e + 512u] = v.hi;
}

fn twiddle(exponent: u32) -> Fe {
    let n = 1u << params.log_n;
    let half = n >> 1u;
    let e = select(exponent, (n - exponent) & (n - 1u), (params.flags & 1u) != 0u);
    let at = 2u * (e & (half - 1u));
    let w = Fe(twiddles[at], twiddles[at + 1u]);
    if e >= half {
        return fe_sub(fe_zero(), w);
    }
    return w;
}

fn power(i: u32, part: u32) -> Fe {
    let low = 1u << params.log_low;
    let at = 2u * select(i & (low - 1u), low + (i >> params.log_low), part == 1u);
    return Fe(powers[at], powers[at + 1u]);
}

fn load_tile(first: u32, local: u32) {
    let log_t = LOG_TILE - params.log_r;
    let columns = 1u << (params.log_n - params.log_r);
    for (var h = 0u; h < 2u; h++) {
        let e = local + h * THREADS;
        let t = first + (e & ((1u << log_t) - 1u));
        if t < columns {
            let i = t + columns * (e >> log_t);
            var v = Fe(input[2u * i], input[2u * i + 1u]);
            if (params.flags & 2u) != 0u {
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
        tile_store(e1, fe_mul(fe_sub(x, y), twiddle(inner << (level + params.log_n - params.log_r))));
    }
    workgroupBarrier();
}

fn store_tile(first: u32, local: u32) {
    let log_r = params.log_r;
    let log_t = LOG_TILE - log_r;
    let columns = 1u << (params.log_n - log_r);
    let last = params.log_s + log_r == params.log_n;
    for (var h = 0u; h < 2u; h++) {
        let e = local + h * THREADS;
        // Neighbouring threads write neighbours: entries of a column in the first pass, columns in later ones.
        var k = e >> log_t;
        var column = e & ((1u << log_t) - 1u);
        if params.log_s == 0u {
            k = e & ((1u << log_r) - 1u);
            column = e >> log_r;
        }
        let t = first + column;
        if t < columns {
            var v = tile_load(((reverseBits(k) >> (32u - log_r)) << log_t) + column);
            let q = t & ((1u << params.log_s) - 1u);
            let p = t >> params.log_s;
            let i = q + (((p << log_r) + k) << params.log_s);
            for (var factor = 0u; factor < 3u; factor++) {
                var by: Fe;
                if factor == 0u {
                    if last { continue; }
                    by = twiddle((p * k) << params.log_s);
                } else {
                    if (params.flags & 4u) == 0u { break; }
                    by = power(i, factor - 1u);
                }
                v = fe_mul(v, by);
            }
            output[2u * i] = v.lo;
            output[2u * i + 1u] = v.hi;
        }
    }
}

@compute @workgroup_size(256)
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
