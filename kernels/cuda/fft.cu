// FFT over BN254's scalar field and the pointwise steps of the quotient. A transform of 2^log_n points is a few passes
// over the vector, in place (Cooley-Tukey, split as in Bailey's four-step method): `fft_frequency` passes run from the
// highest index bits to the lowest and leave bit-reversed order, `fft_time` passes run from the lowest to the highest
// and take bit-reversed order. The host's plan is kernels/src/cuda/fft.rs; all pointers but those said to be null are
// aligned to 32 bytes, and each launch has FFT_THREADS threads a block.
#include "fft.cuh"

using namespace fft;

// Multiplies each position by a power of the coset's shift, (low, high)[exponent], and by `times` where not null. The
// exponent is the index in natural order. Then the joints, see Pass::joint.
template <bool TIME>
LATHE_INLINE void pass_of(Fr *data, const Fr *roots, const Fr *low, const Fr *high, const Fr *scale_low,
                          const Fr *scale_high, const Fr *times, unsigned split, const Pass &pass) {
    __shared__ uint4 halves[2 * TILE];
    Tile tile = {halves};
    read_tile(tile, pass, data);
    __syncthreads();
    if (scale_high || times) {
#pragma unroll 1
        for (unsigned i = threadIdx.x; i < TILE; i += THREADS) {
            unsigned index = pass.index(i);
            if (!pass.inside(index)) continue;
            Fr v = tile.get(i);
            unsigned exponent = TIME ? reversed(index, pass.log_n) : index;
            if (scale_high) v = Fr::mul(v, power(scale_low, scale_high, split, exponent));
            if (times) v = Fr::mul(v, load(times + index));
            tile.set(i, v);
        }
        __syncthreads();
    }
    if (!TIME) rows<TIME>(tile, pass, roots);
    if (pass.shift) {
#pragma unroll 1
        for (unsigned i = threadIdx.x; i < TILE; i += THREADS)
            tile.set(i, Fr::mul(tile.get(i), power(low, high, split, pass.joint(pass.index(i)))));
        __syncthreads();
    }
    if (TIME) rows<TIME>(tile, pass, roots);
    write_tile(tile, pass, data);
}

extern "C" __global__ void __launch_bounds__(THREADS)
    fft_frequency(Fr *data, const Fr *roots, const Fr *low, const Fr *high, const Fr *scale_low, const Fr *scale_high,
                  const Fr *times, unsigned split, unsigned log_n, unsigned shift, unsigned bits) {
    pass_of<false>(data, roots, low, high, scale_low, scale_high, times, split, {log_n, shift, bits});
}

extern "C" __global__ void __launch_bounds__(THREADS)
    fft_time(Fr *data, const Fr *roots, const Fr *low, const Fr *high, const Fr *scale_low, const Fr *scale_high,
             const Fr *times, unsigned split, unsigned log_n, unsigned shift, unsigned bits) {
    pass_of<true>(data, roots, low, high, scale_low, scale_high, times, split, {log_n, shift, bits});
}

// One element of the result of fft_finish: position `from` in bit-reversed order, which is `index` in natural order.
LATHE_INLINE Fr finished(const Fr *data, const Fr *scale_low, const Fr *scale_high, const Fr *minus,
                         const Fr *minus_factor, unsigned split, unsigned from, unsigned index) {
    Fr v = load(data + from);
    if (scale_low) v = Fr::mul(v, power(scale_low, scale_high, split, index));
    else if (scale_high) v = Fr::mul(v, load(scale_high));
    if (minus) v = Fr::sub(v, Fr::mul(load(minus + from), load(minus_factor)));
    return v;
}

// Takes a vector from bit-reversed to natural order, each value multiplied by (scale_low, scale_high)[index], or by
// the constant *scale_high if scale_low is null, or not at all if both are; and from that subtracts `minus`, in
// bit-reversed order too, times *minus_factor, unless null. A thread makes one exchange, so it works in place.
extern "C" __global__ void __launch_bounds__(THREADS)
    fft_finish(Fr *data, const Fr *scale_low, const Fr *scale_high, const Fr *minus, const Fr *minus_factor,
               unsigned split, unsigned log_n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x, j = reversed(i, log_n);
    if (i >> log_n || j < i) return;
    Fr at_j = finished(data, scale_low, scale_high, minus, minus_factor, split, i, j);
    if (i != j) store(data + i, finished(data, scale_low, scale_high, minus, minus_factor, split, j, i));
    store(data + j, at_j);
}
