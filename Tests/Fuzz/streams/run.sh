#!/bin/sh
# Fuzzes the streams of RocketRPC for about FUZZ_SECONDS with inputs of a generator, from a seed that
# the time chooses; see Packages/RocketRPC/Fuzz/README.md. STREAM_FUZZ_FIRST and STREAM_FUZZ_INPUTS
# choose the first seed and how many to run.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
scratch=${SCRATCH_PATH:-$root/.build}
swift build --build-tests --disable-build-manifest-caching --package-path "$root/Packages/RocketRPC" \
    --scratch-path "$scratch"
first=${STREAM_FUZZ_FIRST:-$(date +%s)000}
count=${STREAM_FUZZ_INPUTS:-1000}
end=$(($(date +%s) + ${FUZZ_SECONDS:-30}))
while :; do
    echo "streams: seeds from $first on, $count of them"
    STREAM_FUZZ_FIRST=$first STREAM_FUZZ_INPUTS=$count swift test --skip-build \
        --disable-build-manifest-caching --package-path "$root/Packages/RocketRPC" \
        --scratch-path "$scratch" --filter StreamFuzzTests
    first=$((first + count))
    [ -z "${STREAM_FUZZ_INPUTS-}" ] && [ "$(date +%s)" -lt "$end" ] || break
done
