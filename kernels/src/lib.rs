//! BN254 kernels: MSM, FFT and fixed-base multiplication behind one `Backend` trait.
