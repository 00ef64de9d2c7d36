#!/bin/sh
# Fuzzes TLS sessions for FUZZ_SECONDS, starting from the committed corpus, with the address sanitizer.
# New inputs are stored in .build/fuzz-tls/tls; see Packages/RocketTLS/Fuzz/README.md.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
fuzz=$root/Packages/RocketTLS/Fuzz
scratch=${SCRATCH_PATH:-$root/.build}/fuzz-tls
found=$scratch/tls
mkdir -p "$found"
# Has its own scratch path: everything in it is built with the instrumentation of the fuzzer.
build() {
    swift build -c release --package-path "$fuzz" --scratch-path "$scratch" --sanitize=fuzzer \
        --sanitize=address "$@"
}
build
bin=$(build --show-bin-path)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tls-certificates"
cd "$work"
# Swift's runtime keeps what it has made once: leaks are looked for in what an input makes.
"$bin/FuzzTLS" -max_len=4096 -timeout=5 -rss_limit_mb=1024 -detect_leaks=1 \
    -max_total_time="${FUZZ_SECONDS:-30}" -artifact_prefix="$found/" -print_final_stats=1 \
    "$found" "$fuzz/Corpus/tls"
