#!/bin/sh
# Checks what the package is made of: lockfiles, licences, sources, advisories. Needs cargo-deny
# (cargo install --locked cargo-deny), and for the advisories a connection to GitHub and the npm registry.
#   scripts/supply.sh [--offline]     without the advisories
set -u
cd "$(dirname "$0")/.." || exit 1
offline=${1:-}
[ -z "$offline" ] || [ "$offline" = --offline ] || { echo "unknown option $offline; known: --offline" >&2; exit 1; }
command -v cargo-deny >/dev/null || { echo 'cargo-deny is missing: cargo install --locked cargo-deny' >&2; exit 1; }

check() {
  echo "# $*"
  "$@" >"$log" 2>&1 || { cat "$log"; failed=1; }
}
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# Both fail where the lockfile does not fit the manifest.
check cargo metadata --locked --format-version 1
for lock in package-lock.json */package-lock.json test/*/package-lock.json test/ecosystem/*/package-lock.json test/typescript/*/package-lock.json \
  docs/*/package-lock.json; do
  [ -f "$lock" ] && check npm ci --dry-run --ignore-scripts --no-audit --no-fund --prefix "$(dirname "$lock")"
done

if [ "$offline" = --offline ]; then
  check cargo deny --locked check bans licenses sources
  echo 'The advisories were not asked for.'
else
  check cargo deny --locked check
  check npm audit
fi
[ -z "${failed:-}" ] && echo 'The supply chain is as it should be.'
exit "${failed:-0}"
