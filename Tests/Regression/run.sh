#!/bin/sh
# What calls must not cost: heap allocations per call, and memory and descriptors over a million
# calls. Counts are judged, in a release build; times are only shown.
# Usage: run.sh   Called by `make test-e2e`. CALLS=N for another number of calls.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
scratch=${SCRATCH_PATH:-$here/../../.build}
swift build --disable-build-manifest-caching --package-path "$here/costs" --scratch-path "$scratch" \
    -c release --quiet
"$scratch/release/CallCosts" "${CALLS:-1000000}"
