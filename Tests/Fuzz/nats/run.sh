#!/bin/sh
# Fuzzes what a client reads of a server of NATS for FUZZ_SECONDS, starting from the committed corpus. New
# inputs are stored in .build/fuzz-nats/nats; see Packages/RocketNATS/Fuzz/README.md.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
fuzz=$root/Packages/RocketNATS/Fuzz
scratch=${SCRATCH_PATH:-$root/.build}/fuzz-nats
found=$scratch/nats
mkdir -p "$found"
# Has its own scratch path: everything in it is built with the instrumentation of the fuzzer, and with
# assertions, which check the unchecked loads.
build() {
    swift build -c release --package-path "$fuzz" --scratch-path "$scratch" --sanitize=fuzzer \
        -Xswiftc -assert-config -Xswiftc Debug "$@"
}
build
exec "$(build --show-bin-path)/FuzzNATS" -dict="$fuzz/nats.dict" -max_len=20000 -timeout=5 \
    -rss_limit_mb=512 -max_total_time="${FUZZ_SECONDS:-30}" -artifact_prefix="$found/" \
    -print_final_stats=1 "$found" "$fuzz/Corpus/nats"
