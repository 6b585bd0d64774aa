# For scripts to source, not to run: apt_install PACKAGE... on Debian and Ubuntu. The script defines `say` before.
apt_install() {
  command -v apt-get >/dev/null || { say "$* missing, and there is no apt-get here: please install it"; exit 1; }
  root=""
  [ "$(id -u)" -eq 0 ] || root="sudo"
  say "installing $*"
  $root apt-get update -qq
  $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}
