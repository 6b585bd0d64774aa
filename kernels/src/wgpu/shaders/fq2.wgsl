// Coordinates of G2 points: elements of Fq2 = Fq[u] / (u^2 + 1), in four vec4 of memory each.
// Gives the same names as fq1.wgsl; a curve pass is composed with one of them.

struct El {
    c0: Fe,
    c1: Fe,
}
const EL_WORDS = 4u;

fn el_zero() -> El {
    return El(fe_zero(), fe_zero());
}

fn el_one() -> El {
    return El(fe_one(), fe_zero());
}

fn el_is_zero(a: El) -> bool {
    return fe_is_zero(a.c0) && fe_is_zero(a.c1);
}

fn el_add(a: El, b: El) -> El {
    return El(fe_add(a.c0, b.c0), fe_add(a.c1, b.c1));
}

fn el_sub(a: El, b: El) -> El {
    return El(fe_sub(a.c0, b.c0), fe_sub(a.c1, b.c1));
}

// Karatsuba. A loop, so that the multiplication is in the compiled code once: compilers inline every call.
fn el_mul(a: El, b: El) -> El {
    var low: Fe;
    var high: Fe;
    var cross: Fe;
    for (var step = 0u; step < 3u; step++) {
        var x: Fe;
        var y: Fe;
        switch step {
            case 0u: { x = a.c0; y = b.c0; }
            case 1u: { x = a.c1; y = b.c1; }
            default: { x = fe_add(a.c0, a.c1); y = fe_add(b.c0, b.c1); }
        }
        let z = fe_mul(x, y);
        switch step {
            case 0u: { low = z; }
            case 1u: { high = z; }
            default: { cross = z; }
        }
    }
    return El(fe_sub(low, high), fe_sub(fe_sub(cross, low), high));
}
