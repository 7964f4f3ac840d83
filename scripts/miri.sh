#!/bin/sh
# Runs the unit tests of the Rust core under Miri, except those that call C, which are marked so. Needs a nightly Rust
# with Miri: rustup toolchain install nightly --component miri,rust-src
set -eu
cd "$(dirname "$0")/.."
# The frame and the blocks are found from numbers that C gives: provenance is exposed, as the code says where it does
# so. Tables stay until the process ends (M9), and so does memory that is kept to be used again: leaks are the soak's to
# find.
MIRIFLAGS="${MIRIFLAGS:--Zmiri-permissive-provenance -Zmiri-ignore-leaks}" CARGO_TARGET_DIR="$PWD/target/miri" \
  cargo +nightly miri test --locked --lib "$@"
