#!/bin/sh
# Checks that calls allocate no heap memory and that a million of them leak no memory and no
# descriptors, in a release build. Counts have limits; times are only printed.
# Usage: run.sh   Called by `make test-e2e`. CALLS=N for another number of calls.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
scratch=${SCRATCH_PATH:-$here/../../.build}
swift build --disable-build-manifest-caching --package-path "$here/costs" --scratch-path "$scratch" \
    -c release --quiet
"$scratch/release/CallCosts" "${CALLS:-1000000}"
