// BN254's base field Fq and scalar field Fr on a CUDA device: elements are eight 32-bit limbs, least significant
// first, in Montgomery form with R = 2^256, always reduced below the modulus: the very bytes of the host's elements.
// Includes nothing, so that NVRTC takes it as well as nvcc. Never holds a value at or above the modulus.
#pragma once

#define LATHE_INLINE __device__ __forceinline__

// Constants of one field. Functions, not arrays: unrolled code then sees immediates, not constant memory.
struct FqParams {
    static LATHE_INLINE constexpr unsigned modulus(int i) {
        return i == 0 ? 0xd87cfd47u : i == 1 ? 0x3c208c16u : i == 2 ? 0x6871ca8du : i == 3 ? 0x97816a91u
             : i == 4 ? 0x8181585du : i == 5 ? 0xb85045b6u : i == 6 ? 0xe131a029u : 0x30644e72u;
    }
    // R modulo the modulus: one in Montgomery form.
    static LATHE_INLINE constexpr unsigned one(int i) {
        return i == 0 ? 0xc58f0d9du : i == 1 ? 0xd35d438du : i == 2 ? 0xf5c70b3du : i == 3 ? 0x0a78eb28u
             : i == 4 ? 0x7879462cu : i == 5 ? 0x666ea36fu : i == 6 ? 0x9a07df2fu : 0x0e0a77c1u;
    }
    // R^2 modulo the modulus: what takes canonical form to Montgomery form.
    static LATHE_INLINE constexpr unsigned r2(int i) {
        return i == 0 ? 0x538afa89u : i == 1 ? 0xf32cfc5bu : i == 2 ? 0xd44501fbu : i == 3 ? 0xb5e71911u
             : i == 4 ? 0x0a417ff6u : i == 5 ? 0x47ab1effu : i == 6 ? 0xcab8351fu : 0x06d89f71u;
    }
    // -1 / modulus modulo 2^32.
    static LATHE_INLINE constexpr unsigned n0() { return 0xe4866389u; }
};

struct FrParams {
    static LATHE_INLINE constexpr unsigned modulus(int i) {
        return i == 0 ? 0xf0000001u : i == 1 ? 0x43e1f593u : i == 2 ? 0x79b97091u : i == 3 ? 0x2833e848u
             : i == 4 ? 0x8181585du : i == 5 ? 0xb85045b6u : i == 6 ? 0xe131a029u : 0x30644e72u;
    }
    static LATHE_INLINE constexpr unsigned one(int i) {
        return i == 0 ? 0x4ffffffbu : i == 1 ? 0xac96341cu : i == 2 ? 0x9f60cd29u : i == 3 ? 0x36fc7695u
             : i == 4 ? 0x7879462eu : i == 5 ? 0x666ea36fu : i == 6 ? 0x9a07df2fu : 0x0e0a77c1u;
    }
    static LATHE_INLINE constexpr unsigned r2(int i) {
        return i == 0 ? 0xae216da7u : i == 1 ? 0x1bb8e645u : i == 2 ? 0xe35c59e3u : i == 3 ? 0x53fe3ab1u
             : i == 4 ? 0x53bb8085u : i == 5 ? 0x8c49833du : i == 6 ? 0x7f4e44a5u : 0x0216d0b1u;
    }
    static LATHE_INLINE constexpr unsigned n0() { return 0xefffffffu; }
};

// Carry chains. Each is one asm statement, so the carry flag never has to survive between statements; a
// mad.lo.cc / madc.hi.cc pair on neighbouring limbs is what ptxas joins into one IMAD.WIDE.
namespace chain {

// acc[0..8] = (a[0], a[2], a[4], a[6]) * b, four products side by side.
LATHE_INLINE void mul4(unsigned *acc, const unsigned *a, unsigned b) {
    asm("mul.lo.u32 %0, %8, %12;\n\tmul.hi.u32 %1, %8, %12;\n\t"
        "mul.lo.u32 %2, %9, %12;\n\tmul.hi.u32 %3, %9, %12;\n\t"
        "mul.lo.u32 %4, %10, %12;\n\tmul.hi.u32 %5, %10, %12;\n\t"
        "mul.lo.u32 %6, %11, %12;\n\tmul.hi.u32 %7, %11, %12;"
        : "=&r"(acc[0]), "=&r"(acc[1]), "=&r"(acc[2]), "=&r"(acc[3]), "=&r"(acc[4]), "=&r"(acc[5]), "=&r"(acc[6]),
          "=&r"(acc[7])
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(b));
}

// acc += (a[0], a[2], a[4], a[6]) * b where the caller knows that the sum stays below 2^256.
LATHE_INLINE void mad4(unsigned *acc, const unsigned *a, unsigned b) {
    asm("mad.lo.cc.u32 %0, %8, %12, %0;\n\tmadc.hi.cc.u32 %1, %8, %12, %1;\n\t"
        "madc.lo.cc.u32 %2, %9, %12, %2;\n\tmadc.hi.cc.u32 %3, %9, %12, %3;\n\t"
        "madc.lo.cc.u32 %4, %10, %12, %4;\n\tmadc.hi.cc.u32 %5, %10, %12, %5;\n\t"
        "madc.lo.cc.u32 %6, %11, %12, %6;\n\tmadc.hi.u32 %7, %11, %12, %7;"
        : "+r"(acc[0]), "+r"(acc[1]), "+r"(acc[2]), "+r"(acc[3]), "+r"(acc[4]), "+r"(acc[5]), "+r"(acc[6]),
          "+r"(acc[7])
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(b));
}

// The same, with the carry out added to `top`.
LATHE_INLINE void mad4_carry(unsigned *acc, unsigned &top, const unsigned *a, unsigned b) {
    asm("mad.lo.cc.u32 %0, %9, %13, %0;\n\tmadc.hi.cc.u32 %1, %9, %13, %1;\n\t"
        "madc.lo.cc.u32 %2, %10, %13, %2;\n\tmadc.hi.cc.u32 %3, %10, %13, %3;\n\t"
        "madc.lo.cc.u32 %4, %11, %13, %4;\n\tmadc.hi.cc.u32 %5, %11, %13, %5;\n\t"
        "madc.lo.cc.u32 %6, %12, %13, %6;\n\tmadc.hi.cc.u32 %7, %12, %13, %7;\n\t"
        "addc.u32 %8, %8, 0;"
        : "+r"(acc[0]), "+r"(acc[1]), "+r"(acc[2]), "+r"(acc[3]), "+r"(acc[4]), "+r"(acc[5]), "+r"(acc[6]),
          "+r"(acc[7]), "+r"(top)
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(b));
}

// low += acc[1]; acc = (acc >> 64) + (a[0], a[2], a[4], a[6]) * b + carry of the first sum.
LATHE_INLINE void shift_mad4(unsigned *acc, unsigned &low, const unsigned *a, unsigned b) {
    asm("add.cc.u32 %8, %8, %1;\n\t"
        "madc.lo.cc.u32 %0, %9, %13, %2;\n\tmadc.hi.cc.u32 %1, %9, %13, %3;\n\t"
        "madc.lo.cc.u32 %2, %10, %13, %4;\n\tmadc.hi.cc.u32 %3, %10, %13, %5;\n\t"
        "madc.lo.cc.u32 %4, %11, %13, %6;\n\tmadc.hi.cc.u32 %5, %11, %13, %7;\n\t"
        "madc.lo.cc.u32 %6, %12, %13, 0;\n\tmadc.hi.u32 %7, %12, %13, 0;"
        : "+r"(acc[0]), "+r"(acc[1]), "+r"(acc[2]), "+r"(acc[3]), "+r"(acc[4]), "+r"(acc[5]), "+r"(acc[6]),
          "+r"(acc[7]), "+r"(low)
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(b));
}

// out = a + b, which the caller knows to stay below 2^256.
LATHE_INLINE void add(unsigned *out, const unsigned *a, const unsigned *b) {
    asm("add.cc.u32 %0, %8, %16;\n\taddc.cc.u32 %1, %9, %17;\n\taddc.cc.u32 %2, %10, %18;\n\t"
        "addc.cc.u32 %3, %11, %19;\n\taddc.cc.u32 %4, %12, %20;\n\taddc.cc.u32 %5, %13, %21;\n\t"
        "addc.cc.u32 %6, %14, %22;\n\taddc.u32 %7, %15, %23;"
        : "=&r"(out[0]), "=&r"(out[1]), "=&r"(out[2]), "=&r"(out[3]), "=&r"(out[4]), "=&r"(out[5]), "=&r"(out[6]),
          "=&r"(out[7])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]), "r"(b[0]),
          "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]));
}

// out = a - b modulo 2^256; returns all ones if a < b, else 0.
LATHE_INLINE unsigned sub(unsigned *out, const unsigned *a, const unsigned *b) {
    unsigned borrow;
    asm("sub.cc.u32 %0, %9, %17;\n\tsubc.cc.u32 %1, %10, %18;\n\tsubc.cc.u32 %2, %11, %19;\n\t"
        "subc.cc.u32 %3, %12, %20;\n\tsubc.cc.u32 %4, %13, %21;\n\tsubc.cc.u32 %5, %14, %22;\n\t"
        "subc.cc.u32 %6, %15, %23;\n\tsubc.cc.u32 %7, %16, %24;\n\tsubc.u32 %8, 0, 0;"
        : "=&r"(out[0]), "=&r"(out[1]), "=&r"(out[2]), "=&r"(out[3]), "=&r"(out[4]), "=&r"(out[5]), "=&r"(out[6]),
          "=&r"(out[7]), "=&r"(borrow)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]), "r"(b[0]),
          "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]));
    return borrow;
}

} // namespace chain

template <class P> struct __align__(16) Field {
    unsigned limb[8];

    static LATHE_INLINE Field zero() {
        Field r;
#pragma unroll
        for (int i = 0; i < 8; i++) r.limb[i] = 0;
        return r;
    }

    static LATHE_INLINE Field one() {
        Field r;
#pragma unroll
        for (int i = 0; i < 8; i++) r.limb[i] = P::one(i);
        return r;
    }

    LATHE_INLINE bool is_zero() const {
        return (limb[0] | limb[1] | limb[2] | limb[3] | limb[4] | limb[5] | limb[6] | limb[7]) == 0;
    }

    // Equality of values: there is one representation of each.
    LATHE_INLINE bool operator==(const Field &b) const {
        unsigned difference = 0;
#pragma unroll
        for (int i = 0; i < 8; i++) difference |= limb[i] ^ b.limb[i];
        return difference == 0;
    }

    // a below twice the modulus, brought below the modulus.
    static LATHE_INLINE Field reduced(const Field &a) {
        Field r;
        unsigned modulus[8];
#pragma unroll
        for (int i = 0; i < 8; i++) modulus[i] = P::modulus(i);
        unsigned below = chain::sub(r.limb, a.limb, modulus);
#pragma unroll
        for (int i = 0; i < 8; i++) r.limb[i] = below ? a.limb[i] : r.limb[i];
        return r;
    }

    // The modulus is below 2^254, so a sum fits.
    static LATHE_INLINE Field add(const Field &a, const Field &b) {
        Field r;
        chain::add(r.limb, a.limb, b.limb);
        return reduced(r);
    }

    static LATHE_INLINE Field dbl(const Field &a) { return add(a, a); }

    static LATHE_INLINE Field sub(const Field &a, const Field &b) {
        Field r;
        unsigned borrow = chain::sub(r.limb, a.limb, b.limb), masked[8];
#pragma unroll
        for (int i = 0; i < 8; i++) masked[i] = P::modulus(i) & borrow;
        chain::add(r.limb, r.limb, masked);
        return r;
    }

    static LATHE_INLINE Field neg(const Field &a) { return sub(zero(), a); }

    // a if take is 0, -a otherwise.
    static LATHE_INLINE Field neg_if(const Field &a, bool take) {
        Field n = neg(a), r;
#pragma unroll
        for (int i = 0; i < 8; i++) r.limb[i] = take ? n.limb[i] : a.limb[i];
        return r;
    }

    // One row of Montgomery's method. The running value is low + 2^32 high, where `low` gathers products of even
    // limbs and `high` those of odd ones, so that no product straddles the accumulator's pairs. Entered with the
    // running value below 2 M in the form (high = last row's low, whose limb 0 is zero); adds a b and the multiple m M
    // that clears limb 0. Bound: (2 M + a b + m M) < 2^32 3 M < 2^288 since M < 2^254, so `high` never carries out.
    static LATHE_INLINE void row(unsigned *low, unsigned *high, const unsigned *a, unsigned b, bool first) {
        unsigned modulus[8];
#pragma unroll
        for (int i = 0; i < 8; i++) modulus[i] = P::modulus(i);
        if (first) {
            chain::mul4(low, a, b);
            chain::mul4(high, a + 1, b);
        } else {
            chain::shift_mad4(high, low[0], a + 1, b);
            chain::mad4_carry(low, high[7], a, b);
        }
        unsigned m = low[0] * P::n0();
        chain::mad4(high, modulus + 1, m);
        chain::mad4_carry(low, high[7], modulus, m);
    }

    // a b / R modulo M. Rows' results alternate between two accumulators: dividing by 2^32 is exchanging their roles.
    static LATHE_INLINE Field mul(const Field &a, const Field &b) {
        unsigned even[8], odd[8];
#pragma unroll
        for (int i = 0; i < 8; i += 2) {
            row(even, odd, a.limb, b.limb[i], i == 0);
            row(odd, even, a.limb, b.limb[i + 1], false);
        }
        // The last row's low half is `odd`, with limb 0 zero: drop it and add the rest.
        Field r;
#pragma unroll
        for (int i = 0; i < 7; i++) odd[i] = odd[i + 1];
        odd[7] = 0;
        chain::add(r.limb, even, odd);
        return reduced(r);
    }

    static LATHE_INLINE Field sqr(const Field &a) { return mul(a, a); }

    // Canonical form, below the modulus, to Montgomery form.
    static LATHE_INLINE Field to_montgomery(const Field &a) {
        Field r2;
#pragma unroll
        for (int i = 0; i < 8; i++) r2.limb[i] = P::r2(i);
        return mul(a, r2);
    }

    // Montgomery form to canonical form.
    static LATHE_INLINE Field from_montgomery(const Field &a) {
        Field unit = zero();
        unit.limb[0] = 1;
        return mul(a, unit);
    }

    // a^e for the 256-bit exponent e, most significant bit first.
    static __device__ __noinline__ Field pow(Field a, const unsigned *e) {
        Field r = one();
#pragma unroll 1
        for (int i = 255; i >= 0; i--) {
            r = sqr(r);
            if (e[i >> 5] >> (i & 31) & 1) r = mul(r, a);
        }
        return r;
    }

    // 1 / a by Fermat's little theorem; 0 for 0.
    static __device__ __noinline__ Field inverse(Field a) {
        unsigned e[8];
#pragma unroll
        for (int i = 0; i < 8; i++) e[i] = P::modulus(i);
        e[0] -= 2; // Neither modulus ends in a limb below 2 with a borrow: Fr's is 0xf0000001, Fq's 0xd87cfd47.
        return pow(a, e);
    }
};

typedef Field<FqParams> Fq;
typedef Field<FrParams> Fr;
