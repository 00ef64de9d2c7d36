# A stuck loop: the watchdog kills the server, and systemd restarts it.

drop_in=/run/systemd/system/$NAME.service.d
in_sd sh -c "mkdir -p $drop_in; printf '[Service]\nWatchdogSec=2s\nLimitCORE=0\n' >$drop_in/watchdog.conf"
in_sd systemctl daemon-reload
in_sd systemctl restart $NAME.service
restarts=$(property NRestarts) pid=$(property MainPID)
sleep 3
same "3 s with WatchdogSec=2s: the server satisfies the watchdog" "$pid $restarts" \
    "$(property MainPID) $(property NRestarts)"
# Stopped from outside: the program has no hook for this test.
in_sd stall "$pid" rocket-io-0 >/dev/null &
stalled=$!
at=$(now_ms)
restarted() { is NRestarts $((restarts + 1)) && is ActiveState active; }
until_ 15 restarted
took=$(($(now_ms) - at))
wait "$stalled"
output=$(journal -o cat)
has "the log reports the stuck loop" "stuck: the watchdog is not notified" "$output"
has "... with its name in the line" "stuck: the watchdog is not notified parts=rocket-io-0" \
    "$(journal -o cat PARTS=rocket-io-0)"
has "... the watchdog kills the server" "Watchdog timeout (limit 2s)!" "$output"
has "... with that result" "Failed with result 'watchdog'" "$output"
check "... and systemd starts another one ($took ms after the loop was stopped)" restarted
has "... which serves" "made order" "$(order make --price 100 --goods pear 2>&1)"
in_sd rm -rf $drop_in
in_sd systemctl daemon-reload
