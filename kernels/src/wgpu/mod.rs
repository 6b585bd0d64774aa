//! The wgpu backend: WGSL versions of the kernels on Vulkan, Metal or DX12, in 64-bit integers where the adapter has
//! them and in 16-bit limbs where it does not.
