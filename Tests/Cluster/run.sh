#!/usr/bin/env bash
# Tests a small cluster in network namespaces, each call with an idempotency-key: none may fail.
#
#   etcd   three etcd, six order servers that announce themselves there, and a client that calls them
#          by name at 1,000 calls per second while servers are restarted and killed, and etcd members
#          are killed and cut off
#   dns    dnsmasq, whose answers change while a client calls order servers by a name; a server is
#          added, one is removed and then ended, and dnsmasq is away for 10 seconds
#
# A part is skipped where it can't run: without root, network namespaces, etcd or dnsmasq.
#
#   Tests/Cluster/run.sh [PART…]      called by `make test-cluster`; default: both
#
#   RESTARTS     how many times a server of the part etcd is restarted or killed (default 100)
#   DNS_ROUNDS   how many times a server of the part dns is added and another one removed (default 3)
#   RATE         calls per second (default 1000)
#   ROCKET_BIN   the folder of the programs (default: bin/)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$root/bin}
scratch=${SCRATCH_PATH:-$root/.build}
if ! command -v ip >/dev/null || ! command -v ss >/dev/null; then
    echo "skipped: ip or ss is not installed: apt-get install iproute2"
    exit 0
fi
if ! unshare --mount --net true 2>/dev/null; then
    echo "skipped: no permission to make network namespaces"
    exit 0
fi
parts=()
for part in "${@:-etcd dns}"; do
    for name in $part; do
        case $name in
        etcd) program=etcd package=etcd-server ;;
        dns) program=dnsmasq package=dnsmasq-base ;;
        *)
            echo "run.sh: no part $name: etcd, dns" >&2
            exit 2
            ;;
        esac
        if command -v "$program" >/dev/null; then
            parts+=("$name")
        else
            echo "skipped: $name: $program is not installed: apt-get install $package"
        fi
    done
done
[ "${#parts[@]}" != 0 ] || exit 0
swift build -c release --disable-build-manifest-caching --package-path "$here/programs" \
    --scratch-path "$scratch" --product cluster_client
CLUSTER_CLIENT=$(swift build -c release --package-path "$here/programs" --scratch-path "$scratch" \
    --show-bin-path)/cluster_client
export CLUSTER_CLIENT
failed=0
for part in "${parts[@]}"; do
    echo "== $part"
    # In a namespace of mounts of its own, so that the names of the network namespaces end with it.
    unshare --mount --net python3 -B "$here/$part.py" || failed=1
done
exit "$failed"
