// Kernels for tests and for the machine-code gate: one multiplication alone, and every field operation on arrays.
// No product code launches these.
#include "field.cuh"

// One product per thread and nothing else: what the gate counts.
template <class F> LATHE_INLINE void gate(F *out, const F *a, const F *b) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    F x = a[i], y = b[i];
    out[i] = F::mul(x, y);
}

extern "C" __global__ void fq_mul_gate(Fq *out, const Fq *a, const Fq *b) { gate(out, a, b); }
extern "C" __global__ void fr_mul_gate(Fr *out, const Fr *a, const Fr *b) { gate(out, a, b); }

// out[9 i ..] = a b, a^2, a + b, a - b, -a, 2 a, 1 / a, to Montgomery form of a, from Montgomery form of a.
template <class F> LATHE_INLINE void operations(F *out, const F *a, const F *b, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    F x = a[i], y = b[i];
    out += 9 * i;
    out[0] = F::mul(x, y);
    out[1] = F::sqr(x);
    out[2] = F::add(x, y);
    out[3] = F::sub(x, y);
    out[4] = F::neg(x);
    out[5] = F::dbl(x);
    out[6] = F::inverse(x);
    out[7] = F::to_montgomery(x);
    out[8] = F::from_montgomery(x);
}

extern "C" __global__ void fq_ops(Fq *out, const Fq *a, const Fq *b, unsigned n) { operations(out, a, b, n); }
extern "C" __global__ void fr_ops(Fr *out, const Fr *a, const Fr *b, unsigned n) { operations(out, a, b, n); }
