#!/bin/sh
# Runs the models of what threads share (src/threads/models.rs) with loom: every order in which the threads can meet, as
# far as LOOM_MAX_PREEMPTIONS switches of a thread that could have gone on.
set -eu
cd "$(dirname "$0")/.."
RUSTFLAGS='--cfg loom' LOOM_MAX_PREEMPTIONS="${LOOM_MAX_PREEMPTIONS:-3}" CARGO_TARGET_DIR="$PWD/target/loom" \
  cargo test --locked --lib -- models "$@"
