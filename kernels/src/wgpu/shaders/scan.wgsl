// Exclusive prefix sums of words, a block of 1024 per workgroup, in place. Sums of blocks go to a list of their own,
// which is scanned likewise and then added. Must not assume a subgroup size.

struct Params {
    len: u32,
    // 0: scan each block and put its sum in sums. 1: add sums[block] to each entry.
    add: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> entries: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;

var<workgroup> totals: array<u32, 256>;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let block = group.x + group.y * groups.x;
    let start = block * 1024u + local * 4u;
    if params.add == 1u {
        for (var i = start; i < min(start + 4u, params.len); i++) {
            entries[i] += sums[block];
        }
        return;
    }
    var own = 0u;
    for (var i = start; i < min(start + 4u, params.len); i++) {
        let entry = entries[i];
        entries[i] = own;
        own += entry;
    }
    // Hillis and Steele 1986 over the threads' totals.
    totals[local] = own;
    workgroupBarrier();
    for (var step = 1u; step < 256u; step <<= 1u) {
        var left = 0u;
        if local >= step {
            left = totals[local - step];
        }
        workgroupBarrier();
        totals[local] += left;
        workgroupBarrier();
    }
    let before = totals[local] - own;
    for (var i = start; i < min(start + 4u, params.len); i++) {
        entries[i] += before;
    }
    if local == 255u && start - local * 4u < params.len {
        sums[block] = totals[255];
    }
}
