#!/bin/sh
# Measures Rocket's log beside spdlog's asynchronous logger: the same lines, machine and run.
# Usage: run.sh [SCRATCH_PATH]   Called by `make bench-log`. Needs libspdlog-dev, g++, pkg-config.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
scratch=${1:-$here/.build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

for tool in g++ pkg-config; do
    command -v $tool >/dev/null || { echo "bench-log needs $tool (apt-get install $tool)" >&2; exit 1; }
done
pkg-config --exists spdlog || { echo "bench-log needs libspdlog-dev" >&2; exit 1; }

swift build --package-path "$here" --scratch-path "$scratch" -c release --quiet
gcc -O2 -c "$here/Sources/CAllocationCount/allocation_count.c" \
    -I "$here/Sources/CAllocationCount/include" -o "$work/count.o"
# shellcheck disable=SC2046
g++ -O2 -std=c++17 -o "$work/spdlog" "$here/spdlog.cpp" "$work/count.o" \
    $(pkg-config --cflags --libs spdlog) -pthread

mkdir "$work/rocket" "$work/reference"
"$scratch/release/BenchLog" "$work/rocket" >"$work/rocket.txt"
"$work/spdlog" "$work/reference" >"$work/reference.txt"

printf '%-30s %14s %14s\n' "" rocket spdlog-async
join_lines() { awk 'NR == FNR { ours[$1] = $2; next } { printf "%-30s %14s %14s\n", $1, ours[$1], $2 }' "$1" "$2"; }
join_lines "$work/rocket.txt" "$work/reference.txt"
echo "times of single calls include one timer reading (timer_ns); 1,000 picoseconds are 1 ns"
