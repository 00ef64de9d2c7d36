#!/usr/bin/env bash
# Tests gRPC with real peers: grpcio and libgrpc++ as clients and servers, faults of clients as raw
# HTTP/2, health and reflection, nghttp, h2load, calls as JSON by Connect's client and curl, etcd. Called
# by `make test` without etcd and libgrpc++, at most a minute once the programs are built; by
# `make interop` with all, which also writes the table in docs/grpc.md.
#
#   Tests/GRPC/run.sh [TEST…]     the fast part, or unittest's names: test_interop.TinyPB
#   Tests/GRPC/run.sh --all       all peers, slow faults too; writes the table
#
#   SCRATCH_PATH   SwiftPM's build folder, and where everything else is built (default: .build)
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=${SCRATCH_PATH:-$root/.build}
work=$scratch/grpc-interop
protos=/usr/share/grpc-proto
export SWIFT_DETERMINISTIC_HASHING=1 PYTHONDONTWRITEBYTECODE=1
all=
if [ "${1-}" = --all ]; then all=1; shift; fi
mkdir -p "$work"

# What scripts/deps does not install: only these tests need it.
debian=(grpc-proto protobuf-compiler nghttp2-client python3-venv curl)
[ -z "$all" ] || debian+=(libgrpc++-dev protobuf-compiler-grpc g++ etcd-server)
missing=()
for package in "${debian[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
        missing+=("$package")
done
if [ "${#missing[@]}" != 0 ]; then
    echo "installing ${missing[*]}" >&2
    apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq)
    [ "$(id -u)" = 0 ] || apt=(sudo "${apt[@]}")
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
        { "${apt[@]}" update; "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >&2
fi

# shellcheck source=Tests/GRPC/python.sh
source "$here/python.sh"
names=(grpc/testing/test.proto grpc/testing/messages.proto grpc/testing/empty.proto)
export GRPC_GENERATED=$work/generated
if [ ! -e "$GRPC_GENERATED/grpc/testing/test_pb2_grpc.py" ]; then
    mkdir -p "$GRPC_GENERATED"
    "$python/bin/python" -m grpc_tools.protoc -I "$protos" --python_out="$GRPC_GENERATED" \
        --grpc_python_out="$GRPC_GENERATED" "${names[@]}"
fi

# The programs of this project, in debug: what they depend on was built for the other tests.
build() { # PACKAGE PRODUCT…
    local package=$1 product
    shift
    for product in "$@"; do
        swift build --disable-build-manifest-caching --package-path "$root/$package" \
            --scratch-path "$scratch" --product "$product" >"$work/build.log" 2>&1 ||
            { cat "$work/build.log"; exit 1; }
    done
}
build Packages/RocketGenerator protoc-gen-swift protoc-gen-rocket
plugins=$(swift build --package-path "$root/Packages/RocketGenerator" --scratch-path "$scratch" --show-bin-path)

generate() { # SOURCES FOLDER_OF_PROTOS PROTO…: rewrites only what has changed
    local sources=$1 folder=$2 fresh=$work/swift
    shift 2
    rm -rf "$fresh"
    mkdir -p "$fresh"
    protoc -I "$folder" --plugin="$plugins/protoc-gen-swift" --plugin="$plugins/protoc-gen-rocket" \
        --swift_out="$fresh" --swift_opt=Visibility=Public,UseAccessLevelOnImports=true,FileNaming=DropPath \
        --rocket_out="$fresh" --rocket_opt=Visibility=Public "$@" >&2
    local file
    find "$fresh" -name '*.swift' | while read -r file; do
        cmp -s "$file" "$sources/$(basename "$file")" || cp "$file" "$sources/"
    done
}
generate "$here/programs/Sources/GRPCTestProtos" "$protos" "${names[@]}"
build Tests/GRPC/programs grpc_interop_server grpc_interop_client
export GRPC_PROGRAMS=$plugins

if [ -n "$all" ]; then
    export GRPC_ALL=1
    GRPC_CPP=$work/cpp
    export GRPC_CPP
    "$here/cpp/build.sh" "$GRPC_CPP"
    source "$here/etcd.sh"
fi

cd "$here"
if [ $# -gt 0 ]; then exec "$python/bin/python" -m unittest -v "$@"; fi
log=$work/tests.log
status=0
"$python/bin/python" -m unittest discover -v -s . -p 'test_*.py' 2>&1 | tee "$log" || status=$?
result=$(grep -aE '^Ran [0-9]+ test' "$log" || true)
if [ "$status" = 0 ] && [ -n "$result" ]; then
    echo "ok: ${result#Ran }, $(tail -1 "$log")"
else
    echo "FAILED: ${result:-no test ran}"
    exit 1
fi
