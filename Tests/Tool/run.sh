#!/usr/bin/env bash
# Tests the program `rocket` with real servers: order_server over TinyPB and gRPC, over TLS and a Unix
# socket, and a server of grpcio with and without reflection. Called by `make test-e2e`, which has built
# bin/. Takes about a minute.
#
#   Tests/Tool/run.sh [TEST…]     all tests, or modules, classes, methods: test_call.Errors
#
#   ROCKET_BIN     the folder of the programs (default: bin/)
#   SCREENSHOTS    the folder for pictures of the pages (default: .build/logs/tool)
#   SCRATCH_PATH   where grpcio is installed, for Tests/GRPC, too (default: .build)
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${SCRATCH_PATH:-$root/.build}/grpc-interop
export PYTHONDONTWRITEBYTECODE=1
export SCREENSHOTS=${SCREENSHOTS:-${SCRATCH_PATH:-$root/.build}/logs/tool}
mkdir -p "$work" "$SCREENSHOTS"
"$root/scripts/deps" --admin
# shellcheck source=Tests/GRPC/python.sh
source "$root/Tests/GRPC/python.sh"
export TOOL_GENERATED=$work/tool-generated
if [ ! -e "$TOOL_GENERATED/points_pb2_grpc.py" ] ||
    [ "$here/protos/points.proto" -nt "$TOOL_GENERATED/points_pb2_grpc.py" ]; then
    mkdir -p "$TOOL_GENERATED"
    "$python/bin/python" -m grpc_tools.protoc -I "$here/protos" --python_out="$TOOL_GENERATED" \
        --grpc_python_out="$TOOL_GENERATED" points.proto kinds.proto
fi
if [ ! -e "$TOOL_GENERATED/binarylog_pb2.py" ]; then
    "$python/bin/python" -m grpc_tools.protoc --python_out="$TOOL_GENERATED" \
        -I "$root/Packages/RocketAdmin/Protos/grpc/binlog/v1" binarylog.proto
fi

cd "$here"
if [ $# -gt 0 ]; then exec "$python/bin/python" -m unittest -v "$@"; fi
log=$work/tool-tests.log
status=0
"$python/bin/python" -m unittest discover -v -s . -p 'test_*.py' 2>&1 | tee "$log" || status=$?
result=$(grep -aE '^Ran [0-9]+ test' "$log" || true)
if [ "$status" = 0 ] && [ -n "$result" ]; then
    echo "ok: ${result#Ran }, $(tail -1 "$log")"
else
    echo "FAILED: ${result:-no test ran}"
    exit 1
fi
