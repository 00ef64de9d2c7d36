#!/bin/sh
# Checks, in a release build, that calls allocate no heap memory, that a million of them leak no
# memory and no descriptors, and that a peer that reads slowly gets every large reply within the
# server's memory bound. Counts have limits; times are only printed. Needs bin/ (make all).
# Usage: run.sh   Called by `make test-e2e`. CALLS=N for another number of calls.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
scratch=${SCRATCH_PATH:-$here/../../.build}
swift build --disable-build-manifest-caching --package-path "$here/costs" --scratch-path "$scratch" \
    -c release --quiet
"$scratch/release/CallCosts" "${CALLS:-1000000}"
python3 "$here/../Benchmarks/backpressure/slow_reader.py" "$here/../../bin/rocket_bench_server" \
    --calls 256 --rate 40e6
