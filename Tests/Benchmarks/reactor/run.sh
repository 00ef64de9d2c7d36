#!/bin/sh
# Measures timers, tasks and wakeups of the loop beside libevent's: same machine, same run,
# alternating rounds, medians. Then runs echo.sh: echoes beside plain C on epoll.
# Usage: run.sh   Called by `make bench-reactor`. Needs libevent-dev, gcc, pkg-config.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
scratch=${BENCH_SCRATCH_PATH:-$here/.build}
rounds=${ROUNDS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

for tool in gcc pkg-config; do
    command -v $tool >/dev/null || { echo "bench-reactor needs $tool (apt-get install $tool)" >&2; exit 1; }
done
pkg-config --exists libevent_pthreads || { echo "bench-reactor needs libevent-dev" >&2; exit 1; }

swift build --package-path "$here" --scratch-path "$scratch" -c release --quiet
# shellcheck disable=SC2046
gcc -O2 -Wall -o "$work/libevent" "$here/libevent.c" \
    $(pkg-config --cflags --libs libevent_core libevent_pthreads) -pthread

round=0
while [ $round -lt "$rounds" ]; do
    "$scratch/release/BenchLoop" >>"$work/rocket.txt"
    "$work/libevent" >>"$work/reference.txt"
    round=$((round + 1))
done

median() { # FILE NAME: prints the median of the rounds; empty if the program does not measure it
    awk -v name="$2" '$1 == name { print $2 }' "$1" | sort -n |
        awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}
printf '%-44s %12s %12s\n' "" rocket libevent
awk '!seen[$1]++ { print $1 }' "$work/rocket.txt" | while read -r name; do
    printf '%-44s %12s %12s\n' "$name" "$(median "$work/rocket.txt" "$name")" \
        "$(median "$work/reference.txt" "$name")"
done

if [ -x "$here/echo.sh" ]; then exec "$here/echo.sh"; fi
