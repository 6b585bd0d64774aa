#!/bin/sh
# Builds what the image holds, from a source tree into a folder: lathe and prover-bench with the feature cuda, and
# the contracts. Runs as the build stage of the Dockerfile and on any Debian or Ubuntu root; it needs no GPU.
#
#   sh scripts/build-image.sh /opt/lathe
#
# It installs packages with apt-get and Rust with rustup where they are missing, so run it as root in a container, a
# chroot or a machine kept for building.
set -eu
cd "$(dirname "$0")/.."
prefix=${1:?usage: build-image.sh PREFIX}
# What Cargo.toml asks for at least is 1.94.1; this is what the tests run with.
rust=1.95.0
rustup=1.28.2

say() { echo "build-image: $*"; }

packages=""
need() { command -v "$1" >/dev/null || packages="$packages $2"; }
need cc build-essential
need g++ g++
need make make
need curl curl
need npm "nodejs npm"
need python3 python3
python3 -c 'import venv, ensurepip' 2>/dev/null || packages="$packages python3-venv"
[ -e /etc/ssl/certs/ca-certificates.crt ] || packages="$packages ca-certificates"
if [ -n "$packages" ]; then
  say "installing$packages"
  apt-get update -qq
  # shellcheck disable=SC2086  # the list is split on purpose
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
fi

if ! command -v cargo >/dev/null; then
  say "installing Rust $rust"
  fetch() { curl --proto '=https' --tlsv1.2 -sSf "https://static.rust-lang.org/rustup/archive/$rustup/$1" -o "$tmp/$2"; }
  tmp=$(mktemp -d)
  triple=$(uname -m)-unknown-linux-gnu
  fetch "$triple/rustup-init" rustup-init
  fetch "$triple/rustup-init.sha256" sum
  (cd "$tmp" && echo "$(cut -d' ' -f1 sum)  rustup-init" | sha256sum -c --quiet)
  chmod +x "$tmp/rustup-init"
  "$tmp/rustup-init" -y --quiet --no-modify-path --profile minimal --default-toolchain "$rust"
  rm -r "$tmp"
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  export PATH
fi

make contracts setup-cuda
say "building lathe and prover-bench with CUDA"
cargo build --release --locked --workspace --features cuda --bin lathe --bin prover-bench

target=${CARGO_TARGET_DIR:-target}/release
for binary in lathe prover-bench; do
  # A binary that links the driver would not start where there is none.
  if ldd "$target/$binary" | grep -q libcuda; then
    say "$binary links libcuda; it must open it at run time instead"
    exit 1
  fi
  "$target/$binary" --version
done

mkdir -p "$prefix/bin" "$prefix/contracts" "$prefix/setup"
install -m 755 "$target/lathe" "$target/prover-bench" "$prefix/bin/"
for contract in LatheRollup BatchVerifier; do
  cp -R "contracts/out/$contract.sol" "$prefix/contracts/"
done
install -m 755 scripts/image-runtime.sh "$prefix/setup/runtime.sh"
cp LICENSE-APACHE LICENSE-MIT "$prefix/"
say "done: $prefix"
