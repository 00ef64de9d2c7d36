#!/usr/bin/env bash
# Measures how a chat_server delivers messages that come from another server by NATS to 1,000 members,
# beside libnats: a process with one subscription that writes each message to 1,000 sockets; and 1,000
# subscriptions in one process that write to nobody, on one connection, and on one each. Ten senders, messages of 64 bytes. What is measured has a core of its own; nats-server, the
# senders and the other chat_server have the other one. Rounds alternate, figures are medians.
#
#   run.sh      Called by `make bench-backplane`, which has built bin/.
#
#   ROUNDS (3), SECONDS_EACH (1.5): of each measurement. ROCKET_BIN: the folder of chat_server.
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
bin=${ROCKET_BIN:-$(cd "$here/../../.." && pwd)/bin}
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-1.5}
members=1000
PATH=$PATH:/usr/sbin
command -v nats-server >/dev/null ||
    { echo "nats-server is missing: make deps-cluster" >&2; exit 1; }
work=$(mktemp -d)
started=()
trap 'stop; rm -rf "$work"' EXIT

"$here/../reference/build.sh" "$work" chat_load nats_fanout
cp "$bin/chat_server" "$work"
[ ! -f "$bin/librocket.so" ] || cp "$bin/librocket.so" "$work"
ulimit -n "$(ulimit -Hn)"

start_nats() { # sets nats
    taskset -c 1 nats-server -a 127.0.0.1 -p -1 --ports_file_dir "$work" >/dev/null 2>&1 &
    started+=($!)
    local file=$work/nats-server_$!.ports
    until [ -s "$file" ]; do kill -0 $!; sleep 0.05; done
    nats=$(sed -n 's|.*nats://\([0-9.:]*\).*|\1|p' "$file" | head -1)
}
start_chat() { # NAME CPU: sets address
    mkdir -p "$work/$1"
    # Without the rate limit, and without a log line per client.
    cat >"$work/$1/chat.xml" <<XML
<root>
  <log><log_level>WARN</log_level><log_file_path>log</log_file_path></log>
  <server><port>0</port><io_threads>1</io_threads></server>
  <chat>
    <messages_per_second>0</messages_per_second>
    <backplane>nats://$nats</backplane><server_name>$1</server_name>
  </chat>
</root>
XML
    : >"$work/$1/port"
    taskset -c "$2" "$work/chat_server" "$work/$1/chat.xml" >"$work/$1/port" &
    started+=($!)
    until grep -q 'listening on' "$work/$1/port"; do kill -0 $!; sleep 0.05; done
    address=$(sed 's/.*listening on //' "$work/$1/port")
}
stop() {
    for process in "${started[@]}"; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    started=()
}
once() { # KIND IN_FLIGHT: prints a line of JSON
    local load=(--in-flight "$2" --seconds "$seconds" --payload 64)
    start_nats
    case $1 in
    chat_server)
        start_chat near 1
        local near=$address
        start_chat far 0
        taskset -c 1 "$work/chat_load" --to "$address" --senders-to "$near" \
            --connections $((members + 10)) --server-pid "${started[-1]}" "${load[@]}"
        ;;
    *)
        # The senders move to the other core.
        taskset -c 0 "$work/nats_fanout" --to "$nats" --kind "$1" --connections "$members" "${load[@]}"
        ;;
    esac
    stop
}
median() { # FILE FIELD
    awk -v field="$2" '{ print $field }' "$1" | sort -n |
        awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

kinds=(sockets subscriptions connections chat_server)
printf '%-30s %13s %14s %18s %10s %10s\n' 'messages in flight per sender' deliveries/s \
    'per CPU s' 'of sockets' 'p50 us' 'p99 us'
for depth in 1 32; do
    for ((round = 0; round < rounds; round++)); do
        for kind in "${kinds[@]}"; do
            # Not by a pipe: what a subshell has started would not be ended if it fails.
            once "$kind" "$depth" >"$work/line"
            python3 -c 'import json, sys
r = json.load(sys.stdin)
print(*[r[k] for k in ("calls_per_second", "server_cpu_us", "p50_us", "p99_us")])' \
                <"$work/line" >>"$work/$kind.$depth"
        done
    done
    for kind in "${kinds[@]}"; do
        file=$work/$kind.$depth
        awk -v label="$depth $kind" -v rate="$(median "$file" 1)" -v us="$(median "$file" 2)" \
            -v c="$(median "$work/sockets.$depth" 2)" -v p50="$(median "$file" 3)" \
            -v p99="$(median "$file" 4)" 'BEGIN {
            printf "%-30s %13.0f %14.0f %18.2f %10.0f %10.0f\n", label, rate, 1e6 / us, c / us, p50, p99 }'
    done
done
