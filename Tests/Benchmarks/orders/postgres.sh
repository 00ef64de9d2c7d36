#!/usr/bin/env bash
# Measures durable orders per second: order_server on PostgreSQL over TCP with 1, 16 and 64 clients with
# one call each, beside pgbench with the same statements, server and settings (synchronous_commit=on,
# statements that are planned once):
#   simple     as many clients, each with one order in a transaction: BEGIN, lock, store, COMMIT
#   pipelined  the same in one round trip (\startpipeline)
#   group      one client, as many orders in a pipeline, which is one transaction
# They alternate, on the same database.
#
#   Tests/Benchmarks/orders/postgres.sh        (make bench-orders-postgres)
#
#   ROUNDS=2 SECONDS_EACH=4 BENCH_FOLDER=/var/tmp/… ROCKET_BIN=bin ORDER_LOAD=PROGRAM
set -euo pipefail

[ "${1-}" != --help ] || { sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0; }
cd "$(dirname "$0")/../../.."
scratch=${SCRATCH_PATH:-$PWD/.build}
folder=${BENCH_FOLDER:-/var/tmp/rocket-bench-orders-$$}
rounds=${ROUNDS:-2} seconds=${SECONDS_EACH:-4} bin=${ROCKET_BIN:-bin}
programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
PATH=${programs:+$programs:}$PATH
command -v pg_ctl >/dev/null || { echo "PostgreSQL is not installed: make deps-cluster" >&2; exit 1; }
server=

as_user() { # PostgreSQL does not run as root.
    if [ "$(id -u)" = 0 ]; then (cd / && runuser -u nobody -- "$@"); else "$@"; fi
}
cleanup() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
    as_user pg_ctl -D "$folder/data" -s -m immediate stop 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT
mkdir -p "$folder" "$scratch/logs"
chmod 755 "$folder"
[ "$(id -u)" != 0 ] || chown nobody "$folder"

load=${ORDER_LOAD-}
if [ -z "$load" ]; then
    package=(--package-path Tests/Systemd --scratch-path "$scratch" -c release)
    swift build "${package[@]}" --disable-build-manifest-caching --product order_load \
        >"$scratch/logs/build-order-load.log" 2>&1 || { cat "$scratch/logs/build-order-load.log"; exit 1; }
    load=$(swift build "${package[@]}" --show-bin-path)/order_load
fi

as_user initdb -D "$folder/data" -A trust -U orders -E UTF8 --locale=C.UTF-8 >/dev/null
as_user pg_ctl -D "$folder/data" -w -s -l "$folder/log" -o "-k $folder -c listen_addresses='' \
    -c synchronous_commit=on -c track_activity_query_size=16384 -c max_connections=200" start
sql() { psql -h "$folder" -U orders -d orders -XAtq -c "$1"; }
psql -h "$folder" -U orders -d postgres -XAtq -c "CREATE DATABASE orders"

start_server() {
    rm -rf "$folder/server"
    mkdir "$folder/server"
    env -u PGOPTIONS ROCKET_SERVER_PORT=0 ROCKET_LOG_FILE_PATH=$folder/server/log \
        ROCKET_ORDER_STORE_URL="postgresql://orders@/orders?host=$folder" \
        "$bin/order_server" conf/rocket.xml >"$folder/server.out" 2>&1 &
    server=$!
    address=
    for _ in $(seq 200); do
        address=$(sed -n 's/.*listening on //p' "$folder/server.out")
        [ -z "$address" ] || return 0
        sleep 0.05
    done
    cat "$folder/server.out" >&2
    exit 1
}
stop_server() {
    kill -TERM "$server"
    wait "$server"
    server=
}

# The statement of the store, as the server shows it until it executes another one (it deletes expired
# keys at first), with the values of one order.
start_server
statement=
for _ in $(seq 20); do
    [ -z "$statement" ] || break
    "$load" make --to "$address" --connections 1 --in-flight 1 --seconds 0.2 >/dev/null
    statement=$(sql "SELECT query FROM pg_stat_activity WHERE query LIKE '%INSERT INTO orders%'
        AND application_name = 'order_server'" | sed -e 's/\$1::/:client_id::/g' -e 's/\$2::/:number::/g' \
        -e "s/\\\$3::bigint/1700000000000::bigint/g" -e 's/\$4::bigint/1600000000000::bigint/g' \
        -e "s/\\\$5::integer\[\]/ARRAY[100]::integer[]/" \
        -e "s/\\\$[67]::text\[\]/ARRAY['load-' || :client_id::text || '-' || :number::text]/g")
done
stop_server
[ -n "$statement" ] || { echo "the statement of the store was not found" >&2; exit 1; }
lock="SELECT pg_advisory_xact_lock(32210620139271169);"
number='\set number random(1, 1000000000000000)'
printf '%s\nBEGIN;\n%s\n%s;\nCOMMIT;\n' "$number" "$lock" "$statement" >"$folder/simple.sql"
printf '%s\n\\startpipeline\n%s\n%s;\n\\endpipeline\n' "$number" "$lock" "$statement" \
    >"$folder/pipelined.sql"
for orders in 1 16 64; do
    {
        printf '\\startpipeline\n%s\n' "$lock"
        for _ in $(seq "$orders"); do printf '%s\n%s;\n' "$number" "$statement"; done
        printf '\\endpipeline\n'
    } >"$folder/group-$orders.sql"
done

# Those of the store's sessions.
export PGOPTIONS="-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off \
    -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"

empty() { sql "TRUNCATE orders, idempotency_keys, order_batches"; sql CHECKPOINT; }
pgbench_rate() { # SCRIPT CLIENTS: prints transactions per second
    empty
    pgbench -h "$folder" -U orders -n -M prepared -f "$1" -c "$2" -j 1 -T "$seconds" orders 2>&1 |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}
served() { # CLIENTS: prints "ORDERS P99 ORDERS_PER_TRANSACTION" (per second, ms)
    empty
    start_server
    local figures stored
    figures=$("$load" make --to "$address" --connections "$1" --in-flight "$1" --seconds "$seconds")
    stop_server
    stored=$(sed -n 's/.* \([0-9]*\) orders stored in \([0-9]*\) transactions/\1 \2/p' "$folder/server.out")
    echo "$figures" | sed -n 's/.*per_second=\([0-9]*\).*p99_ms=\([0-9.]*\).*/\1 \2/p' |
        awk -v stored="$stored" '{ split(stored, s, " "); printf "%d %s %.1f\n", $1, $2, s[1] / s[2] }'
}

for round in $(seq "$rounds"); do
    for clients in 1 16 64; do
        echo "$clients simple $(pgbench_rate "$folder/simple.sql" "$clients")"
        echo "$clients pipelined $(pgbench_rate "$folder/pipelined.sql" "$clients")"
        echo "$clients group $(pgbench_rate "$folder/group-$clients.sql" 1 | awk -v n="$clients" '{ print $1 * n }')"
        echo "$clients server $(served "$clients")"
    done
done | tee "$folder/results" | sed 's/^/  /' >&2

echo
echo "durable orders per second (medians of $rounds rounds of $seconds s), $(nproc) cores, $(uname -r), $(postgres --version)"
printf '%-8s %10s %10s %10s %14s %14s %10s %8s %12s\n' clients simple pipelined group order_server \
    "of pipelined" "of group" "p99 ms" "orders/tx"
for clients in 1 16 64; do
    median() { awk -v c="$clients" -v k="$1" -v f="$2" '$1 == c && $2 == k { print $f }' \
        "$folder/results" | sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
    pipelined=$(median pipelined 3) group=$(median group 3) ours=$(median server 3)
    printf '%-8s %10.0f %10.0f %10.0f %14.0f %13.2fx %9.2fx %8s %12s\n' "$clients" "$(median simple 3)" \
        "$pipelined" "$group" "$ours" "$(awk "BEGIN { print $ours / $pipelined }")" \
        "$(awk "BEGIN { print $ours / $group }")" "$(median server 4)" "$(median server 5)"
done
