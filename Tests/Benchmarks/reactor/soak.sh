#!/bin/sh
# Tests RocketTCP with idle, short-lived and misbehaving peers: memory per idle connection,
# descriptors and memory after many connections, latency of well-behaved clients beside other ones.
# Usage: soak.sh   IDLE (9900), CYCLES (100000), SECONDS_MIXED (10; of each kind).
# SOAK_SECONDS=N instead: all kinds at once for N seconds, with figures over the whole time.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
scratch=${BENCH_SCRATCH_PATH:-$here/.build}
idle=${IDLE:-9900}
cycles=${CYCLES:-100000}
mixed=${SECONDS_MIXED:-10}
soak=${SOAK_SECONDS:-0}
work=$(mktemp -d)
server=
trap 'exec 9>&- 8>&-; wait; rm -rf "$work"' EXIT INT TERM
ulimit -n "$(ulimit -Hn)"

swift build --package-path "$here" --scratch-path "$scratch" -c release --quiet
for program in odd_peers echo_load; do
    gcc -O2 -Wall -o "$work/$program" "$here/../reference/$program.c"
done

start() {
    rm -f "$work/in" "$work/port"
    mkfifo "$work/in"
    "$scratch/release/BenchEcho" "$work/port" <"$work/in" 2>"$work/err" &
    server=$!
    exec 9>"$work/in"
    until [ -s "$work/port" ]; do kill -0 "$server"; sleep 0.05; done
    port=$(cat "$work/port")
}
stop() { exec 9>&-; wait "$server"; }
start_peers() { # KIND COUNT: in the background, until stop_peers
    rm -f "$work/peers" "$work/ready"
    mkfifo "$work/peers"
    "$work/odd_peers" "$port" "$1" "$2" <"$work/peers" >"$work/ready" 9>&- &
    peers=$!
    exec 8>"$work/peers"
    until [ -s "$work/ready" ]; do kill -0 "$peers"; sleep 0.05; done
}
stop_peers() { exec 8>&-; wait "$peers"; }
resident() { awk '/^RssAnon/ { print $2 * 1024 }' "/proc/$server/status"; }
descriptors() { ls "/proc/$server/fd" | wc -l; }
latency() { # MILLISECONDS
    "$work/echo_load" "$port" "$server" 8 1 "$1" 9>&- 8>&- | awk '{ print $3 " / " $4 " / " $5 }'
}

state() { echo "memory $(($(resident) / 1024)) KiB, $(descriptors) descriptors"; }

if [ "$soak" -gt 0 ]; then
    start
    end=$(($(date +%s) + soak))
    for kind in 'quiet 1000' 'idle 100' 'trickle 50' 'slow 10' 'stalled 3'; do
        # shellcheck disable=SC2086
        { sleep "$soak" | "$work/odd_peers" "$port" $kind >"$work/kind.${kind% *}"; } 9>&- &
    done
    {
        while [ "$(date +%s)" -lt "$end" ]; do
            "$work/odd_peers" "$port" cycle 2000
            sleep 1
        done >"$work/cycles"
    } 9>&- &
    latency 1000 >/dev/null
    window=$((soak / 20)) # measures for 3 s of each, since the load uses all processor time it gets
    echo "$soak s of 1000 quiet, 100 idle, 50 trickling, 10 slow, 3 stalled, 8 well-behaved and many short-lived connections"
    while [ $(($(date +%s) + window)) -lt "$end" ]; do
        echo "  p50 / p99 / p99.9 of the well-behaved: $(latency 3000) us, $(state), load $(cut -d' ' -f1 /proc/loadavg)"
        sleep $((window > 3 ? window - 3 : 0))
    done
    sleep $((end - $(date +%s) + 5))
    echo "  after they closed: $(state); $(($(wc -l <"$work/cycles") * 2000)) short-lived connections"
    stop
    exit
fi

start
latency 300 >/dev/null
before=$(resident)
start_peers idle "$idle"
sleep 0.5
after=$(resident)
echo "$idle idle connections: $(((after - before) / idle)) bytes of memory each"
stop_peers
sleep 1
echo "after they closed: $(((($(resident) - before)) / 1024)) KiB more than before, $(descriptors) descriptors"
stop

start
"$work/odd_peers" "$port" cycle 5000 9>&- >/dev/null
sleep 0.5
before=$(resident) fds=$(descriptors)
rate=$("$work/odd_peers" "$port" cycle "$cycles" 9>&-)
sleep 0.5
echo "$cycles connections: $rate/s, descriptors $fds -> $(descriptors), memory $((before / 1024)) -> $(($(resident) / 1024)) KiB"
stop

start
echo "latency of 8 well-behaved connections, us (p50 / p99 / p99.9):"
echo "  alone                       $(latency $((mixed * 1000)))"
for kind in 'idle 1000' 'trickle 200' 'slow 20' 'stalled 20'; do
    start_peers $kind
    echo "  beside $kind connections  $(latency $((mixed * 1000)))  memory $(($(resident) / 1024)) KiB"
    stop_peers
    sleep 0.5
done
echo "at the end: $(descriptors) descriptors, memory $(($(resident) / 1024)) KiB"
stop
