#!/bin/sh
# Fuzzes compression for FUZZ_SECONDS per target, starting from the committed corpus, with the address
# sanitizer. New inputs are stored in .build/fuzz-compression/TARGET; see
# Packages/RocketCompression/Fuzz/README.md.
#
#   Tests/Fuzz/compression/run.sh [TARGET…]    decompress compress-decompress; both by default
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
fuzz=$root/Packages/RocketCompression/Fuzz
scratch=${SCRATCH_PATH:-$root/.build}/fuzz-compression
# Has its own scratch path: everything in it is built with the instrumentation of the fuzzer.
build() {
    swift build -c release --package-path "$fuzz" --scratch-path "$scratch" --sanitize=fuzzer \
        --sanitize=address "$@"
}
build
bin=$(build --show-bin-path)
[ $# -gt 0 ] || set -- decompress compress-decompress
failed=0
for target in "$@"; do
    case $target in
    decompress) program=FuzzDecompress ;;
    compress-decompress) program=FuzzCompress ;;
    *)
        echo "run.sh: unknown target $target" >&2
        exit 2
        ;;
    esac
    found=$scratch/$target
    mkdir -p "$found"
    echo "-- $target"
    "$bin/$program" -dict="$fuzz/compression.dict" -max_len=4096 -timeout=5 -rss_limit_mb=1024 \
        -max_total_time="${FUZZ_SECONDS:-30}" -artifact_prefix="$found/" -print_final_stats=1 \
        "$found" "$fuzz/Corpus/$target" || failed=1
done
exit "$failed"
