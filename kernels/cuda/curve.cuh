// Points of BN254's G1 and G2 on a CUDA device, written once over a `Group`: a coordinate type with its operations.
// Every addition is complete: equal, opposite and infinite operands take branches, which are rare. Never assumes that
// points differ; assumes, as both prime-order groups grant, that no point has order two.
#pragma once

#include "field.cuh"

// Fq[u] / (u^2 + 1), c0 + c1 u. Layout as the host's: c0, then c1.
struct __align__(16) Fq2 {
    Fq c0, c1;

    static LATHE_INLINE Fq2 zero() { return Fq2{Fq::zero(), Fq::zero()}; }
    static LATHE_INLINE Fq2 one() { return Fq2{Fq::one(), Fq::zero()}; }
    LATHE_INLINE bool is_zero() const { return c0.is_zero() && c1.is_zero(); }
};

// Coordinates of G1 with the multiplication in line: for the kernel in which nearly all multiplications happen.
struct InlineG1 {
    typedef Fq Coordinate;
    static LATHE_INLINE Fq mul(const Fq &a, const Fq &b) { return Fq::mul(a, b); }
    static LATHE_INLINE Fq sqr(const Fq &a) { return Fq::sqr(a); }
    static LATHE_INLINE Fq add(const Fq &a, const Fq &b) { return Fq::add(a, b); }
    static LATHE_INLINE Fq sub(const Fq &a, const Fq &b) { return Fq::sub(a, b); }
    static LATHE_INLINE Fq neg_if(const Fq &a, bool take) { return Fq::neg_if(a, take); }
    static LATHE_INLINE Fq inverse(const Fq &a) { return Fq::inverse(a); }
};

static __device__ __noinline__ Fq fq_mul(Fq a, Fq b) { return Fq::mul(a, b); }

// The same with the multiplication called: small code for kernels that add in several places.
struct CalledG1 : InlineG1 {
    static LATHE_INLINE Fq mul(const Fq &a, const Fq &b) { return fq_mul(a, b); }
    static LATHE_INLINE Fq sqr(const Fq &a) { return fq_mul(a, a); }
};

// Karatsuba: three products for four.
static __device__ __noinline__ Fq2 fq2_mul(Fq2 a, Fq2 b) {
    Fq low = Fq::mul(a.c0, b.c0);
    Fq high = Fq::mul(a.c1, b.c1);
    Fq both = Fq::mul(Fq::add(a.c0, a.c1), Fq::add(b.c0, b.c1));
    return Fq2{Fq::sub(low, high), Fq::sub(Fq::sub(both, low), high)};
}

// (a0 + a1)(a0 - a1) + 2 a0 a1 u.
static __device__ __noinline__ Fq2 fq2_sqr(Fq2 a) {
    Fq real = Fq::mul(Fq::add(a.c0, a.c1), Fq::sub(a.c0, a.c1));
    return Fq2{real, Fq::dbl(Fq::mul(a.c0, a.c1))};
}

// Coordinates of G2.
struct CalledG2 {
    typedef Fq2 Coordinate;
    static LATHE_INLINE Fq2 mul(const Fq2 &a, const Fq2 &b) { return fq2_mul(a, b); }
    static LATHE_INLINE Fq2 sqr(const Fq2 &a) { return fq2_sqr(a); }
    static LATHE_INLINE Fq2 add(const Fq2 &a, const Fq2 &b) { return Fq2{Fq::add(a.c0, b.c0), Fq::add(a.c1, b.c1)}; }
    static LATHE_INLINE Fq2 sub(const Fq2 &a, const Fq2 &b) { return Fq2{Fq::sub(a.c0, b.c0), Fq::sub(a.c1, b.c1)}; }
    static LATHE_INLINE Fq2 neg_if(const Fq2 &a, bool take) {
        return Fq2{Fq::neg_if(a.c0, take), Fq::neg_if(a.c1, take)};
    }
    // 1 / (a0 + a1 u) = (a0 - a1 u) / (a0^2 + a1^2).
    static LATHE_INLINE Fq2 inverse(const Fq2 &a) {
        Fq i = Fq::inverse(Fq::add(fq_mul(a.c0, a.c0), fq_mul(a.c1, a.c1)));
        return Fq2{fq_mul(a.c0, i), Fq::neg(fq_mul(a.c1, i))};
    }
};

// An affine point as the host stores it; infinity is (0, 0).
template <class Group> struct __align__(16) Affine {
    typename Group::Coordinate x, y;

    static LATHE_INLINE Affine infinity() { return Affine{Group::Coordinate::zero(), Group::Coordinate::zero()}; }
    LATHE_INLINE bool is_infinity() const { return x.is_zero() && y.is_zero(); }
};

// The point (x / zz, y / zzz) with zz^3 = zzz^2; zz is zero exactly at infinity.
// Formulas: Explicit-Formulas Database, short Weierstrass curves, XYZZ coordinates, a = 0.
template <class Group> struct __align__(16) Xyzz {
    typename Group::Coordinate x, y, zz, zzz;

    static LATHE_INLINE Xyzz infinity() {
        typename Group::Coordinate zero = Group::Coordinate::zero();
        return Xyzz{zero, zero, zero, zero};
    }
    LATHE_INLINE bool is_infinity() const { return zz.is_zero(); }
    static LATHE_INLINE Xyzz from_affine(const Affine<Group> &p) {
        if (p.is_infinity()) return infinity();
        return Xyzz{p.x, p.y, Group::Coordinate::one(), Group::Coordinate::one()};
    }
};

// dbl-2008-s-1: 6M + 3S. Infinity doubles to infinity of itself, since zz stays zero.
template <class Group> LATHE_INLINE Xyzz<Group> doubled(const Xyzz<Group> &p) {
    typedef typename Group::Coordinate F;
    F u = Group::add(p.y, p.y);
    F v = Group::sqr(u);
    F w = Group::mul(u, v);
    F s = Group::mul(p.x, v);
    F xx = Group::sqr(p.x);
    F m = Group::add(Group::add(xx, xx), xx);
    Xyzz<Group> r;
    r.x = Group::sub(Group::sqr(m), Group::add(s, s));
    r.y = Group::sub(Group::mul(m, Group::sub(s, r.x)), Group::mul(w, p.y));
    r.zz = Group::mul(v, p.zz);
    r.zzz = Group::mul(w, p.zzz);
    return r;
}

// The end that madd-2008-s and add-2008-s share: with r = s2 - s1, d = u2 - u1 (called P there), and zz, zzz the
// products of the operands' own; d is not zero.
template <class Group>
LATHE_INLINE Xyzz<Group> chord(const typename Group::Coordinate &u1, const typename Group::Coordinate &s1,
                               const typename Group::Coordinate &d, const typename Group::Coordinate &r,
                               const typename Group::Coordinate &zz, const typename Group::Coordinate &zzz) {
    typedef typename Group::Coordinate F;
    F dd = Group::sqr(d);
    F ddd = Group::mul(d, dd);
    F q = Group::mul(u1, dd);
    Xyzz<Group> sum;
    sum.x = Group::sub(Group::sub(Group::sqr(r), ddd), Group::add(q, q));
    sum.y = Group::sub(Group::mul(r, Group::sub(q, sum.x)), Group::mul(s1, ddd));
    sum.zz = Group::mul(zz, dd);
    sum.zzz = Group::mul(zzz, ddd);
    return sum;
}

// p + q, q affine. madd-2008-s: 8M + 2S.
template <class Group> LATHE_INLINE Xyzz<Group> added(const Xyzz<Group> &p, const Affine<Group> &q) {
    typedef typename Group::Coordinate F;
    if (q.is_infinity()) return p;
    if (p.is_infinity()) return Xyzz<Group>::from_affine(q);
    F d = Group::sub(Group::mul(q.x, p.zz), p.x);
    F r = Group::sub(Group::mul(q.y, p.zzz), p.y);
    if (d.is_zero()) {
        if (!r.is_zero()) return Xyzz<Group>::infinity();
        return doubled<Group>(p);
    }
    return chord<Group>(p.x, p.y, d, r, p.zz, p.zzz);
}

// p + q, both finite. add-2008-s: 12M + 2S. (u1, s1, zz, zzz) is p itself over the common denominator, so that p and q
// need not be kept for the case that they are equal.
template <class Group> LATHE_INLINE Xyzz<Group> added_finite(const Xyzz<Group> &p, const Xyzz<Group> &q) {
    typedef typename Group::Coordinate F;
    F u1 = Group::mul(p.x, q.zz);
    F d = Group::sub(Group::mul(q.x, p.zz), u1);
    F s1 = Group::mul(p.y, q.zzz);
    F r = Group::sub(Group::mul(q.y, p.zzz), s1);
    F zz = Group::mul(p.zz, q.zz), zzz = Group::mul(p.zzz, q.zzz);
    if (d.is_zero()) {
        if (!r.is_zero()) return Xyzz<Group>::infinity();
        return doubled<Group>(Xyzz<Group>{u1, s1, zz, zzz});
    }
    return chord<Group>(u1, s1, d, r, zz, zzz);
}

// p + q.
template <class Group> LATHE_INLINE Xyzz<Group> added(const Xyzz<Group> &p, const Xyzz<Group> &q) {
    if (q.is_infinity()) return p;
    if (p.is_infinity()) return q;
    return added_finite<Group>(p, q);
}

// The affine form. With i = 1 / zzz, zz i is 1 / z, hence x (zz i)^2 and y i.
template <class Group> LATHE_INLINE Affine<Group> to_affine(const Xyzz<Group> &p) {
    typedef typename Group::Coordinate F;
    if (p.is_infinity()) return Affine<Group>::infinity();
    F i = Group::inverse(p.zzz);
    F z = Group::mul(p.zz, i);
    return Affine<Group>{Group::mul(p.x, Group::sqr(z)), Group::mul(p.y, i)};
}
