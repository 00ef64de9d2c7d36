#!/bin/sh
# Fuzzes HTTP/2 sessions for FUZZ_SECONDS, starting from the committed corpus, with the address
# sanitizer. New inputs are stored in .build/fuzz-http2/http2; see Packages/RocketHTTP2/Fuzz/README.md.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
fuzz=$root/Packages/RocketHTTP2/Fuzz
scratch=${SCRATCH_PATH:-$root/.build}/fuzz-http2
found=$scratch/http2
mkdir -p "$found"
# Has its own scratch path: everything in it is built with the instrumentation of the fuzzer.
build() {
    swift build -c release --package-path "$fuzz" --scratch-path "$scratch" --sanitize=fuzzer \
        --sanitize=address "$@"
}
build
bin=$(build --show-bin-path)
"$bin/FuzzHTTP2" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
    -max_total_time="${FUZZ_SECONDS:-30}" -artifact_prefix="$found/" -print_final_stats=1 \
    "$found" "$fuzz/Corpus/http2"
