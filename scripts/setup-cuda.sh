#!/bin/sh
# Installs NVIDIA's compilers into target/cuda-venv from PyPI, for `cargo build --features cuda` on machines without a
# CUDA install. Nothing here needs a GPU or a driver. Running it again does nothing; the versions below are the only ones.
set -eu
cd "$(dirname "$0")/.."

venv=${CUDA_VENV:-target/cuda-venv}
# nvcc 13 with what it needs to make PTX and machine code, the tools that print machine code, and the assembler of
# CUDA 12.1 (x86-64 only), with which the build checks that drivers of CUDA 12 will take the PTX.
packages="nvidia-cuda-nvcc==13.5.37 nvidia-nvvm==13.5.37 nvidia-cuda-crt==13.5.37 nvidia-cuda-runtime==13.5.37
nvidia-cuda-cccl==13.3.5.0.6 nvidia-cuda-cuobjdump==13.4.92 nvidia-cuda-nvdisasm==13.5.37"
[ "$(uname -m)" != x86_64 ] || packages="$packages nvidia-cuda-nvcc-cu12==12.1.105"

say() { echo "setup-cuda: $*"; }

. scripts/apt.sh

# The marker names what is installed, and is written last: a broken run is repeated.
marker="$venv/lathe-cuda-packages"
if [ -f "$marker" ] && [ "$(cat "$marker")" = "$packages" ]; then
  say "$venv is up to date"
  exit 0
fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64 | Linux-aarch64) ;;
  *) say "NVIDIA publishes these packages for Linux on x86-64 and aarch64 only, this is $(uname -s) on $(uname -m)"; exit 1 ;;
esac
command -v python3 >/dev/null || apt_install python3
python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3-venv
# nvcc calls a host C++ compiler even where it only assembles.
command -v g++ >/dev/null || apt_install g++

say "installing nvcc 13.5 into $venv (about 200 MB to fetch)"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
# shellcheck disable=SC2086  # the list is split on purpose
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps $packages

# Wheels lose the executable bit on some installers.
nvcc=$(echo "$venv"/lib/python3*/site-packages/nvidia/cu13/bin/nvcc)
[ -f "$nvcc" ] || { say "nvcc is not at $nvcc after the install: remove $venv and run this again"; exit 1; }
chmod +x "$(dirname "$nvcc")"/* "$venv"/lib/python3*/site-packages/nvidia/cuda_nvcc/bin/* 2>/dev/null || true
say "$("$nvcc" --version | sed -n 's/.*release \([0-9.]*\).*/nvcc \1 works/p')"
printf '%s' "$packages" >"$marker"
say "done: cargo build --release --features cuda now finds it"
