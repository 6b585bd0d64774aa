// MSM in G2. See msm.cuh.
#include "msm.cuh"

LATHE_MSM_KERNELS(g2, CalledG2, CalledG2, 2)
