#!/usr/bin/env bash
# Tests small clusters in network namespaces: orders, each call with an idempotency-key, none may fail;
# and a chat, no message may be missing without notice.
#
#   orders  etcd, PostgreSQL with a synchronous standby, three order servers that share it, and a client
#           that makes orders while all of them are killed, restarted, failed over and cut off
#   etcd    three etcd, six order servers that announce themselves there, and a client that calls them
#           by name at 1,000 calls per second while servers are restarted and killed, and etcd members
#           are killed and cut off
#   dns     dnsmasq, whose answers change while a client calls order servers by a name; a server is
#           added, one is removed and then ended, and dnsmasq is away for 10 seconds
#   chat    three NATS, three chat servers of one room with 1,000 members each, who say numbered messages
#           while NATS is killed, stopped and cut off
#
# A part is skipped where it can't run: without root, network namespaces, or its programs.
#
#   Tests/Cluster/run.sh [PART…]      called by `make test-cluster`; default: PARTS, or all
#
#   PARTS             the parts
#   CLUSTER_REQUIRED  if it is not empty, a part that is skipped is a failure
#   RATE              calls per second (default 1000)
#   ROCKET_BIN        the folder of the programs (default: bin/)
#   CLUSTER_CLIENT    the client of orders (default: it is built)
#   SEED              decides what is done in the parts orders and chat, and to which server (default: a
#                     new one each time, which is printed)
#
# Of the part orders:
#   ORDERS_SECONDS    how long orders are made (default 120)
#   KILLS             how many times a server is killed (default 20)
#   PG_RESTARTS       how many times PostgreSQL is stopped and started (default 5)
#   FAILOVERS         how many times its standby takes its place (default 2)
#   CUTS              how many times a server is cut off from it (default 5)
# Of the part etcd:
#   RESTARTS          how many times a server is restarted or killed (default 6)
# Of the part dns:
#   DNS_ROUNDS        how many times a server is added and another one removed (default 1)
# Of the part chat:
#   MEMBERS           members of each chat server (default 1000)
#   MESSAGES          messages of all members per second, at most (default 200); faults last for so many
#   CHAT_ROUNDS       how often all faults happen (default 1)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$root/bin}
scratch=${SCRATCH_PATH:-$root/.build}
# Debian has the programs of PostgreSQL, and those of daemons, elsewhere.
postgres=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
export PATH=$PATH:/usr/sbin:$postgres

# Prints the programs that a part needs, each with its package.
needs() { # PART
    case $1 in
    orders) echo etcd:etcd-server initdb:postgresql-15 ;;
    etcd) echo etcd:etcd-server ;;
    dns) echo dnsmasq:dnsmasq-base ;;
    chat) echo nats-server:nats-server ;;
    *) return 1 ;;
    esac
}

skipped() { # WHY
    echo "skipped: $1"
    [ -z "${CLUSTER_REQUIRED-}" ] || exit 1
}

[ $# != 0 ] || read -ra parts <<<"${PARTS:-orders chat etcd dns}"
[ $# = 0 ] || parts=("$@")
if ! command -v ip >/dev/null || ! command -v ss >/dev/null; then
    skipped "ip or ss is not installed: apt-get install iproute2"
    exit 0
fi
# Everything that a part starts ends with it, however it ends; so do the names of its namespaces.
namespaces=(unshare --mount --net --pid --fork --kill-child --mount-proc)
if ! "${namespaces[@]}" true 2>/dev/null; then
    skipped "no permission to make network namespaces"
    exit 0
fi
runs=()
for part in "${parts[@]}"; do
    if ! needed=$(needs "$part"); then
        echo "run.sh: no part $part" >&2
        exit 2
    fi
    missing=
    for pair in $needed; do
        command -v "${pair%:*}" >/dev/null || missing+=" ${pair#*:}"
    done
    if [ -z "$missing" ]; then
        runs+=("$part")
    else
        skipped "$part: not installed:$missing: make deps-cluster"
    fi
done
[ "${#runs[@]}" != 0 ] || exit 0
# Builds a client, and prints its path.
client() { # PRODUCT
    local build=(swift build -c release --disable-build-manifest-caching --package-path "$here/programs"
        --scratch-path "$scratch")
    "${build[@]}" --product "$1" >&2
    echo "$("${build[@]}" --show-bin-path)/$1"
}

if [[ " ${runs[*]} " = *" chat "* ]]; then
    CLUSTER_CHAT=${CLUSTER_CHAT:-$(client cluster_chat)}
    export CLUSTER_CHAT
fi
if [ "${runs[*]}" != chat ]; then
    CLUSTER_CLIENT=${CLUSTER_CLIENT:-$(client cluster_client)}
    export CLUSTER_CLIENT
fi
failed=0
# What compares the results finds what is wrong.
python3 -B "$here/test_outcome.py" --quiet
for part in "${runs[@]}"; do
    echo "== $part"
    "${namespaces[@]}" python3 -B "$here/$part.py" || failed=1
done
exit "$failed"
