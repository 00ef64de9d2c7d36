#!/usr/bin/env bash
# Measures chat_server beside the same chat on libevent: 100 and 1,000 clients, ten of which send
# messages of 64 bytes. Server and load each have their own core, rounds alternate, figures are
# medians.
#
#   run.sh      Called by `make bench-chat`, which has built bin/.
#
#   ROUNDS (3), SECONDS_EACH (1.5): of each measurement.
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-1.5}
work=$(mktemp -d)
server=
trap 'stop; rm -rf "$work"' EXIT

"$here/../reference/build.sh" "$work" chat_load libevent_chat
cp "$root/bin/chat_server" "$root/bin/librocket.so" "$work"
ulimit -n "$(ulimit -Hn)"
# Without the rate limit, and without a log line per client.
cat >"$work/chat.xml" <<XML
<root>
  <log><log_level>WARN</log_level><log_file_path>$work/log</log_file_path></log>
  <server><port>0</port><io_threads>1</io_threads></server>
  <chat><messages_per_second>0</messages_per_second></chat>
</root>
XML

start() { # PROGRAM...: sets server and address
    : >"$work/port"
    taskset -c 0 "$@" >"$work/port" &
    server=$!
    until grep -q 'listening on' "$work/port"; do kill -0 "$server"; sleep 0.05; done
    address=$(sed 's/.*listening on //' "$work/port")
}
stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    server=
}
command_of() { # NAME: prints the command line of the server
    case $1 in
    rocket) echo "$work/chat_server $work/chat.xml" ;;
    libevent) echo "$work/libevent_chat" ;;
    libevent-batch) echo "$work/libevent_chat --batch" ;;
    esac
}
once() { # FILE CLIENTS IN_FLIGHT: appends a line of deliveries/s, server us, p50, p99
    taskset -c 1 "$work/chat_load" --to "$address" --connections "$2" --in-flight "$3" \
        --seconds "$seconds" --payload 64 --server-pid "$server" |
        python3 -c 'import json, sys
r = json.load(sys.stdin)
print(*[r[k] for k in ("calls_per_second", "server_cpu_us", "p50_us", "p99_us")])' >>"$1"
}
median() { # FILE FIELD
    awk -v field="$2" '{ print $field }' "$1" | sort -n |
        awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

servers=(libevent libevent-batch rocket)
printf '%-34s %13s %18s %12s %10s %10s\n' 'clients x messages in flight' deliveries/s \
    'per server CPU s' 'of libevent' 'p50 us' 'p99 us'
for shape in '100 1' '100 32' '1000 1' '1000 32'; do
    read -r clients depth <<<"$shape"
    for ((round = 0; round < rounds; round++)); do
        for name in "${servers[@]}"; do
            start $(command_of "$name")
            once "$work/$name.$clients.$depth" "$clients" "$depth"
            stop
        done
    done
    for name in "${servers[@]}"; do
        file=$work/$name.$clients.$depth
        awk -v label="${clients}x10x$depth $name" -v rate="$(median "$file" 1)" \
            -v us="$(median "$file" 2)" -v c="$(median "$work/libevent.$clients.$depth" 2)" \
            -v p50="$(median "$file" 3)" -v p99="$(median "$file" 4)" 'BEGIN {
            printf "%-34s %13.0f %18.0f %12.2f %10.0f %10.0f\n", label, rate, 1e6 / us, c / us, p50, p99 }'
    done
done
