#!/usr/bin/env bash
# Measures what TLS costs a Rocket server, beside its own plaintext, gRPC C++ with TLS, and OpenSSL
# alone, on this machine in one run. Called by `make bench-tls`, which has built bin/.
#
#   run.sh                 all parts: about 4 minutes
#   QUICK=1 run.sh         one round of short measurements: about 1 minute
#   PART=calls run.sh      some of: calls, connections, memory, storm; separated by commas
#   ROUNDS=N SECONDS_EACH=X run.sh
#
# calls        server processor time per call at depth 1, 32 and 64 x 32
# connections  server processor time of: connect, handshake (full, resumed, mutual), one call, close
# memory       memory of an idle connection: plain, TLS, mutual: malloc's, and resident
# storm        latency of one client at depth 1 while 1,000 others reconnect without a pause
#
# Prints tables and the aims, and writes SCRATCH_PATH/bench-tls/results.json.
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=${SCRATCH_PATH:-$root/.build}/bench-tls
mkdir -p "$out/programs"
for name in tinypb_load tinypb_connects tls_handshakes heap_in_use grpc_server grpc_load; do
    printf '\r\033[Kbuilding %s' "$name" >&2
    "$here/../reference/build.sh" "$out/programs" "$name" || [ $? = 3 ]
done
printf '\r\033[K' >&2
rm -rf "$out/ca"
{
    "$root/scripts/dev-ca" "$out/ca" init
    "$root/scripts/dev-ca" "$out/ca" issue server --dns localhost --ip 127.0.0.1
    "$root/scripts/dev-ca" "$out/ca" issue client --client
} >"$out/ca.log" 2>&1 || { cat "$out/ca.log" >&2; exit 1; }
ulimit -n "$(ulimit -Hn)"
exec python3 -B "$here/tls.py" "${ROCKET_BIN:-$root/bin}" "$out"
