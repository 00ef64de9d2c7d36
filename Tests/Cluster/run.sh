#!/usr/bin/env bash
# Tests a small cluster in network namespaces: three etcd, six order servers that announce themselves
# there, and a client that calls them by name at 1,000 calls per second while servers are restarted and
# killed, and etcd members are killed and cut off. Every call has an idempotency-key: none may fail.
# Skipped where network namespaces or etcd are missing.
#
#   Tests/Cluster/run.sh      called by `make test-cluster`
#
#   RESTARTS     how many times a server is restarted or killed (default 100)
#   RATE         calls per second (default 1000)
#   ROCKET_BIN   the folder of the programs (default: bin/)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$root/bin}
scratch=${SCRATCH_PATH:-$root/.build}
for program in etcd ip; do
    if ! command -v "$program" >/dev/null; then
        echo "skipped: $program is not installed: apt-get install etcd-server iproute2"
        exit 0
    fi
done
if ! unshare --net true 2>/dev/null; then
    echo "skipped: no permission to make network namespaces"
    exit 0
fi
swift build -c release --disable-build-manifest-caching --package-path "$here/programs" \
    --scratch-path "$scratch" --product cluster_client
CLUSTER_CLIENT=$(swift build -c release --package-path "$here/programs" --scratch-path "$scratch" \
    --show-bin-path)/cluster_client
export CLUSTER_CLIENT
# In a namespace of mounts of its own, so that the names of the network namespaces end with it.
exec unshare --mount --net python3 -B "$here/cluster.py"
