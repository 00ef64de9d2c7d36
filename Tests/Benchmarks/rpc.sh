#!/usr/bin/env bash
# The call path beside the reference servers: Order.makeOrder, no database, server and load each on
# a core of its own, rounds in turn, medians. Then Rocket's own client, and system calls a call.
#
#   rpc.sh      Called by `make bench-rpc`, which has built bin/.
#
#   ROUNDS (3), SECONDS_EACH (1): of each measurement.
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-1}
work=$(mktemp -d)
server=
trap 'stop; rm -rf "$work"' EXIT

"$here/reference/build.sh" "$work" tinypb_load c_tinypb cpp_tinypb
cp "$root/bin/rocket_bench_server" "$root/bin/rocket_bench_client" "$work"

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
# NAME of a server: its command line
command_of() {
    case $1 in
    rocket-*) echo "$work/rocket_bench_server --handler ${1#rocket-}" ;;
    *) echo "$work/$1" ;;
    esac
}
once() { # FILE CLIENT CONNECTIONS IN_FLIGHT: a line of calls/s, server us, client us, p50, p99, p99.9
    taskset -c 1 "$2" --to "$address" --connections "$3" --in-flight "$4" --seconds "$seconds" \
        --server-pid "$server" $([ "${2##*/}" != rocket_bench_client ] || echo --json) |
        python3 -c 'import json, sys
r = json.load(sys.stdin)
print(*[r[k] for k in ("calls_per_second", "server_cpu_us", "client_cpu_us", "p50_us", "p99_us", "p999_us")])' >>"$1"
}
median() { # FILE FIELD
    awk -v field="$2" '{ print $field }' "$1" | sort -n |
        awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
head_line() {
    printf '\n%-30s %11s %8s %11s %11s %9s %9s %9s\n' "$1" calls/s 'of C' 'server us' 'client us' \
        'p50 us' 'p99 us' 'p99.9 us'
}
line() { # LABEL FILE FILE_OF_C
    awk -v label="$1" -v c="$(median "$3" 1)" -v calls="$(median "$2" 1)" -v s="$(median "$2" 2)" \
        -v k="$(median "$2" 3)" -v p50="$(median "$2" 4)" -v p99="$(median "$2" 5)" \
        -v p999="$(median "$2" 6)" 'BEGIN { printf "%-30s %11.0f %8.2f %11.3f %11.3f %9.1f %9.1f %9.1f\n",
            label, calls, calls / c, s, k, p50, p99, p999 }'
}

servers=(c_tinypb cpp_tinypb rocket-sync rocket-async)
head_line 'servers, driven by C'
for shape in '1 1' '16 1' '64 1' '1 32' '16 32' '64 32'; do
    read -r connections depth <<<"$shape"
    for ((round = 0; round < rounds; round++)); do
        for name in "${servers[@]}"; do
            start $(command_of "$name")
            once "$work/$name.$connections.$depth" "$work/tinypb_load" "$connections" "$depth"
            stop
        done
    done
    for name in "${servers[@]}"; do
        line "${connections}x$depth $name" "$work/$name.$connections.$depth" \
            "$work/c_tinypb.$connections.$depth"
    done
done

head_line 'clients on one connection'
for depth in 1 64 512; do
    for ((round = 0; round < rounds; round++)); do
        start "$work/c_tinypb"
        once "$work/c.$depth" "$work/tinypb_load" 1 "$depth"
        once "$work/rocket_c.$depth" "$work/rocket_bench_client" 1 "$depth"
        stop
        start $(command_of rocket-sync)
        once "$work/rocket_rocket.$depth" "$work/rocket_bench_client" 1 "$depth"
        stop
    done
    line "$depth in flight: C -> C" "$work/c.$depth" "$work/c.$depth"
    line "$depth in flight: Rocket -> C" "$work/rocket_c.$depth" "$work/c.$depth"
    line "$depth in flight: Rocket -> Rocket" "$work/rocket_rocket.$depth" "$work/c.$depth"
done

if command -v strace >/dev/null; then
    printf '\nsystem calls per call, under strace\n'
    for name in c_tinypb rocket-sync rocket-async; do
        for shape in '1 1' '16 32'; do
            read -r connections depth <<<"$shape"
            start strace -f -c -o "$work/counts" $(command_of "$name")
            calls=$("$work/tinypb_load" --to "$address" --connections "$connections" \
                --in-flight "$depth" --seconds 0.5 |
                python3 -c 'import json, sys; print(json.load(sys.stdin)["calls"] * 1.2)')
            # strace ends with its server.
            kill -TERM $(cat "/proc/$server/task/$server/children") 2>/dev/null || true
            wait "$server" 2>/dev/null || true
            server=
            awk -v n="$name ${connections}x$depth" -v calls="$calls" \
                '/ (recvfrom|sendto|writev|sendmsg|epoll_wait|epoll_pwait2?|epoll_ctl|read|write|futex)$/ { sum += $4 }
                END { printf "%-30s %.3f\n", n, sum / calls }' "$work/counts"
        done
    done
fi
