# Restarts and kills under the load of several clients, which count outcomes; then compares the
# store.

ROUNDS=20 CLIENTS=3 RATE=700
figure() { grep -h "^calls=" "$@" | sed -n "s/.* *$figure=\([0-9.]*\).*/\1/p"; }
sum() { figure=$1; shift; figure "$@" | awk '{ sum += $1 } END { print sum + 0 }'; }

start_load() { # NAME
    load=$1
    pids=()
    in_sd rm -f /tmp/stop
    for client in $(seq $CLIENTS); do
        in_sd order_load make --to $TCP --connections 2 --in-flight 16 --rate $RATE \
            --prefix "$1-$client" --acks "/opt/e2e/$1-$client.acks" --until /tmp/stop \
            --seconds 120 >"$W/$1-$client.out" 2>"$W/$1-$client.err" &
        pids+=($!)
    done
    load_began=$(now_ms)
}

stop_load() {
    in_sd touch /tmp/stop
    wait "${pids[@]}"
    load_took=$(($(now_ms) - load_began))
    local outputs=("$W/$load"-*.out)
    calls=$(sum calls "${outputs[@]}")
    acknowledged=$(sum acknowledged "${outputs[@]}")
    failed=$(sum failed "${outputs[@]}")
    rate=$((calls * 1000 / load_took))
    slowest=$(figure=max_ms; figure "${outputs[@]}" | sort -n | tail -1)
    errors=$(cat "$W/$load"-*.err)
}

verify() { in_sd bash -c "order_load verify --to $TCP /opt/e2e/$load-*.acks" 2>&1; }

# Each round waits until calls succeed again, so that each one interrupts running calls.
is_loaded() { status_shows '^[1-9][0-9]{2,} calls/s'; }

in_sd systemctl reset-failed $NAME.service
start_load restart
undone=0
for _ in $(seq $ROUNDS); do
    until_ 10 is_loaded || { undone=$((undone + 1)); break; }
    in_sd systemctl restart $NAME.service || undone=$((undone + 1))
done
until_ 10 is_loaded
stop_load
same "$ROUNDS restarts under load succeed" 0 "$undone"
check "... the load was $rate calls/s from $CLIENTS clients: 1,000 at least" test "$rate" -ge 1000
if [ "$failed" = 0 ]; then ok "... 0 of $calls calls failed (the slowest took $slowest ms)"
else nok "... $failed of $calls calls failed" "$errors"; fi
output=$(verify)
has "... no order lost, none doubled: $output" "acknowledged=$acknowledged lost=0 doubled=0 other_id=0" \
    "$output"

start_load kill
undone=0
for _ in $(seq $ROUNDS); do
    until_ 10 is_loaded || { undone=$((undone + 1)); break; }
    pid=$(property MainPID)
    in_sd kill -KILL "$pid" || undone=$((undone + 1))
    another() { [ "$(property MainPID)" != "$pid" ] && is ActiveState active; }
    until_ 10 another || undone=$((undone + 1))
done
until_ 10 is_loaded
stop_load
same "$ROUNDS times kill -9 under load, restarted each time" 0 "$undone"
check "... the load was $rate calls/s from $CLIENTS clients: 1,000 at least" test "$rate" -ge 1000
echo "    $failed of $calls calls failed, the slowest took $slowest ms"
[ -z "$errors" ] || printf '%s\n' "$errors" | sort | uniq -c | sed 's/^/    /'
output=$(verify)
has "... every acknowledged order is in the store once: $output" \
    "acknowledged=$acknowledged lost=0 doubled=0 other_id=0" "$output"
in_sd systemctl stop $NAME.service
has "the store is sound" "sound" "$(in_sd order_server --check-store $CONFIG 2>&1)"
in_sd systemctl start $NAME.service
