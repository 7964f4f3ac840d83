#!/bin/sh
# Runs tests with the addon and the C fixture built for AddressSanitizer: what either reads or writes outside of what it
# owns, or after it was freed, is a finding. Needs a nightly Rust (rustup toolchain install nightly) and gcc, with its
# libasan. What is left out, and why: docs/testing.md.
#   scripts/asan.sh [name of a test file ...]
set -u
cd "$(dirname "$0")/.." || exit 1
target=x86_64-unknown-linux-gnu
out=$PWD/target/asan
runtime=$(gcc -print-file-name=libasan.so)
[ -e "$runtime" ] || { echo 'libasan of gcc is missing: apt-get install gcc' >&2; exit 1; }
fixture=test/fixtures/build/libfixture.so
[ -e "$fixture" ] || { echo 'the fixture is missing: npm test' >&2; exit 1; }

echo '# building'
RUSTFLAGS='-Zsanitizer=address -Cforce-frame-pointers=yes' CARGO_PROFILE_RELEASE_LTO=off \
  CARGO_PROFILE_RELEASE_STRIP=none CARGO_TARGET_DIR=$out \
  cargo +nightly build --locked --quiet --release --lib --target $target || exit 1

# The tests look for the fixture where it always is: it gives way for the length of the run.
gcc -std=gnu11 -O1 -g -fsanitize=address -fno-omit-frame-pointer -shared -fPIC -pthread -o "$out/libfixture.so" \
  test/fixtures/*.c -lm || exit 1
mv "$fixture" "$out/libfixture.plain.so" || exit 1
cp "$out/libfixture.so" "$fixture"
log=$(mktemp -d) || exit 1
trap 'mv "$out/libfixture.plain.so" "$fixture"; rm -rf "$log"' EXIT
trap 'exit 1' INT TERM

# What crashes on purpose, limits or compares its memory, opens a library with RTLD_DEEPBIND (the sanitizer refuses it),
# frees with glibc's own free() what the sanitizer's malloc() gave (dlopen('c')), starts processes that have a malloc()
# of their own (isolated libraries), or is about files, documents and installed packages.
left_out='isolate isolate-host trace ending worker-ending late-callback faults real interpose reset ecosystem'
left_out="$left_out runners compare install bundle docs documented architecture bench bind bind-headers bind-options"
left_out="$left_out bind-programs cli examples runtimes testing workflows host-symbols isolate-death isolate-memory"
left_out="$left_out isolate-real isolate-sandbox isolate-surroundings isolate-tools copies notices platforms koffi-packages"
left_out="$left_out site"
if [ $# -eq 0 ]; then
  for file in test/*/*.test.js; do
    case " $left_out " in *" $(basename "$file" .test.js) "*) ;; *) set -- "$@" "$file" ;; esac
  done
fi
for name; do files="${files:-} $(echo test/*/"$(basename "$name" .test.js)".test.js)"; done

# Node is not built for it: it leaks at its end, on purpose, and has handlers of its own. A small quarantine: some tests
# look at how resident memory grows. NULL for what is too long: some tests ask for that.
options=quarantine_size_mb=4:allocator_may_return_null=1:detect_leaks=0:handle_segv=0:handle_abort=0
options=$options:allow_user_segv_handler=1:alloc_dealloc_mismatch=0
env ASAN_OPTIONS="$options:log_path=$log/asan" \
  PINNED_FFI_ADDON="$out/$target/release/libpinned_ffi.so" LD_PRELOAD="$runtime" \
  node --expose-gc --allow-natives-syntax --test --test-timeout=600000 $files
status=$?
count=$(cat "$log"/asan* 2>/dev/null | grep -c 'ERROR: AddressSanitizer')
cat "$log"/asan* 2>/dev/null
echo "$count findings"
[ "$status" -eq 0 ] && [ "$count" -eq 0 ]
