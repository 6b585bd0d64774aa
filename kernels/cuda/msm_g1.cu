// MSM in G1, and the kernels that see scalars only. See msm.cuh.
#define LATHE_MSM_SCALARS
#include "msm.cuh"

LATHE_MSM_KERNELS(g1, InlineG1, CalledG1, 4)
