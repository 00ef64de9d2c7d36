#!/bin/sh
# Measures echoes of 64 bytes on RocketTCP beside plain C on epoll with the same batching: server on
# one core, load on the other, alternating rounds, medians. Then counts allocations, and system
# calls if strace is installed.
# Usage: echo.sh   Called by run.sh. ROUNDS (3), MILLISECONDS (1000) of each round.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
scratch=${BENCH_SCRATCH_PATH:-$here/.build}
rounds=${ROUNDS:-3}
milliseconds=${MILLISECONDS:-1000}
work=$(mktemp -d)
server=
stop() {
    exec 9>&- 2>/dev/null || true
    if [ -n "$server" ]; then wait "$server" 2>/dev/null || true; fi
    server=
}
trap 'stop; rm -rf "$work"' EXIT INT TERM

swift build --package-path "$here" --scratch-path "$scratch" -c release --quiet
gcc -O2 -Wall -o "$work/c_echo" "$here/../reference/c_echo.c"
gcc -O2 -Wall -o "$work/load" "$here/../reference/echo_load.c"
cp "$scratch/release/BenchEcho" "$work/rocket"

pin() { core=$1; shift; if command -v taskset >/dev/null; then exec taskset -c "$core" "$@"; else exec "$@"; fi; }

start() { # PROGRAM...: runs it with a pipe as standard input, sets server and port
    rm -f "$work/in" "$work/port"
    mkfifo "$work/in"
    (pin 0 "$@" <"$work/in" >"$work/port" 2>"$work/err") &
    server=$!
    exec 9>"$work/in"
    until [ -s "$work/port" ]; do kill -0 "$server" || exit 1; sleep 0.05; done
    port=$(cat "$work/port")
}

once() { # NAME CONNECTIONS DEPTH
    start "$work/$1" "$work/port"
    (pin 1 "$work/load" "$port" "$server" "$2" "$3" "$milliseconds") >>"$work/$1.$2x$3"
    stop
}

median() { # FILE FIELD
    awk -v field="$2" '{ print $field }' "$1" | sort -n |
        awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

printf '\n%-18s %12s %14s %10s %10s %10s\n' 'echo' 'calls/s' 'CPU ns/call' 'p50 us' 'p99 us' 'p99.9 us'
for shape in '1 1' '16 1' '64 1' '1 32' '16 32' '64 32'; do
    set -- $shape
    round=0
    while [ $round -lt "$rounds" ]; do
        once c_echo "$1" "$2"
        once rocket "$1" "$2"
        round=$((round + 1))
    done
    for name in c_echo rocket; do
        file=$work/$name.$1x$2
        printf '%-18s %12s %14s %10s %10s %10s\n' "$1x$2 $name" "$(median "$file" 1)" \
            "$(median "$file" 2)" "$(median "$file" 3)" "$(median "$file" 4)" "$(median "$file" 5)"
    done
    awk -v c="$(median "$work/c_echo.$1x$2" 2)" -v r="$(median "$work/rocket.$1x$2" 2)" \
        -v s="$1x$2" 'BEGIN { printf "%-18s CPU per call %.2f of C\n", s, r / c }'
done
"$work/rocket" allocations

if command -v strace >/dev/null; then
    for name in c_echo rocket; do
        for shape in '1 1' '64 32'; do
            set -- $shape
            start strace -f -c -o "$work/calls" "$work/$name" "$work/port"
            calls=$("$work/load" "$port" "$server" "$1" "$2" "$milliseconds" | cut -d' ' -f6)
            stop
            awk -v n="$name $1x$2" -v calls="$calls" \
                '/ (recvfrom|sendto|epoll_wait|epoll_pwait2?|epoll_ctl|read|write|futex)$/ { sum += $4 }
                END { printf "%-18s %.2f system calls per echo (under strace)\n", n, sum / calls }' "$work/calls"
        done
    done
fi
