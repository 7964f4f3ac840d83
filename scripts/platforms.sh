#!/bin/sh
# Type-checks the Rust part for the platforms that are written for and cannot be run here. Needs rustup, which installs
# their standard libraries.
#   scripts/platforms.sh [target ...]
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || set -- aarch64-apple-darwin x86_64-apple-darwin x86_64-pc-windows-gnu aarch64-unknown-linux-gnu \
  aarch64-unknown-linux-musl x86_64-unknown-linux-musl
rustup target add "$@" || exit 1

# Nothing is linked: neither libffi nor, on Windows, Node's import library has to be there for that platform.
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
touch "$folder/libnode.dll"
for target; do
  echo "# $target"
  LIBNODE_PATH=$folder CARGO_TARGET_DIR=target/platforms RUSTFLAGS='-D warnings' \
    cargo check --locked --quiet --lib --features libffi/system --target "$target" || failed=1
done
exit "${failed:-0}"
