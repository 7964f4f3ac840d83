#!/bin/sh
# Follows the README's two commands in a chroot that holds Node, cargo, a C compiler and nothing else.
#   sh scripts/bare.sh [Node version ...]      default: 20 26
# Needs: Linux, root, mmdebstrap (apt install mmdebstrap), Node with npm, and Rust. The packages of the chroot come from
# this machine's own apt sources (run "apt-get update" once before); Rust is bind-mounted from this machine; npm and
# cargo use this machine's registries and certificates. The checkout is copied as it is, with changes that are not
# committed. The base system is kept in target/bare/base.tar: remove it for a fresh one. The log of version 20 is
# /tmp/bare-20.log.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 20 26

fail() { echo "bare.sh: $*" >&2; exit 1; }
[ "$(uname)" = Linux ] || fail 'needs Linux: it uses chroot and mount namespaces'
[ "$(id -u)" = 0 ] || fail 'needs root, for chroot and mount: run it with sudo'
for tool in mmdebstrap unshare apt-get; do
  command -v "$tool" >/dev/null || fail "$tool is missing: apt install mmdebstrap util-linux (on Debian or Ubuntu)"
done
command -v npm >/dev/null || fail 'npm is missing; it comes with Node'
rust=$(rustc --print sysroot) || fail 'Rust is missing: https://rustup.rs'
[ -x "$rust/bin/cargo" ] || fail "there is no cargo in $rust/bin"
npm_folder=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")

folder=$PWD/target/bare
root=$folder/root
base=$folder/base.tar
mkdir -p "$folder"

if [ ! -e "$base" ]; then
  . /etc/os-release
  sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
    "Origin: $(echo "$ID" | sed 's/^./\U&/')" | sort -u)
  [ -n "$sources" ] || fail "apt knows no packages of $ID; run apt-get update"
  echo "$sources" | mmdebstrap --quiet --format=tar --variant=minbase --include=gcc,libc6-dev,ca-certificates \
    "$VERSION_CODENAME" "$base.part" -
  mv "$base.part" "$base"
fi

# What the two commands are: those of README.md, so that this script cannot differ from it.
first=$(sed -n 's/^\(npm install && npm run demo\) .*/\1/p' README.md)
second=$(sed -n 's/^\(npm test\) .*/\1/p' README.md)
[ -n "$first" ] && [ -n "$second" ] || fail 'README.md does not have the two commands'

for version; do
  node=$(node -p "require('./scripts/npm.js').installNode('$version')")
  rm -rf "$root"
  mkdir -p "$root"
  tar -xf "$base" -C "$root" --exclude='./dev/*'
  mkdir -p "$root/opt/rust" "$root/home/user/checkout" "$root/usr/local/lib/node_modules"
  cp "$node" "$root/usr/local/bin/node"
  cp -r "$npm_folder" "$root/usr/local/lib/node_modules/npm"
  for tool in npm npx; do ln -s "../lib/node_modules/npm/bin/$tool-cli.js" "$root/usr/local/bin/$tool"; done
  for tool in "$rust"/bin/*; do ln -s "/opt/rust/bin/${tool##*/}" "$root/usr/local/bin/"; done
  # The network as this machine has it: names, certificates, registries.
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
    cp -L --remove-destination "$file" "$root$file"
  done
  [ ! -e "$HOME/.npmrc" ] || cp "$HOME/.npmrc" "$root/home/user/"
  for file in config.toml config; do
    [ ! -e "${CARGO_HOME:-$HOME/.cargo}/$file" ] || install -D "${CARGO_HOME:-$HOME/.cargo}/$file" "$root/home/user/.cargo/$file"
  done
  git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -T - -cf - \
    | tar -xf - -C "$root/home/user/checkout"
  chown -R 1000:1000 "$root/home/user"

  cat >"$root/home/user/follow.sh" <<END
cd ~/checkout
step() {
  echo "\$ \$1"
  began=\$(date +%s)
  sh -c "\$1" </dev/null && status=0 || status=\$?
  echo "# ended with \$status after \$((\$(date +%s) - began)) s on \$(nproc) cores"
  times >~/times
  echo "# CPU time so far, user and system: \$(tail -n 1 ~/times)"
  return "\$status"
}
echo "# Node \$(node --version), npm \$(npm --version), \$(cargo --version), \$(gcc --version | head -n 1)"
step '$first' && step '$second'
END
  log=${TMPDIR:-/tmp}/bare-$version.log
  echo "Node $version: $log"
  # Mounts end with the mount namespace, processes with that of processes.
  unshare --mount --pid --fork env ROOT="$root" RUST="$rust" sh -eu -c '
    mount --make-rprivate /
    mount --bind "$RUST" "$ROOT/opt/rust"
    mount -t proc proc "$ROOT/proc"
    mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
    for name in null zero full random urandom tty; do
      touch "$ROOT/dev/$name"
      mount --bind "/dev/$name" "$ROOT/dev/$name"
    done
    mkdir -m 1777 "$ROOT/dev/shm"
    ln -s /proc/self/fd "$ROOT/dev/fd"
    exec chroot --userspec=1000:1000 "$ROOT" env -i HOME=/home/user USER=user LANG=C.UTF-8 \
      PATH=/usr/local/bin:/usr/bin:/bin \
      ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${no_proxy:+no_proxy="$no_proxy"} \
      ${SSL_CERT_FILE:+SSL_CERT_FILE="$SSL_CERT_FILE"} ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"} \
      sh /home/user/follow.sh' >"$log" 2>&1 && status=0 || status=$?
  grep -E '^# (Node|ended|CPU)' "$log"
  [ "$status" -eq 0 ] || { echo "Node $version: failed"; failed=1; }
done
rm -rf "$root"
exit "${failed:-0}"
