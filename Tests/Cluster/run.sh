#!/usr/bin/env bash
# Tests small clusters in network namespaces: orders, each call with an idempotency-key, none may fail;
# and a chat, no message may be missing without notice.
#
#   etcd   three etcd, six order servers that announce themselves there, and a client that calls them
#          by name at 1,000 calls per second while servers are restarted and killed, and etcd members
#          are killed and cut off
#   dns    dnsmasq, whose answers change while a client calls order servers by a name; a server is
#          added, one is removed and then ended, and dnsmasq is away for 10 seconds
#   chat   three NATS, three chat servers of one room with 1,000 members each, who say numbered messages
#          while NATS is killed, stopped and cut off
#
# A part is skipped where it can't run: without root, network namespaces, etcd, dnsmasq or nats-server;
# with CLUSTER_REQUIRED=1 that is a failure.
#
#   Tests/Cluster/run.sh [PART…]      called by `make test-cluster`; default: all
#
#   RESTARTS     how many times a server of the part etcd is restarted or killed (default 100)
#   DNS_ROUNDS   how many times a server of the part dns is added and another one removed (default 3)
#   RATE         calls per second (default 1000)
#   MEMBERS      members of each chat server (default 1000)
#   MESSAGES     messages of all members per second, at most (default 200); faults last for so many
#   CHAT_ROUNDS  how often all faults of the part chat happen (default 1)
#   SEED         of the part chat; default: another one each time, which is printed
#   ROCKET_BIN   the folder of the programs (default: bin/)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$root/bin}
scratch=${SCRATCH_PATH:-$root/.build}
skip() { # REASON
    echo "skipped: $1"
    [ "${CLUSTER_REQUIRED-}" != 1 ] || exit 1
}
if ! command -v ip >/dev/null || ! command -v ss >/dev/null; then
    skip "ip or ss is not installed: apt-get install iproute2"
    exit 0
fi
if ! unshare --mount --net true 2>/dev/null; then
    skip "no permission to make network namespaces"
    exit 0
fi
parts=()
declare -A products=()
for part in "${@:-etcd dns chat}"; do
    for name in $part; do
        case $name in
        etcd) program=etcd package=etcd-server product=cluster_client ;;
        dns) program=dnsmasq package=dnsmasq-base product=cluster_client ;;
        chat) program=nats-server package=nats-server product=cluster_chat ;;
        *)
            echo "run.sh: no part $name: etcd, dns, chat" >&2
            exit 2
            ;;
        esac
        if PATH=$PATH:/usr/sbin command -v "$program" >/dev/null; then
            parts+=("$name")
            products[$product]=1
        else
            skip "$name: $program is not installed: apt-get install $package"
        fi
    done
done
[ "${#parts[@]}" != 0 ] || exit 0
for product in "${!products[@]}"; do
    swift build -c release --disable-build-manifest-caching --package-path "$here/programs" \
        --scratch-path "$scratch" --product "$product"
done
programs=$(swift build -c release --package-path "$here/programs" --scratch-path "$scratch" \
    --show-bin-path)
export CLUSTER_CLIENT=$programs/cluster_client CLUSTER_CHAT=$programs/cluster_chat
failed=0
for part in "${parts[@]}"; do
    echo "== $part"
    # In a namespace of mounts of its own, so that the names of the network namespaces end with it.
    unshare --mount --net python3 -B "$here/$part.py" || failed=1
done
exit "$failed"
