#!/bin/sh
# Runs tests with the addon and the C fixture built for AddressSanitizer: what either writes or reads outside of what it
# owns, or after it was freed, ends the run. Needs a nightly Rust with rust-src, and gcc's libasan (it comes with gcc).
#   scripts/asan.sh [test file or part of its name ...]
# Left out of what runs by default, because AddressSanitizer itself changes what they look at: see docs/testing.md.
set -eu
cd "$(dirname "$0")/.."
target=x86_64-unknown-linux-gnu
out=target/asan
