#!/bin/sh
# Fuzzes each decoder for FUZZ_SECONDS, starting from its committed corpus. New inputs are stored in
# .build/fuzz-codec/TARGET; see Packages/RocketCodec/Fuzz/README.md.
#
#   Tests/Fuzz/codec/run.sh [TARGET…]    decode-TinyPB decode-length-field decode-metadata
#                                        decode-error-status decode-encode-decode; all of them by default
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
fuzz=$root/Packages/RocketCodec/Fuzz
scratch=${SCRATCH_PATH:-$root/.build}/fuzz-codec
# Has its own scratch path: everything in it is built with the instrumentation of the fuzzer, and
# with assertions, which check the unchecked loads.
build() {
    swift build -c release --package-path "$fuzz" --scratch-path "$scratch" --sanitize=fuzzer \
        -Xswiftc -assert-config -Xswiftc Debug "$@"
}
build
bin=$(build --show-bin-path)
[ $# -gt 0 ] || set -- decode-TinyPB decode-length-field decode-metadata decode-error-status \
    decode-encode-decode
failed=0
for target in "$@"; do
    case $target in
    decode-TinyPB) program=FuzzTinyPB ;;
    decode-length-field) program=FuzzLengthField ;;
    decode-metadata) program=FuzzMetadata ;;
    decode-error-status) program=FuzzErrorStatus ;;
    decode-encode-decode) program=FuzzRoundTrip ;;
    *)
        echo "run.sh: unknown target $target" >&2
        exit 2
        ;;
    esac
    found=$scratch/$target
    mkdir -p "$found"
    echo "-- $target"
    "$bin/$program" -dict="$fuzz/codec.dict" -max_len=4096 -timeout=5 -rss_limit_mb=512 \
        -max_total_time="${FUZZ_SECONDS:-30}" -artifact_prefix="$found/" -print_final_stats=1 \
        "$found" "$fuzz/Corpus/$target" || failed=1
done
exit "$failed"
