#!/usr/bin/env bash
# Measures unary calls and streams of Rocket on both wires beside gRPC C++ (asynchronous and callback
# API) and grpcio, on this machine in one run. Called by `make bench-grpc`, which has built bin/.
#
#   run.sh                   all parts: about 8 minutes
#   QUICK=1 run.sh           one round of short measurements, no counts: about 2 minutes
#   PART=calls run.sh        some of: calls, streams, idle, counts; separated by commas; merged with
#                            the results of earlier runs
#   ROUNDS=N SECONDS_EACH=X run.sh
#
# calls    server processor time per call and calls/s at depth 1, 32 and 64 x 32
# streams  messages of 100 B and 64 KiB: to the server, to the client, and each answered by its echo
# idle     resident memory of an idle connection, and of an open stream
# counts   instructions and allocations per call and message, under callgrind (make check-perf)
#
# Writes tables and the aims to the terminal, and results.json and results.md to
# SCRATCH_PATH/bench-grpc. Skips peers that can't be built or installed, and lists them.
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,18s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
scratch=${SCRATCH_PATH:-$root/.build}
out=$scratch/bench-grpc
programs=$out/programs
mkdir -p "$programs"
for name in http2_load tinypb_load tinypb_connects grpc_server grpc_callback_server grpc_load \
    grpc_streams; do
    printf '\r\033[Kbuilding %s' "$name" >&2
    "$here/../reference/build.sh" "$programs" "$name" || [ $? = 3 ]
done
printf '\r\033[K' >&2

# grpcio of the same version as Debian's gRPC C++.
python=$scratch/bench-grpc-python
if [ ! -e "$python/ready" ]; then
    echo "bench-grpc: downloading grpcio"
    if python3 -m venv "$python" &&
        "$python/bin/pip" install -q --disable-pip-version-check grpcio==1.51.1 protobuf==4.21.12; then
        touch "$python/ready"
    else
        rm -rf "$python"
    fi
fi
if [ -e "$python/ready" ] && command -v protoc >/dev/null; then
    protoc -I "$root/Apps/Protos" --python_out="$out" "$root/Apps/Protos/order.proto"
fi
ulimit -n "$(ulimit -Hn)"
exec python3 -B "$here/main.py" "${ROCKET_BIN:-$root/bin}" "$out" "$python/bin/python"
