#!/usr/bin/env bash
# Rocket beside plain C, C++ with libprotobuf, gRPC, Cap'n Proto and Thrift, on this machine in one
# run. Called by `make bench`, which has built bin/.
#
#   run.sh                 everything: about 10 minutes
#   QUICK=1 run.sh         the same with fewer shapes and one round: about 2
#   PART=closed run.sh     one part, joined with what earlier runs left: closed, client, open,
#                          payload, idle, threads; several with commas
#   ROUNDS=N SECONDS_EACH=X run.sh
#
# Writes a table to the terminal, and results.json, results.md and report.html to SCRATCH_PATH/bench. A peer
# whose Debian package is missing is left out, and the report says so.
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=${SCRATCH_PATH:-$root/.build}/bench
mkdir -p "$out/programs"

names=(tinypb_load c_tinypb cpp_tinypb odd_peers)
for peer in grpc capnp thrift; do names+=("${peer}_server" "${peer}_load"); done
for name in "${names[@]}"; do
    "$here/../reference/build.sh" "$out/programs" "$name" || [ $? = 3 ]
done

# Plots and histograms are Python's own libraries, in an environment of their own.
if [ ! -x "$out/python/bin/python" ]; then
    echo "bench: fetching matplotlib and hdrhistogram"
    python3 -m venv "$out/python"
    "$out/python/bin/pip" install -q matplotlib==3.11.2 hdrhistogram==0.10.8
fi
ulimit -n "$(ulimit -Hn)"
exec "$out/python/bin/python" "$here/bench.py" "$root/bin" "$out"
