#!/usr/bin/env bash
# Measures durable orders per second: order_server over TCP with 1, 16 and 64 clients with one call
# each, beside a plain C loop over SQLite with the same tables, statements and settings, with one
# transaction per order, and one per as many orders as there are clients. The three alternate, on
# the same disk.
#
#   Tests/Benchmarks/orders/run.sh        (make bench-orders)
#
#   ROUNDS=2 SECONDS_EACH=4 BENCH_FOLDER=.build/bench-orders
set -euo pipefail

[ "${1-}" != --help ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0; }
cd "$(dirname "$0")/../../.."
scratch=${SCRATCH_PATH:-$PWD/.build}
folder=${BENCH_FOLDER:-$scratch/bench-orders}
rounds=${ROUNDS:-2} seconds=${SECONDS_EACH:-4}
server=

cleanup() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT
rm -rf "$folder"
mkdir -p "$folder" "$scratch/logs"

package=(--package-path Tests/Systemd --scratch-path "$scratch" -c release)
swift build "${package[@]}" --disable-build-manifest-caching --product order_load \
    >"$scratch/logs/build-order-load.log" 2>&1 || { cat "$scratch/logs/build-order-load.log"; exit 1; }
load=$(swift build "${package[@]}" --show-bin-path)/order_load
cc -O2 -Wall -o "$folder/sqlite_orders" Tests/Benchmarks/orders/sqlite_orders.c -lsqlite3

sqlite() { # BATCH: prints "ORDERS TRANSACTIONS", each per second
    rm -f "$folder"/plain.sqlite*
    "$folder/sqlite_orders" "$folder/plain.sqlite" "$1" "$seconds"
}

served() { # CLIENTS: prints "ORDERS TRANSACTIONS P99" (per second, per second, ms)
    rm -rf "$folder/server"
    mkdir "$folder/server"
    ROCKET_SERVER_PORT=0 ROCKET_LOG_FILE_PATH=$folder/server/log \
        ROCKET_ORDER_STORE_PATH=$folder/server/orders.sqlite \
        bin/order_server conf/rocket.xml >"$folder/server.out" 2>&1 &
    server=$!
    local address=
    for _ in $(seq 200); do
        address=$(sed -n 's/.*listening on //p' "$folder/server.out")
        [ -z "$address" ] || break
        sleep 0.05
    done
    local figures
    figures=$("$load" make --to "$address" --connections "$1" --in-flight "$1" --seconds "$seconds")
    kill -TERM "$server"
    wait "$server"
    server=
    local stored
    stored=$(sed -n 's/.* \([0-9]*\) orders stored in \([0-9]*\) transactions/\1 \2/p' "$folder/server.out")
    echo "$figures" | sed -n 's/.*per_second=\([0-9]*\).*p99_ms=\([0-9.]*\).*/\1 \2/p' |
        awk -v stored="$stored" '{ split(stored, s, " "); printf "%d %d %s\n", $1, $1 * s[2] / s[1], $2 }'
}

for round in $(seq "$rounds"); do
    for clients in 1 16 64; do
        echo "$clients single $(sqlite 1)"
        echo "$clients group $(sqlite "$clients")"
        echo "$clients server $(served "$clients")"
    done
done | tee "$folder/results" | sed 's/^/  /' >&2

echo
echo "durable orders per second (medians of $rounds rounds of $seconds s), $(nproc) cores, $(uname -r)"
printf '%-8s %14s %14s %14s %12s %10s %8s\n' clients "one by one" "group commit" order_server \
    "of one by one" "of group" "p99 ms"
for clients in 1 16 64; do
    median() { awk -v c="$clients" -v k="$1" -v f="$2" '$1 == c && $2 == k { print $f }' \
        "$folder/results" | sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
    single=$(median single 3) group=$(median group 3) ours=$(median server 3) p99=$(median server 5)
    printf '%-8s %14.0f %14.0f %14.0f %11.2fx %9.2fx %8s\n' "$clients" "$single" "$group" "$ours" \
        "$(awk "BEGIN { print $ours / $single }")" "$(awk "BEGIN { print $ours / $group }")" "$p99"
done
