// MSM on a CUDA device: signed digits, counting sort by bucket, segmented sums, bucket reduction. Kernels of one group
// are templates over it; those that see scalars only are defined where LATHE_MSM_SCALARS is set.
// The host plan is kernels/src/cuda/msm.rs, the whole is described in docs/kernels.md. No kernel depends on how the
// scalars are spread over buckets: work is cut into equal segments regardless of bucket edges.
#pragma once

#include "curve.cuh"

// Threads per block of every kernel here, and counters per block of the scan.
#define MSM_BLOCK 128
#define SCAN_BLOCK 256
#define SCAN_PER_THREAD 8
// Marks a partial sum that does not exist; above every bucket.
#define NO_KEY 0xffffffffu

LATHE_INLINE unsigned thread_index() { return blockIdx.x * blockDim.x + threadIdx.x; }

#ifdef LATHE_MSM_SCALARS

// Calls visit(window, |digit|, negative) for each nonzero signed digit of `windows` windows of c bits.
// A scalar above half the order is replaced by its negative, so that small negative ones have few digits: what
// remains is below 2^253, so with windows * c >= 254 the last digit leaves no carry.
template <class Visit> LATHE_INLINE void for_digits(const Fr &scalar, unsigned c, unsigned windows, Visit visit) {
    Fr value = Fr::from_montgomery(scalar), opposite = Fr::neg(value);
    unsigned borrow[8];
    bool flip = chain::sub(borrow, opposite.limb, value.limb) != 0;
    unsigned limb[8];
#pragma unroll
    for (int i = 0; i < 8; i++) limb[i] = flip ? opposite.limb[i] : value.limb[i];
    unsigned carry = 0, mask = (1u << c) - 1, half = 1u << (c - 1);
#pragma unroll 1
    for (unsigned w = 0; w < windows; w++) {
        unsigned digit = (limb[0] & mask) + carry;
#pragma unroll
        for (int i = 0; i < 7; i++) limb[i] = (limb[i] >> c) | (limb[i + 1] << (32 - c));
        limb[7] >>= c;
        carry = digit > half;
        unsigned size = carry ? (1u << c) - digit : digit;
        if (size != 0) visit(w, size, flip != (carry != 0));
    }
}

// Counts the entries of each bucket. Window w belongs to bucket group w % groups; the multiple w / groups of its base
// accounts for the rest of its weight. counts[group * 2^(c-1) + |digit| - 1].
extern "C" __global__ void __launch_bounds__(MSM_BLOCK)
    msm_histogram(const Fr *scalars, unsigned n, unsigned c, unsigned windows, unsigned groups, unsigned *counts) {
    unsigned i = thread_index();
    if (i >= n) return;
    Fr scalar = scalars[i];
    for_digits(scalar, c, windows, [=](unsigned w, unsigned size, bool) {
        atomicAdd(&counts[((w % groups) << (c - 1)) + size - 1], 1u);
    });
}

// Puts each entry into its bucket's place: next[] holds where each bucket's next entry goes, hence in the end where
// the bucket ends. An entry is the index of a base in the table, whose multiple j lies at j * stride, and a sign bit.
extern "C" __global__ void __launch_bounds__(MSM_BLOCK)
    msm_scatter(const Fr *scalars, unsigned n, unsigned c, unsigned windows, unsigned groups, unsigned first,
                unsigned stride, unsigned *next, unsigned *entries) {
    unsigned i = thread_index();
    if (i >= n) return;
    Fr scalar = scalars[i];
    for_digits(scalar, c, windows, [=](unsigned w, unsigned size, bool negative) {
        unsigned at = atomicAdd(&next[((w % groups) << (c - 1)) + size - 1], 1u);
        entries[at] = (w / groups * stride + first + i) | (negative ? 0x80000000u : 0u);
    });
}

// Sum of the values of all lower threads of the block; `lanes` has a place for each thread.
// Hillis and Steele's scan, a barrier between all reads and all writes of a step.
LATHE_INLINE unsigned scan_block(unsigned *lanes, unsigned value) {
    unsigned t = threadIdx.x, sum = value;
    lanes[t] = sum;
    __syncthreads();
    for (unsigned d = 1; d < SCAN_BLOCK; d *= 2) {
        unsigned lower = t >= d ? lanes[t - d] : 0;
        __syncthreads();
        sum += lower;
        lanes[t] = sum;
        __syncthreads();
    }
    return sum - value;
}

// sums[b] = sum of counters [2048 b, 2048 (b + 1)).
extern "C" __global__ void __launch_bounds__(SCAN_BLOCK)
    msm_scan_sums(const unsigned *counts, unsigned keys, unsigned *sums) {
    __shared__ unsigned lanes[SCAN_BLOCK];
    unsigned from = thread_index() * SCAN_PER_THREAD, sum = 0;
    for (unsigned k = 0; k < SCAN_PER_THREAD; k++)
        if (from + k < keys) sum += counts[from + k];
    unsigned before = scan_block(lanes, sum);
    if (threadIdx.x == SCAN_BLOCK - 1) sums[blockIdx.x] = before + sum;
}

// values[i] = sum of values [0, i), by one block.
extern "C" __global__ void __launch_bounds__(SCAN_BLOCK) msm_scan_spine(unsigned *values, unsigned count) {
    __shared__ unsigned lanes[SCAN_BLOCK];
    unsigned each = (count + SCAN_BLOCK - 1) / SCAN_BLOCK, from = threadIdx.x * each, sum = 0;
    for (unsigned k = 0; k < each; k++)
        if (from + k < count) sum += values[from + k];
    unsigned before = scan_block(lanes, sum);
    for (unsigned k = 0; k < each; k++)
        if (from + k < count) {
            unsigned value = values[from + k];
            values[from + k] = before;
            before += value;
        }
}

// counts[i] = sum of counts [0, i), given what precedes each block's counters.
extern "C" __global__ void __launch_bounds__(SCAN_BLOCK)
    msm_scan_apply(unsigned *counts, unsigned keys, const unsigned *before_block) {
    __shared__ unsigned lanes[SCAN_BLOCK];
    unsigned from = thread_index() * SCAN_PER_THREAD, sum = 0;
    for (unsigned k = 0; k < SCAN_PER_THREAD; k++)
        if (from + k < keys) sum += counts[from + k];
    unsigned before = before_block[blockIdx.x] + scan_block(lanes, sum);
    for (unsigned k = 0; k < SCAN_PER_THREAD; k++)
        if (from + k < keys) {
            unsigned value = counts[from + k];
            counts[from + k] = before;
            before += value;
        }
}

#endif // LATHE_MSM_SCALARS

// Where a segment's sums go: whole buckets to their place, the first and the last run, which neighbours may share, to
// the partial sums 2i and 2i + 1 of segment i. Those are in order of their keys again.
template <class Group> struct Sums {
    Xyzz<Group> *buckets;
    unsigned *keys;
    Xyzz<Group> *points;

    LATHE_INLINE void none(unsigned segment) const { keys[2 * segment] = keys[2 * segment + 1] = NO_KEY; }
    LATHE_INLINE void closed(unsigned segment, unsigned key, const Xyzz<Group> &sum, bool first) const {
        if (first) {
            keys[2 * segment] = key;
            points[2 * segment] = sum;
        } else {
            buckets[key] = sum;
        }
    }
    // The run that the segment's end cuts. If it is the first as well there is no second partial: its key is repeated
    // with an infinite point, which keeps the keys in order.
    LATHE_INLINE void cut(unsigned segment, unsigned key, const Xyzz<Group> &sum, bool first) const {
        if (first) {
            keys[2 * segment] = key;
            points[2 * segment] = sum;
        }
        keys[2 * segment + 1] = key;
        points[2 * segment + 1] = first ? Xyzz<Group>::infinity() : sum;
    }
};

// The first bucket at or after `key` whose end lies beyond `position`. Most often it is the very first.
LATHE_INLINE unsigned bucket_of(const unsigned *ends, unsigned key, unsigned keys, unsigned position) {
    if (ends[key] > position) return key;
    unsigned low = key + 1, high = keys - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (ends[middle] > position) high = middle;
        else low = middle + 1;
    }
    return low;
}

// Sums each bucket's entries. Thread i takes an equal share of all entries, `least` of them at least.
template <class Group>
LATHE_INLINE void accumulate(const Affine<Group> *table, const unsigned *entries, const unsigned *ends, unsigned keys,
                             unsigned segments, unsigned least, const Sums<Group> &out) {
    unsigned segment = thread_index();
    if (segment >= segments) return;
    unsigned total = ends[keys - 1], share = (total + segments - 1) / segments;
    if (share < least) share = least;
    unsigned position = segment * share;
    if (position >= total) return out.none(segment);
    unsigned stop = total - position < share ? total : position + share;
    unsigned key = bucket_of(ends, 0, keys, position), end = ends[key];
    Xyzz<Group> sum = Xyzz<Group>::infinity();
    bool first = true;
#pragma unroll 1
    for (; position < stop; position++) {
        if (position == end) {
            out.closed(segment, key, sum, first);
            first = false;
            key = bucket_of(ends, key + 1, keys, position);
            end = ends[key];
            sum = Xyzz<Group>::infinity();
        }
        unsigned entry = entries[position];
        Affine<Group> base = table[entry & 0x7fffffffu];
        base.y = Group::neg_if(base.y, entry >> 31);
        sum = added<Group>(sum, base);
    }
    out.cut(segment, key, sum, first);
}

// Sums partial sums of equal keys, `share` per thread. A lone thread closes every bucket; others leave partial sums.
template <class Group>
LATHE_INLINE void merge(const unsigned *keys, const Xyzz<Group> *points, unsigned count, unsigned segments,
                        unsigned share, const Sums<Group> &out) {
    unsigned segment = thread_index();
    if (segment >= segments) return;
    unsigned position = segment * share, stop = count - position < share ? count : position + share;
    unsigned key = keys[position];
    if (key == NO_KEY) {
        if (segments > 1) out.none(segment);
        return;
    }
    Xyzz<Group> sum = Xyzz<Group>::infinity();
    bool first = segments > 1;
#pragma unroll 1
    for (; position < stop; position++) {
        unsigned next = keys[position];
        if (next == NO_KEY) break; // Only such follow.
        if (next != key) {
            out.closed(segment, key, sum, first);
            first = false;
            key = next;
            sum = Xyzz<Group>::infinity();
        }
        Xyzz<Group> point = points[position];
        sum = added<Group>(sum, point);
    }
    if (segments > 1) out.cut(segment, key, sum, first);
    else out.closed(segment, key, sum, false);
}

// target += source, both in memory: called, so that its code exists once and holds no registers between calls.
template <class Group> __device__ __noinline__ void add_into(Xyzz<Group> *target, const Xyzz<Group> *source) {
    if (source->is_infinity()) return;
    if (target->is_infinity()) {
        *target = *source;
        return;
    }
    Xyzz<Group> sum = added_finite<Group>(*target, *source);
    *target = sum;
}

// sums[b] = sum over the block's buckets k of its group, counted from 0, of (k + 1) bucket[k]. A thread takes `each`
// neighbouring buckets: running sums give their weights from 1 up, then its offset times their sum is added.
// One group has `blocks` blocks, a power of two threads each. Shared memory holds two points per thread, its sum and
// its running sum: in registers both would spill in G2.
template <class Group>
LATHE_INLINE void reduce(const Xyzz<Group> *buckets, unsigned per_group, unsigned each, unsigned blocks,
                         Xyzz<Group> *sums) {
    extern __shared__ __align__(16) unsigned char shared_bytes[];
    Xyzz<Group> *shared = reinterpret_cast<Xyzz<Group> *>(shared_bytes);
    unsigned t = threadIdx.x;
    Xyzz<Group> *sum = shared + t, *run = sum + blockDim.x;
    unsigned from = (blockIdx.x % blocks * blockDim.x + t) * each;
    unsigned stop = from + each < per_group ? from + each : per_group;
    buckets += blockIdx.x / blocks * (unsigned long long)per_group;
    *sum = *run = Xyzz<Group>::infinity();
#pragma unroll 1
    for (unsigned k = stop; k > from; k--) {
        add_into<Group>(run, buckets + k - 1);
        add_into<Group>(sum, run);
    }
    // A thread beyond the last bucket has nothing to scale.
#pragma unroll 1
    for (unsigned bits = from < stop ? from : 0; bits != 0; bits >>= 1) {
        if (bits & 1) add_into<Group>(sum, run);
        Xyzz<Group> power = doubled<Group>(*run);
        *run = power;
    }
#pragma unroll 1
    for (unsigned d = blockDim.x / 2; d > 0; d /= 2) {
        __syncthreads();
        if (t < d) add_into<Group>(sum, sum + d);
    }
    if (t == 0) {
        Xyzz<Group> total = *sum;
        sums[blockIdx.x] = total;
    }
}

// to[i] = 2^doublings from[i]: the next multiples of resident bases.
template <class Group>
LATHE_INLINE void multiples(const Affine<Group> *from, Affine<Group> *to, unsigned n, unsigned doublings) {
    unsigned i = thread_index();
    if (i >= n) return;
    Affine<Group> base = from[i];
    Xyzz<Group> point = Xyzz<Group>::from_affine(base);
#pragma unroll 1
    for (unsigned k = 0; k < doublings; k++) point = doubled<Group>(point);
    to[i] = to_affine<Group>(point);
}

// The kernels of one group. `ACCUMULATE` is the group with the multiplication best for the one hot loop, `REST` the
// one for small code; both have the same coordinates. At least BLOCKS blocks shall fit a multiprocessor.
#define LATHE_MSM_KERNELS(SUFFIX, ACCUMULATE, REST, BLOCKS)                                                          \
    extern "C" __global__ void __launch_bounds__(MSM_BLOCK, BLOCKS) msm_accumulate_##SUFFIX(                         \
        const Affine<ACCUMULATE> *table, const unsigned *entries, const unsigned *ends, unsigned keys,               \
        unsigned segments, unsigned least, Xyzz<ACCUMULATE> *buckets, unsigned *partial_keys,                        \
        Xyzz<ACCUMULATE> *partial_points) {                                                                          \
        accumulate<ACCUMULATE>(table, entries, ends, keys, segments, least,                                          \
                               Sums<ACCUMULATE>{buckets, partial_keys, partial_points});                             \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(MSM_BLOCK) msm_merge_##SUFFIX(                                      \
        const unsigned *keys, const Xyzz<REST> *points, unsigned count, unsigned segments, unsigned share,           \
        Xyzz<REST> *buckets, unsigned *partial_keys, Xyzz<REST> *partial_points) {                                   \
        merge<REST>(keys, points, count, segments, share, Sums<REST>{buckets, partial_keys, partial_points});        \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(MSM_BLOCK)                                                          \
        msm_reduce_##SUFFIX(const Xyzz<REST> *buckets, unsigned per_group, unsigned each, unsigned blocks,           \
                            Xyzz<REST> *sums) {                                                                      \
        reduce<REST>(buckets, per_group, each, blocks, sums);                                                        \
    }                                                                                                                \
    extern "C" __global__ void __launch_bounds__(MSM_BLOCK)                                                          \
        msm_multiples_##SUFFIX(const Affine<REST> *from, Affine<REST> *to, unsigned n, unsigned doublings) {         \
        multiples<REST>(from, to, n, doublings);                                                                     \
    }
