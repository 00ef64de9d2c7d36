#!/bin/sh
# Fuzzes the reader of the configuration for FUZZ_SECONDS, starting from the committed corpus. New
# inputs are stored in .build/fuzz/xml; see Packages/RocketBase/Fuzz/README.md.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
fuzz=$root/Packages/RocketBase/Fuzz
scratch=${SCRATCH_PATH:-$root/.build}/fuzz
found=$scratch/xml
mkdir -p "$found"
# Has its own scratch path: everything in it is built with the instrumentation of the fuzzer.
swift build -c release --package-path "$fuzz" --scratch-path "$scratch" --sanitize=fuzzer
bin=$(swift build -c release --package-path "$fuzz" --scratch-path "$scratch" --show-bin-path)
exec "$bin/FuzzXML" -dict="$fuzz/xml.dict" -max_len=65536 -timeout=5 -rss_limit_mb=512 \
    -max_total_time="${FUZZ_SECONDS:-30}" -artifact_prefix="$found/" -print_final_stats=1 \
    "$found" "$fuzz/Corpus/xml"
