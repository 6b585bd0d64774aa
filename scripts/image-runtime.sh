#!/bin/sh
# The only step of the image's second stage: the account that the server runs as and its data folder. It installs
# nothing, so that the image holds nothing that a stranger could use beyond its base. ROOT prefixes all paths in tests.
set -eu
root=${ROOT:-}
id=10001

if ! grep -q "^lathe:" "$root/etc/passwd"; then
  echo "lathe:x:$id:$id:lathe:/var/lib/lathe:/usr/sbin/nologin" >>"$root/etc/passwd"
  echo "lathe:x:$id:" >>"$root/etc/group"
fi
mkdir -p "$root/var/lib/lathe"
chown "$id:$id" "$root/var/lib/lathe"
chmod 700 "$root/var/lib/lathe"
