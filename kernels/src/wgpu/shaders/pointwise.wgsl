// The quotient on the coset: a = (a b - c) z, element by element, with z the inverse of the vanishing polynomial's value.
// Must be dispatched with vectors of equal length.

struct Params {
    z_lo: vec4<u32>,
    z_hi: vec4<u32>,
    len: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> c: array<vec4<u32>>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.x + group.y * groups.x) * THREADS + local;
    if i >= params.len {
        return;
    }
    let at = 2u * i;
    let product = fe_mul(Fe(a[at], a[at + 1u]), Fe(b[at], b[at + 1u]));
    let h = fe_mul(fe_sub(product, Fe(c[at], c[at + 1u])), Fe(params.z_lo, params.z_hi));
    a[at] = h.lo;
    a[at + 1u] = h.hi;
}
