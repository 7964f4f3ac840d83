#!/bin/sh
# Runs the addon under valgrind's memcheck: the essentials of threads and asynchronous calls (test/stress/threads.mjs),
# once with fences and quarantine and once without, where every freed byte is really free; or the test files that are
# named. Needs valgrind, and a fixture ("npm test").
#   scripts/valgrind.sh [name of a test file ...]    NODE names another Node binary
# V8 and Node have findings of their own: those of scripts/valgrind.supp are left out, and of the rest only those count
# whose stack has a frame of the addon or of the fixture.
set -u
cd "$(dirname "$0")/.." || exit 1
node=${NODE:-node}
ours='\.node\)|pinned_ffi|libfixture|\((fixture|memory|threads)\.c:'
log=$(mktemp -d) || exit 1
trap 'rm -rf "$log"' EXIT
command -v valgrind >/dev/null || { echo 'valgrind is missing: apt-get install valgrind' >&2; exit 1; }

# V8 without a JIT: memcheck sees no generated code, and starts in half the time.
#   check TITLE ENVIRONMENT PROGRAM
check() {
  echo "# $1"
  env PINNED_FFI_STALL_MS=600000 $2 valgrind --quiet --num-callers=40 --leak-check=no --fair-sched=yes \
    --main-stacksize=16777216 --suppressions=scripts/valgrind.supp --log-file="$log/errors" \
    "$node" --jitless --no-warnings --expose-gc --allow-natives-syntax "$3" >"$log/output" 2>&1
  status=$?
  grep -E '^(#|ℹ) (tests|pass|fail) ' "$log/output"
  # A finding is a paragraph: lines of one process id, divided by lines that have nothing else.
  sed -E 's/^(==|--)[0-9]+(==|--) ?//' "$log/errors" | awk -v RS= -v ours="$ours" '
    /(at|by) 0x/ { if ($0 ~ ours) { counted++; print $0 "\n" } else others++ }
    END { printf "%d findings in the addon, %d elsewhere\n", counted, others; exit counted > 0 ? 99 : 0 }'
  found=$?
  [ "$status" -eq 0 ] || { echo "the run ended with code $status"; cat "$log/output" "$log/errors"; return 1; }
  return "$found"
}

if [ $# -eq 0 ]; then
  check 'with fences and quarantine' '' test/stress/threads.mjs || failed=1
  check 'without them' 'PINNED_FFI_FENCE=off PINNED_FFI_QUARANTINE=off' test/stress/threads.mjs || failed=1
fi
for name; do
  name=$(basename "$name" .test.js)
  check "$name" '' "$(echo test/*/"$name".test.js)" || failed=1
done
exit "${failed:-0}"
