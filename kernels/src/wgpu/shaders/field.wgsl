// A prime field below 2^254 in Montgomery form (R = 2^256), eight 32-bit limbs, always fully reduced.
// Needs `mac` and the constants P_LO, P_HI, P_INV, ONE_LO, ONE_HI; must not touch memory.

struct Fe {
    lo: vec4<u32>,
    hi: vec4<u32>,
}

fn fe_zero() -> Fe {
    return Fe(vec4<u32>(), vec4<u32>());
}

fn fe_one() -> Fe {
    return Fe(ONE_LO, ONE_HI);
}

fn fe_is_zero(a: Fe) -> bool {
    return all((a.lo | a.hi) == vec4<u32>());
}

// a + b + carry as (sum, carry); the carry is 0 or 1.
fn adc(a: u32, b: u32, carry: u32) -> vec2<u32> {
    let s = a + b;
    let r = s + carry;
    return vec2<u32>(r, u32(s < a) + u32(r < s));
}

// a - b - borrow as (difference, borrow); the borrow is 0 or 1.
fn sbb(a: u32, b: u32, borrow: u32) -> vec2<u32> {
    let d = a - b;
    return vec2<u32>(d - borrow, u32(a < b) + u32(d < borrow));
}

// a + b as integers; the caller knows that the sum stays below 2^256.
fn raw_add(a: Fe, b: Fe) -> Fe {
    let r0 = adc(a.lo.x, b.lo.x, 0u);
    let r1 = adc(a.lo.y, b.lo.y, r0.y);
    let r2 = adc(a.lo.z, b.lo.z, r1.y);
    let r3 = adc(a.lo.w, b.lo.w, r2.y);
    let r4 = adc(a.hi.x, b.hi.x, r3.y);
    let r5 = adc(a.hi.y, b.hi.y, r4.y);
    let r6 = adc(a.hi.z, b.hi.z, r5.y);
    let r7 = adc(a.hi.w, b.hi.w, r6.y);
    return Fe(vec4<u32>(r0.x, r1.x, r2.x, r3.x), vec4<u32>(r4.x, r5.x, r6.x, r7.x));
}

struct Difference {
    value: Fe,
    borrow: u32,
}

// a - b modulo 2^256, and whether a < b.
fn raw_sub(a: Fe, b: Fe) -> Difference {
    let r0 = sbb(a.lo.x, b.lo.x, 0u);
    let r1 = sbb(a.lo.y, b.lo.y, r0.y);
    let r2 = sbb(a.lo.z, b.lo.z, r1.y);
    let r3 = sbb(a.lo.w, b.lo.w, r2.y);
    let r4 = sbb(a.hi.x, b.hi.x, r3.y);
    let r5 = sbb(a.hi.y, b.hi.y, r4.y);
    let r6 = sbb(a.hi.z, b.hi.z, r5.y);
    let r7 = sbb(a.hi.w, b.hi.w, r6.y);
    return Difference(Fe(vec4<u32>(r0.x, r1.x, r2.x, r3.x), vec4<u32>(r4.x, r5.x, r6.x, r7.x)), r7.y);
}

// a modulo p for a < 2p.
fn fe_reduce(a: Fe) -> Fe {
    let d = raw_sub(a, Fe(P_LO, P_HI));
    let keep = d.borrow != 0u;
    return Fe(select(d.value.lo, a.lo, keep), select(d.value.hi, a.hi, keep));
}

fn fe_add(a: Fe, b: Fe) -> Fe {
    return fe_reduce(raw_add(a, b));
}

fn fe_sub(a: Fe, b: Fe) -> Fe {
    let d = raw_sub(a, b);
    let mask = vec4<u32>(0u - d.borrow);
    return raw_add(d.value, Fe(P_LO & mask, P_HI & mask));
}

// a b / R: word-serial Montgomery multiplication (Acar 1996, CIOS) with product and reduction interleaved.
// With p < 2^254 and a, b < p, t stays below 2p, so its carry out of the top limb is s.y + r.y, which is one word.
// The multiplier moves down a limb per round, so no register is indexed by a variable.
fn fe_mul(a: Fe, b: Fe) -> Fe {
    var t = fe_zero();
    var m = b;
    for (var round = 0u; round < 8u; round++) {
        let w = m.lo.x;
        var s = mac(t.lo.x, a.lo.x, w, 0u);
        let k = s.x * P_INV;
        var r = mac(s.x, k, P_LO.x, 0u);
        s = mac(t.lo.y, a.lo.y, w, s.y);
        r = mac(s.x, k, P_LO.y, r.y);
        t.lo.x = r.x;
        s = mac(t.lo.z, a.lo.z, w, s.y);
        r = mac(s.x, k, P_LO.z, r.y);
        t.lo.y = r.x;
        s = mac(t.lo.w, a.lo.w, w, s.y);
        r = mac(s.x, k, P_LO.w, r.y);
        t.lo.z = r.x;
        s = mac(t.hi.x, a.hi.x, w, s.y);
        r = mac(s.x, k, P_HI.x, r.y);
        t.lo.w = r.x;
        s = mac(t.hi.y, a.hi.y, w, s.y);
        r = mac(s.x, k, P_HI.y, r.y);
        t.hi.x = r.x;
        s = mac(t.hi.z, a.hi.z, w, s.y);
        r = mac(s.x, k, P_HI.z, r.y);
        t.hi.y = r.x;
        s = mac(t.hi.w, a.hi.w, w, s.y);
        r = mac(s.x, k, P_HI.w, r.y);
        t.hi.z = r.x;
        t.hi.w = s.y + r.y;
        m = Fe(vec4<u32>(m.lo.yzw, m.hi.x), vec4<u32>(m.hi.yzw, 0u));
    }
    return fe_reduce(t);
}
