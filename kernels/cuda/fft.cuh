// One tile of an FFT over Fr: up to 2^10 points in shared memory, two levels of butterflies at a time in registers.
// Positions inside a tile are below TILE; nothing here reads or writes beyond it.
#pragma once
#include "field.cuh"

namespace fft {

constexpr unsigned LOG_TILE = 10;
constexpr unsigned TILE = 1u << LOG_TILE;
constexpr unsigned THREADS = TILE / 4;

// The lowest `bits` bits of i in reverse; 0 for no bits.
LATHE_INLINE unsigned reversed(unsigned i, unsigned bits) { return bits ? __brev(i) >> (32 - bits) : 0; }

LATHE_INLINE Fr load(const Fr *p) {
    const uint4 *q = reinterpret_cast<const uint4 *>(p);
    uint4 a = q[0], b = q[1];
    return {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
}

LATHE_INLINE void store(Fr *p, const Fr &v) {
    uint4 *q = reinterpret_cast<uint4 *>(p);
    q[0] = make_uint4(v.limb[0], v.limb[1], v.limb[2], v.limb[3]);
    q[1] = make_uint4(v.limb[4], v.limb[5], v.limb[6], v.limb[7]);
}

// w^e from two tables, w^i for i < 2^split and w^(2^split i): small enough to stay in cache at every size.
LATHE_INLINE Fr power(const Fr *low, const Fr *high, unsigned split, unsigned e) {
    return Fr::mul(load(low + (e & ((1u << split) - 1))), load(high + (e >> split)));
}

// Elements lie as two halves of 16 bytes, the unit in which shared memory is read by eight threads at once. The
// exclusive-or spreads every power-of-two stride over the eight places of a row of banks.
struct Tile {
    uint4 *halves;

    LATHE_INLINE uint4 &half(unsigned i, unsigned h) const {
        unsigned spread = (i >> 3 ^ i >> 6 ^ i >> 9 ^ h << 2) & 7;
        return halves[h * TILE + (i ^ spread)];
    }
    LATHE_INLINE Fr get(unsigned i) const {
        uint4 a = half(i, 0), b = half(i, 1);
        return {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
    }
    LATHE_INLINE void set(unsigned i, const Fr &v) const {
        half(i, 0) = make_uint4(v.limb[0], v.limb[1], v.limb[2], v.limb[3]);
        half(i, 1) = make_uint4(v.limb[4], v.limb[5], v.limb[6], v.limb[7]);
    }
};

// Where a pass stands in a vector of 2^log_n: it transforms index bits [shift, shift + bits). Its tile has 2^bits rows,
// `shift` apart in the vector, of 2^columns neighbours each; a pass with shift 0 takes neighbouring blocks whole.
struct Pass {
    unsigned log_n, shift, bits;

    // log2 of the columns beside a row: the position of the row index inside a tile position.
    LATHE_INLINE unsigned columns() const { return shift ? LOG_TILE - bits : 0; }

    // The index in the vector of position i of this block's tile.
    LATHE_INLINE unsigned index(unsigned i) const {
        if (shift == 0) return blockIdx.x << LOG_TILE | i;
        unsigned chunks = shift - columns(), chunk = blockIdx.x & ((1u << chunks) - 1), outer = blockIdx.x >> chunks;
        unsigned row = i >> columns(), column = i & ((1u << columns()) - 1);
        return outer << (shift + bits) | row << shift | chunk << columns() | column;
    }

    // Only a vector shorter than a tile leaves positions unused.
    LATHE_INLINE bool inside(unsigned index) const { return index >> log_n == 0; }

    // The exponent of the n-th root of unity that joins this pass to those of lower bits: (frequency of the row) *
    // (index in the lower bits), for rows in bit-reversed order.
    LATHE_INLINE unsigned joint(unsigned index) const {
        unsigned frequency = reversed(index >> shift & ((1u << bits) - 1), bits);
        unsigned lower = index & ((1u << shift) - 1);
        return frequency * lower << (log_n - shift - bits);
    }
};

// Copies between the vector and the tile, neighbouring threads taking neighbouring halves. Unused positions are zero.
LATHE_INLINE void read_tile(const Tile &tile, const Pass &pass, const Fr *data) {
#pragma unroll
    for (unsigned y = 0; y < 2 * TILE / THREADS; y++) {
        unsigned u = y * THREADS + threadIdx.x, index = pass.index(u >> 1);
        uint4 v = make_uint4(0, 0, 0, 0);
        if (pass.inside(index)) v = reinterpret_cast<const uint4 *>(data + index)[u & 1];
        tile.half(u >> 1, u & 1) = v;
    }
}

LATHE_INLINE void write_tile(const Tile &tile, const Pass &pass, Fr *data) {
#pragma unroll
    for (unsigned y = 0; y < 2 * TILE / THREADS; y++) {
        unsigned u = y * THREADS + threadIdx.x, index = pass.index(u >> 1);
        if (pass.inside(index)) reinterpret_cast<uint4 *>(data + index)[u & 1] = tile.half(u >> 1, u & 1);
    }
}

// (a, b) -> (a + b, (a - b) w), decimation in frequency, or (a + b w, a - b w), decimation in time; w = 1 if `unit`.
template <bool TIME> LATHE_INLINE void butterfly(Fr &a, Fr &b, const Fr *w, bool unit) {
    if (TIME && !unit) b = Fr::mul(b, load(w));
    Fr sum = Fr::add(a, b);
    b = Fr::sub(a, b);
    a = sum;
    if (!TIME && !unit) b = Fr::mul(b, load(w));
}

// Levels `level` + 1 and `level` of the rows' transform, or level 0 alone. Row bit l is position bit l + columns.
// `roots` holds the 2^10-th roots of unity w^j for j < 2^9; level l multiplies by the 2^(l+1)-th root to the power
// (row mod 2^l), which is one throughout level 0.
template <bool TIME>
LATHE_INLINE void two_levels(const Tile &tile, const Fr *roots, unsigned columns, unsigned level, bool alone) {
    unsigned bit = level + columns, t = threadIdx.x;
    unsigned base = t >> bit << (bit + 2) | (t & ((1u << bit) - 1));
    unsigned row = base >> columns & ((1u << level) - 1);
    bool unit = level == 0;
    Fr x[4];
#pragma unroll
    for (unsigned j = 0; j < 4; j++) x[j] = tile.get(base | j << bit);
    const Fr *lower = roots + (row << (LOG_TILE - 1 - level));
    if (TIME) {
        butterfly<TIME>(x[0], x[1], lower, unit);
        butterfly<TIME>(x[2], x[3], lower, unit);
    }
    if (!alone) {
        butterfly<TIME>(x[0], x[2], roots + (row << (LOG_TILE - 2 - level)), unit);
        butterfly<TIME>(x[1], x[3], roots + ((row | 1u << level) << (LOG_TILE - 2 - level)), false);
    }
    if (!TIME) {
        butterfly<TIME>(x[0], x[1], lower, unit);
        butterfly<TIME>(x[2], x[3], lower, unit);
    }
#pragma unroll
    for (unsigned j = 0; j < 4; j++) tile.set(base | j << bit, x[j]);
}

// All levels of the rows' transform, from the top in decimation in frequency, from the bottom in decimation in time.
// An odd number of levels does level 0 alone.
template <bool TIME> LATHE_INLINE void rows(const Tile &tile, const Pass &pass, const Fr *roots) {
    unsigned odd = pass.bits & 1, rounds = pass.bits / 2 + odd;
#pragma unroll 1
    for (unsigned done = 0; done < rounds; done++) {
        unsigned round = TIME ? done : rounds - 1 - done;
        bool alone = odd && round == 0;
        two_levels<TIME>(tile, roots, pass.columns(), alone ? 0 : 2 * round - odd, alone);
        __syncthreads();
    }
}

} // namespace fft
