// Coordinates of G1 points: elements of Fq, in two vec4 of memory each.
// Gives the same names as fq2.wgsl; a curve pass is composed with one of them.

alias El = Fe;
const EL_WORDS = 2u;

fn el_zero() -> El {
    return fe_zero();
}

fn el_one() -> El {
    return fe_one();
}

fn el_is_zero(a: El) -> bool {
    return fe_is_zero(a);
}

fn el_add(a: El, b: El) -> El {
    return fe_add(a, b);
}

fn el_sub(a: El, b: El) -> El {
    return fe_sub(a, b);
}

fn el_mul(a: El, b: El) -> El {
    return fe_mul(a, b);
}
