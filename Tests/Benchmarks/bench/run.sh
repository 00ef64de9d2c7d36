#!/usr/bin/env bash
# Measures Rocket beside plain C, C++ with libprotobuf, gRPC, Cap'n Proto and Thrift, on this
# machine in one run. Called by `make bench`, which has built bin/.
#
#   run.sh                 all parts: about 10 minutes
#   QUICK=1 run.sh         fewer shapes, two rounds, no counts: about 2 minutes
#   PART=closed run.sh     one part, merged with the results of earlier runs: closed, client, open,
#                          payload, idle, threads, start, counts; several with commas
#   PEERS=0 run.sh         without gRPC, Cap'n Proto and Thrift; results in bench-rpc
#   PUBLISH=1 run.sh       also writes the figures to docs/performance.md
#   ROUNDS=N SECONDS_EACH=X run.sh
#
# Writes tables and the aims to the terminal, and results.json, results.md and report.html to
# SCRATCH_PATH/bench. Skips peers whose Debian package is missing, and lists them in the report.
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
scratch=${SCRATCH_PATH:-$root/.build}
out=$scratch/bench

names=(tinypb_load c_tinypb cpp_tinypb odd_peers)
if [ "${PEERS-}" = 0 ]; then
    out=$scratch/bench-rpc
else
    for peer in grpc capnp thrift; do names+=("${peer}_server" "${peer}_load"); done
fi
mkdir -p "$out/programs"
for name in "${names[@]}"; do
    printf '\r\033[Kbuilding %s' "$name" >&2
    "$here/../reference/build.sh" "$out/programs" "$name" || [ $? = 3 ]
done
printf '\r\033[K' >&2

# Plots and histograms need Python libraries, installed in a virtual environment.
python=$scratch/bench-python
if [ ! -x "$python/bin/python" ]; then
    echo "bench: downloading matplotlib and hdrhistogram"
    python3 -m venv "$python"
    "$python/bin/pip" install -q matplotlib==3.11.2 hdrhistogram==0.10.8
fi
ulimit -n "$(ulimit -Hn)"
exec "$python/bin/python" "$here/bench.py" "$root/bin" "$out"
