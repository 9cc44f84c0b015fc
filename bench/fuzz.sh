#!/usr/bin/env bash
# Runs every fuzz target of the repository for a while, one after another: bench/fuzz.sh DURATION [PACKAGE...]
# Exits with 1 when one of them found something; Go leaves the input in the package's testdata/fuzz.
set -uo pipefail

if [ $# -lt 1 ] || ! [[ $1 =~ ^[0-9]+(ms|s|m|h|x)$ ]]; then
  echo "usage: bench/fuzz.sh DURATION [PACKAGE...]   (such as 10m, or 1000x for a number of inputs)" >&2
  exit 2
fi
cd "$(dirname "$0")/.." || exit 2
go=${GO:-go}
time=$1
shift
[ $# -gt 0 ] || set -- ./...
packages=$("$go" list "$@") || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

ran=0 failed=()
for package in $packages; do
  targets=$("$go" test -list '^Fuzz' "$package" 2>"$log" | grep '^Fuzz')
  if grep -q '^FAIL' "$log"; then
    cat "$log" >&2
    failed+=("$package: does not build")
  fi
  for target in $targets; do
    ran=$((ran + 1))
    echo "== $package $target ($time)"
    if "$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" >"$log" 2>&1; then
      grep 'elapsed' "$log" | tail -1
    else
      cat "$log"
      failed+=("$package $target")
    fi
  done
done

echo "== $ran fuzz targets, ${#failed[@]} with a finding"
[ ${#failed[@]} -eq 0 ] && exit 0
printf '   %s\n' "${failed[@]}"
exit 1
