# A loop that is stuck: killed by the watchdog, and back.

drop_in=/run/systemd/system/$NAME.service.d
in_sd sh -c "mkdir -p $drop_in; printf '[Service]\nWatchdogSec=2s\nLimitCORE=0\n' >$drop_in/watchdog.conf"
in_sd systemctl daemon-reload
in_sd systemctl restart $NAME.service
restarts=$(property NRestarts) pid=$(property MainPID)
sleep 3
same "3 s with WatchdogSec=2s: the server keeps its watchdog quiet" "$pid $restarts" \
    "$(property MainPID) $(property NRestarts)"
# Stopped from outside, thread by thread: the program has no hook for this test.
in_sd stall "$pid" rocket-io-0 >/dev/null &
stalled=$!
at=$(now_ms)
back() { is NRestarts $((restarts + 1)) && is ActiveState active; }
until_ 15 back
took=$(($(now_ms) - at))
wait "$stalled"
output=$(journal -o cat)
has "a loop that is stuck: the log names it" "stuck: the watchdog is not notified" "$output"
has "... the field, too" '"PARTS":"rocket-io-0"' \
    "$(journal -o json 'MESSAGE=stuck: the watchdog is not notified')"
has "... the watchdog kills the server" "Watchdog timeout (limit 2s)!" "$output"
has "... with that result" "Failed with result 'watchdog'" "$output"
check "... and systemd starts another one ($took ms after the loop stood still)" back
has "... which serves" "made order" "$(order make --price 100 --goods back 2>&1)"
in_sd rm -rf $drop_in
in_sd systemctl daemon-reload
