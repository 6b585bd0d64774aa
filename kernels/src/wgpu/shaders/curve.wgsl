// Points of y^2 = x^3 + b in XYZZ coordinates: x = X / ZZ, y = Y / ZZZ with ZZ^3 = ZZZ^2; ZZ = 0 is the identity.
// One complete addition, in which the field multiplication appears once: compilers inline every call, and this pass
// would else compile to several hundred thousand instructions.

struct Point {
    x: El,
    y: El,
    zz: El,
    zzz: El,
}

const POINT_WORDS = 4u * EL_WORDS;

fn identity() -> Point {
    return Point(el_zero(), el_zero(), el_zero(), el_zero());
}

// p + q, where neither is the identity, and ZZ = ZZZ = 1 in q if `affine`.
//
// add-2008-s, madd-2008-s and dbl-2008-s-1 of the Explicit-Formulas Database (short Weierstrass, XYZZ) as one program of
// fifteen multiplications. Steps 0-3 bring both points to the common ZZ and ZZZ and are void for affine q. If both points
// then are equal, the rest of the program doubles instead: P is 2 Y, R is 3 X^2 (step 6, else void), and PPP does not
// enter X. This is sound as (U, S, ZZ, ZZZ) itself represents p.
fn add(p: Point, q: Point, affine: bool) -> Point {
    var u = p.x;
    var s = p.y;
    var zz = p.zz;
    var zzz = p.zzz;
    var d: El;
    var r: El;
    var dd: El;
    var ddd: El;
    var x: El;
    var y: El;
    var double = false;
    for (var step = select(0u, 4u, affine); step < 15u; step++) {
        var f: El;
        var g: El;
        switch step {
            case 0u: { f = p.x; g = q.zz; }
            case 1u: { f = p.y; g = q.zzz; }
            case 2u: { f = p.zz; g = q.zz; }
            case 3u: { f = p.zzz; g = q.zzz; }
            case 4u: { f = q.x; g = p.zz; }
            case 5u: { f = q.y; g = p.zzz; }
            case 6u: {
                if !double { continue; }
                f = u;
                g = u;
            }
            case 7u: { f = d; g = d; }
            case 8u: { f = d; g = dd; }
            case 9u: { f = u; g = dd; }
            case 10u: { f = r; g = r; }
            case 11u: { f = s; g = ddd; }
            case 12u: { f = r; g = el_sub(u, x); }
            case 13u: { f = zz; g = dd; }
            default: { f = zzz; g = ddd; }
        }
        let z = el_mul(f, g);
        switch step {
            case 0u: { u = z; }
            case 1u: { s = z; }
            case 2u: { zz = z; }
            case 3u: { zzz = z; }
            case 4u: { d = el_sub(z, u); }
            case 5u: {
                r = el_sub(z, s);
                if el_is_zero(d) {
                    if !el_is_zero(r) { return identity(); }
                    double = true;
                    d = el_add(s, s);
                }
            }
            case 6u: { r = el_add(el_add(z, z), z); }
            case 7u: { dd = z; }
            case 8u: { ddd = z; }
            // From here on u is Q = U PP.
            case 9u: { u = z; }
            case 10u: {
                x = el_sub(z, el_add(u, u));
                if !double { x = el_sub(x, ddd); }
            }
            case 11u: { y = z; }
            case 12u: { y = el_sub(z, y); }
            case 13u: { zz = z; }
            default: { zzz = z; }
        }
    }
    return Point(x, y, zz, zzz);
}
